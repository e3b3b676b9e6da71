"""What the dock Evaluate writes: tables, a figure, a report; and crops of failures."""

from collections.abc import Collection, Generator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._files import write_csv, written_whole
from napari_cresunet.errors import EngineError
from napari_cresunet.evaluation import MatchRule, list_cases
from napari_cresunet.export import (
    Evaluated,
    Evaluation,
    case_crops,
    case_rows,
    evaluation_figure,
    html_report,
    score_rows,
    sweep_rows_table,
    write_figure,
)
from napari_cresunet.state._judging import (
    Judgment,
    Study,
    TruthPair,
    iter_judgment,
)
from napari_cresunet.state._run import Progress

TABLES, FIGURE, REPORT = "tables", "figure", "report"
"""What can be saved."""
_MOST_CROPS = 400


def iter_save(
    kind: str,
    path: Path,
    pairs: Sequence[TruthPair],
    rule: MatchRule,
    study: Study | None,
) -> Generator[Progress, None, list[Path]]:
    """Compare all pairs as they are now, and write what came of it.

    Parameters
    ----------
    kind : {"tables", "figure", "report"}
        What to write.
    path : Path
        Where to. Tables are several: scores in this file; cases and thresholds beside
        it, with a longer name.
    pairs : sequence of TruthPair
        At least one; the curves are of the first.
    rule : MatchRule
        When two cells are a pair.
    study : Study or None
        What is known of the first pair at other thresholds and distances.

    Yields
    ------
    Progress
        Before each pair, where it may be closed: nothing is written before the end.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    InputError
        If a pair cannot be compared, or the ending of a figure is unknown.
    EngineError
        If a file cannot be written.
    """
    evaluation = yield from _iter_evaluation(pairs, rule, study)
    yield Progress(text="Writing…")
    try:
        return _write(kind, path, evaluation)
    except OSError as error:
        raise EngineError(
            f"{path} cannot be written ({error.strerror}): choose another folder or "
            "free some space."
        ) from error


def _iter_evaluation(
    pairs: Sequence[TruthPair], rule: MatchRule, study: Study | None
) -> Generator[Progress, None, Evaluation]:
    images = []
    for number, pair in enumerate(pairs):
        yield Progress(text=f"Comparing {pair.name}…", done=number, total=len(pairs))
        judgment = yield from iter_judgment(pair, rule)
        images.append(_evaluated(judgment))
    settings = pairs[0].settings
    chosen: dict[str, Any] = {"max_distance": rule.max_distance}
    if settings is not None:
        chosen |= {"threshold": settings.threshold, "min_size": settings.min_size}
    record = {
        "version": version("napari-cresunet"),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        **rule.to_dict(),
        "images": {
            pair.name: {"truth": pair.truth_name, **pair.record} for pair in pairs
        },
    }
    return Evaluation(
        images=tuple(images),
        sweep=() if study is None else tuple(study.sweep),
        chosen=chosen,
        distances=() if study is None else tuple(study.distances),
        record=record,
    )


def _evaluated(judgment: Judgment) -> Evaluated:
    pair = judgment.pair
    image = None if pair.image is None else np.asarray(pair.image)
    return Evaluated(
        name=pair.name,
        comparison=judgment.comparison,
        cases=list_cases(
            judgment.comparison, image=image, probability=pair.probability
        ),
        image=image,
    )


def _write(kind: str, path: Path, evaluation: Evaluation) -> list[Path]:
    if kind == FIGURE:
        write_figure(path, evaluation_figure(evaluation))
        return [path]
    if kind == REPORT:
        with written_whole(path) as file:
            file.write(html_report(evaluation).encode())
        return [path]
    tables = {
        path: score_rows(evaluation),
        path.with_name(f"{path.stem}_cases.csv"): case_rows(evaluation),
        path.with_name(f"{path.stem}_thresholds.csv"): sweep_rows_table(
            evaluation.sweep
        ),
    }
    written = []
    for name, rows in tables.items():
        if rows:
            write_csv(name, list(rows[0]), rows)
            written.append(name)
    return written


def iter_gallery(
    judgment: Judgment, kinds: Collection[str]
) -> Generator[Progress, None, list[tuple[int, NDArray[np.uint8]]]]:
    """Cut out all failures of some kinds.

    Parameters
    ----------
    judgment : Judgment
        What is known of a pair.
    kinds : collection of str
        Of `KINDS`.

    Yields
    ------
    Progress
        Once, before the work.

    Returns
    -------
    list of tuple of int and ndarray of uint8, shape (S, S, 3)
        The number of each case, and its picture; the first 400.
    """
    yield Progress(text="Cutting out failures…")
    pair = judgment.pair
    evaluated = Evaluated(
        name=pair.name,
        comparison=judgment.comparison,
        cases=list_cases(judgment.comparison),
        image=None if pair.image is None else np.asarray(pair.image),
    )
    return case_crops(evaluated, kinds, at_most=_MOST_CROPS)
