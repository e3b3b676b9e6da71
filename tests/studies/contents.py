"""Studies that tests write, and what it means that two are the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_cresunet.correction import Erased, LogEntry, Pins
from napari_cresunet.measurement import Region
from napari_cresunet.studies import ImageReference, StudyContent


def small_study(**changes):
    """Return a study with something of everything."""
    labels = np.zeros((6, 8), np.int32)
    labels[1:3, 1:4], labels[4:, 5:] = 3, 70_000
    mask = np.zeros((6, 8), bool)
    mask[:, 4:] = True
    triangle = np.array([(-1.5, 0), (5, 0.1), (5, 1 / 3)])
    content = StudyContent(
        name="neurons_01",
        image=ImageReference(
            name="neurons_01",
            path=Path("/data/neurons_01.tif"),
            hash="0" * 32,
            shape=(6, 8, 3),
            dtype="uint8",
        ),
        labels=labels,
        pins=Pins(
            cells={3: "edited", 70_000: "accepted"},
            erased=(
                Erased(label=1, pixels=np.array([0, 1, 2, 40, 42]), is_whole=True),
                Erased(label=3, pixels=np.array([9]), is_whole=False),
            ),
        ),
        log=(
            LogEntry(
                kind="paint", before=(3,), after=(3,), row=1.1, column=2.5, changed_px=1
            ),
            LogEntry(kind="accept", before=(70_000,), after=(70_000,), plane=0),
        ),
        reviewed=(3, 70_000),
        record={"model": "brightness", "threshold": 0.1 + 0.2, "region": None},
        pixel_size=(0.65, 1 / 3),
        offset=(10, 0),
        regions=(
            Region(name="CA1", polygons=(triangle, triangle + 1), plane=2),
            Region(name="right", mask=mask),
        ),
        metrics={"count": 2, "density": {"CA1": 12.5}},
    )
    return replace(content, **changes)


def die_after_saving():
    """Save a study of a black image, and die without closing it."""
    import os

    from napari_cresunet.studies import claim_new, image_hash, write_study

    black = np.zeros((6, 8, 3), np.uint8)
    image = ImageReference(
        name="black", hash=image_hash(black), shape=black.shape, dtype="uint8"
    )
    claim = claim_new("killed")
    write_study(claim.folder, small_study(name="killed", image=image, regions=()))
    os._exit(9)


def is_same_array(one, other):
    return one.dtype == other.dtype and np.array_equal(one, other)


def assert_same(one, other):
    """Compare two studies bit for bit."""
    assert is_same_array(one.labels, other.labels)
    plain = ("name", "image", "log", "reviewed", "record", "pixel_size", "offset")
    for name in (*plain, "metrics"):
        assert getattr(one, name) == getattr(other, name), name
    assert one.pins.cells == other.pins.cells
    assert len(one.pins.erased) == len(other.pins.erased)
    for mine, its in zip(one.pins.erased, other.pins.erased, strict=True):
        assert (mine.label, mine.is_whole) == (its.label, its.is_whole)
        assert is_same_array(mine.pixels, its.pixels)
    assert len(one.regions) == len(other.regions)
    for mine, its in zip(one.regions, other.regions, strict=True):
        assert (mine.name, mine.plane) == (its.name, its.plane)
        assert len(mine.polygons) == len(its.polygons)
        assert all(map(is_same_array, mine.polygons, its.polygons))
        assert (mine.mask is None) == (its.mask is None)
        assert mine.mask is None or is_same_array(mine.mask, its.mask)
