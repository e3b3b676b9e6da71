"""The dock "Evaluate"."""

from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtWidgets import QPushButton

from napari_cresunet.state import EvaluateState
from napari_cresunet.widgets._belonging import (
    cell_layers,
    image_of,
    is_counted,
    proposed_cells,
    selected_cells,
)
from napari_cresunet.widgets._dock import Dock, framed, scrolling
from napari_cresunet.widgets._evaluate_pairs import (
    diameter_of,
    proposed_truth,
    truth_layers,
)
from napari_cresunet.widgets._evaluate_parts import (
    HeadlinePart,
    LegendPart,
    MatchingPart,
    PairPart,
    ScoresPart,
    TraitsPart,
)
from napari_cresunet.widgets._evaluate_plots import ScorePlots
from napari_cresunet.widgets._evaluate_runner import EvaluateRunner
from napari_cresunet.widgets._evaluate_saving import SavingPart
from napari_cresunet.widgets._layers import find_layer, identity_of, source_of
from napari_cresunet.widgets._walking import WalkPart, look_at


class Evaluate(Dock):
    """How far a count can be trusted, and where it fails.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined] # noqa: F821 napari injects by this name
        super().__init__()
        self._viewer: Any = viewer
        self._by_user = ""  # the truth, as last chosen by hand
        self.state = EvaluateState()
        self.runner = EvaluateRunner(viewer, self.state, self)
        self.pair = PairPart(self.state)
        self.headline = HeadlinePart(self.state)
        self.legend = LegendPart(self.state)
        self.walk = WalkPart("failures")
        self.plots = ScorePlots()
        self.best = QPushButton("Use best threshold")
        self.scores = ScoresPart(self.state)
        self.traits = TraitsPart(self.state)
        self.matching = MatchingPart(self.state)
        self.saving = SavingPart(self.state, self.runner)
        self._lay_out(
            framed(self.pair, self.headline, spacing=6),
            scrolling(framed(*self._scrolling_parts, spacing=6)),
        )
        self._connect()
        self._on_theme_changed()
        self.reset_choices()
        for part in (self.pair, self.headline, self.legend, self.matching, self.traits):
            part.render()
        self._render_judgment()
        self._render_study()

    @property
    def _scrolling_parts(self) -> tuple[Any, ...]:
        return (
            *(self.legend, self.walk, self.plots, self.best),
            *(self.scores, self.traits, self.saving, self.matching),
        )

    def _connect(self) -> None:
        viewer, state = self._viewer, self.state
        viewer.layers.events.removed.connect(self._on_layer_removed)
        viewer.layers.selection.events.active.connect(self._on_active_layer_changed)
        viewer.events.theme.connect(self._on_theme_changed)
        self.walk.bind_keys(viewer)
        self.pair.prediction_chosen.connect(self._on_prediction_chosen)
        self.pair.truth_chosen.connect(self._on_truth_chosen)
        self.pair.open_wanted.connect(self.saving.open_truth)
        self.legend.draw_wanted.connect(self.runner.draw)
        self.walk.went.connect(self._on_walked)
        self.plots.threshold_wanted.connect(self.runner.use_threshold)
        self.plots.distance_wanted.connect(self._on_distance_wanted)
        self.best.clicked.connect(self._on_best_clicked)
        state.judgment_changed.connect(self._render_judgment)
        state.kinds_changed.connect(self._render_spots)
        state.study_changed.connect(self._render_study)

    def _disconnect(self) -> None:
        viewer = self._viewer
        viewer.layers.events.removed.disconnect(self._on_layer_removed)
        viewer.layers.selection.events.active.disconnect(self._on_active_layer_changed)
        viewer.events.theme.disconnect(self._on_theme_changed)
        self.walk.unbind_keys(viewer)
        self.runner.shut_down()

    # The layers

    def _look_again(self) -> None:
        """Look again which layers there are."""
        prediction = find_layer(self._viewer, self.state.pair[0])
        if prediction is None:
            prediction = proposed_cells(self._viewer)
        self._choose(prediction)

    def _choose(self, prediction: Any, truth: Any = None) -> None:
        """Compare labels with a truth, or with the most likely one."""
        truths = [] if prediction is None else truth_layers(self._viewer, prediction)
        if truth is None and prediction is not None:
            kept = (x for x in truths if identity_of(x) == self._by_user)
            truth = next(kept, None)
            if truth is None:
                truth = proposed_truth(self._viewer, prediction)
        pair = ["" if x is None else identity_of(x) for x in (prediction, truth)]
        is_whole = prediction is not None and truth is not None
        diameter = diameter_of(self._viewer, prediction) if is_whole else None
        self.state.choose_pair(pair[0], pair[1], diameter)
        self.pair.show_layers(
            [(identity_of(x), x.name) for x in cell_layers(self._viewer)],
            [(identity_of(x), x.name) for x in truths],
        )
        image = None if prediction is None else image_of(self._viewer, prediction)
        um_per_px = None if image is None else source_of(image).um_per_px
        self.pair.distance.set_um_per_px(um_per_px)

    def _on_prediction_chosen(self, identity: str) -> None:
        self._by_user = ""
        self._choose(find_layer(self._viewer, identity))

    def _on_truth_chosen(self, identity: str) -> None:
        self._by_user = identity
        prediction, truth = (
            find_layer(self._viewer, key) for key in (self.state.pair[0], identity)
        )
        self._choose(prediction, truth)

    def _on_active_layer_changed(self, event: Any = None) -> None:
        """Follow the user to the counts of another image."""
        active = self._viewer.layers.selection.active
        chosen = self.state.pair
        if active is None or identity_of(active) in chosen:
            return
        cells = selected_cells(self._viewer)
        is_ours = cells is not None and is_counted(cells)
        if is_ours and truth_layers(self._viewer, cells):
            self._on_prediction_chosen(identity_of(cells))

    def _on_layer_removed(self, event: Any) -> None:
        self.state.forget(identity_of(event.value))

    # What was found out

    def _render_judgment(self) -> None:
        self._render_spots()
        self.plots.show_counts(self.state.image_scores, self.state.mpe)
        self._render_study()

    def _render_spots(self) -> None:
        self.walk.show_spots(self.state.spots)

    def _render_study(self) -> None:
        state, study = self.state, self.state.study
        self.plots.show_thresholds(
            [] if study is None else study.sweep, state.threshold
        )
        self.plots.show_distances(
            [] if study is None else study.distances, state.rule.max_distance
        )
        best = state.best
        self.best.setEnabled(best is not None)
        if best is None:
            self.best.setText("Use best threshold")
            self.best.setToolTip(
                "Needs the probability of Segment and count, and a true cell."
            )
            return
        self.best.setText(
            f"Use best threshold ({best.threshold:.2f}, F1 {best.scores.f1:.3f})"
        )
        self.best.setToolTip(
            "<qt>The threshold with the highest F1 here. On other images it may be "
            "another: report scores of images on which it was not chosen.</qt>"
        )

    def _on_best_clicked(self) -> None:
        best = self.state.best
        if best is not None:
            self.runner.use_threshold(best.threshold)

    def _on_distance_wanted(self, distance: float) -> None:
        self.state.choose_rule(max_distance=round(distance, 1))

    def _on_walked(self, number: int) -> None:
        prediction, _ = self.runner.pair
        if prediction is not None:
            self.walk.bind_keys(self._viewer)
            look_at(self._viewer, prediction, self.walk.spots[number])

    # Looks

    def _on_theme_changed(self, event: Any = None) -> None:
        theme = get_theme(self._viewer.theme)
        self.plots.set_theme(theme)
        self.headline.set_text_size(float(str(theme.font_size).removesuffix("pt")))
