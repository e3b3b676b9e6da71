"""The card of a network that came without one."""

import re
from pathlib import Path

from napari_cresunet.weights._card import ModelCard


def imported_card(
    path: Path,
    name: str | None,
    *,
    origin: str,
    threshold: float,
    weights_hash: str,
) -> ModelCard:
    """Return a card with what Morelli et al. 2021 recommend for c-ResUnet.

    Parameters
    ----------
    path : Path
        The imported file.
    name : str or None
        The model's name; that of the file if None.
    origin : str
        What wrote the file, such as "Keras".
    threshold : float
        Recommended threshold of its authors.
    weights_hash : str
        SHA-256 of the converted tensors.

    Returns
    -------
    ModelCard
        The card, `path` its source.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip("._-") or "imported"
    return ModelCard(
        name=stem if name is None else name,
        title=f"{path.stem} (imported from {origin})",
        variant="c-resunet",
        scaling="unit",
        diameter=36.5,  # equivalent diameter of the mean cell in their images
        threshold=threshold,
        min_size=200,
        min_distance=20,
        license="unknown; ask whoever made the file",
        weights_hash=weights_hash,
        source=str(path),
    )
