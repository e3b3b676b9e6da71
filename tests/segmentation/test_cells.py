"""Cells as runs against the labels that they paint."""

import numpy as np
import pytest
from tests.segmentation.maps import noise, soft_cells

from napari_cresunet.segmentation import PRESETS, LiveSegmenter
from napari_cresunet.segmentation._cells import Splits, merge_splits
from napari_cresunet.segmentation._side_by_side import WORTH, side_by_side


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize(
    "field", [soft_cells((240, 300), 25, seed=1), noise((150, 170), 4, seed=2)]
)
def test_areas_and_centers_are_those_of_the_painted_cells(field, preset):
    (cells,) = LiveSegmenter(field, preset=preset).iter_cells(0.5, 20)
    labels = np.zeros(field.shape, np.int32)
    cells.paint(labels)
    assert labels.max() == cells.count > 0
    for number, area, row, column in zip(
        range(1, cells.count + 1), cells.areas(), *cells.centers(), strict=True
    ):
        rows, columns = np.nonzero(labels == number)
        assert len(rows) == area
        np.testing.assert_allclose((row, column), (rows.mean(), columns.mean()))


def test_painting_leaves_background_as_it_is_and_counts_on():
    field = soft_cells((90, 110), 6, seed=1)
    (cells,) = LiveSegmenter(field).iter_cells(0.5, None)
    alone, after = np.zeros(field.shape, np.int32), np.full(field.shape, -7, np.int32)
    cells.paint(alone)
    cells.paint(after, before=100)
    np.testing.assert_array_equal(after, np.where(alone, alone + 100, -7))


def test_a_plane_without_cells_has_none():
    (cells,) = LiveSegmenter(np.zeros((9, 9))).iter_cells(0.5, None)
    labels = np.zeros((9, 9), np.int32)
    cells.paint(labels)
    assert (cells.count, labels.max(), len(cells.areas())) == (0, 0, 0)


def test_known_and_fresh_splits_are_put_into_one_order():
    known = Splits(
        counts=np.array([1, 2]),
        offsets=np.array([0, 0, 3]),
        numbers=np.array([1, 1, 2], np.int32),
    )
    fresh = Splits(
        counts=np.array([0, 2]),
        offsets=np.array([0, 1, 3]),
        numbers=np.array([0, 2, 1], np.int32),
    )
    merged = merge_splits(np.array([-1, 1, -1, 0]), known, fresh)
    assert merged.counts.tolist() == [0, 2, 2, 1]
    assert merged.offsets.tolist() == [0, 1, 4, 6, 6]
    assert merged.numbers.tolist() == [0, 1, 1, 2, 2, 1]


@pytest.mark.parametrize("sizes", [[1], [3, 3], [WORTH] * 9, [9 * WORTH, 1, 1]])
def test_parts_are_the_whole_list_in_order(sizes):
    offsets = np.cumsum([0, *sizes])
    parts = side_by_side(lambda first, last: list(range(first, last)), offsets)
    assert [one for part in parts for one in part] == list(range(len(sizes)))
