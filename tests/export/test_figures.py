import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.text import Text
from tests.export.evaluations import evaluation, first, second, swept

from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.evaluation import aggregate
from napari_cresunet.export import (
    Evaluation,
    counts_figure,
    distance_figure,
    evaluation_figure,
    sweep_figure,
    threshold_figure,
    write_figure,
)

ROOT = Path(__file__).parents[2]
CHOSEN = {"threshold": 0.5, "min_size": 30, "max_distance": 2.0}


def lines(figure):
    """Return what is drawn by the label of its line."""
    return {
        line.get_label(): np.array(line.get_data()) for line in figure.axes[0].lines
    }


def texts(figure):
    found = (text.get_text() for text in figure.findobj(Text))
    return [text for text in found if text]


def test_scores_are_drawn_against_the_threshold_at_the_chosen_size_and_distance():
    rows = [row for row in swept() if (row.min_size, row.max_distance) == (30, 2.0)]
    assert len(rows) == 3
    drawn = lines(threshold_figure(swept(), CHOSEN))
    for name, label in (("f1", "F1"), ("precision", "precision"), ("recall", "recall")):
        values = [getattr(row.scores, name) for row in rows]
        assert np.array_equal(drawn[label], [[0.3, 0.5, 0.95], values], equal_nan=True)


def test_the_chosen_threshold_is_marked():
    figure = threshold_figure(swept(), CHOSEN)
    assert "chosen: 0.5" in texts(figure)
    (mark,) = (
        line for line in figure.axes[0].lines if list(line.get_ydata()) == [0, 1]
    )
    assert set(mark.get_xdata()) == {0.5}
    assert not any("chosen" in text for text in texts(threshold_figure(swept())))


def test_lines_differ_in_style_as_well_as_in_color():
    figure = threshold_figure(swept())
    curves = figure.axes[0].lines
    assert len({line.get_linestyle() for line in curves}) == 3
    assert len({line.get_color() for line in curves}) == 3


def test_f1_is_drawn_against_the_distance_in_its_unit():
    rows = [row for row in swept() if (row.threshold, row.min_size) == (0.5, 30)]
    figure = distance_figure(swept(), CHOSEN, unit="µm")
    line = figure.axes[0].lines[0]
    assert list(line.get_xdata()) == [2.0, 5.0]
    assert list(line.get_ydata()) == [row.scores.f1 for row in rows]
    assert "largest distance of two centers (µm)" in texts(figure)


def test_counts_lie_around_the_identity_line():
    figure = counts_figure([first(), second()])
    (points,) = figure.axes[0].collections
    assert points.get_offsets().tolist() == [[3, 2], [2, 3]]
    x, y = figure.axes[0].lines[0].get_data()
    assert list(x) == list(y)
    pooled = aggregate([first().comparison.scores, second().comparison.scores])
    assert f"MAE {pooled.mae:.3g}\nMPE {100 * pooled.mpe:+.1f} %" in texts(figure)
    assert "MAE 1\nMPE +8.3 %" in texts(figure)


def test_what_can_be_drawn_stands_side_by_side():
    assert len(evaluation_figure(evaluation()).axes) == 3
    assert len(evaluation_figure(evaluation(distances=())).axes) == 2
    alone = Evaluation(images=(first(),), sweep=tuple(swept()[:1]))
    assert len(evaluation_figure(alone).axes) == 1


def test_a_sweep_is_drawn_against_both_settings():
    both = sweep_figure(swept(), CHOSEN)
    assert len(both.axes) == 2
    assert {"chosen: 0.5", "chosen: 2"} <= set(texts(both))
    one_distance = [row for row in swept() if row.max_distance == 5]
    assert len(sweep_figure(one_distance).axes) == 1


def test_no_text_is_smaller_than_8_points():
    figure = evaluation_figure(evaluation())
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
    assert min(sizes) >= 8


def test_without_rows_there_is_nothing_to_draw():
    message = "There is no row to draw: sweep at least one setting."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        threshold_figure([])


@pytest.mark.parametrize(
    ("suffix", "beginning"),
    [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")],
)
def test_the_ending_decides_the_format(tmp_path, suffix, beginning):
    path = tmp_path / "new" / f"figure{suffix}"
    write_figure(path, threshold_figure(swept(), CHOSEN))
    assert path.read_bytes().startswith(beginning)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_text_in_svg_stays_text(tmp_path):
    write_figure(tmp_path / "a.svg", threshold_figure(swept(), CHOSEN))
    tree = ElementTree.parse(tmp_path / "a.svg")
    written = [node.text for node in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"threshold", "precision", "chosen: 0.5"} <= set(written)


def test_another_ending_is_refused(tmp_path):
    path = tmp_path / "a.gif"
    message = f"{path} does not end in .png, .svg, .pdf: name the figure so."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        write_figure(path, threshold_figure(swept()))


def test_a_figure_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "taken").touch()
    path = tmp_path / "taken" / "a.png"
    message = (
        f"{path} cannot be written (File exists): choose another folder or free some "
        "space."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        write_figure(path, threshold_figure(swept()))


def test_matplotlib_loads_with_the_first_figure_and_pyplot_never():
    code = (
        "import sys; from napari_cresunet import export\n"
        "print('matplotlib' in sys.modules)\n"
        "from tests.export.evaluations import evaluation\n"
        "export.figure = export.evaluation_figure(evaluation())\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT)
    assert out.split() == ["False", "False"]
