"""Loops that numpy has no words for, compiled by numba.

The machine code is kept in numba's cache, so that only the first call after an
installation waits for the compiler. The cache looks at the file of a function to tell
whether its code is still true, so what a compiled function calls stands in its file.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

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
    made: Callable[Arguments, Result]
    try:
        made = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # There is no folder to keep the machine code in: neither the package's own nor
        # that of the user's cache can be written to.
        made = numba.njit(nogil=True)(function)
    return made
