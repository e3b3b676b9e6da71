"""The model card: what a user and the engine must know of a set of weights."""

import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, Self

from napari_cresunet.errors import WeightsError

SCALINGS = ("unit", "adaptive")
"""How an image becomes [0, 1]; `inference.measure_scaling` says what each does."""
CHANNELS = ("rgb", "brightest")
"""What the network sees of a color image: all three channels, or the brightest."""
_SIMPLE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TYPE_OF = {"settings": Mapping, "scores": Mapping} | {
    "diameter": int | float,
    "largest_diameter": int | float,
    "threshold": int | float,
    "min_size": int,
    "min_distance": int,
}


def zoom_into(diameters: tuple[float, float], diameter: float) -> float:
    """Return the factor that takes a cell into a range of sizes.

    Parameters
    ----------
    diameters : tuple of float
        Smallest and largest diameter in px.
    diameter : float
        Diameter of the cell in px.

    Returns
    -------
    float
        1 within the range; cells outside become as large as its nearer end.
    """
    smallest, largest = diameters
    return min(max(diameter, smallest), largest) / diameter


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCard:
    """What is known of a set of weights; travels inside the weight file.

    Raises
    ------
    WeightsError
        If a field has the wrong type or a value that cannot be.

    Examples
    --------
    >>> card = ModelCard(
    ...     name="demo", title="Demo", variant="c-resunet", scaling="unit",
    ...     diameter=36.5, threshold=0.6, min_size=200, min_distance=20,
    ... )
    >>> card.min_size_at(73.0), card.min_distance_at(73.0)
    (800, 40)
    """

    name: str
    """What the model is called by: letters, digits, "-", "_" and "."."""
    title: str
    """What the model is called in a list for people."""
    variant: str
    """Its network, a key of `models.VARIANTS`."""
    scaling: str
    """How pixels become input: "unit" is x / 255, "adaptive" is by percentiles."""
    channels: str = "rgb"
    """What it sees of a color image: "rgb", or the "brightest" channel as gray."""
    diameter: float
    """Diameter of a cell in px at which the network was trained, or the smallest."""
    largest_diameter: float = 0.0
    """The largest diameter in px that it was trained on; 0 if there is only one."""
    threshold: float
    """Recommended: a pixel is "cell" where its probability is greater than this."""
    min_size: int
    """Smallest cell in px of what the network sees."""
    min_distance: int
    """Least distance in px of touching cells' centers at `diameter`."""
    data: str = ""
    """What it was trained on."""
    license: str = ""
    """On what terms the weights may be used."""
    citation: str = ""
    """What to cite."""
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """How it was trained."""
    scores: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What it was measured to reach, and on what."""
    weights_hash: str = ""
    """SHA-256 of the tensors in hexadecimal; empty before saving."""
    source: str = "user"
    """Where it was found: "bundled", "user" (the user's folder) or a path."""

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = getattr(self, spec.name)
            if not isinstance(value, _TYPE_OF.get(spec.name, str)):
                raise WeightsError(
                    f"A model card's `{spec.name}` cannot be {value!r}; "
                    "correct the card and save the weights again."
                )
        if not _SIMPLE_NAME.fullmatch(self.name):
            raise WeightsError(
                f"A model cannot be called {self.name!r}; use letters, digits, "
                "'-', '_' and '.', beginning with a letter or digit."
            )
        if self.scaling not in SCALINGS:
            raise WeightsError(
                f"A model card's `scaling` must be {' or '.join(map(repr, SCALINGS))}, "
                f"got {self.scaling!r}."
            )
        if self.channels not in CHANNELS:
            raise WeightsError(
                "A model card's `channels` must be "
                f"{' or '.join(map(repr, CHANNELS))}, got {self.channels!r}."
            )
        self._check_numbers()

    def _check_numbers(self) -> None:
        checks = {
            "diameter": ("positive", 0 < self.diameter < math.inf),
            "largest_diameter": (
                "0 or at least the `diameter`",
                self.largest_diameter == 0
                or self.diameter <= self.largest_diameter < math.inf,
            ),
            "threshold": ("between 0 and 1", 0 <= self.threshold <= 1),
            "min_size": ("at least 0", self.min_size >= 0),
            "min_distance": ("at least 0", self.min_distance >= 0),
        }
        for name, (allowed, is_allowed) in checks.items():
            if not is_allowed:
                raise WeightsError(
                    f"A model card's `{name}` must be {allowed}, "
                    f"got {getattr(self, name):g}."
                )

    @property
    def diameters(self) -> tuple[float, float]:
        """The smallest and the largest cell in px that the network was trained on."""
        return self.diameter, max(self.diameter, self.largest_diameter)

    @property
    def diameters_text(self) -> str:
        """The same in words: "16 px", or "10 to 22 px"."""
        smallest, largest = self.diameters
        if largest == smallest:
            return f"{smallest:g} px"
        return f"{smallest:g} to {largest:g} px"

    def zoom_at(self, diameter: float) -> float:
        """Return how much an image is magnified for the network.

        Parameters
        ----------
        diameter : float
            Diameter of a cell in px in the image.

        Returns
        -------
        float
            1 where the network was trained on such cells; see `zoom_into`.
        """
        return zoom_into(self.diameters, diameter)

    def min_size_at(self, diameter: float | None) -> int:
        """Return the smallest cell in px where cells have another diameter.

        Parameters
        ----------
        diameter : float or None
            Diameter of a cell in px in the image; None for that of the card.

        Returns
        -------
        int
            What `min_size` of the network's px are in the image, at least 1; for None
            `min_size` itself. So it is the same for all `diameters` that the network
            sees as they are: what is smaller is too small to tell from dirt.
        """
        if diameter is None:
            return self.min_size
        return max(1, round(self.min_size / self.zoom_at(diameter) ** 2))

    def min_distance_at(self, diameter: float | None) -> int:
        """Return the least distance of centers where cells have another diameter.

        Parameters
        ----------
        diameter : float or None
            Diameter of a cell in px in the image; None for that of the card.

        Returns
        -------
        int
            `min_distance` scaled with the length, in px, at least 1.
        """
        scale = 1.0 if diameter is None else diameter / self.diameter
        return max(1, round(self.min_distance * scale))

    def to_dict(self) -> dict[str, Any]:
        """Return the card as a plain dict, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Make a card from a plain dict.

        Parameters
        ----------
        values : mapping
            Field names and values, as from `to_dict`.

        Returns
        -------
        ModelCard
            The card.

        Raises
        ------
        WeightsError
            If a name is unknown, a required one is missing or a value is wrong.
        """
        known = {spec.name for spec in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise WeightsError(
                f"A model card has no field {unknown[0]!r}; "
                "a newer version of napari-cresunet may know it."
            )
        for spec in fields(cls):
            is_required = spec.default is MISSING and spec.default_factory is MISSING
            if is_required and spec.name not in values:
                raise WeightsError(
                    f"The model card lacks the field {spec.name!r}; "
                    "add it and save the weights again."
                )
        return cls(**values)
