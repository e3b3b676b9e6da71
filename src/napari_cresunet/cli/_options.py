"""Options that several commands have."""

import re
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Folder for the results."),
]
Device = Annotated[
    str, typer.Option(metavar="D", help="auto, cpu, cuda, cuda:1 or mps.")
]
Backend = Annotated[
    str,
    typer.Option(
        metavar="B",
        help="What runs the network: auto, torch, or openvino on processors.",
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        metavar="P",
        help="auto, full, half (CUDA) or int8 (OpenVINO; quicker, other counts: see "
        "models quantize).",
    ),
]

CellsFile = Annotated[
    Path,
    typer.Argument(
        metavar="LABELS",
        help="The cells: a label image or mask, such as those of count -o, or an "
        "annotation file.",
    ),
]
RegionsFile = Annotated[
    Path | None,
    typer.Option(
        metavar="REGIONS",
        help="Areas in which to count: ImageJ regions, QuPath GeoJSON, or a label "
        "image.",
    ),
]
ProbabilityFile = Annotated[
    Path | None,
    typer.Option(
        metavar="P", help='The probability of "cell", such as that of count -o.'
    ),
]
PixelSides = Annotated[
    str | None,
    typer.Option(
        metavar="UM",
        help="Width of a pixel in µm, or height and width, such as 0.5x0.4; by "
        "default what the files say.",
    ),
]


def check_preset(preset: str | None) -> None:
    from napari_cresunet.segmentation import PRESETS

    if preset is not None and preset not in PRESETS:
        raise typer.BadParameter(
            f"{preset!r} is not one of {', '.join(PRESETS)}.", param_hint="'--preset'"
        )


def check_device(device: str) -> None:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
        raise typer.BadParameter(
            f"{device!r} is not one of auto, cpu, cuda, cuda:1, mps.",
            param_hint="'--device'",
        )


def check_running(backend: str, precision: str) -> None:
    from napari_cresunet.inference import BACKENDS, PRECISIONS

    for option, chosen, known in (
        ("--backend", backend, BACKENDS),
        ("--precision", precision, PRECISIONS),
    ):
        if chosen not in ("auto", *known):
            raise typer.BadParameter(
                f"{chosen!r} is not one of {', '.join(('auto', *known))}.",
                param_hint=f"'{option}'",
            )


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


def help_without_command(context: typer.Context) -> None:
    """Print the help and leave, if no command was named."""
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)
