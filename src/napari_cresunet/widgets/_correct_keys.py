"""Keys of the canvas that correct cells."""

from collections.abc import Callable, Mapping
from typing import Any


def bind_actions(
    target: Any, actions: Mapping[str, Callable[[], object]], owner: Any
) -> None:
    """Let keys of the canvas do something, whatever they did before.

    Parameters
    ----------
    target : napari.Viewer or napari.layers.Layer
        Where they are pressed; those of the selected layer come first.
    actions : mapping of str to callable
        What each key does.
    owner : object
        Whose keys these are; `napari_cresunet.widgets._walking.unbind_keys` lets go
        of them by it.
    """
    for key, action in actions.items():
        target.bind_key(key, _caller(action, owner), overwrite=True)


def _caller(action: Callable[[], object], owner: Any) -> Callable[[Any], None]:
    def call(_target: Any) -> None:
        action()

    call.owner = owner  # type: ignore[attr-defined]  # a function has what one gives it
    return call
