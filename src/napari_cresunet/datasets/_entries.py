"""What folders of training data hold, before it is read."""

from dataclasses import dataclass
from pathlib import Path

from napari_cresunet.datasets._pairs import Pair
from napari_cresunet.datasets._stems import matched, read_pair
from napari_cresunet.datasets._truths import TruthFile, stem_of_file

SPLIT_OF = {
    **{"train": "train", "training": "train", "trainval": "train"},
    **{"val": "val", "valid": "val", "validation": "val"},
    **{"test": "test", "testing": "test"},
}
"""What splits are called elsewhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A pair that is not read yet."""

    name: str
    image: Path
    truth: TruthFile
    split: str | None = None
    match_distance: float | None = None
    cell_diameter: float | None = None

    def read(self) -> Pair:
        """Read the image and its truth."""
        return read_pair(
            self.image,
            self.truth,
            name=self.name,
            match_distance=self.match_distance,
            cell_diameter=self.cell_diameter,
        )


def entries_of(
    images: Path, truths: Path, *, prefix: str = "", split: str | None = None
) -> list[Entry]:
    """Pair the images of one folder with the truths of another.

    Parameters
    ----------
    images, truths : Path
        The folders.
    prefix : str, optional
        Put before the names.
    split : str, optional
        The split of all of them.

    Returns
    -------
    list of Entry
        One or more, by name.
    """
    return [
        Entry(name=prefix + stem_of_file(path), image=path, truth=truth, split=split)
        for path, truth in matched(images, truths).pairs
    ]
