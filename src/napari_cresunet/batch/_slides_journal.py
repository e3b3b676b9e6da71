"""What is done of an image larger than memory, kept so that a kill costs little."""

import io
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cresunet._files import lock_file
from napari_cresunet._writing import told_why, write_bytes, write_json
from napari_cresunet.batch._slides_plan import Block, SlidePlan
from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from napari_cresunet.segmentation import JoinedCells, Runs

_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError)


@dataclass(frozen=True, kw_only=True, slots=True)
class DoneBlock:
    """What is left of a block when its probability is written."""

    runs: "Runs"
    threshold: float
    """That the runs are above."""
    record: dict[str, Any]
    """As `iter_predict` wrote it for this block."""


@dataclass(frozen=True, slots=True)
class SlideJournal:
    """The folder of one image; each file in it is whole or not there.

    It can be sent to another process that shares the file system.
    """

    folder: Path

    @property
    def hidden_probability(self) -> Path:
        """Where the probability is if it is not to be kept."""
        return self.folder / "probability.ome.zarr"

    def read_plan(self) -> SlidePlan | None:
        """Return the plan of an earlier run, or None if there is none."""
        try:
            return SlidePlan.from_dict(_read_json(self.folder / "plan.json"))
        except _DAMAGE:
            return None

    def note(self, plan: SlidePlan) -> None:
        """Note the plan, when there is room for what will be done."""
        write_json(self.folder / "plan.json", plan.to_dict(), indent=1)

    def forget(self) -> None:
        """Forget all earlier work."""
        with suppress(FileNotFoundError):
            (self.folder / "plan.json").unlink()
        self.forget_result()
        self.drop_blocks()
        self.drop_cells()

    def save_block(self, block: Block, done: DoneBlock) -> None:
        """Note that a block was predicted and written."""
        content = io.BytesIO()
        np.savez_compressed(
            content,
            **done.runs._asdict(),
            threshold=np.float64(done.threshold),
            record=np.array(json.dumps(done.record)),
        )
        write_bytes(self._file_of(block), content.getvalue())

    def read_block(self, block: Block) -> DoneBlock | None:
        """Return what is left of a block, or None if it must be predicted."""
        from napari_cresunet.segmentation import Runs

        try:
            with np.load(self._file_of(block), allow_pickle=False) as arrays:
                return DoneBlock(
                    runs=Runs(*(arrays[field] for field in Runs._fields)),
                    threshold=float(arrays["threshold"]),
                    record=json.loads(str(arrays["record"])),
                )
        except _DAMAGE:
            return None

    def save_cells(self, plane: int, cells: "JoinedCells") -> None:
        """Put the cells of a plane aside."""
        path = self.folder / "cells" / f"{plane}.npz"
        with told_why(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(
                path, **cells.runs._asdict(), numbers=cells.numbers, count=cells.count
            )

    def read_cells(self, plane: int, shape: tuple[int, int]) -> "JoinedCells":
        """Return the cells of a plane that were put aside in the same run."""
        from napari_cresunet.segmentation import JoinedCells, Runs

        with np.load(self.folder / "cells" / f"{plane}.npz") as arrays:
            return JoinedCells(
                runs=Runs(*(arrays[field] for field in Runs._fields)),
                numbers=arrays["numbers"],
                count=int(arrays["count"]),
                shape=shape,
            )

    def drop_blocks(self) -> None:
        """Delete what is left of all blocks, and a probability that is not kept."""
        for path in (self.folder / "blocks", self.hidden_probability):
            shutil.rmtree(path, ignore_errors=True)

    def drop_cells(self) -> None:
        """Delete what was put aside of the planes."""
        shutil.rmtree(self.folder / "cells", ignore_errors=True)

    def save_result(self, result: Mapping[str, Any]) -> None:
        """Note that all is done."""
        write_json(self.folder / "result.json", result, indent=1)

    def read_result(self) -> dict[str, Any] | None:
        """Return what was noted when all was done, or None."""
        try:
            return _read_json(self.folder / "result.json")
        except _DAMAGE:
            return None

    def forget_result(self) -> None:
        """Note that the results are worked on again."""
        with suppress(FileNotFoundError):
            (self.folder / "result.json").unlink()

    def _file_of(self, block: Block) -> Path:
        name = f"{block.plane}_{block.top}_{block.left}.npz"
        return self.folder / "blocks" / name


def _read_json(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_bytes())
    return values


def journal_folder(output: Path, name: str) -> Path:
    """Return where the journal of an image is."""
    return output.absolute() / ".batch" / "slides" / name


@contextmanager
def open_journal(output: Path, name: str) -> Iterator[SlideJournal]:
    """Open the journal of one image for the length of a block.

    Parameters
    ----------
    output : Path
        Folder of the results; made if missing.
    name : str
        First part of the names of the image's files.

    Yields
    ------
    SlideJournal
        No other process has it open.

    Raises
    ------
    InputError
        If another process works on the image.
    EngineError
        If the folder cannot be written to.
    """
    folder = journal_folder(output, name)
    lock = folder / "lock"
    with told_why(folder):
        folder.mkdir(parents=True, exist_ok=True)
        file = lock.open("ab")
    with file:
        if not lock_file(file):
            raise InputError(
                f"Another run is counting {name} into {output}: wait for it, or choose "
                "another folder."
            )
        yield SlideJournal(folder)
