"""Defects of a sensor, found by the sums of many photos.

Of many scenes the mean of a pixel is near that of its neighbors, and so is its
variance. A pixel whose mean is not is a spike; one whose variance is too small, a dip.
Demosaicing and JPEG smear what one pixel does over its neighbors, which are told as one
defect.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from reelbow.analysis.sensor_sums import FilmSums
from reelbow.errors import ReelbowError
from reelbow.text import count

# Of fewer photos the scenes themselves stand out.
FEWEST_PHOTOS = 20

# Pixels of a side of what a pixel is compared with, and of what its deviations are.
NEIGHBORS, TILE = 5, 64

# A median absolute deviation of 1 is a standard deviation of so much, if it is normal.
_TO_SIGMA = 1.4826

# Deviations are taken for no smaller than these, in levels and in logarithms of the
# variance, and than half of those of the whole picture: nothing is known of less.
_LEAST_SPIKE, _LEAST_DIP = 0.1, 0.01

# Of steps to whole levels and of what is beside: so little varies nothing.
_LEAST_VARIANCE = 1.0

# What is wider, in pixels, is no defect of a pixel. And where so many of a million
# pixels are some, it is the scene that stays.
MOST_WIDE, MOST_IN_A_MILLION, LEAST_TOO_MANY = 11, 1000, 500

# Of what a pixel does, this part is its smear, and no more than this part as far away
# as a block of a JPEG's color is wide, its echo.
_SMEAR, _ECHO, _ECHO_REACH = 0.2, 1 / 3, 16

# Rows whose moments are found at a time.
_STRIP = 256

CHANNELS = ("red", "green", "blue")
STUCK, DEAD, HOT, LOW_GAIN = KINDS = ("stuck", "dead", "hot", "low gain")


class Defect(NamedTuple):
    """A defect of a sensor.

    Attributes
    ----------
    y, x : of the pixel that stands out most, in the sensor's coordinates
    channel : red, green or blue: that in which it stands out most
    kind : of `KINDS`, as far as sums tell
    mean, variance : of its levels there, [0, 255]
    usual_mean, usual_variance : of its neighbors, by the median
    spike, dip : robust z of the mean against its neighbors, and of minus the logarithm
        of the variance
    z : both together
    first_y, first_x, last_y, last_x : of the region that stands out
    """

    y: int
    x: int
    channel: str
    kind: str
    mean: float
    variance: float
    usual_mean: float
    usual_variance: float
    spike: float
    dip: float
    z: float
    first_y: int
    first_x: int
    last_y: int
    last_x: int


class Found(NamedTuple):
    """What is found of a sensor.

    Attributes
    ----------
    defects : the worst first
    n_wide : regions that stand out, and are too wide for defects of pixels
    """

    defects: list[Defect]
    n_wide: int


class _Standing(NamedTuple):
    """How a pixel stands out in the channel in which it does most, each (h, w)."""

    z: NDArray[np.float32]
    spike: NDArray[np.float32]
    dip: NDArray[np.float32]
    channel: NDArray[np.uint8]


def find_defects(sums: FilmSums, threshold: float) -> Found:
    """Find the defects of a film's sensor.

    Parameters
    ----------
    threshold : the least z

    Raises
    ------
    ReelbowError
        If there are too few photos, or they are of one scene.
    """
    check_photos(sums)
    standing = _compare(sums)
    there = standing.z >= threshold
    n_there, n_pixels = int(there.sum()), there.size
    # Of a small picture some hundreds may be right.
    if n_there > max(MOST_IN_A_MILLION * n_pixels / 1e6, LEAST_TOO_MANY):
        raise ReelbowError(
            f"{n_there:,} of {n_pixels:,} pixels stand out from their neighbors, as in "
            "photos of one scene; give photos of many scenes, or raise "
            "hot_pixels.threshold"
        )
    regions, n_wide = _join(standing.z, there)
    defects = [
        Defect(
            y,
            x,
            CHANNELS[standing.channel[y, x]],
            _name_kind(*moments),
            *moments,
            float(standing.spike[y, x]),
            float(standing.dip[y, x]),
            float(standing.z[y, x]),
            *box,
        )
        for (y, x, box), moments in _look_closer(sums, regions, standing.channel)
    ]
    return Found(sorted(defects, key=lambda each: (-each.z, each.y, each.x)), n_wide)


_Region = tuple[int, int, tuple[int, int, int, int]]


def _join(
    z: NDArray[np.float32], there: NDArray[np.bool_]
) -> tuple[list[_Region], int]:
    """Join what one pixel does to its neighbors.

    Returns
    -------
    of each defect the row and column of its worst pixel, and the first and last ones of
    its region; and how many regions are too wide
    """
    # What lies in the window of the other is one.
    joined = cv2.dilate(there.view(np.uint8), np.ones((NEIGHBORS, NEIGHBORS), np.uint8))
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found: list[tuple[float, _Region]] = []
    n_wide = 0
    for label, (left, top, width, height, _) in enumerate(boxes[1:].tolist(), 1):
        place = slice(top, top + height), slice(left, left + width)
        own = np.where(there[place] & (labels[place] == label), z[place], 0)
        y, x = np.unravel_index(own.argmax(), own.shape)
        worst = float(own[y, x])
        ys, xs = np.nonzero(own > _SMEAR * worst)
        if max(np.ptp(ys), np.ptp(xs)) >= MOST_WIDE:
            n_wide += 1
            continue
        ends = (top + ys.min(), left + xs.min(), top + ys.max(), left + xs.max())
        box = tuple(map(int, ends))
        found.append((worst, (top + int(y), left + int(x), box)))  # type: ignore[arg-type]
    found.sort(reverse=True)
    places = np.array([region[:2] for _, region in found]).reshape(-1, 2)
    sizes = np.array([size for size, _ in found])
    kept = []
    for size, region in found:
        near = np.abs(places - region[:2]).max(axis=1) <= _ECHO_REACH
        if not (near & (_ECHO * sizes > size)).any():
            kept.append(region)
    return kept, n_wide


def check_photos(sums: FilmSums) -> None:
    """Refuse too few photos, in a sentence that says how many there should be."""
    if sums.n >= FEWEST_PHOTOS:
        return
    if not sums.sensors:
        raise ReelbowError(
            f"no photo can be read, and {FEWEST_PHOTOS} of one camera are needed to "
            "find hot pixels; look into results/skipped.tsv"
        )
    sensor, n = sums.sensors[0]
    others = len(sums.sensors) - 1
    beside = f", beside those of {count(others, 'other camera')}" if others else ""
    raise ReelbowError(
        f"{count(n, 'photo')} of {sensor}{beside}, and {FEWEST_PHOTOS} of one camera "
        "and size are needed to find hot pixels; give more, or set hot_pixels.find to "
        "false"
    )


def _compare(sums: FilmSums) -> _Standing:
    """Compare each pixel with its neighbors."""
    worst = _compare_channel(sums, 0)
    for channel in (1, 2):
        # No more than two of them are kept: of large sensors they are large.
        _keep_worse(worst, _compare_channel(sums, channel))
    return worst


def _compare_channel(sums: FilmSums, channel: int) -> _Standing:
    spike, dip = _find_moments(*sums.read_channel(channel), sums.n)
    _make_z(spike, _LEAST_SPIKE)
    _make_z(dip, _LEAST_DIP)
    z = np.maximum(dip, 0)
    np.hypot(spike, z, out=z)
    return _Standing(z, spike, dip, np.full(z.shape, channel, np.uint8))


def _keep_worse(worst: _Standing, other: _Standing) -> None:
    """Put into the first, pixel by pixel, what stands out more in the other."""
    more = other.z > worst.z
    for name in _Standing._fields:
        np.copyto(getattr(worst, name), getattr(other, name), where=more)


def _find_moments(
    totals: NDArray[np.unsignedinteger], squares: NDArray[np.unsignedinteger], n: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Find means, and minus logarithms of variances, each (h, w)."""
    means = np.empty(totals.shape, np.float32)
    logs = np.empty(totals.shape, np.float32)
    for top in range(0, len(totals), _STRIP):
        rows = slice(top, top + _STRIP)
        mean = totals[rows] / n
        variance = (squares[rows] - mean * totals[rows]) / n
        means[rows] = mean
        logs[rows] = -np.log(variance.clip(0) + _LEAST_VARIANCE)
    return means, logs


def _make_z(values: NDArray[np.float32], least: float) -> None:
    """Change each value to how many standard deviations it differs from its neighbors.

    The deviations are those of the tiles around, by the median, so that defects do not
    count, and that between two kinds of scenes the more restless one counts.
    """
    values -= cv2.medianBlur(values, NEIGHBORS)
    height, width = values.shape
    sigmas = np.empty((-(-height // TILE), -(-width // TILE)), np.float32)
    tiles = {
        (i, j): values[i * TILE : (i + 1) * TILE, j * TILE : (j + 1) * TILE]
        for i, j in np.ndindex(sigmas.shape)
    }
    for place, tile in tiles.items():
        sigmas[place] = _TO_SIGMA * np.median(np.abs(tile))
    least = max(least, float(np.median(sigmas)) / 2)
    around = cv2.dilate(sigmas, np.ones((3, 3), np.uint8))
    for place, tile in tiles.items():
        tile /= max(float(around[place]), least)


def _look_closer(
    sums: FilmSums, regions: list[_Region], channels: NDArray[np.uint8]
) -> Iterator[tuple[_Region, tuple[float, float, float, float]]]:
    """Give of each region its worst pixel's mean and variance, and its neighbors'."""
    reach = NEIGHBORS // 2
    for channel in range(3):
        own = [each for each in regions if channels[each[0], each[1]] == channel]
        if not own:
            continue
        totals, squares = sums.read_channel(channel)
        for region in own:
            y, x, _ = region
            place = (
                slice(max(0, y - reach), y + reach + 1),
                slice(max(0, x - reach), x + reach + 1),
            )
            mean = totals[place] / sums.n
            variance = (squares[place] - mean * totals[place]) / sums.n
            at = y - place[0].start, x - place[1].start
            usual = float(np.median(mean)), float(np.median(variance))
            yield region, (float(mean[at]), float(variance[at]), *usual)


def _name_kind(
    mean: float, variance: float, usual_mean: float, usual_variance: float
) -> str:
    """Name the kind of a defect by its moments and those of its neighbors.

    However much demosaicing and JPEG have smeared it: that brings both towards the
    neighbors' alike. The numbers are those that parted the kinds of benchmarks.
    """
    ratio = (variance + _LEAST_VARIANCE) / (usual_variance + _LEAST_VARIANCE)
    # Of a pixel that says nothing of the scene both are 1; of one like others, 0.
    lost = 1 - math.sqrt(max(0.0, ratio))
    shift = (mean - usual_mean) / max(usual_mean, 1.0)
    if abs(shift) < 0.6 * lost or (shift > 0 and lost > 0.45):
        return STUCK
    if shift > 0:
        return HOT
    return DEAD if lost > 0.25 else LOW_GAIN
