"""Explanations that come from the options themselves."""

from dataclasses import fields

from napari_cresunet.state import Choices

_TEXT_OF = {spec.name: spec.metadata["text"] for spec in fields(Choices)}


def tooltip(option: str) -> str:
    """Return what an option is for, as wrapping text.

    Parameters
    ----------
    option : str
        A field of `Choices`.

    Returns
    -------
    str
        Rich text: Qt does not break the lines of plain tooltips.
    """
    return f"<qt>{_TEXT_OF[option]}</qt>"
