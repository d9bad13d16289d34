"""Plans a film of sketches: counts the drawings of a file, cuts them into shards."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reelbow.errors import ReelbowError
from reelbow.jobs.file_digest import digest_file
from reelbow.shards.plan import Plan
from reelbow.shards.sketch_files import (
    is_npz,
    read_lines,
    read_quickdraw,
    read_split,
    read_stroke_3,
)
from reelbow.sources.crop import read_crop


def make_plan(
    files: Sequence[Path],
    *,
    size: int,
    thickness: float,
    split: str,
    color: str,
    per_shard: int,
    crop: str,
    max_pixels: int,
    go_on: bool = False,
) -> Plan:
    """Plan a film of which each frame is a drawing.

    Parameters
    ----------
    files : one file, .npz of sketch-rnn or .ndjson of Quick, Draw!
    size, thickness : of the pictures and their lines, see `draw_strokes`
    color : black, or strokes for a color for each
    split : of a file of sketch-rnn, which of its lists is taken
    per_shard : drawings in a shard
    go_on : changes nothing here

    Raises
    ------
    ReelbowError
        If the file is of another kind, or has no drawing that can be read.
    """
    (path,) = files
    if size * size > max_pixels:
        raise ReelbowError(
            f"{path}: sketches.size {size} makes more pixels than limits.pixels "
            f"{max_pixels} allows; make either fit"
        )
    places = _find_drawings(path, split)
    return {
        # Every drawing counts, and none has a time.
        **dict.fromkeys(("video", "start_s", "end_s", "stream", "sampling")),
        "path": str(path),
        "digest": digest_file(path),
        "sketches": {
            "size": size,
            "thickness": thickness,
            "split": split,
            "color": color,
        },
        "width": size,
        "height": size,
        "duration_s": None,
        # Their ground is white: there are no black bars.
        "crop": (kept := read_crop(crop, path, size, size)) and str(kept),
        "crop_asked": crop,
        "n_pictures": len(places),
        "n_frames": len(places),
        "shards": [
            {
                "shard": f"{number:05d}",
                "first_frame": first,
                "n_frames": len(places[first : first + per_shard]),
                **places[first],
            }
            for number, first in enumerate(range(0, len(places), per_shard))
        ],
    }


def _find_drawings(path: Path, split: str) -> list[dict[str, Any]]:
    """Find what leads to each drawing of a file, at least one of them good."""
    places: list[dict[str, Any]] = []
    reason = ""
    is_good = False
    if is_npz(path):
        for number, drawing in enumerate(read_split(path, split)):
            places.append({})
            if not is_good:
                sketch = read_stroke_3(f"{split} {number}", drawing)
                is_good = sketch.strokes is not None
                reason = reason or f"{sketch.name}: {sketch.reason}"
    else:
        for line in read_lines(path):
            places.append({"offset": line.offset, "line": line.number})
            if not is_good:
                sketch = read_quickdraw(line)
                is_good = sketch.strokes is not None
                reason = reason or f"{sketch.name}: {sketch.reason}"
    if not is_good:
        why = f"the first is {reason}" if places else "it is empty"
        raise ReelbowError(
            f"{path}: has no drawing that can be read, {why}; give stroke-3 of "
            "sketch-rnn or lines of Quick, Draw!"
        )
    return places
