"""Counting many images: one bad one spoils nothing, and what is done stays done."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.batch._entries import Entry
from napari_cresunet.batch._inputs import ListedImage
from napari_cresunet.batch._options import BatchOptions
from napari_cresunet.steps import Step

if TYPE_CHECKING:
    from napari_cresunet.batch._pools import Pool


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchStep(Step):
    """Something has changed; `done` and `total` are images, those skipped included."""

    entry: Entry | None = None
    """The image that changed its state: it is running, done or failed now; of one that
    was skipped, what an earlier run made of it. None for a step within an image."""
    rate: float | None = None
    """Images per second of this run, lately; None before the second image."""
    seconds_left: float | None = None
    """Estimated; None before anything is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchResult:
    """What came of a run."""

    output: Path | None
    entries: tuple[Entry, ...]
    """In the order in which the images were given."""
    n_counted: int
    """Images that were counted in this run."""
    n_skipped: int
    """Images that an earlier run had counted with the same model and options, or that
    have been reviewed."""
    n_failed: int
    """Images with an error."""
    report: Path | None = None
    """The report, if one was asked for."""


def iter_batch(
    paths: Sequence[Path | ListedImage],
    output: str | Path | None,
    options: BatchOptions,
    *,
    pool: "Pool | None" = None,
) -> Generator[BatchStep, None, BatchResult]:
    """Count the cells of many images and write the results.

    Parameters
    ----------
    paths : sequence of Path or ListedImage
        From `find_images` or `list_images`.
    output : str, Path or None
        Folder for the results, made if missing; None writes nothing. Images that an
        earlier run counted there with the same content, weights and parameters are
        skipped, those that have been reviewed, too.
    options : BatchOptions
        What is done.
    pool : Pool, optional
        Where whole images are counted; by default in this process, where reading,
        prediction, segmentation and writing of different images run side by side.

    Yields
    ------
    BatchStep
        When an image changes its state, and within images. The generator may be closed
        at any step: finished images are in the tables then, and none is half written.

    Returns
    -------
    BatchResult
        All entries.

    Raises
    ------
    InputError
        If results would overwrite an image, or another run works in the folder.
    EngineError
        If nothing can be written any more.
    """
    raise NotImplementedError
    yield
