"""What is known of each image of a batch, and what an earlier run left of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_cresunet.batch._options import BatchOptions

State = Literal["waiting", "running", "done", "failed", "reviewed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One image of a batch."""

    name: str
    """First part of the names of its results; different for each image."""
    path: Path
    """The image."""
    state: State = "waiting"
    count: int | None = None
    """Cells that were found automatically; None before."""
    corrected: int | None = None
    """Cells after the review by hand; None before."""
    error: str = ""
    """One sentence if it failed, else empty."""
    seconds: float | None = None
    """That its counting took, without what waited for others."""
    group: str = ""
    """Whatever the list of images says of it, such as an animal or a treatment."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """How the automatic labels came about, ready for JSON, with the names of its files
    as "labels", "probability", "overlay" and "cells"; empty before."""

    @property
    def best_count(self) -> int | None:
        """What goes into a paper: the corrected count, else the automatic one."""
        return self.count if self.corrected is None else self.corrected


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What is in the folder of a batch."""

    output: Path
    entries: tuple[Entry, ...]
    """In the order in which the images were given."""
    options: BatchOptions | None = None
    """Of the last run; None if the folder was written by hand or does not say."""


def read_batch(output: str | Path) -> Batch:
    """Read what earlier runs left in a folder; neither torch nor images are loaded.

    Parameters
    ----------
    output : str or Path
        The folder.

    Returns
    -------
    Batch
        Entries whose records are damaged are waiting again.

    Raises
    ------
    InputError
        If there is no batch in the folder.
    """
    raise NotImplementedError
