"""What image layers say of themselves, and where results go. No window is needed."""

import numpy as np
import pytest
from napari.layers import Image, Labels, Shapes

from napari_cresunet.widgets._drawing import polygons_of
from napari_cresunet.widgets._layers import (
    is_source,
    placement_of,
    shown_plane,
    source_of,
    visible_region,
)

pytestmark = pytest.mark.gui


def test_an_image_in_micrometers_tells_its_pixel_size():
    layer = Image(np.zeros((3, 8, 9)), scale=(5, 0.5, 0.25), units=("um", "um", "um"))
    assert source_of(layer).pixel_um == pytest.approx((0.5, 0.25))


def test_nanometers_become_micrometers():
    layer = Image(np.zeros((8, 9)), scale=(500, 500), units=("nm", "nm"))
    assert source_of(layer).pixel_um == pytest.approx((0.5, 0.5))


def test_an_image_in_pixels_has_no_physical_size():
    assert source_of(Image(np.zeros((8, 9)), scale=(2, 2))).pixel_um is None


def test_of_a_pyramid_the_full_resolution_is_taken():
    layer = Image([np.zeros((64, 80)), np.zeros((32, 40))], multiscale=True)
    assert source_of(layer).image.shape == (64, 80)


def test_a_color_image_says_so_and_a_diameter_is_read():
    metadata = {"cresunet": {"diameter": 28}}
    layer = Image(np.zeros((8, 9, 3), np.uint8), rgb=True, metadata=metadata)
    source = source_of(layer)
    assert (source.is_rgb, source.diameter) == (True, 28.0)


def test_labels_and_results_are_no_images_to_count():
    image = np.zeros((8, 9))
    assert is_source(Image(image))
    assert is_source(Image(image, metadata={"cresunet": {"diameter": 3}}))
    assert not is_source(Labels(image.astype(int)))
    assert not is_source(Image(image, metadata={"cresunet": {"source": "x"}}))


@pytest.mark.parametrize("offset", [(0, 0), (5, 7)])
def test_a_part_of_an_image_lies_where_it_was_cut_out(offset):
    image = Image(
        np.zeros((2, 40, 50)),
        scale=(3, 0.5, 2),
        translate=(1, 10, 20),
        rotate=30,
        affine=np.array([[1, 0, 0, 4], [0, 1, 0.5, 5], [0, 0, 1, 6], [0, 0, 0, 1.0]]),
        units=("um", "um", "um"),
        axis_labels=("z", "y", "x"),
    )
    part = Labels(np.zeros((2, 9, 9), int), **placement_of(image).shifted(offset))
    for corner in ((0, 0, 0), (1, 3, 8)):
        there = np.add(corner, (0, *offset))
        assert np.allclose(part.data_to_world(corner), image.data_to_world(there))
    assert part.units == image.units
    assert part.axis_labels == image.axis_labels


def test_the_field_of_view_is_what_the_canvas_shows(viewer):
    layer = viewer.add_image(np.zeros((2, 40, 50)))
    layer.corner_pixels = np.array([[0, 3, 4], [0, 20, 30]])
    assert visible_region(viewer, layer) == (slice(3, 21), slice(4, 31))


def test_the_field_of_view_of_a_pyramid_is_in_px_of_the_full_resolution(viewer):
    layer = viewer.add_image([np.zeros((80, 100)), np.zeros((40, 50))])
    layer.data_level = 1
    layer.corner_pixels = np.array([[3, 4], [20, 30]])
    rows, columns = visible_region(viewer, layer)
    assert (rows.start, columns.start) == (6, 8)
    assert (rows.stop, columns.stop) == (41, 61)


def test_there_is_no_field_of_view_in_3d_or_of_an_image_out_of_sight(viewer):
    layer = viewer.add_image(np.zeros((2, 40, 50)))
    layer.corner_pixels = np.array([[0, 39, 49], [0, 39, 49]])
    assert visible_region(viewer, layer) is None
    layer.corner_pixels = np.array([[0, 3, 4], [0, 20, 30]])
    viewer.dims.ndisplay = 3
    assert visible_region(viewer, layer) is None


def test_planes_are_numbered_through_all_leading_axes(viewer):
    layer = viewer.add_image(np.zeros((2, 3, 8, 9)), scale=(1, 2, 1, 1))
    viewer.dims.set_current_step((0, 1), (1, 2))
    assert shown_plane(viewer, layer) == 5


def test_shapes_become_polygons_in_px_of_the_image():
    image = Image(np.zeros((4, 40, 50)), scale=(1, 0.5, 0.5), translate=(0, 10, 0))
    square = np.array([[12, 2], [12, 6], [16, 6], [16, 2]], float)
    shapes = Shapes([square, square, square])
    shapes.shape_type = ["rectangle", "ellipse", "path"]
    rectangle, ellipse = polygons_of(shapes, image)
    assert np.allclose(rectangle, [[4, 4], [4, 12], [12, 12], [12, 4]])
    assert np.allclose(np.hypot(*(ellipse - [8, 8]).T), 4)


def test_of_selected_shapes_the_others_do_not_count():
    image = Image(np.zeros((40, 50)))
    square = np.array([[12, 2], [12, 6], [16, 6], [16, 2]], float)
    shapes = Shapes([square, square + 10])
    shapes.selected_data = {1}
    (only,) = polygons_of(shapes, image)
    assert np.allclose(only, square + 10)
