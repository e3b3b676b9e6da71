"""The command `compare`: several models on the same images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._files import hash_of, write_csv
from napari_cresunet.batch import CountOptions, find_images, iter_count, result_names
from napari_cresunet.cli._files import (
    refuse_overwriting,
    write_json,
    write_text,
)
from napari_cresunet.cli._interrupts import held_interrupts
from napari_cresunet.cli._scores import number_text, percent_text
from napari_cresunet.cli._terminal import (
    EXPECTED_ERRORS,
    one_line,
    progress_bar,
    stdout_console,
    tell,
    tell_error,
    tell_json,
)
from napari_cresunet.cli._truth_pairs import find_pairs, read_truth
from napari_cresunet.errors import InputError
from napari_cresunet.steps import Step, drain

if TYPE_CHECKING:
    from rich.progress import Progress

    from napari_cresunet.datasets import TruthFile
    from napari_cresunet.evaluation import Comparison, MatchRule
    from napari_cresunet.export import ComparedModel
    from napari_cresunet.inference import Model

FILES = ("compare.csv", "compare.png", "report.html", "compare.json")
MOST_SHOWN = 12
"""Images in the report."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareOptions:
    """What is compared, and how."""

    models: tuple[str, ...]
    diameter: float | None = None
    device: str = "auto"
    backend: str = "auto"
    precision: str = "auto"
    rule: "MatchRule"


@dataclass(frozen=True, slots=True)
class Item:
    """An image, with its truth where there is one."""

    name: str
    path: Path
    truth: "TruthFile | None" = None


@dataclass(slots=True)
class Tally:
    """What came of the images so far."""

    images: list[dict[str, Any]] = field(default_factory=list)
    """Name, file and hash of each."""
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By model, what `iter_count` records of each image."""
    scores: dict[str, list[Any]] = field(default_factory=dict)
    sections: list[str] = field(default_factory=list)
    """HTML of the first images."""
    failures: list[dict[str, str]] = field(default_factory=list)


def compare_models(
    images: str,
    truths: Path | None,
    options: CompareOptions,
    output: Path | None,
    *,
    as_json: bool,
) -> bool:
    """Count with several models, print what each reaches and write the results.

    Parameters
    ----------
    images : str
        File, folder or pattern.
    truths : Path or None
        File or folder; None without truth.
    options : CompareOptions
        Which models, and how they are scored.
    output : Path or None
        Folder for table, figure and report; None writes nothing.
    as_json : bool
        Whether stdout gets JSON in place of a table.

    Returns
    -------
    bool
        Whether every model counted every image.
    """
    items = _items(images, truths)
    if output is not None:
        read = [item.path for item in items]
        read += [item.truth.path for item in items if item.truth]
        refuse_overwriting((output / name for name in FILES), read)
        output.mkdir(parents=True, exist_ok=True)
    models = _load(options)
    tally = Tally(
        records={name: [] for name in models}, scores={name: [] for name in models}
    )
    with held_interrupts() as leave_if_asked, progress_bar() as bar:
        job = options, output is not None, leave_if_asked
        _compare_all(items, models, job, tally, bar)
    if not tally.images:
        return False
    compared = _compared(tally, models)
    if output is not None:
        _write(output, compared, tally, _how(images, truths, options))
    if as_json:
        tell_json(_as_json(compared, tally))
    else:
        _print(compared)
    return not tally.failures


def _items(images: str, truths: Path | None) -> list[Item]:
    path = Path(images)
    if truths is None:
        paths = find_images([images])
        return [
            Item(name, path)
            for name, path in zip(result_names(paths), paths, strict=True)
        ]
    files = path if path.is_dir() else find_images([images])
    pairs = find_pairs(files, truths, (), "image")
    return [Item(pair.name, pair.path, pair.truth) for pair in pairs]


def _load(options: CompareOptions) -> dict[str, "Model"]:
    """Load each model once, by the name that it is shown with."""
    from napari_cresunet.inference import load_model

    models: dict[str, Model] = {}
    how = {"backend": options.backend, "precision": options.precision}
    for text in options.models:
        model = load_model(text, options.device, **how)
        name = model.card.name if model.card.name not in models else text
        if name in models:
            raise InputError(f"The model {text} is named twice: name it once.")
        models[name] = model
    return models


def _compare_all(
    items: Sequence[Item],
    models: dict[str, "Model"],
    job: tuple[CompareOptions, bool, Callable[[], None]],
    tally: Tally,
    bar: "Progress",
) -> None:
    """Run all models on one image after the other: no probability is kept."""
    options, wants_report, leave_if_asked = job
    images = bar.add_task("Images", total=len(items))
    tiles = bar.add_task("", total=None)

    def on_step(step: Step) -> None:
        bar.update(tiles, completed=step.done, total=step.total)
        if step.message:
            tell(f"{item.path}: {step.message}", bar.console)
        leave_if_asked()

    for item in items:
        bar.update(tiles, description=item.name, completed=0, total=None)
        try:
            is_shown = wants_report and len(tally.sections) < MOST_SHOWN
            _compare_one(item, models, options, (tally, is_shown, on_step))
        except EXPECTED_ERRORS as error:
            tally.failures.append(_told(item, error, bar))
        bar.advance(images)
        leave_if_asked()


def _told(item: Item, error: BaseException, bar: "Progress") -> dict[str, str]:
    message = one_line(error)
    paths = [str(item.path), str(item.truth.path) if item.truth else str(item.path)]
    if not any(path in message for path in paths):
        message = f"{item.path}: {message}"
    tell_error(message, bar.console)
    return {"name": item.name, "error": message}


def _compare_one(
    item: Item,
    models: dict[str, "Model"],
    options: CompareOptions,
    kept: tuple[Tally, bool, Callable[[Step], None]],
) -> None:
    """Run all models on one image; only if all succeed it is kept."""
    from napari_cresunet.evaluation import compare
    from napari_cresunet.export import ComparedImage, compare_section
    from napari_cresunet.inference import read_image

    tally, is_shown, on_step = kept
    image, truth = read_image(item.path), None
    probabilities, records = {}, {}
    comparisons: dict[str, Comparison] = {}
    for name, model in models.items():
        steps = iter_count(image, model, CountOptions(diameter=options.diameter))
        count = drain(steps, on_step)
        probabilities[name], records[name] = count.probability, count.record
        if item.truth is not None:
            if truth is None:
                truth = read_truth(item.truth, count.labels.shape)
            comparisons[name] = compare(count.labels, truth, options.rule)
    known = {"name": item.name, "file": str(item.path), "hash": hash_of(item.path)}
    if is_shown:
        counts = {name: record["count"] for name, record in records.items()}
        shown = ComparedImage(
            name=item.name,
            image=image,
            probabilities=probabilities,
            counts=counts,
            comparisons=comparisons,
        )
        tally.sections.append(compare_section(shown))
    tally.images.append(known)
    for name, record in records.items():
        tally.records[name].append(record)
        if comparisons:
            tally.scores[name].append(comparisons[name].scores)


def _compared(tally: Tally, models: dict[str, "Model"]) -> list["ComparedModel"]:
    from napari_cresunet.export import ComparedModel

    names = (
        *("model", "weights_hash", "device", "diameter", "threshold", "min_size"),
        *("min_distance", "preset", "version"),
    )
    return [
        ComparedModel(
            name=name,
            counts=tuple(record["count"] for record in tally.records[name]),
            seconds=sum(record["seconds"] for record in tally.records[name]),
            scores=tuple(tally.scores[name]),
            record={key: tally.records[name][0][key] for key in names},
        )
        for name in models
    ]


def _how(images: str, truths: Path | None, options: CompareOptions) -> dict[str, Any]:
    from importlib.metadata import version

    how = {
        "version": version("napari-cresunet"),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "images": images,
        "truth": None if truths is None else str(truths),
    }
    if truths is None:
        return how
    rule = options.rule
    names = ("max_distance", "matching", "center")
    return how | {name: getattr(rule, name) for name in names} | {"unit": "px"}


def _image_rows(
    models: Sequence["ComparedModel"], tally: Tally
) -> list[dict[str, Any]]:
    """Return one row for each image and model."""
    from napari_cresunet.export import plain_values

    rows = []
    for number, known in enumerate(tally.images):
        for model in models:
            record = tally.records[model.name][number]
            row = {"name": known["name"], "model": model.name}
            row |= {key: record[key] for key in ("count", "seconds")}
            if model.scores:
                row |= plain_values(model.scores[number].to_dict())
            rows.append(row)
    return rows


def _write(
    output: Path, models: Sequence["ComparedModel"], tally: Tally, how: dict[str, Any]
) -> None:
    from napari_cresunet.export import (
        compare_report,
        model_rows,
        models_figure,
        write_figure,
    )

    pooled = model_rows(models)
    rows = _image_rows(models, tally)
    rows += [{"name": "all"} | row for row in pooled]
    names = list(dict.fromkeys(name for row in rows for name in row))
    write_csv(output / "compare.csv", names, rows)
    write_figure(output / "compare.png", models_figure(models))
    report = compare_report(models, tally.sections, record=how)
    write_text(output / "report.html", report)
    known = {
        "models": [
            row | {"how": dict(model.record)}
            for row, model in zip(pooled, models, strict=True)
        ],
        "how": how,
        "files": tally.images,
        "failed": tally.failures,
    }
    write_json(output / "compare.json", known)


def _as_json(models: Sequence["ComparedModel"], tally: Tally) -> dict[str, Any]:
    from napari_cresunet.export import model_rows

    return {
        "models": model_rows(models),
        "images": _image_rows(models, tally),
        "failed": tally.failures,
    }


def _print(models: Sequence["ComparedModel"]) -> None:
    """Print one row for each model."""
    from rich.table import Table

    has_truth = all(model.scores for model in models)
    table = Table()
    table.add_column("Model", overflow="fold")
    titles = ["Cells", "Seconds"]
    if has_truth:
        titles = ["True", "Cells", "F1", "Precision", "Recall", "MAE", "MPE", "Seconds"]
    for title in titles:
        table.add_column(title, justify="right")
    for model in models:
        cells = [str(sum(model.counts))]
        if model.pooled is not None:
            cells = [str(model.pooled.true_count), *cells, *_score_cells(model)]
        table.add_row(model.name, *cells, f"{model.seconds:.1f}")
    console = stdout_console()
    console.print(table)
    if models[0].intervals:
        said = "Second lines are 95 % intervals, by resampling the images."
        console.print(said, soft_wrap=True)


def _score_cells(model: "ComparedModel") -> list[str]:
    from napari_cresunet.evaluation import aggregate

    scores, ends = aggregate(model.scores), model.intervals
    cells = []
    for name in ("f1", "precision", "recall"):
        value = getattr(scores, name)
        text = number_text(None if value != value else value)
        if name in ends:
            text += f"\n{ends[name][0]:.2f} to {ends[name][1]:.2f}"
        cells.append(text)
    return [*cells, f"{scores.mae:.3g}", percent_text(scores.mpe)]
