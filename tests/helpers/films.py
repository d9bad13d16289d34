"""Synthetic films whose every pixel and time is known.

The conversion from sRGB to YUV is written out here, with no help from FFmpeg, so that
a test of the colors of decoded films has a truth of its own.
"""

import struct
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any, Literal, NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

Matrix = Literal["bt601", "bt709", "bt2020"]
Range = Literal["limited", "full"]
Transfer = Literal["pq", "hlg", "srgb"]
Primaries = Literal["bt709", "bt2020", "p3"]

# How much red and blue weigh in luma.
_LUMA = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593)}
_COLORSPACES = {
    "bt601": Colorspace.ITU601,
    "bt709": Colorspace.ITU709,
    "bt2020": Colorspace.BT2020,
}
_RANGES = {"limited": ColorRange.MPEG, "full": ColorRange.JPEG}
_TRANSFERS = {
    "pq": ColorTrc.SMPTE2084,
    "hlg": ColorTrc.ARIB_STD_B67,
    "srgb": ColorTrc.IEC61966_2_1,
}
_PRIMARIES = {
    "bt709": ColorPrimaries.BT709,
    "bt2020": ColorPrimaries.BT2020,
    "p3": ColorPrimaries.SMPTE432,
}
# (log2 of the chroma subsampling across, down), bits a sample
_LAYOUTS = {
    "yuv420p": (1, 1, 8),
    "yuvj420p": (1, 1, 8),
    "yuv422p": (1, 0, 8),
    "yuv444p": (0, 0, 8),
    "yuv420p10le": (1, 1, 10),
    "yuv422p10le": (1, 0, 10),
    "yuv444p10le": (0, 0, 10),
}

# For `write_film`: a keyframe every 12 pictures and at no other, with B-frames.
GOP: dict[str, Any] = {"gop": 12, "bframes": 2, "options": {"sc_threshold": "0"}}

_DARK, _BRIGHT = 64, 192
_GRID = 4


def solid(color: int, size: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
    """Draw one flat frame of `color` (0xRRGGBB); `size` is (width, height)."""
    frame = np.empty((size[1], size[0], 3), np.uint8)
    frame[:] = color >> 16, color >> 8 & 0xFF, color & 0xFF
    return frame


def numbered(number: int, size: tuple[int, int] = (96, 64)) -> NDArray[np.uint8]:
    """Draw a frame that tells its number, 0 to 65535: see `frame_number`.

    A grid of 4x4 gray blocks, one bit each, the lowest at the top left. Neither value
    is black, so that nothing looks like a letterbox bar or a fade.
    """
    bits = (number >> np.arange(_GRID**2)) & 1
    blocks = np.where(bits, _BRIGHT, _DARK).astype(np.uint8).reshape(_GRID, _GRID)
    rows = np.arange(size[1]) * _GRID // size[1]
    columns = np.arange(size[0]) * _GRID // size[0]
    return np.repeat(blocks[np.ix_(rows, columns)][..., np.newaxis], 3, axis=2)


def frame_number(pixels: NDArray[np.uint8]) -> int:
    """Read the number from a decoded `numbered` frame, of any size, (h, w, 3) or gray.

    Only the middle of each block is looked at: scaling and coding blur the edges.
    """
    gray = pixels if pixels.ndim == 2 else pixels.mean(axis=2)
    height, width = gray.shape
    middles = [
        gray[
            (4 * row + 1) * height // 16 : max((4 * row + 3) * height // 16, 1),
            (4 * column + 1) * width // 16 : max((4 * column + 3) * width // 16, 1),
        ].mean()
        for row in range(_GRID)
        for column in range(_GRID)
    ]
    return sum(
        1 << bit for bit, level in enumerate(middles) if level > (_DARK + _BRIGHT) / 2
    )


def numbered_film(
    path: Path, n_frames: int, *, size: tuple[int, int] = (96, 64), **how: Any
) -> Path:
    """Write a film of `n_frames` numbered frames; `how` goes to `write_film`."""
    return write_film(path, (numbered(i, size) for i in range(n_frames)), **how)


def write_film(
    path: Path,
    frames: Iterable[NDArray[np.uint8] | NDArray[np.float64]],
    *,
    pts: Iterable[int] | None = None,
    time_base: Fraction | None = None,
    rate: Fraction | int = 24,
    codec: str = "libx264",
    options: Mapping[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    gop: int | None = None,
    bframes: int | None = None,
    matrix: Matrix = "bt709",
    color_range: Range = "limited",
    transfer: Transfer | None = None,
    primaries: Primaries | None = None,
    tagged: bool = True,
    sample_aspect_ratio: Fraction | None = None,
    interlaced: bool = False,
) -> Path:
    """Write frames as a film and return its path.

    Parameters
    ----------
    path : its suffix chooses the container. Only mp4 and mov hold any time exactly: mkv
        and webm round to 1/1000 s; ts rounds to 1/90000 s and, with B-frames, moves a
        film that starts at 0 later by their delay; avi counts frames of `rate` and
        knows neither gaps nor B-frames (``codec="mpeg4"`` makes none)
    frames : (h, w, 3) uint8, sRGB, or float64, R'G'B' code values [0, 1] of whatever
        `transfer` and `primaries` say; all of one size
    pts : when each frame is shown, in `time_base`, rising from 0 or later; None: one
        after the other at `rate`
    time_base : seconds of one step of `pts`; None: 1/1000 s with `pts`, else 1/`rate`
    codec, options : encoder and its private options, by FFmpeg's names
    pix_fmt : yuv420p, yuv422p, yuv444p, these with 10le, yuvj420p (for mjpeg, with
        BT.601 and full range), or any that FFmpeg makes of RGB without a matrix
    gop : the most frames from one keyframe to the next; x264 also sets one at a cut,
        unless `options` has ``{"sc_threshold": "0"}``
    bframes : the most in a row
    matrix, color_range : how sRGB becomes YUV
    transfer, primaries : what the film says of them, None: nothing; no value is changed
        by them. With the matrix of BT.2020, silence means its primaries to players
    tagged : whether the film says its matrix and range, as it should; many do not
    sample_aspect_ratio : width of a pixel through its height
    interlaced : whether even and odd lines are fields of two times: chroma is then
        subsampled within each, and the film says so (libx264 and mpeg2video)
    """
    colors: dict[str, Any] = {
        "matrix": matrix,
        "color_range": color_range,
        "transfer": transfer,
        "primaries": primaries,
        "tagged": tagged and pix_fmt in _LAYOUTS,
    }
    if time_base is None:
        time_base = Fraction(1, 1000) if pts is not None else 1 / Fraction(rate)
    times = count() if pts is None else iter(pts)
    options = dict(options or {})
    if interlaced:
        options["flags"] = "+ilme+ildct"
    container_options = {"video_track_timescale": str(time_base.denominator)}
    with av.open(
        path, "w", options=container_options if path.suffix in (".mp4", ".mov") else {}
    ) as container:
        stream = None
        for pixels in frames:
            if stream is None:
                # One thread: the same film on every machine.
                stream = container.add_stream(codec, rate=Fraction(rate))
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = pix_fmt
                stream.time_base = time_base
                stream.options = options
                context = stream.codec_context
                context.time_base = time_base
                context.thread_count = 1
                if gop is not None:
                    context.gop_size = gop
                if bframes is not None:
                    context.max_b_frames = bframes
                if sample_aspect_ratio is not None:
                    context.sample_aspect_ratio = sample_aspect_ratio
                _tag(context, **colors)
            frame = make_frame(pixels, pix_fmt, interlaced=interlaced, **colors)
            frame.pts = next(times)
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))
    return path


def to_yuv(
    pixels: NDArray[np.uint8] | NDArray[np.float64],
    *,
    matrix: Matrix = "bt709",
    color_range: Range = "limited",
    bits: int = 8,
) -> NDArray[np.float64]:
    """Convert (h, w, 3) R'G'B', [0, 255], to unrounded code values of Y, Cb and Cr.

    References
    ----------
    Recommendations ITU-R BT.601-7, BT.709-6 and BT.2020-2.
    """
    red_weight, blue_weight = _LUMA[matrix]
    red, green, blue = np.moveaxis(pixels / 255, -1, 0)
    luma = (
        red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    )
    cb = (blue - luma) / (2 * (1 - blue_weight))
    cr = (red - luma) / (2 * (1 - red_weight))
    black, white, middle, swing = _find_levels(color_range, bits)
    return np.stack(
        [black + (white - black) * luma, middle + swing * cb, middle + swing * cr],
        axis=-1,
    )


def from_yuv(
    codes: NDArray[np.float64],
    *,
    matrix: Matrix = "bt709",
    color_range: Range = "limited",
    bits: int = 8,
) -> NDArray[np.float64]:
    """Convert code values of Y, Cb and Cr back: (..., 3) R'G'B', [0, 1]."""
    red_weight, blue_weight = _LUMA[matrix]
    black, white, middle, swing = _find_levels(color_range, bits)
    luma = (codes[..., 0] - black) / (white - black)
    cb, cr = np.moveaxis((codes[..., 1:] - middle) / swing, -1, 0)
    red = luma + 2 * (1 - red_weight) * cr
    blue = luma + 2 * (1 - blue_weight) * cb
    green = (luma - red_weight * red - blue_weight * blue) / (
        1 - red_weight - blue_weight
    )
    return np.stack([red, green, blue], axis=-1).clip(0, 1)


def _find_levels(color_range: Range, bits: int) -> tuple[int, int, int, int]:
    """Find the codes of black, white and no chroma, and how far chroma reaches."""
    unit = 2 ** (bits - 8)
    if color_range == "limited":
        return 16 * unit, 235 * unit, 128 * unit, 224 * unit
    return 0, 2**bits - 1, 128 * unit, 2**bits - 1


def join_films(path: Path, *parts: Path) -> Path:
    """Put films of one codec behind each other into a .ts file, each coded as it is."""
    with av.open(path, "w") as target:
        stream = None
        start = Fraction(0)
        for part in parts:
            with av.open(part) as source:
                video = source.streams.video[0]
                assert video.time_base is not None
                if stream is None:
                    stream = target.add_stream_from_template(video)
                packets = [packet for packet in source.demux(video) if packet.size]
                first = min(packet.pts or 0 for packet in packets)
                end = start
                for packet in packets:
                    assert packet.pts is not None
                    assert packet.dts is not None
                    shift = round(start / video.time_base) - first
                    packet.pts += shift
                    packet.dts += shift
                    over = packet.pts + (packet.duration or 0)
                    end = max(end, over * video.time_base)
                    packet.stream = stream
                    target.mux(packet)
                start = end
    return path


def turn(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Give an mp4 a display matrix (a, b, c, d) in its track header, as phones do.

    It takes a stored pixel (p, q) to (a p + c q, b p + d q): ISO/IEC 14496-12.
    """
    data = bytearray(path.read_bytes())
    a, b, c, d = (value << 16 for value in matrix)
    struct.pack_into(
        ">9i", data, data.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30
    )
    path.write_bytes(data)
    return path


def edit(path: Path, *parts: tuple[int, int | None]) -> Path:
    """Give an mp4 that has an edit list another one.

    Parameters
    ----------
    parts : milliseconds, and from where in the film (ticks); None: nothing is shown

    References
    ----------
    ISO/IEC 14496-12, 8.6.6.
    """
    data = bytearray(path.read_bytes())
    assert data.index(b"moov") > data.index(b"mdat")  # so that no picture is moved
    box = data.index(b"elst") - 4
    (size,) = struct.unpack_from(">I", data, box)
    (delay,) = struct.unpack_from(">i", data, box + 20)
    entries = b"".join(
        struct.pack(">IiI", ms, -1 if start is None else delay + start, 1 << 16)
        for ms, start in parts
    )
    new = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(parts)) + entries
    data[box : box + size] = new
    for around in (b"edts", b"trak", b"moov"):
        place = data.index(around) - 4
        (old,) = struct.unpack_from(">I", data, place)
        struct.pack_into(">I", data, place, old + len(new) - size)
    path.write_bytes(data)
    return path


def _subsample(
    samples: NDArray[np.float64], down: int, across: int
) -> NDArray[np.float64]:
    """Average over 2**down rows and 2**across columns; odd sizes repeat their last."""
    rows, columns = 1 << down, 1 << across
    padding = (0, -samples.shape[0] % rows), (0, -samples.shape[1] % columns)
    padded = np.pad(samples, padding, "edge")
    height, width = padded.shape[0] // rows, padded.shape[1] // columns
    blocks = padded.reshape(height, rows, width, columns)
    averages: NDArray[np.float64] = blocks.mean(axis=(1, 3))
    return averages


def make_frame(
    pixels: NDArray[np.uint8] | NDArray[np.float64],
    pix_fmt: str = "yuv420p",
    *,
    matrix: Matrix = "bt709",
    color_range: Range = "limited",
    transfer: Transfer | None = None,
    primaries: Primaries | None = None,
    tagged: bool = True,
    interlaced: bool = False,
) -> av.VideoFrame:
    """Turn pixels into one frame; all arguments are as for `write_film`."""
    if pix_fmt not in _LAYOUTS:
        return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
            format=pix_fmt
        )
    across, down, bits = _LAYOUTS[pix_fmt]
    if np.issubdtype(pixels.dtype, np.floating):
        pixels = pixels * 255
    yuv = to_yuv(pixels, matrix=matrix, color_range=color_range, bits=bits)
    planes = [yuv[..., 0]]
    for samples in (yuv[..., 1], yuv[..., 2]):
        if interlaced:
            fields = [_subsample(samples[i::2], down, across) for i in (0, 1)]
            planes.append(np.stack(fields, axis=1).reshape(-1, fields[0].shape[1]))
        else:
            planes.append(_subsample(samples, down, across))
    dtype = np.uint8 if bits == 8 else "<u2"
    codes = (np.rint(plane).clip(0, 2**bits - 1).astype(dtype) for plane in planes)
    frame = fill_planes((pixels.shape[1], pixels.shape[0]), pix_fmt, *codes)
    _tag(frame, matrix, color_range, transfer, primaries, tagged)
    return frame


def fill_planes(
    size: tuple[int, int], pix_fmt: str, *planes: NDArray[np.generic]
) -> av.VideoFrame:
    """Make a frame of these planes, (lines, columns) each; `size` is (width, height).

    What planes have beyond the frame's size is left out.
    """
    frame = av.VideoFrame(*size, pix_fmt)
    for plane, values in zip(frame.planes, planes, strict=True):
        rows = np.zeros(
            (plane.height, plane.line_size // values.itemsize), values.dtype
        )
        rows[:, : plane.width] = values[: plane.height, : plane.width]
        plane.update(rows.tobytes())
    return frame


def _tag(
    coded: av.VideoFrame | av.VideoCodecContext,
    matrix: Matrix,
    color_range: Range,
    transfer: Transfer | None,
    primaries: Primaries | None,
    tagged: bool,
) -> None:
    """Let a frame or an encoder say how its colors are coded."""
    if tagged:
        coded.colorspace = _COLORSPACES[matrix]
        coded.color_range = _RANGES[color_range]
    if transfer is not None:
        coded.color_trc = _TRANSFERS[transfer]
    if primaries is not None:
        coded.color_primaries = _PRIMARIES[primaries]


class StoredPacket(NamedTuple):
    """Where a packet of a film lies in its file."""

    pts: int | None
    position: int
    size: int


def find_packets(path: Path) -> list[StoredPacket]:
    """Find the packets of a film, in the order in which they are stored."""
    with av.open(path) as container:
        return [
            StoredPacket(packet.pts, packet.pos, packet.size)
            for packet in container.demux(video=0)
            if packet.size and packet.pos is not None
        ]


def overwrite(path: Path, position: int, data: bytes, to: Path | None = None) -> Path:
    """Write other bytes over some of a file, or of a copy of it, `to`."""
    changed = bytearray(path.read_bytes())
    changed[position : position + len(data)] = data
    to = to or path
    to.write_bytes(changed)
    return to


def letterboxed_scene(seed: int, size: tuple[int, int] = (96, 64)) -> NDArray[np.uint8]:
    """Draw a lit picture with bars of 8 rows above and below."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    rng = np.random.default_rng(seed)
    picture[8:-8] = rng.integers(90, 200, 3)
    return picture
