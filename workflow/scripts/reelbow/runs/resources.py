"""What jobs ask a cluster for: minutes and memory, from a shard's frames and pixels.

Seconds are those that one core took for 8-bit H.264 and for JPEGs, as measured in
docs/performance.md. What is asked for is several times that, since nodes may be slow or
busy, and codecs dear: a job that asks for too much waits longer, one that asks for too
little is killed, and asks for more in its next attempt.
"""

import math
from typing import Any, NamedTuple

from reelbow.machine.scratch import MOST_MEMORY_MB

# Times the estimate that is asked for.
MARGIN = 5

# Start-up, slow disks, and whatever else does not grow with the shard.
LEAST_MINUTES = 5

# Seconds for a megapixel, from 1080p: to decode a picture of a video, to average its
# planes or a JPEG's pixels, to decode a JPEG.
DECODE_S = 1.4e-3
AVERAGE_S = 1.4e-3
JPEG_S = 1.6e-3

# k-means of 8 colors and 5 starts: seconds for a thumbnail, and for its megapixels.
CLUSTER_S = {"numba": (0.5e-3, 5e-3), "sklearn": (13e-3, 2.0)}

# Seconds for a frame's rows to be copied to a film's database, or read for a barcode.
ROW_S = 1e-4

# Bytes of a JPEG for each of its pixels; photographs have somewhat more, and PNGs, ten
# times as large, take about ten times as long.
JPEG_BYTES = 0.1

# The same where no less space may be set aside than is used.
MOST_JPEG_BYTES = 0.4

# Bytes of a film, or of some of its tarballs, that are read in a second for its plan.
READ_BYTES_S = 50e6
TARBALLS_LOOKED_INTO = 32

# Memory in MB (MiB): what any job takes with its libraries and, on a cluster, with the
# two Snakemakes around it, and for each megapixel. A decoder keeps some 20 pictures, an
# image is there in several forms.
DECODE_MB = (700, 40)
PICTURE_MB = (700, 40)
CLUSTER_MB = (700, 40)

# What a GPU's driver and libraries, and the batches on their way to it, may take too.
GPU_MB = 3000

# Of a picture whose size nobody knows before it is read.
UNKNOWN_MEGAPIXELS = 12

# Its multiples, without their whole parts, are spread evenly, however many there are.
GOLDEN_RATIO = (math.sqrt(5) - 1) / 2

# Minutes of work for which a job of a cluster is well worth its start, and is no great
# loss if it dies: below and above, the user is warned.
FEWEST_MINUTES = 2
MOST_MINUTES = 120

# What it is advised to take.
GOOD_MINUTES = 20


class ShardSize(NamedTuple):
    """What a shard holds, as far as its plan tells."""

    n_pictures: float  # decoded from a video; 0: of tarballs
    n_frames: float
    stored_megapixels: float  # of a picture of the source
    frame_megapixels: float  # of an image that is made small
    thumbnail_megapixels: float


# Of a shard that is not planned yet.
NOTHING = ShardSize(0, 0, 0, 0, 0)


def measure_shard(
    plan: dict[str, Any],
    shard: str,
    *,
    mode: str,
    frame_height: int | None,
    thumbnail_height: int | None,
    tarball_bytes: int = 0,
) -> ShardSize:
    """Find a shard's size from the film's plan.

    Parameters
    ----------
    plan : the summary of `reelbow.plan`
    mode : how frames are sampled; keyframes are decoded alone
    frame_height : rows of an extracted frame; None: as in the film
    thumbnail_height : rows of a thumbnail; None: as the frames have
    tarball_bytes : size of the shard's tarball, if it is no video
    """
    width, height = plan["width"], plan["height"]
    video = plan["video"]
    if video:
        stored = video["stored_width"] * video["stored_height"] / 1e6
        n_frames = plan["shards"][shard]["n_frames"]
        share = n_frames / plan["n_frames"]
        n_pictures = n_frames if mode == "keyframes" else plan["n_pictures"] * share
        frames = _shrink(width, height, frame_height)
    else:
        frames = stored = _measure_picture(plan)
        n_frames = estimate_frames(plan, tarball_bytes)
        n_pictures = 0
    aspect = width / height if width and height else 16 / 9
    thumbnails = frames
    if thumbnail_height:
        thumbnails = min(frames, thumbnail_height**2 * aspect / 1e6)
    return ShardSize(n_pictures, n_frames, stored, frames, thumbnails)


def estimate_frames(plan: dict[str, Any], tarball_bytes: int) -> float:
    """Estimate how many images a tarball holds."""
    return tarball_bytes / JPEG_BYTES / 1e6 / _measure_picture(plan)


def _measure_picture(plan: dict[str, Any]) -> float:
    """Find the megapixels of a tarball's images."""
    if plan["width"] and plan["height"]:
        return float(plan["width"] * plan["height"] / 1e6)
    return UNKNOWN_MEGAPIXELS


def _shrink(width: int, height: int, rows: int | None) -> float:
    """Find the megapixels of a picture of at most so many rows."""
    scale = min(1, rows / height) if rows else 1
    return width * height * scale**2 / 1e6


def estimate_extraction_s(size: ShardSize) -> float:
    """Estimate the seconds that `extract_frames` works."""
    per_frame = AVERAGE_S * size.stored_megapixels + JPEG_S * size.frame_megapixels
    return (
        size.n_pictures * DECODE_S * size.stored_megapixels + size.n_frames * per_frame
    )


def estimate_downsampling_s(size: ShardSize) -> float:
    """Estimate the seconds that `downsample_frames` works."""
    per_megapixel = JPEG_S if size.n_pictures else JPEG_S + AVERAGE_S
    return size.n_frames * per_megapixel * size.frame_megapixels


def estimate_clustering_s(
    size: ShardSize, *, n_colors: int, n_init: int, engine: str
) -> float:
    """Estimate the seconds that `cluster_shard` works."""
    per_frame, per_megapixel = CLUSTER_S[engine]
    frame_s = per_frame + per_megapixel * size.thumbnail_megapixels
    # Each of more colors takes part in more steps: 256 take 90 times as long as 8.
    colors = float(max(1, n_colors / 8) ** 1.2)
    return size.n_frames * frame_s * colors * max(1, n_init / 5)


def ask_minutes(work_s: float, attempt: int) -> int:
    """Choose the minutes that a job asks for in its nth attempt."""
    return attempt * math.ceil(LEAST_MINUTES + MARGIN * work_s / 60)


def ask_memory(
    need: tuple[int, int], megapixels: float, size: ShardSize, attempt: int
) -> int:
    """Choose the MB that a job asks for in its nth attempt.

    Parameters
    ----------
    need : MB of any such job, and for each megapixel
    size : of the shard, whose files may lie in the node's memory too
    """
    files = (estimate_frames_mb(size), estimate_thumbnails_mb(size))
    in_memory = sum(mb for mb in files if mb <= MOST_MEMORY_MB)
    return attempt * (math.ceil(need[0] + need[1] * megapixels) + in_memory)


def estimate_frames_mb(size: ShardSize) -> int:
    """Estimate how large the extracted frames of a shard are at most, in MB."""
    if not size.n_pictures:
        return 0
    return math.ceil(size.n_frames * size.frame_megapixels * MOST_JPEG_BYTES) + 1


def estimate_thumbnails_mb(size: ShardSize) -> int:
    """Estimate how large the thumbnails of a shard are, with strips, in MB."""
    strip_mb = math.sqrt(size.thumbnail_megapixels * 1e6) * 24 / 1e6
    return math.ceil(size.n_frames * (3 * size.thumbnail_megapixels + strip_mb)) + 1


def has_gpu(shard: int, share: float, film: int = 0) -> bool:
    """Say whether a shard is one of the part that runs on a GPU, evenly spread.

    Parameters
    ----------
    film : its place among the films, from 0. Each begins at another point of the
        pattern, so that of many films of one shard a part runs on a GPU too
    """
    start = film * GOLDEN_RATIO % 1
    return math.floor((shard + 1) * share + start) > math.floor(shard * share + start)


def doubt_shards(
    n_shards: int, n_frames: int, per_shard: int, work_s: float
) -> str | None:
    """Say in a sentence that a film's shards are far too small or too large.

    Parameters
    ----------
    per_shard : shards.frames, as it is
    work_s : seconds that a shard of so many frames takes
    """
    minutes = work_s / 60
    if FEWEST_MINUTES <= minutes <= MOST_MINUTES:
        return None
    # The whole film may be less than that.
    better = min(n_frames, _round(per_shard * GOOD_MINUTES / minutes))
    if n_shards == 1 and better >= n_frames:
        return None
    which = "its only shard" if n_shards == 1 else f"each of its {n_shards} shards"
    return (
        f"{which} is about {_tell_time(work_s)} of work, and a "
        "job on a cluster should be 10 to 60 minutes; with shards.frames at "
        f"{better} instead of {per_shard} it would be about "
        f"{_tell_time(work_s * better / per_shard)}"
    )


def _round(number: float) -> int:
    """Round to two digits, and to 1 at least."""
    step: int = 10 ** max(0, math.floor(math.log10(max(number, 1))) - 1)
    return max(1, round(number / step) * step)


def _tell_time(time_s: float) -> str:
    """Write a time as people say it."""
    if time_s < 90:
        return f"{time_s:.0f} seconds" if time_s >= 10 else f"{time_s:.1f} seconds"
    minutes = time_s / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"
