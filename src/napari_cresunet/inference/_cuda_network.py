"""Networks as a GPU computes them fastest."""

import copy
from typing import TYPE_CHECKING, Any

from napari_cresunet.inference._devices import import_torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

LAYOUTS = {"full": "contiguous_format", "half": "channels_last"}
"""How weights and activations lie in memory, by precision."""


def prepared(
    network: "nn.Module", precision: str, layout: str | None = None
) -> "Callable[[Tensor], Tensor]":
    """Return what computes the probability fast.

    Parameters
    ----------
    network : Module
        In evaluation mode, in float32; it stays as it is.
    precision : str
        "full" or "half".
    layout : str, optional
        "channels_last" or "contiguous_format"; what is fastest by default.

    Returns
    -------
    callable
        From inputs (N, 1 or 3, Y, X) to probability (N, 1, Y, X) in float32.

    Notes
    -----
    Batch norms behind convolutions become part of them. In half precision, those that
    stay and the sigmoid are still computed in float32.
    """
    torch = import_torch()
    quick: Any = copy.deepcopy(network)
    _fold(quick)
    kind = torch.float32
    # In float32 cuDNN is not faster with channels last, and for some shapes far slower
    # (an image of 800×600 px took 17 ms in place of 6; `benchmarks/gpu.py`).
    form = getattr(torch, layout or LAYOUTS[precision])
    if precision == "half":
        kind = torch.float16
        quick.half()
        for module in quick.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.float()
    quick.to(memory_format=form)
    logits = getattr(quick, "logits", None)

    def compute(inputs: "Tensor") -> "Tensor":
        batch = inputs.to(kind).expand(-1, 3, -1, -1)
        batch = batch.contiguous(memory_format=form)
        probability: Tensor
        if logits is None:
            probability = quick(batch).float()
        else:
            probability = torch.sigmoid(logits(batch).float())
        return probability

    return compute


def _fold(network: "nn.Module") -> None:
    """Make batch norms part of the convolutions before them; activate in place."""
    torch = import_torch()
    nn = torch.nn
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for index in range(1, len(module)):
            before, layer = module[index - 1], module[index]
            follows = isinstance(before, nn.Conv2d)
            if follows and isinstance(layer, nn.BatchNorm2d):
                module[index] = nn.utils.fusion.fuse_conv_bn_eval(before, layer)
                module[index - 1] = nn.Identity()
            elif isinstance(before, nn.Conv2d | nn.BatchNorm2d) and hasattr(
                layer, "inplace"
            ):
                layer.inplace = True


def recorded(
    compute: "Callable[[Tensor], Tensor]", inputs: "Tensor"
) -> "Callable[[Tensor], Tensor]":
    """Record the kernels of a computation, so that they are launched as one.

    Parameters
    ----------
    compute : callable
        Which ran before on inputs of this shape.
    inputs : Tensor
        On a GPU.

    Returns
    -------
    callable
        The same, for inputs of this shape only.
    """
    cuda = import_torch().cuda
    room = inputs.clone()
    graph = cuda.CUDAGraph()
    # Other threads may use the GPU meanwhile.
    with cuda.graph(graph, capture_error_mode="thread_local"):
        output = compute(room)

    def replay(others: "Tensor") -> "Tensor":
        room.copy_(others)
        graph.replay()
        # A copy, because the next replay writes to the same place.
        return output.clone()

    return replay
