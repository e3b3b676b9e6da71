"""Where studies lie, who works on them, and what is left of a process that died."""

import os
import re
import subprocess
import sys

import pytest
from tests.studies.contents import assert_same, small_study

from napari_cresunet.errors import EngineError, InputError
from napari_cresunet.studies import (
    Claim,
    claim_new,
    discard_study,
    find_unclosed,
    read_study,
    studies_folder,
    write_study,
)


@pytest.fixture(autouse=True)
def folder(tmp_path):
    folder = studies_folder()
    assert folder == tmp_path / "studies"
    return folder


@pytest.fixture
def killed(folder):
    """Have another process write a study and die; its folder is returned."""
    code = (
        "import os, pathlib, sys\n"
        "from tests.studies.contents import small_study\n"
        "from napari_cresunet.studies import Claim, write_study\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "claim = Claim(folder)\n"
        "if '--empty' not in sys.argv:\n"
        "    write_study(folder, small_study())\n"
        "os._exit(9)\n"
    )

    def kill(folder, *flags):
        command = [sys.executable, "-c", code, str(folder), *flags]
        assert subprocess.run(command, check=False).returncode == 9
        return folder

    return kill


def test_a_new_study_has_a_folder_of_its_own(folder):
    names = []
    for name in ("neurons 01", "neurons 01", "a/b:c?.tif", "Köln", "", "CON", "é" * 99):
        claim = claim_new(name)
        write_study(claim.folder, small_study())
        names.append(claim.folder.name)
        assert claim.folder.parent == folder
        claim.close()
    assert names == [
        *("neurons 01", "neurons 01 2", "a_b_c__tif", "Köln", "study", "CON_"),
        "é" * 60,
    ]


def test_two_windows_never_work_in_one_folder(folder):
    one, other = claim_new("a"), claim_new("a")
    assert {one.folder.name, other.folder.name} == {"a", "a 2"}
    message = "The study 'a' is open in another window: close it there first."
    for action in (Claim, discard_study):
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            action(one.folder)
    one.close()
    Claim(folder / "a").close()
    other.close()
    assert list(folder.iterdir()) == []


def test_a_study_that_was_closed_is_not_offered(folder):
    claim = claim_new("a")
    write_study(claim.folder, small_study())
    assert find_unclosed() == []
    claim.close()
    claim.close()
    assert find_unclosed() == []
    assert_same(read_study(folder / "a"), small_study())
    assert not (folder / "a" / "lock").exists()


def test_what_killed_processes_left_is_offered_the_latest_first(
    folder, tmp_path, killed
):
    elsewhere = killed(tmp_path / "elsewhere")
    here = killed(folder / "here")
    killed(folder / "empty", "--empty")
    (killed(folder / "damaged") / "study.json").write_text("{")
    os.utime(elsewhere / "study.json", (1e9, 1e9))
    found = find_unclosed()
    assert [study.folder for study in found] == [here, elsewhere]
    assert [(study.name, study.n_edits) for study in found] == [("neurons_01", 2)] * 2
    assert 0 <= found[0].age < 60
    assert found[1].age > 1e8
    with_claim = Claim(here)
    assert [study.folder for study in find_unclosed()] == [elsewhere]
    with_claim.close()
    Claim(elsewhere).close()
    assert find_unclosed() == []
    assert_same(read_study(elsewhere), small_study())


def test_a_folder_that_was_claimed_but_never_written_is_used_again(folder, killed):
    killed(folder / "a", "--empty")
    claim = claim_new("a")
    assert claim.folder == folder / "a"
    claim.close()


def test_discarding_deletes_a_study_and_nothing_else(folder, killed):
    killed(folder / "a")
    killed(folder / "b")
    (folder / "b" / "notes.txt").write_text("mine")
    for name in ("a", "b", "gone"):
        discard_study(folder / name)
    assert find_unclosed() == []
    assert [path.name for path in folder.iterdir()] == ["b"]
    assert [path.name for path in (folder / "b").iterdir()] == ["notes.txt"]


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError) as caught:
        Claim(tmp_path / "file")
    assert str(caught.value) == (
        f"{tmp_path / 'file'} cannot be written (File exists): free some space, or "
        "save the study in another folder."
    )


def test_damaged_notes_of_studies_elsewhere_are_left_alone(folder):
    notes = folder / "elsewhere"
    notes.mkdir(parents=True)
    for name, text in {"a": "", "b": "[]", "c": '{"folder": 3}', "d": "{}"}.items():
        (notes / f"{name}.json").write_text(text)
    assert find_unclosed() == []
    assert len(list(notes.iterdir())) == 4
