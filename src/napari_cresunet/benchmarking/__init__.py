"""How fast all this is on a computer, beside the reference pipeline."""

from napari_cresunet.benchmarking._benchmark import (
    QUICK,
    BenchmarkOptions,
    iter_benchmark,
)
from napari_cresunet.benchmarking._machine import describe_machine
from napari_cresunet.benchmarking._reference import (
    PIPELINES,
    reference_probability,
)
from napari_cresunet.benchmarking._report import (
    Comparison,
    Growth,
    Measured,
    Report,
    Table,
    as_markdown,
    exponent,
    machine_lines,
    tables_of,
)
from napari_cresunet.benchmarking._scenes import draw_image, draw_probability

__all__ = [
    "PIPELINES",
    "QUICK",
    "BenchmarkOptions",
    "Comparison",
    "Growth",
    "Measured",
    "Report",
    "Table",
    "as_markdown",
    "describe_machine",
    "draw_image",
    "draw_probability",
    "exponent",
    "iter_benchmark",
    "machine_lines",
    "reference_probability",
    "tables_of",
]
