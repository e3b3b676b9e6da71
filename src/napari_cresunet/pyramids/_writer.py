"""Writing OME-Zarr: full resolution by whoever has a part of it, then the levels."""

import secrets
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_cresunet._files import written_whole
from napari_cresunet._writing import as_plain, json_bytes, told_why
from napari_cresunet.errors import InputError
from napari_cresunet.pyramids._documents import OURS, read_document
from napari_cresunet.pyramids._halving import blocks_of, fill_block
from napari_cresunet.pyramids._layout import (
    Kind,
    Layout,
    WriteOptions,
    checked_layout,
)
from napari_cresunet.pyramids._metadata import (
    finished_attributes,
    unfinished_attributes,
)
from napari_cresunet.pyramids._opening import check_zarr
from napari_cresunet.pyramids._pyramid import name_of
from napari_cresunet.steps import Step

_KEYS: dict[int, Any] = {
    2: {"name": "v2", "separator": "/"},
    3: {"name": "default", "separator": "/"},
}


class PyramidWriter:
    """An OME-Zarr folder that is being written.

    Several threads and processes may write at once, each a part that begins and ends
    at multiples of `chunk` (or at the end of the image). It can be sent to another
    process.

    Attributes
    ----------
    path : Path
        The folder.
    layout : Layout
        What it looks like.
    array : zarr.Array
        Full resolution, (..., Y, X); zeros until written. Colors, if there are some,
        are its first axis or come after "t"; `write` takes them as the last one.
    """

    def __init__(self, path: Path, layout: Layout, *, is_finished: bool) -> None:
        """Write into a folder that is there; see `create_pyramid` and `open_writer`.

        Parameters
        ----------
        path : Path
            The folder.
        layout : Layout
            What it looks like.
        is_finished : bool
            Whether all levels are there.

        Raises
        ------
        InputError
            If its full resolution cannot be opened.
        """
        import zarr

        self.path = path
        self.layout = layout
        self._is_finished = is_finished
        try:
            self.array = zarr.open_array(path / "0", mode="r+")
        except Exception as error:  # whatever zarr makes of damage
            raise InputError(
                f"{path} is damaged: its level 0 is missing or cannot be read; delete "
                "it to begin anew."
            ) from error

    def __reduce__(self) -> tuple[Callable[..., "PyramidWriter"], tuple[Path]]:
        """Return how to open it in another process."""
        return open_writer, (self.path,)

    @property
    def chunk(self) -> int:
        """Height and width of a chunk in px."""
        return self.layout.chunk

    @property
    def record(self) -> dict[str, Any]:
        """How it was made."""
        return self.layout.record

    @property
    def is_finished(self) -> bool:
        """Whether `finish` came to its end."""
        return self._is_finished

    def write(self, where: tuple[slice | int, ...], values: NDArray[Any]) -> None:
        """Write a part of full resolution.

        Parameters
        ----------
        where : tuple of int or slice
            Which part, for each axis of (..., Y, X) or (..., Y, X, 3).
        values : ndarray
            What it holds, of the shape that `where` gives.

        Raises
        ------
        EngineError
            If it cannot be written, such as when the disk is full.

        Notes
        -----
        Chunks that hold nothing but zeros are not written. A part of a finished pyramid
        may be written anew; then `finish` it again.
        """
        order = self.layout.order
        stored = [where[axis] for axis in order]
        kept = [axis for axis in order if isinstance(where[axis], slice)]
        values = values.transpose([sorted(kept).index(axis) for axis in kept])
        with told_why(self.path):
            self.array[tuple(stored)] = values

    def finish(self) -> Generator[Step, None, None]:
        """Build the lower levels, then say in the metadata what all this is.

        Yields
        ------
        Step
            For each chunk of a lower level.

        Notes
        -----
        Needs memory for a few chunks. Labels are taken from every second row and
        column; an image is the mean of four pixels. If it is stopped, it begins anew
        next time. Raises `EngineError` as `write`.
        """
        layout = self.layout
        shapes = [layout.level(n) for n in range(1, layout.n_levels)]
        blocks = [list(blocks_of(shape, layout.chunks)) for shape in shapes]
        total = sum(map(len, blocks))
        done = 0
        upper = self.array
        for number, parts in enumerate(blocks, start=1):
            with told_why(self.path):
                lower = _create_array(self.path, layout, number)
            for part in parts:
                with told_why(self.path):
                    fill_block(lower, upper, part, is_mean=layout.kind == "image")
                done += 1
                yield Step(done=done, total=total)
            upper = lower
        _write_attributes(self.path, layout, is_finished=True)
        self._is_finished = True

    def update_record(self, record: Mapping[str, Any]) -> None:
        """Replace the record of how it was made; before or after `finish`.

        Parameters
        ----------
        record : mapping
            What JSON can hold.
        """
        said = {**self.layout.to_dict(), "record": as_plain(record)}
        layout = Layout.from_dict(said)
        _write_attributes(self.path, layout, is_finished=self._is_finished)
        self.layout = layout


def create_pyramid(
    path: str | Path,
    shape: Sequence[int],
    dtype: DTypeLike,
    *,
    kind: Kind,
    **options: Unpack[WriteOptions],
) -> PyramidWriter:
    """Create an OME-Zarr folder to write an image or labels into.

    Parameters
    ----------
    path : str or Path
        The folder, such as slide_labels.ome.zarr; missing folders above it are made.
    shape : sequence of int
        (..., Y, X) of full resolution, or (..., Y, X, 3) of an image with `rgb`.
    dtype : dtype-like
        Of its pixels; whole numbers for labels, see `labels_dtype`.
    kind : {"labels", "image"}
        What it holds.
    **options
        `chunk` = 1024, `pixel_size` = None, `leading` (names of axes before Y, X),
        `rgb` = False, `name`, `record`, `version` = "0.5", `replace` = False: see
        `WriteOptions`.

    Returns
    -------
    PyramidWriter
        To write into. Until its `finish` is done, no program takes it for an image.

    Raises
    ------
    InputError
        If the folder exists (with `replace`: if it is not from here), or the shape,
        dtype or an option cannot be.

    Notes
    -----
    A folder that cannot be written is an `EngineError`.
    """
    path = Path(path)
    check_zarr(path)
    replace = options.pop("replace", False)
    layout = _layout_of(path, shape, dtype, kind, options)
    if path.exists() and not (replace and is_ours(path)):
        raise InputError(
            f"{path} exists already: choose another folder, or move it away."
        )
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    with told_why(path):
        try:
            temporary.mkdir(parents=True)
            if layout.zarr_format == 2:
                (temporary / ".zgroup").write_bytes(json_bytes({"zarr_format": 2}))
            _write_attributes(temporary, layout, is_finished=False)
            _create_array(temporary, layout, 0)
            delete_pyramid(path)
            temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return PyramidWriter(path, layout, is_finished=False)


def _layout_of(
    path: Path,
    shape: Sequence[int],
    dtype: DTypeLike,
    kind: Kind,
    options: WriteOptions,
) -> Layout:
    size = options.get("pixel_size")
    return checked_layout(
        Layout(
            shape=tuple(int(n) for n in shape),
            dtype=np.dtype(dtype).name,
            kind=kind,
            name=options.get("name") or name_of(path),
            chunk=options.get("chunk", 1024),
            pixel_size=(float(size[0]), float(size[1])) if size else None,
            leading=tuple(options.get("leading", ())),
            rgb=options.get("rgb", False),
            version=options.get("version", "0.5"),
            record=as_plain(options.get("record") or {}),
        )
    )


def is_ours(path: str | Path) -> bool:
    """Whether a folder is one that `create_pyramid` made.

    Parameters
    ----------
    path : str or Path
        The folder; it need not exist.

    Returns
    -------
    bool
        Also if it is not finished.
    """
    try:
        return OURS in read_document(Path(path)).attributes
    except InputError:
        return False


def delete_pyramid(path: Path) -> None:
    """Delete a pyramid; it is gone at once, however long that takes.

    Parameters
    ----------
    path : Path
        The folder; it need not exist.
    """
    if not is_ours(path):
        return
    doomed = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    path.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def open_writer(path: str | Path) -> PyramidWriter:
    """Open a folder that `create_pyramid` made, to go on.

    Parameters
    ----------
    path : str or Path
        The folder.

    Returns
    -------
    PyramidWriter
        As it was left.

    Raises
    ------
    InputError
        If there is no such folder, or it is not from here.
    """
    path = Path(path)
    check_zarr(path)
    document = read_document(path)
    try:
        layout = Layout.from_dict(document.attributes[OURS])
    except (LookupError, TypeError) as error:
        raise InputError(
            f"{path} was not begun by this program: choose another folder."
        ) from error
    return PyramidWriter(path, layout, is_finished="multiscales" in document.ome)


def _write_attributes(path: Path, layout: Layout, *, is_finished: bool) -> None:
    """Write the metadata of the group; readers see the old or the new state of it."""
    make = finished_attributes if is_finished else unfinished_attributes
    attributes = make(layout)
    if layout.zarr_format == 2:
        name, document = ".zattrs", attributes
    else:
        group = {"zarr_format": 3, "node_type": "group"}
        name, document = "zarr.json", {**group, "attributes": attributes}
    with told_why(path), written_whole(path / name) as file:
        file.write(json_bytes(document, indent=2))


def _create_array(path: Path, layout: Layout, number: int) -> Any:
    """Create the array of a level; one that was there is deleted."""
    import zarr

    return zarr.create_array(
        path / str(number),
        shape=layout.level(number),
        dtype=layout.dtype,
        chunks=layout.chunks,
        compressors=_compressor(layout),
        fill_value=0,
        zarr_format=layout.zarr_format,
        chunk_key_encoding=_KEYS[layout.zarr_format],
        dimension_names=layout.axes if layout.zarr_format == 3 else None,
        overwrite=True,
    )


def _compressor(layout: Layout) -> Any:
    """Return Blosc with zstd, which shrinks labels most and is fast."""
    if layout.zarr_format == 2:
        from numcodecs import Blosc  # type: ignore[import-untyped]  # comes with zarr

        return Blosc(cname="zstd", clevel=5, shuffle=Blosc.SHUFFLE)
    from zarr.codecs import BloscCodec

    return BloscCodec(cname="zstd", clevel=5, shuffle="shuffle")
