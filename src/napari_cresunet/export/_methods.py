"""What the numbers of an evaluation mean, in words for a paper."""

from napari_cresunet.evaluation import MatchRule
from napari_cresunet.export._evaluated import Evaluation

MORELLI = (
    "R. Morelli, L. Clissa, R. Amici et al., Automating cell counting in fluorescent "
    "microscopy through deep learning with c-ResUnet, Scientific Reports 11, 22920 "
    "(2021), doi:10.1038/s41598-021-01929-5"
)
TASHFEEN = (
    "A. Tashfeen, Fluorescent Neuronal Cell Counting using a modified ResUnet Model "
    "with Attention Gates, Stanford University"
)
_EFRON = (
    "B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, "
    "Chapman & Hall (1993)"
)
_STARDIST = (
    "U. Schmidt, M. Weigert, C. Broaddus, G. Myers, Cell Detection with Star-convex "
    "Polygons, MICCAI (2018), doi:10.1007/978-3-030-00934-2_30"
)
_CENTERS = {
    "box": "the center of its bounding box",
    "centroid": "the mean of its pixels' coordinates",
}
_MATCHINGS = {
    "optimal": "as many pairs as possible were made, and among all ways to make that "
    "many the one with the least total distance was taken",
    "greedy": "each prediction in turn, in the order of labels, took the nearest true "
    "cell that was still free, as in the released code of [1]",
}


_PAIRS = (
    "Pairs are true positives (TP), other predictions false positives (FP), other true "
    "cells false negatives (FN)."
)
_RATIOS = (
    "Precision is TP / (TP + FP), recall TP / (TP + FN), F1 2 TP / (2 TP + FP + FN), "
    "accuracy TP / (TP + FP + FN); a ratio with denominator 0 is left undefined."
)
_COUNTS = (
    "MAE and MedAE are the mean and the median over images of |predicted - true| "
    "counts; MPE is the mean of (predicted - true) / true, so positive means too many, "
    "as in the tables of [1] and [2]."
)
_INTERVALS = (
    "Intervals are 95 % percentile intervals of 2000 bootstrap resamples of the images "
    "[3]."
)
_OUTLINES = (
    "Outlines were compared by intersection over union (IoU): average precision (AP) "
    "is TP / (TP + FP + FN) of pairs with at least that IoU [{number}], mAP its mean "
    "over IoU 0.5, 0.55, ... 0.95, and Dice is that of all pixels of cells."
)


def methods_text(evaluation: Evaluation) -> str:
    """Say how the scores are defined, as a paragraph for a paper.

    Parameters
    ----------
    evaluation : Evaluation
        At least one image.

    Returns
    -------
    str
        Plain text. Numbers in brackets are those of `references`.
    """
    scores, first = evaluation.scores, evaluation.images[0].comparison
    is_many = scores.n_images > 1
    summed = " They were summed over all images." if is_many else ""
    sentences = _matching_sentences(first.rule, evaluation.unit)
    sentences += [_PAIRS + summed, _RATIOS, _COUNTS]
    if scores.n_without_mpe:
        sentences.append(
            f"{scores.n_without_mpe} of {scores.n_images} images have no true cell and "
            "therefore no percentage error; they were left out of the MPE."
        )
    if is_many:
        sentences.append(_INTERVALS)
    if evaluation.overlaps is not None:
        sentences.append(_OUTLINES.format(number=4 if is_many else 3))
    version = evaluation.record.get("version")
    tool = f"napari-cresunet {version}" if version else "napari-cresunet"
    return " ".join([*sentences, f"Scores were computed with {tool}."])


def _matching_sentences(rule: MatchRule, unit: str) -> list[str]:
    centers = (
        "Predicted and true cells were compared by their centers; the center of a cell "
        f"is {_CENTERS[rule.center]}, a marked point is its own."
    )
    pairs = (
        "A prediction and a true cell of the same plane can be a pair if their centers "
        f"are at most {rule.max_distance:g} {unit} apart, and each belongs to one pair "
        f"at most: {_MATCHINGS[rule.matching]}."
    )
    return [centers, pairs]


def references(evaluation: Evaluation) -> list[str]:
    """Return what `methods_text` cites, in the order of its numbers."""
    found = [MORELLI, TASHFEEN]
    if len(evaluation.images) > 1:
        found.append(_EFRON)
    if evaluation.overlaps is not None:
        found.append(_STARDIST)
    return found
