"""Images with ground truth: folders of pairs, and synthetic neurons."""

from napari_cresunet.datasets._neurons import (
    STAINS,
    NeuronScene,
    synthesize_neurons,
)
from napari_cresunet.datasets._pairs import Pair, load_pairs

__all__ = ["STAINS", "NeuronScene", "Pair", "load_pairs", "synthesize_neurons"]
