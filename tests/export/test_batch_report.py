import re
from xml.etree.ElementTree import fromstring

import numpy as np
import pytest

from napari_cresunet.export import ReportedImage, batch_report, thumbnail


@pytest.fixture
def images(tmp_path):
    """Return twelve images, one of them with many cells, and one that failed."""
    folder = tmp_path / ".batch" / "thumbnails"
    folder.mkdir(parents=True)
    found = []
    for number in range(12):
        path = folder / f"i{number}.jpg"
        path.write_bytes(thumbnail(np.zeros((9, 9)), np.eye(9, dtype=int)))
        count = 900 if number == 4 else 50 + number
        record = {
            "model": "tiny", "threshold": 0.5, "shape": [9, 9], "foreground": 0.1,
            "brightness": 12.0, "version": "1", "time": "2026-01-02T03:04:05+00:00",
        }  # fmt: skip
        found.append(
            ReportedImage(
                name=f"i{number}",
                image=f"folder/i{number}.tif",
                state="done",
                count=count,
                group="control" if number < 6 else "treated",
                record=record,
                thumbnail=path,
                files={"labels": f"i{number}_labels.tif"},
            )
        )
    failed = ReportedImage(
        name="bad", image="folder/<bad>.tif", state="failed", error="It is empty."
    )
    return [*found, failed]


def test_a_report_is_well_formed_and_says_what_there_is(images):
    text = batch_report(images, title="Cells of A & B", settings={"overlay": False})
    fromstring(re.sub(r"<!DOCTYPE html>|<meta [^>]*>|<img [^>]*>", "", text))
    assert "<title>Cells of A &amp; B</title>" in text
    assert "<b>1,512</b>" in text  # 50 to 61 with 900 in place of 54
    assert 'folder/&lt;bad&gt;.tif</td><td class="text">It is empty.' in text
    assert 'href="i3_labels.tif"' in text
    assert text.count("data:image/jpeg;base64,") == 12
    assert "napari-cresunet 1 and its model tiny" in text
    assert "<script" not in text


def test_odd_images_and_groups_have_their_tables(images):
    text = batch_report(images)
    assert re.search(r'<a href="#i4">i4</a></td><td>cells</td><td>900</td><td>56', text)
    assert len(re.findall('class="odd"', text)) == 1
    assert re.search(r"<td>control</td><td>6</td><td>1,161</td><td>193\.5</td>", text)


def test_more_thumbnails_than_one_page_holds_are_linked(images, monkeypatch):
    monkeypatch.setattr("napari_cresunet.export._batch_report.MOST_EMBEDDED", 5)
    text = batch_report(images)
    assert text.count("data:image/jpeg;base64,") == 5
    assert 'loading="lazy" src=".batch/thumbnails/i5.jpg"' in text


def test_corrected_counts_count(images):
    reviewed = [
        ReportedImage(name="a", image="a", state="reviewed", count=10, corrected=12)
    ]
    text = batch_report(reviewed)
    assert "<b>12</b>" in text
    assert "Reviewed" in text


def test_an_empty_batch_has_a_report():
    waiting = [ReportedImage(name="a", image="a.tif", state="waiting")]
    assert "not counted yet" in batch_report(waiting)
