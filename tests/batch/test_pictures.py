"""What is drawn of images that are larger than memory."""

import imageio.v3 as iio
import numpy as np
import pytest
from skimage.segmentation import find_boundaries

pytest.importorskip("zarr")

from napari_cresunet.batch import BatchOptions, _pictures
from napari_cresunet.batch._journal import Journal
from napari_cresunet.pyramids import create_pyramid, open_pyramid
from napari_cresunet.steps import drain

RECORD = {"pixel_size_um": [0.5, 0.5]}


def write(path, pixels, **options):
    writer = create_pyramid(path, pixels.shape, pixels.dtype, **options)
    writer.write((slice(None),) * pixels.ndim, pixels)
    drain(writer.finish())
    return path


@pytest.fixture
def slide(tmp_path):
    """Two cells of 100 px on gray noise, at 1100x1200 px."""
    noise = np.random.default_rng(0).integers(0, 250, (1100, 1200, 1), np.uint8)
    labels = np.zeros((1100, 1200), np.int32)
    rows, columns = np.ogrid[:1100, :1200]
    for number, center in enumerate((300, 800), start=1):
        labels[np.hypot(rows - 500, columns - center) < 50] = number
    pixels = np.repeat(noise, 3, axis=2)
    image = write(tmp_path / "s.ome.zarr", pixels, kind="image", rgb=True)
    cells = write(tmp_path / "s_labels.ome.zarr", labels, kind="labels")
    return open_pyramid(image), cells


def draw(slide, folder, **options):
    return _pictures.write_slide_pictures(
        RECORD, *slide, (Journal(folder), "s", BatchOptions(**options))
    )


def test_cells_are_outlined_over_the_finest_level_that_fits(
    slide, tmp_path, monkeypatch
):
    monkeypatch.setattr(_pictures, "_MOST_PIXELS", 600 * 550)
    known = draw(slide, tmp_path, overlay=True)
    assert known == RECORD | {"overlay": "s_overlay.png"}
    picture = iio.imread(tmp_path / "s_overlay.png")[..., :3].astype(int)
    assert picture.shape == (550, 600, 3)
    cells = np.asarray(open_pyramid(slide[1]).levels[1])
    is_colored = np.ptp(picture, axis=2) > 0
    np.testing.assert_array_equal(is_colored, find_boundaries(cells, mode="outer"))


def test_without_a_small_level_nothing_is_drawn(slide, tmp_path, monkeypatch):
    monkeypatch.setattr(_pictures, "_MOST_PIXELS", 1000)
    assert draw(slide, tmp_path, overlay=True) == RECORD
    assert not (tmp_path / "s_overlay.png").exists()
    assert not Journal(tmp_path).thumbnail_file("s").exists()


def test_an_overlay_is_drawn_only_when_it_is_wanted(slide, tmp_path):
    assert draw(slide, tmp_path) == RECORD
    assert not (tmp_path / "s_overlay.png").exists()
    thumbnail = iio.imread(Journal(tmp_path).thumbnail_file("s"))
    assert max(thumbnail.shape) < 600
