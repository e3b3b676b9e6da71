"""Train the paper's systems under its protocol on one data set and compare them.

    python benchmarks/paper.py DATA RUN [--systems NAME ...] [--epochs N] [--minutes M]

DATA is a folder that `datasets.load_pairs` reads and that is divided into train and
test (and val, else a fifth of train is held out), such as fnc_small or Fluorescent
Neuronal Cells. Each system trains into RUN/NAME; interrupted, the same command goes on.
Thresholds are chosen on the validation images, then the test images are scored once.
RUN receives table.md, table.csv, thresholds.png and curves.png. docs/experiment.md says
more.
"""

import argparse
import csv
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from classical import iter_methods, score
from image_sets import FNC_DIAMETER, FNC_MATCH, Case
from matplotlib.figure import Figure

from napari_cresunet import LiveSegmenter, Model, Scores, aggregate, load_model, predict
from napari_cresunet.datasets import Pair, load_pairs, split_pairs, splits_in
from napari_cresunet.evaluation import bootstrap_intervals
from napari_cresunet.training import (
    MODEL,
    EpochRecord,
    TrainConfig,
    get_preset,
    iter_train,
    read_log,
)

SYSTEMS = (
    "attention-elu",
    "attention-relu",
    "c-resunet",
    "simple-c-resunet",
    "small-unet",
)
PAPER_WIDTH, PAPER_CROP, PAPER_STEP = 1600, 512, 400
"""Image, crop and distance of crops in the paper, in px: a grid of 4×3 crops."""
THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 20))
COLUMNS = {
    "f1": "F1",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "mae": "MAE",
    "medae": "MedAE",
    "mpe": "MPE",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One system on the test images."""

    name: str
    threshold: float
    scores: list[Scores]
    merged: int | None
    """True cells that share an object; None where objects are points."""


def with_sizes(pairs: Iterable[Pair]) -> list[Pair]:
    """Give every pair its cell diameter and matching distance."""
    sized = []
    for pair in pairs:
        diameter = pair.cell_diameter or FNC_DIAMETER
        if pair.match_distance and not pair.cell_diameter:
            diameter = pair.match_distance * FNC_DIAMETER / FNC_MATCH
        distance = pair.match_distance or diameter * FNC_MATCH / FNC_DIAMETER
        sized.append(replace(pair, cell_diameter=diameter, match_distance=distance))
    return sized


def read_splits(data: Path) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Return the images to learn from, to choose on and to test on."""
    training = with_sizes(load_pairs(data, split="train"))
    test = with_sizes(load_pairs(data, split="test"))
    if "val" in splits_in(data):
        return training, with_sizes(load_pairs(data, split="val")), test
    return *split_pairs(training, validation=0.2), test


def as_case(pair: Pair) -> Case:
    return Case(
        name=pair.name,
        image=pair.image,
        labels=pair.labels,
        diameter=pair.cell_diameter,
        match_distance=pair.match_distance,
    )


def usual_scale(pairs: list[Pair], diameter: float) -> float:
    """Return the size of what the network sees in parts of the paper's images."""
    widths = [
        max(pair.labels.shape) * (diameter / pair.cell_diameter if diameter else 1)
        for pair in pairs
    ]
    return float(np.median(widths)) / PAPER_WIDTH


def scaled(config: TrainConfig, scale: float, diameter: float) -> TrainConfig:
    """Return the settings for smaller images; what is no length in px stays."""
    return replace(
        config,
        diameter=diameter,
        crop_size=max(32, round(PAPER_CROP * scale / 16) * 16),
        crop_step=max(8, round(PAPER_STEP * scale)),
        elastic=config.elastic * scale,
    )


def trained(
    config: TrainConfig, pairs: tuple, folder: Path, *, minutes: float, device: str
) -> Model:
    """Train until the epochs, the time or the patience is over; return the best."""
    log = read_log(folder)
    if not log or log[-1].seconds < 60 * minutes:
        with closing(iter_train(config, *pairs, folder=folder, device=device)) as steps:
            for step in steps:
                if step.record is None:
                    continue
                print(config.name, step.record, "*" if step.is_best else "", flush=True)
                if step.record.seconds >= 60 * minutes:
                    break
    return load_model(folder / MODEL, device)


def predicted(model: Model, images: list[Case]) -> list[np.ndarray]:
    """Return probabilities; images are resampled where training did so, too."""
    is_resampled = bool(model.card.settings["diameter"])
    return [
        predict(case.image, model, diameter=case.diameter if is_resampled else None)
        for case in images
    ]


def iter_labels(
    model: Model, images: list[Case], thresholds: Iterable[float]
) -> Iterable[list[np.ndarray]]:
    """Yield the labels of all images at one threshold after another."""
    segmenters = [
        LiveSegmenter(
            probability, min_distance=model.card.min_distance_at(case.diameter)
        )
        for probability, case in zip(predicted(model, images), images, strict=True)
    ]
    sizes = [model.card.min_size_at(case.diameter) for case in images]
    for threshold in thresholds:
        yield [
            one.update(threshold, size)
            for one, size in zip(segmenters, sizes, strict=True)
        ]


def score_all(labels: list[np.ndarray], images: list[Case]) -> list[Scores]:
    return [score(*both) for both in zip(labels, images, strict=True)]


def search(model: Model, images: list[Case]) -> list[Scores]:
    """Return the pooled scores at every threshold."""
    found = iter_labels(model, images, THRESHOLDS)
    return [aggregate(score_all(labels, images)) for labels in found]


def best_threshold(searched: list[Scores]) -> float:
    """Return that with the highest F1; of equal ones that nearest to 0.5."""
    reached = [
        (np.nan_to_num(scores.f1), -abs(threshold - 0.5), threshold)
        for threshold, scores in zip(THRESHOLDS, searched, strict=True)
    ]
    return max(reached)[-1]


def merged_cells(labels: np.ndarray, truth: np.ndarray) -> int:
    """Count true cells of which half or more lies in one object with another's half."""
    both = (labels > 0) & (truth > 0)
    (objects, cells), overlaps = np.unique(
        [labels[both], truth[both]], axis=1, return_counts=True
    )
    areas = np.bincount(truth.ravel())
    is_held = 2 * overlaps >= areas[cells]
    objects, cells = objects[is_held], cells[is_held]
    return len(np.unique(cells[np.bincount(objects)[objects] > 1]))


def all_merged(labels: list[np.ndarray], images: list[Case]) -> int:
    pairs = zip(labels, images, strict=True)
    return sum(merged_cells(one, case.labels) for one, case in pairs)


def system_row(model: Model, threshold: float, images: list[Case]) -> Row:
    """Score a trained system."""
    (labels,) = iter_labels(model, images, [threshold])
    return Row(
        name=model.card.name,
        threshold=threshold,
        scores=score_all(labels, images),
        merged=all_merged(labels, images),
    )


def classical_rows(tuning: list[Case], images: list[Case]) -> list[Row]:
    """Tune and score the methods without a network."""
    return [
        Row(
            name=found.name,
            threshold=found.setting,
            scores=score_all(found.labels, images),
            merged=None if "blobs" in found.name else all_merged(found.labels, images),
        )
        for found in iter_methods(tuning, images)
    ]


def as_text(row: Row) -> str:
    """Return a row of the Markdown table: score (low to high)."""
    pooled, intervals = aggregate(row.scores), bootstrap_intervals(row.scores)
    cells = [row.name, f"{row.threshold:.2f}" if row.threshold else "Otsu's"]
    for name in COLUMNS:
        low, high = intervals[name]
        sign, digits = "+" if name == "mpe" else "", {"mae": 2, "medae": 1}.get(name, 3)
        low, high = (f"{value:{sign}.{digits}f}" for value in (low, high))
        cells.append(f"{getattr(pooled, name):{sign}.{digits}f} ({low} to {high})")
    cells.append("–" if row.merged is None else str(row.merged))
    return f"| {' | '.join(cells)} |"


def as_record(row: Row) -> dict[str, object]:
    """Return a row of the CSV table."""
    pooled, intervals = aggregate(row.scores), bootstrap_intervals(row.scores)
    record = {"system": row.name, "threshold": row.threshold, **pooled.to_dict()}
    for name in COLUMNS:
        record[f"{name}_low"], record[f"{name}_high"] = intervals[name]
    return {**record, "merged": row.merged}


def training_text(model: Model, folder: Path) -> str:
    """Return a row that says how a system was trained."""
    log, settings = read_log(folder), model.card.settings
    best = log[settings["best_epoch"] - 1]
    size = sum(values.numel() for values in model.network.parameters())
    cells = [
        *(model.card.name, f"{size:,}", settings["batch_size"], len(log)),
        *(
            settings["best_epoch"],
            f"{log[-1].seconds / 60:.0f}",
            f"{best.f1:.3f}",
        ),
    ]
    return f"| {' | '.join(map(str, cells))} |"


def write_tables(
    run: Path, rows: list[Row], models: dict[str, Model], heading: str
) -> None:
    """Write table.md and table.csv."""
    names = ["system", "threshold", *COLUMNS.values(), "merged cells"]
    lines = [heading, "", f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    lines += [as_text(row) for row in rows]
    lines += [
        "",
        "| system | parameters | batch | epochs | best | minutes | validation F1 |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(training_text(model, run / name) for name, model in models.items()),
    ]
    text = "\n".join(lines) + "\n"
    (run / "table.md").write_text(text, encoding="utf-8")
    print(text)
    records = [as_record(row) for row in rows]
    with (run / "table.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, list(records[0]))
        table.writeheader()
        table.writerows(records)


def draw_thresholds(searched: dict[str, list[Scores]]) -> Figure:
    """Draw F1, precision and recall of the validation images against the threshold."""
    figure = Figure(figsize=(3.2 * len(searched), 3), layout="constrained")
    panels = figure.subplots(1, len(searched), sharey=True, squeeze=False)[0]
    for axes, (name, pooled) in zip(panels, searched.items(), strict=True):
        for score_name, style in {"f1": "-", "precision": "--", "recall": ":"}.items():
            values = [getattr(one, score_name) for one in pooled]
            axes.plot(THRESHOLDS, values, style, label=COLUMNS[score_name])
        chosen = best_threshold(searched[name])
        axes.axvline(chosen, color="black", linewidth=0.8)
        axes.set(title=f"{name}: {chosen:.2f}", xlabel="threshold", ylim=(0, 1))
    panels[0].set_ylabel("on the validation images")
    panels[0].legend()
    return figure


def draw_curves(logs: dict[str, tuple[EpochRecord, ...]]) -> Figure:
    """Draw losses and validation F1 of all systems against the epoch."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    panels = figure.subplots(1, 3)
    titles = {
        "loss": "loss, training",
        "validation_loss": "loss, validation",
        "f1": "F1, validation",
    }
    for axes, (column, title) in zip(panels, titles.items(), strict=True):
        for name, log in logs.items():
            epochs = [record.epoch for record in log]
            values = [getattr(record, column) for record in log]
            axes.plot(epochs, values, label=name)
        axes.set(title=title, xlabel="epoch")
    panels[-1].set_ylim(0, 1)
    panels[0].legend(fontsize="small")
    return figure


def arguments_of_command() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--systems", nargs="+", default=SYSTEMS)
    parser.add_argument("--diameter", type=float, default=0, help="px; 0 is native")
    parser.add_argument("--scale", type=float, help="image size in the paper's; found")
    parser.add_argument("--epochs", type=int, default=200, help="most of each system")
    parser.add_argument("--minutes", type=float, default=np.inf, help="most of each")
    parser.add_argument(
        "--learning-rate",
        type=float,
        help="instead of the paper's, falling evenly to 0 over the epochs",
    )
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


def heading_of(
    arguments: argparse.Namespace, config: TrainConfig, splits: tuple
) -> str:
    """Return what must be known to read the table."""
    training, validation, test = map(len, splits)
    cells = sum(int(case.labels.max()) for case in splits[-1])
    limit = f"{arguments.epochs} epochs"
    if np.isfinite(arguments.minutes):
        limit += f" and {arguments.minutes:g} minutes"
    rate = f"{config.learning_rate:g}"
    if config.schedule == "decay":
        rate += ", falling evenly to 0"
    return (
        f"{test} test images, {cells} cells; {training} training and {validation} "
        "validation images. In brackets: 95 % bootstrap intervals over the test "
        f"images. At most {limit} each, crops of {config.crop_size} px every "
        f"{config.crop_step} px, learning rate {rate}."
    )


def main() -> None:
    arguments = arguments_of_command()
    training, validation, test = read_splits(arguments.data)
    scale = arguments.scale or usual_scale(training, arguments.diameter)
    models, searched = {}, {}
    for name in arguments.systems:
        config = replace(get_preset(name), epochs=arguments.epochs)
        if arguments.learning_rate:
            rate = arguments.learning_rate
            config = replace(config, learning_rate=rate, schedule="decay")
        config = scaled(config, scale, arguments.diameter)
        models[name] = trained(
            config,
            (training, validation),
            arguments.run / name,
            minutes=arguments.minutes,
            device=arguments.device,
        )
        searched[name] = search(models[name], [as_case(pair) for pair in validation])
    images = [as_case(pair) for pair in test]
    rows = [
        system_row(model, best_threshold(searched[name]), images)
        for name, model in models.items()
    ]
    tuning = [as_case(pair) for pair in validation + training]
    rows += classical_rows(tuning, images)
    heading = heading_of(arguments, config, (training, validation, images))
    write_tables(arguments.run, rows, models, heading)
    logs = {name: read_log(arguments.run / name) for name in models}
    draw_thresholds(searched).savefig(arguments.run / "thresholds.png", dpi=120)
    draw_curves(logs).savefig(arguments.run / "curves.png", dpi=120)


if __name__ == "__main__":
    main()
