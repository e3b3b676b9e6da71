"""The command line; importing it loads neither torch nor the image libraries."""

from napari_cresunet.cli._main import main

__all__ = ["main"]
