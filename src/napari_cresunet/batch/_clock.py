"""How fast a batch goes, and how long it will still take."""

import time
from collections import deque
from statistics import median

_KEPT = 60
"""Images that the estimate looks back on."""
_LONGEST = 5
"""An image that took so many times the median, as while the computer slept, counts as
that long."""


class Clock:
    """Watches images being counted.

    Parameters
    ----------
    now : float
        Seconds of a clock that only goes forward.
    """

    def __init__(self, now: float | None = None) -> None:
        self._last = time.monotonic() if now is None else now
        self._intervals: deque[float] = deque(maxlen=_KEPT)

    def tick(self, now: float | None = None) -> None:
        """An image was counted.

        Parameters
        ----------
        now : float
            Seconds of the same clock.
        """
        now = time.monotonic() if now is None else now
        self._intervals.append(now - self._last)
        self._last = now

    @property
    def rate(self) -> float | None:
        """Images per second, lately; None before the second image."""
        # The first one waits for the model.
        intervals = list(self._intervals)[1:] or None
        if intervals is None:
            return None
        longest = _LONGEST * median(intervals)
        mean = sum(min(one, longest) for one in intervals) / len(intervals)
        return 1 / mean if mean > 0 else None

    def seconds_left(self, n_images: int) -> float | None:
        """Return how long so many images will take; None before anything is known."""
        rate = self.rate
        return None if rate is None else n_images / rate
