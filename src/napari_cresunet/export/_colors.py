"""The color of each kind of case, wherever cases are drawn."""

from napari_cresunet.evaluation import (
    BORDER,
    FALSE_POSITIVE,
    HIT,
    MERGED,
    MISSED,
    POOR_OUTLINE,
    SPLIT,
)

KIND_COLORS = {
    HIT: "#009e73",
    FALSE_POSITIVE: "#d55e00",
    MISSED: "#56b4e9",
    MERGED: "#cc79a7",
    SPLIT: "#f0e442",
    POOR_OUTLINE: "#e69f00",
    BORDER: "#999999",
}
"""Okabe and Ito's palette, told apart with any color vision."""
