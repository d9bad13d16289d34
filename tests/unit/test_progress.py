import logging
import sys
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from reelbow import database, progress
from reelbow.progress import Progress, format_time, refuse


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Lines(logging.Handler):
    """Keeps what is logged as a plain message, as a terminal shows it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not hasattr(record, "event") or record.event == LogEvent.ERROR:
            self.lines.append(record.getMessage())


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def run(clock):
    """A run of Snakemake as its records tell it."""
    logger = logging.Logger("run")
    lines = Lines()
    logger.addHandler(lines)

    def emit(event, **about):
        logger.info(event.value, extra={"event": event, **about})

    def job(jobid, rule="cluster_shard", wildcards=None, log=()):
        emit(
            LogEvent.JOB_INFO,
            jobid=jobid,
            rule_name=rule,
            wildcards=wildcards or {},
            log=list(log),
        )

    def error(text, exception="RuleException"):
        extra = {"event": LogEvent.ERROR, "exception": exception}
        logger.error(text, extra=extra)

    return SimpleNamespace(
        progress=Progress(logger),
        logger=logger,
        lines=lines.lines,
        emit=emit,
        job=job,
        error=error,
    )


def test_it_tells_the_time_left(run, clock):
    run.job(1)
    clock.now += 30
    run.emit(LogEvent.PROGRESS, done=10, total=40)
    assert run.lines == ["10 of 40 jobs done, about 1:30 left"]


def test_it_tells_it_now_and_then_only(run, clock):
    run.job(1)
    for done in range(1, 21):
        clock.now += 1
        run.emit(LogEvent.PROGRESS, done=done, total=40)
    assert len(run.lines) == 4


def test_it_tells_how_many_failed(run, clock):
    run.job(1)
    run.emit(LogEvent.JOB_ERROR, jobid=1)
    clock.now += 10
    run.emit(LogEvent.PROGRESS, done=1, total=3)
    assert run.lines == ["1 of 3 jobs done, 1 failed, about 0:20 left"]


def test_a_failure_is_told_by_the_sentence_of_its_log(run, tmp_path, capsys):
    log = tmp_path / "job.log"
    log.write_text("[mp4] noise\nERROR: a.tar: cut off; copy it again\n")
    run.job(7, "downsample_frames", {"film": "a", "shard": "00001"}, [log])
    run.emit(LogEvent.JOB_ERROR, jobid=7)
    run.progress.tell_failure([])
    told = capsys.readouterr().err
    assert "1 failed:" in told
    assert (
        f"downsample_frames a 00001: a.tar: cut off; copy it again (log: {log})" in told
    )


def test_a_failure_without_a_sentence_is_told_by_its_log(run, tmp_path, capsys):
    log = tmp_path / "job.log"
    log.write_text("Traceback ...\nKeyError: 1\n")
    run.job(7, "merge_film", {"film": "a"}, [log])
    run.emit(LogEvent.JOB_ERROR, jobid=7)
    run.job(8, "merge_film", {"film": "b"}, [tmp_path / "none.log"])
    run.emit(LogEvent.JOB_ERROR, jobid=8)
    run.progress.tell_failure([])
    told = capsys.readouterr().err
    assert f"merge_film a: see {log}" in told
    assert f"merge_film b: see {tmp_path / 'none.log'}" in told


def test_a_log_that_is_not_utf_8_does_no_harm(run, tmp_path, capsys):
    log = tmp_path / "job.log"
    log.write_bytes(b"\xff\xfe noise of C\nERROR: a.tar: cut off\n")
    run.job(7, "merge_film", {"film": "a"}, [log])
    run.emit(LogEvent.JOB_ERROR, jobid=7)
    run.progress.tell_failure([])
    assert "a.tar: cut off" in capsys.readouterr().err


def test_a_job_that_went_well_at_last_did_not_fail(run, capsys):
    run.job(7)
    run.emit(LogEvent.JOB_ERROR, jobid=7)
    run.emit(LogEvent.JOB_FINISHED, job_id=7)
    run.progress.tell_failure([])
    assert capsys.readouterr().err == ""


def test_success_tells_where_the_results_are(run, capsys):
    run.job(1)
    run.progress.tell_success(["demo"])
    assert "results/demo/barcodes/" in capsys.readouterr().err
    run.progress.tell_success(["a", "b"])
    assert "results/FILM/barcodes/" in capsys.readouterr().err


def test_a_run_that_did_nothing_tells_nothing(run, capsys):
    run.progress.tell_success(["demo"])
    assert capsys.readouterr().err == ""


FAILED = "RuleException:\nCalledProcessError in file x.smk:\nCommand 'x' "


def test_what_the_log_says_better_is_not_shown(run):
    run.job(1)
    run.error(FAILED + "returned non-zero exit status 1.")
    run.emit(LogEvent.JOB_ERROR, jobid=1)
    run.logger.error(
        "Exiting because a job execution failed. Look above for error messages"
    )
    run.error(
        "WorkflowError:\nAt least one job did not complete successfully.",
        "WorkflowError",
    )
    assert run.lines == []


def test_other_errors_are_shown(run):
    killed = FAILED + "died with <Signals.SIGKILL: 9>."
    locked = "LockException:\nError: Directory cannot be locked."
    lost = "WorkflowError:\nAt least one job did not complete successfully."
    for text in [killed, locked, lost]:
        run.error(text)
    assert run.lines == [killed, locked, lost]


def test_a_refusal_is_one_sentence_and_status_1(capsys):
    with pytest.raises(SystemExit) as ended:
        refuse("films: no such sheet")
    assert ended.value.code == 1
    assert capsys.readouterr().err == "Reelbow: films: no such sheet\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (59.6, "1:00"),
        (3599, "59:59"),
        (3600, "1:00:00"),
        (90061, "25:01:01"),
    ],
)
def test_times_are_written_like_a_clock(seconds, text):
    assert format_time(seconds) == text


def test_it_loads_nothing_heavy():
    # Snakemake loads it for every command.
    assert "reelbow.progress" in sys.modules
    assert not hasattr(progress, "numpy")


def test_missing_pictures_are_told_with_their_film(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for film, skipped in (("whole", []), ("cut", [("00000007", "the end is missing")])):
        folder = tmp_path / "results" / film
        folder.mkdir(parents=True)
        with database.open_new(folder / "palettes.sqlite") as connection:
            database.add_skipped(connection, "00000", skipped)
    logger = logging.getLogger("told")
    follower = Progress(logger)
    follower.jobs[1] = {}
    follower.tell_success(["whole", "cut", "not there"])
    told = capsys.readouterr().err
    assert "film cut: 1 of 1 pictures are missing (00000007: the end is mi" in told
    assert "film whole" not in told


def test_housekeeping_is_not_shown():
    logger = logging.getLogger("quiet")
    follower = Progress(logger)
    records = [
        logging.makeLogRecord({"msg": text})
        for text in ("Removing temporary output a.tar.", "1 of 2 jobs done")
    ]
    assert [bool(logger.filter(record)) for record in records] == [False, True]
    logger.removeHandler(follower)
