"""Decodes the wanted pictures of a film and little else, by seeking and skipping."""

import bisect
import collections
import contextlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import av

from . import colors
from .demuxing import (
    AS_PLAYERS,
    Reading,
    VideoPacket,
    is_hidden,
    open_film,
    read_packets,
)
from .pictures import check_room

# Decoders whose NONREF skipping changes no other picture. Not HEVC's: it goes by
# sub-layer non-reference pictures, which pictures of a higher temporal sub-layer may
# refer to (Rec. ITU-T H.265, table 7-1).
SKIPPING_CODECS = frozenset({"h264", "mpeg1video", "mpeg2video", "mpeg4"})

# Of a decoded picture: three planes of 16 bits.
MOST_BYTES_PER_PIXEL = 6

# More pictures than any codec shows in another order than it codes them.
MAX_KEPT_PACKETS = 64


class Decoded(NamedTuple):
    """What decoding gave for one wanted picture: a frame, or why there is none."""

    pts: int | None  # None: in a hole of the file
    frame: av.VideoFrame | None
    reason: str = ""


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
        except MemoryError:
            # PyAV's is an FFmpegError too, but no fault of the film's.
            raise
        except av.FFmpegError as error:
            check_decoder_room(context)
            faults.append(error.strerror or str(error))

    for packet in reader.read_from(keyframe):
        unneeded = skip and packet.pts not in pending
        context.skip_frame = "NONREF" if unneeded else "DEFAULT"
        yield from decode(packet)
        # A hidden packet may have the time of the one that is shown after it.
        if not is_hidden(packet, context.name):
            pending.discard(packet.pts)
        if not pending:
            break
    yield from decode(None)


def check_decoder_room(context: av.VideoCodecContext) -> None:
    """Raise a `MemoryError` if a decoder that failed has no room for a picture.

    That of H.264 calls it invalid data.
    """
    check_room(context.width * context.height * MOST_BYTES_PER_PIXEL)


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
