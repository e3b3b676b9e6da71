"""What follows a result at leisure: the table of cells, the curve, calibration."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.errors import InputError
from napari_cresunet.state._choices import Settings
from napari_cresunet.state._run import Progress, Result, as_progress

CURVE_THRESHOLDS: NDArray[np.float64] = np.round(np.arange(0.02, 0.99, 0.02), 2)
"""Where the count is looked up for the curve."""

_FINE_THRESHOLDS: NDArray[np.float64] = np.round(np.arange(0.01, 1, 0.01), 2)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Curve:
    """Count against threshold, all else as in `settings`."""

    thresholds: NDArray[np.float64]
    counts: NDArray[np.int_]
    plateau: tuple[float, float]
    """The widest range of thresholds in which the count hardly changes."""
    settings: Settings

    @property
    def stable_threshold(self) -> float:
        """The middle of the plateau."""
        return round(sum(self.plateau) / 2, 2)

    @property
    def plateau_counts(self) -> tuple[int, int]:
        """Least and largest count on the plateau."""
        low, high = self.plateau
        on_it = self.counts[
            (self.thresholds >= low - 1e-9) & (self.thresholds <= high + 1e-9)
        ]
        return int(on_it.min()), int(on_it.max())

    def fits(self, settings: Settings) -> bool:
        """Tell whether the curve holds for these settings.

        Parameters
        ----------
        settings : Settings
            Their threshold does not matter.

        Returns
        -------
        bool
            False if it must be made anew.
        """
        return _but_threshold(self.settings) == _but_threshold(settings)


def _but_threshold(settings: Settings) -> tuple[Any, ...]:
    return settings.min_size, settings.preset, settings.min_distance


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Analysis:
    """What was found out about one state of a result."""

    features: Mapping[str, NDArray[Any]]
    """Columns of the cells' table; "index" is the label, and the first row 0."""
    curve: Curve


def iter_analysis(
    result: Result,
) -> Generator[Progress, None, Analysis]:
    """Make the table of cells and, where it is out of date, the curve.

    Parameters
    ----------
    result : Result
        As it is now; later changes to it are not noticed.

    Yields
    ------
    Progress
        Between two thresholds of the curve, where it may be closed.

    Returns
    -------
    Analysis
        Table and curve.
    """
    settings, known = result.settings, result.curve
    pixel_um = result.request.source.pixel_um
    labels, probability = result.labels, result.probability
    yield Progress(text="Measuring cells…")
    features = _features(labels, probability, pixel_um)
    if known is None or not known.fits(settings):
        known = yield from _iter_curve(probability, settings)
    return Analysis(features=features, curve=known)


def _features(
    labels: NDArray[np.int32],
    probability: NDArray[np.float32],
    pixel_um: tuple[float, float] | None,
) -> dict[str, NDArray[Any]]:
    """Return the table as napari's feature table wants it: labels in "index"."""
    from napari_cresunet.segmentation import cell_features

    cells = cell_features(labels, probability)
    # Between cells that a person has pinned, numbers may be free.
    is_there = cells["area"] > 0
    cells = {name: column[is_there] for name, column in cells.items()}
    table: dict[str, NDArray[Any]] = {"index": np.append(0, cells["label"])}
    table["area_px"] = np.append(np.nan, cells["area"])
    if pixel_um is not None:
        table["area_um2"] = table["area_px"] * pixel_um[0] * pixel_um[1]
    for column in ("mean_probability", "plane", "centroid_y", "centroid_x"):
        if column in cells:
            table[column] = np.append(np.nan, cells[column])
    return table


def _iter_curve(
    probability: NDArray[np.float32], settings: Settings
) -> Generator[Progress, None, Curve]:
    from napari_cresunet.segmentation import plateau

    counts = yield from _iter_counts(probability, CURVE_THRESHOLDS, settings)
    return Curve(
        thresholds=CURVE_THRESHOLDS,
        counts=counts,
        plateau=plateau(CURVE_THRESHOLDS, counts),
        settings=settings,
    )


def _iter_counts(
    probability: NDArray[np.float32],
    thresholds: NDArray[np.float64],
    settings: Settings,
    region: NDArray[np.bool_] | None = None,
) -> Generator[Progress, None, NDArray[np.int_]]:
    from napari_cresunet.segmentation import iter_count_curve

    steps = iter_count_curve(
        probability,
        thresholds,
        min_size=settings.min_size,
        preset=settings.preset,
        min_distance=settings.min_distance,
        region=region,
    )
    return (yield from as_progress(steps, "Counting…"))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Area:
    """Where the user counted by hand."""

    title: str
    """Such as "the whole image"."""
    polygons: tuple[NDArray[np.float64], ...] | None = None
    """Corners (row, column) in px of the image, each (N, 2); None for all of it."""
    plane: int | None = None
    """Number of the plane; None for all planes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """The threshold that comes closest to a count by hand."""

    threshold: float
    count: int
    wanted: int
    title: str

    @property
    def sentence(self) -> str:
        """What to tell the user."""
        found = "1 cell is" if self.count == 1 else f"{self.count} cells are"
        return (
            f"At threshold {self.threshold:.2f}, {found} found in {self.title}; "
            f"you counted {self.wanted}."
        )


def iter_calibration(
    result: Result, wanted: int, area: Area
) -> Generator[Progress, None, Calibration]:
    """Find the threshold at which an area has a given count.

    Parameters
    ----------
    result : Result
        Whose probability is looked at, with its settings.
    wanted : int
        The count by hand.
    area : Area
        Where.

    Yields
    ------
    Progress
        Between two thresholds, where it may be closed.

    Returns
    -------
    Calibration
        The threshold and the count there.

    Notes
    -----
    An area that has nothing in common with what was predicted is an `InputError`.
    """
    from napari_cresunet.segmentation import threshold_for_count

    probability = result.probability
    if area.plane is not None:
        probability = probability.reshape(-1, *probability.shape[-2:])[area.plane]
    region = None if area.polygons is None else _rasterize(area, result)
    yield Progress(text="Counting…")
    counts = yield from _iter_counts(
        probability, _FINE_THRESHOLDS, result.settings, region
    )
    threshold = round(threshold_for_count(_FINE_THRESHOLDS, counts, wanted), 2)
    there = yield from _iter_counts(
        probability, np.array([threshold]), result.settings, region
    )
    return Calibration(
        threshold=threshold, count=int(there[0]), wanted=wanted, title=area.title
    )


def _rasterize(area: Area, result: Result) -> NDArray[np.bool_]:
    """Return the pixels of the result that lie in the area."""
    from skimage.draw import polygon2mask

    shape = result.probability.shape[-2:]
    mask = np.zeros(shape, bool)
    for polygon in area.polygons or ():
        mask |= polygon2mask(shape, polygon - np.array(result.offset))
    if not mask.any():
        raise InputError(
            f"There is nothing predicted in {area.title}: choose an area inside of "
            "what was predicted."
        )
    return mask
