"""Networks whose batch norms and biases matter, and their weights in Keras' layout."""

import numpy as np
import torch
from torch import nn


def enliven(network: nn.Module, seed: int = 0) -> nn.Module:
    """Draw biases, scales and running statistics, as training would have left them."""
    generator = torch.Generator().manual_seed(seed)

    def draw(tensor, low, high):
        tensor.data.uniform_(low, high, generator=generator)

    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            draw(module.weight, 0.5, 1.5)
            draw(module.bias, -0.3, 0.3)
            draw(module.running_mean, -0.3, 0.3)
            draw(module.running_var, 0.3, 2.0)
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.weight.data.mul_(0.7)
            if module.bias is not None:
                draw(module.bias, -0.3, 0.3)
    return network.eval().double()


def keras_layers(network: nn.Module) -> dict[str, dict[str, np.ndarray]]:
    """Return all layers but the gates', numbered in order of creation."""
    layers: dict[str, dict[str, np.ndarray]] = {}
    kinds = {nn.Conv2d: "conv2d", nn.ConvTranspose2d: "conv2d_transpose"}
    for name, module in network.named_modules():
        if ".gate." in name:
            continue
        if type(module) in kinds:
            variables = {
                "kernel": module.weight.permute(2, 3, 1, 0),
                "bias": module.bias,
            }
            kind = kinds[type(module)]
        elif isinstance(module, nn.BatchNorm2d):
            variables = {
                "gamma": module.weight,
                "beta": module.bias,
                "moving_mean": module.running_mean,
                "moving_variance": module.running_var,
            }
            kind = "batch_normalization"
        else:
            continue
        layers[f"{kind}_{len(layers)}"] = {
            variable: tensor.detach().numpy() for variable, tensor in variables.items()
        }
    return layers


def gate_variables(gate: nn.Module) -> dict[str, np.ndarray]:
    """Return a gate's 1×1 kernels as (in, out) matrices, and its biases."""
    tensors = {
        "w_x": gate.project_skip.weight[:, :, 0, 0].T,
        "w_g": gate.project_gating.weight[:, :, 0, 0].T,
        "b_g": gate.project_gating.bias,
        "psi": gate.psi.weight[:, :, 0, 0].T,
        "b_psi": gate.psi.bias,
    }
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}
