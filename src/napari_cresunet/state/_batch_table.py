"""The table of a batch: which images, in which order, and what it says of each."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from napari_cresunet.batch import Entry

WAITING, RUNNING, DONE, FAILED, REVIEWED = (
    "waiting",
    "running",
    "done",
    "failed",
    "reviewed",
)
BATCH_STATES = (WAITING, RUNNING, DONE, REVIEWED, FAILED)
"""What can be said of an image, in the order of the work."""
OPEN_STATES = (DONE, REVIEWED)
"""Of images that have labels to look at."""

BATCH_COLUMNS = {
    "name": ("Image", "The image; its results begin with this name."),
    "state": ("State", "Whether the image was counted, and looked at by a person."),
    "count": ("Cells", "Cells that the network found."),
    "corrected": ("Corrected", "Cells after the correction by hand."),
    "seconds": ("Seconds", "How long counting took."),
    "group": ("Group", "What the list of images says of it."),
    "error": ("Problem", "Why it could not be counted."),
}
"""Title and explanation of each column."""
_NUMBERS = ("count", "corrected", "seconds")
_DIGITS = re.compile(r"(\d+)")


class BatchTable:
    """Rows of images, filtered and sorted; quick for ten thousand of them."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        """All images, in the order given."""
        self.state = ""
        """Which state is shown; empty for all."""
        self.text = ""
        """What names, groups or problems of the rows contain."""
        self.sorted_by = ("", False)
        """Name of a column, and whether the largest comes first."""
        self.numbers: Counter[str] = Counter()
        """How many images there are of each state."""
        self.count = 0
        """Cells in all images, corrected where they were."""
        self._rows: list[int] = []
        self._row_of: dict[int, int] = {}
        self._number_of: dict[str, int] = {}
        self._number_at: dict[str, int] = {}

    # What there is

    def show(self, entries: Iterable[Entry]) -> None:
        """Take other images.

        Parameters
        ----------
        entries : iterable of Entry
            In the order given.
        """
        self.entries = list(entries)
        self._number_of = {entry.name: n for n, entry in enumerate(self.entries)}
        self._number_at = {_place_of(one): n for n, one in enumerate(self.entries)}
        self.numbers = Counter(entry.state for entry in self.entries)
        self.count = sum(entry.best_count or 0 for entry in self.entries)
        self.arrange()

    def update(self, entries: Iterable[Entry]) -> list[int] | None:
        """Take what is new of images.

        Parameters
        ----------
        entries : iterable of Entry
            Of images that are in the table or not; those of others come last.

        Returns
        -------
        list of int or None
            The rows that changed; None if rows came, went or moved.
        """
        changed: set[int] = set()
        is_moved = False
        for entry in entries:
            # An earlier run in the folder may have given the image another name.
            number = self._number_at.get(_place_of(entry))
            number = self._number_of.get(entry.name) if number is None else number
            if number is None:
                self._append(entry)
                is_moved = True
                continue
            before = self.entries[number]
            if entry == before:  # the end of a run tells of all images
                continue
            self._replace(number, entry)
            is_moved = is_moved or self._place(before) != self._place(entry)
            if number in self._row_of:
                changed.add(self._row_of[number])
        if is_moved:
            self.arrange()
            return None
        return sorted(changed)

    def _append(self, entry: Entry) -> None:
        self._number_at[_place_of(entry)] = len(self.entries)
        self._number_of[entry.name] = len(self.entries)
        self.entries.append(entry)
        self.numbers[entry.state] += 1
        self.count += entry.best_count or 0

    def _replace(self, number: int, entry: Entry) -> None:
        before, self.entries[number] = self.entries[number], entry
        self._number_of[entry.name] = number
        self.numbers[before.state] -= 1
        self.numbers[entry.state] += 1
        self.count += (entry.best_count or 0) - (before.best_count or 0)

    def find(self, name: str) -> Entry | None:
        """Return what is known of an image.

        Parameters
        ----------
        name : str
            `Entry.name`.

        Returns
        -------
        Entry or None
            None if it is not in the table.
        """
        number = self._number_of.get(name)
        return None if number is None else self.entries[number]

    # Which rows are shown

    def filter(self, *, state: str | None = None, text: str | None = None) -> None:
        """Show some rows only.

        Parameters
        ----------
        state : str, optional
            One of `BATCH_STATES`; empty for all.
        text : str, optional
            What names, groups or problems contain, in upper or lower case.
        """
        self.state = self.state if state is None else state
        self.text = self.text if text is None else text.strip().casefold()
        self.arrange()

    def sort(self, name: str, *, is_descending: bool = False) -> None:
        """Put the rows in another order.

        Parameters
        ----------
        name : str
            A column; empty for the order given.
        is_descending : bool, optional
            Whether the largest comes first; what is unknown always comes last.
        """
        self.sorted_by = (name, is_descending)
        self.arrange()

    def arrange(self) -> None:
        """Find out anew which rows are shown, and in which order."""
        name, is_descending = self.sorted_by
        rows = [n for n, entry in enumerate(self.entries) if self._is_shown(entry)]
        if name:
            key = _key(name)
            keys = {n: key(self.entries[n]) for n in rows}
            known = [n for n in rows if keys[n] is not None]
            known.sort(key=keys.__getitem__, reverse=is_descending)
            rows = known + [n for n in rows if keys[n] is None]
        self._rows = rows
        self._row_of = {number: row for row, number in enumerate(rows)}

    def _is_shown(self, entry: Entry) -> bool:
        if self.state and entry.state != self.state:
            return False
        if not self.text:
            return True
        texts = (entry.name, entry.group, entry.error)
        return any(self.text in text.casefold() for text in texts)

    def _place(self, entry: Entry) -> Any:
        """Return what decides whether and where an entry is shown."""
        name = self.sorted_by[0]
        return self._is_shown(entry), _key(name)(entry) if name else None

    # Rows

    def __len__(self) -> int:
        return len(self._rows)

    def entry_at(self, row: int) -> Entry:
        """Return the image of a row."""
        return self.entries[self._rows[row]]

    def row_of(self, name: str) -> int:
        """Return the row of an image; -1 if it is not shown."""
        return self._row_of.get(self._number_of.get(name, -1), -1)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that have anything to say, which images alone decide."""
        has_groups = any(entry.group for entry in self.entries)
        return tuple(name for name in BATCH_COLUMNS if name != "group" or has_groups)

    def next(self, name: str, states: Sequence[str], step: int = 1) -> Entry | None:
        """Return the next image in one of some states, as the rows are shown.

        Parameters
        ----------
        name : str
            The image to start from; empty for the first or last.
        states : sequence of str
            Which states will do.
        step : int, optional
            1 for the next, -1 for the previous one. After the last comes the first.

        Returns
        -------
        Entry or None
            None if there is no other.
        """
        if not any(self.numbers[state] for state in states):
            return None
        n = len(self)
        row = self.row_of(name)
        start = row if row >= 0 else (-1 if step > 0 else 0)
        for distance in range(1, n + 1):
            entry = self.entry_at((start + step * distance) % n)
            if entry.state in states and entry.name != name:
                return entry
        return None

    def content(self) -> str:
        """Return the table as it is shown, with tabs, for a spreadsheet."""
        columns = self.columns
        lines = [[BATCH_COLUMNS[name][0] for name in columns]]
        for row in range(len(self)):
            entry = self.entry_at(row)
            lines.append([batch_cell(entry, name) for name in columns])
        return "\n".join("\t".join(line) for line in lines) + "\n"


def batch_cell(entry: Entry, column: str) -> str:
    """Return what a cell of the table says.

    Parameters
    ----------
    entry : Entry
        The image.
    column : str
        One of `BATCH_COLUMNS`.

    Returns
    -------
    str
        Empty for what is not known.
    """
    value = getattr(entry, column)
    if value is None:
        return ""
    if column == "error":
        return _without_folder(str(value), entry.path)
    if column == "seconds":
        return f"{value:.1f}"
    return str(value)


def _without_folder(sentence: str, path: Path) -> str:
    """Leave out folders, which would leave no room for what is wrong."""
    parts = path.parts
    known = (str(Path(*parts[n:])) for n in range(len(parts) - 1))
    found = next((one for one in known if one in sentence), path.name)
    return sentence.replace(found, path.name)


def _place_of(entry: Entry) -> str:
    return str(entry.path)


def is_number(column: str) -> bool:
    """Tell whether a column holds numbers."""
    return column in _NUMBERS


def _key(column: str) -> Callable[[Entry], Any]:
    """Return what a column is sorted by; None is unknown."""
    if column == "state":
        return lambda entry: BATCH_STATES.index(entry.state)
    if column in _NUMBERS:
        return lambda entry: getattr(entry, column)
    return lambda entry: _natural(getattr(entry, column)) or None


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key by which slice_2 comes before slice_10."""
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part.casefold())
        for part in _DIGITS.split(text)
        if part
    )
