"""Writing a file so that it is there whole or not at all."""

import csv
import errno
import hashlib
import io
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing under another name; rename it at the end.

    Parameters
    ----------
    path : Path
        The file; one that exists is replaced. Missing folders are made.

    Yields
    ------
    file object
        Open for writing and reading bytes. If the block raises, nothing is left of it
        and a file that was there before stays as it was.

    Notes
    -----
    An `OSError` passes through; callers say what could not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def lock_file(file: IO[bytes]) -> bool:
    """Lock a file until it is closed; the system unlocks it if the process dies.

    Parameters
    ----------
    file : file object
        Open for writing.

    Returns
    -------
    bool
        Whether nobody else had locked it. True also where there are no locks, as on
        some network drives.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP)
    return True


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_csv(
    path: Path, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write a table; it is there whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    names : sequence of str
        Names of the columns.
    rows : sequence of mapping
        One value for each column; None becomes an empty field.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    with written_whole(path) as file:
        # Names of files need not be text of any encoding.
        file.write(text.getvalue().encode(errors="backslashreplace"))
