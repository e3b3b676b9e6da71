"""Which formats of annotations there are, and reading a file in any of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cresunet._typing import Labels
from napari_cresunet.annotations._annotated import AnnotatedImage, Annotations
from napari_cresunet.annotations._coco import is_coco, read_coco
from napari_cresunet.annotations._shapes import Shape
from napari_cresunet.annotations._via import is_via, read_via
from napari_cresunet.annotations._voc import is_voc, read_voc
from napari_cresunet.errors import InputError


def _parse_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _damaged(path, "JSON", f"{place}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise _damaged(path, "JSON", f"byte {error.start} is no UTF-8") from error
    except (RecursionError, ValueError) as error:  # an endless nest, an endless number
        raise _damaged(path, "JSON", "nested too deep or too long") from error


def _parse_xml(path: Path) -> Any:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(path.read_bytes())
    except ParseError as error:
        line, column = error.position
        raise _damaged(path, "XML", f"line {line}, column {column + 1}") from error
    except DefusedXmlException as error:
        raise InputError(
            f"{path} declares entities, which can do harm and are not read: "
            "export the annotations again."
        ) from error
    except (LookupError, ValueError) as error:  # an unknown encoding
        raise _damaged(path, "XML", "unknown encoding") from error


_PARSERS: dict[str, Callable[[Path], Any]] = {".json": _parse_json, ".xml": _parse_xml}

ANNOTATION_SUFFIXES = tuple(_PARSERS)
"""How the names of annotation files end."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of annotations."""

    name: str
    suffix: str
    recognizes: Callable[[Any], bool]
    """Tells from the parsed file whether it is in this format."""
    read: Callable[[Path, Any], list[AnnotatedImage]]


FORMATS = (
    Format("Pascal VOC", ".xml", is_voc, read_voc),
    Format("COCO", ".json", is_coco, read_coco),
    Format("VIA", ".json", is_via, read_via),
)


def load_annotations(path: str | Path) -> Annotations:
    """Read an annotation file once, to draw many of its images.

    Parameters
    ----------
    path : str or Path
        Pascal VOC (`.xml`), COCO or VIA (`.json`); the content tells which.

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
    suffix = path.suffix.lower()
    formats = [one for one in FORMATS if one.suffix == suffix]
    if formats:
        content = _parse(path, _PARSERS[suffix])
        for one in formats:
            if one.recognizes(content):
                return Annotations(path, tuple(one.read(path, content)))
    known = ", ".join(f"{one.name} ({one.suffix})" for one in FORMATS)
    raise InputError(
        f"{path} is in no format of annotations that is known here: use {known}."
    )


def read_annotations(
    path: str | Path, *, shape: Shape | None = None, image_name: str | None = None
) -> Labels:
    """Read the cells of one image from an annotation file.

    Parameters
    ----------
    path : str or Path
        Pascal VOC (`.xml`), COCO or VIA (`.json`); the content tells which.
    shape : tuple of int, optional
        Height and width of the image in px. Needed for VIA, which does not say them.
    image_name : str, optional
        File name of the image. Needed where the file describes several.

    Returns
    -------
    ndarray of int32, shape (Y, X)
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


def _parse(path: Path, parser: Callable[[Path], Any]) -> Any:
    try:
        return parser(path)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.") from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): name a file that can."
        ) from error


def _damaged(path: Path, kind: str, reason: str) -> InputError:
    return InputError(
        f"{path} is damaged or no {kind} ({reason}): export the annotations again."
    )
