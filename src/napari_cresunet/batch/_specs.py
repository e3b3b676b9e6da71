"""A model as plain data: what goes to other processes, which load it once each."""

import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet.weights import DEFAULT_MODEL, ModelCard, find_weights, read_card

if TYPE_CHECKING:
    from napari_cresunet.inference import Model


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which network runs, and where; as for `load_model`.

    Equal specs mean the same model. Pickled, a spec takes its weights along, so that
    other computers need no such file; only those that come with the package stay.
    """

    name_or_path: str | Path = DEFAULT_MODEL
    """Name of a bundled or imported model, or a .safetensors or Keras .h5 file."""
    device: str = "auto"
    """"auto", "cpu", "cuda", "cuda:1" or "mps". A worker of a cluster that may choose
    takes a GPU that no other worker of its computer has, if there is one."""
    backend: str = "auto"
    """"auto", "torch" or "openvino"."""
    precision: str = "auto"
    """"auto", "full", "half" or "int8"."""

    def card(self) -> ModelCard:
        """Return the card of the model; torch is not loaded.

        Returns
        -------
        ModelCard
            Its `weights_hash` tells models apart.

        Notes
        -----
        A model that is not there or a file that cannot be used is a `WeightsError`.
        """
        raise NotImplementedError

    def load(self) -> "Model":
        """Return the model, which this process loads once.

        May be called in any thread. The process keeps the model that was asked for
        last; it runs in one thread at a time, so tasks that share it may read and
        segment side by side.

        Returns
        -------
        Model
            From `load_model`.

        Notes
        -----
        Raises what `load_model` raises.
        """
        raise NotImplementedError
