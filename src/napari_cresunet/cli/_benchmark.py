"""The command `benchmark`: how fast this computer is, beside the reference."""

from pathlib import Path
from typing import TYPE_CHECKING

from napari_cresunet.cli._files import write_json, write_text
from napari_cresunet.cli._interrupts import held_interrupts
from napari_cresunet.cli._terminal import progress_bar, stdout_console, tell_json
from napari_cresunet.errors import InputError
from napari_cresunet.steps import Step, drain

if TYPE_CHECKING:
    from napari_cresunet.benchmarking import BenchmarkOptions, Report

ENDINGS = (".json", ".md")


def run_benchmark(
    options: "BenchmarkOptions", output: Path | None, *, as_json: bool
) -> None:
    """Measure, print the tables and write them.

    Parameters
    ----------
    options : BenchmarkOptions
        How large the benchmark is.
    output : Path or None
        A .json or .md file; None writes nothing.
    as_json : bool
        Whether stdout gets JSON in place of tables.
    """
    from napari_cresunet.benchmarking import as_markdown, iter_benchmark

    if output is not None:
        _check(output)
    with held_interrupts() as leave_if_asked, progress_bar() as bar:
        task = bar.add_task("Benchmark", total=None)

        def on_step(step: Step) -> None:
            bar.update(
                task,
                completed=step.done,
                total=step.total,
                description=step.message,
            )
            leave_if_asked()

        report = drain(iter_benchmark(options), on_step)
    if output is not None and output.suffix == ".json":
        write_json(output, report.to_dict())
    elif output is not None:
        write_text(output, as_markdown(report))
    if as_json:
        tell_json(report.to_dict())
    else:
        _print(report)


def _check(output: Path) -> None:
    """Refuse before minutes of work what could not be written after them."""
    if output.suffix not in ENDINGS:
        raise InputError(
            f"The benchmark is written as {' or '.join(ENDINGS)}, not as {output.name}."
        )
    if output.is_dir():
        raise InputError(f"{output} is a folder; name a file in it.")


def _print(report: "Report") -> None:
    """Print the machine and a table for each part."""
    from rich.table import Table

    from napari_cresunet.benchmarking import machine_lines, tables_of

    console = stdout_console()
    for line in machine_lines(report.machine):
        console.print(line, soft_wrap=True, markup=False)
    for known in tables_of(report):
        table = Table(title=known.title, title_justify="left")
        for number, column in enumerate(known.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in known.rows:
            table.add_row(*row)
        console.print()
        console.print(table)
        for remark in known.remarks:
            console.print(remark, soft_wrap=True, markup=False)
