"""Opening images larger than memory, of any kind that is known here."""

from pathlib import Path

from napari_cresunet.pyramids._pyramid import Pyramid


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
    raise NotImplementedError


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
        chosen.
    """
    raise NotImplementedError
