"""What keeps every test safe: no network, no user files, the same random numbers."""

import ipaddress
import socket
import sys
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process have all windows: they would take the focus from each other."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if any(name.startswith("make_napari_viewer") for name in fixtures):
            item.add_marker(pytest.mark.xdist_group("windows"))


@pytest.fixture(autouse=True)
def _own_model_folder(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither read nor write the models of whoever runs the tests."""
    monkeypatch.setenv("NAPARI_CRESUNET_MODELS", str(tmp_path / "models"))
    # Networks are kept by what they are, so all tests may share them.
    networks = tmp_path_factory.getbasetemp() / "networks"
    monkeypatch.setenv("NAPARI_CRESUNET_CACHE", str(networks))


@pytest.fixture(autouse=True)
def _same_torch_everywhere() -> None:
    """Fix what depends on the machine, without importing torch where none is used."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
        torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections to other machines; Qt and Jupyter talk to this one."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and not _is_here(address[0]):
            raise OSError(f"A test tried to reach {address[0]}.")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")
