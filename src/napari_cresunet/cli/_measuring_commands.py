"""The command that measures cells, and its options."""

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


def add_measure(app: typer.Typer) -> None:
    """Add measure."""
    app.command()(measure)


def measure(
    labels: CellsFile,
    image: Annotated[
        Path | None,
        typer.Option(metavar="IMAGE", help="The image, for the brightness of cells."),
    ] = None,
    regions: RegionsFile = None,
    probability: ProbabilityFile = None,
    pixel_size: PixelSides = None,
    link_planes: Annotated[
        bool,
        typer.Option(
            "--link-planes",
            help="In a stack, count a cell once that is seen on several planes.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Table of the cells, such as cells.csv.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure cells, and count them in regions.

    Prints count, area and density of each region and of the whole image. With -o
    cells.csv it also writes that table of all cells, cells_regions.csv with the counts,
    and beside each a .json that says how it came about.
    """
    from napari_cresunet.cli._measure import measure_file
    from napari_cresunet.cli._measured_files import MeasureOptions

    if output is not None and output.suffix.lower() != ".csv":
        raise typer.BadParameter(
            f"{output} does not end in .csv.", param_hint="'--output'"
        )
    options = MeasureOptions(
        image=image,
        regions=regions,
        probability=probability,
        pixel_size=None if pixel_size is None else sides_in(pixel_size),
        is_linked=link_planes,
    )
    measure_file(labels, options, output, as_json=as_json)
