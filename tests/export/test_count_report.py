"""A count as one web page."""

import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.export.counts import (
    LOG,
    PIXEL_SIZE,
    RECORD,
    counted,
    everything,
    left_half,
)

from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.export import count_methods, count_report, write_count_report
from napari_cresunet.export._count_report import MOST_CELLS
from napari_cresunet.measurement import why_no_density


class Page(HTMLParser):
    """What is on a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.sources, self.rows, self.text = [], [], [], ""
        self.is_in_cell = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        values = dict(attrs)
        self.sources += [values[name] for name in ("src", "href") if name in values]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.is_in_cell = True

    def handle_endtag(self, tag):
        self.is_in_cell &= tag not in ("td", "th")

    def handle_data(self, data):
        self.text += data
        if self.is_in_cell:
            self.rows[-1][-1] += data


def full(**changed):
    known = {
        "pixel_size": PIXEL_SIZE,
        "regions": [left_half()],
        "record": RECORD,
        "log": LOG,
        "n_pinned": 2,
    }
    return counted(**(known | changed))


def test_the_page_stands_alone():
    page = Page(count_report([full()]))
    assert "script" not in page.tags
    assert len(page.sources) == 2  # the overlay and the sizes
    assert all(source.startswith("data:image/") for source in page.sources)


def test_counts_and_densities_are_told():
    page = Page(count_report([full()]))
    assert [
        "Region",
        "Cells",
        "Area in px",
        "Area in mm²",
        "Cells per mm²",
    ] in page.rows
    assert ["left", "1", "1200", "0.00015", "6666.7"] in page.rows
    assert ["whole image", "3", "2400", "0.0003", "10000.0"] in page.rows


def test_methods_and_corrections_are_there():
    page = Page(count_report([full()]))
    (methods,) = count_methods([full()])
    assert methods.text in page.text
    assert all(one in page.text for one in methods.references)
    assert ["merge", "1", "3 cells merged into 1"] in page.rows
    assert ["weights hash", RECORD["weights_hash"]] in page.rows


def test_cells_are_listed_up_to_a_number():
    labels = np.zeros((60, 60), np.int32)
    labels[::2, ::2] = np.arange(1, 901).reshape(30, 30)
    page = Page(count_report([counted(labels=labels, image=None)]))
    numbers = [row[0] for row in page.rows if row and row[0].isdigit()]
    assert numbers == [str(n) for n in range(1, MOST_CELLS + 1)]
    assert "400 more cells not shown." in page.text


def test_what_makes_numbers_doubtful_is_said():
    text = Page(count_report([full()])).text
    assert "overlap:" not in text
    both = full(regions=[left_half(), everything()], pixel_size=None)
    text = Page(count_report([both])).text
    assert "Regions overlap: cells in what they share count in each of them." in text
    assert why_no_density(None) in text
    text = Page(count_report([full(), counted(name="bare")])).text
    assert f"bare: {why_no_density(None)}" in text


def test_several_images_have_a_row_each():
    page = Page(count_report([full(), counted(name="<b>")], title="A & B"))
    assert ["slice 1", "left", "1", "1200"] in [row[:4] for row in page.rows]
    assert ["<b>", "whole image", "3", "2400"] in [row[:4] for row in page.rows]
    assert "b" not in page.tags[page.tags.index("header") : page.tags.index("div")]
    assert page.text.count("A & B") == 2


def test_an_image_without_cells_has_a_report():
    empty = counted(labels=np.zeros((30, 40), np.int32), image=None)
    page = Page(count_report([empty]))
    assert ["whole image", "0", "1200"] in page.rows
    assert "0 cells; without its image" in page.text


def test_without_any_count_there_is_no_report(tmp_path):
    message = "There is no count to report: give at least one."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        count_report([])


def test_a_report_is_written_whole_or_says_why_not(tmp_path):
    path = tmp_path / "a.html"
    write_count_report(path, counted())
    assert "<title>Cells of slice 1</title>" in path.read_text()
    path = tmp_path / "b.html"
    path.mkdir()
    message = (
        f"{path} cannot be written ({os.strerror(21)}): choose another folder or free "
        "some space."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        write_count_report(path, counted())
