import json
import subprocess
import sys

import numpy as np
import pytest

from napari_cresunet.export import export_torchscript

RUN = """
import sys
import numpy as np
import torch

torch.set_num_threads(1)
extra = {"card.json": ""}
network = torch.jit.load(sys.argv[1], _extra_files=extra)
for number in (0, 1):
    image = torch.from_numpy(np.load(f"image{number}.npy"))
    np.save(f"found{number}.npy", network(image).detach().numpy())
assert "napari_cresunet" not in sys.modules
print(extra["card.json"].decode())
"""


@pytest.mark.parametrize("variant", ["c-resunet", "attention-elu"])
def test_torch_alone_gives_our_probabilities(
    make_model, images, probability_of, tmp_path, variant
):
    model = make_model(variant)
    path = export_torchscript(model, tmp_path / "a.pt")
    for number, image in enumerate(images):
        np.save(tmp_path / f"image{number}.npy", image)

    text = subprocess.check_output(
        [sys.executable, "-I", "-c", RUN, str(path)], cwd=tmp_path, text=True
    )

    for number, image in enumerate(images):
        found = np.load(tmp_path / f"found{number}.npy")
        expected = probability_of(model, image)
        assert np.ptp(expected) > 0.1
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    values = model.card.to_dict()
    del values["source"]
    assert json.loads(text) == values
