"""Memory is bounded by the tile, measured in a process of its own."""

import subprocess
import sys

import numpy as np
import pytest

MEASURE = """
import re, sys
import numpy as np
import torch
from torch import nn
from napari_cresunet.inference import Model, iter_predict
from napari_cresunet.weights import ModelCard
from napari_cresunet.steps import drain

class Average(nn.Module):
    stride, receptive_radius = 8, 112
    def __init__(self):
        super().__init__()
        self.weights = nn.Conv2d(3, 1, 1)
    def forward(self, x):
        return torch.sigmoid(self.weights(x))

def peak():  # getrusage would give that of the process that started this one
    status = open("/proc/self/status").read()
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])

card = ModelCard(name="test", title="Test", variant="c-resunet", scaling="adaptive",
    diameter=20, threshold=0.5, min_size=1, min_distance=1)
model = Model(card, Average().eval(), "cpu")
path, side, diameter = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
drain(iter_predict(np.zeros((512, 512, 3), np.uint16), model, diameter=diameter))
before = peak()
image = np.memmap(path, np.uint16, "r", shape=(side, side, 3))
result = drain(iter_predict(image, model, diameter=diameter, tile=512))
print(peak() - before - result.probability.nbytes - image.nbytes)
print(result.probability.shape)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("diameter", [20.0, 26.0])
def test_the_peak_beyond_input_and_output_does_not_grow_with_the_image(
    tmp_path, diameter
):
    side = 4000
    path = tmp_path / "image.raw"
    np.memmap(path, np.uint16, "w+", shape=(side, side, 3))[:] = 500
    shown = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), str(side), str(diameter)],
        capture_output=True,
        text=True,
        check=True,
    )
    beyond, shape = shown.stdout.splitlines()
    assert shape == f"({side}, {side})"
    # Mapped pages of the file count as the process's memory; a float copy of the image
    # would be another 192 MB.
    assert int(beyond) < 150e6
