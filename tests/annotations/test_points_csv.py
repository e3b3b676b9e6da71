"""Tables of points of many programs."""

import re

import numpy as np
import pytest

from napari_cresunet.annotations import load_annotations
from napari_cresunet.annotations._parsing import Table
from napari_cresunet.annotations._points_csv import read_points_csv
from napari_cresunet.errors import InputError

# The points (1.5, 7) and (20, 3.25), row and column.
TABLES = {
    "y, x": "y,x\n1.5,7\n20,3.25\n",
    "x first": "x,y\n7,1.5\n3.25,20\n",
    "spaces and capitals": " Row , COL \n 1.5 , 7\n20,3.25",
    "row, column": "row;column\n1.5;7\n\n20;3.25\n",
    "tabs": "name\tcenter_x\tcenter_y\na\t7\t1.5\nb\t3.25\t20\n",
    "windows": "y,x\r\n1.5,7\r\n20,3.25\r\n",
    "quotes": '"y","x","note"\n"1.5","7","a, b"\n"20","3.25",""\n',
    "napari": "index,axis-0,axis-1\n0.0,1.5,7.0\n1.0,20.0,3.25\n",
    "napari, one plane": "index,axis-0,axis-1,axis-2\n0,4,1.5,7\n1,4,20,3.25\n",
    "scikit-image": "label,centroid-0,centroid-1\n1,1.5,7\n2,20,3.25\n",
    "our own": (
        "label,area,mean_probability,centroid_y,centroid_x,plane\n"
        "1,30,0.9,1.5,7,0\n2,0,nan,nan,nan,-1\n3,12,0.7,20,3.25,0\n"
    ),
    "ImageJ, points": (
        " ,Label,Area,X,Y,Slice\n1,a.tif,0,7,1.5,1\n2,a.tif,0,3.25,20,1\n"
    ),
    "ImageJ, areas": (
        " ,Label,Area,X,Y\n1,a.tif,30,7.5,2\n2,a.tif,12,3.75,20.5\n"
        "3,Mean,21,5,11\n4,SD,1,1,1\n5,Min,12,3,2\n6,Max,30,7,20\n"
    ),
}


@pytest.fixture
def write(tmp_path):
    def write(text, **options):
        path = tmp_path / "points.csv"
        path.write_text(text, newline="", **options)
        return path

    return write


def refused(path, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_annotations(path)


@pytest.mark.parametrize("program", TABLES)
def test_the_columns_of_many_programs_are_understood(write, program):
    annotations = load_annotations(write(TABLES[program]))
    points = annotations.points("any.tif")
    assert points.dtype == np.float64
    assert points.tolist() == [[1.5, 7], [20, 3.25]]
    assert annotations.images[0].is_points


def test_a_byte_order_mark_does_no_harm(write):
    path = write("y,x\n1,2\n", encoding="utf-8-sig")
    assert load_annotations(path).points().tolist() == [[1, 2]]


def test_a_table_may_have_no_point(write):
    annotations = load_annotations(write("y,x\n"))
    assert annotations.points().shape == (0, 2)
    assert annotations.labels(shape=(3, 4)).max() == 0


def test_a_column_of_images_divides_the_points(write):
    path = write("image,y,x,z\na.png,1,2,0\nb.png,3,4,1\na.png,5,6,0\n")
    annotations = load_annotations(path)
    assert annotations.names == ("a.png", "b.png")
    assert annotations.points("a.png").tolist() == [[1, 2], [5, 6]]
    assert annotations.points("b").tolist() == [[3, 4]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("index,axis-0,axis-1,axis-2\n0,4,1,7\n1,5,2,3\n", "column axis-0: 4, 5"),
        ("X,Y,Slice\n1,2,1\n1,2,3\n", "column slice: 1, 3"),
        (
            "plane,centroid_y,centroid_x\n0,1,1\n1,1,1\n2,1,1\n3,1,1\n",
            "column plane: 0, 1, 2 and 1 more",
        ),
    ],
)
def test_points_of_several_planes_are_refused(write, text, found):
    path = write(text)
    refused(
        path,
        f"{path} has cells on several planes ({found}): save those of one plane in a "
        "file of their own.",
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("y,x\n1,2\n3\n", "line 3: `x` is missing"),
        ("y,x\n1,2\n,3\n", "line 3: `y` is missing"),
        ("y;x\n1,5;2\n", "line 2: `y` is '1,5' instead of a number"),
        ("y,x\n\n\n1,nan\n", "line 4: `x` is 'nan' instead of a number"),
        ("y,x\n1e999,1\n", "line 2: `y` is '1e999' instead of a number"),
        (
            f"y,x\n{'9' * 400},1\n",
            f"line 2: `y` is '{'9' * 26}... instead of a number",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(write, text, fault):
    path = write(text)
    refused(path, f"{path}, {fault}; correct it or export the annotations again.")


def test_a_table_without_such_columns_is_named():
    message = (
        "a.csv, line 1: it names no columns of points; correct it or export the "
        "annotations again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_points_csv("a.csv", Table(("x", "name")))
