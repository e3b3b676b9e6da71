"""How options are declared: frozen dataclasses whose fields say their own bounds.

Each field states default, help, unit and bounds once; forms, command line flags and the
tables in the documentation are made from that.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import inf
from typing import Any, Self

from napari_cresunet.errors import InputError


def option(
    default: Any,
    text: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a field of an `Options` class.

    Parameters
    ----------
    default : object
        The value when nothing is said.
    text : str
        One sentence for the user.
    unit : str, optional
        Unit of a number, such as "px".
    low, high : float, optional
        Smallest and largest value allowed, both inclusive.
    choices : tuple of str, optional
        All values allowed of a text.

    Returns
    -------
    dataclasses.Field
        To stand on the right of a field's annotation.
    """
    metadata = {
        "text": text,
        "unit": unit,
        "low": low,
        "high": high,
        "choices": choices,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Base of all options: checks bounds, goes to and comes from plain dicts."""

    def __post_init__(self) -> None:
        """Check the bounds of every number and the choices of every text."""
        for spec in fields(self):
            value = getattr(self, spec.name)
            choices = spec.metadata.get("choices")
            if choices and value not in choices:
                raise InputError(
                    f"`{spec.name}` must be {' or '.join(choices)}, got {value!r}."
                )
            if isinstance(value, int | float):
                check_bounds(
                    spec.name,
                    value,
                    spec.metadata.get("low"),
                    spec.metadata.get("high"),
                )

    def to_dict(self) -> dict[str, Any]:
        """Return the options as a plain dict, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make the options from a plain dict.

        Parameters
        ----------
        values : mapping
            Field names and values; missing fields take their defaults.

        Returns
        -------
        Options
            An instance of the class this is called on.

        Raises
        ------
        InputError
            If a name is unknown or a number is out of its bounds.
        """
        known = [spec.name for spec in fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise InputError(
                f"Unknown option {unknown[0]!r} for {cls.__name__}; "
                f"choose from {', '.join(known)}."
            )
        return cls(**values)


def check_bounds(
    name: str, value: float, low: float | None, high: float | None
) -> None:
    """Refuse a number that is not finite or lies outside its bounds.

    Parameters
    ----------
    name : str
        The parameter's name, for the message.
    value : float
        The number.
    low, high : float or None
        Bounds, inclusive; None for none.

    Raises
    ------
    InputError
        If `value` is NaN or infinite, below `low` or above `high`.
    """
    too_low = low is not None and not value >= low
    too_high = high is not None and not value <= high
    if not (too_low or too_high or value != value):
        if abs(value) == inf:
            raise InputError(f"`{name}` must be finite, got {value:g}.")
        return
    if low is None and high is None:
        allowed = "a number"
    elif high is None:
        allowed = f"at least {low:g}"
    elif low is None:
        allowed = f"at most {high:g}"
    else:
        allowed = f"between {low:g} and {high:g}"
    raise InputError(f"`{name}` must be {allowed}, got {value:g}.")
