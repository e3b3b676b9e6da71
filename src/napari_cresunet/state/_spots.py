"""Places in an image that a person is led to, one after the other."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A place to look at."""

    text: str
    """What is there, such as "Missed, 212 px, dim"."""
    row: float
    column: float
    """Where, in px of the image."""
    plane: int = 0
    """Number of the plane, counted through all leading axes."""
    size: float = 40.0
    """Width in px of what is to be seen."""
    color: str = ""
    """Such as "#d55e00", for a mark beside the text."""
