"""The terminal of a run: the bars of the logger `rich`, and words a newcomer knows.

A plugin of Snakemake, since what goes wrong before a Snakefile is read can be told in
no other place. It says in one sentence what is wrong with a configuration, and leaves
out what Snakemake says of its own work; `--verbose` shows it, and so does its log.
"""

import logging
import os
import signal
import sys
import traceback
from pathlib import Path

from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_logger_plugin_rich import LogHandler as RichLogHandler

# Set on the records of what Reelbow itself says in its log.
OURS = "reelbow"


class LogHandler(RichLogHandler):
    """Shows of a run what is its user's business."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.is_run = False

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record, or leave it out."""
        event = getattr(record, "event", None)
        # Of other commands, as --summary, such records are the answer.
        self.is_run = self.is_run or event == LogEvent.WORKFLOW_STARTED
        is_housekeeping = (
            (self.is_run or record.funcName == "configfile")
            and event is None
            and record.levelno <= logging.INFO
            and not hasattr(record, OURS)
            and record.getMessage() != NOTHING_TO_BE_DONE_MSG
        )
        if self.common_settings.verbose or not is_housekeeping:
            super().emit(record)


def put_in_words(record: logging.LogRecord) -> bool:
    """Give a sentence in the place of a traceback that is of the configuration."""
    error = sys.exc_info()[1]
    if error is not None and getattr(record, "event", None) == LogEvent.ERROR:
        sentence = explain(error)
        if sentence:
            record.msg, record.args = f"Reelbow: {sentence}", None
    return True


def explain(error: BaseException) -> str | None:
    """Say what is wrong with the configuration, if it is that."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "load_configfile":
            return explain_file(Path(frame.f_locals["configpath"]))
        if frame.f_code.co_name == "parse_config":
            return explain_value(frame.f_locals["entry"])
    return None


def explain_file(path: Path) -> str | None:
    """Say what is wrong with a file of the configuration."""
    import yaml

    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return f"{path}: not UTF-8; save the file as UTF-8"
    except OSError as error:
        return f"{path}: {error.strerror}; give the path of a configuration file"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        return (
            f"{path}{line}: {problem}; write `key: value`, indented by spaces, with "
            "all brackets and quotes closed"
        )
    if isinstance(config, dict):
        return None
    return f"{path}: no keys in it; write `key: value`, as in `films: movie.mkv`"


def explain_value(entry: str) -> str:
    """Say what is wrong with a `--config` of the command line."""
    key, equals, value = entry.partition("=")
    group, dot, rest = key.partition(".")
    if equals and dot and group and rest:
        return f"--config {entry}: write --config '{group}={{{rest}: {value}}}'"
    return f"--config {entry}: write --config 'key=value', as in 'films=movie.mkv'"


def stop_as_usual(record: logging.LogRecord) -> bool:
    """Leave Ctrl-C to Snakemake when a run begins, unless Reelbow's Snakefile has it.

    That is where Reelbow is a module of another workflow.
    """
    is_begun = getattr(record, "event", None) == LogEvent.WORKFLOW_STARTED
    if is_begun and signal.getsignal(signal.SIGINT) is end_at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return True


def end_at_once(*_: object) -> None:
    """End at Ctrl-C before there is anything that could be lost."""
    os.write(2, b"Reelbow: ended (Ctrl-C) before anything was done.\n")
    os._exit(130)


# Until Reelbow's Snakefile is read, which ends a run in good order. Behind nohup Ctrl-C
# is ignored.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, end_at_once)

# Here and not in the handler: with another logger these are the same mistakes.
for each in (put_in_words, stop_as_usual):
    logging.getLogger("snakemake.logging").addFilter(each)
