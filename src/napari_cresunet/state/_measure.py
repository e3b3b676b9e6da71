"""The state of the dock "Measure and export"."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray
from psygnal import Signal

from napari_cresunet.state._measure_work import (
    CellTable,
    MeasureChoices,
    Tally,
)
from napari_cresunet.state._working import Working

_NO_CELLS = (
    "Choose a labels layer with cells: press Run in Segment and count to find some, "
    "or open one with File > Open."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasureLayers:
    """Identities of the layers that are chosen; empty if there is none."""

    labels: str = ""
    image: str = ""
    regions: str = ""
    frame: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionLine:
    """One line of the list of regions, as it is shown."""

    name: str
    count: str
    area: str
    """In mm², or in px where the size of a pixel is unknown."""
    density: str
    """Cells per mm²."""
    is_whole: bool = False
    """Whether it is the whole image, which has no name of its own."""


class MeasureState(Working):
    """Everything the dock shows, and what it may do.

    A view forwards what the user wants, renders on the signals, and runs the generators
    of this package in a worker thread.
    """

    layers_changed = Signal()
    """Other layers were chosen."""
    choices_changed = Signal()
    tally_changed = Signal()
    """There are other counts, or none."""
    table_changed = Signal()
    """There are other measures, or none."""
    cell_changed = Signal()
    """Another cell is marked."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = MeasureLayers()
        self.choices = MeasureChoices()
        self.tally: Tally | None = None
        self.table: CellTable | None = None
        self.cell = 0
        """The marked cell, as it was counted; 0 for none."""
        self.trouble = ""
        """Why there is no count."""

    # In words

    @property
    def headline(self) -> str:
        """The count, and the density where it is known."""
        tally = self.tally
        if tally is None:
            return "No count yet"
        density = tally.regions[-1]["density_per_mm2"]
        words = count_words(tally.count)
        return words if density is None else f"{words}, {significant(density)} per mm²"

    @property
    def detail(self) -> str:
        """What the count is of, or why there is none."""
        tally = self.tally
        if tally is None:
            return self.trouble or _NO_CELLS
        area, n = tally.regions[-1]["area_mm2"], tally.regions[-1]["planes"]
        is_one = tally.n_planes == 1
        where = "in the whole image" if is_one else f"in {tally.n_planes} planes"
        if area is not None:
            where += f" of {significant(area / n)} mm²"
            where += " each" if n > 1 else ""
        return where

    @property
    def why_no_density(self) -> str:
        """Why there is no density, and what to do; empty if there is one."""
        if self.tally is None or self.tally.source.pixel_um is not None:
            return ""
        return "No density: type the size of a pixel above and press Set."

    @property
    def can_run(self) -> bool:
        """Whether there is something to export."""
        return self.tally is not None

    @property
    def why_not(self) -> str:
        """Why there is nothing to export; empty if there is."""
        return "" if self.can_run else "There are no cells to export yet."

    @property
    def is_stack(self) -> bool:
        """Whether there are planes through which cells can be linked."""
        return self.tally is not None and self.tally.n_planes > 1

    @property
    def stack_words(self) -> str:
        """Which way the cells of a stack were counted."""
        tally = self.tally
        if tally is None or not self.is_stack:
            return ""
        verb = "is" if tally.n_through == 1 else "are"
        through = f"{tally.n_through:,} of them {verb} in more than one plane"
        if tally.choices.is_linked:
            return f"Cells are linked through planes, each counts once: {through}."
        if tally.n_through:
            return f"Each label counts once: {through}."
        return (
            "Cells are counted in each plane: one that goes through three planes "
            "counts three times."
        )

    @property
    def region_lines(self) -> list[RegionLine]:
        """The regions and, last, the whole image."""
        tally = self.tally
        if tally is None:
            return []
        last = len(tally.regions) - 1
        return [
            _region_line(row, is_whole=number == last)
            for number, row in enumerate(tally.regions)
        ]

    @property
    def region_words(self) -> str:
        """What must be known of the regions: that some overlap, or leave the image."""
        tally = self.tally
        if tally is None:
            return ""
        sentences = [
            f"{one!r} and {other!r} overlap: cells in both count in each."
            for one, other in tally.overlaps
        ]
        sentences += [
            f"{name!r} reaches beyond the image: only what is inside counts as area."
            for name in dict.fromkeys(tally.beyond)
        ]
        return " ".join(sentences)

    @property
    def frame_words(self) -> str:
        """What was counted in the counting frames; empty without one."""
        framed, tally = None if self.tally is None else self.tally.framed, self.tally
        if framed is None or tally is None:
            return ""
        frames = "the frame" if framed.n_frames == 1 else f"{framed.n_frames} frames"
        words = (
            f"{framed.count:,} of {count_words(tally.count)} are counted in {frames}"
        )
        if framed.density is None or framed.area_mm2 is None:
            return f"{words}."
        return (
            f"{words}, {significant(framed.density)} per mm² "
            f"({significant(framed.area_mm2)} mm²)."
        )

    @property
    def warning(self) -> str:
        """What does not fit the labels and was left out; empty if nothing was."""
        return "" if self.tally is None else self.tally.source.warning

    @property
    def columns(self) -> Mapping[str, NDArray[Any]]:
        """The table of cells as it is shown: first what says which cell it is."""
        return {} if self.table is None else shown_columns(self.table.columns)

    # What the user wants

    def choose_layers(self, layers: MeasureLayers) -> None:
        """Take other layers.

        Parameters
        ----------
        layers : MeasureLayers
            Which.
        """
        if layers == self.layers:
            return
        is_other = layers.labels != self.layers.labels
        self.layers = layers
        if is_other:
            self._drop()
            self.tell("")
        self.layers_changed.emit()
        if is_other:
            self.tally_changed.emit()
            self.table_changed.emit()
            self.cell_changed.emit()

    def choose(self, **changes: Any) -> None:
        """Change how the cells of a stack are counted.

        Parameters
        ----------
        **changes
            Fields of `MeasureChoices`; a value out of its bounds is an `InputError`
            and changes nothing.
        """
        choices = replace(self.choices, **changes)
        if choices != self.choices:
            self.choices = choices
            self.choices_changed.emit()

    def mark(self, label: int) -> None:
        """Mark a cell.

        Parameters
        ----------
        label : int
            As it was counted; 0 for none.
        """
        if label != self.cell:
            self.cell = label
            self.cell_changed.emit()

    # What was found out

    def begin(self) -> None:
        """Work was started that takes some time."""
        self.is_running, self.progress = True, None
        self.run_changed.emit()

    def end(self) -> None:
        """It has ended, however."""
        self.is_running, self.progress = False, None
        self.run_changed.emit()

    def count(self, tally: Tally) -> None:
        """Take new counts; the measures of the cells follow.

        Parameters
        ----------
        tally : Tally
            What was counted.
        """
        if self.trouble:
            self.trouble = ""
            self.tell("")
        self.tally = tally
        self.tally_changed.emit()
        if self.cell and tally.cell_at(self.cell) is None:
            self.mark(0)

    def learn(self, table: CellTable) -> None:
        """Take the measures of all cells.

        Parameters
        ----------
        table : CellTable
            The measures; of other counts than the last they are dropped.
        """
        if table.tally is self.tally:
            self.table = table
            if self.is_failure:
                self.tell("")
            self.table_changed.emit()

    @property
    def is_measured(self) -> bool:
        """Whether the table is that of the counts."""
        return self.table is not None and self.table.tally is self.tally

    def refuse(self, sentence: str) -> None:
        """The chosen labels cannot be counted.

        Parameters
        ----------
        sentence : str
            Why, and what to do.
        """
        self._drop()
        self.trouble = sentence
        self.tally_changed.emit()
        self.table_changed.emit()
        self.cell_changed.emit()

    def _drop(self) -> None:
        self.tally = self.table = None
        self.cell, self.trouble = 0, ""


def _region_line(row: Mapping[str, Any], *, is_whole: bool) -> RegionLine:
    area, density = row["area_mm2"], row["density_per_mm2"]
    return RegionLine(
        name=str(row["region"]),
        count=f"{row['count']:,}",
        area=f"{row['area_px']:,.0f} px" if area is None else significant(area),
        density="" if density is None else significant(density),
        is_whole=is_whole,
    )


def count_words(count: int) -> str:
    """Return such as "1 cell" or "1,234 cells"."""
    return "1 cell" if count == 1 else f"{count:,} cells"


def significant(value: float) -> str:
    """Return a number with three digits and without an exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 2 - math.floor(math.log10(abs(value))) if value else 2
    return f"{value:.{digits}f}"


_FIRST = ("label", "region", "plane", "planes")


def shown_columns(columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the columns that a narrow table shows.

    Parameters
    ----------
    columns : mapping of str to ndarray
        As of `measurement.measure`.

    Returns
    -------
    dict of str to ndarray
        First what says which cell it is; sizes in px only where µm are unknown.
    """
    order = [name for name in _FIRST if name in columns]
    order += [
        name for name in columns if name not in order and not _is_double(name, columns)
    ]
    return {name: columns[name] for name in order}


def _is_double(name: str, columns: Mapping[str, NDArray[Any]]) -> bool:
    """Tell whether a size in px is there in µm, too."""
    if not name.endswith("_px"):
        return False
    stem = name.removesuffix("_px")
    return f"{stem}_um" in columns or f"{stem}_um2" in columns
