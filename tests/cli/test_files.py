import os
import stat
import sys

import imageio.v3 as iio
import numpy as np
import pytest

from napari_cresunet.cli._files import write_csv, write_json, write_png, write_whole


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("old")

    def fail(file):
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match=r"^disk full$"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no umask")
def test_files_may_be_read_by_whom_the_user_allows(tmp_path):
    previous = os.umask(0o027)
    try:
        write_json(tmp_path / "a.json", {})
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o640


def test_missing_folders_are_made(tmp_path):
    write_json(tmp_path / "a" / "b" / "c.json", {"µ": 1})
    assert (tmp_path / "a/b/c.json").read_text("utf-8") == '{\n  "µ": 1\n}\n'


def test_csv_quotes_commas_and_leaves_none_empty(tmp_path):
    write_csv(tmp_path / "t.csv", ("image", "x"), [{"image": "a,b", "x": None}])
    assert (tmp_path / "t.csv").read_bytes() == b'image,x\n"a,b",\n'


def test_csv_without_rows_still_has_its_header(tmp_path):
    write_csv(tmp_path / "t.csv", ("image", "count"), [])
    assert (tmp_path / "t.csv").read_text() == "image,count\n"


def test_png_keeps_every_pixel(tmp_path):
    picture = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    write_png(tmp_path / "p.png", picture)
    assert np.array_equal(iio.imread(tmp_path / "p.png"), picture)
