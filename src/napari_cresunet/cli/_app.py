"""The commands and their options; each loads what it needs when it runs."""

import re
from pathlib import Path
from typing import Annotated

import typer

from napari_cresunet.errors import InputError

app = typer.Typer(
    help="Count fluorescent cells with c-ResUnet networks.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
models_app = typer.Typer(help="List, describe and import models.")
app.add_typer(models_app, name="models")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Folder for the results."),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("napari-cresunet"))
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version and leave.",
        ),
    ] = False,
) -> None:
    """Count fluorescent cells with c-ResUnet networks."""
    _help_without_command(context)


@models_app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List, describe and import models."""
    _help_without_command(context)


def _help_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)


@app.command()
def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Open no window, write files instead.")
    ] = False,
    output: Output = None,
) -> None:
    """Count the cells of a real image that comes with the package.

    Opens napari with the image and the dock "Segment and count". With --headless, and
    where no window can be opened, it writes heatmap, labels, overlay and counts to
    ./napari-cresunet-demo or to the folder given by -o.
    """
    from napari_cresunet.cli._demo import run_demo

    run_demo(output, headless=headless)


@app.command()
def count(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="TIFF, OME-TIFF, PNG, JPEG or BMP files, folders or patterns.",
        ),
    ],
    output: Output = None,
    model: Annotated[
        str,
        typer.Option(help="Name of a model, or a .safetensors or Keras .h5 file."),
    ] = "simple-c-resunet",
    diameter: Annotated[
        float | None,
        typer.Option(
            metavar="PX",
            min=0.1,
            help="Diameter of a cell in your image; by default that of the training "
            "images. Set it: it matters most.",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="T",
            min=0,
            max=1,
            help="Cell where the probability is greater; by default the model's.",
        ),
    ] = None,
    min_size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Smallest cell in px; by default the model's, grown or shrunk with "
            "the diameter.",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="D", help="auto, cpu, cuda, cuda:1 or mps.")
    ] = "auto",
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="P",
            help="Recipe from probability to cells: tashfeen2025 (by default) or "
            "morelli2021.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count the cells of images.

    Prints one row for each image. With -o it also writes NAME_labels.tif and
    NAME_probability.tif for each image, counts.csv, and counts.json with everything
    that is known of how the counts came about.
    """
    from napari_cresunet.cli._count import count_images
    from napari_cresunet.cli._counting import CountOptions

    _check_preset(preset)
    _check_device(device)
    try:
        options = CountOptions(
            diameter=diameter, threshold=threshold, min_size=min_size, preset=preset
        )
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
    if not count_images(images, model, device, options, output, as_json=as_json):
        raise typer.Exit(1)


def _check_preset(preset: str | None) -> None:
    from napari_cresunet.segmentation import PRESETS

    if preset is not None and preset not in PRESETS:
        raise typer.BadParameter(
            f"{preset!r} is not one of {', '.join(PRESETS)}.", param_hint="'--preset'"
        )


def _check_device(device: str) -> None:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
        raise typer.BadParameter(
            f"{device!r} is not one of auto, cpu, cuda, cuda:1, mps.",
            param_hint="'--device'",
        )


@models_app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the models that can be found by name."""
    from napari_cresunet.cli._models import print_models

    print_models(as_json=as_json)


@models_app.command("info")
def info_command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name or file of a model.")
    ],
    as_json: AsJson = False,
) -> None:
    """Tell what a model was trained on, what it reaches and on what terms."""
    from napari_cresunet.cli._models import print_card

    print_card(name, as_json=as_json)


@models_app.command("import")
def import_command(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A .safetensors or Keras 2 .h5 file."),
    ],
    name: Annotated[
        str | None, typer.Option(metavar="N", help="Its name from now on.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace your model of that name.")
    ] = False,
) -> None:
    """Take a model into your own folder, so that it is found by name."""
    from napari_cresunet.cli._models import import_file

    import_file(file, name, overwrite=overwrite)
