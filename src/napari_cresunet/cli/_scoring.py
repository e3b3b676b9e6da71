"""The commands that compare cells with the truth, and their options."""

from pathlib import Path
from typing import Annotated

import typer

from napari_cresunet.cli._options import (
    AsJson,
    Backend,
    Device,
    Output,
    Precision,
    check_device,
    check_running,
)
from napari_cresunet.errors import InputError

SCORES = ("f1", "precision", "recall", "accuracy", "mae", "medae", "mpe")


def add_commands(app: typer.Typer) -> None:
    """Add evaluate, sweep and compare."""
    for command in (evaluate, sweep, compare):
        app.command()(command)


def evaluate(
    predictions: Annotated[
        Path,
        typer.Argument(
            metavar="PRED",
            help="What was found: label images or masks, a file or a folder, such as "
            "that of count -o.",
        ),
    ],
    truth: Annotated[
        Path,
        typer.Argument(
            metavar="TRUTH",
            help="What is true: label images, masks or annotation files, a file or a "
            "folder; paired by name.",
        ),
    ],
    max_distance: Annotated[
        float | None,
        typer.Option(
            metavar="D",
            min=0,
            help="Largest distance of two centers that belong together, in px; 40 by "
            "default. Set it to about the diameter of a cell.",
        ),
    ] = None,
    matching: Annotated[
        str,
        typer.Option(
            metavar="M",
            help="optimal: as many pairs as possible; greedy: as Morelli et al. 2021.",
        ),
    ] = "optimal",
    center: Annotated[
        str,
        typer.Option(
            metavar="C",
            help="Center of a cell: of its bounding box, or its centroid.",
        ),
    ] = "box",
    pixel_size: Annotated[
        float | None,
        typer.Option(
            metavar="UM",
            min=1e-9,
            help="Width of a pixel in µm; --max-distance is then in µm.",
        ),
    ] = None,
    iou: Annotated[
        bool,
        typer.Option("--iou", help="Also compare outlines, by the pixels they share."),
    ] = False,
    images: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGES",
            help="The images, for the report; found by themselves if count -o wrote "
            "the labels.",
        ),
    ] = None,
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Compare counted cells with the truth.

    Prints F1, precision, recall and the errors of the counts, for each image and for
    all. With -o it also writes scores.csv, failures.csv, counts.png, report.html and
    evaluation.json.
    """
    from napari_cresunet.cli._evaluate import EvaluateOptions, evaluate_files
    from napari_cresunet.evaluation import MatchRule

    if pixel_size is not None and max_distance is None:
        raise typer.BadParameter(
            "--pixel-size needs --max-distance, in µm.", param_hint="'--pixel-size'"
        )
    try:
        rule = MatchRule(
            max_distance=40.0 if max_distance is None else max_distance,
            matching=matching,
            center=center,
            spacing=pixel_size or 1.0,
        )
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
    unit = "px" if pixel_size is None else "µm"
    options = EvaluateOptions(rule=rule, unit=unit, images=images, with_overlaps=iou)
    if not evaluate_files(predictions, truth, options, output, as_json=as_json):
        raise typer.Exit(1)


def sweep(
    images: Annotated[
        str,
        typer.Argument(
            metavar="IMAGES",
            help="A folder, file or pattern of images; or a folder of count -o, whose "
            "probability images are then used as they are.",
        ),
    ],
    truth: Annotated[
        Path,
        typer.Argument(
            metavar="TRUTH",
            help="What is true: label images, masks or annotation files, paired by "
            "name.",
        ),
    ],
    output: Output = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="M",
            help="Name or file of a model; by default that of count, or none where "
            "there are probability images.",
        ),
    ] = None,
    diameter: Annotated[
        float | None,
        typer.Option(metavar="PX", min=0.1, help="Diameter of a cell in your images."),
    ] = None,
    thresholds: Annotated[
        str,
        typer.Option(
            metavar="T",
            help="Thresholds to try: from, to and step, or a list such as 0.3,0.5.",
        ),
    ] = "0.05:0.95:0.05",
    distances: Annotated[
        str | None,
        typer.Option(
            metavar="D",
            help="Largest distances of two centers that belong together, in px; the "
            "largest decides which setting is the best. By default 40 px, in "
            "proportion to the diameter if it is given.",
        ),
    ] = None,
    min_sizes: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Smallest cells to try, in px; by default the model's own.",
        ),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="SCORE",
            help="What decides: f1, precision, recall, accuracy, mae, medae or mpe.",
        ),
    ] = "f1",
    device: Device = "auto",
    backend: Backend = "auto",
    precision: Precision = "auto",
    as_json: AsJson = False,
) -> None:
    """Find the threshold and the smallest cell that agree best with the truth.

    Prints the best setting and the command that uses it. With -o it writes sweep.csv
    with the scores of all settings, sweep.png and sweep.json.
    """
    from napari_cresunet.cli._ranges import numbers_in
    from napari_cresunet.cli._sweep import sweep_files
    from napari_cresunet.cli._sweep_sources import SweepOptions
    from napari_cresunet.evaluation import usual_distance

    check_device(device)
    check_running(backend, precision)
    _check_choice("--by", by, SCORES)
    sizes = () if min_sizes is None else numbers_in("--min-sizes", min_sizes, low=0)
    if any(size != int(size) for size in sizes):
        raise typer.BadParameter(
            "Sizes are whole numbers of px.", param_hint="'--min-sizes'"
        )
    options = SweepOptions(
        model=model,
        diameter=diameter,
        device=device,
        backend=backend,
        precision=precision,
        thresholds=numbers_in("--thresholds", thresholds, low=0, high=1),
        distances=(
            (usual_distance(diameter),)
            if distances is None
            else numbers_in("--distances", distances, low=0)
        ),
        min_sizes=tuple(map(int, sizes)),
        by=by,
    )
    if not sweep_files(images, truth, options, output, as_json=as_json):
        raise typer.Exit(1)


def compare(
    images: Annotated[
        str,
        typer.Argument(metavar="IMAGES", help="A folder, file or pattern of images."),
    ],
    truth: Annotated[
        Path | None,
        typer.Argument(
            metavar="[TRUTH]",
            show_default=False,
            help="What is true: label images, masks or annotation files, paired by "
            "name; nothing or - where it is not known.",
        ),
    ] = None,
    models: Annotated[
        str,
        typer.Option(
            "--models",
            metavar="A,B,C",
            help="Names or files of the models, with commas; see models list.",
        ),
    ] = "",
    diameter: Annotated[
        float | None,
        typer.Option(metavar="PX", min=0.1, help="Diameter of a cell in your images."),
    ] = None,
    max_distance: Annotated[
        float | None,
        typer.Option(
            metavar="D",
            min=0,
            help="Largest distance of two centers that belong together, in px. By "
            "default 40 px, in proportion to the diameter if it is given.",
        ),
    ] = None,
    device: Device = "auto",
    backend: Backend = "auto",
    precision: Precision = "auto",
    output: Output = None,
    as_json: AsJson = False,
) -> None:
    """Count with several models and show where they disagree.

    Prints what each model counts and, with TRUTH, how right it is. With -o it writes
    compare.csv, compare.png, compare.json and report.html, with heatmaps side by side
    and the places where one model is right and another wrong.
    """
    from napari_cresunet.cli._compare import CompareOptions, compare_models
    from napari_cresunet.evaluation import MatchRule, usual_distance

    if max_distance is None:
        max_distance = usual_distance(diameter)
    check_device(device)
    check_running(backend, precision)
    names = tuple(name.strip() for name in models.split(",") if name.strip())
    if len(names) < 2:
        raise typer.BadParameter(
            "Name at least two models, with commas.", param_hint="'--models'"
        )
    options = CompareOptions(
        models=names,
        diameter=diameter,
        device=device,
        backend=backend,
        precision=precision,
        rule=MatchRule(max_distance=max_distance),
    )
    truths = None if truth is None or str(truth) == "-" else truth
    if not compare_models(images, truths, options, output, as_json=as_json):
        raise typer.Exit(1)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise typer.BadParameter(
            f"{value!r} is not one of {', '.join(choices)}.", param_hint=f"'{name}'"
        )
