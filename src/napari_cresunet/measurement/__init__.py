"""Measures of cells and of regions: what goes into the table of a paper.

numpy, scipy and scikit-image only; the latter two come with the first function that
needs them, and torch never loads.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_cresunet.measurement._region import Region

if TYPE_CHECKING:
    from napari_cresunet.measurement._areas import (
        overlapping_regions,
        region_mask,
        regions_beyond,
        regions_from_labels,
    )
    from napari_cresunet.measurement._cells import iter_measure, measure
    from napari_cresunet.measurement._doubts import doubts
    from napari_cresunet.measurement._frame import CountingFrame, in_frame
    from napari_cresunet.measurement._linking import link_planes
    from napari_cresunet.measurement._regions import (
        WHOLE_IMAGE,
        counted_planes,
        goes_through_planes,
        measure_regions,
        why_no_density,
    )

_HOME_OF = {
    "WHOLE_IMAGE": "_regions",
    "CountingFrame": "_frame",
    "counted_planes": "_regions",
    "doubts": "_doubts",
    "goes_through_planes": "_regions",
    "in_frame": "_frame",
    "iter_measure": "_cells",
    "link_planes": "_linking",
    "measure": "_cells",
    "measure_regions": "_regions",
    "overlapping_regions": "_areas",
    "region_mask": "_areas",
    "regions_beyond": "_areas",
    "regions_from_labels": "_areas",
    "why_no_density": "_regions",
}

__all__ = [
    "WHOLE_IMAGE",
    "CountingFrame",
    "Region",
    "counted_planes",
    "doubts",
    "goes_through_planes",
    "in_frame",
    "iter_measure",
    "link_planes",
    "measure",
    "measure_regions",
    "overlapping_regions",
    "region_mask",
    "regions_beyond",
    "regions_from_labels",
    "why_no_density",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
