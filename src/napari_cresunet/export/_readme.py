"""The text of a package: what the network wants to see and what it gives."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_cresunet.models import Network
    from napari_cresunet.weights import ModelCard

_SCALINGS = {
    "unit": "divide by the largest value of the type, 255 or 65535",
    "adaptive": "divide by 255 where the image has 8 bits; others from their 1st "
    "percentile (0) to their 99.8th (1), clipped, but never so far that noise becomes "
    "bright",
}
_CHANNELS = {
    "rgb": "red, green and blue as they are; a gray image three times",
    "brightest": "the brightest of red, green and blue, three times",
}


def readme(card: "ModelCard", network: "Network") -> str:
    """Return the text that goes with an exported network, as Markdown.

    Parameters
    ----------
    card : ModelCard
        The model's card.
    network : Network
        Its network.

    Returns
    -------
    str
        What goes in, what comes out, how cells are made of it, where it comes from.
    """
    lines = [
        f"# {card.title}",
        "",
        'Exported by napari-cresunet: from an image to the probability of "cell".',
        "",
        "## Input",
        "",
        f"float32 (N, 3, Y, X) in [0, 1], Y and X multiples of {network.stride}.",
        "",
        f"- Scaling: {_SCALINGS[card.scaling]}.",
        f"- Channels: {_CHANNELS[card.channels]}.",
        f"- Size: resample the image so that cells are {card.diameters_text} wide.",
        f"- Tiles: overlap them by {network.receptive_radius} px on each side.",
        "",
        "## Output",
        "",
        f"float32 (N, 1, Y, X); cell where it is greater than {card.threshold:g}.",
        "",
        f"- Smallest cell: {card.min_size} px.",
        (
            f"- Touching cells: centers at least {card.min_distance} px apart where "
            f"cells are {card.diameter:g} px wide, in proportion where they are wider."
        ),
        "",
        "## Validation",
        "",
        *(_flat(card.scores) or ["No scores are known; count some images by hand."]),
        "",
        "## Origin",
        "",
        f"- Network: {card.variant}",
        f"- Data: {card.data or 'unknown'}",
        f"- License: {card.license or 'unknown'}",
        f"- Cite: {card.citation or 'the papers that the package names'}",
        f"- SHA-256 of the weights in napari-cresunet: {card.weights_hash}",
        "",
    ]
    return "\n".join(lines)


def _flat(scores: object, path: str = "") -> list[str]:
    """Return one list item for each number, however deep it lies."""
    if not hasattr(scores, "items"):
        return [f"- {path}: {scores}"]
    return [
        line
        for name, value in scores.items()
        for line in _flat(value, f"{path}, {name}" if path else str(name))
    ]
