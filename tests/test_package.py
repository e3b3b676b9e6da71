import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import napari_cresunet

ENGINE_ROOMS = (
    *("_compiled", "_files", "_images", "_label_images", "_labels", "_typing"),
    *("_wording", "_writing", "annotations", "batch", "benchmarking", "config"),
    *("correction", "datasets", "measurement", "studies"),
    *("errors", "evaluation", "export", "inference", "models"),
    *("plugin", "pyramids", "segmentation", "state", "steps", "training", "weights"),
)
GUI = (
    "PyQt5",
    "PyQt6",
    "PySide6",
    "magicgui",
    "napari",
    "pyqtgraph",
    "qtpy",
    "superqt",
)


def loaded_by(code: str, *names: str) -> set[str]:
    """Tell which of these modules a fresh interpreter has after running the code."""
    listing = f"{code}\nimport sys\nprint(*(set({names!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def public_packages() -> list[str]:
    found = pkgutil.walk_packages(napari_cresunet.__path__, "napari_cresunet.")
    return ["napari_cresunet", *(item.name for item in found if item.ispkg)]


def test_the_public_names_are_these():
    assert napari_cresunet.__all__ == [
        *("LiveSegmenter", "Model", "ModelCard", "Scores", "TrainConfig"),
        *("aggregate", "evaluate", "list_models", "load_model", "predict", "segment"),
        *("sweep", "train"),
    ]


@pytest.mark.parametrize("package", public_packages())
def test_public_names_are_sorted_and_exist(package):
    module = importlib.import_module(package)
    names = getattr(module, "__all__", [])
    constants = [name for name in names if name.isupper()]
    others = [name for name in names if not name.isupper()]
    assert names == constants + others
    assert constants == sorted(constants)
    assert others == sorted(others, key=lambda name: (name.islower(), name))
    assert [name for name in names if not hasattr(module, name)] == []


def test_public_names_are_listed_for_completion():
    assert set(napari_cresunet.__all__) <= set(dir(napari_cresunet))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(
        AttributeError, match=r"^module 'napari_cresunet' has no attribute 'sgment'$"
    ):
        napari_cresunet.sgment  # noqa: B018


def test_the_version_is_that_of_the_metadata():
    assert napari_cresunet.__version__ == importlib.metadata.version("napari-cresunet")


def test_importing_the_package_costs_under_50_ms():
    # Processor time, the least of several: other programs can only make it slower.
    code = (
        "import time, sys\nstart = time.process_time()\nimport napari_cresunet\n"
        "print(time.process_time() - start)"
    )
    times = [
        float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(10)
    ]
    assert min(times) < 0.05


def test_importing_the_package_loads_nothing_heavy():
    heavy = ("torch", "numpy", "scipy", "skimage", "numba", "h5py", "tifffile", *GUI)
    assert loaded_by("import napari_cresunet", *heavy) == set()


@pytest.mark.parametrize(
    "room",
    [
        *("cli", "correction", "evaluation", "export", "inference", "measurement"),
        *("plugin", "pyramids", "segmentation", "studies", "weights"),
    ],
)
def test_importing_a_room_does_not_load_torch(room):
    assert loaded_by(f"import napari_cresunet.{room}", "torch") == set()


def test_labels_and_scores_are_computed_without_torch():
    code = (
        "import numpy as np, napari_cresunet as ncr\n"
        "labels = ncr.segment(np.eye(64, dtype=np.float32), min_size=0)\n"
        "live = ncr.LiveSegmenter(np.eye(64, dtype=np.float32)).update(0.5, 0)\n"
        "ncr.aggregate([ncr.evaluate(labels, live)])"
    )
    assert loaded_by(code, "torch", *GUI) == set()


def test_the_engine_loads_no_gui():
    rooms = ", ".join(f"napari_cresunet.{room}" for room in (*ENGINE_ROOMS, "cli"))
    assert loaded_by(f"import {rooms}", *GUI) == set()


def test_every_room_is_covered_by_the_import_rules():
    pyproject = Path(__file__).parents[1] / "pyproject.toml"
    rules = pyproject.read_text("utf-8")
    rooms = {item.name for item in pkgutil.iter_modules(napari_cresunet.__path__)}
    assert rooms == {*ENGINE_ROOMS, "__main__", "cli", "widgets"}
    for room in rooms - {"widgets"}:
        assert f'"napari_cresunet.{room}"' in rules


def test_running_the_console_script_needs_no_environment_variables(tmp_path):
    code = "from napari_cresunet.cli import main; main(['--version'])"
    bare = {key: os.environ[key] for key in ("SYSTEMROOT",) if key in os.environ}
    out = subprocess.check_output(
        [sys.executable, "-c", code], env=bare, cwd=tmp_path, text=True
    )
    assert out.strip() == napari_cresunet.__version__
