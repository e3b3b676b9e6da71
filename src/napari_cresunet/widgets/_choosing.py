"""The upper part of the dock: image, model, cell diameter."""

from html import escape
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QLabel,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_cresunet.errors import InputError
from napari_cresunet.state import CountState
from napari_cresunet.weights import ModelCard
from napari_cresunet.widgets._parts import Chooser, SizeField, row
from napari_cresunet.widgets._texts import tooltip

_CARD_HEIGHT = 200  # px; longer cards scroll, so that the count stays in sight


class ChoosingPart(QWidget):
    """Choosers of image, model and diameter, and the model's card."""

    layer_chosen = Signal(str)
    """Identity of the image layer that the user chose."""

    def __init__(self, state: CountState) -> None:
        super().__init__()
        self._state = state
        self.image = Chooser("Image")
        self.image.setToolTip("The image to count. Follows the selected layer.")
        self.image.chosen.connect(self.layer_chosen)
        self.model = Chooser("Model")
        self.model.chosen.connect(self._on_model_chosen)
        self.about = QToolButton()
        self.about.setText("About")
        self.about.setCheckable(True)
        self.about.setToolTip("What the model was trained on, its terms and scores.")
        self.card = QTextBrowser()
        self.card.setOpenExternalLinks(True)
        self.card.setFixedHeight(_CARD_HEIGHT)
        self.card.setVisible(False)
        self.about.toggled.connect(self.card.setVisible)
        self.diameter = SizeField("Cell diameter", decimals=1, empty="as trained")
        self.diameter.setToolTip(tooltip("diameter"))
        self.diameter.changed.connect(self._on_diameter_changed)
        self._lay_out()
        state.models_changed.connect(self._render_models)
        state.choices_changed.connect(self._render_choices)
        state.source_changed.connect(self._render_source)

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for title, field, buddy in (
            ("&Image", self.image, self.image),
            ("&Model", row(self.model, self.about, stretch=0), self.model),
            ("Cell &diameter", self.diameter, self.diameter.px),
        ):
            label = QLabel(title)
            label.setBuddy(buddy)
            label.setToolTip(buddy.toolTip())
            form.addRow(label, field)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addWidget(self.card)

    def render(self) -> None:
        """Show the whole state."""
        self._render_models()
        self._render_source()
        self._render_choices()

    def show_layers(self, layers: list[tuple[str, str]]) -> None:
        """Offer image layers, as (identity, name)."""
        source = self._state.source
        self.image.fill(layers, "" if source is None else source.identity)
        self.image.setEnabled(bool(layers))

    def _on_model_chosen(self, name: str) -> None:
        self._state.choose(model=name)

    def _on_diameter_changed(self, diameter: float | None) -> None:
        try:
            self._state.choose(diameter=diameter)
        except InputError as error:
            self._render_choices()
            self._state.tell(str(error), is_failure=True)

    def _render_models(self) -> None:
        models = [(card.name, card.title) for card in self._state.models]
        self.model.fill(models, self._state.choices.model)
        self.model.setEnabled(bool(models))
        self.about.setEnabled(bool(models))

    def _render_source(self) -> None:
        source = self._state.source
        self.diameter.set_um_per_px(None if source is None else source.um_per_px)

    def _render_choices(self) -> None:
        state = self._state
        self.model.setCurrentIndex(self.model.findData(state.choices.model))
        self.diameter.set_value(state.choices.diameter)
        if state.card is not None:
            self.diameter.set_empty_value(state.card.diameter)
            self.card.setHtml(_describe(state.card))
            self.model.setToolTip(f"{state.card.title}: {state.card.data}")


def _describe(card: ModelCard) -> str:
    """Return the card as a short table."""
    rows = [
        ("Network", card.variant),
        ("Trained on", card.data),
        ("License", card.license),
        ("Cell diameter", card.diameters_text),
        ("Threshold", f"{card.threshold:g}"),
        ("Smallest cell", f"{card.min_size} px where cells are {card.diameters_text}"),
        *(("Score", line) for line in _score_lines(card.scores)),
        ("Please cite", card.citation),
        ("Weights", card.weights_hash[:12]),
    ]
    cells = "".join(
        f"<tr><td style='padding-right: 8px'><b>{escape(title)}</b></td>"
        f"<td>{escape(value)}</td></tr>"
        for title, value in rows
        if value
    )
    return f"<table>{cells}</table>"


def _score_lines(scores: Any) -> list[str]:
    """Return the card's scores, one line for each data set."""
    lines = []
    for name, value in scores.items():
        if isinstance(value, dict):
            inner = ", ".join(f"{key} {_number(part)}" for key, part in value.items())
            lines.append(f"{name}: {inner}")
        else:
            lines.append(f"{name} {_number(value)}")
    return lines


def _number(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
