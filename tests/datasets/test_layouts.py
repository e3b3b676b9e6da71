"""Every layout of a folder of training data is found and read."""

import json
import re
from importlib.resources import files
from xml.etree import ElementTree

import imageio.v3 as iio
import numpy as np
import pytest
from tests.datasets.folders import SHAPE, image, labels, mask, write

from napari_cresunet.datasets import load_pairs, splits_in
from napari_cresunet.errors import InputError

TEST_IMAGES = ("39_y", "MAR38S1C3R1_LHR_20_o", "Mar42S2C4R2_VLPAGr_200x_o")
OTHER_IMAGES = ("1_y", "Mar19bS1C1R2_VLPAGr_200x_g")


def refused(folder, message, **options):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        next(load_pairs(folder, **options))


def names(folder, split=None):
    return [pair.name for pair in load_pairs(folder, split=split)]


@pytest.fixture
def table(tmp_path):
    """Two pairs, one of each split; b has a matching distance and a size."""
    for name in "ab":
        write(tmp_path / f"images/{name}.png", image())
        write(tmp_path / f"labels/{name}.png", labels(3))
    text = "name,split,match_px,diameter_px\na,train,,\nb,val,7.5,6\n"
    (tmp_path / "split.csv").write_text(text)
    return tmp_path


def test_a_table_is_read_in_order_with_matching_distance_and_size(table):
    (pair,) = load_pairs(table, split="val")
    assert (pair.name, pair.match_distance, pair.cell_diameter) == ("b", 7.5, 6)
    np.testing.assert_array_equal(pair.image, image())
    np.testing.assert_array_equal(pair.labels, labels(3))
    assert pair.labels.dtype == np.int32
    assert names(table) == ["a", "b"]
    (first,) = load_pairs(table, split="train")
    assert (first.match_distance, first.cell_diameter, first.weight) == (None, None, 1)


def test_a_table_may_stand_beside_masks_of_any_kind_of_file(table):
    (table / "labels").rename(table / "masks")
    (table / "masks/a.png").unlink()
    write(table / "masks/a.tif", mask(4))
    assert [pair.labels.max() for pair in load_pairs(table)] == [4, 3]


def test_faults_of_a_table_are_named(table):
    path = table / "labels/a.png"
    path.unlink()
    refused(table, f"{path} does not exist though split.csv names it.")
    csv = table / "split.csv"
    csv.write_text("name,split,match_px\nb,val,near\n")
    refused(table, f"{csv} says match_px near for b: write a length in px.")
    csv.write_text("name;split\nb;val\n")
    refused(table, f"{csv} has no column 'name': add one.")
    csv.write_text("name\nb\n")
    refused(table, f"{csv} has no column 'split': add one.")


def test_a_split_that_is_not_there_is_named(table):
    refused(
        table,
        f"{table} has no images of split 'test'; it has train, val.",
        split="test",
    )
    (table / "split.csv").unlink()
    refused(
        table,
        f"{table} is not divided into splits: read it without 'val'.",
        split="val",
    )


def test_splits_are_told_by_their_usual_names(table):
    assert splits_in(table) == ("train", "val")
    (table / "split.csv").write_text("name,split\na,Training\nb,fold 2\n")
    assert splits_in(table) == ("train", "fold 2")
    assert names(table, "train") == ["a"]
    assert names(table, "fold 2") == ["b"]
    (table / "split.csv").unlink()
    assert splits_in(table) == ()


def test_the_published_test_images_are_seventy():
    text = (files("napari_cresunet.datasets") / "fnc_v1_test_images.txt").read_text()
    listed = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(set(listed)) == len(listed) == 70
    assert {f"{name}.png" for name in TEST_IMAGES} < set(listed)


@pytest.fixture
def fnc_v1(tmp_path):
    """Version 1 of Fluorescent Neuronal Cells, with 5 of its 283 images."""
    for number, name in enumerate((*TEST_IMAGES, *OTHER_IMAGES)):
        write(tmp_path / f"all_images/images/{name}.png", image(number))
        write(tmp_path / f"all_masks/masks/{name}.png", mask(number % 4))
    return tmp_path


def test_version_1_has_the_published_split(fnc_v1):
    assert names(fnc_v1, "test") == sorted(TEST_IMAGES)
    assert names(fnc_v1, "train") == sorted(OTHER_IMAGES)
    assert names(fnc_v1, "trainval") == sorted(OTHER_IMAGES)
    assert len(names(fnc_v1)) == 5
    pairs = {pair.name: pair for pair in load_pairs(fnc_v1)}
    assert [pairs[name].labels.max() for name in TEST_IMAGES] == [0, 1, 2]
    pair = pairs["39_y"]
    assert (pair.match_distance, pair.cell_diameter) == (40, 36.5)


def fnc_v2(folder, truth="masks", n_images=2):
    """Write a collection of version 2 as its published code does."""
    number = 0
    for split in ("trainval", "test"):
        written = {}
        for _ in range(n_images):
            number += 1
            write(folder / split / "images" / f"{number}.png", image(number))
            written[str(number)] = mask(number % 4)
        truths = folder / split / "ground_truths"
        (truths / "rle").mkdir(parents=True)
        (truths / "rle" / "1.pickle").touch()
        WRITERS[truth](truths, written, f"annotations_{folder.name}_{split}.json")
    write(folder / "unlabelled" / "images" / "99.png", image())
    return folder


def outlines(pixels):
    """Return the corners x, y of the cells of `mask`, as OpenCV does."""
    columns = np.flatnonzero(pixels[2])[::2].tolist()
    return [[[x, 2], [x, 4], [x + 1, 4], [x + 1, 2]] for x in columns]


def write_masks(folder, masks, _):
    for name, pixels in masks.items():
        write(folder / "masks" / f"{name}.png", pixels)


def write_voc(folder, masks, _):
    (folder / "Pascal_VOC").mkdir()
    for name, pixels in masks.items():
        root = ElementTree.Element("annotation")
        size = ElementTree.SubElement(root, "size")
        for side, length in zip(("height", "width"), SHAPE, strict=True):
            ElementTree.SubElement(size, side).text = str(length)
        for outline in outlines(pixels):
            item = ElementTree.SubElement(root, "object")
            polygon = ElementTree.SubElement(item, "polygon")
            for x, y in outline:
                point = ElementTree.SubElement(polygon, "pt")
                ElementTree.SubElement(point, "x").text = str(x)
                ElementTree.SubElement(point, "y").text = str(y)
        for x, y in [outline[0] for outline in outlines(pixels)]:
            item = ElementTree.SubElement(root, "object")
            dot = ElementTree.SubElement(item, "dot")
            ElementTree.SubElement(dot, "x").text = str(x)
            ElementTree.SubElement(dot, "y").text = str(y)
        ElementTree.ElementTree(root).write(folder / "Pascal_VOC" / f"{name}.xml")


def write_via(folder, masks, file_name):
    content = {}
    for name, pixels in masks.items():
        regions = [
            {
                "shape_attributes": {
                    "name": "polygon",
                    "all_points_x": [x for x, _ in outline],
                    "all_points_y": [y for _, y in outline],
                },
                "region_attributes": {},
            }
            for outline in outlines(pixels)
        ]
        content[name] = {"filename": f"{name}.png", "regions": regions}
    (folder / "VIA").mkdir()
    (folder / "VIA" / file_name).write_text(json.dumps(content))


def write_coco(folder, masks, file_name):
    images = [
        {"id": name, "file_name": f"{name}.png", "height": SHAPE[0], "width": SHAPE[1]}
        for name in masks
    ]
    annotations = [
        {
            "image_id": name,
            "segmentation": outlines(pixels),
            "bbox": [[x, y, 2, 3] for (x, y), *_ in outlines(pixels)],
            "count": len(outlines(pixels)),
        }
        for name, pixels in masks.items()
    ]
    (folder / "COCO").mkdir()
    content = {"images": images, "annotations": annotations}
    (folder / "COCO" / file_name).write_text(json.dumps(content))


WRITERS = {"masks": write_masks, "VOC": write_voc, "VIA": write_via, "COCO": write_coco}


@pytest.mark.parametrize("truth", WRITERS)
def test_a_collection_of_version_2_is_read_from_whatever_truth_it_has(tmp_path, truth):
    folder = fnc_v2(tmp_path / "yellow", truth)
    pairs = list(load_pairs(folder))
    assert [pair.name for pair in pairs] == ["1", "2", "3", "4"]
    for number, pair in enumerate(pairs, start=1):
        np.testing.assert_array_equal(pair.labels > 0, mask(number % 4) > 0)
        assert pair.labels.max() == number % 4
        assert (pair.match_distance, pair.cell_diameter) == (40, 36.5)
    assert names(folder, "trainval") == names(folder, "train") == ["1", "2"]
    assert names(folder, "test") == ["3", "4"]


def test_masks_are_preferred_to_outlines(tmp_path):
    folder = fnc_v2(tmp_path / "red", "VIA")
    for number in (1, 2):
        path = folder / "trainval/ground_truths/masks" / f"{number}.png"
        write(path, mask(3))
    assert [p.labels.max() for p in load_pairs(folder, split="train")] == [3, 3]
    assert next(load_pairs(folder)).cell_diameter is None


def test_several_collections_are_read_with_their_names(tmp_path):
    for name in ("yellow", "green", "red"):
        fnc_v2(tmp_path / name, n_images=1)
    (tmp_path / "metadata.xlsx").touch()
    assert names(tmp_path, "test") == ["green_2", "red_2", "yellow_2"]
    assert len(names(tmp_path)) == 6
    sizes = {pair.name: pair.cell_diameter for pair in load_pairs(tmp_path)}
    assert sizes == {
        **dict.fromkeys(["green_1", "green_2", "red_1", "red_2"]),
        **dict.fromkeys(["yellow_1", "yellow_2"], 36.5),
    }


def test_a_collection_without_truth_says_which_is_read(tmp_path):
    folder = fnc_v2(tmp_path / "red")
    truths = folder / "trainval/ground_truths"
    for path in (truths / "masks").iterdir():
        path.unlink()
    refused(
        folder,
        f"{truths} has no truth that can be read here: it needs one of masks, "
        "Pascal_VOC, Pascal VOC, VIA, COCO.",
    )


@pytest.mark.parametrize("truths", ["masks", "labels", "annotations"])
def test_images_beside_one_folder_of_truths_need_no_table(tmp_path, truths):
    for name in "ab":
        write(tmp_path / f"images/{name}.tif", image())
        write(tmp_path / truths / f"{name}_mask.png", mask(3))
    write(tmp_path / "images/c.tif", image())
    pairs = list(load_pairs(tmp_path))
    assert [(pair.name, pair.labels.max()) for pair in pairs] == [("a", 3), ("b", 3)]
    assert {pair.match_distance for pair in pairs} == {None}


def test_folders_for_splits_hold_any_plain_layout(tmp_path):
    write(tmp_path / "test/images/c.png", image())
    write(tmp_path / "test/labels/c.png", labels(1))
    write(tmp_path / "Train/images/a.png", image())
    write(tmp_path / "Train/masks/a.png", mask())
    write(tmp_path / "valid/b.png", image())
    write(tmp_path / "valid/b_masks.png", mask())
    (tmp_path / "other").mkdir()
    assert names(tmp_path) == ["a", "b", "c"]
    assert names(tmp_path, "val") == names(tmp_path, "validation") == ["b"]
    assert names(tmp_path, "training") == ["a"]


def test_images_and_masks_side_by_side_are_a_layout_too(tmp_path):
    write(tmp_path / "a.png", image())
    write(tmp_path / "a_cp_masks.png", labels(2))
    (pair,) = load_pairs(tmp_path)
    assert (pair.name, pair.labels.max()) == ("a", 2)


def test_other_folders_are_refused(tmp_path):
    unknown = (
        f"{tmp_path} is laid out in no way that is known here: put images into images/ "
        "and masks of the same names into masks/."
    )
    refused(tmp_path, unknown)
    write(tmp_path / "a.png", image())
    refused(tmp_path, unknown)
    refused(tmp_path / "no", f"There is no folder {tmp_path / 'no'}.")
    write(tmp_path / "images/a.png", image())
    refused(
        tmp_path,
        f"{tmp_path} has images but none of masks, labels, annotations beside them: "
        "add the truth.",
    )
    (tmp_path / "masks").mkdir()
    refused(
        tmp_path,
        f"None of the 1 images in {tmp_path / 'images'} has a truth in "
        f"{tmp_path / 'masks'}: name them alike, such as a.tif and a_mask.tif.",
    )
    (tmp_path / "labels").mkdir()
    refused(
        tmp_path, f"{tmp_path} has masks and labels: move away what not to learn from."
    )


def test_a_mask_that_is_no_mask_is_named_by_its_path(tmp_path):
    write(tmp_path / "images/a.png", image())
    path = tmp_path / "masks/a.png"
    path.parent.mkdir()
    iio.imwrite(path, image(3))
    refused(
        tmp_path,
        f"{path} is a color picture whose channels differ: save the mask or the labels "
        "in one channel.",
    )
