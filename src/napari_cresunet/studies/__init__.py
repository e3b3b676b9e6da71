"""A study: what was counted and corrected in one image, in a folder that stays.

The folder is there whole at any moment, whenever a process is killed; see `_files`.
"""

from napari_cresunet.studies._content import ImageReference, StudyContent
from napari_cresunet.studies._files import peek_study, read_study, write_study
from napari_cresunet.studies._hashing import check_image, image_hash, iter_image_hash
from napari_cresunet.studies._places import (
    Claim,
    Unclosed,
    claim_new,
    discard_study,
    find_unclosed,
    studies_folder,
)

__all__ = [
    "Claim",
    "ImageReference",
    "StudyContent",
    "Unclosed",
    "check_image",
    "claim_new",
    "discard_study",
    "find_unclosed",
    "image_hash",
    "iter_image_hash",
    "peek_study",
    "read_study",
    "studies_folder",
    "write_study",
]
