"""The dock "Train"."""

from typing import Any

from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent

from napari_cresunet.errors import InputError
from napari_cresunet.state import LAYERS, PairChoice, TrainState, check_sizes
from napari_cresunet.widgets._dock import Dock, framed, scrolling
from napari_cresunet.widgets._layers import (
    find_layer,
    identity_of,
    is_cells,
    is_source,
    layer_shape,
    source_of,
)
from napari_cresunet.widgets._notify import tell_error
from napari_cresunet.widgets._train_data import DataPart
from napari_cresunet.widgets._train_layers import cells_of
from napari_cresunet.widgets._train_runner import TrainRunner
from napari_cresunet.widgets._train_running import TrainingPart
from napari_cresunet.widgets._train_settings import SettingsPart
from napari_cresunet.widgets._train_start import StartPart


class Train(Dock):
    """From images with true cells to a model of one's own.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined] # noqa: F821 napari injects by this name
        super().__init__()
        self._viewer: Any = viewer
        self._by_user = ("", "")  # image and labels, as last chosen by hand
        self.state = TrainState()
        self.runner = TrainRunner(viewer, self.state, self)
        self.data = DataPart(self.state)
        self.start = StartPart(self.state)
        self.settings = SettingsPart(self.state)
        self.training = TrainingPart(self.state)
        self._content = framed(self.data, self.start, self.settings, spacing=8)
        # Below what scrolls, so that the button never goes out of sight.
        self._lay_out(scrolling(self._content), framed(self.training))
        self._connect()
        self.state.refresh()
        self._on_theme_changed()
        self.reset_choices()
        self.data.render()
        self.start.render()
        self.training.render()

    def _connect(self) -> None:
        viewer = self._viewer
        viewer.layers.events.removed.connect(self._on_layer_removed)
        viewer.events.theme.connect(self._on_theme_changed)
        self.data.pair_wanted.connect(self._on_pair_wanted)
        self.data.image_chosen.connect(self._on_image_chosen)
        self.data.layers.labels.chosen.connect(self._on_labels_chosen)
        self.settings.opened.connect(self.runner.look_for_devices)
        self.runner.devices_found.connect(self.settings.show_devices)
        self.training.train_wanted.connect(self.runner.train)
        self.training.stop_wanted.connect(self.state.stop)
        self.training.unfinished.resume_wanted.connect(self.runner.resume)
        self.training.unfinished.discard_wanted.connect(self.runner.discard)
        self.state.run_changed.connect(self._on_run_changed)

    def _disconnect(self) -> None:
        viewer = self._viewer
        viewer.layers.events.removed.disconnect(self._on_layer_removed)
        viewer.events.theme.disconnect(self._on_theme_changed)
        self.runner.shut_down()

    def event(self, event: Any) -> bool:
        """Look at the data again when the mouse comes back."""
        if event.type() == QEvent.Type.Enter:
            self._on_entered()
        return super().event(event)

    # The layers

    def _look_again(self) -> None:
        """Look again which layers there are."""
        image, labels = self.data.layers.chosen
        images = [identity_of(x) for x in self._viewer.layers if is_source(x)]
        added = {pair.image for pair in self.state.pairs}
        waiting = [key for key in images if key not in added]
        if image in images and (image, labels) == self._by_user:
            self._show_layers(image, labels)
            return
        # What was added is done with: the next one is offered, with the labels that fit
        # it best, which may have come after it.
        if image not in waiting:
            image = (waiting or images or [""])[-1]
        self._show_layers(image, "")

    def _on_image_chosen(self, identity: str) -> None:
        self._show_layers(identity, "")
        self._by_user = self.data.layers.chosen

    def _on_labels_chosen(self) -> None:
        self._by_user = self.data.layers.chosen

    def _show_layers(self, image: str, labels: str) -> None:
        """Offer layers; to a new image the labels that were made on it."""
        layers = self._viewer.layers
        images = [(identity_of(x), x.name) for x in layers if is_source(x)]
        cells = [(identity_of(x), x.name) for x in layers if is_cells(x)]
        chosen = find_layer(self._viewer, image)
        if chosen is not None and labels not in dict(cells):
            used = [pair.labels for pair in self.state.pairs if pair.image != image]
            fitting = cells_of(self._viewer, chosen, used)
            labels = "" if fitting is None else identity_of(fitting)
        if labels not in dict(cells):
            labels = cells[-1][0] if cells else ""
        self.data.layers.show_layers(images, cells, (image, labels))

    def _on_pair_wanted(self, image_key: str, labels_key: str) -> None:
        image, labels = (
            find_layer(self._viewer, key) for key in (image_key, labels_key)
        )
        if image is None or labels is None:
            return
        try:
            check_sizes(
                image.name, layer_shape(image), labels.name, layer_shape(labels)
            )
        except InputError as error:
            self.state.tell(tell_error(error), is_failure=True)
            return
        self.state.tell("")
        self.start.set_um_per_px(source_of(image).um_per_px)
        self.state.add_pair(
            PairChoice(
                image=image_key,
                labels=labels_key,
                image_name=image.name,
                labels_name=labels.name,
            )
        )
        self._by_user = ("", "")
        self.reset_choices()

    def _on_entered(self) -> None:
        """Look again at what may have been painted or mended meanwhile."""
        state = self.state
        has_layers = state.choices.learn_from == LAYERS and bool(state.pairs)
        if has_layers or state.data_problem:
            self.runner.look()

    def _on_layer_removed(self, event: Any) -> None:
        self.state.forget_layer(identity_of(event.value))

    # Looks

    def _on_run_changed(self) -> None:
        self._content.setEnabled(not self.state.is_running)

    def _on_theme_changed(self, event: Any = None) -> None:
        self.training.set_theme(get_theme(self._viewer.theme))
