"""The sketches of a shard, drawn as they are read."""

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.pictures.averages import Averages, shape_and_average
from reelbow.pictures.geometry import Crop
from reelbow.pictures.strokes import draw_colored_strokes, draw_strokes
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.members import Member
from reelbow.shards.plan import Plan, find_shard
from reelbow.shards.sketch_files import (
    Sketch,
    is_npz,
    read_lines,
    read_quickdraw,
    read_split,
    read_stroke_3,
)


class SketchPicture:
    """A sketch, drawn: (size, size), or in colors (size, size, 3), uint8 sRGB."""

    def __init__(self, drawn: NDArray[np.uint8]) -> None:
        self.drawn = drawn

    def to_bgr(self) -> NDArray[np.uint8]:
        """Give all its pixels, as `DecodedPicture` says."""
        is_gray = self.drawn.ndim == 2
        code = cv2.COLOR_GRAY2BGR if is_gray else cv2.COLOR_RGB2BGR
        return np.asarray(cv2.cvtColor(self.drawn, code), np.uint8)

    def shape(self, options: ThumbnailOptions) -> tuple[NDArray[np.uint8], Averages]:
        """Make it small and average it, as `DecodedPicture` says."""
        # Gray is the same in either order.
        pixels = self.to_bgr() if self.drawn.ndim == 2 else self.drawn
        return shape_and_average(
            pixels,
            full=pixels.shape[:2],
            crop=Crop.parse(options.crop) if options.crop else None,
            height=options.height,
            space=options.mean_space,
        )


class SketchShard(nullcontext["SketchShard"]):
    """Draws the sketches of a shard.

    Attributes
    ----------
    damage : None: what cannot be drawn are single drawings, each with its reason
    """

    damage: str | None = None

    def __init__(
        self, path: Path, plan: Plan, shard: str, *, max_pixels: int, salvage: bool
    ) -> None:
        """Look into the plan only; the file is opened when it is read."""
        super().__init__(self)
        self._path = path
        self._about = plan["sketches"]
        self._part = find_shard(plan, shard)

    def __len__(self) -> int:
        """Count its drawings, those that cannot be drawn included."""
        n_frames: int = self._part["n_frames"]
        return n_frames

    def read(self) -> Iterator[Member]:
        """Draw them in their order."""
        first = self._part["first_frame"]
        for frame, sketch in enumerate(islice(self._read_sketches(), len(self)), first):
            about: dict[str, Any] = {"frame": frame}
            if sketch.strokes is None:
                yield Member(sketch.name, None, sketch.reason, about)
                continue
            try:
                drawn = self._draw(sketch.strokes)
            except ReelbowError as error:
                yield Member(sketch.name, None, str(error), about)
                continue
            about |= _tell(sketch)
            yield Member(sketch.name, SketchPicture(drawn), "", about)

    def _draw(self, strokes: list[NDArray[np.float64]]) -> NDArray[np.uint8]:
        how = {key: self._about[key] for key in ("size", "thickness")}
        is_black = self._about["color"] == "black"
        return (draw_strokes if is_black else draw_colored_strokes)(strokes, **how)

    def read_every(self) -> Iterator[Member]:
        """Draw them: a shard has no others."""
        return self.read()

    def _read_sketches(self) -> Iterator[Sketch]:
        first = self._part["first_frame"]
        if is_npz(self._path):
            split = self._about["split"]
            drawings = read_split(self._path, split)[first : first + len(self)]
            for number, drawing in enumerate(drawings, first):
                yield read_stroke_3(f"{split} {number}", drawing)
        else:
            start = self._part["offset"], self._part["line"]
            yield from map(read_quickdraw, read_lines(self._path, *start))


def _tell(sketch: Sketch) -> dict[str, Any]:
    """Tell what the table of sketches has of one that was drawn."""
    lengths = [len(stroke) for stroke in sketch.strokes or [] if len(stroke)]
    return {
        "word": sketch.word,
        "n_strokes": len(lengths),
        "n_points": sum(lengths),
        "recognized": sketch.recognized,
    }


# As `Kind.open_shard` calls it.
open_shard = SketchShard
