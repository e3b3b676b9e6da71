"""Which images are meant, and what their results are called."""

import glob
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from napari_cresunet.errors import InputError

IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp")
RESULT_ENDINGS = ("_labels.tif", "_probability.tif")


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedImage:
    """An image to be counted, and what a list says of it; None says nothing."""

    path: Path
    diameter: float | None = None
    """Of a cell in px."""
    threshold: float | None = None
    group: str = ""
    """Whatever is to stand beside it in the tables."""


def list_images(arguments: Iterable[str]) -> list[ListedImage]:
    """Turn what the user named into images; as `find_images`, and takes lists, too.

    Parameters
    ----------
    arguments : iterable of str
        Files, folders, patterns, or CSV files that list images in a column "image" or
        "path", or the only or first one, and may have columns "diameter", "threshold"
        and "group". Paths in it are relative to its folder.

    Returns
    -------
    list of ListedImage
        Each file once, in the order given.

    Raises
    ------
    InputError
        If a folder holds no image, a pattern fits no file, or a list cannot be read.
    """
    raise NotImplementedError


def find_images(arguments: Iterable[str]) -> list[Path]:
    """Turn what the user named into image files.

    Parameters
    ----------
    arguments : iterable of str
        Files, folders or patterns such as "*.tif".

    Returns
    -------
    list of Path
        Each file once, in the order given. A folder stands for the images in it, a
        pattern for the files it fits, both sorted by name; results of an earlier count
        in the same folder are left out. Files that do not exist are returned too.

    Raises
    ------
    InputError
        If a folder holds no image or a pattern fits no file.
    """
    paths: dict[Path, Path] = {}
    for argument in arguments:
        for path in _expand(argument):
            paths.setdefault(path.resolve(), path)
    return list(paths.values())


def _expand(argument: str) -> list[Path]:
    path = Path(argument)
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if _is_image(file))
        if not found:
            raise InputError(
                f"The folder {argument} holds no image; "
                f"images are files that end in {', '.join(IMAGE_SUFFIXES)}."
            )
        return found
    # Not every shell expands patterns, and none does inside quotes.
    if not path.exists() and glob.has_magic(argument):
        # Path.glob refuses absolute patterns.
        names = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207
        found = [Path(name) for name in names if _is_image(Path(name))]
        if not found:
            raise InputError(f"No image fits the pattern {argument}.")
        return found
    return [path]


def _is_image(path: Path) -> bool:
    name = path.name.lower()
    return (
        path.is_file()
        and name.endswith(IMAGE_SUFFIXES)
        and not name.startswith(".")
        and not name.endswith(RESULT_ENDINGS)
    )


def result_names(paths: Sequence[Path]) -> list[str]:
    """Choose a name for the results of each image, different for each.

    Parameters
    ----------
    paths : sequence of Path
        The images.

    Returns
    -------
    list of str
        The file's name without its ending; where images share it, the folder's name is
        put in front of it, then the ending behind it, then a number.

    Examples
    --------
    >>> result_names([Path("a/x.tif"), Path("b/x.tif"), Path("b/y.ome.tif")])
    ['a_x', 'b_x', 'y']
    """
    # Some file systems do not tell upper from lower case.
    uses = Counter(_stem(path).casefold() for path in paths)
    taken = {stem for stem, n in uses.items() if n == 1}
    names = []
    for path in paths:
        name = _stem(path)
        if uses[name.casefold()] > 1:
            name = next(one for one in _longer(path) if one.casefold() not in taken)
            taken.add(name.casefold())
        names.append(name)
    return names


def _stem(path: Path) -> str:
    return path.stem.removesuffix(".ome") or path.stem


def _longer(path: Path) -> Iterator[str]:
    base = f"{path.resolve().parent.name}_{_stem(path)}"
    yield base
    base = f"{base}_{path.suffix[1:]}"
    yield base
    for number in count(2):
        yield f"{base}_{number}"
