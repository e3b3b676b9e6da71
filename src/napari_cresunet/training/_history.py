"""What is known after each epoch, and after the whole training."""

from dataclasses import asdict, dataclass
from typing import Any

from napari_cresunet._typing import Probability
from napari_cresunet.steps import Step


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochRecord:
    """One row of the log."""

    epoch: int
    """From 1."""
    loss: float
    """Mean over the epoch's batches."""
    validation_loss: float
    """Mean over the validation images."""
    f1: float
    """Pooled F1 of the validation images at `threshold`; NaN without any cell."""
    threshold: float
    """That with the highest F1."""
    learning_rate: float
    seconds: float
    """Since the training began, without interruptions."""

    def to_dict(self) -> dict[str, Any]:
        """Return the row as a plain dict."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainStep(Step):
    """One batch, or, with a record, the end of an epoch."""

    epoch: int
    """From 1."""
    loss: float
    """Mean over the epoch so far."""
    record: EpochRecord | None = None
    is_best: bool = False
    """Whether the epoch that ends here gave the best model so far."""
    preview: Probability | None = None
    """At the end of an epoch: probability for the first validation image, resampled as
    the network sees it."""
