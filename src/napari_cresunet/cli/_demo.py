"""The command `demo`: the main job on a real image that comes with the package."""

import hashlib
import os
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.batch import (
    Count,
    CountOptions,
    iter_count,
    write_count,
    write_one,
)
from napari_cresunet.cli._files import write_png
from napari_cresunet.cli._terminal import progress_bar, tell
from napari_cresunet.steps import Step, drain

if TYPE_CHECKING:
    from napari_cresunet.inference import Model
    from napari_cresunet.plugin import Sample

SAMPLE = "neurons"
DEFAULT_FOLDER = Path("napari-cresunet-demo")

# FACTS of the data set: 40 px where a cell's mean diameter is 36.5 px, Morelli et al.,
# Sci Rep 11:22920 (2021).
MATCHING_DIAMETERS = 40 / 36.5

_OPEN_WINDOW = "from qtpy.QtWidgets import QApplication; QApplication([])"


def run_demo(output: Path | None, *, headless: bool) -> None:
    """Show the main job in napari, or write its results.

    Parameters
    ----------
    output : Path or None
        Folder for the results; None means `DEFAULT_FOLDER` if no window is opened, and
        no files if one is.
    headless : bool
        Whether to open no window even where that is possible.
    """
    obstacle = "" if headless else why_no_window()
    opens_window = not headless and not obstacle
    if obstacle:
        tell(f"No window is opened, because {obstacle}.")
    if output is not None or not opens_window:
        _write_results(output or DEFAULT_FOLDER)
    if opens_window:
        print("Opening napari; the count appears in the dock on the right.", flush=True)
        # By name: only the widgets may import napari, and nothing may import them.
        import_module("napari_cresunet.widgets.demo").open_demo(SAMPLE)


def why_no_window() -> str:
    """Return what prevents a napari window; empty if nothing does."""
    missing = [name for name in ("napari", "qtpy") if find_spec(name) is None]
    if missing:
        return "napari is not installed (pip install 'napari-cresunet[all]')"
    is_linux = sys.platform.startswith("linux")
    if is_linux and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return "there is no display"
    # In another process: Qt ends the process if the display does not answer.
    trial = subprocess.run(
        [sys.executable, "-c", _OPEN_WINDOW], capture_output=True, check=False
    )
    if trial.returncode:
        return "Qt cannot open one (docs/install.md names the packages that it needs)"
    return ""


def _write_results(output: Path) -> None:
    """Count the sample's cells, say how well, and write what there is to see."""
    from napari_cresunet.export import heatmap, overlay
    from napari_cresunet.inference import load_model
    from napari_cresunet.plugin import read_sample

    sample = read_sample(SAMPLE)
    model = load_model()
    print(f"{sample.title} ({sample.license})")
    count = _count_sample(sample, model)
    print(score_sentence(sample, count))
    pixel_hash = hashlib.sha256(sample.image.tobytes()).hexdigest()
    record = {"image": f"sample:{SAMPLE}", "image_hash": pixel_hash} | count.record
    record = write_count(output, SAMPLE, count, record)
    pictures = {
        "heatmap": heatmap(count.probability),
        "overlay": overlay(sample.image, count.labels, sample.labels),
    }
    for name, picture in pictures.items():
        write_png(output / f"{SAMPLE}_{name}.png", picture)
    write_one(output, SAMPLE, record, model.card)
    print(_file_list(output))


def _count_sample(sample: "Sample", model: "Model") -> Count:
    with progress_bar() as bar:
        tiles = bar.add_task(sample.title, total=None)

        def on_step(step: Step) -> None:
            bar.update(tiles, completed=step.done, total=step.total)

        options = CountOptions(diameter=sample.diameter)
        return drain(iter_count(sample.image, model, options), on_step)


def score_sentence(sample: "Sample", count: Count) -> str:
    """Return how the count compares with the truth.

    Parameters
    ----------
    sample : Sample
        Image and truth.
    count : Count
        What was counted in it.

    Returns
    -------
    str
        Count, true count and F1.
    """
    from napari_cresunet.evaluation import evaluate

    max_distance = MATCHING_DIAMETERS * sample.diameter
    scores = evaluate(count.labels, sample.labels, max_distance=max_distance)
    return (
        f"Counted {scores.predicted_count} cells, true count {scores.true_count}, "
        f"F1 {scores.f1:.2f} (precision {scores.precision:.2f}, "
        f"recall {scores.recall:.2f}, centers at most {max_distance:.1f} px apart)"
    )


def _file_list(output: Path) -> str:
    files = {
        f"{SAMPLE}_overlay.png": "counted cells blue, true cells reddish",
        f"{SAMPLE}_heatmap.png": "probability, from black to light yellow",
        f"{SAMPLE}_labels.tif": "one number for each counted cell",
        f"{SAMPLE}_probability.tif": "probability from 0 to 1",
        "counts.csv": "the count and how it was made",
        "counts.json": "the same with everything that is known of the model",
    }
    lines = [f"  {name:25} {text}" for name, text in files.items()]
    return "\n".join([f"Files in {output}:", *lines])
