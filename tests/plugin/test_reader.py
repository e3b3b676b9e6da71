"""Annotation files open as layers."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from roifile import ROI_TYPE, ImagejRoi, roiwrite

from napari_cresunet.annotations import write_geojson, write_imagej
from napari_cresunet.errors import InputError
from napari_cresunet.plugin import get_reader

SHAPE = (8, 12)
SQUARE = [(2, 1), (6, 1), (6, 5), (2, 5)]


def rois(path, kind=ROI_TYPE.POLYGON):
    roi = ImagejRoi.frompoints(SQUARE)
    roi.roitype = kind
    roiwrite(path, [roi])
    return path


def expected():
    labels = np.zeros(SHAPE, np.int32)
    labels[1:5, 2:6] = 1
    return labels


def read(path):
    return get_reader(str(path))(str(path))


@pytest.fixture
def image(tmp_path):
    iio.imwrite(tmp_path / "a.png", np.zeros((*SHAPE, 3), np.uint8))
    return tmp_path / "a.png"


def test_outlines_are_labels_as_large_as_the_image_beside(image):
    path = rois(image.with_name("a_RoiSet.zip"))
    ((labels, options, kind),) = read(path)
    assert kind == "labels"
    np.testing.assert_array_equal(labels, expected())
    assert options == {
        "name": "a_RoiSet (truth)",
        "metadata": {"cresunet": {"truth": True, "file": "a_RoiSet.zip"}},
    }


@pytest.mark.parametrize("shape", [SHAPE, (*SHAPE, 4), (5, *SHAPE), (5, *SHAPE, 3)])
def test_color_and_planes_do_not_count_as_height_and_width(tmp_path, shape):
    iio.imwrite(tmp_path / "a.tif", np.zeros(shape, np.uint8))
    ((labels, _, _),) = read(rois(tmp_path / "a.zip"))
    assert labels.shape == SHAPE


WRITERS = {".zip": write_imagej, ".geojson": write_geojson}


def stack_of(leading):
    """Two cells on each plane but the first, and one on all planes."""
    labels = np.zeros((*leading, *SHAPE), np.int32)
    for number, plane in enumerate(labels.reshape(-1, *SHAPE)):
        plane[1, 2:5] = 1
        if number:
            plane[3:5, 1:4], plane[6, number] = 2 * number, 2 * number + 1
    return labels


@pytest.mark.parametrize("colors", [(), (3,)])
@pytest.mark.parametrize("leading", [(3,), (2, 3)])
@pytest.mark.parametrize("suffix", WRITERS)
def test_cells_of_a_stack_open_exactly_as_they_were_exported(
    tmp_path, suffix, leading, colors
):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((*leading, *SHAPE, *colors), np.uint8),
        photometric="rgb" if colors else "minisblack",
    )
    labels = stack_of(leading)
    WRITERS[suffix](tmp_path / f"a{suffix}", labels)
    ((found, _, kind),) = read(tmp_path / f"a{suffix}")
    assert kind == "labels"
    np.testing.assert_array_equal(found, labels)


def test_dots_are_points_and_need_no_image(tmp_path):
    path = rois(tmp_path / "a.zip", ROI_TYPE.POINT)
    ((points, options, kind),) = read(path)
    assert kind == "points"
    assert points.tolist() == [[1, 2], [1, 6], [5, 6], [5, 2]]
    assert options["name"] == "a (truth)"


def test_each_image_of_a_file_is_a_layer(tmp_path):
    path = tmp_path / "all.json"
    box = {"category_id": 1, "bbox": [2, 1, 4, 4]}
    images = [
        {"id": n, "file_name": f"{name}.png", "height": 8, "width": 12}
        for n, name in enumerate("ab")
    ]
    annotations = [{"image_id": 1, **box}]
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    (first, options, _), (second, _, _) = read(path)
    assert first.max() == 0
    np.testing.assert_array_equal(second, expected())
    assert options["name"] == "a (truth)"


def test_several_files_are_read_together(image):
    paths = [str(rois(image.with_name(f"a{end}.zip"))) for end in ("", "_rois")]
    assert len(get_reader(paths)(paths)) == 2


def test_without_an_image_beside_outlines_are_refused(tmp_path):
    path = rois(tmp_path / "a.zip")
    message = (
        f"{path} does not say how large its image is: put the image beside it, or open "
        "it in the dock Evaluate."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b'{"width": 3}'),
        ("b.json", b"{"),
        ("a.xml", b"<svg/>"),
        ("a.zip", b"PK\5\6" + bytes(18)),
        ("a.roi", b"text"),
        ("a.txt", b"text"),
    ],
)
def test_other_files_are_left_to_other_plugins(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert get_reader(str(tmp_path / name)) is None


def test_a_reader_needs_neither_qt_napari_nor_torch(tmp_path):
    path = rois(tmp_path / "a.zip", ROI_TYPE.POINT)
    code = (
        "import sys; from napari_cresunet.plugin import get_reader;"
        f"path = {str(path)!r}; get_reader(path)(path);"
        "sys.exit(any(name in sys.modules for name in ('qtpy', 'napari', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.gui
@pytest.mark.skipif(find_spec("napari") is None, reason="needs napari")
class TestInAViewer:
    def test_a_file_opens_as_a_layer_of_truth(self, make_napari_viewer, image):
        viewer = make_napari_viewer()
        path = rois(image.with_name("a.zip"))
        (layer,) = viewer.open(path, plugin=None)
        assert layer.name == "a (truth)"
        assert layer.metadata["cresunet"] == {"truth": True, "file": "a.zip"}
        assert layer.source.reader_plugin == "napari-cresunet"
        np.testing.assert_array_equal(layer.data, expected())

    def test_dots_open_as_points(self, make_napari_viewer, tmp_path):
        viewer = make_napari_viewer()
        path = tmp_path / "CellCounter_a.xml"
        path.write_text(
            "<CellCounter_Marker_File><Marker><MarkerX>3</MarkerX><MarkerY>2</MarkerY>"
            "</Marker></CellCounter_Marker_File>"
        )
        (layer,) = viewer.open(path, plugin="napari-cresunet")
        assert type(layer).__name__ == "Points"
        assert layer.data.tolist() == [[2, 3]]

    def test_tables_of_napari_are_left_to_napari(self, make_napari_viewer, tmp_path):
        viewer = make_napari_viewer()
        path = tmp_path / "points.csv"
        path.write_text("index,axis-0,axis-1\n0,1.5,7\n")
        # With two readers napari would ask, or raise an error here.
        (layer,) = viewer.open(path, plugin=None)
        assert layer.source.reader_plugin == "napari"
        assert layer.data.tolist() == [[1.5, 7]]
