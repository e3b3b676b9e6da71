"""Counts whose cells are known one by one."""

import numpy as np

from napari_cresunet.correction import LogEntry
from napari_cresunet.export import Counted
from napari_cresunet.measurement import Region

SHAPE = (40, 60)
PIXEL_SIZE = (0.5, 0.25)


def labels_of_three():
    """A square of 16 px, two bars of 5 px that are one cell, and a pixel."""
    labels = np.zeros(SHAPE, np.int32)
    labels[5:9, 10:14] = 2
    labels[20, 30:35] = labels[24, 30:35] = 5
    labels[39, 59] = 300
    return labels


def image_of(labels):
    return np.where(labels > 0, 900, 100).astype(np.uint16)


def left_half():
    corners = np.array([[-0.5, -0.5], [-0.5, 29.5], [39.5, 29.5], [39.5, -0.5]])
    return Region(name="left", polygons=(corners,))


def everything():
    return Region(name="all of it", mask=np.ones(SHAPE, np.bool_))


LOG = (
    LogEntry(kind="merge", before=(2, 3, 4), after=(2,)),
    LogEntry(kind="delete", before=(7, 8)),
    LogEntry(kind="paint", before=(5,), after=(5,)),
    LogEntry(kind="undo", before=(5,), after=(5,)),
    LogEntry(kind="accept", before=(2,), after=(2,)),
    LogEntry(kind="add", after=(300,)),
)


def counted(**changed):
    """Three cells with an image."""
    labels = labels_of_three()
    values = {"name": "slice 1", "labels": labels, "image": image_of(labels)}
    return Counted(**(values | changed))


RECORD = {
    "version": "9.8",
    "model": "tiny",
    "weights_hash": "ab" * 32,
    "scaling": {"method": "unit", "low": 0.0, "span": 255.0},
    "zoom": 0.5,
    "diameter": 20.0,
    "threshold": 0.4,
    "min_size": 30,
    "min_distance": 7,
    "preset": "tashfeen2025",
    "time": "2026-02-03T04:05:06+00:00",
}
