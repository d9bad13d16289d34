"""Damages JPEGs of photographs, and sees which are kept and how far off they are.

A copy follows from seed and number. "Off" is how far the mean of what Pillow makes of a
copy is from that of the undamaged one, in levels of the channel that is farthest off.
Copies that Pillow refuses too, as those that are cut off, have none.
"""

import argparse
import collections
import io
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import numpy as np
import simplejpeg
from PIL import Image
from sklearn.datasets import load_sample_images

from reelbow.errors import ReelbowError
from reelbow.pictures.image_files import decode_image

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "photos"

CODINGS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "with restarts": {"restart_marker_rows": 1},
}
HOWS = ("a bit", "8 bits", "zeros", "0xFF", "noise", "cut off")
COLUMNS = ("kept, under 2", "kept, 2 to 8", "kept, over 8")
COLUMNS += tuple(column.replace("kept", "thrown") for column in COLUMNS)


class Copy(NamedTuple):
    """A damaged copy, and what became of it."""

    number: int
    coding: str
    how: str
    warned: bool  # whether libjpeg has a word about it
    kept: bool
    off: float | None  # levels; None: Pillow refuses it too

    @property
    def column(self) -> str:
        assert self.off is not None
        place = (self.off >= 2) + (self.off > 8)
        return COLUMNS[place + (0 if self.kept else 3)]


def find_photographs(*, real: bool) -> list[Image.Image]:
    """Find photographs: scikit-learn's two, and those of ../shared/data."""
    found = [Image.fromarray(pixels) for pixels in load_sample_images().images]
    if real:
        for path in sorted(REAL.rglob("*.jpg")):
            with Image.open(path) as image:
                if image.mode == "RGB":
                    found.append(image.copy())
    return found


def damage(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Damage what comes after the header."""
    damaged = bytearray(data)
    first, last = data.index(b"\xff\xda") + 14, len(data) - 10
    at = rng.randrange(first, last)
    how = rng.choice(HOWS)
    if how in ("a bit", "8 bits"):
        for place in [at] + [rng.randrange(first, last) for _ in range(7)]:
            damaged[place] ^= 1 << rng.randrange(8)
            if how == "a bit":
                break
    elif how == "cut off":
        del damaged[at:]
    else:
        n = min(rng.choice((16, 200, 5000)), last - at)
        runs = {"zeros": bytes(n), "0xFF": b"\xff" * n, "noise": rng.randbytes(n)}
        damaged[at : at + n] = runs[how]
    return how, bytes(damaged)


def sweep(seed: int, n_copies: int, *, real: bool = False) -> Iterator[Copy]:
    """Make copies and read them."""
    photographs = find_photographs(real=real)
    for number in range(n_copies):
        rng = random.Random(f"{seed} {number}")
        coding = rng.choice(list(CODINGS))
        stream = io.BytesIO()
        photograph = rng.choice(photographs)
        photograph.save(stream, "JPEG", quality=85, **CODINGS[coding])
        how, data = damage(stream.getvalue(), rng)
        right = np.asarray(Image.open(stream)).mean(axis=(0, 1))
        try:
            with Image.open(io.BytesIO(data)) as image:
                wrong = np.asarray(image.convert("RGB")).mean(axis=(0, 1))
            off = float(np.abs(wrong - right).max())
        except (OSError, SyntaxError):
            off = None
        try:
            simplejpeg.decode_jpeg(data)
            warned = False
        except ValueError:
            warned = True
        try:
            decode_image(data)
            kept = True
        except ReelbowError:
            kept = False
        yield Copy(number, coding, how, warned, kept, off)


def tabulate(copies: list[Copy]) -> str:
    """Write the table of docs/color.md."""
    lines = ["| | copies | refused by Pillow too | " + " | ".join(COLUMNS) + " |"]
    lines.append("|---" * (len(COLUMNS) + 3) + "|")
    groups: dict[str, list[Copy]] = {}
    for copy in copies:
        words = "libjpeg warns" if copy.warned else "no word"
        for name in (f"{copy.coding}, {words}", copy.how):
            groups.setdefault(name, []).append(copy)
    order = [f"{c}, {w}" for c in CODINGS for w in ("libjpeg warns", "no word")]
    for name in [*order, *HOWS]:
        group = groups.get(name, [])
        counts = collections.Counter(c.column for c in group if c.off is not None)
        refused = sum(copy.off is None for copy in group)
        cells = [name, len(group), refused, *(counts[column] for column in COLUMNS)]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--copies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--made-only", action="store_true", help="no ../shared/data")
    options = parser.parse_args()
    real = not options.made_only
    print(tabulate(list(sweep(options.seed, options.copies, real=real))))
