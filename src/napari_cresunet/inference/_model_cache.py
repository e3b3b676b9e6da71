"""Networks that were converted once, in the user's cache folder."""

import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from napari_cresunet._files import written_whole

FOLDER_VARIABLE = "NAPARI_CRESUNET_CACHE"
"""Environment variable that puts the cache elsewhere."""


def cache_folder() -> Path:
    """Return the folder of the converted networks; it need not exist yet.

    Returns
    -------
    Path
        What the environment variable `NAPARI_CRESUNET_CACHE` says, otherwise the user's
        cache folder for this application.
    """
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("napari-cresunet", appauthor=False) / "networks"


def read_cached(name: str, *wanted: str) -> dict[str, bytes]:
    """Read what was kept.

    Parameters
    ----------
    name : str
        As for `keep`.
    *wanted : str
        Names of parts; all if none is given.

    Returns
    -------
    dict
        The parts; empty if there is no such file or it is damaged, which their
        checksums show.
    """
    try:
        with zipfile.ZipFile(_path(name)) as archive:
            parts = wanted or archive.namelist()
            return {part: archive.read(part) for part in parts}
    except (KeyError, OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return {}


def keep(name: str, parts: Mapping[str, bytes]) -> None:
    """Keep something; a folder that cannot be written to only costs time.

    Parameters
    ----------
    name : str
        "HASH-KIND-VERSION"; files of other versions are deleted.
    parts : mapping of str to bytes
        What to keep.
    """
    path = _path(name)
    with suppress(OSError):
        with written_whole(path) as file, zipfile.ZipFile(file, "w") as archive:
            for part, content in parts.items():
                archive.writestr(part, content)
        kind = "-".join(name.split("-")[:2])
        for other in path.parent.glob(f"{kind}-*.zip"):
            if other != path:
                other.unlink(missing_ok=True)


def _path(name: str) -> Path:
    return cache_folder() / f"{name}.zip"
