import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cresunet.inference._tiling import Axis, Rectangle, reflected, split


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 9, 100])
def test_reflection_is_that_of_numpy(n):
    extended = np.pad(np.arange(n), (0, -n % 8), mode="symmetric")
    assert np.array_equal(reflected(n, 8), extended)


@settings(deadline=None, max_examples=30)
@given(
    top=st.integers(0, 20),
    left=st.integers(0, 20),
    height=st.integers(1, 50),
    width=st.integers(1, 50),
    tile=st.integers(1, 64),
)
def test_tiles_cover_a_rectangle_once(top, left, height, width, tile):
    count = np.zeros((80, 80), int)
    tiles = split(Rectangle(top, top + height, left, left + width), tile)
    for piece in tiles:
        assert piece.side <= tile
        count[piece.top : piece.bottom, piece.left : piece.right] += 1
    assert (count[top : top + height, left : left + width] == 1).all()
    assert count.sum() == height * width


@pytest.mark.parametrize("zoom", [1.0, 0.4, 2.7])
def test_a_window_is_cut_on_the_stride_with_the_radius_around_it(zoom):
    axis = Axis.plan(500, zoom=zoom, stride=8, radius=112)
    n_network = round(500 * zoom)
    for start, stop in [(0, 64), (200, 264), (493, 500)]:
        window = axis.window(start, stop)
        inputs = len(window.entry) if zoom == 1 else window.entry.shape[0]
        first = int(start * zoom) - 1 - window.keep.start
        assert inputs % 8 == 0
        assert window.keep.start >= min(112, max(0, first))
        assert 0 <= window.read.start < window.read.stop <= 500
        assert inputs <= -(-n_network // 8) * 8


def test_a_window_of_the_whole_reads_everything():
    window = Axis.plan(13, zoom=1.0, stride=8, radius=112).window(0, 13)
    assert window.read == slice(0, 13)
    assert window.keep == slice(0, 13)
    assert window.entry.tolist() == [*range(13), 12, 11, 10]
