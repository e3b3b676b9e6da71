"""Whether the computers of a cluster have the same versions of what they share."""

from collections.abc import Mapping
from typing import Any

from napari_cresunet._wording import list_names
from napari_cresunet.batch._cluster_worker import version
from napari_cresunet.errors import InputError

PACKAGE = "napari-cresunet"

_SHARED = ("python", "dask", "distributed")
"""What the scheduler and the workers must have, too; workers also this package."""


def check_versions(client: Any, title: str) -> None:
    """Refuse a cluster whose versions are not those of this computer.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    title : str
        What the cluster is called for people.

    Raises
    ------
    InputError
        If the scheduler or a worker has another version, or a worker lacks this
        package.
    """
    from distributed.comm import CommClosedError

    fault = fault_of_versions(client.get_versions(packages=[PACKAGE]))
    if not fault:
        # What is installed may still fail to load, as in another environment.
        answers = client.run(version, on_error="return")
        unable = [
            (at, answer)
            for at, answer in answers.items()
            # One that is lost meanwhile says nothing.
            if answer != version() and not isinstance(answer, CommClosedError)
        ]
        if unable:
            at, error = min(unable, key=lambda item: item[0])
            fault = f"the worker {at} cannot load {PACKAGE} ({error})"
    if fault:
        raise InputError(
            f"{title[:1].upper()}{title[1:]} cannot be used, because {fault}: install "
            "the same versions on all computers."
        )


def fault_of_versions(versions: Mapping[str, Any]) -> str:
    """Compare the versions of a cluster.

    Parameters
    ----------
    versions : mapping
        From `Client.get_versions`: "client", "scheduler", and "workers" by address.

    Returns
    -------
    str
        What is different, as a part of a sentence; empty if nothing is.

    Examples
    --------
    >>> def told(python):
    ...     return {"packages": {"python": python, "dask": "2", "distributed": "2"}}
    >>> fault_of_versions(
    ...     {"client": told("3.13.1"), "scheduler": told("3.11.2"), "workers": {}}
    ... )
    'the scheduler has python 3.11 instead of 3.13'
    """
    here = versions["client"]["packages"]
    scheduler = versions["scheduler"]["packages"]
    fault = _differences(here, scheduler, _SHARED)
    if fault:
        return f"the scheduler {fault}"
    for address, told in sorted(versions["workers"].items()):
        fault = _differences(here, told["packages"], (*_SHARED, PACKAGE))
        if fault:
            return f"the worker {address} {fault}"
    return ""


def _differences(
    here: Mapping[str, str | None],
    there: Mapping[str, str | None],
    packages: tuple[str, ...],
) -> str:
    found = []
    for package in packages:
        ours, theirs = _short(package, here), _short(package, there)
        if theirs == ours:
            continue
        if theirs is None:
            found.append(f"has no {package}")
        else:
            found.append(f"has {package} {theirs} instead of {ours}")
    return list_names(found, len(packages))


def _short(package: str, versions: Mapping[str, str | None]) -> str | None:
    """Return a version; of Python the part that matters."""
    text = versions.get(package)
    if package == "python" and text:
        return ".".join(text.split(".")[:2])
    return text
