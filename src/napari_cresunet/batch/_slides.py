"""Counting the cells of an image larger than memory, block by block.

Cells on the seams of blocks are counted once, and the result is that of the whole image
whatever the blocks: tiles of the network lie on one grid of the whole image, and what
is above the threshold is joined over all blocks before anything is made of it.
"""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet.batch._counting import CountOptions
from napari_cresunet.steps import Step

if TYPE_CHECKING:
    from napari_cresunet.batch._pools import Pool
    from napari_cresunet.batch._specs import ModelSpec
    from napari_cresunet.inference import Model
    from napari_cresunet.pyramids import Pyramid


@dataclass(frozen=True, kw_only=True, slots=True)
class SlideCount:
    """The cells of an image larger than memory: where they are written."""

    name: str
    """First part of the names of the files."""
    count: int
    """Cells of all planes; in a stack each plane is counted by itself."""
    labels: Path
    """OME-Zarr: 0 is background, 1 to N the cells by first pixel in raster order."""
    probability: Path | None
    """OME-Zarr, or None if it was not to be kept."""
    cells: Path
    """CSV with a row for each cell; its columns are those of `measure`."""
    record: dict[str, Any]
    """Ready for JSON: what `iter_count` records, and tile, block, image_identity."""


def is_slide(path: str | Path) -> bool:
    """Tell whether an image is to be counted block by block.

    Parameters
    ----------
    path : str or Path
        A file or folder.

    Returns
    -------
    bool
        True for an OME-Zarr folder, and for a TIFF whose planes are larger than 64
        million px and that can be read part by part. It is cheap: no pixel is read.
    """
    raise NotImplementedError


def iter_count_slide(  # noqa: PLR0913  # what a caller may want to say
    image: "Pyramid | Any",
    model: "ModelSpec | Model",
    options: CountOptions,
    output: str | Path,
    *,
    name: str | None = None,
    probability: bool = True,
    tile: int | None = None,
    block: int | None = None,
    again: bool = False,
    pool: "Pool | None" = None,
) -> Generator[Step, None, SlideCount]:
    """Count the cells of an image larger than memory.

    Parameters
    ----------
    image : Pyramid, str, Path or array-like
        From `open_pyramid`, or its path; or a lazy array of shape (..., Y, X) or
        (..., Y, X, 3 or 4), of which only parts are read.
    model : ModelSpec or Model
        What predicts. A pool needs a ModelSpec.
    options : CountOptions
        How cells are counted.
    output : str or Path
        Folder for NAME_labels.ome.zarr, NAME_probability.ome.zarr and NAME_cells.csv;
        made if missing. What is done so far is kept in its .batch/slides/NAME: the same
        call goes on there.
    name : str, optional
        NAME; by default that of the pyramid.
    probability : bool, optional
        Whether the probability is kept, so that another threshold needs no network.
    tile : int, optional
        Side in px of the tiles that the network gets, a multiple of 8; chosen by the
        diameter by default.
    block : int, optional
        Side in px of the blocks that are worked on at a time; made a whole number of
        tiles. The result does not depend on it.
    again : bool, optional
        Whether to begin anew instead of going on with what is done.
    pool : Pool, optional
        Where blocks are predicted; by default in this process, where blocks are read
        and written beside the prediction of others. Other processes open the image by
        its path and share the file system with this one.

    Yields
    ------
    Step
        After every tile or block. May be closed at any step.

    Returns
    -------
    SlideCount
        Count, record and files. The labels equal
        `segment(predict(image, model, diameter=..., tile=tile), ...)`.

    Raises
    ------
    InputError
        If image, model or options cannot be used, or another run is at work on it.
    EngineError
        If nothing can be written any more, the image changes meanwhile, or memory runs
        out.
    """
    raise NotImplementedError
    yield


def iter_resegment_slide(
    output: str | Path, name: str, options: CountOptions
) -> Generator[Step, None, SlideCount]:
    """Count the cells of an image again at another threshold, without the network.

    Parameters
    ----------
    output : str or Path
        The folder that `iter_count_slide` wrote to.
    name : str
        First part of the names of its files.
    options : CountOptions
        How cells are counted; the diameter must be that of the probability.

    Yields
    ------
    Step
        After every block.

    Returns
    -------
    SlideCount
        As from `iter_count_slide`; labels and table of cells are replaced.

    Raises
    ------
    InputError
        If the probability was not kept or is not whole, or the diameter is another.
    EngineError
        If nothing can be written any more.
    """
    raise NotImplementedError
    yield
