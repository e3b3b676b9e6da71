"""Which cells a person has touched, and keeping them while all others are made anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from napari_cresunet._typing import Indices

ADDED, EDITED, ACCEPTED = "added", "edited", "accepted"
"""Why a cell is pinned."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Erased:
    """Pixels that a person took from a cell: nothing is found there any more."""

    label: int
    """The cell's label when it was erased."""
    pixels: Indices
    """(N,), ascending: places in the label image laid out in one line (C order)."""
    is_whole: bool
    """Whether the cell is gone, and did not only lose a part."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Pins:
    """What new labels must leave as it is."""

    cells: Mapping[int, str] = field(default_factory=dict)
    """Labels of the pinned cells, ascending, and why each is: "added", "edited" or
    "accepted". Their pixels are those of the label image."""
    erased: tuple[Erased, ...] = ()
    """Where no cell is to be found."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody has touched anything."""
        return not self.cells and not self.erased
