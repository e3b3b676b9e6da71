"""Make the picture of a batch's report in docs/images.

Counts synthetic images with the default model, and lets a browser without a window draw
the page::

    python docs/make_batch_report.py [--browser chromium]
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import tifffile

from napari_cresunet.batch import BatchOptions, CountOptions, ListedImage, iter_batch
from napari_cresunet.datasets import NeuronScene, synthesize_neurons
from napari_cresunet.steps import drain

PICTURE = Path(__file__).resolve().parent / "images" / "batch-report.png"
SIZE = (1180, 1560)  # px
DIAMETER = 12.0  # px
PIXEL_UM = 1.2


def write_images(folder: Path) -> list[ListedImage]:
    """Write images of two groups, one of them crowded, and one that is no image."""
    random = np.random.default_rng(0)
    images = []
    for number in range(20):
        is_treated = number % 2 == 1
        n_cells = 160 if number == 12 else int(random.poisson(28 if is_treated else 14))
        scene = NeuronScene(
            height=300, width=400, n_cells=n_cells, diameter=DIAMETER, edge=False,
            n_unfocused=3, n_faint=3, n_filaments=1, n_dotted=1,
        )  # fmt: skip
        pixels, _ = synthesize_neurons(scene, seed=number)
        group = "treated" if is_treated else "control"
        path = folder / f"{group}_{number // 2 + 1:02}.tif"
        per_cm = 1e4 / PIXEL_UM
        tifffile.imwrite(
            path, pixels, photometric="rgb", resolution=(per_cm, per_cm),
            resolutionunit="CENTIMETER",
        )  # fmt: skip
        images.append(ListedImage(path=path, group=group))
    empty = folder / "control_11.tif"
    empty.touch()
    return [*images, ListedImage(path=empty, group="control")]


def main() -> None:
    """Count, and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", default="chromium")
    browser = parser.parse_args().browser
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "images"
        folder.mkdir()
        output = Path(name) / "results"
        os.chdir(name)  # so that paths in the picture are short
        options = BatchOptions(count=CountOptions(diameter=DIAMETER), report=True)
        images = write_images(folder.relative_to(name))
        result = drain(iter_batch(images, output, options))
        width, height = SIZE
        subprocess.run(
            [
                browser, "--headless", "--no-sandbox", "--hide-scrollbars",
                "--disable-gpu", f"--user-data-dir={name}/browser",
                f"--window-size={width},{height}", f"--screenshot={PICTURE}",
                f"file://{result.report}",
            ],
            check=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
