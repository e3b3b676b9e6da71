"""Networks: blocks, attention gate, c-ResUnet, comparators and the table of variants.

Only the networks need torch; it is loaded on first use, so that the table is cheap.
"""

from typing import TYPE_CHECKING, Any

from napari_cresunet.models._onnx import (
    INPUT,
    OPSET,
    OUTPUT,
    example_input,
    network_onnx,
    plain_copy,
)
from napari_cresunet.models._variants import VARIANTS, Variant, get_variant

if TYPE_CHECKING:
    from napari_cresunet.models._c_resunet import CResUnet
    from napari_cresunet.models._network import Network

__all__ = [
    "INPUT",
    "OPSET",
    "OUTPUT",
    "VARIANTS",
    "CResUnet",
    "Network",
    "Variant",
    "example_input",
    "get_variant",
    "network_onnx",
    "plain_copy",
]


def __getattr__(name: str) -> Any:
    if name == "CResUnet":
        from napari_cresunet.models._c_resunet import CResUnet

        return CResUnet
    if name == "Network":
        from napari_cresunet.models._network import Network

        return Network
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
