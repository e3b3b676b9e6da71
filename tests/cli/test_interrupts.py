import signal
import threading

import pytest

from napari_cresunet.cli._interrupts import held_interrupts


def test_ctrl_c_waits_until_the_work_can_be_left():
    done = []

    def work(leave_if_asked):
        leave_if_asked()
        signal.raise_signal(signal.SIGINT)
        done.append("piece")
        leave_if_asked()
        done.append("next piece")

    with pytest.raises(KeyboardInterrupt), held_interrupts() as leave_if_asked:
        work(leave_if_asked)
    assert done == ["piece"]


def test_ctrl_c_inside_a_destructor_is_not_lost():
    class Closing:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    def work(leave_if_asked):
        Closing()
        leave_if_asked()
        raise AssertionError("Ctrl+C was lost")

    with pytest.raises(KeyboardInterrupt), held_interrupts() as leave_if_asked:
        work(leave_if_asked)


def test_the_second_ctrl_c_does_not_wait():
    done = []

    def work():
        signal.raise_signal(signal.SIGINT)
        done.append("first")
        signal.raise_signal(signal.SIGINT)
        done.append("second")

    with pytest.raises(KeyboardInterrupt), held_interrupts():
        work()
    assert done == ["first"]


def test_ctrl_c_after_the_last_piece_is_not_forgotten():
    with pytest.raises(KeyboardInterrupt), held_interrupts():
        signal.raise_signal(signal.SIGINT)


def test_what_handled_ctrl_c_before_does_so_again():
    before = signal.getsignal(signal.SIGINT)
    with held_interrupts():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(ValueError, match="a fault"), held_interrupts():
        raise ValueError("a fault")
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_are_left_alone():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with held_interrupts() as leave_if_asked:
            leave_if_asked()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
