import pytest
import torch


@pytest.fixture(autouse=True)
def _own_random_state():
    """Same weights in every test, whatever ran before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
