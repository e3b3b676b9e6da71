"""OME-Zarr that is written is valid, there whole, and never over files of others."""

import json
import pickle
import re
import resource
import subprocess
import sys

import numpy as np
import pytest
import zarr
from ome_zarr_models import v04, v05
from pydantic_zarr.v2 import ArraySpec, GroupSpec

from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.pyramids import (
    create_pyramid,
    is_ours,
    labels_dtype,
    open_pyramid,
    open_writer,
)
from napari_cresunet.steps import drain

# Under pydantic 2.14 these two do not find names that their module only imports for
# type checkers.
for _model in (v04.Image, v04.ImageLabel):
    _model.model_rebuild(
        _types_namespace={"ArraySpec": ArraySpec, "GroupSpec": GroupSpec}
    )
MODELS = {
    ("0.4", "image"): v04.Image,
    ("0.4", "labels"): v04.ImageLabel,
    ("0.5", "image"): v05.Image,
    ("0.5", "labels"): v05.ImageLabel,
}
ALL = (slice(None), slice(None))


def labels_of(shape):
    return np.random.default_rng(1).integers(0, 5000, shape).astype(np.int32)


def written(path, pixels, **options):
    writer = create_pyramid(path, pixels.shape, pixels.dtype, **options)
    writer.write((slice(None),) * pixels.ndim, pixels)
    steps = []
    drain(writer.finish(), steps.append)
    return writer, steps


def mean_of_four(pixels):
    """Halve by a loop over all pixels."""
    height, width = pixels.shape
    halved = np.zeros((-(-height // 2), -(-width // 2)))
    for row in range(halved.shape[0]):
        for column in range(halved.shape[1]):
            block = pixels[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            halved[row, column] = block.mean(dtype=float)
    return halved


@pytest.mark.parametrize(("version", "kind"), MODELS)
@pytest.mark.parametrize("shape", [(1301, 700), (3, 600, 520), (2, 3, 520, 600)])
def test_what_is_written_is_valid_and_read_back(tmp_path, shape, kind, version):
    path = tmp_path / "a_cells.ome.zarr"
    pixels = labels_of(shape)
    if kind == "image":
        pixels = pixels.astype(np.float32) / 5000
    writer, _ = written(
        path, pixels, kind=kind, version=version, pixel_size=(0.5, 0.25), chunk=256
    )
    assert writer.is_finished
    MODELS[version, kind].from_zarr(zarr.open_group(path, mode="r"))
    pyramid = open_pyramid(path)
    assert np.array_equal(pyramid.image, pixels)
    assert pyramid.image.dtype == pixels.dtype
    assert pyramid.pixel_size == (0.5, 0.25)
    assert pyramid.leading == {2: (), 3: ("z",), 4: ("t", "z")}[len(shape)]
    assert (pyramid.name, pyramid.is_labels) == ("a_cells", kind == "labels")
    assert max(pyramid.levels[-1].shape[-2:]) <= 512
    assert pyramid.factors == tuple(
        (2.0**n, 2.0**n) for n in range(len(pyramid.levels))
    )


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_colors_are_written_before_space_and_read_back_as_the_last_axis(
    tmp_path, version
):
    path = tmp_path / "a.ome.zarr"
    pixels = np.random.default_rng(2).integers(0, 256, (2, 600, 530, 3), dtype=np.uint8)
    writer = create_pyramid(
        path, pixels.shape, "uint8", kind="image", rgb=True, version=version,
        leading=("t",),
    )  # fmt: skip
    for plane in range(2):
        writer.write((plane, *ALL, slice(None)), pixels[plane])
    drain(writer.finish())
    MODELS[version, "image"].from_zarr(zarr.open_group(path, mode="r"))
    assert zarr.open_array(path / "0").shape == (2, 3, 600, 530)
    pyramid = open_pyramid(path)
    assert (pyramid.is_rgb, pyramid.leading) == (True, ("t",))
    assert np.array_equal(pyramid.image, pixels)


def test_lower_levels_of_labels_are_labels_that_are_there(tmp_path):
    pixels = labels_of((2, 1201, 1030))
    _, steps = written(tmp_path / "a.zarr", pixels, kind="labels", chunk=300)
    levels = open_pyramid(tmp_path / "a.zarr").levels
    assert np.array_equal(levels[1], pixels[:, ::2, ::2])
    assert np.array_equal(levels[2], pixels[:, ::4, ::4])
    # Two planes of 3 x 2 chunks, then of 2 x 1.
    assert [step.done for step in steps] == list(range(1, 17))
    assert {step.total for step in steps} == {16}


@pytest.mark.parametrize("dtype", ["float32", "uint8", "uint16"])
def test_lower_levels_of_an_image_are_means(tmp_path, dtype):
    pixels = np.random.default_rng(4).uniform(0, 250, (515, 61)).astype(dtype)
    written(tmp_path / "a.zarr", pixels, kind="image", chunk=32)
    wanted = mean_of_four(pixels)
    if dtype != "float32":
        wanted = np.rint(wanted)
    lower = np.asarray(open_pyramid(tmp_path / "a.zarr").levels[1])
    assert lower.dtype == dtype
    assert np.allclose(lower, wanted, rtol=1e-6)


def test_the_center_of_the_first_pixel_moves_with_its_size(tmp_path):
    written(
        tmp_path / "a.zarr", labels_of((2000, 30)), kind="labels", pixel_size=(2, 4)
    )
    document = json.loads((tmp_path / "a.zarr" / "zarr.json").read_text())
    datasets = document["attributes"]["ome"]["multiscales"][0]["datasets"]
    assert datasets[0]["coordinateTransformations"] == [
        {"type": "scale", "scale": [2, 4]}
    ]
    assert datasets[2]["coordinateTransformations"] == [
        {"type": "scale", "scale": [8, 16]},
        {"type": "translation", "translation": [3, 6]},
    ]


def test_several_processes_write_parts_that_begin_at_chunks(tmp_path):
    pixels = labels_of((300, 400))
    path = tmp_path / "a.zarr"
    writer = create_pyramid(path, pixels.shape, pixels.dtype, kind="labels", chunk=100)
    np.save(tmp_path / "a.npy", pixels)
    (tmp_path / "writer.pickle").write_bytes(pickle.dumps(writer))
    code = (
        "import pickle, sys, numpy as np\n"
        "from pathlib import Path\n"
        "folder, first = Path(sys.argv[1]), int(sys.argv[2])\n"
        "writer = pickle.loads((folder / 'writer.pickle').read_bytes())\n"
        "pixels = np.load(folder / 'a.npy')\n"
        "for row in range(first, 300, 200):\n"
        "    where = slice(row, row + 100), slice(0, 400)\n"
        "    writer.write(where, pixels[where])\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path, first])
        for first in ("0", "100")
    ]
    assert [process.wait() for process in processes] == [0, 0]
    drain(writer.finish())
    assert np.array_equal(open_pyramid(path).image, pixels)


def test_what_is_not_finished_is_no_image_and_can_be_gone_on_with(tmp_path):
    path = tmp_path / "a.zarr"
    record = {"model": "a", "numbers": np.arange(2)}
    pixels = labels_of((800, 600))
    writer = create_pyramid(path, (800, 600), "int32", kind="labels", record=record)
    writer.write((slice(0, 400), slice(None)), pixels[:400])
    message = f"{path} is not finished: run again what wrote it, to go on."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_pyramid(path)
    again = open_writer(path)
    assert again.layout == writer.layout
    assert again.record == {"model": "a", "numbers": [0, 1]}
    assert not again.is_finished
    again.write((slice(400, 800), slice(None)), pixels[400:])
    stopped = again.finish()
    next(stopped)
    stopped.close()
    assert not open_writer(path).is_finished
    drain(again.finish())
    assert open_writer(path).is_finished
    assert np.array_equal(open_pyramid(path).levels[1], pixels[::2, ::2])


def test_a_part_of_what_is_finished_can_be_written_anew(tmp_path):
    path = tmp_path / "a.zarr"
    pixels = labels_of((700, 600))
    written(path, pixels, kind="labels")
    pixels[:100] = 7
    writer = open_writer(path)
    writer.write((slice(0, 100), slice(None)), pixels[:100])
    drain(writer.finish())
    assert np.array_equal(open_pyramid(path).levels[1], pixels[::2, ::2])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_record_can_be_replaced_at_any_time(tmp_path, version):
    path = tmp_path / "a.zarr"
    writer, _ = written(path, labels_of((9, 9)), kind="labels", version=version)
    writer.update_record({"count": np.int64(7)})
    assert open_writer(path).record == {"count": 7}
    assert open_pyramid(path).is_labels
    attributes = zarr.open_group(path, mode="r").attrs
    assert attributes["napari-cresunet"]["record"] == {"count": 7}


def test_chunks_of_nothing_but_zeros_have_no_file(tmp_path):
    pixels = np.zeros((400, 400), np.int32)
    pixels[300, 300] = 5
    written(tmp_path / "a.zarr", pixels, kind="labels", chunk=200)
    chunks = tmp_path / "a.zarr" / "0" / "c"
    files = [path.relative_to(chunks).as_posix() for path in chunks.rglob("*")]
    assert [name for name in files if "/" in name] == ["1/1"]


def test_another_folder_is_never_overwritten(tmp_path):
    path = tmp_path / "a.zarr"
    zarr.create_array(path, shape=(9, 9), dtype="u1")
    message = f"{path} exists already: choose another folder, or move it away."
    for replace in (False, True):
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            create_pyramid(path, (9, 9), "u1", kind="labels", replace=replace)
    assert zarr.open_array(path).shape == (9, 9)
    assert not is_ours(path)


def test_a_folder_from_here_is_replaced_only_if_that_is_wanted(tmp_path):
    path = tmp_path / "a.zarr"
    written(path, labels_of((9, 9)), kind="labels")
    message = f"{path} exists already: choose another folder, or move it away."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        create_pyramid(path, (5, 5), "u1", kind="labels")
    create_pyramid(path, (5, 5), "u1", kind="labels", replace=True)
    assert is_ours(path)
    assert open_writer(path).layout.shape == (5, 5)
    assert [each.name for each in tmp_path.iterdir()] == ["a.zarr"]


def test_a_writer_opens_only_what_is_from_here(tmp_path):
    path = tmp_path / "a.zarr"
    message = f"There is no file or folder {path}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_writer(path)
    zarr.create_group(path)
    message = f"{path} was not begun by this program: choose another folder."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_writer(path)


def test_a_writer_without_its_array_is_refused(tmp_path):
    path = tmp_path / "a.zarr"
    create_pyramid(path, (9, 9), "u1", kind="labels")
    (path / "0" / "zarr.json").unlink()
    message = (
        f"{path} is damaged: its level 0 is missing or cannot be read; delete it to "
        "begin anew."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        open_writer(path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / "file" / "a.zarr"
    message = (
        f"{path} cannot be written (Not a directory): choose another folder or free "
        "some space."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        create_pyramid(path, (9, 9), "u1", kind="labels")


@pytest.fixture
def _small_files():
    """As on a disk that is full: no file may be longer than this."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("_small_files")
def test_a_full_disk_is_told_and_what_was_written_stays(tmp_path):
    path = tmp_path / "a.zarr"
    pixels = np.random.default_rng(5).integers(0, 2**31, (640, 640), dtype=np.int32)
    writer = create_pyramid(path, pixels.shape, "int32", kind="labels", chunk=640)
    message = (
        f"{path} cannot be written (File too large): choose another folder or free "
        "some space."
    )
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        writer.write(ALL, pixels)
    assert not open_writer(path).array[...].any()
    writer.write(ALL, np.ones_like(pixels))
    with pytest.raises(EngineError, match=f"^{re.escape(message)}$"):
        writer.update_record({"text": "a" * 30_000})
    drain(writer.finish())
    assert (np.asarray(open_pyramid(path).image) == 1).all()


WRONG = [
    (
        ((9,), "u1"),
        {},
        "`shape` must have the axes Y, X and no axis of length 0, got (9,).",
    ),
    (
        ((0, 9), "u1"),
        {},
        "`shape` must have the axes Y, X and no axis of length 0, got (0, 9).",
    ),
    (
        ((9, 9, 4), "u1"),
        {"rgb": True},
        "`shape` must end in 3 colors with `rgb`, got (9, 9, 4).",
    ),
    (((9, 9), "f4"), {}, "`dtype` must be one of whole numbers, got float32."),
    (
        ((9, 9), "c8"),
        {"kind": "image"},
        "`dtype` must be one of numbers, got complex64.",
    ),
    (((9, 9), "u1"), {"chunk": 8}, "`chunk` must be at least 16, got 8."),
    (
        ((9, 9), "u1"),
        {"version": "0.3"},
        '`version` must be "0.4" or "0.5", got "0.3".',
    ),
    (
        ((2, 2, 2, 9, 9), "u1"),
        {},
        "`leading` must name 3 axes before Y, X, other than c, y and x, got ().",
    ),
    (
        ((2, 9, 9), "u1"),
        {"leading": ("c",)},
        "`leading` must name 1 axes before Y, X, other than c, y and x, got ('c',).",
    ),
]


@pytest.mark.parametrize(("array", "options", "message"), WRONG)
def test_what_cannot_be_written_is_refused(tmp_path, array, options, message):
    options = {"kind": "labels"} | options
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        create_pyramid(tmp_path / "a.zarr", *array, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("n_cells", "dtype"),
    [(0, "int32"), (2**31 - 1, "int32"), (2**31, "int64"), (2**40, "int64")],
)
def test_more_cells_than_32_bits_can_number_have_64(n_cells, dtype):
    assert labels_dtype(n_cells) == dtype
    assert np.iinfo(labels_dtype(n_cells)).max >= n_cells
