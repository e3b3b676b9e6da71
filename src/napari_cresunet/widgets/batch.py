"""The dock "Batch"."""

from pathlib import Path
from typing import Any

from napari.utils.theme import get_theme

from napari_cresunet.state import BatchState
from napari_cresunet.widgets._batch_files import FilesPart
from napari_cresunet.widgets._batch_images import ImagesPart, dropped_paths
from napari_cresunet.widgets._batch_review import QueuePart
from napari_cresunet.widgets._batch_runner import BatchRunner
from napari_cresunet.widgets._batch_running import BatchCountPart, BatchRunPart
from napari_cresunet.widgets._batch_settings import SettingsPart
from napari_cresunet.widgets._batch_table import ImagesTablePart
from napari_cresunet.widgets._dock import Dock, framed, scrolling
from napari_cresunet.widgets.segment_and_count import SegmentAndCount

_TABLE_PART = 1000  # of the height that is left; so nothing remains below


class Batch(Dock):
    """Counts many images, and is the queue in which they are corrected.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: "napari.viewer.Viewer") -> None:  # type: ignore[name-defined] # noqa: F821 napari injects by this name
        super().__init__()
        self._viewer = viewer
        self.state = BatchState()
        self.runner = BatchRunner(viewer, self.state, self)
        self.images = ImagesPart(self.state)
        self.settings = SettingsPart(self.state)
        self.running = BatchRunPart(self.state)
        self.counting = BatchCountPart(self.state)
        self.table = ImagesTablePart(self.state)
        self.queue = QueuePart(self.state)
        self.files = FilesPart(self.state)
        self.setAcceptDrops(True)
        rest = framed(
            self.settings,
            self.counting,
            self.table,
            self.queue,
            self.files,
            spacing=6,
        )
        self._lay_out(
            framed(self.images, self.settings.model_row, self.running, spacing=6),
            scrolling(rest),
        )
        rest.layout().setStretchFactor(self.table, _TABLE_PART)
        self._connect()
        self._on_theme_changed()
        self.state.refresh_models()
        self.reset_choices()
        for part in self._parts:
            part.render()

    @property
    def _parts(self) -> tuple[Any, ...]:
        return (
            self.images,
            self.settings,
            self.running,
            self.counting,
            self.table,
            self.queue,
            self.files,
        )

    def _connect(self) -> None:
        runner = self.runner
        self._viewer.events.theme.connect(self._on_theme_changed)
        self.images.images_chosen.connect(runner.look_for)
        self.images.output_chosen.connect(runner.choose_output)
        self.images.results_wanted.connect(self._on_results_wanted)
        self.settings.take_wanted.connect(self._on_take_wanted)
        self.settings.fold.opened.connect(runner.look_for_devices)
        runner.devices_found.connect(self.settings.device.show_devices)
        self.running.run_wanted.connect(runner.run)
        self.running.cancel_wanted.connect(runner.cancel)
        self.table.wanted.connect(runner.open)
        self.queue.next_wanted.connect(runner.next)
        self.queue.step_wanted.connect(runner.step)
        self.queue.regions_wanted.connect(runner.draw_regions)
        self.files.report_wanted.connect(runner.report)
        runner.reported.connect(self.files.open)
        self.queue.bind_keys(self._viewer)

    def _disconnect(self) -> None:
        self._viewer.events.theme.disconnect(self._on_theme_changed)
        self.queue.shut_down(self._viewer)
        self.runner.shut_down()

    def _look_again(self) -> None:
        """Look whether there is a dock to take choices from."""
        self.settings.take.setEnabled(self._counting_dock() is not None)

    def _on_results_wanted(self, folder: str) -> None:
        self.runner.open_results(Path(folder))

    # The other dock

    def _counting_dock(self) -> SegmentAndCount | None:
        """Return the dock Segment and count of the same window, if it is open."""
        docks = getattr(getattr(self._viewer, "window", None), "dock_widgets", {})
        found = (one for one in docks.values() if isinstance(one, SegmentAndCount))
        return next(found, None)

    def _on_take_wanted(self) -> None:
        dock = self._counting_dock()
        if dock is not None:
            self.state.take(dock.state.choices)
        self._look_again()

    # Dropped files

    def dragEnterEvent(self, event: Any) -> None:
        """Take files and folders, but not during a run."""
        if dropped_paths(event) and not self.state.is_running:
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Count what was dropped."""
        event.acceptProposedAction()
        self.runner.look_for(dropped_paths(event))

    # Looks

    def _on_theme_changed(self, event: Any = None) -> None:
        theme = get_theme(self._viewer.theme)
        self.running.set_primary_color(theme.current.as_hex(), theme.text.as_hex())
        self.counting.set_text_size(float(str(theme.font_size).removesuffix("pt")))
