"""Files that are written whole, or an error that says why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def write_content(path: Path, content: bytes) -> None:
    """Write a file; it is there whole or not at all."""
    with told_why(path), written_whole(path) as file:
        file.write(content)
