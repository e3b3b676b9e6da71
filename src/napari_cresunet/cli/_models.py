"""The commands `models list`, `models info` and `models import`."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cresunet.cli._terminal import stdout_console, tell_json

if TYPE_CHECKING:
    from napari_cresunet.weights import ModelCard


def print_models(*, as_json: bool) -> None:
    """Print the models that can be found by name."""
    from rich.table import Table

    from napari_cresunet.weights import list_models

    cards = list_models()
    if as_json:
        tell_json([card.to_dict() for card in cards])
        return
    table = Table()
    table.add_column("Name", no_wrap=True)
    table.add_column("Title")
    table.add_column("Cell diameter", justify="right")
    table.add_column("Threshold", justify="right")
    table.add_column("From")
    for card in cards:
        numbers = (card.diameters_text, f"{card.threshold:g}")
        table.add_row(card.name, card.title, *numbers, card.source)
    stdout_console().print(table)


def print_card(name: str, *, as_json: bool) -> None:
    """Print all that is known of a model, named or given as a file."""
    from rich.table import Table
    from rich.text import Text

    from napari_cresunet.inference import read_quantized
    from napari_cresunet.weights import find_weights, read_card

    card = read_card(find_weights(name))
    known = read_quantized(card.weights_hash)
    if as_json:
        quantized = {} if known is None else {"quantized": asdict(known)}
        tell_json(card.to_dict() | quantized)
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    in_8_bits = [] if known is None else [("Quantized", known.text)]
    for label, value in [*_rows(card), *in_8_bits]:
        table.add_row(label, Text(value, overflow="fold"))
    stdout_console().print(table)


def _rows(card: "ModelCard") -> list[tuple[str, str]]:
    rows = [
        ("Name", card.name),
        ("Title", card.title),
        ("Network", card.variant),
        ("Input scaling", card.scaling),
        ("Cell diameter", card.diameters_text),
        ("Threshold", f"{card.threshold:g}"),
        ("Smallest cell", f"{card.min_size} px where cells are {card.diameters_text}"),
        ("Touching cells", f"centers at least {card.min_distance} px apart"),
        ("Data", card.data),
        ("License", card.license),
        ("Citation", card.citation),
        ("Weights SHA-256", card.weights_hash),
        ("From", card.source),
        *_flat("Settings", card.settings),
        *_flat("Scores", card.scores),
    ]
    return [(label, value) for label, value in rows if value]


def _flat(label: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return one row for each number, however deep it lies."""
    rows = []
    for name, value in values.items():
        path = f"{label}, {name}"
        if isinstance(value, Mapping):
            rows.extend(_flat(path, value))
        else:
            number = f"{value:.4g}" if isinstance(value, float) else str(value)
            rows.append((path, number))
    return rows


def import_file(file: Path, name: str | None, *, overwrite: bool) -> None:
    """Take a weight file into the user's folder and print its new name."""
    from napari_cresunet.weights import import_model

    card = import_model(file, name=name, overwrite=overwrite)
    stdout_console().print(
        f"Imported as {card.name}; use it with: --model {card.name}", soft_wrap=True
    )
