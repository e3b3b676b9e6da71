"""How folders of training data are laid out, and reading any of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from napari_cresunet._images import PICTURE_SUFFIXES, TIFF_SUFFIXES
from napari_cresunet.datasets._entries import SPLIT_OF, Entry, entries_of
from napari_cresunet.datasets._fnc import (
    has_collections,
    is_fnc_v1,
    is_fnc_v2,
    read_collections,
    read_fnc_v1,
    read_fnc_v2,
)
from napari_cresunet.datasets._pairs import Pair
from napari_cresunet.datasets._table import has_table, read_table
from napari_cresunet.datasets._truths import (
    TRUTH_SUFFIXES,
    files_in,
    stem_of_file,
    without_ending,
)
from napari_cresunet.errors import InputError

_TRUTH_FOLDERS = ("masks", "labels", "annotations")


def load_pairs(folder: str | Path, *, split: str | None = None) -> Iterator[Pair]:
    """Read the images of a folder with their truth, one after another.

    Parameters
    ----------
    folder : path
        Laid out in one of these ways, looked for in this order:

        - `images/`, `labels/` (or `masks/`) and `split.csv` with the columns `name` and
          `split`; `match_px` and `diameter_px` may say the matching distance and the
          size of a cell in px;
        - Fluorescent Neuronal Cells v1: `all_images/images` and `all_masks/masks`;
        - one collection of Fluorescent Neuronal Cells v2: `trainval` and `test`, each
          with `images` and `ground_truths/masks` (or `Pascal_VOC`, `VIA`, `COCO`); or a
          folder of such collections, whose names are put before those of the images;
        - `images/` with `masks/`, `labels/` or `annotations/`, paired by name;
        - `train/`, `val/` and `test/`, each laid out like that;
        - images and truths side by side, as a.tif and a_mask.tif.
    split : str, optional
        Only the images of this split, such as "train", "val" or "test". That of
        Fluorescent Neuronal Cells is the published one: "train" or "test".

    Yields
    ------
    Pair
        In the order of `split.csv`, or by name. Images without truth are left out.

    Raises
    ------
    InputError
        If the folder is laid out in another way, it has no such split, a file cannot be
        read, or an image and its truth differ in size.
    """
    folder = Path(folder)
    entries = _entries(folder)
    if split is not None:
        chosen = [e for e in entries if _usual(e.split) == _usual(split)]
        if not chosen:
            raise InputError(_no_split(folder, split, entries))
        entries = chosen
    for entry in entries:
        yield entry.read()


def splits_in(folder: str | Path) -> tuple[str, ...]:
    """Tell which splits a folder is divided into; no image is read.

    Parameters
    ----------
    folder : path
        Laid out as `load_pairs` says.

    Returns
    -------
    tuple of str
        Such as ("train", "val", "test"), by these names whatever they are called in the
        folder; empty where it is not divided.

    Raises
    ------
    InputError
        If the folder is laid out in another way.
    """
    splits = (_usual(entry.split) for entry in _entries(Path(folder)))
    return tuple(dict.fromkeys(split for split in splits if split))


def _usual(split: str | None) -> str | None:
    return SPLIT_OF.get(split.lower(), split) if split else None


def _no_split(folder: Path, split: str, entries: list[Entry]) -> str:
    splits = dict.fromkeys(entry.split for entry in entries if entry.split)
    if not splits:
        return f"{folder} is not divided into splits: read it without {split!r}."
    return f"{folder} has no images of split {split!r}; it has {', '.join(splits)}."


def _entries(folder: Path) -> list[Entry]:
    """Find the layout of a folder and what is in it."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.")
    for fits, read in _LAYOUTS:
        if fits(folder):
            return read(folder)
    if (folder / "images").is_dir():
        raise InputError(
            f"{folder} has images but none of {', '.join(_TRUTH_FOLDERS)} beside them: "
            "add the truth."
        )
    raise InputError(
        f"{folder} is laid out in no way that is known here: put images into images/ "
        "and masks of the same names into masks/."
    )


def _truths_beside(folder: Path) -> Path | None:
    """Return the folder of truths beside images/."""
    if not (folder / "images").is_dir():
        return None
    found = [folder / name for name in _TRUTH_FOLDERS if (folder / name).is_dir()]
    if len(found) > 1:
        names = [path.name for path in found]
        raise InputError(
            f"{folder} has {' and '.join(names)}: move away what not to learn from."
        )
    return found[0] if found else None


def _is_plain(folder: Path) -> bool:
    return _truths_beside(folder) is not None


def _read_plain(folder: Path, *, split: str | None = None) -> list[Entry]:
    truths = _truths_beside(folder)
    if truths is None:
        return entries_of(folder, folder, split=split)
    return entries_of(folder / "images", truths, split=split)


def _parts(folder: Path) -> list[Path]:
    """Return subfolders for splits, in the order train, val, test."""
    order = list(SPLIT_OF)
    found = [
        part
        for part in folder.iterdir()
        if part.name.lower() in SPLIT_OF and (_is_plain(part) or _is_flat(part))
    ]
    return sorted(found, key=lambda part: order.index(part.name.lower()))


def _is_divided(folder: Path) -> bool:
    return bool(_parts(folder))


def _read_divided(folder: Path) -> list[Entry]:
    return [
        entry
        for part in _parts(folder)
        for entry in _read_plain(part, split=SPLIT_OF[part.name.lower()])
    ]


def _is_flat(folder: Path) -> bool:
    return folder.is_dir() and any(
        without_ending(stem_of_file(path)) is not None
        or path.suffix.lower() not in TIFF_SUFFIXES + PICTURE_SUFFIXES
        for path in files_in(folder, TRUTH_SUFFIXES)
    )


_LAYOUTS: tuple[tuple[Callable[[Path], bool], Callable[[Path], list[Entry]]], ...] = (
    (has_table, read_table),
    (is_fnc_v1, read_fnc_v1),
    (is_fnc_v2, read_fnc_v2),
    (has_collections, read_collections),
    (_is_plain, _read_plain),
    (_is_divided, _read_divided),
    (_is_flat, _read_plain),
)
