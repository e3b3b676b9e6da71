"""Networks and models for the tests: small, with settled statistics."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from napari_cresunet.inference import Model
from napari_cresunet.models import VARIANTS, Variant
from napari_cresunet.weights import ModelCard


class SmallNetwork(nn.Module):
    """Sees 17 px far through a stride of 8, and takes milliseconds."""

    stride = 8
    receptive_radius = 24

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Conv2d(3, 2, 5, padding=2)
        self.coarse = nn.Conv2d(2, 2, 3, padding=1)
        self.head = nn.Conv2d(2, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.fine(x)
        coarse = self.coarse(nn.functional.max_pool2d(fine, 8))
        up = nn.functional.interpolate(coarse, scale_factor=8, mode="nearest")
        return torch.sigmoid(4 * self.head(fine + up))


class DoublePrecision(nn.Module):
    """A network in float64, where only wrong geometry can make a difference."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.double()
        self.stride = network.stride
        self.receptive_radius = network.receptive_radius

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x.double()).float()


def as_model(
    network: nn.Module,
    *,
    scaling: str = "unit",
    diameter: float = 36.5,
    largest_diameter: float = 0.0,
) -> Model:
    card = ModelCard(
        name="test",
        title="Test",
        variant="simple-c-resunet",
        scaling=scaling,
        diameter=diameter,
        largest_diameter=largest_diameter,
        threshold=0.5,
        min_size=40,
        min_distance=10,
    )
    return Model(card, network.eval(), "cpu")


@pytest.fixture
def small_network() -> nn.Module:
    torch.manual_seed(0)
    return SmallNetwork()


@pytest.fixture
def model(small_network: nn.Module) -> Model:
    return as_model(small_network)


@pytest.fixture
def make_model() -> Callable[..., Model]:
    return as_model


def settled(variant: Variant) -> nn.Module:
    """Return a network whose batch norms have seen an image."""
    torch.manual_seed(0)
    network = variant.build()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network.train()(torch.rand(2, 3, 96, 96))
    return network.eval()


@pytest.fixture
def make_settled() -> Callable[[Variant], nn.Module]:
    return settled


@pytest.fixture
def c_resunet() -> nn.Module:
    return settled(VARIANTS["simple-c-resunet"])


@pytest.fixture
def make_real_model() -> Callable[[Variant], Model]:
    return lambda variant: as_model(DoublePrecision(settled(variant)))


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (101, 133, 3), dtype=np.uint8)
