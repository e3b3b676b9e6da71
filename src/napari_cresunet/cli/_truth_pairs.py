"""Which truth belongs to which file, and what is read of both."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_cresunet._files import hash_of
from napari_cresunet._wording import list_names
from napari_cresunet.batch import IMAGE_SUFFIXES
from napari_cresunet.cli._terminal import one_line, tell, tell_error
from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from napari_cresunet.datasets import Pairing, TruthFile

PREDICTED_ENDINGS = ("_cp_masks", "_masks", "_mask", "_labels", "_label")
"""What the names of predictions end in; longer ones first."""
PROBABILITY_ENDING = "_probability"
_MOST_NAMES = 10
_OF_TIFFFILE = {"axes", "shape", "truncated"}
"""What tifffile says by itself in place of a record."""


@dataclass(frozen=True, slots=True)
class TruthPair:
    """A file with its truth."""

    name: str
    """What both have in common."""
    path: Path
    """Image, labels or probability."""
    truth: "TruthFile"


def find_pairs(
    files: Path | Sequence[Path], truths: Path, endings: Sequence[str], what: str
) -> list[TruthPair]:
    """Pair files with their truths, and tell on stderr what is alone.

    Parameters
    ----------
    files : Path or sequence of Path
        A folder, or files.
    truths : Path
        A folder or a file. A single file is the truth of a single file, whatever they
        are called.
    endings : sequence of str
        What is left out at the end of the files' names, such as "_labels".
    what : str
        What the files are called in messages, such as "prediction".

    Returns
    -------
    list of TruthPair
        At least one.

    Raises
    ------
    InputError
        If nothing can be paired, or a folder or file is missing.
    """
    from napari_cresunet.datasets import match_by_stem

    if not truths.exists():
        raise InputError(f"There is no file or folder {truths}.")
    is_folder = truths.is_dir()
    pairing = match_by_stem(files, truths if is_folder else [truths], endings=endings)
    pairs = [
        TruthPair(name_without(path, endings), path, truth)
        for path, truth in pairing.pairs
    ]
    if not pairs:
        pairs = _only_two(pairing, endings, is_folder=is_folder)
    elif isinstance(files, Path) or len(files) > 1:
        _tell_alone(pairing, what)
    if not pairs:
        raise InputError(
            f"None of {len(pairing.images_alone)} {what}s has a truth in {truths}: "
            f"name them alike, such as a{endings[-2] if endings else ''}.tif and a.png."
        )
    return pairs


def _only_two(
    pairing: "Pairing", endings: Sequence[str], *, is_folder: bool
) -> list[TruthPair]:
    """Pair a single file with a single truth, which need not be named alike."""
    is_two = len(pairing.images_alone) == len(pairing.truths_alone) == 1
    if is_folder or not is_two:
        return []
    path, truth = pairing.images_alone[0], pairing.truths_alone[0]
    return [TruthPair(name_without(path, endings), path, truth)]


def name_without(path: Path, endings: Sequence[str]) -> str:
    """Return the name of a file without its suffix and the first of these endings."""
    stem = path.stem.removesuffix(".ome") or path.stem
    for ending in endings:
        if stem.lower().endswith(ending) and len(stem) > len(ending):
            return stem[: -len(ending)]
    return stem


def _tell_alone(pairing: "Pairing", what: str) -> None:
    if pairing.images_alone:
        names = [path.name for path in pairing.images_alone]
        tell(f"Without truth and left out: {list_names(names, _MOST_NAMES)}.")
    if pairing.truths_alone:
        names = [
            truth.path.name if truth.image_name is None else truth.title
            for truth in pairing.truths_alone
        ]
        tell(f"Truth without {what}: {list_names(names, _MOST_NAMES)}.")


def files_ending(folder: Path, endings: Sequence[str]) -> list[Path]:
    """Return the TIFF, PNG, ... files of a folder whose names have such an ending."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not path.name.startswith(".")
        and name_without(path, endings) != (path.stem.removesuffix(".ome") or path.stem)
        and path.is_file()
    )


def read_labels(path: Path) -> NDArray[Any]:
    """Read a label image or mask, without its color channels.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ndarray of shape (..., Y, X)
        Its numbers as they are.

    Raises
    ------
    InputError
        If it cannot be read, or its color channels differ.
    """
    from napari_cresunet.datasets import as_labels
    from napari_cresunet.inference import read_image

    array = read_image(path)
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        as_labels(array, name=str(path))  # refuses colors
        return array[..., 0]
    return array


def read_truth(truth: "TruthFile", shape: tuple[int, ...]) -> NDArray[Any]:
    """Read the truth of an image.

    Parameters
    ----------
    truth : TruthFile
        Where it is.
    shape : tuple of int
        Of the image without colors, (..., Y, X).

    Returns
    -------
    ndarray of shape (..., Y, X) or (N, 2)
        Labels or mask as they are in the file; or points, row and column in px.

    Raises
    ------
    InputError
        If it cannot be read, or its size is another.
    """
    is_image = truth.path.suffix.lower() in IMAGE_SUFFIXES
    array = read_labels(truth.path) if is_image else None
    if array is None and math.prod(shape[:-2]) == 1:
        array = truth.read_truth((shape[-2], shape[-1]))
        is_points = array.shape != shape[-2:] and array.shape[-1:] == (2,)
        return array if is_points else array.reshape(shape)
    if array is None:
        return truth.read_truth(shape)
    if array.shape != shape:
        raise InputError(
            f"{truth.path} has the shape {array.shape}, but {shape} is needed: use the "
            "truth of this image."
        )
    return array


def files_of(pair: TruthPair) -> dict[str, Any]:
    """Return which files a pair has, with their SHA-256, ready for JSON."""
    return {
        "name": pair.name,
        "file": str(pair.path),
        "file_hash": hash_of(pair.path),
        "truth": pair.truth.title,
        "truth_hash": hash_of(pair.truth.path),
    }


def told_failure(
    pair: TruthPair, error: BaseException, console: "Console"
) -> dict[str, str]:
    """Tell what failed on stderr, and return it for tables.

    Parameters
    ----------
    pair : TruthPair
        What could not be compared.
    error : BaseException
        An expected one.
    console : Console
        Where progress is shown.

    Returns
    -------
    dict
        "name" and "error".
    """
    message = one_line(error)
    paths = (str(pair.path), str(pair.truth.path))
    if not any(path in message for path in paths):
        message = f"{pair.path}: {message}"
    tell_error(message, console)
    return {"name": pair.name, "error": message}


def record_in(path: Path) -> dict[str, Any]:
    """Return what this package wrote into a TIFF about its origin; empty if nothing."""
    import tifffile

    from napari_cresunet.export import record_in_ome

    if path.suffix.lower() not in (".tif", ".tiff"):
        return {}
    try:
        with tifffile.TiffFile(path) as file:
            if file.ome_metadata:
                return record_in_ome(file.ome_metadata)
            record = json.loads(file.pages[0].description)
    except (OSError, ValueError, LookupError, TypeError, tifffile.TiffFileError):
        return {}
    is_record = isinstance(record, dict) and not record.keys() <= _OF_TIFFFILE
    return record if is_record else {}
