"""Colors: from a film's own coding to sRGB."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import av
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from reelbow.color.spaces import NOMINAL_PEAK

# FFmpeg's numbers of a stream's matrix (AVColorSpace) that swscale has coefficients
# for, with swscale's own number and the name that stands in the plan.
MATRICES = {
    1: (Colorspace.ITU709, "bt709"),
    4: (Colorspace.FCC, "fcc"),
    5: (Colorspace.ITU601, "bt601"),
    6: (Colorspace.ITU601, "bt601"),
    7: (Colorspace.SMPTE240M, "smpte240m"),
    9: (Colorspace.BT2020, "bt2020"),
    10: (Colorspace.BT2020, "bt2020"),
}
RGB_MATRIX = 0
LIMITED, FULL = 1, 2

# AVColorTransferCharacteristic: all others are shown as sRGB is, as players do.
TRANSFERS = {16: "pq", 18: "hlg"}

# AVColorPrimaries: those of SD video are so near sRGB's that players leave them.
WIDE_PRIMARIES = {9: "bt2020", 11: "p3", 12: "p3"}
UNSPECIFIED = 2

# Stands in a film's `assumed` if some of its pictures are coded otherwise than it says.
VARIES = "varies"

# Correct rounding and chroma at full resolution; swscale's defaults are off by 3.
EXACT = (
    Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
)

# Pixel formats of at most 16 bits that swscale does not convert, or not rightly.
SENSOR_FORMATS = ("bayer", "ya16f", "yaf16")
UNKNOWN_FORMATS = frozenset(
    {"bgr4", "rgb4", "x2bgr10be", "x2rgb10be", "v30xbe", "xv30be"}
    | {"y210be", "y212be", "y216be"}
)

# RGB of more than 8 bits, each channel a plane of 16-bit numbers.
PLANAR_RGB = frozenset(
    f"{planes}{bits}{order}"
    for planes in ("gbrp", "gbrap")
    for bits in (9, 10, 12, 14, 16)
    for order in ("le", "be")
)


class Coding(NamedTuple):
    """How the numbers of a stream, or of one of its pictures, stand for colors."""

    matrix: str  # bt601, bt709, bt2020, ...; rgb: none needed
    color_range: str  # limited (16 to 235 of 255) or full
    transfer: str = "sdr"  # or pq, hlg
    primaries: str = "bt709"  # or bt2020, p3; bt709 for all near it
    peak: float = NOMINAL_PEAK  # of a PQ film, cd/m2
    # What the stream does not say: matrix,color_range,...; and `VARIES`.
    assumed: str | None = None

    def is_as(self, other: "Coding") -> bool:
        """Whether the same numbers stand for the same colors."""
        return self[:5] == other[:5]

    def __str__(self) -> str:
        """Write it for a log."""
        peak = f", {self.peak:g} cd/m2" if self.transfer == "pq" else ""
        return ", ".join(self[:4]) + peak

    @property
    def is_srgb(self) -> bool:
        """Whether the RGB values are sRGB as they stand."""
        return self.transfer == "sdr" and self.primaries == "bt709"


def find_coding(frame: av.VideoFrame, usual: Coding | None = None) -> Coding:
    """Find how a frame codes colors, assuming what players do where it is silent.

    Silent frames are BT.709 from 1280 columns or more than 576 lines on, else BT.601,
    and limited in range. HDR (PQ, HLG) and the BT.2020 matrix mean BT.2020 primaries,
    unless others are told; all other silence means sRGB's.

    Parameters
    ----------
    usual : of the film's pictures; its peak counts for those that do not say theirs
    """
    assumed = []
    if frame.format.is_rgb or frame.colorspace == RGB_MATRIX:
        matrix = "rgb"
    elif frame.colorspace in MATRICES:
        matrix = MATRICES[frame.colorspace][1]
    else:
        large = frame.width >= 1280 or frame.height > 576
        matrix = "bt709" if large else "bt601"
        assumed.append("matrix")

    # RGB and the pixel formats yuvj... are full range by definition.
    full = matrix == "rgb" or frame.format.name.startswith("yuvj")
    if not full and frame.color_range not in (LIMITED, FULL):
        assumed.append("color_range")
    full = full or frame.color_range == FULL

    transfer = TRANSFERS.get(frame.color_trc, "sdr")
    primaries = WIDE_PRIMARIES.get(frame.color_primaries, "bt709")
    silent = frame.color_primaries in (0, UNSPECIFIED)
    if silent and (transfer != "sdr" or matrix == "bt2020"):
        primaries = "bt2020"
        assumed.append("primaries")
    peak = NOMINAL_PEAK
    if transfer == "pq":
        # It may stand at a film's beginning only.
        peak = _find_peak(frame) or (usual.peak if usual else NOMINAL_PEAK)
    return Coding(
        matrix=matrix,
        color_range="full" if full else "limited",
        transfer=transfer,
        primaries=primaries,
        peak=peak,
        assumed=",".join(assumed) or None,
    )


def find_usual(codings: Sequence[Coding]) -> Coding:
    """Choose the coding of most pictures, or the first of these; tell if others differ.

    Parameters
    ----------
    codings : (n,) n at least 1, as of the pictures of a film
    """
    alike = [sum(coding.is_as(other) for other in codings) for coding in codings]
    usual = codings[alike.index(max(alike))]
    return usual if max(alike) == len(codings) else note_others(usual)


def note_others(usual: Coding) -> Coding:
    """Say that some pictures are coded otherwise."""
    words = usual.assumed.split(",") if usual.assumed else []
    return usual._replace(assumed=",".join([*words, VARIES]))


def _find_peak(frame: av.VideoFrame) -> float | None:
    """Read the brightest light a PQ film was mastered to, cd/m2; None: it is not told.

    From AVMasteringDisplayMetadata: eight rationals of primaries and white point, then
    those of least and most light, then two flags, the second for these two.
    """
    data = read_side_data(frame, SideDataType.MASTERING_DISPLAY_METADATA)
    if len(data) >= 88:
        numerator, denominator = struct.unpack_from("=ii", data, 72)
        (has_luminance,) = struct.unpack_from("=i", data, 84)
        if has_luminance and denominator > 0:
            peak = numerator / denominator
            # Below SDR's own white, or beyond PQ, it is a mistake.
            if 203 <= peak <= 10_000:
                return float(peak)
    return None


def read_side_data(frame: av.VideoFrame, kind: SideDataType) -> bytes:
    """Read what a decoder attached to a frame; nothing if there is none of the kind."""
    try:
        return bytes(frame.side_data[kind])  # type: ignore[literal-required]
    except KeyError:
        return b""


def can_convert(frame: av.VideoFrame) -> bool:
    """Whether swscale can convert such frames; it ends the process over some others."""
    return (
        max(component.bits for component in frame.format.components) <= 16
        and not frame.format.name.startswith(SENSOR_FORMATS)
        and frame.format.name not in UNKNOWN_FORMATS
    )


def to_srgb(frame: av.VideoFrame, coding: Coding) -> NDArray[np.uint8]:
    """Convert a decoded frame to sRGB at its full size.

    HDR and wide-gamut colors are mapped as `tone_mapping` says.

    Returns
    -------
    (h, w, 3) uint8
    """
    if coding.is_srgb:
        deep = frame.format.components[0].bits > 8
        if coding.color_range == "limited" or not deep:
            return np.asarray(_to_rgb(frame, coding, "rgb24"), np.uint8)
        # Deep full range: bits shifted to 8 would be up to 0.75 levels too bright.
        if frame.format.name in PLANAR_RGB:
            # swscale itself would be 0.1 level off.
            codes = frame.to_ndarray()[..., :3]
            white = (1 << frame.format.components[0].bits) - 1
        else:
            codes = np.asarray(_to_rgb(frame, coding, "gbrp16le"), np.uint16)
            white = _find_white(frame, coding)
        levels = np.rint(np.minimum(np.arange(65536) / white, 1) * 255)
        return np.asarray(levels.astype(np.uint8)[codes])
    from reelbow.color.tone_mapping import map_to_srgb

    return map_to_srgb(
        # Not rgb48: there, swscale's chroma at full resolution is garbage.
        np.ascontiguousarray(_to_rgb(frame, coding, "gbrp16le"), np.uint16),
        transfer=coding.transfer,
        primaries=coding.primaries,
        peak=coding.peak,
        white=_find_white(frame, coding),
    )


def _find_white(frame: av.VideoFrame, coding: Coding) -> int:
    """Find swscale's code of white in 16 bits: it shifts bits, it does not scale."""
    if coding.color_range == "limited":
        return 65283
    bits = frame.format.components[0].bits
    return ((1 << bits) - 1) << (16 - bits)


def _to_rgb(
    frame: av.VideoFrame, coding: Coding, pixel_format: str
) -> NDArray[np.generic]:
    """Convert to RGB code values by the stream's own matrix and range."""
    if coding.matrix == "rgb":
        return frame.to_ndarray(format=pixel_format)
    matrix = next(number for number, name in MATRICES.values() if name == coding.matrix)
    told = frame.color_trc, frame.color_primaries
    # Curves and primaries are our own business, and swscale refuses reserved ones.
    frame.color_trc = frame.color_primaries = UNSPECIFIED
    converted = VideoReformatter().reformat(
        frame,
        format=pixel_format,
        interpolation=EXACT,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=FULL if coding.color_range == "full" else LIMITED,
        dst_color_range=FULL,
        dst_color_trc=UNSPECIFIED,
        dst_color_primaries=UNSPECIFIED,
    )
    frame.color_trc, frame.color_primaries = told
    return converted.to_ndarray()


def take_field(frame: av.VideoFrame) -> av.VideoFrame:
    """Take the upper field of an interlaced frame: every other line of each plane.

    One with a palette stays whole: that is a plane without lines.
    """
    if frame.format.has_palette:
        return frame
    lines = (frame.height + 1) // 2
    field = av.VideoFrame(frame.width, lines, frame.format.name)
    for plane, target in zip(frame.planes, field.planes, strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(
            -1, abs(plane.line_size)
        )
        filled = np.zeros((target.height, target.line_size), np.uint8)
        columns = min(rows.shape[1], filled.shape[1])
        filled[:, :columns] = rows[: plane.height : 2][: target.height, :columns]
        target.update(filled.tobytes())
    field.colorspace = frame.colorspace
    field.color_range = frame.color_range
    field.color_trc = frame.color_trc
    field.color_primaries = frame.color_primaries
    return field
