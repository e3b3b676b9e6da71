import json

import pytest
import torch


@pytest.mark.parametrize("chosen", [True, False], ids=["-o", "by default"])
def test_export_writes_the_file(run, model, tmp_path, monkeypatch, chosen):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ("some.pt" if chosen else "tiny.pt")
    flags = ("-o", path) if chosen else ()

    outcome = run("models", "export", model, "--to", "torchscript", *flags)

    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"Wrote {path if chosen else path.name} (TorchScript)\n"
    extra = {"card.json": ""}
    torch.jit.load(str(path), _extra_files=extra)
    assert json.loads(extra["card.json"])["name"] == "tiny"


def test_an_unknown_format_is_a_wrong_argument(run, model):
    outcome = run("models", "export", model, "--to", "keras")

    assert outcome.status == 2
    assert outcome.err == (
        "Error: Invalid value for '--to': 'keras' is not one of onnx, torchscript, "
        "bioimageio; see 'napari-cresunet models export --help'.\n"
    )
