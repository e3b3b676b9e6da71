"""Loops that numpy has no words for, compiled by numba.

The machine code is kept in numba's cache, so that only the first call after an
installation waits for the compiler. To tell whether it is still true, numba looks at
the file of a function, but not at the files of compiled functions that are called in
it. Here all files of its folder count, and what a compiled function calls is in there.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a function when it is first called.

    Parameters
    ----------
    function : callable
        Of numbers, arrays and tuples of these.

    Returns
    -------
    callable
        The same, fast.
    """
    made: Any
    try:
        made = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # There is no folder to keep the machine code in: neither the package's own nor
        # that of the user's cache can be written to.
        made = numba.njit(nogil=True)(function)
    else:
        folder = Path(function.__code__.co_filename).parent
        _forget_outdated(folder, made.stats.cache_path)
    result: Callable[Arguments, Result] = made
    return result


@cache
def _forget_outdated(sources: Path, kept: str) -> None:
    """Remove machine code that is older than any source of a folder."""
    times = [path.stat().st_mtime_ns for path in sources.glob("*.py")]
    # What a wrong clock dated ahead would make all machine code too old for ever.
    now = time.time_ns()
    newest = max((one for one in times if one <= now), default=0)
    for index in Path(kept).glob("*.nbi"):
        # Another process may do the same at this moment.
        with suppress(OSError):
            if index.stat().st_mtime_ns < newest:
                index.unlink()
