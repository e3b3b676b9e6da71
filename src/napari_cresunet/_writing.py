"""Writing a file whole, or saying why not."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


def write_json(path: Path, value: Any) -> None:
    """Write a document as compact JSON."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    write_bytes(path, text.encode())
