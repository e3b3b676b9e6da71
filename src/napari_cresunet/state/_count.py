"""The state of the dock "Segment and count"."""

from dataclasses import replace
from typing import Any

from psygnal import Signal

from napari_cresunet.errors import InputError
from napari_cresunet.state._analysis import Analysis, Curve
from napari_cresunet.state._choices import Choices, Settings, resolve
from napari_cresunet.state._run import ModelCache, Progress, Request, Result
from napari_cresunet.state._source import Source, identity_of, why_no_source
from napari_cresunet.state._words import Words, describe_count
from napari_cresunet.state._working import Working
from napari_cresunet.weights import ModelCard, list_models, user_model_folder

_LIVE = {"threshold", "min_size", "preset", "min_distance"}
_RECOMMENDED: dict[str, Any] = {
    "threshold": None,
    "min_size": None,
    "min_distance": None,
    "preset": Choices().preset,
}


class CountState(Working):
    """Everything the dock shows, and what it may do.

    A view forwards what the user wants, renders on the signals, and runs the generators
    of this package in a worker thread.
    """

    source_changed = Signal()
    choices_changed = Signal()
    models_changed = Signal()
    labels_outdated = Signal()
    """The settings are no longer those of the labels: call `relabel`."""
    labels_changed = Signal()
    """`result` or its labels and count changed."""
    curve_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.models: list[ModelCard] = []
        self.source: Source | None = None
        self.choices = Choices()
        self.cache = ModelCache()
        self.plane = 0
        """Number of the plane that is shown."""
        self._why_no_source = why_no_source()
        self._results: dict[str, Result] = {}
        self._reference: int | None = None
        self._is_settled = True

    # What follows from the above

    @property
    def card(self) -> ModelCard | None:
        """The card of the chosen model."""
        for card in self.models:
            if card.name == self.choices.model:
                return card
        return None

    @property
    def settings(self) -> Settings | None:
        """Threshold and the rest, with the model's recommendations filled in."""
        card = self.card
        return None if card is None else resolve(self.choices, card)

    @property
    def result(self) -> Result | None:
        """What is known of the chosen image."""
        return None if self.source is None else self.result_of(self.source.identity)

    def result_of(self, identity: str) -> Result | None:
        """Return what is known of an image.

        Parameters
        ----------
        identity : str
            The image's `Source.identity`.

        Returns
        -------
        Result or None
            None before its first run.
        """
        return self._results.get(identity)

    @property
    def curve(self) -> Curve | None:
        """Count against threshold, if it holds for the present settings."""
        result, settings = self.result, self.settings
        if result is None or result.curve is None or settings is None:
            return None
        return result.curve if result.curve.fits(settings) else None

    @property
    def can_run(self) -> bool:
        """Whether Run may be pressed."""
        return not self.why_not

    @property
    def why_not(self) -> str:
        """Why Run may not be pressed, as a sentence; empty if it may."""
        if self.is_running:
            return "A run is going on: wait for it or press Cancel."
        if self.source is None:
            return self._why_no_source
        if self.source.why_unusable:
            return self.source.why_unusable
        if not self.models:
            return (
                f"There is no model: put a weight file into {user_model_folder()}, or "
                "install napari-cresunet again."
            )
        return ""

    @property
    def is_outdated(self) -> bool:
        """Whether another run would give another probability."""
        result = self.result
        if result is None:
            return False
        then, now = result.request.choices, self.choices
        names = ("model", "diameter", "view_only")
        return any(getattr(then, name) != getattr(now, name) for name in names)

    @property
    def words(self) -> Words:
        """The count as the dock shows it."""
        return describe_count(
            self.result,
            reference=self._reference,
            plane=self.plane,
            is_outdated=self.is_outdated,
            is_running=self.is_running,
        )

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

    def choose_source(self, source: Source | None, *, other: str = "") -> None:
        """Take another image, or the same one whose layer changed.

        Parameters
        ----------
        source : Source or None
            The image; None if there is none to choose.
        other : str, optional
            Name of the selected layer that is no image, for the explanation.
        """
        before, self.source = self.source, source
        self._why_no_source = why_no_source(other)
        is_other = identity_of(before) != identity_of(source)
        if is_other:
            self._reference, self._is_settled = None, True
            self.tell("")
            self._adopt(before)
        self.source_changed.emit()
        self.run_changed.emit()
        if is_other:
            self.choices_changed.emit()
            self.labels_changed.emit()
            self.curve_changed.emit()

    def _adopt(self, before: Source | None) -> None:
        """Take from the new image what belongs to it: diameter and settings."""
        source, result = self.source, self.result
        if result is not None:
            self.choices = replace(
                self.choices, diameter=result.request.choices.diameter
            )
        elif source is not None and source.diameter is not None:
            self.choices = replace(self.choices, diameter=source.diameter)
        elif before is not None and self.choices.diameter == before.diameter:
            self.choices = replace(self.choices, diameter=None)
        if result is not None:
            kept = {name: getattr(result.settings, name) for name in _LIVE}
            if kept != {name: getattr(self.settings, name, None) for name in _LIVE}:
                self.choices = replace(self.choices, **kept)

    def choose(self, **changes: Any) -> None:
        """Change some of the choices.

        Parameters
        ----------
        **changes
            Fields of `Choices`; a value out of its bounds is an `InputError` and
            changes nothing.
        """
        choices = replace(self.choices, **changes)
        if choices == self.choices:
            return
        self.choices = choices
        self.choices_changed.emit()
        result = self.result
        if result is not None and self.settings != result.settings:
            self._begin_change(result)
            self.labels_outdated.emit()
        if result is not None:
            self.curve_changed.emit()

    def recommend(self) -> None:
        """Go back to what the model recommends for making labels."""
        self.choose(**_RECOMMENDED)

    def use_stable_threshold(self) -> None:
        """Take the middle of the curve's plateau."""
        if self.curve is not None:
            self.choose(threshold=self.curve.stable_threshold)

    def show_plane(self, plane: int) -> None:
        """Note which plane is shown.

        Parameters
        ----------
        plane : int
            Its number, counted through all leading axes.
        """
        if plane != self.plane:
            self.plane = plane
            self.labels_changed.emit()

    def forget(self, identity: str) -> None:
        """Drop the result of an image that is gone.

        Parameters
        ----------
        identity : str
            The image's `Source.identity`.
        """
        self._results.pop(identity, None)

    # The run

    def request(self, region: tuple[slice, slice] | None = None) -> Request:
        """Note down what to run.

        Parameters
        ----------
        region : tuple of slice, optional
            The field of view.

        Returns
        -------
        Request
            For `iter_run`.

        Raises
        ------
        InputError
            If nothing can be run; the message is `why_not`.
        """
        card, settings, source = self.card, self.settings, self.source
        if self.why_not or card is None or settings is None or source is None:
            raise InputError(self.why_not)
        return Request(
            source=source,
            card=card,
            choices=self.choices,
            settings=settings,
            region=region,
        )

    def begin(self) -> None:
        """A run has started."""
        self.is_running, self.progress = True, Progress(text="Starting…")
        self.tell("")

    def finish(self, result: Result) -> None:
        """A run has ended well.

        Parameters
        ----------
        result : Result
            Replaces the one of the same image.
        """
        identity = result.request.source.identity
        before = self._results.get(identity)
        self._results[identity] = result
        if identity == identity_of(self.source):
            self._reference, self._is_settled = None, True
            if before and before.request.region == result.request.region:
                self._reference = before.count
        self._end(" ".join(result.record.get("messages", [])))
        self.labels_changed.emit()
        self.curve_changed.emit()
        if self.result is result and self.settings != result.settings:
            self.labels_outdated.emit()

    def end(self, sentence: str = "") -> None:
        """Work has ended that gave another result than that of a run.

        Parameters
        ----------
        sentence : str, optional
            What the user should know.
        """
        self._end(sentence)

    def stop(self) -> None:
        """A run was cancelled."""
        self._end("Cancelled; nothing was changed.")

    # Labels

    def relabel(self) -> None:
        """Make the labels anew at the present settings."""
        result, settings = self.result, self.settings
        if result is None or settings is None or result.settings == settings:
            return
        self._begin_change(result)
        result.relabel(settings)
        self.labels_changed.emit()

    def settle(self) -> None:
        """The user let go of the slider: the next change is told from here."""
        self._is_settled = True

    def learn(self, result: Result, analysis: Analysis) -> None:
        """Take what was found out about a result.

        Parameters
        ----------
        result : Result
            What was looked at.
        analysis : Analysis
            What was found.
        """
        result.curve = analysis.curve
        if self.result is result:
            self.curve_changed.emit()

    def _begin_change(self, result: Result) -> None:
        """Remember the count from which the next change is told."""
        if self._is_settled:
            self._reference, self._is_settled = result.count, False
