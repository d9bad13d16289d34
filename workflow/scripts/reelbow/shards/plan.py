"""The plan of a film, plan.json: what was probed, which frames, which shards.

Everything after goes by it. This module only reads and writes it, so that Snakemake
itself need not load a decoder; `reelbow.sources` makes it.
"""

import json
from pathlib import Path
from typing import Any

from reelbow.errors import DamagedError, ReelbowError

Plan = dict[str, Any]

# What only jobs use.
_LONG = {"keyframes", "pts", "members", "times_s"}


def read_plan(path: Path) -> Plan:
    """Read a plan.json.

    Raises
    ------
    OSError
        If there is none, or it may not be read.
    DamagedError
        If it is no plan, or not a whole one.
    """
    try:
        plan: Plan = json.loads(path.read_text(encoding="utf-8"))
        _ = [part["shard"] for part in plan["shards"]]
    except (ValueError, RecursionError, TypeError, KeyError):
        raise DamagedError("the plan is damaged", [path]) from None
    return plan


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan.json, a line for each key and each shard."""
    lines = [
        f"{json.dumps(key)}: {json.dumps(value)}"
        for key, value in plan.items()
        if key != "shards"
    ]
    shards = ",\n  ".join(json.dumps(shard) for shard in plan["shards"])
    text = "{\n" + ",\n".join([*lines, f'"shards": [\n  {shards}\n]']) + "\n}\n"
    path.write_text(text, encoding="utf-8")


def find_shard(plan: Plan, shard: str) -> Any:
    """Find a shard's own part of the plan; raise `ReelbowError` if it has none."""
    for part in plan["shards"]:
        if part["shard"] == shard:
            return part
    raise ReelbowError(f"the film has no shard {shard}; its plan.json lists them")


def find_file(plan: Plan, part: Plan) -> str:
    """Find the user's file that a shard's part is of: its own, or the film's."""
    file: str = part.get("tarball") or plan["path"]
    return file


def list_files(plan: Plan, part: Plan) -> list[str]:
    """List the user's files that a shard's part is of: one, or those of its photos."""
    files: list[str] = part.get("files") or [find_file(plan, part)]
    return files


def plan_nothing(error: str, *, crop: str) -> Plan:
    """Plan a film that cannot be read, so that others can go on without it."""
    return {
        "error": error,
        "video": None,
        **dict.fromkeys(("path", "digest", "start_s", "end_s", "stream", "sampling")),
        **dict.fromkeys(("width", "height", "duration_s", "crop", "n_pictures")),
        "crop_asked": crop,
        "n_frames": 0,
        "shards": [],
    }


def summarize_plan(plan: Plan) -> Plan:
    """Leave out the timestamps, most of a long film's plan, which only jobs use.

    Its shards are found by their names.
    """
    return {
        **{key: value for key, value in plan.items() if key not in _LONG},
        "shards": {
            part["shard"]: {
                key: value for key, value in part.items() if key not in _LONG
            }
            for part in plan["shards"]
        },
    }
