"""Networks: blocks, attention gate, c-ResUnet and the table of variants.

Only `CResUnet` needs torch; it is loaded on first use, so that the table is cheap.
"""

from typing import TYPE_CHECKING, Any

from napari_cresunet.models._variants import VARIANTS, Variant, get_variant

if TYPE_CHECKING:
    from napari_cresunet.models._c_resunet import CResUnet

__all__ = ["VARIANTS", "CResUnet", "Variant", "get_variant"]


def __getattr__(name: str) -> Any:
    if name == "CResUnet":
        from napari_cresunet.models._c_resunet import CResUnet

        return CResUnet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
