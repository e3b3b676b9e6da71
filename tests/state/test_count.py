import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from napari_cresunet.errors import InputError
from napari_cresunet.state import CountState, Progress, Source, iter_analysis, iter_run
from napari_cresunet.steps import drain

NO_IMAGE = (
    "There is no image: open one with File > Open, or a sample with File > Open Sample "
    "> c-ResUnet."
)


def run(state, region=None):
    request = state.request(region)
    state.begin()
    state.finish(drain(iter_run(request, state.cache)))


def heard(signal):
    """Return a list that grows with every emission."""
    emissions = []
    signal.connect(lambda: emissions.append(1))
    return emissions


# Whether it can run


def test_without_an_image_it_says_how_to_get_one(state):
    assert not state.can_run
    assert state.why_not == NO_IMAGE


def test_a_selected_layer_that_is_no_image_is_named(state):
    state.choose_source(None, other="truth")
    assert state.why_not == (
        "'truth' is no image: open an image, or choose an image layer."
    )


def test_without_a_model_it_says_where_to_put_one(tmp_path, monkeypatch, source):
    monkeypatch.setenv("NAPARI_CRESUNET_MODELS", str(tmp_path))
    state = CountState()
    state.choose_source(source)
    assert state.why_not == (
        f"There is no model: put a weight file into {tmp_path}, or install "
        "napari-cresunet again."
    )


def test_an_unusable_image_says_why(state):
    state.choose_source(Source(identity="c", name="c", image=np.zeros((4, 4), complex)))
    assert state.why_not == (
        "The image has complex values: pass its magnitude, `numpy.abs(image)`."
    )


def test_nothing_else_runs_meanwhile(state, source):
    state.choose_source(source)
    assert state.can_run
    state.begin()
    assert state.why_not == "A run is going on: wait for it or press Cancel."
    message = state.why_not
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        state.request()


# How a run goes


def test_progress_and_its_messages_are_told(state, source):
    state.choose_source(source)
    state.begin()
    changes = heard(state.run_changed)
    state.advance(Progress(text="Tile 1 of 2", done=1, total=2, message="Slower now."))
    assert state.progress.done == 1
    assert state.notice == "Slower now."
    assert changes


def test_a_failed_run_can_be_repeated(state, source):
    state.choose_source(source)
    state.begin()
    state.fail("It broke.")
    assert (state.notice, state.is_failure, state.can_run) == ("It broke.", True, True)


def test_a_cancelled_run_leaves_the_result_of_the_last(state, source):
    state.choose_source(source)
    run(state)
    state.begin()
    state.stop()
    assert state.words.headline == "3 cells"
    assert state.notice == "Cancelled; nothing was changed."


# The count in words


def test_before_a_run_there_is_no_number(state, source):
    state.choose_source(source)
    assert state.words.headline == "No count yet"
    assert state.words.detail == "Press Run to count the cells."
    state.begin()
    assert state.words.headline == "Counting…"


def test_the_count_tells_its_change_since_the_last_setting(state, source):
    state.choose_source(source)
    run(state)
    assert (state.words.headline, state.words.change) == ("3 cells", "")
    state.choose(threshold=0.7)
    state.relabel()
    assert (state.words.headline, state.words.change) == ("2 cells", "\N{MINUS SIGN}1")
    state.choose(threshold=0.6)  # still the same drag
    state.relabel()
    assert (state.words.headline, state.words.change) == ("3 cells", "±0")
    state.choose(threshold=0.7)
    state.relabel()
    state.settle()
    state.choose(threshold=0.5)
    state.relabel()
    assert (state.words.headline, state.words.change) == ("3 cells", "+1")


def test_a_second_run_tells_the_change_against_the_first(state, source):
    state.choose_source(source)
    run(state)
    state.choose(threshold=0.7)
    state.relabel()
    run(state)
    assert state.words.change == "±0"


def test_a_stack_says_how_many_are_in_the_plane_shown(state, discs):
    stack = np.stack([discs, discs * 0, discs])
    state.choose_source(Source(identity="s", name="s", image=stack))
    run(state)
    assert state.words.detail == "in 3 planes, 3 in this plane"
    state.show_plane(1)
    assert state.words.detail == "in 3 planes, 0 in this plane"
    assert state.words.headline == "6 cells"


def test_one_cell_is_not_cells_and_a_part_is_not_the_whole(state, source):
    state.choose_source(source)
    state.choose(view_only=True)
    run(state, (slice(10, 60), slice(4, 64)))
    assert state.words.headline == "1 cell"
    assert state.words.detail == "in the field of view"


def test_a_count_of_other_choices_says_so(state, source):
    state.choose_source(source)
    run(state)
    state.choose(diameter=30.0)
    assert state.words.detail == "from before you changed the choices: press Run."


# Choices


def test_changing_the_threshold_asks_for_labels_only_when_there_are_some(state, source):
    outdated = heard(state.labels_outdated)
    state.choose_source(source)
    state.choose(threshold=0.4)
    assert not outdated
    run(state)
    state.choose(threshold=0.6)
    assert len(outdated) == 1
    state.relabel()
    state.choose(device="cpu")
    assert len(outdated) == 1


def test_a_choice_out_of_bounds_changes_nothing(state):
    before = state.choices
    message = "`threshold` must be between 0 and 1, got 2."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        state.choose(threshold=2)
    assert state.choices is before


def test_the_way_back_leads_to_the_model(state):
    state.choose(threshold=0.9, min_size=1, min_distance=2, preset="morelli2021")
    state.recommend()
    settings = state.settings
    assert (settings.threshold, settings.min_size) == (0.5, 200)
    assert (settings.min_distance, settings.preset) == (18, "tashfeen2025")


def test_the_stable_threshold_can_be_taken(state, source):
    state.choose_source(source)
    run(state)
    state.use_stable_threshold()
    assert state.choices.threshold is None  # not known yet
    state.learn(state.result, drain(iter_analysis(state.result)))
    state.use_stable_threshold()
    assert state.choices.threshold == state.curve.stable_threshold


def test_a_curve_of_another_size_is_not_shown(state, source):
    state.choose_source(source)
    run(state)
    state.learn(state.result, drain(iter_analysis(state.result)))
    assert state.curve is not None
    state.choose(min_size=1)
    assert state.curve is None


# Images


def test_the_diameter_comes_with_the_image_and_goes_with_it(state, source):
    state.choose_source(replace(source, diameter=28.0))
    assert state.choices.diameter == 28.0
    state.choose_source(replace(source, identity="b"))
    assert state.choices.diameter is None


def test_a_diameter_that_was_typed_stays_for_the_next_image(state, source):
    state.choose_source(source)
    state.choose(diameter=31.0)
    state.choose_source(replace(source, identity="b"))
    assert state.choices.diameter == 31.0


def test_coming_back_to_an_image_brings_its_settings(state, source):
    state.choose_source(source)
    run(state)
    state.choose(threshold=0.7)
    state.relabel()
    state.choose_source(replace(source, identity="b"))
    assert state.words.headline == "No count yet"
    state.choose(threshold=0.2)
    state.choose_source(source)
    assert state.words.headline == "2 cells"
    assert state.settings.threshold == 0.7


def test_the_result_of_another_image_waits_for_its_turn(state, source):
    state.choose_source(source)
    request = state.request()
    state.begin()
    state.choose_source(replace(source, identity="b"))
    state.finish(drain(iter_run(request, state.cache)))
    assert state.words.headline == "No count yet"
    state.choose_source(source)
    assert state.words.headline == "3 cells"


def test_a_renamed_image_is_the_same_image(state, source):
    state.choose_source(source)
    run(state)
    state.choose_source(replace(source, name="another name"))
    assert state.words.headline == "3 cells"


def test_labels_made_while_a_slider_was_moved_are_brought_up_to_date(state, source):
    state.choose_source(source)
    request = state.request()
    state.begin()
    state.choose(threshold=0.7)
    outdated = heard(state.labels_outdated)
    state.finish(drain(iter_run(request, state.cache)))
    assert outdated
    state.relabel()
    assert state.words.headline == "2 cells"


def test_the_state_needs_neither_qt_torch_nor_scikit_image():
    code = (
        "import sys; from napari_cresunet.state import CountState;"
        "state = CountState(); state.refresh_models();"
        "names = ('qtpy', 'napari', 'torch', 'skimage');"
        "sys.exit(any(name in sys.modules for name in names))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0
