import threading

import pytest
from qtpy.QtCore import QObject

from napari_cresunet.state import Progress
from napari_cresunet.widgets._job_runner import JobRunner

pytestmark = pytest.mark.gui


def test_a_runner_is_not_busy_with_what_it_has_dropped(qtbot):
    goes_on = threading.Event()

    def work():
        yield Progress(text="a step")
        goes_on.wait(20)

    parent = QObject()
    runner = JobRunner(None, parent)
    job = runner._start(work(), print)
    assert runner.is_busy
    runner._drop(job)
    runner._drop(None)
    assert not runner.is_busy
    goes_on.set()
    qtbot.waitUntil(lambda: not job.is_running, timeout=10_000)
    assert not runner.is_busy
