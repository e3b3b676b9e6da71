import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from napari.layers._layer_actions import _duplicate_layer

from napari_cresunet.correction import Edit
from napari_cresunet.errors import InputError
from napari_cresunet.state import Corrections
from napari_cresunet.widgets._corrections import (
    CORRECTIONS,
    apply_edit,
    corrections_of,
    is_edited,
    release_pins,
    renew_labels,
    set_labels,
    show_renewed,
    start_corrections,
    tell_renewed,
    why_not_editable,
)

pytestmark = pytest.mark.gui


@pytest.fixture
def layer():
    """A layer of two square cells, as if this plugin had counted them."""
    labels = np.zeros((30, 40), np.int32)
    labels[5:12, 5:12] = 1
    labels[5:12, 20:27] = 2
    record = {"kind": "cells", "edited": False, "count": 2}
    return Labels(labels, name="cells", metadata={"cresunet": record})


@pytest.fixture
def deleted(layer):
    """The edit that deletes the second cell."""
    pixels = np.flatnonzero(layer.data == 2)
    return Edit(
        kind="delete",
        pixels=pixels,
        values=np.zeros(len(pixels), np.int32),
        before=(2,),
        after=(),
    )


def test_an_edit_is_one_step_of_naparis_undo(layer, deleted):
    before = layer.data.copy()
    corrections = corrections_of(layer)
    apply_edit(layer, deleted)
    assert not (layer.data == 2).any()
    assert [entry.kind for entry in corrections.log] == ["delete"]
    assert is_edited(layer)
    record = layer.metadata["cresunet"]
    assert (record["edited"], record["pinned"], record["count"]) == (True, 1, 1)
    layer.undo()
    assert np.array_equal(layer.data, before)
    assert corrections.pins.is_empty
    assert not is_edited(layer)
    layer.redo()
    assert [entry.kind for entry in corrections.log] == ["delete", "undo", "redo"]


def test_naparis_own_tools_are_noticed(layer):
    corrections = corrections_of(layer)
    layer.fill((0, 0), 3)
    assert corrections.pins.cells == {3: "added"}
    layer.data = np.zeros_like(layer.data)
    assert [one.label for one in corrections.pins.erased] == [1, 2]
    assert [entry.kind for entry in corrections.log] == ["paint", "paint"]


def test_a_stroke_is_one_line_of_the_log(layer):
    corrections = corrections_of(layer)
    layer.mode = "paint"
    layer.selected_label = 7
    with layer.block_history():
        for row in range(18, 26):
            layer.paint((row, 33), 7)
    assert [entry.after for entry in corrections.log] == [(7,)]


def test_a_layer_has_the_same_corrections_however_often_one_asks(layer, deleted):
    corrections = corrections_of(layer)
    for _ in range(3):
        assert corrections_of(layer) is corrections
    apply_edit(layer, deleted)
    assert len(corrections.log) == 1


def test_corrections_of_a_study_go_on(layer):
    known = Corrections(layer.data)
    known.accept(1)
    assert start_corrections(layer, known) is corrections_of(layer) is known
    layer.fill((0, 0), 3)
    assert known.pins.cells == {1: "accepted", 3: "added"}


def test_labels_of_another_shape_begin_anew(layer, deleted):
    apply_edit(layer, deleted)
    layer.data = np.zeros((10, 10), np.int32)
    assert is_edited(layer)
    assert corrections_of(layer).pins.is_empty


def test_labels_that_this_plugin_sets_are_not_edited(layer):
    corrections_of(layer)
    set_labels(layer, np.ones((30, 40), np.int32), {"edited": False})
    assert not is_edited(layer)
    assert corrections_of(layer).log == []


def test_new_labels_leave_pinned_cells_and_nothing_to_undo(layer, deleted):
    first = layer.data.copy()
    corrections = corrections_of(layer)
    apply_edit(layer, deleted)
    renew_labels(layer, first, 5, {"threshold": 0.3, "edited": False})
    assert np.array_equal(np.unique(layer.data), [0, 1])
    assert layer.metadata["cresunet"] == {
        "threshold": 0.3,
        "edited": True,
        "pinned": 1,
        "count": 1,
    }
    layer.undo()
    assert not (layer.data == 2).any()
    # A brush does not change what pins are found against.
    layer.fill((0, 0), 3)
    assert corrections.pins.cells == {3: "added"}


@pytest.mark.parametrize("n_changed", [0, 2, 300])
def test_labels_written_in_place_are_those_set_anew(layer, deleted, n_changed):
    corrections = corrections_of(layer)
    apply_edit(layer, deleted)
    array, new = layer.data, layer.data.copy()
    new.ravel()[500 : 500 + n_changed] = 9
    told = []
    for name in ("set_data", "labels_update", "data"):
        getattr(layer.events, name).connect(lambda event: told.append(event.type))
    show_renewed(layer, new, (new, 5), {"edited": False}, in_place=True)
    assert layer.data is array
    assert np.array_equal(layer.data, new)
    assert corrections.labels is new
    # A few pixels are drawn by themselves, many together.
    assert told == {0: [], 2: ["labels_update"], 300: ["set_data"]}[n_changed]
    layer.undo()
    assert np.array_equal(layer.data, new)
    layer.fill((0, 0), 3)
    assert 3 in corrections.pins.cells
    tell_renewed(layer)
    assert told[-1] == "data"
    assert len(corrections.log) == 3


def test_what_is_drawn_after_few_pixels_were_changed_is_what_all_would_be(layer):
    corrections_of(layer)
    new = layer.data.copy()
    new[6, 6:8] = 2
    show_renewed(layer, new, (new, 5), {"edited": False}, in_place=True)
    tell_renewed(layer)
    whole = Labels(new.copy())
    whole.colormap = layer.colormap
    assert np.array_equal(layer._slice.image.view, whole._slice.image.view)
    assert np.array_equal(layer.thumbnail, whole.thumbnail)


def test_labels_of_another_type_are_set_anew(layer):
    layer.data = layer.data.astype(np.uint8)
    corrections_of(layer)
    new = np.zeros(layer.data.shape, np.int32)
    new[0, 0] = 1000
    show_renewed(layer, new, (new, 0), {"edited": False}, in_place=True)
    assert layer.data[0, 0] == 1000


def test_releasing_brings_the_networks_cells_back_and_can_be_undone(layer, deleted):
    first = layer.data.copy()
    renew_labels(layer, first, 5, {"edited": False})
    apply_edit(layer, deleted)
    edited = layer.data.copy()
    corrections = corrections_of(layer)
    release_pins(layer, erased=corrections.pins.erased)
    assert np.array_equal(layer.data, first)
    assert not is_edited(layer)
    layer.undo()
    assert np.array_equal(layer.data, edited)
    assert is_edited(layer)


def test_an_edit_that_changes_nothing_is_no_step(layer):
    empty = Edit(
        kind="merge",
        pixels=np.empty(0, np.intp),
        values=np.empty(0),
        before=(),
        after=(),
    )
    apply_edit(layer, empty)
    assert corrections_of(layer).log == []


def test_a_copy_of_a_layer_that_nobody_edited_is_not_edited(layer):
    corrections_of(layer)
    assert not is_edited(Labels(layer.data.copy(), metadata=dict(layer.metadata)))


def test_corrections_may_be_given_to_a_layer_before_it_is_made(layer):
    known = Corrections(layer.data)
    made = Labels(layer.data, metadata={CORRECTIONS: known})
    assert corrections_of(made) is known
    made.fill((0, 0), 3)
    assert known.pins.cells == {3: "added"}


def test_a_duplicated_layer_has_pins_of_its_own(layer, deleted):
    viewer = ViewerModel()
    viewer.add_layer(layer)
    corrections = corrections_of(layer)
    apply_edit(layer, deleted)
    viewer.layers.selection.active = layer
    _duplicate_layer(viewer.layers)
    (copy,) = (one for one in viewer.layers if one is not layer)
    copy.data_setitem((np.array([0]), np.array([0])), 9)
    assert is_edited(copy)
    assert corrections_of(copy).pins.cells == {9: "added"}
    assert corrections_of(copy).n_pinned == 2
    assert corrections_of(layer) is corrections
    assert corrections.n_pinned == 1
    assert layer.metadata["cresunet"]["pinned"] == 1
    assert copy.metadata["cresunet"]["pinned"] == 2


# Layers that cannot be corrected


def test_a_pyramid_is_refused(layer):
    pyramid = Labels([layer.data, layer.data[::2, ::2]], name="slide")
    assert why_not_editable(pyramid) == (
        "'slide' is a pyramid, which napari cannot edit: choose a layer with one "
        "resolution."
    )


def test_labels_that_are_not_in_memory_are_refused(layer, deleted):
    lazy = Labels(da.from_array(layer.data), name="lazy")
    sentence = (
        "The labels of 'lazy' are not in memory: save the layer as TIFF and open that "
        "file."
    )
    assert why_not_editable(lazy) == sentence
    with pytest.raises(InputError) as error:
        apply_edit(lazy, deleted)
    assert str(error.value) == sentence


def test_read_only_labels_are_refused_and_unchanged(layer, deleted):
    frozen = layer.data.copy()
    frozen.flags.writeable = False
    locked = Labels(frozen, name="locked")
    with pytest.raises(InputError) as error:
        apply_edit(locked, deleted)
    assert str(error.value) == (
        "The labels of 'locked' are read-only: duplicate the layer (right click) and "
        "correct the copy."
    )
    assert np.array_equal(locked.data, layer.data)


def test_a_locked_layer_is_refused(layer):
    layer.editable = False
    assert why_not_editable(layer) == (
        "'cells' is locked: show rows and columns in the 2D view, or unlock the layer."
    )


def test_a_layer_that_can_be_corrected_has_no_reason(layer):
    assert why_not_editable(layer) == ""


@pytest.mark.parametrize(("value", "low"), [(2**24 + 1, "0"), (-3, "-3")])
def test_numbers_that_are_no_cells_numbers_are_refused(layer, value, low):
    labels = layer.data.astype(np.int64)
    labels[0, 0] = value
    strange = Labels(labels, name="strange")
    with pytest.raises(InputError) as error:
        corrections_of(strange)
    assert str(error.value) == (
        f"The cells of 'strange' have numbers from {low} to {max(value, 2):,}, of "
        "which only 0 to 16,777,216 can be corrected: number them anew first."
    )
