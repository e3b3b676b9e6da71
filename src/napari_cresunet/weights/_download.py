"""Fetching released weights: in pieces, checked before anything reads them."""

import os
from collections.abc import Generator
from hashlib import sha1
from math import ceil
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from napari_cresunet.errors import WeightsError
from napari_cresunet.steps import Step
from napari_cresunet.weights._card import ModelCard
from napari_cresunet.weights._import import free_place, store_model
from napari_cresunet.weights._network import import_fluocells, import_keras
from napari_cresunet.weights._released import Released
from napari_cresunet.weights._store import stored_models

if TYPE_CHECKING:
    from requests import Response

GITHUB = "https://raw.githubusercontent.com"
"""Where the files of GitHub's repositories lie."""

FOLDER_VARIABLE = "NAPARI_CRESUNET_DOWNLOADS"
"""Environment variable that puts downloads elsewhere."""

PIECE = 2**20
"""Bytes asked for at a time; a download can be left and resumed between two."""

_CHUNK = 2**14
_PARTIAL, _WHOLE, _BEYOND_THE_END = 206, 200, 416


def download_folder() -> Path:
    """Return the folder that downloads go into; it need not exist yet.

    Returns
    -------
    Path
        What the environment variable `NAPARI_CRESUNET_DOWNLOADS` says, otherwise
        "downloads" in the user's cache folder for this application.
    """
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("napari-cresunet", appauthor=False) / "downloads"


def find_downloaded(released: Released) -> ModelCard | None:
    """Tell whether released weights are among the user's models.

    Parameters
    ----------
    released : Released
        A row of `RELEASED`.

    Returns
    -------
    ModelCard or None
        The card of the stored model that came from this very file.
    """
    card, _ = stored_models().get(released.card.name, (None, None))
    is_same = card is not None and card.settings.get("git_blob_id") == released.blob_id
    return card if is_same else None


def iter_download(
    released: Released, *, base_url: str = GITHUB, overwrite: bool = False
) -> Generator[Step, None, ModelCard]:
    """Bring released weights and store them as a model; may be closed after any step.

    What has arrived stays in the download folder, and the next call goes on from there.
    A file that somebody put there by hand is taken in place of a download.

    Parameters
    ----------
    released : Released
        A row of `RELEASED`.
    base_url : str, optional
        Scheme and host, perhaps with a path, of GitHub or of a mirror of it.
    overwrite : bool, optional
        Whether a model of the user with the same name is replaced. The file is not
        fetched again if it is in the download folder.

    Yields
    ------
    Step
        After every piece of 1 MiB; pieces that had arrived before count as done.

    Returns
    -------
    ModelCard
        The card as stored, or as it was already there.

    Raises
    ------
    WeightsError
        If there is no network or it breaks off, the content is not the released one (by
        its git blob id, which is checked before the file is opened), or the name is
        taken.
    """
    present = find_downloaded(released)
    if present is not None and not overwrite:
        return present
    free_place(released.card.name, overwrite=overwrite)
    path = download_folder() / released.file_name
    if not path.exists():
        partial = path.with_name(f"{path.name}.part")
        try:
            partial.parent.mkdir(parents=True, exist_ok=True)
            yield from _fetch(released, partial, path, base_url.rstrip("/"))
            _check_arrived(released, partial)
            partial.replace(path)
        except OSError as error:
            raise WeightsError(
                f"{partial} cannot be written ({error.strerror}); free some space, or "
                f"choose another folder by the variable {FOLDER_VARIABLE}."
            ) from error
    _check_present(released, path)
    read = import_keras if path.suffix == ".h5" else import_fluocells
    _, network = read(path)
    return store_model(released.card, network, overwrite=overwrite)


def git_blob_id(path: Path) -> str:
    """Compute what git calls the content of a file.

    Parameters
    ----------
    path : Path
        The file; it is read in pieces.

    Returns
    -------
    str
        SHA-1 of "blob ", size, a zero byte and content; 40 hexadecimal digits.
    """
    digest = sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(PIECE):
            digest.update(chunk)
    return digest.hexdigest()


def _check_arrived(released: Released, partial: Path) -> None:
    """Delete what is not the released file; nothing has opened it yet."""
    found = git_blob_id(partial)
    if found != released.blob_id:
        partial.unlink()
        raise WeightsError(
            f"What arrived for {released.card.name} is not the released file (git blob "
            f"id {found} instead of {released.blob_id}) and was deleted unopened; "
            "run the same command again."
        )


def _check_present(released: Released, path: Path) -> None:
    """Refuse a file in the download folder that is not the released one."""
    found = git_blob_id(path)
    if found != released.blob_id:
        raise WeightsError(
            f"{path} is not the released file (git blob id {found} instead of "
            f"{released.blob_id}) and was not opened; delete it and run the same "
            "command again."
        )


class _Answers:
    """What the server says of the piece that it was asked for."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.total: int | None = None
        self.is_connected = False
        self.is_whole = False

    def note(self, response: "Response", **_: Any) -> None:
        """Be called by requests with the headers, before any content."""
        self.is_connected = True
        if response.status_code == _WHOLE:
            # The server knows no ranges: all of it comes from the beginning.
            self.file.seek(0)
            self.file.truncate()
            self.total = int(response.headers.get("Content-Length", 0)) or None
            self.is_whole = True
        elif response.status_code in (_PARTIAL, _BEYOND_THE_END):
            total = response.headers.get("Content-Range", "").rpartition("/")[2]
            self.total = int(total) if total.isdecimal() else None

    def arrived(self, added: int, size: int) -> None:
        """Be told that a piece came and that so many bytes are there now."""
        # Nothing added: the server would send nothing for ever; the blob id tells.
        is_short = added < (PIECE if self.total is None else 1)
        is_complete = self.total is not None and size >= self.total
        self.is_whole = self.is_whole or is_short or is_complete


def _fetch(
    released: Released, partial: Path, path: Path, base_url: str
) -> Generator[Step, None, None]:
    """Append to the partial file until it is whole."""
    import pooch
    import requests

    url = f"{base_url}/{released.url}"
    with partial.open("ab") as file:
        answers = _Answers(file)
        while not answers.is_whole:
            start = file.seek(0, os.SEEK_END)
            headers = {
                "Range": f"bytes={start}-{start + PIECE - 1}",
                # A range of compressed content would be of no use.
                "Accept-Encoding": "identity",
            }
            answers.is_connected = False
            bring = pooch.HTTPDownloader(
                chunk_size=_CHUNK, headers=headers, hooks={"response": answers.note}
            )
            try:
                bring(url, file, None)
            except requests.HTTPError as error:
                if error.response.status_code != _BEYOND_THE_END:
                    raise WeightsError(_refused(error.response, url, path)) from error
                answers.is_whole = True  # or longer: the blob id tells
            except requests.RequestException as error:
                message = _broken(released, file.tell(), answers, url, path)
                raise WeightsError(message) from error
            size = file.tell()
            answers.arrived(size - start, size)
            total = max(size, answers.total or 0)
            yield Step(done=max(1, ceil(size / PIECE)), total=ceil(total / PIECE) or 1)


def _refused(response: "Response", url: str, path: Path) -> str:
    return (
        f"{urlsplit(url).hostname} answered {response.status_code} {response.reason} "
        f"for {url}; try again later, or get the file elsewhere and put it at {path}."
    )


def _broken(
    released: Released, size: int, answers: _Answers, url: str, path: Path
) -> str:
    if not answers.is_connected:
        return (
            f"{urlsplit(url).hostname} could not be reached; connect to the internet "
            f"and run the same command again, or download {url} on another computer, "
            f"put it at {path} and run the same command."
        )
    of_total = "" if answers.total is None else f" of {answers.total}"
    return (
        f"The connection broke off after {size}{of_total} bytes of "
        f"{released.card.name}; run the same command again to go on from there."
    )
