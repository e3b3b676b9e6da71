"""What is corrected is saved by itself, wherever that can be done."""

import errno
import os
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from tests.studies.contents import assert_same, small_study

from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.state import StudySaver, StudySnapshot
from napari_cresunet.state._study_saving import describe_age
from napari_cresunet.steps import drain
from napari_cresunet.studies import (
    Claim,
    ImageReference,
    find_unclosed,
    image_hash,
    read_study,
    studies_folder,
)


class Layer:
    """Labels that are corrected, with their image."""

    def __init__(self):
        self.image = np.arange(144, dtype=np.uint8).reshape(6, 8, 3)
        self.labels = np.zeros((6, 8), np.int32)
        self.is_there = True

    @property
    def content(self):
        image = ImageReference(name="neurons", shape=(6, 8, 3), dtype="uint8")
        return small_study(name="a", labels=self.labels.copy(), image=image)

    def take(self):
        if not self.is_there:
            return None
        return StudySnapshot(content=self.content, pixels=self.image)

    @property
    def saved(self):
        """What is to be found in the folder."""
        content = self.content
        image = replace(content.image, hash=image_hash(self.image))
        return replace(content, name="neurons", image=image)


@pytest.fixture
def layer():
    return Layer()


@pytest.fixture
def saver(layer):
    saver = StudySaver(layer.take, "neurons")
    yield saver
    saver.close()


def change_and_save(saver, layer, folder=None):
    layer.labels += 1
    saver.note_change()
    saved = drain(saver.begin(folder))
    saver.finish(saved)


def test_nothing_is_saved_before_anything_has_changed(saver):
    assert not saver.is_dirty
    assert not saver.is_kept
    assert saver.words(0) == ""
    assert saver.close() == ""
    assert not studies_folder().exists()


def test_what_has_changed_is_saved_with_the_hash_of_its_image(saver, layer):
    layer.labels += 1
    saver.note_change()
    assert saver.is_dirty
    assert saver.is_kept
    steps = saver.begin()
    assert saver.is_saving
    layer.labels += 1  # goes on while it is saved
    saver.note_change()
    saver.finish(drain(steps))
    assert not saver.is_saving
    assert saver.is_dirty
    assert read_study(saver.folder).labels.max() == 1
    change_and_save(saver, layer)
    assert not saver.is_dirty
    assert saver.folder == studies_folder() / "neurons"
    assert_same(read_study(saver.folder), layer.saved)
    assert saver.words(saver.saved_at + 3) == "Saved 3 s ago in neurons."


def test_the_image_is_read_once(saver, layer):
    change_and_save(saver, layer)
    layer.image[:] = 0  # the same array: nobody looks at it again
    change_and_save(saver, layer)
    before = read_study(saver.folder).image.hash
    assert before != image_hash(layer.image)
    layer.image = layer.image.copy()
    change_and_save(saver, layer)
    assert read_study(saver.folder).image.hash == image_hash(layer.image)


def test_an_image_that_is_gone_is_remembered(saver, layer):
    change_and_save(saver, layer)
    known = read_study(saver.folder).image
    layer.image = None
    change_and_save(saver, layer)
    assert read_study(saver.folder).image == known


def test_closing_saves_the_last_change_and_leaves_nothing_open(saver, layer):
    change_and_save(saver, layer)
    layer.labels += 1
    saver.note_change()
    assert saver.close() == ""
    assert_same(read_study(saver.folder), layer.saved)
    assert find_unclosed() == []
    Claim(saver.folder).close()


def test_closing_at_once_saves_without_reading_the_image(layer):
    saver = StudySaver(layer.take, "quick")
    saver.note_change()
    assert saver.close() == ""
    content = read_study(studies_folder() / "quick")
    assert content.image == replace(layer.content.image, hash="")


def test_what_is_still_being_written_when_it_closes_is_not_newer(layer):
    saver = StudySaver(layer.take, "neurons")
    change_and_save(saver, layer)
    saver.note_change()
    late = saver.begin()
    layer.labels += 1
    saver.note_change()
    saver.close()
    thread = threading.Thread(target=drain, args=(late,))
    thread.start()
    thread.join()
    assert_same(read_study(saver.folder), layer.saved)
    assert find_unclosed() == []


def test_a_layer_that_is_gone_is_not_saved(saver, layer):
    change_and_save(saver, layer)
    saved = layer.saved
    layer.is_there = False
    saver.note_change()
    assert saver.begin() is None
    assert saver.close() == ""
    assert_same(read_study(saver.folder), saved)


def test_a_process_that_ends_in_order_saves_and_closes():
    code = (
        "from tests.state.test_study_saving import Layer\n"
        "from napari_cresunet.state import StudySaver\n"
        "saver = StudySaver(Layer().take, 'ended')\n"
        "saver.note_change()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert read_study(studies_folder() / "ended").name == "ended"
    assert find_unclosed() == []


def test_a_full_disk_is_told_once_and_saving_goes_on_later(saver, layer):
    change_and_save(saver, layer)
    before = layer.saved

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    heard = []
    saver.changed.connect(lambda: heard.append(saver.words(0)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", full)
        news = []
        for _ in range(2):
            layer.labels += 1
            saver.note_change()
            with pytest.raises(EngineError) as caught:
                drain(saver.begin())
            news.append(saver.fail(caught.value))
    message = (
        f"Not saved: {saver.folder} cannot be written (No space left on device): free "
        "some space, or save the study in another folder."
    )
    assert heard == [message] * 2
    assert news == [True, False]
    assert saver.is_dirty
    assert_same(read_study(saver.folder), before)
    change_and_save(saver, layer)
    assert saver.problem == ""
    assert_same(read_study(saver.folder), layer.saved)


def test_a_place_where_nothing_can_be_written_is_told(saver, layer):
    studies_folder().parent.mkdir(exist_ok=True)
    studies_folder().write_text("a file where the folder should be")
    saver.note_change()
    with pytest.raises(EngineError) as caught:
        drain(saver.begin())
    assert saver.fail(caught.value)
    place = studies_folder() / "neurons"
    assert saver.problem == (
        f"{place} cannot be written (Not a directory): free some space, or save the "
        "study in another folder."
    )
    assert "Not a directory" in saver.close()
    studies_folder().unlink()


def test_saving_elsewhere_moves_a_study_that_nobody_gave_a_place(
    saver, layer, tmp_path
):
    change_and_save(saver, layer)
    first, second, third = saver.folder, tmp_path / "second", tmp_path / "third"
    change_and_save(saver, layer, second)
    assert saver.folder == second
    assert not first.exists()
    assert_same(read_study(second), layer.saved)
    change_and_save(saver, layer)
    assert_same(read_study(second), layer.saved)
    kept = layer.saved
    change_and_save(saver, layer, third)
    assert_same(read_study(second), kept)  # that place was chosen
    Claim(second).close()
    saver.close()
    assert find_unclosed() == []


def test_a_folder_in_use_is_no_place_for_a_study(saver, layer, tmp_path):
    change_and_save(saver, layer)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("")
    with pytest.raises(InputError) as caught:
        drain(saver.begin(tmp_path / "mine"))
    assert str(caught.value) == (
        f"{tmp_path / 'mine'} is not empty: give the name of a new folder for the "
        "study."
    )
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    assert_same(read_study(studies_folder() / "neurons"), layer.saved)


def test_an_opened_study_that_could_not_be_claimed_is_claimed_later(layer, tmp_path):
    folder = tmp_path / "opened"
    claim = Claim(folder)
    saver = StudySaver(layer.take, "neurons", folder=folder)
    assert saver.words(0) == "Opened from opened."
    saver.note_change()
    with pytest.raises(InputError) as caught:
        drain(saver.begin())
    assert saver.fail(caught.value)
    claim.close()
    change_and_save(saver, layer)
    assert saver.folder == folder
    saver.close()
    assert_same(read_study(folder), layer.saved)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 s ago"),
        (59.4, "59 s ago"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (7300, "2 hours ago"),
        (86_400, "1 day ago"),
        (1e7, "115 days ago"),
    ],
)
def test_ages_are_said_in_words(seconds, words):
    assert describe_age(seconds) == words
