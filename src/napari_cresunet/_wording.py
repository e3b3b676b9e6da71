"""Words for messages."""

from collections.abc import Sequence


def list_names(names: Sequence[str], at_most: int = 3) -> str:
    """Name the first few of many.

    Parameters
    ----------
    names : sequence of str
        What to name.
    at_most : int, optional
        How many are named.

    Returns
    -------
    str
        Names with commas, and how many more there are.

    Examples
    --------
    >>> list_names(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    listed = ", ".join(names[:at_most])
    n_more = len(names) - at_most
    return f"{listed} and {n_more} more" if n_more > 0 else listed
