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
