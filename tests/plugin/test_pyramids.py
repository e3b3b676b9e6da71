"""OME-Zarr opens as layers that read what is shown."""

import re

import dask.array as da
import numpy as np
import pytest
from tests.pyramids.by_hand import write_attributes, write_image

from napari_cresunet.plugin import get_pyramid_reader
from napari_cresunet.pyramids import create_pyramid
from napari_cresunet.steps import drain

PIXELS = np.random.default_rng(0).integers(0, 250, (2, 3, 90, 70)).astype(np.uint8)


def layers_of(path):
    return get_pyramid_reader(str(path))(str(path))


def test_an_image_is_a_layer_with_levels_and_its_size(tmp_path):
    levels = [PIXELS[0, 0], PIXELS[0, 0, ::2, ::2]]
    path = write_image(tmp_path / "slide 1.ome.zarr", levels, "yx", scale=[0.5, 0.25])
    [(data, options, kind)] = layers_of(path)
    assert kind == "image"
    assert all(isinstance(level, da.Array) for level in data)
    for level, wanted in zip(data, levels, strict=True):
        assert np.array_equal(np.asarray(level), wanted)
    assert data[0].chunksize == (64, 64)
    assert options == {
        "name": "slide 1",
        "multiscale": True,
        "rgb": False,
        "axis_labels": ("y", "x"),
        "scale": (0.5, 0.25),
        "units": ("micrometer", "micrometer"),
        "metadata": {"cresunet": {"pyramid": str(path)}},
    }


def test_channels_are_layers_of_their_own_and_add_up(tmp_path):
    omero = {"channels": [{"label": name} for name in ("DAPI", "GFP", "Cy5")]}
    path = write_image(tmp_path / "a.zarr", [PIXELS], "tcyx", omero=omero)
    layers = layers_of(path)
    assert [options["name"] for _, options, _ in layers] == ["a DAPI", "a GFP", "a Cy5"]
    assert [options["blending"] for _, options, _ in layers] == ["additive"] * 3
    assert layers[2][1]["metadata"] == {
        "cresunet": {"pyramid": str(path), "channel": 2}
    }
    assert layers[2][1]["axis_labels"] == ("t", "y", "x")
    assert np.array_equal(np.asarray(layers[2][0]), PIXELS[:, 2])


def test_colors_are_one_layer(tmp_path):
    omero = {"channels": [{"label": name} for name in "RGB"]}
    path = write_image(tmp_path / "a.zarr", [PIXELS[0]], "cyx", omero=omero)
    [(data, options, _)] = layers_of(path)
    assert options["rgb"]
    assert not options["multiscale"]
    assert data.chunksize == (64, 64, 3)
    assert np.array_equal(np.asarray(data), np.moveaxis(PIXELS[0], 0, -1))


def test_labels_in_an_image_come_with_it_and_damaged_ones_are_told(tmp_path):
    path = write_image(tmp_path / "a.zarr", [PIXELS[0, 0]], "yx")
    folder = path / "labels"
    said = {"image-label": {}}
    write_image(folder / "cells", [PIXELS[0, 1].astype("i4")], "yx", **said)
    write_image(folder / "broken", [PIXELS[0]], "yx", **said)
    write_attributes(folder, {"labels": ["broken", "cells"]}, "0.5")
    broken = folder / "broken"
    message = f"{broken} names 2 axes (y, x) for an array of 3: export it again."
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        layers = layers_of(path)
    assert [(options["name"], kind) for _, options, kind in layers] == [
        ("a", "image"),
        ("cells", "labels"),
    ]
    assert np.array_equal(np.asarray(layers[1][0]), PIXELS[0, 1])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_what_is_written_here_opens_as_labels_and_probability(tmp_path, version):
    for kind, dtype in (("labels", "int32"), ("probability", "float32")):
        path = tmp_path / f"a_{kind}.ome.zarr"
        written = "labels" if kind == "labels" else "image"
        writer = create_pyramid(path, (90, 70), dtype, kind=written, version=version)
        drain(writer.finish())
    reader = get_pyramid_reader([str(each) for each in sorted(tmp_path.iterdir())])
    labels, probability = reader([str(each) for each in sorted(tmp_path.iterdir())])
    assert (labels[2], probability[2]) == ("labels", "image")
    assert probability[1]["contrast_limits"] == (0, 1)
    assert probability[1]["colormap"] == "magma"


def test_what_is_no_folder_of_zarr_is_left_to_others(tmp_path):
    (tmp_path / "a.zarr").write_bytes(b"1")
    assert get_pyramid_reader(str(tmp_path / "a.zarr")) is None
    assert get_pyramid_reader(str(tmp_path)) is None
    path = write_image(tmp_path / "b.zarr", [PIXELS[0, 0]], "yx")
    assert get_pyramid_reader([str(path), str(tmp_path)]) is None
    assert get_pyramid_reader([str(path)]) is not None
