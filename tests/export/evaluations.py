"""Evaluations whose cells are known one by one."""

import numpy as np

from napari_cresunet.evaluation import MatchRule, compare, list_cases, sweep
from napari_cresunet.export import Evaluated, Evaluation

SHAPE = (60, 90)
RULE = MatchRule(max_distance=5)


def squares(*places, side=8, shape=SHAPE):
    """Draw one square for each corner, numbered from 1."""
    labels = np.zeros(shape, np.int32)
    for number, (row, column) in enumerate(places, start=1):
        labels[row : row + side, column : column + side] = number
    return labels


def picture_of(labels):
    """Bright cells on a dark, even ground."""
    return np.where(labels > 0, 200, 20).astype(np.uint16)


def evaluated(name, labels, truth, *, image=None, rule=RULE):
    comparison = compare(labels, truth, rule)
    return Evaluated(
        name=name,
        comparison=comparison,
        cases=list_cases(comparison, image=image),
        image=image,
    )


def first():
    """One hit, one false positive and two missed cells, with the image."""
    labels = squares((10, 10), (40, 10))
    truth = squares((10, 11), (10, 60), (40, 60))
    return evaluated("first", labels, truth, image=picture_of(truth))


def second():
    """Two hits and one false positive; the truth is points."""
    labels = squares((10, 10), (30, 30), (40, 70))
    return evaluated("second", labels, np.array([[13.5, 13.5], [33.0, 34.0]]))


def empty():
    """Nothing true and nothing found."""
    return evaluated("empty", squares(), squares())


def swept():
    """Scores at three thresholds, two smallest sizes and two distances."""
    probability = np.zeros(SHAPE, np.float32)
    probability[10:18, 10:18], probability[40:44, 60:64] = 0.9, 0.4
    return sweep(
        [probability, probability],
        [squares((10, 10), (40, 60)), squares((13, 12))],
        thresholds=[0.3, 0.5, 0.95],
        min_sizes=[4, 30],
        distances=[2.0, 5.0],
    )


def evaluation(**changed):
    """The first two images with a sweep."""
    rows = swept()
    values = {
        "images": (first(), second()),
        "sweep": tuple(rows),
        "distances": tuple(row for row in rows if row.threshold == 0.5),
        "chosen": {"threshold": 0.5, "min_size": 4, "max_distance": 5.0},
        "record": {"version": "9.9", "model": "tiny", "time": "2026-01-01"},
    }
    return Evaluation(**(values | changed))
