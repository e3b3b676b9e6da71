"""Annotation files as documents, tables and entries, before their format is known."""

import csv
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import Any, TypeAlias

from napari_cresunet.annotations._place import Place
from napari_cresunet.errors import InputError

_HEAD = 64 * 1024
"""Bytes that hold the first line of any table."""
_LARGEST_ENTRY = 16 * 1024**2
_LARGEST_ZIP = 512 * 1024**2
"""Bytes, unpacked. An outline of a thousand points has 4 kB."""

_DAMAGE = (
    EOFError,
    LZMAError,
    NotImplementedError,  # an unknown way of packing
    OSError,
    RuntimeError,  # a password
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

Entries: TypeAlias = Mapping[str, bytes]
"""ImageJ's regions by the name of their entry."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """Number of the line, counted from 1, and its fields."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in lower case."""
        return tuple(name.lower() for name in self.header)

    def records(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the line and what is in its columns, by name in lower case."""
        names = self.names
        for line, fields in self.rows:
            record = zip(names, fields, strict=False)
            yield line, {name: field for name, field in record if name and field}


def parse_json(path: Path) -> Any:
    """Read a JSON document."""
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _damaged(path, "JSON", f"{place}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise _damaged(path, "JSON", f"byte {error.start} is no UTF-8") from error
    except (RecursionError, ValueError) as error:  # an endless nest, an endless number
        raise _damaged(path, "JSON", "nested too deep or too long") from error


def parse_xml(path: Path) -> Any:
    """Read an XML document and return its root."""
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(path.read_bytes())
    except ParseError as error:
        line, column = error.position
        raise _damaged(path, "XML", f"line {line}, column {column + 1}") from error
    except DefusedXmlException as error:
        raise InputError(
            f"{path} declares entities, which can do harm and are not read: "
            "export the annotations again."
        ) from error
    except (LookupError, ValueError) as error:  # an unknown encoding
        raise _damaged(path, "XML", "unknown encoding") from error


def parse_table(path: Path) -> Table:
    """Read a table whose fields are divided by commas, semicolons or tabs."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _damaged(path, "CSV", f"byte {error.start} is no UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        header = tuple(name.strip() for name in next(reader, ()))
        rows = tuple(
            (reader.line_num, tuple(field.strip() for field in fields))
            for fields in reader
            if any(fields)
        )
    except csv.Error as error:
        place = f"line {reader.line_num}: {error}"
        raise _damaged(path, "CSV", place) from error
    return Table(header, rows)


def peek_table(path: Path) -> Table:
    """Read the header of a table."""
    with path.open("rb") as file:
        text = file.read(_HEAD).decode("utf-8-sig", errors="replace")
    try:
        fields = next(csv.reader(text.splitlines()[:1], delimiter=_delimiter(text)), ())
    except csv.Error as error:
        raise _damaged(path, "CSV", f"line 1: {error}") from error
    return Table(tuple(name.strip() for name in fields))


def parse_roi(path: Path) -> Entries:
    """Read a file of one ImageJ region."""
    with path.open("rb") as file:
        content = file.read(_LARGEST_ENTRY + 1)
    if len(content) > _LARGEST_ENTRY:
        raise _damaged(path, "ImageJ ROI", _larger_than(_LARGEST_ENTRY))
    if not content.startswith(b"Iout"):
        raise _damaged(path, "ImageJ ROI", "it does not begin with Iout")
    return {path.name: content}


def peek_roi(path: Path) -> Entries:
    """Read the first bytes of a file of one ImageJ region."""
    with path.open("rb") as file:
        return {path.name: b""} if file.read(4) == b"Iout" else {}


def parse_rois(path: Path) -> Entries:
    """Read the ImageJ regions of a ZIP file; other entries are left packed."""
    return _unzipped(path, _read_entry)


def peek_rois(path: Path) -> Entries:
    """Read which ImageJ regions a ZIP file holds."""
    return _unzipped(path, lambda *_: b"")


def _unzipped(
    path: Path, read: Callable[[Path, zipfile.ZipFile, zipfile.ZipInfo], bytes]
) -> Entries:
    with path.open("rb") as file:
        try:
            archive = zipfile.ZipFile(file)
        except _DAMAGE as error:
            reason = "its list of entries cannot be read"
            raise _damaged(path, "ZIP", reason) from error
        with archive:
            entries = [entry for entry in archive.infolist() if _is_roi(entry.filename)]
            # Before anything is unpacked: a small file can hold petabytes of zeros.
            if sum(entry.file_size for entry in entries) > _LARGEST_ZIP:
                raise _damaged(path, "ZIP", _larger_than(_LARGEST_ZIP))
            return {entry.filename: read(path, archive, entry) for entry in entries}


def _is_roi(name: str) -> bool:
    # macOS puts a second entry beside each, which only looks like a region.
    hidden = name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")
    return name.lower().endswith(".roi") and not hidden


def _read_entry(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    place = Place(path, entry.filename)
    if entry.file_size > _LARGEST_ENTRY:
        raise place.fault(_larger_than(_LARGEST_ENTRY))
    try:
        return archive.read(entry)
    except _DAMAGE as error:
        raise place.fault("it cannot be unpacked") from error


def _delimiter(text: str) -> str:
    """Return what divides the fields of the first line."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _larger_than(size: int) -> str:
    return f"larger than {size // 1024**2} MiB"


def _damaged(path: Path, kind: str, reason: str) -> InputError:
    return InputError(
        f"{path} is damaged or no {kind} ({reason}): export the annotations again."
    )
