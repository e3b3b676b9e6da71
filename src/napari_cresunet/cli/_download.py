"""The command `models download`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from napari_cresunet.cli._interrupts import held_interrupts
from napari_cresunet.cli._terminal import (
    progress_bar,
    stdout_console,
    tell,
    tell_json,
)
from napari_cresunet.steps import Step, drain

if TYPE_CHECKING:
    from napari_cresunet.weights import ModelCard, Released


def print_released(*, as_json: bool) -> None:
    """Print which released weights there are, and which are on this machine."""
    from rich.table import Table

    from napari_cresunet.weights import RELEASED, find_downloaded

    if as_json:
        tell_json([_values(row) for row in RELEASED.values()])
        return
    table = Table()
    table.add_column("Name", no_wrap=True)
    table.add_column("Title")
    table.add_column("Learned from")
    table.add_column("Repository", overflow="fold")
    table.add_column("Here")
    for row in RELEASED.values():
        here = "yes" if find_downloaded(row) else "no"
        table.add_row(
            row.card.name, row.card.title, row.card.data, row.repository, here
        )
    stdout_console().print(table)
    tell("Get one with: napari-cresunet models download NAME, or all with --all")


def _values(row: "Released") -> dict[str, Any]:
    from napari_cresunet.weights import find_downloaded

    return {
        "name": row.card.name,
        "title": row.card.title,
        "repository": row.repository,
        "commit": row.commit,
        "path": row.path,
        "git_blob_id": row.blob_id,
        "license": row.card.license,
        "is_here": find_downloaded(row) is not None,
    }


def download(
    names: Sequence[str], *, base_url: str | None, overwrite: bool, as_json: bool
) -> None:
    """Bring released weights by name and store them as models.

    Parameters
    ----------
    names : sequence of str
        Keys of `RELEASED`.
    base_url : str or None
        A mirror of GitHub's raw files; None for GitHub itself.
    overwrite : bool
        Whether models of the user with the same names are replaced.
    as_json : bool
        Whether stdout gets the cards as JSON in place of a line for each.
    """
    from napari_cresunet.weights import GITHUB, RELEASED

    unknown = [name for name in names if name not in RELEASED]
    if unknown:
        raise typer.BadParameter(
            f"{unknown[0]!r} is not one of {', '.join(RELEASED)}.", param_hint="'NAME'"
        )
    cards: list[ModelCard] = []
    for name in names:
        card = _bring(RELEASED[name], base_url or GITHUB, overwrite=overwrite)
        cards.append(card)
        if not as_json:
            stdout_console().print(
                f"{card.title} is here; use it with: --model {card.name}",
                soft_wrap=True,
            )
    if as_json:
        tell_json([card.to_dict() for card in cards])


def _bring(row: "Released", base_url: str, *, overwrite: bool) -> "ModelCard":
    """Download one file with a progress bar; Ctrl+C leaves between two pieces."""
    from napari_cresunet.weights import iter_download

    steps = iter_download(row, base_url=base_url, overwrite=overwrite)
    with held_interrupts() as leave_if_asked, progress_bar() as bar:
        task = bar.add_task(f"{row.card.name}, MiB", total=None)

        def on_step(step: Step) -> None:
            bar.update(task, completed=step.done, total=step.total)
            leave_if_asked()

        return drain(steps, on_step)
