"""Where tasks run, and every way in which a cluster cannot be used."""

import os
import re
import shutil
import socket
import subprocess
import sys
import warnings
from contextlib import closing
from pathlib import Path

import pytest
from tests.batch import cluster_tasks

import napari_cresunet
from napari_cresunet.batch import cluster_pool, local_pool, open_pool
from napari_cresunet.batch._cluster import Cluster, ClusterPool
from napari_cresunet.batch._cluster_slurm import new_cluster, slurm_options
from napari_cresunet.batch._cluster_versions import fault_of_versions
from napari_cresunet.errors import EngineError, InputError

pytest.importorskip("distributed")
pytestmark = pytest.mark.xdist_group("cluster")

ROOT = Path(__file__).parents[2]


def whole(message):
    """Return the pattern that only the whole message matches."""
    return f"^{re.escape(message)}$"


def open_and_close(scheduler, **options):
    with cluster_pool(scheduler, **options):
        pass


# In this process


def test_a_local_pool_gives_results_in_order_and_errors_as_they_are(tmp_path):
    pool = local_pool()

    def invert(number):
        return 1 / number

    outcomes = list(pool.map_unordered(invert, [2, 0, 4]))
    assert [outcomes[0], outcomes[2]] == [(2, 0.5), (4, 0.25)]
    assert outcomes[1][0] == 0
    assert isinstance(outcomes[1][1], ZeroDivisionError)
    assert (pool.is_local, pool.workers, pool.news()) == (True, 1, [])
    pool.check_files(tmp_path / "not there")


def test_a_local_pool_takes_a_task_when_the_one_before_is_done():
    taken = []

    def tasks():
        for number in range(3):
            taken.append(number)
            yield number

    with closing(local_pool().map_unordered(cluster_tasks.double, tasks())) as results:
        assert next(results) == (0, 0)
        assert taken == [0]


def test_no_scheduler_means_no_pool():
    with open_pool(None) as pool:
        assert pool is None


# Files that workers do not see


class FarWorker:
    """A scheduler with one worker, which has its disks elsewhere."""

    def __init__(self, prefix="", *, is_full=False):
        self.prefix = prefix
        self.is_full = is_full

    def nthreads(self):
        return {"tcp://10.0.0.7:4000": 1}

    def run(self, function, token, images, on_error):
        if token is not None:
            token = (f"{self.prefix}{token[0]}", token[1])
            if self.is_full:
                Path(f"{token[0]}.{os.getpid()}").mkdir()
        there = [f"{self.prefix}{image}" for image in images]
        return {"tcp://10.0.0.7:4000": function(token, there)}


def check_files(worker, output, images=()):
    cluster = Cluster(client=worker, title="", remedy="", worker_timeout=1.0)
    ClusterPool(cluster, retries=0).check_files(output, images)


@pytest.mark.parametrize("what", ["folder", "image", "no write"])
def test_files_that_a_worker_does_not_see_are_refused(what, tmp_path):
    image = tmp_path / "a.tif"
    image.touch()
    worker, output = FarWorker("/far"), tmp_path
    fault = f"does not see the folder /far{tmp_path}"
    if what == "image":
        output, fault = None, f"does not see the image /far{image}"
    if what == "no write":
        worker = FarWorker(is_full=True)
        fault = f"cannot write to {tmp_path} (Is a directory)"
    message = (
        f"The worker tcp://10.0.0.7:4000 {fault}: give folders that all computers have "
        "under the same path, and may write to."
    )
    with pytest.raises(InputError, match=whole(message)):
        check_files(worker, output, [image])
    assert not list(tmp_path.glob(".*.tmp"))


def test_files_that_a_worker_sees_are_fine(tmp_path):
    (tmp_path / "a.tif").touch()
    check_files(FarWorker(), tmp_path, [tmp_path / "a.tif", tmp_path / "gone.tif"])
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


# A cluster that cannot be reached


def test_a_scheduler_that_is_away_is_waited_for_only_so_long():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    message = (
        f"The scheduler {address} does not answer within 0.5 s: see whether it runs "
        "and whether the address is right."
    )
    with pytest.raises(InputError, match=whole(message)):
        open_and_close(address, connect_timeout=0.5)


def test_what_answers_nothing_is_waited_for_only_so_long():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        message = (
            f"The scheduler {address} does not answer within 0.5 s: see whether it "
            "runs and whether the address is right."
        )
        with pytest.raises(InputError, match=whole(message)):
            open_and_close(address, connect_timeout=0.5)


def test_a_text_that_names_no_cluster_is_refused():
    message = (
        "'10.0.0.1' is no cluster: give tcp://HOST:PORT of a Dask scheduler, local:N, "
        "slurm:N or a YAML file for SLURM."
    )
    with pytest.raises(InputError, match=whole(message)):
        open_and_close("10.0.0.1")


def test_a_cluster_of_no_processes_is_refused():
    message = "'local:0' has no worker: give at least local:1."
    with pytest.raises(InputError, match=whole(message)):
        open_and_close("local:0")


def test_two_clusters_on_one_computer_do_not_get_in_each_others_way():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with cluster_pool("local:1") as one, cluster_pool("local:1") as other:
            for pool in (one, other):
                items = pool.map_unordered(cluster_tasks.keep, [3])
                assert [item for item in items if item] == [(3, (3, "int"))]


def test_without_dask_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    message = (
        "Clusters need Dask, which is not installed; "
        'install it with: pip install "napari-cresunet[cluster]"'
    )
    with pytest.raises(InputError, match=whole(message)):
        open_and_close("local:2")


# Other versions


def told(**packages):
    """Return what a computer tells of itself; "_" stands for "-" in names."""
    known = {"python": "3.11.7.final.0", "dask": "2", "distributed": "2"}
    changed = {name.replace("_", "-"): packages[name] for name in packages}
    return {"packages": known | {"napari-cresunet": "1"} | changed}


@pytest.mark.parametrize(
    ("scheduler", "worker", "fault"),
    [
        (told(), told(), ""),
        (told(python="3.11.2.final.0"), told(python="3.11.9.final.0"), ""),
        (told(napari_cresunet=None), told(), ""),
        (
            told(python="3.12.1.final.0"),
            told(),
            "the scheduler has python 3.12 instead of 3.11",
        ),
        (
            told(),
            told(python="3.9.1.final.0", dask=None),
            "the worker tcp://b has python 3.9 instead of 3.11, has no dask",
        ),
        (
            told(),
            told(napari_cresunet=None),
            "the worker tcp://b has no napari-cresunet",
        ),
    ],
)
def test_versions_must_be_the_same_where_they_matter(scheduler, worker, fault):
    workers = {"tcp://b": worker, "tcp://a": told()}
    versions = {"client": told(), "scheduler": scheduler, "workers": workers}
    assert fault_of_versions(versions) == fault


# A scheduler and workers that were started by hand


class Started:
    """Commands that run until they are ended."""

    def __init__(self):
        self.processes = []

    def start(self, *command, path=(), until=""):
        """Start a command of Dask; return the line of its log with this text."""
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT))),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{command[0]}", *command[1:]],
            env=environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self.processes.append(process)
        return next(line for line in process.stderr if until in line)

    def end(self):
        while self.processes:
            self.processes[-1].kill()
            self.processes.pop().communicate()


@pytest.fixture
def workers():
    started = Started()
    yield started
    started.end()


@pytest.fixture(scope="module")
def scheduler():
    """The address of a scheduler that has no workers."""
    started = Started()
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    line = started.start("dask_scheduler", *options, until="Scheduler at")
    yield line.split()[-1]
    started.end()


def start_worker(workers, scheduler, *, path=()):
    options = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")
    return workers.start(
        "dask_worker", scheduler, *options, path=path, until="Registered to"
    )


def test_a_scheduler_without_workers_is_told_of(scheduler):
    message = (
        f"The scheduler {scheduler} has had no worker for 0.3 s: start some with "
        f"`dask worker {scheduler}`."
    )
    with pytest.raises(InputError, match=whole(message)):
        open_and_close(scheduler, worker_timeout=0.3)


def test_a_worker_of_another_version_is_refused(scheduler, workers, tmp_path):
    metadata = tmp_path / "napari_cresunet-0.0.1.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: napari-cresunet\nVersion: 0.0.1")
    start_worker(workers, scheduler, path=[tmp_path])
    message = (
        f"^The scheduler {scheduler} cannot be used, because the worker "
        r"tcp://127\.0\.0\.1:\d+ has napari-cresunet 0\.0\.1 instead of "
        rf"{re.escape(napari_cresunet.__version__)}: "
        r"install the same versions on all computers\.$"
    )
    with pytest.raises(InputError, match=message):
        open_and_close(scheduler)


def test_who_waits_for_a_worker_may_give_up(scheduler):
    def leave():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_and_close(scheduler, leave_if_asked=leave)


def test_a_worker_that_cannot_load_this_package_is_refused(
    scheduler, workers, tmp_path
):
    broken = tmp_path / "napari_cresunet" / "__init__.py"
    broken.parent.mkdir()
    broken.write_text("raise ModuleNotFoundError('there is no libtorch.so')")
    start_worker(workers, scheduler, path=[tmp_path])
    message = (
        f"^The scheduler {scheduler} cannot be used, because the worker "
        r"tcp://127\.0\.0\.1:\d+ cannot load napari-cresunet \(ModuleNotFoundError\("
        r"'there is no libtorch\.so'\)\): install the same versions on all computers\.$"
    )
    with pytest.raises(InputError, match=message):
        open_and_close(scheduler)


def test_workers_are_waited_for_used_and_missed(scheduler, workers):
    start_worker(workers, scheduler)
    with cluster_pool(scheduler, worker_timeout=0.5) as pool:
        results = list(pool.map_unordered(cluster_tasks.double, [1, 2, 3]))
        assert sorted(item for item in results if item) == [(1, 2), (2, 4), (3, 6)]
        workers.end()
        message = (
            f"The scheduler {scheduler} has had no worker for 0.5 s: start some with "
            f"`dask worker {scheduler}`, then run the same again; what is done is not "
            "lost."
        )
        with pytest.raises(EngineError, match=whole(message)):
            list(pool.map_unordered(cluster_tasks.double, range(9), beat=0.1))


def test_a_scheduler_that_ends_in_mid_run_is_told_of(workers, tmp_path):
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    line = workers.start("dask_scheduler", *options, until="Scheduler at")
    address = line.split()[-1]
    start_worker(workers, address)
    message = (
        f"The scheduler {address} went away during the run: start it again, then run "
        "the same again; what is done is not lost."
    )
    with cluster_pool(address) as pool:
        results = pool.map_unordered(cluster_tasks.double, range(10**6))
        next(item for item in results if item)
        workers.processes[0].kill()
        with pytest.raises(EngineError, match=whole(message)):
            list(results)


# SLURM


def write_jobs(tmp_path, text):
    path = tmp_path / "jobs.yaml"
    path.write_text(text)
    return str(path)


JOBS = """
jobs: 2
queue: gpu
account: lab
cores: 4
memory: 16 GB
walltime: "02:00:00"
gpus: 2
job-extra-directives: ["--constraint=a100"]
interface: lo
"""


KNOWN = (
    "jobs, gpus, account, cores, death_timeout, interface, job_cpu, "
    "job_directives_skip, job_extra_directives, job_mem, job_name, "
    "job_script_prologue, local_directory, log_directory, memory, processes, python, "
    "queue, scheduler_options, shebang, shared_temp_directory, walltime, "
    "worker_extra_args"
)


def test_a_file_describes_jobs_for_slurm(tmp_path):
    options = slurm_options(write_jobs(tmp_path, JOBS))
    assert options.pop("jobs") == 2
    cluster = new_cluster(options)
    lines = cluster.job_script().splitlines()
    cluster.close()
    for directive in (
        *("-p gpu", "-A lab", "-t 02:00:00", "--cpus-per-task=4", "--mem=15G"),
        *("--gres=gpu:2", "--constraint=a100"),
    ):
        assert f"#SBATCH {directive}" in lines
    command = next(line for line in lines if "dask_worker" in line)
    assert command.startswith(f"{sys.executable} -m distributed.cli.dask_worker tcp://")
    assert "--nthreads 2 " in command
    assert "--nworkers 2 " in command


def test_a_number_of_jobs_leaves_the_rest_to_the_configuration_of_dask():
    assert slurm_options("slurm") == {"jobs": 1}
    assert slurm_options("slurm:12") == {"jobs": 12}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cores: [", "{path} is no YAML: see the example in the manual."),
        ("cores", '{path} must have lines such as "queue: gpu".'),
        ("jobs: 0", "{path}: jobs must be a whole number of at least 1, got 0."),
        ("gpus: a", "{path}: gpus must be a whole number of at least 0, got 'a'."),
        (
            "partition: gpu",
            "{path}: unknown option 'partition'; choose from " + KNOWN + ".",
        ),
    ],
)
def test_a_file_that_describes_no_jobs_is_refused(tmp_path, text, message):
    path = write_jobs(tmp_path, text)
    with pytest.raises(InputError, match=whole(message.format(path=path))):
        slurm_options(path)


def test_a_file_that_is_not_there_is_told_of(tmp_path):
    path = tmp_path / "none.yaml"
    message = f"{path} cannot be read (No such file or directory)."
    with pytest.raises(InputError, match=whole(message)):
        slurm_options(str(path))


def test_jobs_must_say_their_cores_and_memory():
    message = (
        "SLURM jobs need to know their cores and memory: give a YAML file with such "
        'as "cores: 8" and "memory: 32 GB", or set them in the configuration of Dask '
        "under jobqueue.slurm."
    )
    with pytest.raises(InputError, match=whole(message)):
        new_cluster({})


def test_a_computer_without_slurm_is_told_of(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    message = (
        "SLURM jobs cannot be submitted here, because there is no `sbatch`: run this "
        "on a login node."
    )
    with pytest.raises(InputError, match=whole(message)):
        open_and_close("slurm:2")


SBATCH = """#!/bin/sh
if [ "$1" = --test-only ]; then {test}; fi
cp "$1" {folder}/job.sh
setsid sh {folder}/job.sh >{folder}/job.log 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
for job in "$@"; do kill -- "-$job"; touch {folder}/ended; done
"""


def stand_in(monkeypatch, folder, test="exit 0"):
    """Put commands into the path that run a job at once on this computer."""
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        path = folder / name
        path.write_text(text.format(folder=folder, test=test))
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("setsid") is None, reason="runs jobs with setsid")
def test_jobs_are_submitted_used_and_ended(monkeypatch, tmp_path):
    stand_in(monkeypatch, tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    jobs = "cores: 1\nmemory: 1 GB\ninterface: lo"
    with cluster_pool(write_jobs(tmp_path, jobs)) as pool:
        results = list(pool.map_unordered(cluster_tasks.double, [1, 2]))
        assert sorted(item for item in results if item) == [(1, 2), (2, 4)]
        assert not (tmp_path / "ended").exists()
    assert (tmp_path / "ended").exists()


def test_jobs_that_slurm_refuses_end_in_its_own_words(monkeypatch, tmp_path):
    refusal = "echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1"
    stand_in(monkeypatch, tmp_path, test=refusal)
    message = (
        "SLURM refuses the jobs (sbatch: error: invalid partition specified: gpu): "
        "change the options of the jobs."
    )
    with pytest.raises(InputError, match=whole(message)):
        open_and_close(write_jobs(tmp_path, JOBS))
