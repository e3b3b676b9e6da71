"""Images counted block by block give the whole image's labels, whatever happens."""

import csv
import json
import pickle
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

pytest.importorskip("zarr")

import zarr
from tests.inference.conftest import SmallNetwork, as_model
from tests.pyramids import by_hand

from napari_cresunet.batch import (
    CountOptions,
    ModelSpec,
    is_slide,
    iter_batch,
    iter_count_slide,
    iter_resegment_slide,
    segmentation_parameters,
)
from napari_cresunet.batch._pools import local_pool
from napari_cresunet.batch._slides_journal import open_journal
from napari_cresunet.batch._slides_source import PlaneView, open_source
from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.inference import Model, iter_predict, predict
from napari_cresunet.measurement import measure
from napari_cresunet.pyramids import create_pyramid, open_pyramid
from napari_cresunet.segmentation import segment
from napari_cresunet.steps import drain

THRESHOLD = 0.066
"""Some 30 % of what the untrained network says of the blobs is above this."""
OPTIONS = CountOptions(threshold=THRESHOLD, min_size=5)


class CountingNetwork(SmallNetwork):
    """Knows how often it ran."""

    def __init__(self) -> None:
        super().__init__()
        self.n_runs = 0

    def forward(self, x):
        self.n_runs += 1
        return super().forward(x)


@pytest.fixture
def model():
    import torch

    torch.manual_seed(0)
    return as_model(CountingNetwork())


def blobs(shape, seed=0):
    """Return a smooth image of uint8."""
    field = np.random.default_rng(seed).random(shape)
    is_rgb = len(shape) > 2 and shape[-1] == 3
    smoothing = [0] * (len(shape) - 3 + (not is_rgb)) + [4, 4] + [0] * is_rgb
    field = ndimage.gaussian_filter(field, smoothing)
    return (255 * (field - field.min()) / np.ptp(field)).astype(np.uint8)


def write_zarr(path, pixels, **options):
    is_rgb = pixels.shape[-1] == 3
    writer = create_pyramid(
        path,
        pixels.shape,
        pixels.dtype,
        kind="image",
        rgb=is_rgb,
        chunk=64,
        replace=True,
        **options,
    )
    writer.write((slice(None),) * pixels.ndim, pixels)
    drain(writer.finish())
    return path


def read(path):
    return np.asarray(open_pyramid(path).image)


def count(image, model, output, options=OPTIONS, **more):
    settings = {"tile": 64, "block": 128} | more
    return drain(iter_count_slide(image, model, options, output, **settings))


def whole(image, model, options=OPTIONS, tile=64):
    probability = predict(image, model, diameter=options.diameter, tile=tile)
    labels = segment(probability, **segmentation_parameters(model.card, options))
    return probability, labels


@pytest.mark.parametrize(
    ("shape", "tile", "block", "diameter", "preset"),
    [
        ((150, 170, 3), 32, 32, None, None),
        ((150, 170, 3), 64, 128, None, "morelli2021"),
        ((150, 170), 64, 64, None, None),
        ((150, 170), 64, 1000, 20.0, None),
        ((150, 170, 3), 48, 96, 60.0, None),
        ((2, 3, 90, 70), 32, 64, None, None),
        ((2, 90, 70, 3), 32, 64, 50.0, None),
        ((31, 9), 64, None, None, None),
    ],
)
def test_labels_and_probability_are_those_of_the_whole(
    shape, tile, block, diameter, preset, model, tmp_path
):
    image = blobs(shape)
    options = CountOptions(
        threshold=THRESHOLD, min_size=5, diameter=diameter, preset=preset
    )
    found = count(image, model, tmp_path, options, tile=tile, block=block)
    probability, labels = whole(image, model, options, tile)
    np.testing.assert_array_equal(read(found.probability), probability)
    np.testing.assert_array_equal(read(found.labels), labels)
    assert found.count == labels.max()
    assert sum(found.record["plane_counts"]) == found.count


@pytest.mark.parametrize("diameter", [None, 20.0, 37.3, 61.0])
def test_blocks_of_whole_tiles_are_predicted_bit_for_bit_as_in_the_whole(
    diameter, model
):
    image = blobs((200, 260, 3))
    every = predict(image, model, diameter=diameter, tile=64)
    for top in range(0, 200, 128):
        for left in range(0, 260, 128):
            region = slice(top, min(top + 128, 200)), slice(left, min(left + 128, 260))
            steps = iter_predict(
                image, model, diameter=diameter, tile=64, region=region
            )
            np.testing.assert_array_equal(drain(steps).probability, every[region])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_image_without_cells_and_one_that_is_all_cell(value, model, tmp_path):
    image = blobs((100, 130))
    threshold = 0.0 if value else 1.0
    found = count(image, model, tmp_path, CountOptions(threshold=threshold))
    assert found.count == int(value)
    assert (read(found.labels) == value).all()
    with found.cells.open() as file:
        assert len(list(csv.DictReader(file))) == found.count


def test_the_table_of_cells_has_the_numbers_of_measure(model, tmp_path):
    image = write_zarr(
        tmp_path / "s.ome.zarr", blobs((2, 150, 170, 3)), pixel_size=(2, 3)
    )
    found = count(image, model, tmp_path / "out")
    expected = measure(
        read(found.labels), probability=read(found.probability), pixel_size=(2, 3)
    )
    with found.cells.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == found.count
    names = list(rows[0])
    assert [name for name in expected if name in names] == names
    assert {"plane", "area_um2", "centroid_x_um", "touches_border"} < set(names)
    for name in names:
        values = [row[name] for row in rows]
        if name == "touches_border":
            assert values == [str(value) for value in expected[name]]
        else:
            np.testing.assert_allclose(np.array(values, float), expected[name])


def test_the_record_tells_what_a_count_of_an_image_tells(model, tmp_path):
    from napari_cresunet.batch import iter_count

    pixels = blobs((150, 170, 3))
    path = write_zarr(tmp_path / "s.ome.zarr", pixels)
    found = count(path, model, tmp_path / "out")
    record = drain(iter_count(pixels, model, OPTIONS)).record
    assert set(record) <= set(found.record)
    differ = {"seconds", "time", "tile"}
    for name in set(record) - differ:
        assert found.record[name] == record[name], name
    assert found.record["tile"] == 64
    assert found.record["block"] == 128
    assert found.record["labels"] == "s_labels.ome.zarr"
    assert found.name == "s"


def test_the_same_call_again_only_tells_what_was_found(model, tmp_path):
    image = blobs((150, 170, 3))
    first = count(image, model, tmp_path)
    n_runs = model.network.n_runs
    assert count(image, model, tmp_path) == first
    assert model.network.n_runs == n_runs


def stopped(steps, n_steps):
    for _ in range(n_steps):
        next(steps)
    steps.close()


@pytest.mark.parametrize("n_steps", [1, 5, 13, 14, 15, 16, 17])
def test_a_count_that_was_stopped_goes_on(n_steps, model, tmp_path):
    image = blobs((200, 260, 3))  # 4 x 5 tiles in 2 x 3 blocks
    settings = {"tile": 64, "block": 128}
    stopped(iter_count_slide(image, model, OPTIONS, tmp_path, **settings), n_steps)
    n_runs = model.network.n_runs
    found = count(image, model, tmp_path)
    # A stop loses the tiles of at most the block in work.
    assert n_steps - 4 <= 20 - (model.network.n_runs - n_runs) <= n_steps
    _, labels = whole(image, model)
    np.testing.assert_array_equal(read(found.labels), labels)


@pytest.mark.parametrize("n_steps", [21, 22, 23])
def test_a_stop_after_the_network_costs_no_prediction(n_steps, model, tmp_path):
    image = blobs((200, 260, 3))
    settings = {"tile": 64, "block": 128}
    stopped(iter_count_slide(image, model, OPTIONS, tmp_path, **settings), n_steps)
    n_runs = model.network.n_runs
    found = count(image, model, tmp_path)
    assert model.network.n_runs == n_runs
    _, labels = whole(image, model)
    np.testing.assert_array_equal(read(found.labels), labels)


def test_other_blocks_go_on_with_those_that_were_begun(model, tmp_path):
    image = blobs((200, 260, 3))
    steps = iter_count_slide(image, model, OPTIONS, tmp_path, tile=64, block=128)
    stopped(steps, 9)
    found = count(image, model, tmp_path, block=64)
    assert found.record["block"] == 128
    assert model.network.n_runs <= 20 + 4


def test_another_threshold_needs_no_network(model, tmp_path):
    image = blobs((150, 170, 3))
    count(image, model, tmp_path)
    n_runs = model.network.n_runs
    options = CountOptions(threshold=0.07, min_size=9)
    again = count(image, model, tmp_path, options)
    assert model.network.n_runs == n_runs
    _, labels = whole(image, model, options)
    np.testing.assert_array_equal(read(again.labels), labels)
    other = CountOptions(threshold=0.06, preset="morelli2021", min_size=30)
    found = drain(iter_resegment_slide(tmp_path, "image", other))
    _, labels = whole(image, model, other)
    np.testing.assert_array_equal(read(found.labels), labels)
    assert found.record["threshold"] == 0.06
    assert found.record["preset"] == "morelli2021"


def test_another_image_model_tile_or_diameter_begins_anew(model, tmp_path):
    image = blobs((150, 170, 3))
    count(image, model, tmp_path)
    for change in (
        {"image": blobs((150, 170, 3), seed=1)},
        {"model": as_model(CountingNetwork(), scaling="adaptive")},
        {"tile": 32},
        {"options": CountOptions(threshold=THRESHOLD, min_size=5, diameter=50)},
        {"again": True},
    ):
        call = {"image": image, "model": model} | change
        call["model"].network.n_runs = 0
        found = count(output=tmp_path, **call)
        assert call["model"].network.n_runs >= 9
        _, labels = whole(
            call["image"],
            call["model"],
            call.get("options", OPTIONS),
            call.get("tile", 64),
        )
        np.testing.assert_array_equal(read(found.labels), labels)


def test_a_probability_that_is_not_kept_is_gone_at_the_end(model, tmp_path):
    image = blobs((150, 170, 3))
    found = count(image, model, tmp_path, probability=False)
    assert found.probability is None
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".batch",
        "image_cells.csv",
        "image_labels.ome.zarr",
    ]
    assert count(image, model, tmp_path, probability=False) == found
    kept = count(image, model, tmp_path)
    np.testing.assert_array_equal(read(kept.probability), whole(image, model)[0])


def test_a_probability_that_is_to_be_kept_after_all_is_not_predicted_anew(
    model, tmp_path
):
    image = blobs((200, 260, 3))
    settings = {"tile": 64, "block": 128, "probability": False}
    stopped(iter_count_slide(image, model, OPTIONS, tmp_path, **settings), 17)
    found = count(image, model, tmp_path)
    assert model.network.n_runs <= 20 + 4
    np.testing.assert_array_equal(read(found.probability), whole(image, model)[0])


def test_values_that_are_no_numbers_are_told_once_and_taken_as_black(model, tmp_path):
    image = blobs((200, 260)).astype(np.float32) / 255
    image[20:30, 20:30] = image[150:, 200] = np.nan
    steps = iter_count_slide(image, model, OPTIONS, tmp_path, tile=64, block=128)
    told = []
    found = drain(steps, lambda step: told.append(step.message))
    message = "Some values are NaN or infinite and were taken as black."
    assert [text for text in told if text] == [message]
    assert found.record["messages"] == [message]
    np.testing.assert_array_equal(read(found.labels), whole(image, model)[1])


def test_where_memory_runs_out_tiles_get_smaller(tmp_path):
    class Hungry(SmallNetwork):
        def forward(self, x):
            if x.shape[-1] > 320:
                raise MemoryError
            return super().forward(x)

    image = blobs((600, 700))
    hungry = as_model(Hungry())
    told = []
    steps = iter_count_slide(image, hungry, OPTIONS, tmp_path, tile=512, block=512)
    found = drain(steps, lambda step: told.append(step.message))
    message = "Not enough memory on cpu for tiles of 512 px; went on with 256 px."
    assert [text for text in told if text] == [message]
    probability = predict(image, hungry, tile=128)
    assert abs(read(found.probability) - probability).max() < 1e-5


def test_an_image_that_vanishes_can_be_brought_back(model, tmp_path):
    image = write_zarr(tmp_path / "s.ome.zarr", blobs((200, 260, 3)))
    steps = iter_count_slide(image, model, OPTIONS, tmp_path, tile=64, block=64)
    for _ in range(5):
        next(steps)
    image.rename(tmp_path / "elsewhere")
    message = (
        f"{image} is not there any more: bring it back and start the same again; what "
        "is done stays."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        drain(steps)
    (tmp_path / "elsewhere").rename(image)
    n_runs = model.network.n_runs
    found = count(image, model, tmp_path, block=64)
    assert model.network.n_runs - n_runs < 20
    np.testing.assert_array_equal(read(found.labels), whole(read(image), model)[1])


def test_an_image_that_changes_meanwhile_is_counted_again(model, tmp_path):
    image = write_zarr(tmp_path / "s.ome.zarr", blobs((200, 260, 3)))
    steps = iter_count_slide(image, model, OPTIONS, tmp_path, tile=64, block=64)
    for _ in range(5):
        next(steps)
    write_zarr(image, blobs((200, 260, 3), seed=1))
    message = "s was changed while it was counted: count it again."
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        drain(steps)
    found = count(image, model, tmp_path, block=64)
    np.testing.assert_array_equal(read(found.labels), whole(read(image), model)[1])


@pytest.mark.skipif(sys.platform == "win32", reason="has no limits of file sizes")
def test_what_is_done_stays_where_the_disk_takes_no_more(model, tmp_path):
    import resource

    image = blobs((200, 260, 3))
    steps = iter_count_slide(image, model, OPTIONS, tmp_path, tile=64, block=64)
    for _ in range(8):
        next(steps)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(EngineError) as caught:
            drain(steps)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert re.fullmatch(
        rf"{re.escape(str(tmp_path))}.*(probability\.ome\.zarr|npz) cannot be written "
        r"\(.*\): choose another folder or free some space\.",
        str(caught.value),
    )
    n_runs = model.network.n_runs
    found = count(image, model, tmp_path)
    assert model.network.n_runs - n_runs <= 20 - 5
    np.testing.assert_array_equal(read(found.labels), whole(image, model)[1])


KILLED = """
import os, sys, torch
from tests.batch.test_slides import CountingNetwork, OPTIONS, as_model
from napari_cresunet.batch import iter_count_slide
torch.manual_seed(0)
image, output, last = sys.argv[1:]
model = as_model(CountingNetwork())
steps = iter_count_slide(image, model, OPTIONS, output, tile=64, block=64)
for number, _ in enumerate(steps, start=1):
    if number == int(last):
        os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
@pytest.mark.parametrize("last", [9, 22])
def test_a_kill_loses_at_most_what_is_in_work(last, model, tmp_path):
    image = write_zarr(tmp_path / "s.ome.zarr", blobs((200, 260, 3)))
    output = tmp_path / "out"
    arguments = [sys.executable, "-c", KILLED, str(image), str(output), str(last)]
    killed = subprocess.run(arguments, check=False, cwd=Path(__file__).parents[2])
    assert killed.returncode == -9
    found = count(image, model, output, block=64)
    assert model.network.n_runs <= 20 - min(last, 20) + 3
    np.testing.assert_array_equal(read(found.labels), whole(read(image), model)[1])


class OtherProcesses:
    """A pool that hands over nothing but bytes, in any order, and some tasks twice."""

    is_local = False
    workers = 1

    def map_unordered(self, function, tasks, *, beat=1.0):
        for number, task in enumerate(reversed(list(tasks))):
            sent = pickle.dumps((function, task))
            for _ in range(1 + number % 2):
                received, copied = pickle.loads(sent)
                outcome = pickle.loads(pickle.dumps(received(copied)))
            yield None
            yield task, outcome

    def news(self):
        return []

    def check_files(self, output, images=()):
        assert output.is_dir()
        assert all(path.exists() for path in images)


@pytest.fixture
def spec(stored_model):
    return ModelSpec(stored_model, "cpu", "torch")


def test_blocks_are_predicted_elsewhere_with_the_same_result(spec, tmp_path):
    pixels = blobs((100, 120, 3))
    image = write_zarr(tmp_path / "s.ome.zarr", pixels)
    options = CountOptions(threshold=0.5, min_size=5)
    settings = {"tile": 64, "block": 64}
    for name, pool in (("there", OtherProcesses()), ("here", local_pool())):
        found = count(image, spec, tmp_path / name, options, pool=pool, **settings)
        probability, labels = whole(pixels, spec.load(), options)
        np.testing.assert_array_equal(read(found.probability), probability)
        np.testing.assert_array_equal(read(found.labels), labels)


def test_a_caller_may_stop_while_a_block_takes_long(spec, tmp_path):
    class Slow(OtherProcesses):
        is_closed = False

        def map_unordered(self, function, tasks, *, beat=1.0):
            try:
                while True:
                    yield None
            finally:
                self.is_closed = True

    image, pool = write_zarr(tmp_path / "s.ome.zarr", blobs((50, 60))), Slow()
    steps = iter_count_slide(image, spec, CountOptions(), tmp_path, pool=pool)
    assert [next(steps).message for _ in range(3)] == [""] * 3
    steps.close()
    assert pool.is_closed


def test_memory_of_the_network_is_free_when_cells_are_joined(model, tmp_path):
    class Watched:
        n_released = 0

        def __getattr__(self, name):
            return getattr(model.runner, name)

        def release(self):
            self.n_released += 1

    watched = Watched()
    steps = iter_count_slide(
        blobs((50, 60)), replace(model, runner=watched), CountOptions(), tmp_path
    )
    assert next(steps)
    assert watched.n_released == 0
    steps.close()
    assert watched.n_released == 1


def test_what_other_processes_cannot_see_is_refused(model, spec, tmp_path):
    pixels = blobs((50, 60))
    message = "Other processes cannot see an array: save the image and name its file."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        count(pixels, spec, tmp_path, pool=OtherProcesses())
    image = write_zarr(tmp_path / "s.ome.zarr", pixels)
    message = "Other processes cannot see a loaded model: pass a ModelSpec."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        count(image, model, tmp_path, pool=OtherProcesses())


def test_a_block_that_no_worker_could_do_ends_in_a_sentence(spec, tmp_path):
    class Broken(OtherProcesses):
        def map_unordered(self, function, tasks, *, beat=1.0):
            for task in tasks:
                yield task, OSError("the worker was killed")

    image = write_zarr(tmp_path / "s.ome.zarr", blobs((50, 60)))
    message = (
        "A block of s could not be predicted (the worker was killed): what is done "
        "stays, start the same again."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        count(image, spec, tmp_path, pool=Broken())


def test_the_channel_that_is_named_is_counted(options, tmp_path):
    pixels = np.stack([blobs((60, 70)), blobs((60, 70), seed=1)])
    omero = {"channels": [{"label": "nuclei"}, {"label": "cells"}]}
    image = by_hand.write_image(tmp_path / "s.zarr", [pixels], "cyx", omero=omero)

    def run(channel):
        changed = replace(options, channel=channel)
        return drain(iter_batch([image], tmp_path / "out", changed))

    assert run("cells").n_counted == 1
    _, labels = whole(pixels[1], options.model.load(), options.count, tile=768)
    np.testing.assert_array_equal(read(tmp_path / "out" / "s_labels.ome.zarr"), labels)
    assert (run("1").n_skipped, run("nuclei").n_counted) == (1, 1)
    message = (
        f"{image} has 2 channels, 0 (nuclei), 1 (cells): choose a channel by its "
        "number or name."
    )
    assert run(None).entries[0].error == message


def test_a_slide_gets_its_overlay_without_being_counted_again(options, tmp_path):
    image = write_zarr(tmp_path / "s.ome.zarr", blobs((60, 70, 3)))
    overlay = tmp_path / "out" / "s_overlay.png"

    def run(**changes):
        changed = replace(options, **changes)
        result = drain(iter_batch([image], tmp_path / "out", changed))
        return result.n_counted, result.entries[0].record.get("overlay")

    assert run() == (1, None)
    assert not overlay.exists()
    # It stays when it is not asked for.
    assert run(overlay=True) == run() == run(overlay=True) == (0, "s_overlay.png")
    overlay.unlink()
    assert run(overlay=True) == (0, "s_overlay.png")
    assert overlay.exists()


def test_of_images_that_are_read_whole_no_channel_is_chosen(options, tmp_path):
    image = tmp_path / "a.tif"
    tifffile.imwrite(image, blobs((50, 60)))
    steps = iter_batch([image], None, replace(options, channel="1"))
    message = (
        f"{image} is read whole, with all its channels: choose no channel, or save "
        "the channel as a file of its own."
    )
    assert drain(steps).entries[0].error == message


def test_two_runs_do_not_work_on_one_image(model, tmp_path):
    message = (
        f"Another run is counting image into {tmp_path}: wait for it, or choose "
        "another folder."
    )
    with (
        open_journal(tmp_path, "image"),
        pytest.raises(InputError, match=f"^{re.escape(message)}$"),
    ):
        count(blobs((50, 60)), model, tmp_path)


def test_results_do_not_overwrite_the_image(model, tmp_path):
    image = write_zarr(tmp_path / "s_labels.ome.zarr", blobs((50, 60)))
    message = f"The results would overwrite the image {image}; choose another folder."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        count(image, model, tmp_path, name="s")


@pytest.mark.parametrize("tile", [24, 70])
def test_a_tile_that_does_not_fit_is_refused(tile, model, tmp_path):
    message = f"`tile` must be a multiple of 8 and at least 32, got {tile}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        count(blobs((50, 60)), model, tmp_path, tile=tile)


def test_a_probability_that_is_not_there_is_not_segmented(model, tmp_path):
    message = f"There is no count of image in {tmp_path}: count it first."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        drain(iter_resegment_slide(tmp_path, "image", OPTIONS))
    image = blobs((200, 260))
    settings = {"tile": 64, "block": 64}
    stopped(iter_count_slide(image, model, OPTIONS, tmp_path, **settings), 5)
    message = (
        "The probability of image was not kept, or not all of it is there: count the "
        "image again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        drain(iter_resegment_slide(tmp_path, "image", OPTIONS))
    count(image, model, tmp_path)
    message = (
        "The probability of image is for cells of the model's diameter, not 20 px: "
        "count the image again."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        drain(iter_resegment_slide(tmp_path, "image", CountOptions(diameter=20)))


def test_damaged_notes_cost_only_what_they_were_about(model, tmp_path):
    image = blobs((200, 260, 3))
    settings = {"tile": 64, "block": 64}
    stopped(iter_count_slide(image, model, OPTIONS, tmp_path, **settings), 15)
    notes = sorted((tmp_path / ".batch/slides/image/blocks").iterdir())
    notes[0].write_bytes(b"PK damaged")
    n_runs = model.network.n_runs
    found = count(image, model, tmp_path)
    assert 20 - len(notes) + 1 == model.network.n_runs - n_runs
    np.testing.assert_array_equal(read(found.labels), whole(image, model)[1])


def test_a_view_of_a_plane_is_the_plane_wherever_it_is_read_from():
    pixels = np.random.default_rng(0).integers(0, 99, (4, 30, 40, 3))
    view = PlaneView(open_source(pixels), 2)
    assert view.shape == (30, 40, 3)
    view.load(slice(5, 20), slice(10, 30))
    for where in (
        (slice(6, 20), slice(10, 29)),
        (slice(4, 20), slice(10, 29)),
        (slice(6, 21), slice(10, 29)),
        (slice(6, 20), slice(9, 29)),
        (slice(6, 20), slice(10, 31)),
        (slice(3, None, 7), slice(None)),
    ):
        np.testing.assert_array_equal(view[where], pixels[2][where])


def test_scaling_is_measured_over_the_whole_image_once(model, tmp_path):
    # The left half alone would be scaled to white.
    image = blobs((200, 260)).astype(np.uint16)
    image[:, 130:] *= 100
    adaptive = as_model(model.network, scaling="adaptive")
    found = count(image, adaptive, tmp_path, block=64)
    np.testing.assert_array_equal(read(found.probability), whole(image, adaptive)[0])


def test_a_folder_of_zarr_is_a_slide_and_a_small_file_is_none(tmp_path):
    pixels = blobs((50, 60))
    assert is_slide(write_zarr(tmp_path / "s.ome.zarr", pixels))
    tifffile.imwrite(tmp_path / "tiled.tif", pixels, tile=(16, 16))
    assert not is_slide(tmp_path / "tiled.tif")
    assert not is_slide(tmp_path / "missing.tif")
    assert not is_slide(tmp_path)


def test_a_tiled_tiff_is_counted_as_it_is(model, tmp_path):
    pixels = blobs((150, 170, 3))
    path = tmp_path / "tiled.tif"
    tifffile.imwrite(path, pixels, tile=(64, 64), photometric="rgb")
    found = count(path, model, tmp_path)
    np.testing.assert_array_equal(read(found.labels), whole(pixels, model)[1])
    assert found.name == "tiled"
    plan = json.loads((tmp_path / ".batch/slides/tiled/plan.json").read_text())
    assert plan["identity"]["files"][:2] == [1, path.stat().st_size]


def test_foreign_folders_are_not_replaced(model, tmp_path):
    image = blobs((50, 60))
    theirs = tmp_path / "image_labels.ome.zarr"
    zarr.create_array(theirs, shape=(3, 3), dtype="u1")
    message = f"{theirs} exists already: choose another folder, or move it away."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        count(image, model, tmp_path)
    shutil.rmtree(theirs)
    assert count(image, model, tmp_path).labels == theirs


def test_models_are_told_apart_by_their_weights(model, tmp_path):
    from dataclasses import replace

    image = blobs((50, 60))
    count(image, model, tmp_path)
    card = replace(model.card, weights_hash="other")
    n_runs = model.network.n_runs
    count(image, Model(card, model.network, "cpu"), tmp_path)
    assert model.network.n_runs > n_runs
