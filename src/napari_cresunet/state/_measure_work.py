"""The work of the dock Measure and export: counting, and measuring every cell."""

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.correction import LogEntry
from napari_cresunet.errors import InputError
from napari_cresunet.measurement import (
    CountingFrame,
    Region,
    counted_planes,
    in_frame,
    iter_measure,
    link_planes,
    measure_regions,
    overlapping_regions,
    regions_beyond,
)
from napari_cresunet.state._run import Progress, as_progress

_MEASURING = "Measuring cells…"
MOST_PIXELS = 100_000_000
"""Of labels that are read from a file: measuring takes several times their memory."""
_MOST_NUMBERS = 10_000_000
"""A list up to a higher label would fill the memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureChoices:
    """How the cells of a stack are counted."""

    is_linked: bool = False
    """Whether a cell that goes through several planes is one cell."""
    min_overlap: float = 0.5
    """Part of the smaller outline that two planes must share to be one cell."""

    def __post_init__(self) -> None:
        if not 0 < self.min_overlap <= 1:
            raise InputError(
                f"The overlap of linked cells is {self.min_overlap:g}: give a part of "
                "the smaller outline, above 0 and up to 1."
            )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MeasureSource:
    """Labels and all that is known of them, as they are at one moment."""

    identity: str
    """Tells the labels from all others."""
    name: str
    labels: NDArray[Any]
    """(..., Y, X); nobody paints in it. It may be lazy until it is counted."""
    image_name: str = ""
    image: Any = None
    """The image on the pixels of the labels, or None."""
    is_rgb: bool = False
    probability: Any = None
    """What the labels were made of, if it is still there."""
    pixel_um: tuple[float, float] | None = None
    """Height and width of a pixel in µm."""
    regions: tuple[Region, ...] = ()
    frames: tuple[CountingFrame, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    """How the labels came about."""
    log: tuple[LogEntry, ...] = ()
    """What was done to them by hand."""
    n_pinned: int | None = None
    """Cells that somebody touched; None where nobody kept a record."""
    warning: str = ""
    """What does not fit the labels and was left out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameCount:
    """What was counted in unbiased counting frames."""

    count: int
    n_frames: int
    area_mm2: float | None
    """Of all frames, in all planes."""

    @property
    def density(self) -> float | None:
        """Cells per mm²."""
        return None if not self.area_mm2 else self.count / self.area_mm2


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Tally:
    """Counts, which are quick: they follow every edit."""

    source: MeasureSource
    choices: MeasureChoices
    labels: NDArray[Any]
    """The labels that were counted: linked through planes, if that was chosen."""
    cells: Mapping[str, NDArray[Any]]
    """Label, plane and centroid of each cell."""
    regions: tuple[Mapping[str, Any], ...]
    """As of `measurement.measure_regions`; the last one is the whole image."""
    overlaps: tuple[tuple[str, str], ...] = ()
    """Regions that share area."""
    beyond: tuple[str, ...] = ()
    """Regions that reach beyond the image."""
    framed: FrameCount | None = None
    n_through: int = 0
    """Cells that are in more than one plane."""
    shown: Mapping[int, int] | None = None
    """What linked cells are called in the layer, on their first plane; None where they
    were not linked."""

    @property
    def count(self) -> int:
        """Cells in the whole image."""
        return len(self.cells["label"])

    @property
    def n_planes(self) -> int:
        """Planes of the stack; 1 of an image."""
        return int(np.prod(self.labels.shape[:-2]))

    def cell_at(self, label: int) -> tuple[int, float, float, float] | None:
        """Return where a cell is.

        Parameters
        ----------
        label : int
            As it was counted.

        Returns
        -------
        tuple of int and three floats, or None
            Plane, row, column, and px of its area; None if there is no such cell.
        """
        row = int(np.searchsorted(self.cells["label"], label))
        if row >= self.count or self.cells["label"][row] != label:
            return None
        y, x, area = (
            float(self.cells[name][row])
            for name in ("centroid_y_px", "centroid_x_px", "area_px")
        )
        return int(self.cells["plane"][row]), y, x, area

    def shown_label(self, label: int) -> int:
        """Return what a counted cell is called in the layer, where it is shown first.

        Parameters
        ----------
        label : int
            As it was counted.

        Returns
        -------
        int
            Another one only where cells were linked; 0 if there is no such cell.
        """
        return label if self.shown is None else self.shown.get(label, 0)

    def counted_label(self, label: int) -> int:
        """Return what a cell of the layer is called where cells were linked.

        Parameters
        ----------
        label : int
            In the layer.

        Returns
        -------
        int
            0 if there is no such cell.
        """
        if self.shown is None:
            return label
        places = np.flatnonzero(self.source.labels == label)
        return int(self.labels.ravel()[places[0]]) if len(places) else 0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CellTable:
    """All measures of all cells."""

    tally: Tally
    columns: Mapping[str, NDArray[Any]]
    """As of `measurement.measure`."""


def iter_tally(
    source: MeasureSource, choices: MeasureChoices
) -> Generator[Progress, None, Tally]:
    """Count cells in the image, its regions and its frames.

    Parameters
    ----------
    source : MeasureSource
        What to count.
    choices : MeasureChoices
        How.

    Yields
    ------
    Progress
        Between pieces, where it may be closed.

    Returns
    -------
    Tally
        What was counted.

    Raises
    ------
    InputError
        If there are negative labels, more than fit into memory, or a region has pixels
        of another image.
    """
    yield Progress(text="Counting…")
    _check_size(source)
    labels, shown = np.asarray(source.labels), None
    source = replace(source, labels=labels)
    if labels.min(initial=0) < 0:
        raise InputError(
            f"{source.name!r} has negative labels: cells are numbered from 1."
        )
    if choices.is_linked and labels.ndim > 2:
        labels = link_planes(labels, min_overlap=choices.min_overlap)
        shown = _first_labels(labels, source.labels)
        yield Progress(text="Counting…")
    cells, n_through = quick_cells(labels)
    is_linked = choices.is_linked or n_through > 0
    n_planes = counted_planes(cells, labels.shape, is_linked=is_linked)
    shape = (int(labels.shape[-2]), int(labels.shape[-1]))
    rows = measure_regions(
        cells, shape, source.regions, pixel_size=source.pixel_um, n_planes=n_planes
    )
    yield Progress(text="Counting…")
    return Tally(
        source=source,
        choices=choices,
        labels=labels,
        cells=cells,
        regions=tuple(rows),
        overlaps=tuple(overlapping_regions(source.regions, shape)),
        beyond=tuple(regions_beyond(source.regions, shape)),
        framed=_count_in_frames(labels, source, n_planes),
        n_through=n_through,
        shown=shown,
    )


def _check_size(source: MeasureSource) -> None:
    """Refuse labels in files that would fill the memory."""
    n_px = math.prod(source.labels.shape)
    if n_px > MOST_PIXELS and not isinstance(source.labels, np.ndarray):
        raise InputError(
            f"{source.name!r} has {n_px / 1e6:,.0f} million px, more than are measured "
            "in memory: use the table of cells beside its file, or choose the labels "
            "of a part."
        )


def _first_labels(linked: NDArray[Any], labels: NDArray[Any]) -> dict[int, int]:
    """Return what each linked cell is called where it is first."""
    pixels = np.flatnonzero(linked)
    found, first = np.unique(linked.ravel()[pixels], return_index=True)
    names = labels.ravel()[pixels[first]]
    return dict(zip(found.tolist(), names.tolist(), strict=True))


def quick_cells(labels: NDArray[Any]) -> tuple[dict[str, NDArray[Any]], int]:
    """Return label, plane, area and centroid of each cell, and nothing that takes long.

    Parameters
    ----------
    labels : ndarray of shape (..., Y, X), int
        The cells.

    Returns
    -------
    cells : dict of str to ndarray
        As `measurement.measure` has them: one row for each label, ascending; a cell in
        several planes is where it is largest, the middle one of equals.
    n_through : int
        Cells that are in more than one plane.
    """
    pixels = np.flatnonzero(labels)
    found, numbers = _numbered(labels.ravel()[pixels])
    height, width = labels.shape[-2:]
    rows, columns = np.divmod(pixels, width)
    planes, rows = np.divmod(rows, height)
    n_planes = int(np.prod(labels.shape[:-2]))
    # What a plane shows of a cell is one piece.
    pieces, of_pixel = (
        (np.arange(len(found)), numbers)
        if n_planes == 1
        else _numbered(numbers * n_planes + planes)
    )
    areas = np.bincount(of_pixel, minlength=len(pieces))
    cell, plane = np.divmod(pieces, max(n_planes, 1))
    y, x = (
        np.bincount(of_pixel, weights=places, minlength=len(pieces)) / areas
        for places in (rows, columns)
    )
    largest = np.zeros(len(found), np.intp)
    np.maximum.at(largest, cell, areas)
    kept = np.flatnonzero(areas == largest[cell])
    n_kept = np.bincount(cell[kept], minlength=len(found))
    first = np.cumsum(n_kept) - n_kept
    main = kept[first + (n_kept - 1) // 2]
    cells = {
        "label": found.astype(np.int64),
        "plane": plane[main],
        "area_px": areas[main],
        "centroid_y_px": y[main],
        "centroid_x_px": x[main],
    }
    return cells, len(np.unique(cell[np.flatnonzero(np.diff(cell) == 0)]))


def _numbered(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return the distinct values, ascending, and which of them each value is."""
    if values.max(initial=0) > _MOST_NUMBERS:
        return np.unique(values, return_inverse=True)
    # Sorting hundreds of thousands of pixels takes four times as long.
    is_there = np.bincount(values, minlength=1) > 0
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[values]


def _count_in_frames(
    labels: NDArray[Any], source: MeasureSource, n_planes: int
) -> FrameCount | None:
    if not source.frames:
        return None
    area = None
    if source.pixel_um is not None:
        height, width = source.pixel_um
        n_px = n_planes * sum(frame.area_px for frame in source.frames)
        area = n_px * height * width / 1e6
    return FrameCount(
        count=sum(len(in_frame(labels, frame)) for frame in source.frames),
        n_frames=len(source.frames),
        area_mm2=area,
    )


def iter_cells(tally: Tally) -> Generator[Progress, None, CellTable]:
    """Measure every cell.

    Parameters
    ----------
    tally : Tally
        What was counted.

    Yields
    ------
    Progress
        Between pieces, where it may be closed.

    Returns
    -------
    CellTable
        The measures.

    Raises
    ------
    InputError
        If image or probability do not fit the labels.
    """
    source = tally.source
    yield Progress(text=_MEASURING)
    image = None if source.image is None else np.asarray(source.image)
    steps = iter_measure(
        tally.labels,
        image=image,
        rgb=source.is_rgb if image is not None else None,
        probability=source.probability,
        pixel_size=source.pixel_um,
        regions=source.regions,
    )
    columns = yield from as_progress(steps, _MEASURING)
    return CellTable(tally=tally, columns=columns)
