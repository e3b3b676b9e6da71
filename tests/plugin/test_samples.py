"""The samples are what their README says, and open as layers."""

import re
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest

from napari_cresunet.errors import InputError
from napari_cresunet.plugin import SAMPLES, neurons, nuclei, read_sample, synthetic


def test_the_neurons_are_an_rgb_picture_with_23_labeled_cells():
    sample = read_sample("neurons")
    assert sample.image.shape == (225, 300, 3)
    assert sample.image.dtype == np.uint8
    assert sample.labels.shape == (225, 300)
    assert np.array_equal(np.unique(sample.labels), np.arange(24))
    assert sample.diameter == pytest.approx(6.84, abs=0.005)


def test_the_nuclei_keep_their_16_bit():
    sample = read_sample("nuclei")
    assert sample.image.shape == (520, 696)
    assert sample.image.dtype == np.uint16
    assert 255 < sample.image.max() < 4096
    assert sample.labels.max() == 126


def test_synthetic_neurons_are_the_same_every_time():
    first, second = read_sample("synthetic"), read_sample("synthetic")
    assert np.array_equal(first.image, second.image)
    assert first.labels.max() == 24


def test_an_unknown_sample_is_refused_with_the_choice():
    message = "There is no sample 'neuron'; choose from neurons, nuclei, synthetic."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_sample("neuron")


@pytest.mark.parametrize("opened", [neurons, nuclei, synthetic])
def test_a_sample_opens_as_an_image_and_its_hidden_truth(opened):
    (image, image_options, image_type), (truth, truth_options, truth_type) = opened()
    assert (image_type, truth_type) == ("image", "labels")
    assert image.shape[:2] == truth.shape
    assert image_options["rgb"] is (image.ndim == 3)
    assert image_options["metadata"]["cresunet"]["diameter"] > 0
    assert truth_options["visible"] is False


def test_the_files_stay_small_and_their_license_is_told():
    folder = files("napari_cresunet.plugin") / "samples"
    assert sum(len(entry.read_bytes()) for entry in folder.iterdir()) < 700_000
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for name in ("neurons.png", "nuclei.png", "CC BY-SA 4.0", "CC0 1.0", "Clissa"):
        assert name in readme
    assert all(read_sample(name).license.startswith("CC") for name in SAMPLES)


def test_opening_a_sample_needs_neither_qt_napari_nor_torch():
    code = (
        "import sys; from napari_cresunet.plugin import neurons; neurons();"
        "sys.exit(any(name in sys.modules for name in ('qtpy', 'napari', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
