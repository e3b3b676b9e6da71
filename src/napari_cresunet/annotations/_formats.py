"""Which formats of annotations there are, and reading a file in any of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cresunet._typing import Labels
from napari_cresunet.annotations._annotated import AnnotatedImage, Annotations
from napari_cresunet.annotations._cell_counter import (
    is_cell_counter,
    read_cell_counter,
)
from napari_cresunet.annotations._coco import is_coco, read_coco
from napari_cresunet.annotations._geojson import is_geojson, read_geojson
from napari_cresunet.annotations._imagej import is_imagej, read_imagej
from napari_cresunet.annotations._parsing import (
    parse_json,
    parse_roi,
    parse_rois,
    parse_table,
    parse_xml,
    peek_roi,
    peek_rois,
    peek_table,
)
from napari_cresunet.annotations._points_csv import is_points_csv, read_points_csv
from napari_cresunet.annotations._via import is_via, read_via
from napari_cresunet.annotations._via_csv import is_via_csv, read_via_csv
from napari_cresunet.annotations._voc import is_voc, read_voc
from napari_cresunet.errors import InputError

_PARSERS: dict[str, Callable[[Path], Any]] = {
    ".csv": parse_table,
    ".geojson": parse_json,
    ".json": parse_json,
    ".roi": parse_roi,
    ".xml": parse_xml,
    ".zip": parse_rois,
}
_PEEKS = _PARSERS | {".csv": peek_table, ".roi": peek_roi, ".zip": peek_rois}
"""Read no more than what tells the format, where there is such a part."""

ANNOTATION_SUFFIXES = tuple(_PARSERS)
"""How the names of annotation files end."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of annotations."""

    name: str
    suffixes: tuple[str, ...]
    recognizes: Callable[[Any], bool]
    """Tells from what was parsed, or from its beginning, whether it is this format."""
    read: Callable[[Path, Any], list[AnnotatedImage]]


FORMATS = (
    Format("Pascal VOC", (".xml",), is_voc, read_voc),
    Format("COCO", (".json",), is_coco, read_coco),
    Format("VIA", (".json",), is_via, read_via),
    Format("VIA", (".csv",), is_via_csv, read_via_csv),
    Format("ImageJ ROI", (".roi", ".zip"), is_imagej, read_imagej),
    Format("QuPath GeoJSON", (".geojson", ".json"), is_geojson, read_geojson),
    Format("Cell Counter", (".xml",), is_cell_counter, read_cell_counter),
    Format("columns of points", (".csv",), is_points_csv, read_points_csv),
)


def load_annotations(path: str | Path) -> Annotations:
    """Read an annotation file once, to draw many of its images.

    Parameters
    ----------
    path : str or Path
        Pascal VOC or Cell Counter (`.xml`), COCO (`.json`), VIA (`.json`, `.csv`),
        QuPath (`.geojson`, `.json`), ImageJ (`.roi`, `.zip`) or columns of points
        (`.csv`); the content tells which.

    Returns
    -------
    Annotations
        The images that it describes; nothing is drawn yet.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another kind, or a field is missing.
    """
    path = Path(path)
    formats = _formats_of(path)
    if formats:
        content = _parse(path, _PARSERS)
        for one in formats:
            if one.recognizes(content):
                return Annotations(path, tuple(one.read(path, content)))
    known = ", ".join(f"{one.name} ({', '.join(one.suffixes)})" for one in FORMATS)
    raise InputError(
        f"{path} is in no format of annotations that is known here: use {known}."
    )


def is_annotation_file(path: str | Path) -> bool:
    """Tell whether a file looks like annotations, from its beginning if possible.

    Parameters
    ----------
    path : str or Path
        Any file.

    Returns
    -------
    bool
        False for a damaged or missing one too. Tables and archives may be large, and
        most hold other things: of them only the header and the list of entries is read.
    """
    path = Path(path)
    formats = _formats_of(path)
    try:
        return bool(formats) and _recognized(formats, _parse(path, _PEEKS))
    except InputError:
        return False


def read_annotations(
    path: str | Path,
    *,
    shape: tuple[int, ...] | None = None,
    image_name: str | None = None,
) -> Labels:
    """Read the cells of one image from an annotation file.

    Parameters
    ----------
    path : str or Path
        In any format that `load_annotations` reads.
    shape : tuple of int, optional
        Shape of the image in px, (Y, X), or (..., Y, X) for a stack; see
        `Annotations.labels`. Only Pascal VOC and COCO say it.
    image_name : str, optional
        File name of the image. Needed where the file describes several.

    Returns
    -------
    ndarray of int32, shape (..., Y, X)
        0 is background, 1..N are the cells in the order of the file; where two overlap,
        the first keeps the pixels. What lies outside of the image is cut off.

    Raises
    ------
    InputError
        If the file cannot be read, a field is missing, the image is not in it, or the
        size is unknown or another.

    See Also
    --------
    load_annotations : For many images of one file.
    """
    return load_annotations(path).labels(image_name, shape=shape)


def _formats_of(path: Path) -> list[Format]:
    return [one for one in FORMATS if path.suffix.lower() in one.suffixes]


def _recognized(formats: list[Format], content: Any) -> bool:
    return any(one.recognizes(content) for one in formats)


def _parse(path: Path, parsers: dict[str, Callable[[Path], Any]]) -> Any:
    try:
        return parsers[path.suffix.lower()](path)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.") from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): name a file that can."
        ) from error
