"""What the dock knows of images larger than memory, without Qt."""

import dask.array as da
import numpy as np
import pytest
from tests.state.brightness import save_brightness_model

from napari_cresunet.pyramids import create_pyramid, open_pyramid
from napari_cresunet.state import (
    CountState,
    Request,
    Source,
    WholeState,
    _whole,
    is_large,
    iter_whole,
    iter_whole_again,
    middle_of,
)
from napari_cresunet.steps import drain


def source_of(*shape, **options):
    values = {
        "identity": "1",
        "name": "slide 1",
        "image": da.zeros(shape, dtype="u1"),
    } | options
    return Source(**values)


@pytest.fixture
def state(tmp_path, monkeypatch):
    """The state of a dock, with a model that needs no training."""
    folder = tmp_path / "models"
    monkeypatch.setenv("NAPARI_CRESUNET_MODELS", str(folder))
    save_brightness_model(folder, name="brightness")
    state = CountState()
    state.refresh_models()
    state.choose(model="brightness")
    return state


@pytest.mark.parametrize(
    ("shape", "is_rgb", "large"),
    [
        ((4000, 8000), False, False),
        ((4000, 8001), False, True),
        ((4000, 8000, 3), True, False),
        ((4000, 8001, 3), True, True),
        ((50, 800, 801), False, True),
    ],
)
def test_an_image_is_large_by_the_pixels_of_all_its_planes(shape, is_rgb, large):
    assert is_large(source_of(*shape, is_rgb=is_rgb)) == large


def test_an_image_that_cannot_be_used_is_not_large():
    mask = da.zeros((9000, 9000), dtype=bool)
    assert not is_large(source_of(9000, 9000, image=mask))


@pytest.mark.parametrize(
    ("shape", "region", "middle"),
    [
        # Small enough as it is.
        ((20_000, 30_000), ((100, 900), (5, 2000)), ((100, 900), (5, 2000))),
        # Four million pixels are 2000 x 2000.
        (
            (20_000, 30_000),
            ((0, 20_000), (0, 30_000)),
            ((9000, 11_000), (14_000, 16_000)),
        ),
        # Of sixteen planes, they are 500 x 500.
        ((16, 9000, 9000), ((0, 400), (1000, 2000)), ((0, 400), (1250, 1750))),
        # However many planes there are, there is something to be seen.
        ((900, 9000, 9000), ((0, 512), (0, 512)), ((128, 384), (128, 384))),
    ],
)
def test_of_a_large_field_of_view_the_middle_is_predicted(shape, region, middle):
    rows, columns = middle_of(tuple(slice(*each) for each in region), source_of(*shape))
    assert ((rows.start, rows.stop), (columns.start, columns.stop)) == middle


def test_each_image_has_a_folder_of_its_own_beside_the_studies(state, tmp_path):
    whole = WholeState(state)
    assert whole.folder is None
    sources = [
        source_of(9000, 9000),
        source_of(9000, 9001),
        source_of(9000, 9000, pyramid=("/a/slide 1.zarr", 0)),
        source_of(9000, 9000, pyramid=("/a/slide 1.zarr", 1)),
        source_of(9000, 9000, pyramid=("/b/slide 1.zarr", 0)),
    ]
    folders = set()
    for source in sources:
        state.choose_source(source)
        folders.add(whole.folder)
        assert whole.folder.name.startswith("slide_1-")
        assert whole.folder.parent == tmp_path / "slides"
    assert len(folders) == len(sources)
    whole.choose_folder(tmp_path / "mine")
    assert whole.folder == tmp_path / "mine"
    state.choose_source(sources[0] if sources[0].identity != "1" else None)
    assert whole.folder is None


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a b/c", "a_b_c"),
        ("../x", "x"),
        ("\u00e4 1", "\u00e4_1"),
        ("..", "image"),
        ("", "image"),
    ],
)
def test_names_of_layers_become_names_of_files(name, file):
    assert _whole.file_name(source_of(9, 9, name=name)) == file


@pytest.fixture
def slide(tmp_path):
    """Two bright discs and a dim one, in a folder of OME-Zarr."""
    image = np.zeros((96, 128), np.uint8)
    rows, columns = np.ogrid[:96, :128]
    for row, column, level in ((30, 30, 200), (30, 90, 200), (70, 60, 80)):
        image[np.hypot(rows - row, columns - column) < 12] = level
    writer = create_pyramid(tmp_path / "slide.zarr", image.shape, "u1", kind="image")
    writer.write((slice(None), slice(None)), image)
    drain(writer.finish())
    return tmp_path / "slide.zarr"


def test_the_whole_is_counted_into_files_and_again_without_the_network(
    state, slide, monkeypatch
):
    monkeypatch.setattr(_whole, "WHOLE_PIXELS", 10_000)
    image = open_pyramid(slide).image
    state.choose_source(source_of(image=image, pyramid=(str(slide), None)))
    whole = WholeState(state)
    assert whole.is_offered
    assert whole.whole is None
    assert whole.why_not_apply == "The whole image was not counted yet: press Run."

    whole.begin("Looking")
    assert state.progress.text == "Looking"
    assert whole.why_not_apply == ("A run is going on: wait for it or press Cancel.")
    wanted = whole.request(Request(**_asked(state)))
    texts = []
    found = drain(iter_whole(wanted, state.cache), lambda step: texts.append(step.text))
    whole.finish(found)
    assert texts[:2] == ["Loading the model…", "Looking at the whole image…"]
    assert texts[-1].startswith("Whole image, 100 % on CPU")
    assert not state.is_running
    assert whole.words == "Whole image: <b>3 cells</b>."
    assert whole.why_not_apply == (
        "The whole image is counted with these settings already."
    )
    assert np.asarray(open_pyramid(found.labels).image).max() == 3

    state.choose(threshold=0.7)
    assert whole.why_not_apply == ""
    assert whole.words == (
        "Whole image: <b>3 cells</b> with other settings (threshold 0.50)."
    )
    wanted = whole.request(Request(**_asked(state)))
    whole.finish(drain(iter_whole_again(wanted)))
    assert whole.words == "Whole image: <b>2 cells</b>."
    state.choose(diameter=20.0)
    assert whole.why_not_apply == (
        "Model or diameter are others than those of the count: press Run."
    )


def _asked(state):
    return {
        "source": state.source,
        "card": state.card,
        "choices": state.choices,
        "settings": state.settings,
    }


def test_what_is_stopped_says_that_it_goes_on(state):
    whole = WholeState(state)
    whole.begin("Looking")
    whole.stop()
    assert not state.is_running
    assert not state.is_failure
    assert state.notice == "Stopped; what is done is kept: Run goes on from there."


def test_what_changes_in_the_dock_changes_here(state):
    whole = WholeState(state)
    heard = []
    whole.changed.connect(lambda: heard.append(1))
    state.choose_source(source_of(9000, 9000))
    assert heard
    assert whole.words == (
        "Too large to be counted in memory: Run counts the middle of the field of "
        "view, then the whole image, into files."
    )
