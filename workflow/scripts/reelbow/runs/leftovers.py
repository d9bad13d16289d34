"""What earlier and killed runs left of a film, to be removed when it is merged."""

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from reelbow.database.opening import connect
from reelbow.errors import ReelbowError
from reelbow.shards.names import PATTERN, SHARD_RULES

# The folders of a film with a file for each shard, and one with a folder for each.
PALETTES = ("palettes", ".sqlite")
THUMBNAILS = ("thumbnails", ".npz")
FRAMES = ("frames", ".tar")
PREVIEWS = ("previews", ".jpg")
# As earlier versions made them; no rule reads these any more.
OLD_PREVIEWS = ("previews", ".webp")
CUTS = ("cuts", ".npz")
TILES = ("tiles", ".npz")
SUMS = ("sums", ".npz")
REPAIRED = "repaired"
SHARD_FILES = (PALETTES, THUMBNAILS, FRAMES, PREVIEWS, OLD_PREVIEWS, CUTS, TILES, SUMS)

# No merge waits for the jobs of these: they may be writing some. What one that was
# killed left, the next removes.
_STILL_MADE = {FRAMES[0], TILES[0], SUMS[0]}

# What a shard's jobs leave in logs/.
LOG_ENDINGS = (".log", ".tsv", ".gpu", ".profile.html")


def remove_leftovers(
    results: Path,
    logs: Path,
    planned: Collection[str],
    *,
    planned_at: float,
    keep: bool = False,
    has_previews: bool = True,
    has_shots: bool = False,
) -> None:
    """Remove the files of shards that a film has no longer, and what is used up.

    Only what Reelbow made goes: a shard's name stands in its database, or its jobs left
    a log of that name.

    Parameters
    ----------
    results, logs : the film's folder in results/; logs/ with all rules
    planned : the film's shards
    planned_at : when they were planned, as files have times
    keep : whether the thumbnails of those are to be kept
    has_previews, has_shots : whether this run asks for previews, or for shots, and so
        has made those files anew that are of an earlier plan
    """
    film, planned = results.name, set(planned)
    logged = _find_logged(logs, film)
    old = (logged | _find_stored(results / PALETTES[0], planned)) - planned
    may_be_stale = {FRAMES[0]}
    if not has_previews:
        may_be_stale.add(PREVIEWS[0])
    if not has_shots:
        may_be_stale.add(CUTS[0])
    used = [OLD_PREVIEWS] if keep else [OLD_PREVIEWS, THUMBNAILS]
    for folder, suffix in SHARD_FILES:
        gone = old | planned if (folder, suffix) in used else old
        for path in (results / folder).glob(f"*{suffix}"):
            shard = path.name.removesuffix(suffix)
            # Those of an earlier plan may be of others; not all runs make them again.
            is_stale = (
                folder in may_be_stale
                # A name that a job is about to change is none of these.
                and shard in planned
                and path.stat().st_mtime < planned_at
            )
            if shard in gone or is_stale:
                path.unlink(missing_ok=True)
        for path in _find_killed(results / folder, suffix):
            # It may have become a file meanwhile.
            with contextlib.suppress(FileNotFoundError):
                if folder not in _STILL_MADE or path.stat().st_mtime < planned_at:
                    path.unlink()
    for shard in old:
        shutil.rmtree(results / REPAIRED / shard, ignore_errors=True)
    for rule in SHARD_RULES:
        for shard in old:
            for ending in LOG_ENDINGS:
                (logs / rule / film / f"{shard}{ending}").unlink(missing_ok=True)


def drop_lost(results: Path, lost: Mapping[str, str]) -> NoReturn:
    """Take back what an earlier run left out, so that the next run tries it again.

    Parameters
    ----------
    results : the film's folder in results/
    lost : as `database.find_lost` finds it
    """
    for shard in lost:
        if not shard:
            (results / "plan.json").unlink(missing_ok=True)
            continue
        for folder, suffix in SHARD_FILES:
            (results / folder / f"{shard}{suffix}").unlink(missing_ok=True)
    shard, reason = next(iter(lost.items()))
    what = f"shard {shard}" if shard else "the film"
    raise ReelbowError(
        f"{what} was left out by an earlier run ({reason}); mend it and give the same "
        "command again, or set errors.missing_shards to skip"
    )


def _find_logged(logs: Path, film: str) -> set[str]:
    """Find the shards whose jobs left a log."""
    names = {
        path.name.removesuffix(".log")
        for rule in SHARD_RULES
        for path in (logs / rule / film).glob("*.log")
    }
    return {name for name in names if re.fullmatch(PATTERN, name)}


def _find_stored(palettes: Path, planned: Collection[str]) -> set[str]:
    """Find the shards whose databases say that they are these shards.

    Those that are planned are not asked: they may be thousands.
    """
    return {
        path.stem
        for path in palettes.glob(f"[!.]*{PALETTES[1]}")
        if path.stem not in planned and path.stem in _read_shards(path)
    }


def _read_shards(path: Path) -> list[str]:
    try:
        with contextlib.closing(connect(path)) as connection:
            return [row[0] for row in connection.execute("SELECT shard FROM shards")]
    except sqlite3.Error:
        return []


def _find_killed(folder: Path, suffix: str) -> Iterator[Path]:
    """Find what killed jobs were about to write, or those of `_STILL_MADE` are."""
    name = re.compile(rf"\.{PATTERN}\.\d+{re.escape(suffix)}")
    yield from (path for path in folder.glob(".*") if name.fullmatch(path.name))
