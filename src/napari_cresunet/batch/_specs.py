"""A model as plain data: what goes to other processes, which load it once each."""

import logging
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.batch._cluster_worker import cores, own_gpu
from napari_cresunet.errors import WeightsError
from napari_cresunet.weights import DEFAULT_MODEL, ModelCard, find_weights, read_card

if TYPE_CHECKING:
    from napari_cresunet.inference import Model

logger = logging.getLogger(__name__)

_FILE_SUFFIXES = (".safetensors", ".h5", ".hdf5")

_loading = threading.Lock()
_running = threading.Lock()
_loaded: tuple[tuple[str, ...], "Model"] | None = None


@dataclass(frozen=True, slots=True)
class _Luggage:
    """What a spec takes along to another process."""

    card: ModelCard
    file: str
    """Name of the weight file."""
    content: bytes | None
    """Of the file; None if it comes with the package."""


@dataclass(frozen=True)
class ModelSpec:
    """Which network runs, and where; as for `load_model`.

    Equal specs mean the same model. Pickled, a spec takes its weights along, so that
    other computers need no such file; only those that come with the package stay.
    """

    name_or_path: str | Path = DEFAULT_MODEL
    """Name of a bundled or imported model, or a .safetensors or Keras .h5 file; a file
    is kept as the text of its absolute path."""
    device: str = "auto"
    """"auto", "cpu", "cuda", "cuda:1" or "mps". A worker of a cluster that may choose
    takes a GPU that no other worker of its computer has, if there is one."""
    backend: str = "auto"
    """"auto", "torch" or "openvino"."""
    precision: str = "auto"
    """"auto", "full", "half" or "int8"."""

    # Not a field: it says nothing that the fields do not say.
    _luggage: ClassVar[_Luggage | None] = None

    def __post_init__(self) -> None:
        """Make the path of a file absolute: other processes work elsewhere."""
        given = self.name_or_path
        path = Path(given).expanduser()
        is_text_of_file = path.suffix.lower() in _FILE_SUFFIXES or path.name != given
        if isinstance(given, Path) or is_text_of_file:
            given = path.absolute()
        object.__setattr__(self, "name_or_path", str(given))

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
        if self._luggage is not None:
            return self._luggage.card
        return _card_of(find_weights(self.name_or_path))

    def load(self) -> "Model":
        """Return the model, which this process loads once.

        May be called in any thread. The process keeps the model that was asked for
        last. On a CPU it runs in one thread at a time, so tasks that share it may read
        and segment side by side; on a GPU their batches queue.

        Returns
        -------
        Model
            From `load_model`.

        Notes
        -----
        Raises what `load_model` raises.
        """
        global _loaded
        _use_cores()
        with _loading:
            key = (self.card().weights_hash, self.device, self.backend, self.precision)
            if _loaded is None or _loaded[0] != key:
                _loaded = None  # two might not fit into a GPU
                _loaded = (key, self._load_anew())
            return _loaded[1]

    def _load_anew(self) -> "Model":
        from napari_cresunet.inference import load_model

        device, luggage = self._own_device(), self._luggage
        options = {"backend": self.backend, "precision": self.precision}
        if luggage is None:
            model = load_model(self.name_or_path, device, **options)
        elif luggage.content is None:
            model = load_model(self.name_or_path, device, **options)
            if model.card.weights_hash != luggage.card.weights_hash:
                raise WeightsError(
                    f"The model {self.name_or_path} of this worker has other weights: "
                    "install the same napari-cresunet on all computers."
                )
        else:
            with tempfile.TemporaryDirectory(prefix="napari-cresunet-") as folder:
                path = Path(folder) / luggage.file
                path.write_bytes(luggage.content)
                model = load_model(path, device, **options)
            model = replace(model, card=luggage.card)
        logger.info("Loaded %s on %s", model.card.weights_hash, model.title)
        if model.device.startswith("cuda"):
            return model  # whose runner has a queue of its own for all threads
        return replace(model, runner=_OneAtATime(model.runner))

    def _own_device(self) -> str:
        """Return the device, or the GPU of this worker if there is a choice."""
        may_choose = self.device == "auto" and self.backend != "openvino"
        if not may_choose or self.precision == "int8":
            return self.device
        gpu = own_gpu()
        return self.device if gpu is None else f"cuda:{gpu}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Take the weights along."""
        values = tuple(getattr(self, spec.name) for spec in fields(self))
        return _unpack, (type(self), values, self._luggage or self._packed())

    def _packed(self) -> _Luggage:
        path = find_weights(self.name_or_path)
        card = _card_of(path)
        content = None
        if card.source != "bundled":
            try:
                content = path.read_bytes()
            except OSError as error:
                raise WeightsError(
                    f"{path} cannot be read ({error.strerror}): choose another file."
                ) from error
        return _Luggage(card, path.name, content)


def _unpack(
    kind: type[ModelSpec], values: tuple[Any, ...], luggage: _Luggage
) -> ModelSpec:
    spec = kind(*values)
    object.__setattr__(spec, "_luggage", luggage)
    return spec


def _card_of(path: Path) -> ModelCard:
    """Read a card, again only if the file has changed."""
    try:
        status = path.stat()
    except OSError:
        return read_card(path)  # which says what is wrong
    return _card_of_file(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _card_of_file(path: Path, _changed: int, _size: int) -> ModelCard:
    return read_card(path)


def _use_cores() -> None:
    """Give the network all cores of a worker: Dask starts workers with one thread."""
    n = cores()
    if n is None:
        return
    with suppress(OSError):  # `load_model` says what is wrong with PyTorch
        import torch

        # Of this thread and those that begin later, so each asks for it.
        torch.set_num_threads(n)


class _OneAtATime:
    """A runner that waits until no other thread of this process runs a network."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    def run(self, batch: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        with _running:
            probabilities: list[NDArray[np.float32]] = self._runner.run(batch)
        return probabilities

    def on_cpu(self) -> Self:
        return type(self)(self._runner.on_cpu())
