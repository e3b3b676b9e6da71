"""The command that measures cells, and its options."""

import re
from pathlib import Path
from typing import Annotated

import typer

from napari_cresunet.cli._options import AsJson


def add_measure(app: typer.Typer) -> None:
    """Add measure."""
    app.command()(measure)


def measure(
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS",
            help="The cells: a label image or mask, such as those of count -o, or an "
            "annotation file.",
        ),
    ],
    image: Annotated[
        Path | None,
        typer.Option(metavar="IMAGE", help="The image, for the brightness of cells."),
    ] = None,
    regions: Annotated[
        Path | None,
        typer.Option(
            metavar="REGIONS",
            help="Areas in which to count: ImageJ regions, QuPath GeoJSON, or a label "
            "image.",
        ),
    ] = None,
    probability: Annotated[
        Path | None,
        typer.Option(
            metavar="P", help='The probability of "cell", such as that of count -o.'
        ),
    ] = None,
    pixel_size: Annotated[
        str | None,
        typer.Option(
            metavar="UM",
            help="Width of a pixel in µm, or height and width, such as 0.5x0.4; by "
            "default what the files say.",
        ),
    ] = None,
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


def sides_in(text: str) -> tuple[float, float]:
    """Return the height and width of a pixel."""
    sides = re.split(r"[x×]", text.strip().lower())
    try:
        numbers = [float(side) for side in sides]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or not all(0 < n < float("inf") for n in numbers):
        raise typer.BadParameter(
            f"{text!r} is no size of a pixel in µm, such as 0.5 or 0.5x0.4.",
            param_hint="'--pixel-size'",
        )
    return numbers[0], numbers[-1]
