import re

import numpy as np
import pytest
import torch

from napari_cresunet.errors import InputError
from napari_cresunet.inference import load_model, predict
from napari_cresunet.weights import save_weights


@pytest.fixture
def saved(tmp_path, model, c_resunet):
    path = tmp_path / "mine.safetensors"
    return path, c_resunet, save_weights(path, c_resunet, model.card)


def test_a_loaded_model_predicts_what_was_saved(saved, image):
    path, network, card = saved
    model = load_model(path, device="cpu")
    assert (model.card.name, model.device) == ("test", "cpu")
    assert model.card.weights_hash == card.weights_hash
    padded = np.pad(image / 255, ((0, 3), (0, 3), (0, 0)), mode="symmetric")
    batch = torch.from_numpy(padded.astype(np.float32)).permute(2, 0, 1)[None]
    # Another memory format may differ in rounding, by more or less on each processor.
    network = network.to(memory_format=torch.channels_last)
    with torch.no_grad():
        expected = network(batch)[0, 0, :101, :133].numpy()
    np.testing.assert_allclose(predict(image, model), expected, rtol=0, atol=1e-5)


def test_a_loaded_network_is_in_evaluation_mode_and_channels_last(saved):
    network = load_model(str(saved[0]), device="cpu").network
    assert not network.training
    weights = network.bridge1.body[2].weight
    assert weights.is_contiguous(memory_format=torch.channels_last)


def test_loading_changes_no_setting_of_torch(saved):
    before = torch.get_num_threads(), torch.backends.cudnn.allow_tf32
    predict(np.zeros((9, 9), np.uint8), load_model(saved[0], device="cpu"))
    assert (torch.get_num_threads(), torch.backends.cudnn.allow_tf32) == before


def test_a_device_that_is_not_there_is_refused_before_anything_is_read():
    with pytest.raises(InputError, match=f"^{re.escape('There is no device')}"):
        load_model("no such model", device="tpu")
