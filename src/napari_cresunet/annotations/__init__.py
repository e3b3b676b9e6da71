"""Ground truth in others' formats: outlines, and points where cells are only marked."""

from napari_cresunet.annotations._annotated import AnnotatedImage, Annotations
from napari_cresunet.annotations._formats import (
    ANNOTATION_SUFFIXES,
    is_annotation_file,
    load_annotations,
    read_annotations,
)

__all__ = [
    "ANNOTATION_SUFFIXES",
    "AnnotatedImage",
    "Annotations",
    "is_annotation_file",
    "load_annotations",
    "read_annotations",
]
