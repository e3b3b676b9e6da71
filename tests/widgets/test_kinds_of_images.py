"""Stacks, color, pyramids, parts; the viewer has no window."""

import numpy as np
import pytest

pytestmark = pytest.mark.gui


def test_a_stack_counts_all_planes_and_the_one_shown(viewer, dock, press_run, discs):
    stack = np.stack([discs, discs * 0, discs])
    viewer.add_image(stack)
    viewer.dims.set_current_step(0, 0)
    press_run(dock)
    assert dock.counting.count.text() == "6 cells"
    assert dock.counting.detail.text() == "in 3 planes, 3 in this plane"
    viewer.dims.set_current_step(0, 1)
    assert dock.counting.detail.text() == "in 3 planes, 0 in this plane"
    assert viewer.layers[-1].data.shape == stack.shape


def test_only_the_field_of_view_is_predicted_when_asked_for(
    viewer, dock, press_run, discs
):
    image = viewer.add_image(discs, scale=(0.5, 0.5), translate=(10, 0))
    image.corner_pixels = np.array([[10, 4], [59, 63]])
    dock.advanced.view_only.setChecked(True)
    press_run(dock)
    cells = viewer.layers[-1]
    assert cells.data.shape == (50, 60)
    assert tuple(cells.translate) == (15, 2)
    assert dock.counting.count.text() == "1 cell"
    assert dock.counting.detail.text() == "in the field of view"
    dock.advanced.view_only.setChecked(False)
    press_run(dock)
    assert cells.data.shape == (96, 128)
    assert tuple(cells.translate) == (10, 0)


def test_without_a_field_of_view_it_says_what_to_do(viewer, dock, discs):
    viewer.add_image(np.stack([discs, discs]))
    viewer.dims.ndisplay = 3
    dock.advanced.view_only.setChecked(True)
    dock.running.run.click()
    assert not dock.state.is_running
    assert dock.state.notice == (
        "The canvas shows no rows and columns of the image: switch to the 2D view and "
        "zoom to the image, or turn off the field of view under Advanced."
    )


def test_rgb_dask_and_pyramids_are_counted(viewer, dock, press_run, discs):
    dask = pytest.importorskip("dask.array")
    color = np.stack([discs, discs, discs * 0], axis=-1)
    pyramid = [discs, discs[::2, ::2]]
    for image in (color, dask.from_array(discs, chunks=40), pyramid):
        layer = viewer.add_image(image)
        viewer.layers.selection.active = layer
        press_run(dock)
        assert dock.counting.count.text() == "3 cells"
        assert viewer.layers[-1].data.shape == (96, 128)
