"""Opening TIFF to read it part by part: tiles, strips, levels in SubIFDs."""

import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet._images import (
    DAMAGE,
    MAPPED_BYTES,
    SIGNS_OF_TRUNCATION,
    check_complete,
    complaints_of_tifffile,
    read_pixel_size,
)
from napari_cresunet.errors import InputError
from napari_cresunet.pyramids._axes import CHANNEL, Axes, choose
from napari_cresunet.pyramids._level import Level
from napari_cresunet.pyramids._ome import check_levels
from napari_cresunet.pyramids._pyramid import Pyramid, name_of

_LARGE_STRIP = 64 * 1024**2
"""From this size on a strip that is decoded whole is worth a remark."""


class _Mapped:
    """Pixels that lie in a file as they lie in memory; read in blocks of any shape."""

    def __init__(self, series: Any, path: Path, byte_order: str) -> None:
        self.shape = tuple(series.shape)
        self.dtype = np.dtype(series.dtype).newbyteorder(byte_order)
        self._path = path
        self._offset = int(series.dataoffset)
        rows, columns = series.axes.index("Y"), series.axes.index("X")
        self.chunks = tuple(
            min(n, 1024) if axis in (rows, columns) else (n if name == "S" else 1)
            for axis, (n, name) in enumerate(zip(self.shape, series.axes, strict=True))
        )

    def __getitem__(self, where: Any) -> NDArray[Any]:
        # Mapped anew each time: what was read before does not stay in memory.
        mapped = np.memmap(
            self._path, self.dtype, "r", offset=self._offset, shape=self.shape
        )
        return np.array(mapped[where])


def is_large_tiff(path: Path) -> bool:
    """Whether a file is a TIFF with levels, or of 256 MiB and more."""
    import tifffile

    try:
        if path.stat().st_size >= MAPPED_BYTES:
            return True
        with complaints_of_tifffile(), tifffile.TiffFile(path) as tif:
            series = tif.series[0]
            return len(series.levels) > 1 or series.nbytes >= MAPPED_BYTES
    except (*DAMAGE, tifffile.TiffFileError):
        return False


def open_tiff(path: Path, channel: int | str | None) -> Pyramid:
    """Open a TIFF file; see `open_pyramid`."""
    import tifffile

    try:
        with complaints_of_tifffile() as complaints:
            tif = tifffile.TiffFile(path)
            try:
                series = tif.series[0]
                check_complete(series, path.stat().st_size)
                axes = _axes(tif, series)
                sources = [_source(tif, one, path) for one in series.levels]
            except BaseException:
                tif.close()
                raise
        if any(sign in text for text in complaints for sign in SIGNS_OF_TRUNCATION):
            raise ValueError("the file ends before its last page")
    except PermissionError as error:
        raise InputError(
            f"{path} may not be read: ask for permission or copy it elsewhere."
        ) from error
    except (*DAMAGE, tifffile.TiffFileError) as error:
        raise InputError(
            f"{path} is damaged or no image: copy or export it again."
        ) from error
    # What reads the levels holds on to `tif`; the file is closed with the last of them.
    weakref.finalize(tif, tif.filehandle.close)
    return _pyramid(path, channel, axes, sources, series)


def _pyramid(
    path: Path,
    channel: int | str | None,
    axes: Axes,
    sources: Sequence[Any],
    series: Any,
) -> Pyramid:
    chosen = choose(axes, channel, path)
    check_levels(sources, chosen.arrangement, path)
    rows, columns = axes.names.index("y"), axes.names.index("x")
    full = sources[0].shape
    return Pyramid(
        name=name_of(path),
        path=path,
        levels=tuple(
            Level(
                source,
                chosen.arrangement,
                path=path,
                reopen=(open_tiff_level, (path, channel, number)),
            )
            for number, source in enumerate(sources)
        ),
        is_rgb=chosen.arrangement.is_rgb,
        leading=chosen.leading,
        pixel_size=read_pixel_size(path),
        factors=tuple(
            (full[rows] / source.shape[rows], full[columns] / source.shape[columns])
            for source in sources
        ),
        channels=chosen.channels,
        channel=chosen.channel,
        remark=_remark(series, path),
    )


def open_tiff_level(path: Path, channel: int | str | None, number: int) -> Level:
    """Open one level, in another process."""
    return open_tiff(path, channel).levels[number]


def _source(tif: Any, series: Any, path: Path) -> Any:
    """Return what reads one level: mapped if it lies in the file as it is."""
    import zarr

    if series.dataoffset is not None and not series.keyframe.is_tiled:
        return _Mapped(series, path, tif.byteorder)
    return zarr.open_array(series.aszarr(level=0), mode="r")


def _axes(tif: Any, series: Any) -> Axes:
    """Return what the file says of its axes."""
    shape = tuple(int(length) for length in series.shape)
    letters = series.axes
    is_rgb = False
    if "S" in letters:
        n_samples = shape[letters.index("S")]
        is_rgb = n_samples in (3, 4)
        # Of channels and colors at once, the colors are planes of each channel.
        letters = letters.replace("C", "Q").replace("S", "C")
    channels = _channel_names(tif) if not is_rgb else ()
    n_channels = shape[letters.index("C")] if "C" in letters else 1
    return Axes(
        names=tuple(CHANNEL if each == "C" else each.lower() for each in letters),
        shape=shape,
        channels=channels if len(channels) == n_channels else (),
        is_rgb=is_rgb,
    )


def _channel_names(tif: Any) -> tuple[str, ...]:
    """Return what OME calls the channels of the first series."""
    from defusedxml.ElementTree import fromstring

    if not tif.ome_metadata:
        return ()
    found = fromstring(tif.ome_metadata).findall("./{*}Image[1]/{*}Pixels/{*}Channel")
    return tuple(each.get("Name") or str(i) for i, each in enumerate(found))


def _remark(series: Any, path: Path) -> str:
    """Say what it costs if whole strips must be decoded for any part of them."""
    page = series.keyframe
    strip = int(np.prod(page.chunks)) * np.dtype(series.dtype).itemsize
    if page.is_tiled or series.dataoffset is not None or strip < _LARGE_STRIP:
        return ""
    return (
        f"{path.name} is compressed in strips of {page.chunks[0]} rows, each of which "
        "is read whole for any part of it: tiles or OME-Zarr would be faster."
    )
