"""Writing a file whole, or saying why not; JSON that all programs can read."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from napari_cresunet._files import written_whole
from napari_cresunet.errors import EngineError


@contextmanager
def told_why(path: Path) -> Iterator[None]:
    """Turn what the system says of a file into an error that says what to do.

    Parameters
    ----------
    path : Path
        The file that is written in the block.

    Raises
    ------
    EngineError
        If it cannot be.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise EngineError(
            f"{path} cannot be written ({reason}): choose another folder or free some "
            "space."
        ) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file; one that exists is replaced, and none is left half written."""
    with told_why(path), written_whole(path) as file:
        file.write(content)


def write_json(path: Path, value: Any, *, indent: int | None = None) -> None:
    """Write a value as JSON.

    Parameters
    ----------
    path : Path
        The file; replaced if it exists, and never half written.
    value : object
        What JSON can hold, as from `as_plain`.
    indent : int, optional
        Spaces for each depth, for people; by default there is no space at all.

    Notes
    -----
    A file that cannot be written is an `EngineError`.
    """
    write_bytes(path, json_bytes(value, indent=indent))


def json_bytes(value: Any, *, indent: int | None = None) -> bytes:
    """Return a value as the content of a JSON file.

    Parameters
    ----------
    value : object
        What JSON can hold, as from `as_plain`.
    indent : int, optional
        Spaces for each depth, for people; by default there is no space at all.

    Returns
    -------
    bytes
        UTF-8.
    """
    text = json.dumps(
        value,
        ensure_ascii=False,
        allow_nan=False,
        indent=indent,
        separators=(",", ":") if indent is None else None,
    )
    # Names of files need not be text of any encoding; "\\udc80" is how JSON escapes it.
    return f"{text}\n".encode(errors="backslashreplace")


def as_plain(value: Any) -> Any:
    """Return what JSON can hold of a value.

    Parameters
    ----------
    value : object
        Of mappings, sequences, numbers, texts; also of numpy.

    Returns
    -------
    object
        Of dict, list, int, float, str, bool, None. What is not finite is None, what is
        unknown is a text.
    """
    if isinstance(value, Mapping):
        return {str(name): as_plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return as_plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [as_plain(item) for item in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if isinstance(value, int | str | None) else str(value)
