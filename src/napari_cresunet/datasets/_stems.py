"""Which truth belongs to which image: the one of the same name."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from napari_cresunet._images import read_image
from napari_cresunet._wording import list_names
from napari_cresunet.annotations import load_annotations
from napari_cresunet.datasets._pairs import Pair, checked_image
from napari_cresunet.datasets._truths import (
    IMAGE_SUFFIXES,
    TRUTH_SUFFIXES,
    TruthFile,
    files_in,
    stem_of_file,
    stem_of_image,
    without_ending,
)
from napari_cresunet.errors import InputError

Files: TypeAlias = str | Path | Iterable[str | Path]
"""A folder, or files."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which image has which truth, and what is alone."""

    pairs: tuple[tuple[Path, TruthFile], ...]
    """In the order of the images."""
    images_alone: tuple[Path, ...]
    truths_alone: tuple[TruthFile, ...]


def match_by_stem(
    images: Files, truths: Files, *, endings: Sequence[str] = ()
) -> Pairing:
    """Pair images with truths of the same name.

    Parameters
    ----------
    images : path or iterable of paths
        A folder of images, or image files.
    truths : path or iterable of paths
        A folder or files: masks, label images, or annotation files. May be the folder
        of the images where the names of truths end in _mask, _masks, _label, _labels
        or _cp_masks.
    endings : sequence of str, optional
        What is left out at the end of the images' names, such as "_labels" where they
        are predictions; of several that fit the first.

    Returns
    -------
    Pairing
        "a.tif" is paired with "a.png", "a_mask.tif", "a.xml", "a_RoiSet.zip" and the
        like, or with what a JSON or CSV file says about "a.tif". A table gives way to
        another truth.

    Raises
    ------
    InputError
        If a folder or file is missing, two have the same name, or a JSON or CSV file is
        damaged. In a folder, tables and archives that are no annotations are passed
        over.
    """
    truth_paths = _listed(truths, TRUTH_SUFFIXES)
    if _is_one_folder(images, truths):
        truth_paths = [path for path in truth_paths if _is_truth_by_name(path)]
    held_apart = {path.resolve() for path in truth_paths}
    own = [
        path
        for path in _listed(images, IMAGE_SUFFIXES)
        if path.resolve() not in held_apart
    ]
    image_paths = _unique(own, tuple(endings))
    waiting = _by_stem(truth_paths, set(image_paths))
    pairs = [(path, waiting.pop(s)) for s, path in image_paths.items() if s in waiting]
    paired = {path for path, _ in pairs}
    return Pairing(
        tuple(pairs),
        tuple(path for path in image_paths.values() if path not in paired),
        tuple(waiting.values()),
    )


def pair_folders(images: Files, truths: Files) -> Iterator[Pair]:
    """Read images with the truths of the same name, one after another.

    Parameters
    ----------
    images : path or iterable of paths
        A folder of images, or image files.
    truths : path or iterable of paths
        A folder or files: masks, label images, or annotation files; see
        `match_by_stem` for the names.

    Yields
    ------
    Pair
        Named as the image without its ending. Images without truth are left out.

    Raises
    ------
    InputError
        If no image has a truth, a file cannot be read, or a size is another.

    See Also
    --------
    match_by_stem : What has no partner.
    """
    for path, truth in matched(images, truths).pairs:
        yield read_pair(path, truth)


def matched(images: Files, truths: Files) -> Pairing:
    """Pair by name; at least one pair is needed.

    Parameters
    ----------
    images, truths : path or iterable of paths
        As for `match_by_stem`.

    Returns
    -------
    Pairing
        With at least one pair; what is alone is logged.

    Raises
    ------
    InputError
        If no image has a truth.
    """
    pairing = match_by_stem(images, truths)
    if not pairing.pairs and not pairing.images_alone:
        raise InputError(
            f"There is no image in {_in_words(images)}: images end in "
            f"{', '.join(IMAGE_SUFFIXES)}."
        )
    if not pairing.pairs:
        raise InputError(
            f"None of the {len(pairing.images_alone)} images in {_in_words(images)} "
            f"has a truth in {_in_words(truths)}: name them alike, such as a.tif and "
            "a_mask.tif."
        )
    if pairing.images_alone:
        names = [path.name for path in pairing.images_alone]
        logger.warning("Without truth and left out: %s.", list_names(names))
    if pairing.truths_alone:
        names = [truth.title for truth in pairing.truths_alone]
        logger.warning("Truth without image: %s.", list_names(names))
    return pairing


def read_pair(
    path: Path,
    truth: TruthFile,
    *,
    name: str | None = None,
    match_distance: float | None = None,
    cell_diameter: float | None = None,
) -> Pair:
    """Read an image and its truth.

    Parameters
    ----------
    path : Path
        The image.
    truth : TruthFile
        Its truth.
    name : str, optional
        What to call the pair; the name of the image without its ending by default.
    match_distance, cell_diameter : float, optional
        In px; see `Pair`.

    Returns
    -------
    Pair
        The two.

    Raises
    ------
    InputError
        If a file cannot be read, or the sizes differ.
    """
    image = checked_image(read_image(path), str(path))
    return Pair(
        name=name or stem_of_file(path),
        image=image,
        labels=truth.read((image.shape[0], image.shape[1])),
        match_distance=match_distance,
        cell_diameter=cell_diameter,
    )


def _listed(files: Files, suffixes: tuple[str, ...]) -> list[Path]:
    if isinstance(files, str | Path):
        return files_in(Path(files), suffixes)
    paths = [Path(file) for file in files]
    for path in paths:
        if not path.is_file():
            raise InputError(f"There is no file {path}.")
    return paths


def _is_one_folder(images: Files, truths: Files) -> bool:
    if not (isinstance(images, str | Path) and isinstance(truths, str | Path)):
        return False
    return Path(images).resolve() == Path(truths).resolve()


def _is_truth_by_name(path: Path) -> bool:
    is_image = path.suffix.lower() in IMAGE_SUFFIXES
    return not is_image or without_ending(stem_of_file(path)) is not None


def _unique(paths: Iterable[Path], endings: tuple[str, ...]) -> dict[str, Path]:
    """Return files by stem."""
    found: dict[str, Path] = {}
    for path in paths:
        other = found.setdefault(_shortened(stem_of_file(path), endings), path)
        if other != path:
            raise InputError(
                f"{other} and {path} have the same name: leave one of them."
            )
    return found


def _shortened(stem: str, endings: tuple[str, ...]) -> str:
    for ending in endings:
        if stem.lower().endswith(ending) and len(stem) > len(ending):
            return stem[: -len(ending)]
    return stem


def _by_stem(paths: Sequence[Path], image_stems: set[str]) -> dict[str, TruthFile]:
    """Return truths by the stem of the image that they are for."""
    found: dict[str, TruthFile] = {}
    for path in sorted(paths, key=_is_table):
        for stem, truth in _truths_of(path, image_stems):
            other = found.setdefault(stem, truth)
            if _is_table(path) and not _is_table(other.path):
                # Measurements of cells have columns of points too.
                logger.warning("%s is left out beside %s.", truth.title, other.title)
            elif other.title != truth.title:
                raise InputError(
                    f"{other.title} and {truth.title} are for the same image: leave "
                    "one of them."
                )
    return found


def _truths_of(path: Path, image_stems: set[str]) -> Iterator[tuple[str, TruthFile]]:
    """Yield what a file says, with the stem of the image it is for."""
    stem = stem_of_file(path)
    if stem not in image_stems:
        stem = stem_of_image(path)
    if path.suffix.lower() not in (".json", ".csv"):
        yield stem, TruthFile(path)
        return
    annotations = load_annotations(path)
    is_for_one = len(annotations.images) == 1
    if (is_for_one and stem in image_stems) or annotations.names == ("",):
        yield stem, TruthFile(path, None, annotations)
        return
    for name in annotations.names:
        image_stem = stem_of_file(Path(name.replace("\\", "/")))
        yield image_stem, TruthFile(path, name, annotations)


def _is_table(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _in_words(files: Files) -> str:
    return str(files) if isinstance(files, str | Path) else "the list"
