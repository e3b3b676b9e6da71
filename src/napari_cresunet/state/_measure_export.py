"""What the dock Measure and export writes."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_cresunet.errors import InputError
from napari_cresunet.export import (
    LABEL_FORMATS,
    Counted,
    count_methods_text,
    write_regions_csv,
    write_training_pair,
)
from napari_cresunet.state._measure_work import (
    CellTable,
    MeasureChoices,
    MeasureSource,
    Tally,
    iter_cells,
    iter_tally,
)
from napari_cresunet.state._run import Progress

REGIONS_CSV, TRAINING_PAIR = "regions", "training"
"""What can be written beside `export.LABEL_FORMATS`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CountExport:
    """One kind of file that a count can be written to."""

    title: str
    suffixes: tuple[str, ...]
    """What its files may end in, the usual one first; none for a folder."""
    ending: str = ""
    """What is put behind the name of the labels, if nobody says what to call it."""

    @property
    def is_folder(self) -> bool:
        """Whether it is files in a folder."""
        return not self.suffixes

    def completed(self, path: Path) -> Path:
        """Return a path that ends in what files of this kind end in.

        Parameters
        ----------
        path : Path
            As it was typed.

        Returns
        -------
        Path
            The same, or with the usual suffix behind it.
        """
        name = path.name.lower()
        if self.is_folder or name.endswith(self.suffixes):
            return path
        return path.with_name(path.name + self.suffixes[0])


COUNT_EXPORTS: dict[str, CountExport] = {
    name: CountExport(
        title=made.title,
        suffixes=tuple(dict.fromkeys((made.suffix, *made.suffixes))),
        ending=made.ending,
    )
    for name, made in LABEL_FORMATS.items()
} | {
    REGIONS_CSV: CountExport(
        title="Table of regions", suffixes=(".csv",), ending="_regions.csv"
    ),
    TRAINING_PAIR: CountExport(title="Training pair", suffixes=()),
}
"""All kinds of files, by their key."""


def iter_count_export(
    kind: str, path: Path, source: MeasureSource, choices: MeasureChoices
) -> Generator[Progress, None, list[Path]]:
    """Count and measure as it is now, and write what came of it.

    Parameters
    ----------
    kind : str
        A key of `COUNT_EXPORTS`.
    path : Path
        The file; of a training pair the folder.
    source : MeasureSource
        What to count.
    choices : MeasureChoices
        How.

    Yields
    ------
    Progress
        Between pieces, where it may be closed: nothing is written before the end.

    Returns
    -------
    list of Path
        The files that are there.

    Raises
    ------
    InputError
        If there is nothing to write, or the pieces do not fit each other.

    Notes
    -----
    A file that cannot be written is an `EngineError`.
    """
    if kind == TRAINING_PAIR:
        yield Progress(text="Writing…")
        return _write_pair(path, source)
    counted = yield from _iter_counted(source, choices)
    yield Progress(text="Writing…")
    return _write(kind, path, counted)


def iter_methods_text(
    source: MeasureSource, choices: MeasureChoices
) -> Generator[Progress, None, str]:
    """Say how the cells were counted, as a paragraph for a paper.

    Parameters
    ----------
    source : MeasureSource
        What was counted.
    choices : MeasureChoices
        How.

    Yields
    ------
    Progress
        Between pieces, where it may be closed.

    Returns
    -------
    str
        Plain text.

    Raises
    ------
    InputError
        If the pieces do not fit each other.
    """
    counted = yield from _iter_counted(source, choices)
    return count_methods_text(counted)


def _iter_counted(
    source: MeasureSource, choices: MeasureChoices
) -> Generator[Progress, None, Counted]:
    tally = yield from iter_tally(source, choices)
    table = yield from iter_cells(tally)
    return counted_of(table)


def counted_of(table: CellTable) -> Counted:
    """Return a count as exports take it.

    Parameters
    ----------
    table : CellTable
        All measures of all cells.

    Returns
    -------
    Counted
        With all that is known of it.
    """
    tally, source = table.tally, table.tally.source
    return Counted(
        name=source.image_name or source.name,
        labels=tally.labels,
        image=None if source.image is None else np.asarray(source.image),
        is_rgb=source.is_rgb if source.image is not None else None,
        probability=source.probability,
        pixel_size=source.pixel_um,
        cells=table.columns,
        regions=source.regions,
        region_rows=tally.regions,
        record=dict(source.record) | _how_counted(tally),
        log=source.log,
        n_pinned=source.n_pinned,
    )


def _how_counted(tally: Tally) -> dict[str, Any]:
    """Return what was chosen here, for the record."""
    known: dict[str, Any] = {"labels_layer": tally.source.name}
    if tally.n_planes > 1:
        known["is_linked"] = tally.choices.is_linked
        if tally.choices.is_linked:
            known["min_overlap"] = tally.choices.min_overlap
    if tally.framed is not None:
        known["counting_frames"] = [
            [frame.top, frame.left, frame.bottom, frame.right]
            for frame in tally.source.frames
        ]
        known["counted_in_frames"] = tally.framed.count
        if tally.framed.density is not None:
            known["density_in_frames_per_mm2"] = tally.framed.density
    return known


def _write(kind: str, path: Path, counted: Counted) -> list[Path]:
    if kind == REGIONS_CSV:
        return write_regions_csv(path, [counted])
    return LABEL_FORMATS[kind].write(path, counted)


def _write_pair(folder: Path, source: MeasureSource) -> list[Path]:
    if source.image is None:
        raise InputError(
            "A training pair needs the image of the cells: choose the image layer."
        )
    name = source.image_name or source.name
    return write_training_pair(
        folder, name, np.asarray(source.image), np.asarray(source.labels)
    )
