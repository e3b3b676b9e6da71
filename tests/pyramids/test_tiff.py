"""TIFF of all layouts is read part by part, as tifffile reads it whole."""

import gc
import os
import pickle
import re
import sys
import threading

import numpy as np
import pytest
import tifffile

from napari_cresunet.errors import InputError
from napari_cresunet.pyramids import (
    ChannelError,
    is_pyramid,
    labels_inside,
    open_pyramid,
)
from napari_cresunet.pyramids import _tiff as tiff


@pytest.fixture(scope="module")
def rgb():
    return np.random.default_rng(0).integers(0, 256, (301, 400, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def stack():
    return np.random.default_rng(0).integers(0, 60_000, (3, 2, 64, 50), dtype=np.uint16)


def write_slide(path, rgb, **options):
    """Write full resolution in tiles, and two levels in SubIFDs."""
    options |= {"tile": (128, 128), "photometric": "rgb", "compression": "zlib"}
    with tifffile.TiffWriter(path, ome=True) as file:
        metadata = {"axes": "YXS", "PhysicalSizeX": 300.0, "PhysicalSizeXUnit": "nm"}
        metadata |= {"PhysicalSizeY": 0.4, "PhysicalSizeYUnit": "µm"}
        file.write(rgb, subifds=2, metadata=metadata, **options)
        for step in (2, 4):
            file.write(rgb[::step, ::step], subfiletype=1, **options)
    return path


LAYOUTS = {
    "uncompressed": {},
    "compressed": {"compression": "zlib"},
    "few rows": {"compression": "zlib", "rowsperstrip": 7},
    "tiled": {"tile": (64, 128)},
    "big-endian": {"byteorder": ">"},
    "bigtiff": {"bigtiff": True, "tile": (64, 64)},
    "jpeg 2000": {"compression": "jpeg2000", "tile": (128, 128)},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_its_pixels(tmp_path, rgb, layout):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, rgb, photometric="rgb", **LAYOUTS[layout])
    pyramid = open_pyramid(path)
    assert pyramid.is_rgb
    assert np.array_equal(pyramid.image, rgb)
    assert np.array_equal(pyramid.image[130:260:3, 7, 1:], rgb[130:260:3, 7, 1:])


def test_colors_that_are_stored_apart_come_last(tmp_path, rgb):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, np.moveaxis(rgb, -1, 0), photometric="rgb", planarconfig="separate"
    )
    assert np.array_equal(open_pyramid(path).image, rgb)


def test_levels_in_subifds_are_levels(tmp_path, rgb):
    path = write_slide(tmp_path / "slide 1.ome.tif", rgb)
    pyramid = open_pyramid(path)
    assert [level.shape for level in pyramid.levels] == [
        (301, 400, 3),
        (151, 200, 3),
        (76, 100, 3),
    ]
    for step, level in zip((1, 2, 4), pyramid.levels, strict=True):
        assert np.array_equal(level, rgb[::step, ::step])
    assert pyramid.name == "slide 1"
    assert pyramid.pixel_size == pytest.approx((0.4, 0.3))
    assert pyramid.factors[2] == (301 / 76, 4.0)
    assert pyramid.image.chunks == (128, 128, 3)
    assert is_pyramid(path)
    assert labels_inside(path) == []


def test_a_channel_of_ome_is_chosen_by_name(tmp_path, stack):
    path = tmp_path / "a.ome.tif"
    metadata = {"axes": "ZCYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(path, stack, metadata=metadata, byteorder=">")
    pyramid = open_pyramid(path, channel="GFP")
    assert np.array_equal(pyramid.image, stack[:, 1])
    assert pyramid.image[0].dtype == np.dtype(np.uint16)
    assert (pyramid.leading, pyramid.channels) == (("z",), ("DAPI", "GFP"))
    message = (
        f"{path} has 2 channels, 0 (DAPI), 1 (GFP): choose a channel by its "
        "number or name."
    )
    with pytest.raises(ChannelError, match=f"^{re.escape(message)}$"):
        open_pyramid(path)


def test_a_channel_of_imagej_is_chosen_by_number(tmp_path, stack):
    path = tmp_path / "a.tif"
    metadata = {"axes": "ZCYX", "unit": "um"}
    tifffile.imwrite(path, stack, imagej=True, metadata=metadata, resolution=(4, 2))
    pyramid = open_pyramid(path, channel=0)
    assert np.array_equal(pyramid.image, stack[:, 0])
    assert pyramid.pixel_size == (0.5, 0.25)


def test_planes_of_colors_are_planes(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 9, (4, 30, 20, 3), dtype=np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", metadata={"axes": "ZYXS"})
    pyramid = open_pyramid(path)
    assert (pyramid.leading, pyramid.is_rgb) == (("z",), True)
    assert np.array_equal(pyramid.image[1:3], pixels[1:3])


def test_it_can_be_sent_to_another_process(tmp_path, stack):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, stack, metadata={"axes": "ZCYX"}, tile=(32, 32))
    pyramid = pickle.loads(pickle.dumps(open_pyramid(path, channel=1)))
    assert np.array_equal(pyramid.image, stack[:, 1])
    assert np.array_equal(pickle.loads(pickle.dumps(pyramid.image)), stack[:, 1])


def test_many_threads_read_at_once(tmp_path, rgb):
    image = open_pyramid(write_slide(tmp_path / "a.tif", rgb)).image
    wrong = []

    def read(seed):
        rng = np.random.default_rng(seed)
        for _ in range(20):
            row, column = rng.integers(0, 250, 2)
            part = (slice(row, row + 90), slice(column, column + 90))
            if not np.array_equal(image[part], rgb[part]):
                wrong.append(part)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux tells")  # noqa: PTH112
def test_the_file_is_closed_with_the_last_of_its_levels(tmp_path, rgb):
    path = write_slide(tmp_path / "a.tif", rgb)

    def is_open():
        return any(os.path.realpath(each.path) == str(path) for each in _handles())

    level = open_pyramid(path).levels[2]
    gc.collect()
    assert level[0, 0, 0] == rgb[0, 0, 0]
    assert is_open()
    del level
    gc.collect()
    assert not is_open()


def _handles():
    return list(os.scandir("/proc/self/fd"))


def test_only_large_files_and_those_with_levels_are_better_read_in_parts(
    tmp_path, rgb, monkeypatch
):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, rgb, compression="zlib", tile=(64, 64), photometric="rgb")
    assert not is_pyramid(path)
    monkeypatch.setattr(tiff, "MAPPED_BYTES", rgb.nbytes)
    assert is_pyramid(path)
    monkeypatch.setattr(tiff, "MAPPED_BYTES", path.stat().st_size)
    assert is_pyramid(path)
    monkeypatch.setattr(tiff, "MAPPED_BYTES", 2 * rgb.nbytes)
    path.write_bytes(b"damage")
    assert not is_pyramid(path)


def test_long_strips_are_told_of(tmp_path, rgb, monkeypatch):
    monkeypatch.setattr(tiff, "_LARGE_STRIP", 100 * 400 * 3)
    options = {"photometric": "rgb", "rowsperstrip": 100}
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, rgb, compression="zlib", **options)
    assert open_pyramid(path).remark == (
        "a.tif is compressed in strips of 100 rows, each of which is read whole for "
        "any part of it: tiles or OME-Zarr would be faster."
    )
    tifffile.imwrite(path, rgb, **options)
    assert open_pyramid(path).remark == ""


@pytest.mark.parametrize("part", [0.02, 0.5, 0.97])
def test_a_file_that_is_cut_is_refused(tmp_path, rgb, part):
    path = write_slide(tmp_path / "a.ome.tif", rgb)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    message = f"{path} is damaged or no image: copy or export it again."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_pyramid(path)


def test_a_tile_that_is_damaged_is_told_when_it_is_read(tmp_path, rgb):
    path = write_slide(tmp_path / "a.tif", rgb)
    with tifffile.TiffFile(path) as file:
        offset = file.pages[0].dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[offset : offset + 40] = bytes(40)
    path.write_bytes(content)
    image = open_pyramid(path).image
    assert np.array_equal(image[128:], rgb[128:])
    message = (
        f"{path} is damaged in rows 0 to 5, columns 10 to 20: copy or export it again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        image[:5, 10:20]


def test_without_zarr_tiff_is_read_whole_and_the_rest_says_how_to_install_it(
    tmp_path, rgb, monkeypatch
):
    path = write_slide(tmp_path / "a.tif", rgb)
    monkeypatch.setitem(sys.modules, "zarr", None)
    assert not is_pyramid(path)
    message = (
        f"{path} needs zarr: install it by `pip install 'napari-cresunet[large]'`."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_pyramid(path)
