"""What 8 bits changed in a network."""

import json
from dataclasses import dataclass

from napari_cresunet.inference._model_cache import read_cached

_FORMAT = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantized:
    """What 8 bits changed, measured beside full precision on the same images."""

    calibration: str
    """SHA-256 of the images."""
    is_bundled: bool
    """Whether they are the samples of the package."""
    n_images: int
    count: int
    """Cells in all of them."""
    full_count: int
    f1: float | None
    """Of the images whose truth is known, pooled; None if there are none."""
    full_f1: float | None
    difference: float
    """Mean absolute difference of the probability."""
    speed: float
    """How many times faster."""

    @property
    def text(self) -> str:
        """The same in one sentence."""
        kind = "sample" if self.is_bundled else "calibration"
        images = f"{kind} image{'s' if self.n_images > 1 else ''}"
        parts = [f"{self.count} cells in place of {self.full_count}"]
        if self.f1 is not None and self.full_f1 is not None:
            parts.append(f"F1 {self.f1:.3f} in place of {self.full_f1:.3f}")
        parts.append(f"probability {self.difference:.4f} off on average")
        parts.append(f"{self.speed:.1f} times as fast")
        return f"8 bits on {self.n_images} {images}: {', '.join(parts)}."


def read_quantized(weights_hash: str) -> Quantized | None:
    """Return what is known of a network's 8 bits.

    Parameters
    ----------
    weights_hash : str
        Of the network's card.

    Returns
    -------
    Quantized or None
        None if it has not been quantized.
    """
    parts = read_cached(stored_name(weights_hash), "measured.json")
    try:
        return Quantized(**json.loads(parts["measured.json"]))
    except (KeyError, TypeError, ValueError):
        return None


def stored_name(weights_hash: str) -> str:
    """Return under what name the network of 8 bits is kept."""
    return f"{weights_hash}-int8-{_FORMAT}"
