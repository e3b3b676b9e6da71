"""Writing a file of annotations: whole, or an error that says why not."""

import json
from pathlib import Path
from typing import Any

from napari_cresunet._files import written_whole
from napari_cresunet.errors import EngineError


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file; one that exists is replaced, and none is left half written."""
    try:
        with written_whole(path) as file:
            file.write(content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EngineError(
            f"{path} cannot be written ({reason}): choose another folder or free some "
            "space."
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Write a document as compact JSON."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    write_bytes(path, text.encode())
