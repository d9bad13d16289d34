"""Films as pictures in time: probe, sample, seek and decode, by PyAV.

Times are whole ticks of the stream's time base, so that "the picture on screen at
this moment" has one answer whatever the sharding. A film's time counts from its first
picture, whatever timestamp that picture carries.
"""

import bisect
import collections
import contextlib
import dataclasses
import itertools
import math
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

import av
import av.logging
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import Type as SideDataType
from av.stream import Discard, Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from . import colors, pictures
from .errors import ReelbowError

VideoPacket: TypeAlias = "Packet[VideoStream]"

# Decoders whose NONREF skipping changes no other picture. Not HEVC's: it goes by
# sub-layer non-reference pictures, which pictures of a higher temporal sub-layer may
# refer to (Rec. ITU-T H.265, table 7-1).
SKIPPING_CODECS = frozenset({"h264", "mpeg1video", "mpeg2video", "mpeg4"})

# Damaged places that are read over in a row before the file is taken for ended.
MAX_READ_ERRORS = 100

# More pictures than any codec shows in another order than it codes them.
MAX_KEPT_PACKETS = 64

# A film of that many samples has broken timestamps.
MAX_SAMPLES = 2_000_000

# A pixel aspect beyond this is a mistake, and so is one that makes a picture longer
# than a JPEG can be.
WIDEST_PIXEL = Fraction(20)
LONGEST_SIDE = 65_500

# Containers whose packets come as they are sent: there, a long time without pictures
# is a hole. In others a picture may stay on screen for as long as it likes.
STREAMED = frozenset({"mpegts", "mpeg", "flv"})
# How long, in pictures and in seconds.
HOLE_PICTURES = 10
HOLE_S = Fraction(1, 2)


class Reading(NamedTuple):
    """How a film is to be read."""

    stream: int | None = None  # which of its videos, from 0; None: as players choose
    max_pixels: int = pictures.MAX_PIXELS  # a larger picture is refused


AS_PLAYERS = Reading()


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """One sampled picture of a film."""

    index: int  # from 0
    time_s: float  # presentation time from the film's first picture
    pixels: NDArray[np.uint8]  # (h, w, 3) sRGB


class Timeline(NamedTuple):
    """When each picture of a stream is on screen, in ticks of its time base."""

    time_base: Fraction  # seconds a tick
    pts: NDArray[np.int64]  # (n,) ascending; every picture that has a packet
    keyframes: NDArray[np.int64]  # (m,) ascending; where decoding can start
    end: int  # when the last picture leaves the screen, or should by the header
    # [from, to) without what should be there, ascending
    holes: tuple[tuple[int, int], ...] = ()

    def time_s(self, pts: int) -> Fraction:
        """Seconds of the film's own time, from its first picture."""
        return (pts - int(self.pts[0])) * self.time_base

    def in_hole(self, tick: int) -> bool:
        """Whether the picture that should be on screen is missing in the file."""
        i = bisect.bisect_right(self.holes, tick, key=lambda hole: hole[0]) - 1
        return i >= 0 and tick < self.holes[i][1]


class Decoded(NamedTuple):
    """What decoding gave for one wanted picture: a frame, or why there is none."""

    pts: int | None  # None: in a hole of the file
    frame: av.VideoFrame | None
    reason: str = ""


def open_film(
    path: Path, reading: Reading = AS_PLAYERS
) -> tuple[InputContainer, VideoStream]:
    """Open a film and choose its stream.

    Raises
    ------
    ReelbowError
        If there is no such file, or nothing in it that is a film.
    """
    if not path.exists():
        raise ReelbowError(f"{path}: no such film; give the path of a video file")
    if path.is_dir():
        raise ReelbowError(f"{path}: a folder, not a film; give a video file in it")
    if path.stat().st_size == 0:
        raise ReelbowError(f"{path}: the file is empty; copy or download it again")
    # FFmpeg tells only its log why it cannot open a file.
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as messages:
            container = av.open(str(path), metadata_errors="replace")
    except av.FFmpegError as error:
        raise ReelbowError(_why_unreadable(path, error, messages)) from None
    finally:
        av.logging.set_level(None)
    try:
        stream = _choose_stream(path, container, reading)
    except ReelbowError:
        container.close()
        raise
    # FFmpeg's decoders themselves refuse what is larger, once they rounded sizes up.
    context = stream.codec_context
    rounded = (context.width + 128) * (context.height + 128)
    context.options = {"max_pixels": str(max(reading.max_pixels, rounded))}
    # One thread a job: shards are what runs side by side, and one thread costs the
    # fewest CPU seconds.
    stream.codec_context.thread_count = 1
    # The demuxer need not even read what is not decoded.
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all
    return container, stream


def _choose_stream(
    path: Path, container: InputContainer, reading: Reading
) -> VideoStream:
    videos = [
        stream
        for stream in container.streams.video
        if Disposition.attached_pic not in stream.disposition
    ]
    best = container.streams.best("video")
    if not videos:
        raise ReelbowError(
            f"{path}: no video in it (only sound or cover art); give a film"
        )
    if reading.stream is not None and reading.stream >= len(videos):
        raise ReelbowError(
            f"{path}: has no video stream {reading.stream}; give one of 0 to "
            f"{len(videos) - 1}"
        )
    if reading.stream is not None:
        stream = videos[reading.stream]
    else:
        # One that cannot be decoded only if there is no other.
        videos.sort(key=lambda video: (video.codec_context is None, video is not best))
        stream = videos[0]
    if stream.codec_context is None:
        raise ReelbowError(
            f"{path}: its pictures are coded in a way this FFmpeg does not know, or "
            "its header is damaged; convert it to H.264 first"
        )
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > reading.max_pixels:
        raise ReelbowError(
            f"{path}: pictures of {width}x{height} pixels, allowed are "
            f"{reading.max_pixels}; raise limits.pixels if that is right"
        )
    return stream


def _why_unreadable(
    path: Path, error: av.FFmpegError, messages: Sequence[tuple[int, str, str]]
) -> str:
    if any("moov atom not found" in message for _, _, message in messages):
        return (
            f"{path}: an MP4 without its index (moov), as when a recording or download "
            "broke off; get the whole file"
        )
    if isinstance(error, av.InvalidDataError):
        return f"{path}: not a video that FFmpeg can read; give a video file"
    return f"{path}: cannot be opened ({error.strerror}); give a readable video file"


def read_packets(
    container: InputContainer, stream: VideoStream
) -> Iterator[VideoPacket]:
    """Read on from where the container stands, over damaged places."""
    errors = 0
    while errors < MAX_READ_ERRORS:
        try:
            for packet in container.demux(stream):
                if not packet.size:
                    return
                errors = 0
                yield packet
            return
        except av.EOFError:
            return
        except av.FFmpegError:
            errors += 1


def scan_timeline(path: Path, reading: Reading = AS_PLAYERS) -> Timeline:
    """Read the times of all pictures from the packets, decoding none.

    The header's frame count and duration lie too often to be believed. Only where an
    index lists more pictures than the file has is the rest known to be cut off.
    """
    container, stream = open_film(path, reading)
    with container:
        codec = stream.codec_context.name
        pts: list[int] = []
        keyframes: list[int] = []
        end = 0
        for packet in read_packets(container, stream):
            if packet.pts is None or _is_hidden(packet, codec):
                continue
            # Decoding may start at one that an edit list cuts away.
            if packet.is_keyframe:
                keyframes.append(packet.pts)
            if keyframes and not packet.is_discard:
                pts.append(packet.pts)
                end = max(end, packet.pts + (packet.duration or 0))
        time_base = stream.time_base
        promised = _find_promised_end(stream, len(pts))
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
    )


def _find_promised_end(stream: VideoStream, n_found: int) -> int | None:
    """Find where a file that is cut off should end, by its header.

    Only if it counts more pictures than were found, and as much longer a film.
    """
    if not stream.duration or not n_found or stream.frames <= n_found:
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


def _is_hidden(packet: VideoPacket, codec: str) -> bool:
    """Whether a packet only feeds later ones and is never shown itself.

    References
    ----------
    RFC 6386, section 9.1 (VP8: show_frame); VP9 Bitstream Specification 0.7,
    section 6.2 (show_existing_frame, show_frame) and annex B (superframes).
    """
    if codec not in ("vp8", "libvpx", "vp9", "libvpx-vp9") or not packet.size:
        return False
    data = memoryview(packet)
    first = data[0]
    if "9" not in codec:
        return not first >> 4 & 1
    if data[-1] & 0xE0 == 0xC0:
        # A superframe shows its last frame.
        return False
    # frame_marker 2 bits, profile 2 bits (a reserved third in profile 3)
    shift = 2 if first >> 4 & 3 == 3 else 3
    show_existing, show = first >> shift & 1, first >> (shift - 2) & 1
    return not show_existing and not show


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
    first, pts = int(timeline.pts[0]), timeline.pts.tolist()
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
) -> list[int]:
    """Choose every nth of the pictures `pts` that come on screen in [start, end)."""
    first = int(timeline.pts[0])
    begin = first - (-start // timeline.time_base)
    stop = None if end is None else first - (-end // timeline.time_base)
    low = int(np.searchsorted(pts, begin))
    high = len(pts) if stop is None else int(np.searchsorted(pts, stop))
    chosen: list[int] = pts[low:high:nth].tolist()
    return chosen


def decode_pictures(
    path: Path,
    keyframes: Sequence[int],
    wanted: Sequence[int],
    reading: Reading = AS_PLAYERS,
) -> Iterator[Decoded]:
    """Decode the pictures with the wanted pts, and little else.

    Seeks to the keyframe before each stretch; does not decode what lies between the
    last wanted picture of a group of pictures and the next group with any; leaves out
    pictures that no other refers to, where that is known to change no other picture.

    Parameters
    ----------
    keyframes : pts of all keyframes, ascending
    wanted : pts, ascending, each once, none before the first keyframe

    Yields
    ------
    One `Decoded` for each of `wanted`, in this order.
    """
    reader = _PacketReader(path, keyframes, reading)
    with contextlib.closing(reader):
        for keyframe, group in itertools.groupby(
            wanted, lambda pts: bisect.bisect_right(keyframes, pts) - 1
        ):
            yield from _decode_group(reader, keyframe, list(group))


class _PacketReader:
    """Reads packets from any keyframe on, seeking only where something is left out."""

    def __init__(self, path: Path, keyframes: Sequence[int], reading: Reading) -> None:
        self.path = path
        self.reading = reading
        self.keyframes = keyframes
        self.keyframe_indices = {pts: i for i, pts in enumerate(keyframes)}
        # Where a seek once failed the rest is read through, once and not again for
        # every group of pictures.
        self.seekable = True
        self._open()

    def _open(self) -> None:
        self.container, self.stream = open_film(self.path, self.reading)
        self._begin()

    def _begin(self) -> None:
        self.packets = read_packets(self.container, self.stream)
        # The last keyframe read (its index), and the packets since: the last pictures
        # of an open group come after the next keyframe, which is then used twice. None
        # when they are too many to keep: then it is sought again.
        self.last_keyframe = -1
        self.since_keyframe: list[VideoPacket] | None = []

    def close(self) -> None:
        self.container.close()

    def read_from(self, keyframe: int) -> Iterator[VideoPacket]:
        """Yield the packets from the keyframe of this index to the end of the film."""
        ahead = self.last_keyframe + 1 if self.seekable else len(self.keyframes)
        gone = self.last_keyframe == keyframe and self.since_keyframe is None
        if gone or not self.last_keyframe <= keyframe <= ahead:
            self._seek(keyframe)
        while self.last_keyframe < keyframe:
            if self._next() is None:
                return
        yield from (self.since_keyframe or []).copy()
        while packet := self._next():
            yield packet

    def _next(self) -> "VideoPacket | None":
        packet = next(self.packets, None)
        if packet is not None:
            if packet.is_keyframe and packet.pts in self.keyframe_indices:
                self.last_keyframe = self.keyframe_indices[packet.pts]
                self.since_keyframe = []
            if self.since_keyframe is not None:
                self.since_keyframe.append(packet)
                if len(self.since_keyframe) > MAX_KEPT_PACKETS:
                    self.since_keyframe = None
        return packet

    def _seek(self, keyframe: int) -> None:
        """Go to where the next keyframe to read is this one or one before it."""
        # Some demuxers land behind the target, having no index or one of decoding
        # times: then from further back, and at last from the start of the file.
        for target in (keyframe, max(0, keyframe - 2)) if self.seekable else ():
            try:
                self.container.seek(self.keyframes[target], stream=self.stream)
            except av.FFmpegError:
                break
            self._begin()
            while self.last_keyframe < 0 and self._next():
                pass
            if 0 <= self.last_keyframe <= keyframe:
                return
        self.seekable = False
        self.container.close()
        self._open()


def _decode_group(
    reader: _PacketReader, keyframe: int, group: list[int]
) -> Iterator[Decoded]:
    """Decode the wanted pictures of one group of pictures, in order."""
    waiting = collections.deque(group)
    faults: list[str] = []
    for frame in _decode_from(reader, keyframe, group, faults, skip=True):
        assert frame.pts is not None
        while waiting and waiting[0] < frame.pts:
            yield _decode_alone(reader, keyframe, waiting.popleft(), faults)
        if waiting and waiting[0] == frame.pts:
            yield Decoded(waiting.popleft(), frame)
    for pts in waiting:
        yield _decode_alone(reader, keyframe, pts, faults)


def _decode_from(
    reader: _PacketReader,
    keyframe: int,
    wanted: Sequence[int],
    faults: list[str],
    *,
    skip: bool,
) -> Iterator[av.VideoFrame]:
    """Decode from a keyframe until the wanted pictures are out; note what fails."""
    context = reader.stream.codec_context
    context.flush_buffers()
    skip = skip and context.name in SKIPPING_CODECS
    pending = set(wanted)

    def decode(packet: "VideoPacket | None") -> Iterator[av.VideoFrame]:
        try:
            for frame in context.decode(packet):
                if frame.is_corrupt:
                    faults.append("parts of it are missing")
                elif not colors.can_convert(frame):
                    faults.append(f"no known pixel format: {frame.format.name}")
                elif frame.pts is not None:
                    yield frame
        except av.FFmpegError as error:
            faults.append(error.strerror or str(error))

    for packet in reader.read_from(keyframe):
        unneeded = skip and packet.pts not in pending
        context.skip_frame = "NONREF" if unneeded else "DEFAULT"
        yield from decode(packet)
        # A hidden packet may have the time of the one that is shown after it.
        if not _is_hidden(packet, context.name):
            pending.discard(packet.pts)
        if not pending:
            break
    yield from decode(None)


def _decode_alone(
    reader: _PacketReader, keyframe: int, pts: int, faults: list[str]
) -> Decoded:
    """Look again for a picture that did not come, now decoding all before it.

    A packet without a picture of its own (the second field of a frame, say) is no
    damage: on screen is the picture before it. Where decoding failed there is none.
    """
    if not faults:
        again = _PacketReader(reader.path, reader.keyframes, reader.reading)
        shown = None
        with contextlib.closing(again):
            for frame in _decode_from(again, keyframe, [pts], faults, skip=False):
                if frame.pts is not None and frame.pts <= pts:
                    shown = frame
        if shown and not faults:
            return Decoded(pts, shown)
        faults.append("its data decode to nothing")
    return Decoded(pts, None, f"the picture does not decode ({faults[-1]})")


class Turn(NamedTuple):
    """How stored pixels become upright: first transposed, then mirrored, then flipped.

    From a display matrix (a b u, c d v, x y w), which takes a stored pixel (p, q) to
    (a p + c q, b p + d q): ISO/IEC 14496-12, section 6.2.2.
    """

    transposed: bool = False  # rows become columns
    mirrored: bool = False  # left becomes right
    flipped: bool = False  # top becomes bottom

    @classmethod
    def of_frame(cls, frame: av.VideoFrame) -> Self:
        """Read a frame's display matrix; without one it is upright."""
        data = colors.read_side_data(frame, SideDataType.DISPLAYMATRIX)
        if len(data) < 36:
            return cls()
        a, b, _, c, d, *_ = struct.unpack_from("=9i", data)
        if abs(b) + abs(c) > abs(a) + abs(d):
            return cls(transposed=True, mirrored=c < 0, flipped=b < 0)
        return cls(mirrored=a < 0, flipped=d < 0)

    def apply(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn (h, w, 3) upright."""
        if self.transposed:
            picture = picture.transpose(1, 0, 2)
        if self.mirrored:
            picture = picture[:, ::-1]
        if self.flipped:
            picture = picture[::-1]
        return np.ascontiguousarray(picture)


class Probe(NamedTuple):
    """What a film says of itself, and what was assumed where it says nothing."""

    container: str
    codec: str
    pixel_format: str
    stored_width: int
    stored_height: int
    width: int  # as a viewer sees it: upright, with square pixels
    height: int
    turn: Turn
    interlaced: bool  # the first picture is; every picture is asked by itself
    pixel_aspect: Fraction  # width of a pixel to its height
    rate: Fraction | None  # average pictures a second, for information only
    coding: colors.Coding

    def to_json(self) -> dict[str, Any]:
        """Write it for plan.json."""
        return {
            **self._asdict(),
            "pixel_aspect": str(self.pixel_aspect),
            "rate": None if self.rate is None else str(self.rate),
            "turn": self.turn._asdict(),
            "coding": self.coding._asdict(),
        }

    @classmethod
    def from_json(cls, about: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            **{
                **about,
                "pixel_aspect": Fraction(about["pixel_aspect"]),
                "rate": None if about["rate"] is None else Fraction(about["rate"]),
                "turn": Turn(**about["turn"]),
                "coding": colors.Coding(**about["coding"]),
            }
        )


def probe_film(path: Path, reading: Reading = AS_PLAYERS) -> Probe:
    """Read a film's header and decode its first picture.

    Raises
    ------
    ReelbowError
        If there is none that decodes.
    """
    container, stream = open_film(path, reading)
    with container:
        frame = None
        for packet in read_packets(container, stream):
            with contextlib.suppress(av.FFmpegError):
                frame = next(iter(packet.decode()), None)
            if frame is not None:
                break
        if frame is None:
            with contextlib.suppress(av.FFmpegError):
                frame = next(iter(stream.codec_context.decode(None)), None)
        if frame is None:
            raise ReelbowError(
                f"{path}: no picture in it can be decoded; get an undamaged file"
            )
        if not colors.can_convert(frame):
            raise ReelbowError(
                f"{path}: pictures of the pixel format {frame.format.name}, which "
                "cannot be converted; convert the film to one of 8 to 16 bits first"
            )
        turn = Turn.of_frame(frame)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        longest = max(float(frame.width * aspect), float(frame.height))
        if not 1 / WIDEST_PIXEL <= aspect <= WIDEST_PIXEL or longest > LONGEST_SIDE:
            aspect = Fraction(1)
        width, height = frame.width * aspect, Fraction(frame.height)
        if turn.transposed:
            width, height = height, width
        return Probe(
            container=container.format.name,
            codec=stream.codec_context.name,
            pixel_format=frame.format.name,
            stored_width=frame.width,
            stored_height=frame.height,
            width=round(width),
            height=round(height),
            turn=turn,
            interlaced=frame.interlaced_frame,
            pixel_aspect=aspect,
            rate=stream.average_rate,
            coding=colors.find_coding(frame),
        )


def develop_frame(frame: av.VideoFrame, probe: Probe) -> NDArray[np.uint8]:
    """Turn a decoded frame into an upright sRGB picture of its stored pixels.

    Of an interlaced frame only the upper field counts: the two are of different times,
    and chroma shared between them would bleed.

    Returns
    -------
    (h, w, 3) uint8; in shape it is the film's only after `pictures.shape_picture`
    """
    if frame.interlaced_frame:
        frame = colors.take_field(frame)
    return probe.turn.apply(colors.to_srgb(frame, probe.coding))


def shape_frame(
    frame: av.VideoFrame,
    probe: Probe,
    *,
    crop: pictures.Crop | None,
    height: int | None,
    strip_rows: int | None,
    space: str,
) -> tuple[NDArray[np.uint8], pictures.Averages]:
    """Turn a decoded frame into a small sRGB picture, and average all its pixels.

    Parameters
    ----------
    crop : in pixels of the picture as seen
    height, strip_rows, space : as for `pictures.shape_and_average`
    """
    full = (probe.height, probe.width)
    shape = (crop.height, crop.width) if crop else full
    size = pictures.find_shape(shape, height)
    if space == "srgb" and probe.turn == Turn() and not frame.interlaced_frame:
        # Imported here: only decoding needs it, and planning would pay for it.
        from . import yuv_average

        stored = (frame.height, frame.width)
        kept = (0, 0, frame.width, frame.height)
        if crop is not None:
            kept = pictures.scale_crop(crop, full, stored)
        averaged = yuv_average.average_frame(frame, probe.coding, crop=kept, size=size)
        if averaged is not None:
            picture, means = averaged
            rows = min(strip_rows or len(picture), len(picture))
            return picture, pictures.Averages.of_rows(means, rows=rows)
    return pictures.shape_and_average(
        develop_frame(frame, probe),
        full=full,
        crop=crop,
        height=height,
        strip_rows=strip_rows,
        space=space,
    )


def show_frame(
    frame: av.VideoFrame, probe: Probe, *, height: int | None = None
) -> NDArray[np.uint8]:
    """Turn a decoded frame into the picture a viewer sees: upright, sRGB, in shape.

    Parameters
    ----------
    height : rows of the result, never more than there are; None: as in the film

    Returns
    -------
    (h, w, 3) uint8 sRGB
    """
    full = (probe.height, probe.width)
    return pictures.shape_picture(develop_frame(frame, probe), full=full, height=height)


def read_frames(
    source: Path | str,
    *,
    every: float | Fraction,
    start_s: float | Fraction = 0,
    end_s: float | Fraction | None = None,
    height: int | None = None,
) -> Iterator[Frame]:
    """Read a film's pictures at regular times.

    Sample i is the picture on screen `start_s + i * every` seconds after the film's
    first one. A picture that does not decode is left out; `index` shows the gap.

    Parameters
    ----------
    source : a video file
    every, start_s, end_s : seconds
    height : rows of each picture, made smaller by area; None: as in the film

    Raises
    ------
    ReelbowError
        If the file is no film, or the times cannot be.
    """
    if not 0 < every < math.inf:
        raise ReelbowError(f"every={every}: should be seconds, more than 0")
    if not 0 <= start_s < math.inf:
        raise ReelbowError(f"start_s={start_s}: should be seconds, 0 or more")
    path = Path(source)
    timeline = scan_timeline(path)
    probe = probe_film(path)
    with naming(path):
        samples = sample_interval(
            timeline,
            every=exact(every),
            start=exact(start_s),
            end=None if end_s is None else exact(end_s),
        )
    for index, decoded in decode_samples(path, timeline.keyframes.tolist(), samples):
        if decoded.frame is not None and decoded.pts is not None:
            time_s = float(timeline.time_s(decoded.pts))
            yield Frame(index, time_s, show_frame(decoded.frame, probe, height=height))


def decode_samples(
    path: Path,
    keyframes: Sequence[int],
    samples: Sequence[int | None],
    reading: Reading = AS_PLAYERS,
) -> Iterator[tuple[int, Decoded]]:
    """Decode the picture of every sample, with its position in `samples`.

    Like `decode_pictures`, but a pts may come several times, for a picture that stays
    on screen over several samples, and None stands for a hole in the file.
    """
    wanted = list(dict.fromkeys(pts for pts in samples if pts is not None))
    pictures_in_order = decode_pictures(path, keyframes, wanted, reading)
    decoded = Decoded(None, None)
    for index, pts in enumerate(samples):
        if pts is None:
            yield index, Decoded(None, None, "the file has no picture of this time")
            continue
        if pts != decoded.pts:
            decoded = next(pictures_in_order)
        yield index, decoded


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
