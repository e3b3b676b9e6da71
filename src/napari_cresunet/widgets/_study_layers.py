"""Layers as studies, and studies as layers."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_cresunet.errors import InputError
from napari_cresunet.measurement import Region
from napari_cresunet.state import (
    Corrections,
    ImageCandidate,
    StudySnapshot,
    review_progress,
)
from napari_cresunet.studies import ImageReference, StudyContent
from napari_cresunet.widgets._belonging import image_of, pixel_size_of
from napari_cresunet.widgets._corrections import corrections_of, start_corrections
from napari_cresunet.widgets._layers import (
    find_layer,
    identity_of,
    is_source,
    layer_shape,
    placement_of,
    source_of,
)
from napari_cresunet.widgets._measure_regions import regions_for, regions_of
from napari_cresunet.widgets._records import record_of

logger = logging.getLogger("napari_cresunet")

_KEY = "cresunet"


# Taking


def snapshot_of(viewer: Any, identity: str) -> StudySnapshot | None:
    """Take what there is of labels now.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose.
    identity : str
        Of the layer of labels.

    Returns
    -------
    StudySnapshot or None
        None if the layer is gone.

    Raises
    ------
    InputError
        If its labels cannot be corrected any more.
    """
    layer = find_layer(viewer, identity)
    if layer is None:
        return None
    corrections = corrections_of(layer)
    labels, pins = corrections.snapshot()
    image = own_image(viewer, layer)
    content = StudyContent(
        name=layer.name,
        image=None if image is None else reference_of(image),
        labels=labels,
        pins=pins,
        log=tuple(corrections.log),
        reviewed=tuple(sorted(corrections.reviewed)),
        record=dict(record_of(layer)),
        pixel_size=pixel_size_of(layer, image),
        offset=_offset_of(layer),
        regions=_regions_now(viewer, layer),
        metrics={
            "count": corrections.count,
            "pinned": corrections.n_pinned,
            "reviewed": review_progress(corrections)[0],
        },
    )
    pixels = None if image is None else source_of(image).image
    return StudySnapshot(content=content, pixels=pixels)


def own_image(viewer: Any, labels: Any) -> Any:
    """Return the layer with the image that labels were made on, or None."""
    # Once that is gone, another one as large is not the same.
    source = record_of(labels).get("source")
    return find_layer(viewer, str(source)) if source else image_of(viewer, labels)


def reference_of(image: Any) -> ImageReference:
    """Return which image a layer shows, without reading it."""
    pixels, source = source_of(image).image, image.source
    is_file = source.path is not None and "://" not in source.path
    return ImageReference(
        name=image.name,
        path=Path(source.path).absolute() if is_file else None,
        sample=source.sample,
        shape=tuple(int(length) for length in pixels.shape),
        dtype=np.dtype(pixels.dtype).name,
    )


def _offset_of(layer: Any) -> tuple[int, int]:
    try:
        row, column = (int(one) for one in record_of(layer)["offset"])
    except (LookupError, TypeError, ValueError):
        return 0, 0
    return row, column


def _regions_now(viewer: Any, labels: Any) -> tuple[Region, ...]:
    layer = regions_for(viewer, labels)
    try:
        return () if layer is None else regions_of(layer, labels)
    except InputError:  # they are of no use for these labels
        return ()


def candidates_of(layers: Any) -> list[ImageCandidate]:
    """Return images that may be those of a study, the latest first."""
    return [
        ImageCandidate(identity=identity_of(layer), pixels=source_of(layer).image)
        for layer in reversed(layers)
        if is_source(layer)
    ]


# Showing


def open_image(viewer: Any, reference: ImageReference) -> list[Any]:
    """Open the image of a study where it was.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    reference : ImageReference
        The image.

    Returns
    -------
    list of napari.layers.Layer
        Empty if it is not there any more, or cannot be opened.
    """
    try:
        if reference.path is not None and reference.path.exists():
            return _open(viewer, reference.path)
        if reference.sample is not None:
            return list(viewer.open_sample(*reference.sample))
    except Exception as error:  # noqa: BLE001 whatever a reader of others raises
        logger.info("The image of the study cannot be opened: %s", error)
    return []


def _open(viewer: Any, path: Path) -> list[Any]:
    """Open a file with the reader that the user prefers, or else with napari's own."""
    try:
        return list(viewer.open(os.fspath(path), plugin=None))
    except Exception:  # noqa: BLE001 several readers, or one that fails
        return list(viewer.open(os.fspath(path)))


def open_file(viewer: Any, path: Path) -> list[Any]:
    """Open a file that the user chose.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to.
    path : Path
        The file.

    Returns
    -------
    list of napari.layers.Layer
        What is in it.

    Raises
    ------
    InputError
        If it cannot be opened.
    """
    try:
        return _open(viewer, path)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{path} cannot be opened as an image ({reason}): choose another file."
        ) from error


def layer_of(content: StudyContent, image: Any) -> Any:
    """Return a layer with the labels of a study, which no viewer shows yet.

    Parameters
    ----------
    content : StudyContent
        What was saved.
    image : napari.layers.Image or None
        Its image, on which the labels are laid.

    Returns
    -------
    napari.layers.Labels
        With pins, log and reviewed cells.
    """
    from napari.layers import Labels

    source = {} if image is None else {"source": identity_of(image)}
    record = {name: value for name, value in content.record.items() if name != "source"}
    layer = Labels(
        np.array(content.labels),
        name=f"{content.name} cells",
        opacity=0.7,
        metadata={_KEY: record | source | {"kind": "cells"}},
        **_place(content, image),
    )
    start_corrections(
        layer,
        Corrections(
            content.labels,
            pins=content.pins,
            log=content.log,
            reviewed=content.reviewed,
        ),
    )
    return layer


def _place(content: StudyContent, image: Any) -> Mapping[str, Any]:
    """Return everything spatial of the labels."""
    if image is not None and len(layer_shape(image)) == content.labels.ndim:
        return placement_of(image).shifted(content.offset)
    if content.pixel_size is None:
        return {}
    n_leading = content.labels.ndim - 2
    return {
        "scale": (1.0,) * n_leading + content.pixel_size,
        "units": ("pixel",) * n_leading + ("micrometer",) * 2,
    }
