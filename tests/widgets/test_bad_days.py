"""What goes wrong while a run is on; the viewer has no window."""

import logging

import numpy as np
import pytest

pytestmark = pytest.mark.gui


def test_nothing_is_lost_when_the_image_is_deleted_meanwhile(
    viewer, dock, qtbot, discs
):
    image = viewer.add_image(discs, name="discs", scale=(2, 2))
    dock.running.run.click()
    viewer.layers.remove(image)
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=60_000)
    probability, cells = viewer.layers
    assert cells.data.max() == 3
    assert tuple(cells.scale) == (2, 2)
    assert dock.running.status.text() == (
        "The image 'discs' was deleted while it was predicted; the result is in the "
        "layer 'discs cells'."
    )
    assert probability.name == "discs probability"
    assert not dock.running.run.isEnabled()


def test_an_image_renamed_meanwhile_gives_its_new_name(viewer, dock, qtbot, discs):
    image = viewer.add_image(discs, name="old")
    dock.running.run.click()
    image.name = "new"
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=60_000)
    assert viewer.layers[-1].name == "new cells"
    assert dock.counting.count.text() == "3 cells"


def test_a_cancelled_run_changes_nothing(viewer, dock, qtbot, discs):
    viewer.add_image(np.tile(discs, (4, 4)))
    dock.state.choose(tile=32)
    dock.running.run.click()
    assert dock.running.cancel.isEnabled()
    qtbot.waitUntil(lambda: dock.state.progress.done > 0, timeout=60_000)
    assert dock.running.bar.maximum() == 192
    dock.running.cancel.click()
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=10_000)
    assert len(viewer.layers) == 1
    assert dock.running.status.text() == "Cancelled; nothing was changed."
    assert dock.running.run.isEnabled()


def test_an_error_in_the_worker_becomes_a_sentence(viewer, dock, qtbot, caplog):
    viewer.add_image(np.full((20, 20), np.nan, np.float32))
    with caplog.at_level(logging.INFO, logger="napari_cresunet"):
        dock.running.run.click()
        qtbot.waitUntil(lambda: not dock.state.is_running, timeout=60_000)
    sentence = "The image has only NaN or infinite values: check how it was made."
    assert dock.running.status.text() == f"\N{WARNING SIGN} {sentence}"
    assert sentence in caplog.text
    assert dock.running.run.isEnabled()


def test_running_out_of_memory_becomes_a_sentence(viewer, dock, qtbot):
    dask = pytest.importorskip("dask.array")

    def read(block):
        if block.size:  # dask first tries it on nothing
            raise MemoryError
        return block

    pixels = dask.zeros((64, 64), dtype=np.uint8, chunks=32).map_blocks(
        read, dtype=np.uint8, meta=np.zeros((0, 0), np.uint8)
    )
    # Shown from a pyramid's small level, so that only the run reads the large one.
    viewer.add_image([pixels, np.zeros((8, 8), np.uint8)], contrast_limits=(0, 255))
    dock.running.run.click()
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=60_000)
    assert dock.state.is_failure
    assert "memory" in dock.state.notice
    assert dock.running.run.isEnabled()
    assert len(viewer.layers) == 1


def test_a_broken_weight_file_becomes_a_sentence(viewer, dock, qtbot, discs, models):
    viewer.add_image(discs)
    (models / "brightness.safetensors").write_bytes(b"no weights")
    dock.running.run.click()
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=60_000)
    assert dock.state.is_failure
    assert dock.state.notice.count(". ") == 0
    assert "brightness" in dock.state.notice
