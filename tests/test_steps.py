"""Long work yields steps and returns its result."""

from napari_cresunet.steps import Step, drain


def _count_to(total):
    for number in range(1, total + 1):
        yield Step(done=number, total=total)
    return total * 10


def test_drain_returns_the_result_and_reports_every_step_in_order():
    seen = []
    assert drain(_count_to(3), seen.append) == 30
    assert [step.done for step in seen] == [1, 2, 3]


def test_drain_runs_without_a_listener():
    assert drain(_count_to(2)) == 20
