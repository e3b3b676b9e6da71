"""What can go wrong, as one tree.

::

    CResUNetError
    ├── InputError(ValueError)   an image, label image or parameter cannot be used
    ├── WeightsError             a weight file is missing, damaged or of another network
    └── EngineError              the computation itself failed, such as out of memory
        └── LossError            a training cannot go on: its loss is not a number

Every message is one sentence that names what is wrong and what to do.
"""


class CResUNetError(Exception):
    """Base of all errors that this package raises on purpose."""


class InputError(CResUNetError, ValueError):
    """An image, a label image or a parameter cannot be used."""


class WeightsError(CResUNetError):
    """A weight file is missing, damaged, unsafe or made for another network."""


# Not a RuntimeError: Qt generator workers drop those without a word.
class EngineError(CResUNetError):
    """The computation failed though its input was sound."""


class LossError(EngineError):
    """A training cannot go on with these settings: its loss is not a number."""
