import re

import pytest
import torch

from napari_cresunet.errors import InputError
from napari_cresunet.models import VARIANTS, get_variant

GEOMETRIC = ("shift", "flip", "zoom", "rotation")

# Tashfeen, Table 1: attention, activation, optimizer, learning rate, augmentation,
# samples, batch size, threshold, epoch of the early stop.
PUBLISHED = {
    "attention-elu": (True, "elu", "adam", 1e-4, GEOMETRIC, 600, 4, 0.3, 45),
    "attention-relu": (True, "relu", "adam", 1e-4, GEOMETRIC, 600, 4, 0.4, 31),
    "c-resunet": (
        *(False, "elu", "adam", 1e-4),
        ("rotation", "noise", "brightness", "elastic"),
        *(2556, 8, 0.6, None),
    ),
    "simple-c-resunet": (False, "elu", "adam", 1e-4, (), 500, 8, 0.2, 66),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_table_holds_the_published_figures(name):
    row = VARIANTS[name]

    assert PUBLISHED[name] == (
        row.attention,
        row.activation,
        row.optimizer,
        row.learning_rate,
        row.augmentation,
        row.published_samples,
        row.published_batch_size,
        row.published_threshold,
        row.published_stop_epoch,
    )


# Network, attention, activation, features: Tashfeen, section 4.1, then the networks
# that Morelli, Clissa et al. compared c-ResUnet with.
WITHOUT_RESULTS = {
    "attention-leaky-relu": ("c-resunet", True, "leaky_relu", 16),
    "c-resunet-relu": ("c-resunet", False, "relu", 16),
    "c-resunet-leaky-relu": ("c-resunet", False, "leaky_relu", 16),
    "c-resunet-transformer": ("c-resunet-transformer", False, "elu", 16),
    "resunet": ("resunet", False, "elu", 16),
    "unet": ("unet", False, "relu", 64),
    "small-unet": ("unet", False, "relu", 32),
}


def test_further_work_and_comparators_are_there_without_results():
    others = {name: row for name, row in VARIANTS.items() if name not in PUBLISHED}

    assert {
        name: (row.network, row.attention, row.activation, row.features)
        for name, row in others.items()
    } == WITHOUT_RESULTS
    assert {row.published_threshold for row in others.values()} == {None}


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("attention-elu", "CResUnet"),
        ("c-resunet", "CResUnet"),
        ("c-resunet-transformer", "TransformerCResUnet"),
        ("resunet", "ResUnet"),
        ("unet", "UNet"),
        ("small-unet", "UNet"),
    ],
)
def test_a_row_builds_its_network(name, network):
    with torch.device("meta"):
        assert type(VARIANTS[name].build()).__name__ == network


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_found_by_the_name_it_carries(name):
    assert get_variant(name).name == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "attention-elo",
            (
                "Unknown variant 'attention-elo'; did you mean attention-elu or "
                "attention-relu or attention-leaky-relu?"
            ),
        ),
        (
            "zzz",
            (
                "Unknown variant 'zzz'; did you mean attention-elu or attention-relu "
                "or c-resunet or simple-c-resunet or attention-leaky-relu or "
                "c-resunet-relu or c-resunet-leaky-relu or c-resunet-transformer or "
                "resunet or unet or small-unet?"
            ),
        ),
    ],
    ids=["near", "far"],
)
def test_an_unknown_name_is_answered_with_near_ones(name, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        get_variant(name)
