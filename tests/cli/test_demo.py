import csv
import json
import re

import imageio.v3 as iio
import pytest
import tifffile

from napari_cresunet.cli._demo import why_no_window
from napari_cresunet.plugin import read_sample

FILES = (
    *("counts.csv", "counts.json", "neurons_heatmap.png", "neurons_labels.tif"),
    *("neurons_overlay.png", "neurons_probability.tif"),
)


@pytest.fixture
def no_display(monkeypatch):
    """Take away what a window needs on Linux."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


def test_headless_writes_files_that_agree_with_what_it_says(run, tmp_path):
    outcome = run("demo", "--headless", "-o", tmp_path / "out")
    assert (outcome.status, outcome.err) == (0, "")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)
    said = re.search(r"Counted (\d+) cells, true count (\d+), F1", outcome.out)
    with (tmp_path / "out" / "counts.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    labels = tifffile.imread(tmp_path / "out" / "neurons_labels.tif")
    assert int(said[1]) == int(row["count"]) == labels.max()
    assert int(said[2]) == read_sample("neurons").labels.max()
    assert all(name in outcome.out for name in FILES)


def test_the_pictures_show_the_whole_image(run, tmp_path):
    run("demo", "--headless", "-o", tmp_path)
    height, width = read_sample("neurons").labels.shape
    for kind in ("heatmap", "overlay"):
        shape = iio.imread(tmp_path / f"neurons_{kind}.png").shape
        assert shape == (3 * height, 3 * width, 3)


def test_the_demo_uses_the_diameter_of_its_cells(run, tmp_path):
    run("demo", "--headless", "-o", tmp_path)
    (record,) = json.loads((tmp_path / "counts.json").read_text())["images"]
    assert record["diameter"] == read_sample("neurons").diameter
    assert record["image"] == "sample:neurons"


def test_without_a_display_it_says_so_and_writes_files(
    run, tmp_path, monkeypatch, no_display
):
    pytest.importorskip("napari")
    monkeypatch.chdir(tmp_path)
    outcome = run("demo")
    assert outcome.status == 0
    assert outcome.err == "No window is opened, because there is no display.\n"
    assert (tmp_path / "napari-cresunet-demo" / "counts.csv").exists()


def test_without_napari_it_names_what_to_install(monkeypatch):
    monkeypatch.setattr("napari_cresunet.cli._demo.find_spec", lambda name: None)
    assert why_no_window() == (
        "napari is not installed (pip install 'napari-cresunet[all]')"
    )


@pytest.mark.gui
def test_a_display_that_does_not_answer_is_noticed(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", ":971")
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    assert why_no_window() == (
        "Qt cannot open one (docs/install.md names the packages that it needs)"
    )
