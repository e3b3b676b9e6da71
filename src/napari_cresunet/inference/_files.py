"""Labels and probability out, never half written."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_cresunet._files import written_whole
from napari_cresunet.errors import EngineError

if TYPE_CHECKING:
    from napari_cresunet._typing import Labels, Probability


def write_labels(path: str | Path, labels: "Labels", record: Mapping[str, Any]) -> None:
    """Write a label image as compressed TIFF.

    Parameters
    ----------
    path : str or Path
        The file; replaced if it exists, and never half written.
    labels : ndarray of int32, shape (..., Y, X)
        Label image.
    record : mapping
        How it came about; goes as JSON into the image description.

    Notes
    -----
    A file that cannot be written is an `EngineError`.
    """
    _write_tiff(Path(path), labels, record)


def write_probability(
    path: str | Path, probability: "Probability", record: Mapping[str, Any]
) -> None:
    """Write a probability image as compressed TIFF.

    Parameters
    ----------
    path : str or Path
        The file; replaced if it exists, and never half written.
    probability : ndarray of float32, shape (..., Y, X)
        Probability in [0, 1].
    record : mapping
        How it came about; goes as JSON into the image description.

    Notes
    -----
    A file that cannot be written is an `EngineError`.
    """
    _write_tiff(Path(path), probability, record)


def _write_tiff(path: Path, array: NDArray[Any], record: Mapping[str, Any]) -> None:
    """Write an array with its record."""
    import tifffile

    try:
        with written_whole(path) as file:
            tifffile.imwrite(
                file,
                array,
                photometric="minisblack",
                compression="zlib",
                description=json.dumps(record),
            )
    except OSError as error:
        reason = error.strerror or str(error)
        raise EngineError(
            f"{path} could not be written ({reason}): free some space or choose "
            "another folder."
        ) from error
