"""Which cells to look at first, and why."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scenes import paint

from napari_cresunet.measurement import doubts, measure

NEAR = "probability near the threshold"
DENTED = "dented outline, maybe two cells"
SMALL = "unusually small"
LARGE = "unusually large"
BORDER = "at the border of the image"


def table(n=9, **columns):
    """Return cells about which there is no doubt, but for these columns."""
    areas = np.array([96, 98, 100, 102, 104] * 20)[:n]
    cells = {
        "label": np.arange(1, n + 1),
        "area_px": areas,
        "solidity": np.full(n, 0.96),
        "touches_border": np.zeros(n, bool),
        "mean_probability": np.full(n, 0.99),
    }
    for name, values in columns.items():
        cells[name] = cells[name].astype(np.result_type(cells[name], type(values[0])))
        cells[name][: len(values)] = values
    return cells


def of_first(**columns):
    doubt, reasons = doubts(table(**columns))
    return doubt[0], reasons[0]


def test_a_cell_like_all_others_raises_no_doubt():
    doubt, reasons = doubts(table())
    assert (doubt < 0.05).all()
    assert reasons == [""] * 9


@pytest.mark.parametrize(
    ("columns", "reason", "expected"),
    [
        ({"mean_probability": [0.5]}, NEAR, 0.9),
        ({"mean_probability": [0.65]}, NEAR, 0.9 * np.exp(-1)),
        ({"mean_probability": [0.2]}, NEAR, 0.9),
        ({"touches_border": [True]}, BORDER, 0.15),
        ({"area_px": [1]}, SMALL, 0.7),
        ({"area_px": [9999]}, LARGE, 0.7),
        ({"solidity": [0.4], "area_px": [100]}, DENTED, 0.45),
    ],
)
def test_each_reason_raises_the_doubt_that_is_documented(columns, reason, expected):
    doubt, named = of_first(**columns)
    assert named == reason
    assert doubt == pytest.approx(expected, abs=0.003)


def test_reasons_add_up_and_the_strongest_comes_first():
    doubt, named = of_first(
        solidity=[0.5], area_px=[9999], mean_probability=[0.66], touches_border=[True]
    )
    assert named == f"{DENTED}; {LARGE}; {NEAR}; {BORDER}"
    away = 0.9 * np.exp(-((0.32 / 0.3) ** 2))
    expected = 1 - (1 - 0.9) * (1 - 0.7) * (1 - away) * (1 - 0.15)
    assert doubt == pytest.approx(expected, abs=0.001)


def test_the_threshold_is_the_one_that_was_used():
    cells = table(mean_probability=[0.75])
    doubt = [doubts(cells, threshold=t)[0][0] for t in (None, 0.5, 0.6, 0.7, 0.75, 1)]
    assert doubt[0] == doubt[1]
    assert doubt == sorted(doubt)
    assert doubt[-1] == doubt[-2] == pytest.approx(0.9, abs=0.001)


def test_without_probability_shapes_decide_alone():
    cells = table(solidity=[0.7], touches_border=[False, True])
    del cells["mean_probability"]
    doubt, reasons = doubts(cells)
    assert reasons == [DENTED, BORDER, *[""] * 7]
    assert np.argmax(doubt) == 0


def test_of_few_cells_no_size_is_unusual():
    assert doubts(table(4, area_px=[1, 9999]))[1] == [""] * 4
    assert doubts(table(5, area_px=[1, 9999]))[1][:2] == [SMALL, LARGE]


def test_what_the_border_cuts_is_not_unusually_small_but_may_be_large():
    cells = table(area_px=[1, 9999], touches_border=[True, True])
    assert doubts(cells)[1][:2] == [BORDER, f"{LARGE}; {BORDER}"]


def test_cells_that_are_all_alike_make_no_others_unusual():
    assert doubts(table(area_px=[115] + [100] * 8))[1] == [""] * 9


def test_where_all_outlines_are_ragged_only_the_worst_are_doubtful():
    ragged = [0.7, *[0.82] * 8]
    doubt, reasons = doubts(table(solidity=ragged))
    assert reasons == [DENTED, *[""] * 8]
    assert doubt[0] == pytest.approx(0.9 * 0.48 / (1 + np.exp(-z_of(96))), abs=0.01)


def z_of(area):
    """Return how unusual an area is among those of `table`."""
    logs = np.log(table()["area_px"])
    spread = max(1.4826 * np.median(abs(logs - np.median(logs))), 0.1)
    return (np.log(area) - np.median(logs)) / spread


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["mean_probability", "solidity", "large", "small"]),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_the_doubt_grows_with_each_reason(name, one, other):
    low, high = sorted((one, other))
    match name:
        case "large":
            column, values = "area_px", [int(100 + 900 * low), int(100 + 900 * high)]
        case "small":
            column, values = "area_px", [int(100 - 99 * low), int(100 - 99 * high)]
        case _:
            column, values = name, [high, low]
    cells = table(solidity=[0.9]) if name == "large" else table()
    # One of many: it changes nothing about what is usual.
    less, more = (
        doubts(cells | {column: np.array([value, *cells[column][1:]])})[0][0]
        for value in values
    )
    assert less <= more + 0.005


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40))
def test_doubts_lie_between_0_and_1_and_follow_their_cells(seed, n):
    rng = np.random.default_rng(seed)
    cells = {
        "label": np.arange(n),
        "area_px": rng.integers(1, 500, n),
        "solidity": rng.uniform(0.2, 1, n),
        "touches_border": rng.random(n) < 0.2,
        "mean_probability": np.where(rng.random(n) < 0.1, np.nan, rng.random(n)),
    }
    doubt, reasons = doubts(cells)
    assert doubt.shape == (n,)
    assert len(reasons) == n
    assert ((doubt >= 0) & (doubt <= 1)).all()
    order = rng.permutation(n)
    again, named = doubts({name: column[order] for name, column in cells.items()})
    assert again == pytest.approx(doubt[order])
    assert named == [reasons[i] for i in order]


def test_two_cells_in_one_are_the_first_to_look_at():
    labels = paint(*[(10 + 14 * i, 8 + 14 * j, 5) for i in range(3) for j in range(6)])
    labels[labels == 2] = 1  # side by side, with a gap between
    labels[10, 8:24] = 1
    doubt, reasons = doubts(measure(labels))
    assert np.argmax(doubt) == 0
    assert reasons[0] == f"{DENTED}; {LARGE}"
