import pytest

pytest.importorskip("napari")
pytest.importorskip("pytestqt")

from napari_cresunet.batch import CountOptions, iter_count
from napari_cresunet.inference import load_model
from napari_cresunet.plugin import read_sample
from napari_cresunet.steps import drain
from napari_cresunet.widgets.demo import prepare_demo

pytestmark = pytest.mark.gui


def test_the_demo_counts_in_napari_what_the_command_line_counts(
    make_napari_viewer, qtbot
):
    viewer = make_napari_viewer()
    dock = prepare_demo(viewer, "neurons")
    assert dock.state.is_running
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=60_000)
    sample = read_sample("neurons")
    options = CountOptions(diameter=sample.diameter)
    count = drain(iter_count(sample.image, load_model(), options))
    assert dock.state.result.count == count.record["count"] > 0
    assert viewer.layers[0].data.shape == sample.image.shape
    assert len(viewer.layers) == 4
