"""What to do when memory runs out."""

from collections.abc import Iterator
from contextlib import contextmanager

from napari_cresunet.errors import EngineError
from napari_cresunet.inference import is_out_of_memory


@contextmanager
def memory_told(advice: str) -> Iterator[None]:
    """Turn the errors of missing memory into an `EngineError` that gives advice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise EngineError(f"There is not enough memory: {advice}.") from error
