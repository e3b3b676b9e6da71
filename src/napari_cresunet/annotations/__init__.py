"""Cells in others' formats, read and written: outlines, or points that mark them."""

from napari_cresunet.annotations._annotated import AnnotatedImage, Annotations
from napari_cresunet.annotations._extents import extent_of
from napari_cresunet.annotations._formats import (
    ANNOTATION_SUFFIXES,
    is_annotation_file,
    load_annotations,
    read_annotations,
)
from napari_cresunet.annotations._outlines import box_of, outlines_of
from napari_cresunet.annotations._write_coco import write_coco
from napari_cresunet.annotations._write_geojson import write_geojson
from napari_cresunet.annotations._write_imagej import write_imagej

__all__ = [
    "ANNOTATION_SUFFIXES",
    "AnnotatedImage",
    "Annotations",
    "box_of",
    "extent_of",
    "is_annotation_file",
    "load_annotations",
    "outlines_of",
    "read_annotations",
    "write_coco",
    "write_geojson",
    "write_imagej",
]
