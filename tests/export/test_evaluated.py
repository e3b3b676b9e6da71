import json

import pytest
from tests.export.evaluations import empty, evaluation, first, second, swept

from napari_cresunet.evaluation import (
    aggregate,
    aggregate_overlaps,
    bootstrap_intervals,
    bootstrap_overlap_intervals,
)
from napari_cresunet.export import (
    POOLED,
    Evaluation,
    case_rows,
    kind_column,
    score_rows,
    sweep_rows_table,
)


def same(row, values):
    """Compare with numbers of which NaN stands for None."""
    known = {name: None if value != value else value for name, value in values.items()}
    return {name: row[name] for name in known} == known


def test_each_image_has_its_scores_and_the_last_row_has_those_of_all():
    rows = score_rows(evaluation())
    assert [row["name"] for row in rows] == ["first", "second", POOLED]
    scores = [first().comparison.scores, second().comparison.scores]
    assert [(one.tp, one.fp, one.fn) for one in scores] == [(1, 1, 2), (2, 1, 0)]
    for row, one in zip(rows, [*scores, aggregate(scores)], strict=True):
        assert same(row, one.to_dict())


def test_all_rows_have_the_same_columns_and_are_ready_for_json():
    rows = score_rows(Evaluation(images=(first(), second(), empty())))
    assert len({tuple(row) for row in rows}) == 1
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_scores_by_pixels_are_given_where_the_truth_has_outlines():
    one, points, pooled = score_rows(evaluation())
    overlaps = first().comparison.overlap_scores()
    assert same(one, overlaps.to_dict())
    assert points["ap_0.5"] is None
    assert pooled["ap_0.5"] == one["ap_0.5"] == overlaps.average_precision[0]
    both = score_rows(Evaluation(images=(first(), first(), second())))[-1]
    known = [overlaps, overlaps]
    assert same(both, aggregate_overlaps(known).to_dict())
    low, high = bootstrap_overlap_intervals(known)["dice"]
    assert (both["dice_low"], both["dice_high"]) == (low, high)


def test_points_alone_have_no_columns_for_outlines():
    rows = score_rows(Evaluation(images=(second(),)))
    assert "dice" not in rows[0]


def test_only_the_last_row_has_intervals():
    one, _, pooled = score_rows(evaluation())
    scores = [first().comparison.scores, second().comparison.scores]
    for name, (low, high) in bootstrap_intervals(scores).items():
        assert (pooled[f"{name}_low"], pooled[f"{name}_high"]) == (low, high)
        assert one[f"{name}_low"] is None


def test_one_image_gives_no_interval():
    pooled = score_rows(Evaluation(images=(first(),)))[-1]
    assert (pooled["f1_low"], pooled["f1_high"]) == (None, None)


def test_kinds_are_counted():
    one, points, pooled = score_rows(evaluation())
    assert [one[kind_column(kind)] for kind in ("hit", "false positive", "missed")] == [
        *(1, 1, 2)
    ]
    assert points["n_hit"] == 2
    assert pooled["n_false_positive"] == 2


def test_cases_of_all_images_are_one_table():
    rows = case_rows(evaluation())
    assert len({tuple(row) for row in rows}) == 1
    assert [(row["name"], row["kind"]) for row in rows] == [
        ("first", "hit"),
        ("first", "missed"),
        ("first", "false positive"),
        ("first", "missed"),
        ("second", "hit"),
        ("second", "hit"),
        ("second", "false positive"),
    ]
    assert rows[0] | {"row": 13.5, "column": 14.5, "contrast": 180.0} == rows[0]
    assert rows[4]["contrast"] is None  # there is no image
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_cases_are_joined_in_the_columns_that_all_have():
    joined = evaluation().cases
    assert len(joined["kind"]) == 7
    assert "contrast" not in joined
    assert "contrast" in Evaluation(images=(first(), first())).cases


def test_a_sweep_is_a_table_of_settings_and_scores():
    rows = swept()
    table = sweep_rows_table(rows)
    assert len(table) == 3 * 2 * 2
    assert table[0] == rows[0].to_dict()
    assert table[-1] | {"threshold": 0.95, "tp": 0, "precision": None} == table[-1]


def test_an_evaluation_without_images_is_refused():
    with pytest.raises(
        ValueError, match=r"^There are no scores to pool; evaluate at least one image.$"
    ):
        score_rows(Evaluation(images=()))
