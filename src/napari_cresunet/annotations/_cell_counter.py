"""Cell Counter of ImageJ: one XML file of dots for each image."""

from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.annotations._annotated import AnnotatedImage
from napari_cresunet.annotations._place import Place, one_plane
from napari_cresunet.annotations._shapes import Cell, Dot

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def is_cell_counter(root: "Element") -> bool:
    """Tell whether an XML document is of the Cell Counter."""
    return root.tag == "CellCounter_Marker_File"


def read_cell_counter(path: Path, root: "Element") -> list[AnnotatedImage]:
    """Read the image of a Cell Counter document.

    Parameters
    ----------
    path : Path
        The file, for messages.
    root : Element
        Its `CellCounter_Marker_File` element.

    Returns
    -------
    list of AnnotatedImage
        One image, without a size. Every marker is a cell, of whatever type.

    Raises
    ------
    InputError
        If a coordinate is missing, or markers are on several planes.

    Notes
    -----
    A marker says which pixel was clicked: whole numbers are the centers of pixels.
    """
    cells: list[Cell] = []
    planes: dict[str, None] = {}
    for number, marker in enumerate(root.iter("Marker"), start=1):
        place = Place(path, f"marker {number}")
        row, column = (
            place.number(marker.findtext(name), name) for name in ("MarkerY", "MarkerX")
        )
        cells.append((Dot(row, column),))
        planes[(marker.findtext("MarkerZ") or "").strip()] = None
    one_plane(Place(path, "MarkerZ"), planes)
    name = root.findtext(".//Image_Filename") or ""
    return [AnnotatedImage(name.strip(), None, cells)]
