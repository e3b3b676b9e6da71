"""Result files: each is there whole or not at all."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from napari_cresunet._typing import Image


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file under another name, then rename it.

    Parameters
    ----------
    path : Path
        The file; one that exists is replaced. Missing folders are made.
    write : callable
        Gets the open file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner may read.
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_png(path: Path, pixels: Image) -> None:
    """Write an 8-bit picture (Y, X, 3) as PNG."""
    import imageio.v3 as iio

    encoded = iio.imwrite("<bytes>", pixels, extension=".png")
    write_whole(path, lambda file: file.write(encoded))


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def write_csv(
    path: Path, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write rows as CSV under these column names; None becomes an empty field."""
    text = io.StringIO()
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_whole(path, lambda file: file.write(text.getvalue().encode()))
