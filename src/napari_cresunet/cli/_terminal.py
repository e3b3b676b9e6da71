"""What is said: results on stdout, all else on stderr."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_cresunet.errors import CResUNetError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

EXPECTED_ERRORS = (CResUNetError, OSError, MemoryError)
"""What the user is told in one line; anything else is a fault of the program."""

WIDTH = 200
"""Columns of a table that goes into a file or a pipe."""


def one_line(error: BaseException) -> str:
    """Return an expected error as one line."""
    if isinstance(error, MemoryError):
        return "There is not enough memory; close other programs or use smaller images."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'A file'}: {error.strerror}."
    return " ".join(str(error).split())


def tell(message: str, console: "Console | None" = None) -> None:
    """Write one line to stderr, above the progress bar if there is one."""
    if console is None:
        print(message, file=sys.stderr)
    else:
        console.print(message, markup=False, highlight=False, soft_wrap=True)


def tell_error(message: str, console: "Console | None" = None) -> None:
    """Write one line that says what failed to stderr."""
    tell(f"Error: {message}", console)


def tell_json(value: Any) -> None:
    """Write JSON, and nothing else, to stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def stdout_console() -> "Console":
    """Return a console for results; wide where no terminal sets a width."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


@contextmanager
def progress_bar(
    *columns: "str | ProgressColumn", is_wanted: bool = True
) -> Iterator["Progress"]:
    """Show progress on stderr if a person is watching.

    Parameters
    ----------
    *columns : ProgressColumn or str
        What is shown; what is done of what, and the time left, if not given.
    is_wanted : bool, optional
        False shows nothing.

    Yields
    ------
    Progress
        To add tasks to.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = columns or (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    is_watched = console.is_terminal and is_wanted
    with Progress(
        *columns, console=console, transient=True, disable=not is_watched
    ) as bar:
        yield bar
