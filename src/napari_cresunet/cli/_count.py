"""The command `count`: many images, one bad one spoils nothing."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.batch import (
    BatchOptions,
    BatchResult,
    BatchStep,
    Entry,
    iter_batch,
    list_images,
    open_pool,
    summary,
)
from napari_cresunet.cli._interrupts import held_interrupts
from napari_cresunet.cli._terminal import (
    progress_bar,
    stdout_console,
    tell,
    tell_error,
    tell_json,
)
from napari_cresunet.steps import drain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn


def count_images(
    arguments: Sequence[str],
    options: BatchOptions,
    output: Path | None,
    *,
    scheduler: str | None = None,
    as_json: bool = False,
) -> bool:
    """Count the cells of images, print the counts and write the results.

    Parameters
    ----------
    arguments : sequence of str
        Files, folders, patterns and lists.
    options : BatchOptions
        Which model, how it counts, and what is written.
    output : Path or None
        Folder for labels, probability and tables; None writes nothing.
    scheduler : str, optional
        The cluster that counts, as for `cluster_pool`.
    as_json : bool, optional
        Whether stdout gets JSON in place of a table.

    Returns
    -------
    bool
        Whether every image was counted.
    """
    images = list_images(arguments)
    with (
        held_interrupts() as leave_if_asked,
        open_pool(scheduler, tell, leave_if_asked) as pool,
        progress_bar(*_columns()) as bar,
        closing(iter_batch(images, output, options, pool=pool)) as steps,
    ):
        # Closed on the way out, also after Ctrl+C: what is counted is not lost.
        result = drain(steps, _Watch(bar, leave_if_asked))
    counted = [entry for entry in result.entries if entry.count is not None]
    if as_json:
        tell_json([summary(entry.record["image"], entry.record) for entry in counted])
    else:
        _print_table(counted)
        _tell_sums(result)
    return not result.n_failed


def _columns() -> tuple["ProgressColumn", ...]:
    """Return what is shown of the progress: how fast, and how long still."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

    return (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}", markup=False),
    )


class _Watch:
    """Shows steps as they come, tells of errors, and may leave between them."""

    def __init__(self, bar: "Progress", leave_if_asked: Callable[[], None]) -> None:
        self._bar = bar
        self._leave_if_asked = leave_if_asked
        self._task = bar.add_task("Images", total=None, speed="")

    def __call__(self, step: BatchStep) -> None:
        speed = _speed(step)
        self._bar.update(self._task, completed=step.done, total=step.total, speed=speed)
        console = self._bar.console
        if step.message:
            tell(step.message, console)
        if step.entry is not None and step.entry.state == "failed":
            _tell_failure(step.entry, console)
        self._leave_if_asked()


def _speed(step: BatchStep) -> str:
    """Return how fast it goes and how long it will still take."""
    if step.rate is None or step.seconds_left is None:
        return ""
    per = f"{step.rate:.2g}/s" if step.rate >= 1 else f"{1 / step.rate:.2g} s each"
    minutes, seconds = divmod(round(step.seconds_left), 60)
    hours, minutes = divmod(minutes, 60)
    left = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{per}, {left} left"


def _tell_failure(entry: Entry, console: "Console") -> None:
    is_named = entry.path.name in entry.error
    tell_error(entry.error if is_named else f"{entry.path}: {entry.error}", console)


def _print_table(entries: Sequence[Entry]) -> None:
    """Print the counts as a table for people."""
    from rich.table import Table

    if not entries:
        return
    has_stacks = any(entry.record["planes"] > 1 for entry in entries)
    has_reviews = any(entry.corrected is not None for entry in entries)
    table = Table()
    table.add_column("Image", overflow="fold")
    table.add_column("Cells", justify="right")
    if has_reviews:
        table.add_column("Corrected", justify="right")
    if has_stacks:
        table.add_column("Planes, each counted by itself", justify="right")
    table.add_column("Seconds", justify="right")
    for entry in entries:
        record = entry.record
        corrected = "" if entry.corrected is None else str(entry.corrected)
        cells = [str(entry.count), *([corrected] if has_reviews else [])]
        cells += [str(record["planes"])] if has_stacks else []
        table.add_row(record["image"], *cells, f"{record['seconds']:.1f}")
    stdout_console().print(table)


def _tell_sums(result: BatchResult) -> None:
    """Say how many images there were, where that is not plain to see."""
    if len(result.entries) == 1 and not result.n_skipped:
        return
    parts = [f"Counted {_images(result.n_counted)}"]
    if result.n_skipped:
        parts.append(f"skipped {result.n_skipped} counted before")
    if result.n_failed:
        parts.append(f"{result.n_failed} failed")
    tell(", ".join(parts) + ".")
    if result.report is not None:
        tell(f"The report is {result.report}.")


def _images(number: int) -> str:
    return "1 image" if number == 1 else f"{number} images"
