"""The commands and their options; each loads what it needs when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from napari_cresunet.cli._exporting_commands import add_export
from napari_cresunet.cli._measuring_commands import add_measure
from napari_cresunet.cli._model_commands import models_app
from napari_cresunet.cli._options import (
    AsJson,
    Backend,
    Device,
    Output,
    Precision,
    check_device,
    check_preset,
    check_running,
    help_without_command,
)
from napari_cresunet.cli._scoring import add_commands
from napari_cresunet.errors import InputError

app = typer.Typer(
    help="Count fluorescent cells with c-ResUnet networks.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(models_app, name="models")


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
    help_without_command(context)


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
            help="TIFF, OME-TIFF, PNG, JPEG or BMP files, OME-Zarr folders, folders of "
            "images, patterns, or CSV lists of images.",
        ),
    ],
    output: Output = None,
    model: Annotated[
        str,
        typer.Option(help="Name of a model, or a .safetensors or Keras .h5 file."),
    ] = "fluorescent-cells",
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
            help="Smallest cell in px; by default the model's, grown or shrunk where "
            "the image is resampled.",
        ),
    ] = None,
    device: Device = "auto",
    backend: Backend = "auto",
    precision: Precision = "auto",
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="P",
            help="Recipe from probability to cells: tashfeen2025 (by default) or "
            "morelli2021.",
        ),
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(
            metavar="C",
            help="Channel of OME-Zarr and large TIFF that have several: its number "
            "from 0, or its name.",
        ),
    ] = None,
    no_probability: Annotated[
        bool,
        typer.Option("--no-probability", help="Write no NAME_probability.tif."),
    ] = False,
    overlay: Annotated[
        bool,
        typer.Option("--overlay", help="Write NAME_overlay.png: cells outlined."),
    ] = False,
    cells: Annotated[
        bool, typer.Option("--cells", help="Write NAME_cells.csv: a row for each cell.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Write report.html over all images.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Count again what is counted already, or was reviewed."
        ),
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="S",
            help="Count on a Dask cluster: tcp://HOST:PORT, local:N processes, slurm:N "
            "jobs, or a YAML file of jobs.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count the cells of images.

    Prints one row for each image. With -o it also writes NAME_labels.tif and
    NAME_probability.tif for each image, counts.csv, regions.csv, and counts.json with
    everything that is known of how the counts came about. Images that were counted
    there before in the same way are skipped, so the same command goes on after an
    interruption.
    """
    from napari_cresunet.batch import BatchOptions, CountOptions, ModelSpec
    from napari_cresunet.cli._count import count_images

    check_preset(preset)
    check_device(device)
    check_running(backend, precision)
    try:
        options = BatchOptions(
            model=ModelSpec(model, device, backend, precision),
            count=CountOptions(
                diameter=diameter, threshold=threshold, min_size=min_size, preset=preset
            ),
            channel=channel,
            probability=not no_probability,
            overlay=overlay,
            cells=cells,
            report=report,
            again=again,
        )
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
    if output is None and (overlay or cells or report):
        raise typer.BadParameter("--overlay, --cells and --report need -o DIR.")
    if not count_images(images, options, output, scheduler=scheduler, as_json=as_json):
        raise typer.Exit(1)


add_commands(app)
add_measure(app)
add_export(app)


@app.command()
def train(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMAGES [MASKS]]",
            show_default=False,
            help="A folder with images and their truth, or two: images, and masks or "
            "label images of the same names.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="RUN",
            help="Folder for settings, log, curves, checkpoints and model.",
        ),
    ] = None,
    system: Annotated[
        str,
        typer.Option(
            metavar="S", help="Whose settings: see --systems for all of them."
        ),
    ] = "fluorescent-cells",
    start: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Model to go on from; gives network, scaling and cell diameter.",
        ),
    ] = None,
    freeze_encoder: Annotated[
        bool,
        typer.Option("--freeze-encoder", help="Only bridge, decoder and head learn."),
    ] = False,
    name: Annotated[
        str | None, typer.Option(metavar="N", help="What the new model is called.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Largest number of epochs.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Change one of the system's settings; may be repeated.",
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN", help="Go on with an interrupted training; nothing else."
        ),
    ] = None,
    systems: Annotated[
        bool, typer.Option("--systems", help="List the systems and leave.")
    ] = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Train a model on images with true cells.

    Writes RUN/model.safetensors, the best model on the images held out, and beside it
    how it came about. Ctrl+C keeps the best model so far; the same command, or
    --resume RUN, goes on. On several GPUs: torchrun --nproc-per-node N -m
    napari_cresunet train ...
    """
    from napari_cresunet.cli import _train

    check_device(device)
    if systems:
        _train.print_systems(as_json=as_json)
        return
    if resume is not None:
        if data:
            raise typer.BadParameter("--resume takes no images; it knows them.")
        _train.resume_training(resume, device, as_json=as_json)
        return
    if not data or len(data) > 2 or output is None:
        raise typer.BadParameter(
            "Give one or two folders (images with truth) and -o RUN."
        )
    try:
        settings = [*(setting or [])]
        settings += [f"name={name}"] if name else []
        settings += [f"epochs={epochs}"] if epochs else []
        settings += ["freeze_encoder=true"] if freeze_encoder else []
        config = _train.changed(_train.first_config(system, start), settings)
    except InputError as error:
        raise typer.BadParameter(str(error)) from error
    _train.train_model(data, output, config, device, as_json=as_json)


@app.command()
def benchmark(
    quick: Annotated[
        bool, typer.Option("--quick", help="Small images, no memory, under a minute.")
    ] = False,
    device: Device = "auto",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Also write it, as .md or .json."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how fast this computer counts, beside a plain pipeline.

    The plain pipeline is torch on the whole image, then scikit-image calls one after
    another. Prints how many times faster each way is that this computer has, its peak
    memory, and how time grows with pixels and with cells. Takes minutes.
    """
    from dataclasses import replace

    from napari_cresunet.benchmarking import QUICK, BenchmarkOptions
    from napari_cresunet.cli._benchmark import run_benchmark

    check_device(device)
    options = replace(QUICK if quick else BenchmarkOptions(), device=device)
    run_benchmark(options, output, as_json=as_json)
