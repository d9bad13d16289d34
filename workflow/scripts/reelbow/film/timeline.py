"""When the pictures of a film are on screen, and which of them are sampled.

Times are whole ticks of the stream's time base, so that "the picture on screen at
this moment" has one answer whatever the sharding. A film's time counts from its first
picture, whatever timestamp that picture carries.
"""

import bisect
import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.film.demuxing import (
    AS_PLAYERS,
    ReadOptions,
    VideoPacket,
    is_hidden,
    open_film,
    read_packets,
)

# A film with more samples than this has broken timestamps: 23 days at one a second.
MAX_SAMPLES = 2_000_000

# Containers whose packets come as they are sent: there, a long time without pictures
# is a hole. In others a picture may stay on screen for as long as it likes.
STREAMED = frozenset({"mpegts", "mpeg", "flv"})

# A time without pictures is a hole if it is longer than both.
HOLE_PICTURES = 10
HOLE_S = Fraction(1, 2)

# Packets that are looked through for one, more than lie between two keyframes.
MAX_SEARCHED = 2000


class Timeline(NamedTuple):
    """When each picture of a stream is on screen, in ticks of its time base."""

    time_base: Fraction  # seconds a tick
    pts: NDArray[np.int64]  # (n,) ascending; every picture that has a packet
    keyframes: NDArray[np.int64]  # (m,) ascending
    end: int  # when the last picture leaves the screen, or should by the header
    # [from, to) without what should be there, ascending
    holes: tuple[tuple[int, int], ...] = ()
    # Of a first picture of which an edit list cuts off the beginning, the pts, and when
    # it comes on screen.
    cut: int | None = None
    cut_start: int = 0
    # Keyframes right behind a loss: decoding that starts there does not notice it.
    behind_loss: tuple[int, ...] = ()

    @property
    def starts(self) -> NDArray[np.int64]:
        """Keyframes where decoding is to start."""
        return self.keyframes[~np.isin(self.keyframes, self.behind_loss)]

    @property
    def start(self) -> int:
        """When the first picture comes on screen."""
        return int(self.pts[0]) if self.cut is None else self.cut_start

    def time_s(self, pts: int) -> Fraction:
        """Seconds of the film's own time, from when its first picture is on screen."""
        return max(pts - self.start, 0) * self.time_base

    def in_hole(self, tick: int) -> bool:
        """Whether the picture that should be on screen is missing in the file."""
        i = bisect.bisect_right(self.holes, tick, key=lambda hole: hole[0]) - 1
        return i >= 0 and tick < self.holes[i][1]


def scan_timeline(path: Path, reading: ReadOptions = AS_PLAYERS) -> Timeline:
    """Read the times of all pictures from the packets, decoding none.

    The header's frame count and duration lie too often to be believed. Only where an
    index lists more pictures than the file has is the rest known to be cut off.
    """
    container, stream = open_film(path, reading)
    with container:
        codec = stream.codec_context.name
        pts: list[int] = []
        keyframes: list[int] = []
        behind_loss: list[int] = []
        discarded: list[int] = []
        end = n_packets = 0
        first = None
        is_lost = False
        # A damaged keyframe does not look like one, but the index of an MP4 knows it.
        entries = stream.index_entries
        begins = bool(len(entries)) and bool(entries[0].is_keyframe)
        for packet in read_packets(container, stream):
            first = first or packet
            n_packets += 1
            if packet.pts is None or is_hidden(packet, codec):
                continue
            is_keyframe = packet.is_keyframe or (packet is first and begins)
            # Decoding may start at one that an edit list cuts away before the first
            # picture; between the list's parts their times mean nothing.
            if is_keyframe and not (packet.is_discard and pts):
                keyframes.append(packet.pts)
                if is_lost and len(keyframes) > 1:
                    behind_loss.append(packet.pts)
            is_lost = packet.is_corrupt
            if packet.is_discard:
                discarded.append(packet.pts)
            elif keyframes:
                pts.append(packet.pts)
                end = max(end, packet.pts + (packet.duration or 0))
        time_base = stream.time_base
        promised = _find_promised_end(stream, n_packets)
        listed = stream.duration
        streamed = not STREAMED.isdisjoint(container.format.name.split(","))
    # What is shown before the first keyframe leans on pictures that are not there.
    times = np.unique(np.array(pts, np.int64))
    times = times[times >= keyframes[0]] if keyframes else times
    if not len(times) or time_base is None:
        raise ReelbowError(
            f"{path}: no picture in it has a time (a raw stream, or damaged); "
            "put it into a container such as MKV first"
        )
    if end <= times[-1]:
        # No durations: the last picture stays as long as the one before it.
        last = times[-2:].tolist()
        end = 2 * last[-1] - last[0] if len(last) > 1 else last[0] + 1
    cut, cut_start = None, 0
    before = [ticks for ticks in discarded if ticks < times[0]]
    # Not where a list of several parts gives two pictures one time.
    if before and len(times) == len(pts):
        assert first is not None
        shift = _find_shift(path, reading, first)
        if shift > 0:
            cut, cut_start = max(before), int(times[0]) - shift
            times = np.concatenate([[cut], times])
            if listed is not None and times[-1] < listed - shift:
                end = min(end, listed - shift)
    holes: list[tuple[int, int]] = []
    if streamed:
        holes += _find_holes(times, np.unique(keyframes), end, time_base)
        for begin, stop in holes:
            times = times[(times < begin) | (times >= stop)]
    if promised is not None and promised > end:
        holes.append((end, promised))
        end = promised
    return Timeline(
        time_base=time_base,
        pts=times,
        keyframes=np.unique(np.array(keyframes, np.int64)),
        end=end,
        holes=tuple(holes),
        cut=cut,
        cut_start=cut_start,
        behind_loss=tuple(behind_loss),
    )


def _find_shift(path: Path, reading: ReadOptions, first: "VideoPacket") -> int:
    """Find how many ticks FFmpeg shows an MP4's pictures too early by its edit list.

    It discards a picture of which only the end is left, and shows the next one from the
    list's start on. By the standard the one that is on screen then is the first.

    Parameters
    ----------
    first : the film's first packet

    References
    ----------
    ISO/IEC 14496-12, 8.6.6.
    """
    # Without the edit list FFmpeg discards nothing and keeps the times of the file.
    options = {"advanced_editlist": "0"}
    container, stream = open_film(path, reading, options)
    assert first.pts is not None
    with container:
        try:
            container.seek(first.pts, stream=stream)
        except av.FFmpegError:
            return 0
        for packet in itertools.islice(read_packets(container, stream), MAX_SEARCHED):
            if packet.pos == first.pos and packet.pts is not None:
                return packet.pts - first.pts
    return 0


def _find_promised_end(stream: VideoStream, n_found: int) -> int | None:
    """Find where a file that is cut off should end, by its header.

    Only if it counts more pictures than were found (those that are not shown, too).
    """
    promised = stream.frames
    if "mp4" in stream.container.format.name:
        # The header counts pictures that an edit list leaves out; the index does not.
        promised = min(promised, len(stream.index_entries))
    if not stream.duration or not n_found or promised <= n_found:
        return None
    return (stream.start_time or 0) + stream.duration


def _find_holes(
    pts: NDArray[np.int64], keyframes: NDArray[np.int64], end: int, time_base: Fraction
) -> Iterator[tuple[int, int]]:
    """Find where a stream has no pictures for much longer than they stay elsewhere.

    A hole lasts to the next keyframe: what is shown before it leans on lost pictures,
    and decoders make something of it without a word.
    """
    if len(pts) < 2:
        return
    steps = np.diff(pts)
    usual = int(np.median(steps))
    for i in np.flatnonzero(steps > max(HOLE_PICTURES * usual, HOLE_S / time_base)):
        whole = keyframes[np.searchsorted(keyframes, pts[i + 1]) :]
        yield int(pts[i]) + usual, int(whole[0]) if len(whole) else end


def sample_interval(
    timeline: Timeline, *, every: Fraction, start: Fraction, end: Fraction | None
) -> list[int | None]:
    """Choose the pictures on screen at start, start + every, start + 2 every, ...

    Parameters
    ----------
    every, start, end : seconds of the film's own time; end None: its end

    Returns
    -------
    The pts of each sample; a picture that stays long on screen comes more than once.
    None where the file has a hole.

    Raises
    ------
    ReelbowError
        If the film's timestamps are so broken that there is no end of samples.
    """
    first, pts = timeline.start, timeline.pts.tolist()
    film_end = (timeline.end - first) * timeline.time_base
    stop = film_end if end is None else min(end, film_end)
    samples: list[int | None] = []
    count = max(0, -((start - stop) // every))
    if count > MAX_SAMPLES:
        raise ReelbowError(
            f"{count} samples in {float(stop):.0f} s, by broken timestamps or a tiny "
            "step; set end_s, or a larger sampling.every"
        )
    # Whole numbers, since fractions are slow: ticks are (offset + i * step) / unit.
    ticks = start / timeline.time_base, every / timeline.time_base
    unit = math.lcm(ticks[0].denominator, ticks[1].denominator)
    offset, step = (int(fraction * unit) for fraction in ticks)
    for i in range(count):
        tick = first + (offset + i * step) // unit
        if timeline.in_hole(tick):
            samples.append(None)
        else:
            samples.append(pts[bisect.bisect_right(pts, tick) - 1])
    return samples


def sample_frames(
    timeline: Timeline,
    pts: NDArray[np.int64],
    *,
    nth: int,
    start: Fraction,
    end: Fraction | None,
) -> list[int | None]:
    """Choose every nth of the pictures `pts` that come on screen in [start, end).

    Those that a hole of the file swallowed count as well, as many as come in such a
    time elsewhere: None stands for them.

    Raises
    ------
    ReelbowError
        If there would be no end of them.
    """
    first = timeline.start
    pts = pts[pts >= timeline.pts[0]]
    begin = first - (-start // timeline.time_base)
    stop = timeline.end if end is None else first - (-end // timeline.time_base)
    ticks, there = _fill_holes(pts, timeline.holes, begin, stop)
    # One that is cut comes on screen later than its pts.
    low, high = np.searchsorted(ticks.clip(first), [begin, stop]).tolist()
    return [
        tick if is_there else None
        for tick, is_there in zip(
            ticks[low:high:nth].tolist(), there[low:high:nth].tolist(), strict=True
        )
    ]


def _fill_holes(
    pts: NDArray[np.int64], holes: Sequence[tuple[int, int]], start: int, stop: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Add the pictures that should be in holes, by their usual step, in [start, stop).

    Returns
    -------
    Times of all pictures, ascending, and which of them are there.
    """
    lost = [np.empty(0, np.int64)]
    usual = int(np.median(np.diff(pts))) if len(pts) > 1 else 0
    for begin, end in holes if usual else ():
        after = int(np.searchsorted(pts, begin))
        if not after:
            continue
        last = int(pts[after - 1])
        low = max(1, -((last - start) // usual))
        high = min(round((end - last) / usual), -((last - stop) // usual))
        if high - low > MAX_SAMPLES:
            raise ReelbowError(
                f"{high - low} pictures are missing in a row, by broken timestamps; "
                "set end_s, or sample by interval with a larger sampling.every"
            )
        lost.append(last + usual * np.arange(low, high))
    ticks = np.concatenate([pts, *lost])
    there = np.arange(len(ticks)) < len(pts)
    order = np.argsort(ticks, kind="stable")
    return ticks[order], there[order]


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the file's name before an error of what only knows its times."""
    try:
        yield
    except ReelbowError as error:
        raise ReelbowError(f"{path}: {error}") from None


def exact(seconds: float | Fraction) -> Fraction:
    """Take a number as it is written: 0.1 is a tenth, not the nearest float."""
    return Fraction(str(seconds))
