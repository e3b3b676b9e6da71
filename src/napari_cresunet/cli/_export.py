"""The command `models export`."""

from pathlib import Path

import typer

from napari_cresunet.cli._terminal import stdout_console


def export_model(name: str, kind: str, output: Path | None) -> None:
    """Write a model in a format of other programs and print the file's name.

    Parameters
    ----------
    name : str
        Name or file of the model.
    kind : str
        A key of `FORMATS`.
    output : Path or None
        The file; None for the model's name in the working folder.
    """
    from napari_cresunet.export import FORMATS
    from napari_cresunet.inference import load_model

    if kind not in FORMATS:
        raise typer.BadParameter(
            f"{kind!r} is not one of {', '.join(FORMATS)}.", param_hint="'--to'"
        )
    model = load_model(name, device="cpu")
    path = output or Path(f"{model.card.name}{FORMATS[kind].suffix}")
    written = FORMATS[kind].write(model, path)
    stdout_console().print(
        f"Wrote {written} ({FORMATS[kind].title})", soft_wrap=True, markup=False
    )
