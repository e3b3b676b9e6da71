"""Images and truths are paired by name."""

import json
import logging
import re

import numpy as np
import pytest
from tests.datasets.folders import SHAPE, image, labels, mask, write

from napari_cresunet.datasets import match_by_stem, pair_folders
from napari_cresunet.errors import InputError


@pytest.fixture
def images(tmp_path):
    """A folder with a.png, b.tif and c.jpg."""
    for name in ("a.png", "b.tif", "c.jpg"):
        write(tmp_path / "images" / name, image())
    (tmp_path / "images" / "notes.txt").touch()
    write(tmp_path / "images" / ".hidden.png", image())
    write(tmp_path / "images" / "a_probability.tif", image())
    return tmp_path / "images"


@pytest.fixture
def truths(tmp_path):
    """An empty folder for truths."""
    (tmp_path / "truths").mkdir()
    return tmp_path / "truths"


def names(pairing):
    return [(path.name, truth.path.name) for path, truth in pairing.pairs]


def refused(message, images, truths):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        next(pair_folders(images, truths))


@pytest.mark.parametrize(
    "ending", ["", "_mask", "_masks", "_label", "_labels", "_cp_masks", "_MASK"]
)
def test_endings_of_other_programs_are_understood(images, truths, ending):
    write(truths / f"a{ending}.png", mask())
    pairing = match_by_stem(images, truths)
    assert names(pairing) == [("a.png", f"a{ending}.png")]
    assert [path.name for path in pairing.images_alone] == ["b.tif", "c.jpg"]
    assert pairing.truths_alone == ()


def test_endings_of_predictions_are_left_out_where_they_are_named(tmp_path):
    for name in ("a_labels.tif", "b_Labels.tif", "c.tif", "_labels.tif"):
        write(tmp_path / "p" / name, labels())
    for name in ("a.png", "b_mask.png", "c.png", "_labels.png"):
        write(tmp_path / "t" / name, mask())
    endings = ("_masks", "_labels")
    assert names(match_by_stem(tmp_path / "p", tmp_path / "t", endings=endings)) == [
        ("_labels.tif", "_labels.png"),
        ("a_labels.tif", "a.png"),
        ("b_Labels.tif", "b_mask.png"),
        ("c.tif", "c.png"),
    ]
    alone = match_by_stem(tmp_path / "p", [tmp_path / "t" / "a.png"]).images_alone
    assert len(alone) == 4


def test_a_name_that_fits_whole_is_not_shortened(tmp_path):
    write(tmp_path / "i" / "a_mask.png", image())
    write(tmp_path / "t" / "a_mask.png", mask())
    assert names(match_by_stem(tmp_path / "i", tmp_path / "t")) == [
        ("a_mask.png", "a_mask.png")
    ]


def test_what_has_no_partner_is_listed_and_logged(images, truths, caplog):
    for name in ("a.png", "x.png", "y.png"):
        write(truths / name, mask())
    pairing = match_by_stem(images, truths)
    assert [path.name for path in pairing.images_alone] == ["b.tif", "c.jpg"]
    assert [truth.path.name for truth in pairing.truths_alone] == ["x.png", "y.png"]
    with caplog.at_level(logging.WARNING):
        assert [pair.name for pair in pair_folders(images, truths)] == ["a"]
    assert caplog.messages == [
        "Without truth and left out: b.tif, c.jpg.",
        f"Truth without image: {truths / 'x.png'}, {truths / 'y.png'}.",
    ]


def test_images_and_masks_may_lie_in_one_folder(tmp_path):
    for name in "ab":
        write(tmp_path / f"{name}.tif", image())
        write(tmp_path / f"{name}_labels.tif", labels(3))
    write(tmp_path / "c.tif", image())
    pairs = list(pair_folders(tmp_path, tmp_path))
    assert [(pair.name, pair.labels.max()) for pair in pairs] == [("a", 3), ("b", 3)]


def test_lists_of_files_are_paired_too(images, truths):
    truth = write(truths / "b_mask.png", mask())
    (pair,) = pair_folders([images / "a.png", str(images / "b.tif")], [truth])
    assert (pair.name, pair.labels.max()) == ("b", 2)
    missing = images / "d.png"
    refused(f"There is no file {missing}.", [missing], [truth])
    refused(
        "None of the 1 images in the list has a truth in the list: name them alike, "
        "such as a.tif and a_mask.tif.",
        [images / "a.png"],
        [truth],
    )


def test_without_any_partner_both_folders_are_named(images, truths):
    refused(
        f"None of the 3 images in {images} has a truth in {truths}: name them alike, "
        "such as a.tif and a_mask.tif.",
        images,
        truths,
    )
    refused(
        f"There is no image in {truths}: images end in "
        ".tif, .tiff, .bmp, .jpeg, .jpg, .png.",
        truths,
        images,
    )
    missing = images / "no"
    refused(f"There is no folder {missing}.", missing, truths)


def test_two_files_for_one_image_are_refused(images, truths):
    write(truths / "a.png", mask())
    write(truths / "a_mask.png", mask())
    refused(
        f"{truths / 'a.png'} and {truths / 'a_mask.png'} are for the same image: leave "
        "one of them.",
        images,
        truths,
    )
    write(images / "a.tif", image())
    refused(
        f"{images / 'a.png'} and {images / 'a.tif'} have the same name: leave one of "
        "them.",
        images,
        truths,
    )


def test_a_truth_of_another_size_is_refused(images, truths):
    write(truths / "a.png", mask()[:-1])
    refused(
        f"{truths / 'a.png'} has 11 x 16 px, but its image has 12 x 16 px: use the "
        "truth of this image.",
        images,
        truths,
    )


def test_a_stack_is_refused_by_its_path(tmp_path, truths):
    path = write(tmp_path / "i" / "a.tif", np.zeros((5, *SHAPE), np.uint8))
    write(truths / "a.png", mask())
    refused(
        f"{path} has the shape (5, 12, 16): use one plane (Y, X), or (Y, X, 3) in "
        "color.",
        tmp_path / "i",
        truths,
    )


def coco(*image_names):
    block = [2, 2, 5, 2, 5, 5, 2, 5]
    far = [9, 8, 11, 8, 11, 10, 9, 10]
    return {
        "images": [{"id": n, "file_name": n} for n in image_names],
        "annotations": [
            {"image_id": n, "segmentation": [block, far]} for n in image_names
        ],
    }


def test_one_annotation_file_serves_many_images(images, truths):
    (truths / "all.json").write_text(json.dumps(coco("x/a.png", "c.jpg", "z.png")))
    pairing = match_by_stem(images, truths)
    assert [path.name for path, _ in pairing.pairs] == ["a.png", "c.jpg"]
    assert [truth.title for truth in pairing.truths_alone] == [
        f"{truths / 'all.json'}: z.png"
    ]
    pairs = list(pair_folders(images, truths))
    # One cell in two pieces stays one.
    assert [np.unique(pair.labels).tolist() for pair in pairs] == [[0, 1], [0, 1]]


def test_an_annotation_file_for_each_image_is_paired_by_its_name(images, truths):
    (truths / "a.json").write_text(json.dumps(coco("scan0001.png")))
    (truths / "c.xml").write_text(
        "<annotation><object><dot><x>3</x><y>4</y></dot></object></annotation>"
    )
    pairs = {pair.name: pair for pair in pair_folders(images, truths)}
    assert np.count_nonzero(pairs["a"].labels) == 9 + 4
    assert np.argwhere(pairs["c"].labels).tolist() == [[4, 3]]
