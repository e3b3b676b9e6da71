"""Several models on the same images, as one thing, and its table and figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_cresunet._typing import Image, Probability
from napari_cresunet.evaluation import (
    Comparison,
    Scores,
    aggregate,
    bootstrap_intervals,
)
from napari_cresunet.export._evaluated import plain_values
from napari_cresunet.export._figures import INK, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SCORES = {
    "f1": ("F1", "o"),
    "precision": ("precision", "s"),
    "recall": ("recall", "^"),
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ComparedModel:
    """What one model found in all images."""

    name: str
    counts: tuple[int, ...]
    """Of each image."""
    seconds: float
    """That it took for all."""
    scores: tuple[Scores, ...] = ()
    """Of each image; empty without truth."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """How it counted, ready for JSON."""

    @property
    def pooled(self) -> Scores | None:
        """The scores over all images; None without truth."""
        return aggregate(self.scores) if self.scores else None

    @property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """95 % intervals of the pooled scores; empty for less than two images."""
        return bootstrap_intervals(self.scores) if len(self.scores) > 1 else {}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ComparedImage:
    """What all models found in one image."""

    name: str
    image: Image
    """(..., Y, X) or (..., Y, X, 3 or 4)."""
    probabilities: Mapping[str, Probability]
    """(..., Y, X) by each model."""
    counts: Mapping[str, int]
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
    """With the truth, all by the same rule; empty without truth."""


def model_rows(models: Sequence[ComparedModel]) -> list[dict[str, Any]]:
    """Return one row for each model.

    Parameters
    ----------
    models : sequence of ComparedModel
        On the same images.

    Returns
    -------
    list of dict
        model, count, n_images and seconds; with truth also the numbers of `Scores`,
        None where one is undefined, and f1_low, f1_high, ... for at least two images.
    """
    rows = []
    for model in models:
        row: dict[str, Any] = {"model": model.name, "count": sum(model.counts)}
        row |= {"n_images": len(model.counts), "seconds": round(model.seconds, 3)}
        row |= {} if model.pooled is None else model.pooled.to_dict()
        for name, (low, high) in model.intervals.items():
            row |= {f"{name}_low": low, f"{name}_high": high}
        rows.append(plain_values(row))
    return rows


def models_figure(models: Sequence[ComparedModel]) -> "Figure":
    """Draw what the models reach, or without truth how many cells they count.

    Parameters
    ----------
    models : sequence of ComparedModel
        On the same images.

    Returns
    -------
    Figure
        Of matplotlib, without a window: F1, precision and recall with their 95 %
        intervals, if there are any; and counts.
    """
    draws = [lambda axes: _draw_counts(axes, models)]
    if all(model.scores for model in models):
        draws.insert(0, lambda axes: _draw_scores(axes, models))
    return figure_of(draws, height=1.4 + 0.45 * len(models))


def _draw_scores(axes: "Axes", models: Sequence[ComparedModel]) -> None:
    for number, (name, (label, marker)) in enumerate(_SCORES.items()):
        color = INK[name]
        for place, model in enumerate(models):
            row = place + 0.22 * (number - 1)
            value = getattr(model.pooled, name)
            if name in model.intervals:
                axes.plot(model.intervals[name], [row, row], color=color, linewidth=1.5)
            said = label if place == 0 else None
            axes.plot(
                value, row, marker, color=color, markersize=6, label=said, clip_on=False
            )
    axes.set(xlabel="score", xlim=(0, 1))
    _name_rows(axes, models)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)


def _draw_counts(axes: "Axes", models: Sequence[ComparedModel]) -> None:
    counts = [sum(model.counts) for model in models]
    bars = axes.barh(
        range(len(models)), counts, height=0.55, color=INK["bar"], alpha=0.6
    )
    axes.bar_label(bars, padding=3)
    axes.margins(x=0.15)
    axes.set(xlabel="cells counted")
    pooled = models[0].pooled
    if pooled is not None:
        axes.axvline(pooled.true_count, color=INK["mark"], linestyle=":")
        axes.set_title(f"dotted: true count {pooled.true_count}", fontsize=9)
    _name_rows(axes, models)


def _name_rows(axes: "Axes", models: Sequence[ComparedModel]) -> None:
    axes.set_yticks(range(len(models)), [model.name for model in models])
    axes.set_ylim(len(models) - 0.4, -0.6)
