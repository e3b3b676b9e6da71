"""The table of models and scores, as numbers and as text."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path
from typing import Any

from napari_cresunet._files import written_whole
from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import MERGED, SPLIT
from napari_cresunet.state._compare_entries import CompareEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareColumn:
    """One column of numbers."""

    key: str
    title: str
    text: str
    """What it is, for people."""
    digits: str
    """How it is shown, such as ".3f"."""
    better: int = 0
    """1 where higher is better, -1 where nearer to 0 is, 0 where nothing is."""


COMPARE_COLUMNS = (
    CompareColumn(
        key="count", title="Cells", text="Cells that it counts.", digits=",.0f"
    ),
    CompareColumn(
        key="f1",
        title="F1",
        text="Precision and recall in one number: 1 if all cells are found and nothing "
        "else is.",
        digits=".3f",
        better=1,
    ),
    CompareColumn(
        key="precision",
        title="Prec.",
        text="Precision: how many of its cells are true.",
        digits=".3f",
        better=1,
    ),
    CompareColumn(
        key="recall",
        title="Recall",
        text="How many of the true cells it finds.",
        digits=".3f",
        better=1,
    ),
    CompareColumn(
        key="accuracy",
        title="Acc.",
        text="Accuracy: found cells, of these and all that are false or missed.",
        digits=".3f",
        better=1,
    ),
    CompareColumn(
        key="error",
        title="|Error|",
        text="By how many cells its count is wrong.",
        digits=",.0f",
        better=-1,
    ),
    CompareColumn(
        key="mpe",
        title="MPE",
        text="Percentage error of the count: above 0 it counts too many.",
        digits="+.1%",
        better=-1,
    ),
    CompareColumn(
        key="merged",
        title="Merged",
        text="True cells that it takes for one with another.",
        digits=",.0f",
        better=-1,
    ),
    CompareColumn(
        key="split",
        title="Split",
        text="True cells that it takes for several.",
        digits=",.0f",
        better=-1,
    ),
    CompareColumn(
        key="threshold",
        title="Thr.",
        text="Threshold: a pixel is a cell where its probability is above it.",
        digits=".2f",
    ),
    CompareColumn(
        key="seconds",
        title="Time",
        text="Seconds that the prediction took.",
        digits=".1f",
        better=-1,
    ),
)
_EXPORTED = ("image", "model", "title", *(column.key for column in COMPARE_COLUMNS))


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareRow:
    """One model."""

    name: str
    title: str
    """What it is called in the list of models."""
    values: Mapping[str, float]
    """By key of a column; NaN where there is no number."""
    problem: str = ""
    """Why there are no numbers."""

    def text(self, column: CompareColumn) -> str:
        """Return a number as it is shown; empty where there is none.

        Parameters
        ----------
        column : CompareColumn
            Of `COMPARE_COLUMNS`.

        Returns
        -------
        str
            Such as "0.873" or "+4.2%".
        """
        value = self.values.get(column.key, nan)
        if isnan(value):
            return "failed" if self.problem and column is COMPARE_COLUMNS[0] else ""
        return format(value, column.digits).replace("-", "\N{MINUS SIGN}")


def row_of(entry: CompareEntry) -> CompareRow:
    """Put what is known of a model into a row.

    Parameters
    ----------
    entry : CompareEntry
        The model.

    Returns
    -------
    CompareRow
        Without scores where there is no truth.
    """
    values: dict[str, float] = {}
    result, comparison = entry.result, entry.comparison
    if result is not None:
        values["count"] = result.count
        values["threshold"] = result.settings.threshold
        values["seconds"] = result.record["seconds"]
    if comparison is not None:
        scores = comparison.scores
        values |= {
            "f1": scores.f1,
            "precision": scores.precision,
            "recall": scores.recall,
            "accuracy": scores.accuracy,
            "error": scores.mae,
            "mpe": scores.mpe,
            "merged": int((comparison.true_kinds == MERGED).sum()),
            "split": int((comparison.true_kinds == SPLIT).sum()),
        }
    card = entry.card
    return CompareRow(
        name=card.name, title=card.title, values=values, problem=entry.problem
    )


def best_rows(rows: Sequence[CompareRow], column: CompareColumn) -> frozenset[str]:
    """Return the names of the best models by one column.

    Parameters
    ----------
    rows : sequence of CompareRow
        All models.
    column : CompareColumn
        Of `COMPARE_COLUMNS`.

    Returns
    -------
    frozenset of str
        Several where they are shown as equal; empty where all are, or nothing is
        better.
    """
    known = {
        row.name: abs(row.values[column.key])
        for row in rows
        if not isnan(row.values.get(column.key, nan))
    }
    if not column.better or len(known) < 2:
        return frozenset()
    shown = {name: format(value, column.digits) for name, value in known.items()}
    best = max(known, key=lambda name: column.better * known[name])
    names = frozenset(name for name, text in shown.items() if text == shown[best])
    return frozenset() if len(names) == len(known) else names


def csv_text(lines: Iterable[Sequence[Any]], delimiter: str = ",") -> str:
    """Return lines of a table as CSV.

    Parameters
    ----------
    lines : iterable of sequence
        The first names the columns.
    delimiter : str, optional
        A tab for the clipboard, which spreadsheets read in every country.

    Returns
    -------
    str
        Ends with a line break.
    """
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(lines)
    return stream.getvalue()


def table_lines(entries: Sequence[CompareEntry]) -> list[tuple[Any, ...]]:
    """Return all that a reader of the table must know, one line for each model.

    Parameters
    ----------
    entries : sequence of CompareEntry
        The models.

    Returns
    -------
    list of tuple
        The first names the columns. Sizes and distances are in px.
    """
    further = (
        *("truth", "max_distance", "diameter", "min_size", "device", "weights_hash"),
        *("time", "version", "problem"),
    )
    lines: list[tuple[Any, ...]] = [(*_EXPORTED, *further)]
    for entry in entries:
        row = row_of(entry)
        known = _provenance(entry) | {
            key: value for key, value in row.values.items() if not isnan(value)
        }
        known |= {
            "image": entry.request.source.name,
            "model": row.name,
            "title": row.title,
            "problem": row.problem,
        }
        lines.append(tuple(known.get(key, "") for key in lines[0]))
    return lines


def _provenance(entry: CompareEntry) -> dict[str, Any]:
    result = entry.result
    known: dict[str, Any] = {"weights_hash": entry.card.weights_hash}
    if result is not None:
        known |= {"min_size": result.settings.min_size}
        names = ("device", "diameter", "time", "version")
        known |= {name: result.record.get(name) for name in names}
    if entry.comparison is not None and entry.scored is not None:
        truth, rule, _ = entry.scored
        known |= {"truth": truth.name, "max_distance": rule.max_distance}
    return {key: "" if value is None else value for key, value in known.items()}


def save_table(path: Path, entries: Sequence[CompareEntry]) -> Path:
    """Write the table as CSV.

    Parameters
    ----------
    path : Path
        Where to; ".csv" is added where it is missing.
    entries : sequence of CompareEntry
        The models.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    if path.suffix.lower() != ".csv":
        path = path.with_name(f"{path.name}.csv")
    try:
        with written_whole(path) as file:
            file.write(csv_text(table_lines(entries)).encode("utf-8-sig"))
    except OSError as error:
        raise InputError(
            f"The table cannot be written to {path} ({error.strerror}): choose another "
            "place."
        ) from error
    return path
