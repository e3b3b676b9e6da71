import os
import re
from collections import OrderedDict

import pytest
import torch
from tests.models.lively import enliven
from tests.weights.fluocells_network import (
    FluocellsNetwork,
    SigmoidHead,
    SoftmaxHead,
    save_as_fastai,
)

from napari_cresunet.errors import WeightsError
from napari_cresunet.weights import (
    find_weights,
    import_fluocells,
    import_model,
    list_models,
    load_network,
)

ADVICE = "use a .pth file of c-ResUnet that fluocells saved."


def refuses(message):
    return pytest.raises(WeightsError, match=f"^{re.escape(message)}$")


@pytest.fixture
def theirs():
    return enliven(FluocellsNetwork()).float()


@pytest.fixture
def saved_state(tmp_path, theirs):
    """Their state dict, to be changed before it is saved."""
    state = OrderedDict(theirs.state_dict())

    def save():
        torch.save(state, tmp_path / "model.pth")
        return tmp_path / "model.pth"

    return state, save


@pytest.mark.parametrize("head", [SigmoidHead, SoftmaxHead])
def test_an_imported_network_predicts_as_theirs(tmp_path, head):
    theirs = enliven(FluocellsNetwork(head)).float()
    torch.save(theirs.state_dict(), tmp_path / "model.pth")
    image = torch.rand(2, 3, 48, 64)

    _, ours = import_fluocells(tmp_path / "model.pth")

    with torch.inference_mode():
        expected, found = theirs(image)[:, 1:], ours(image)
    assert expected.max() - expected.min() > 0.5
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_a_file_of_fastai_with_its_optimizer_is_read(tmp_path, theirs, monkeypatch):
    path = save_as_fastai(tmp_path / "model.pth", theirs, monkeypatch)

    card, ours = import_fluocells(path)

    assert torch.equal(ours.head.weight, theirs.head.heatmap["conv2d"].weight)
    assert (card.name, card.title) == ("model", "model (imported from PyTorch)")
    assert (card.threshold, card.scaling, card.variant) == (0.5, "unit", "c-resunet")
    assert not ours.training


def test_a_file_of_old_torch_is_read(tmp_path, theirs):
    path = tmp_path / "model.pt"
    torch.save(theirs.state_dict(), path, _use_new_zipfile_serialization=False)

    assert import_fluocells(path)[0].variant == "c-resunet"


def test_it_is_imported_into_the_users_folder(saved_state):
    _, save = saved_state

    card = import_model(save(), name="green-1")

    assert card in list_models()
    assert load_network(find_weights("green-1"))[0] == card


def test_code_in_a_file_is_refused_and_never_run(tmp_path, monkeypatch):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, ("exploded",)

    monkeypatch.chdir(tmp_path)
    torch.save({"model": Bomb()}, tmp_path / "model.pth")

    with refuses(
        "model.pth is damaged or holds more than tensors, which could run code, so it "
        f"was not opened; {ADVICE}"
    ):
        import_model(tmp_path / "model.pth")

    assert [path.name for path in tmp_path.iterdir()] == ["model.pth"]


@pytest.mark.parametrize("part", [0.01, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_said_to_be(saved_state, part):
    path = saved_state[1]()
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])

    with pytest.raises(WeightsError, match=r"^model\.pth is .*damaged"):
        import_fluocells(path)


@pytest.mark.parametrize("content", [b"\x80", b"\x80\x02N.", b"nonsense", b"PK\3\4"])
def test_what_is_no_file_of_torch_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "model.pth"
    path.write_bytes(content)

    with pytest.raises(WeightsError, match=r"^model\.pth (is|holds) "):
        import_fluocells(path)


def test_a_program_of_torch_is_no_state_dict(tmp_path):
    program = torch.jit.trace(torch.nn.ReLU(), torch.zeros(1))
    torch.jit.save(program, tmp_path / "model.pt")

    with refuses(f"model.pt is cut off, damaged or no state dict of PyTorch; {ADVICE}"):
        import_fluocells(tmp_path / "model.pt")


@pytest.mark.parametrize("content", [[1, 2], {"model": 3}, {1: torch.zeros(1)}])
def test_a_file_without_a_state_dict_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "model.pth")

    with refuses(f"model.pth holds no state dict; {ADVICE}"):
        import_fluocells(tmp_path / "model.pth")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    path = tmp_path / "model.pth"

    with refuses(f"There is no file {path}; check the path, or give a model's name."):
        import_model(path)


def test_a_missing_tensor_is_noticed(saved_state):
    state, save = saved_state
    del state["encoder.residual_block1.id_path.conv2d_1.bias"]

    with refuses(
        "model.pth is no c-ResUnet of fluocells: it has 111 tensors instead of 112; "
        f"{ADVICE}"
    ):
        import_fluocells(save())


def test_a_tensor_of_another_shape_is_named(saved_state):
    state, save = saved_state
    name = "encoder.bottleneck.residual_block2.conv_path.conv_block.conv2d_5.weight"
    state[name] = torch.zeros(128, 128, 3, 3)

    with refuses(
        f"model.pth is no c-ResUnet of fluocells: {name} is float32 of shape "
        "(128, 128, 3, 3) where a weight of shape (128, 128, 5, 5) belongs; " + ADVICE
    ):
        import_fluocells(save())


def test_tensors_in_another_order_are_noticed(saved_state):
    state, save = saved_state
    state.move_to_end("encoder.colorspace.bias")

    with refuses(
        "model.pth is no c-ResUnet of fluocells: "
        "encoder.conv_block.conv_block.batchnorm2d_0.weight is float32 of shape (1,) "
        f"where a bias of shape (1,) belongs; {ADVICE}"
    ):
        import_fluocells(save())


def test_our_own_network_is_not_taken_for_theirs(tmp_path, network):
    torch.save(network.state_dict(), tmp_path / "model.pth")

    with pytest.raises(WeightsError, match=r"^model\.pth is no c-ResUnet of fluoc"):
        import_fluocells(tmp_path / "model.pth")
