"""The long work of a run, as generators that a worker thread can stop."""

import math
import sys
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from napari_cresunet.state._choices import ENGINES, Choices, Settings
from napari_cresunet.state._label_areas import (
    Areas,
    areas_of_cells,
    areas_of_planes,
    counts_of,
)
from napari_cresunet.state._source import Source
from napari_cresunet.steps import Step
from napari_cresunet.weights import ModelCard

if TYPE_CHECKING:
    from napari_cresunet._typing import Labels
    from napari_cresunet.correction import Pins
    from napari_cresunet.inference import Model, Prediction
    from napari_cresunet.segmentation import LiveSegmenter
    from napari_cresunet.state._analysis import Curve
    from napari_cresunet.state._corrections import Corrections

AnyResult = TypeVar("AnyResult")

LARGE = 8_000_000
"""Pixels from which labels are no longer made on the GUI thread."""

FINDING = "Finding cells…"
FINDING_FIRST = f"{FINDING} The first time after an installation takes some seconds."


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the work is, for a bar and a line of text."""

    text: str
    done: int = 0
    total: int = 0
    """0 while it is not known."""
    message: str = ""
    """What the user should know even later, such as a fall-back."""


def as_progress(
    steps: Generator[Step, None, AnyResult], text: str
) -> Generator[Progress, None, AnyResult]:
    """Say the same of each step of the engine.

    Parameters
    ----------
    steps : generator of Step
        The work.
    text : str
        What it does.

    Yields
    ------
    Progress
        With the numbers of the steps.

    Returns
    -------
    object
        What the generator returns.
    """
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            result: AnyResult = stop.value
            return result
        yield Progress(text=text, done=step.done, total=step.total)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Request:
    """What to run, as it was when the user asked."""

    source: Source
    card: ModelCard
    choices: Choices
    settings: Settings
    region: tuple[slice, slice] | None = None
    """Rows and columns of the field of view; None for the whole image."""


class Result:
    """A prediction with its labels, which follow the settings.

    Parameters
    ----------
    request : Request
        What was asked for.
    prediction : Prediction
        What the network gave.
    device_title : str
        Where it ran, for people.
    """

    def __init__(
        self, request: Request, prediction: "Prediction", device_title: str
    ) -> None:
        self.request = request
        self.probability = prediction.probability
        self.record = prediction.record
        self.device_title = device_title
        self.settings = request.settings
        self.automatic: Labels = np.zeros(self.probability.shape, np.int32)
        """The cells that the network has, 1 to N."""
        self.labels = self.automatic
        """The same, with the cells that a person has pinned."""
        self.plane_counts: tuple[int, ...] = ()
        self.areas: Areas = []
        """For each plane, how many px each of the labels has, from 0 on."""
        self._cell_areas: Areas = []
        self.corrections: Corrections | None = None
        """What a person did to the labels, once a layer shows them."""
        self.joined: Pins | None = None
        """The pins that are in the labels."""
        self.curve: Curve | None = None
        self._segmenter: LiveSegmenter | None = None

    @property
    def count(self) -> int:
        """Cells in all planes."""
        return sum(self.plane_counts)

    @property
    def offset(self) -> tuple[int, int]:
        """Row and column of the image at which the result begins."""
        region = self.request.region
        return (0, 0) if region is None else (region[0].start, region[1].start)

    def takes_long(self, settings: Settings) -> bool:
        """Tell whether making labels may take too long for the GUI thread.

        Parameters
        ----------
        settings : Settings
            Threshold and the rest.

        Returns
        -------
        bool
            True for large results, and for another preset, which may have to be
            compiled first.
        """
        is_other = settings.preset != self.settings.preset
        return is_other or self.probability.size > LARGE

    def relabel(self, settings: Settings) -> None:
        """Make the labels anew; quick after the first time.

        Parameters
        ----------
        settings : Settings
            Threshold and the rest.
        """
        from napari_cresunet.segmentation import LiveSegmenter

        recipe = (settings.preset, settings.min_distance)
        known = (self.settings.preset, self.settings.min_distance)
        if self._segmenter is None or recipe != known:
            self._segmenter = LiveSegmenter(
                self.probability,
                preset=settings.preset,
                min_distance=settings.min_distance,
            )
        self.automatic = self._segmenter.update(settings.threshold, settings.min_size)
        n_px = math.prod(self.probability.shape[-2:])
        self._cell_areas = areas_of_cells(self._segmenter.areas, n_px)
        self.settings = settings
        self.join()

    def join(self) -> None:
        """Put the pinned cells, as they are now, into the labels."""
        pins = None
        if self.corrections is None:
            self.labels = self.automatic
        else:
            self.labels, pins = self.corrections.renewed(
                self.automatic, self.settings.min_size
            )
        self.joined = pins
        if pins is None or pins.is_empty:
            self.areas = self._cell_areas
        else:
            self.areas = areas_of_planes(self.labels)
        self.plane_counts = counts_of(self.areas)

    def recount(self) -> None:
        """Take labels and count from what a person has made of them."""
        corrections = self.corrections
        # Labels that were made meanwhile, and are not shown yet, get the pins then.
        if corrections is not None and corrections.is_of(self.automatic):
            self.labels, self.joined = corrections.snapshot()
            self.areas = corrections.areas
            self.plane_counts = corrections.plane_counts

    @property
    def quantized_text(self) -> str:
        """What 8 bits changed where they were used, in one sentence."""
        from napari_cresunet.inference import Quantized

        known = self.record.get("quantized")
        return Quantized(**known).text if known else ""

    @property
    def n_pinned(self) -> int:
        """How many cells are pinned."""
        return 0 if self.corrections is None else self.corrections.n_pinned

    def provenance(self) -> dict[str, Any]:
        """Return how the labels came about, ready for JSON."""
        source = self.request.source
        return self.record | {
            "source": source.identity,
            "source_name": source.name,
            "count": self.count,
            "pinned": self.n_pinned,
            "offset": list(self.offset),
            **asdict(self.settings),
        }


class ModelCache:
    """Keeps the model of the last run."""

    def __init__(self) -> None:
        self._key: tuple[str, ...] = ()
        self._model: Model | None = None

    def iter_load(
        self, card: ModelCard, choices: Choices
    ) -> Generator[Progress, None, "Model"]:
        """Return the model, loaded if it is not the one of the last run.

        Parameters
        ----------
        card : ModelCard
            Its card.
        choices : Choices
            Say where and how it runs.

        Yields
        ------
        Progress
            Before it is loaded, and while it is brought to 8 bits.

        Returns
        -------
        Model
            Ready to predict.
        """
        from napari_cresunet.inference import iter_load_model

        _, backend, precision = ENGINES[choices.engine]
        key = (card.name, card.weights_hash, choices.device, choices.engine)
        if self._model is None or self._key != key:
            yield Progress(text="Loading the model…")
            self._model = None  # before the next one takes memory
            steps = iter_load_model(
                card.name, choices.device, backend=backend, precision=precision
            )
            self._model = yield from as_progress(steps, "Going on to 8 bits…")
            self._key = key
        return self._model


def iter_run(request: Request, models: ModelCache) -> Generator[Progress, None, Result]:
    """Load the model, predict, find the cells.

    Parameters
    ----------
    request : Request
        What to run.
    models : ModelCache
        Where the model stays for the next run.

    Yields
    ------
    Progress
        Between tiles, where it may be closed.

    Returns
    -------
    Result
        With labels at the request's settings.
    """
    from napari_cresunet.inference import iter_predict

    if "torch" not in sys.modules:
        yield Progress(text="Loading PyTorch…")
        import torch  # noqa: F401 here, so that the next line tells the truth
    model = yield from models.iter_load(request.card, request.choices)
    title = model.title
    yield Progress(text=f"Predicting on {title}…")
    steps = iter_predict(
        request.source.image,
        model,
        diameter=request.choices.diameter,
        tile=request.choices.tile,
        region=request.region,
        rgb=request.source.is_rgb,
    )
    prediction = yield from _watch(steps, title)
    model.release()
    is_first = "napari_cresunet.segmentation._split" not in sys.modules
    yield Progress(text=FINDING_FIRST if is_first else FINDING)
    ran = (prediction.record[name] for name in ("device", "backend", "precision"))
    result = Result(request, prediction, device_title(*ran))
    result.relabel(request.settings)
    return result


def _watch(steps: Any, title: str) -> Generator[Progress, None, Any]:
    """Turn the engine's steps into words."""
    started = time.monotonic()
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            return stop.value
        # Later tiles take as long as these did.
        remaining = (time.monotonic() - started) / step.done * (step.total - step.done)
        text = f"Tile {step.done} of {step.total} on {title}{time_left(remaining)}"
        yield Progress(
            text=text, done=step.done, total=step.total, message=step.message
        )


def time_left(seconds: float) -> str:
    """Say how long something goes on.

    Parameters
    ----------
    seconds : float
        How long, as far as it is known.

    Returns
    -------
    str
        To be put after what goes on; empty if it is soon over.
    """
    if seconds < 5:
        return ""
    if seconds < 90:
        return f", about {round(seconds, -1 if seconds > 20 else 0):.0f} s left"
    return f", about {seconds / 60:.0f} min left"


def iter_relabel(
    result: Result, settings: Settings
) -> Generator[Progress, None, Settings]:
    """Make the labels of a large result anew.

    Parameters
    ----------
    result : Result
        Nobody else may relabel it meanwhile.
    settings : Settings
        Threshold and the rest.

    Yields
    ------
    Progress
        Once, before the work.

    Returns
    -------
    Settings
        What it was given.
    """
    yield Progress(text=FINDING)
    result.relabel(settings)
    return settings


def iter_devices() -> Generator[Progress, None, list[tuple[str, str]]]:
    """Look for devices, which takes importing torch.

    Yields
    ------
    Progress
        Once, before the work.

    Returns
    -------
    list of (str, str)
        Name and title of each, the fastest first.
    """
    from napari_cresunet.inference import available_devices

    yield Progress(text="Looking for devices…")
    return [(name, device_title(name)) for name in available_devices()]


def device_title(device: str, backend: str = "torch", precision: str = "full") -> str:
    """Return what a device, and how it is used, is called for people.

    Parameters
    ----------
    device, backend, precision : str
        As in the record of a prediction.

    Returns
    -------
    str
        Such as "CPU, OpenVINO" or "CUDA: NVIDIA T4".
    """
    from napari_cresunet import inference

    return inference.device_title(device, backend, precision)
