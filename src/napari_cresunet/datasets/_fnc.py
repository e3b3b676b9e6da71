"""The published folders of Fluorescent Neuronal Cells, versions 1 and 2."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from napari_cresunet.datasets._entries import SPLIT_OF, Entry, entries_of
from napari_cresunet.datasets._truths import TRUTH_SUFFIXES, files_in, stem_of_file
from napari_cresunet.errors import InputError

_MATCH_DISTANCE = 40.0
"""In px, Morelli et al., Sci Rep 11:22920 (2021)."""
_CELL_DIAMETER = 36.5
"""Mean equivalent diameter of the yellow cells in px (same source)."""
_TRUTH_FOLDERS = ("masks", "Pascal_VOC", "Pascal VOC", "VIA", "COCO")
"""The most exact first: of outlines COCO keeps only 50 points."""


def is_fnc_v1(folder: Path) -> bool:
    """Tell whether a folder is the unpacked version 1."""
    return (folder / "all_images" / "images").is_dir()


def read_fnc_v1(folder: Path) -> list[Entry]:
    """List the pairs of version 1 with their published split.

    Parameters
    ----------
    folder : Path
        Holds `all_images/images` and `all_masks/masks`.

    Returns
    -------
    list of Entry
        Of the splits "train" and "test".
    """
    listed = files(__package__) / "fnc_v1_test_images.txt"
    lines = listed.read_text("utf-8").splitlines()
    tested = {stem_of_file(Path(line)) for line in lines if not line.startswith("#")}
    return [
        replace(
            entry,
            split="test" if entry.name in tested else "train",
            match_distance=_MATCH_DISTANCE,
            cell_diameter=_CELL_DIAMETER,
        )
        for entry in entries_of(
            folder / "all_images" / "images", folder / "all_masks" / "masks"
        )
    ]


def is_fnc_v2(folder: Path) -> bool:
    """Tell whether a folder is one collection of version 2."""
    return any((folder / part / "ground_truths").is_dir() for part in SPLIT_OF)


def read_fnc_v2(folder: Path, *, prefix: str = "") -> list[Entry]:
    """List the pairs of one collection of version 2.

    Parameters
    ----------
    folder : Path
        Holds `trainval` and `test`, or one of them.
    prefix : str, optional
        Put before the names.

    Returns
    -------
    list of Entry
        Of the splits "train" and "test".
    """
    is_yellow = folder.resolve().name == "yellow"
    return [
        replace(
            entry,
            match_distance=_MATCH_DISTANCE,
            cell_diameter=_CELL_DIAMETER if is_yellow else None,
        )
        for part in sorted(SPLIT_OF, reverse=True)
        if (folder / part / "ground_truths").is_dir()
        for entry in entries_of(
            folder / part / "images",
            _best_truths(folder / part / "ground_truths"),
            prefix=prefix,
            split=SPLIT_OF[part],
        )
    ]


def _best_truths(folder: Path) -> Path:
    """Return the folder with the most exact truth that is there."""
    for name in _TRUTH_FOLDERS:
        if (folder / name).is_dir() and files_in(folder / name, TRUTH_SUFFIXES):
            return folder / name
    raise InputError(
        f"{folder} has no truth that can be read here: it needs one of "
        f"{', '.join(_TRUTH_FOLDERS)}."
    )


def has_collections(folder: Path) -> bool:
    """Tell whether a folder holds collections of version 2."""
    return bool(_collections(folder))


def read_collections(folder: Path) -> list[Entry]:
    """List the pairs of several collections of version 2.

    Parameters
    ----------
    folder : Path
        Holds green, red or yellow.

    Returns
    -------
    list of Entry
        Their names begin with that of the collection.
    """
    return [
        entry
        for part in _collections(folder)
        for entry in read_fnc_v2(part, prefix=f"{part.name}_")
    ]


def _collections(folder: Path) -> list[Path]:
    return sorted(part for part in folder.iterdir() if is_fnc_v2(part))
