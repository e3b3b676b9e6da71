"""The command `models quantize`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.batch import find_images
from napari_cresunet.cli._interrupts import held_interrupts
from napari_cresunet.cli._terminal import progress_bar, stdout_console, tell_json
from napari_cresunet.cli._truth_pairs import find_pairs, read_truth
from napari_cresunet.errors import InputError
from napari_cresunet.steps import Step, drain

if TYPE_CHECKING:
    from napari_cresunet.inference import CalibrationImage


def quantize(
    name: str,
    images: Sequence[str],
    truths: Path | None,
    diameter: float | None,
    *,
    as_json: bool,
) -> None:
    """Bring a model to 8 bits and print what that changes.

    Parameters
    ----------
    name : str
        Name or file of the model.
    images : sequence of str
        Files, folders and patterns; none stands for the samples of the package.
    truths : Path or None
        A folder with their truths, if there are any.
    diameter : float or None
        Of a cell in the images, in px.
    as_json : bool
        Whether stdout gets JSON in place of a sentence.

    Raises
    ------
    InputError
        If OpenVINO or nncf is missing, or an image cannot be read.
    """
    from napari_cresunet.inference import iter_quantize, load_model

    if not images and (truths is not None or diameter is not None):
        raise InputError(
            "--truth and --diameter are for images of yours: name the images, too."
        )
    model = load_model(name, "cpu", backend="torch")
    chosen = _calibration(images, truths, diameter) if images else None
    with held_interrupts() as leave_if_asked, progress_bar() as bar:
        task = bar.add_task("Images", total=None)

        def on_step(step: Step) -> None:
            bar.update(task, completed=step.done, total=step.total)
            leave_if_asked()

        steps = iter_quantize(model.card, model.network, chosen)
        _, quantized = drain(steps, on_step)
    if as_json:
        tell_json({"model": model.card.name} | asdict(quantized))
        return
    stdout_console().print(
        f"{quantized.text} Use it with: --model {name} --precision int8",
        soft_wrap=True,
    )


def _calibration(
    images: Sequence[str], truths: Path | None, diameter: float | None
) -> list["CalibrationImage"]:
    """Read images, and their truths where they are."""
    from napari_cresunet.inference import CalibrationImage, plane_shape, read_image

    paths = find_images(images)
    found = {}
    if truths is not None:
        pairs = find_pairs(paths, truths, (), "image")
        found = {pair.path: pair.truth for pair in pairs}
    chosen = []
    for path in paths:
        image, truth = read_image(path), None
        if path in found:
            leading, size, _ = plane_shape(image)
            truth = read_truth(found[path], (*leading, *size))
        chosen.append(CalibrationImage(image=image, diameter=diameter, truth=truth))
    return chosen
