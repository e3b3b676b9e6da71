import pytest

from napari_cresunet.errors import InputError
from napari_cresunet.state import describe_error

NO_MEMORY = (
    "There was not enough memory: predict the field of view only, choose a smaller "
    "tile under Advanced, or close other programs."
)


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InputError("Do this."), "Do this."),
        (MemoryError(), NO_MEMORY),
        (OutOfMemoryError("CUDA out of memory"), NO_MEMORY),
        (
            RuntimeError("one\ntwo"),
            "Something unexpected happened (RuntimeError: one): see Help > Show logs.",
        ),
        (
            KeyError(),
            "Something unexpected happened (KeyError): see Help > Show logs.",
        ),
    ],
    ids=["on purpose", "memory", "memory of a GPU", "unexpected", "without a word"],
)
def test_an_error_becomes_one_sentence(error, sentence):
    assert describe_error(error) == sentence
