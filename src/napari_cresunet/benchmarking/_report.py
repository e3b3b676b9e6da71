"""What a benchmark found, as numbers, as rows of text and as Markdown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

DASH = "\N{EN DASH}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One row: how long a way takes, what it needs, and what it gives."""

    title: str
    seconds: float | None
    """Median; None if memory ran out."""
    times_faster: float | None
    """The reference's seconds over these; 1 for the reference."""
    megabytes: float | None = None
    """Peak beyond libraries, model and image."""
    difference: float | None = None
    """Largest difference of a probability from the reference's."""
    cells: int | None = None
    """How many labels it gives."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Ways beside the reference on the same pixels; the first row is the reference."""

    title: str
    rows: tuple[Measured, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """How the time of ways grows with something."""

    title: str
    of: str
    """What grows: "Mpx" or "cells"."""
    sizes: tuple[float, ...]
    seconds: dict[str, tuple[float | None, ...]]
    """Title of a way → its median at each size; None where it had no room."""

    @property
    def exponents(self) -> dict[str, float | None]:
        """Title of a way → k where time grows as size^k; None with under two times."""
        return {
            title: exponent(self.sizes, times) for title, times in self.seconds.items()
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All that a benchmark found."""

    machine: dict[str, Any]
    """As `describe_machine` tells it."""
    comparisons: tuple[Comparison, ...]
    growths: tuple[Growth, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        growths = [
            asdict(growth) | {"exponents": growth.exponents} for growth in self.growths
        ]
        return asdict(self) | {"growths": growths}


def exponent(sizes: Sequence[float], seconds: Sequence[float | None]) -> float | None:
    """Fit time ~ size^k.

    Parameters
    ----------
    sizes : sequence of float
        Positive.
    seconds : sequence of float or None
        Time at each size; None where there is none.

    Returns
    -------
    float or None
        k, by least squares of the logarithms; None with fewer than two times.

    Examples
    --------
    >>> round(exponent([1, 2, 4], [3, 12, 48]), 6)
    2.0
    """
    import numpy as np

    known = [(s, t) for s, t in zip(sizes, seconds, strict=True) if t is not None]
    if len(known) < 2:
        return None
    x, y = np.log(np.array(known, float)).T
    return float(np.polyfit(x, y, 1)[0])


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts; all columns but the first hold numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()


def tables_of(report: Report) -> list[Table]:
    """Return the report as tables of text.

    Parameters
    ----------
    report : Report
        What was found.

    Returns
    -------
    list of Table
        The machine is not among them; `machine_lines` tells it.
    """
    compared = [_comparison_table(one) for one in report.comparisons]
    return compared + [_growth_table(one) for one in report.growths]


def machine_lines(machine: dict[str, Any]) -> list[str]:
    """Return the machine and the versions as one line each."""
    memory = "" if machine["memory_gb"] is None else f", {machine['memory_gb']:g} GB"
    gpus = "".join(f", {gpu['name']}" for gpu in machine["gpus"]) or ", no GPU"
    versions = ", ".join(f"{name} {one}" for name, one in machine["versions"].items())
    computer = f"{machine['processor']}, {machine['cores']} cores{memory}{gpus}"
    return [
        f"{computer}, {machine['system']}",
        f"{versions}, Python {machine['python']}, {machine['threads']} threads",
    ]


def as_markdown(report: Report) -> str:
    """Return the report as Markdown."""
    lines = [*machine_lines(report.machine)]
    lines[0] += "  "  # a line break
    for table in tables_of(report):
        ruler = ["---"] + ["---:"] * (len(table.columns) - 1)
        lines += ["", f"{table.title}:", ""]
        lines += [_markdown_row(row) for row in (table.columns, ruler, *table.rows)]
        lines += [line for remark in table.remarks for line in ("", remark)]
    return "\n".join(lines) + "\n"


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _comparison_table(comparison: Comparison) -> Table:
    """Return one row per way; columns in which nothing is known are left out."""
    columns: dict[str, list[str]] = {
        "": [row.title for row in comparison.rows],
        "time": [seconds_text(row.seconds) for row in comparison.rows],
        "times faster": [_number(row.times_faster) for row in comparison.rows],
        "peak memory, MB": [_whole(row.megabytes) for row in comparison.rows],
        "largest difference": [_small(row.difference) for row in comparison.rows],
        "cells": [_whole(row.cells) for row in comparison.rows],
    }
    shown = {name: texts for name, texts in columns.items() if set(texts) != {DASH}}
    rows = tuple(zip(*shown.values(), strict=True))
    return Table(comparison.title, tuple(shown), rows, comparison.remarks)


def _growth_table(growth: Growth) -> Table:
    sizes = [f"{size:.3g} {growth.of}" for size in growth.sizes]
    if growth.of == "cells":
        sizes = [f"{size:g} cells" for size in growth.sizes]
    rows = tuple(
        (
            title,
            *(seconds_text(one) for one in times),
            _number(growth.exponents[title]),
        )
        for title, times in growth.seconds.items()
    )
    return Table(growth.title, ("", *sizes, "exponent"), rows)


def seconds_text(seconds: float | None) -> str:
    """Return a time as people read it; a dash for None."""
    if seconds is None:
        return DASH
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


def _number(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _whole(value: float | None) -> str:
    return DASH if value is None else f"{value:.0f}"


def _small(value: float | None) -> str:
    return DASH if value is None else f"{value:.0e}" if value else "0"
