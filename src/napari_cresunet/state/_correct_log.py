"""The record of what was done by hand, as a file."""

from collections.abc import Iterable
from pathlib import Path

from napari_cresunet._files import write_csv
from napari_cresunet.correction import LogEntry
from napari_cresunet.errors import InputError

LOG_COLUMNS = (
    *("kind", "cells_before", "cells_after"),
    *("plane", "row", "column", "changed_px"),
)


def save_log(path: Path, log: Iterable[LogEntry]) -> Path:
    """Write one line for each step.

    Parameters
    ----------
    path : Path
        Where to; ".csv" is added where it is missing.
    log : iterable of LogEntry
        What was done, the first step first.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    if path.suffix.lower() != ".csv":
        path = path.with_name(f"{path.name}.csv")
    rows = [
        {
            "kind": entry.kind,
            "cells_before": " ".join(map(str, entry.before)),
            "cells_after": " ".join(map(str, entry.after)),
            "plane": entry.plane,
            "row": entry.row,
            "column": entry.column,
            "changed_px": entry.changed_px,
        }
        for entry in log
    ]
    try:
        write_csv(path, LOG_COLUMNS, rows)
    except OSError as error:
        raise InputError(
            f"The log cannot be written to {path} ({error.strerror}): choose another "
            "place."
        ) from error
    return path
