"""Images with ground truth: files and folders of pairs, and synthetic neurons."""

from napari_cresunet._labels import as_labels
from napari_cresunet.datasets._layouts import load_pairs, splits_in
from napari_cresunet.datasets._neurons import (
    STAINS,
    NeuronScene,
    synthesize_neurons,
)
from napari_cresunet.datasets._pairs import Pair, pair_from_arrays
from napari_cresunet.datasets._random_scenes import random_scene
from napari_cresunet.datasets._split import check_pairs, split_pairs
from napari_cresunet.datasets._stems import Pairing, match_by_stem, pair_folders
from napari_cresunet.datasets._training import load_training_pairs, training_splits
from napari_cresunet.datasets._truths import TruthFile, image_beside

__all__ = [
    "STAINS",
    "NeuronScene",
    "Pair",
    "Pairing",
    "TruthFile",
    "as_labels",
    "check_pairs",
    "image_beside",
    "load_pairs",
    "load_training_pairs",
    "match_by_stem",
    "pair_folders",
    "pair_from_arrays",
    "random_scene",
    "split_pairs",
    "splits_in",
    "synthesize_neurons",
    "training_splits",
]
