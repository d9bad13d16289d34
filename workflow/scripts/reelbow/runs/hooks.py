"""Hooks that Snakemake does not have, for its workflow in the hands of a Snakefile.

It has some for the first job of a run and for its end, unless Reelbow is a module; none
for a report or an unlock, nor for the moment when it knows what it is to do and has not
yet looked at a file. So these methods of its workflow are wrapped.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def call_before_dag(workflow: Any, function: Callable[[], None]) -> None:
    """Call a function each time before Snakemake looks what has to be made."""
    _call_before(workflow, "_build_dag", function)


def call_before_unlock(workflow: Any, function: Callable[[], None]) -> None:
    """Call a function before a lock is removed that a dead run left."""
    _call_before(workflow, "unlock", function)


def call_before_report(workflow: Any, function: Callable[[], None]) -> None:
    """Call a function before a report is made."""
    _call_before(workflow, "create_report", function)


def make_again(workflow: Any, path: Path) -> None:
    """Have a result made again, whatever it depends on; to be called before the DAG."""
    workflow.dag.forcefiles.add(str(path))


def see_through_links(workflow: Any) -> None:
    """Have links that lead nowhere count as no files; to be called before the DAG.

    Snakemake lists folders, which takes less time than to ask for each file. But then
    it stumbles over such links.
    """
    workflow.iocache.remaining_wait_time = 0


def _call_before(workflow: Any, method: str, function: Callable[[], None]) -> None:
    wrapped = getattr(workflow, method)

    def call(*arguments: Any, **more: Any) -> Any:
        function()
        return wrapped(*arguments, **more)

    setattr(workflow, method, call)
