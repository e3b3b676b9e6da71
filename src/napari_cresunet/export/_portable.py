"""What all formats share: the card as text, writing a file."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._files import written_whole
from napari_cresunet.errors import WeightsError

if TYPE_CHECKING:
    from napari_cresunet.weights import ModelCard

CARD = "card"
"""Under this name the card travels as JSON, "card.json" where names are files'."""


def card_values(card: "ModelCard") -> dict[str, Any]:
    """Return a card as plain values, without where it lay on this machine."""
    values = card.to_dict()
    del values["source"]
    return values


def card_text(card: "ModelCard") -> str:
    """Return a card as JSON, without where it lay on this machine."""
    return json.dumps(card_values(card), ensure_ascii=False)


def missing_package(name: str) -> str:
    """Return the message that a package for exporting is not installed."""
    return (
        f"Exporting needs the package {name}, which is not installed; "
        'install it with: pip install "napari-cresunet[export]"'
    )


def write_export(path: str | Path, content: bytes) -> Path:
    """Write a file in one step: it is there whole or not at all.

    Parameters
    ----------
    path : str or Path
        The file to write or replace; missing folders are made.
    content : bytes
        All of it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    WeightsError
        If it cannot be written.
    """
    path = Path(path)
    try:
        with written_whole(path) as file:
            file.write(content)
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be written ({error.strerror}); "
            "choose another folder or free some space."
        ) from error
    return path
