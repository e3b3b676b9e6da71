"""Result files: each is there whole or not at all."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from napari_cresunet._files import written_whole
from napari_cresunet._typing import Image
from napari_cresunet._writing import as_plain, json_bytes
from napari_cresunet.errors import InputError


def write_png(path: Path, pixels: Image) -> None:
    """Write an 8-bit picture (Y, X, 3) as PNG."""
    from napari_cresunet.export import png_bytes

    content = png_bytes(pixels)
    with written_whole(path) as file:
        file.write(content)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON; what is not finite is null."""
    with written_whole(path) as file:
        file.write(json_bytes(as_plain(value), indent=2))


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8."""
    with written_whole(path) as file:
        file.write(text.encode(errors="backslashreplace"))


def refuse_overwriting(written: Iterable[Path], read: Iterable[Path]) -> None:
    """Refuse to write results over a file that is to be read.

    Raises
    ------
    InputError
        If a file is among both.
    """
    inputs = {path.resolve() for path in read}
    for target in written:
        if target.resolve() in inputs:
            raise InputError(
                f"The results would overwrite {target}; choose another folder."
            )
