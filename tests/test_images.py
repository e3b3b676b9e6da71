"""Image files give their pixels, and damaged ones are refused."""

import os
import re

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_cresunet import _images
from napari_cresunet._images import read_image, read_pixel_size
from napari_cresunet.errors import InputError


@pytest.fixture
def stack():
    return np.random.default_rng(0).integers(0, 60_000, (5, 40, 30), dtype=np.uint16)


@pytest.fixture
def rgb():
    return np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)


TIFF_KINDS = {
    "plain": {},
    "compressed": {"compression": "zlib"},
    "ome": {"ome": True},
    "imagej": {"imagej": True},
    "pages": {"metadata": None},
    "bigtiff": {"bigtiff": True},
    "big-endian": {"byteorder": ">"},
}


@pytest.mark.parametrize("kind", TIFF_KINDS)
def test_every_kind_of_tiff_gives_its_pixels(tmp_path, stack, kind):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, stack, **TIFF_KINDS[kind])
    image = read_image(path)
    assert image.dtype.newbyteorder("=") == np.uint16
    assert np.array_equal(image, stack)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("shape", [(50, 60, 3), (1, 1, 3), (50, 60, 4)])
def test_color_comes_last_however_it_is_stored(tmp_path, planar, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    stored = np.moveaxis(image, -1, 0) if planar == "separate" else image
    path = tmp_path / "color.tiff"
    extra = ["unassalpha"] if shape[-1] == 4 else None
    tifffile.imwrite(
        path, stored, photometric="rgb", planarconfig=planar, extrasamples=extra
    )
    assert np.array_equal(read_image(str(path)), image)


@pytest.mark.parametrize(
    ("stored", "read"), [((1, 40, 30), (40, 30)), ((1, 1), (1, 1)), ((1, 5), (1, 5))]
)
def test_single_planes_are_left_out_but_never_y_and_x(tmp_path, stored, read):
    path = tmp_path / "one.tif"
    tifffile.imwrite(path, np.zeros(stored, np.uint8))
    assert read_image(path).shape == read


def test_a_large_tiff_is_mapped(tmp_path, stack, monkeypatch):
    monkeypatch.setattr(_images, "MAPPED_BYTES", 1000)
    path = tmp_path / "large.tif"
    tifffile.imwrite(path, stack)
    image = read_image(path)
    assert isinstance(image, np.memmap)
    assert np.array_equal(image, stack)
    tifffile.imwrite(path, stack, compression="zlib")
    assert np.array_equal(read_image(path), stack)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".PNG"])
def test_pictures_give_their_pixels(tmp_path, rgb, suffix):
    path = tmp_path / f"picture{suffix}"
    iio.imwrite(path, rgb)
    assert np.array_equal(read_image(path), rgb)


def test_a_jpeg_gives_about_its_pixels(tmp_path):
    path = tmp_path / "picture.jpg"
    iio.imwrite(path, np.full((30, 40, 3), 99, np.uint8))
    assert abs(read_image(path).astype(int) - 99).max() <= 2


def test_png_of_16_bits_stays_16_bits_and_gray_loses_its_transparency(tmp_path, stack):
    path = tmp_path / "gray.png"
    iio.imwrite(path, stack[0])
    assert np.array_equal(read_image(path), stack[0])
    gray = (stack[0] % 256).astype(np.uint8)
    iio.imwrite(path, np.stack([gray, np.full_like(gray, 255)], axis=-1))
    assert np.array_equal(read_image(path), gray)


def refused(path, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_image(path)


@pytest.mark.parametrize("kind", TIFF_KINDS)
@pytest.mark.parametrize("kept", [0.97, 0.6, 0.1])
def test_a_truncated_tiff_is_refused(tmp_path, stack, kind, kept):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, stack, **TIFF_KINDS[kind])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refused(path, f"{path} is damaged or no image: copy or export it again.")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
@pytest.mark.parametrize("kept", [0.95, 0.5, 0.02])
def test_a_truncated_picture_is_refused(tmp_path, rgb, suffix, kept):
    path = tmp_path / f"picture{suffix}"
    iio.imwrite(path, rgb)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refused(path, f"{path} is damaged or no image: copy or export it again.")


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
def test_text_with_the_name_of_an_image_is_refused(tmp_path, suffix):
    path = tmp_path / f"notes{suffix}"
    path.write_text("Cells were counted twice.\n" * 50)
    refused(path, f"{path} is damaged or no image: copy or export it again.")


def test_files_that_are_not_there_empty_or_of_another_kind_are_refused(tmp_path):
    missing, empty, table = (tmp_path / n for n in ("a.tif", "b.png", "c.csv"))
    empty.touch()
    table.touch()
    refused(missing, f"There is no file {missing}.")
    refused(tmp_path, f"{tmp_path} is a folder: name an image file in it.")
    refused(empty, f"{empty} is empty (0 bytes): copy or export it again.")
    refused(
        table,
        f"{table} is no image that can be read here: use TIFF, PNG, JPEG or BMP.",
    )


def test_a_compressed_tiff_is_read(tmp_path, rgb):
    path = tmp_path / "lzw.tif"
    Image.fromarray(rgb).save(path, compression="tiff_lzw")
    assert np.array_equal(read_image(path), rgb)


def test_a_picture_that_pillow_holds_for_a_bomb_is_refused(tmp_path, rgb, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    path = tmp_path / "huge.png"
    iio.imwrite(path, rgb)
    refused(path, f"{path} is too large for its format: save it as TIFF.")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(b"secret")
    path.chmod(0)
    refused(path, f"{path} may not be read: ask for permission or copy it elsewhere.")


def sized(path, **how):
    tifffile.imwrite(path, np.zeros((5, 6), np.uint16), **how)
    return read_pixel_size(path)


OME_SIZES = {
    "in µm, which is meant without a unit": {
        "PhysicalSizeY": 0.5,
        "PhysicalSizeX": 0.25,
    },
    "in a unit of each axis": {
        "PhysicalSizeY": 0.0005,
        "PhysicalSizeYUnit": "mm",
        "PhysicalSizeX": 250,
        "PhysicalSizeXUnit": "nm",
    },
}


@pytest.mark.parametrize("kind", OME_SIZES)
def test_ome_says_how_large_a_pixel_is(tmp_path, kind):
    found = sized(tmp_path / "a.ome.tif", metadata=OME_SIZES[kind])
    assert found == pytest.approx((0.5, 0.25))


@pytest.mark.parametrize("unit", ["micron", "um", "\\u00B5m", " \\u00B5m", "Micron"])
def test_imagej_says_how_large_a_pixel_is(tmp_path, unit):
    how = {"imagej": True, "resolution": (4, 2), "metadata": {"unit": unit}}
    assert sized(tmp_path / "a.tif", **how) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("unit", "resolution"),
    [("CENTIMETER", (40_000, 20_000)), ("INCH", (101_600, 50_800))],
)
def test_a_resolution_says_how_large_a_pixel_is(tmp_path, unit, resolution):
    how = {"resolutionunit": unit, "resolution": resolution}
    assert sized(tmp_path / "a.tif", **how) == pytest.approx((0.5, 0.25))


SIZELESS = {
    "nothing": {},
    "OME without a size": {"ome": True},
    "OME in pixels": {
        "ome": True,
        "metadata": {
            "PhysicalSizeX": 1,
            "PhysicalSizeXUnit": "pixel",
            "PhysicalSizeY": 1,
            "PhysicalSizeYUnit": "pixel",
        },
    },
    "OME of one axis": {"ome": True, "metadata": {"PhysicalSizeX": 0.5}},
    "ImageJ without a unit": {"imagej": True, "resolution": (4, 4)},
    "ImageJ in pixels": {
        "imagej": True,
        "resolution": (1, 1),
        "metadata": {"unit": "pixel"},
    },
    "ImageJ's inches of a screen": {
        "imagej": True,
        "resolution": (72, 72),
        "metadata": {"unit": "inch"},
    },
    "a resolution without a unit": {
        "resolution": (40_000, 40_000),
        "resolutionunit": "NONE",
    },
    "no resolution": {"resolution": (0, 0), "resolutionunit": "CENTIMETER"},
    **{
        f"{dots} dpi": {"resolution": (dots, dots), "resolutionunit": "INCH"}
        for dots in (1, 72, 96, 300, 600)
    },
}


@pytest.mark.parametrize("kind", SIZELESS)
def test_what_is_no_size_of_a_pixel_is_none(tmp_path, kind):
    assert sized(tmp_path / "a.tif", **SIZELESS[kind]) is None


def test_a_file_that_cannot_be_read_has_no_size_of_a_pixel(tmp_path, rgb):
    picture, broken, missing = (tmp_path / n for n in ("a.png", "b.tif", "c.tif"))
    iio.imwrite(picture, rgb)
    broken.write_bytes(b"II*\0 no more")
    for path in (picture, broken, missing):
        assert read_pixel_size(path) is None
