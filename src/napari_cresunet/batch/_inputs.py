"""Which images are meant, and what their results are called."""

import glob
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from napari_cresunet.errors import InputError

IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp")
ZARR_SUFFIX = ".zarr"
LIST_SUFFIX = ".csv"
RESULT_ENDINGS = (
    *("_labels.tif", "_probability.tif"),
    *("_labels.ome.zarr", "_probability.ome.zarr"),
)
OVERLAY_ENDING = "_overlay.png"


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
        If two lists say different things of an image.

    Notes
    -----
    A folder without an image, a pattern that fits no file, and a list that cannot be
    read are an `InputError`, too.
    """
    from napari_cresunet.batch._lists import read_list

    images: dict[Path, ListedImage] = {}
    for argument in arguments:
        is_list = argument.lower().endswith(LIST_SUFFIX)
        found = (
            read_list(Path(argument))
            if is_list
            else [ListedImage(path=path) for path in _expand(argument)]
        )
        for image in found:
            known = images.setdefault(image.path.resolve(), image)
            if is_list and _settings(known) != _settings(image):
                raise InputError(
                    f"{argument}: {image.path} is listed twice with different "
                    "settings; leave it once."
                )
    return list(images.values())


def _settings(image: ListedImage) -> tuple[float | None, float | None, str]:
    return image.diameter, image.threshold, image.group


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
        in the same folder are left out. Files that do not exist are returned too. A
        folder whose name ends in ".zarr" is an image.

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
    if path.is_dir() and not _is_zarr(path):
        found = _images_of(sorted(path.iterdir()))
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
        found = _images_of([Path(name) for name in names])
        if not found:
            raise InputError(f"No image fits the pattern {argument}.")
        return found
    return [path]


def _images_of(paths: Sequence[Path]) -> list[Path]:
    """Return those that are images, and not the results of an earlier count."""
    results = {
        str(path).lower().removesuffix(ending)
        for path in paths
        for ending in RESULT_ENDINGS
        if path.name.lower().endswith(ending)
    }
    # Others, too, may call a picture overlay; ours stands beside labels.
    return [
        path
        for path in paths
        if _is_image(path)
        and str(path).lower().removesuffix(OVERLAY_ENDING) not in results
    ]


def _is_image(path: Path) -> bool:
    name = path.name.lower()
    is_kind = _is_zarr(path) or (name.endswith(IMAGE_SUFFIXES) and path.is_file())
    return is_kind and not name.startswith(".") and not name.endswith(RESULT_ENDINGS)


def _is_zarr(path: Path) -> bool:
    return path.name.lower().endswith(ZARR_SUFFIX) and path.is_dir()


def result_names(
    paths: Sequence[Path], known: Mapping[Path, str] | None = None
) -> list[str]:
    """Choose a name for the results of each image, different for each.

    Parameters
    ----------
    paths : sequence of Path
        The images.
    known : mapping of Path to str, optional
        Resolved paths of images that have a name already, from earlier runs, and keep
        it. If one of them is gone, an image of the same name in a folder of the same
        name takes its place, as where all images were moved.

    Returns
    -------
    list of str
        The file's name without its ending; where images share it, the folder's name is
        put in front of it, then the ending behind it, then a number.

    Examples
    --------
    >>> result_names([Path("a/x.tif"), Path("b/x.tif"), Path("b/y.ome.tif")])
    ['a_x', 'b_x', 'y']
    >>> known = {Path("a/x.tif").resolve(): "x"}
    >>> result_names([Path("a/x.tif"), Path("b/x.tif")], known)
    ['x', 'b_x']
    """
    kept = _kept_names(paths, known or {})
    others = [path for path, name in zip(paths, kept, strict=True) if name is None]
    # Some file systems do not tell upper from lower case.
    taken = {name.casefold() for name in (known or {}).values()}
    uses = Counter(_stem(path).casefold() for path in others)
    single = {stem for stem, n in uses.items() if n == 1} - taken
    taken |= single
    names = []
    for path, name in zip(paths, kept, strict=True):
        if name is None:
            name = _stem(path)
            if name.casefold() not in single:
                name = next(n for n in _longer(path) if n.casefold() not in taken)
                taken.add(name.casefold())
        names.append(name)
    return names


def _kept_names(paths: Sequence[Path], known: Mapping[Path, str]) -> list[str | None]:
    """Return the name that each image has already, or None."""
    resolved = [path.resolve() for path in paths]
    here = set(resolved)
    gone: dict[tuple[str, ...], list[str]] = {}
    for path, name in known.items():
        if path not in here and not path.exists():
            gone.setdefault(path.parts[-2:], []).append(name)
    wanted = Counter(path.parts[-2:] for path in resolved if path not in known)
    names: list[str | None] = []
    for path in resolved:
        heirs = gone.get(path.parts[-2:], [])
        is_clear = len(heirs) == 1 and wanted[path.parts[-2:]] == 1
        names.append(known.get(path) or (heirs[0] if is_clear else None))
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
