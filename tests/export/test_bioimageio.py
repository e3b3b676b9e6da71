import io
import re
import sys
import zipfile
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest
import yaml
from tests.export.bioimageio_runtime import (
    create_prediction_pipeline,
    load_model_description,
    predict,
    test_description,
)

from napari_cresunet.errors import EngineError
from napari_cresunet.export import export_bioimageio

test_description.__test__ = False  # it is theirs


@pytest.fixture(scope="module", params=["c-resunet", "attention-elu"])
def exported(request, make_model, tmp_path_factory):
    """A model and its package."""
    model = make_model(request.param)
    path = tmp_path_factory.mktemp("packages") / f"{request.param}.zip"
    return model, export_bioimageio(model, path)


def description_in(path):
    with zipfile.ZipFile(path) as archive:
        return yaml.safe_load(archive.read("rdf.yaml"))


@pytest.mark.slow
@pytest.mark.parametrize("weight_format", ["onnx", "torchscript"])
def test_bioimageio_core_gives_our_probabilities(
    exported, probability_of, weight_format
):
    model, path = exported
    rng = np.random.default_rng(5)
    pipeline = create_prediction_pipeline(
        load_model_description(path), weight_format=weight_format
    )

    for shape in ((1, 3, 64, 80), (1, 3, 256, 272)):
        image = rng.random(shape, np.float32)
        sample = predict(model=pipeline, inputs={"image": image})
        found = np.asarray(sample.members["probability"].data)
        expected = probability_of(model, image)
        assert np.ptp(expected) > 0.1
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_bioimageio_core_finds_nothing_wrong(make_model, tmp_path):
    path = export_bioimageio(make_model("attention-elu"), tmp_path / "a.zip")

    summary = test_description(path, weight_format="onnx")

    assert summary.status == "passed", summary.format()


def test_the_test_output_is_ours(exported, probability_of):
    model, path = exported

    with zipfile.ZipFile(path) as archive:
        image, expected = (
            np.load(io.BytesIO(archive.read(f"test_{name}.npy")))
            for name in ("input", "output")
        )

    assert (image.dtype, image.min() >= 0, image.max() <= 1) == (np.float32, True, True)
    np.testing.assert_allclose(probability_of(model, image), expected, atol=1e-5)


def test_the_package_tells_what_the_card_knows(exported):
    model, path = exported

    description = description_in(path)

    values = model.card.to_dict()
    del values["source"]
    assert description["config"]["napari_cresunet"] == values
    assert description["license"] == "CC-BY-SA-4.0"
    assert "10.1038/s41597-024-03005-9" in [
        cite.get("doi") for cite in description["cite"]
    ]
    assert ("Attention U-Net" in str(description["cite"])) == (
        model.card.variant == "attention-elu"
    )
    with zipfile.ZipFile(path) as archive:
        text = archive.read("README.md").decode()
        cover = iio.imread(archive.read("cover.png"))
    assert cover.shape == (256, 512, 3)
    for words in (
        "36.5 px",
        "0.4",
        "200 px",
        "CC-BY-SA-4.0, see there",
        "test, f1: 0.5",
    ):
        assert words in text


def test_an_unknown_license_is_left_out(make_model, tmp_path):
    model = make_model("c-resunet")
    model = replace(model, card=replace(model.card, license="ask them"))

    description = description_in(export_bioimageio(model, tmp_path / "a.zip"))

    assert "license" not in description


def test_without_yaml_one_is_told_what_to_install(make_model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)

    with pytest.raises(
        EngineError,
        match="^"
        + re.escape(
            "Exporting needs the package pyyaml, which is not installed; "
            'install it with: pip install "napari-cresunet[export]"'
        )
        + "$",
    ):
        export_bioimageio(make_model("c-resunet"), tmp_path / "a.zip")
