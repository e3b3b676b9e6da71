"""Layers that a network learns from, and those that show how it learns."""

from collections.abc import Collection
from typing import Any

import numpy as np

from napari_cresunet.state import LayerPair, PairChoice, Preview
from napari_cresunet.widgets._layers import (
    SPATIAL,
    find_layer,
    identity_of,
    is_cells,
    layer_shape,
    placement_of,
)
from napari_cresunet.widgets._records import record_of

_KEY = "cresunet"
_PREVIEW, _IMAGE = "training preview", "validation image"


def pair_of(viewer: Any, choice: PairChoice) -> LayerPair | None:
    """Take what two layers hold now.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they are.
    choice : PairChoice
        The two layers.

    Returns
    -------
    LayerPair or None
        The labels are copied, for the user may go on painting; None if a layer is gone.
    """
    image, labels = (find_layer(viewer, key) for key in (choice.image, choice.labels))
    if image is None or labels is None:
        return None
    cells = labels.data[0] if labels.multiscale else labels.data
    return LayerPair(
        identity=choice.image,
        name=image.name,
        image=image.data[0] if image.multiscale else image.data,
        labels=np.array(cells),
        is_rgb=bool(image.rgb),
    )


def cells_of(viewer: Any, image: Any, used: Collection[str] = ()) -> Any:
    """Return the labels that most likely are of an image.

    Parameters
    ----------
    viewer : napari.Viewer
        Where they are.
    image : napari.layers.Image
        The image.
    used : collection of str, optional
        Identities of labels that are of other images.

    Returns
    -------
    napari.layers.Labels or None
        The topmost that were counted on it; else that are called after it, or at least
        are of its size, rather than one that is used.
    """
    known = [layer for layer in reversed(viewer.layers) if is_cells(layer)]
    fitting = [layer for layer in known if layer_shape(layer) == layer_shape(image)]
    counted = (x for x in fitting if record_of(x).get("source") == identity_of(image))
    named = (x for x in fitting if x.name.startswith(image.name))
    free = (layer for layer in fitting if identity_of(layer) not in used)
    return next(iter((*counted, *named, *free, *fitting)), None)


class PreviewLayers:
    """Shows in a viewer what the network makes of the first validation image.

    Parameters
    ----------
    viewer : napari.Viewer
        Where to. The user may delete these layers at any time.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._identity = ""

    def begin(self) -> None:
        """Another training has started, which is shown even if the last was not."""
        self._identity = ""

    def show(self, preview: Preview) -> None:
        """Show a preview in place of the one before.

        Parameters
        ----------
        preview : Preview
            All of one training show the same image.
        """
        if not self._identity:
            self._add(preview)
            return
        layer = find_layer(self._viewer, self._identity)
        if layer is not None:
            layer.data = _expanded(preview.probability, layer.ndim)

    def _add(self, preview: Preview) -> None:
        selected = self._viewer.layers.selection.active
        image = find_layer(self._viewer, preview.origin.identity)
        if image is None:
            image = self._shown_image(preview)
        spatial = _spatial(preview, image)
        data = _expanded(preview.probability, image.ndim)
        # What deletes and renames layers is the user; here they are only used again.
        layer = self._latest(_PREVIEW, image.ndim)
        record = {"kind": _PREVIEW, "source": identity_of(image)}
        if layer is None:
            layer = self._viewer.add_image(
                data,
                name="Training preview",
                colormap="magma",
                blending="additive",
                opacity=0.6,
                contrast_limits=(0, 1),
                metadata={_KEY: record},
                **spatial,
            )
        else:
            layer.data = data
            layer.metadata[_KEY] = record
            for name, value in spatial.items():
                setattr(layer, name, value)
        self._identity = identity_of(layer)
        # A new layer is selected, which would take the brush out of the user's hand.
        if selected is not None:
            self._viewer.layers.selection.active = selected

    def _shown_image(self, preview: Preview) -> Any:
        """Return a layer with an image that is from a file."""
        is_rgb = preview.image.ndim == 3
        layer = self._latest(_IMAGE, 2)
        if layer is not None and bool(layer.rgb) == is_rgb:
            layer.data = preview.image
            layer.reset_contrast_limits()
            return layer
        return self._viewer.add_image(
            preview.image,
            name="Validation image",
            rgb=is_rgb,
            metadata={_KEY: {"kind": _IMAGE}},
        )

    def _latest(self, kind: str, ndim: int) -> Any:
        for layer in reversed(self._viewer.layers):
            if record_of(layer).get("kind") == kind and layer.ndim == ndim:
                return layer
        return None


def _expanded(probability: Any, ndim: int) -> Any:
    """Return a plane as one of a stack."""
    return probability[(np.newaxis,) * (ndim - 2)]


def _spatial(preview: Preview, image: Any) -> dict[str, Any]:
    """Return the arguments of a layer that covers what the preview is of."""
    from napari.utils.transforms import Affine

    spatial = placement_of(image).spatial
    factors = np.ones(image.ndim)
    factors[-2:] = np.divide(preview.image.shape[:2], preview.probability.shape)
    corner = (factors - 1) / 2  # from the center of a pixel to that of another size
    corner[-2:] += preview.origin.corner
    corner[: image.ndim - 2] += preview.origin.plane
    own = {name: spatial[name] for name in SPATIAL[:4]}
    return spatial | {
        "translate": Affine(**own)(corner),
        "scale": np.asarray(spatial["scale"]) * factors,
    }
