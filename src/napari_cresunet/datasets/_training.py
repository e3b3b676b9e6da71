"""Which images of a folder are learned from, and which are held out."""

from pathlib import Path

from napari_cresunet.datasets._layouts import load_pairs, splits_in
from napari_cresunet.datasets._pairs import Pair
from napari_cresunet.datasets._split import check_pairs, split_pairs
from napari_cresunet.errors import InputError


def load_training_pairs(
    folder: str | Path, *, validation: float = 0.2, seed: int = 0
) -> tuple[list[Pair], list[Pair]]:
    """Read what a folder has to learn from; its test images are not touched.

    Parameters
    ----------
    folder : str or Path
        In a layout that `load_pairs` knows.
    validation : float, optional
        Part of the images that is held out where the folder has no split "val".
    seed : int, optional
        Decides which.

    Returns
    -------
    training, validation : list of Pair
        Of the splits "train" and "val", if there are both.

    Raises
    ------
    InputError
        If there is nothing to learn from.
    """
    train, held_out = training_splits(folder)
    pairs = list(load_pairs(folder, split=train))
    check_pairs(pairs)
    if held_out:
        return pairs, list(load_pairs(folder, split=held_out))
    return split_pairs(pairs, validation=validation, seed=seed)


def training_splits(folder: str | Path) -> tuple[str | None, str | None]:
    """Tell which splits of a folder are learned from and held out.

    Parameters
    ----------
    folder : str or Path
        In a layout that `load_pairs` knows.

    Returns
    -------
    train, held_out : str or None
        For `load_pairs`; None for all images, and if none are held out.

    Raises
    ------
    InputError
        If it is divided and has no split to learn from.
    """
    splits = splits_in(folder)
    if splits and "train" not in splits:
        raise InputError(
            f"{folder} has only images for {' and '.join(splits)}: give a folder with "
            "images to learn from."
        )
    return ("train" if splits else None), ("val" if "val" in splits else None)
