"""The published recipes from probability to labels."""

from dataclasses import dataclass
from difflib import get_close_matches

from napari_cresunet.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """One recipe: what is cleaned away, and how touching cells are told apart."""

    name: str
    """Key of `PRESETS`."""
    title: str
    """One line for the user."""
    hole_size: int
    """Background regions of fewer px than this are filled."""
    min_size: int
    """Objects of fewer px than this are removed, unless the caller says otherwise."""
    min_distance: int | None
    """Px between the centers of touching cells; None where `windows` decide."""
    windows: tuple[int, int] | None = None
    """Sides in px of the maximum filter, and of the square a center is highest in."""
    min_marker_size: int = 1
    """Markers of fewer px than this are dropped."""
    compactness: int = 0
    """How much the watershed minds the distance to the marker."""


_ROWS = (
    Preset(
        name="tashfeen2025",
        title="Peaks of the distance transform (Tashfeen)",
        hole_size=64,  # scikit-image's default; the paper names no size
        min_size=40,
        min_distance=10,
    ),
    # robomorelli/cell_counting_yellow, evaluation_utils.py, mask_post_processing
    Preset(
        name="morelli2021",
        title="Smoothed peaks, compact watershed (Morelli et al. 2021)",
        hole_size=600,
        min_size=200,
        min_distance=None,
        windows=(30, 40),
        min_marker_size=25,
        compactness=1,
    ),
)

PRESETS: dict[str, Preset] = {row.name: row for row in _ROWS}

DEFAULT_PRESET = "tashfeen2025"


def get_preset(name: str | None) -> Preset:
    """Look a preset up by its name.

    Parameters
    ----------
    name : str or None
        A key of `PRESETS`; None for the default.

    Returns
    -------
    Preset
        The recipe.

    Raises
    ------
    InputError
        If there is no such preset; near matches are named.
    """
    if name is None:
        return PRESETS[DEFAULT_PRESET]
    if name in PRESETS:
        return PRESETS[name]
    near = get_close_matches(str(name), PRESETS, n=3, cutoff=0.5) or list(PRESETS)
    raise InputError(f"Unknown preset {name!r}; did you mean {' or '.join(near)}?")
