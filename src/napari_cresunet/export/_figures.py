"""Figures of an evaluation: scores against settings, counts against the truth."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from napari_cresunet._writing import write_bytes
from napari_cresunet.errors import InputError
from napari_cresunet.evaluation import SweepRow, aggregate
from napari_cresunet.export._evaluated import Evaluated, Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Draw: TypeAlias = Callable[[Axes], None]

FIGURE_SUFFIXES = (".png", ".svg", ".pdf")
FIGURE_DPI = 200
"""Px of a PNG for each inch of a figure."""

_SIDE = 3.6, 3.2  # inches of one plot
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text
    "pdf.fonttype": 42,
    "font.size": 9,
    "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica", "sans-serif"],
}
# Okabe and Ito's colors; the line styles tell them apart in gray, too.
_LINES = {
    "f1": ("F1", "#0072b2", "-"),
    "precision": ("precision", "#d55e00", "--"),
    "recall": ("recall", "#009e73", "-."),
}
_GRAY = "#666666"
INK = {name: color for name, (_, color, _) in _LINES.items()}
INK |= {"bar": "#0072b2", "mark": _GRAY}
"""Color of everything that is drawn."""


def threshold_figure(
    rows: Sequence[SweepRow], chosen: Mapping[str, Any] | None = None
) -> "Figure":
    """Draw F1, precision and recall against the threshold.

    Parameters
    ----------
    rows : sequence of SweepRow
        From `sweep`; of several smallest sizes and distances the chosen ones are drawn,
        or else the first.
    chosen : mapping, optional
        threshold, min_size and max_distance, as far as they are known; the threshold
        is marked.

    Returns
    -------
    Figure
        Of matplotlib, without a window.

    Raises
    ------
    InputError
        If there is no row.
    """
    drawn = rows_at(rows, chosen or {}, "threshold")
    return figure_of([lambda axes: _draw_thresholds(axes, drawn, chosen or {})])


def distance_figure(
    rows: Sequence[SweepRow],
    chosen: Mapping[str, Any] | None = None,
    *,
    unit: str = "px",
) -> "Figure":
    """Draw F1 against the largest distance of two matching centers.

    Parameters
    ----------
    rows : sequence of SweepRow
        At one threshold and smallest size, or at several: then the chosen are drawn.
    chosen : mapping, optional
        As for `threshold_figure`; the distance is marked.
    unit : str, optional
        Of the distances.

    Returns
    -------
    Figure
        Of matplotlib, without a window.

    Raises
    ------
    InputError
        If there is no row.
    """
    drawn = rows_at(rows, chosen or {}, "max_distance")
    return figure_of([lambda axes: _draw_distances(axes, drawn, chosen or {}, unit)])


def sweep_figure(
    rows: Sequence[SweepRow], chosen: Mapping[str, Any] | None = None
) -> "Figure":
    """Draw a sweep: against the threshold, and beside it against the distance.

    Parameters
    ----------
    rows : sequence of SweepRow
        From `sweep`; the distance is drawn only if there are at least two.
    chosen : mapping, optional
        As for `threshold_figure`.

    Returns
    -------
    Figure
        Of matplotlib, without a window.

    Raises
    ------
    InputError
        If there is no row.
    """
    known = chosen or {}
    swept = rows_at(rows, known, "threshold")
    draws: list[Draw] = [lambda axes: _draw_thresholds(axes, swept, known)]
    return figure_of([*draws, *_distance_draws(rows, known, "px")])


def counts_figure(images: Sequence[Evaluated]) -> "Figure":
    """Draw predicted against true counts, one point for each image.

    Parameters
    ----------
    images : sequence of Evaluated
        At least one.

    Returns
    -------
    Figure
        Of matplotlib, without a window; MPE and MAE are written into it.
    """
    return figure_of([lambda axes: _draw_counts(axes, images)])


def evaluation_figure(evaluation: Evaluation) -> "Figure":
    """Draw side by side what there is to draw.

    Parameters
    ----------
    evaluation : Evaluation
        The counts are drawn always, a sweep if it has at least two thresholds, and
        distances if there are at least two.

    Returns
    -------
    Figure
        Of matplotlib, without a window.
    """
    chosen = evaluation.chosen
    draws: list[Draw] = []
    if len({row.threshold for row in evaluation.sweep}) > 1:
        swept = rows_at(evaluation.sweep, chosen, "threshold")
        draws.append(lambda axes: _draw_thresholds(axes, swept, chosen))
    draws += _distance_draws(evaluation.distances, chosen, evaluation.unit)
    draws.append(lambda axes: _draw_counts(axes, evaluation.images))
    return figure_of(draws)


def _distance_draws(
    rows: Sequence[SweepRow], chosen: Mapping[str, Any], unit: str
) -> "list[Draw]":
    """Return the plot against the distance, if there are at least two."""
    if len({row.max_distance for row in rows}) < 2:
        return []
    reaches = rows_at(rows, chosen, "max_distance")
    return [lambda axes: _draw_distances(axes, reaches, chosen, unit)]


def write_figure(path: str | Path, figure: "Figure") -> None:
    """Write a figure as PNG, SVG or PDF, by the ending of the file's name.

    Parameters
    ----------
    path : str or Path
        The file; replaced if it exists, and never half written.
    figure : Figure
        Of matplotlib.

    Raises
    ------
    InputError
        If the ending is another.

    Notes
    -----
    A file that cannot be written is an `EngineError`.
    """
    path = Path(path)
    if path.suffix.lower() not in FIGURE_SUFFIXES:
        raise InputError(
            f"{path} does not end in {', '.join(FIGURE_SUFFIXES)}: name the figure so."
        )
    write_bytes(path, figure_bytes(figure, path.suffix.lower()[1:]))


def figure_bytes(figure: "Figure", kind: str) -> bytes:
    """Return a figure as the content of a file.

    Parameters
    ----------
    figure : Figure
        Of matplotlib.
    kind : {"png", "svg", "pdf"}
        The format.

    Returns
    -------
    bytes
        In SVG and PDF text stays text.
    """
    import matplotlib as mpl

    content = io.BytesIO()
    with mpl.rc_context(_SETTINGS):
        figure.savefig(content, format=kind, dpi=FIGURE_DPI)
    return content.getvalue()


def rows_at(
    rows: Sequence[SweepRow], chosen: Mapping[str, Any], along: str
) -> list[SweepRow]:
    """Return the rows of a sweep that differ in one setting only.

    Parameters
    ----------
    rows : sequence of SweepRow
        All of them.
    chosen : mapping
        Values of the other settings; where no row has them, the first row's stand.
    along : {"threshold", "min_size", "max_distance"}
        The setting that differs.

    Returns
    -------
    list of SweepRow
        Sorted by that setting.

    Raises
    ------
    InputError
        If there is no row at all.
    """
    if not rows:
        raise InputError("There is no row to draw: sweep at least one setting.")
    found = list(rows)
    for name in ("threshold", "min_size", "max_distance"):
        if name != along:
            known = [getattr(row, name) for row in found]
            wanted = chosen.get(name) if chosen.get(name) in known else known[0]
            found = [row for row in found if getattr(row, name) == wanted]
    return sorted(found, key=lambda row: getattr(row, along))


def figure_of(draws: "Sequence[Draw]", *, height: float = _SIDE[1]) -> "Figure":
    """Return a figure of plots side by side.

    Parameters
    ----------
    draws : sequence of callable
        Each draws one plot into the axes that it gets.
    height : float, optional
        In inches.

    Returns
    -------
    Figure
        Of matplotlib, without a window.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        width = _SIDE[0] * len(draws)
        figure = Figure(figsize=(width, height), layout="constrained")
        for number, draw in enumerate(draws, start=1):
            axes = figure.add_subplot(1, len(draws), number)
            axes.spines[["top", "right"]].set_visible(False)
            draw(axes)
    return figure


def _draw_thresholds(
    axes: "Axes", rows: Sequence[SweepRow], chosen: Mapping[str, Any]
) -> None:
    thresholds = [row.threshold for row in rows]
    for name, (label, color, style) in _LINES.items():
        values = [getattr(row.scores, name) for row in rows]
        axes.plot(thresholds, values, style, color=color, label=label, linewidth=1.8)
    axes.set(xlabel="threshold", ylabel="score", xlim=(0, 1), ylim=(0, 1.02))
    if chosen.get("threshold") is not None:
        _mark(axes, chosen["threshold"], f"chosen: {chosen['threshold']:g}")
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=len(_LINES),
        frameon=False,
        handlelength=2.6,
        columnspacing=1.2,
    )


def _draw_distances(
    axes: "Axes", rows: Sequence[SweepRow], chosen: Mapping[str, Any], unit: str
) -> None:
    label, color, style = _LINES["f1"]
    distances = [row.max_distance for row in rows]
    values = [row.scores.f1 for row in rows]
    axes.plot(distances, values, style, marker="o", markersize=4, color=color)
    said = f"largest distance of two centers ({unit})"
    axes.set(xlabel=said, ylabel=label, ylim=(0, 1.02))
    axes.set_xlim(left=0)
    if chosen.get("max_distance") is not None:
        _mark(axes, chosen["max_distance"], f"chosen: {chosen['max_distance']:g}")


def _mark(axes: "Axes", place: float, text: str) -> None:
    """Draw a thin line across, and say at its foot what it is."""
    axes.axvline(place, color=_GRAY, linestyle=":", linewidth=1.2)
    low, high = axes.get_xlim()
    is_left = place > (low + high) / 2
    axes.annotate(
        text,
        (place, 0.02),
        xytext=(-4 if is_left else 4, 0),
        textcoords="offset points",
        ha="right" if is_left else "left",
        color=_GRAY,
        fontsize=8,
    )


def _draw_counts(axes: "Axes", images: Sequence[Evaluated]) -> None:
    scores = [one.comparison.scores for one in images]
    true = [one.true_count for one in scores]
    predicted = [one.predicted_count for one in scores]
    highest = max(1, *true, *predicted) * 1.08
    low = -0.03 * highest
    axes.plot([0, highest], [0, highest], color=_GRAY, linestyle=":", linewidth=1.2)
    axes.scatter(
        true,
        predicted,
        s=26,
        color=_LINES["f1"][1],
        alpha=0.65,
        edgecolors="white",
        linewidths=0.5,
        zorder=2,
        clip_on=False,
    )
    axes.set(
        xlabel="true count",
        ylabel="predicted count",
        xlim=(low, highest),
        ylim=(low, highest),
        aspect="equal",
    )
    pooled = aggregate(scores)
    said = [f"MAE {pooled.mae:.3g}"]
    if pooled.mpe == pooled.mpe:
        said.append(f"MPE {100 * pooled.mpe:+.1f} %")
    axes.text(0.04, 0.97, "\n".join(said), transform=axes.transAxes, va="top")
