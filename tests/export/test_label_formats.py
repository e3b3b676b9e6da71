"""What every format that a count is exported to must do."""

import os
import re

import numpy as np
import pytest
from tests.export.counts import (
    LOG,
    PIXEL_SIZE,
    RECORD,
    SHAPE,
    counted,
    left_half,
)

from napari_cresunet._images import read_image
from napari_cresunet.annotations import read_annotations
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.export import LABEL_FORMATS

READERS = {
    "ome-tiff": read_image,
    "imagej-roi": lambda path: read_annotations(path, shape=SHAPE),
    "geojson": lambda path: read_annotations(path, shape=SHAPE),
    "coco": lambda path: read_annotations(path, shape=SHAPE),
}


@pytest.fixture(params=LABEL_FORMATS)
def form(request):
    return LABEL_FORMATS[request.param]


def full():
    return counted(pixel_size=PIXEL_SIZE, regions=[left_half()], record=RECORD, log=LOG)


def test_all_promised_formats_are_there():
    assert list(LABEL_FORMATS) == [
        *("csv", "ome-tiff", "imagej-roi", "geojson", "coco", "overlay", "report")
    ]


def test_a_format_writes_what_it_says_and_nothing_else(tmp_path, form):
    path = tmp_path / f"a{form.ending}"
    assert path.suffix in form.suffixes
    assert form.suffix.endswith(form.suffixes)
    written = form.write(path, full())
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert set(written) <= set(form.files(path))
    assert written[0] == path


def test_without_cells_and_image_there_is_a_file_all_the_same(tmp_path, form):
    path = tmp_path / f"a{form.ending}"
    empty = counted(labels=np.zeros(SHAPE, np.uint8), image=None)
    assert form.write(path, empty)[0].stat().st_size


def test_a_stack_is_written_in_every_format(tmp_path, form):
    labels = np.zeros((2, *SHAPE), np.int32)
    labels[0], labels[1] = counted().labels, 2 * counted().labels
    assert form.write(tmp_path / f"a{form.ending}", counted(labels=labels, image=None))


@pytest.mark.parametrize("name", READERS)
def test_what_is_exported_can_be_opened_as_the_same_cells(tmp_path, name):
    path = tmp_path / f"a{LABEL_FORMATS[name].ending}"
    LABEL_FORMATS[name].write(path, full())
    found, labels = READERS[name](path), counted().labels
    if name != "ome-tiff":
        labels = np.searchsorted([0, 2, 5, 300], labels)
    np.testing.assert_array_equal(found, labels)


# A table has room for any number.
@pytest.mark.parametrize("name", [name for name in LABEL_FORMATS if name != "csv"])
def test_labels_beyond_int32_are_refused(tmp_path, name):
    labels = counted().labels.astype(np.int64)
    labels[labels == 300] = 2**31
    message = (
        "`labels` must be at most 2147483647, got 2147483648: number the cells anew."
    )
    path = tmp_path / f"a{LABEL_FORMATS[name].ending}"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        LABEL_FORMATS[name].write(path, counted(labels=labels))
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_says_why(tmp_path, form):
    path = tmp_path / f"a{form.ending}"
    path.mkdir()
    message = (
        f"{path} cannot be written ({os.strerror(21)}): choose another folder or free "
        "some space."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        form.write(path, full())
    assert list(tmp_path.iterdir()) == [path]
