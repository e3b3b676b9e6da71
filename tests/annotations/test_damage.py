"""Whatever happens to a file on its way, reading it ends in a result or an error."""

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from roifile import ROI_TYPE, ImagejRoi

from napari_cresunet.annotations import is_annotation_file, load_annotations
from napari_cresunet.errors import InputError


def polygon_roi():
    roi = ImagejRoi.frompoints(np.float32([(1, 1), (5.5, 1), (5, 5)]))
    roi.name = "cell"
    return roi.tobytes()


def composite_roi():
    path = np.float32([0, 1, 1, 1, 6, 1, 3, 6, 2, 6, 4, 6, 6, 2, 3, 6, 2, 2, 4])
    size = len(path)
    return ImagejRoi(
        roitype=ROI_TYPE.RECT, shape_roi_size=size, multi_coordinates=path
    ).tobytes()


def archive(method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as zipped:
        zipped.writestr("1.roi", polygon_roi())
        zipped.writestr("2.roi", composite_roi())
    return file.getvalue()


FEATURE = {
    "type": "Feature",
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[1, 1], [6, 1], [6, 6]], [[2, 2], [3, 2], [3, 3]]],
        "plane": {"z": 1},
    },
    "properties": {"objectType": "cell"},
}
RECT = '"{""name"":""rect"",""x"":1,""y"":2,""width"":3,""height"":4}"'
WHOLE = {
    "area.roi": polygon_roi(),
    "composite.roi": composite_roi(),
    "stored.zip": archive(zipfile.ZIP_STORED),
    "deflated.zip": archive(zipfile.ZIP_DEFLATED),
    "lzma.zip": archive(zipfile.ZIP_LZMA),
    "a.geojson": json.dumps(
        {"type": "FeatureCollection", "features": [FEATURE, FEATURE]}
    ).encode(),
    "via.csv": (
        f"filename,region_count,region_shape_attributes\na.png,1,{RECT}\n"
    ).encode(),
    "points.csv": b"image,Area,X,Y,slice\na.png,1,2.5,3,1\na.png,0,4,5,1\n",
    "counter.xml": (
        b'<?xml version="1.0" encoding="UTF-8"?><CellCounter_Marker_File>'
        b"<Image_Filename>a.png</Image_Filename><Marker_Data><Marker_Type>"
        b"<Marker><MarkerX>1</MarkerX><MarkerY>2</MarkerY></Marker>"
        b"</Marker_Type></Marker_Data></CellCounter_Marker_File>"
    ),
    "voc.xml": (
        b"<annotation><size><height>8</height><width>8</width></size><object><polygon>"
        b"<pt><x>1</x><y>2</y></pt><pt><x>4</x><y>2</y></pt></polygon></object>"
        b"</annotation>"
    ),
    "coco.json": json.dumps(
        {
            "images": [{"id": 1, "file_name": "a", "height": 8, "width": 8}],
            "annotations": [
                {"image_id": 1, "segmentation": [[1, 1, 4, 1, 4, 4]]},
                {"image_id": 1, "segmentation": {"size": [8, 8], "counts": "94T1"}},
            ],
        }
    ).encode(),
    "via.json": (
        b'{"a": {"filename": "a", "regions": [{"shape_attributes":'
        b'{"name": "circle", "cx": 3, "cy": 3, "r": 2}}]}}'
    ),
}
EDITS = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=3)), max_size=4)


def read_all(path):
    annotations = load_annotations(path)
    for image in annotations.images:
        labels = annotations.labels(image.name, shape=image.shape or (8, 8))
        assert labels.dtype == np.int32
        if image.is_points:
            annotations.points(image.name)


@pytest.mark.parametrize("name", WHOLE)
def test_every_sample_is_whole(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(WHOLE[name])
    assert is_annotation_file(path)
    if name != "coco.json":
        read_all(path)


@pytest.mark.parametrize("name", WHOLE)
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(edits=EDITS, end=st.one_of(st.just(1.0), st.floats(0, 1)))
def test_damage_ends_in_a_result_or_an_error_that_names_the_file(
    tmp_path, name, edits, end
):
    content = bytearray(WHOLE[name])
    for place, new in edits:
        start = round(place * len(content))
        content[start : start + len(new)] = new
    path = tmp_path / name
    path.write_bytes(content[: round(end * len(content))])
    is_annotation_file(path)
    said = str(path)
    try:
        read_all(path)
    except InputError as error:
        said = str(error)
    assert str(path) in said
