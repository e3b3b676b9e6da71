import re
import socket
from dataclasses import replace
from hashlib import sha1
from math import ceil

import pytest
import torch
from tests.models.lively import enliven
from tests.weights.file_server import serving
from tests.weights.fluocells_network import FluocellsNetwork, save_as_fastai
from tests.weights.keras_file import random_layers, write_keras_file

from napari_cresunet.errors import WeightsError
from napari_cresunet.steps import drain
from napari_cresunet.weights import (
    RELEASED,
    download_folder,
    find_downloaded,
    find_weights,
    iter_download,
    list_models,
    load_network,
)
from napari_cresunet.weights._download import PIECE, git_blob_id

FILE = "model_results/c-ResUnet.h5"


def refuses(message):
    return pytest.raises(WeightsError, match=f"^{re.escape(message)}$")


def pinned(name, content):
    """Return a row of the table whose blob id is that of the content."""
    row = RELEASED[name]
    blob_id = sha1(b"blob " + str(len(content)).encode() + b"\0" + content).hexdigest()
    settings = {**row.card.settings, "git_blob_id": blob_id}
    return replace(row, card=replace(row.card, settings=settings), blob_id=blob_id)


@pytest.fixture(scope="module")
def keras_content(tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / "a.h5"
    return write_keras_file(path, random_layers()).read_bytes()


@pytest.fixture
def row(keras_content):
    return pinned("morelli2021", keras_content)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The download folder, away from that of whoever runs the tests; no proxy."""
    monkeypatch.setenv("NAPARI_CRESUNET_DOWNLOADS", str(tmp_path / "downloads"))
    monkeypatch.setenv("NO_PROXY", "*")
    return tmp_path / "downloads"


@pytest.fixture
def server(row, keras_content):
    with serving({row.url: keras_content}) as state:
        yield state


def download(row, server, **options):
    steps = []
    card = drain(iter_download(row, base_url=server.url, **options), steps.append)
    return card, steps


def partial_size(folder):
    return (folder / "morelli2021.h5.part").stat().st_size


def test_released_weights_become_a_model_of_the_list(row, server, keras_content):
    card, steps = download(row, server)

    n_pieces = ceil(len(keras_content) / PIECE)
    assert [(step.done, step.total) for step in steps] == [
        (done, n_pieces) for done in range(1, n_pieces + 1)
    ]
    assert card in list_models()
    assert (card.name, card.title) == ("morelli2021", "Morelli & Clissa 2021")
    assert (card.threshold, card.min_size, card.diameter) == (0.6, 200, 36.5)
    assert find_downloaded(row) == card


def test_the_network_is_the_one_that_was_released(row, server, tmp_path):
    path = write_keras_file(tmp_path / "same.h5", random_layers())

    card, _ = download(row, server)

    assert card.weights_hash == load_network(path)[0].weights_hash
    assert load_network(find_weights("morelli2021"))[0] == card


@pytest.mark.parametrize("stain", ["yellow", "green", "red"])
def test_files_of_fluocells_become_models(tmp_path, stain, monkeypatch):
    network = enliven(FluocellsNetwork()).float()
    path = save_as_fastai(tmp_path / "model.pth", network, monkeypatch)
    row = pinned(f"fluocells-{stain}", path.read_bytes())

    with serving({row.url: path.read_bytes()}) as server:
        card, _ = download(row, server)

    _, ours = load_network(find_weights(f"fluocells-{stain}"))
    image = torch.rand(1, 3, 32, 40)
    with torch.inference_mode():
        expected, found = network(image)[:, 1:], ours(image)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert (card.title, card.threshold) == (f"fluocells {stain}", 0.5)


def test_a_server_without_ranges_sends_all_at_once(row, server):
    server.has_ranges = False

    card, steps = download(row, server)

    assert card in list_models()
    assert [step.done == step.total for step in steps] == [True]


def test_a_server_that_does_not_say_the_total_is_asked_until_the_end(row, server):
    server.says_total = False

    assert download(row, server)[0] in list_models()


def test_a_broken_connection_is_told_and_the_next_try_goes_on(row, server, folder):
    server.cut_after = 3 * PIECE + 1000_000
    total = len(server.files[f"/{row.url}"])

    with pytest.raises(WeightsError) as caught:
        download(row, server)
    size = partial_size(folder)

    assert 3 * PIECE < size <= server.cut_after
    assert str(caught.value) == (
        f"The connection broke off after {size} of {total} bytes of morelli2021; "
        "run the same command again to go on from there."
    )
    server.cut_after, n_before = None, len(server.ranges)
    assert download(row, server)[0] in list_models()
    assert server.ranges[n_before] == f"bytes={size}-{size + PIECE - 1}"


def test_a_download_that_was_left_goes_on_where_it_stopped(row, server, folder):
    steps = iter_download(row, base_url=server.url)
    next(steps)
    next(steps)
    steps.close()

    assert partial_size(folder) == 2 * PIECE
    _, later = download(row, server)
    assert later[0].done == 3
    assert server.ranges[2] == f"bytes={2 * PIECE}-{3 * PIECE - 1}"


def test_a_server_that_forgot_ranges_starts_anew(row, server, folder):
    steps = iter_download(row, base_url=server.url)
    next(steps)
    steps.close()
    server.has_ranges = False

    assert download(row, server)[0] in list_models()


def test_a_file_that_was_whole_but_not_stored_is_not_fetched_again(
    row, server, folder, keras_content
):
    folder.mkdir()
    (folder / "morelli2021.h5.part").write_bytes(keras_content)

    assert download(row, server)[0] in list_models()
    assert server.n_sent == 0


@pytest.mark.parametrize("change", ["other content", "changed part", "longer part"])
def test_what_is_not_the_released_file_is_deleted_unopened(
    row, server, folder, keras_content, change, monkeypatch
):
    part = folder / "morelli2021.h5.part"
    folder.mkdir()
    arrived = keras_content[:-1] + bytes([keras_content[-1] ^ 1])
    if change == "other content":
        server.files[f"/{row.url}"] = arrived
    elif change == "changed part":
        arrived = b"x" + keras_content[1:]
        part.write_bytes(arrived[:PIECE])
    else:
        arrived = keras_content + b"x"
        part.write_bytes(arrived)
    monkeypatch.setattr("h5py.File", None)  # opening it would be a TypeError
    found = sha1(b"blob %d\0" % len(arrived) + arrived).hexdigest()

    with refuses(
        "What arrived for morelli2021 is not the released file (git blob id "
        f"{found} instead of {row.blob_id}) and was deleted unopened; "
        "run the same command again."
    ):
        download(row, server)

    assert list(folder.iterdir()) == []
    assert find_downloaded(row) is None


def test_without_network_one_is_told_where_to_put_the_file(row, folder):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"

    with refuses(
        "127.0.0.1 could not be reached; connect to the internet and run the same "
        f"command again, or download {url}/{row.url} on another computer, put it at "
        f"{folder / 'morelli2021.h5'} and run the same command."
    ):
        drain(iter_download(row, base_url=url))


def test_a_server_that_does_not_have_the_file_is_named(row, server, folder):
    server.files.clear()

    with refuses(
        f"127.0.0.1 answered 404 Not Found for {server.url}/{row.url}; try again "
        f"later, or get the file elsewhere and put it at {folder / 'morelli2021.h5'}."
    ):
        download(row, server)


def test_a_file_put_there_by_hand_is_stored_without_network(
    row, server, folder, keras_content
):
    folder.mkdir()
    (folder / "morelli2021.h5").write_bytes(keras_content)

    card, steps = download(row, server)

    assert card in list_models()
    assert (steps, server.ranges) == ([], [])


def test_a_wrong_file_put_there_by_hand_is_neither_opened_nor_deleted(
    row, server, folder
):
    path = folder / "morelli2021.h5"
    folder.mkdir()
    path.write_bytes(b"wrong")

    with refuses(
        f"{path} is not the released file (git blob id {git_blob_id(path)} instead of "
        f"{row.blob_id}) and was not opened; delete it and run the same command again."
    ):
        download(row, server)

    assert path.read_bytes() == b"wrong"


def test_what_is_there_is_not_fetched_again(row, server, folder):
    card, _ = download(row, server)
    server.ranges.clear()

    assert download(row, server) == (card, [])
    assert download(row, server, overwrite=True)[0] == card
    assert server.ranges == []


def test_another_model_of_that_name_is_not_replaced(row, server, add_user_model):
    path = add_user_model("morelli2021")

    with refuses(
        f"There is already a model 'morelli2021' ({path}); "
        "give another name or allow it to be overwritten."
    ):
        download(row, server)

    assert server.ranges == []
    assert download(row, server, overwrite=True)[0].title == "Morelli & Clissa 2021"


def test_a_folder_that_cannot_be_written_is_named(row, server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAPARI_CRESUNET_DOWNLOADS", str(tmp_path / "file"))

    with refuses(
        f"{tmp_path / 'file' / 'morelli2021.h5.part'} cannot be written (File exists); "
        "free some space, or choose another folder by the variable "
        "NAPARI_CRESUNET_DOWNLOADS."
    ):
        download(row, server)


def test_without_the_variable_the_folder_is_in_the_users_cache(monkeypatch):
    monkeypatch.delenv("NAPARI_CRESUNET_DOWNLOADS")

    assert "napari-cresunet" in download_folder().parts
    assert download_folder().name == "downloads"
    assert download_folder().is_absolute()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
        (b"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"),
    ],
)
def test_the_blob_id_is_that_of_git(tmp_path, content, expected):
    (tmp_path / "file").write_bytes(content)

    assert git_blob_id(tmp_path / "file") == expected


def test_the_table_names_commits_files_and_blobs():
    fluocells = (
        "clissa/fluocells-scientific-data/69da63669a03831e45a506a88bbc0f48eb9dc019"
    )
    assert {name: (row.url, row.blob_id) for name, row in RELEASED.items()} == {
        "morelli2021": (
            "robomorelli/cell_counting_yellow/822944cf91a60c8aae6671d05fbc1c23728cad68/"
            + FILE,
            "205a23d0809fc3669f828825f688132cde3e4343",
        ),
        "fluocells-yellow": (
            f"{fluocells}/models/yellow_54321/model.pth",
            "fee5b3b365cdeaa9195e82e2af1b9a63d7570d06",
        ),
        "fluocells-green": (
            f"{fluocells}/models/green_12345/model.pth",
            "106254194d02f943c70d7357d619cb2c45be302f",
        ),
        "fluocells-red": (
            f"{fluocells}/models/red_98765/model.pth",
            "4d60fb884a63503733cd90667b575d01de2e48c3",
        ),
    }
    assert all(row.card.name == name for name, row in RELEASED.items())
