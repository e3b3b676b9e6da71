"""The demo: napari with a sample image, and the dock at work on it."""

import napari
from qtpy.QtWidgets import QApplication

from napari_cresunet.widgets.segment_and_count import SegmentAndCount

PLUGIN, DOCK = "napari-cresunet", "Segment and count"


def open_demo(sample: str) -> None:
    """Open napari on a sample, run the dock, and return when napari is closed.

    Parameters
    ----------
    sample : str
        Key of a sample image in the manifest, such as "neurons".
    """
    viewer = napari.Viewer()
    prepare_demo(viewer, sample)
    # The dock took room from the canvas after the image was fitted to it, and the
    # canvas learns of that only when Qt lays the window out.
    QApplication.processEvents()
    viewer.fit_to_view()
    napari.run()


def prepare_demo(viewer: "napari.viewer.Viewer", sample: str) -> SegmentAndCount:
    """Add a sample and the dock to a viewer, and press Run.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        An empty viewer.
    sample : str
        Key of a sample image in the manifest.

    Returns
    -------
    SegmentAndCount
        The dock.
    """
    viewer.open_sample(PLUGIN, sample)
    dock: SegmentAndCount
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, DOCK)
    # With the image active, not its hidden truth, napari shows the image's controls.
    viewer.layers.selection.active = viewer.layers[0]
    dock.running.run.click()
    return dock
