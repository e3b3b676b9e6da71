"""What is remembered between updates."""

import numpy as np
import pytest
from tests.segmentation.maps import disks, soft_cells
from tests.segmentation.reference import tashfeen2025

from napari_cresunet.segmentation import PRESETS, LiveSegmenter, _planes


@pytest.fixture
def seen_areas(monkeypatch):
    """Watch the areas of the regions that are really worked on."""
    seen = []
    split = _planes.split

    def watched(clusters, preset, distance):
        seen.append(clusters.regions.areas.tolist())
        return split(clusters, preset, distance)

    monkeypatch.setattr(_planes, "split", watched)
    return seen


FIELD = disks((60, 260), ((30, 30), 12, 0.9), ((30, 130), 10, 0.8), ((30, 230), 9, 0.6))
FIELD[25, 130] = 0.95


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_only_what_changed_is_worked_on(seen_areas, preset):
    live = LiveSegmenter(FIELD, preset=preset)
    live.update(0.5, 40)
    live.update(0.7, 40)
    live.update(0.85, 40)
    # The second one is a single pixel then, which is too small.
    assert [len(areas) for areas in seen_areas] == [3]
    live.update(0.85, 1)
    assert seen_areas[1:] == [[1]]


def test_at_the_edge_of_the_plane_an_equal_region_is_another():
    # Cut by the edge, the disk is not surrounded by background.
    field = disks((80, 100), ((0, 30), 15), ((40, 30), 15))
    field[40:, 60:] = field[:40, :40]
    np.testing.assert_array_equal(
        LiveSegmenter(field).update(0.5, 40), tashfeen2025(field, 0.5)
    )


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_the_smallest_size_alone_splits_nothing_anew(seen_areas, preset):
    # Far enough from each other, so that no window joins other clusters.
    live = LiveSegmenter(FIELD, preset=preset)
    live.update(0.5, 0)
    for size in (300, 400, 4000):
        live.update(0.5, size)
    assert len(seen_areas) == 1


def test_areas_are_those_of_the_latest_labels():
    stack = np.stack([soft_cells((90, 110), 6, seed) for seed in range(3)])
    stack[1] = 0
    live = LiveSegmenter(stack)
    for threshold in (0.5, 0.3):
        labels = live.update(threshold)
        known = np.concatenate(live.areas)
        np.testing.assert_array_equal(known, np.bincount(labels.ravel())[1:])
        assert [len(areas) for areas in live.areas] == [
            len(np.unique(plane)) - 1 for plane in labels
        ]
