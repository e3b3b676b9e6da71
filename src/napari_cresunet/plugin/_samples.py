"""Images with ground truth that come with the package."""

from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Image, Labels
from napari_cresunet.errors import InputError

LayerTuple = tuple[NDArray[Any], dict[str, Any], Literal["image", "labels"]]

SAMPLES = ("neurons", "nuclei", "synthetic")
"""Names of the samples; the first is the one that demonstrations use."""

_CC_BY_SA = "CC BY-SA 4.0, Fluorescent Neuronal Cells, Clissa, Morelli, Dalla et al."
_CC0 = "CC0 1.0, BBBC039v1 of the Broad Bioimage Benchmark Collection"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sample:
    """An image with its ground truth."""

    image: Image
    """(Y, X) uint16 or (Y, X, 3) uint8."""
    labels: Labels
    """(Y, X): 0 is background, 1..N are the cells."""
    diameter: float
    """Mean diameter of a cell in px."""
    title: str
    """What it is called in a menu."""
    license: str
    """On what terms it may be used, and whose it is."""


def read_sample(name: str) -> Sample:
    """Read, or for "synthetic" draw, one of the samples.

    Parameters
    ----------
    name : str
        One of `SAMPLES`.

    Returns
    -------
    Sample
        The image and its truth.

    Raises
    ------
    InputError
        If there is no such sample.

    Examples
    --------
    >>> sample = read_sample("neurons")
    >>> sample.image.shape, int(sample.labels.max())
    ((225, 300, 3), 23)
    """
    if name == "neurons":
        # 36.5 px in the original (Morelli et al. 2021), reduced to 300 of 1600 columns.
        return _stored(name, 36.5 * 300 / 1600, "Neurons in a brain slice", _CC_BY_SA)
    if name == "nuclei":
        return _stored(name, 28.0, "Nuclei, 16 bit (BBBC039)", _CC0)
    if name == "synthetic":
        return _synthetic()
    raise InputError(f"There is no sample {name!r}; choose from {', '.join(SAMPLES)}.")


def _stored(name: str, diameter: float, title: str, terms: str) -> Sample:
    return Sample(
        image=_read(f"{name}.png"),
        labels=_read(f"{name}_truth.png").astype(np.int32),
        diameter=diameter,
        title=title,
        license=terms,
    )


def _read(file_name: str) -> NDArray[Any]:
    from imageio.v3 import imread

    resource = files("napari_cresunet.plugin") / "samples" / file_name
    with as_file(resource) as path:
        return np.asarray(imread(path))


def _synthetic() -> Sample:
    from napari_cresunet.datasets import NeuronScene, synthesize_neurons

    scene = NeuronScene(height=600, width=800, n_cells=24)
    image, labels = synthesize_neurons(scene, seed=2021)
    return Sample(
        image=image,
        labels=labels,
        diameter=scene.diameter,
        title="Synthetic neurons",
        license="CC0 1.0, drawn by napari-cresunet",
    )


def neurons() -> list[LayerTuple]:
    """Return layers of real neurons in a brain slice, with the truth hidden."""
    return _layers(read_sample("neurons"))


def nuclei() -> list[LayerTuple]:
    """Return layers of real nuclei of 16 bit, with the truth hidden."""
    return _layers(read_sample("nuclei"))


def synthetic() -> list[LayerTuple]:
    """Return layers of synthetic neurons, with the truth hidden."""
    return _layers(read_sample("synthetic"))


def _layers(sample: Sample) -> list[LayerTuple]:
    metadata = {"cresunet": {"diameter": sample.diameter}, "license": sample.license}
    image = {
        "name": sample.title,
        "rgb": sample.image.ndim == 3,
        "metadata": metadata,
    }
    truth = {
        "name": f"{sample.title} (truth)",
        "visible": False,
        "metadata": {"cresunet": {"truth": True}, "license": sample.license},
    }
    return [(sample.image, image, "image"), (sample.labels, truth, "labels")]
