"""The long work of a batch, as generators that a worker thread can stop."""

from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from napari_cresunet.batch import (
    BatchOptions,
    BatchResult,
    BatchStep,
    Entry,
    ListedImage,
    iter_batch,
    list_images,
    plan_batch,
    read_batch,
    write_batch_report,
)
from napari_cresunet.errors import CResUNetError, InputError
from napari_cresunet.state._run import Progress

RESULTS = "cresunet-results"
"""What the folder of results is called, unless the user says otherwise."""
_LISTING = "Looking for images…"


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """Which images there are, and what an earlier run made of them."""

    images: tuple[ListedImage, ...]
    output: Path
    entries: tuple[Entry, ...]
    """Of the same images, in the same order."""
    options: BatchOptions | None = None
    """Of the last run in the folder; None if there was none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchRequest:
    """What to run, as it was when the user asked."""

    images: tuple[ListedImage, ...]
    output: Path
    options: BatchOptions


def iter_listing(
    arguments: Sequence[str], output: Path | None
) -> Generator[Progress, None, Listing]:
    """Find images, and what is known of them.

    Parameters
    ----------
    arguments : sequence of str
        Files, folders, patterns or lists.
    output : Path or None
        Where results are; None for a folder beside the images.

    Yields
    ------
    Progress
        Once, before the work.

    Returns
    -------
    Listing
        The images; those that were not counted yet are waiting.

    Raises
    ------
    InputError
        If there are no images, or a list cannot be read.
    """
    yield Progress(text=_LISTING)
    images = tuple(list_images(arguments))
    if not images:
        raise InputError("There are no images in it: choose a folder of images.")
    place = output or images[0].path.absolute().parent / RESULTS
    entries = tuple(map(_at_rest, plan_batch(images, place)))
    return Listing(
        images=images, output=place, entries=entries, options=_options_in(place)
    )


def _options_in(output: Path) -> BatchOptions | None:
    try:
        return read_batch(output).options
    except InputError:  # nothing was counted there yet
        return None


def iter_results(output: Path) -> Generator[Progress, None, Listing]:
    """Read what an earlier run left.

    Parameters
    ----------
    output : Path
        The folder of results.

    Yields
    ------
    Progress
        Once, before the work.

    Returns
    -------
    Listing
        All images of that run.

    Raises
    ------
    InputError
        If there are no results in it.
    """
    yield Progress(text="Reading the results…")
    batch = read_batch(output)
    return Listing(
        images=batch.images,
        output=batch.output,
        entries=tuple(map(_at_rest, batch.entries)),
        options=batch.options,
    )


def _at_rest(entry: Entry) -> Entry:
    """Return an entry of a run that is over."""
    return replace(entry, state="waiting") if entry.state == "running" else entry


def iter_batch_run(
    request: BatchRequest, inbox: deque[Entry]
) -> Generator[Progress, None, BatchResult]:
    """Count many images.

    Parameters
    ----------
    request : BatchRequest
        What to run.
    inbox : deque of Entry
        Gets every change of an image, which nobody else may miss: who listens to the
        steps of a worker thread hears only some. However the run ends, it gets what is
        on disk then.

    Yields
    ------
    Progress
        At each step of the engine, where it may be closed: nothing done is lost.

    Returns
    -------
    BatchResult
        What came of it.
    """
    yield Progress(text="Looking at what is counted already…")
    steps = iter_batch(request.images, request.output, request.options)
    is_whole = False
    try:
        with closing(steps):
            while True:
                try:
                    step = next(steps)
                except StopIteration as stop:
                    result: BatchResult = stop.value
                    is_whole = True
                    inbox.extend(result.entries)
                    return result
                if step.entry is not None:
                    inbox.append(step.entry)
                yield _progress(step)
    finally:
        if not is_whole:
            inbox.extend(_on_disk(request.output))


def iter_batch_report(output: Path) -> Generator[Progress, None, Path]:
    """Write the report anew, with what was corrected since.

    Parameters
    ----------
    output : Path
        The folder of results.

    Yields
    ------
    Progress
        Once, before the work.

    Returns
    -------
    Path
        The report.
    """
    yield Progress(text="Writing the report…")
    return write_batch_report(output)


def _on_disk(output: Path) -> tuple[Entry, ...]:
    """Return what there is of a run that was stopped, or broke off."""
    try:
        return tuple(map(_at_rest, read_batch(output).entries))
    except (CResUNetError, OSError):
        return ()


def _progress(step: BatchStep) -> Progress:
    parts = [f"{step.done:,} of {step.total:,}"]
    if step.rate:
        parts.append(_rate(step.rate))
    if step.seconds_left is not None and step.done < step.total:
        parts.append(describe_rest(step.seconds_left))
    return Progress(
        text=", ".join(parts),
        done=step.done,
        total=step.total,
        message=step.message,
    )


def _rate(rate: float) -> str:
    """Say how many images are counted in a second, in numbers that can be read."""
    if rate >= 1:
        return f"{rate:.1f} images/s"
    return f"{rate * 60:.2g} images/min"


def describe_rest(seconds: float) -> str:
    """Say how long something will take.

    Parameters
    ----------
    seconds : float
        An estimate.

    Returns
    -------
    str
        Such as "about 3 min left".
    """
    if seconds < 90:
        return f"about {max(seconds, 1):.0f} s left"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} min left"
    return f"about {seconds / 3600:.1f} h left"
