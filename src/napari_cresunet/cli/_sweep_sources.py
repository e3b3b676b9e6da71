"""Where the probability of a sweep comes from: files, or a model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_cresunet.batch import CountOptions, segmentation_parameters
from napari_cresunet.cli._truth_pairs import TruthPair, record_in
from napari_cresunet.errors import InputError
from napari_cresunet.steps import Step, drain

if TYPE_CHECKING:
    from napari_cresunet._typing import Probability
    from napari_cresunet.evaluation import SweepRow
    from napari_cresunet.inference import Model

DEFAULT_MODEL = "fluorescent-cells"


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepOptions:
    """Which settings are tried."""

    model: str | None = None
    """None takes probability images, where there are some, or else the default."""
    diameter: float | None = None
    device: str = "auto"
    backend: str = "auto"
    precision: str = "auto"
    thresholds: tuple[float, ...]
    distances: tuple[float, ...]
    min_sizes: tuple[int, ...] = ()
    """Empty for the model's own."""
    by: str = "f1"
    """The score that decides."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """Probability from files."""

    records: dict[str, dict[str, Any]]
    """What each file says of its origin, by name."""

    @classmethod
    def of(cls, pairs: Sequence[TruthPair]) -> "Predicted":
        """Read what the files say of themselves."""
        return cls({pair.name: record_in(pair.path) for pair in pairs})

    @property
    def record(self) -> dict[str, Any]:
        """How the probability came about."""
        names = ("model", "weights_hash", "diameter", "preset", "min_distance")
        return {name: self._common(name) for name in names}

    @property
    def min_sizes(self) -> tuple[int | None, ...]:
        """The smallest size to try if none is asked for."""
        sizes = {record.get("min_size") for record in self.records.values()}
        if len(sizes) > 1:
            raise InputError(
                "The probability images were counted with different smallest sizes: "
                "give --min-sizes."
            )
        return tuple(sizes)

    def _common(self, name: str) -> Any:
        values = [record.get(name) for record in self.records.values()]
        return values[0] if all(value == values[0] for value in values) else None

    def predict(
        self, pair: TruthPair, on_step: Callable[[Step], None]
    ) -> "tuple[Probability, dict[str, Any]]":
        """Return the probability and the further arguments of `segment`."""
        from napari_cresunet.inference import read_image

        record = self.records[pair.name]
        names = ("preset", "min_distance")
        known = {name: record[name] for name in names if record.get(name) is not None}
        return read_image(pair.path), known

    def arguments(self, best: "SweepRow") -> list[str]:
        """Return what `count` needs to use the best setting."""
        known = {name: self._common(name) for name in ("model", "diameter", "preset")}
        return _arguments(best, known)


@dataclass(frozen=True, slots=True)
class Predicting:
    """Probability from a model."""

    model: "Model"
    options: SweepOptions

    @classmethod
    def of(cls, options: SweepOptions) -> "Predicting":
        """Load the model."""
        from napari_cresunet.inference import load_model

        model = load_model(
            options.model or DEFAULT_MODEL,
            options.device,
            backend=options.backend,
            precision=options.precision,
        )
        return cls(model, options)

    @property
    def record(self) -> dict[str, Any]:
        """How the probability came about."""
        parameters = self._parameters()
        return {
            "model": self.model.card.name,
            "weights_hash": self.model.card.weights_hash,
            "device": self.model.device,
            "backend": self.model.backend,
            "precision": self.model.precision,
            "diameter": self.options.diameter,
            "preset": parameters["preset"],
            "min_distance": parameters["min_distance"],
        }

    @property
    def min_sizes(self) -> tuple[int | None, ...]:
        """The smallest size to try if none is asked for."""
        return (self._parameters()["min_size"],)

    def _parameters(self) -> dict[str, Any]:
        options = CountOptions(diameter=self.options.diameter)
        return segmentation_parameters(self.model.card, options)

    def predict(
        self, pair: TruthPair, on_step: Callable[[Step], None]
    ) -> "tuple[Probability, dict[str, Any]]":
        """Return the probability and the further arguments of `segment`."""
        from napari_cresunet.inference import iter_predict, read_image

        steps = iter_predict(
            read_image(pair.path), self.model, diameter=self.options.diameter
        )
        parameters = self._parameters()
        return drain(steps, on_step).probability, {
            name: parameters[name] for name in ("preset", "min_distance")
        }

    def arguments(self, best: "SweepRow") -> list[str]:
        """Return what `count` needs to use the best setting."""
        model = None if self.options.model == DEFAULT_MODEL else self.options.model
        return _arguments(best, {"model": model, "diameter": self.options.diameter})


def _arguments(best: "SweepRow", known: dict[str, Any]) -> list[str]:
    words = ["--threshold", f"{best.threshold:g}"]
    if best.min_size is not None:
        words += ["--min-size", str(best.min_size)]
    for name, value in known.items():
        if value is not None and value not in (DEFAULT_MODEL, "tashfeen2025"):
            text = f"{value:g}" if isinstance(value, float) else str(value)
            words += [f"--{name}", text]
    return words
