import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_cresunet.correction import Erased, Pins, apply_pins, find_pins

label_images = hnp.arrays(np.int32, (6, 7), elements=st.integers(0, 4))


def discs(*places, shape=(60, 90)):
    """Label discs of (row, column, radius) in this order."""
    labels = np.zeros(shape, np.int32)
    rows, columns = np.indices(shape)
    for number, (row, column, radius) in enumerate(places, 1):
        labels[np.hypot(rows - row, columns - column) <= radius] = number
    return labels


def cell_sets(labels):
    """Return the pixels of each cell."""
    return {
        int(cell): frozenset(map(tuple, np.argwhere(labels == cell).tolist()))
        for cell in np.unique(labels[labels > 0])
    }


# Which cells were touched


def test_nothing_is_pinned_where_nothing_has_changed():
    labels = discs((20, 20, 8), (40, 60, 8))
    before = Pins(cells={2: "accepted"})
    assert find_pins(labels, labels.copy(), before) is before


def test_a_cell_that_was_painted_at_is_edited_and_a_new_one_is_added():
    base = discs((20, 20, 8), (40, 60, 8))
    labels = base.copy()
    labels[20, 29] = 1
    labels[50:55, 10:15] = 3
    pins = find_pins(labels, base, Pins())
    assert pins.cells == {1: "edited", 3: "added"}
    assert pins.erased == ()


def test_a_cell_that_was_deleted_leaves_its_place_erased():
    base = discs((20, 20, 8), (40, 60, 8))
    labels = np.where(base == 2, 0, base)
    (erased,) = find_pins(labels, base, Pins()).erased
    assert (erased.label, erased.is_whole) == (2, True)
    assert np.array_equal(erased.pixels, np.flatnonzero(base == 2))


def test_what_was_rubbed_out_of_a_cell_stays_erased_and_the_rest_is_edited():
    base = discs((20, 20, 8))
    labels = base.copy()
    labels[:, 20:] = 0
    pins = find_pins(labels, base, Pins())
    (erased,) = pins.erased
    assert pins.cells == {1: "edited"}
    assert not erased.is_whole
    assert np.array_equal(erased.pixels, np.flatnonzero(base != labels))


def test_joined_cells_erase_nothing():
    base = discs((20, 20, 8), (20, 35, 8))
    pins = find_pins(np.where(base == 2, 1, base), base, Pins())
    assert pins.cells == {1: "edited"}
    assert pins.erased == ()


def test_an_added_cell_that_is_painted_at_later_stays_added():
    base = discs((20, 20, 8), (40, 60, 8))
    pins = find_pins(np.roll(base, 1), base, Pins(cells={2: "added"}))
    assert pins.cells == {1: "edited", 2: "added"}


def test_a_pinned_cell_that_is_deleted_is_no_longer_pinned():
    base = discs((20, 20, 8), (40, 60, 8))
    before = Pins(cells={1: "accepted", 2: "added"})
    pins = find_pins(np.where(base == 2, 0, base), base, before)
    assert pins.cells == {1: "accepted"}
    assert [one.label for one in pins.erased] == [2]


def test_more_that_is_rubbed_out_of_a_cell_is_added_to_what_was_before():
    base = discs((20, 20, 8))
    first = Erased(label=1, pixels=np.array([0, 1]), is_whole=False)
    labels = base.copy()
    labels[20] = 0
    (erased,) = find_pins(labels, base, Pins(erased=(first,))).erased
    expected = [0, 1, *np.flatnonzero(labels != base)]
    assert erased.pixels.tolist() == expected


def test_an_earlier_cell_of_the_same_number_stays_erased_on_its_own():
    base = discs((20, 20, 8))
    first = Erased(label=1, pixels=np.array([0, 1]), is_whole=True)
    pins = find_pins(np.zeros_like(base), base, Pins(erased=(first,)))
    assert pins.erased[0] is first
    assert len(pins.erased) == 2


@given(label_images, label_images)
def test_pins_are_what_a_loop_over_cells_finds(base, labels):
    pins = find_pins(labels, base, Pins())
    now, then = cell_sets(labels), cell_sets(base)
    expected = {}
    for cell, pixels in now.items():
        if cell not in then:
            expected[cell] = "added"
        elif pixels != then[cell]:
            expected[cell] = "edited"
    assert pins.cells == expected
    erased = {one.label: one for one in pins.erased}
    for cell, pixels in then.items():
        taken = sorted(r * 7 + c for r, c in pixels if labels[r, c] == 0)
        assert (cell in erased) == bool(taken)
        if taken:
            assert erased[cell].pixels.tolist() == taken
            assert erased[cell].is_whole == (cell not in now)


# New labels around them


def test_without_pins_the_new_cells_are_taken_as_they_are():
    automatic = discs((20, 20, 8), (40, 60, 8))
    made = apply_pins(automatic, np.zeros_like(automatic), Pins(), 20)
    assert made is not automatic
    assert np.array_equal(made, automatic)


def test_pinned_cells_keep_place_and_number_and_others_get_the_free_numbers():
    labels = np.where(discs((20, 20, 8)), 2, 0)
    automatic = discs((20, 20, 12), (40, 40, 8), (45, 70, 8))
    made = apply_pins(automatic, labels, Pins(cells={2: "accepted"}), 20)
    assert np.array_equal(made == 2, labels == 2)
    assert np.array_equal(made == 1, automatic == 2)
    assert np.array_equal(made == 3, automatic == 3)
    # The wider rim of the new cell is no cell.
    assert made.max() == 3


def test_a_neighbor_that_has_grown_together_with_a_pinned_cell_stays():
    labels = discs((30, 30, 8))
    automatic = np.minimum(discs((30, 30, 9), (30, 46, 9)), 1)
    made = apply_pins(automatic, labels, Pins(cells={1: "edited"}), 20)
    assert np.array_equal(made == 1, labels == 1)
    assert made[30, 46] == 2
    assert set(np.unique(made)) == {0, 1, 2}


def test_where_a_cell_was_deleted_none_is_found_at_any_threshold():
    deleted = Erased(label=1, pixels=np.flatnonzero(discs((30, 30, 8))), is_whole=True)
    nothing = np.zeros((60, 90), np.int32)
    for radius in (5, 8, 11):
        automatic = discs((30, 30, radius), (30, 70, 6))
        made = apply_pins(automatic, nothing, Pins(erased=(deleted,)), 20)
        assert made.max() == 1
        assert np.array_equal(made == 1, automatic == 2)


def test_half_of_a_blob_that_was_rubbed_out_is_not_found_again():
    blob = np.minimum(discs((30, 30, 9), (30, 46, 9)), 1)
    labels = blob.copy()
    labels[:, 38:] = 0
    pins = find_pins(labels, blob, Pins())
    assert np.array_equal(apply_pins(blob, labels, pins, 20), labels)


@pytest.mark.parametrize(("width", "stays"), [(4, False), (5, True), (9, True)])
def test_what_is_left_stays_if_it_is_half_as_wide_as_what_it_gave_way_to(width, stays):
    labels = np.zeros((60, 60), np.int32)
    labels[5:55, 10:20] = 1
    automatic = np.zeros_like(labels)
    automatic[5:55, 10 : 20 + width] = 1
    made = apply_pins(automatic, labels, Pins(cells={1: "edited"}), 20)
    assert bool(made[30, 20] == 2) == stays
    assert bool((made == 2).any()) == stays


def test_a_piece_smaller_than_the_smallest_cell_goes():
    labels = np.zeros((40, 40), np.int32)
    labels[10:13, 10:30] = 1
    automatic = np.zeros_like(labels)
    automatic[10:16, 10:30] = 1
    pins = Pins(cells={1: "edited"})
    assert apply_pins(automatic, labels, pins, 60).max() == 2
    assert apply_pins(automatic, labels, pins, 61).max() == 1


def test_planes_of_a_stack_do_not_touch_each_other():
    plane = discs((30, 30, 8))
    labels = np.stack([plane, np.zeros_like(plane)])
    automatic = np.stack([plane, 2 * plane])
    made = apply_pins(automatic, labels, Pins(cells={1: "accepted"}), 20)
    assert np.array_equal(made[0], plane)
    assert np.array_equal(made[1], 2 * plane)


@settings(max_examples=60)
@given(
    label_images,
    label_images,
    st.sets(st.integers(1, 4)),
    st.sets(st.integers(0, 41), max_size=8),
    st.integers(0, 6),
)
def test_new_labels_are_those_of_a_loop_over_cells(
    automatic, labels, pinned, erased, min_size
):
    pinned &= set(cell_sets(labels))
    gone = Erased(label=9, pixels=np.array(sorted(erased), np.intp), is_whole=True)
    pins = Pins(cells=dict.fromkeys(sorted(pinned), "edited"), erased=(gone,))
    made = cell_sets(apply_pins(automatic, labels, pins, min_size))
    kept = {cell: made[cell] for cell in pinned}
    assert kept == {cell: cell_sets(labels)[cell] for cell in pinned}
    blocked = set().union(*kept.values(), (divmod(place, 7) for place in erased))
    expected = set()
    for pixels in cell_sets(automatic).values():
        overlap = pixels & blocked
        if not overlap:
            expected.add(pixels)
            continue
        pieces = parts_of(pixels - blocked)
        expected |= {
            piece
            for piece in pieces
            if len(piece) >= min_size and half_width(piece) >= half_width(overlap) / 2
        }
    others = {cell: pixels for cell, pixels in made.items() if cell not in pinned}
    assert set(others.values()) == expected
    assert len(others) == len(expected)
    free = [n for n in range(1, 99) if n not in pinned]
    assert sorted(others) == free[: len(others)]


def parts_of(pixels):
    """Return the 4-connected parts of a set of pixels."""
    left, parts = set(pixels), []
    while left:
        found = [left.pop()]
        for row, column in found:
            for near in ((row - 1, column), (row + 1, column)):
                if near in left:
                    left.remove(near)
                    found.append(near)
            for near in ((row, column - 1), (row, column + 1)):
                if near in left:
                    left.remove(near)
                    found.append(near)
        parts.append(frozenset(found))
    return parts


def half_width(pixels):
    """Return the largest distance from a pixel to one outside; the image ends there."""
    return max(
        min(
            np.hypot(row - y, column - x)
            for y in range(-1, 7)
            for x in range(-1, 8)
            if (y, x) not in pixels
        )
        for row, column in pixels
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint64])
def test_labels_of_any_type_are_taken(dtype):
    base = discs((20, 20, 8)).astype(dtype)
    labels = base.copy()
    labels[40:45, 40:45] = 7
    pins = find_pins(labels, base, Pins())
    assert pins.cells == {7: "added"}
    made = apply_pins(base.astype(np.int32), labels, pins, 5)
    assert np.array_equal(made, labels)
