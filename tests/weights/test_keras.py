import json
import re
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
from tests.models import reference_network
from tests.models.lively import keras_layers
from tests.weights.keras_file import random_layers, write_keras_file

from napari_cresunet.errors import WeightsError
from napari_cresunet.models import VARIANTS
from napari_cresunet.weights import import_keras, load_network, read_card

WHERE = "model_weights/{layer}/{layer}/{variable}:0"


def refuses(message):
    return pytest.raises(WeightsError, match=f"^{re.escape(message)}$")


@pytest.fixture
def keras_file(tmp_path):
    return write_keras_file(tmp_path / "keras.h5", random_layers())


def predict(network, image):
    tensor = torch.from_numpy(np.moveaxis(image, 2, 0)[None].astype(np.float32))
    with torch.inference_mode():
        return network(tensor).numpy()[0, 0]


@pytest.mark.parametrize("offset", [0, 1, 17, 95])
@pytest.mark.parametrize("is_whole_model", [True, False], ids=["model", "weights"])
def test_an_imported_model_predicts_as_a_numpy_formulation(
    tmp_path, offset, is_whole_model
):
    layers = random_layers(seed=offset, offset=offset)
    path = write_keras_file(
        tmp_path / "keras.h5", layers, is_whole_model=is_whole_model
    )
    image = np.random.default_rng(1).random((32, 40, 3))

    _, network = import_keras(path)

    expected = reference_network.predict(image, layers)
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(predict(network, image), expected, rtol=0, atol=1e-5)


def test_the_card_says_what_is_known(keras_file):
    card, network = import_keras(keras_file)

    assert not network.training
    assert len(card.weights_hash) == 64
    assert card.to_dict() == {
        "name": "keras",
        "title": "keras (imported from Keras)",
        "variant": "c-resunet",
        "scaling": "unit",
        "channels": "rgb",
        "diameter": 36.5,
        "largest_diameter": 0.0,
        "threshold": 0.6,
        "min_size": 200,
        "min_distance": 20,
        "data": "",
        "license": "unknown; ask whoever made the file",
        "citation": "",
        "settings": {},
        "scores": {},
        "weights_hash": card.weights_hash,
        "source": str(keras_file),
    }


@pytest.mark.parametrize(
    ("file_name", "name"),
    [("c-ResUnet.h5", "c-ResUnet"), ("my model (1).h5", "my-model-1"), ("ä.h5", "")],
)
def test_the_name_is_made_from_the_files(tmp_path, file_name, name):
    path = write_keras_file(tmp_path / file_name, random_layers())

    assert import_keras(path)[0].name == (name or "imported")
    assert import_keras(path, name="given")[0].name == "given"


def test_loading_and_reading_the_card_know_it_by_its_content(tmp_path):
    path = write_keras_file(tmp_path / "no_suffix", random_layers())

    card, network = load_network(path)

    assert read_card(path) == card
    assert sum(tensor.numel() for tensor in network.parameters()) == 1_707_287


def test_the_file_is_not_changed(keras_file):
    before = keras_file.read_bytes()
    keras_file.chmod(0o444)

    import_keras(keras_file)

    assert keras_file.read_bytes() == before


ADVICE = "; use a file of c-ResUnet without attention."


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        ("conv2d_17", "20 conv2d layers instead of 21 (conv2d_38 is missing)"),
        ("conv2d_20", "20 conv2d layers instead of 21 (conv2d_20 is missing)"),
        (
            "conv2d_transpose_19",
            "2 conv2d_transpose layers instead of 3 (conv2d_transpose_19 is missing)",
        ),
        (
            "batch_normalization_30",
            (
                "15 batch_normalization layers instead of 16 "
                "(batch_normalization_30 is missing)"
            ),
        ),
    ],
)
def test_a_missing_layer_is_named(tmp_path, layer, problem):
    layers = random_layers()
    del layers[layer]
    path = write_keras_file(tmp_path / "keras.h5", layers)

    with refuses(f"keras.h5 is no c-ResUnet: it has {problem}{ADVICE}"):
        import_keras(path)


def test_a_file_without_layers_lacks_the_first(tmp_path):
    path = write_keras_file(tmp_path / "keras.h5", {})

    with refuses(
        "keras.h5 is no c-ResUnet: it has 0 conv2d layers instead of 21 "
        f"(conv2d is missing){ADVICE}"
    ):
        import_keras(path)


def test_a_surplus_layer_is_named(tmp_path):
    layers = random_layers()
    layers["conv2d_50"] = layers["conv2d_37"]
    path = write_keras_file(tmp_path / "keras.h5", layers)

    with refuses(
        "keras.h5 is no c-ResUnet: it has 22 conv2d layers instead of 21 "
        f"(conv2d_50 is one too many){ADVICE}"
    ):
        import_keras(path)


@pytest.mark.parametrize(
    ("variant", "problem"),
    [
        ("resunet", r"18 conv2d layers instead of 21 \(conv2d_\d+ is missing\)"),
        ("unet", r"19 conv2d layers instead of 21 \(conv2d_\d+ is missing\)"),
        (
            "c-resunet-transformer",
            r"27 conv2d layers instead of 21 \(conv2d_\d+ is one too many\)",
        ),
    ],
)
def test_a_network_of_another_kind_is_refused(tmp_path, variant, problem):
    layers = keras_layers(replace(VARIANTS[variant], features=16).build())
    path = write_keras_file(tmp_path / "keras.h5", layers)

    with pytest.raises(
        WeightsError,
        match=f"^keras.h5 is no c-ResUnet: it has {problem}{re.escape(ADVICE)}$",
    ):
        load_network(path)


def test_a_layer_of_another_kind_is_named(tmp_path):
    layers = random_layers()
    layers["dense_2"] = {"kernel": np.zeros((3, 3), np.float32)}
    path = write_keras_file(tmp_path / "keras.h5", layers)

    with refuses(
        f"keras.h5 is no c-ResUnet: it has a layer 'dense_2' with weights{ADVICE}"
    ):
        import_keras(path)


def test_a_layer_without_bias_is_named(tmp_path):
    layers = random_layers()
    del layers["conv2d_20"]["bias"]
    path = write_keras_file(tmp_path / "keras.h5", layers)

    with refuses(f"keras.h5 is no c-ResUnet: conv2d_20/bias is missing{ADVICE}"):
        import_keras(path)


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((3, 3, 16, 33), np.float32), "float32 of shape (3, 3, 16, 33)"),
        (np.zeros((1, 1, 16, 32), np.int32), "int32 of shape (1, 1, 16, 32)"),
    ],
    ids=["shape", "type"],
)
def test_a_layer_that_does_not_fit_is_named(tmp_path, array, found):
    layers = random_layers()
    layers["conv2d_20"]["kernel"] = array
    path = write_keras_file(tmp_path / "keras.h5", layers)

    with refuses(
        f"keras.h5 is no c-ResUnet: conv2d_20/kernel is {found} instead of float32 "
        f"of shape (1, 1, 16, 32){ADVICE}"
    ):
        import_keras(path)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    layers = random_layers()
    layers["conv2d_37"]["bias"][:] = np.nan
    path = write_keras_file(tmp_path / "keras.h5", layers)

    with refuses(
        "keras.h5 cannot be used: head.bias holds values that are not finite; "
        "train again with a smaller learning rate or copy the file again."
    ):
        import_keras(path)


def described(activation):
    """Return a model's description as Keras 2 keeps it in the file."""
    layers = [
        {"class_name": "InputLayer", "config": {"name": "input_1"}},
        {
            "class_name": "Activation",
            "config": {"name": "activation_3", "activation": activation},
        },
        {
            "class_name": "Conv2D",
            "config": {"name": "conv2d_37", "activation": "sigmoid"},
        },
    ]
    return json.dumps({"class_name": "Functional", "config": {"layers": layers}})


def test_a_twin_with_another_activation_is_refused(keras_file):
    with h5py.File(keras_file, "a") as file:
        file.attrs["model_config"] = described("relu")

    with refuses(
        "keras.h5 is no c-ResUnet: activation_3 has the activation 'relu' instead of "
        "'elu'; use a file of the published c-ResUnet."
    ):
        import_keras(keras_file)


@pytest.mark.parametrize(
    "config", [described("elu"), np.bytes_(described("elu")), "{", "[]", 3]
)
def test_a_description_that_fits_or_says_nothing_is_no_hindrance(keras_file, config):
    with h5py.File(keras_file, "a") as file:
        file.attrs["model_config"] = config

    assert import_keras(keras_file)[0].variant == "c-resunet"


def test_what_is_no_hdf5_is_said_to_be_none(saved):
    with refuses(
        "yellow.safetensors is no HDF5 file; "
        "save the Keras model as .h5 and import that."
    ):
        import_keras(saved)


@pytest.mark.parametrize("part", [0.001, 0.1, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_said_to_be(keras_file, part):
    content = keras_file.read_bytes()
    keras_file.write_bytes(content[: int(part * len(content))])

    with refuses("keras.h5 is cut off or damaged; copy or download it again."):
        import_keras(keras_file)


def test_a_layer_name_that_is_no_text_is_damage(keras_file):
    content = keras_file.read_bytes()
    keras_file.write_bytes(content.replace(b"conv2d_20", b"conv2d_\xff0"))

    with refuses("keras.h5 is cut off or damaged; copy or download it again."):
        import_keras(keras_file)


def replace_dataset(path, layer, variable, make):
    """Put something else in a variable's place; make(parent, name) makes it."""
    with h5py.File(path, "a") as file:
        place = WHERE.format(layer=layer, variable=variable)
        parent, name = file[place].parent, place.rpartition("/")[2]
        del parent[name]
        make(parent, name)


def test_links_to_other_files_are_not_followed(tmp_path, keras_file):
    other = write_keras_file(tmp_path / "other.h5", random_layers())
    place = WHERE.format(layer="conv2d_20", variable="bias")

    def link(parent, name):
        parent[name] = h5py.ExternalLink(str(other), place)

    replace_dataset(keras_file, "conv2d_20", "bias", link)

    with refuses(f"keras.h5 is no c-ResUnet: conv2d_20/bias is missing{ADVICE}"):
        import_keras(keras_file)


def test_a_whole_model_in_another_file_is_not_followed(tmp_path, keras_file):
    path = tmp_path / "link.h5"
    with h5py.File(path, "w") as file:
        file["model_weights"] = h5py.ExternalLink(str(keras_file), "model_weights")

    with refuses(
        "link.h5 is no c-ResUnet: it has 0 conv2d layers instead of 21 "
        f"(conv2d is missing){ADVICE}"
    ):
        import_keras(path)


def test_values_kept_outside_of_the_file_are_not_read(tmp_path, keras_file):
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(128))

    def keep_outside(parent, name):
        parent.create_dataset(name, (32,), np.float32, external=[(str(secret), 0, 128)])

    replace_dataset(keras_file, "conv2d_20", "bias", keep_outside)

    with refuses(
        "keras.h5 keeps conv2d_20/bias in another file, which is not opened; "
        "save the model as one HDF5 file."
    ):
        import_keras(keras_file)


def test_values_composed_from_another_file_are_not_read(tmp_path, keras_file):
    other = write_keras_file(tmp_path / "other.h5", random_layers())

    def compose(parent, name):
        layout = h5py.VirtualLayout((32,), np.float32)
        place = WHERE.format(layer="conv2d_20", variable="bias")
        layout[:] = h5py.VirtualSource(str(other), place, (32,), np.float32)
        parent.create_virtual_dataset(name, layout)

    replace_dataset(keras_file, "conv2d_20", "bias", compose)

    with refuses(
        "keras.h5 keeps conv2d_20/bias in another file, which is not opened; "
        "save the model as one HDF5 file."
    ):
        import_keras(keras_file)


def test_a_group_that_holds_itself_does_not_hang(keras_file):
    with h5py.File(keras_file, "a") as file:
        layer = file["model_weights/conv2d_20"]
        layer["again"] = layer

    assert import_keras(keras_file)[0].variant == "c-resunet"
