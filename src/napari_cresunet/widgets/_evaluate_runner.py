"""Keeps the scores in step with the layers, and looks closer at leisure."""

from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QObject

from napari_cresunet.errors import CResUNetError
from napari_cresunet.evaluation import Objects
from napari_cresunet.state import (
    LABELS_SHELF,
    EvaluateState,
    Judgment,
    Study,
    TruthPair,
    describe_error,
    iter_judgment,
    iter_new_labels,
    iter_study,
)
from napari_cresunet.steps import drain
from napari_cresunet.widgets._corrections import renew_labels
from napari_cresunet.widgets._evaluate_layers import EvaluationLayers
from napari_cresunet.widgets._evaluate_pairs import pair_of
from napari_cresunet.widgets._job import Job
from napari_cresunet.widgets._job_runner import JobRunner
from napari_cresunet.widgets._layers import find_layer, identity_of
from napari_cresunet.widgets._notify import tell_error
from napari_cresunet.widgets._records import record_of
from napari_cresunet.widgets._walking import look_at

_SETTLE_TIME = 400  # ms after the last change, when the user counts as having let go
_QUICK = 2_500_000
"""Pixels up to which comparing takes some 50 ms: it is done before the canvas is drawn,
which would otherwise come first."""
_PAUSE = 100  # ms in which a brush does not move; the end of a stroke tells at once
_BRUSHES = ("paint", "erase")
_UPDATED = "labels_update"
"""Some pixels were set: by a fill, by a polygon, or by a brush on its way."""
_COMPLETE = ("data", _UPDATED)
"""After these nothing more comes: the canvas need not be drawn twice."""
_BEGUN = "paint"
"""napari tells it before a fill has changed the labels, and after a stroke."""
_REDRAWN = "set_data"
"""Tells of undo, which tells nothing else; but also of a slider, or of a contour."""
_EVENTS = (*_COMPLETE, _BEGUN, "scale", "translate", _REDRAWN)


class EvaluateRunner(JobRunner):
    """Compares again whenever one of the two layers changes.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layers are.
    state : EvaluateState
        What the dock shows.
    parent : QObject
        The dock.
    """

    def __init__(self, viewer: Any, state: EvaluateState, parent: QObject) -> None:
        super().__init__(state, parent)
        self.viewer = viewer
        self.layers = EvaluationLayers(viewer)
        self.is_drawn = True
        self._watched: list[tuple[Any, Any]] = []
        self._truth: Objects | None = None
        self._labels: Any = None
        self._truth_labels: Any = None
        self._judging: Job | None = None
        self._is_outdated = False
        self._studying: Job | None = None
        self._relabeling: Job | None = None
        self._wanted: float | None = None
        # An interval of 0 brings the many events of one change together.
        self._follow_timer = self._timer(0, self._judge)
        self._settle_timer = self._timer(_SETTLE_TIME, self._settle)
        state.pair_changed.connect(self._on_pair_changed)
        state.rule_changed.connect(self._on_rule_changed)
        state.judgment_changed.connect(self._draw)
        state.kinds_changed.connect(self._draw)

    # Which layers

    @property
    def pair(self) -> tuple[Any, Any]:
        """The two layers; None for one that is gone or not chosen."""
        prediction, truth = (find_layer(self.viewer, key) for key in self._state.pair)
        return prediction, truth

    def _on_pair_changed(self) -> None:
        self._watch(*self.pair)
        self._truth = None
        self._drop_study()
        if self._state.judgment is None:
            self.layers.remove()
        self._follow()

    def _watch(self, *layers: Any) -> None:
        """Follow changes of layers, and no longer those of others."""
        for emitter, slot in self._watched:
            emitter.disconnect(slot)
        slots = (self._on_labels_changed, self._on_truth_changed)
        self._watched = [
            (getattr(layer.events, name), slot)
            for layer, slot in zip(layers, slots, strict=False)
            for name in _EVENTS
            if layer is not None and hasattr(layer.events, name)
        ]
        for emitter, slot in self._watched:
            emitter.connect(slot)

    def _on_labels_changed(self, event: Any) -> None:
        if _is_news(event, self._labels):
            self._follow_event(event)

    def _on_truth_changed(self, event: Any) -> None:
        if _is_news(event, self._truth_labels):
            self._truth = None
            self._follow_event(event)

    def _follow_event(self, event: Any) -> None:
        """Compare at once where a change is complete, else soon."""
        is_stroke = event.type == _UPDATED and event.source.mode in _BRUSHES
        if event.type in _COMPLETE and not is_stroke:
            self._drop_study()
            self._judge()
        else:
            self._follow(_PAUSE if is_stroke else 0)

    def _on_rule_changed(self) -> None:
        self._follow()

    # Scores that follow

    def _follow(self, delay: int = 0) -> None:
        """Compare soon; a delay in ms waits for a pause."""
        self._drop_study()
        self._follow_timer.start(delay)

    def _judge(self) -> None:
        self._follow_timer.stop()
        prediction, truth = self.pair
        if prediction is None or truth is None:
            return
        if self._judging is not None and self._judging.is_running:
            self._is_outdated = True
            return
        self._is_outdated = False
        try:
            pair = pair_of(self.viewer, prediction, truth, self._truth)
        except CResUNetError as error:
            self._on_judging_failed(self._state.pair, error)
            return
        self._labels = pair.labels
        if not isinstance(pair.truth, Objects):
            self._truth_labels = pair.truth
        steps = iter_judgment(pair, self._state.rule)
        chosen, is_new_truth = self._state.pair, self._truth is None
        if pair.labels.size <= _QUICK:
            try:
                judgment = drain(steps)
            except CResUNetError as error:
                self._on_judging_failed(chosen, error)
                return
            self._on_judged(chosen, is_new_truth, judgment)
            return
        self._judging = self._start(
            steps,
            partial(self._on_judged, chosen, is_new_truth),
            partial(self._on_judging_failed, chosen),
        )
        self._judging.ended.connect(self._on_judging_ended)

    def _on_judged(
        self, chosen: tuple[str, str], is_new_truth: bool, judgment: Judgment
    ) -> None:
        if chosen != self._state.pair:
            return  # the user has moved on
        if not (is_new_truth and self._is_outdated):
            true = judgment.pair.truth
            self._truth = true if isinstance(true, Objects) else None
        self._state.judge(judgment)
        self._settle_timer.start()

    def _on_judging_failed(self, chosen: tuple[str, str], error: BaseException) -> None:
        if chosen != self._state.pair:
            return
        sentence = describe_error(error)
        if not isinstance(error, CResUNetError):
            tell_error(error)
        self._state.refuse(sentence)

    def _on_judging_ended(self) -> None:
        if self._is_outdated:
            self._follow()

    # What is drawn

    def _draw(self) -> None:
        state, prediction = self._state, self.pair[0]
        judgment = state.judgment
        if judgment is None or prediction is None or not self.is_drawn:
            self.layers.remove()
            return
        kinds = [case.kind for case in state.failures]
        self.layers.show(judgment, state.spots, kinds, prediction)
        self.layers.show_kinds(state.shown)

    def draw(self, is_drawn: bool) -> None:
        """Draw the cases over the image, or do not.

        Parameters
        ----------
        is_drawn : bool
            Whether they are.
        """
        self.is_drawn = is_drawn
        self._draw()

    # What is done at leisure

    def _settle(self) -> None:
        state = self._state
        state.settle()
        judgment = state.judgment
        if judgment is None:
            return
        self._drop_study()
        self._studying = self._start(
            iter_study(judgment, state.study), partial(self._on_studied, judgment)
        )

    def _drop_study(self) -> None:
        self._drop(self._studying)
        self._studying = None

    def _on_studied(self, judgment: Judgment, study: Study) -> None:
        self._state.learn(judgment, study)

    # Another threshold

    def use_threshold(self, threshold: float) -> None:
        """Make the labels anew at a threshold.

        Parameters
        ----------
        threshold : float
            Cell where the probability is greater.
        """
        prediction, _ = self.pair
        judgment = self._state.judgment
        if prediction is None or judgment is None:
            return
        threshold = round(threshold, 2)
        if LABELS_SHELF.relabel(self._state.pair[0], threshold):
            return
        if judgment.pair.settings is None:
            self._state.tell(
                f"The labels in {prediction.name!r} were edited by hand: open Segment "
                "and count for another threshold; what was edited stays."
            )
            return
        self._relabel(prediction, judgment, threshold)

    def _relabel(self, prediction: Any, judgment: Judgment, threshold: float) -> None:
        """Make the labels of a count whose dock is closed."""
        if self._relabeling is not None and self._relabeling.is_running:
            self._wanted = threshold
            return
        self._wanted = None
        self._relabeling = self._start(
            iter_new_labels(judgment.pair, threshold),
            partial(self._on_relabeled, identity_of(prediction), threshold),
        )

    def _on_relabeled(self, identity: str, threshold: float, labels: Any) -> None:
        prediction = find_layer(self.viewer, identity)
        if prediction is None or prediction.data.shape != labels.shape:
            return
        record = record_of(prediction) | {"threshold": threshold}
        renew_labels(prediction, labels, int(record["min_size"]), record)
        if self._wanted is not None:
            self.use_threshold(self._wanted)

    # What is saved and looked at

    def pairs_now(self) -> list[TruthPair]:
        """Return all pairs so far as they are now, the chosen one first.

        Returns
        -------
        list of TruthPair
            Of layers that are gone, as they were compared last.

        Raises
        ------
        InputError
            If a pair cannot be compared any more.
        """
        pairs = []
        for judgment in self._state.judgments:
            keys = (judgment.pair.identity, judgment.pair.truth_identity)
            prediction, truth = (find_layer(self.viewer, key) for key in keys)
            if prediction is None or truth is None:
                pairs.append(judgment.pair)
            else:
                pairs.append(pair_of(self.viewer, prediction, truth, None))
        return pairs

    def start(self, steps: Any, on_done: Any) -> None:
        """Do something at leisure; the state is told if it fails.

        Parameters
        ----------
        steps : generator
            The work.
        on_done : callable
            Gets its result.
        """
        self._start(steps, on_done)

    def look_at_case(self, number: int) -> None:
        """Move the camera to a case.

        Parameters
        ----------
        number : int
            Of the chosen pair's cases.
        """
        prediction, _ = self.pair
        if prediction is not None:
            look_at(self.viewer, prediction, self._state.spot(number))

    def shut_down(self) -> None:
        """The dock is gone: stop everything, and leave no layers behind."""
        super().shut_down()
        self._follow_timer.stop()
        self._settle_timer.stop()
        self._watch()
        self.layers.remove()


def _is_news(event: Any, known: Any) -> bool:
    """Tell whether a layer is another than the one that was compared."""
    layer = event.source
    # Equal labels may have been made at another threshold.
    if event.type != _REDRAWN:
        return True
    # Only what is in memory can be undone, and looked at each time it is drawn.
    is_comparable = known is not None and isinstance(layer.data, np.ndarray)
    return is_comparable and not np.array_equal(layer.data, known)
