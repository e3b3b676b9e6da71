"""What went wrong, in a sentence for the user."""

from napari_cresunet.errors import CResUNetError


def describe_error(error: BaseException) -> str:
    """Say in one sentence what went wrong and what to do.

    Parameters
    ----------
    error : BaseException
        What the work raised.

    Returns
    -------
    str
        The message of an error raised on purpose; a general sentence for others.
    """
    if isinstance(error, CResUNetError):
        return str(error)
    # torch's own OutOfMemoryError is no MemoryError, and torch is not imported here.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return (
            "There was not enough memory: predict the field of view only, choose a "
            "smaller tile under Advanced, or close other programs."
        )
    lines = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return f"Something unexpected happened ({reason}): see Help > Show logs."
