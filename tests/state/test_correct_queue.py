"""The queue of cells to review: a stable order, whatever is done meanwhile."""

import numpy as np
import pytest

from napari_cresunet.measurement import doubts, measure
from napari_cresunet.state import ReviewOrder, ReviewQueue, Spot, iter_review
from napari_cresunet.steps import drain


class Cells:
    """Labels of cells and of those that were looked at, as the queue asks for them."""

    def __init__(self, *labels):
        self.labels, self.reviewed = set(labels), set()

    def __call__(self):
        return self.labels, self.reviewed


def order(*cells):
    spots = [Spot(text=f"#{cell}", row=cell, column=0) for cell in cells]
    return ReviewOrder(cells=cells, spots=tuple(spots))


@pytest.fixture
def cells():
    return Cells(1, 2, 3, 4)


@pytest.fixture
def queue(cells):
    queue = ReviewQueue(cells)
    queue.begin(order(3, 1, 4, 2))
    return queue


def test_cells_are_listed_in_their_order(queue):
    assert queue.cells == (3, 1, 4, 2)
    assert [spot.text for spot in queue.spots] == ["#3", "#1", "#4", "#2"]
    assert (queue.marked, queue.current) == (-1, 0)


def test_who_is_done_with_a_cell_finds_the_next_one_marked(queue, cells):
    assert queue.visit(1) == 1
    cells.reviewed.add(1)
    queue.refresh()
    assert queue.cells == (3, 4, 2)
    assert queue.cells[queue.marked] == 4
    assert queue.current == 0  # not there yet


def test_after_the_last_cell_comes_the_first(queue, cells):
    queue.visit(3)
    cells.labels.remove(2)
    queue.refresh()
    assert queue.cells[queue.marked] == 3


def test_the_cell_in_sight_stays_when_others_go_or_come(queue, cells):
    queue.visit(2)
    cells.labels -= {3}
    cells.labels |= {9}
    queue.refresh()
    assert queue.cells == (1, 4, 2)
    assert (queue.cells[queue.marked], queue.current) == (4, 4)


def test_a_cell_that_was_rejected_comes_back_with_undo(queue, cells):
    queue.visit(0)
    cells.labels.remove(3)
    queue.refresh()
    queue.visit(0)
    assert queue.current == 1
    cells.labels.add(3)
    queue.refresh()
    assert queue.cells == (3, 1, 4, 2)
    assert queue.current == 1


def test_all_cells_are_listed_on_demand(queue, cells):
    cells.reviewed |= {1, 3}
    queue.refresh()
    assert queue.cells == (4, 2)
    queue.show_unreviewed(False)
    assert queue.cells == (3, 1, 4, 2)


def test_it_is_done_when_all_were_looked_at(queue, cells):
    assert not queue.is_done
    cells.reviewed |= cells.labels
    queue.refresh()
    assert queue.is_done
    assert (queue.cells, queue.marked) == ((), -1)


def test_nothing_is_listed_while_the_order_is_being_found(queue):
    queue.visit(0)
    queue.begin(None)
    assert (queue.cells, queue.marked, queue.current) == ((), -1, 0)
    assert not queue.is_done
    queue.refresh()
    assert queue.spots == []


def test_it_is_told_only_what_changes_the_list(queue, cells):
    told = []
    queue.changed.connect(lambda: told.append(1))
    queue.refresh()
    cells.labels.add(9)  # not in the order
    queue.refresh()
    assert not told
    cells.labels.remove(1)
    queue.refresh()
    assert told == [1]


# The order


def scene():
    """Nine alike squares, one large one, and one at the border."""
    labels = np.zeros((120, 120), np.int32)
    for number in range(9):
        row, column = 10 + 30 * (number // 3), 10 + 30 * (number % 3)
        labels[row : row + 8, column : column + 8] = number + 1
    labels[100:118, 60:100] = 20
    labels[100:108, 0:8] = 30
    return labels


def test_the_most_doubtful_cell_comes_first_with_its_reason():
    labels = scene()
    review = drain(iter_review(labels))
    assert review.cells[0] == 20
    assert review.spots[0].text == "#20: unusually large, 720 px"
    assert (review.spots[0].row, review.spots[0].column) == (108.5, 79.5)
    assert review.cells[1] == 30
    # No doubt: in the order of their labels.
    assert review.cells[2:] == tuple(range(1, 10))
    assert review.spots[2].text == "#1: 64 px"


def test_the_order_is_that_of_the_doubts():
    labels = scene()
    probability = np.where(labels > 0, 0.95, 0.1).astype(np.float32)
    probability[labels == 5] = 0.55
    review = drain(iter_review(labels, probability, 0.5))
    cells = measure(labels, probability=probability)
    doubt, _ = doubts(cells, threshold=0.5)
    known = dict(zip(cells["label"].tolist(), doubt.tolist(), strict=True))
    in_order = [known[cell] for cell in review.cells]
    assert in_order == sorted(in_order, reverse=True)
    assert set(review.cells) == set(known)
    spots = dict(zip(review.cells, review.spots, strict=True))
    assert spots[5].text == "#5: probability near the threshold, 64 px"


def test_cells_of_a_stack_say_on_which_plane_they_are():
    labels = np.zeros((2, 3, 40, 40), np.int32)
    labels[1, 2, 10:20, 10:20] = 7
    (spot,) = drain(iter_review(labels)).spots
    assert spot.plane == 5
    assert spot.text == "#7: 100 px, plane 6"


def test_labels_without_cells_have_nothing_to_review():
    assert drain(iter_review(np.zeros((20, 20), np.int32))).cells == ()
