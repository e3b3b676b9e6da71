"""Settings, and those of the papers."""

from dataclasses import fields, replace

import pytest

from napari_cresunet.errors import InputError
from napari_cresunet.models import VARIANTS
from napari_cresunet.training import PRESETS, TrainConfig, fine_tuning, get_preset
from napari_cresunet.weights import ModelCard

OLD = ModelCard(
    name="old",
    title="Old",
    variant="attention-relu",
    scaling="adaptive",
    channels="brightest",
    diameter=17,
    largest_diameter=21,
    threshold=0.4,
    min_size=3,
    min_distance=4,
    license="CC0",
)


@pytest.mark.parametrize("name", PRESETS)
def test_settings_survive_json(name):
    import json

    config = PRESETS[name]
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_every_setting_says_what_it_is():
    for spec in fields(TrainConfig):
        assert spec.metadata["text"].endswith("."), spec.name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scaling": "log"}, "`scaling` must be unit or adaptive, got 'log'."),
        ({"channels": "hsv"}, "`channels` must be rgb or brightest, got 'hsv'."),
        ({"optimizer": "lion"}, "`optimizer` must be adam or sgd, got 'lion'."),
        (
            {"precision": "int4"},
            "`precision` must be auto or float32 or bfloat16 or float16, got 'int4'.",
        ),
        (
            {"crop_size": 100},
            "`crop_size` must be a multiple of 16, as the networks need it, got 100.",
        ),
        (
            {"cross_entropy": 0.0},
            "All shares of the loss are 0; give one of them a share.",
        ),
        (
            {"freeze_encoder": True},
            "A frozen encoder needs a model to start from; name one in `start`.",
        ),
        ({"zoom": 0.5}, "`zoom` must be between 1 and 4, got 0.5."),
    ],
)
def test_settings_that_cannot_be_are_refused(change, message):
    with pytest.raises(InputError) as caught:
        TrainConfig(**change)
    assert str(caught.value) == message


# Tashfeen, Table 1: activation, optimizer, rate, augmented, crops, batch.
@pytest.mark.parametrize(
    ("name", "activation", "subset", "batch"),
    [
        ("attention-elu", "elu", 600, 4),
        ("attention-relu", "relu", 600, 4),
        ("c-resunet", "elu", 0, 8),
        ("simple-c-resunet", "elu", 500, 8),
    ],
)
def test_the_four_systems_have_the_papers_settings(name, activation, subset, batch):
    config = get_preset(name)
    assert VARIANTS[config.variant].activation == activation
    assert (config.subset, config.batch_size) == (subset, batch)
    assert (config.optimizer, config.learning_rate) == ("adam", 1e-4)
    assert (config.positive_weight, config.negative_weight) == (1.5, 0.5)
    assert (config.cross_entropy, config.dice, config.focal_tversky) == (1, 0, 0)
    assert (config.crop_size, config.crop_step) == (512, 400)
    assert (config.stop_patience, config.epochs) == (20, 200)


def test_augmentation_is_that_of_each_system():
    names = ("shift", "flip", "zoom", "rotation", "noise", "brightness", "elastic")
    off = TrainConfig()
    used = {
        system: {n for n in names if getattr(get_preset(system), n) != getattr(off, n)}
        for system in (
            "attention-elu",
            "attention-relu",
            "c-resunet",
            "simple-c-resunet",
        )
    }
    geometric = {"shift", "flip", "zoom", "rotation"}
    assert used == {
        "attention-elu": geometric,
        "attention-relu": geometric,
        "c-resunet": {"rotation", "noise", "brightness", "elastic"},
        "simple-c-resunet": set(),
    }


def test_only_the_full_system_has_weight_maps_and_artifacts():
    full = get_preset("c-resunet")
    assert full.weight_maps
    assert full.artifact_repeats > 1
    for name in ("attention-elu", "attention-relu", "simple-c-resunet"):
        config = get_preset(name)
        assert not config.weight_maps
        assert config.artifact_repeats == 1


def test_the_further_work_has_settings_too():
    assert VARIANTS[get_preset("attention-leaky-relu").variant].activation == (
        "leaky_relu"
    )
    sgd = get_preset("c-resunet-sgd")
    assert (sgd.optimizer, sgd.learning_rate, sgd.momentum) == ("sgd", 0.003, 0.9)
    assert get_preset("attention-elu-full") == replace(
        get_preset("attention-elu"), name="attention-elu-full", subset=0
    )
    assert get_preset("c-resunet-transformer").variant == "c-resunet-transformer"
    for name in ("unet", "small-unet", "resunet"):
        assert get_preset(name).variant == name


def test_a_name_that_is_not_there_brings_near_ones():
    with pytest.raises(InputError) as caught:
        get_preset("atention-elu")
    assert str(caught.value).startswith("Unknown system 'atention-elu'; did you mean ")
    assert "attention-elu" in str(caught.value)


@pytest.mark.parametrize(
    ("diameter", "largest", "seen"),
    [
        (0.0, 22.0, None),
        (10.0, 0.0, (10, 10)),
        (10.0, 22.0, (10, 22)),
        (30, 22, (30, 30)),
    ],
)
def test_the_range_of_sizes_is_never_empty(diameter, largest, seen):
    config = TrainConfig(diameter=diameter, largest_diameter=largest)
    assert config.diameters == seen


def test_fine_tuning_takes_what_the_model_decides():
    config = fine_tuning(OLD, get_preset("c-resunet"), start="old")
    assert (config.start, config.variant) == ("old", "attention-relu")
    assert (config.scaling, config.channels, config.diameter) == (
        "adaptive",
        "brightest",
        17.0,
    )
    assert config.largest_diameter == 21.0
    assert config.learning_rate == 1e-4
    assert config.weight_maps
    assert config.license == "CC0"


@pytest.mark.parametrize(
    ("largest", "crop", "step"), [(0, 144, 108), (22, 144, 108), (36.5, 160, 120)]
)
def test_crops_of_a_fine_tuning_grow_with_the_cells(largest, crop, step):
    card = replace(OLD, diameter=10.0, largest_diameter=largest)
    config = fine_tuning(card, get_preset("fluorescent-cells"), start="old")
    assert (config.crop_size, config.crop_step) == (crop, step)
