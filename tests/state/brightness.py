"""A real c-ResUnet whose weights are set so that probability follows brightness."""

import torch

from napari_cresunet.models import VARIANTS
from napari_cresunet.weights import DEFAULT_MODEL, ModelCard, save_weights


def save_brightness_model(folder, *, name=DEFAULT_MODEL, middle=0.25, **card):
    """Save a model that gives 0.5 where red and green have the brightness `middle`.

    Every convolution is 0 but those that hand the color on, through the first encoder,
    its skip connection and the last decoder, to the head.
    """
    network = VARIANTS["c-resunet"].build()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
                module.weight.zero_()
                module.bias.zero_()
        network.color[0].weight[0, :2, 0, 0] = 0.5
        network.encoder1[0].weight[0, 0, 1, 1] = 1
        network.encoder1[3].weight[0, 0, 1, 1] = 1
        first, second = (network.decoder1.body[number] for number in (2, 5))
        first.weight[0, first.in_channels // 2, 1, 1] = 1
        second.weight[0, 0, 1, 1] = 1
        network.head.weight[0, 0, 0, 0] = 12
        network.head.bias[0] = -12 * middle
    values = {
        "title": "Brightness",
        "scaling": "adaptive",
        "diameter": 36.5,
        "threshold": 0.5,
        "min_size": 200,
        "min_distance": 18,
        "data": "nothing: its weights are set by hand",
        "license": "CC0 1.0",
        "scores": {"nowhere": {"f1": 0.5}},
    } | card
    model = ModelCard(name=name, variant="c-resunet", **values)
    return save_weights(folder / f"{name}.safetensors", network, model)
