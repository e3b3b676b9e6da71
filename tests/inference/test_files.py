import errno
import json
import os
import re

import numpy as np
import pytest
import tifffile

from napari_cresunet.errors import EngineError
from napari_cresunet.inference import read_image, write_labels, write_probability


def test_labels_and_probability_come_back_with_their_record(tmp_path):
    labels = np.arange(2 * 3 * 40 * 30, dtype=np.int32).reshape(2, 3, 40, 30)
    probability = labels.astype(np.float32) / labels.max()
    record = {"model": "ä", "scaling": {"low": 0.0}, "messages": ["one\ntwo"]}
    for write, array in ((write_labels, labels), (write_probability, probability)):
        path = tmp_path / "result.tif"
        write(path, array, record)
        write(path, array, record)
        back = read_image(path)
        assert back.dtype == array.dtype
        assert np.array_equal(back, array)
        with tifffile.TiffFile(path) as tif:
            assert json.loads(tif.pages[0].description) == record
    assert [file.name for file in tmp_path.iterdir()] == ["result.tif"]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "result.tif"
    write_labels(path, np.ones((4, 4), np.int32), {})
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    message = (
        f"{path} could not be written (No space left on device): free some space or "
        "choose another folder."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        write_labels(path, np.zeros((4, 4), np.int32), {})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["result.tif"]


def test_a_file_where_a_folder_should_be_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "result.tif"
    message = (
        f"{path} could not be written (File exists): free some space or choose "
        "another folder."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        write_labels(path, np.zeros((4, 4), np.int32), {})
