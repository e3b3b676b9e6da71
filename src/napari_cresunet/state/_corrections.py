"""What a person did to the labels of one layer, whichever tool was used."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_cresunet._typing import Indices, Labels
from napari_cresunet.correction import (
    ACCEPTED,
    PAINT,
    Erased,
    LogEntry,
    Pins,
    apply_pins,
    pins_of_changes,
)
from napari_cresunet.state._label_areas import (
    Areas,
    areas_of_planes,
    changed_areas,
    counts_of,
    describe_change,
    differing_places,
    fingerprint,
    middle_of,
    total_areas,
)

UNDO, REDO = "undo", "redo"
"""Steps through the viewer's history."""
HIGHEST = 2**24
"""Labels up to which cells are counted by a table with a place for each number."""
_WORD = 2**64
NEW_LABELS = "new labels"
"""All cells but the pinned ones were made anew, and have other numbers."""
ACCEPT, RELEASE = "accept", "release"


class Snapshot(NamedTuple):
    """Labels with their pins, which nobody changes any more."""

    labels: NDArray[Any]
    pins: Pins


class Corrections:
    """Pins, reviewed cells and log of one label image.

    It compares arrays and knows no tool: what was painted with a brush of the viewer is
    found like an edit of ours, and what was undone is no longer found.

    Parameters
    ----------
    labels : ndarray of shape (..., Y, X), int
        The labels; they are copied. None is higher than `HIGHEST`.
    pins : Pins, optional
        What is pinned in them.
    log : iterable of LogEntry, optional
        What was done before.
    reviewed : iterable of int, optional
        Labels of the cells that a person has looked at.
    """

    changed = Signal()
    """Labels, pins, reviewed cells or log are others than before."""

    def __init__(
        self,
        labels: NDArray[Any],
        *,
        pins: Pins | None = None,
        log: Iterable[LogEntry] = (),
        reviewed: Iterable[int] = (),
    ) -> None:
        self.owner = ""
        """Identity of the layer that shows the labels, once there is one."""
        self.is_outdated = False
        """Whether somebody may have changed the labels since the last look."""
        self.log: list[LogEntry] = list(log)
        self.reviewed: frozenset[int] = frozenset(reviewed)
        self._automatic: NDArray[Any] | None = None
        self._min_size = 0
        self._begin(np.array(labels), pins or Pins())

    def _begin(
        self, labels: NDArray[Any], pins: Pins, areas: Areas | None = None
    ) -> None:
        """Take labels, which nobody changes, as those that pins are found against."""
        self._base = _Base(labels, pins)
        self._seen = Snapshot(labels, pins)
        self._differing = np.empty(0, np.intp)
        self.is_outdated = False
        # Waits until somebody asks: a slider makes new labels all the time.
        self._areas = areas
        self._states = [(0, self._base)]
        self._state = 0

    # What is known

    @property
    def pins(self) -> Pins:
        """What is pinned, as of the last look."""
        return self._seen.pins

    @property
    def labels(self) -> NDArray[Any]:
        """The labels of the last look; not to be changed."""
        return self._seen.labels

    @property
    def n_pinned(self) -> int:
        """How many cells are pinned, those included that were deleted."""
        return len(self.pins.cells) + sum(one.is_whole for one in self.pins.erased)

    @property
    def areas(self) -> Areas:
        """For each plane, how many px each label has, from 0 on."""
        if self._areas is None:
            self._areas = areas_of_planes(self._seen.labels)
        return self._areas

    @property
    def plane_counts(self) -> tuple[int, ...]:
        """How many cells each plane has."""
        return counts_of(self.areas)

    @property
    def count(self) -> int:
        """How many cells there are; one that is on several planes is one."""
        return len(self.cells)

    @property
    def cells(self) -> Indices:
        """Labels of the cells, ascending."""
        return np.flatnonzero(total_areas(self.areas)[1:]) + 1

    @property
    def has_steps(self) -> bool:
        """Whether anything was done since labels were made."""
        return len(self._states) > 1

    def is_of(self, automatic: NDArray[Any]) -> bool:
        """Tell whether the labels were made of these cells, and not of others yet."""
        return self._automatic is automatic

    def snapshot(self) -> Snapshot:
        """Return labels and pins of the last look, for work in another thread."""
        return self._seen

    def differing(self, labels: NDArray[Any], most: int) -> Indices | None:
        """Find where other labels differ from those of the last look.

        Parameters
        ----------
        labels : ndarray of the same shape, int
            The others.
        most : int
            No more places are of interest.

        Returns
        -------
        ndarray of intp, or None
            Places in the labels laid out in one line; None if there are more.
        """
        return differing_places(labels, self._seen.labels, most)

    # What a person does

    def look(self, labels: NDArray[Any], kind: str = PAINT) -> Pins:
        """Find what has changed since the last look.

        Parameters
        ----------
        labels : ndarray of the same shape, int
            As they are now.
        kind : str, optional
            What was done, for the log.

        Returns
        -------
        Pins
            What is pinned now.
        """
        self.is_outdated = False
        changed = differing_places(labels, self._seen.labels)
        if changed is None or not len(changed):
            return self.pins
        before, planes = self._seen.labels, self.areas
        now = np.array(labels)  # the viewer changes its own in place
        old, new = before.ravel()[changed], now.ravel()[changed]
        self._areas = changed_areas(planes, changed, (old, new), now.shape)
        self._differing = np.union1d(self._differing, changed)
        kind = self._note_state(
            fingerprint(changed, new) - fingerprint(changed, old), kind, now
        )
        self.log.append(
            describe_change(kind, changed, (old, new), (planes, self._areas), now)
        )
        self._seen = Snapshot(now, self._pins_of(now))
        self._keep_reviewed(self.cells.tolist())
        self.changed.emit()
        return self.pins

    def _pins_of(self, labels: NDArray[Any]) -> Pins:
        base = self._base
        new, old = (side.ravel()[self._differing] for side in (labels, base.labels))
        is_other = new != old
        self._differing = self._differing[is_other]
        return pins_of_changes(
            self._differing,
            (new[is_other], old[is_other]),
            (total_areas(self.areas), base.areas),
            base.pins,
        )

    def _note_state(self, change: int, kind: str, labels: NDArray[Any]) -> str:
        """Return what was done; a known state was come back to by undo or redo."""
        state = (self._states[self._state][0] + change) % _WORD
        known = [number for number, _ in self._states]
        if kind != PAINT or state not in known:
            self._add_state(state)
            return kind
        place = known.index(state)
        kind = UNDO if place < self._state else REDO
        self._state = place
        self._find_against(self._states[place][1], labels)
        return kind

    def _add_state(self, state: int) -> None:
        self._states[self._state + 1 :] = [(state % _WORD, self._base)]
        self._state += 1

    def _find_against(self, base: "_Base", labels: NDArray[Any]) -> None:
        """Find pins against other labels from now on."""
        if base is not self._base:
            self._base = base
            self._differing = np.flatnonzero(labels != base.labels)

    def _keep_reviewed(self, cells: Collection[int]) -> None:
        self.reviewed &= frozenset(cells)

    def accept(self, cell: int) -> None:
        """Pin a cell as it is, and note that it was looked at.

        Parameters
        ----------
        cell : int
            Its label.
        """
        cells = {**self._base.pins.cells}
        cells.setdefault(cell, ACCEPTED)
        erased = self._base.pins.erased
        self._base.pins = Pins(cells=dict(sorted(cells.items())), erased=erased)
        labels = self._seen.labels
        self._seen = Snapshot(labels, self._pins_of(labels))
        self.reviewed |= {cell}
        self._note(ACCEPT, (cell,))

    def review(self, cell: int) -> None:
        """Note that a person has looked at a cell.

        Parameters
        ----------
        cell : int
            Its label.
        """
        self.reviewed |= {cell}
        self.changed.emit()

    def _note(self, kind: str, cells: tuple[int, ...]) -> None:
        places = np.flatnonzero(np.isin(self._seen.labels, cells))
        place = middle_of(places, self._seen.labels.shape)
        self.log.append(LogEntry(kind=kind, before=cells, after=cells, **place))
        self.changed.emit()

    def release(
        self, cells: Collection[int] = (), erased: Collection[Erased] = ()
    ) -> NDArray[Any]:
        """Unpin cells, and let cells be found where some were deleted.

        Parameters
        ----------
        cells : collection of int
            Labels of pinned cells.
        erased : collection of Erased
            Of `pins.erased`.

        Returns
        -------
        ndarray of shape (..., Y, X), int
            The labels to show: released places as the network has them, where labels
            were made here, else unchanged. Show it, then call `look`.
        """
        labels, pins = self._seen
        gone = set(cells)
        dropped = [
            one
            for one in pins.erased
            if one in erased or (not one.is_whole and one.label in gone)
        ]
        left = Pins(
            cells={c: kind for c, kind in pins.cells.items() if c not in gone},
            erased=tuple(one for one in pins.erased if one not in dropped),
        )
        shown = labels
        if self._automatic is not None:
            shown = apply_pins(self._automatic, labels, left, self._min_size)
            shown = shown.astype(labels.dtype)
        self._go_on_with(_Base(shown, left), shown)
        self._keep_reviewed(left.cells)
        touched = gone | {one.label for one in dropped}
        self.log.append(LogEntry(kind=RELEASE, before=tuple(sorted(touched))))
        self.changed.emit()
        return shown

    def _go_on_with(self, base: "_Base", shown: NDArray[Any]) -> None:
        """Take other labels, from which the viewer's undo leads back."""
        labels = self._seen.labels
        changed = np.flatnonzero(shown != labels)
        old, new = labels.ravel()[changed], shown.ravel()[changed]
        self._areas = changed_areas(self.areas, changed, (old, new), shown.shape)
        self._find_against(base, shown)
        state = self._states[self._state][0]
        self._add_state(state + fingerprint(changed, new) - fingerprint(changed, old))
        self._seen = Snapshot(shown, self._pins_of(shown))

    def renumber(self, labels: NDArray[Any], kind: str) -> None:
        """Follow cells that have got other numbers; nothing is pinned by that.

        Parameters
        ----------
        labels : ndarray of the same shape, int
            The cells of the last look, each as it was, but for its number.
        kind : str
            What was done, for the log.
        """
        before, base = self._seen.labels, self._base
        places = np.flatnonzero(before != 0)
        numbers = np.zeros(
            max(len(base.areas), int(before.max(initial=0)) + 1), np.intp
        )
        numbers[before.ravel()[places]] = labels.ravel()[places]
        new_numbers = {int(cell): int(numbers[cell]) for cell in self.cells}
        # Cells that were deleted since need numbers that nobody else has.
        is_gone = (numbers == 0) & (np.arange(len(numbers)) > 0)
        numbers[is_gone] = numbers.max(initial=0) + 1 + np.arange(is_gone.sum())
        renumbered = _Base(numbers[base.labels], _renumbered(base.pins, new_numbers))
        self._go_on_with(renumbered, np.array(labels))
        self.reviewed = frozenset(
            new_numbers[cell] for cell in self.reviewed if cell in new_numbers
        )
        self.log.append(
            LogEntry(
                kind=kind,
                before=tuple(new_numbers),
                after=tuple(sorted(new_numbers.values())),
            )
        )
        self.changed.emit()

    def copied(self, labels: NDArray[Any]) -> "Corrections":
        """Return corrections of another layer that has begun as a copy of this one.

        Parameters
        ----------
        labels : ndarray of the same shape, int
            Of the other layer, as they are now.

        Returns
        -------
        Corrections
            With the same pins, and what was done to the copy since.
        """
        before, pins = self._seen
        copy = Corrections(before, pins=pins, log=self.log, reviewed=self.reviewed)
        copy._automatic, copy._min_size = self._automatic, self._min_size
        copy.look(labels)
        return copy

    # New labels

    def renewed(self, automatic: NDArray[Any], min_size: int) -> tuple[Labels, Pins]:
        """Return new labels in which pinned cells are as they were; change nothing.

        Parameters
        ----------
        automatic : ndarray of the same shape, int
            Cells as the network has them, 1 to N.
        min_size : int
            Px; no smaller piece of a new cell stays beside pinned ones.

        Returns
        -------
        labels : ndarray of int32
            For the layer; the array that was given, if nothing is pinned.
        pins : Pins
            That were kept: if `pins` are others by now, it must be done again.
        """
        labels, pins = self._seen
        if pins.is_empty and automatic.dtype == np.int32:
            return automatic, pins
        return apply_pins(automatic, labels, pins, min_size), pins

    def renew(
        self,
        labels: NDArray[Any],
        automatic: NDArray[Any],
        min_size: int,
        areas: Areas | None = None,
    ) -> None:
        """Take labels that were made with `renewed`.

        Parameters
        ----------
        labels : ndarray of the same shape, int
            What the layer shows from now on; not to be changed, so the layer needs a
            copy.
        automatic, min_size : ndarray and int
            What they were made of; not to be changed, either.
        areas : list of ndarray, optional
            How many px each of `labels` has on each plane, if that is known.
        """
        self._automatic, self._min_size = automatic, min_size
        self._begin(labels, self.pins, areas)
        self._keep_reviewed(self.pins.cells)
        is_noted = not self.log or self.log[-1].kind == NEW_LABELS
        if not is_noted:
            self.log.append(LogEntry(kind=NEW_LABELS))
        self.changed.emit()


class _Base:
    """Labels that pins are found against, and what was pinned in them."""

    def __init__(self, labels: NDArray[Any], pins: Pins) -> None:
        self.labels = labels
        self.pins = pins

    @cached_property
    def areas(self) -> NDArray[np.intp]:
        """How many px each label has."""
        return total_areas(areas_of_planes(self.labels))


def _renumbered(pins: Pins, numbers: Mapping[int, int]) -> Pins:
    cells = {numbers.get(cell, cell): kind for cell, kind in pins.cells.items()}
    erased = tuple(
        one if one.is_whole else replace(one, label=numbers.get(one.label, one.label))
        for one in pins.erased
    )
    return Pins(cells=dict(sorted(cells.items())), erased=erased)
