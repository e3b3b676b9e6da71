"""The commands that list, describe, take in and hand out models, and their options."""

from pathlib import Path
from typing import Annotated

import typer

from napari_cresunet.cli._options import AsJson, help_without_command

models_app = typer.Typer(
    help="List, describe, download, import, quantize and export models."
)


@models_app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List, describe, download, import, quantize and export models."""
    help_without_command(context)


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
        typer.Argument(
            metavar="FILE",
            help="A .safetensors, Keras 2 .h5 or fluocells .pth file.",
        ),
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


@models_app.command("download")
def download_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Which; lists them if none is given."),
    ] = None,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="All that there are.")
    ] = False,
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="A mirror of https://raw.githubusercontent.com."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace your models of these names.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the weights that the authors of c-ResUnet released.

    Without a name it lists them. A download that was interrupted goes on where it
    stopped.
    """
    from napari_cresunet.cli._download import download, print_released

    if all_of_them:
        from napari_cresunet.weights import RELEASED

        names = list(RELEASED)
    if names:
        download(names, base_url=base_url, overwrite=overwrite, as_json=as_json)
    else:
        print_released(as_json=as_json)


@models_app.command("quantize")
def quantize_command(
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="Name or file of a model.")
    ],
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="IMAGE",
            show_default=False,
            help="Images of the kind that you count: files, folders or patterns; by "
            "default samples of the package.",
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Their truth, paired by name, to measure F1."
        ),
    ] = None,
    diameter: Annotated[
        float | None,
        typer.Option(metavar="PX", min=0.1, help="Diameter of a cell in the images."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a model to 8 bits, and measure what that changes.

    count --precision int8 uses it from then on. It is quicker, but finds slightly
    other cells.
    """
    from napari_cresunet.cli._quantize import quantize

    quantize(name, images or [], truth, diameter, as_json=as_json)


@models_app.command("export")
def export_command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name or file of a model.")
    ],
    kind: Annotated[
        str,
        typer.Option("--to", metavar="FORMAT", help="onnx, torchscript or bioimageio."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="What to write; by default NAME with the ending of the format.",
        ),
    ] = None,
) -> None:
    """Write a model in a format that other programs run."""
    from napari_cresunet.cli._export import export_model

    export_model(name, kind, output)
