"""Tell touching cells apart: distance transform, markers, watershed.

Nothing of what happens to a cluster depends on others. Markers of exactly the same
height, whose order scikit-image leaves to chance, flood in raster order.
"""

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.segmentation._compiled import number_cells
from napari_cresunet.segmentation._distances import squared_distances
from napari_cresunet.segmentation._presets import Preset
from napari_cresunet.segmentation._runs import Clusters


def split(clusters: Clusters, preset: Preset, min_distance: int) -> NDArray[np.int32]:
    """Number the cells of every region.

    Parameters
    ----------
    clusters : Clusters
        At least one region; none may fill the plane.
    preset : Preset
        The recipe.
    min_distance : int
        Px between the centers of touching cells, for presets without windows.

    Returns
    -------
    ndarray of int32
        For every pixel of the regions, run by run: the number of its cell, counted from
        1 in each region, or 0 in regions without marker.
    """
    regions = clusters.regions
    distance = 0 if preset.windows else min_distance
    smoothing, window = preset.windows or (0, 0)
    return number_cells(
        (regions.rows, regions.columns, regions.lengths),
        regions.offsets,
        (clusters.offsets, clusters.boxes),
        squared_distances(regions, clusters.shape),
        (distance, smoothing, window, preset.min_marker_size, preset.compactness),
    )
