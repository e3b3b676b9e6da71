"""Counting many images: one bad one spoils nothing, and what is done stays done."""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet.batch._clock import Clock
from napari_cresunet.batch._entries import Entry, entry_of, options_to_dict
from napari_cresunet.batch._inputs import ListedImage
from napari_cresunet.batch._journal import (
    Document,
    Journal,
    Listed,
    locked_tables,
    open_journal,
)
from napari_cresunet.batch._options import BatchOptions
from napari_cresunet.batch._pipeline import Event, Pipeline
from napari_cresunet.batch._plan import Plan, named, refuse_overwriting
from napari_cresunet.batch._reading import Outcome, Task
from napari_cresunet.batch._reporting import write_batch_report
from napari_cresunet.batch._reviews import restore_reviews
from napari_cresunet.batch._stages import Setting, iter_slide
from napari_cresunet.batch._tables import Tables
from napari_cresunet.errors import EngineError
from napari_cresunet.steps import Step

if TYPE_CHECKING:
    from napari_cresunet.batch._pools import Pool


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchStep(Step):
    """Something has changed; `done` and `total` are images, those skipped included."""

    entry: Entry | None = None
    """The image that changed its state: it is running, done or failed now; of one that
    was skipped, what an earlier run made of it. None for a step within an image."""
    rate: float | None = None
    """Images per second of this run, lately; None before the second image."""
    seconds_left: float | None = None
    """Estimated; None before anything is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchResult:
    """What came of a run."""

    output: Path | None
    entries: tuple[Entry, ...]
    """In the order in which the images were given."""
    n_counted: int
    """Images that were counted in this run."""
    n_skipped: int
    """Images that an earlier run had counted with the same model and options, or that
    have been reviewed."""
    n_failed: int
    """Images with an error."""
    report: Path | None = None
    """The report, if one was asked for."""


def iter_batch(
    paths: Sequence[Path | ListedImage],
    output: str | Path | None,
    options: BatchOptions,
    *,
    pool: "Pool | None" = None,
) -> Generator[BatchStep, None, BatchResult]:
    """Count the cells of many images and write the results.

    Parameters
    ----------
    paths : sequence of Path or ListedImage
        From `find_images` or `list_images`.
    output : str, Path or None
        Folder for the results, made if missing; None writes nothing. Images that an
        earlier run counted there with the same content, weights and parameters are
        skipped, those that have been reviewed, too.
    options : BatchOptions
        What is done.
    pool : Pool, optional
        Where whole images are counted; by default in this process, where reading,
        prediction, segmentation and writing of different images run side by side.

    Yields
    ------
    BatchStep
        When an image changes its state, and within images. The generator may be closed
        at any step: finished images are in the tables then, and none is half written.

    Returns
    -------
    BatchResult
        All entries.

    Raises
    ------
    InputError
        If results would overwrite an image, or another run works in the folder.
    EngineError
        If nothing can be written any more.
    """
    folder = None if output is None else Path(output).absolute()
    images = _once(paths)
    with open_journal(folder) as journal:
        listed = named(images, journal)
        if folder is not None:
            refuse_overwriting(listed, folder, options)
            restore_reviews(journal, listed)
        run = _Run(listed, journal, options, pool)
        return (yield from run.steps())


def plan_batch(
    paths: Sequence[Path | ListedImage], output: str | Path
) -> tuple[Entry, ...]:
    """Tell what `iter_batch` would call images, and what is known of them already.

    Parameters
    ----------
    paths : sequence of Path or ListedImage
        From `find_images` or `list_images`.
    output : str or Path
        The folder of the batch; it need not exist.

    Returns
    -------
    tuple of Entry
        One for each different image, in their order. Whether an image has changed since
        is not looked at.
    """
    journal = Journal(Path(output).absolute())
    journal.refresh()
    return tuple(
        entry_of(image, journal.documents.get(image.name))
        for image in named(_once(paths), journal)
    )


def _once(paths: Sequence[Path | ListedImage]) -> list[ListedImage]:
    """Return each image once."""
    images: dict[Path, ListedImage] = {}
    for path in paths:
        image = path if isinstance(path, ListedImage) else ListedImage(path=path)
        images.setdefault(image.path.resolve(), image)
    return list(images.values())


class _Run:
    """One run, from its plan to its tables."""

    def __init__(
        self,
        listed: Sequence[Listed],
        journal: Journal,
        options: BatchOptions,
        pool: "Pool | None",
    ) -> None:
        self._listed = listed
        self._journal = journal
        self._options = options
        self._pool = pool
        card = options.model.card()
        self._setting = Setting(journal, options, card)
        self._plan = Plan(listed, self._setting)
        self._tables = Tables(journal, listed, card.to_dict())
        self._clock = Clock()
        self._counts = Counter[str]()
        self._left = self._plan.n_to_count

    def steps(self) -> Generator[BatchStep, None, BatchResult]:
        """Count, and write tables now and then, at the end and on the way out."""
        self._journal.write_list(
            self._listed, options_to_dict(self._options), self._setting.card.to_dict()
        )
        for message in self._plan.messages():
            yield self._step(message=message)
        try:
            with closing(self._events()) as events:
                for event in events:
                    yield self._took(event)
                    self._tables.write_if_due()
        except BaseException:
            # What is finished is to be in the tables, but the reason comes first.
            with suppress(EngineError):
                self._tables.write()
            raise
        self._tables.write()
        return self._result()

    def _events(self) -> Generator[Event, None, None]:
        parts = self._plan.tasks(), self._setting, self._settle, self._count_slide
        pool = self._pool
        if pool is None or pool.is_local:
            return Pipeline(*parts).run()
        pool.check_files(self._journal.output, [image.path for image in self._listed])
        from napari_cresunet.batch._pooled import iter_pooled

        return iter_pooled(*parts, pool)

    def _settle(self, task: Task, outcome: Outcome) -> Outcome:
        """Note in the journal what came of an image; in any thread."""
        if outcome.state == "failed":
            # Errors name files by their absolute paths; people know what they wrote.
            error = outcome.error.replace(str(task.image.path), task.image.given)
            outcome = replace(outcome, error=error)
            self._note_beside_review(task.image.name, self._failure(task, outcome))
        elif outcome.state == "kept" and outcome.document:
            self._note_beside_review(task.image.name, outcome.document)
        elif outcome.document:
            self._journal.write(task.image.name, outcome.document)
        return outcome

    def _note_beside_review(self, name: str, document: Document) -> None:
        """Note what is new of an image that somebody may have reviewed meanwhile."""
        if self._journal.output is None:
            self._journal.write(name, document)
            return
        with locked_tables(self._journal):
            now = self._journal.read(name) or {}
            theirs = {key: now[key] for key in ("review", "regions") if key in now}
            self._journal.write(name, {**document, **theirs})

    def _failure(self, task: Task, outcome: Outcome) -> dict[str, Any]:
        """Return what to note of a failure; the files of an earlier count stay."""
        image = task.image
        known = self._journal.documents.get(image.name) or {}
        return dict(known) | {
            "path": str(image.path),
            "given": image.given,
            "group": image.group,
            "state": "failed",
            "error": outcome.error,
            "stamp": None,
        }

    def _count_slide(self, task: Task) -> Generator[Step, None, Outcome]:
        return iter_slide(task, self._setting, self._pool)

    def _took(self, event: Event) -> BatchStep:
        """Return what an event means for the user."""
        if event.task is None:
            return self._step(message=event.message)
        given, message = event.task.image.given, event.message
        if event.step is not None and event.step.message:
            message = f"{given}: {event.step.message}"
        outcome = event.outcome
        if outcome is None:
            is_new = event.step is None
            entry = self._entry(event.task.image, is_running=True) if is_new else None
            return self._step(entry, message)
        if outcome.message:
            message = f"{given}: {outcome.message}"
        self._counts[outcome.state] += 1
        if event.task.known is None and not event.task.is_reviewed:
            self._left -= 1
        if outcome.state == "done":
            self._clock.tick()
        return self._step(self._entry(event.task.image), message)

    def _entry(self, image: Listed, *, is_running: bool = False) -> Entry:
        if is_running:
            return entry_of(image, None, is_running=True)
        return entry_of(image, self._journal.documents.get(image.name))

    def _step(self, entry: Entry | None = None, message: str = "") -> BatchStep:
        return BatchStep(
            done=sum(self._counts.values()),
            total=len(self._listed),
            message=message,
            entry=entry,
            rate=self._clock.rate,
            seconds_left=self._clock.seconds_left(self._left),
        )

    def _result(self) -> BatchResult:
        report = None
        if self._options.report and self._journal.output is not None:
            report = write_batch_report(self._journal.output)
            self._journal.refresh()  # a review may have been saved meanwhile
        return BatchResult(
            output=self._journal.output,
            entries=tuple(self._entry(image) for image in self._listed),
            n_counted=self._counts["done"],
            n_skipped=self._counts["kept"],
            n_failed=self._counts["failed"],
            report=report,
        )
