"""Ground truth in others' formats: Pascal VOC, COCO and VGG Image Annotator."""

from napari_cresunet.annotations._annotated import AnnotatedImage, Annotations
from napari_cresunet.annotations._formats import (
    ANNOTATION_SUFFIXES,
    load_annotations,
    read_annotations,
)

__all__ = [
    "ANNOTATION_SUFFIXES",
    "AnnotatedImage",
    "Annotations",
    "load_annotations",
    "read_annotations",
]
