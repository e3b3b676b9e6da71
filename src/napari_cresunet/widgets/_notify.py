"""How the user is told."""

import logging

from napari.utils.notifications import show_error, show_info

from napari_cresunet.errors import CResUNetError
from napari_cresunet.state import describe_error

logger = logging.getLogger("napari_cresunet")


def tell_error(error: BaseException) -> str:
    """Show an error as one sentence; log it with its traceback if it is unexpected.

    Parameters
    ----------
    error : BaseException
        What went wrong.

    Returns
    -------
    str
        The sentence.
    """
    sentence = describe_error(error)
    if isinstance(error, CResUNetError):
        logger.info("%s", sentence)
    else:
        logger.error("%s", sentence, exc_info=error)
    show_error(sentence)
    return sentence


def tell(sentence: str) -> None:
    """Show something that the user should know.

    Parameters
    ----------
    sentence : str
        One sentence.
    """
    logger.info("%s", sentence)
    show_info(sentence)
