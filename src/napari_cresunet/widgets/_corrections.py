"""What a person does to a layer of labels, with our tools or napari's."""

from typing import Any

import numpy as np

from napari_cresunet.correction import RELABEL, Edit
from napari_cresunet.errors import InputError
from napari_cresunet.state import HIGHEST, Corrections
from napari_cresunet.widgets._records import record_of

CORRECTIONS = "cresunet corrections"
"""Where they are among the metadata of a layer."""
_BRUSHES = ("paint", "erase")
_PART = 400
"""Part of the pixels up to which napari changes them one by one in less time."""
_QUICK = 8_000_000
"""Pixels up to which labels are looked at each time they are drawn: some 5 ms."""


def corrections_of(layer: Any) -> Corrections:
    """Return what a person did to the labels of a layer; from now on it is followed.

    Parameters
    ----------
    layer : napari.layers.Labels
        A layer whose labels are in memory; see `why_not_editable`.

    Returns
    -------
    Corrections
        As of now: of one layer always the same, unless its shape has changed.

    Raises
    ------
    InputError
        If labels are negative, or so high that cells cannot be told by them.
    """
    if is_followed(layer):
        known: Corrections = layer.metadata[CORRECTIONS]
        known.look(layer.data)
        note_edits(layer)
        return known
    original = layer.metadata.get(CORRECTIONS)
    if _has_shape(layer, original) and not original.owner:
        return start_corrections(layer, original)
    if _has_shape(layer, original):
        # napari's copy of a layer has the same metadata, and not only equal ones.
        layer.metadata["cresunet"] = dict(record_of(layer))
        return start_corrections(layer, original.copied(layer.data))
    low, high = layer.data.min(initial=0), layer.data.max(initial=0)
    if low < 0 or high > HIGHEST:
        raise InputError(
            f"The cells of {layer.name!r} have numbers from {low:,} to {high:,}, of "
            f"which only 0 to {HIGHEST:,} can be corrected: number them anew first."
        )
    return start_corrections(layer, Corrections(layer.data))


def known_corrections(layer: Any) -> Corrections:
    """Return the corrections of a layer that is followed.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer.

    Returns
    -------
    Corrections
        As of the last look, unless something was heard of the labels since; that saves
        looking at all of them.
    """
    known: Corrections = layer.metadata[CORRECTIONS]
    return corrections_of(layer) if known.is_outdated else known


def start_corrections(layer: Any, corrections: Corrections) -> Corrections:
    """Follow a layer with corrections that are known, such as those of a saved study.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer; shows the labels of the corrections.
    corrections : Corrections
        What is known.

    Returns
    -------
    Corrections
        The same.
    """
    layer.metadata[CORRECTIONS] = corrections
    corrections.owner = str(layer.unique_id)
    for name in ("data", "paint", "labels_update", "set_data"):
        emitter = getattr(layer.events, name)
        # Once only, and for as long as the layer lives: edits that are made while no
        # dock is open must be known, too. The function holds no dock.
        emitter.disconnect(_on_labels_changed)
        emitter.connect(_on_labels_changed)
    return corrections


def _on_labels_changed(event: Any) -> None:
    layer = event.source
    corrections = layer.metadata.get(CORRECTIONS)
    if not isinstance(corrections, Corrections):
        return
    if not is_followed(layer):
        return
    data = layer.data
    # A stroke is one step, of which `paint` tells at its end.
    is_in_stroke = event.type == "labels_update" and layer.mode in _BRUSHES
    # Only this tells of undo, but it comes with each redraw as well.
    is_slow = event.type == "set_data" and data.size > _QUICK
    if is_in_stroke or is_slow:
        corrections.is_outdated = True
        return
    corrections.look(data)
    note_edits(layer)


def is_followed(layer: Any) -> bool:
    """Tell whether it is known what a person did to the labels of a layer.

    Parameters
    ----------
    layer : napari.layers.Labels
        Any layer of labels.

    Returns
    -------
    bool
        False also where a script has put something else into it.
    """
    known = layer.metadata.get(CORRECTIONS)
    return _has_shape(layer, known) and known.owner == str(layer.unique_id)


def _has_shape(layer: Any, known: Any) -> bool:
    is_array = isinstance(known, Corrections) and isinstance(layer.data, np.ndarray)
    return is_array and known.labels.shape == layer.data.shape


def is_edited(layer: Any) -> bool:
    """Tell whether somebody else than this plugin changed the labels of its layer.

    Parameters
    ----------
    layer : napari.layers.Labels
        Any layer of labels.

    Returns
    -------
    bool
        Also true of labels that cannot be compared any more with those that were made.
    """
    if _has_shape(layer, layer.metadata.get(CORRECTIONS)):
        return not corrections_of(layer).pins.is_empty
    return CORRECTIONS in layer.metadata or bool(record_of(layer).get("edited"))


def note_edits(layer: Any) -> None:
    """Keep what is noted down on a layer in step with what a person did to it."""
    record, corrections = record_of(layer), layer.metadata[CORRECTIONS]
    if "edited" in record:
        record["edited"] = not corrections.pins.is_empty
        record["pinned"] = corrections.n_pinned
        record["count"] = corrections.count


def set_labels(layer: Any, labels: Any, record: dict[str, Any]) -> None:
    """Show labels that this plugin made in a layer that nobody edited.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer.
    labels : ndarray of int
        What to show.
    record : dict
        How they came about.
    """
    # First what is known of the labels: who hears of them asks for it at once.
    layer.metadata["cresunet"] = record
    start_corrections(layer, Corrections(labels))
    with without_looking(layer):
        layer.data = labels


def renew_labels(
    layer: Any, automatic: Any, min_size: int, record: dict[str, Any]
) -> None:
    """Show cells that the network has, but leave the pinned ones as they are.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer.
    automatic : ndarray of int
        The network's cells, 1 to N.
    min_size : int
        Px; no smaller piece of a new cell stays beside pinned ones.
    record : dict
        How they came about.
    """
    labels, _ = corrections_of(layer).renewed(automatic, min_size)
    show_renewed(layer, labels, (automatic, min_size), record)


def show_renewed(
    layer: Any,
    labels: Any,
    made_of: tuple[Any, int],
    record: dict[str, Any],
    *,
    areas: Any = None,
    in_place: bool = False,
) -> None:
    """Show labels from `Corrections.renewed`.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer, whose corrections have just been looked at.
    labels : ndarray of int
        Not to be changed afterwards; the layer gets a copy.
    made_of : tuple of ndarray and int
        What they were made of.
    record : dict
        How they came about.
    areas : list of ndarray, optional
        How many px each of `labels` has on each plane, if that is known.
    in_place : bool, optional
        Write into the layer's own array, which napari shows sooner. It does not tell
        `data` then: see `tell_renewed`.
    """
    corrections = layer.metadata[CORRECTIONS]
    # What napari would undo was done to other labels.
    if corrections.has_steps:
        forget_edits(layer)
    # Changed one by one, a few pixels take less time than all of the texture.
    few = corrections.differing(labels, labels.size // _PART) if in_place else None
    # First what is known of the labels: who hears of them asks for it at once.
    layer.metadata["cresunet"] = record
    with corrections.changed.paused(), without_looking(layer):
        corrections.renew(labels, *made_of, areas)
        note_edits(layer)
        if in_place and layer.data.dtype == labels.dtype:
            _overwrite(layer, labels, few)
        else:
            layer.data = labels.copy()


def _overwrite(layer: Any, labels: Any, changed: Any) -> None:
    """Write labels into the array of a layer; changed places, if they are few."""
    # Only these are in step with what is drawn, so that a part can be drawn anew.
    is_plain = layer.visible and layer.loaded and not layer.contour
    if changed is not None and is_plain:
        set_pixels(layer, changed, labels.ravel()[changed])
        forget_edits(layer)
        return
    np.copyto(layer.data, labels)
    layer.refresh(extent=False)


def tell_renewed(layer: Any) -> None:
    """Tell everybody of labels that were written in place, once no more follow.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer.
    """
    with without_looking(layer):
        # Pixels that were changed one by one are not in the thumbnail yet.
        layer.refresh(extent=False, highlight=False, data_displayed=False)
        layer.events.data(value=layer.data)


def forget_edits(layer: Any) -> None:
    """Drop the undo history, which belongs to an array that is gone."""
    # Changing `editable` is the public way; it also resets the mode.
    mode, editable = layer.mode, layer.editable
    layer.editable = False
    layer.editable = editable
    layer.mode = mode


def why_not_editable(layer: Any) -> str:
    """Say why labels cannot be corrected.

    Parameters
    ----------
    layer : napari.layers.Labels
        Any layer of labels.

    Returns
    -------
    str
        One sentence; empty if they can.
    """
    if layer.multiscale:
        return (
            f"{layer.name!r} is a pyramid, which napari cannot edit: choose a layer "
            "with one resolution."
        )
    data = layer.data
    if not isinstance(data, np.ndarray):
        return (
            f"The labels of {layer.name!r} are not in memory: save the layer as TIFF "
            "and open that file."
        )
    if not data.flags.writeable:
        return (
            f"The labels of {layer.name!r} are read-only: duplicate the layer (right "
            "click) and correct the copy."
        )
    if not layer.editable:
        return (
            f"{layer.name!r} is locked: show rows and columns in the 2D view, or "
            "unlock the layer."
        )
    return ""


def apply_edit(layer: Any, edit: Edit) -> None:
    """Change the labels of a layer, as one step of napari's undo.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer that the edit was made for.
    edit : Edit
        What changes.

    Raises
    ------
    InputError
        If the layer cannot be edited; nothing changes then.
    """
    why_not = why_not_editable(layer)
    if why_not:
        raise InputError(why_not)
    corrections = corrections_of(layer)
    if edit.is_empty:
        return
    with without_looking(layer):
        set_pixels(layer, edit.pixels, edit.values)
    if edit.kind == RELABEL:
        corrections.renumber(layer.data, edit.kind)
    else:
        corrections.look(layer.data, edit.kind)
    note_edits(layer)


def set_pixels(layer: Any, pixels: Any, values: Any) -> None:
    """Set labels as one step of napari's undo.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer.
    pixels : ndarray of intp, shape (N,)
        Places in its labels laid out in one line.
    values : ndarray of int, shape (N,)
        Their new labels.
    """
    layer.data_setitem(np.unravel_index(pixels, layer.data.shape), values)


def without_looking(layer: Any) -> Any:
    """Return a context in which changes are not taken for those of napari's tools."""
    from contextlib import ExitStack

    stack = ExitStack()
    for name in ("data", "paint", "labels_update", "set_data"):
        blocker = getattr(layer.events, name).blocker(_on_labels_changed)
        stack.enter_context(blocker)
    return stack


def release_pins(layer: Any, cells: Any = (), erased: Any = ()) -> None:
    """Unpin cells of a layer; where labels were made here, they come back.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer.
    cells : collection of int
        Labels of pinned cells.
    erased : collection of Erased
        Of the pins.
    """
    corrections = corrections_of(layer)
    shown = corrections.release(cells, erased)
    pixels = np.flatnonzero(shown != layer.data)
    with without_looking(layer):
        set_pixels(layer, pixels, shown.ravel()[pixels])
    note_edits(layer)
