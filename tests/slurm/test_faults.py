"""What clusters do to jobs, on a real Slurm; nothing may be lost by it, or doubled."""

import contextlib
import re
import shutil
import signal

import pytest

from cluster import wait_for
from projects import ONE_PICTURE, name_jobs, name_merges
from reelbow.jobs.log import NO_GPU
from reelbow.shards.names import STAGES
from runs import ARCHIVE, N_TARBALLS, SHARDS, SlurmProject, write_archive

pytestmark = pytest.mark.slurm


def test_a_corrupt_tarball_of_ten_fails_alone_and_runs_alone_when_mended(project):
    write_archive(project.folder / "tars", n_tarballs=10, n_frames=1)
    corrupt = project.folder / "tars/3.tar"
    whole = corrupt.read_bytes()
    corrupt.write_bytes(whole[: len(whole) // 2])
    config = {"films": "tars/*.tar", **ONE_PICTURE}

    result = project.run_on_slurm(**config)
    assert result.status != 0
    shards = [i for i in range(10) if i != 3]
    made = {"tars/plan.json", "failed.tsv"}
    made |= {f"tars/previews/{i}.jpg" for i in shards}
    assert project.results() == made | {f"tars/palettes/{i}.sqlite" for i in shards}
    (row,) = project.failures()
    assert (row["film"], row["shard"]) == ("tars", "3")
    assert row["stage"] == "downsample_frames"
    assert row["attempts"] == "3"
    assert "tars/3.tar: cut off" in row["ended"]
    assert "tars/3.tar: cut off" in result.stderr
    # one job a shard, on the partition without GPUs; three for that which failed
    assert len(project.shard_jobs()) == 9 + 3
    assert {job.partition for job in project.jobs()} == {"cpu"}

    corrupt.write_bytes(whole)
    result = project.make_on_slurm(**config)
    assert result.jobs == {
        *name_jobs(STAGES, "tars", "3"),
        *name_merges("tars"),
        "render_barcodes/tars",
    }
    assert project.failures() == []

    local = project.copy(project.folder.with_name("local"))
    for database in (local.folder / "results").rglob("*.sqlite"):
        database.unlink()
    local.make(**config)
    assert project.rows() == local.rows()


def test_killed_and_cancelled_jobs_run_again(archive, undisturbed):
    with archive.running(*SHARDS, **ARCHIVE) as run:
        killed = run.wait_for_clustering()
        killed.send(signal.SIGKILL)
        cancelled = run.wait_for_clustering(killed.job)
        archive.cluster.ask("scancel", str(cancelled.job))
        result = run.wait()
    assert result.status == 0, result.stderr
    jobs = {job.number: job for job in archive.shard_jobs()}
    assert jobs[killed.job].state == "FAILED"
    assert jobs[cancelled.job].state == "CANCELLED"
    assert archive.failures() == []
    archive.check_against(undisturbed)


def test_shards_of_a_node_that_dies_run_on_another(archive, undisturbed):
    with archive.running(*SHARDS, **ARCHIVE) as run:
        process = run.wait_for_clustering()
        (lost,) = [job for job in archive.jobs() if job.number == process.job]
        archive.cluster.kill_node(lost.node)
        result = run.wait()
    assert result.status == 0, result.stderr
    jobs = archive.shard_jobs()
    assert {job.state for job in jobs if job.node == lost.node} >= {"NODE_FAIL"}
    assert {job.node for job in jobs[N_TARBALLS:]} == {"c1", "c2"} - {lost.node}
    archive.check_against(undisturbed)


def test_a_job_out_of_time_gets_more(archive, undisturbed):
    # Rules' minutes add up in a job. Slurm has no time shorter than one, which those
    # that do not hang may need on a busy machine.
    with archive.running(
        *SHARDS,
        "--set-resources",
        "downsample_frames:runtime=2",
        "cluster_shard:runtime=2*attempt-2",
        **ARCHIVE,
    ) as run:
        hanging = run.wait_for_clustering()
        hanging.send(signal.SIGSTOP)
        result = run.wait()
    assert result.status == 0, result.stderr
    jobs = archive.shard_jobs()
    first = {job.number: job for job in jobs}[hanging.job]
    assert (first.state, first.minutes) == ("TIMEOUT", 2)
    assert (jobs[-1].state, jobs[-1].minutes) == ("COMPLETED", 4)
    assert len(jobs) == N_TARBALLS + 1
    archive.check_against(undisturbed)


def test_a_job_out_of_memory_gets_more(archive, undisturbed):
    archive.make_on_slurm(
        *SHARDS,
        "--set-resources",
        "downsample_frames:mem_mb=1500*attempt-1400",
        "cluster_shard:mem_mb=1500*attempt-1400",
        **ARCHIVE,
    )
    jobs = archive.shard_jobs()
    first, again = jobs[:N_TARBALLS], jobs[N_TARBALLS:]
    assert {(job.state, job.memory_mb) for job in again} == {("COMPLETED", 1600)}
    assert {job.memory_mb for job in first} == {100}
    assert len(again) == N_TARBALLS
    archive.check_against(undisturbed)


GPU_ARCHIVE = {**ARCHIVE, "cluster": {**ARCHIVE["cluster"], "gpu_share": 0.5}}


def test_tagged_shards_ask_for_gpus_and_fall_back_to_cpus(archive, undisturbed):
    archive.make_on_slurm(*SHARDS, **GPU_ARCHIVE)
    first, again = (
        archive.shard_jobs()[:N_TARBALLS],
        archive.shard_jobs()[N_TARBALLS:],
    )
    tagged = [job for job in first if job.gpus]
    assert [(job.partition, job.gpus) for job in tagged] == [("gpu", 1)]
    assert {job.partition for job in first if not job.gpus} == {"cpu"}
    # the GPU is none, and CuPy is not even installed: each tagged shard fails once
    assert {job.state for job in tagged} == {"FAILED"}
    assert [(job.partition, job.gpus) for job in again] == [("cpu", 0)] * len(tagged)
    archive.check_against(undisturbed)
    (reason,) = read_fallbacks(archive)
    assert re.search("the Python package 'cupy'|driver of NVIDIA", reason)


def read_fallbacks(archive):
    """Read why shards that were meant for a GPU were made by the CPU's engine."""
    return [
        reason
        for (reason,) in archive.query(
            "SELECT gpu_fallback FROM shards WHERE gpu_fallback IS NOT NULL "
            "AND engine = 'numba'"
        )
    ]


@pytest.fixture
def closed_gpus(cluster):
    """A GPU partition that takes no jobs."""
    cluster.ask("scontrol", "update", "PartitionName=gpu", "State=INACTIVE")
    yield
    cluster.ask("scontrol", "update", "PartitionName=gpu", "State=UP")


@pytest.mark.usefixtures("closed_gpus")
def test_shards_that_get_no_gpu_fall_back_to_cpus(archive, undisturbed):
    archive.make_on_slurm(*SHARDS, **GPU_ARCHIVE)
    assert {job.partition for job in archive.shard_jobs()} == {"cpu"}
    assert len(archive.shard_jobs()) == N_TARBALLS
    archive.check_against(undisturbed)
    assert read_fallbacks(archive) == [NO_GPU]


@pytest.fixture
def full_gpus(cluster, archive):
    """A GPU partition whose one GPU somebody else has, once all nodes are idle."""
    others = ["--partition=gpu", "--gpus=1", "--time=60", "--chdir=/", "--output=none"]
    (number,) = cluster.ask("sbatch", "--parsable", *others, "--wrap=sleep 600")
    wait_for(
        lambda: cluster.ask("squeue", "-h", "-j", number, "-o", "%T") == ["RUNNING"],
        "the job that has the GPU",
    )
    yield
    cluster.ask("scancel", number)


@pytest.mark.usefixtures("full_gpus")
def test_shards_that_wait_too_long_for_a_gpu_fall_back_to_cpus(archive, undisturbed):
    config = {**ARCHIVE, "cluster": {**GPU_ARCHIVE["cluster"], "gpu_wait_min": 0.1}}
    result = archive.make_on_slurm(*SHARDS, **config)
    (tagged,) = [job for job in archive.shard_jobs() if job.gpus]
    assert (tagged.partition, tagged.state, tagged.node) == ("gpu", "CANCELLED", "")
    assert "waited for a GPU for more than 0.1 minutes" in result.stderr
    *_, again = archive.shard_jobs()
    assert len(archive.shard_jobs()) == N_TARBALLS + 1
    assert (again.partition, again.gpus, again.state) == ("cpu", 0, "COMPLETED")
    # Two looks at the queue: one finds that it waits, one that it is cancelled.
    assert (again.submitted - tagged.submitted).total_seconds() < 60
    archive.check_against(undisturbed)
    assert read_fallbacks(archive) == [NO_GPU]


def test_after_snakemake_was_killed_the_same_command_goes_on(archive, undisturbed):
    with archive.running(*SHARDS, **ARCHIVE) as run:
        run.wait_for_clustering()
        run.kill()
        left = {job.number for job in archive.active()}
        assert left

        locked = archive.run("--profile", "slurm", *SHARDS, **ARCHIVE)
        assert locked.status != 0
        assert "--unlock" in locked.stderr
        unlocked = archive.make("--profile", "slurm", "--unlock", **ARCHIVE)
        told = re.search(r"left \d+ jobs? at Slurm \(([\d, ]+)\)", unlocked.stderr)
        assert told, unlocked.stderr
        # One of them may have ended by itself before.
        cancelled = {int(number) for number in told[1].split(",")}
        assert cancelled <= left
        archive.make_on_slurm(*SHARDS, **ARCHIVE)
    for job in archive.shard_jobs():
        # A job may also end by itself while it is cancelled.
        ended = {"COMPLETED", "CANCELLED"} if job.number in cancelled else {"COMPLETED"}
        assert job.state in ended
    archive.check_against(undisturbed)


def test_jobs_that_slurm_forgot_run_again(archive, undisturbed):
    cluster = archive.cluster
    with archive.running(*SHARDS, **ARCHIVE) as run:
        run.wait_for_clustering()
        forgotten = {job.number for job in archive.active()}
        cluster.kill_controller()
        for path in (cluster.folder / "state").glob("job_state*"):
            path.unlink()
        # Else numbers of jobs begin anew, and Snakemake waits for others of its name.
        cluster.set_first_job(max(forgotten) + 1)
        cluster.start_controller()
        result = run.wait()
    assert result.status == 0, result.stderr
    assert "Slurm forgot it" in result.stderr
    assert not forgotten & {job.number for job in archive.shard_jobs()}
    archive.check_against(undisturbed)


def test_a_second_run_in_the_folder_is_refused(archive, undisturbed):
    with archive.running(*SHARDS, **ARCHIVE) as run:
        run.wait_for_clustering()
        second = archive.run("--profile", "slurm", *SHARDS, **ARCHIVE)
        assert second.status != 0
        assert "another run" in second.stderr
        assert "Traceback" not in second.stderr
        result = run.wait()
    assert result.status == 0, result.stderr
    assert len(archive.shard_jobs()) == N_TARBALLS, result.stderr
    archive.check_against(undisturbed)


@pytest.fixture
def small_disk(archive, cluster):
    """The archive on a disk that has little room."""
    folder = cluster.disk / "project"
    yield SlurmProject(archive.copy(folder).folder, archive.code, cluster)
    shutil.rmtree(folder)


def test_a_full_disk_is_told_and_the_run_goes_on_once_there_is_room(
    small_disk, undisturbed
):
    archive, ballast = small_disk, small_disk.folder / "ballast"
    with archive.running(*SHARDS, **ARCHIVE) as run:
        run.wait_for_clustering()
        fill_disk(ballast)
        result = run.wait()
    assert result.status != 0
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.stderr

    ballast.unlink()
    archive.make_on_slurm(*SHARDS, **ARCHIVE)
    archive.check_against(undisturbed)


def fill_disk(ballast):
    """Write until there is no room."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
