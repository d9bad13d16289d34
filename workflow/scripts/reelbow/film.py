"""Films as a viewer sees them: upright, in shape, in sRGB, read at regular times."""

import dataclasses
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Self

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from numpy.typing import NDArray

from . import colors, pictures
from .arguments import check_path, check_seconds, check_whole
from .decoding import check_decoder_room, decode_samples
from .demuxing import AS_PLAYERS, Reading, VideoPacket, open_film, read_packets
from .errors import ReelbowError
from .timeline import naming, sample_interval, scan_timeline

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
    coding: colors.Coding  # of most pictures; every picture is asked by itself

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


def _take_first(
    context: av.VideoCodecContext, packet: "VideoPacket | None"
) -> av.VideoFrame | None:
    """Decode and take the first frame, if there is one."""
    try:
        return next(iter(context.decode(packet)), None)
    except MemoryError:
        # PyAV's is an FFmpegError too, but no fault of the film's.
        raise
    except av.FFmpegError:
        check_decoder_room(context)
        return None


def develop_frame(frame: av.VideoFrame, probe: Probe) -> NDArray[np.uint8]:
    """Turn a decoded frame into an upright sRGB picture of its stored pixels.

    Of an interlaced frame only the upper field counts: the two are of different times,
    and chroma shared between them would bleed.

    Returns
    -------
    (h, w, 3) uint8; in shape it is the film's only after `pictures.shape_picture`
    """
    coding = colors.find_coding(frame, probe.coding)
    if frame.interlaced_frame:
        frame = colors.take_field(frame)
    return probe.turn.apply(colors.to_srgb(frame, coding))


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
        coding = colors.find_coding(frame, probe.coding)
        averaged = yuv_average.average_frame(frame, coding, crop=kept, size=size)
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


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """One sampled picture of a film."""

    index: int  # from 0
    time_s: float  # presentation time from the film's first picture
    pixels: NDArray[np.uint8]  # (h, w, 3) sRGB


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
        If the file is no film, or nothing of it is in the chosen stretch.
    """
    step = check_seconds("every", every, above=True)
    start = check_seconds("start_s", start_s)
    end = None if end_s is None else check_seconds("end_s", end_s)
    if end is not None and end <= start:
        raise ReelbowError(f"end_s must be more than start_s={start_s}, not {end_s}.")
    if height is not None:
        check_whole("height", height, 1)
    path = check_path("source", source)
    return _read_frames(path, step, start, end, height)


def _read_frames(
    path: Path,
    every: Fraction,
    start: Fraction,
    end: Fraction | None,
    height: int | None,
) -> Iterator[Frame]:
    timeline = scan_timeline(path)
    with naming(path):
        samples = sample_interval(timeline, every=every, start=start, end=end)
    if not any(pts is not None for pts in samples):
        raise ReelbowError(
            f"{path}: there is no picture between start_s={float(start):g} and "
            f"{'its end' if end is None else f'end_s={float(end):g}'}, of "
            f"{float(timeline.time_s(timeline.end)):.3f} s; choose another stretch"
        )
    probe = probe_film(path)
    reading = Reading(cut=timeline.cut)
    starts = timeline.starts.tolist()
    for index, decoded in decode_samples(path, starts, samples, reading):
        if decoded.frame is not None and decoded.pts is not None:
            time_s = float(timeline.time_s(decoded.pts))
            yield Frame(index, time_s, show_frame(decoded.frame, probe, height=height))
