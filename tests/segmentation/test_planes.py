"""What is remembered between updates."""

import numpy as np
import pytest
from tests.segmentation.maps import disks, soft_cells
from tests.segmentation.reference import tashfeen2025

from napari_cresunet.segmentation import LiveSegmenter, _planes


@pytest.fixture
def split_areas(monkeypatch):
    """Watch the areas of the regions that are really worked on."""
    seen = []
    split = _planes.split

    def watched(clusters, *options):
        seen.append(clusters.regions.areas.tolist())
        return split(clusters, *options)

    monkeypatch.setattr(_planes, "split", watched)
    return seen


FIELD = disks((60, 160), ((30, 30), 12, 0.9), ((30, 80), 10, 0.9), ((30, 130), 9, 0.6))


def test_only_regions_that_changed_are_worked_on(split_areas):
    live = LiveSegmenter(FIELD)
    live.update(0.5, 40)
    live.update(0.7, 40)
    assert len(split_areas) == 1
    assert len(split_areas[0]) == 3


def test_an_equal_region_elsewhere_is_known(split_areas):
    live = LiveSegmenter(disks((60, 120), ((30, 30), 12), ((31, 77), 12)))
    assert live.update(0.5, 40).max() == 2
    assert live.update(0.4, 40).max() == 2
    assert len(split_areas) == 1


def test_at_the_edge_of_the_plane_an_equal_region_is_another():
    # Cut by the edge, the disk is not surrounded by background.
    field = disks((80, 100), ((0, 30), 15), ((40, 30), 15))
    field[40:, 60:] = field[:40, :40]
    np.testing.assert_array_equal(
        LiveSegmenter(field).update(0.5, 40), tashfeen2025(field, 0.5)
    )


def test_the_oldest_is_forgotten_when_there_is_too_much(monkeypatch, split_areas):
    # Each of the three takes 12 bytes for each of its 17 to 23 runs, and 4 more.
    monkeypatch.setattr(_planes, "CACHE_BYTES", 600)
    live = LiveSegmenter(FIELD)
    first = live.update(0.5, 40)
    np.testing.assert_array_equal(live.update(0.5, 40), first)
    assert [len(areas) for areas in split_areas] == [3, 1]


def test_the_smallest_size_alone_splits_nothing_anew(split_areas):
    live = LiveSegmenter(soft_cells((200, 200), 12, seed=4))
    live.update(0.5, 0)
    for size in (40, 400, 4000, 40):
        live.update(0.5, size)
    assert len(split_areas) == 1
