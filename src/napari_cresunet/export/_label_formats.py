"""The table of formats that a count can be exported to."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from napari_cresunet.annotations import write_coco, write_geojson, write_imagej
from napari_cresunet.export._count_overlay import write_overlay
from napari_cresunet.export._count_report import write_count_report
from napari_cresunet.export._counted import (
    Counted,
    measured,
    record_of,
    write_cells_csv,
    write_regions_csv,
)
from napari_cresunet.export._figures import FIGURE_SUFFIXES
from napari_cresunet.export._ome_tiff import write_ome_tiff


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """One format that a count can be exported to."""

    name: str
    """How the command line knows it."""
    title: str
    suffix: str
    """What its files end in."""
    write: Callable[[Path, Counted], list[Path]]
    """Takes the file to write and what it is to hold, returns all that was written."""
    suffixes: tuple[str, ...]
    """Endings that it can be written with."""
    ending: str = ""
    """What is put behind the name of an image, if nobody says what to call the file."""
    beside: tuple[str, ...] = ()
    """Endings, in place of the suffix, of what else may be written."""

    def files(self, path: Path) -> list[Path]:
        """Return all files that may be written, whether they exist or not."""
        return [path, *(path.with_name(path.stem + ending) for ending in self.beside)]


def _write_csv(path: Path, counted: Counted) -> list[Path]:
    known = measured(counted)
    written = write_cells_csv(path, known)
    if counted.regions or counted.region_rows:
        regions = path.with_name(f"{path.stem}_regions.csv")
        written += write_regions_csv(regions, [known])
    return written


def _write_ome_tiff(path: Path, counted: Counted) -> list[Path]:
    write_ome_tiff(
        path,
        counted.labels,
        pixel_size=counted.pixel_size,
        record=record_of(counted),
        name=counted.name,
    )
    return [path]


def _write_imagej(path: Path, counted: Counted) -> list[Path]:
    write_imagej(path, counted.labels)
    return [path]


def _write_geojson(path: Path, counted: Counted) -> list[Path]:
    write_geojson(path, counted.labels, measurements=counted.table)
    return [path]


def _write_coco(path: Path, counted: Counted) -> list[Path]:
    write_coco(path, counted.labels, image_name=counted.name)
    return [path]


def _write_overlay(path: Path, counted: Counted) -> list[Path]:
    write_overlay(path, counted)
    return [path]


def _write_report(path: Path, counted: Counted) -> list[Path]:
    write_count_report(path, counted)
    return [path]


_FORMATS = (
    LabelFormat(
        "csv",
        "Tables of cells and regions",
        ".csv",
        _write_csv,
        (".csv",),
        ending="_cells.csv",
        beside=(".json", "_regions.csv", "_regions.json"),
    ),
    LabelFormat(
        "ome-tiff",
        "Label image (OME-TIFF)",
        ".ome.tif",
        _write_ome_tiff,
        (".tif", ".tiff"),
        ending="_labels.ome.tif",
    ),
    LabelFormat(
        "imagej-roi",
        "ImageJ ROI Manager",
        ".zip",
        _write_imagej,
        (".zip", ".roi"),
        ending="_RoiSet.zip",
    ),
    LabelFormat(
        "geojson",
        "QuPath GeoJSON",
        ".geojson",
        _write_geojson,
        (".geojson", ".json"),
        ending=".geojson",
    ),
    LabelFormat(
        "coco", "COCO", ".coco.json", _write_coco, (".json",), ending=".coco.json"
    ),
    LabelFormat(
        "overlay",
        "Picture of image and outlines",
        ".png",
        _write_overlay,
        FIGURE_SUFFIXES,
        ending="_overlay.png",
    ),
    LabelFormat(
        "report",
        "Report (web page)",
        ".html",
        _write_report,
        (".html", ".htm"),
        ending="_report.html",
    ),
)

LABEL_FORMATS: dict[str, LabelFormat] = {one.name: one for one in _FORMATS}
"""All formats by the name that the command line knows them by."""
