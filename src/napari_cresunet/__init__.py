"""Count fluorescent cells with c-ResUnet networks.

Importing this package is cheap: torch and the other heavy libraries load with the first
function that needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_cresunet.evaluation import Scores, aggregate, evaluate, sweep
    from napari_cresunet.inference import Model, load_model, predict
    from napari_cresunet.segmentation import LiveSegmenter, segment
    from napari_cresunet.training import TrainConfig, train
    from napari_cresunet.weights import ModelCard, list_models

_HOME_OF = {
    "LiveSegmenter": "segmentation",
    "Model": "inference",
    "ModelCard": "weights",
    "Scores": "evaluation",
    "TrainConfig": "training",
    "aggregate": "evaluation",
    "evaluate": "evaluation",
    "list_models": "weights",
    "load_model": "inference",
    "predict": "inference",
    "segment": "segmentation",
    "sweep": "evaluation",
    "train": "training",
}

__all__ = [
    "LiveSegmenter",
    "Model",
    "ModelCard",
    "Scores",
    "TrainConfig",
    "aggregate",
    "evaluate",
    "list_models",
    "load_model",
    "predict",
    "segment",
    "sweep",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("napari-cresunet")
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
