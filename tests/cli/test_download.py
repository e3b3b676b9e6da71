import json
import signal
from dataclasses import replace
from hashlib import sha1

import pytest
from tests.weights.file_server import serving
from tests.weights.keras_file import random_layers, write_keras_file

from napari_cresunet.weights import RELEASED, list_models


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a stand-in for the weights of Morelli et al., pinned by its blob id."""
    content = write_keras_file(tmp_path / "a.h5", random_layers()).read_bytes()
    row = RELEASED["morelli2021"]
    blob_id = sha1(b"blob %d\0" % len(content) + content).hexdigest()
    card = replace(row.card, settings={**row.card.settings, "git_blob_id": blob_id})
    monkeypatch.setitem(
        RELEASED, "morelli2021", replace(row, card=card, blob_id=blob_id)
    )
    monkeypatch.setenv("NAPARI_CRESUNET_DOWNLOADS", str(tmp_path / "downloads"))
    monkeypatch.setenv("NO_PROXY", "*")
    with serving({row.url: content}) as state:
        yield state


def download(run, server, *arguments):
    return run("models", "download", *arguments, "--base-url", server.url)


def test_without_a_name_it_lists_what_can_be_had(run):
    outcome = run("models", "download")

    assert outcome.status == 0
    for words in ("morelli2021", "Morelli & Clissa 2021", "fluocells yellow", "no"):
        assert words in outcome.out


def test_the_list_as_json_says_what_is_here(run, server):
    download(run, server, "morelli2021")

    rows = json.loads(run("models", "download", "--json").out)

    assert {row["name"]: row["is_here"] for row in rows} == {
        "morelli2021": True,
        "fluocells-yellow": False,
        "fluocells-green": False,
        "fluocells-red": False,
    }
    assert all("Apache-2.0" in row["license"] for row in rows)


def test_a_name_brings_a_model_that_can_be_used(run, server):
    outcome = download(run, server, "morelli2021")

    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == (
        "Morelli & Clissa 2021 is here; use it with: --model morelli2021\n"
    )
    assert "morelli2021" in [card.name for card in list_models()]
    listing = run("models", "list").out
    assert "Morelli & Clissa 2021" in listing


def test_as_json_it_prints_the_cards(run, server):
    cards = json.loads(download(run, server, "morelli2021", "--json").out)

    assert cards == [
        card.to_dict() for card in list_models() if card.name == "morelli2021"
    ]


def test_all_goes_through_the_list(run, server):
    outcome = download(run, server, "--all")

    assert outcome.status == 1
    assert "Morelli & Clissa 2021 is here" in outcome.out
    assert "answered 404 Not Found" in outcome.err
    assert "fluocells-yellow" in outcome.err


def test_an_unknown_name_is_a_wrong_argument(run, server):
    outcome = download(run, server, "morelli")

    assert outcome.status == 2
    assert "morelli2021, fluocells-yellow, fluocells-green" in outcome.err
    assert server.ranges == []


def test_ctrl_c_leaves_what_arrived_and_the_next_try_goes_on(
    run, server, monkeypatch, tmp_path
):
    from napari_cresunet.weights import _download

    fetch = _download._fetch

    def interrupted(*arguments):
        for step in fetch(*arguments):
            signal.raise_signal(signal.SIGINT)
            yield step

    with monkeypatch.context() as patched:
        patched.setattr(_download, "_fetch", interrupted)
        outcome = download(run, server, "morelli2021")
    part = tmp_path / "downloads" / "morelli2021.h5.part"

    assert outcome.status == 130
    assert part.stat().st_size == 2**20
    assert download(run, server, "morelli2021").status == 0
    assert server.ranges[1] == f"bytes={2**20}-{2**21 - 1}"
