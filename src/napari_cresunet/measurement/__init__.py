"""Measures of cells and of regions: what goes into the table of a paper.

numpy, scipy and scikit-image only; torch never loads.
"""

from napari_cresunet.measurement._region import Region

__all__ = ["Region"]
