import os
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest
from numba.core.dispatcher import Dispatcher

import napari_cresunet
from napari_cresunet._compiled import compiled

CALLED = """
from napari_cresunet._compiled import compiled

@compiled
def number():
    return {}
"""
CALLING = """
from called import number
from napari_cresunet._compiled import compiled

@compiled
def twice():
    return 2 * number()

print(twice(), sum(twice.stats.cache_hits.values()))
"""


def test_what_is_compiled_does_the_same():
    @compiled
    def triangle(count: int) -> int:
        total = 0
        for i in range(count):
            total += i
        return total

    assert triangle(10) == 45


def test_without_a_place_to_keep_machine_code_functions_are_compiled_all_the_same():
    # Code without a file has none.
    names = {}
    exec("def double(value): return 2 * value", names)
    assert compiled(names["double"])(21) == 42


@pytest.fixture
def folder(tmp_path):
    """A folder with a compiled function that calls one of another file."""
    (tmp_path / "calling.py").write_text(CALLING)
    write_called(tmp_path, 21)
    return tmp_path


def write_called(folder, number):
    (folder / "called.py").write_text(CALLED.format(number))


def run_calling(folder):
    """Return what the function gives, and whether its machine code was there."""
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "calling.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(word) for word in done.stdout.split()]


def test_machine_code_is_kept_until_a_file_of_its_folder_changes(folder):
    assert run_calling(folder) == [42, 0]
    assert run_calling(folder) == [42, 1]
    write_called(folder, 4)
    assert run_calling(folder) == [8, 0]


def test_a_file_that_a_wrong_clock_dated_ahead_does_not_compile_all_each_time(folder):
    ahead = time.time() + 3600
    os.utime(folder / "called.py", (ahead, ahead))
    assert run_calling(folder) == [42, 0]
    assert run_calling(folder) == [42, 1]


def test_what_is_called_by_compiled_functions_is_in_their_folder():
    # Else machine code would be kept that is not true any more.
    package = Path(napari_cresunet.__file__).parent
    users = [
        p for p in package.rglob("*.py") if "\n@compiled\n" in p.read_text("utf-8")
    ]
    assert len(users) > 5
    for path in users:
        room = ".".join(("napari_cresunet", *path.relative_to(package).parent.parts))
        for value in vars(import_module(f"{room}.{path.stem}")).values():
            if isinstance(value, Dispatcher):
                assert value.py_func.__module__.rpartition(".")[0] == room
