"""Pascal VOC files, above all those of Fluorescent Neuronal Cells."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from napari_cresunet.annotations import load_annotations, read_annotations
from napari_cresunet.errors import InputError

# Cells with the outline that OpenCV gives: a block, one pixel, a line, a block with a
# tail of one pixel's width. Points are x, y.
CELLS = {
    "block": ([(1, 1), (1, 3), (4, 3), (4, 1)], np.s_[1:4, 1:5]),
    "pixel": ([(8, 1)], np.s_[1, 8]),
    "line": ([(7, 5), (11, 5)], np.s_[5, 7:12]),
    "column": ([(13, 1), (13, 6)], np.s_[1:7, 13]),
}


def element(parent, tag, text=None, **children):
    made = ElementTree.SubElement(parent, tag)
    made.text = text
    for name, value in children.items():
        element(made, name, str(value))
    return made


def document(height=8, width=16):
    root = ElementTree.Element("annotation")
    element(root, "filename", "7.png")
    element(root, "size", width=width, height=height, depth=1)
    return root


def add_polygon(root, points, **more):
    item = element(root, "object", name="citoplasm", **more)
    polygon = element(item, "polygon")
    for x, y in points:
        element(polygon, "pt", x=x, y=y)


def add_box(root, left, top, right, bottom):
    item = element(root, "object", name="citoplasm")
    element(item, "bndbox", xmin=left, ymin=top, xmax=right, ymax=bottom)


def add_dot(root, x, y):
    element(element(root, "object", name="object_class"), "dot", x=x, y=y)


@pytest.fixture
def read(tmp_path):
    def read(root, **options):
        path = tmp_path / "7.xml"
        ElementTree.ElementTree(root).write(path)
        return read_annotations(path, **options)

    return read


@pytest.mark.parametrize("cell", CELLS)
def test_an_outline_of_opencv_gives_back_its_cell(read, cell):
    points, where = CELLS[cell]
    root = document()
    add_polygon(root, points)
    expected = np.zeros((8, 16), np.int32)
    expected[where] = 1
    np.testing.assert_array_equal(read(root), expected)


def test_a_tail_of_one_pixel_is_kept(read):
    root = document()
    add_polygon(root, [(2, 2), (2, 4), (4, 4), (4, 3), (7, 3), (4, 3), (4, 2)])
    expected = np.zeros((8, 16), np.int32)
    expected[2:5, 2:5] = 1
    expected[3, 5:8] = 1
    np.testing.assert_array_equal(read(root), expected)


def test_outline_box_and_dot_of_a_cell_are_one_cell(read):
    root = document()
    for points, _ in CELLS.values():
        add_polygon(root, points)
    outlines_only = read(root)
    add_box(root, 1, 1, 5, 4)
    add_box(root, 8, 1, 9, 2)
    add_box(root, 7, 5, 12, 6)
    add_box(root, 13, 1, 14, 7)
    for x, y in [(2, 2), (8, 1), (9, 5), (13, 3)]:
        add_dot(root, x, y)
    np.testing.assert_array_equal(read(root), outlines_only)
    assert outlines_only.max() == 4


def test_a_cell_that_has_only_a_box_stays_beside_outlined_ones(read):
    root = document()
    add_polygon(root, CELLS["block"][0])
    add_box(root, 9, 2, 12, 6)
    labels = read(root)
    expected = np.zeros((8, 16), np.int32)
    expected[1:4, 1:5] = 1
    expected[2:6, 9:12] = 2
    np.testing.assert_array_equal(labels, expected)


def test_dots_alone_are_one_pixel_each(read):
    root = document()
    add_dot(root, 3, 2)
    add_dot(root, 11, 7)
    assert np.argwhere(read(root)).tolist() == [[2, 3], [7, 11]]


def test_numbered_coordinates_and_points_are_understood(read):
    root = document()
    polygon = element(element(root, "object"), "polygon")
    for number, (x, y) in enumerate(CELLS["block"][0], start=1):
        element(polygon, f"x{number}", str(x))
        element(polygon, f"y{number}", str(y))
    element(element(root, "object"), "point", x=9, y=6)
    root.remove(root[-1])
    labels = read(root)
    assert labels[1:4, 1:5].all()
    assert np.count_nonzero(labels) == 12


def test_an_outline_is_preferred_to_the_box_of_the_same_object(read):
    root = document()
    add_polygon(root, [(1, 1), (1, 5), (5, 5)])
    element(root[-1], "bndbox", xmin=1, ymin=1, xmax=6, ymax=6)
    labels = read(root)
    assert labels[5, 1] == 1
    assert labels[1, 5] == 0


def test_what_lies_outside_is_cut_off_and_an_image_may_be_empty(read):
    root = document()
    assert read(root).max() == 0
    add_polygon(root, [(-5, -5), (-5, 2), (2, 2), (2, -5)])
    add_polygon(root, [(40, 40), (40, 50), (50, 50)])
    add_box(root, 14, 6, 1e300, 99)
    add_dot(root.find("object"), 1, 1)
    labels = read(root)
    expected = np.zeros((8, 16), np.int32)
    expected[:3, :3] = 1
    expected[6:, 14:] = 2
    np.testing.assert_array_equal(labels, expected)


def test_a_file_without_size_needs_the_shape(read, tmp_path):
    root = document(height=0, width=0)
    add_dot(root, 3, 2)
    assert read(root, shape=(4, 5)).shape == (4, 5)
    message = f"{tmp_path / '7.xml'} does not say how large 7.png is: give `shape`."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(root)
    root.remove(root.find("size"))
    assert read(root, shape=(4, 5)).shape == (4, 5)


def test_another_size_is_refused(read, tmp_path):
    message = (
        f"{tmp_path / '7.xml'} is for an image of 8 x 16 px, but 7.png has 9 x 16 px: "
        "use the annotations made for it."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(document(), shape=(9, 16))


def empty_object(root):
    element(root, "object", name="cell")


def polygon_without_points(root):
    element(element(root, "object"), "polygon")


def box_without_side(root):
    element(element(root, "object"), "bndbox", xmin=1, ymin=2, xmax=3)


def word_for_number(root):
    add_dot(root, "left", 2)


def infinite_point(root):
    add_polygon(root, [(1, 2), ("inf", 3)])


def half_a_size(root):
    root.find("size").find("width").text = "15.5"


def gigantic(root):
    root.find("size").find("width").text = "9999999999"


FAULTS = {
    empty_object: "object 1: it has no polygon, bndbox or dot",
    polygon_without_points: "object 1: its polygon has no point",
    box_without_side: "object 1: `ymax` is missing",
    word_for_number: "object 1: `x` is 'left' instead of a number",
    infinite_point: "object 1: `x` is 'inf' instead of a number",
    half_a_size: "size: 8 x 15.5 is no size of an image",
    gigantic: "size: 8 x 1e+10 is no size of an image",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_named_with_its_place(read, tmp_path, fault):
    root = document()
    fault(root)
    message = (
        f"{tmp_path / '7.xml'}, {FAULTS[fault]}; correct it or export the annotations "
        "again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read(root)


def test_the_name_is_that_of_the_image_or_else_of_the_file(tmp_path):
    path = tmp_path / "9.xml"
    ElementTree.ElementTree(document()).write(path)
    assert load_annotations(path).names == ("7.png",)
    path.write_text("<annotation><object/></annotation>".replace("<object/>", ""))
    assert load_annotations(path).names == ("9.xml",)
