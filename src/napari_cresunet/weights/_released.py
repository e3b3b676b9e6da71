"""The weights that the authors of c-ResUnet released, and where they lie.

Each file is pinned by commit, and known by its git blob id: the SHA-1 of "blob ", its
size in decimal, a zero byte and its content.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from napari_cresunet.weights._card import ModelCard

_MORELLI = (
    "Morelli R., Clissa L. et al., Automating cell counting in fluorescent microscopy "
    "through deep learning with c-ResUnet, Sci Rep 11:22920 (2021), "
    "doi:10.1038/s41598-021-01929-5"
)
_CLISSA = (
    "Clissa L., Macaluso A. et al., Fluorescent Neuronal Cells v2: multi-task, "
    "multi-format annotations for deep learning in microscopy, Sci Data 11 (2024), "
    "doi:10.1038/s41597-024-03005-9"
)
_TERMS = {
    "license": "Apache-2.0, the license of the repository, which says nothing of the "
    "weights alone; they learned from images under CC BY-SA 4.0"
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Released:
    """A released weight file and the card that it gets here."""

    card: ModelCard
    """Its name and recommendations; what is written when it is stored is added."""
    repository: str
    """OWNER/NAME on GitHub."""
    commit: str
    """40 hexadecimal digits."""
    path: str
    """Inside the repository; its suffix tells the format: .h5 or .pth."""
    blob_id: str
    """Git blob id of the content, 40 hexadecimal digits."""

    @property
    def url(self) -> str:
        """Where it lies, without scheme and host."""
        return f"{self.repository}/{self.commit}/{self.path}"

    @property
    def file_name(self) -> str:
        """What its copy on this machine is called."""
        return f"{self.card.name}{PurePosixPath(self.path).suffix}"


def _release(
    card: dict[str, Any], repository: str, commit: str, path: str, blob_id: str
) -> Released:
    """Return a row; what all of them share of the card is filled in here."""
    shared: dict[str, Any] = {
        "variant": "c-resunet",
        "scaling": "unit",
        "min_distance": 20,
    }
    origin = {
        "released_in": f"github.com/{repository} @ {commit}",
        "file": path,
        "git_blob_id": blob_id,
    }
    settings = card.get("settings", {}) | origin
    return Released(
        card=ModelCard(**shared | _TERMS | card | {"settings": settings}),
        repository=repository,
        commit=commit,
        path=path,
        blob_id=blob_id,
    )


def _fluocells(stain: str, seed: int, blob_id: str, card: dict[str, Any]) -> Released:
    """Return a row of fluocells; threshold and sizes are those of its evaluate.py."""
    return _release(
        {
            "name": f"fluocells-{stain}",
            "title": f"fluocells {stain}",
            "threshold": 0.5,
            "min_size": 200,
            "data": f"Fluorescent Neuronal Cells v2, {stain}, crops of 512x512 px",
            "citation": f"{_CLISSA}; {_MORELLI}",
        }
        | card,
        "clissa/fluocells-scientific-data",
        "69da63669a03831e45a506a88bbc0f48eb9dc019",
        f"models/{stain}_{seed}/model.pth",
        blob_id,
    )


_ROWS = (
    _release(
        {
            "name": "morelli2021",
            "title": "Morelli & Clissa 2021",
            "diameter": 36.5,  # equivalent diameter of the mean cell in their images
            "threshold": 0.6,
            "min_size": 200,
            "data": "Fluorescent Neuronal Cells v1, yellow, crops of 512x512 px",
            "citation": _MORELLI,
            "settings": {"preset": "morelli2021"},
            "scores": {
                "70 test images, by Tashfeen": {
                    "f1": 0.7835,
                    "mae": 2.7429,
                    "medae": 2.0,
                    "mpe": -0.0282,
                    "accuracy": 0.6441,
                    "precision": 0.8074,
                    "recall": 0.7610,
                }
            },
        },
        "robomorelli/cell_counting_yellow",
        "822944cf91a60c8aae6671d05fbc1c23728cad68",
        "model_results/c-ResUnet.h5",
        "205a23d0809fc3669f828825f688132cde3e4343",
    ),
    _fluocells(
        "yellow",
        54321,
        "fee5b3b365cdeaa9195e82e2af1b9a63d7570d06",
        {"diameter": 36.5},  # as above: the same images, annotated anew
    ),
    # Sizes of green nuclei and red cells are not published: medians of 97 and 102
    # objects in a few reduced pictures of the dataset, scaled back to 1600x1200 px.
    _fluocells(
        "green",
        12345,
        "106254194d02f943c70d7357d619cb2c45be302f",
        {"diameter": 27.0, "settings": {"diameter": "measured on 97 nuclei"}},
    ),
    _fluocells(
        "red",
        98765,
        "4d60fb884a63503733cd90667b575d01de2e48c3",
        {"diameter": 56.0, "settings": {"diameter": "measured on 102 cells"}},
    ),
)

RELEASED: dict[str, Released] = {row.card.name: row for row in _ROWS}
"""All released weights by the name that they are stored under."""
