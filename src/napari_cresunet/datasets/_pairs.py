"""Folders of images with label images of the same name."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from napari_cresunet._typing import Image, Labels
from napari_cresunet.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """An image and its ground truth."""

    name: str
    image: Image
    """(Y, X) or (Y, X, 3)."""
    labels: Labels
    """(Y, X); 0 is background, each cell has its own value."""
    match_distance: float | None = None
    """Distance in px up to which centers match, where the data set says one."""

    @property
    def diameter(self) -> float | None:
        """Mean equivalent diameter of the cells in px; None without cells."""
        areas = np.bincount(self.labels.flat)[1:]
        areas = areas[areas > 0]
        return float(2 * np.sqrt(areas.mean() / np.pi)) if areas.size else None


def load_pairs(folder: str | Path, *, split: str | None = None) -> Iterator[Pair]:
    """Read images with their label images, one after another.

    Parameters
    ----------
    folder : path
        Holds `images/NAME.png`, `labels/NAME.png` and `split.csv` with at least the
        columns `name` and `split`.
    split : str, optional
        Only the images of this split, such as "train", "val" or "test".

    Yields
    ------
    Pair
        In the order of `split.csv`.

    Raises
    ------
    InputError
        If a file is missing, or an image and its labels differ in size.
    """
    folder = Path(folder)
    table = folder / "split.csv"
    if not table.is_file():
        raise InputError(f"{table} does not exist; a folder of pairs needs this table.")
    with table.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if split is None or row["split"] == split:
            yield _read_pair(folder, row)


def _read_pair(folder: Path, row: dict[str, str]) -> Pair:
    name = row["name"]
    paths = [folder / part / f"{name}.png" for part in ("images", "labels")]
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path} does not exist though split.csv names it.")
    image, labels = (iio.imread(path) for path in paths)
    if image.shape[:2] != labels.shape:
        raise InputError(
            f"Image and labels of {name} differ in size: "
            f"{image.shape[:2]} and {labels.shape}."
        )
    distance = row.get("match_px")
    return Pair(
        name=name,
        image=image[..., :3] if image.ndim == 3 else image,
        labels=labels.astype(np.int32),
        match_distance=float(distance) if distance else None,
    )
