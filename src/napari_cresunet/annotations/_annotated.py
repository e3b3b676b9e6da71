"""What an annotation file says, whatever its format."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._typing import Labels
from napari_cresunet._wording import list_names
from napari_cresunet.annotations._place import Place, one_plane
from napari_cresunet.annotations._planes import Plane, plane_numbers
from napari_cresunet.annotations._shapes import Cell, Dot, Shape, draw_cells
from napari_cresunet.errors import InputError

CELL_PROPERTY = "cresunet-cell"
"""What is written with this property and the same value is one cell, on several
planes."""


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """The cells of one image."""

    name: str
    """The file name of the image, as the file says it; empty where it says none."""
    shape: Shape | None
    """Height and width in px; None where the file does not say them."""
    cells: Sequence[Cell]
    cell_names: tuple[str, ...] = ()
    """Of each cell, empty where it has none; no entries where the format has no names.
    """
    planes: tuple[tuple[Plane, ...], ...] = ()
    """Of each part of each cell, where the format knows planes."""
    planes_said_by: str = ""
    """What says the planes in the file."""

    @property
    def is_points(self) -> bool:
        """Whether every cell is a single dot; false without any cell."""
        return bool(self.cells) and all(
            len(cell) == 1 and isinstance(cell[0], Dot) for cell in self.cells
        )

    @property
    def title(self) -> str:
        """How messages call it."""
        return self.name or "the image"

    @property
    def said_planes(self) -> tuple[str, ...]:
        """The planes that the file names, in its words and order."""
        words = (plane.words for planes in self.planes for plane in planes)
        return tuple(word for word in dict.fromkeys(words) if word)

    @property
    def is_of_stack(self) -> bool:
        """Whether the file names another plane than the first."""
        places = (plane for planes in self.planes for plane in planes)
        return any(one.index or one.t or one.z for one in places)


class Placed(NamedTuple):
    """A cell, or what is on one plane of a cell that goes through several."""

    cell: Cell
    name: str
    plane: Plane
    key: str | None = None
    """The same for all that belong to one cell; None for a cell of its own."""


def image_of(found: Sequence[Placed], planes_said_by: str) -> AnnotatedImage:
    """Return an image without name and size.

    Parameters
    ----------
    found : sequence of Placed
        What is in the file.
    planes_said_by : str
        What says the planes in the file.

    Returns
    -------
    AnnotatedImage
        Its cells, in the order in which they begin.
    """
    groups: dict[int | str, list[Placed]] = {}
    for number, one in enumerate(found):
        groups.setdefault(number if one.key is None else one.key, []).append(one)
    return AnnotatedImage(
        "",
        None,
        [[part for one in group for part in one.cell] for group in groups.values()],
        tuple(group[0].name for group in groups.values()),
        tuple(
            tuple(one.plane for one in group for _ in one.cell)
            for group in groups.values()
        ),
        planes_said_by,
    )


@dataclass(frozen=True, slots=True)
class Annotations:
    """Everything that one annotation file says."""

    path: Path
    images: tuple[AnnotatedImage, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """File names of the images, in the order of the file."""
        return tuple(image.name for image in self.images)

    def labels(
        self, image_name: str | None = None, *, shape: tuple[int, ...] | None = None
    ) -> Labels:
        """Draw the cells of one image.

        Parameters
        ----------
        image_name : str, optional
            Its file name, with or without folders and ending. Needed where the file
            describes several images.
        shape : tuple of int, optional
            Shape of the image without colors, (..., Y, X), in px. Needed where the file
            does not say it. With leading axes, (Z,), (T,) or (T, Z), the cells are
            drawn on the planes that ImageJ or QuPath gave them; what is on no plane
            is on all of them.

        Returns
        -------
        ndarray of int32, shape (..., Y, X)
            0 is background, 1..N are the cells in the order of the file; where two
            overlap, the first keeps the pixels.

        Raises
        ------
        InputError
            If the file does not describe this one image, the size is unknown or
            another, or there are cells on several planes but no leading axes, or on
            planes that the image does not have.
        """
        image = self.find(image_name)
        shape = self._agreed(image, shape)
        if shape is None:
            raise InputError(
                f"{self.path} does not say how large {image.title} is: give `shape`."
            )
        if len(shape) > 2:
            return draw_cells(image.cells, shape, self._planes(image, shape[:-2]))
        self._check_one_plane(image)
        return draw_cells(image.cells, shape)

    def points(
        self, image_name: str | None = None, *, shape: Shape | None = None
    ) -> NDArray[np.float64]:
        """Return where the cells of one image are that are marked by a dot each.

        Parameters
        ----------
        image_name : str, optional
            Its file name, as for `labels`.
        shape : tuple of int, optional
            Height and width of the image in px; all points must lie in it.

        Returns
        -------
        ndarray of float64, shape (N, 2)
            Row and column in px, not rounded, in the order of the file; whole numbers
            are the centers of pixels. N is 0 where the image has no cell.

        Raises
        ------
        InputError
            If the file does not describe this one image, a cell is more than a dot, the
            size is another, or a point lies more than 1 px outside of the image.

        See Also
        --------
        AnnotatedImage.is_points : Whether there are dots and nothing else.
        """
        image = self.find(image_name)
        self._check_one_plane(image)
        dots = [p for cell in image.cells for p in cell if isinstance(p, Dot)]
        if image.cells and not image.is_points:
            raise InputError(
                f"{self.path} has outlines for {image.title} and not a point for each "
                "cell: draw them with `labels`."
            )
        places = [(dot.row, dot.column) for dot in dots]
        points = np.array(places, np.float64).reshape(-1, 2)
        agreed = self._agreed(image, shape)
        if agreed is not None:
            self._check_inside(points, agreed)
        return points

    def _planes(
        self, image: AnnotatedImage, leading: tuple[int, ...]
    ) -> list[list[list[int]]]:
        """Return the numbers of planes of each part of each cell."""
        if not image.planes and image.cells:
            raise InputError(
                f"{self.path} marks cells of one plane, but the image has "
                f"{math.prod(leading)} planes: use ImageJ regions or QuPath GeoJSON."
            )
        numbers = plane_numbers(
            (plane for planes in image.planes for plane in planes), leading
        )
        for plane, found in numbers.items():
            if not found:
                raise InputError(
                    f"{self.path} has cells on a plane that {image.title} does not "
                    f"have ({image.planes_said_by}: {plane.words}): use the "
                    "annotations made for it."
                )
        return [[numbers[plane] for plane in planes] for planes in image.planes]

    def _check_one_plane(self, image: AnnotatedImage) -> None:
        one_plane(Place(self.path, image.planes_said_by), image.said_planes)

    def _agreed(
        self, image: AnnotatedImage, shape: tuple[int, ...] | None
    ) -> tuple[int, ...] | None:
        """Return the size of an image, which file and caller must not see otherwise."""
        if shape is not None and image.shape not in (None, shape):
            raise InputError(
                f"{self.path} is for an image of {_in_words(image.shape)}, but "
                f"{image.title} has {_in_words(shape)}: use the annotations made for "
                "it."
            )
        return shape or image.shape

    def _check_inside(
        self, points: NDArray[np.float64], shape: tuple[int, ...]
    ) -> None:
        # Outlines may reach out of an image. A point cannot have been set there: it is
        # in micrometers, of another image, or row and column are confused.
        is_outside = ((points < -1) | (points > shape)).any(axis=1)
        for number in np.flatnonzero(is_outside)[:1]:
            row, column = points[number]
            raise InputError(
                f"{self.path}, point {number + 1} is at row {row:g}, column "
                f"{column:g}, outside of the image of {_in_words(shape)}: save the "
                "points of this image, in px."
            )

    def find(self, image_name: str | None = None) -> AnnotatedImage:
        """Return what the file says about one image.

        Parameters
        ----------
        image_name : str, optional
            Its file name, with or without folders and ending. Needed where the file
            describes several images; any will do for a file that names none.

        Returns
        -------
        AnnotatedImage
            The image.

        Raises
        ------
        InputError
            If the file does not describe this one image.
        """
        if not self.images:
            raise InputError(
                f"{self.path} describes no image: export the annotations again."
            )
        if image_name is None:
            if len(self.images) > 1:
                raise InputError(
                    f"{self.path} describes {len(self.images)} images "
                    f"({list_names(self.names)}): say which one."
                )
            return self.images[0]
        if self.names == ("",):
            return self.images[0]
        for part in (str, base_name, stem_of):
            found = [i for i in self.images if part(i.name) == part(image_name)]
            if len(found) == 1:
                return found[0]
            if found:
                raise InputError(
                    f"{self.path} describes {image_name} {len(found)} times: "
                    "leave one of them."
                )
        raise InputError(
            f"{self.path} says nothing about {image_name}; it describes "
            f"{list_names(self.names)}."
        )


def base_name(name: str) -> str:
    """Return a file name without folders, from whatever system it came.

    Parameters
    ----------
    name : str
        A file name, such as "a/b.png".

    Returns
    -------
    str
        Such as "b.png".
    """
    return PurePosixPath(name.replace("\\", "/")).name


def stem_of(name: str) -> str:
    """Return a file name without folders and ending.

    Parameters
    ----------
    name : str
        A file name, such as "a/b.ome.tif".

    Returns
    -------
    str
        Such as "b".
    """
    stem = PurePosixPath(base_name(name)).stem
    return stem.removesuffix(".ome") or stem


def _in_words(shape: tuple[int, ...] | None) -> str:
    return f"{' x '.join(map(str, shape))} px" if shape else "unknown size"
