"""What was done by hand, in numbers and in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from napari_cresunet.correction import LogEntry
from napari_cresunet.export._html import several

_UNDO, _REDO = "undo", "redo"
_NO_EDITS = {"accept", "release", "new labels", "relabel"}
"""Steps that change no cell by hand."""
_WORDS = {
    "merge": "{before} merged into {after}",
    "split": "{before} split into {after}",
    "trim": "parts of {before} cut off",
    "delete": "{before} deleted",
    "add": "{after} added",
    "fill holes": "holes of {before} filled",
    "smooth": "outlines of {before} smoothed",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class HandEdits:
    """All steps of one kind."""

    kind: str
    """Such as "merge"; "paint" is any tool of the viewer, such as a brush."""
    n_steps: int
    n_before: int
    """Cells that were changed; one that was changed twice counts twice."""
    n_after: int
    """Cells that have come of them."""

    @property
    def words(self) -> str:
        """What was done, such as "4 cells merged into 2"."""
        if self.kind not in _WORDS:
            name = "stroke" if self.kind == "paint" else f"step ({self.kind})"
            tools = " of a brush, an eraser or the like" if self.kind == "paint" else ""
            return f"{several(self.n_steps, name)}{tools}"
        return _WORDS[self.kind].format(
            before=several(self.n_before, "cell"),
            after=self.n_after
            if "{before}" in _WORDS[self.kind]
            else several(self.n_after, "cell"),
        )


def hand_edits(log: Iterable[LogEntry]) -> list[HandEdits]:
    """Sum up what was done by hand and not undone.

    Parameters
    ----------
    log : iterable of LogEntry
        All steps of one image in their order.

    Returns
    -------
    list of HandEdits
        One for each kind, in the order of the first step.
    """
    kinds: dict[str, list[LogEntry]] = {}
    for entry in _that_hold(log):
        kinds.setdefault(entry.kind, []).append(entry)
    return [_summed(kind, entries) for kind, entries in kinds.items()]


def edits_in_words(edits: Sequence[HandEdits]) -> str:
    """Return edits as a list in words, such as "3 cells deleted, 1 cell added"."""
    return ", ".join(one.words for one in edits)


def joined_edits(images: Iterable[Sequence[HandEdits]]) -> list[HandEdits]:
    """Return the edits of several images as those of one."""
    found: dict[str, HandEdits] = {}
    for one in (edit for edits in images for edit in edits):
        known = found.get(one.kind)
        found[one.kind] = (
            one
            if known is None
            else HandEdits(
                kind=one.kind,
                n_steps=known.n_steps + one.n_steps,
                n_before=known.n_before + one.n_before,
                n_after=known.n_after + one.n_after,
            )
        )
    return list(found.values())


def _that_hold(log: Iterable[LogEntry]) -> list[LogEntry]:
    """Return the steps that were not undone."""
    done: list[LogEntry] = []
    undone: list[LogEntry] = []
    for entry in log:
        if entry.kind == _UNDO:
            undone += [done.pop()] if done else []
        elif entry.kind == _REDO:
            done += [undone.pop()] if undone else []
        elif entry.kind not in _NO_EDITS:
            done.append(entry)
            undone.clear()
    return done


def _summed(kind: str, entries: Sequence[LogEntry]) -> HandEdits:
    return HandEdits(
        kind=kind,
        n_steps=len(entries),
        n_before=sum(len(entry.before) for entry in entries),
        n_after=sum(len(entry.after) for entry in entries),
    )
