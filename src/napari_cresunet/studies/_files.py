"""The folder of a study, which is there whole at any moment.

::

    NAME/
        study.json         everything but pixels, and which files hold them
        labels-HASH.tif    the label image
        region-HASH.tif    a region that is a mask
        lock               held while a window works here

Files of pixels are called after their content and never change. So a new state is
written beside the old one; study.json, renamed into its place, switches to it.
"""

import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._files import written_whole
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.studies._content import StudyContent
from napari_cresunet.studies._document import (
    DATA_FILE,
    DamageError,
    from_document,
    read_document,
    to_document,
)
from napari_cresunet.studies._hashing import image_hash

STUDY = "study.json"


def write_study(folder: str | Path, content: StudyContent) -> None:
    """Write a study; what was in its folder before stays until that is done.

    Parameters
    ----------
    folder : str or Path
        The folder; made if it does not exist. Only files of an earlier state of a study
        are deleted from it.
    content : StudyContent
        What to write.

    Raises
    ------
    InputError
        If a region has corners that are no numbers.
    EngineError
        If it cannot be written; one of both states is there whole.
    """
    folder = Path(folder)
    masks = [
        region.mask.astype(np.uint8)
        for region in content.regions
        if region.mask is not None
    ]
    names = [_name("region", mask) for mask in masks]
    labels = _name("labels", content.labels)
    text = to_document(content, labels, names)
    try:
        for name, array in zip((labels, *names), (content.labels, *masks), strict=True):
            if not (folder / name).exists():
                _write_tiff(folder / name, array)
        _settle(folder)
        with written_whole(folder / STUDY) as file:
            file.write(text.encode())
        _settle(folder)
    except OSError as error:
        raise EngineError(
            f"{folder} cannot be written ({error.strerror or error}): free some space, "
            "or save the study in another folder."
        ) from error
    _tidy(folder, {labels, *names})


def _name(kind: str, array: NDArray[Any]) -> str:
    return f"{kind}-{image_hash(array)}.tif"


def _write_tiff(path: Path, array: NDArray[Any]) -> None:
    import tifffile

    # Few programs read TIFF of 64 bits; study.json knows the dtype.
    if array.dtype.itemsize > 4:
        narrow = array.astype(np.int32)
        array = narrow if np.array_equal(narrow, array) else array
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    with written_whole(path) as file:
        # No threads of its own: there are none any more while Python ends.
        tifffile.imwrite(
            file, array, photometric="minisblack", compression="zlib", maxworkers=1
        )


def _settle(folder: Path) -> None:
    """Have the names of files reach the disk before what comes next."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _tidy(folder: Path, kept: set[str]) -> None:
    """Delete what no study.json needs any more, and what a killed process left."""
    with suppress(OSError):
        for path in folder.iterdir():
            name = path.name
            is_left = name.startswith((".labels-", ".region-", f".{STUDY}."))
            is_old = DATA_FILE.fullmatch(name) and name not in kept
            if is_old or (is_left and name.endswith(".tmp")):
                path.unlink(missing_ok=True)


def read_study(folder: str | Path) -> StudyContent:
    """Read a study; nothing in its folder is changed.

    Parameters
    ----------
    folder : str or Path
        The folder, or the study.json in it.

    Returns
    -------
    StudyContent
        What was written last.

    Raises
    ------
    InputError
        If there is no study, it is damaged, of a newer version, or a file is missing.
    """
    path = study_file(folder)
    try:
        return from_document(read_document(path), partial(_read_tiff, path.parent))
    except DamageError as error:
        raise InputError(_damaged(path, error)) from error


def study_file(folder: str | Path) -> Path:
    """Return the study.json of a folder, or of itself."""
    path = Path(folder)
    return path if path.name == STUDY else path / STUDY


def peek_study(folder: str | Path) -> dict[str, Any]:
    """Read study.json alone.

    Parameters
    ----------
    folder : str or Path
        The folder, or the study.json in it.

    Returns
    -------
    dict
        The document; its parts are not checked.

    Raises
    ------
    InputError
        If there is no study, it is damaged, or of a newer version.
    """
    path = study_file(folder)
    try:
        return read_document(path)
    except DamageError as error:
        raise InputError(_damaged(path, error)) from error


def _damaged(path: Path, error: DamageError) -> str:
    return (
        f"{path} is damaged ({error}): take it from a backup, or open the label image "
        "beside it by itself."
    )


def _read_tiff(
    folder: Path, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Read a file of pixels, and see by its name that it is whole."""
    import tifffile

    path = folder / name
    if not DATA_FILE.fullmatch(name):
        raise DamageError(f"{name!r} is no file of a study")
    if not path.exists():
        raise InputError(
            f"{path} is missing: copy the whole folder of the study, not only {STUDY}."
        )
    try:
        pixels = tifffile.imread(path)
        array: NDArray[Any] = pixels.reshape(shape).astype(dtype, copy=False)
    except Exception as error:  # whatever a decoder makes of damage
        raise InputError(_broken(path)) from error
    if not name.endswith(f"-{image_hash(array)}.tif"):
        raise InputError(_broken(path))
    return array


def _broken(path: Path) -> str:
    return f"{path} is damaged: take the folder of the study from a backup."
