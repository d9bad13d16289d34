"""Opens a film, chooses its stream and reads the packets, by PyAV."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import av
import av.logging
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from . import pictures
from .errors import ReelbowError

VideoPacket: TypeAlias = "Packet[VideoStream]"

# Damaged places that are read over in a row before the file is taken for ended.
MAX_READ_ERRORS = 100


class Reading(NamedTuple):
    """How a film is to be read."""

    stream: int | None = None  # which of its videos, from 0; None: as players choose
    max_pixels: int = pictures.MAX_PIXELS  # a larger picture is refused


AS_PLAYERS = Reading()


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
    except MemoryError:
        # PyAV's is an FFmpegError too, but no fault of the film's.
        raise
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
        except MemoryError:
            raise
        except av.FFmpegError:
            errors += 1


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
