"""Markers of ImageJ's Cell Counter."""

import re
from xml.etree import ElementTree

import pytest

from napari_cresunet.annotations import load_annotations
from napari_cresunet.errors import InputError


def element(parent, tag, text=None):
    made = ElementTree.SubElement(parent, tag)
    made.text = text
    return made


@pytest.fixture
def load(tmp_path):
    """Write as Cell Counter does: markers in types, of which many are empty."""

    def load(*types, name="a.tif"):
        root = ElementTree.Element("CellCounter_Marker_File")
        if name is not None:
            properties = element(root, "Image_Properties")
            element(properties, "Image_Filename", name)
        data = element(root, "Marker_Data")
        element(data, "Current_Type", "0")
        for number, markers in enumerate(types, start=1):
            kind = element(data, "Marker_Type")
            element(kind, "Type", str(number))
            for marker in markers:
                made = element(kind, "Marker")
                for axis, value in zip("XYZ", marker, strict=False):
                    element(made, f"Marker{axis}", str(value))
        path = tmp_path / "CellCounter_a.xml"
        ElementTree.ElementTree(root).write(path)
        return load_annotations(path)

    return load


def test_markers_of_all_types_are_cells_at_the_centers_of_pixels(load):
    annotations = load([(3, 2, 1), (8, 9, 1)], [], [(0, 5, 1)])
    assert annotations.names == ("a.tif",)
    assert annotations.points().tolist() == [[2, 3], [9, 8], [5, 0]]
    assert annotations.images[0].is_points


def test_a_file_may_have_no_marker_and_no_name(load):
    annotations = load([], name=None)
    assert annotations.names == ("",)
    assert annotations.points("any.png").shape == (0, 2)


def test_markers_of_several_planes_are_refused(load, tmp_path):
    message = (
        f"{tmp_path / 'CellCounter_a.xml'} has cells on several planes (MarkerZ: 1, "
        "4): save those of one plane in a file of their own."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load([(3, 2, 1), (3, 2, 4)])


@pytest.mark.parametrize(
    ("marker", "fault"),
    [
        ((3,), "`MarkerY` is missing"),
        ((3, "top"), "`MarkerY` is 'top' instead of a number"),
        (("inf", 3), "`MarkerX` is 'inf' instead of a number"),
    ],
)
def test_a_fault_is_named_with_its_marker(load, tmp_path, marker, fault):
    message = (
        f"{tmp_path / 'CellCounter_a.xml'}, marker 2: {fault}; correct it or export "
        "the annotations again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load([(1, 1, 1)], [marker])
