"""Corrections by hand: cells joined, cut, added and deleted, and what is kept of it.

Pure functions on label arrays. What a correction changes is an `Edit`, which a dock can
undo; which cells a person has touched are `Pins`, which new labels leave as they are.
scipy and scikit-image come with the first function that needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_cresunet.correction._edit import Edit
from napari_cresunet.correction._log import LogEntry
from napari_cresunet.correction._pins import Erased, Pins

if TYPE_CHECKING:
    from napari_cresunet.correction._cut import split_at_line, trim
    from napari_cresunet.correction._merge import delete, merge, relabel
    from napari_cresunet.correction._places import (
        cells_at,
        cells_in_box,
        cells_on_path,
    )
    from napari_cresunet.correction._seeds import split_at_seeds

_HOME_OF = {
    "cells_at": "_places",
    "cells_in_box": "_places",
    "cells_on_path": "_places",
    "delete": "_merge",
    "merge": "_merge",
    "relabel": "_merge",
    "split_at_line": "_cut",
    "split_at_seeds": "_seeds",
    "trim": "_cut",
}

__all__ = [
    "Edit",
    "Erased",
    "LogEntry",
    "Pins",
    "cells_at",
    "cells_in_box",
    "cells_on_path",
    "delete",
    "merge",
    "relabel",
    "split_at_line",
    "split_at_seeds",
    "trim",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
