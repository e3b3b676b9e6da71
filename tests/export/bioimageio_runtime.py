"""bioimageio.core, mended where its version does not fit that of pydantic.

bioimageio.spec 0.5.12, which bioimageio.core 0.11 asks for, hands the handler of its
serializers an argument that pydantic 2.14 refuses; bioimageio.spec 0.5.14 no longer
does. So while it is imported, and then only, its serializers get a handler that takes
the argument. Import this module before anything of bioimageio.
"""

from functools import wraps
from unittest import mock

from pydantic_core import core_schema

_make_schema = core_schema.wrap_serializer_function_ser_schema


def _with_lenient_handler(function, **options):
    @wraps(function)
    def lenient(*arguments):
        return function(
            *(
                (lambda value, *_, handler=argument: handler(value))
                if callable(argument)
                else argument
                for argument in arguments
            )
        )

    return _make_schema(lenient, **options)


with mock.patch.object(
    core_schema, "wrap_serializer_function_ser_schema", _with_lenient_handler
):
    from bioimageio.core import (
        create_prediction_pipeline,
        load_model_description,
        predict,
        test_description,
    )

__all__ = [
    "create_prediction_pipeline",
    "load_model_description",
    "predict",
    "test_description",
]
