"""The command `measure`: a table of cells, and counts in regions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_cresunet.batch import result_names
from napari_cresunet.cli._files import refuse_overwriting
from napari_cresunet.cli._interrupts import held_interrupts
from napari_cresunet.cli._measured_files import (
    Material,
    MeasureOptions,
    PixelSize,
    find_pixel_size,
    read_cells,
    read_material,
)
from napari_cresunet.cli._scores import DASH
from napari_cresunet.cli._terminal import (
    progress_bar,
    stdout_console,
    tell,
    tell_json,
)
from napari_cresunet.cli._truth_pairs import record_in
from napari_cresunet.errors import InputError
from napari_cresunet.steps import Step, drain

if TYPE_CHECKING:
    pass


def measure_file(
    path: Path, options: MeasureOptions, output: Path | None, *, as_json: bool
) -> None:
    """Measure the cells of a file, print counts and write the tables.

    Parameters
    ----------
    path : Path
        Label image, mask or annotation file.
    options : MeasureOptions
        What else is known.
    output : Path or None
        The table of cells, whose name ends in .csv; None writes nothing.
    as_json : bool
        Whether stdout gets JSON in place of a table.
    """
    from napari_cresunet.export import Counted, write_cells_csv, write_regions_csv
    from napari_cresunet.measurement import (
        counted_planes,
        measure_regions,
        why_no_density,
    )

    if output is not None:
        _refuse_overwriting(output, [path, *options.files.values()])
    labels = _labels_in(path, options)
    material = read_material(path, labels.shape, options)
    size = find_pixel_size(path, options)
    cells = _measured(labels, material, size)
    rows = measure_regions(
        cells,
        labels.shape,
        material.regions,
        pixel_size=size.sides,
        n_planes=counted_planes(cells, labels.shape, is_linked=options.is_linked),
    )
    if output is not None:
        counted = Counted(
            name=result_names([path])[0],
            labels=labels,
            pixel_size=size.sides,
            cells=cells,
            regions=material.regions,
            region_rows=rows,
            record=_record(path, options, size),
        )
        write_cells_csv(output, counted)
        write_regions_csv(_beside(output), [counted])
    if size.sides is None:
        tell(why_no_density(size.sides))
    if as_json:
        tell_json(rows)
    else:
        _print_rows(rows, has_stacks=labels.ndim > 2)


def _beside(output: Path) -> Path:
    """Return where the counts of regions go."""
    return output.with_name(f"{output.stem}_regions.csv")


def _refuse_overwriting(output: Path, read: Sequence[Path]) -> None:
    if output.is_dir():
        raise InputError(f"{output} is a folder: name a file in it, such as cells.csv.")
    tables = (output, _beside(output))
    records = [table.with_suffix(".json") for table in tables]
    refuse_overwriting((*tables, *records), read)


def _labels_in(path: Path, options: MeasureOptions) -> NDArray[Any]:
    from napari_cresunet.measurement import link_planes

    labels = read_cells(path, options.image)
    if not options.is_linked:
        return labels
    if labels.ndim < 3:
        raise InputError(
            f"{path} is one plane, in which nothing can be linked: leave --link-planes "
            "out."
        )
    return link_planes(labels)


def _measured(
    labels: NDArray[Any], material: Material, size: PixelSize
) -> dict[str, NDArray[Any]]:
    """Return the table of cells."""
    from napari_cresunet.measurement import iter_measure

    steps = iter_measure(
        labels,
        image=material.image,
        probability=material.probability,
        pixel_size=size.sides,
        regions=material.regions,
    )
    with held_interrupts() as leave_if_asked, progress_bar() as bar:
        task = bar.add_task("Measuring", total=None)

        def on_step(step: Step) -> None:
            bar.update(task, completed=step.done, total=step.total)
            leave_if_asked()

        return drain(steps, on_step)


def _record(path: Path, options: MeasureOptions, size: PixelSize) -> dict[str, Any]:
    """Return how the tables came about, ready for JSON."""
    return {
        "version": version("napari-cresunet"),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": options.told_files(path),
        "pixel_size_um": size.sides,
        "pixel_size_from": size.source,
        "link_planes": options.is_linked,
        "made_by": record_in(path),
    }


def _print_rows(rows: Sequence[Mapping[str, Any]], *, has_stacks: bool) -> None:
    from rich.table import Table

    has_areas = rows[-1]["area_mm2"] is not None
    columns = {"region": "Region", "count": "Cells"}
    if has_areas:
        columns |= {"area_mm2": "Area (mm²)", "density_per_mm2": "Cells per mm²"}
    else:
        columns |= {"area_px": "Area (px)"}
    if has_stacks:
        columns |= {"planes": "Planes"}
    table = Table()
    for name, title in columns.items():
        table.add_column(title, justify="left" if name == "region" else "right")
    for row in rows:
        if row is rows[-1]:
            table.add_section()
        table.add_row(*(_text(row[name]) for name in columns))
    stdout_console().print(table)


def _text(value: Any) -> str:
    from rich.markup import escape

    if value is None:
        return DASH
    return f"{value:.5g}" if isinstance(value, float) else escape(str(value))
