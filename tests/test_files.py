"""Files are there whole or not at all."""

import os

import pytest

from napari_cresunet._files import written_whole


def test_a_file_is_written_into_a_folder_that_did_not_exist(tmp_path):
    path = tmp_path / "new" / "a.bin"
    with written_whole(path) as file:
        file.write(b"whole")
    assert path.read_bytes() == b"whole"
    assert [item.name for item in path.parent.iterdir()] == ["a.bin"]


def test_a_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        _fail_half_way(path)
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.bin"]


def _fail_half_way(path):
    with written_whole(path) as file:
        file.write(b"half")
        raise ZeroDivisionError


def test_the_file_is_not_there_before_it_is_whole(tmp_path):
    path = tmp_path / "a.bin"
    with written_whole(path) as file:
        file.write(b"half")
        assert not path.exists()


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_others_may_read_it_if_the_umask_lets_them(tmp_path):
    before = os.umask(0o022)
    try:
        with written_whole(tmp_path / "a.bin"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o644
