"""Components against scipy's."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.sparse.csgraph import connected_components
from tests.segmentation.maps import noise_fields

from napari_cresunet.segmentation._connect import connect, connect_boxes
from napari_cresunet.segmentation._runs import find_runs, stride_of


@settings(deadline=None, max_examples=50, derandomize=True)
@given(noise_fields())
def test_runs_that_touch_from_row_to_row_are_one_region(field):
    stride = stride_of(field.shape[1])
    starts, stops = find_runs(field, 0.5)
    padded = np.zeros((len(field), stride), dtype=bool)
    padded[:, : field.shape[1]] = field > 0.5
    expected = ndimage.label(padded)[0].ravel()[starts] - 1
    np.testing.assert_array_equal(connect(starts, stops, stride), expected)


def test_a_comb_is_one_region():
    # Each tooth is found before the back that joins them all.
    starts = np.append(np.arange(0, 800, 2), 800)
    stops = np.append(starts[:-1] + 1, 1599)
    assert connect(starts, stops, 800).tolist() == [0] * 401


def test_no_runs_make_no_region():
    none = np.zeros(0, dtype=np.intp)
    assert connect(none, none, 8).tolist() == []


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.integers(1, 40), st.integers(1, 15), st.integers(0, 2**32 - 1))
def test_boxes_in_reach_are_one_cluster(count, reach, seed):
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 100, (count, 2))
    corners = corners[np.argsort(corners[:, 0], kind="stable")]
    boxes = np.hstack((corners, corners + rng.integers(1, 12, (count, 2))))
    # Two pixels are n apart if n - 1 others lie between them.
    gaps = [
        np.maximum(boxes[:, None, axis], boxes[None, :, axis])
        - np.minimum(boxes[:, None, axis + 2], boxes[None, :, axis + 2])
        + 1
        for axis in (0, 1)
    ]
    expected = connected_components(np.max(gaps, axis=0) <= reach, directed=False)[1]
    np.testing.assert_array_equal(connect_boxes(boxes, reach), expected)
