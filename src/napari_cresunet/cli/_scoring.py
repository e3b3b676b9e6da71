"""The commands that compare cells with the truth, and their options."""

from pathlib import Path
from typing import Annotated

import typer

from napari_cresunet.cli._options import AsJson, Output
from napari_cresunet.errors import InputError


def add_commands(app: typer.Typer) -> None:
    """Add evaluate, sweep and compare."""
    for command in (evaluate,):
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
