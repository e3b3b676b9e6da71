"""The command `sweep`: which threshold and smallest size score best."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._files import write_csv
from napari_cresunet.batch import find_images
from napari_cresunet.cli._files import (
    refuse_overwriting,
    write_json,
)
from napari_cresunet.cli._interrupts import held_interrupts
from napari_cresunet.cli._scores import number_text, percent_text
from napari_cresunet.cli._sweep_sources import Predicted, Predicting, SweepOptions
from napari_cresunet.cli._terminal import (
    EXPECTED_ERRORS,
    one_line,
    progress_bar,
    stdout_console,
    tell,
    tell_error,
    tell_json,
)
from napari_cresunet.cli._truth_pairs import (
    PROBABILITY_ENDING,
    TruthPair,
    files_ending,
    files_of,
    find_pairs,
    read_truth,
    told_failure,
)
from napari_cresunet.errors import InputError
from napari_cresunet.steps import Step, drain

if TYPE_CHECKING:
    from rich.progress import Progress

    from napari_cresunet.evaluation import SweepRow

FILES = ("sweep.csv", "sweep.png", "sweep.json")


@dataclass(slots=True)
class Swept:
    """What came of the images so far."""

    rows: list[list["SweepRow"]] = field(default_factory=list)
    """Of each image."""
    files: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)

    def pooled(self) -> list["SweepRow"]:
        """Return the settings with their scores over all images."""
        from napari_cresunet.evaluation import aggregate

        found = []
        for rows in zip(*self.rows, strict=True):
            images = tuple(row.images[0] for row in rows)
            found.append(replace(rows[0], images=images, scores=aggregate(images)))
        return found


def sweep_files(
    images: str,
    truths: Path,
    options: SweepOptions,
    output: Path | None,
    *,
    as_json: bool,
) -> bool:
    """Score many settings, print the best and write all of them.

    Parameters
    ----------
    images : str
        File, folder or pattern; images, or what `count` wrote of them.
    truths : Path
        File or folder.
    options : SweepOptions
        Which settings.
    output : Path or None
        Folder for table and figure; None writes nothing.
    as_json : bool
        Whether stdout gets JSON in place of a table.

    Returns
    -------
    bool
        Whether every image could be scored, and one setting is the best.
    """
    predicted = [] if options.model else _probability_files(Path(images))
    pairs = _pairs(images, predicted, truths)
    if output is not None:
        read = [path for pair in pairs for path in (pair.path, pair.truth.path)]
        refuse_overwriting((output / name for name in FILES), read)
        output.mkdir(parents=True, exist_ok=True)
    source = Predicted.of(pairs) if predicted else Predicting.of(options)
    swept = Swept()
    with held_interrupts() as leave_if_asked, progress_bar() as bar:
        _sweep_all(pairs, source, options, swept, (bar, leave_if_asked))
    if not swept.rows:
        return False
    rows = swept.pooled()
    try:
        best = _best(rows, max(options.distances), options.by)
    except InputError as error:
        best = None
        tell_error(one_line(error))
    how = source.record | _how(images, truths, options)
    if output is not None:
        _write(output, rows, best, swept, how)
    if as_json:
        tell_json(_as_json(rows, best, swept))
    elif best is not None:
        _print(rows, best, source.arguments(best), options)
    return best is not None and not swept.failures


def _probability_files(path: Path) -> list[Path]:
    """Return the probability images that are meant, if there are any."""
    if path.is_dir():
        return files_ending(path, (PROBABILITY_ENDING,))
    return [path] if path.stem.endswith(PROBABILITY_ENDING) else []


def _pairs(images: str, predicted: Sequence[Path], truths: Path) -> list[TruthPair]:
    if predicted:
        count = (
            "1 probability image"
            if len(predicted) == 1
            else (f"{len(predicted)} probability images")
        )
        tell(f"{count} found and used: no model is run (--model M runs one).")
        ending = (PROBABILITY_ENDING,)
        return find_pairs(predicted, truths, ending, "probability image")
    path = Path(images)
    return find_pairs(
        path if path.is_dir() else find_images([images]), truths, (), "image"
    )


def _sweep_all(
    pairs: Sequence[TruthPair],
    source: Predicted | Predicting,
    options: SweepOptions,
    swept: Swept,
    watched: tuple["Progress", Callable[[], None]],
) -> None:
    """Score one image after the other at all settings."""
    from napari_cresunet.evaluation import iter_sweep

    bar, leave_if_asked = watched
    images = bar.add_task("Images", total=len(pairs))
    steps = bar.add_task("", total=None)

    def on_step(step: Step) -> None:
        bar.update(steps, completed=step.done, total=step.total)
        if step.message:
            tell(f"{pair.path}: {step.message}", bar.console)
        leave_if_asked()

    sizes = options.min_sizes or source.min_sizes
    for pair in pairs:
        bar.update(steps, description=pair.name, completed=0, total=None)
        try:
            probability, segmentation = source.predict(pair, on_step)
            work = iter_sweep(
                [probability],
                [read_truth(pair.truth, probability.shape)],
                thresholds=options.thresholds,
                distances=options.distances,
                min_sizes=sizes,
                segmentation=segmentation,
            )
            rows = drain(work, on_step)
            swept.files.append(files_of(pair))
            swept.rows.append(rows)
        except EXPECTED_ERRORS as error:
            swept.failures.append(told_failure(pair, error, bar.console))
        bar.advance(images)
        leave_if_asked()


def _best(rows: Sequence["SweepRow"], distance: float, by: str) -> "SweepRow":
    """Return the best setting at a distance: a larger distance is never worse."""
    from napari_cresunet.evaluation import best_row

    return best_row([row for row in rows if row.max_distance == distance], by)


def _how(images: str, truths: Path, options: SweepOptions) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "version": version("napari-cresunet"),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "images": images,
        "truth": str(truths),
        "by": options.by,
        "matching": "optimal",
        "center": "box",
    }


def _as_json(
    rows: Sequence["SweepRow"], best: "SweepRow | None", swept: Swept
) -> dict[str, Any]:
    from napari_cresunet.export import sweep_rows_table

    return {
        "best": None if best is None else sweep_rows_table([best])[0],
        "rows": sweep_rows_table(rows),
        "n_images": len(swept.rows),
        "failed": swept.failures,
    }


def _write(
    output: Path,
    rows: Sequence["SweepRow"],
    best: "SweepRow | None",
    swept: Swept,
    how: dict[str, Any],
) -> None:
    from napari_cresunet.export import sweep_figure, sweep_rows_table, write_figure

    table = sweep_rows_table(rows)
    write_csv(output / "sweep.csv", list(table[0]), table)
    largest = max(row.max_distance for row in rows)
    chosen: dict[str, Any] = {"max_distance": largest}
    if best is not None:
        chosen |= {"threshold": best.threshold, "min_size": best.min_size}
    write_figure(output / "sweep.png", sweep_figure(rows, chosen))
    known = {
        "best": None if best is None else sweep_rows_table([best])[0],
        "how": how,
        "files": swept.files,
        "failed": swept.failures,
    }
    write_json(output / "sweep.json", known)


def _print(
    rows: Sequence["SweepRow"],
    best: "SweepRow",
    arguments: Sequence[str],
    options: SweepOptions,
) -> None:
    """Print the best setting at each distance, and how to use the last."""
    from rich.table import Table

    table = Table()
    titles = ("Distance", "Threshold", "Smallest cell", "F1", "Precision", "Recall")
    for title in (*titles, "MAE", "MPE"):
        table.add_column(title, justify="right")
    distances = sorted(set(options.distances))
    for distance in distances:
        row = _best(rows, distance, options.by)
        scores = row.scores
        size = "preset's" if row.min_size is None else f"{row.min_size} px"
        ratios = (scores.f1, scores.precision, scores.recall)
        table.add_row(
            f"{distance:g} px",
            f"{row.threshold:g}",
            size,
            *(number_text(None if value != value else value) for value in ratios),
            f"{scores.mae:.3g}",
            percent_text(scores.mpe),
        )
    console = stdout_console()
    console.print(table)
    n_settings = len({(row.threshold, row.min_size) for row in rows})
    n_images = best.scores.n_images
    on_them = "this image" if n_images == 1 else f"these {n_images} images"
    command = shlex.join(["napari-cresunet", "count", "IMAGE", *arguments])
    taken = " at each distance; the last row is taken" * (len(distances) > 1)
    lines = [f"By {options.by} the best of {n_settings} settings{taken}."]
    lines.append(
        f"Chosen on {on_them}, it looks better on them than it is: report the scores "
        "of others."
    )
    lines.append(f"Use it with: {command}")
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
