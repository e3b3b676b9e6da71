"""The whole of an image larger than memory: counted in blocks, into files."""

import hashlib
import re
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_cresunet.state._choices import Settings
from napari_cresunet.state._count import CountState
from napari_cresunet.state._run import (
    ModelCache,
    Progress,
    Request,
    time_left,
)
from napari_cresunet.state._source import Source
from napari_cresunet.weights import user_model_folder

if TYPE_CHECKING:
    from napari_cresunet.batch import CountOptions, SlideCount
    from napari_cresunet.steps import Step

WHOLE_PIXELS = 32_000_000
"""From this size on, of all planes, results are not kept in memory."""
VIEW_PIXELS = 4_000_000
"""Of all planes of the field of view that is predicted first, at most."""
_SMALLEST_VIEW = 256  # px
_STOPPED = "Stopped; what is done is kept: Run goes on from there."


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WholeRequest:
    """Which image to count as a whole, and where its files go."""

    request: Request
    folder: Path
    name: str
    """First part of the names of the files."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Whole:
    """The count of an image larger than memory."""

    request: Request
    settings: Settings
    """At which the labels are."""
    count: int
    labels: Path
    """OME-Zarr."""
    probability: Path
    """OME-Zarr."""
    record: dict[str, Any]
    """How it came about, ready for JSON."""


class WholeState:
    """What the dock "Segment and count" shows of images larger than memory.

    Parameters
    ----------
    state : CountState
        The rest of the dock.
    """

    changed = Signal()

    def __init__(self, state: CountState) -> None:
        self._state = state
        self._wholes: dict[str, Whole] = {}
        self._folders: dict[str, Path] = {}
        for signal in (
            state.source_changed,
            state.choices_changed,
            state.labels_changed,
            state.run_changed,
        ):
            signal.connect(self.changed.emit)

    @property
    def is_offered(self) -> bool:
        """Whether the chosen image is too large to be counted in memory."""
        source = self._state.source
        return source is not None and is_large(source)

    @property
    def is_running(self) -> bool:
        """Whether a run of the dock is going on."""
        return self._state.is_running

    @property
    def whole(self) -> Whole | None:
        """What is known of the whole of the chosen image."""
        source = self._state.source
        return None if source is None else self._wholes.get(source.identity)

    @property
    def folder(self) -> Path | None:
        """Where the files of the chosen image go."""
        source = self._state.source
        if source is None:
            return None
        return self._folders.get(source.identity) or default_folder(source)

    def choose_folder(self, folder: Path) -> None:
        """Have the files of the chosen image elsewhere.

        Parameters
        ----------
        folder : Path
            The folder; made when the image is counted.
        """
        if self._state.source is not None:
            self._folders[self._state.source.identity] = folder
            self.changed.emit()

    @property
    def why_not_apply(self) -> str:
        """Why the whole cannot be counted as the field of view is; empty if it can."""
        state, whole = self._state, self.whole
        if state.is_running:
            return "A run is going on: wait for it or press Cancel."
        if whole is None:
            return "The whole image was not counted yet: press Run."
        then, now = whole.request.choices, state.choices
        if (then.model, then.diameter) != (now.model, now.diameter):
            return "Model or diameter are others than those of the count: press Run."
        if whole.settings == state.settings:
            return "The whole image is counted with these settings already."
        return ""

    @property
    def words(self) -> str:
        """What is to be said of the whole image."""
        whole = self.whole
        if whole is None:
            return (
                "Too large to be counted in memory: Run counts the middle of the field "
                "of view, then the whole image, into files."
            )
        cells = "1 cell" if whole.count == 1 else f"{whole.count:,} cells"
        said = f"Whole image: <b>{cells}</b>"
        if whole.settings == self._state.settings:
            return f"{said}."
        return f"{said} with other settings (threshold {whole.settings.threshold:.2f})."

    def request(self, request: Request) -> WholeRequest:
        """Note down what to count as a whole.

        Parameters
        ----------
        request : Request
            What the user asked for, of the field of view or not.

        Returns
        -------
        WholeRequest
            For `iter_whole` and `iter_whole_again`.
        """
        source = request.source
        folder = self._folders.get(source.identity) or default_folder(source)
        whole = Request(
            source=source,
            card=request.card,
            choices=request.choices,
            settings=request.settings,
        )
        return WholeRequest(request=whole, folder=folder, name=file_name(source))

    def begin(self, text: str) -> None:
        """The count of the whole has started; `text` says with what."""
        self._state.begin()
        self._state.advance(Progress(text=text))

    def finish(self, whole: Whole) -> None:
        """The whole is counted.

        Parameters
        ----------
        whole : Whole
            Replaces what was known of the image.
        """
        self._wholes[whole.request.source.identity] = whole
        self._state.end(" ".join(whole.record.get("messages", [])))

    def stop(self) -> None:
        """The count of the whole was cancelled."""
        self._state.end(_STOPPED)


def is_large(source: Source) -> bool:
    """Tell whether an image is too large to be counted in memory.

    Parameters
    ----------
    source : Source
        The image; its pixels are not read.

    Returns
    -------
    bool
        By its number of pixels, whether it is a pyramid or not.
    """
    return not source.why_unusable and n_pixels(source) > WHOLE_PIXELS


def n_pixels(source: Source) -> int:
    """Return how many pixels an image has in all planes, colors not counted."""
    n = 1
    for length in source.image.shape:
        n *= int(length)
    return n // int(source.image.shape[-1]) if source.is_rgb else n


def middle_of(region: tuple[slice, slice], source: Source) -> tuple[slice, slice]:
    """Return the middle of a field of view that is too large to be predicted at once.

    Parameters
    ----------
    region : tuple of slice
        Rows and columns that the canvas shows.
    source : Source
        The image.

    Returns
    -------
    tuple of slice
        Rows and columns; the same if they are few.
    """
    shape = source.image.shape[:-1] if source.is_rgb else source.image.shape
    height, width = shape[-2:]
    n_planes = max(1, n_pixels(source) // (height * width))
    side = max(_SMALLEST_VIEW, int((VIEW_PIXELS / n_planes) ** 0.5))
    return _middle(region[0], side), _middle(region[1], side)


def _middle(part: slice, side: int) -> slice:
    excess = part.stop - part.start - side
    if excess <= 0:
        return part
    start = part.start + excess // 2
    return slice(start, start + side)


def default_folder(source: Source) -> Path:
    """Return where the files of an image go unless the user says otherwise.

    Parameters
    ----------
    source : Source
        The image.

    Returns
    -------
    Path
        A folder of its own for each image, beside that of the user's studies.
    """
    tells = f"{source.pyramid or source.name} {tuple(source.image.shape)}"
    digest = hashlib.blake2b(tells.encode(errors="surrogateescape"), digest_size=4)
    folder = f"{file_name(source)}-{digest.hexdigest()}"
    return user_model_folder().parent / "slides" / folder


def file_name(source: Source) -> str:
    """Return the name of an image as a file may have it."""
    name = re.sub(r"[^\w.-]+", "_", source.name).strip("._")
    return name[:80] or "image"


def iter_whole(
    wanted: WholeRequest, models: ModelCache
) -> Generator[Progress, None, Whole]:
    """Count an image larger than memory, or go on with it.

    Parameters
    ----------
    wanted : WholeRequest
        What to count.
    models : ModelCache
        Where the model stays for the next run.

    Yields
    ------
    Progress
        After tiles and blocks, where it may be closed: what is done is kept.

    Returns
    -------
    Whole
        Labels and probability are in files.
    """
    from napari_cresunet.batch import iter_count_slide

    request = wanted.request
    model = yield from models.iter_load(request.card, request.choices)
    yield Progress(text="Looking at the whole image…")
    steps = iter_count_slide(
        _image_of(request.source),
        model,
        _options(request),
        wanted.folder,
        name=wanted.name,
        tile=request.choices.tile,
    )
    count = yield from _watch(steps, f"on {model.title}")
    return _whole(wanted, count)


def iter_whole_again(wanted: WholeRequest) -> Generator[Progress, None, Whole]:
    """Count an image larger than memory with other settings, without the network.

    Parameters
    ----------
    wanted : WholeRequest
        What to count; its probability is in its folder.

    Yields
    ------
    Progress
        After blocks, where it may be closed.

    Returns
    -------
    Whole
        With other labels.
    """
    from napari_cresunet.batch import iter_resegment_slide

    yield Progress(text="Finding the cells of the whole image…")
    steps = iter_resegment_slide(wanted.folder, wanted.name, _options(wanted.request))
    count = yield from _watch(steps, "without the network")
    return _whole(wanted, count)


def _image_of(source: Source) -> Any:
    """Return what reads the image: its file, if it is known, as other processes can."""
    if source.pyramid is None:
        return source.image
    from napari_cresunet.pyramids import open_pyramid

    path, channel = source.pyramid
    return open_pyramid(path, channel=channel)


def _options(request: Request) -> "CountOptions":
    from napari_cresunet.batch import CountOptions

    settings = request.settings
    return CountOptions(
        diameter=request.choices.diameter,
        threshold=settings.threshold,
        min_size=settings.min_size,
        preset=settings.preset,
        min_distance=settings.min_distance,
    )


def _whole(wanted: WholeRequest, count: "SlideCount") -> Whole:
    probability = count.probability
    if probability is None:  # it was asked for, so it is there
        raise RuntimeError("The probability was not kept.")
    return Whole(
        request=wanted.request,
        settings=wanted.request.settings,
        count=count.count,
        labels=count.labels,
        probability=probability,
        record=count.record,
    )


def _watch(
    steps: "Generator[Step, None, SlideCount]", where: str
) -> Generator[Progress, None, "SlideCount"]:
    """Turn the engine's steps into words; what an earlier run did took no time now."""
    started = time.monotonic()
    first: int | None = None
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            result: SlideCount = stop.value
            return result
        first = step.done - 1 if first is None else first
        seconds = time.monotonic() - started
        remaining = seconds / (step.done - first) * (step.total - step.done)
        share = 100 * step.done // step.total
        yield Progress(
            text=f"Whole image, {share} % {where}{time_left(remaining)}",
            done=step.done,
            total=step.total,
            message=step.message,
        )
