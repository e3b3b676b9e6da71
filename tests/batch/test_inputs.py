import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cresunet.batch import IMAGE_SUFFIXES, find_images, result_names
from napari_cresunet.errors import InputError
from napari_cresunet.inference import read_image


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()


def test_a_folder_stands_for_its_images_in_order(tmp_path):
    touch(tmp_path, "b.TIF", "a.png", "c.ome.tiff", "notes.txt", ".hidden.png")
    found = find_images([str(tmp_path)])
    assert [path.name for path in found] == ["a.png", "b.TIF", "c.ome.tiff"]


def test_a_folder_leaves_out_the_results_of_an_earlier_count(tmp_path):
    touch(tmp_path, "a.tif", "a_labels.tif", "a_probability.tif", "counts.csv")
    assert [path.name for path in find_images([str(tmp_path)])] == ["a.tif"]


def test_a_result_that_is_named_is_taken_at_its_word(tmp_path):
    touch(tmp_path, "a_labels.tif")
    assert len(find_images([str(tmp_path / "a_labels.tif")])) == 1


def test_a_pattern_stands_for_the_files_it_fits(tmp_path):
    touch(tmp_path, "a1.png", "a2.png", "b1.png")
    found = find_images([str(tmp_path / "a*.png")])
    assert [path.name for path in found] == ["a1.png", "a2.png"]


def test_brackets_in_the_name_of_a_file_are_no_pattern(tmp_path):
    touch(tmp_path, "a[1].png")
    assert [path.name for path in find_images([str(tmp_path / "a[1].png")])] == [
        "a[1].png"
    ]


def test_each_file_comes_once_however_often_it_is_named(tmp_path):
    touch(tmp_path, "a.png", "b.png")
    found = find_images([str(tmp_path / "b.png"), str(tmp_path)])
    assert [path.name for path in found] == ["b.png", "a.png"]


def test_a_missing_file_is_left_to_the_reader():
    assert find_images(["missing.png"]) == [Path("missing.png")]


def test_a_folder_without_images_is_refused(tmp_path):
    message = (
        f"The folder {tmp_path} holds no image; images are files that end in "
        ".tif, .tiff, .png, .jpg, .jpeg, .bmp."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        find_images([str(tmp_path)])


def test_a_pattern_that_fits_nothing_is_refused(tmp_path):
    pattern = str(tmp_path / "*.png")
    message = f"No image fits the pattern {pattern}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        find_images([pattern])


@pytest.mark.parametrize("suffix", IMAGE_SUFFIXES)
def test_every_suffix_is_one_that_can_be_read(tmp_path, suffix):
    path = tmp_path / f"empty{suffix}"
    path.touch()
    with pytest.raises(InputError, match=r"is empty \(0 bytes\)"):
        read_image(path)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["x.tif", "y.ome.tif"], ["x", "y"]),
        (["a/x.tif", "b/x.tif"], ["a_x", "b_x"]),
        (["a/x.tif", "a/x.png"], ["a_x", "a_x_png"]),
        (["a/x.tif", "b/X.tif"], ["a_x", "b_X"]),
        (["1/a/x.tif", "2/a/x.tif", "3/a/x.tif"], ["a_x", "a_x_tif", "a_x_tif_2"]),
        (["a/x.tif", "b/x.tif", "a_x.tif"], ["a_x_tif", "b_x", "a_x"]),
    ],
)
def test_results_of_images_with_one_name_get_different_names(paths, names):
    assert result_names([Path(path) for path in paths]) == names


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.sampled_from(["x", "a_x", "X", "a_x_png"]),
            st.sampled_from([".tif", ".png", ".ome.tif"]),
        ),
        unique=True,
    )
)  # fmt: skip
def test_no_two_images_share_a_name(parts):
    paths = [Path(folder) / f"{stem}{suffix}" for folder, stem, suffix in parts]
    names = [name.casefold() for name in result_names(paths)]
    assert len(set(names)) == len(paths)
