"""The command `count`: many images, one bad one spoils nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._files import write_csv
from napari_cresunet.batch import (
    Count,
    CountOptions,
    find_images,
    iter_count,
    result_names,
    summary,
)
from napari_cresunet.cli._files import hash_of, write_json
from napari_cresunet.cli._interrupts import held_interrupts
from napari_cresunet.cli._terminal import (
    EXPECTED_ERRORS,
    one_line,
    progress_bar,
    stdout_console,
    tell,
    tell_error,
    tell_json,
)
from napari_cresunet.errors import InputError
from napari_cresunet.steps import Step, drain

if TYPE_CHECKING:
    from rich.progress import Progress

    from napari_cresunet.inference import Model

_CSV_FIELDS = (
    *("count", "threshold", "min_size", "model", "seconds"),
    *("planes", "preset", "min_distance", "diameter", "device", "weights_hash"),
    *("image_hash", "version", "time", "labels", "probability"),
)


@dataclass(slots=True)
class Report:
    """What came of the images so far."""

    records: list[dict[str, Any]] = field(default_factory=list)
    """One for each image that was counted."""
    failures: list[dict[str, str]] = field(default_factory=list)
    """"image" and "error" of each that was not."""


def count_images(
    arguments: Sequence[str],
    model_name: str,
    device: str,
    options: CountOptions,
    output: Path | None,
    *,
    as_json: bool,
) -> bool:
    """Count the cells of images, print the counts and write the results.

    Parameters
    ----------
    arguments : sequence of str
        Files, folders and patterns.
    model_name : str
        Name or file of the model.
    device : str
        Where it runs.
    options : CountOptions
        How it counts.
    output : Path or None
        Folder for labels, probability and tables; None writes nothing.
    as_json : bool
        Whether stdout gets JSON in place of a table.

    Returns
    -------
    bool
        Whether every image was counted.
    """
    from napari_cresunet.inference import load_model

    paths = find_images(arguments)
    names = result_names(paths)
    if output is not None:
        _refuse_overwriting(paths, names, output)
        output.mkdir(parents=True, exist_ok=True)
    model = load_model(model_name, device)
    report = Report()
    with held_interrupts() as leave_if_asked:
        try:
            with progress_bar() as bar:
                job = model, options, output, leave_if_asked
                _count_all(paths, names, job, report, bar)
        finally:
            # Also after Ctrl+C: what has been counted is not lost.
            if output is not None:
                write_tables(output, report, model)
    if as_json:
        tell_json([summary(record["image"], record) for record in report.records])
    else:
        print_table(report)
    return not report.failures


def _count_all(
    paths: Sequence[Path],
    names: Sequence[str],
    job: tuple["Model", CountOptions, Path | None, Callable[[], None]],
    report: Report,
    bar: "Progress",
) -> None:
    """Count one image after the other and note what came of each."""
    from napari_cresunet.inference import read_image

    model, options, output, leave_if_asked = job
    images = bar.add_task("Images", total=len(paths))
    tiles = bar.add_task("", total=None)

    def on_step(step: Step) -> None:
        bar.update(tiles, completed=step.done, total=step.total)
        if step.message:
            tell(f"{path}: {step.message}", bar.console)
        leave_if_asked()

    for path, name in zip(paths, names, strict=True):
        bar.update(tiles, description=path.name, completed=0, total=None)
        try:
            count = drain(iter_count(read_image(path), model, options), on_step)
            record = {"image": str(path), "image_hash": hash_of(path)} | count.record
            if output is not None:
                write_count(output, name, count, record)
            report.records.append(record)
        except EXPECTED_ERRORS as error:
            message = one_line(error)
            report.failures.append({"image": str(path), "error": message})
            is_named = str(path) in message
            tell_error(message if is_named else f"{path}: {message}", bar.console)
        bar.advance(images)
        leave_if_asked()


def _refuse_overwriting(
    paths: Sequence[Path], names: Sequence[str], output: Path
) -> None:
    """Refuse to write results over an image that is to be counted."""
    images = {path.resolve() for path in paths}
    for name in names:
        for kind in ("labels", "probability"):
            target = output / f"{name}_{kind}.tif"
            if target.resolve() in images:
                raise InputError(
                    f"The results would overwrite the image {target}; "
                    "choose another folder."
                )


def write_count(
    output: Path, name: str, count: Count, record: dict[str, Any]
) -> dict[str, Any]:
    """Write the labels and the probability of an image.

    Parameters
    ----------
    output : Path
        The folder; made if missing.
    name : str
        First part of the files' names.
    count : Count
        What is written.
    record : dict
        Goes into both files; gets their names as "labels" and "probability".

    Returns
    -------
    dict
        The record.
    """
    from napari_cresunet.inference import write_labels, write_probability

    output.mkdir(parents=True, exist_ok=True)
    record |= {kind: f"{name}_{kind}.tif" for kind in ("labels", "probability")}
    write_labels(output / record["labels"], count.labels, record)
    write_probability(output / record["probability"], count.probability, record)
    return record


def write_tables(output: Path, report: Report, model: "Model") -> None:
    """Write counts.csv for reading and counts.json with everything that is known.

    Parameters
    ----------
    output : Path
        The folder; made if missing.
    report : Report
        What came of the images.
    model : Model
        What counted them.
    """
    rows = [
        {"image": record["image"]} | {name: record[name] for name in _CSV_FIELDS}
        for record in report.records
    ]
    write_csv(output / "counts.csv", ("image", *_CSV_FIELDS), rows)
    known = {
        "images": report.records,
        "failed": report.failures,
        "model": model.card.to_dict(),
    }
    write_json(output / "counts.json", known)


def print_table(report: Report) -> None:
    """Print the counts as a table for people."""
    from rich.table import Table

    if not report.records:
        return
    has_stacks = any(record["planes"] > 1 for record in report.records)
    table = Table()
    table.add_column("Image", overflow="fold")
    table.add_column("Cells", justify="right")
    if has_stacks:
        table.add_column("Planes, each counted by itself", justify="right")
    table.add_column("Seconds", justify="right")
    for record in report.records:
        planes = [str(record["planes"])] if has_stacks else []
        cells = [str(record["count"]), *planes, f"{record['seconds']:.1f}"]
        table.add_row(record["image"], *cells)
    stdout_console().print(table)
