"""A count drawn over its image."""

import re
from xml.etree import ElementTree

import imageio.v3 as iio
import numpy as np
import pytest
from tests.export.counts import SHAPE, counted, everything, image_of, left_half

from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.export import overlay_figure, scale_bar, write_overlay
from napari_cresunet.export._count_overlay import overlay_picture
from napari_cresunet.measurement import Region

ZOOM = 1000 // SHAPE[1]
CELL_COLOR = (86, 180, 233)
REGION_COLOR = (230, 159, 0)


def is_near(picture, color):
    return (np.abs(picture.astype(int) - color) < 40).all(axis=-1)


def texts_in(figure):
    return [one.get_text() for one in figure.axes[0].texts]


@pytest.mark.parametrize(
    ("width", "pixel", "text", "px"),
    [
        (1000, 1.0, "200 µm", 200),
        (1000, 0.65, "100 µm", 100 / 0.65),
        (1000, 1.6, "500 µm", 500 / 1.6),
        (1000, 5.0, "1 mm", 200),
        (1000, 60.0, "10 mm", 10_000 / 60),
        (100, 0.01, "200 nm", 20),
        (100, 0.0001, "2 nm", 20),
        (16, 1.0, "5 µm", 5),
    ],
)
def test_a_scale_bar_is_round_and_near_a_fifth(width, pixel, text, px):
    bar = scale_bar(width, pixel)
    assert bar.text == text
    assert bar.px == pytest.approx(px)


@pytest.mark.parametrize("width", [37, 500, 12_345])
def test_no_round_length_is_closer_to_a_fifth(width):
    for pixel in np.geomspace(1e-3, 1e3, 60):
        assert 1 / 1.6 < scale_bar(width, pixel).px / (width / 5) < 1.6


def test_outlines_lie_on_the_edges_of_the_cells(tmp_path):
    path = tmp_path / "a.png"
    write_overlay(path, counted())
    picture = iio.imread(path)[..., :3]
    assert picture.shape == (SHAPE[0] * ZOOM, SHAPE[1] * ZOOM, 3)
    found = np.argwhere(is_near(picture, CELL_COLOR)) / ZOOM
    labels = counted().labels
    padded = np.pad(labels, 1)
    for row, column in found:
        near = padded[round(row - 0.5) : round(row + 1.5) + 1]
        near = near[:, round(column - 0.5) : round(column + 1.5) + 1]
        assert len(np.unique(near)) > 1
    # All around the square of 4 px.
    square = is_near(picture, CELL_COLOR)[: 12 * ZOOM, : 20 * ZOOM]
    rows, columns = np.nonzero(square)
    edges = [rows.min(), rows.max(), columns.min(), columns.max()]
    assert np.abs(np.divide(edges, ZOOM) - [5, 9, 10, 14]).max() < 0.1


def test_the_image_is_behind_with_its_contrast_stretched():
    picture = overlay_picture(counted(), largest=8192)
    assert tuple(picture[7 * ZOOM, 12 * ZOOM]) == (255, 255, 255)
    assert tuple(picture[30 * ZOOM, 5 * ZOOM]) == (0, 0, 0)


def test_colors_stay_and_transparency_goes():
    image = np.zeros((*SHAPE, 4), np.uint8)
    image[..., 1], image[..., 3] = np.linspace(0, 90, SHAPE[1]), 255
    picture = overlay_picture(counted(image=image), largest=8192)
    right = picture[20 * ZOOM, -3]
    assert right[1] > 240
    assert tuple(right[[0, 2]]) == (0, 0)


def test_channels_in_front_are_shown_together():
    one, other = np.zeros(SHAPE), np.zeros(SHAPE)
    one[:, :30], other[:, 30:] = 1, 1000
    picture = overlay_picture(counted(image=np.stack([one, other])), largest=8192)
    assert (picture[30 * ZOOM, [9 * ZOOM, -9]] == 255).all()


def test_what_is_not_finite_is_black():
    image = image_of(counted().labels).astype(float)
    image[0, :5], image[1, :5] = np.nan, np.inf
    picture = overlay_picture(counted(image=image), largest=8192)
    assert (picture[:ZOOM, : 5 * ZOOM] == 0).all()
    assert tuple(picture[7 * ZOOM, 12 * ZOOM]) == (255, 255, 255)
    nothing = overlay_picture(counted(image=np.full(SHAPE, np.nan)), largest=8192)
    assert (nothing[30 * ZOOM] == 0).all()


def test_large_images_are_shrunk_by_a_whole_number():
    labels = np.zeros((41, 2100), np.int32)
    labels[10:30, 2080:] = 1
    one = counted(labels=labels, image=None)
    assert overlay_picture(one, largest=8192).shape[:2] == (41, 2100)
    small = overlay_picture(one, largest=1000)
    assert small.shape[:2] == (14, 700)
    columns = np.nonzero(is_near(small, CELL_COLOR))[1]
    assert columns.min() * 3 == pytest.approx(2080, abs=5)


def test_numbers_are_optional():
    assert texts_in(overlay_figure(counted())) == []
    assert texts_in(overlay_figure(counted(), numbers=True)) == ["2", "5", "300"]


def test_a_number_stands_in_its_cell():
    one = counted()
    for text in overlay_figure(one, numbers=True).axes[0].texts:
        column, row = map(round, text.get_position())
        assert one.labels[row, column] == int(text.get_text())


def test_a_scale_bar_needs_the_size_of_a_pixel():
    figure = overlay_figure(counted(pixel_size=(0.5, 0.25)))
    assert texts_in(figure) == ["2 µm"]
    (bar,) = figure.axes[0].patches
    assert bar.get_width() == 2 / 0.25
    assert not overlay_figure(counted()).axes[0].patches


def test_regions_have_outlines_and_names_inside():
    beyond = Region(name="beyond", polygons=(np.array([[50, 1], [60, 1], [60, 9.0]]),))
    other = Region(name="elsewhere", polygons=left_half().polygons, plane=4)
    figure = overlay_figure(counted(regions=[left_half(), everything(), beyond, other]))
    assert texts_in(figure) == ["left", "all of it"]
    column, row = figure.axes[0].texts[0].xy
    assert 0 <= column < 30
    assert 0 <= row < 10
    picture = overlay_picture(counted(regions=[left_half()]), largest=8192)
    columns = np.nonzero(is_near(picture[20 * ZOOM : 38 * ZOOM], REGION_COLOR))[1]
    assert np.abs(columns / ZOOM - 30).min() < 0.1


def test_of_a_stack_the_fullest_plane_is_drawn_or_the_one_that_is_named():
    labels = np.zeros((3, *SHAPE), np.int32)
    labels[1], labels[2, 0, 0] = counted().labels, 4
    image = np.zeros(labels.shape)
    one = counted(labels=labels, image=image)
    assert texts_in(overlay_figure(one)) == ["plane 1 of 0 to 2"]
    last = overlay_figure(one, plane=2, numbers=True)
    assert texts_in(last) == ["4", "plane 2 of 0 to 2"]


def test_in_svg_outlines_are_lines_and_text_is_text(tmp_path):
    path = tmp_path / "a.svg"
    write_overlay(path, counted(pixel_size=(0.5, 0.25)), numbers=True)
    root = ElementTree.parse(path).getroot()
    texts = [one.text for one in root.iter() if one.tag.endswith("}text")]
    assert texts == ["2", "5", "300", "2 µm"]
    lines = [
        one
        for one in root.iter()
        if one.tag.endswith("}path") and "#56b4e9" in one.get("style", "")
    ]
    assert len(lines) == 4  # the bar has two pieces
    pdf = tmp_path / "a.pdf"
    write_overlay(pdf, counted())
    assert pdf.read_bytes().startswith(b"%PDF")


def refused(message, function, *args, kind=InputError, **options):
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        function(*args, **options)


def test_what_cannot_be_drawn_is_refused(tmp_path):
    refused("There is no plane 1: the image has 1.", overlay_figure, counted(), plane=1)
    refused(
        "Image and labels of slice 1 differ in shape: (3, 4) and (40, 60); take the "
        "image of these labels.",
        overlay_figure,
        counted(image=np.zeros((3, 4))),
    )
    refused(
        "slice 1 has no pixel: there is nothing to draw.",
        overlay_figure,
        counted(labels=np.zeros((0, 4), int), image=None),
    )
    path = tmp_path / "a.bmp"
    refused(
        f"{path} does not end in .png, .svg, .pdf: name the figure so.",
        write_overlay,
        path,
        counted(),
    )
    (tmp_path / "a.png").mkdir()
    refused(
        f"{tmp_path / 'a.png'} cannot be written (Is a directory): choose another "
        "folder or free some space.",
        write_overlay,
        tmp_path / "a.png",
        counted(),
        kind=EngineError,
    )
