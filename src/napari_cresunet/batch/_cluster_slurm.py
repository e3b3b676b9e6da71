"""A cluster of SLURM jobs, which dask-jobqueue submits and ends."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from napari_cresunet.errors import InputError

_SLURM = re.compile(r"slurm(?::(\d+))?")
_FILE_SUFFIXES = (".yaml", ".yml")

OPTIONS = (
    *("account", "cores", "death_timeout", "interface", "job_cpu"),
    *("job_directives_skip", "job_extra_directives", "job_mem", "job_name"),
    *("job_script_prologue", "local_directory", "log_directory", "memory"),
    *("processes", "python", "queue", "scheduler_options", "shebang"),
    *("shared_temp_directory", "walltime", "worker_extra_args"),
)
"""What a file may say beside "jobs" and "gpus": parameters of `SLURMCluster`."""


def is_slurm(scheduler: str) -> bool:
    """Tell whether a text names a cluster of SLURM jobs."""
    is_file = Path(scheduler).suffix.lower() in _FILE_SUFFIXES
    return bool(_SLURM.fullmatch(scheduler)) or is_file


@contextmanager
def start_slurm(scheduler: str) -> Iterator[Any]:
    """Submit jobs, and end them at the end of the block.

    Parameters
    ----------
    scheduler : str
        "slurm", "slurm:N" or the name of a YAML file.

    Yields
    ------
    dask_jobqueue.SLURMCluster
        Jobs that end are replaced.

    Raises
    ------
    InputError
        If this computer has no SLURM, or the jobs are not described well.
    """
    options = slurm_options(scheduler)
    n_jobs = options.pop("jobs")
    if shutil.which("sbatch") is None:
        raise InputError(
            "SLURM jobs cannot be submitted here, because there is no `sbatch`: run "
            "this on a login node."
        )
    cluster = new_cluster(options)
    try:
        _try_submitting(cluster.job_script())
        # Not `scale`, which leaves jobs that end at their wall time without successors.
        cluster.adapt(minimum_jobs=n_jobs, maximum_jobs=n_jobs)
        yield cluster
    finally:
        # So Dask says of jobs that never came to be.
        with suppress(AssertionError):
            cluster.close()


def _try_submitting(script: str) -> None:
    """Let SLURM check a job: dask-jobqueue does not tell of a refusal."""
    with tempfile.TemporaryDirectory(prefix="napari-cresunet-") as folder:
        path = Path(folder) / "job.sh"
        path.write_text(script)
        command = ["sbatch", "--test-only", str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        said = " ".join(ran.stderr.split()) or f"exit status {ran.returncode}"
        raise InputError(
            f"SLURM refuses the jobs ({said}): change the options of the jobs."
        )


def new_cluster(options: dict[str, Any]) -> Any:
    """Return a cluster that has no jobs yet.

    Parameters
    ----------
    options : dict
        Parameters of `SLURMCluster`; what is missing is taken from the configuration
        of Dask.

    Returns
    -------
    dask_jobqueue.SLURMCluster
        To be closed by the caller.

    Raises
    ------
    InputError
        If dask-jobqueue is not installed, or cores or memory are not given.
    """
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise InputError(
            "SLURM jobs need dask-jobqueue, which is not installed; "
            'install it with: pip install "napari-cresunet[cluster]"'
        ) from error
    # Any free port: the usual one may be that of another user.
    scheduler = {"dashboard_address": ":0"} | (options.get("scheduler_options") or {})
    try:
        return SLURMCluster(**options | {"scheduler_options": scheduler})
    except ValueError as error:
        raise InputError(
            "SLURM jobs need to know their cores and memory: give a YAML file with "
            'such as "cores: 8" and "memory: 32 GB", or set them in the configuration '
            "of Dask under jobqueue.slurm."
        ) from error


def slurm_options(scheduler: str) -> dict[str, Any]:
    """Read how jobs are described.

    Parameters
    ----------
    scheduler : str
        "slurm", "slurm:N" or the name of a YAML file.

    Returns
    -------
    dict
        Parameters of `SLURMCluster`, and "jobs", how many of them.

    Raises
    ------
    InputError
        If the file cannot be read, or says what has no meaning.
    """
    match = _SLURM.fullmatch(scheduler)
    options: dict[str, Any]
    options = _read(Path(scheduler)) if match is None else {"jobs": int(match[1] or 1)}
    n_jobs, n_gpus = options.setdefault("jobs", 1), options.pop("gpus", 0)
    for name, number, least in (("jobs", n_jobs, 1), ("gpus", n_gpus, 0)):
        if not isinstance(number, int) or number < least:
            raise InputError(
                f"{scheduler}: {name} must be a whole number of at least {least}, got "
                f"{number!r}."
            )
    if n_gpus:
        # One worker for each GPU; the workers find out which is whose.
        options.setdefault("processes", n_gpus)
        directives = options.get("job_extra_directives") or []
        options["job_extra_directives"] = [*directives, f"--gres=gpu:{n_gpus}"]
    return options


def _read(path: Path) -> dict[str, Any]:
    """Read a file that describes jobs."""
    import yaml

    try:
        options = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} is no YAML: see the example in the manual."
        ) from error
    if not isinstance(options, dict):
        raise InputError(f'{path} must have lines such as "queue: gpu".')
    options = {str(name).replace("-", "_"): options[name] for name in options}
    known = ("jobs", "gpus", *OPTIONS)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InputError(
            f"{path}: unknown option {unknown[0]!r}; choose from {', '.join(known)}."
        )
    return options
