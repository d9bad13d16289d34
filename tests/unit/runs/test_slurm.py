import asyncio
from types import SimpleNamespace

import pytest
import snakemake_executor_plugin_slurm

from reelbow.errors import ReelbowError
from reelbow.runs import slurm, snakemake_inside

RUN = "e1644e7d-b2a1-450d-ba7a-028df3f8c4c5"


def test_the_queue_is_read_for_a_folder(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    link = tmp_path / "link"
    link.symlink_to(here)
    text = f"""41|RUNNING|{RUN}|{here}
42|PENDING|prefix_{RUN}|{link}
43_2|COMPLETING|{RUN}|{here}
44|RUNNING|{RUN}|{tmp_path}
45|RUNNING|snakemake.sh|{here}
46|RUNNING|not|a|{RUN}|{here}
"""
    monkeypatch.setattr(slurm, "_ask", lambda *command: text)
    jobs = slurm.list_jobs(here)
    assert [(job.job_id, job.state) for job in jobs] == [
        ("41", "RUNNING"),
        ("42", "PENDING"),
        ("43_2", "COMPLETING"),
    ]
    monkeypatch.setattr(slurm, "_ask", lambda *command: "")
    assert slurm.list_jobs(here) == []


def test_jobs_that_wait_too_long_are_found(monkeypatch):
    # As squeue writes columns of 20.
    waits = [(41, 61), (42, 60), (43, 3600), (44, "N/A")]
    queue = "\n".join(f"{job_id:<20}{wait_s:<20}" for job_id, wait_s in waits)
    monkeypatch.setattr(slurm, "_ask", lambda *command: queue)
    assert slurm.find_late(["41", "42", "44"], 60) == ["41"]
    monkeypatch.setattr(slurm, "_ask", lambda *command: "")
    assert slurm.find_late(["41"], 60) == []


# As Slurm 22.05 writes them, and with cgroups.
MEMORY = """srun: error: c2: task 0: Killed
slurmstepd-c2: error: StepId=27.0 exceeded memory limit (926 > 419), being killed
slurmstepd-c2: error: Exceeded job memory limit
"""
CGROUP = "slurmstepd: error: Detected 1 oom_kill event in StepId=7.batch.\n"
TIME = "slurmstepd-c1: error: *** JOB 63 ON c1 CANCELLED AT 2026-11-20T15:20:11 DUE TO "
CANCELLED = "slurmstepd-c1: error: *** STEP 64.0 ON c1 CANCELLED AT 2026-11 ***\n"


@pytest.mark.parametrize(
    ("state", "log", "ending"),
    [
        ("TIMEOUT", "", "TIMEOUT"),
        ("OUT_OF_MEMORY", "", "OUT_OF_MEMORY"),
        ("NODE_FAIL", "", "NODE_FAIL"),
        ("CANCELLED by 0", "", "CANCELLED"),
        ("FAILED", MEMORY, "OUT_OF_MEMORY"),
        ("CANCELLED", MEMORY, "OUT_OF_MEMORY"),
        (None, CGROUP, "OUT_OF_MEMORY"),
        (None, TIME + "TIME LIMIT ***\n", "TIMEOUT"),
        (None, TIME + "NODE FAILURE, SEE SLURMCTLD LOG FOR DETAILS ***\n", "NODE_FAIL"),
        (None, CANCELLED, "CANCELLED"),
    ],
)
def test_the_state_or_the_log_says_how_a_job_ended(state, log, ending):
    assert slurm.explain_state(state, log) == slurm.ENDINGS[ending]


@pytest.mark.parametrize(
    "log", ["", "srun: error: c1: task 0: Exited with exit code 1\n", "out of memory"]
)
def test_a_job_that_failed_by_itself_is_explained_by_its_own_log(log):
    assert slurm.explain_state("FAILED", log) is None


def test_a_killed_process_is_told():
    log = "Command 'python x' died with <Signals.SIGKILL: 9>.\n"
    assert slurm.explain_state("FAILED", log) == "was killed on its node (SIGKILL)"


def test_a_refusal_gives_slurms_own_reason():
    message = (
        "SLURM sbatch failed. The error message was 'sbatch: error: no such node\n"
        "sbatch: error: Requested node configuration is not available'.\n"
        "    sbatch call:\n        sbatch --parsable ...\n"
    )
    assert slurm.explain_refusal(message) == (
        "Slurm did not take the job: no such node; Requested node configuration is "
        "not available"
    )
    assert slurm.explain_refusal("SLURM-job '5' failed") is None


def test_locks_of_runs_are_counted(tmp_path):
    assert slurm.count_locks(tmp_path) == 0
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    for name in ["0.input.lock", "0.output.lock", "1.output.lock"]:
        (locks / name).touch()
    assert slurm.count_locks(tmp_path) == 2


def test_few_of_many_jobs_are_named():
    jobs = [slurm.Job(str(number), "RUNNING", RUN, "") for number in range(7)]
    assert slurm.join_ids(jobs[:2]) == "0, 1"
    assert slurm.join_ids(jobs) == "0, 1, 2, 3, 4, ..."


def test_without_slurm_one_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReelbowError, match="squeue: no such command"):
        slurm.list_jobs(tmp_path)
    assert slurm.find_state("1") is None


@pytest.fixture
def squeue(monkeypatch):
    """The ids that squeue knows; what sacct knows of others."""
    known, by_sacct = [], {}
    monkeypatch.setattr(slurm, "_ask", lambda *command: "\n".join(known))
    monkeypatch.setattr(slurm, "find_state", by_sacct.get)
    return SimpleNamespace(known=known, by_sacct=by_sacct)


def test_a_job_that_slurm_does_not_know_for_three_looks_is_lost(squeue):
    queue = slurm.Queue()
    squeue.known.append("50")
    squeue.by_sacct["52"] = "COMPLETED"
    jobs = ["50", "51", "52"]
    assert [queue.find_lost(jobs) for _ in range(3)] == [set(), set(), {"51"}]
    assert queue.explain_end({"external_jobid": "51", "aux_logs": []}) == (
        "Slurm forgot it"
    )
    assert queue.find_lost([]) == set()


def test_a_job_that_slurm_knows_again_is_not_lost(squeue):
    queue = slurm.Queue()
    for known in [[], [], ["50"], [], []]:
        squeue.known[:] = known
        assert queue.find_lost(["50"]) == set()
    assert queue.find_lost(["50"]) == {"50"}


class OfAllPlugins:
    """What Snakemake has for executors."""

    def __init__(self):
        self.told = []

    def report_job_success(self, job_info):
        self.told.append((job_info.external_jobid, "success"))

    def report_job_error(self, job_info, msg=None, **about):
        self.told.append((job_info.external_jobid, "error"))


@pytest.fixture
def plugin(monkeypatch):
    """Slurm's plugin, which looks at the queue as it is told, and forgets nothing."""

    class Executor(OfAllPlugins):
        async def check_active_jobs(self, active_jobs):
            for job_info in active_jobs if self.answers else []:
                if job_info.external_jobid == "50":
                    self.report_job_success(job_info)
                else:
                    yield job_info

    monkeypatch.setattr(snakemake_executor_plugin_slurm, "Executor", Executor)
    snakemake_inside.watch_slurm(
        lambda jobs: None, lambda jobs: {"51"} & set(jobs) if jobs[1:] else set()
    )
    return Executor()


def look(plugin, *job_ids):
    """Look at the queue once; give the ids of jobs that are still waited for."""
    jobs = [
        SimpleNamespace(external_jobid=job_id, aux={"slurm_logfile": "log"})
        for job_id in job_ids
    ]

    async def check():
        return [job.external_jobid async for job in plugin.check_active_jobs(jobs)]

    return asyncio.run(check())


def test_jobs_are_waited_for_though_slurm_does_not_answer(plugin):
    plugin.answers = False
    assert look(plugin, "50") == ["50"]
    assert plugin.told == []
    plugin.answers = True
    assert look(plugin, "50") == []
    assert plugin.told == [("50", "success")]


def test_a_lost_job_has_failed(plugin):
    plugin.answers = True
    assert look(plugin, "50", "51", "52") == ["52"]
    assert plugin.told == [("50", "success"), ("51", "error")]
