"""Networks as TorchScript, which PyTorch runs from Python, C++ and Java."""

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.export._portable import (
    CARD,
    card_text,
    write_export,
)
from napari_cresunet.models import example_input, plain_copy

if TYPE_CHECKING:
    from napari_cresunet.inference import Model


def export_torchscript(model: "Model", path: str | Path) -> Path:
    """Write a network as TorchScript; `torch.jit.load` runs it without this package.

    Input is float32 (N, 3, Y, X), RGB in [0, 1], Y and X multiples of the network's
    stride; output float32 (N, 1, Y, X), the probability of "cell". The card lies in
    the extra file "card.json".

    Parameters
    ----------
    model : Model
        From `load_model`.
    path : str or Path
        The file to write or replace, usually .pt; missing folders are made.

    Returns
    -------
    Path
        The file.

    Notes
    -----
    A file that cannot be written is a `WeightsError`.
    """
    return write_export(path, torchscript_bytes(model))


def torchscript_bytes(model: "Model") -> bytes:
    """Return the content of a TorchScript file; see `export_torchscript`."""
    import torch

    network = plain_copy(model.network)
    file = io.BytesIO()
    with warnings.catch_warnings():
        # TorchScript is deprecated, but it is what bioimage.io and deepImageJ run.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        traced = torch.jit.trace(network, example_input(network))  # type: ignore[no-untyped-call]  # torch.jit has no types
        torch.jit.save(
            traced, file, _extra_files={f"{CARD}.json": card_text(model.card)}
        )
    return file.getvalue()
