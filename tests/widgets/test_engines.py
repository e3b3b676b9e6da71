"""What runs the network: the choice in the folded settings, and what is said of it."""

import pytest

pytestmark = pytest.mark.gui


def entries(chooser):
    return [chooser.itemText(number) for number in range(chooser.count())]


def choose(dock, name):
    engine = dock.advanced.engine
    engine.setCurrentIndex(engine.findData(name))
    engine.activated.emit(engine.currentIndex())


def test_a_run_says_what_ran_the_network(viewer, dock, discs, press_run):
    pytest.importorskip("openvino")
    viewer.add_image(discs)
    press_run(dock)
    assert "Predicted on CPU, OpenVINO in " in dock.running.status.text()
    choose(dock, "torch")
    assert dock.state.choices.engine == "torch"
    press_run(dock)
    assert "Predicted on CPU in " in dock.running.status.text()


def test_8_bits_are_a_choice_that_says_that_it_changes_something(dock):
    advanced = dock.advanced
    assert entries(advanced.engine) == [
        *("automatic", "PyTorch", "OpenVINO", "OpenVINO, 8 bits")
    ]
    assert "slightly other cells" in advanced.engine.toolTip()
    assert advanced.engine_note.isHidden()
    choose(dock, "int8")
    assert not advanced.engine_note.isHidden()
    assert advanced.engine_note.text() == (
        "What 8 bits change is measured when you press Run."
    )
    choose(dock, "auto")
    assert advanced.engine_note.isHidden()


@pytest.mark.slow
def test_what_8_bits_change_is_shown_after_the_run(
    viewer, dock, discs, qtbot, tmp_path, monkeypatch
):
    pytest.importorskip("nncf")
    monkeypatch.setenv("NAPARI_CRESUNET_CACHE", str(tmp_path / "networks"))
    viewer.add_image(discs)
    choose(dock, "int8")
    dock.running.run.click()
    qtbot.waitUntil(lambda: not dock.state.is_running, timeout=300_000)
    known = dock.state.result.quantized_text
    assert known.startswith("8 bits on 2 sample images: ")
    assert dock.advanced.engine_note.text() == known
    status = dock.running.status.text()
    assert "Predicted on CPU, OpenVINO, 8 bit in " in status
    assert status.endswith(known)
