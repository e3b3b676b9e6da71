"""A count of one image, as one thing, and its tables."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._files import write_csv
from napari_cresunet._writing import as_plain, told_why, write_json
from napari_cresunet.correction import LogEntry
from napari_cresunet.export._evaluated import plain_values
from napari_cresunet.export._hand_edits import hand_edits
from napari_cresunet.measurement import Region

CellTable = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Counted:
    """All that is known of a count; only name and labels must be."""

    name: str
    """Of the image."""
    labels: NDArray[Any]
    """(..., Y, X), int: 0 is background; numbers may be left out."""
    image: NDArray[Any] | None = None
    """(..., Y, X) or (..., Y, X, 3 or 4)."""
    is_rgb: bool | None = None
    """Whether the last axis of the image is color; None to tell by its shape."""
    probability: NDArray[Any] | None = None
    """(..., Y, X), in [0, 1]."""
    pixel_size: tuple[float, float] | None = None
    """Height and width of a pixel in µm."""
    cells: CellTable | None = None
    """Columns of the table of cells, as `measure` returns them; None to measure."""
    regions: Sequence[Region] = ()
    """Areas in which cells were counted."""
    region_rows: Sequence[Mapping[str, Any]] = ()
    """Counts and densities, as `measure_regions` returns them; empty to measure."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """How the count came about, ready for JSON: version, model, weights_hash, ..."""
    log: Sequence[LogEntry] = ()
    """What was done by hand."""
    n_pinned: int | None = None
    """Cells that a person has touched or accepted; None where nobody knows."""

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        if self.cells is not None:
            return len(self.cells["label"])
        return int(np.count_nonzero(np.unique(self.labels)))

    @property
    def n_planes(self) -> int:
        """Number of planes, all leading axes together."""
        return math.prod(np.shape(self.labels)[:-2])

    @property
    def table(self) -> CellTable:
        """Columns of the table of cells, measured if they are not there."""
        return self.cells if self.cells is not None else _measured(self)

    @property
    def rows_of_regions(self) -> list[dict[str, Any]]:
        """Count, area and density of each region, and last of the whole image."""
        if self.region_rows:
            return [dict(row) for row in self.region_rows]
        from napari_cresunet.measurement import counted_planes, measure_regions

        table, shape = self.table, np.shape(self.labels)
        return measure_regions(
            table,
            shape,
            self.regions,
            pixel_size=self.pixel_size,
            n_planes=counted_planes(table, shape),
        )


def _measured(counted: Counted) -> CellTable:
    from napari_cresunet.measurement import measure

    return measure(
        counted.labels,
        image=counted.image,
        rgb=counted.is_rgb,
        probability=counted.probability,
        pixel_size=counted.pixel_size,
        regions=tuple(counted.regions),
    )


def measured(counted: Counted) -> Counted:
    """Return a count whose tables are there; those that are, stay.

    Parameters
    ----------
    counted : Counted
        The count.

    Returns
    -------
    Counted
        With `cells` and `region_rows`.
    """
    with_cells = replace(counted, cells=counted.table)
    return replace(with_cells, region_rows=with_cells.rows_of_regions)


def cell_rows(counted: Counted) -> list[dict[str, Any]]:
    """Return the table of cells row by row, ready for CSV and JSON.

    Parameters
    ----------
    counted : Counted
        The count.

    Returns
    -------
    list of dict
        One row for each cell; None for what is unknown.
    """
    columns = {
        name: np.asarray(column).tolist() for name, column in counted.table.items()
    }
    return [
        plain_values(dict(zip(columns, values, strict=True)))
        for values in zip(*columns.values(), strict=True)
    ]


def write_cells_csv(path: str | Path, counted: Counted) -> list[Path]:
    """Write the table of cells, and beside it how it came about.

    Parameters
    ----------
    path : str or Path
        The table; replaced if it exists, and never half written.
    counted : Counted
        The count.

    Returns
    -------
    list of Path
        The table, and the record of the same name that ends in `.json`.

    Notes
    -----
    A file that cannot be written is an `EngineError`.
    """
    table = counted.table
    rows = cell_rows(replace(counted, cells=table))
    return _written(Path(path), list(table), rows, record_of(counted))


def write_regions_csv(path: str | Path, counted: Sequence[Counted]) -> list[Path]:
    """Write counts and densities of all regions, and beside them how they came about.

    Parameters
    ----------
    path : str or Path
        The table; replaced if it exists, and never half written.
    counted : sequence of Counted
        The counts of one or more images.

    Returns
    -------
    list of Path
        The table, and the record of the same name that ends in `.json`.

    Notes
    -----
    The first column is the name of the image. A file that cannot be written is an
    `EngineError`.
    """
    path = Path(path)
    rows = [
        {"image": one.name} | plain_values(row)
        for one in counted
        for row in one.rows_of_regions
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    records = {one.name: record_of(one) for one in counted}
    record = next(iter(records.values())) if len(counted) == 1 else {"images": records}
    return _written(path, names, rows, record)


def record_of(counted: Counted) -> dict[str, Any]:
    """Return how a count came about, ready for JSON.

    Parameters
    ----------
    counted : Counted
        The count.

    Returns
    -------
    dict
        Name, count, size of a pixel and corrections, as far as they are known, and its
        own record.
    """
    from importlib.metadata import version

    record: dict[str, Any] = {
        "name": counted.name,
        "written_by": f"napari-cresunet {version('napari-cresunet')}",
        "n_cells": counted.n_cells,
        "shape": list(np.shape(counted.labels)),
    }
    if counted.pixel_size is not None:
        record["pixel_size_um"] = [float(side) for side in counted.pixel_size]
    if counted.n_pinned is not None:
        record["n_pinned"] = counted.n_pinned
    edits = {one.kind: one.n_steps for one in hand_edits(counted.log)}
    record |= {"edits": edits} if edits else {}
    record |= {k: v for k, v in counted.record.items() if k not in record}
    return dict(as_plain(record))


def _written(
    path: Path,
    names: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    record: Mapping[str, Any],
) -> list[Path]:
    beside = path.with_suffix(".json")
    with told_why(path):
        write_csv(path, names, rows)
    write_json(beside, record, indent=2)
    return [path, beside]
