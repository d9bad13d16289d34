"""Decodes the wanted pictures of a film and little else, by seeking and skipping."""

import bisect
import collections
import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import av

from reelbow.film.coding import can_convert
from reelbow.film.demuxing import (
    AS_PLAYERS,
    ReadOptions,
    VideoPacket,
    is_hidden,
    is_unreferenced,
    open_film,
    read_packets,
)
from reelbow.pictures.geometry import check_room

# Codecs whose every shown packet gives a picture: one that is missing is damage.
ONE_PICTURE_CODECS = frozenset({"hevc", "libdav1d", "av1"})

# Bytes of a pixel of a decoded picture, at most: three planes of 16 bits.
MOST_BYTES_PER_PIXEL = 6

# Pictures that may be coded before one that is shown before them, in any codec.
MAX_REORDERED = 16

# Packets that are kept to be decoded again: more than that many pictures have.
MAX_KEPT_PACKETS = 64

# A pts that no picture has: who waits for it gets all pictures.
_NEVER = -(2**63)

# Why a picture is left out although it decodes without an error.
LEANS = "the picture leans on a damaged one"


class Decoded(NamedTuple):
    """What decoding gave for one wanted picture: a frame, or why there is none."""

    pts: int | None  # None: in a hole of the file
    frame: av.VideoFrame | None
    reason: str = ""


def decode_pictures(
    path: Path,
    keyframes: Sequence[int],
    wanted: Sequence[int],
    reading: ReadOptions = AS_PLAYERS,
) -> Iterator[Decoded]:
    """Decode the pictures with the wanted pts, and little else.

    Seeks to the keyframe before each stretch; does not decode what lies between the
    last wanted picture of a group of pictures and the next group with any; leaves out
    pictures that no other refers to, where that is known to change no other picture.

    Parameters
    ----------
    keyframes : pts of keyframes where to start, ascending: `Timeline.starts`
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


def decode_samples(
    path: Path,
    keyframes: Sequence[int],
    samples: Sequence[int | None],
    reading: ReadOptions = AS_PLAYERS,
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


def decode_stretch(
    path: Path,
    keyframes: Sequence[int],
    start: int,
    end: int | None,
    reading: ReadOptions = AS_PLAYERS,
) -> Iterator[Decoded]:
    """Decode every picture of a stretch, in the order in which they are shown.

    Parameters
    ----------
    keyframes : pts of keyframes where to start, ascending: `Timeline.starts`
    start, end : pts, the first one and that before which to stop; None: the film's end

    Yields
    ------
    One `Decoded` for each picture that comes out of the decoder.
    """
    faults, last = _Faults(), start - 1
    with contextlib.closing(_PacketReader(path, keyframes, reading)) as reader:
        keyframe = max(0, bisect.bisect_right(keyframes, start) - 1)
        for frame in _decode_from(reader, keyframe, [_NEVER], faults, skip=False):
            pts = frame.pts
            assert pts is not None
            if end is not None and pts >= end:
                return
            position = bisect.bisect_left(keyframes, pts)
            if position < len(keyframes) and keyframes[position] == pts:
                faults.forget_before(pts)
            if pts <= last:
                continue
            last = pts
            reason = faults.find_reason(pts)
            if not reason and not can_convert(frame):
                reason = f"no known pixel format: {frame.format.name}"
            yield Decoded(pts, None if reason else frame, reason)


class _PacketReader:
    """Reads packets from any keyframe on, seeking only where something is left out."""

    def __init__(
        self, path: Path, keyframes: Sequence[int], reading: ReadOptions
    ) -> None:
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

    def copy(self) -> "_PacketReader":
        """Open the film again, so that this one can go on where it stands."""
        return _PacketReader(self.path, self.keyframes, self.reading)

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
            # The first may be too damaged to look like one.
            starts = packet.is_keyframe or packet.pts == self.keyframes[0]
            if starts and packet.pts in self.keyframe_indices:
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


class _Faults:
    """What is damaged from a keyframe on, by the packets' places in coding order.

    What comes after a damaged picture in this order may be made from it, unless no
    other refers to it: decoders give such pictures without a word.
    """

    def __init__(self) -> None:
        self.last = -1  # place of the packet that was read last
        self.places: dict[int, int] = {}  # by pts
        # Places, by pts, of pictures that others refer to and that are not out yet.
        self.awaited: dict[int, int] = {}
        self.reasons: dict[int, str] = {}  # of pictures, by place
        self.harmless: set[int] = set()  # places of what no other refers to
        self.spoiled = math.inf  # all after this place may be made from what is damaged
        self.gaps: list[int] = []  # places before which packets are lost

    def read(self, pts: int | None, *, is_harmless: bool, is_shown: bool) -> None:
        """Note that a packet is read."""
        self.last += 1
        if is_harmless:
            self.harmless.add(self.last)
        if pts is not None:
            self.places[pts] = self.last
            if is_shown and not is_harmless:
                self.awaited[pts] = self.last

    def note_gap(self) -> None:
        """Note that before the packet that comes next one is lost."""
        self.gaps.append(self.last + 1)
        self.spoiled = min(self.spoiled, self.last + 1)

    def note(self, place: int, reason: str) -> None:
        """Note what is wrong with a picture."""
        self.reasons.setdefault(place, reason)
        if place not in self.harmless:
            self.spoiled = min(self.spoiled, place)

    def forget_before(self, pts: int) -> None:
        """Forget what is damaged before a keyframe: nothing after it leans on that."""
        place = self.places.get(pts, 0)
        damaged = [each for each in self.reasons if each not in self.harmless]
        after = [each for each in (*damaged, *self.gaps) if each >= place]
        self.spoiled = min(after, default=math.inf)

    def are_known(self, pts: int) -> bool:
        """Whether all pictures are out that this one may be made from.

        Only then do they say if they are damaged.
        """
        first = next(iter(self.awaited.values()), math.inf)
        return self.places.get(pts, self.last) <= first

    def find_reason(self, pts: int) -> str:
        """Tell why a picture that was read does not count; nothing if it does."""
        place = self.places.get(pts, self.last)
        # Asked first: whether such a picture is called damaged itself depends on which
        # pictures are decoded beside it, and the reason must not.
        if self.spoiled < place:
            return LEANS
        reason = self.reasons.get(place)
        return f"the picture does not decode ({reason})" if reason else ""


def _decode_group(
    reader: _PacketReader, keyframe: int, group: list[int]
) -> Iterator[Decoded]:
    """Decode the wanted pictures of one group of pictures, in order."""
    waiting, wanted = collections.deque(group), set(group)
    faults = _Faults()

    def judge(pts: int, frame: av.VideoFrame | None) -> Decoded:
        reason = faults.find_reason(pts)
        if reason:
            return Decoded(pts, None, reason)
        if frame is None:
            return _decode_alone(reader, keyframe, pts)
        if not can_convert(frame):
            return Decoded(pts, None, f"no known pixel format: {frame.format.name}")
        return Decoded(pts, frame)

    shown: dict[int, av.VideoFrame] = {}
    for frame in _decode_from(reader, keyframe, group, faults, skip=True):
        assert frame.pts is not None
        if frame.pts in wanted and waiting and frame.pts >= waiting[0]:
            shown.setdefault(frame.pts, frame)
        while waiting and (
            (waiting[0] in shown and faults.are_known(waiting[0]))
            or len(shown) > MAX_REORDERED
        ):
            pts = waiting.popleft()
            yield judge(pts, shown.pop(pts, None))
    for pts in waiting:
        yield judge(pts, shown.pop(pts, None))


def _decode_from(
    reader: _PacketReader,
    keyframe: int,
    wanted: Sequence[int],
    faults: _Faults,
    *,
    skip: bool,
) -> Iterator[av.VideoFrame]:
    """Decode from a keyframe until the wanted pictures are out, also damaged ones."""
    context = reader.stream.codec_context
    context.flush_buffers()
    setup = context.extradata or b""
    first = reader.keyframes[keyframe]
    pending: set[int | None] = set(wanted)

    def decode(packet: "VideoPacket | None") -> Iterator[av.VideoFrame]:
        try:
            for frame in context.decode(packet):
                if frame.pts is None:
                    continue
                if frame.is_corrupt:
                    place = faults.places.get(frame.pts, faults.last)
                    faults.note(place, "parts of it are missing")
                faults.awaited.pop(frame.pts, None)
                yield frame
        except MemoryError:
            # PyAV's MemoryError is an FFmpegError too, but no fault of the film's.
            raise
        except av.FFmpegError as error:
            check_decoder_room(context)
            faults.note(faults.last, error.strerror or str(error))

    for packet in reader.read_from(keyframe):
        if packet.is_discard and packet.pts == reader.reading.cut:
            packet = _keep(packet)
        unreferenced = is_unreferenced(packet, context.name, setup)
        # Nor does what comes after a keyframe refer to what is shown before it.
        leading = packet.pts is not None and packet.pts < first
        # What an edit list discards may have the time of a picture that is shown.
        pts = None if packet.is_discard else packet.pts
        hidden = is_hidden(packet, context.name)
        faults.read(pts, is_harmless=unreferenced or leading, is_shown=not hidden)
        if packet.is_corrupt:
            # Demuxers of streams notice a loss one packet late: the marked one or the
            # one after it is damaged.
            faults.note_gap()
        skips = skip and unreferenced and packet.pts not in pending
        context.skip_frame = "NONREF" if skips else "DEFAULT"
        yield from decode(packet)
        # A hidden packet may have the time of the one that is shown after it.
        if not hidden:
            pending.discard(pts)
        if not pending:
            break
    yield from decode(None)


def _keep(packet: VideoPacket) -> VideoPacket:
    """Copy a packet whose picture a decoder would not give, so that it does."""
    copy: VideoPacket = av.Packet(bytes(packet))  # type: ignore[assignment]
    copy.stream, copy.time_base = packet.stream, packet.time_base
    copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
    copy.is_keyframe = packet.is_keyframe
    return copy


def check_decoder_room(context: av.VideoCodecContext) -> None:
    """Raise a `MemoryError` if a decoder that failed has no room for a picture.

    That of H.264 calls it invalid data.
    """
    check_room(context.width * context.height * MOST_BYTES_PER_PIXEL)


def _decode_alone(reader: _PacketReader, keyframe: int, pts: int) -> Decoded:
    """Look again for a picture that did not come, now decoding all before it.

    A packet without a picture of its own (the second field of a frame, say) is no
    damage: on screen is the picture before it.
    """
    shown = None
    faults = _Faults()
    with contextlib.closing(reader.copy()) as again:
        for frame in _decode_from(again, keyframe, [pts], faults, skip=False):
            if frame.pts is not None and frame.pts <= pts and can_convert(frame):
                shown = frame
    reason = next(iter(faults.reasons.values()), "")
    if shown is not None and not reason:
        its_own = reader.stream.codec_context.name in ONE_PICTURE_CODECS
        if shown.pts == pts or not its_own:
            return Decoded(pts, shown)
    reason = reason or "its data decode to nothing"
    return Decoded(pts, None, f"the picture does not decode ({reason})")
