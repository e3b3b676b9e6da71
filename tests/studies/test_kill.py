"""A process that is killed while it saves leaves the last whole study."""

import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from napari_cresunet.studies import find_unclosed, read_study, studies_folder

N_KILLS = 8


def edit_and_save():
    """Edit and save for ever; say the number of each state that is written."""
    import itertools

    from tests.studies.contents import small_study

    from napari_cresunet.correction import LogEntry
    from napari_cresunet.studies import claim_new, write_study

    claim = claim_new("edited")
    for number in itertools.count(1):
        log = tuple(LogEntry(kind="paint", row=float(n)) for n in range(number))
        write_study(claim.folder, small_study(labels=labels_of(number), log=log))
        print(number, flush=True)  # noqa: T201 it is how the test hears of it


def labels_of(number):
    """Return labels that tell the number of a state in every pixel."""
    noise = np.random.default_rng(number).integers(0, 9, (200, 200))
    return (noise * 10_000 + number).astype(np.int32)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.slow
def test_a_kill_at_any_moment_loses_nothing_that_was_written():
    code = "from tests.studies.test_kill import edit_and_save; edit_and_save()"
    chance = random.Random(5)
    for number in range(N_KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
        )
        written = [int(process.stdout.readline())]
        time.sleep(chance.uniform(0, 0.15))
        process.send_signal(signal.SIGKILL)
        written += [int(line) for line in process.communicate()[0].splitlines()]
        assert process.returncode == -signal.SIGKILL
        name = "edited" if number == 0 else f"edited {number + 1}"
        content = read_study(studies_folder() / name)
        state = len(content.log)
        assert written[-1] <= state <= written[-1] + 1
        assert np.array_equal(content.labels, labels_of(state))
    found = find_unclosed()
    assert len(found) == N_KILLS
    assert all(study.n_edits >= 1 for study in found)
