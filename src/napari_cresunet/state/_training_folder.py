"""The folder of a training: what a process that was killed leaves to go on from.

::

    trainings/NAME/
        run.json           how to go on; gone when the training is finished
        images/ labels/    what the layers held, if it learns from layers
        lock               held while a process works here

and what `training` itself writes: settings, log, curves, checkpoint, best model.
"""

import json
import re
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._files import lock_file, written_whole
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.state._run import Progress
from napari_cresunet.state._training_data import Folders, LayerPair, Origin
from napari_cresunet.state._training_material import planes_of
from napari_cresunet.training import CHECKPOINT, MODEL
from napari_cresunet.weights import user_model_folder

if TYPE_CHECKING:
    from napari_cresunet.training import EpochRecord

_RUN, _LOCK, _LOG = "run.json", "lock", "log.csv"
_IMAGES, _LABELS = "images", "labels"
_UNSAFE = re.compile(r"[^A-Za-z0-9 _-]")
"""What is not in the name of every system's files, or means something in names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unfinished:
    """A training that can go on, or one that is under way."""

    folder: Path
    settings: dict[str, Any]
    """Fields of `TrainConfig`."""
    data: Folders
    diameter: float | None = None
    """Of the cells in px of the images; None if it was measured."""
    device: str = "auto"
    is_stored: bool = False
    """Whether a model of this training is among the user's models already."""

    @property
    def name(self) -> str:
        """Of the new model."""
        return self.folder.name

    @property
    def title(self) -> str:
        """Such as "my-cells (12 of 40 epochs)"."""
        n_done = max(len(_lines(self.folder / _LOG)) - 1, 0)
        return f"{self.name} ({n_done} of {self.settings['epochs']} epochs)"

    def write(self) -> None:
        """Write it down for whoever goes on."""
        values = asdict(self)
        del values["folder"]
        values["data"] = {
            name: None if path is None else str(path.resolve())
            for name, path in values["data"].items()
        }
        content = json.dumps(values, indent=2).encode()
        with _told(self.folder), written_whole(self.folder / _RUN) as file:
            file.write(content)

    def store(self) -> "Unfinished":
        """Note that a model of it is among the user's models."""
        noted = replace(self, is_stored=True)
        noted.write()
        return noted


def _lines(path: Path) -> list[str]:
    """Return the lines of a text; none if there is no such file."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []


def trainings_folder() -> Path:
    """Return the folder of all trainings: beside that of the user's models."""
    return user_model_folder().parent / "trainings"


def find_unfinished() -> list[Unfinished]:
    """Return the trainings that were interrupted, the latest first.

    Returns
    -------
    list of Unfinished
        Without those that another window works on.
    """
    found = sorted(
        trainings_folder().glob(f"*/{_RUN}"),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    return [run for path in found if (run := _read(path)) and _is_free(run.folder)]


def _read(path: Path) -> Unfinished | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        places = values.pop("data")
        masks = places["masks"]
        data = Folders(
            images=Path(places["images"]), masks=None if masks is None else Path(masks)
        )
        run = Unfinished(folder=path.parent, data=data, **values)
        int(run.settings["epochs"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None  # of another version, or damaged: nothing to go on from
    return run


def discard(folder: Path) -> None:
    """Delete a training with everything in it.

    Parameters
    ----------
    folder : Path
        Its folder; it need not exist.

    Raises
    ------
    EngineError
        If it cannot be deleted.
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise EngineError(
            f"{folder} cannot be deleted ({error.strerror}): close what uses it, or "
            "delete it yourself."
        ) from error


def finish(folder: Path) -> None:
    """Leave log, curves and settings of a training; drop what nobody needs any more.

    Parameters
    ----------
    folder : Path
        Of a training whose model is among the user's models.
    """
    # First, for without it nobody takes the rest for an interrupted training.
    (folder / _RUN).unlink(missing_ok=True)
    with suppress(OSError):
        for name in (CHECKPOINT, MODEL):
            (folder / name).unlink(missing_ok=True)
        for name in (_IMAGES, _LABELS):
            shutil.rmtree(folder / name, ignore_errors=True)


def read_log(folder: Path) -> "tuple[EpochRecord, ...]":
    """Read what is known of the epochs of an interrupted training.

    Parameters
    ----------
    folder : Path
        Its folder.

    Returns
    -------
    tuple of EpochRecord
        Empty if there are none.
    """
    from napari_cresunet import training

    try:
        return training.read_log(folder)
    except InputError:
        return ()  # the curves begin anew; the checkpoint knows all


def iter_copy(
    pairs: Sequence[LayerPair], folder: Path
) -> Generator[Progress, None, dict[str, Origin]]:
    """Write what layers hold, so that going on needs no layers.

    Parameters
    ----------
    pairs : sequence of LayerPair
        What to write.
    folder : Path
        Of the training.

    Yields
    ------
    Progress
        After each image.

    Returns
    -------
    dict of str to Origin
        Where each image is from, by the name of its file.
    """
    import tifffile

    origins: dict[str, Origin] = {}
    with _told(folder):
        for name in (_IMAGES, _LABELS):
            (folder / name).mkdir(parents=True, exist_ok=True)
    for pair in pairs:
        for plane, origin in planes_of(pair):
            stem = f"{len(origins) + 1:03} {_UNSAFE.sub('_', plane.name)[:60]}"
            file = f"{stem}.tif"
            is_color = plane.image.ndim == 3
            with _told(folder):
                tifffile.imwrite(
                    folder / _IMAGES / file,
                    plane.image,
                    photometric="rgb" if is_color else "minisblack",
                    compression="zlib",
                )
                tifffile.imwrite(
                    folder / _LABELS / file, plane.labels, compression="zlib"
                )
            origins[stem] = origin
            yield Progress(text=f"Copying images… {len(origins)}")
    return origins


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Work in the folder of a training, and nobody else does.

    Parameters
    ----------
    folder : Path
        The folder; it is made if it does not exist.

    Yields
    ------
    None
        While it is claimed.

    Raises
    ------
    InputError
        If another window works there.
    """
    with _told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _LOCK).open("a+b")
    is_empty = False
    try:
        with file:
            if not lock_file(file):
                raise InputError(
                    f"The training {folder.name!r} is going on in another window: wait "
                    "for it, or give another name."
                )
            try:
                yield
            finally:
                is_empty = [path.name for path in folder.iterdir()] == [_LOCK]
    finally:
        # Not before the lock is closed: Windows keeps what is open.
        if is_empty:
            with suppress(OSError):
                (folder / _LOCK).unlink()
                folder.rmdir()


def _is_free(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("a+b") as file:
            return lock_file(file)
    except OSError:
        return False


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EngineError(
            f"{folder} cannot be written ({error.strerror}): free some space, or ask "
            "for permission."
        ) from error


def clear(folder: Path) -> None:
    """Empty the folder of an earlier training; the lock stays.

    Parameters
    ----------
    folder : Path
        A claimed folder.
    """
    with _told(folder):
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != _LOCK:
                path.unlink()
