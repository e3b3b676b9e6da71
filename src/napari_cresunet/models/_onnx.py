"""Networks as ONNX."""

import io
import warnings
from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from napari_cresunet.models._network import Network

INPUT, OUTPUT = "image", "probability"
"""Names of what goes in and what comes out."""

OPSET = 17
"""Version of ONNX's operators; what ran in 2022 runs it."""


def plain_copy(network: "nn.Module") -> "Network":
    """Copy a network to the CPU, in plain memory order.

    Parameters
    ----------
    network : Module
        A `Network`; it stays as it is.

    Returns
    -------
    Network
        In evaluation mode, float32.
    """
    import torch

    copied: Any = deepcopy(network).cpu().float().eval()
    plain: Network = copied.to(memory_format=torch.contiguous_format)
    return plain.requires_grad_(False)


def example_input(network: "Network") -> "Tensor":
    """Return an image (1, 3, Y, X) for tracing, whose sides differ.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    Tensor of shape (1, 3, 4 * stride, 3 * stride)
        Zeros.
    """
    import torch

    return torch.zeros(1, 3, 4 * network.stride, 3 * network.stride)


def network_onnx(network: "nn.Module") -> bytes:
    """Return a network as ONNX, for images of any size.

    Parameters
    ----------
    network : Module
        A `Network`; it stays as it is.

    Returns
    -------
    bytes
        The model without metadata. Input "image" (N, 3, Y, X) and output "probability"
        (N, 1, Y, X), float32.
    """
    import torch

    plain = plain_copy(network)
    axes = {0: "batch", 2: "y", 3: "x"}
    file = io.BytesIO()
    options: dict[str, Any] = {
        "f": file,
        "input_names": [INPUT],
        "output_names": [OUTPUT],
        "dynamic_axes": {INPUT: axes, OUTPUT: axes},
        "opset_version": OPSET,
        # The newer exporter took 30 times as long, and failed where weights were
        # channels-last (torch 2.13).
        "dynamo": False,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", UserWarning)  # a constant was not folded
        torch.onnx.export(plain, (example_input(plain),), **options)
    return file.getvalue()
