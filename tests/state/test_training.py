"""What the dock Train knows and does, without Qt: data, names, runs, bad days."""

import re
import sys
import threading
from dataclasses import fields, replace

import numpy as np
import pytest
import tifffile
from tests.state.brightness import save_brightness_model

from napari_cresunet.datasets import (
    NeuronScene,
    pair_from_arrays,
    synthesize_neurons,
)
from napari_cresunet.errors import CResUNetError, EngineError, InputError
from napari_cresunet.state import (
    GROUPS,
    MODEL_SHELF,
    OWN_CONTROLS,
    CountState,
    Folders,
    LayerPair,
    PairChoice,
    TrainState,
    check_sizes,
    cut_pair,
    find_unfinished,
    hold_out,
    iter_material,
    iter_summary,
    iter_training,
    trainings_folder,
)
from napari_cresunet.steps import drain
from napari_cresunet.training import TrainConfig
from napari_cresunet.weights import list_models

SMALL = {
    **{"crop_size": 32, "batch_size": 2, "samples": 4, "epochs": 2},
    "averaging": 0.5,
}
SCENE = NeuronScene(height=128, width=160, diameter=16, n_cells=12)


@pytest.fixture
def models(tmp_path, monkeypatch):
    """The user's model folder, with a model that sees small images, for speed."""
    folder = tmp_path / "models"
    monkeypatch.setenv("NAPARI_CRESUNET_MODELS", str(folder))
    save_brightness_model(folder, name="quick", diameter=8.0)
    return folder


@pytest.fixture
def state(models):
    state = TrainState()
    state.refresh()
    state.choose(start="quick")
    for name, value in SMALL.items():
        state.set_setting(name, value)
    return state


def layers(n=3):
    pairs = []
    for seed in range(n):
        image, labels = synthesize_neurons(SCENE, seed=seed)
        pairs.append(
            LayerPair(
                identity=f"i{seed}",
                name=f"slice {seed}",
                image=image,
                labels=labels,
                is_rgb=True,
            )
        )
    return pairs


def choose(state, pairs):
    for pair in pairs:
        state.add_pair(
            PairChoice(
                image=pair.identity,
                labels=f"{pair.identity} cells",
                image_name=pair.name,
                labels_name=f"{pair.name} cells",
            )
        )


def write_folder(folder, n=3, empty=False, without_mask=0):
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for seed in range(n + without_mask):
        image, labels = synthesize_neurons(SCENE, seed=seed)
        tifffile.imwrite(folder / "images" / f"{seed}.tif", image, photometric="rgb")
        if seed < n:
            mask = np.zeros_like(labels) if empty else labels
            tifffile.imwrite(folder / "masks" / f"{seed}.tif", mask)
    return folder


def pair(labels, name="a"):
    return pair_from_arrays(name, np.zeros(np.shape(labels)), labels)


def spots(*places, shape=(100, 200)):
    labels = np.zeros(shape, int)
    for number, (row, column) in enumerate(places, start=1):
        labels[row - 2 : row + 3, column - 2 : column + 3] = number
    return labels


def raised(function, *arguments, **named):
    with pytest.raises(CResUNetError) as caught:
        function(*arguments, **named)
    return str(caught.value)


def train(state, pairs):
    request = state.request(pairs)
    state.begin(request)
    state.finish(drain(iter_training(request), state.advance))
    return request


# What to learn from


def test_layers_of_two_sizes_are_refused_with_both_sizes():
    check_sizes("a", (3, 12, 16), "b", (3, 12, 16))
    assert raised(check_sizes, "a", (128, 160), "b", (64, 64)) == (
        "The image 'a' has 128 × 160 px, but the labels 'b' have 64 × 64 px: choose "
        "labels that were made on this image."
    )


def test_the_summary_says_what_there_is(tmp_path):
    folder = Folders(images=write_folder(tmp_path / "data", without_mask=2))
    summary = drain(iter_summary(folder, validation=0.2, seed=0))
    assert summary.sentence == (
        "3 images, 36 cells about 16 px wide; 1 image held out for validation. "
        "2 images without mask are left out."
    )


def test_two_folders_are_paired_by_name(tmp_path):
    folder = write_folder(tmp_path / "data", n=2, without_mask=1)
    data = Folders(images=folder / "images", masks=folder / "masks")
    summary = drain(iter_summary(data, validation=0.2, seed=0))
    assert (summary.n_images, summary.n_without_mask) == (2, 1)


def test_a_folder_that_is_divided_says_itself_what_is_held_out(tmp_path):
    write_folder(tmp_path / "train", n=2)
    write_folder(tmp_path / "val", n=3)
    write_folder(tmp_path / "test", n=1)
    made = drain(iter_material(Folders(images=tmp_path), validation=0.2, seed=0))
    assert (len(made.training), len(made.validation)) == (2, 3)


def test_images_of_a_test_split_alone_are_not_learned_from(tmp_path):
    write_folder(tmp_path / "test", n=3)
    steps = iter_material(Folders(images=tmp_path), validation=0.2, seed=0)
    assert raised(drain, steps) == (
        f"{tmp_path} has only images for test: give a folder with images to learn from."
    )


def test_empty_masks_are_told(tmp_path):
    folder = Folders(images=write_folder(tmp_path / "data", n=2, empty=True))
    assert raised(drain, iter_summary(folder, validation=0.2, seed=0)) == (
        "No cell is marked in any of the 2 images (0, 1): choose masks that have some."
    )


def test_a_single_image_is_cut_at_three_quarters_of_its_longer_axis():
    first, rest, corner = cut_pair(pair(spots((50, 20), (50, 180))))
    assert corner == (0, 150)
    assert (first.labels.shape, rest.labels.shape) == ((100, 150), (100, 50))
    assert (first.name, rest.name) == ("a (first part)", "a (last part)")
    first, rest, corner = cut_pair(pair(spots((50, 20), (50, 180)).T))
    assert corner == (150, 0)


def test_the_cut_moves_to_where_both_parts_have_cells():
    _, _, corner = cut_pair(pair(spots((50, 20), (50, 60))))
    assert corner == (0, 60)
    _, rest, corner = cut_pair(pair(spots((20, 50), (80, 50))))
    assert corner == (75, 0)
    assert rest.labels.any()


def test_cells_that_cannot_be_parted_are_told():
    assert raised(cut_pair, pair(spots((50, 50)))) == (
        "Only a has cells, and they cannot be parted into some to learn from and some "
        "to validate on: add a second image, or mark more cells."
    )


def test_of_several_images_the_only_one_with_cells_is_cut():
    pairs = [pair(spots(), "empty"), pair(spots((50, 20), (50, 180)), "full")]
    made = hold_out(pairs, validation=0.2, seed=0)
    assert [x.name for x in made.training] == ["full (first part)", "empty"]
    assert [x.name for x in made.validation] == ["full (last part)"]
    assert made.corner == (0, 150)


def test_of_a_stack_the_planes_with_cells_are_learned_from():
    labels = np.stack([spots((50, 20)), spots(), spots((50, 20), (50, 180))])
    stack = LayerPair(
        identity="s", name="s", image=np.zeros(labels.shape), labels=labels
    )
    made = drain(iter_material((stack,), validation=0.2, seed=0))
    names = sorted(x.name for x in (*made.training, *made.validation))
    assert names == ["s 0", "s 2"]


def test_the_diameter_that_the_user_gives_is_that_of_every_image():
    made = drain(iter_material(tuple(layers()), validation=0.2, seed=0, diameter=20))
    pairs = (*made.training, *made.validation)
    assert {x.cell_diameter for x in pairs} == {20}


# Choices


def test_every_setting_has_exactly_one_control():
    shown = [name for names in GROUPS.values() for name in names]
    names = [spec.name for spec in fields(TrainConfig)]
    assert sorted([*shown, *OWN_CONTROLS]) == sorted(names)


def test_every_text_setting_is_a_choice_among_some():
    shown = {name for names in GROUPS.values() for name in names}
    for spec in fields(TrainConfig):
        if spec.name in shown:
            choices = spec.metadata["choices"]
            assert (spec.default in choices) == isinstance(spec.default, str)


def test_fine_tuning_follows_the_card_and_keeps_its_terms(state):
    config, card = state.config, state.card
    assert (config.start, config.variant, config.diameter) == ("quick", "c-resunet", 8)
    assert (config.scaling, config.channels) == (card.scaling, card.channels)
    assert config.license == card.license == "CC0 1.0"
    assert config.learning_rate == 1e-4
    state.choose(start="", system="attention-elu")
    assert (state.config.variant, state.config.start) == ("attention-elu", "")
    assert state.config.learning_rate == 1e-4
    assert state.config.crop_size == 32
    state.recommend()
    assert state.config.crop_size == 512


def test_a_setting_that_cannot_be_changes_nothing(state):
    before = state.config
    message = raised(state.set_setting, "learning_rate", 11.0)
    assert message == "`learning_rate` must be between 0 and 10, got 11."
    assert state.config == before


def test_what_is_held_out_is_what_the_settings_say(state):
    assert state.split_options == {"validation": 0.2, "seed": 0}
    assert all(
        getattr(state.config, name) == value
        for name, value in state.split_options.items()
    )
    looks = []
    state.data_outdated.connect(lambda: looks.append(1))
    state.set_setting("validation", 0.5)
    assert state.split_options["validation"] == 0.5
    assert looks == [1]


@pytest.mark.parametrize("name", ["", "my cells", "-a", "a/b", "a.", "ä"])
def test_a_name_that_cannot_be_is_explained(state, name):
    state.choose(name=name)
    choose(state, layers(2))
    message = (
        f"A model cannot be called {name!r}: use letters, digits, '-', '_' and '.', "
        "beginning with a letter or digit."
    )
    assert state.why_not == message
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        state.request(layers(2))


def test_a_name_that_is_taken_is_explained(state):
    state.choose(name="Quick")
    assert state.name_problem == (
        "'quick' is already a model: give the new one another name."
    )
    bundled = [card for card in list_models() if card.source == "bundled"]
    for card in bundled:
        state.choose(name=card.name)
        assert state.name_problem == (
            f"{card.name!r} is a bundled model: give the new one another name."
        )


def test_the_first_name_is_free(models, state):
    assert state.choices.name == "my-cells"
    save_brightness_model(models, name="my-cells")
    other = TrainState()
    other.refresh()
    assert other.choices.name == "my-cells-2"


def test_a_deleted_layer_takes_its_pair_along(state):
    choose(state, layers(2))
    state.forget_layer("i0 cells")
    assert [x.image for x in state.pairs] == ["i1"]
    assert state.notice == (
        "The pair slice 0 – slice 0 cells is gone: its layer was deleted."
    )


def test_an_image_has_one_pair_of_labels(state):
    choose(state, layers(1))
    state.add_pair(replace(state.pairs[0], labels="other", labels_name="other"))
    assert [x.labels for x in state.pairs] == ["other"]


# A training


def test_without_data_it_says_what_to_do(state):
    assert state.why_not == "Choose an image and its labels, and press Add pair."
    state.choose(learn_from="folder")
    assert state.why_not == "Choose the folder with your images and masks."


def test_from_layers_to_a_model_that_every_dock_hears_of(state):
    count = CountState()
    MODEL_SHELF.changed.connect(count.refresh_models)
    pairs = layers()
    choose(state, pairs)
    request = train(state, pairs)
    assert [row.epoch for row in state.records] == [1, 2]
    assert re.fullmatch(
        r"Saved as my-cells: F1 [01]\.\d\d on 1 validation image \(epoch [12] of 2\)\.",
        state.notice,
    )
    card = next(card for card in list_models() if card.name == "my-cells")
    assert card in count.models
    assert card.settings["best_epoch"] == state.best.epoch
    assert card.data == "3 images with 36 cells from napari"
    assert card.settings["crop_size"] == 32
    left = sorted(path.name for path in request.folder.iterdir())
    assert left == ["card.json", "config.json", "curves.png", "lock", "log.csv"]
    assert find_unfinished() == []
    assert state.choices.name == "my-cells-2"


def test_the_preview_says_where_it_lies(state):
    only = layers(1)
    choose(state, only)
    train(state, only)
    preview = state.preview
    assert (preview.origin.identity, preview.origin.plane) == ("i0", ())
    top, left = preview.origin.corner
    assert top == 0
    height, width = preview.image.shape[:2]
    assert (height, width) == (128, 160 - left)
    assert np.array_equal(preview.image, only[0].image[:, left:])
    shrunk = np.array(preview.probability.shape) / (height, width)
    assert shrunk == pytest.approx([0.5, 0.5], abs=0.1)


def test_stop_keeps_the_best_and_lets_nothing_run_on(state):
    state.set_setting("epochs", 50)
    pairs = layers()
    choose(state, pairs)
    request = state.request(pairs)
    state.begin(request)

    def stop_after_one(progress):
        state.advance(progress)
        if progress.records:
            state.stop()

    state.finish(drain(iter_training(request), stop_after_one))
    assert len(state.records) == 1
    assert state.notice.endswith("(epoch 1 of 50).")
    assert find_unfinished() == []


def test_stop_before_the_first_epoch_leaves_nothing(state):
    pairs = layers()
    choose(state, pairs)
    request = state.request(pairs)
    state.begin(request)
    state.stop()
    state.finish(drain(iter_training(request), state.advance))
    assert state.notice == (
        "Stopped before the first epoch was over, so there is no model to keep."
    )
    assert not request.folder.exists()


def test_data_that_cannot_be_used_leaves_nothing(state, tmp_path):
    write_folder(tmp_path / "data", n=2, empty=True)
    state.choose(learn_from="folder", folder=str(tmp_path / "data"))
    request = state.request()
    assert "No cell is marked" in raised(drain, iter_training(request))
    assert not request.folder.exists()


def interrupt(request, after):
    """Close a training after some epochs, as a dock that is closed does."""
    steps = iter_training(request)
    while len(next(steps).records) < after:
        pass
    steps.close()


def test_a_training_that_was_cut_off_goes_on_as_if_it_had_not_been(state, models):
    state.set_setting("epochs", 3)
    pairs = layers()
    choose(state, pairs)
    whole = train(state, pairs)
    expected = state.records
    state.choose(name="other")
    interrupt(state.request(pairs), after=1)

    later = TrainState()
    later.refresh()
    assert [run.title for run in later.unfinished] == ["other (1 of 3 epochs)"]
    later.choose(name="other")
    assert later.name_problem == (
        "There is an interrupted training 'other': continue or discard it, or give "
        "another name."
    )
    request = later.resume_request(later.unfinished[0])
    later.begin(request)
    assert len(later.records) == 1
    later.finish(drain(iter_training(request), later.advance))
    assert whole.folder != request.folder
    assert [(x.epoch, x.loss, x.f1) for x in later.records] == [
        (x.epoch, x.loss, x.f1) for x in expected
    ]
    assert {"my-cells", "other"} <= {card.name for card in list_models()}


def test_an_interrupted_training_can_be_discarded(state):
    pairs = layers()
    choose(state, pairs)
    request = state.request(pairs)
    interrupt(request, after=1)
    state.refresh()
    state.discard(state.unfinished[0])
    assert state.unfinished == []
    assert not request.folder.exists()


def test_two_windows_do_not_train_in_one_folder(state):
    pairs = layers()
    choose(state, pairs)
    request = state.request(pairs)
    steps = iter_training(request)
    next(steps)
    other = replace(request, stop=threading.Event())
    assert raised(drain, iter_training(other)) == (
        "The training 'my-cells' is going on in another window: wait for it, or give "
        "another name."
    )
    assert find_unfinished() == []
    steps.close()


def test_a_loss_that_is_no_number_keeps_the_last_good_model(state):
    state.set_setting("optimizer", "sgd")
    state.set_setting("learning_rate", 10.0)
    state.set_setting("positive_weight", 1e4)
    state.set_setting("epochs", 5)
    pairs = layers()
    choose(state, pairs)
    train(state, pairs)
    assert state.is_failure
    assert re.fullmatch(
        r"The loss is not a number in epoch \d, batch \d \(crops of \d+ slice .*\); "
        r"the model of epoch \d is kept: try a smaller learning rate, or check these "
        r"images\. Saved as my-cells: F1 0\.\d\d on 1 validation image "
        r"\(epoch \d of 5\)\.",
        state.notice,
    )
    assert "my-cells" in {card.name for card in list_models()}
    assert state.unfinished == []  # it would meet the same loss in the same batch


def test_too_little_memory_says_what_to_make_smaller(state, monkeypatch):
    from napari_cresunet.training import _learner

    def learn(*_):
        raise MemoryError

    pairs = layers()
    choose(state, pairs)
    monkeypatch.setattr(_learner.Learner, "learn", learn)
    message = raised(drain, iter_training(state.request(pairs)))
    assert message.startswith("There is not enough memory: take fewer than 2 crops")


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files")
def test_a_full_disk_is_told_and_later_the_training_goes_on(state):
    import resource

    pairs = layers()
    choose(state, pairs)
    request = state.request(pairs)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_after_one(progress):
        if progress.records:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))

    try:
        message = raised(drain, iter_training(request), fill_after_one)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert message.endswith(
        "my-cells.safetensors cannot be written (File too large); choose another "
        "folder or free some space."
    )
    (run,) = find_unfinished()
    again = state.resume_request(run)
    state.begin(again)
    state.finish(drain(iter_training(again), state.advance))
    assert state.notice.startswith("Saved as my-cells")


def test_a_folder_that_cannot_be_written_is_told(state):
    pairs = layers()
    choose(state, pairs)
    trainings_folder().write_bytes(b"in the way")
    with pytest.raises(EngineError, match=r"my-cells cannot be written \(.*\): free"):
        drain(iter_training(state.request(pairs)))
