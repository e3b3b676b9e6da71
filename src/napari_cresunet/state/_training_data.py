"""What to learn from, as the user chose it: layers or folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from napari_cresunet._typing import Labels
from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from napari_cresunet.datasets import Pair


@dataclass(frozen=True, kw_only=True, slots=True)
class PairChoice:
    """Two layers that the user chose, an image and its labels."""

    image: str
    """Identity of the layer."""
    labels: str
    image_name: str
    labels_name: str

    @property
    def title(self) -> str:
        """Both names."""
        return f"{self.image_name} – {self.labels_name}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LayerPair:
    """What the two layers held when the user asked."""

    identity: str
    """Of the image's layer."""
    name: str
    image: Any
    """(..., Y, X), or with 3 or 4 colors at the end."""
    labels: Labels
    """(..., Y, X); no layer changes it any more."""
    is_rgb: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Folders:
    """A folder of images with masks, or one of images and another one of masks."""

    images: Path
    masks: Path | None = None

    @property
    def title(self) -> str:
        """What a model's card calls it."""
        return self.images.name


TrainingData: TypeAlias = tuple[LayerPair, ...] | Folders


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Origin:
    """Where the pixels of a pair come from."""

    name: str
    identity: str = ""
    """Of the image's layer; empty for a file."""
    plane: tuple[int, ...] = ()
    """Of a stack."""
    corner: tuple[int, int] = (0, 0)
    """First row and column of a part that was cut from an image."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Material:
    """Pairs to learn from, and those that are held out."""

    training: "list[Pair]"
    validation: "list[Pair]"
    n_images: int
    n_cells: int
    """Before an image was cut."""
    corner: tuple[int, int] | None = None
    """Where the first validation image begins, if it was cut from an image."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What was found in the data, for the user."""

    n_images: int
    n_cells: int
    n_held_out: int
    n_without_mask: int
    is_cut: bool
    """Whether the one image with cells is learned from and validated on in parts."""
    diameter: float
    """Mean diameter of the cells in px."""

    @property
    def sentence(self) -> str:
        """Such as "3 images, 36 cells about 16 px wide; 1 image held out …"."""
        cells = f"{counted(self.n_cells, 'cell')} about {self.diameter:.0f} px wide"
        found = f"{counted(self.n_images, 'image')}, {cells}"
        held = f"{counted(self.n_held_out, 'image')} held out for validation."
        if self.is_cut:
            held = "a part of it is held out for validation."
            if self.n_images > 1:
                held = "a part of the one with cells is held out for validation."
        if not self.n_without_mask:
            return f"{found}; {held}"
        alone = counted(self.n_without_mask, "image")
        verb = "is" if self.n_without_mask == 1 else "are"
        return f"{found}; {held} {alone} without mask {verb} left out."


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as "1 cell" or "2 cells"."""
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"


def check_sizes(
    image_name: str,
    image_shape: Sequence[int],
    labels_name: str,
    labels_shape: Sequence[int],
) -> None:
    """Refuse labels that were not made on an image.

    Parameters
    ----------
    image_name, labels_name : str
        What the layers are called.
    image_shape, labels_shape : sequence of int
        (..., Y, X), without colors.

    Raises
    ------
    InputError
        If the two differ.
    """
    if tuple(image_shape) != tuple(labels_shape):
        raise InputError(
            f"The image {image_name!r} has {_size(image_shape)} px, but the labels "
            f"{labels_name!r} have {_size(labels_shape)} px: choose labels that were "
            "made on this image."
        )


def _size(shape: Sequence[int]) -> str:
    return " × ".join(str(side) for side in shape)
