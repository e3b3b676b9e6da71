"""The image that a dock works on, without the layer it comes from."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from napari_cresunet.errors import InputError


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """An image of the viewer, as the engine wants it."""

    identity: str
    """Tells this image from all others, whatever it is called."""
    name: str
    image: Any
    """(..., Y, X) or (..., Y, X, 3 or 4); of a pyramid the full resolution."""
    is_rgb: bool = False
    pixel_um: tuple[float, float] | None = None
    """Height and width of a pixel in µm, where the image says so."""
    diameter: float | None = None
    """Diameter of its cells in px, where the image says so."""
    pyramid: tuple[str, int | None] | None = None
    """File or folder that is read part by part, and channel, where they are known."""

    @cached_property
    def why_unusable(self) -> str:
        """One sentence, empty if the image can be used; its pixels are not read."""
        from napari_cresunet.inference import plane_shape

        try:
            plane_shape(self.image, rgb=self.is_rgb)
        except InputError as error:
            return str(error)
        return ""

    @property
    def um_per_px(self) -> float | None:
        """Side of a square pixel of the same area, in µm."""
        if self.pixel_um is None:
            return None
        return float((self.pixel_um[0] * self.pixel_um[1]) ** 0.5)


def identity_of(source: Source | None) -> str | None:
    """Return what tells an image from all others; None if there is none."""
    return None if source is None else source.identity


def why_no_source(other: str = "") -> str:
    """Say why there is no image.

    Parameters
    ----------
    other : str, optional
        Name of the selected layer that is none.

    Returns
    -------
    str
        One sentence.
    """
    if other:
        return f"{other!r} is no image: open an image, or choose an image layer."
    return (
        "There is no image: open one with File > Open, or a sample with File > Open "
        "Sample > c-ResUnet."
    )
