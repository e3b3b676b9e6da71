"""What the metadata files of a zarr group say."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cresunet.errors import InputError

MARKS = ("zarr.json", ".zattrs", ".zgroup", ".zarray", ".zmetadata")
"""A folder is one of zarr if one of these is in it."""
OURS = "napari-cresunet"
"""Under this name of an attribute stands what only this program reads."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """The metadata of a group."""

    ome: dict[str, Any]
    """What OME-Zarr says: multiscales, omero and others."""
    attributes: dict[str, Any]
    """All attributes, also of other programs."""
    zarr_format: int
    """2 or 3."""


def is_zarr(path: Path) -> bool:
    """Whether a path is a folder of zarr."""
    return any((path / name).is_file() for name in MARKS)


def read_document(path: Path) -> Document:
    """Read the metadata of a group.

    Parameters
    ----------
    path : Path
        The folder.

    Returns
    -------
    Document
        Of Zarr 3 if there are both.

    Raises
    ------
    InputError
        If it is no folder of zarr, an array, damaged, or may not be read.
    """
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    try:
        if not is_zarr(path):
            raise InputError(
                f"{path} is no folder of OME-Zarr: name the one that zarr.json or "
                ".zattrs is in."
            )
        newer = path / "zarr.json"
        if newer.is_file():
            whole = _read_json(newer)
            is_array = whole.get("node_type") == "array"
            attributes = whole.get("attributes", {})
        else:
            is_array = (path / ".zarray").is_file()
            older = path / ".zattrs"
            attributes = _read_json(older) if older.is_file() else {}
    except PermissionError as error:
        raise InputError(
            f"{path} may not be read: ask for permission or copy it elsewhere."
        ) from error
    if is_array:
        raise InputError(
            f"{path} is an array without the metadata of OME-Zarr: name the folder "
            "around it, or convert it."
        )
    if not isinstance(attributes, dict):
        raise InputError(_damaged(path, "attributes"))
    ome = attributes.get("ome", attributes)
    return Document(
        ome=ome if isinstance(ome, dict) else {},
        attributes=attributes,
        zarr_format=3 if newer.is_file() else 2,
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:  # neither text nor JSON
        raise InputError(_damaged(path.parent, path.name)) from error
    if not isinstance(value, dict):
        raise InputError(_damaged(path.parent, path.name))
    return value


def _damaged(path: Path, part: str) -> str:
    return f"{path} is damaged in {part}: copy or export it again."


def first_multiscales(document: Document, path: Path) -> dict[str, Any]:
    """Return what is said of the image of a group.

    Parameters
    ----------
    document : Document
        As read from `path`.
    path : Path
        The folder, for messages.

    Returns
    -------
    dict
        The first of "multiscales"; a list of datasets, each with a path, is in it.

    Raises
    ------
    InputError
        If there is none.
    """
    ome = document.ome
    multiscales = ome.get("multiscales")
    if multiscales is None:
        raise InputError(_why_none(document, path))
    try:
        first: dict[str, Any] = multiscales[0]
        paths = [str(dataset["path"]) for dataset in first["datasets"]]
    except (LookupError, TypeError) as error:
        raise InputError(_damaged(path, "its multiscales")) from error
    if not paths:
        raise InputError(_damaged(path, "its multiscales"))
    return first


def _why_none(document: Document, path: Path) -> str:
    """Say what a group is that is no image, and where one may be."""
    ome = document.ome
    if OURS in document.attributes:
        return f"{path} is not finished: run again what wrote it, to go on."
    labels = ome.get("labels")
    if "plate" in ome:
        what, inside = "is a plate of many images", _first(ome["plate"], "wells") + "/0"
    elif "well" in ome:
        what, inside = "is a well of one or more images", _first(ome["well"], "images")
    elif "bioformats2raw.layout" in ome:
        what, inside = "holds several images", "0"
    elif isinstance(labels, list) and labels:
        what, inside = "is a list of label images", str(labels[0])
    else:
        return f"{path} is a group of zarr without multiscales, so no OME-Zarr image."
    return f"{path} {what}: name one, such as {path / inside}."


def _first(group: Any, items: str) -> str:
    """Return the path of the first of the parts of a plate or well."""
    try:
        return str(group[items][0]["path"])
    except (LookupError, TypeError):
        return "A/1" if items == "wells" else "0"
