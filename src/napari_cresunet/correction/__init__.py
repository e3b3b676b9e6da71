"""Corrections by hand: cells joined, cut, added and deleted, and what is kept of it.

Pure functions on label arrays. What a correction changes is an `Edit`, which a dock can
undo; which cells a person has touched are `Pins`, which new labels leave as they are.
scipy and scikit-image come with the first function that needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_cresunet.correction._edit import PAINT, RELABEL, Edit
from napari_cresunet.correction._log import LogEntry
from napari_cresunet.correction._pins import (
    ACCEPTED,
    ADDED,
    EDITED,
    Erased,
    Pins,
    apply_pins,
    find_pins,
    pins_of_changes,
)

if TYPE_CHECKING:
    from napari_cresunet.correction._cut import split_at_line, trim
    from napari_cresunet.correction._grow import Grown, grow
    from napari_cresunet.correction._merge import delete, merge, relabel
    from napari_cresunet.correction._outline import add_outline, fill_holes, smooth
    from napari_cresunet.correction._places import (
        cells_at,
        cells_in_box,
        cells_on_path,
    )
    from napari_cresunet.correction._seeds import split_at_seeds, split_in_two

_HOME_OF = {
    "Grown": "_grow",
    "add_outline": "_outline",
    "cells_at": "_places",
    "cells_in_box": "_places",
    "cells_on_path": "_places",
    "delete": "_merge",
    "fill_holes": "_outline",
    "grow": "_grow",
    "merge": "_merge",
    "relabel": "_merge",
    "smooth": "_outline",
    "split_at_line": "_cut",
    "split_at_seeds": "_seeds",
    "split_in_two": "_seeds",
    "trim": "_cut",
}

__all__ = [
    "ACCEPTED",
    "ADDED",
    "EDITED",
    "PAINT",
    "RELABEL",
    "Edit",
    "Erased",
    "Grown",
    "LogEntry",
    "Pins",
    "add_outline",
    "apply_pins",
    "cells_at",
    "cells_in_box",
    "cells_on_path",
    "delete",
    "fill_holes",
    "find_pins",
    "grow",
    "merge",
    "pins_of_changes",
    "relabel",
    "smooth",
    "split_at_line",
    "split_at_seeds",
    "split_in_two",
    "trim",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
