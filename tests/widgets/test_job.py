import threading

import pytest

from napari_cresunet.state import Progress
from napari_cresunet.widgets._job import Job

pytestmark = pytest.mark.gui


class Watcher:
    """Notes what a job signals, and in which thread."""

    def __init__(self, job):
        self.heard = []
        job.stepped.connect(self.on_stepped)
        job.done.connect(self.on_done)
        job.failed.connect(self.on_failed)
        job.cancelled.connect(self.on_cancelled)
        job.ended.connect(self.on_ended)

    def note(self, *words):
        assert threading.current_thread() is threading.main_thread()
        self.heard.append(words)

    def on_stepped(self, step):
        self.note("step", step.text)

    def on_done(self, result):
        self.note("done", result)

    def on_failed(self, error):
        self.note("failed", str(error))

    def on_cancelled(self):
        self.note("cancelled")

    def on_ended(self):
        self.note("ended")


def run(steps, qtbot, *, during=None):
    job = Job(steps, "work")
    watcher = Watcher(job)
    with qtbot.waitSignal(job.ended, timeout=10_000):
        job.start()
        if during is not None:
            during(job)
    assert not job.is_running
    return watcher.heard


def test_the_result_arrives_in_the_gui_thread(qtbot):
    def work():
        assert threading.current_thread() is not threading.main_thread()
        yield Progress(text="half")
        return 42

    assert run(work(), qtbot) == [("step", "half"), ("done", 42), ("ended",)]


def test_of_many_steps_some_are_told_but_each_beginning_is(qtbot):
    def work():
        yield Progress(text="begin")
        for number in range(1, 1001):
            yield Progress(text=f"tile {number}", done=number, total=1000)
        yield Progress(text="begin something else")

    heard = [words[1] for words in run(work(), qtbot) if words[0] == "step"]
    assert heard[0] == "begin"
    assert heard[-1] == "begin something else"
    assert len(heard) < 1000


def test_a_runtime_error_is_told_like_any_other(qtbot):
    def work():
        yield Progress(text="half")
        raise RuntimeError("it broke")

    heard = run(work(), qtbot)
    assert heard == [("step", "half"), ("failed", "it broke"), ("ended",)]


def test_cancelling_closes_the_generator_in_its_own_thread(qtbot):
    at_step, go_on, closed_in = threading.Event(), threading.Event(), []

    def work():
        try:
            while True:
                at_step.set()
                go_on.wait(10)
                yield Progress(text="a step")
        finally:
            closed_in.append(threading.current_thread())

    def cancel(job):
        qtbot.waitUntil(at_step.is_set)
        job.cancel()
        go_on.set()

    assert run(work(), qtbot, during=cancel)[-2:] == [("cancelled",), ("ended",)]
    assert closed_in[0] is not threading.main_thread()


def test_a_result_that_comes_after_cancel_is_not_told(qtbot):
    at_work, go_on = threading.Event(), threading.Event()

    def work():
        at_work.set()
        go_on.wait(10)
        return 42
        yield

    def cancel(job):
        qtbot.waitUntil(at_work.is_set)
        job.cancel()
        go_on.set()

    assert run(work(), qtbot, during=cancel) == [("cancelled",), ("ended",)]


def test_nothing_more_is_heard_of_an_abandoned_job(qtbot):
    def work():
        yield Progress(text="a step")

    job = Job(work(), "work")
    watcher = Watcher(job)
    job.abandon()
    job.start()
    qtbot.waitUntil(lambda: not job.is_running, timeout=10_000)
    assert watcher.heard == []


def test_a_job_is_not_started_twice(qtbot):
    def work():
        yield Progress(text="a step")

    job = Job(work(), "work")
    with qtbot.waitSignal(job.ended):
        job.start()
        with pytest.raises(RuntimeError, match=r"^A job is started only once\.$"):
            job.start()
    with pytest.raises(RuntimeError, match=r"^A job is started only once\.$"):
        job.start()
