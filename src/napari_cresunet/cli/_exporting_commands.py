"""The command that exports cells, and its options."""

from pathlib import Path
from typing import Annotated

import typer

from napari_cresunet.cli._options import (
    AsJson,
    CellsFile,
    PixelSides,
    ProbabilityFile,
    RegionsFile,
    sides_in,
)


def add_export(app: typer.Typer) -> None:
    """Add export."""
    app.command()(export)


def export(
    labels: CellsFile,
    kind: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="csv, ome-tiff, imagej-roi, geojson, coco, overlay or report.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="What to write; by default the name of LABELS with the ending of the "
            "format.",
        ),
    ] = None,
    image: Annotated[
        Path | None,
        typer.Option(
            metavar="IMAGE",
            help="The image; found by itself if count -o wrote the labels.",
        ),
    ] = None,
    regions: RegionsFile = None,
    probability: ProbabilityFile = None,
    pixel_size: PixelSides = None,
    numbers: Annotated[
        bool,
        typer.Option("--numbers", help="Write its number into each cell (overlay)."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write cells in a format of other programs, as a picture or as a report.

    csv is the table of cells, with regions also that of regions, each with a .json
    beside it that says how it came about. An overlay is PNG, SVG or PDF, by the ending
    of FILE.
    """
    from napari_cresunet.cli._export_labels import export_labels
    from napari_cresunet.cli._measured_files import MeasureOptions
    from napari_cresunet.export import LABEL_FORMATS

    if kind not in LABEL_FORMATS:
        raise typer.BadParameter(
            f"{kind!r} is not one of {', '.join(LABEL_FORMATS)}.", param_hint="'--to'"
        )
    suffixes = LABEL_FORMATS[kind].suffixes
    if output is not None and output.suffix.lower() not in suffixes:
        raise typer.BadParameter(
            f"{output} does not end in {' or '.join(suffixes)}.",
            param_hint="'--output'",
        )
    options = MeasureOptions(
        image=image,
        regions=regions,
        probability=probability,
        pixel_size=None if pixel_size is None else sides_in(pixel_size),
    )
    export_labels(labels, kind, options, output, numbers=numbers, as_json=as_json)
