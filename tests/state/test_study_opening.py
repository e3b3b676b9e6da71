"""Opening studies: the image that belongs to them, and those left behind."""

import re
from pathlib import Path

import numpy as np
import pytest
from tests.studies.contents import assert_same, small_study

from napari_cresunet.errors import InputError
from napari_cresunet.state import (
    ImageCandidate,
    OpenedStudy,
    StudyState,
    iter_match_image,
    iter_open_study,
)
from napari_cresunet.steps import drain
from napari_cresunet.studies import (
    Claim,
    ImageReference,
    Unclosed,
    image_hash,
    write_study,
)

IMAGE = np.arange(144, dtype=np.uint8).reshape(6, 8, 3)
CHANGED = "The image 'a' has changed since: {}; the corrections may not fit."


def study(**changes):
    reference = ImageReference(
        name="a",
        path=Path("/data/a.tif"),
        hash=image_hash(IMAGE),
        shape=IMAGE.shape,
        dtype="uint8",
    )
    return small_study(image=reference, **changes)


def candidates(*images):
    return [
        ImageCandidate(identity=f"layer {number}", pixels=pixels)
        for number, pixels in enumerate(images)
    ]


def test_the_image_with_the_same_content_is_found(tmp_path):
    write_study(tmp_path, study())
    images = candidates(IMAGE[..., 0], IMAGE[::-1], IMAGE.copy(), IMAGE)
    for path in (tmp_path, tmp_path / "study.json"):
        opened = drain(iter_open_study(path, images))
        assert (opened.folder, opened.identity) == (tmp_path, "layer 2")
        assert opened.warning == ""
        assert_same(opened.content, study())


def test_other_images_of_the_viewer_are_not_taken_for_it(tmp_path):
    write_study(tmp_path, study())
    for images in ((), (IMAGE[::-1],), (IMAGE[..., 0],)):
        opened = drain(iter_open_study(tmp_path, candidates(*images)))
        assert (opened.identity, opened.warning) == ("", "")


def test_an_image_that_was_chosen_is_taken_with_a_warning_if_it_is_as_large(tmp_path):
    opened = OpenedStudy(folder=tmp_path, content=study())
    for images, identity, how in (
        ((IMAGE[::-1],), "layer 0", "its pixels are others"),
        ((IMAGE[:3], IMAGE[::-1]), "layer 1", "its pixels are others"),
        ((IMAGE[:3],), "", "it was 6 × 8 × 3 and is 3 × 8 × 3"),
    ):
        match = drain(iter_match_image(opened, candidates(*images)))
        assert (match.identity, match.warning) == (identity, CHANGED.format(how))


def test_an_image_that_was_never_read_is_known_by_its_size(tmp_path):
    content = small_study(
        image=ImageReference(name="a", shape=IMAGE.shape, dtype="uint8")
    )
    opened = OpenedStudy(folder=tmp_path, content=content)
    match = drain(iter_match_image(opened, candidates(IMAGE[1:], IMAGE + 1)))
    assert (match.identity, match.warning) == ("layer 1", "")


def test_a_study_of_no_image_needs_none(tmp_path):
    opened = OpenedStudy(folder=tmp_path, content=small_study(image=None))
    assert drain(iter_match_image(opened, candidates(IMAGE))) is opened


def test_what_was_left_behind_is_offered_in_one_line():
    state = StudyState()
    assert state.offer == ""
    state.unclosed = [
        Unclosed(folder=Path("a"), name="neurons_01", n_edits=n_edits, age=300)
        for n_edits in (12, 1, 0)
    ]
    assert state.offer == (
        "'neurons_01' was left open 5 minutes ago, with 12 corrections. So were 2 more."
    )
    state.unclosed = state.unclosed[1:]
    assert state.offer == (
        "'neurons_01' was left open 5 minutes ago, with 1 correction. So was 1 more."
    )
    state.unclosed = state.unclosed[1:]
    assert state.offer == (
        "'neurons_01' was left open 5 minutes ago, with no correction."
    )


def test_an_image_that_is_nowhere_is_asked_for(tmp_path):
    state = StudyState()
    assert state.question == ""
    state.ask(OpenedStudy(folder=tmp_path, content=study()))
    assert state.question == (
        f"Where is the image 'a' of this study? It was {Path('/data/a.tif')}."
    )
    state.ask(OpenedStudy(folder=tmp_path, content=study(), warning="It is another."))
    assert state.question == "It is another."
    state.ask(None)
    assert state.question == ""


def test_a_study_that_is_open_elsewhere_is_not_discarded(tmp_path):
    claim = Claim(tmp_path / "a")
    write_study(claim.folder, study())
    state = StudyState()
    message = "The study 'a' is open in another window: close it there first."
    left = Unclosed(folder=claim.folder, name="a", n_edits=0, age=0)
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        state.discard(left)
    claim.close()
    state.discard(left)
    assert not claim.folder.exists()
