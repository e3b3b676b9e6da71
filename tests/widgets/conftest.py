from importlib.util import find_spec

import numpy as np
import pytest
from tests.state.brightness import save_brightness_model

if find_spec("napari") is None or find_spec("pytestqt") is None:
    collect_ignore_glob = ["test_*.py"]  # the engine is tested without a GUI, too


@pytest.fixture(autouse=True)
def models(tmp_path, monkeypatch):
    """The user's model folder, with a model that needs no training."""
    folder = tmp_path / "models"
    monkeypatch.setenv("NAPARI_CRESUNET_MODELS", str(folder))
    save_brightness_model(folder, name="brightness")
    return folder


@pytest.fixture(autouse=True)
def _nothing_left_running(qtbot):
    """Let the threads of a test end before the next one begins."""
    yield
    from napari_cresunet.widgets._job import _ALIVE

    qtbot.waitUntil(lambda: not _ALIVE, timeout=20_000)


@pytest.fixture
def discs():
    """An image of three bright discs, of which one is dim, on black."""
    image = np.zeros((96, 128), np.uint8)
    rows, columns = np.ogrid[:96, :128]
    for row, column, level in ((30, 30, 200), (30, 90, 200), (70, 60, 80)):
        image[np.hypot(rows - row, columns - column) < 12] = level
    return image


@pytest.fixture
def viewer():
    """A viewer without a window: quick, and enough for most of the dock."""
    from napari.components import ViewerModel

    return ViewerModel()


@pytest.fixture
def dock(viewer, qtbot):
    """The dock on that viewer."""
    from napari_cresunet.widgets.segment_and_count import SegmentAndCount

    dock = SegmentAndCount(viewer)
    qtbot.addWidget(dock)
    for name in ("inserted", "removed", "reordered", "renamed"):  # as a window does
        getattr(viewer.layers.events, name).connect(dock.reset_choices)
    dock.state.choose(model="brightness")
    yield dock
    dock.runner.shut_down()


@pytest.fixture
def press_run(qtbot):
    """Press Run and wait for the result, and for the curve that follows it."""

    def press(dock):
        dock.running.run.click()
        assert dock.state.is_running
        qtbot.waitUntil(lambda: not dock.state.is_running, timeout=60_000)
        if dock.state.result is not None and not dock.state.is_failure:
            qtbot.waitUntil(lambda: dock.state.curve is not None, timeout=60_000)

    return press


@pytest.fixture
def set_threshold(qtbot):
    """Move the slider and wait until labels and table have followed."""

    def move(dock, threshold):
        dock.tuning.threshold.setValue(round(threshold * 100))
        qtbot.waitUntil(lambda: dock.state.result.settings == dock.state.settings)

    return move
