"""Opens a film, chooses its stream and reads the packets, by PyAV."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import av
import av.logging
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from reelbow.errors import ReelbowError
from reelbow.pictures.geometry import MAX_PIXELS

VideoPacket: TypeAlias = "Packet[VideoStream]"

# What FFmpeg takes for the header of a small film, with some more.
HEADER_BYTES = 64 << 20

# Damaged places that are read over in a row before the file is taken for ended.
MAX_READ_ERRORS = 100


# Formats that name other files, which FFmpeg would read in their place: whoever sends a
# film could so have any film of this machine shown as theirs. FFmpeg goes by what is in
# a file, not by its name.
FOLLOWING = frozenset(
    {
        *("concat", "dash", "hls", "imf", "lavfi", "rtsp", "sdp", "vobsub"),
        *("image2", "webm_dash_manifest"),
    }
)
# The formats of files that are a film by themselves.
FORMATS = ",".join(sorted(av.formats_available - FOLLOWING))


class ReadOptions(NamedTuple):
    """How a film is to be read."""

    stream: int | None = None  # which of its videos, from 0; None: as players choose
    max_pixels: int = MAX_PIXELS  # a larger picture is refused
    # The pts of a picture that an edit list cuts in two: `Timeline.cut`
    cut: int | None = None


AS_PLAYERS = ReadOptions()


def open_film(
    path: Path,
    reading: ReadOptions = AS_PLAYERS,
    options: Mapping[str, str] | None = None,
) -> tuple[InputContainer, VideoStream]:
    """Open a film and choose its stream.

    Parameters
    ----------
    options : of FFmpeg's demuxer

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
            container = av.open(
                os.fspath(path),
                options={"format_whitelist": FORMATS, **(options or {})},
                metadata_errors="replace",
            )
    except MemoryError:
        # PyAV's MemoryError is an FFmpegError too. It is no fault of the film's, unless
        # there is room for all that the header of such a file takes: else this raises.
        bytes(HEADER_BYTES + path.stat().st_size // 4)
        raise ReelbowError(
            f"{path}: its header claims more than is in the file; copy or download it "
            "again"
        ) from None
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
    path: Path, container: InputContainer, reading: ReadOptions
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
        # Those that can be decoded first, and of these the one that players choose.
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
    if any("not on whitelist" in message for _, _, message in messages):
        return (
            f"{path}: a list of other files, not a film; give the films that it names"
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
                # An empty one says that nothing changes, or that the film ends.
                if not packet.size:
                    continue
                errors = 0
                if stream.codec_context.name == "h263" and packet.is_keyframe:
                    # FFmpeg takes all for keyframes where the container does not say.
                    packet.is_keyframe = _is_intra(bytes(packet))
                yield packet
            return
        except av.EOFError:
            return
        except MemoryError:
            raise
        except av.FFmpegError:
            errors += 1


def _is_intra(data: bytes) -> bool:
    """Whether a picture of H.263 is made from no other.

    References
    ----------
    Rec. ITU-T H.263, 5.1 (PTYPE, PLUSPTYPE).
    """
    bits = f"{int.from_bytes(data[:8].ljust(8, bytes(1)), 'big'):064b}"
    if bits[35:38] != "111":
        return bits[38] == "0"
    start = 59 if bits[38:41] == "001" else 41
    return bits[start : start + 3] == "000"


def is_hidden(packet: VideoPacket, codec: str) -> bool:
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


def is_unreferenced(packet: VideoPacket, codec: str, setup: bytes) -> bool:
    """Whether no other picture is made from those of a packet, for sure.

    Known of codecs whose decoders leave just these out with `skip_frame` of NONREF. Not
    of HEVC: its decoder goes by sub-layer non-reference pictures, which pictures of a
    higher temporal sub-layer may refer to (Rec. ITU-T H.265, table 7-1).

    Parameters
    ----------
    setup : the stream's extradata

    References
    ----------
    Rec. ITU-T H.264, 7.3.1 (nal_ref_idc) and annex B; ISO/IEC 14496-15, 5.3.3 (sizes);
    Rec. ITU-T H.262, 6.2.3 (picture_coding_type); ISO/IEC 14496-2, 6.2.5
    (vop_coding_type).
    """
    if codec == "h264":
        data = bytes(packet)
        headers = [
            byte
            for byte in _find_units(data, setup)
            if byte & 31 in (1, 2, 5)  # of slices
        ]
        return bool(headers) and not any(byte & 0x60 for byte in headers)
    if codec in ("mpeg1video", "mpeg2video"):
        return _are_all(bytes(packet), b"\0\0\1\0", 5, lambda byte: byte >> 3 & 7 == 3)
    if codec == "mpeg4":
        return _are_all(bytes(packet), b"\0\0\1\xb6", 4, lambda byte: byte >> 6 == 2)
    return False


def _find_units(data: bytes, setup: bytes) -> Iterator[int]:
    """Find the first byte of each unit of an H.264 packet."""
    if setup[:1] != b"\1" or len(setup) < 5:
        for match in re.finditer(b"\0\0\1(.)", data, re.DOTALL):
            yield match[1][0]
        return
    size_bytes = (setup[4] & 3) + 1
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + size_bytes], "big")
        at += size_bytes
        if not 0 < size <= len(data) - at:
            yield 0x65  # of a keyframe, so that it counts
            return
        yield data[at]
        at += size


def _are_all(data: bytes, mark: bytes, at: int, is_so: Callable[[int], bool]) -> bool:
    """Whether something is so of the byte so far behind each mark; there is one."""
    found = [match.start() + at for match in re.finditer(re.escape(mark), data)]
    return bool(found) and all(
        place < len(data) and is_so(data[place]) for place in found
    )
