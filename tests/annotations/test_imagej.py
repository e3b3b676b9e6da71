"""ImageJ's regions: those of one file and those of the ROI Manager."""

import re
import zipfile

import numpy as np
import pytest
from matplotlib.path import Path as Outline
from roifile import ROI_OPTIONS, ROI_SUBTYPE, ROI_TYPE, ImagejRoi, roiwrite
from tests.annotations.outlines import MIDDLE, SHAPE, inside, random_ring

from napari_cresunet.annotations import (
    is_annotation_file,
    load_annotations,
    read_annotations,
)
from napari_cresunet.errors import InputError

SUB_PIXEL = ROI_OPTIONS.SUB_PIXEL_RESOLUTION
LINES = (ROI_TYPE.LINE, ROI_TYPE.FREELINE, ROI_TYPE.POLYLINE, ROI_TYPE.ANGLE)


def area(points, kind=ROI_TYPE.FREEHAND):
    roi = ImagejRoi.frompoints(points)
    roi.roitype = kind
    return roi


def framed(kind, top, left, bottom, right):
    return ImagejRoi(roitype=kind, top=top, left=left, bottom=bottom, right=right)


def framed_exactly(kind, top, left, height, width):
    roi = ImagejRoi(roitype=kind, options=SUB_PIXEL)
    roi.yd, roi.xd, roi.heightd, roi.widthd = top, left, height, width
    return roi


def shape_of(path):
    values = np.array(path, np.float32)
    size = len(values)
    return ImagejRoi(
        roitype=ROI_TYPE.RECT, shape_roi_size=size, multi_coordinates=values
    )


def closed(ring):
    first, *others = np.asarray(ring).tolist()
    return [0, *first, *(n for point in others for n in (1, *point)), 4]


@pytest.fixture
def read(tmp_path):
    """Write regions as ROI Manager does, and read them."""

    def read(*rois):
        path = tmp_path / "RoiSet.zip"
        roiwrite(path, rois, name=[f"{n}.roi" for n in range(len(rois))], mode="w")
        return read_annotations(path, shape=SHAPE)

    return read


def refused(path, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_annotations(path, shape=SHAPE)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["POLYGON", "FREEHAND", "TRACED"])
def test_an_area_holds_the_pixels_whose_center_is_inside(read, seed, kind):
    ring = random_ring(seed)
    labels = read(area(ring.astype(np.float32), ROI_TYPE[kind]))
    np.testing.assert_array_equal(labels, inside(ring))


def test_whole_numbers_are_the_corners_of_pixels(read):
    labels = read(area([(2, 1), (6, 1), (6, 5), (2, 5)], ROI_TYPE.TRACED))
    expected = np.zeros(SHAPE, np.int32)
    expected[1:5, 2:6] = 1
    np.testing.assert_array_equal(labels, expected)


def test_a_rectangle_is_its_pixels_and_an_oval_what_lies_inside(read):
    labels = read(
        framed(ROI_TYPE.RECT, 1, 2, 4, 7),
        framed(ROI_TYPE.OVAL, 6, 3, 13, 15),
        framed_exactly(ROI_TYPE.RECT, 15.2, 3.4, 3.0, 2.0),
        framed_exactly(ROI_TYPE.OVAL, 14.5, 16.25, 4.5, 5.5),
    )
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    expected = np.zeros(SHAPE, np.int32)
    expected[1:4, 2:7] = 1
    expected[((rows - 9.5) / 3.5) ** 2 + ((columns - 9) / 6) ** 2 < 1] = 2
    expected[15:18, 3:5] = 3
    expected[((rows - 16.75) / 2.25) ** 2 + ((columns - 19) / 2.75) ** 2 < 1] = 4
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("seed", range(5))
def test_a_composite_has_holes(read, seed):
    outer = random_ring(seed, 12)
    hole = (outer - MIDDLE) * 0.4 + MIDDLE
    labels = read(shape_of(closed(outer) + closed(hole)))
    np.testing.assert_array_equal(labels, inside(outer) ^ inside(hole))
    assert 0 < np.count_nonzero(labels) < np.count_nonzero(inside(outer))


def test_the_pieces_of_a_composite_are_one_cell(read):
    left = closed([(1, 1), (4, 1), (4, 4), (1, 4)])
    right = closed([(8, 1), (9, 1), (9, 3), (8, 3)])
    labels = read(shape_of(left + right), framed(ROI_TYPE.RECT, 10, 1, 11, 2))
    expected = np.zeros(SHAPE, np.int32)
    expected[1:4, 1:4] = expected[1:3, 8:9] = 1
    expected[10, 1] = 2
    np.testing.assert_array_equal(labels, expected)


def test_curves_of_a_composite_are_followed(read):
    cubic = [(3, 10), (3, -1), (21, -1), (21, 10)]
    quadratic = [(21, 10), (12, 27), (3, 10)]
    path = [0, *cubic[0], 3, *np.ravel(cubic[1:]), 2, *np.ravel(quadratic[1:]), 4]
    codes = [Outline.MOVETO, *[Outline.CURVE4] * 3, *[Outline.CURVE3] * 2]
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    centers = np.column_stack([columns.ravel(), rows.ravel()])
    exact = Outline(cubic + quadratic[1:], codes).contains_points(centers)
    # Short lines cut the corners of a curve a little.
    assert np.count_nonzero((read(shape_of(path)) > 0) != exact.reshape(SHAPE)) <= 2
    assert exact.sum() > 150


def test_each_point_is_a_cell_and_whole_numbers_are_centers_of_pixels(tmp_path):
    path = tmp_path / "a.roi"
    area(np.float32([(3, 2), (7.75, 9.5)]), ROI_TYPE.POINT).tofile(path)
    annotations = load_annotations(path)
    assert annotations.points("any.png").tolist() == [[2, 3], [9.5, 7.75]]
    area([(3, 2), (200, 9)], ROI_TYPE.POINT).tofile(path)
    assert load_annotations(path).points().tolist() == [[2, 3], [9, 200]]


@pytest.mark.parametrize("kind", LINES)
def test_lines_and_texts_are_left_out_unless_nothing_is_left(read, tmp_path, kind):
    line = ImagejRoi(roitype=kind)
    if kind != ROI_TYPE.LINE:
        line = area([(1, 1), (3, 4)], kind)
    text = framed(ROI_TYPE.RECT, 1, 1, 3, 9)
    text.subtype, text.text = ROI_SUBTYPE.TEXT, "slice 3"
    labels = read(line, text, framed(ROI_TYPE.RECT, 5, 5, 6, 6))
    assert np.argwhere(labels).tolist() == [[5, 5]]
    path = tmp_path / "lines.zip"
    roiwrite(path, [line, text], name=["a", "b"])
    refused(
        path,
        f"{path}, 2 regions: none has an area or a point; correct it or export the "
        "annotations again.",
    )


def at(position, **more):
    roi = framed(ROI_TYPE.RECT, position, 1, position + 1, 2)
    roi.position = position
    for name, value in more.items():
        setattr(roi, name, value)
    return roi


def test_regions_of_several_planes_are_refused(read, tmp_path):
    assert read(at(0), at(3), at(3)).max() == 2
    message = (
        f"{tmp_path / 'RoiSet.zip'} has cells on several planes (position: %s): save "
        "those of one plane in a file of their own."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message % '3, 4')}$"):
        read(at(3), at(4))
    planes = "z 1 t 1, z 2 t 1"
    with pytest.raises(InputError, match=f"^{re.escape(message % planes)}$"):
        read(at(1, z_position=1, t_position=1), at(1, z_position=2, t_position=1))


def test_other_entries_of_an_archive_are_passed_over(tmp_path):
    path = tmp_path / "a.zip"
    content = framed(ROI_TYPE.RECT, 1, 2, 4, 7).tobytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sub/1.roi", content)
        archive.writestr("__MACOSX/sub/._1.roi", b"nothing")
        archive.writestr("sub/.2.roi", b"nothing")
        archive.writestr("notes.txt", b"nothing")
    assert is_annotation_file(path)
    assert np.count_nonzero(read_annotations(path, shape=SHAPE)) == 15


FAULTS = {
    "short": (b"Iout\0\0", "it is damaged or no ImageJ ROI"),
    "foreign": (b"text" * 40, "it is damaged or no ImageJ ROI"),
    "cut": (
        area(np.float32([(1, 1), (5, 1), (5, 5)])).tobytes()[:80],
        "it is damaged or no ImageJ ROI",
    ),
    "no point": (ImagejRoi(roitype=ROI_TYPE.POLYGON).tobytes(), "it has no point"),
    "unknown": (
        framed(ROI_TYPE.RECT, 1, 1, 2, 2).tobytes().replace(b"\1\0", b"\x37\0", 1),
        "it is of no kind that ImageJ has",
    ),
    "not finite": (
        area(np.float32([(1, 1), (5, 1), (5, 5)]))
        .tobytes()
        .replace(np.array(5, ">f4").tobytes(), np.array(np.nan, ">f4").tobytes(), 1),
        "a coordinate is not finite",
    ),
    "signaling": (
        area(np.float32([(1, 1), (5, 1), (5, 5)]))
        .tobytes()
        .replace(np.array(5, ">f4").tobytes(), b"\x7f\x81\0\0", 1),
        "a coordinate is not finite",
    ),
    "infinite path": (
        shape_of([0, 1, np.inf, 4]).tobytes(),
        "a coordinate is not finite",
    ),
    "command": (shape_of([0, 1, 1, 7, 1, 1]).tobytes(), "its outline is damaged"),
    "no start": (shape_of([1, 1, 1, 4]).tobytes(), "its outline is damaged"),
    "half a point": (shape_of([0, 1, 1, 1, 2]).tobytes(), "its outline is damaged"),
    "upside down": (
        framed(ROI_TYPE.OVAL, 9, 1, 2, 2).tobytes(),
        "`bounds` is negative",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_entry(tmp_path, fault):
    content, what = FAULTS[fault]
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.roi", framed(ROI_TYPE.RECT, 1, 2, 4, 7).tobytes())
        archive.writestr("bad.roi", content)
    refused(
        path, f"{path}, bad.roi: {what}; correct it or export the annotations again."
    )


def test_an_entry_that_cannot_be_unpacked_is_named(tmp_path):
    path = tmp_path / "a.zip"
    content = framed(ROI_TYPE.RECT, 1, 2, 4, 7).tobytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1.roi", content)
    path.write_bytes(path.read_bytes().replace(b"Iout", b"Inn!"))
    refused(
        path,
        f"{path}, 1.roi: it cannot be unpacked; correct it or export the annotations "
        "again.",
    )


def test_what_would_fill_the_memory_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "a.zip"
    zeros = bytes(17 * 1024**2)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.roi", zeros)
    refused(
        path,
        f"{path}, 0.roi: larger than 16 MiB; correct it or export the annotations "
        "again.",
    )
    path = tmp_path / "a.roi"
    path.write_bytes(b"Iout" + zeros)
    again = "export the annotations again."
    refused(path, f"{path} is damaged or no ImageJ ROI (larger than 16 MiB): {again}")


def test_many_entries_count_together(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.roi", bytes(1024))
    # The same entry, listed again and again, as the bombs do that unpack the most.
    content = path.read_bytes()
    where = content.index(b"PK\1\2")
    end = content.index(b"PK\5\6")
    listed = bytearray(content[where:end])
    listed[24:28] = (16 * 1024**2).to_bytes(4, "little")
    tail = bytearray(content[end:])
    tail[8:10] = tail[10:12] = (33).to_bytes(2, "little")
    tail[12:16] = (33 * len(listed)).to_bytes(4, "little")
    path.write_bytes(content[:where] + bytes(listed) * 33 + bytes(tail))
    refused(
        path,
        f"{path} is damaged or no ZIP (larger than 512 MiB): export the annotations "
        "again.",
    )
