import re
import subprocess
import sys

import pytest

from napari_cresunet.errors import InputError
from napari_cresunet.inference import available_devices, resolve_device


def test_auto_is_the_first_device_and_the_cpu_is_always_there():
    devices = available_devices()
    assert devices[-1] == "cpu"
    assert resolve_device("auto") == devices[0]
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize("name", ["cuda:97", "tpu", ""])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(name):
    choices = " or ".join(["auto", *available_devices()])
    message = f"There is no device {name!r} on this computer; choose {choices}."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        resolve_device(name)


def test_a_torch_that_does_not_load_is_one_sentence(tmp_path):
    broken = tmp_path / "torch.py"
    broken.write_text("raise OSError('[WinError 126] c10.dll not found')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from napari_cresunet.errors import EngineError\n"
        "from napari_cresunet.inference import load_model\n"
        "try:\n    load_model()\n"
        "except EngineError as error:\n    print(error)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == (
        "PyTorch could not be loaded ([WinError 126] c10.dll not found): on Windows "
        "install the Microsoft Visual C++ redistributable from https://aka.ms/vs/17/"
        "release/vc_redist.x64.exe, elsewhere reinstall torch."
    )


def test_importing_the_package_loads_neither_torch_nor_other_heavy_libraries():
    code = (
        "import napari_cresunet.inference, sys\n"
        "heavy = {'torch', 'scipy', 'tifffile', 'imageio', 'skimage'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"
