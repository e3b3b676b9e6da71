"""Keys of the canvas, which docks take and let go of."""

from collections.abc import Callable, Mapping
from typing import Any


def bind_keys(
    target: Any, actions: Mapping[str, Callable[[], object]], owner: object
) -> None:
    """Let keys of the canvas do something, whatever they did before.

    Parameters
    ----------
    target : napari.Viewer or napari.layers.Layer
        Where they are pressed; those of the selected layer come first.
    actions : mapping of str to callable
        What each key does.
    owner : object
        Whose keys these are; who takes them later has them.
    """
    for key, action in actions.items():
        target.bind_key(key, _caller(action, owner), overwrite=True)


def _caller(action: Callable[[], object], owner: object) -> Callable[[Any], None]:
    def call(_target: Any) -> None:
        action()

    call.owner = owner  # type: ignore[attr-defined]  # a function has what one gives it
    return call


def unbind_keys(target: Any, owner: object) -> None:
    """Let go of keys, unless another owner has taken them since.

    Parameters
    ----------
    target : napari.Viewer or napari.layers.Layer
        Where they are pressed.
    owner : object
        As for `bind_keys`.
    """
    for key, action in list(target.keymap.items()):
        if getattr(action, "owner", None) is owner:
            target.bind_key(key, None)


class LettersLeft:
    """A list that has the focus leaves letters to the canvas.

    Else it would look for an entry that begins with them.
    """

    def keyPressEvent(self, event: Any) -> None:
        """Take the keys that are not letters."""
        if event.text().isalpha():
            event.ignore()
        else:
            super().keyPressEvent(event)  # type: ignore[misc]  # of the list
