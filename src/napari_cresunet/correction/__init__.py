"""Corrections by hand: cells joined, cut, added and deleted, and what is kept of it.

Pure functions on label arrays. What a correction changes is an `Edit`, which a dock can
undo; which cells a person has touched are `Pins`, which new labels leave as they are.
scipy and scikit-image come with the first function that needs them.
"""

from napari_cresunet.correction._edit import Edit
from napari_cresunet.correction._log import LogEntry
from napari_cresunet.correction._pins import (
    Erased,
    Pins,
    apply_pins,
    find_pins,
    pins_of_changes,
)

__all__ = [
    "Edit",
    "Erased",
    "LogEntry",
    "Pins",
    "apply_pins",
    "find_pins",
    "pins_of_changes",
]
