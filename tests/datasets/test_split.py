"""What can be learned from, and what is held apart for validation."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cresunet.datasets import Pair, check_pairs, split_pairs
from napari_cresunet.errors import InputError


def pair(name, n_cells=1, size=4):
    labels = np.zeros((8, 40), np.int32)
    for number in range(n_cells):
        labels[2, 5 * number : 5 * number + size] = number + 1
    return Pair(name=name, image=labels, labels=labels)


def refused(message, function, *arguments, **options):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        function(*arguments, **options)


def test_some_cells_are_enough():
    check_pairs([pair("a", 0), pair("b", 2)])
    check_pairs([pair("a", 3)])


def test_nothing_to_learn_from_is_refused():
    refused(
        "There is no image with truth to learn from: choose images and their masks.",
        check_pairs,
        [],
    )
    refused(
        "No cell is marked in any of the 4 images (a, b, c and 1 more): choose masks "
        "that have some.",
        check_pairs,
        [pair(name, 0) for name in "abcd"],
    )
    refused(
        "All cells are single pixels (a, b): outline them, dots do not show which "
        "pixels belong to a cell.",
        check_pairs,
        [pair("a", 3, size=1), pair("b", 0)],
    )


@given(
    n_cells=st.lists(st.sampled_from([0, 0, 1, 5]), min_size=2, max_size=30),
    validation=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_pair_is_on_one_side_and_both_sides_have_what_they_need(
    n_cells, validation, seed
):
    pairs = [pair(f"{number:02}", n) for number, n in enumerate(n_cells)]
    sides = split_pairs(pairs, validation=validation, seed=seed)
    named = [[one.name for one in side] for side in sides]
    assert sorted(named[0] + named[1]) == [one.name for one in pairs]
    assert named == [sorted(side) for side in named]
    assert all(named)
    n_with = [sum(one.labels.any() for one in side) for side in sides]
    assert n_with[0] >= min(1, sum(n_with))
    assert n_with[1] >= min(1, sum(n_with) - 1)
    # One more or less where a side would have none.
    assert abs(len(named[1]) - validation * len(pairs)) <= 1.5
    if min(n_with) > 1 and 0 in n_cells:
        share = n_with[1] / sum(n_with)
        assert abs(n_with[1] - len(named[1]) * sum(n_with) / len(pairs)) <= 1, share


@given(order=st.permutations(range(12)))
def test_the_order_of_the_pairs_changes_nothing(order):
    pairs = [pair(f"{number:02}", number % 3) for number in range(12)]
    _, held = split_pairs(pairs, seed=4)
    _, again = split_pairs([pairs[index] for index in order], seed=4)
    assert {one.name for one in held} == {one.name for one in again}


def test_seeds_give_different_splits_and_a_fifth_is_held_apart():
    pairs = [pair(f"{number:02}") for number in range(20)]
    splits = {
        tuple(one.name for one in split_pairs(pairs, seed=seed)[1]) for seed in range(5)
    }
    assert len(splits) == 5
    assert {len(held) for held in splits} == {4}


@pytest.mark.parametrize("n_pairs", [0, 1])
def test_less_than_two_images_cannot_be_split(n_pairs):
    refused(
        "Two images or more are needed to hold one apart for validation, got "
        f"{n_pairs}: add some, or cut one into parts.",
        split_pairs,
        [pair("a")] * n_pairs,
    )


@pytest.mark.parametrize("share", [0, 1, -0.2, 20])
def test_a_share_outside_of_0_to_1_is_refused(share):
    refused(
        f"`validation` must be between 0 and 1, got {share}.",
        split_pairs,
        [pair("a"), pair("b")],
        validation=share,
    )
