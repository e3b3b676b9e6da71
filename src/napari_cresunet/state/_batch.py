"""The state of the dock "Batch"."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_cresunet.batch import (
    BatchOptions,
    BatchResult,
    Entry,
    ListedImage,
    read_entry,
)
from napari_cresunet.errors import InputError
from napari_cresunet.state._batch_options import choices_of, options_of
from napari_cresunet.state._batch_review import ReviewSaver
from napari_cresunet.state._batch_run import BatchRequest, Listing
from napari_cresunet.state._batch_table import (
    DONE,
    FAILED,
    REVIEWED,
    RUNNING,
    BatchTable,
)
from napari_cresunet.state._choices import Choices, Settings, resolve
from napari_cresunet.state._run import Progress
from napari_cresunet.state._working import Working
from napari_cresunet.weights import ModelCard, list_models, user_model_folder

_SHARED = (
    *("model", "diameter", "threshold", "min_size", "preset", "min_distance"),
    *("device", "engine"),
)
"""Choices that mean the same for many images as for one."""
MOST_MESSAGES = 3
"""That are shown of one run: thousands of images may all say the same."""
_RECOMMENDED: dict[str, Any] = {
    "threshold": None,
    "min_size": None,
    "preset": Choices().preset,
    "min_distance": None,
}


class BatchState(Working):
    """Everything the dock shows, and what it may do.

    A view forwards what the user wants, renders on the signals, and runs the generators
    of this package in a worker thread.
    """

    models_changed = Signal()
    choices_changed = Signal()
    images_changed = Signal()
    """Which images, or where results go."""
    table_changed = Signal()
    """Rows of the table came, went or moved."""
    rows_changed = Signal(list)
    """Rows of the table say something else."""
    opened_changed = Signal()
    """Another image is open, or it is known whether it is saved."""

    def __init__(self) -> None:
        super().__init__()
        self.models: list[ModelCard] = []
        self.choices = Choices()
        self.outputs = BatchOptions(report=True)
        """What is written for each image."""
        self.arguments: tuple[str, ...] = ()
        """What the user chose: folders, files, patterns or lists."""
        self.images: tuple[ListedImage, ...] = ()
        self.output: Path | None = None
        self.is_listing = False
        """Whether images are being looked for."""
        self.table = BatchTable()
        self.inbox: deque[Entry] = deque()
        """What the worker thread has to tell of images."""
        self.messages: list[str] = []
        """What the user should know of the last run, such as a fall-back."""
        self.opened = ""
        """Name of the image that is open; empty if none is."""
        self.saver: ReviewSaver | None = None
        """Of the image that is open; None if it cannot be corrected."""
        self.is_opening = False
        self._reviewed: set[str] = set()
        """Names of images that were reviewed here since the run began."""
        self._is_touched = False
        """Whether the user has made any choice of how cells are counted."""
        self.keeps_regions = False
        """Whether an image without regions gets those of the one before."""

    # What follows from the above

    @property
    def card(self) -> ModelCard | None:
        """The card of the chosen model."""
        return next((x for x in self.models if x.name == self.choices.model), None)

    @property
    def settings(self) -> Settings | None:
        """Threshold and the rest, with the model's recommendations filled in."""
        card = self.card
        return None if card is None else resolve(self.choices, card)

    @property
    def can_run(self) -> bool:
        """Whether Run may be pressed."""
        return not self.why_not

    @property
    def why_not(self) -> str:
        """Why Run may not be pressed, as a sentence; empty if it may."""
        if self.is_running:
            return "A run is going on: wait for it or press Cancel."
        if self.is_listing:
            return "Images are being looked for."
        if not self.images:
            return (
                "There are no images: choose a folder, files, a pattern such as *.tif, "
                "or a list, or drop them here."
            )
        if self.card is None:
            return (
                f"There is no model: put a weight file into {user_model_folder()}, or "
                "install napari-cresunet again."
            )
        return ""

    @property
    def summary(self) -> str:
        """What the run has found so far, in one sentence."""
        numbers, total = self.table.numbers, len(self.table.entries)
        if not total:
            return "No images yet"
        n_counted = numbers[DONE] + numbers[REVIEWED]
        parts = [f"in {n_counted:,} of {_images(total)}"]
        if numbers[REVIEWED]:
            parts.append(f"{numbers[REVIEWED]:,} reviewed")
        if numbers[FAILED]:
            parts.append(f"{numbers[FAILED]:,} failed")
        return ", ".join(parts)

    @property
    def headline(self) -> str:
        """All cells, corrected where they were."""
        count = self.table.count
        return "1 cell" if count == 1 else f"{count:,} cells"

    @property
    def chosen(self) -> str:
        """What the user chose, for a line of text."""
        if len(self.arguments) == 1:
            return self.arguments[0]
        return f"{len(self.arguments):,} files" if self.arguments else ""

    # What the user wants

    def refresh_models(self) -> None:
        """Look again which models there are."""
        models = list_models()
        if models == self.models:
            return
        self.models = models
        if self.card is None and models:
            self.choices = replace(self.choices, model=models[0].name)
        self.models_changed.emit()
        self.choices_changed.emit()
        self.run_changed.emit()

    def choose(self, **changes: Any) -> None:
        """Change some of the choices.

        Parameters
        ----------
        **changes
            Fields of `Choices`; a value out of its bounds is an `InputError` and
            changes nothing.
        """
        choices = replace(self.choices, **changes)
        if choices != self.choices:
            self._is_touched = True
            self.choices = choices
            self.choices_changed.emit()

    def recommend(self) -> None:
        """Go back to what the model recommends for making labels."""
        self.choose(**_RECOMMENDED)

    def take(self, choices: Choices) -> None:
        """Take what was found to be good for one image.

        Parameters
        ----------
        choices : Choices
            Of the dock Segment and count.
        """
        self.choose(**{name: getattr(choices, name) for name in _SHARED})

    def write(self, **changes: Any) -> None:
        """Change what is written for each image.

        Parameters
        ----------
        **changes
            Fields of `BatchOptions`.
        """
        outputs = replace(self.outputs, **changes)
        if outputs != self.outputs:
            self.outputs = outputs
            self.choices_changed.emit()

    # Images

    def look_for(self, arguments: Sequence[str], output: Path | None) -> None:
        """Images are being looked for.

        Parameters
        ----------
        arguments : sequence of str
            What the user chose.
        output : Path or None
            Where results are to go; None for a folder beside the images.
        """
        self.arguments, self.output = tuple(arguments), output
        self.is_listing = True
        self.images_changed.emit()
        self.tell("")

    def show(self, listing: Listing, *, adopts: bool = False) -> None:
        """Images were found.

        Parameters
        ----------
        listing : Listing
            The images.
        adopts : bool, optional
            Whether the options of the run before are taken in any case, and not only
            where the user has chosen none.
        """
        self.is_listing = False
        self.images, self.output = listing.images, listing.output
        if listing.options is not None and (adopts or not self._is_touched):
            self._adopt(listing.options)
        self.table.show(listing.entries)
        self.images_changed.emit()
        self.table_changed.emit()
        self.run_changed.emit()

    def refuse(self, sentence: str) -> None:
        """No images were found.

        Parameters
        ----------
        sentence : str
            Why.
        """
        self.is_listing = False
        self.images_changed.emit()
        self.tell(sentence, is_failure=True)

    def _adopt(self, options: BatchOptions) -> None:
        """Take options of an earlier run, as far as they can be had here."""
        names = {card.name for card in self.models}
        self.choices = choices_of(options, self.choices, names)
        self.outputs = replace(options, again=False)
        self.choices_changed.emit()

    # The run

    def request(self) -> BatchRequest:
        """Note down what to run.

        Returns
        -------
        BatchRequest
            For `iter_batch_run`.

        Raises
        ------
        InputError
            If nothing can be run; the message is `why_not`.
        """
        if self.why_not or self.output is None:
            raise InputError(self.why_not)
        options = options_of(self.choices, self.outputs)
        return BatchRequest(images=self.images, output=self.output, options=options)

    def begin(self) -> None:
        """A run has started."""
        # Who presses Run once more wants the rest, and not all of it again.
        self.write(again=False)
        self.messages = []
        self.inbox.clear()
        self._reviewed.clear()
        self.is_running, self.progress = True, Progress(text="Starting…")
        self.tell("")

    def begin_stop(self) -> None:
        """The user wants no more images to be begun."""
        known = self.progress or Progress(text="")
        text = "Stopping after the images at work…"
        self.progress = replace(known, text=text, message="")
        self.run_changed.emit()

    def advance(self, progress: Any) -> None:
        """The work has come further."""
        self.receive()
        if progress.message:
            self.messages.append(progress.message)
        super().advance(progress)

    def receive(self) -> None:
        """Take what the worker thread has told of images."""
        entries = []
        while self.inbox:
            entries.append(self._newest(self.inbox.popleft()))
        if entries:
            self.learn(entries)

    def _newest(self, entry: Entry) -> Entry:
        """Return what is noted of an image if it was reviewed since the run told."""
        if entry.name not in self._reviewed or entry.state == RUNNING:
            return entry
        noted = None if self.output is None else read_entry(self.output, entry.name)
        return noted or entry

    def learn(self, entries: Iterable[Entry]) -> None:
        """Take what is new of images.

        Parameters
        ----------
        entries : iterable of Entry
            As they are now.
        """
        rows = self.table.update(entries)
        if rows is None:
            self.table_changed.emit()
        elif rows:
            self.rows_changed.emit(rows)

    def finish(self, result: BatchResult) -> None:
        """A run has ended.

        Parameters
        ----------
        result : BatchResult
            What came of it.
        """
        self._rest()
        parts = [f"Counted {_images(result.n_counted)}"]
        if result.n_skipped:
            parts.append(f"{result.n_skipped:,} had been counted before")
        if result.n_failed:
            parts.append(f"{result.n_failed:,} failed")
        sentences = [", ".join(parts) + ".", *self.messages[:MOST_MESSAGES]]
        n_more = len(self.messages) - MOST_MESSAGES
        if n_more > 0:
            sentences.append(f"There were {n_more:,} more messages.")
        self._end(" ".join(sentences), is_failure=bool(result.n_failed))

    def stop(self) -> None:
        """A run was cancelled."""
        self._rest()
        self._end("Cancelled; what is counted is kept, and Run goes on from there.")

    def fail(self, sentence: str) -> None:
        """A run broke off."""
        self._rest()
        super().fail(sentence)

    def _rest(self) -> None:
        """Nothing is running any more."""
        self.receive()
        left = [one for one in self.table.entries if one.state == RUNNING]
        self.learn(replace(entry, state="waiting") for entry in left)

    # Review

    def take_review(self, entry: Entry) -> None:
        """A review was saved, which a run that is going on may not know yet.

        Parameters
        ----------
        entry : Entry
            The image as it is now.
        """
        self._reviewed.add(entry.name)
        self.learn([entry])

    def open(self, name: str, saver: ReviewSaver | None) -> None:
        """An image is open, or none is.

        Parameters
        ----------
        name : str
            `Entry.name`; empty for none.
        saver : ReviewSaver or None
            Of its labels; None if they cannot be corrected.
        """
        self.opened, self.saver = name, saver
        self.opened_changed.emit()

    def wait(self, *, is_opening: bool) -> None:
        """An image is being read, or no longer.

        Parameters
        ----------
        is_opening : bool
            Which of the two.
        """
        self.is_opening = is_opening
        self.opened_changed.emit()

    def next_entry(self, *, states: Sequence[str], step: int = 1) -> Entry | None:
        """Return the image to look at next, as the table is shown.

        Parameters
        ----------
        states : sequence of str
            Which states will do.
        step : int, optional
            1 for the next, -1 for the previous one.

        Returns
        -------
        Entry or None
            None if there is no other.
        """
        return self.table.next(self.opened, states, step)


def _images(number: int) -> str:
    return "1 image" if number == 1 else f"{number:,} images"
