import re

import numpy as np
import pytest

from napari_cresunet.errors import InputError
from napari_cresunet.segmentation import segment
from napari_cresunet.state import (
    CURVE_THRESHOLDS,
    Area,
    Source,
    iter_analysis,
    iter_calibration,
    iter_run,
)
from napari_cresunet.steps import drain


@pytest.fixture
def result(state, source):
    state.choose_source(source)
    result = drain(iter_run(state.request(), state.cache))
    state.finish(result)
    return result


def box(top, left, bottom, right):
    corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
    return np.array(corners, float)


def test_row_i_of_the_table_is_label_i(result):
    table = drain(iter_analysis(result)).features
    assert table["index"].tolist() == [0, 1, 2, 3]
    areas = np.bincount(result.labels.ravel())
    assert np.array_equal(table["area_px"][1:], areas[1:])
    assert np.isnan(table["area_px"][0])
    assert table["centroid_y"][1:] == pytest.approx([30, 30, 70], abs=0.5)
    assert table["centroid_x"][1:] == pytest.approx([30, 90, 60], abs=0.5)
    mean = result.probability[result.labels == 3].mean()
    assert table["mean_probability"][3] == pytest.approx(mean, rel=1e-5)
    assert "area_um2" not in table


def test_areas_are_in_um2_where_the_pixel_size_is_known(state, discs):
    source = Source(identity="u", name="u", image=discs, pixel_um=(0.5, 0.25))
    state.choose_source(source)
    table = drain(iter_analysis(drain(iter_run(state.request(), state.cache)))).features
    assert table["area_um2"][1:] == pytest.approx(table["area_px"][1:] / 8)


def test_no_cells_give_an_empty_table(state, discs):
    state.choose_source(Source(identity="0", name="0", image=discs * 0))
    table = drain(iter_analysis(drain(iter_run(state.request(), state.cache)))).features
    assert table["index"].tolist() == [0]


def test_the_curve_has_the_counts_of_segment(result):
    curve = drain(iter_analysis(result)).curve
    counts = [
        segment(result.probability, threshold=t, min_size=200, min_distance=18).max()
        for t in CURVE_THRESHOLDS
    ]
    assert np.array_equal(curve.counts, counts)
    low, high = curve.plateau
    assert low < curve.stable_threshold < high
    assert curve.plateau_counts == (3, 3) or curve.plateau_counts == (2, 2)


def test_the_curve_is_made_once_for_all_thresholds(state, result):
    state.learn(result, drain(iter_analysis(result)))
    curve = result.curve
    state.choose(threshold=0.7)
    result.relabel(state.settings)
    assert drain(iter_analysis(result)).curve is curve
    state.choose(min_size=10)
    result.relabel(state.settings)
    assert drain(iter_analysis(result)).curve is not curve


def test_calibrating_finds_the_threshold_that_gives_the_count(result):
    found = drain(iter_calibration(result, 2, Area(title="the whole image")))
    assert found.count == 2
    at_it = segment(
        result.probability, threshold=found.threshold, min_size=200, min_distance=18
    )
    assert at_it.max() == 2
    assert found.sentence == (
        f"At threshold {found.threshold:.2f}, 2 cells are found in the whole image; "
        "you counted 2."
    )


def test_calibrating_counts_only_in_the_polygons(result):
    area = Area(title="the shapes", polygons=(box(50, 40, 90, 80),))
    found = drain(iter_calibration(result, 1, area))
    assert found.count == 1
    assert found.threshold < 0.65
    assert drain(iter_calibration(result, 0, area)).count == 0


def test_polygons_are_in_px_of_the_image_not_of_the_field_of_view(state, source):
    state.choose_source(source)
    request = state.request((slice(45, 96), slice(35, 100)))
    result = drain(iter_run(request, state.cache))
    area = Area(title="the shapes", polygons=(box(55, 45, 85, 75),))
    assert drain(iter_calibration(result, 1, area)).count == 1


def test_a_plane_of_a_stack_can_be_counted(state, discs):
    stack = np.stack([discs * 0, discs])
    state.choose_source(Source(identity="s", name="s", image=stack))
    result = drain(iter_run(state.request(), state.cache))
    for plane, is_there in ((0, False), (1, True)):
        area = Area(title="it", polygons=(box(-1, -1, 99, 130),), plane=plane)
        found = drain(iter_calibration(result, 2, area))
        assert (found.count == 2) is is_there


def test_an_area_outside_of_the_image_is_refused(result):
    area = Area(title="the shapes in 'x'", polygons=(box(200, 200, 300, 300),))
    message = (
        "There is nothing predicted in the shapes in 'x': choose an area inside of "
        "what was predicted."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        drain(iter_calibration(result, 2, area))
