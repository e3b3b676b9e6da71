import json
import os
import pickle
import re
import stat
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from napari_cresunet.errors import WeightsError
from napari_cresunet.models import VARIANTS
from napari_cresunet.weights import load_network, read_card, save_weights


def refuses(message):
    return pytest.raises(WeightsError, match=f"^{re.escape(message)}$")


def rehash(path, tensors, values):
    """Write a file whose card names the tensors' hash, though they may not fit."""
    digest = sha256()
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        digest.update(array.tobytes())
    values = values | {"weights_hash": digest.hexdigest()}
    save_file(tensors, path, metadata={"card": json.dumps(values)})


def stored_card(path):
    values = read_card(path).to_dict()
    del values["source"]
    return values


def test_a_network_comes_back_bit_for_bit_in_evaluation_mode(saved, network):
    _, loaded = load_network(saved)
    image = torch.rand(1, 3, 32, 40)

    assert not loaded.training
    assert all(parameter.requires_grad for parameter in loaded.parameters())
    torch.testing.assert_close(loaded(image), network(image), rtol=0, atol=0)
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_comes_back_bit_for_bit(tmp_path, card, variant):
    network = VARIANTS[variant].build().eval()
    card = replace(card, variant=variant)

    saved_card = save_weights(tmp_path / "a.safetensors", network, card)
    loaded_card, loaded = load_network(tmp_path / "a.safetensors")

    assert loaded_card == saved_card
    assert type(loaded) is type(network)
    expected, found = network.state_dict(), loaded.state_dict()
    assert list(found) == list(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_weights_of_a_smaller_network_of_the_same_kind_do_not_fit(tmp_path, card):
    network = VARIANTS["small-unet"].build()

    with refuses(
        "a.safetensors does not fit the network 'unet': encoder1.0.weight is "
        "float32 of shape (32, 3, 3, 3) instead of float32 of shape (64, 3, 3, 3); "
        "use weights of that network."
    ):
        save_weights(tmp_path / "a.safetensors", network, replace(card, variant="unet"))


def test_the_card_comes_back_with_hash_and_source(tmp_path, network, card):
    path = tmp_path / "new" / "a.safetensors"

    saved_card = save_weights(path, network, card)

    assert len(saved_card.weights_hash) == 64
    assert saved_card == replace(
        card, weights_hash=saved_card.weights_hash, source=str(path)
    )
    assert read_card(path) == saved_card
    assert load_network(path)[0] == saved_card


def test_the_hash_is_that_of_names_types_shapes_and_bytes(saved):
    digest = sha256()
    for name, array in sorted(load_file(saved).items()):
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        digest.update(array.tobytes())

    assert read_card(saved).weights_hash == digest.hexdigest()


def test_saving_twice_writes_the_same_bytes(saved, network, card):
    first = saved.read_bytes()

    save_weights(saved, network, card)

    assert saved.read_bytes() == first


def test_channels_last_memory_is_saved_alike(tmp_path, network, card):
    expected = save_weights(tmp_path / "a.safetensors", network, card).weights_hash
    network = network.to(memory_format=torch.channels_last)

    found = save_weights(tmp_path / "b.safetensors", network, card)

    assert found.weights_hash == expected


def test_loading_leaves_the_random_state_alone(saved):
    before = torch.random.get_rng_state()

    load_network(saved)

    assert torch.equal(torch.random.get_rng_state(), before)


def test_saving_leaves_no_other_file_and_the_usual_permissions(saved):
    (saved.parent / "usual").touch()

    assert sorted(path.name for path in saved.parent.iterdir()) == [
        "usual",
        saved.name,
    ]
    assert stat.S_IMODE(saved.stat().st_mode) == stat.S_IMODE(
        (saved.parent / "usual").stat().st_mode
    )


def test_a_failed_save_leaves_the_old_file_whole(saved, network, card):
    before = saved.read_bytes()
    with torch.no_grad():
        network.head.bias.fill_(torch.nan)

    with pytest.raises(WeightsError):
        save_weights(saved, network, card)

    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_reading_a_card_loads_neither_torch_nor_the_tensors(saved):
    code = (
        "import sys\n"
        "from napari_cresunet.weights import list_models, read_card\n"
        f"read_card({str(saved)!r}), list_models()\n"
        "print([name for name in ('torch', 'safetensors', 'h5py') "
        "if name in sys.modules])"
    )

    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"


def test_weights_of_another_variant_are_not_saved_under_a_card(tmp_path, card):
    network = VARIANTS["c-resunet"].build()

    with refuses(
        "a.safetensors does not fit the network 'attention-relu': "
        "decoder1.gate.project_gating.bias is missing; use weights of that network."
    ):
        save_weights(tmp_path / "a.safetensors", network, card)


def test_an_unknown_variant_is_not_saved(tmp_path, network, card):
    with refuses(
        "a.safetensors is for the unknown network 'u-net'; this version has "
        "attention-elu, attention-relu, c-resunet, simple-c-resunet, "
        "attention-leaky-relu, c-resunet-relu, c-resunet-leaky-relu, "
        "c-resunet-transformer, resunet, unet, small-unet."
    ):
        save_weights(
            tmp_path / "a.safetensors", network, replace(card, variant="u-net")
        )


def test_weights_that_are_not_finite_are_refused(tmp_path, network, card):
    with torch.no_grad():
        network.head.weight[0, 3] = torch.inf

    with refuses(
        "a.safetensors cannot be used: head.weight holds values that are not finite; "
        "train again with a smaller learning rate or copy the file again."
    ):
        save_weights(tmp_path / "a.safetensors", network, card)


def test_a_card_that_is_no_json_is_refused(tmp_path, network, card):
    with refuses(
        "The model card of yellow-1 does not go into JSON (Object of type set is not "
        "JSON serializable); use plain numbers, texts, lists and dicts."
    ):
        save_weights(
            tmp_path / "a.safetensors", network, replace(card, settings={"a": {1}})
        )


def test_a_place_that_cannot_be_written_is_named(tmp_path, network, card):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "a.safetensors"

    with refuses(
        f"{path} cannot be written (File exists); "
        "choose another folder or free some space."
    ):
        save_weights(path, network, card)


def test_a_missing_tensor_is_named(saved):
    tensors, values = load_file(saved), stored_card(saved)
    del tensors["decoder2.gate.psi.bias"]
    rehash(saved, tensors, values)

    with refuses(
        "yellow.safetensors does not fit the network 'attention-relu': "
        "decoder2.gate.psi.bias is missing; use weights of that network."
    ):
        load_network(saved)


def test_a_surplus_tensor_is_named(saved):
    tensors, values = load_file(saved), stored_card(saved)
    tensors["decoder4.up.bias"] = np.zeros(3, np.float32)
    rehash(saved, tensors, values)

    with refuses(
        "yellow.safetensors does not fit the network 'attention-relu': "
        "it has no decoder4.up.bias; use weights of that network."
    ):
        load_network(saved)


def test_a_misshapen_tensor_is_named_with_both_shapes(saved):
    tensors, values = load_file(saved), stored_card(saved)
    tensors["head.weight"] = np.zeros((2, 16, 1, 1), np.float32)
    rehash(saved, tensors, values)

    with refuses(
        "yellow.safetensors does not fit the network 'attention-relu': head.weight is "
        "float32 of shape (2, 16, 1, 1) instead of float32 of shape (1, 16, 1, 1); "
        "use weights of that network."
    ):
        load_network(saved)


def test_a_tensor_of_another_type_is_named(saved):
    tensors, values = load_file(saved), stored_card(saved)
    tensors["head.bias"] = tensors["head.bias"].astype(np.float16)
    rehash(saved, tensors, values)

    with refuses(
        "yellow.safetensors does not fit the network 'attention-relu': head.bias is "
        "float16 of shape (1,) instead of float32 of shape (1,); "
        "use weights of that network."
    ):
        load_network(saved)


def test_one_changed_bit_is_noticed(saved):
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    saved.write_bytes(content)

    with refuses(
        "The weights in yellow.safetensors are not those that its card names; "
        "the file was changed or damaged, so copy or download it again."
    ):
        load_network(saved)


CUT_OFF = (
    "yellow.safetensors has {found} bytes of weights instead of {expected}; "
    "it was cut off or changed, so copy or download it again."
)
DAMAGED = (
    "yellow.safetensors is damaged or no weight file; "
    "give a safetensors or Keras HDF5 (.h5) file, or copy it again."
)


@pytest.mark.parametrize("change", [-1000, 7], ids=["cut off", "longer"])
@pytest.mark.parametrize("read", [read_card, load_network])
def test_a_file_of_another_length_is_noticed_from_the_header(saved, change, read):
    content = saved.read_bytes()
    length = int.from_bytes(content[:8], "little")
    expected = len(content) - 8 - length
    saved.write_bytes((content + bytes(7))[: len(content) + change])

    with refuses(CUT_OFF.format(found=expected + change, expected=expected)):
        read(saved)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 500])
def test_a_file_cut_within_its_header_is_damaged(saved, size):
    saved.write_bytes(saved.read_bytes()[:size])

    with refuses(DAMAGED):
        load_network(saved)


def with_header(header):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        b"just some text, no weights",
        b"\xff" * 100,
        with_header(b"{" * 30_000),
        with_header([1, 2]),
        with_header({"a": 1}),
        with_header({"a": {"data_offsets": [0]}}),
        with_header({"a": {"data_offsets": [0, 1e400]}}),
        with_header(b"\x80{}"),
    ],
    ids=["text", "ff", "deep", "list", "number", "offsets", "infinite", "no unicode"],
)
def test_what_is_no_weight_file_is_said_to_be_none(saved, content):
    saved.write_bytes(content)

    with refuses(DAMAGED):
        read_card(saved)


def test_a_header_that_lies_about_a_tensor_is_damaged(saved):
    """The end of the data fits, so only the safetensors library sees it."""
    content = saved.read_bytes()
    truth = b'"head.weight":{"dtype":"F32","shape":[1,16,1,1]'
    lie = truth.replace(b"[1,16,1,1]", b"[1,16,1,9]")
    assert content.count(truth) == 1
    saved.write_bytes(content.replace(truth, lie))

    with refuses(DAMAGED):
        load_network(saved)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_a_file_without_a_card_is_said_to_have_none(saved, metadata):
    save_file(load_file(saved), saved, metadata=metadata)

    with refuses(
        "yellow.safetensors carries no model card; use a file that napari-cresunet "
        "saved, or import Keras weights (.h5)."
    ):
        load_network(saved)


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_a_card_that_is_no_object_is_refused(saved, text):
    save_file(load_file(saved), saved, metadata={"card": text})

    with refuses(
        "The model card of yellow.safetensors is no JSON object; "
        "copy or download the file again."
    ):
        read_card(saved)


def test_a_card_with_an_unknown_field_is_refused_with_the_file_named(saved):
    values = stored_card(saved) | {"colour": "red"}
    save_file(load_file(saved), saved, metadata={"card": json.dumps(values)})

    with refuses(
        "yellow.safetensors cannot be used: A model card has no field 'colour'; "
        "a newer version of napari-cresunet may know it."
    ):
        read_card(saved)


def test_a_card_of_an_unknown_network_is_refused(saved):
    values = stored_card(saved) | {"variant": "u-net"}
    save_file(load_file(saved), saved, metadata={"card": json.dumps(values)})

    with refuses(
        "yellow.safetensors is for the unknown network 'u-net'; this version has "
        "attention-elu, attention-relu, c-resunet, simple-c-resunet, "
        "attention-leaky-relu, c-resunet-relu, c-resunet-leaky-relu, "
        "c-resunet-transformer, resunet, unet, small-unet."
    ):
        load_network(saved)


class _Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_never_opened_whatever_its_name(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(_Bomb(), protocol=protocol))

    with refuses(
        "model.safetensors is a pickle or an archive, which could run code when "
        "opened, so it was not opened; import it if it is a .pth file of fluocells, "
        "otherwise convert it to safetensors or Keras HDF5 (.h5)."
    ):
        load_network(path)

    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("name", ["model.pth", "model.PT", "model.h5"])
def test_a_torch_file_is_never_opened(tmp_path, network, name, is_zip):
    path = tmp_path / name
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=is_zip)

    with refuses(
        f"{name} is a pickle or an archive, which could run code when "
        "opened, so it was not opened; import it if it is a .pth file of fluocells, "
        "otherwise convert it to safetensors or Keras HDF5 (.h5)."
    ):
        load_network(path)


@pytest.mark.parametrize("name", ["a.pkl", "a.pickle", "a.zip", "a.ckpt", "a.bin"])
def test_a_pickle_of_the_oldest_protocol_is_known_by_its_name(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(pickle.dumps({"a": 1}, protocol=0))

    with refuses(
        f"{name} is a pickle or an archive, which could run code when "
        "opened, so it was not opened; import it if it is a .pth file of fluocells, "
        "otherwise convert it to safetensors or Keras HDF5 (.h5)."
    ):
        read_card(path)


def test_a_header_whose_length_begins_like_a_pickle_is_read(saved, network, card):
    """640 = 0x0280 is b"\\x80\\x02" in little-endian, the start of a pickle."""
    content = saved.read_bytes()
    length = int.from_bytes(content[:8], "little")
    wanted = (length // 65536 + 1) * 65536 + 0x0280
    header = content[8 : 8 + length].ljust(wanted)
    saved.write_bytes(wanted.to_bytes(8, "little") + header + content[8 + length :])

    assert saved.read_bytes()[:2] == b"\x80\x02"
    assert load_network(saved)[0].name == card.name


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    path = tmp_path / "a.safetensors"
    path.touch()

    with refuses("a.safetensors is empty; copy or download it again."):
        load_network(path)


def test_a_folder_is_said_to_be_one(tmp_path):
    with refuses(f"{tmp_path} is a folder; give a weight file inside it."):
        load_network(tmp_path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    path = tmp_path / "a.safetensors"

    with refuses(f"There is no file {path}; check the path, or give a model's name."):
        load_network(path)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_a_file_without_permission_is_said_to_be_unreadable(saved):
    saved.chmod(0)

    with refuses(
        f"{saved} cannot be read (Permission denied); check the file's permissions."
    ):
        load_network(saved)


def test_a_name_too_long_for_the_disk_is_said_to_be_unreadable(tmp_path):
    path = tmp_path / ("a" * 5000)

    with refuses(
        f"{path} cannot be read (File name too long); check the file's permissions."
    ):
        load_network(path)
