"""What a film's header and first picture tell: its size, shape, turn and coding."""

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Self

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.film.coding import Coding, can_convert, find_coding, read_side_data
from reelbow.film.decoding import check_decoder_room
from reelbow.film.demuxing import (
    AS_PLAYERS,
    ReadOptions,
    VideoPacket,
    open_film,
    read_packets,
)

# A pixel aspect beyond this is a mistake, and so is one that makes a picture longer
# than a JPEG can be.
WIDEST_PIXEL = Fraction(20)
LONGEST_SIDE = 65_500


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
        data = read_side_data(frame, SideDataType.DISPLAYMATRIX)
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
    coding: Coding  # of most pictures; every picture is asked by itself

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
                "coding": Coding(**about["coding"]),
            }
        )


def probe_film(path: Path, reading: ReadOptions = AS_PLAYERS) -> Probe:
    """Read a film's header and decode its first picture.

    Raises
    ------
    ReelbowError
        If there is none that decodes.
    """
    container, stream = open_film(path, reading)
    with container:
        frame = None
        context = stream.codec_context
        for packet in read_packets(container, stream):
            frame = _take_first(context, packet)
            if frame is not None:
                break
        if frame is None:
            frame = _take_first(context, None)
        if frame is None:
            raise ReelbowError(
                f"{path}: no picture in it can be decoded; get an undamaged file"
            )
        if not can_convert(frame):
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
            coding=find_coding(frame),
        )


def _take_first(
    context: av.VideoCodecContext, packet: "VideoPacket | None"
) -> av.VideoFrame | None:
    """Decode and take the first frame, if there is one."""
    try:
        return next(iter(context.decode(packet)), None)
    except MemoryError:
        # PyAV's MemoryError is an FFmpegError too, but no fault of the film's.
        raise
    except av.FFmpegError:
        check_decoder_room(context)
        return None
