"""The command `evaluate`: predictions beside their truth."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._files import write_csv
from napari_cresunet.batch import find_images, result_names
from napari_cresunet.cli._files import (
    refuse_overwriting,
    write_json,
    write_text,
)
from napari_cresunet.cli._interrupts import held_interrupts
from napari_cresunet.cli._scores import print_scores, scores_json
from napari_cresunet.cli._terminal import (
    EXPECTED_ERRORS,
    progress_bar,
    tell,
    tell_json,
)
from napari_cresunet.cli._truth_pairs import (
    PREDICTED_ENDINGS,
    TruthPair,
    files_ending,
    files_of,
    find_pairs,
    read_labels,
    read_truth,
    record_in,
    told_failure,
)
from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from rich.progress import Progress

    from napari_cresunet._typing import Image
    from napari_cresunet.evaluation import MatchRule
    from napari_cresunet.export import Evaluated, Evaluation

FILES = ("scores.csv", "failures.csv", "counts.png", "report.html", "evaluation.json")


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateOptions:
    """How predictions are compared with their truth."""

    rule: "MatchRule"
    unit: str = "px"
    """Of distances."""
    images: str | None = None
    """Where the images are, for pictures and brightness."""
    with_overlaps: bool = False
    """Whether scores by shared pixels are shown, too."""


@dataclass(slots=True)
class Found:
    """What came of the pairs so far."""

    images: list["Evaluated"] = field(default_factory=list)
    files: list[dict[str, Any]] = field(default_factory=list)
    """Paths and hashes of each."""
    failures: list[dict[str, str]] = field(default_factory=list)
    """"name" and "error" of each pair that could not be compared."""


def evaluate_files(
    predictions: Path,
    truths: Path,
    options: EvaluateOptions,
    output: Path | None,
    *,
    as_json: bool,
) -> bool:
    """Compare predictions with their truth, print the scores and write the results.

    Parameters
    ----------
    predictions, truths : Path
        Files or folders.
    options : EvaluateOptions
        How they are compared.
    output : Path or None
        Folder for tables, figure and report; None writes nothing.
    as_json : bool
        Whether stdout gets JSON in place of a table.

    Returns
    -------
    bool
        Whether every pair could be compared.
    """
    pairs = find_pairs(
        _predicted_files(predictions, truths), truths, PREDICTED_ENDINGS, "prediction"
    )
    images = _images_of(pairs, options.images)
    if output is not None:
        read = [path for pair in pairs for path in (pair.path, pair.truth.path)]
        refuse_overwriting((output / name for name in FILES), read)
        output.mkdir(parents=True, exist_ok=True)
    found = Found()
    with held_interrupts() as leave_if_asked, progress_bar() as bar:
        _compare_all(pairs, images, options, found, (bar, leave_if_asked))
    if not found.images:
        return False
    evaluation = _evaluation(found, options, predictions, truths)
    if output is not None:
        write_evaluation(output, evaluation, found)
    if as_json:
        tell_json(
            scores_json(evaluation, found.failures, overlaps=options.with_overlaps)
        )
    else:
        print_scores(evaluation, found.failures, overlaps=options.with_overlaps)
    return not found.failures


def _predicted_files(predictions: Path, truths: Path) -> Path | list[Path]:
    """Return what holds predictions: all files of a folder, or those that say so."""
    if not predictions.exists():
        raise InputError(f"There is no file or folder {predictions}.")
    if not predictions.is_dir():
        return [predictions]
    if truths.is_dir() and truths.resolve() == predictions.resolve():
        raise InputError(
            f"{predictions} is both the folder of the predictions and of the truth: "
            "put them into two folders."
        )
    # Beside the labels that `count` wrote there may be pictures of any kind.
    return files_ending(predictions, PREDICTED_ENDINGS) or predictions


def _images_of(pairs: Sequence[TruthPair], where: str | None) -> dict[str, Path]:
    """Return the image of each pair, by its name."""
    if where is not None:
        paths = find_images([where])
        images = dict(zip(result_names(paths), paths, strict=True))
        if len(pairs) == len(paths) == 1:
            return {pairs[0].name: paths[0]}
        missing = [pair.name for pair in pairs if pair.name not in images]
        if missing:
            tell(f"Without image, compared all the same: {', '.join(missing)}.")
        return images
    # What `count` wrote knows its image, which may have moved since.
    recorded = {pair.name: record_in(pair.path).get("image") for pair in pairs}
    return {
        name: Path(image)
        for name, image in recorded.items()
        if isinstance(image, str) and Path(image).is_file()
    }


def _compare_all(
    pairs: Sequence[TruthPair],
    images: dict[str, Path],
    options: EvaluateOptions,
    found: Found,
    watched: tuple["Progress", Callable[[], None]],
) -> None:
    bar, leave_if_asked = watched
    task = bar.add_task("Comparing", total=len(pairs))
    for pair in pairs:
        try:
            one = _compare(pair, images.get(pair.name), options)
            record = _files_of(pair, images.get(pair.name))
            found.images.append(one)
            found.files.append(record)
        except EXPECTED_ERRORS as error:
            found.failures.append(told_failure(pair, error, bar.console))
        bar.advance(task)
        leave_if_asked()


def _compare(
    pair: TruthPair, image_path: Path | None, options: EvaluateOptions
) -> "Evaluated":
    from napari_cresunet.evaluation import compare, list_cases
    from napari_cresunet.export import Evaluated

    labels = read_labels(pair.path)
    truth = read_truth(pair.truth, labels.shape)
    comparison = compare(labels, truth, options.rule)
    image = None
    if image_path is not None:
        # Of an image that was only found, nothing is demanded.
        with nullcontext() if options.images else suppress(*EXPECTED_ERRORS):
            image = _image_like(image_path, pair.path, labels.shape)
    probability = _probability_beside(pair)
    return Evaluated(
        name=pair.name,
        comparison=comparison,
        cases=list_cases(comparison, image=image, probability=probability),
        image=image,
    )


def _image_like(path: Path, labels: Path, shape: tuple[int, ...]) -> "Image":
    """Read an image that must be that of labels of this shape."""
    from napari_cresunet.inference import read_image

    image = read_image(path)
    is_color = image.ndim == len(shape) + 1 and image.shape[-1] in (3, 4)
    if (image.shape[:-1] if is_color else image.shape) != shape:
        raise InputError(
            f"{path} has another size than {labels}: use the image of these labels."
        )
    return image


def _probability_beside(pair: TruthPair) -> "Image | None":
    """Return the probability that `count` wrote beside its labels."""
    from napari_cresunet.inference import read_image

    path = pair.path.with_name(f"{pair.name}_probability.tif")
    is_own = pair.path.name == f"{pair.name}_labels.tif" and path.is_file()
    return read_image(path) if is_own else None


def _files_of(pair: TruthPair, image: Path | None) -> dict[str, Any]:
    """Return which files these were."""
    return files_of(pair) | {
        "image": None if image is None else str(image),
        "made_by": record_in(pair.path),
    }


def _evaluation(
    found: Found, options: EvaluateOptions, predictions: Path, truths: Path
) -> "Evaluation":
    from importlib.metadata import version

    from napari_cresunet.export import Evaluation

    record: dict[str, Any] = {
        "version": version("napari-cresunet"),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "predictions": str(predictions),
        "truth": str(truths),
    } | _common([one["made_by"] for one in found.files])
    if options.unit != "px":
        record |= {"unit": options.unit, "pixel_size": options.rule.spacing}
    return Evaluation(images=tuple(found.images), record=record)


def _common(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return how all predictions were made, as far as it is the same."""
    names = ("model", "weights_hash", "threshold", "min_size", "min_distance", "preset")
    values = {name: [one.get(name) for one in records] for name in names}
    return {
        name: found[0]
        for name, found in values.items()
        if found[0] is not None and all(value == found[0] for value in found)
    }


def write_evaluation(output: Path, evaluation: "Evaluation", found: Found) -> None:
    """Write tables, figure and report.

    Parameters
    ----------
    output : Path
        The folder.
    evaluation : Evaluation
        What is written.
    found : Found
        Files, and what could not be compared.
    """
    from napari_cresunet.evaluation import HIT
    from napari_cresunet.export import (
        case_rows,
        counts_figure,
        html_report,
        score_rows,
        write_figure,
    )

    scores = score_rows(evaluation)
    rows = [*scores[:-1], *found.failures, scores[-1]]
    write_csv(output / "scores.csv", [*scores[0], "error"], rows)
    cases = case_rows(evaluation)
    names = list(dict.fromkeys(name for row in cases for name in row)) or ["name"]
    failures = [row for row in cases if row["kind"] != HIT]
    write_csv(output / "failures.csv", names, failures)
    write_figure(output / "counts.png", counts_figure(evaluation.images))
    write_text(output / "report.html", html_report(evaluation))
    known = {
        "scores": scores_json(evaluation, found.failures, overlaps=True),
        "how": dict(evaluation.record) | _rule(evaluation),
        "files": found.files,
    }
    write_json(output / "evaluation.json", known)


def _rule(evaluation: "Evaluation") -> dict[str, Any]:
    rule = evaluation.images[0].comparison.rule
    return {
        "max_distance": rule.max_distance,
        "unit": evaluation.unit,
        "matching": rule.matching,
        "center": rule.center,
        "pixel_size": rule.spacing,
    }
