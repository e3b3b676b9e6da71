"""Every cell is measured, against scikit-image and numbers worked out by hand."""

import re

import numpy as np
import pytest
from skimage.measure import regionprops
from tests.scenes import THREE, paint

from napari_cresunet.errors import InputError
from napari_cresunet.measurement import Region, iter_measure, measure
from napari_cresunet.steps import drain

PLAIN = [
    *("label", "area_px", "equivalent_diameter_px", "major_axis_px", "minor_axis_px"),
    *("eccentricity", "solidity", "centroid_y_px", "centroid_x_px", "touches_border"),
]
IN_UM = [
    *("label", "area_px", "area_um2"),
    *("equivalent_diameter_px", "equivalent_diameter_um"),
    *("major_axis_px", "minor_axis_px", "major_axis_um", "minor_axis_um"),
    *("eccentricity", "solidity", "centroid_y_px", "centroid_x_px"),
    *("centroid_y_um", "centroid_x_um", "touches_border"),
]


@pytest.fixture
def blobs():
    """Return odd shapes, with holes, in pieces and of one pixel, not contiguous."""
    rng = np.random.default_rng(5)
    labels = np.zeros((70, 90), np.int32)
    for number in (3, 4, 9, 20, 21, 50):
        top, left = rng.integers(0, 60, 2)
        piece = labels[top : top + 15, left : left + 22]
        piece[rng.random(piece.shape) < 0.6] = number
    labels[0, 89] = 70
    labels[69, 3:9] = 71
    return labels


def test_shapes_are_those_of_scikit_image(blobs):
    table = measure(blobs)
    props = regionprops(blobs)
    assert list(table) == PLAIN
    assert table["label"].tolist() == [one.label for one in props]
    assert table["area_px"].tolist() == [one.area for one in props]
    for name, other in {
        "equivalent_diameter_px": "equivalent_diameter_area",
        "major_axis_px": "axis_major_length",
        "minor_axis_px": "axis_minor_length",
        "eccentricity": "eccentricity",
        "solidity": "solidity",
    }.items():
        expected = [getattr(one, other) for one in props]
        assert table[name] == pytest.approx(expected, abs=1e-9), name
    centroids = np.stack([table["centroid_y_px"], table["centroid_x_px"]], axis=1)
    assert centroids == pytest.approx(np.array([one.centroid for one in props]))


@pytest.mark.parametrize("pixel_size", [(0.5, 0.5), (0.3, 0.7)])
def test_micrometers_are_those_of_scikit_image(blobs, pixel_size):
    table = measure(blobs, pixel_size=pixel_size)
    props = regionprops(blobs, spacing=pixel_size)
    assert list(table) == IN_UM
    for name, other in {
        "area_um2": "area",
        "equivalent_diameter_um": "equivalent_diameter_area",
        "major_axis_um": "axis_major_length",
        "minor_axis_um": "axis_minor_length",
        "eccentricity": "eccentricity",
    }.items():
        expected = [getattr(one, other) for one in props]
        assert table[name] == pytest.approx(expected, abs=1e-7), name
    centroids = np.stack([table["centroid_y_um"], table["centroid_x_um"]], axis=1)
    assert centroids == pytest.approx(np.array([one.centroid for one in props]))


def test_a_cell_of_one_pixel_has_a_shape():
    labels = np.zeros((5, 5), np.uint8)
    labels[2, 3] = 200
    row = {name: column.item() for name, column in measure(labels).items()}
    assert row == {
        "label": 200,
        "area_px": 1,
        "equivalent_diameter_px": pytest.approx(2 / np.sqrt(np.pi)),
        "major_axis_px": 0.0,
        "minor_axis_px": 0.0,
        "eccentricity": 0.0,
        "solidity": 1.0,
        "centroid_y_px": 2.0,
        "centroid_x_px": 3.0,
        "touches_border": False,
    }


def test_cells_at_each_side_touch_the_border():
    labels = np.zeros((9, 9), int)
    labels[0, 4] = labels[4, 0] = labels[8, 4] = labels[4, 8] = 1
    for number, place in enumerate([(0, 4), (4, 0), (8, 4), (4, 8), (1, 1), (7, 7)], 1):
        labels[place] = number
    expected = [True, True, True, True, False, False]
    assert measure(labels)["touches_border"].tolist() == expected


def background_by_hand(labels, image, number):
    """Look at each pixel: near the box of the cell, and of no cell."""
    rows, columns = np.nonzero(labels == number)
    top, left, bottom, right = rows.min(), columns.min(), rows.max(), columns.max()
    margin = max(3, int(np.ceil(max(bottom - top + 1, right - left + 1) / 2)))
    return np.median(
        [
            image[row, column]
            for row in range(labels.shape[0])
            for column in range(labels.shape[1])
            if labels[row, column] == 0
            and top - margin <= row <= bottom + margin
            and left - margin <= column <= right + margin
        ]
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, ">u2"])
def test_brightness_is_that_of_a_slow_loop(blobs, dtype):
    image = np.random.default_rng(0).integers(0, 255, blobs.shape).astype(dtype)
    table = measure(blobs, image=image)
    assert list(table)[-3:] == ["mean_intensity", "background", "integrated_intensity"]
    for row, number in enumerate(table["label"]):
        values = image[blobs == number].astype(float)
        background = background_by_hand(blobs, image, number)
        assert table["mean_intensity"][row] == pytest.approx(values.mean())
        assert table["background"][row] == background
        expected = sum(values - background)
        assert table["integrated_intensity"][row] == pytest.approx(expected)


def test_without_surroundings_there_is_no_background():
    table = measure(np.ones((4, 5), int), image=np.full((4, 5), 9))
    assert table["mean_intensity"].tolist() == [9.0]
    assert np.isnan(table["background"]).all()
    assert np.isnan(table["integrated_intensity"]).all()


def test_a_pixel_that_is_not_a_number_makes_its_cell_unknown_alone(blobs):
    image = np.ones(blobs.shape)
    image[0, 89] = np.nan
    table = measure(blobs, image=image)
    assert np.isnan(table["mean_intensity"]).tolist() == (table["label"] == 70).tolist()


def test_the_probability_of_a_cell_is_its_mean_and_its_highest(blobs):
    probability = np.random.default_rng(1).random(blobs.shape, np.float32)
    table = measure(blobs, image=probability, probability=probability)
    assert list(table)[-5:-3] == ["mean_probability", "max_probability"]
    assert table["mean_probability"] == pytest.approx(table["mean_intensity"])
    highest = [probability[blobs == number].max() for number in table["label"]]
    assert table["max_probability"].tolist() == highest


@pytest.mark.parametrize("n_colors", [3, 4])
@pytest.mark.parametrize("rgb", [True, None])
def test_colors_have_columns_of_their_own(blobs, n_colors, rgb):
    image = np.random.default_rng(2).integers(0, 255, (*blobs.shape, n_colors))
    table = measure(blobs, image=image, rgb=rgb)
    endings = [name for name in table if name.startswith("background")]
    assert endings == ["background_red", "background_green", "background_blue"]
    for index, color in enumerate(("red", "green", "blue")):
        one = measure(blobs, image=image[..., index])
        for name in ("mean_intensity", "background", "integrated_intensity"):
            assert (table[f"{name}_{color}"] == one[name]).all()


def test_channels_have_their_names(blobs):
    image = np.random.default_rng(2).integers(0, 255, (2, *blobs.shape))
    numbered = measure(blobs, image=image)
    named = measure(blobs, image=image, channels=["DAPI", "GFP"])
    for index, (number, name) in enumerate((("1", "DAPI"), ("2", "GFP"))):
        one = measure(blobs, image=image[index])["integrated_intensity"]
        assert (numbered[f"integrated_intensity_{number}"] == one).all()
        assert (named[f"integrated_intensity_{name}"] == one).all()
    single = measure(blobs, image=image[0], channels=["GFP"])
    assert "mean_intensity_GFP" in single


def test_labels_of_one_plane_are_cells_of_it():
    planes = np.stack([paint(*THREE), paint(*THREE[:1]) * 9])
    image = np.random.default_rng(3).random(planes.shape)
    table = measure(planes.reshape(2, 1, *planes.shape[1:]), image=image[:, None])
    assert list(table)[:3] == ["label", "plane", "planes"]
    assert table["label"].tolist() == [1, 2, 3, 9]
    assert table["plane"].tolist() == [0, 0, 0, 1]
    assert table["planes"].tolist() == [1, 1, 1, 1]
    first = measure(planes[0], image=image[0])
    for name, column in first.items():
        assert (table[name][:3] == column).all(), name


def test_a_cell_on_several_planes_has_the_shape_of_the_largest_and_all_its_light():
    planes = np.zeros((5, 30, 30), int)
    planes[1, 10:14, 10:14] = 7
    planes[2, 9:15, 10:16] = 7
    planes[3, 9:12, 12:14] = 7
    image = np.random.default_rng(4).random(planes.shape)
    table = measure(planes, image=image, probability=image)
    alone = measure(planes[2])
    for name in PLAIN:
        assert table[name].tolist() == alone[name].tolist(), name
    assert (table["plane"].tolist(), table["planes"].tolist()) == ([2], [3])
    assert table["mean_intensity"] == pytest.approx(image[planes == 7].mean())
    assert table["max_probability"] == image[planes == 7].max()
    # Boxes of 4, 6 and 3 px have 3, 3 and 3 px around them.
    around = np.concatenate(
        [
            image[1, 7:17, 7:17][planes[1, 7:17, 7:17] == 0],
            image[2, 6:18, 7:19][planes[2, 6:18, 7:19] == 0],
            image[3, 6:15, 9:17][planes[3, 6:15, 9:17] == 0],
        ]
    )
    assert table["background"] == np.median(around)
    total = (image[planes == 7] - np.median(around)).sum()
    assert table["integrated_intensity"] == pytest.approx(total)


def test_of_equally_large_planes_the_middle_one_tells_the_place():
    planes = np.zeros((9, 8, 8), int)
    planes[2:7, 3:5, 3:5] = 1
    planes[6, 5, 5] = 2
    assert measure(planes)["plane"].tolist() == [4, 6]


def test_regions_are_named_and_overlaps_name_both():
    labels = paint(*THREE)
    left = Region(name="left", mask=np.arange(90)[None].repeat(60, 0) < 50)
    middle = Region(name="middle", polygons=(np.array([[0, 30], [0, 60], [59, 45]]),))
    table = measure(labels, regions=[left, middle, left])
    assert list(table)[-1] == "region"
    assert table["region"].tolist() == ["left", "left; middle", ""]


def test_without_cells_all_columns_are_there_and_empty():
    labels = np.zeros((2, 6, 7), np.uint8)
    region = Region(name="all", mask=np.ones((6, 7), bool))
    image = np.zeros((2, 6, 7, 3))
    table = measure(
        labels,
        image=image,
        probability=labels,
        pixel_size=(1, 1),
        regions=[region],
    )
    assert {len(column) for column in table.values()} == {0}
    assert len(table) == 2 + len(IN_UM) + 2 + 9 + 1
    kinds = {name: table[name].dtype.kind for name in table}
    assert [kinds[n] for n in ("label", "plane", "touches_border", "region")] == [
        *("i", "i", "b", "U")
    ]


@pytest.mark.parametrize("shape", [(0, 5), (3, 0, 7), (0, 4, 4)])
def test_an_image_without_pixels_has_no_cells(shape):
    labels = np.zeros(shape, int)
    assert len(measure(labels, image=labels, probability=labels)["label"]) == 0


@pytest.mark.parametrize("number", [10_000_001, 2**31 + 7, 2**62])
def test_numbers_may_be_large(number):
    labels = paint(*THREE).astype(np.int64)
    table = measure(labels)
    labels[labels == 2] = number
    large = measure(labels)
    assert large["label"].tolist() == [1, 3, number]
    assert large["area_px"].tolist() == table["area_px"][[0, 2, 1]].tolist()


def test_steps_lead_to_the_same_table_and_end_at_the_number_of_cells():
    labels = np.kron(np.arange(1, 61).reshape(6, 10), np.ones((4, 4), int))
    steps = []
    table = drain(iter_measure(labels), steps.append)
    assert [step.done for step in steps] == [25, 50, 60]
    assert {step.total for step in steps} == {60}
    for name, column in measure(labels).items():
        assert (table[name] == column).all()


def test_nothing_that_is_given_changes(blobs):
    image = np.random.default_rng(0).random(blobs.shape)
    before = blobs.copy(), image.copy()
    for array in (blobs, image):
        array.flags.writeable = False
    measure(blobs, image=image, probability=image, pixel_size=(1, 2))
    assert (blobs == before[0]).all()
    assert (image == before[1]).all()


LABELS = np.zeros((4, 5), int)
OTHER = (
    "Labels and {0} differ in shape: (4, 5) and {1}; take the {0} of these labels."
).format
NO_SIZE = "`pixel_size` must be height and width in µm, both above 0, got {}.".format
NO_COLOR = (
    "A color image has the shape (4, 5, 3) here, got (4, 5): take the image of these "
    "labels."
)
NO_COLOR_NAME = "The image has 3 channels, but 2 names: give one name for each."
NO_SINGLE_NAME = "The image has 1 channels, but 2 names: give one name for each."
NO_NAME = "The image has 2 channels, but 1 names: give one name for each."
OTHER_REGION = (
    "The region CA1 has 5 x 4 px, but the image has 4 x 5 px: use the regions of this "
    "image."
)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"image": np.zeros((5, 4))}, OTHER("image", (5, 4))),
        ({"image": np.zeros((4, 5, 3)), "rgb": False}, OTHER("image", (4, 5, 3))),
        ({"image": np.zeros((4, 5)), "rgb": True}, NO_COLOR),
        ({"image": np.zeros((2, 4, 5)), "channels": ["a"]}, NO_NAME),
        ({"image": np.zeros((4, 5, 4)), "channels": ["a", "b"]}, NO_COLOR_NAME),
        ({"image": np.zeros((4, 5)), "channels": ["a", "b"]}, NO_SINGLE_NAME),
        ({"probability": np.zeros((4, 5, 1))}, OTHER("probability", (4, 5, 1))),
        ({"pixel_size": (0.5, 0)}, NO_SIZE((0.5, 0))),
        ({"pixel_size": (0.5, np.nan)}, NO_SIZE((0.5, np.nan))),
        ({"pixel_size": (1, 1, 1)}, NO_SIZE((1, 1, 1))),
        ({"regions": [Region(name="CA1", mask=np.ones((5, 4), bool))]}, OTHER_REGION),
    ],
)
def test_what_does_not_fit_the_labels_is_refused_in_one_sentence(given, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        measure(LABELS, **given)


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        (
            np.zeros((4, 5)),
            "must hold whole numbers, got float64: convert them to int32.",
        ),
        (np.zeros(4, int), "must have at least two axes (Y, X), got shape (4,)."),
        (
            LABELS - 2,
            "must not be negative, got -2: number cells from 1.",
        ),
        (
            LABELS.astype(np.uint64) + np.uint64(2**63),
            f"must be at most {2**63 - 1}, got {2**63}: number the cells anew.",
        ),
    ],
)
def test_what_are_no_labels_is_refused_in_one_sentence(labels, what):
    with pytest.raises(InputError, match=f"^{re.escape(f'`labels` {what}')}$"):
        measure(labels)
