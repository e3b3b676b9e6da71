"""Writing OME-Zarr: full resolution by whoever has a part of it, then the levels."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Unpack

from numpy.typing import DTypeLike, NDArray

from napari_cresunet.pyramids._layout import Kind, WriteOptions
from napari_cresunet.steps import Step


class PyramidWriter:
    """An OME-Zarr folder that is being written.

    Several threads and processes may write at once, each a part that begins and ends at
    multiples of `chunk` (or at the end of the image). It can be sent to another process.

    Attributes
    ----------
    path : Path
        The folder.
    array : zarr.Array
        Full resolution, (..., Y, X); zeros until written.
    chunk : int
        Height and width of a chunk in px.
    record : dict
        How it was made, as given to `create_pyramid`.
    is_finished : bool
        Whether `finish` came to its end.
    """

    path: Path
    array: Any
    chunk: int
    record: dict[str, Any]
    is_finished: bool

    def write(self, where: tuple[slice | int, ...], values: NDArray[Any]) -> None:
        """Write a part of full resolution.

        Parameters
        ----------
        where : tuple of int or slice
            Which part.
        values : ndarray
            What it holds.

        Raises
        ------
        EngineError
            If it cannot be written, such as when the disk is full.
        """
        raise NotImplementedError

    def finish(self) -> Generator[Step, None, None]:
        """Build the lower levels, then say in the metadata what all this is.

        Yields
        ------
        Step
            For each chunk of a lower level.

        Notes
        -----
        Needs memory for a few chunks. Labels are taken from every second row and column;
        an image is the mean of four pixels. If it is stopped, it begins anew next time.
        Raises `EngineError` as `write`.
        """
        raise NotImplementedError
        yield

    def update_record(self, record: dict[str, Any]) -> None:
        """Replace the record of how it was made; before or after `finish`."""
        raise NotImplementedError


def create_pyramid(
    path: str | Path,
    shape: Sequence[int],
    dtype: DTypeLike,
    *,
    kind: Kind,
    **options: Unpack[WriteOptions],
) -> PyramidWriter:
    """Create an OME-Zarr folder to write an image or labels into.

    Parameters
    ----------
    path : str or Path
        The folder, such as slide_labels.ome.zarr; missing folders above it are made.
    shape : sequence of int
        (..., Y, X) of full resolution, or (..., Y, X, 3) of an image of uint8.
    dtype : dtype-like
        Of its pixels; whole numbers for labels, see `labels_dtype`.
    kind : {"labels", "image"}
        What it holds.
    **options
        `chunk` = 1024, `pixel_size` = None, `leading` (names of axes before Y, X),
        `name`, `record`, `version` = "0.5", `replace` = False: see `WriteOptions`.

    Returns
    -------
    PyramidWriter
        To write into. Until its `finish` is done, no program takes it for an image.

    Raises
    ------
    InputError
        If the folder exists (with `replace`: if it is not from here), or the shape,
        dtype or an option cannot be.
    EngineError
        If it cannot be written.
    """
    raise NotImplementedError


def open_writer(path: str | Path) -> PyramidWriter:
    """Open a folder that `create_pyramid` made, to go on.

    Parameters
    ----------
    path : str or Path
        The folder.

    Returns
    -------
    PyramidWriter
        As it was left.

    Raises
    ------
    InputError
        If there is no such folder, or it is not from here.
    """
    raise NotImplementedError
