"""The command `export`: cells in formats of others, as picture and as report."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet._files import hash_of
from napari_cresunet.cli._files import refuse_overwriting
from napari_cresunet.cli._measured_files import (
    MeasureOptions,
    find_pixel_size,
    read_cells,
    read_material,
)
from napari_cresunet.cli._terminal import stdout_console, tell, tell_json
from napari_cresunet.cli._truth_pairs import PREDICTED_ENDINGS, name_without, record_in
from napari_cresunet.errors import InputError

if TYPE_CHECKING:
    from napari_cresunet.export import Counted


def export_labels(
    path: Path,
    kind: str,
    options: MeasureOptions,
    output: Path | None,
    *,
    numbers: bool,
    as_json: bool,
) -> None:
    """Write the cells of a file in another format, and print what was written.

    Parameters
    ----------
    path : Path
        Label image, mask or annotation file.
    kind : str
        A key of `LABEL_FORMATS`.
    options : MeasureOptions
        What else is known.
    output : Path or None
        The file; None for the name of the labels in the working folder.
    numbers : bool
        Whether an overlay has the number of each cell.
    as_json : bool
        Whether stdout gets JSON.
    """
    from napari_cresunet.export import LABEL_FORMATS, write_overlay

    form = LABEL_FORMATS[kind]
    target = output or Path(f"{name_without(path, PREDICTED_ENDINGS)}{form.ending}")
    if target.is_dir():
        raise InputError(f"{target} is a folder: name a file in it.")
    if path.is_file() and options.image is None:
        options = replace(options, image=_image_of(path))
    refuse_overwriting(form.files(target), [path, *options.files.values()])
    counted = _counted(path, options)
    if kind == "overlay":
        write_overlay(target, counted, numbers=numbers)
        written = [target]
    else:
        written = form.write(target, counted)
    if as_json:
        files = [str(file) for file in written]
        tell_json({"format": kind, "cells": counted.n_cells, "files": files})
        return
    console = stdout_console()
    for file in written:
        told = f" ({form.title})" if file == target else ""
        console.print(f"Wrote {file}{told}", soft_wrap=True, markup=False)


def _image_of(path: Path) -> Path | None:
    """Return the image that labels were made from, if it is still the same."""
    record = record_in(path)
    said = record.get("image")
    image = Path(said) if isinstance(said, str) else None
    if image is None or not image.is_file():
        return None
    if record.get("image_hash") != hash_of(image):
        return None
    tell(f"Image: {image}, from which these labels were made.")
    return image


def _counted(path: Path, options: MeasureOptions) -> "Counted":
    from napari_cresunet.export import Counted

    labels = read_cells(path, options.image)
    material = read_material(path, labels.shape, options)
    size = find_pixel_size(path, options)
    return Counted(
        name=name_without(path, PREDICTED_ENDINGS)
        if options.image is None
        else options.image.name,
        labels=labels,
        image=material.image,
        probability=material.probability,
        pixel_size=size.sides,
        regions=material.regions,
        record=_record(path, options, size.source),
    )


def _record(path: Path, options: MeasureOptions, source: str | None) -> dict[str, Any]:
    """Return what the labels say of their origin, and which files were read."""
    told: dict[str, Any] = {"files": options.told_files(path)}
    told |= {"pixel_size_from": source} if source else {}
    return record_in(path) | told
