"""Numbers as people write them: lists, and ranges with a step."""

from math import isfinite

import typer

_MOST = 1000
"""Numbers that a range may have."""


def numbers_in(
    name: str, text: str, *, low: float, high: float | None = None
) -> tuple[float, ...]:
    """Read numbers such as "0.1:0.9:0.05" or "10,20,40".

    Parameters
    ----------
    name : str
        The option, for messages.
    text : str
        From, to (inclusive) and step, or a list.
    low : float
        Least number allowed.
    high : float, optional
        Largest number allowed.

    Returns
    -------
    tuple of float
        Rising, each once.

    Raises
    ------
    BadParameter
        If it is neither, or a number is out of its bounds.

    Examples
    --------
    >>> numbers_in("--thresholds", "0.1:0.3:0.1", low=0, high=1)
    (0.1, 0.2, 0.3)
    >>> numbers_in("--distances", "40,10", low=0)
    (10.0, 40.0)
    """
    try:
        numbers = _range(text) if ":" in text else _list(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither a list such as 10,20 nor from, to and step such as "
            "0.1:0.9:0.05.",
            param_hint=f"'{name}'",
        ) from None
    if not numbers:
        raise typer.BadParameter("Give at least one number.", param_hint=f"'{name}'")
    outside = [one for one in numbers if one < low or (high is not None and one > high)]
    if outside:
        bounds = f"at least {low:g}" if high is None else f"from {low:g} to {high:g}"
        raise typer.BadParameter(
            f"{outside[0]:g} is not {bounds}.", param_hint=f"'{name}'"
        )
    return tuple(sorted(set(numbers)))


def _list(text: str) -> list[float]:
    numbers = [float(part) for part in text.split(",") if part.strip()]
    if not all(map(isfinite, numbers)):
        raise ValueError
    return numbers


def _range(text: str) -> list[float]:
    start, stop, step = (float(part) for part in text.split(":"))
    if not (isfinite(start) and isfinite(stop) and step > 0 and stop >= start):
        raise ValueError
    # Rounding may leave the end just out of reach.
    n_steps = int((stop - start) / step + 1e-9)
    if n_steps >= _MOST:
        raise ValueError
    return [round(start + number * step, 10) for number in range(n_steps + 1)]
