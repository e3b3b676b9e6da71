"""What a correction changes."""

import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_cresunet.correction
from napari_cresunet.correction._edit import make_edit

CHANGES = st.lists(
    st.tuples(st.lists(st.integers(0, 11), max_size=6), st.integers(0, 3)), max_size=4
)


@settings(deadline=None)
@given(changes=CHANGES, values=st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_of_changes_at_a_place_the_last_one_counts(changes, values):
    labels = np.array(values, np.uint8).reshape(3, 4)
    expected = labels.copy()
    for places, label in changes:
        expected.ravel()[places] = label
    edit = make_edit(
        "paint",
        labels,
        [(np.array(places, np.intp), label) for places, label in changes],
        ([3, 1, 3], []),
    )
    np.testing.assert_array_equal(edit.applied_to(labels), expected)
    assert edit.pixels.tolist() == np.flatnonzero(expected != labels).tolist()
    assert edit.is_empty == bool((expected == labels).all())
    assert (edit.before, edit.after) == ((1, 3), ())


def test_labels_may_lie_in_memory_in_any_order():
    labels = np.asfortranarray(np.arange(12, dtype=np.int32).reshape(3, 4))[:, ::2]
    edit = make_edit("paint", labels, [(np.array([1, 5]), 99)], ((), ()))
    assert edit.applied_to(labels).tolist() == [[0, 99], [4, 6], [8, 99]]


def test_importing_the_room_loads_neither_scipy_nor_scikit_image():
    code = (
        "import sys, napari_cresunet.correction as c;"
        "print(sorted({'scipy', 'skimage', 'numba', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_every_public_name_is_there_and_no_other():
    room = napari_cresunet.correction
    assert all(getattr(room, name) for name in room.__all__)
    assert not hasattr(room, "nothing")
