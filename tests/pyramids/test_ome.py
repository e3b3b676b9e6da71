"""OME-Zarr of other programs gives its pixels, its size and its channels."""

import pickle
import re

import numpy as np
import pytest
import zarr
from tests.pyramids.by_hand import (
    axes,
    scales,
    write_arrays,
    write_attributes,
    write_image,
)

from napari_cresunet.errors import InputError
from napari_cresunet.pyramids import (
    ChannelError,
    is_pyramid,
    labels_inside,
    open_channels,
    open_pyramid,
)

VERSIONS = ("0.4", "0.5")
FULL = {"t": 2, "c": 2, "z": 3, "y": 100, "x": 130}


def numbers(shape, dtype=np.uint16):
    """Return an array in which no two places that are compared are alike."""
    high = 250 if dtype == np.uint8 else 60_000
    return np.random.default_rng(3).integers(0, high, shape).astype(dtype)


def omero(*channels):
    return {"channels": [{"label": name, "color": color} for name, color in channels]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("names", ["yx", "zyx", "tyx", "cyx", "czyx", "tcyx", "tczyx"])
def test_every_usual_order_of_axes_gives_one_channel_as_planes(
    tmp_path, names, version
):
    pixels = numbers([FULL[name] for name in names])
    levels = [pixels, pixels[..., ::2, ::2]]
    path = write_image(tmp_path / "a.zarr", levels, names, version=version)
    pyramid = open_pyramid(path, channel=1 if "c" in names else None)
    at = names.find("c")
    wanted = pixels if at < 0 else pixels.take(1, axis=at)
    assert np.array_equal(pyramid.image, wanted)
    assert np.array_equal(pyramid.levels[1], wanted[..., ::2, ::2])
    assert pyramid.leading == tuple(names.replace("c", "")[:-2])
    assert (pyramid.name, pyramid.is_rgb, pyramid.is_labels) == ("a", False, False)
    assert pyramid.factors == ((1.0, 1.0), (2.0, 2.0))


@pytest.mark.parametrize("names", ["yxc", "xy", "zxy", "ycx"])
def test_axes_in_an_unusual_order_are_found_by_their_names(tmp_path, names):
    pixels = numbers([FULL[name] for name in names])
    path = write_image(tmp_path / "a.zarr", [pixels], names)
    pyramid = open_pyramid(path, channel="1" if "c" in names else None)
    wanted = pixels.take(1, axis=names.index("c")) if "c" in names else pixels
    assert np.array_equal(
        pyramid.image, wanted.swapaxes(-1, -2) if "xy" in names else wanted
    )


def test_planes_of_one_are_left_out(tmp_path):
    pixels = numbers((1, 1, 3, 20, 30))
    pyramid = open_pyramid(write_image(tmp_path / "a.zarr", [pixels], "tczyx"))
    assert pyramid.leading == ("z",)
    assert pyramid.channels == ()
    assert np.array_equal(pyramid.image, pixels[0, 0])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "channels",
    [
        [("a", "FF0000"), ("b", "00FF00"), ("c", "0000FF")],
        [("a", "ff0000"), ("b", "00ff00"), ("c", "0000ff")],
        [("Red", ""), ("Green", ""), ("Blue", "")],
        [("R", "FFFFFF"), ("G", "FFFFFF"), ("B", "FFFFFF")],
    ],
)
def test_channels_of_8_bits_that_are_said_to_be_colors_are(tmp_path, channels, version):
    pixels = numbers((3, 70, 90), np.uint8)
    path = write_image(
        tmp_path / "a.zarr", [pixels], "cyx", version=version, omero=omero(*channels)
    )
    pyramid = open_pyramid(path)
    assert pyramid.is_rgb
    assert pyramid.channels == ()
    assert np.array_equal(pyramid.image, np.moveaxis(pixels, 0, -1))
    assert np.array_equal(open_pyramid(path, channel=2).image, pixels[2])


@pytest.mark.parametrize("n_samples", [3, 4])
def test_three_bytes_that_come_last_are_colors_and_opacity_is_left_out(
    tmp_path, n_samples
):
    pixels = numbers((40, 50, n_samples), np.uint8)
    pyramid = open_pyramid(write_image(tmp_path / "a.zarr", [pixels], "yxc"))
    assert pyramid.is_rgb
    assert pyramid.image.shape == (40, 50, 3)
    assert np.array_equal(pyramid.image, pixels[..., :3])


def test_three_channels_of_16_bits_are_no_colors(tmp_path):
    colors = omero(("a", "FF0000"), ("b", "00FF00"), ("c", "0000FF"))
    path = write_image(tmp_path / "a.zarr", [numbers((3, 9, 9))], "cyx", omero=colors)
    assert not open_pyramid(path, channel="b").is_rgb


def test_a_channel_is_chosen_by_number_or_name(tmp_path):
    pixels = numbers((2, 40, 50))
    names = omero(("DAPI", "0000FF"), ("GFP", "00FF00"))
    path = write_image(tmp_path / "a.zarr", [pixels], "cyx", omero=names)
    for channel in (1, "1", "GFP"):
        pyramid = open_pyramid(path, channel=channel)
        assert np.array_equal(pyramid.image, pixels[1])
        assert (pyramid.channels, pyramid.channel) == (("DAPI", "GFP"), 1)
    assert [each.channel for each in open_channels(path)] == [0, 1]


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (
            None,
            (
                "{} has 2 channels, 0 (DAPI), 1 (GFP): choose a channel by its "
                "number or name."
            ),
        ),
        (2, "{} has no channel 2: choose from 0 (DAPI), 1 (GFP)."),
        ("Cy5", "{} has no channel 'Cy5': choose from 0 (DAPI), 1 (GFP)."),
        ("7", "{} has no channel '7': choose from 0 (DAPI), 1 (GFP)."),
    ],
)
def test_the_channels_are_listed_if_one_must_be_chosen(tmp_path, channel, message):
    names = omero(("DAPI", ""), ("GFP", ""))
    path = write_image(tmp_path / "a.zarr", [numbers((2, 9, 9))], "cyx", omero=names)
    with pytest.raises(ChannelError) as caught:
        open_pyramid(path, channel=channel)
    assert str(caught.value) == message.format(path)
    assert caught.value.channels == ("DAPI", "GFP")


@pytest.mark.parametrize(
    ("unit", "in_micrometers"),
    [
        ("micrometer", 1),
        ("nanometer", 1e-3),
        ("millimeter", 1e3),
        ("angstrom", 1e-4),
        ("meter", 1e6),
        ("inch", 25_400),
        ("µm", 1),
    ],
)
def test_the_size_of_a_pixel_is_told_in_micrometers(tmp_path, unit, in_micrometers):
    write_arrays(tmp_path, [numbers((2, 9, 9))], 3)
    image = {
        "axes": axes("zyx", {"y": unit, "x": unit, "z": "meter"}),
        "datasets": scales((7.0, 0.5, 0.25)),
        "coordinateTransformations": [{"type": "scale", "scale": [1, 2, 2]}],
    }
    write_attributes(tmp_path, {"multiscales": [image]}, "0.5")
    size = open_pyramid(tmp_path).pixel_size
    assert size == pytest.approx((1.0 * in_micrometers, 0.5 * in_micrometers))


@pytest.mark.parametrize(
    "dataset",
    [
        {"coordinateTransformations": [{"type": "scale", "scale": [1.0]}]},
        {"coordinateTransformations": [{"type": "scale", "scale": [0, 0]}]},
        {"coordinateTransformations": [{"type": "scale", "scale": ["a", "b"]}]},
        {"coordinateTransformations": [{}]},
        {},
    ],
)
def test_a_scale_that_cannot_be_is_no_size(tmp_path, dataset):
    write_arrays(tmp_path, [numbers((9, 9)), numbers((5, 3))], 3)
    image = {
        "axes": axes("yx"),
        "datasets": [{"path": "0"} | dataset, {"path": "1"} | dataset],
    }
    write_attributes(tmp_path, {"multiscales": [image]}, "0.5")
    pyramid = open_pyramid(tmp_path)
    assert pyramid.pixel_size is None
    assert pyramid.factors == ((1, 1), (9 / 5, 3))


def test_a_scale_without_a_unit_is_no_size(tmp_path):
    write_arrays(tmp_path, [numbers((9, 9))], 2)
    image = {"axes": axes("yx", {}), "datasets": scales((0.5, 0.5))}
    write_attributes(tmp_path, {"multiscales": [image]}, "0.4")
    assert open_pyramid(tmp_path).pixel_size is None


def test_only_the_chunks_that_are_asked_for_are_read(tmp_path):
    pixels = numbers((128, 128))
    path = write_image(tmp_path / "a.zarr", [pixels], "yx")
    (path / "0" / "c" / "1" / "1").write_bytes(b"damage")
    image = open_pyramid(path).image
    assert np.array_equal(image[:64], pixels[:64])
    assert np.array_equal(image[100, 10:20], pixels[100, 10:20])
    with pytest.raises(InputError) as caught:
        image[60:70, 32:96]
    where = "rows 60 to 70, columns 32 to 96"
    assert str(caught.value) == (
        f"{path} is damaged in {where}: copy or export it again."
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_chunk_that_is_cut_is_damage_and_one_that_is_not_there_is_empty(
    tmp_path, version
):
    pixels = numbers((64, 128)) + 1
    path = write_image(tmp_path / "a.zarr", [pixels], "yx", version=version)
    first, second = ("0/c/0/0", "0/c/0/1") if version == "0.5" else ("0/0.0", "0/0.1")
    (path / first).unlink()
    whole = (path / second).read_bytes()
    (path / second).write_bytes(whole[: len(whole) // 2])
    image = open_pyramid(path).image
    assert not image[:, :64].any()
    message = (
        f"{path} is damaged in rows 3, columns 64 to 128: copy or export it again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        image[3, 64:]


def test_an_image_can_be_sent_to_another_process(tmp_path):
    pixels = numbers((2, 40, 50))
    path = write_image(tmp_path / "a.zarr", [pixels, pixels[:, ::2, ::2]], "cyx")
    pyramid = pickle.loads(pickle.dumps(open_pyramid(path, channel=1)))
    assert np.array_equal(pyramid.image, pixels[1])
    level = pickle.loads(pickle.dumps(pyramid.levels[1]))
    assert np.array_equal(level, pixels[1, ::2, ::2])


@pytest.mark.parametrize("version", VERSIONS)
def test_labels_in_an_image_are_found(tmp_path, version):
    image = write_image(tmp_path / "a.zarr", [numbers((9, 9))], "yx", version=version)
    cells = numbers((9, 9)).astype(np.int32)
    write_image(
        image / "labels" / "cells",
        [cells],
        "yx",
        version=version,
        **{"image-label": {}},
    )
    write_attributes(image / "labels", {"labels": ["cells", "gone"]}, version)
    assert labels_inside(image) == [image / "labels" / "cells"]
    pyramid = open_pyramid(image / "labels" / "cells")
    assert pyramid.is_labels
    assert np.array_equal(pyramid.image, cells)


def test_an_image_without_labels_has_none(tmp_path):
    image = write_image(tmp_path / "a.zarr", [numbers((9, 9))], "yx")
    assert labels_inside(image) == []
    write_attributes(image / "labels", {}, "0.5")
    assert labels_inside(image) == []
    (image / "labels" / "zarr.json").write_text("{")
    assert labels_inside(image) == []


def test_the_only_image_of_bioformats2raw_is_opened(tmp_path):
    pixels = numbers((9, 9))
    write_attributes(tmp_path, {"bioformats2raw.layout": 3}, "0.4")
    write_image(tmp_path / "0", [pixels], "yx", version="0.4")
    assert np.array_equal(open_pyramid(tmp_path).image, pixels)


def _plain_group(path):
    write_attributes(path, {}, "0.5")


def _plate(path):
    write_attributes(path, {"plate": {"wells": [{"path": "B/3"}]}}, "0.5")


def _odd_plate(path):
    write_attributes(path, {"plate": {}, "bioformats2raw.layout": 3}, "0.4")


def _well(path):
    write_attributes(path, {"well": {"images": [{"path": "2"}]}}, "0.4")


def _odd_well(path):
    write_attributes(path, {"well": []}, "0.4")


def _series(path):
    write_attributes(path, {"bioformats2raw.layout": 3}, "0.4")
    for name in "01":
        write_image(path / name, [numbers((9, 9))], "yx", version="0.4")


def _list_of_labels(path):
    write_attributes(path, {"labels": ["cells"]}, "0.5")


def _array(path):
    zarr.create_array(path, shape=(9, 9), dtype="u1")


def _older_array(path):
    zarr.create_array(path, shape=(9, 9), dtype="u1", zarr_format=2)


def _folder(path):
    path.mkdir()


def _no_json(path):
    path.mkdir()
    (path / "zarr.json").write_text('{"zarr_format": 3')


def _no_object(path):
    path.mkdir()
    (path / ".zattrs").write_text("[]")


def _odd_attributes(path):
    path.mkdir()
    (path / "zarr.json").write_text('{"attributes": []}')


def _no_dataset(path):
    write_attributes(path, {"multiscales": [{"datasets": []}]}, "0.5")


def _odd_multiscales(path):
    write_attributes(path, {"multiscales": [{"datasets": ["0"]}]}, "0.5")


def _no_level(path):
    write_image(path, [numbers((9, 9))], "yx")
    (path / "0" / "zarr.json").unlink()


def _complex(path):
    write_image(path, [np.ones((9, 9), np.complex64)], "yx")


def _no_axes(path):
    write_arrays(path, [numbers((9, 9))], 2)
    image = {"version": "0.2", "datasets": [{"path": "0"}]}
    write_attributes(path, {"multiscales": [image]}, "0.4")


def _odd_axes(path):
    write_arrays(path, [numbers((9, 9))], 3)
    image = {"axes": [{"type": "space"}, 3], "datasets": [{"path": "0"}]}
    write_attributes(path, {"multiscales": [image]}, "0.5")


def _few_axes(path):
    write_image(path, [numbers((2, 9, 9))], "yx", scale=[1, 1, 1])


def _other_axes(path):
    write_image(path, [numbers((9, 9))], "zy")


def _twice(path):
    write_image(path, [numbers((9, 9, 9))], "yyx")


def _empty(path):
    write_image(path, [np.zeros((0, 9), np.uint8)], "yx", scale=[1, 1])


def _growing(path):
    write_image(path, [numbers((9, 9)), numbers((18, 18))], "yx")


WRONG = {
    _plain_group: "{} is a group of zarr without multiscales, so no OME-Zarr image.",
    _plate: "{} is a plate of many images: name one, such as {}/B/3/0.",
    _odd_plate: "{} is a plate of many images: name one, such as {}/A/1/0.",
    _well: "{} is a well of one or more images: name one, such as {}/2.",
    _odd_well: "{} is a well of one or more images: name one, such as {}/0.",
    _series: "{} holds several images: name one, such as {}/0.",
    _list_of_labels: "{} is a list of label images: name one, such as {}/cells.",
    _array: "{} is an array without the metadata of OME-Zarr: name the folder around "
    "it, or convert it.",
    _older_array: "{} is an array without the metadata of OME-Zarr: name the folder "
    "around it, or convert it.",
    _folder: "{} is no folder of OME-Zarr: name the one that zarr.json or .zattrs is "
    "in.",
    _no_json: "{} is damaged in zarr.json: copy or export it again.",
    _no_object: "{} is damaged in .zattrs: copy or export it again.",
    _odd_attributes: "{} is damaged in attributes: copy or export it again.",
    _no_dataset: "{} is damaged in its multiscales: copy or export it again.",
    _odd_multiscales: "{} is damaged in its multiscales: copy or export it again.",
    _no_level: "{} is damaged: its level 0 is missing or cannot be read; copy or "
    "export it again.",
    _complex: "{} holds complex64: an image must hold numbers.",
    _no_axes: "{} is OME-Zarr 0.2 without the names of its axes: convert it to 0.4 or "
    "0.5.",
    _odd_axes: "{} is OME-Zarr 0.5 without the names of its axes: convert it to 0.4 or "
    "0.5.",
    _few_axes: "{} names 2 axes (y, x) for an array of 3: export it again.",
    _other_axes: "{} has the axes z, y: an image needs y and x, so export it again.",
    _twice: "{} names an axis twice (y, y, x): export it again.",
    _empty: "{} has no pixels: its shape is (0, 9).",
    _growing: "{} has levels that do not belong together, of (9, 9) uint16 and "
    "(18, 18) uint16: export it again.",
}


@pytest.mark.parametrize("make", WRONG, ids=lambda make: make.__name__)
def test_what_is_no_image_is_refused_in_one_sentence(tmp_path, make):
    path = tmp_path / "a.zarr"
    make(path)
    with pytest.raises(InputError) as caught:
        open_pyramid(path)
    assert str(caught.value) == WRONG[make].replace("{}", str(path))
    assert is_pyramid(path) == (make is not _folder)


def test_what_is_not_there_and_what_is_no_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"^There is no file or folder .*/a\.zarr\.$"):
        open_pyramid(tmp_path / "a.zarr")
    assert not is_pyramid(tmp_path / "a.zarr")
    picture = tmp_path / "a.png"
    picture.write_bytes(b"1")
    message = f"{picture} can not be read part by part: use OME-Zarr or tiled TIFF."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_pyramid(picture)
    assert not is_pyramid(picture)


def test_names_of_axes_as_up_to_version_0_3_are_taken(tmp_path):
    pixels = numbers((3, 9, 9))
    write_arrays(tmp_path, [pixels], 2)
    image = {"axes": ["z", "y", "x"], "datasets": [{"path": "0"}]}
    write_attributes(tmp_path, {"multiscales": [image]}, "0.4")
    pyramid = open_pyramid(tmp_path)
    assert pyramid.leading == ("z",)
    assert pyramid.pixel_size is None
    assert np.array_equal(pyramid.image, pixels)
