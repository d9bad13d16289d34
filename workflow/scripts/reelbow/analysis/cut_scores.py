"""How much each picture of a shard differs from the one before, by PySceneDetect.

A cut is decided later, over the whole film: a detector looks at the pictures before and
after. So shards are scored each by itself, and keep their first and last picture small,
by which the scores at their borders are found.
"""

import math
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect.detectors import ContentDetector, HashDetector
from scenedetect.scene_manager import DEFAULT_MIN_WIDTH, compute_downscale_factor

from reelbow.errors import ReelbowError
from reelbow.jobs.arrays import telling_damage_of
from reelbow.pictures.geometry import Levels, round_to_bytes
from reelbow.pictures.image_files import decode_image
from reelbow.shards.members import Member

# How the detectors compare two pictures: these two do it alike.
CONTENT, HASH = "content", "hash"
METRICS = {"adaptive": CONTENT, "content": CONTENT, "hash": HASH}

# As PySceneDetect's command has them.
_HASH_SIZE, _HASH_LOWPASS = 8, 2


class CutScores(NamedTuple):
    """The pictures of a shard that could be read, in their order.

    Attributes
    ----------
    places : (n,) int64, of a picture among the shard's, from 0, missing ones counted
    times_s : (n,) float64, NaN: unknown
    scores : (n,) float32, [0, 255], or of hashes [0, 1]; of the first picture 0
    first, last : (h, w, 3) uint8 BGR, small; (0, 0, 3): there is none
    n_pictures : missing ones counted
    lost : why not all of the shard could be read; "": it could
    """

    places: NDArray[np.int64]
    times_s: NDArray[np.float64]
    scores: NDArray[np.float32]
    first: NDArray[np.uint8]
    last: NDArray[np.uint8]
    n_pictures: int
    lost: str = ""

    def save(self, path: Path) -> None:
        """Write them to a file, always the same bytes."""
        # np.savez writes the time of day, too.
        with zipfile.ZipFile(path, "w") as file:
            for name, value in self._asdict().items():
                with file.open(zipfile.ZipInfo(f"{name}.npy"), "w") as stream:
                    np.lib.format.write_array(stream, np.asarray(value))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        DamagedError
            If it is not whole.
        """
        # Opened here, since np.load leaves open what it cannot read.
        with (
            telling_damage_of(path),
            path.open("rb") as stream,
            np.load(stream) as file,
        ):
            arrays = {name: file[name] for name in cls._fields}
            alone = {name: arrays[name].item() for name in ("n_pictures", "lost")}
        return cls(**{**arrays, **alone})


def score_pictures(
    members: Iterable[Member], metric: str, *, max_pixels: int
) -> tuple[CutScores, list[str]]:
    """Compare each picture of a shard with the one before.

    Parameters
    ----------
    metric : content or hash, see `METRICS`
    max_pixels : of the largest image that is read

    Returns
    -------
    the scores, up to where the shard cannot be read on; and of each picture that is
    missing why
    """
    compare, place, lost = _Comparison(metric), -1, ""
    first = before = np.empty((0, 0, 3), np.uint8)
    places: list[int] = []
    times_s, scores, reasons = [], [], []
    try:
        for place, member in enumerate(members):
            try:
                picture = _show_small(member, max_pixels)
            except ReelbowError as error:
                reasons.append(str(error))
                continue
            if not places:
                first = picture
            elif picture.shape != before.shape:
                # As images of a tarball may be.
                compare = _Comparison(metric)
                compare(_fit(before, picture))
            before = picture
            places.append(place)
            times_s.append(math.nan if member.time_s is None else member.time_s)
            scores.append(compare(picture))
    except ReelbowError as error:
        lost = str(error)
    found = CutScores(
        np.array(places, np.int64),
        np.array(times_s, np.float64),
        np.array(scores, np.float32),
        first,
        before,
        place + 1,
        lost,
    )
    return found, reasons


def load_scores(paths: Iterable[Path], *, go_on: bool) -> Iterator[CutScores]:
    """Read the scores of shards, one after the other.

    go_on : whether those of shards that could not be read whole are enough; else their
        files are removed, and so made again

    Raises
    ------
    ReelbowError
        If a shard was not read whole, and that is not enough.
    """
    for path in paths:
        scores = CutScores.load(path)
        if scores.lost and not go_on:
            path.unlink()
            raise ReelbowError(
                f"{path}: an earlier run left out a part of the shard "
                f"({scores.lost}); give the same command again, which makes it anew"
            )
        yield scores


class FilmScores(NamedTuple):
    """The scores of all shards of a film, as in `CutScores`."""

    places: NDArray[np.int64]
    times_s: NDArray[np.float64]
    scores: NDArray[np.float32]
    n_pictures: int


def join_scores(shards: Iterable[CutScores], metric: str) -> FilmScores:
    """Put the scores of a film's shards together, with those at their borders."""
    places, times_s, scores = [np.empty(0, np.int64)], [np.empty(0)], []
    n_pictures = 0
    last = np.empty((0, 0, 3), np.uint8)
    for shard in shards:
        places.append(shard.places + n_pictures)
        times_s.append(shard.times_s)
        scores.append(shard.scores.copy())
        n_pictures += shard.n_pictures
        if not shard.first.size:
            continue
        if last.size:
            compare = _Comparison(metric)
            compare(_fit(last, shard.first))
            scores[-1][0] = compare(shard.first)
        last = shard.last
    return FilmScores(
        np.concatenate(places),
        np.concatenate(times_s),
        np.concatenate([*scores, np.empty(0, np.float32)]),
        n_pictures,
    )


class _Comparison:
    """Scores each picture against the one before, of its size; the first is 0."""

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._content = ContentDetector()
        self._hash: NDArray[np.bool_] | None = None

    def __call__(self, picture: NDArray[np.uint8]) -> float:
        if self._metric == CONTENT:
            # What its detectors are made of, and what they have no public name for.
            return float(self._content._calculate_frame_score(None, picture))
        before = self._hash
        self._hash = HashDetector.hash_frame(picture, _HASH_SIZE, _HASH_LOWPASS)
        return 0.0 if before is None else float(np.mean(self._hash != before))


def _show_small(member: Member, max_pixels: int) -> NDArray[np.uint8]:
    """Give a picture as PySceneDetect looks at it, (h, w, 3) BGR, some 256 wide.

    Raises
    ------
    ReelbowError
        If it is missing or cannot be read.
    """
    if member.data is None:
        raise ReelbowError(member.reason)
    if not isinstance(member.data, bytes):
        return _shrink(member.data.to_bgr(), cv2.INTER_LINEAR)
    image = decode_image(member.data, height=DEFAULT_MIN_WIDTH, max_pixels=max_pixels)
    small = _shrink(image.picture, cv2.INTER_AREA)
    levels = round_to_bytes(small) if small.dtype != np.uint8 else small
    return np.ascontiguousarray(levels[:, :, ::-1])


def _shrink(picture: Levels, method: int) -> Levels:
    height, width = picture.shape[:2]
    factor = compute_downscale_factor(max(height, width))
    if factor <= 1:
        return picture
    size = max(1, round(width / factor)), max(1, round(height / factor))
    return np.asarray(cv2.resize(picture, size, interpolation=method))


def _fit(picture: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give a picture the size of another one."""
    if picture.shape == other.shape:
        return picture
    size = other.shape[1], other.shape[0]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
