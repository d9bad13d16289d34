import csv
import logging
import os
import re
import subprocess
import sys
import threading
import time
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake_interface_logger_plugins.common import LogEvent

from reelbow.database.opening import open_new
from reelbow.database.writing import add_shard, add_skipped
from reelbow.errors import ReelbowError
from reelbow.jobs.log import SILENT
from reelbow.runs import progress, slurm
from reelbow.runs.failures import TABLE, write_table
from reelbow.runs.messages import refuse
from reelbow.runs.pace import Expected
from reelbow.runs.progress import Progress
from reelbow.shards.names import STAGES


class Lines(logging.Handler):
    """Keeps what is logged as a plain message, as a terminal shows it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not hasattr(record, "event") or record.event == LogEvent.ERROR:
            self.lines.append(record.getMessage())


def name_job(rule, *wildcards):
    return SimpleNamespace(
        rule=SimpleNamespace(name=rule), wildcards=wildcards, output=[]
    )


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(
        now=1000.0, monotonic=lambda: clock.now, time=lambda: time.time() - 60
    )
    monkeypatch.setattr(progress, "time", clock)
    return clock


def follow(logger, workflow, films=()):
    """Follow a run of whose jobs nothing is known but their rules."""
    return Progress(
        logger,
        workflow,
        films={film: SimpleNamespace(source=f"{film}.mp4") for film in films},
        weigh=lambda job: 1.0,
        expect=lambda films: {},
        keep_finished=lambda: None,
    )


@pytest.fixture
def run(clock, tmp_path, monkeypatch):
    """A run of Snakemake as its records tell it."""
    monkeypatch.chdir(tmp_path)
    logger = logging.Logger("run")
    lines = Lines()
    logger.addHandler(lines)

    # What Snakemake's workflow says of the jobs that are left.
    left = []
    dag = SimpleNamespace(needrun_jobs=lambda: left, targetjobs=[], finish=None)
    workflow = SimpleNamespace(
        executor_plugin=SimpleNamespace(name="local"),
        scheduler=SimpleNamespace(_finish_jobs=None),
        dryrun=False,
        remote_exec=False,
        dag=dag,
        overwrite_workdir=None,
    )

    def open_shards(count, others=()):
        left.extend(name_job(rule) for rule in others)
        for shard in range(count):
            left.append(name_job("cluster_shard", "a", f"{shard:05d}"))

    def emit(event, **about):
        logger.info(event.value, extra={"event": event, **about})

    def job(jobid, rule="cluster_shard", wildcards=None, log=()):
        emit(
            LogEvent.JOB_INFO,
            jobid=jobid,
            rule_name=rule,
            wildcards=wildcards or {"film": "a", "shard": f"{jobid:05d}"},
            log=list(log),
        )

    def work(seconds, *about):
        job(*about)
        clock.now += seconds
        emit(LogEvent.JOB_FINISHED, job_id=about[0])

    def fail(jobid, *about, log="job.log", told=b""):
        job(jobid, *(about or ("cluster_shard", None)), [log])
        if told:
            Path(log).write_bytes(told)
        emit(LogEvent.JOB_ERROR, jobid=jobid)

    def error(text, exception="RuleException", status=None):
        extra = {"event": LogEvent.ERROR, "exception": exception}
        try:
            try:
                raise subprocess.CalledProcessError(status, "x")
            except subprocess.CalledProcessError:
                raise RuntimeError  # noqa: B904
        except RuntimeError:
            logger.error(text, extra=extra)

    return SimpleNamespace(
        progress=follow(logger, workflow),
        left=left,
        open_shards=open_shards,
        logger=logger,
        lines=lines.lines,
        emit=emit,
        job=job,
        work=work,
        fail=fail,
        error=error,
    )


def test_it_tells_the_time_left(run, clock):
    run.open_shards(5)
    run.work(30, 0)
    run.emit(LogEvent.PROGRESS, done=1, total=8)
    assert run.lines == ["Reelbow: 1 of 5 shards done; about 2:00 left"]


def test_what_is_no_shard_is_told_in_few_words(run, clock):
    run.open_shards(1, ["all"])
    run.left.append(name_job("merge_film", "a"))
    run.work(10, 0)
    run.emit(LogEvent.PROGRESS, done=1, total=4)
    (line,) = run.lines
    assert line.startswith("Reelbow: 1 of 1 shard done, 1 merge or picture left; about")


@pytest.mark.parametrize("one_by_one", [False, True])
def test_films_that_are_not_planned_yet_count_with_what_is_expected(
    run, clock, one_by_one
):
    """Whether all plans come first or each film is finished before the next."""
    films, n_shards = "abc", 2
    run.progress.films = {film: film for film in films}
    run.progress.expect = lambda films: {
        film: Expected(2 * n_shards, n_shards) for film in "abc"
    }
    for film in films:
        run.left += [name_job(rule, film) for rule in ("plan_shards", "merge_film")]
    run.progress.start()
    run.progress.expected = run.progress.expect([])
    jobids = count()

    def do(rule, film, *shard):
        jobid, wildcards = next(jobids), {"film": film}
        if shard:
            wildcards["shard"] = shard[0]
        run.work(10, jobid, rule, wildcards)
        if rule == "plan_shards":
            shards = [f"{shard:05d}" for shard in range(n_shards)]
            run.left += [name_job("cluster_shard", film, shard) for shard in shards]
        run.emit(LogEvent.PROGRESS, done=1, total=9)

    def finish(film):
        for shard in range(n_shards):
            do("cluster_shard", film, f"{shard:05d}")
        do("merge_film", film)

    if one_by_one:
        do("plan_shards", "a")
        finish("a")
        told = "1 of 3 films and 2 of about 6 shards done"
    else:
        for film in films:
            do("plan_shards", film)
        assert "0 of 3 films and 0 of 6 shards done" in run.lines[-1]
        finish("a")
        told = "1 of 3 films and 2 of 6 shards done"
    assert told in run.lines[-1]
    # Tiles of it, which come to be known later, are none of what a film waits for.
    run.left += [name_job("make_tiles", "a", f"{shard:05d}") for shard in range(3)]
    do("make_tiles", "a", "00000")
    assert told in run.lines[-1]
    del run.left[-3:]
    # Two of the films are left, and in the one case their plans too.
    left_s = read_left_s(run.lines[-1])
    assert left_s == pytest.approx(80 if one_by_one else 60, rel=0.3)


def read_left_s(line: str) -> int:
    minutes, seconds = re.search(r"about (\d+):(\d+) left", line).groups()
    return 60 * int(minutes) + int(seconds)


def test_before_there_are_shards_jobs_are_counted(run):
    run.job(1, "plan_shards", {"film": "a"})
    run.emit(LogEvent.PROGRESS, done=1, total=4)
    assert run.lines == ["Reelbow: 1 of 4 jobs done"]


def test_it_tells_it_now_and_then_only(run, clock):
    run.open_shards(40)
    for done in range(1, 21):
        run.work(1, done)
        run.emit(LogEvent.PROGRESS, done=done, total=40)
    assert len(run.lines) == 4


def test_nothing_new_is_not_told_again(run, clock):
    run.open_shards(4)
    for _ in range(3):
        clock.now += 100
        run.emit(LogEvent.PROGRESS, done=1, total=4)
    assert run.lines == ["Reelbow: 0 of 4 shards done"]


def test_it_tells_how_many_failed(run, clock):
    run.open_shards(3)
    run.fail(0)
    run.work(10, 1)
    run.emit(LogEvent.PROGRESS, done=1, total=3)
    assert run.lines == [
        f"a 00000: attempt 1 failed in cluster_shard: {SILENT} (log: job.log)",
        "Reelbow: 1 of 3 shards done, 1 failed; about 0:10 left",
    ]


def read_failures() -> list[tuple[str, ...]]:
    with TABLE.open(newline="") as lines:
        return [tuple(row) for row in csv.reader(lines, delimiter="\t")][1:]


def test_a_failure_is_told_by_the_sentence_of_its_log(run, capsys):
    shard = {"film": "a", "shard": "00001"}
    log = b"[mp4] noise of C \xff\xfe\nERROR: a.tar: cut off; copy it again\n"
    run.fail(7, "downsample_frames", shard, told=log)
    run.progress.tell_failure()
    sentence = "a.tar: cut off; copy it again"
    told_at_once, told = run.lines
    assert told_at_once == (
        f"a 00001: attempt 1 failed in downsample_frames: {sentence} (log: job.log)"
    )
    assert "1 failed:" in told
    (line,) = [line for line in told.splitlines() if "downsample_frames" in line]
    job = ("a", "00001", "downsample_frames")
    assert tuple(line.split(maxsplit=4)) == (*job, "1", sentence)
    assert read_failures() == [(*job, sentence, "1", "job.log")]


def test_of_many_failures_only_the_first_are_shown(run, capsys):
    for jobid in range(25):
        run.fail(jobid)
    run.progress.tell_failure()
    told = run.lines[-1]
    assert told.count("cluster_shard") == 20
    assert "25 failed:" in told
    assert "... and 5 more: results/failed.tsv has all." in told
    assert len(read_failures()) == 25


def test_the_log_of_an_earlier_attempt_says_nothing(run):
    Path("job.log").write_text("ERROR: of yesterday\n")
    run.fail(7)
    run.progress.tell_failure()
    assert read_failures()[0][3:] == (SILENT, "1", "job.log")


def start_group(run):
    """Begin the jobs of a shard as one job of a cluster."""
    for jobid, stage in enumerate(STAGES):
        run.job(jobid, stage, {"film": "a", "shard": "00002"}, [f"{stage}.log"])


def fail_group(run, job_id=None, aux_logs=("slurm.log",), logs=(), **about):
    """Have a group fail, as Snakemake tells it: of it, then of each of its jobs."""
    start_group(run)
    for stage, text in zip(STAGES, logs, strict=False):
        Path(f"{stage}.log").write_text(text)
    infos = [{"jobid": jobid} for jobid in (1, 0)]
    about = {"aux_logs": list(aux_logs), "external_jobid": job_id, **about}
    run.emit(LogEvent.GROUP_ERROR, groupid="shard", job_error_info=infos, **about)
    for info in infos:
        run.emit(LogEvent.JOB_ERROR, **info, aux={}, log=[], indent=True)


@pytest.fixture
def on_slurm(run, monkeypatch):
    """Say what Slurm says of each job."""
    run.progress.queue = slurm.Queue()
    states = {}
    monkeypatch.setattr(slurm, "find_state", states.get)
    return states


def test_a_failed_group_is_one_failure_of_the_guilty_rule(run, on_slurm):
    fail_group(run, "50", logs=["ERROR: film.mp4: cut off\n"])
    run.progress.tell_failure()
    (row,) = read_failures()
    assert row[2:] == (
        "downsample_frames",
        "film.mp4: cut off",
        "1",
        "downsample_frames.log",
    )


def test_slurm_tells_how_the_last_rule_that_began_ended(run, on_slurm):
    on_slurm["50"] = "TIMEOUT"
    fail_group(run, "50", logs=["noise\n"])
    run.progress.tell_failure()
    ended = slurm.ENDINGS["TIMEOUT"].replace("RULE", "downsample_frames")
    assert read_failures() == [
        ("a", "00002", "downsample_frames", ended, "1", "downsample_frames.log")
    ]


def test_a_job_that_slurm_refused_is_told_by_its_reason(run, on_slurm):
    message = "SLURM sbatch failed. The error message was 'sbatch: error: no'.\n  x"
    fail_group(run, aux_logs=[], slurm_message=message)
    run.progress.tell_failure()
    ended = "Slurm did not take the job: no"
    assert read_failures() == [("a", "00002", STAGES[0], ended, "1", "")]
    assert run.lines[0] == f"a 00002: attempt 1 failed in {STAGES[0]}: {ended}"


def test_attempts_are_counted_and_told_one_by_one(run, on_slurm):
    on_slurm.update({"50": "NODE_FAIL", "51": "CANCELLED"})
    for job_id in on_slurm:
        fail_group(run, job_id)
    assert [line.split(" (")[0] for line in run.lines] == [
        "a 00002: attempt 1 failed in downsample_frames: its node was lost",
        "a 00002: attempt 2 failed in downsample_frames: was cancelled",
    ]
    run.progress.tell_failure()
    assert read_failures()[0][3:5] == ("was cancelled", "2")


@pytest.fixture
def waiting(run, monkeypatch):
    """Say how many seconds each job waits; keep by what they are cancelled."""
    seconds, cancelled = {}, []

    def find_late(job_ids, longest_s):
        return [job_id for job_id in job_ids if seconds[job_id] > longest_s]

    monkeypatch.setattr(slurm, "find_late", find_late)
    monkeypatch.setattr(slurm, "_ask", lambda *command: cancelled.append(command))
    return SimpleNamespace(seconds=seconds, cancelled=cancelled)


def test_a_job_that_waits_too_long_for_a_gpu_is_cancelled_and_says_so(
    run, on_slurm, waiting
):
    run.progress.queue = slurm.Queue(gpu_wait_min=2)
    waiting.seconds.update({"50": 121, "51": 119})
    run.progress.look(["50", "51"])
    assert waiting.cancelled == [("scancel", "--state=PENDING", "50")]
    on_slurm.update({"50": "CANCELLED", "51": "CANCELLED"})
    for job_id in on_slurm:
        fail_group(run, job_id)
    late, by_others = [line for line in run.lines if "attempt" in line]
    assert "waited for a GPU for more than 2 minutes (cluster.gpu_wait_min)" in late
    assert "downsample_frames: was cancelled" in by_others


def test_a_late_job_that_began_all_the_same_ends_in_its_own_way(run, on_slurm, waiting):
    run.progress.queue = slurm.Queue(gpu_wait_min=0)
    waiting.seconds["50"] = 1
    run.progress.look(["50"])
    on_slurm["50"] = "NODE_FAIL"
    fail_group(run, "50")
    assert "downsample_frames: its node was lost" in run.lines[0]


def test_without_a_bound_jobs_wait_for_gpus_for_ever(run, on_slurm, waiting):
    waiting.seconds["50"] = 1e9
    run.progress.look(["50"])
    assert waiting.cancelled == []


def test_a_controller_that_does_not_answer_is_asked_again(run, monkeypatch):
    def find_late(job_ids, longest_s):
        raise ReelbowError("squeue: no answer within 30 s; try again later")

    monkeypatch.setattr(slurm, "find_late", find_late)
    run.progress.queue = slurm.Queue(gpu_wait_min=2)
    run.progress.look(["50"])
    assert run.lines == []


def test_a_job_by_itself_is_told_by_its_log_or_by_slurm(run, on_slurm):
    on_slurm.update({"50": "FAILED", "51": "OUT_OF_MEMORY"})
    for jobid, (film, job_id) in enumerate(zip("ab", on_slurm, strict=True)):
        run.job(jobid, "plan_shards", {"film": film}, [f"{film}.log"])
        Path(f"{film}.log").write_text("ERROR: no video\n")
        run.emit(
            LogEvent.JOB_ERROR,
            jobid=jobid,
            rule_name="plan_shards",
            aux={"external_jobid": job_id},
            log=[f"{film}.log", "slurm.log"],
        )
    run.progress.tell_failure()
    memory = slurm.ENDINGS["OUT_OF_MEMORY"].replace("RULE", "plan_shards")
    assert read_failures() == [
        ("a", "", "plan_shards", "no video", "1", "a.log"),
        ("b", "", "plan_shards", memory, "1", "b.log"),
    ]


def test_jobs_on_nodes_leave_snakemakes_words_alone():
    logger = logging.Logger("node")
    follow(logger, SimpleNamespace(remote_exec=True))
    assert logger.handlers == logger.filters == []


def test_a_group_that_goes_well_at_last_did_not_fail(run, on_slurm):
    fail_group(run, "50")
    start_group(run)
    assert run.progress.failed == {}
    run.progress.tell_failure()
    assert len(run.lines) == 1
    assert not TABLE.exists()


@pytest.mark.parametrize(("target", "left"), [("all", False), ("merge_film", True)])
def test_a_good_run_of_everything_removes_the_table(run, target, left):
    write_table([], TABLE)
    ask_for(run, target)
    run.progress.tell_success()
    assert TABLE.exists() == left


@pytest.mark.parametrize("dryrun", [False, True])
def test_so_does_one_that_has_nothing_to_do_but_no_dry_run(run, dryrun):
    write_table([], TABLE)
    run.progress.workflow.dryrun = dryrun
    ask_for(run, "all")
    run.logger.info(NOTHING_TO_BE_DONE_MSG)
    assert TABLE.exists() == dryrun


def test_a_job_that_went_well_at_last_did_not_fail(run):
    run.fail(7)
    run.work(1, 7)
    run.progress.tell_failure()
    assert len(run.lines) == 1


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def ask_for(run, target, *files):
    """Make a job the target of the run, with its files as input and output."""
    job = name_job(target)
    job.input = job.output = list(files)
    run.progress.workflow.dag.targetjobs.append(job)


def test_success_tells_where_that_is_which_was_asked_for(run, tmp_path):
    made = [
        "results/palettes.sqlite",
        "results/demo/palettes/00000.sqlite",
        "results/demo/barcodes/mean.png",
        "results/demo/barcodes/mean.svg",
    ]
    touch(*made)
    ask_for(run, "all", *made, "results/demo/barcodes/strip.png")
    run.job(1)
    run.progress.tell_success()
    assert run.lines.pop() == (
        "\nReelbow: done:\n"
        "  barcodes  results/demo/barcodes/mean.png\n"
        "  figures   results/demo/barcodes/mean.svg\n"
        "  palettes  results/palettes.sqlite"
    )
    # With --directory, where the shell is not.
    run.progress.workflow.overwrite_workdir = tmp_path
    run.progress.tell_success()
    assert f"  palettes  {tmp_path}/results/palettes.sqlite" in run.lines.pop()


def test_what_an_earlier_run_made_is_not_told_as_done(run, clock):
    old, new, made_at_the_end, kept = (f"results/mosaics/{name}.png" for name in "abcd")
    touch(old)
    clock.time = time.time
    run.progress.began_s = time.time() + 0.02
    time.sleep(0.05)
    touch(new, made_at_the_end)
    # As what is made at the end of a run that failed, to be made again by the next.
    os.utime(made_at_the_end, (0, 0))
    # As what is there again after its job failed.
    touch(kept)
    ask_for(run, "all", old, new, made_at_the_end, kept)
    for name in (old, made_at_the_end, kept):
        job = name_job("render_mosaic", Path(name).stem)
        job.output.append(name)
        run.left.append(job)
    run.fail(1, "render_mosaic", {"mosaic": "d"})
    run.progress.tell_failure()
    told = "".join(run.lines)
    assert "Reelbow: done:\n  mosaics   results/mosaics/b.png, c.png" in told
    assert (
        "Reelbow: of an earlier run, since this one could not make them again:\n"
        "  mosaics   results/mosaics/a.png, d.png"
    ) in told


SHARD = "results/a/palettes/00001.sqlite"


@pytest.mark.parametrize(
    ("target", "made", "told"),
    [
        # The same files of several films.
        (
            "all",
            ["results/a/barcodes/mean.png", "results/b/barcodes/mean.png"],
            ["barcodes  results/FILM/barcodes/mean.png"],
        ),
        ("cluster_shard", [SHARD], [f"shards    {SHARD}"]),
        # It is not there.
        ("cluster_shard", [], []),
    ],
)
def test_what_was_asked_for_is_one_line_if_it_is_there(run, target, made, told):
    touch(*made)
    ask_for(run, target, *(made or [SHARD]))
    run.job(1)
    run.progress.tell_success()
    assert run.lines == [f"\nReelbow: done:\n  {line}" for line in told]


def test_after_ctrl_c_one_sentence_is_told_and_nothing_of_how_jobs_ended(run, capsys):
    ended = threading.Event()
    run.progress.workflow.scheduler = SimpleNamespace(exit_gracefully=ended.set)
    run.progress.is_running = True
    run.job(1)
    # By the terminal and by uv.
    run.progress._stop()
    run.progress._stop()
    assert ended.wait(5)
    run.error("CalledProcessError: died with <Signals.SIGINT: 2>.", status=-2)
    run.emit(LogEvent.JOB_ERROR, jobid=1)
    run.progress.tell_failure()
    (line,) = run.lines
    assert line.count("\n") == 1
    assert "Give the same command again" in line
    assert not TABLE.exists()


def test_before_the_run_ctrl_c_ends_it_at_once(run, capsys):
    with pytest.raises(SystemExit) as ended:
        run.progress._stop()
    assert ended.value.code == 130
    assert "Give the same command again" in capsys.readouterr().err


def test_a_dry_run_says_which_films_there_are_and_about_how_many_shards(run):
    run.progress.workflow.dryrun = True
    run.progress.films = {
        film: SimpleNamespace(source=f"films/{film}.mkv") for film in "abc"
    }
    run.progress.expect = lambda films: {"b": Expected(700, 2)}
    for film in "bc":
        run.left.append(name_job("plan_shards", film))
    run.open_shards(3)
    ask_for(run, "all", "results/palettes.sqlite", "results/b/plan.json")
    for _ in range(2):
        run.emit(LogEvent.RUN_INFO)
    assert "".join(run.lines).split("\n") == [
        "",
        "Reelbow: 3 films, about 5 shards to do:",
        "  a  films/a.mkv  3 shards",
        "  b  films/b.mkv  about 2 shards",
        "  c  films/c.mkv  unknown before it is planned",
        "",
        "This was a dry run. Without --dry-run there will be:",
        "  palettes  results/palettes.sqlite",
    ]


def test_a_run_that_did_nothing_tells_nothing(run, capsys):
    run.progress.tell_success()
    assert run.lines == []


LAST = "WorkflowError:\nAt least one job did not complete successfully."


def test_what_the_log_says_better_is_not_shown(run):
    run.job(1)
    run.error("CalledProcessError in file x.smk", status=1)
    run.emit(LogEvent.JOB_ERROR, jobid=1)
    about = {"msg": "Exiting because", "levelno": logging.ERROR}
    run.logger.handle(logging.makeLogRecord({**about, "module": "job_scheduler"}))
    run.progress.tell_failure()
    run.error(LAST, "WorkflowError")
    failure, table = run.lines
    assert failure == f"a 00001: attempt 1 failed in cluster_shard: {SILENT}"
    assert "1 failed:" in table


def test_other_errors_are_shown(run):
    killed = "CalledProcessError in file x.smk:\ndied with <Signals.SIGKILL: 9>."
    run.error(killed, status=-9)
    # As when no environment could be made, which no job tells.
    run.error("CreateCondaEnvironmentException", "CreateCondaEnv", status=1)
    run.error(LAST, "WorkflowError")
    assert run.lines == [killed, "CreateCondaEnvironmentException", LAST]


def test_a_locked_folder_is_told_in_reelbows_words(run, capsys):
    run.error("LockException:\nError: Directory cannot be locked.", "LockException")
    assert run.lines == []
    told = capsys.readouterr().err
    assert told.startswith("Reelbow: another run is going on in this folder")
    assert "--unlock" in told


def test_a_refusal_is_one_sentence_and_status_1(capsys):
    with pytest.raises(SystemExit) as ended:
        refuse("films: no such sheet")
    assert ended.value.code == 1
    assert capsys.readouterr().err == "Reelbow: films: no such sheet\n"


def test_it_loads_nothing_heavy():
    # Snakemake loads it for every command.
    assert "reelbow.runs.progress" in sys.modules
    assert not hasattr(progress, "numpy")


def test_what_is_missing_or_got_no_gpu_is_told_with_its_film(run, tmp_path):
    run.progress.films = ["whole", "cut", "not there"]
    run.job(1)
    gaps = {"whole": ([], None), "cut": ([("7", "the end is missing")], "it failed")}
    for film, (skipped, why) in gaps.items():
        path = tmp_path / "results" / film / "palettes.sqlite"
        path.parent.mkdir(parents=True)
        made = {"engine": "numba", "version": "1"}
        with open_new(path) as connection:
            add_skipped(connection, "00000", skipped)
            add_shard(connection, "00000", **made, gpu_fallback=None)
            add_shard(connection, "00001", **made, gpu_fallback=why)
    run.progress.tell_success()
    assert run.lines == [
        "\nReelbow: film cut: 1 of 1 pictures are missing (7: the end is missing, "
        "...); the table skipped of results/cut/palettes.sqlite has them all.",
        "\nReelbow: film cut: 1 of 2 shards meant for a GPU, but done by a CPU (it "
        "failed); the table shards of results/cut/palettes.sqlite has them all.",
    ]
