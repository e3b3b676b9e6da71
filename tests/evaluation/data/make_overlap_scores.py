"""Write overlap_scores.json: what StarDist and Cellpose say of random scenes.

pip install stardist==0.9.2 csbdeep==0.8.2 cellpose==4.2.1.1
python -m tests.evaluation.data.make_overlap_scores
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tests.scenes import random_scene

THRESHOLDS = [round(0.5 + 0.05 * k, 2) for k in range(10)]
SCENES = [
    (seed, shape, count)
    for shape, count in (((64, 80), 12), ((120, 100), 40), ((200, 260), 60))
    for seed in range(7)
]
RATIOS = ("accuracy", "f1", "panoptic_quality", "mean_matched_score")


def main() -> None:
    from stardist.matching import matching_criteria

    # StarDist's own criterion holds 32 bits, too few to compare all digits.
    matching_criteria["iou"] = in_64_bits
    names = ("stardist", "csbdeep", "cellpose")
    found = {
        "versions": {name: version(name) for name in names},
        "thresholds": THRESHOLDS,
        "scenes": [scores_of(*scene) for scene in SCENES],
    }
    text = json.dumps(found).replace('{"seed"', '\n{"seed"')
    Path(__file__).with_name("overlap_scores.json").write_text(text + "\n")


def in_64_bits(overlap):
    pred = overlap.sum(axis=0, keepdims=True).astype(float)
    true = overlap.sum(axis=1, keepdims=True).astype(float)
    return overlap / np.maximum(pred + true - overlap, 1)


def scores_of(seed, shape, count):
    from cellpose.metrics import average_precision
    from stardist.matching import matching

    labels, truth = random_scene(seed, shape, count)
    stardist = matching(truth, labels, thresh=THRESHOLDS)
    # Cellpose counts labels up to the highest: no gaps.
    pred, true = (np.unique(one, return_inverse=True)[1] for one in (labels, truth))
    pred, true = pred.reshape(shape), true.reshape(shape)
    _, *counts = average_precision(true, pred, THRESHOLDS)
    return {
        "seed": seed,
        "shape": shape,
        "count": count,
        "stardist": {
            name: [float(getattr(one, name)) for one in stardist] for name in RATIOS
        }
        | {
            name: [int(getattr(one, name)) for one in stardist]
            for name in ("tp", "fp", "fn")
        },
        "cellpose": {
            name: values.astype(int).tolist()
            for name, values in zip(("tp", "fp", "fn"), counts, strict=True)
        },
    }


if __name__ == "__main__":
    main()
