"""Reading image files: TIFF, PNG, JPEG and BMP."""

import logging
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.errors import InputError

TIFF_SUFFIXES = (".tif", ".tiff")
PICTURE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png")
MAPPED_BYTES = 256 * 1024**2
"""From this size on a TIFF is mapped instead of read, where its layout allows."""

SIGNS_OF_TRUNCATION = (
    "page offset",
    "value offset",
    "corrupted tag list",
    "failed to reshape",
)
"""Of what tifffile logs; it also logs oddities of files that are whole."""

_COARSEST = 20.0  # µm
"""Resolutions below 1270 dpi, such as 72 or 300, are for screens and printers."""
_EXPONENTS = {
    "yotta": 24,
    "zetta": 21,
    "exa": 18,
    "peta": 15,
    "tera": 12,
    "giga": 9,
    "mega": 6,
    "kilo": 3,
    "hecto": 2,
    "deca": 1,
    "": 0,
    "deci": -1,
    "centi": -2,
    "milli": -3,
    "micro": -6,
    "nano": -9,
    "pico": -12,
    "femto": -15,
    "atto": -18,
    "zepto": -21,
    "yocto": -24,
}
_MICROMETERS = {
    f"{prefix}meter": 10.0 ** (power + 6) if power >= -6 else 1 / 10.0 ** (-power - 6)
    for prefix, power in _EXPONENTS.items()
} | {
    "pm": 1e-6,
    "angstrom": 1e-4,
    "å": 1e-4,
    "nm": 1e-3,
    "µm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "mm": 1e3,
    "cm": 1e4,
    "dm": 1e5,
    "m": 1e6,
    "km": 1e9,
    "inch": 25_400.0,
    "in": 25_400.0,
    "foot": 304_800.0,
    "ft": 304_800.0,
    "yard": 914_400.0,
    "yd": 914_400.0,
    "mile": 1_609_344_000.0,
    "mi": 1_609_344_000.0,
    "parsec": 3.0856775814913673e22,
}
"""In one of each unit, as OME, OME-Zarr, ImageJ and TIFF write it."""
_RESOLUTION_UNITS = {2: "inch", 3: "cm"}
"""Of the TIFF tag."""

DAMAGE = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,  # Pillow's word for a broken PNG
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What readers make of files that are damaged."""


def read_image(path: str | Path) -> NDArray[Any]:
    """Read an image file.

    Parameters
    ----------
    path : str or Path
        TIFF or OME-TIFF (the first series), PNG, JPEG or BMP.

    Returns
    -------
    ndarray of shape (..., Y, X) or (..., Y, X, 3 or 4)
        In the dtype of the file; axes of length 1 before Y are left out. A large
        uncompressed TIFF is a memory map.

    Raises
    ------
    InputError
        If the file is missing, empty, damaged or of another kind.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder: name an image file in it.")
    if not path.exists():
        raise InputError(f"There is no file {path}.")
    suffix = path.suffix.lower()
    if suffix not in TIFF_SUFFIXES + PICTURE_SUFFIXES:
        raise InputError(
            f"{path} is no image that can be read here: use TIFF, PNG, JPEG or BMP."
        )
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"{path} is empty (0 bytes): copy or export it again.")
        return _read_tiff(path) if suffix in TIFF_SUFFIXES else _read_picture(path)
    except InputError:
        raise
    except PermissionError as error:
        raise InputError(
            f"{path} may not be read: ask for permission or copy it elsewhere."
        ) from error
    except DAMAGE as error:
        raise InputError(
            f"{path} is damaged or no image: copy or export it again."
        ) from error


def without_colors(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of an image without an axis of colors.

    Parameters
    ----------
    shape : tuple of int
        As of `read_image`.

    Returns
    -------
    tuple of int
        (..., Y, X).
    """
    return shape[:-1] if len(shape) > 2 and shape[-1] in (3, 4) else shape


def read_pixel_size(path: str | Path) -> tuple[float, float] | None:
    """Read how large a pixel is.

    Parameters
    ----------
    path : str or Path
        An image file of any kind; only TIFF says it.

    Returns
    -------
    tuple of float or None
        Height and width in µm, from OME's PhysicalSize, else ImageJ's unit, else the
        resolution in inch or cm. None where the file does not say it, gives the
        resolution of a screen or printer (pixels above 20 µm), or cannot be read.
    """
    import tifffile

    path = Path(path)
    if path.suffix.lower() not in TIFF_SUFFIXES:
        return None
    try:
        with complaints_of_tifffile(), tifffile.TiffFile(path) as tif:
            return _ome_pixel_size(tif) or _tagged_pixel_size(tif)
    except (*DAMAGE, tifffile.TiffFileError):
        return None


def _ome_pixel_size(tif: Any) -> tuple[float, float] | None:
    """Return what OME says of the first series."""
    from defusedxml.ElementTree import fromstring

    if not tif.ome_metadata:
        return None
    pixels = fromstring(tif.ome_metadata).find("./{*}Image/{*}Pixels")
    if pixels is None:
        return None
    sides = [
        float(pixels.get(f"PhysicalSize{axis}", "nan"))
        * micrometers(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        for axis in "YX"
    ]
    return checked_pixel_size(sides)


def _tagged_pixel_size(tif: Any) -> tuple[float, float] | None:
    """Return what the tags say, in ImageJ's unit or in that of the resolution."""
    tags = tif.pages[0].tags
    unit = str((tif.imagej_metadata or {}).get("unit", ""))
    if not unit:
        number = tags.valueof("ResolutionUnit", 2)
        unit = _RESOLUTION_UNITS.get(int(number), "")
    sides = []
    for name in ("YResolution", "XResolution"):
        pixels, units = tags.valueof(name, (0, 0))
        sides.append(micrometers(unit) * units / pixels)
    # ImageJ, too, keeps the inches of a picture.
    if unit in _RESOLUTION_UNITS.values() and max(sides) > _COARSEST:
        return None
    return checked_pixel_size(sides)


def micrometers(unit: str) -> float:
    """Return how many µm a unit is.

    Parameters
    ----------
    unit : str
        Name or sign of a unit of length.

    Returns
    -------
    float
        NaN if it is none.

    Examples
    --------
    >>> micrometers("nm"), micrometers("centimeter"), micrometers("pixel")
    (0.001, 10000.0, nan)
    """
    # ImageJ escapes what is not ASCII, and there are two characters that look like µ.
    unit = unit.strip().replace("\\u00B5", "µ").replace("\u03bc", "µ")
    return _MICROMETERS.get(unit, _MICROMETERS.get(unit.lower(), float("nan")))


def checked_pixel_size(sides: Sequence[float]) -> tuple[float, float] | None:
    """Return height and width, or None if they can be none."""
    height, width = sides
    is_size = all(0 < side < float("inf") for side in sides)
    return (height, width) if is_size else None


def _read_picture(path: Path) -> NDArray[Any]:
    """Read the first picture of a PNG, JPEG or BMP file."""
    import imageio.v3 as iio
    from PIL import Image

    try:
        pixels: NDArray[Any] = iio.imread(path, plugin="pillow", index=0)
    except OSError as error:
        if not isinstance(error.__cause__, Image.DecompressionBombError):
            raise
        raise InputError(
            f"{path} is too large for its format: save it as TIFF."
        ) from error
    is_gray_with_alpha = pixels.ndim == 3 and pixels.shape[-1] == 2
    return pixels[..., 0] if is_gray_with_alpha else pixels


def _read_tiff(path: Path) -> NDArray[Any]:
    """Read the first series of a TIFF file."""
    import tifffile

    with complaints_of_tifffile() as complaints, tifffile.TiffFile(path) as tif:
        series = tif.series[0]
        check_complete(series, path.stat().st_size)
        is_mapped = series.nbytes >= MAPPED_BYTES and series.dataoffset is not None
        pixels: NDArray[Any] = (
            tifffile.memmap(path, mode="r") if is_mapped else series.asarray()
        )
        if any(sign in text for text in complaints for sign in SIGNS_OF_TRUNCATION):
            raise ValueError("the file ends before its last page")
        return _arranged(pixels, series.axes)


def check_complete(series: Any, size: int) -> None:
    """Refuse a series whose data reach beyond the end of the file.

    Parameters
    ----------
    series : tifffile.TiffPageSeries
        What is to be read.
    size : int
        Of the file, in bytes.

    Raises
    ------
    ValueError
        If it is cut.
    """
    for page in series.pages:
        if page is None:
            raise ValueError("a page is missing")
        ends = np.add(page.dataoffsets, page.databytecounts)
        if ends.size and ends.max() > size:
            raise ValueError("the file ends before its data")


def _arranged(pixels: NDArray[Any], axes: str) -> NDArray[Any]:
    """Put color last, and leave out single planes."""
    if "S" in axes:
        pixels = np.moveaxis(pixels, axes.index("S"), -1)
        axes = axes.replace("S", "") + "S"
    n_trailing = 3 if axes.endswith("S") else 2
    single = [i for i in range(pixels.ndim - n_trailing) if pixels.shape[i] == 1]
    return pixels.squeeze(tuple(single))


@contextmanager
def complaints_of_tifffile() -> Iterator[list[str]]:
    """Collect what tifffile only logs: it returns the pages that are left.

    Yields
    ------
    list of str
        What it complained of so far; see `SIGNS_OF_TRUNCATION`.
    """
    complaints: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            complaints.append(record.getMessage())

    logger = logging.getLogger("tifffile")
    collector = Collector(logging.ERROR)
    logger.addHandler(collector)
    try:
        yield complaints
    finally:
        logger.removeHandler(collector)
