"""What is done with one image that was read: counting, writing.

The stages know neither threads nor clusters; they take and return plain data.
"""

import errno
import math
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cresunet._writing import as_plain
from napari_cresunet.batch._counting import Count, count_predicted
from napari_cresunet.batch._journal import Journal, locked_tables
from napari_cresunet.batch._options import BatchOptions
from napari_cresunet.batch._reading import Loaded, Outcome, Task, done_of, read
from napari_cresunet.errors import CResUNetError, EngineError, InputError, WeightsError
from napari_cresunet.steps import Step, drain

if TYPE_CHECKING:
    from napari_cresunet.batch._pools import Pool
    from napari_cresunet.inference import Model, Prediction
    from napari_cresunet.weights import ModelCard

_SPOILS_ALL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Errors of writing that every later image would meet, too."""


class CannotWriteError(EngineError):
    """Nothing can be written any more."""


class UnusableModelError(WeightsError):
    """A worker cannot load the model, so no image can be counted there."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all images."""

    journal: Journal
    options: BatchOptions
    card: "ModelCard"


def finish(
    task: Task,
    loaded: Loaded,
    prediction: "Prediction | None",
    seconds: float,
    setting: Setting,
) -> Outcome:
    """Segment and count, and write what came of it.

    Parameters
    ----------
    task : Task
        The image.
    loaded : Loaded
        The same, read.
    prediction : Prediction or None
        None if an earlier run counted it, and only pictures are drawn.
    seconds : float
        How long the prediction took.
    setting : Setting
        Where and what is written.

    Returns
    -------
    Outcome
        Its document is to be noted in the journal when this has returned.

    Raises
    ------
    CannotWriteError
        If nothing can be written any more.
    """
    with _told_if_all_is_spoiled():
        if prediction is None:
            return _draw(task, loaded, setting)
        count = count_predicted(prediction, setting.card, task.count, seconds)
        record = {"image": task.image.given, "image_hash": loaded.hash} | count.record
        record |= _measures(loaded, count)
        if setting.journal.output is not None:
            if not _may_replace(task.image.name, setting):
                return Outcome(state="kept", message="it was reviewed meanwhile")
            record = _write(task, loaded, count, record, setting)
        return Outcome(state="done", document=document_of(task, loaded.stamp, record))


def document_of(
    task: Task, stamp: tuple[int, int] | None, record: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the journal notes of an image that was counted."""
    return {
        **done_of(task.image, stamp),
        "record": record,
        "regions": [whole_image_row(record)],
        "review": None,
    }


def whole_image_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return count, area and density of a whole image as `measure_regions` does."""
    from napari_cresunet.measurement import measure_regions

    shape = record["shape"]
    (row,) = measure_regions(
        {"label": np.arange(record["count"])},
        shape,
        [],
        pixel_size=record.get("pixel_size_um"),
        n_planes=math.prod(shape[:-2]),
    )
    return row


def _measures(loaded: Loaded, count: Count) -> dict[str, Any]:
    """Return what tells odd images from others, and what is needed for densities."""
    size = loaded.pixel_size
    brightness = float(np.mean(loaded.pixels, dtype=np.float64))
    return {
        "shape": list(count.labels.shape),
        "pixel_size_um": None if size is None else list(size),
        "foreground": float(np.count_nonzero(count.labels) / count.labels.size),
        "brightness": brightness if math.isfinite(brightness) else None,
    }


def _may_replace(name: str, setting: Setting) -> bool:
    """Forget an image whose files are about to be replaced, unless it is reviewed."""
    journal = setting.journal
    is_reviewed = journal.is_reviewed(name)
    if not is_reviewed and not journal.record_file(name).exists():
        return True  # what is not noted, nobody can review
    with locked_tables(journal):
        if journal.is_reviewed(name):
            if not setting.options.again:
                return False
            journal.set_aside(name)
        journal.forget(name)
    return True


def _write(
    task: Task, loaded: Loaded, count: Count, record: dict[str, Any], setting: Setting
) -> dict[str, Any]:
    """Write all files of an image but its record, which is returned."""
    from napari_cresunet.batch._pictures import write_pictures

    journal, options, name = setting.journal, setting.options, task.image.name
    record = write_count(
        journal.folder.parent, name, count, record, probability=options.probability
    )
    return write_pictures(
        record,
        loaded.pixels,
        count.labels,
        count.probability,
        (journal, name, options),
    )


def write_count(
    output: Path,
    name: str,
    count: Count,
    record: Mapping[str, Any],
    *,
    probability: bool = True,
) -> dict[str, Any]:
    """Write the labels and the probability of an image.

    Parameters
    ----------
    output : Path
        The folder; made if missing.
    name : str
        First part of the files' names.
    count : Count
        What is written.
    record : mapping
        Goes into both files.
    probability : bool, optional
        Whether the probability is written, too.

    Returns
    -------
    dict
        The record, with the files' names as "labels" and "probability".
    """
    from napari_cresunet.inference import write_labels, write_probability

    output.mkdir(parents=True, exist_ok=True)
    known = dict(record) | {"labels": f"{name}_labels.tif"}
    if probability:
        known["probability"] = f"{name}_probability.tif"
        write_probability(output / known["probability"], count.probability, known)
    write_labels(output / known["labels"], count.labels, known)
    return known


def _draw(task: Task, loaded: Loaded, setting: Setting) -> Outcome:
    """Draw the pictures that an earlier run was not asked for."""
    from napari_cresunet._images import read_image
    from napari_cresunet.batch._pictures import write_pictures

    folder, known = setting.journal.folder.parent, loaded.known or {}
    record = known["record"]
    probability = record.get("probability")
    record = write_pictures(
        record,
        loaded.pixels,
        read_image(folder / record["labels"]),
        read_image(folder / probability) if probability else None,
        (setting.journal, task.image.name, setting.options),
    )
    wanted = {"state": "done", "error": "", "record": record}
    return Outcome(state="kept", document={**known, **wanted})


def count_whole(task: Task, setting: Setting) -> Outcome:
    """Read, count and write one image, as a worker of a cluster does.

    Parameters
    ----------
    task : Task
        The image.
    setting : Setting
        Without what the journal knows.

    Returns
    -------
    Outcome
        As of `finish`.
    """
    from napari_cresunet.inference import iter_predict

    loaded = read(task, setting.options.channel)
    if isinstance(loaded, Outcome):
        return loaded
    if loaded.known is not None:
        return finish(task, loaded, None, 0.0, setting)
    model = _load(setting)
    started = time.monotonic()
    prediction = drain(iter_predict(loaded.pixels, model, diameter=task.count.diameter))
    return finish(task, loaded, prediction, time.monotonic() - started, setting)


def _load(setting: Setting) -> "Model":
    """Load the model, or say that no image can be counted with it."""
    try:
        return setting.options.model.load()
    except CResUNetError as error:
        raise UnusableModelError(str(error)) from error


@contextmanager
def _told_if_all_is_spoiled() -> Iterator[None]:
    """Tell an error of writing that stops a batch from one of a single image."""
    try:
        yield
    except (EngineError, OSError) as error:
        if spoils_all(error):
            raise CannotWriteError(error_text(error)) from error
        raise


def spoils_all(error: BaseException) -> bool:
    """Tell whether every later image would meet an error of writing, too."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _SPOILS_ALL:
            return True
        cause = cause.__cause__
    return isinstance(error, CannotWriteError)


def error_text(error: BaseException) -> str:
    """Return as one sentence what went wrong with an image."""
    if isinstance(error, CResUNetError):
        return " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return "There is not enough memory; close other programs or use smaller images."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'A file'}: {error.strerror}."
    kind, said = type(error).__name__, " ".join(str(error).split())
    return f"This is a fault of the program, please report it: {kind}: {said}"


def iter_slide(
    task: Task, setting: Setting, pool: "Pool | None"
) -> Generator[Step, None, Outcome]:
    """Count an image that is larger than memory.

    Parameters
    ----------
    task : Task
        The image.
    setting : Setting
        Where and what is written.
    pool : Pool or None
        Where its blocks are predicted.

    Yields
    ------
    Step
        After every block.

    Returns
    -------
    Outcome
        As of `finish`.

    Raises
    ------
    InputError
        If nothing is to be written.
    """
    from napari_cresunet.batch._pictures import write_slide_pictures
    from napari_cresunet.batch._slides import iter_count_slide
    from napari_cresunet.batch._slides_source import open_source
    from napari_cresunet.pyramids import open_pyramid

    journal, options = setting.journal, setting.options
    if journal.output is None:
        raise InputError(
            f"{task.image.given} is counted block by block: choose a folder for the "
            "results."
        )
    image = open_pyramid(task.image.path, channel=options.channel)
    count = yield from iter_count_slide(
        image,
        options.model,
        task.count,
        journal.output,
        name=task.image.name,
        probability=options.probability,
        again=options.again,
        pool=pool,
    )
    source = open_source(image, task.image.name)
    size = source.pixel_size
    record = {"image": task.image.given} | count.record
    record["shape"] = [*source.leading, *source.extent]
    record["pixel_size_um"] = None if size is None else list(size)
    document = as_plain(document_of(task, None, record))
    # What an earlier run has finished is returned as it was.
    before = (journal.documents.get(task.image.name) or {}).get("record") or {}
    is_known = {**before, "overlay": ""} == {**document["record"], "overlay": ""}
    overlay = before.get("overlay")
    has_overlay = bool(overlay) and (journal.output / str(overlay)).exists()
    if is_known and (has_overlay or not options.overlay):
        document["record"] = before
    else:
        place = journal, task.image.name, options
        document["record"] = write_slide_pictures(
            document["record"], image, count.labels, place
        )
    return Outcome(state="kept" if is_known else "done", document=document)
