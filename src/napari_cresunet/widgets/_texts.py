"""Explanations that come from the options themselves."""

from dataclasses import fields

from napari_cresunet.state import Choices, TrainChoices


def _texts(options: type) -> dict[str, str]:
    return {spec.name: spec.metadata["text"] for spec in fields(options)}


_TEXT_OF, _TRAIN_TEXT_OF = _texts(Choices), _texts(TrainChoices)


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


def train_tooltip(option: str) -> str:
    """Return what an option of the dock Train is for, as wrapping text.

    Parameters
    ----------
    option : str
        A field of `TrainChoices`.

    Returns
    -------
    str
        Rich text, as of `tooltip`.
    """
    return f"<qt>{train_text(option)}</qt>"


def train_text(option: str) -> str:
    """Return the sentences of `train_tooltip` alone.

    Parameters
    ----------
    option : str
        A field of `TrainChoices`.

    Returns
    -------
    str
        Plain text.
    """
    return _TRAIN_TEXT_OF[option]
