"""What docks must hear from each other, without knowing each other."""

from collections.abc import Callable

from psygnal import Signal


class ModelShelf:
    """The user's folder of models, as far as docks must hear of it."""

    changed = Signal()
    """A model was added; emitted in the GUI thread."""


MODEL_SHELF = ModelShelf()
"""The only one; it knows no dock, docks connect to it."""


class LabelsShelf:
    """Docks that can make the labels they made anew."""

    def __init__(self) -> None:
        self._makers: list[Callable[[str, float], bool]] = []

    def add(self, maker: Callable[[str, float], bool]) -> None:
        """Let a dock make labels.

        Parameters
        ----------
        maker : callable
            Gets the identity of a labels layer and a threshold, and returns whether
            that is its business.
        """
        self._makers.append(maker)

    def remove(self, maker: Callable[[str, float], bool]) -> None:
        """Forget a dock that is gone."""
        if maker in self._makers:
            self._makers.remove(maker)

    def relabel(self, identity: str, threshold: float) -> bool:
        """Have labels made at another threshold.

        Parameters
        ----------
        identity : str
            Of the labels layer.
        threshold : float
            Cell where the probability is greater.

        Returns
        -------
        bool
            Whether a dock does it, now or soon.
        """
        return any(maker(identity, threshold) for maker in self._makers)


LABELS_SHELF = LabelsShelf()
"""The only one; docks add themselves while they are open."""
