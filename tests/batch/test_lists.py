from pathlib import Path

import pytest

from napari_cresunet.batch import ListedImage, list_images
from napari_cresunet.errors import InputError


@pytest.fixture
def write_list(tmp_path):
    """Return a function that writes list.csv and returns its name."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "list.csv"
        path.write_bytes(text.encode(encoding))
        return str(path)

    return write


def refusal(argument):
    with pytest.raises(InputError) as caught:
        list_images([argument])
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "image\na.tif\nsub/b.png\n",
        "Path\na.tif\nsub/b.png\n",
        "a.tif\nsub/b.png",
        "file name\na.tif\n\nsub/b.png\n",
        "\ufeffimage\r\na.tif\r\nsub/b.png\r\n",
        'id,image\n1,a.tif\n2,"sub/b.png"\n',
        "image;notes\na.tif;good, mostly\nsub/b.png;\n",
    ],
    ids=["image", "path", "bare", "first", "excel", "second", "semicolons"],
)
def test_images_are_found_in_lists_as_spreadsheets_write_them(
    write_list, tmp_path, text
):
    found = list_images([write_list(text)])
    assert [image.path for image in found] == [
        tmp_path / "a.tif",
        tmp_path / "sub" / "b.png",
    ]


def test_a_list_says_diameter_threshold_and_group(write_list, tmp_path):
    text = "image;diameter;Threshold;group\na.tif;12,5;0,4;ctrl\nb.tif;;;\n"
    assert list_images([write_list(text)]) == [
        ListedImage(
            path=tmp_path / "a.tif", diameter=12.5, threshold=0.4, group="ctrl"
        ),
        ListedImage(path=tmp_path / "b.tif"),
    ]


def test_absolute_paths_and_missing_files_stay_as_they_are(write_list, tmp_path):
    found = list_images([write_list(f"image\n{tmp_path / 'x' / 'a.tif'}\n")])
    assert [image.path for image in found] == [tmp_path / "x" / "a.tif"]


def test_lists_and_files_go_together(write_list, tmp_path):
    (tmp_path / "b.png").touch()
    found = list_images([str(tmp_path / "b.png"), write_list("image,group\nb.png,\n")])
    assert len(found) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "{path} lists no image: give one in each row."),
        ("image\n", "{path} lists no image: give one in each row."),
        ("image,group\na.tif,x\n,y\n", "{path}, row 3: no image is named; name one."),
        (
            "image,diameter\na.tif,12\nb.tif,wide\n",
            "{path}, row 3: diameter must be a number from 0.1 to 1e+06, got 'wide'.",
        ),
        (
            "image,threshold\na.tif,1.5\n",
            "{path}, row 2: threshold must be a number from 0 to 1, got '1.5'.",
        ),
        (
            "image,diameter\na.tif,12\na.tif,13\n",
            (
                "{path}: {folder}/a.tif is listed twice with different settings; leave "
                "it once."
            ),
        ),
    ],
    ids=["empty", "head", "no name", "no number", "out of bounds", "twice"],
)
def test_rows_that_cannot_be_used_are_named(write_list, tmp_path, text, said):
    path = write_list(text)
    assert refusal(path) == said.format(path=path, folder=tmp_path)


def test_a_list_in_another_encoding_is_told(write_list):
    path = write_list("image\nZellk\xf6rper.tif\n", "latin-1")
    assert refusal(path) == f"{path} is not in UTF-8: save it as CSV in UTF-8."


def test_a_list_that_is_not_there_is_told(tmp_path):
    path = tmp_path / "none.csv"
    assert refusal(str(path)) == f"There is no file {path}."


def test_folders_of_zarr_are_images_and_results_are_none(tmp_path):
    names = ("s.ome.zarr", "s_labels.ome.zarr", "s_probability.ome.zarr", "plain")
    for name in names:
        (tmp_path / name).mkdir()
    for name in ("a.tif", "a_labels.tif", "a_overlay.png", "b_overlay.png"):
        (tmp_path / name).touch()
    found = [image.path.name for image in list_images([str(tmp_path)])]
    assert found == ["a.tif", "b_overlay.png", "s.ome.zarr"]
    zarr = str(tmp_path / "s.ome.zarr")
    assert [image.path for image in list_images([zarr])] == [Path(zarr)]


def test_the_separator_is_the_one_of_the_first_row(write_list, tmp_path):
    text = "image\tgroup\na,b.tif\tx;y\n"
    (image,) = list_images([write_list(text)])
    assert (image.path, image.group) == (tmp_path / "a,b.tif", "x;y")
