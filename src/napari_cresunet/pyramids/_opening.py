"""Opening images larger than memory, of any kind that is known here."""

from importlib.util import find_spec
from pathlib import Path

from napari_cresunet._images import TIFF_SUFFIXES
from napari_cresunet.errors import InputError
from napari_cresunet.pyramids._axes import ChannelError
from napari_cresunet.pyramids._documents import is_zarr, read_document
from napari_cresunet.pyramids._pyramid import Pyramid

_SUFFIXES = (*TIFF_SUFFIXES, ".ndpi", ".svs")


def is_pyramid(path: str | Path) -> bool:
    """Whether an image is better read part by part.

    Parameters
    ----------
    path : str or Path
        A file or folder; it need not exist.

    Returns
    -------
    bool
        True for a folder of zarr, whatever it holds, and for TIFF with levels or of
        256 MiB and more. Without zarr, TIFF is read whole: False.
    """
    from napari_cresunet.pyramids._tiff import is_large_tiff

    path = Path(path)
    if path.is_dir():
        return is_zarr(path)
    is_tiff = path.suffix.lower() in _SUFFIXES and path.is_file()
    return is_tiff and find_spec("zarr") is not None and is_large_tiff(path)


def open_pyramid(path: str | Path, *, channel: int | str | None = None) -> Pyramid:
    """Open an image to read it part by part.

    Parameters
    ----------
    path : str or Path
        Folder of OME-Zarr 0.4 or 0.5, or TIFF.
    channel : int or str, optional
        Which channel, by number from 0 or by name; needed if there are several that
        are not colors.

    Returns
    -------
    Pyramid
        Nothing but metadata is read so far.

    Raises
    ------
    InputError
        If it is missing, damaged or no image, or has several channels of which none is
        chosen, or zarr is not installed.
    """
    from napari_cresunet.pyramids._ome import open_ome
    from napari_cresunet.pyramids._tiff import open_tiff

    path = Path(path)
    if not path.exists():
        raise InputError(f"There is no file or folder {path}.")
    if not path.is_dir() and path.suffix.lower() not in _SUFFIXES:
        raise InputError(
            f"{path} can not be read part by part: use OME-Zarr or tiled TIFF."
        )
    check_zarr(path)
    return open_ome(path, channel) if path.is_dir() else open_tiff(path, channel)


def open_channels(path: str | Path) -> tuple[Pyramid, ...]:
    """Open all channels of an image, each to be read part by part.

    Parameters
    ----------
    path : str or Path
        As for `open_pyramid`, which says what can be wrong.

    Returns
    -------
    tuple of Pyramid
        One for each; just one if there is one, or if the channels are colors.
    """
    try:
        return (open_pyramid(path),)
    except ChannelError as error:
        numbers = range(len(error.channels))
        return tuple(open_pyramid(path, channel=number) for number in numbers)


def labels_inside(path: str | Path) -> list[Path]:
    """Return the folders of the label images that an OME-Zarr image has in it.

    Parameters
    ----------
    path : str or Path
        The folder of the image.

    Returns
    -------
    list of Path
        Each can be given to `open_pyramid`; none for a TIFF.
    """
    folder = Path(path) / "labels"
    if not (folder.is_dir() and is_zarr(folder)):
        return []
    try:
        names = read_document(folder).ome.get("labels")
    except InputError:
        return []
    listed = names if isinstance(names, list) else []
    return [folder / str(name) for name in listed if (folder / str(name)).is_dir()]


def check_zarr(path: Path) -> None:
    """Say how to install zarr if it is not there.

    Parameters
    ----------
    path : Path
        What is to be read or written.

    Raises
    ------
    InputError
        If it is not installed.
    """
    if find_spec("zarr") is None:
        raise InputError(
            f"{path} needs zarr: install it by `pip install 'napari-cresunet[large]'`."
        )
