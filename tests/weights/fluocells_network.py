"""c-ResUnet put together as fluocells does, and its files: the oracle of the import.

Written from the published structure: names and order of layers, epsilon 1e-3, a head
that gives [1 - p, p]. Nothing here knows of our own networks.
"""

import sys
from types import ModuleType

import numpy as np
import torch
from torch import nn


def normalization(channels):
    return nn.BatchNorm2d(channels, eps=1e-3)


class Convolutions(nn.Module):
    def __init__(self, inputs, outputs, size=3):
        super().__init__()
        pad = size // 2
        self.conv_block = nn.ModuleDict(
            {
                "batchnorm2d_0": normalization(inputs),
                "activation_1": nn.ELU(),
                "conv2d_2": nn.Conv2d(inputs, outputs, size, padding=pad),
                "batchnorm2d_3": normalization(outputs),
                "activation_4": nn.ELU(),
                "conv2d_5": nn.Conv2d(outputs, outputs, size, padding=pad),
            }
        )

    def forward(self, x):
        for layer in self.conv_block.values():
            x = layer(x)
        return x


class Residual(nn.Module):
    def __init__(self, inputs, outputs, size=3):
        super().__init__()
        self.conv_path = Convolutions(inputs, outputs, size)
        self.id_path = nn.ModuleDict()
        if inputs != outputs:
            self.id_path["conv2d_1"] = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        shortcut = self.id_path["conv2d_1"](x) if len(self.id_path) else x
        return self.conv_path(x) + shortcut


class Bottleneck(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.residual_block1 = Residual(inputs, outputs, 5)
        self.residual_block2 = Residual(outputs, outputs, 5)

    def forward(self, x):
        return self.residual_block2(self.residual_block1(x))


class Up(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.id_path = nn.ModuleDict({"up_conv": up})
        self.conv_path = Convolutions(inputs, outputs)

    def forward(self, x, skip):
        up = self.id_path["up_conv"](x)
        return self.conv_path(torch.cat([up, skip], dim=1)) + up


class SigmoidHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.heatmap = nn.ModuleDict({"conv2d": nn.Conv2d(16, 1, 1)})

    def forward(self, x):
        p = torch.sigmoid(self.heatmap["conv2d"](x))
        return torch.cat([1 - p, p], dim=1)


class SoftmaxHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv2d = nn.Conv2d(16, 2, 1)

    def forward(self, x):
        return torch.softmax(self.conv2d(x), dim=1)


class FluocellsNetwork(nn.Module):
    def __init__(self, head=SigmoidHead):
        super().__init__()
        self.encoder = nn.ModuleDict(
            {
                "colorspace": nn.Conv2d(3, 1, 1),
                "conv_block": Convolutions(1, 16),
                "residual_block1": Residual(16, 32),
                "residual_block2": Residual(32, 64),
                "bottleneck": Bottleneck(64, 128),
            }
        )
        self.decoder = nn.ModuleDict(
            {
                "upconv_block1": Up(128, 64),
                "upconv_block2": Up(64, 32),
                "upconv_block3": Up(32, 16),
            }
        )
        self.head = head()
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x):
        encode, decode = self.encoder, self.decoder
        pool = nn.MaxPool2d(2)
        skip1 = encode["conv_block"](encode["colorspace"](x))
        skip2 = encode["residual_block1"](pool(skip1))
        skip3 = encode["residual_block2"](pool(skip2))
        x = encode["bottleneck"](pool(skip3))
        x = decode["upconv_block1"](x, skip3)
        x = decode["upconv_block2"](x, skip2)
        return self.head(decode["upconv_block3"](x, skip1))


def save_as_fastai(path, network, monkeypatch):
    """Write network and optimizer state with the classes that fastai pickles."""
    module = ModuleType("fastcore.foundation")
    module.L = type("L", (), {"__module__": "fastcore.foundation"})
    monkeypatch.setitem(sys.modules, "fastcore", ModuleType("fastcore"))
    monkeypatch.setitem(sys.modules, "fastcore.foundation", module)
    hypers = module.L()
    hypers.items = [{"lr": np.float64(3e-4), "mom": 0.9}]
    averages = [{"grad_avg": torch.zeros(3), "step": 2} for _ in range(2)]
    content = {
        "model": network.state_dict(),
        "opt": {"state": averages, "hypers": hypers},
    }
    torch.save(content, path, pickle_protocol=2)
    return path
