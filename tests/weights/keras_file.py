"""Keras 2 HDF5 files with random weights of a c-ResUnet, written with h5py alone."""

from pathlib import Path

import h5py
import numpy as np

# Kernels in order of creation, written out by hand from the paper's table.
CONVOLUTIONS = [
    *[(1, 1, 3, 1), (3, 3, 1, 16), (3, 3, 16, 16)],
    *[(1, 1, 16, 32), (3, 3, 16, 32), (3, 3, 32, 32)],
    *[(1, 1, 32, 64), (3, 3, 32, 64), (3, 3, 64, 64)],
    *[(1, 1, 64, 128), (5, 5, 64, 128), (5, 5, 128, 128)],
    *[(5, 5, 128, 128), (5, 5, 128, 128)],
    *[(3, 3, 128, 64), (3, 3, 64, 64)],
    *[(3, 3, 64, 32), (3, 3, 32, 32)],
    *[(3, 3, 32, 16), (3, 3, 16, 16)],
    (1, 1, 16, 1),
]
TRANSPOSED = [(2, 2, 64, 128), (2, 2, 32, 64), (2, 2, 16, 32)]
NORMALIZATIONS = [1, 16, 16, 32, 32, 64, 64, 128, 128, 128, 128, 64, 64, 32, 32, 16]


def random_layers(seed: int = 0, offset: int = 17) -> dict[str, dict[str, np.ndarray]]:
    """Return layer name → variable name → float32 array, with telling statistics."""
    rng = np.random.default_rng(seed)
    layers = {}
    for number, shape in enumerate(CONVOLUTIONS, start=offset):
        scale = np.sqrt(1 / np.prod(shape[:3]))
        layers[_name("conv2d", number)] = {
            "kernel": rng.normal(0, scale, shape),
            "bias": rng.normal(0, 0.2, shape[3]),
        }
    for number, shape in enumerate(TRANSPOSED, start=offset):
        layers[_name("conv2d_transpose", number)] = {
            "kernel": rng.normal(0, np.sqrt(1 / shape[3]), shape),
            "bias": rng.normal(0, 0.2, shape[2]),
        }
    for number, size in enumerate(NORMALIZATIONS, start=offset):
        layers[_name("batch_normalization", number)] = {
            "gamma": rng.uniform(0.5, 1.5, size),
            "beta": rng.normal(0, 0.3, size),
            "moving_mean": rng.normal(0, 0.3, size),
            "moving_variance": rng.uniform(0.3, 2.0, size),
        }
    return {
        layer: {name: array.astype(np.float32) for name, array in variables.items()}
        for layer, variables in layers.items()
    }


def write_keras_file(path: Path, layers, *, is_whole_model: bool = True) -> Path:
    """Write the layers as Keras does, though in an order that says nothing."""
    names = list(np.random.default_rng(5).permutation(sorted(layers)))
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if is_whole_model else file
        root.create_group("activation_40")
        root.create_group("input_3")
        for layer in names:
            for variable, array in layers[layer].items():
                root[f"{layer}/{layer}/{variable}:0"] = array
        if is_whole_model:
            file["optimizer_weights/Adam/conv2d_9/kernel/m:0"] = np.zeros((1, 1, 3, 1))
    return path


def _name(kind: str, number: int) -> str:
    return kind if number == 0 else f"{kind}_{number}"
