"""Does the count stay the same when only the picture changes?

    python benchmarks/robustness.py DATA [--model NAME] [--split test]

Counts the images of each set as they are, in another color or as gray pictures, and at
half and double size with the cell diameter given. Prints the counts of each set and
how far they are from those of the images as they are.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from image_sets import SETS, Case, cases, resized_image
from scores import labels_of

from napari_cresunet import Model, load_model
from napari_cresunet.weights import DEFAULT_MODEL


def as_gray(case: Case) -> Case:
    """Return the picture without color, by its brightest channel."""
    if case.image.ndim == 2:
        return case
    return replace(case, image=case.image.max(axis=-1))


def as_green(case: Case) -> Case:
    """Return the picture in pure green."""
    gray = as_gray(case).image
    image = np.zeros((*gray.shape, 3), gray.dtype)
    image[..., 1] = gray
    return replace(case, image=image)


def as_luminance(case: Case) -> Case:
    """Return the picture without color, as programs for photographs make it."""
    if case.image.ndim == 2:
        return case
    gray = case.image @ np.array([0.2126, 0.7152, 0.0722])
    return replace(case, image=np.round(gray).astype(case.image.dtype))


def resized(factor: float) -> Callable[[Case], Case]:
    """Return a function that makes a picture larger or smaller, its cells too."""

    def resize(case: Case) -> Case:
        image = resized_image(case.image, factor)
        return replace(case, image=image, diameter=case.diameter * factor)

    return resize


CHANGES: dict[str, Callable[[Case], Case]] = {
    "as it is": lambda case: case,
    "gray (brightest channel)": as_gray,
    "green": as_green,
    "gray (luminance)": as_luminance,
    "half size": resized(0.5),
    "double size": resized(2.0),
}


def count(model: Model, case: Case) -> int:
    """Count as a user does who gives the cell diameter."""
    return int(labels_of(model, case, resample=True).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--split", default="test", choices=["val", "test"])
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    model = load_model(arguments.model, arguments.device)
    print(f"| set | {' | '.join(CHANGES)} |")
    print(f"|---|{'---|' * len(CHANGES)}")
    for kind in SETS:
        images = list(cases(kind, arguments.split, arguments.data))
        counts = [
            sum(count(model, change(case)) for case in images)
            for change in CHANGES.values()
        ]
        cells = [f"{n} ({n / counts[0] - 1:+.1%})" for n in counts[1:]]
        print(f"| {kind} | {counts[0]} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
