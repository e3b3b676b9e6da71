import imageio.v3 as iio
import numpy as np

from napari_cresunet._files import write_csv
from napari_cresunet.cli._files import write_json, write_png


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
