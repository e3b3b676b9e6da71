import json

import numpy as np
import pytest
from matplotlib.text import Text
from tests.export.evaluations import RULE, SHAPE, picture_of, squares
from tests.export.test_report import Page

from napari_cresunet.evaluation import aggregate, bootstrap_intervals, compare
from napari_cresunet.export import (
    ComparedImage,
    ComparedModel,
    compare_report,
    compare_section,
    model_rows,
    models_figure,
)

TRUTH = squares((10, 10), (10, 60))
FOUND = {
    "sharp": squares((10, 10), (10, 60)),
    "blunt": squares((10, 10), (40, 30)),
}


def compared(*, with_truth=True, name="a.png"):
    """One model is right; the other misses a cell and has a false one."""
    comparisons = {
        model: compare(labels, TRUTH, RULE) for model, labels in FOUND.items()
    }
    return ComparedImage(
        name=name,
        image=picture_of(TRUTH),
        probabilities={
            model: (labels > 0).astype(np.float32) for model, labels in FOUND.items()
        },
        counts=dict.fromkeys(FOUND, 2),
        comparisons=comparisons if with_truth else {},
    )


def models(*, with_truth=True, n_images=2):
    return [
        ComparedModel(
            name=name,
            counts=(2,) * n_images,
            seconds=1.5,
            scores=(compare(labels, TRUTH, RULE).scores,) * (n_images * with_truth),
            record={"threshold": 0.5},
        )
        for name, labels in FOUND.items()
    ]


def test_each_model_has_a_row_with_its_pooled_scores():
    rows = model_rows(models())
    for row, model in zip(rows, models(), strict=True):
        assert row | {"count": 4, "n_images": 2, "seconds": 1.5} == row
        expected = aggregate(model.scores).to_dict()
        assert {name: row[name] for name in expected} == expected
        low, high = bootstrap_intervals(model.scores)["recall"]
        assert (row["recall_low"], row["recall_high"]) == (low, high)
    assert [row["f1"] for row in rows] == [1.0, 0.5]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_without_truth_a_row_has_only_counts():
    assert model_rows(models(with_truth=False))[0] == {
        "model": "sharp",
        "count": 4,
        "n_images": 2,
        "seconds": 1.5,
    }


def test_scores_and_counts_are_drawn_for_each_model():
    figure = models_figure(models())
    scores, counts = figure.axes
    points = [
        float(line.get_xdata()[0])
        for line in scores.lines
        if line.get_marker() in ("o", "s", "^")
    ]
    assert points == [1.0, 0.5] * 3
    assert [bar.get_width() for bar in counts.patches] == [4, 4]
    texts = {text.get_text() for text in figure.findobj(Text)}
    assert {"sharp", "blunt", "dotted: true count 4"} <= texts
    assert len(models_figure(models(with_truth=False)).axes) == 1


def test_an_image_shows_heatmaps_and_disagreement():
    page = Page(compare_section(compared(with_truth=False)))
    assert [attributes["alt"] for attributes in page.named("img")][:4] == [
        *("a.png", "heatmap of sharp", "heatmap of blunt", "disagreement")
    ]
    assert "sharp: 2 cells" in page.text
    assert "Where the models disagree most" in page.text
    assert "disagreement 0.50" in page.text
    assert "Where one is right" not in page.text


def test_an_image_shows_where_one_is_right_and_another_wrong():
    page = Page(compare_section(compared()))
    assert (
        "sharp is right, blunt wrong: 1 cell that only the first finds, 1 false one "
        "that only the second has. Outlines are those of blunt."
    ) in page.text
    assert "found by the first only, row 14, column 64" in page.text
    assert "false in the second only, row 44, column 34" in page.text
    assert "blunt is right" not in page.text


def test_models_that_agree_have_nothing_to_show():
    same = dict.fromkeys(("one", "two"), np.zeros(SHAPE, np.float32))
    image = ComparedImage(
        name="a",
        image=picture_of(TRUTH),
        probabilities=same,
        counts={"one": 0, "two": 0},
    )
    assert "disagree most" not in compare_section(image)


def test_of_a_stack_the_plane_of_most_disagreement_is_shown():
    stack = {
        name: np.stack([np.zeros(SHAPE, np.float32), labels > 0]).astype(np.float32)
        for name, labels in FOUND.items()
    }
    image = ComparedImage(
        name="stack",
        image=np.zeros((2, *SHAPE, 3), np.uint8),
        probabilities=stack,
        counts=dict.fromkeys(FOUND, 2),
    )
    text = Page(compare_section(image)).text
    assert "stack, plane 1 of 0 to 1" in text
    assert "plane 1, row" in text


@pytest.mark.parametrize("with_truth", [True, False])
def test_the_report_is_one_file(with_truth):
    bad = "<script>alert(1)</script>"
    sections = [compare_section(compared(with_truth=with_truth, name=bad))]
    page = Page(
        compare_report(models(with_truth=with_truth), sections, record={"images": bad})
    )
    assert not page.named("script")
    assert page.text.count(bad) >= 2
    sources = [attributes["src"] for attributes in page.named("img")]
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    assert "1 more image not shown." in page.text
    assert "2 models · 2 images" in page.text
    assert "threshold 0.5" in page.text
    assert ("Precision" in page.text) is with_truth
    assert ("Missed cells" in page.text) is with_truth
