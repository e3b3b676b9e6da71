"""Keeps counts and measures in step with the layers, and writes files."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QObject

from napari_cresunet._wording import list_names
from napari_cresunet.errors import CResUNetError
from napari_cresunet.state import (
    CellTable,
    MeasureSource,
    MeasureState,
    Tally,
    describe_error,
    iter_cells,
    iter_count_export,
    iter_methods_text,
    iter_tally,
)
from napari_cresunet.steps import drain
from napari_cresunet.widgets._job import Job
from napari_cresunet.widgets._job_runner import JobRunner
from napari_cresunet.widgets._layers import find_layer
from napari_cresunet.widgets._measure_frames import FrameLines
from napari_cresunet.widgets._measure_layers import publish, source_now
from napari_cresunet.widgets._measure_regions import is_drawn, name_new_shapes
from napari_cresunet.widgets._notify import tell, tell_error

_SETTLE_TIME = 400  # ms after the last change, when the user counts as having let go
_QUICK = 2_500_000
"""Pixels up to which counting takes some 50 ms."""
_PAUSE = 100  # ms in which a brush does not move; the end of a stroke tells at once
_BRUSHES = ("paint", "erase")
_UPDATED, _REDRAWN = "labels_update", "set_data"
_LABELS_EVENTS = ("data", _UPDATED, "paint", "scale", "translate", "units", _REDRAWN)
_SHAPE_EVENTS = ("data", "features", "scale", "translate")
_IMAGE_EVENTS = ("data", "scale", "units")


class MeasureRunner(JobRunner):
    """Counts again whenever cells, regions or frames change; measures at leisure.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layers are.
    state : MeasureState
        What the dock shows.
    parent : QObject
        The dock.
    """

    def __init__(self, viewer: Any, state: MeasureState, parent: QObject) -> None:
        super().__init__(state, parent)
        self.viewer = viewer
        self.lines = FrameLines(viewer)
        self._watched: list[tuple[Any, Any]] = []
        self._n_shapes = 0
        self._is_naming = False
        self._labels: Any = None
        self._counting: Job | None = None
        self._is_outdated = False
        self._measuring: Job | None = None
        self._exporting: Job | None = None
        # An interval of 0 brings the many events of one change together.
        self._follow_timer = self._timer(0, self._count)
        self._settle_timer = self._timer(_SETTLE_TIME, self._measure)
        state.layers_changed.connect(self._on_layers_changed)
        state.choices_changed.connect(self.follow)

    # Which layers

    @property
    def labels(self) -> Any:
        """The counted layer; None if it is gone or not chosen."""
        return find_layer(self.viewer, self._state.layers.labels)

    @property
    def image(self) -> Any:
        """The layer in which brightness is measured, or None."""
        return find_layer(self.viewer, self._state.layers.image)

    @property
    def regions(self) -> Any:
        """The layer with the regions, or None."""
        return find_layer(self.viewer, self._state.layers.regions)

    @property
    def frame(self) -> Any:
        """The layer with the counting frames, or None."""
        return find_layer(self.viewer, self._state.layers.frame)

    def _on_layers_changed(self) -> None:
        regions = self.regions
        self._n_shapes = len(regions.data) if hasattr(regions, "shape_type") else 0
        self._watch()
        self.follow()

    def _watch(self, *, is_on: bool = True) -> None:
        """Follow changes of the chosen layers, and no longer those of others."""
        for emitter, slot in self._watched:
            emitter.disconnect(slot)
        wanted = (
            (self.labels, _LABELS_EVENTS, self._on_labels_changed),
            (self.image, _IMAGE_EVENTS, self._on_others_changed),
            (self.regions, _SHAPE_EVENTS, self._on_regions_changed),
            (self.frame, _SHAPE_EVENTS, self._on_others_changed),
        )
        self._watched = [
            (getattr(layer.events, name), slot)
            for layer, names, slot in wanted
            for name in names
            if is_on and layer is not None and hasattr(layer.events, name)
        ]
        for emitter, slot in self._watched:
            emitter.connect(slot)

    def _on_labels_changed(self, event: Any) -> None:
        layer = event.source
        if event.type == _REDRAWN and not self._is_undone(layer):
            return
        is_stroke = event.type == _UPDATED and layer.mode in _BRUSHES
        self.follow(_PAUSE if is_stroke else 0)

    def _is_undone(self, layer: Any) -> bool:
        """Tell whether labels that were drawn again are others than were counted."""
        # Only what is in memory can be undone, and looked at each time it is drawn.
        is_known = self._labels is not None and isinstance(layer.data, np.ndarray)
        return is_known and not np.array_equal(layer.data, self._labels)

    def _on_regions_changed(self, event: Any) -> None:
        if self._is_naming:
            return
        layer = event.source
        if event.type == "data" and is_drawn(layer):
            self._name_shapes(layer)
        self.follow(_PAUSE)

    def _name_shapes(self, layer: Any) -> None:
        self._is_naming = True
        try:
            name_new_shapes(layer, self._n_shapes)
        finally:
            self._is_naming = False
        self._n_shapes = len(layer.data)

    def _on_others_changed(self, event: Any = None) -> None:
        self.follow(_PAUSE)

    # Counts that follow

    @property
    def is_due(self) -> bool:
        """Whether counts or measures will be others soon."""
        timers = (self._follow_timer, self._settle_timer)
        return self.is_busy or any(timer.isActive() for timer in timers)

    def follow(self, delay: int = 0) -> None:
        """Count soon.

        Parameters
        ----------
        delay : int, optional
            Ms, to wait for a pause.
        """
        self._drop_measuring()
        self._follow_timer.start(delay)

    def _count(self) -> None:
        self._follow_timer.stop()
        labels = self.labels
        if labels is None:
            self.lines.remove()
            return
        if self._counting is not None and self._counting.is_running:
            self._is_outdated = True
            return
        self._is_outdated = False
        key = self._state.layers.labels
        source = self.source_now()
        is_there = isinstance(source.labels, np.ndarray)
        self._labels = source.labels if is_there else None
        self.lines.show(source.frames, labels)
        steps = iter_tally(source, self._state.choices)
        is_small = source.labels.size <= _QUICK and not self._state.choices.is_linked
        if is_there and is_small:
            try:
                tally = drain(steps)
            except CResUNetError as error:
                self._on_counting_failed(key, error)
                return
            self._on_counted(key, tally)
            return
        self._counting = self._start(
            steps,
            partial(self._on_counted, key),
            partial(self._on_counting_failed, key),
        )
        self._counting.ended.connect(self._on_counting_ended)

    def source_now(self) -> MeasureSource:
        """Take what the chosen layers hold now.

        Returns
        -------
        MeasureSource
            As of `source_now` of the layers.
        """
        return source_now(
            self.viewer, self.labels, self.image, self.regions, self.frame
        )

    def _on_counted(self, key: str, tally: Tally) -> None:
        if key != self._state.layers.labels:
            return  # the user has moved on
        self._state.count(tally)
        self._settle_timer.start()

    def _on_counting_failed(self, key: str, error: BaseException) -> None:
        if key != self._state.layers.labels:
            return
        if not isinstance(error, CResUNetError):
            tell_error(error)
        self._state.refuse(describe_error(error))

    def _on_counting_ended(self) -> None:
        if self._is_outdated:
            self.follow()

    # Measures

    def _measure(self) -> None:
        tally = self._state.tally
        if tally is None or self._state.is_measured:
            return
        self._drop_measuring()
        self._measuring = job = self._start(iter_cells(tally), self._on_measured)
        job.stepped.connect(self._state.advance)
        job.ended.connect(self._on_measuring_ended)
        self._state.begin()

    def _on_measured(self, table: CellTable) -> None:
        self._state.learn(table)
        labels = self.labels
        if labels is not None and self._state.is_measured and not self._is_linked:
            publish(labels, table.columns)

    @property
    def _is_linked(self) -> bool:
        return bool(self._state.choices.is_linked and self._state.is_stack)

    def _on_measuring_ended(self) -> None:
        self._measuring = None
        self._state.end()

    def _drop_measuring(self) -> None:
        self._settle_timer.stop()
        if self._measuring is not None:
            self._drop(self._measuring)
            self._measuring = None
            self._state.end()

    def cancel(self) -> None:
        """Stop what is under way: it comes again with the next change."""
        for job in (self._measuring, self._exporting):
            if job is not None:
                job.cancel()

    # Files

    def export(self, kind: str, path: Path) -> None:
        """Write a file.

        Parameters
        ----------
        kind : str
            One of `COUNT_EXPORTS`.
        path : Path
            Where to.
        """
        if self.labels is None:
            return
        self._export(
            iter_count_export(kind, path, self.source_now(), self._state.choices),
            self._on_exported,
        )

    def copy_methods(self, on_done: Callable[[str], object]) -> None:
        """Write how the cells were counted.

        Parameters
        ----------
        on_done : callable
            Gets the paragraph.
        """
        if self.labels is not None:
            steps = iter_methods_text(self.source_now(), self._state.choices)
            self._export(steps, on_done)

    def _export(self, steps: Any, on_done: Callable[..., object]) -> None:
        self._exporting = job = self._start(steps, on_done)
        job.stepped.connect(self._state.advance)
        job.ended.connect(self._on_export_ended)
        self._state.begin()

    def _on_exported(self, paths: list[Path]) -> None:
        folder = Path(os.path.commonpath([path.resolve().parent for path in paths]))
        names = [path.resolve().relative_to(folder).as_posix() for path in paths]
        sentence = f"Saved {list_names(names)} in {folder}."
        tell(sentence)
        self._state.tell(sentence)

    def _on_export_ended(self) -> None:
        self._exporting = None
        self._state.end()

    def shut_down(self) -> None:
        """The dock is gone: stop everything, and leave no lines behind."""
        super().shut_down()
        self._follow_timer.stop()
        self._settle_timer.stop()
        self._watch(is_on=False)
        self.lines.remove()
