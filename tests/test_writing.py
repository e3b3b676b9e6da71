import json
from datetime import date

import numpy as np

from napari_cresunet._files import write_csv
from napari_cresunet._writing import as_plain, write_json

STRANGE = "a\udcff.tif"
"""A name of a file that is no text in UTF-8."""


def test_what_json_cannot_hold_becomes_what_it_can():
    value = {
        1: np.array([[1.5, np.nan]]),
        "b": (np.int8(3), np.True_, {2}),
        "c": [np.inf, None, date(2026, 2, 3)],
    }
    assert as_plain(value) == {
        "1": [[1.5, None]],
        "b": [3, True, [2]],
        "c": [None, None, "2026-02-03"],
    }


def test_json_for_people_is_indented_and_for_programs_is_not(tmp_path):
    write_json(tmp_path / "a.json", {"µ": [1]}, indent=2)
    assert (tmp_path / "a.json").read_bytes().decode() == '{\n  "µ": [\n    1\n  ]\n}\n'
    write_json(tmp_path / "b.json", {"µ": [1]})
    assert (tmp_path / "b.json").read_bytes().decode() == '{"µ":[1]}\n'


def test_names_of_files_that_are_no_text_can_be_written(tmp_path):
    write_json(tmp_path / "a.json", {"image": STRANGE})
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == {"image": STRANGE}
    write_csv(tmp_path / "a.csv", ["image"], [{"image": STRANGE}])
    assert (tmp_path / "a.csv").read_text("utf-8") == "image\na\\udcff.tif\n"
