"""The oracle of the tests is the reference of the benchmarks."""

from napari_cresunet.benchmarking._reference import (
    PIPELINES,
    break_ties,
    clean,
    morelli2021,
    number,
    tashfeen2025,
)

__all__ = [
    "PIPELINES",
    "break_ties",
    "clean",
    "morelli2021",
    "number",
    "tashfeen2025",
]
