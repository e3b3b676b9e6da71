"""Draw the figures of docs/images that need no window.

    python docs/make_figures.py

synthetic_neurons.png: the bundled real sample (left) beside a synthetic image of the
same size and cell diameter (right), both three times as bright, true cells outlined.
"""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
from skimage.segmentation import find_boundaries

from napari_cresunet.datasets import NeuronScene, synthesize_neurons
from napari_cresunet.plugin import read_sample

IMAGES = Path(__file__).parent / "images"
ENLARGE, BRIGHTEN = 3, 3
CYAN = (0, 255, 255)


def outlined(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the image enlarged and brightened, its cells outlined."""
    large, cells = (
        array.repeat(ENLARGE, axis=0).repeat(ENLARGE, axis=1)
        for array in (image, labels)
    )
    picture = np.clip(large.astype(np.uint16) * BRIGHTEN, 0, 255).astype(np.uint8)
    picture[find_boundaries(cells, mode="outer")] = CYAN
    return picture


def main() -> None:
    real = read_sample("neurons")
    height, width = real.labels.shape
    scene = NeuronScene(
        height=height,
        width=width,
        diameter=real.diameter,
        n_cells=int(real.labels.max()),
        clumping=0.6,
        n_filaments=12,
        n_faint=20,
        brightness=0.4,
        tissue=0.01,
        edge=False,
    )
    pair = [outlined(real.image, real.labels)]
    pair.append(outlined(*synthesize_neurons(scene, seed=3)))
    gap = np.full((height * ENLARGE, 12, 3), 255, np.uint8)
    IMAGES.mkdir(exist_ok=True)
    iio.imwrite(IMAGES / "synthetic_neurons.png", np.hstack([pair[0], gap, pair[1]]))


if __name__ == "__main__":
    main()
