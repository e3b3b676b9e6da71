"""A list of places to walk through, with the camera going to each."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QListView,
    QPushButton,
    QWidget,
)
from superqt.utils import signals_blocked

from napari_cresunet.state import Spot
from napari_cresunet.widgets._keys import LettersLeft, bind_keys, unbind_keys
from napari_cresunet.widgets._layers import layer_shape
from napari_cresunet.widgets._parts import column, row

_HEIGHT = 130  # px
_SURROUNDINGS = 6.0
"""What is seen is this many times as wide as the spot."""
_LEAST_PX = 60.0  # of the image, across the canvas


class WalkPart(QWidget):
    """Spots below each other, with buttons and keys to the next and previous one.

    Parameters
    ----------
    what : str
        What the spots are, in the plural, such as "failures".
    """

    went = Signal(int)
    """The number of the spot that the user goes to, from 0."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self._what = what
        self._model = _SpotModel(self)
        self.list = _SpotList()
        self.list.setAccessibleName(what.capitalize())
        self.list.setModel(self._model)
        self.list.setUniformItemSizes(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setFixedHeight(_HEIGHT)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)
        self.list.clicked.connect(self._on_clicked)
        self.previous = self._button("\N{BLACK LEFT-POINTING TRIANGLE}", "previous", -1)
        self.next = self._button("\N{BLACK RIGHT-POINTING TRIANGLE}", "next", 1)
        self.place = QLabel()
        self.place.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setLayout(column(self.list, spacing=2))
        self.layout().addLayout(row(self.previous, self.place, self.next, stretch=1))
        self.show_spots([])

    def _button(self, sign: str, word: str, step: int) -> QPushButton:
        key = "N" if step > 0 else "Shift+N"
        button = QPushButton(sign)
        button.setAccessibleName(f"{word.capitalize()} of the {self._what}")
        button.setToolTip(f"Go to the {word} of the {self._what} (key {key}).")
        button.setFixedWidth(44)
        button.clicked.connect(lambda: self.step(step))
        return button

    @property
    def spots(self) -> Sequence[Spot]:
        """What is listed."""
        return self._model.spots

    @property
    def current(self) -> int:
        """The number of the spot that is marked, from 0; -1 for none."""
        return int(self.list.currentIndex().row())

    def show_spots(self, spots: Sequence[Spot]) -> None:
        """List other spots; the one nearest to the marked one is marked then.

        Parameters
        ----------
        spots : sequence of Spot
            In the order of the walk. Nothing is signaled.
        """
        before = self.spots[self.current] if self.current >= 0 else None
        with signals_blocked(self.list.selectionModel()):
            self._model.show(spots)
            if before is not None and spots:
                self._mark(_nearest(before, spots))
        self._render()

    def bind_keys(self, viewer: Any) -> None:
        """Let N and Shift+N of the canvas walk here, and no longer elsewhere.

        Parameters
        ----------
        viewer : napari.Viewer
            Where they are pressed.
        """
        keys = {"n": partial(self.step, 1), "Shift-n": partial(self.step, -1)}
        bind_keys(viewer, keys, self)

    def unbind_keys(self, viewer: Any) -> None:
        """Let go of the keys, unless another walk has taken them since.

        Parameters
        ----------
        viewer : napari.Viewer
            As for `bind_keys`.
        """
        unbind_keys(viewer, self)

    def step(self, by: int) -> None:
        """Go to another spot; after the last comes the first.

        Parameters
        ----------
        by : int
            1 for the next, -1 for the previous one.
        """
        n = len(self.spots)
        if n:
            start = self.current if self.current >= 0 else (-1 if by > 0 else 0)
            self._go((start + by) % n)

    def _go(self, number: int) -> None:
        if number == self.current:
            self.went.emit(number)
        else:
            self._mark(number)

    def _mark(self, number: int) -> None:
        self.list.setCurrentIndex(self._model.index(number))

    def _on_clicked(self, index: QModelIndex) -> None:
        # Also where the camera has gone elsewhere since.
        self.went.emit(index.row())

    def _on_current_changed(self, index: QModelIndex, _before: QModelIndex) -> None:
        self._render()
        if index.isValid():
            self.went.emit(index.row())

    def _render(self) -> None:
        n = len(self.spots)
        for button in (self.previous, self.next):
            button.setEnabled(n > 0)
        if not n:
            self.place.setText(f"no {self._what}")
        elif self.current < 0:
            what = self._what.removesuffix("s") if n == 1 else self._what
            self.place.setText(f"{n:,} {what}")
        else:
            self.place.setText(f"{self.current + 1:,} of {n:,}")


class _SpotList(LettersLeft, QListView):
    """A list from which N goes on to the next spot."""


class _SpotModel(QAbstractListModel):
    """Spots as Qt wants them, for however many."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.spots: Sequence[Spot] = ()

    def show(self, spots: Sequence[Spot]) -> None:
        self.beginResetModel()
        self.spots = spots
        self.endResetModel()

    def rowCount(self, parent: Any = None) -> int:
        return len(self.spots)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        spot = self.spots[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return spot.text
        if role == Qt.ItemDataRole.DecorationRole and spot.color:
            return QColor(spot.color)
        return None


def _nearest(spot: Spot, spots: Sequence[Spot]) -> int:
    """Return which spot is nearest to one that may be gone."""
    if spot in spots:
        return spots.index(spot)
    places = np.array([(one.plane * 1e6, one.row, one.column) for one in spots])
    place = (spot.plane * 1e6, spot.row, spot.column)
    return int(np.linalg.norm(places - place, axis=1).argmin())


def look_at(viewer: Any, layer: Any, spot: Spot) -> None:
    """Move camera and sliders so that a spot is in the middle of the canvas.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose.
    layer : napari.layers.Image or Labels
        In whose px the spot is.
    spot : Spot
        Where to. The zoom only changes where the spot would be too small or too large.
    """
    leading = layer_shape(layer)[:-2]
    steps = np.unravel_index(spot.plane, leading) if leading else ()
    world = np.asarray(layer.data_to_world((*steps, spot.row, spot.column)))
    axes = range(viewer.dims.ndim - len(world), viewer.dims.ndim)
    for axis, value in zip(axes, world, strict=True):
        if axis not in viewer.dims.displayed:
            viewer.dims.set_point(axis, value)
    camera = viewer.scene.camera
    shown = [axis - viewer.dims.ndim for axis in viewer.dims.displayed]
    center = np.array(camera.center, float)
    center[-len(shown) :] = world[shown]
    camera.center = tuple(center)
    camera.zoom = _zoom(viewer, layer, spot)


def _zoom(viewer: Any, layer: Any, spot: Spot) -> float:
    """Return canvas px for each unit of the world."""
    height, width = viewer.canvas.size
    px = max(spot.size * _SURROUNDINGS, _LEAST_PX)
    wanted = min(height, width) / (px * float(np.abs(layer.scale[-2:]).max()))
    zoom = float(viewer.scene.camera.zoom)
    return zoom if wanted / 3 <= zoom <= wanted * 1.5 else wanted
