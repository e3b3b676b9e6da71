"""The entry point: what leaves the program, and with which exit status."""

import os
import sys
from collections.abc import Sequence
from typing import cast

import typer

from napari_cresunet.cli._app import app
from napari_cresunet.cli._terminal import EXPECTED_ERRORS, one_line, tell_error

FAILED, WRONG_ARGUMENTS, INTERRUPTED = 1, 2, 130

# The base class has no public name that all versions of typer share.
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__bases__[0])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the program.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the program's name; by default those of the process.

    Raises
    ------
    SystemExit
        Always: 0 if all went well, 1 if something failed, 2 for wrong arguments, 130
        after Ctrl+C.
    """
    status = _run(list(sys.argv[1:] if arguments is None else arguments))
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = _leave_broken_pipe()
    raise SystemExit(status)


def _run(arguments: list[str]) -> int:
    try:
        status = app(arguments, prog_name="napari-cresunet", standalone_mode=False)
    except _UsageError as error:
        tell_error(_with_help(error))
        return WRONG_ARGUMENTS
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except BrokenPipeError:
        return _leave_broken_pipe()
    except EXPECTED_ERRORS as error:
        tell_error(one_line(error))
        return FAILED
    if status == INTERRUPTED:
        tell_error("Interrupted.")
    return status or 0


def _with_help(error: typer.BadParameter) -> str:
    """Return what is wrong with the arguments, and where the right ones are told."""
    message = " ".join(error.format_message().split()).rstrip(".")
    command = error.ctx.command_path if error.ctx else "napari-cresunet"
    return f"{message}; see '{command} --help'."


def _leave_broken_pipe() -> int:
    """Let Python's own last flush succeed when the reader of stdout has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
