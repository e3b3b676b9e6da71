"""What a run has to do, by what earlier ones have left."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._wording import list_names
from napari_cresunet.batch._counting import CountOptions, segmentation_parameters
from napari_cresunet.batch._inputs import ListedImage, result_names
from napari_cresunet.batch._journal import Journal, Listed
from napari_cresunet.batch._options import BatchOptions
from napari_cresunet.batch._reading import Task
from napari_cresunet.batch._stages import Setting
from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from napari_cresunet.weights import ModelCard

_MOST_NAMES = 5


def named(images: Sequence[ListedImage], journal: Journal) -> list[Listed]:
    """Give images their names; those of earlier runs keep theirs."""
    paths = [image.path for image in images]
    names = result_names(paths, journal.known_names())
    return [
        Listed(
            name=name,
            path=image.path.resolve(),
            given=str(image.path),
            group=image.group,
            diameter=image.diameter,
            threshold=image.threshold,
        )
        for name, image in zip(names, images, strict=True)
    ]


def refuse_overwriting(
    images: Sequence[Listed], output: Path, options: BatchOptions
) -> None:
    """Refuse to write results over an image that is to be counted.

    Raises
    ------
    InputError
        If an image lies where a result is to go.
    """
    endings = ["labels.tif", "probability.tif"]
    endings += ["labels.ome.zarr", "probability.ome.zarr"]
    endings += ["overlay.png"] if options.overlay else []
    read = {image.path for image in images}
    folder = output.resolve()
    for image in images:
        for ending in endings:
            target = folder / f"{image.name}_{ending}"
            if target in read:
                raise InputError(
                    f"The results would overwrite the image {target}; "
                    "choose another folder."
                )


class Plan:
    """Which images are counted, and which stay as they are."""

    def __init__(self, images: Sequence[Listed], setting: Setting) -> None:
        self._images = images
        self._setting = setting
        self._files = _files_in(setting.journal.output)
        tasks = [self._task(image) for image in images]
        self.n_to_count = sum(
            task.known is None and not task.is_reviewed for task in tasks
        )
        self._tasks = tasks

    def tasks(self) -> Iterator[Task]:
        """Return what is to be done with each image."""
        return iter(self._tasks)

    def messages(self) -> list[str]:
        """Return what the user should know before the run begins."""
        said = []
        others = self._setting.journal.documents.keys() - {x.name for x in self._images}
        if others:
            said.append(
                f"The folder has results of {_several(len(others))} that were not "
                "given this time; the tables leave them out."
            )
        outdated = [
            task.image.name
            for task in self._tasks
            if task.is_reviewed and task.known is None
        ]
        if outdated:
            names = list_names(outdated, _MOST_NAMES)
            said.append(
                f"{names}: reviewed with another model or other settings, which stays; "
                "--again counts anew and keeps a copy of the review."
            )
        return said

    def _task(self, image: Listed) -> Task:
        journal, options = self._setting.journal, self._setting.options
        count = replace(
            options.count,
            diameter=options.count.diameter
            if image.diameter is None
            else image.diameter,
            threshold=options.count.threshold
            if image.threshold is None
            else image.threshold,
        )
        document = None if options.again else journal.documents.get(image.name)
        record = (document or {}).get("record") or {}
        has_review = bool((document or {}).get("review"))
        is_reviewed = has_review and journal.is_reviewed(image.name)
        # A review that is gone has taken the labels with it that the record tells of.
        is_whole = has_review == is_reviewed and record.get("labels") in self._files
        is_known = is_whole and is_as_wanted(record, self._setting.card, count, options)
        wanted = record.get("probability") in self._files or not options.probability
        if is_known and not is_reviewed and not wanted:
            is_known = False
        return Task(
            image=image,
            count=count,
            known=document if is_known else None,
            is_reviewed=is_reviewed,
            lacking=self._lacking(record) if is_known else (),
        )

    def _lacking(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        options = self._setting.options
        wanted = {"overlay": options.overlay, "cells": options.cells}
        return tuple(
            kind
            for kind, is_wanted in wanted.items()
            if is_wanted and record.get(kind) not in self._files
        )


def is_as_wanted(
    record: Mapping[str, Any],
    card: "ModelCard",
    count: CountOptions,
    options: BatchOptions,
) -> bool:
    """Tell whether a record is of the weights and parameters that are wanted now.

    Parameters
    ----------
    record : mapping
        Of an earlier count.
    card : ModelCard
        Of the model.
    count : CountOptions
        How the image is to be counted.
    options : BatchOptions
        Backend and precision are those of its model. Where the choice was left to the
        program, only 8 bits, which it never chooses, make a difference.

    Returns
    -------
    bool
        Whether counting would give the same result.
    """
    wanted = segmentation_parameters(card, count)
    wanted |= {"weights_hash": card.weights_hash, "diameter": count.diameter}
    model = options.model
    return (
        all(record.get(name) == value for name, value in wanted.items())
        and model.backend in ("auto", record.get("backend", "torch"))
        and (
            model.precision == record.get("precision", "full")
            or (model.precision == "auto" and record.get("precision") != "int8")
        )
    )


def _files_in(output: Path | None) -> frozenset[str]:
    """Return the names of all files of a folder; asking for each takes longer."""
    if output is None:
        return frozenset()
    return frozenset(path.name for path in output.iterdir())


def _several(number: int) -> str:
    return "another image" if number == 1 else f"{number} other images"
