"""Tells every dock that there is another model."""

from psygnal import Signal


class ModelShelf:
    """The user's folder of models, as far as docks must hear of it."""

    changed = Signal()
    """A model was added; emitted in the GUI thread."""


MODEL_SHELF = ModelShelf()
"""The only one; it knows no dock, docks connect to it."""
