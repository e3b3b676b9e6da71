"""`segment` and the segmenter that follows a slider; one implementation for both."""

import math
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_cresunet._typing import Indices, Labels
from napari_cresunet.config import check_bounds
from napari_cresunet.errors import InputError
from napari_cresunet.segmentation._cells import Cells
from napari_cresunet.segmentation._planes import PlaneSegmenter
from napari_cresunet.segmentation._presets import Preset, get_preset


class LiveSegmenter:
    """Turns one probability map into labels again and again, fast.

    What was found for a region is kept, so that moving a slider only works on regions
    that changed.

    Parameters
    ----------
    probability : array_like of shape (..., Y, X), float
        Probability of "cell". It is not copied: do not change it afterwards.
    preset : str, optional
        A key of `PRESETS`; "tashfeen2025" by default.
    min_distance : int, optional
        Px between the centers of touching cells, at least 1; the preset's own by
        default. "morelli2021" has fixed windows instead and does not use it.

    See Also
    --------
    segment : Labels at one threshold.

    Notes
    -----
    Raises `InputError` if `probability` is not a float array of two or more axes, is
    empty or holds NaN or infinite values, the preset is unknown, or `min_distance` is
    not a whole number of at least 1.

    Remembers what was found at the last threshold, and from the second one on a byte
    for each pixel of the map. Not to be used from two threads at once.

    Examples
    --------
    >>> import numpy as np
    >>> probability = np.zeros((20, 40))
    >>> probability[5:15, 5:15] = 0.9
    >>> probability[5:15, 25:35] = 0.6
    >>> live = LiveSegmenter(probability)
    >>> [int(live.update(threshold).max()) for threshold in (0.5, 0.7, 0.9)]
    [2, 1, 0]
    """

    def __init__(
        self,
        probability: ArrayLike,
        *,
        preset: str | None = None,
        min_distance: int | None = None,
    ) -> None:
        array = as_probability(probability)
        self.preset: Preset = get_preset(preset)
        distance = (
            self.preset.min_distance or 1 if min_distance is None else min_distance
        )
        check_whole("min_distance", distance, 1)
        self.shape: tuple[int, ...] = array.shape
        self._areas: list[Indices] = []
        self._planes = [
            PlaneSegmenter(plane, self.preset, int(distance))
            for plane in array.reshape(-1, *array.shape[-2:])
        ]

    def update(self, threshold: float, min_size: int | None = None) -> Labels:
        """Return the labels at a threshold.

        Parameters
        ----------
        threshold : float
            Foreground is where the probability is strictly above this, in [0, 1].
        min_size : int, optional
            Objects of fewer px are removed before touching cells are split; the
            preset's own by default.

        Returns
        -------
        ndarray of shape (..., Y, X), int32
            A new array, equal to what `segment` returns: 0 is background, cells are 1
            to N by their first pixel in raster order, through all planes.

        Notes
        -----
        Raises `InputError` if the threshold is outside [0, 1] or `min_size` is not a
        whole number of at least 0.
        """
        labels = np.zeros(self.shape, dtype=np.int32)
        areas = []
        before = 0
        planes = labels.reshape(-1, *self.shape[-2:])
        cells_of_planes = self.iter_cells(threshold, min_size)
        for plane, cells in zip(planes, cells_of_planes, strict=True):
            cells.paint(plane, before)
            areas.append(cells.areas())
            before += cells.count
        self._areas = areas
        return labels

    @property
    def areas(self) -> list[Indices]:
        """Px of each plane's cells in order of their numbers, as of `update`."""
        return self._areas

    def iter_cells(self, threshold: float, min_size: int | None) -> Iterator[Cells]:
        """Find the cells plane by plane without painting them.

        Parameters
        ----------
        threshold, min_size : float and int
            As for `update`.

        Returns
        -------
        iterator of Cells
            The cells of each plane, numbered from 1 in each.
        """
        threshold = float(threshold)
        check_bounds("threshold", threshold, 0, 1)
        size = self.preset.min_size if min_size is None else min_size
        check_whole("min_size", size, 0)
        return (plane.cells(threshold, int(size)) for plane in self._planes)


def segment(
    probability: ArrayLike,
    *,
    threshold: float = 0.5,
    min_size: int | None = None,
    preset: str | None = None,
    min_distance: int | None = None,
) -> Labels:
    """Turn a probability map into labeled cells.

    Foreground is where the probability is above the threshold. Small holes are filled,
    small objects removed, and touching cells are told apart by a watershed of the
    distance to the background, as the preset says.

    Parameters
    ----------
    probability : array_like of shape (..., Y, X), float
        Probability of "cell". Leading axes are planes, segmented one by one.
    threshold : float, default 0.5
        Foreground is strictly above this, in [0, 1]. It is compared in the precision of
        `probability`.
    min_size : int, optional
        Objects of fewer px are removed; the preset's own by default (40 px, and 200 px
        in "morelli2021").
    preset : str, optional
        A key of `PRESETS`; "tashfeen2025" by default.
    min_distance : int, optional
        Px between the centers of touching cells, at least 1; the preset's own by
        default (10 px). "morelli2021" has fixed windows instead and does not use it.

    Returns
    -------
    ndarray of shape (..., Y, X), int32
        0 is background, cells are 1 to N by their first pixel in raster order, counted
        on through all planes.

    See Also
    --------
    LiveSegmenter : The same for many thresholds of one map, faster.

    Notes
    -----
    The cells are those of scikit-image's functions called one after another on the
    whole plane. Where these leave something open it is settled so that a cell does not
    depend on others far away: markers of equal height flood in raster order, a plane
    without foreground has no cells, and one without background is a single cell.

    Raises `InputError` if `probability` is not a float array of two or more axes, is
    empty or holds NaN or infinite values, the preset is unknown, or a number is out of
    its bounds.

    Examples
    --------
    >>> import numpy as np
    >>> probability = np.zeros((30, 60))
    >>> rows, columns = np.ogrid[:30, :60]
    >>> for center in (20, 38):
    ...     probability[np.hypot(rows - 15, columns - center) < 10] = 0.9
    >>> segment(probability)[15, [9, 20, 38, 50]].tolist()
    [0, 1, 2, 0]
    """
    live = LiveSegmenter(probability, preset=preset, min_distance=min_distance)
    return live.update(threshold, min_size)


def as_probability(probability: ArrayLike) -> NDArray[Any]:
    """Return a probability map as an array that can be segmented.

    Parameters
    ----------
    probability : array_like of shape (..., Y, X), float
        The map.

    Returns
    -------
    ndarray of shape (..., Y, X), float
        The same, copied only where it must be.

    Raises
    ------
    InputError
        If it is not a float array of two or more axes, is empty or holds NaN or
        infinite values.
    """
    array = np.asarray(probability)
    if array.dtype.kind != "f":
        raise InputError(
            "`probability` must hold floating point numbers between 0 and 1, got "
            f"{array.dtype}; predict it from the image first."
        )
    if array.ndim < 2:
        raise InputError(
            "`probability` must have at least two axes (Y, X), got shape "
            f"{array.shape}."
        )
    if not array.size:
        raise InputError(
            f"`probability` is empty (shape {array.shape}); pass at least one pixel."
        )
    # Minimum and maximum tell of NaN and infinity without an array of their own.
    if not (math.isfinite(array.min()) and math.isfinite(array.max())):
        raise InputError(
            "`probability` contains NaN or infinite values; replace them first, for "
            "example with 0."
        )
    return array


def check_whole(name: str, value: Any, low: int) -> None:
    """Refuse what is not a whole number or too small.

    Parameters
    ----------
    name : str
        The parameter's name, for the message.
    value : object
        What came.
    low : int
        The smallest number allowed.

    Raises
    ------
    InputError
        If it is not a whole number of at least `low`.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InputError(f"`{name}` must be a whole number, got {value!r}.")
    check_bounds(name, int(value), low, None)
