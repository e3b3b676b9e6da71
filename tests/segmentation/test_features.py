"""Features against scikit-image's region properties."""

import re

import numpy as np
import pytest
from skimage.measure import regionprops
from tests.segmentation.maps import soft_cells

from napari_cresunet.errors import InputError
from napari_cresunet.segmentation import cell_features, segment


def test_features_equal_region_properties():
    field = soft_cells((160, 200), 14, seed=2)
    labels = segment(field)
    features = cell_features(labels, field)
    cells = regionprops(labels, intensity_image=field)
    assert list(features) == [
        *("label", "area", "mean_probability", "centroid_y", "centroid_x"),
    ]
    assert features["label"].tolist() == [cell.label for cell in cells]
    assert features["area"].tolist() == [cell.area for cell in cells]
    np.testing.assert_allclose(
        features["mean_probability"], [cell.intensity_mean for cell in cells], rtol=1e-6
    )
    np.testing.assert_allclose(
        np.column_stack((features["centroid_y"], features["centroid_x"])),
        [cell.centroid for cell in cells],
    )


def test_stacks_tell_the_plane():
    stack = np.stack([soft_cells((60, 80), 3, seed) for seed in range(4)])
    stack = stack.reshape(2, 2, 60, 80)
    labels = segment(stack)
    features = cell_features(labels, stack)
    for i, label in enumerate(features["label"]):
        planes, rows, _ = np.nonzero(labels.reshape(4, 60, 80) == label)
        assert features["plane"][i] == planes[0]
        assert features["centroid_y"][i] == pytest.approx(rows.mean())


def test_a_label_that_no_pixel_has_keeps_its_row():
    labels = np.array([[[1, 0]], [[0, 3]], [[0, 3]]])
    features = cell_features(labels, np.full(labels.shape, 0.5))
    assert features["area"].tolist() == [1, 0, 2]
    assert np.isnan(features["mean_probability"]).tolist() == [False, True, False]
    assert features["plane"].tolist() == [0, -1, 2]


def test_without_cells_there_are_no_rows():
    features = cell_features(np.zeros((3, 4), dtype=int), np.zeros((3, 4)))
    assert [len(column) for column in features.values()] == [0] * 5


ZEROS = np.zeros((2, 3))
OTHER_SHAPE = (
    "`labels` and `probability` must have the same shape, got (4, 3) and (2, 3)."
)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            ZEROS,
            "`labels` must hold whole numbers, got float64: convert them to int32.",
        ),
        (
            np.zeros(3, dtype=int),
            "`labels` must have at least two axes (Y, X), got shape (3,).",
        ),
        (
            np.zeros((4, 3), dtype=int),
            OTHER_SHAPE,
        ),
        (
            np.full((2, 3), -1),
            "`labels` must not be negative, got -1: number cells from 1.",
        ),
    ],
)
def test_what_are_no_labels_of_the_map_are_refused(labels, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        cell_features(labels, ZEROS)
