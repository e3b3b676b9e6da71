"""The table of network variants that everything else reads."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from napari_cresunet.models._network import Network


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """One row: a network, and the training its paper reports for it.

    The published fields are None for variants that the papers name without results.
    """

    name: str
    title: str
    network: str = "c-resunet"
    """The class that builds it: "c-resunet", "c-resunet-transformer", "resunet" or
    "unet"."""
    attention: bool = False
    """Whether skip connections pass attention gates; only c-ResUnets have them."""
    activation: str
    """"elu", "relu" or "leaky_relu"."""
    features: int = 16
    """Channels at full resolution."""
    optimizer: str = "adam"
    learning_rate: float = 1e-4
    augmentation: tuple[str, ...] = ()
    published_samples: int | None = None
    published_batch_size: int | None = None
    published_threshold: float | None = None
    published_stop_epoch: int | None = None

    def build(self) -> "Network":
        """Return the network with freshly initialised weights."""
        from napari_cresunet.models._c_resunet import CResUnet
        from napari_cresunet.models._resunet import ResUnet
        from napari_cresunet.models._transformer import TransformerCResUnet
        from napari_cresunet.models._unet import UNet

        if self.network == "unet":
            return UNet(activation=self.activation, features=self.features)
        if self.network == "resunet":
            return ResUnet(activation=self.activation, features=self.features)
        with_gates = {
            "c-resunet": CResUnet,
            "c-resunet-transformer": TransformerCResUnet,
        }[self.network]
        return with_gates(
            attention=self.attention,
            activation=self.activation,
            features=self.features,
        )

    def build_empty(self) -> "Network":
        """Return the network without storage, for its names and shapes or for weights.

        Returns
        -------
        Network
            On the device "meta": nothing is initialized in vain and no random state is
            used up.
        """
        import torch

        with torch.device("meta"):
            return self.build()


_GEOMETRIC = ("shift", "flip", "zoom", "rotation")

# Tashfeen, Table 1 (first four rows) and section 4.1 (the others). Of attention ELU the
# text gives the threshold 0.3, the caption of Table 4 0.2. The paper counts the full
# sample set once as 2556 and once as 2256 crops.
_ROWS = (
    Variant(
        name="attention-elu",
        title="c-ResUnet with attention gates (ELU)",
        attention=True,
        activation="elu",
        augmentation=_GEOMETRIC,
        published_samples=600,
        published_batch_size=4,
        published_threshold=0.3,
        published_stop_epoch=45,
    ),
    Variant(
        name="attention-relu",
        title="c-ResUnet with attention gates (ReLU)",
        attention=True,
        activation="relu",
        augmentation=_GEOMETRIC,
        published_samples=600,
        published_batch_size=4,
        published_threshold=0.4,
        published_stop_epoch=31,
    ),
    Variant(
        name="c-resunet",
        title="c-ResUnet",
        attention=False,
        activation="elu",
        augmentation=("rotation", "noise", "brightness", "elastic"),
        published_samples=2556,
        published_batch_size=8,
        published_threshold=0.6,
    ),
    Variant(
        name="simple-c-resunet",
        title="simple c-ResUnet",
        attention=False,
        activation="elu",
        published_samples=500,
        published_batch_size=8,
        published_threshold=0.2,
        published_stop_epoch=66,
    ),
    Variant(
        name="attention-leaky-relu",
        title="c-ResUnet with attention gates (leaky ReLU)",
        attention=True,
        activation="leaky_relu",
        augmentation=_GEOMETRIC,
    ),
    Variant(
        name="c-resunet-relu",
        title="c-ResUnet (ReLU)",
        attention=False,
        activation="relu",
    ),
    Variant(
        name="c-resunet-leaky-relu",
        title="c-ResUnet (leaky ReLU)",
        attention=False,
        activation="leaky_relu",
    ),
    Variant(
        name="c-resunet-transformer",
        title="c-ResUnet with a vision transformer at the bridge",
        network="c-resunet-transformer",
        activation="elu",
    ),
    # What Morelli, Clissa et al. (2021) compared c-ResUnet with, from their code.
    Variant(
        name="resunet",
        title="ResUnet",
        network="resunet",
        activation="elu",
    ),
    Variant(
        name="unet",
        title="U-Net",
        network="unet",
        activation="relu",
        features=64,
    ),
    Variant(
        name="small-unet",
        title="small U-Net",
        network="unet",
        activation="relu",
        features=32,
    ),
)

VARIANTS: dict[str, Variant] = {row.name: row for row in _ROWS}


def get_variant(name: str) -> Variant:
    """Look a variant up by its name.

    Parameters
    ----------
    name : str
        A key of `VARIANTS`.

    Returns
    -------
    Variant
        The row of the table.

    Raises
    ------
    InputError
        If there is no such variant; near matches are named.
    """
    if name in VARIANTS:
        return VARIANTS[name]
    near = get_close_matches(name, VARIANTS, n=3, cutoff=0.5) or list(VARIANTS)
    raise InputError(f"Unknown variant {name!r}; did you mean {' or '.join(near)}?")
