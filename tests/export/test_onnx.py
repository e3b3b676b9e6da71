import json
import re
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

from napari_cresunet.errors import EngineError, WeightsError
from napari_cresunet.export import export_onnx

VARIANTS = [
    "c-resunet",
    "attention-elu",
    pytest.param("c-resunet-transformer", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("variant", VARIANTS)
def test_onnx_runtime_gives_our_probabilities(
    make_model, images, probability_of, tmp_path, variant
):
    model = make_model(variant)

    session = onnxruntime.InferenceSession(export_onnx(model, tmp_path / "a.onnx"))

    for image in images:
        expected = probability_of(model, image)
        (found,) = session.run(["probability"], {"image": image})
        assert np.ptp(expected) > 0.1
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_the_file_is_sound_and_carries_the_card(make_model, tmp_path):
    model = make_model("c-resunet")

    proto = onnx.load(export_onnx(model, tmp_path / "new" / "a.onnx"))

    onnx.checker.check_model(proto)
    (card,) = [item.value for item in proto.metadata_props if item.key == "card"]
    values = model.card.to_dict()
    del values["source"]
    assert json.loads(card) == values
    shape = proto.graph.input[0].type.tensor_type.shape.dim
    assert [axis.dim_param or axis.dim_value for axis in shape] == [
        "batch",
        3,
        "y",
        "x",
    ]


def test_the_model_stays_as_it_is(make_model, tmp_path):
    model = make_model("c-resunet")
    before = {
        name: tensor.clone() for name, tensor in model.network.state_dict().items()
    }

    export_onnx(model, tmp_path / "a.onnx")

    assert all(parameter.requires_grad for parameter in model.network.parameters())
    assert all(
        bool((tensor == before[name]).all())
        for name, tensor in model.network.state_dict().items()
    )


def test_without_onnx_one_is_told_what_to_install(make_model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)

    with pytest.raises(
        EngineError,
        match="^"
        + re.escape(
            "Exporting needs the package onnx, which is not installed; "
            'install it with: pip install "napari-cresunet[export]"'
        )
        + "$",
    ):
        export_onnx(make_model("c-resunet"), tmp_path / "a.onnx")

    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(make_model, tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "a.onnx"

    with pytest.raises(
        WeightsError,
        match="^"
        + re.escape(
            f"{path} cannot be written (File exists); "
            "choose another folder or free some space."
        )
        + "$",
    ):
        export_onnx(make_model("c-resunet"), path)
