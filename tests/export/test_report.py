from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.export.evaluations import (
    empty,
    evaluated,
    evaluation,
    first,
    second,
    squares,
)

from napari_cresunet.evaluation import MatchRule
from napari_cresunet.export import Evaluation, html_report, methods_text
from napari_cresunet.export import _report_pictures as pictures

VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Reads a page, and fails where tags are not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"] and data.strip():
            self.texts.append(data.strip())

    @property
    def text(self):
        return " ".join(self.texts)

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def report(one, title="Evaluation"):
    return Page(html_report(one, title))


def test_the_report_needs_no_other_file_and_no_script():
    page = report(evaluation())
    sources = [
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "data", "action")
    ]
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    assert not page.named("script")
    assert not page.named("link")
    assert "url(" not in html_report(evaluation())
    assert "@import" not in html_report(evaluation())


def test_texts_from_outside_are_escaped():
    bad = '<script>alert("x")</script>'
    one = replace(first(), name=bad)
    page = report(
        evaluation(images=(one, second()), record={bad: bad, "model": bad}), bad
    )
    assert not page.named("script")
    assert page.text.count(bad) >= 5
    assert any(attributes["alt"].startswith(bad) for attributes in page.named("img"))


def test_headline_numbers_have_their_intervals():
    one = evaluation()
    page = report(one, "My cells")
    low, high = one.intervals["f1"]
    assert f"F1 {one.scores.f1:.3f} {low:.3f} to {high:.3f}" in page.text
    assert "F1 0.600 0.400 to 0.800" in page.text
    assert "My cells 2 images · 5 true cells · 5 predicted cells · model tiny" in (
        page.text.removeprefix("My cells ")
    )


def test_one_image_has_no_intervals():
    page = report(Evaluation(images=(first(),)))
    assert "One image gives no intervals." in page.text
    assert "F1 0.400 Precision" in page.text


def test_every_image_has_a_row_and_all_have_one():
    page = report(Evaluation(images=(first(), empty())))
    assert "first 3 2 -1 0.400 0.500 0.333 1 1 2" in page.text
    assert "empty 0 0 0 – – – 0 0 0" in page.text
    assert "all 3 2 -1 0.400 0.500 0.333 1 1 2" in page.text


def test_a_mask_as_truth_is_warned_of():
    truth = squares((10, 10), (10, 40), side=16) > 0
    labels = squares((10, 10), (19, 10), (10, 40), side=7)
    labels[10:17, 10:26], labels[19:26, 10:26] = 1, 2
    page = report(Evaluation(images=(evaluated("mask", labels, truth), second())))
    assert (
        "The truth of 1 image is a mask, in which cells that touch count as one, so "
        "the true count may be too low: 1 true object holds several predictions "
        "(kind split)."
    ) in page.text
    assert "is a mask" not in report(evaluation()).text


def test_a_setting_chosen_on_the_same_images_is_warned_of():
    warning = "If the setting was chosen on these images"
    assert warning in report(evaluation()).text
    assert warning not in report(evaluation(sweep=())).text


def test_what_failures_have_in_common_is_said():
    corners = [(row, column) for row in (4, 20, 36) for column in range(4, 84, 14)]
    truth = squares(*corners)
    labels = np.where(truth % 2, truth, 0)
    labels = np.where(labels, (labels + 1) // 2, 0)
    image = np.where(truth % 2, 200, np.where(truth, 60, 20)) + truth
    page = report(Evaluation(images=(evaluated("dim", labels, truth, image=image),)))
    assert "Missed cells are dimmer than hits: contrast" in page.text
    assert "Missed cells 9" in page.text
    assert "Nothing stands out" not in page.text
    assert "Nothing stands out" in report(Evaluation(images=(first(),))).text


def test_failures_are_shown_by_kind_at_their_place():
    page = report(evaluation())
    alts = [attributes["alt"] for attributes in page.named("img")]
    assert "missed in first at row 14, column 64" in alts
    assert "false positive in second at row 44, column 74" in alts
    assert not any(alt.startswith("hit in") for alt in alts)
    assert "Missed cells (2)" in page.text


def test_without_failures_the_gallery_says_so():
    perfect = evaluated("perfect", squares((10, 10)), squares((10, 10)))
    assert "Failures There is none." in report(Evaluation(images=(perfect,))).text


def test_there_are_not_too_many_pictures(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_OVERLAYS", 1)
    monkeypatch.setattr(pictures, "MOST_CROPS", 2)
    page = report(Evaluation(images=(first(), second(), first())))
    alts = [attributes["alt"] for attributes in page.named("img")]
    assert sum(alt.startswith("missed") for alt in alts) == 2
    assert sum("with outlines" in alt for alt in alts) == 1
    assert "2 more images not shown." in page.text
    assert "2 more not shown; the shown ones are spread evenly." in page.text


def test_large_images_are_shrunk_and_small_ones_enlarged():
    large = squares((100, 100), side=40, shape=(1000, 4000))
    one = evaluated("large", large, large)
    page = report(Evaluation(images=(one, first())))
    sizes = [
        (int(attributes["height"]), int(attributes["width"]))
        for attributes in page.named("img")
        if "with outlines" in attributes["alt"]
    ]
    assert sizes == [(334, 1334), (60 * 11, 90 * 11)]


def test_of_a_stack_the_plane_with_most_failures_is_shown():
    labels = np.stack([squares(), squares((20, 20))])
    stack = evaluated("stack", labels, np.zeros_like(labels))
    assert "stack, plane 1 of 0 to 1: 1 predicted, 0 true" in (
        report(Evaluation(images=(stack,))).text
    )


def test_how_it_was_made_is_told():
    page = report(evaluation())
    assert "version 9.9" in page.text
    assert "max distance 5 px" in page.text
    assert "matching optimal" in page.text


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (MatchRule(max_distance=7), "the center of its bounding box"),
        (MatchRule(max_distance=7), "at most 7 px apart"),
        (MatchRule(center="centroid"), "the mean of its pixels' coordinates"),
        (MatchRule(), "as many pairs as possible were made"),
        (MatchRule(matching="greedy"), "took the nearest true cell"),
    ],
)
def test_methods_follow_the_rule(rule, said):
    labels = squares((10, 10))
    one = evaluated("a", labels, labels, rule=rule)
    assert said in methods_text(Evaluation(images=(one,)))


def test_methods_say_what_was_left_out_and_in_which_unit():
    one = Evaluation(images=(first(), empty()), record={"unit": "µm"})
    text = methods_text(one)
    assert "at most 5 µm apart" in text
    assert "1 of 2 images have no true cell" in text
    assert "positive means too many" in text
    cited = report(one).text
    assert "Scientific Reports 11, 22920 (2021)" in cited
    assert "A. Tashfeen" in cited


def test_an_evaluation_without_any_true_cell_can_be_reported():
    none = evaluated("none", squares((10, 10)), squares())
    page = report(Evaluation(images=(none, empty())))
    assert "There is no true cell at all" in page.text
