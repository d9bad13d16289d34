"""Frame tarballs: Reelbow's own (WebDataset layout) and those of strangers.

A stranger's tarball is never unpacked and its names are never used as paths: members
are read into memory, and only regular files with an image's suffix count.
"""

import contextlib
import io
import json
import lzma
import math
import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, Self

from .errors import ReelbowError

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".ppm"}
)
TARBALL_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

# What reading a damaged or hostile tarball raises.
DAMAGED = (
    tarfile.TarError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    RecursionError,
    zlib.error,
    lzma.LZMAError,
)

# No picture of a film is larger; whoever claims it wants our memory.
MAX_MEMBER_BYTES = 256 << 20
# Nor are a longer name and what else stands before a member.
MAX_HEADER_BYTES = 1 << 20
EXTRA_HEADERS = frozenset(
    {
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
    }
)

# Of longer names the end is shown, of longer notes the beginning; as an array, every
# name of a shard takes as much memory as the longest.
MAX_TEXT = 500
# Ends of lines and other controls, and bytes that are no text.
UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Member(NamedTuple):
    """One image of a tarball, or the note that stands for a missing one."""

    name: str
    data: bytes | None  # None: it was not read, for this reason
    reason: str
    about: dict[str, Any]  # what the JSON beside it says; empty without one

    @property
    def time_s(self) -> float | None:
        """The frame's time, where the JSON tells one that can be."""
        time_s = self.about.get("time_s")
        try:
            seconds = float(time_s) if isinstance(time_s, int | float) else math.nan
        except OverflowError:
            return None
        return seconds if 0 <= seconds < math.inf else None


def is_tarball(path: Path) -> bool:
    """Whether a file's name says that it is a tarball."""
    return path.name.lower().endswith(TARBALL_SUFFIXES)


def natural_key(name: str) -> list[tuple[int, int, str, str]]:
    """Sort key that puts frame2 before frame10."""
    # Python refuses to make an int of very many digits; without leading zeros the
    # longer number is the larger one.
    return [
        (0, len(part.lstrip("0")), part.lstrip("0"), part)
        if part.isdigit()
        else (1, 0, part, "")
        for part in re.split(r"([0-9]+)", name)
        if part
    ]


class _Header(tarfile.TarInfo):
    """A header of a member; one that would stop or fill tarfile is refused."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header block."""
        header = super().frombuf(buf, encoding, errors)
        # tarfile would go back, and read the same members for ever.
        if header.size < 0:
            raise tarfile.ReadError("a member of negative size")
        # It reads these at once, before it looks how long the file is.
        if header.type in EXTRA_HEADERS and header.size > MAX_HEADER_BYTES:
            raise tarfile.ReadError("a header larger than 1 MiB")
        return header


class FrameTarball(contextlib.AbstractContextManager["FrameTarball"]):
    """A tarball of images, read member by member in natural order of their names.

    Raises
    ------
    ReelbowError
        If it is no tarball, is cut off or damaged, or holds no image.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = contextlib.ExitStack()
        try:
            self._open()
        except BaseException:
            self._files.close()
            raise

    def _open(self) -> None:
        try:
            self._tar = self._files.enter_context(
                tarfile.open(self.path, tarinfo=_Header)  # noqa: SIM115 (the stack closes it)
            )
            members = []
            for member in self._tar:
                # A pax header may have said so.
                if member.size < 0:
                    raise tarfile.ReadError("a member of negative size")
                members.append(member)
            # tarfile takes a damaged header, or the end of the file, for the end of
            # the archive; only zeros are: two blocks, of some writers one.
            end = self._tar.fileobj
            assert end is not None
            end.seek(self._tar.offset)
            zeros = end.read(2 * tarfile.BLOCKSIZE)
            complete = len(zeros) >= tarfile.BLOCKSIZE and not any(zeros)
        except FileNotFoundError:
            raise ReelbowError(
                f"{self.path}: no such tarball; give the path of a tarball of images"
            ) from None
        except MemoryError:
            # Damage may look like LZMA with a dictionary of gigabytes.
            raise ReelbowError(
                f"{self.path}: damaged, or packed so that it wants more memory than "
                "its job may have; copy or pack it again"
            ) from None
        except DAMAGED as error:
            # What each way to open it said comes after, line by line.
            reason = str(error).partition(":\n")[0]
            raise ReelbowError(
                f"{self.path}: cut off, damaged or no tarball ({reason}); "
                "copy or pack it again"
            ) from None
        if not complete:
            raise ReelbowError(
                f"{self.path}: cut off or damaged after {len(members)} members; "
                "copy or pack it again"
            )
        # A name that comes twice means its last member, as when a tarball is unpacked.
        files = {member.name: member for member in members if member.isreg()}
        self._abouts = {
            _split(name)[0]: member
            for name, member in files.items()
            if _split(name)[1] == ".json"
        }
        images = [name for name in files if _split(name)[1] in IMAGE_SUFFIXES]
        keys = {_split(name)[0] for name in images}
        notes = [
            self._abouts[key].name
            # In the order of the file: a compressed one cannot go back.
            for key in self._abouts
            if key not in keys and "reason" in self._read_about(key)
        ]
        self._members = [
            files[name] for name in sorted(images + notes, key=natural_key)
        ]
        if not self._members:
            raise ReelbowError(
                f"{self.path}: no images in it; give a tarball of "
                f"{', '.join(sorted(IMAGE_SUFFIXES))} files"
            )

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self._files.close()

    def __len__(self) -> int:
        """Count its images, missing ones with a note included."""
        return len(self._members)

    def read(self, indices: Sequence[int] | None = None) -> Iterator[Member]:
        """Read its images (those of these positions), one at a time."""
        for index in range(len(self)) if indices is None else indices:
            member = self._members[index]
            key, suffix = _split(member.name)
            name = _show(member.name)
            beside = self._abouts.get(key)
            if suffix == ".json":
                about = self._read_about(key)
                reason = _show(str(about.get("reason", ""))[:MAX_TEXT])
                yield Member(_show(key), None, reason or "its note is empty", about)
            elif member.size > MAX_MEMBER_BYTES:
                about = self._read_about(key)
                yield Member(name, None, "larger than 256 MiB", about)
            elif beside is not None and beside.offset < member.offset:
                about = self._read_about(key)
                yield Member(name, self._extract(member), "", about)
            else:
                # A compressed tarball would be read from its start to go back.
                data = self._extract(member)
                yield Member(name, data, "", self._read_about(key))

    def _read_about(self, key: str) -> dict[str, Any]:
        member = self._abouts.get(key)
        if member is None or member.size > MAX_MEMBER_BYTES:
            return {}
        try:
            about = json.loads(self._extract(member))
        except (ValueError, RecursionError):
            return {}
        return about if isinstance(about, dict) else {}

    def _extract(self, member: tarfile.TarInfo) -> bytes:
        try:
            stream = self._tar.extractfile(member)
            assert stream is not None
            data = stream.read()
        except DAMAGED as error:
            raise ReelbowError(
                f"{self.path}: damaged at {_show(member.name)} ({error}); "
                "copy or pack it again"
            ) from None
        if len(data) != member.size:
            raise ReelbowError(
                f"{self.path}: cut off in {_show(member.name)}; copy or pack it again"
            )
        return data


def _split(name: str) -> tuple[str, str]:
    """Split a member's name into its key and its suffix, in lower case."""
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix), suffix.lower()


def _show(text: str) -> str:
    """Make a member's name or note one line that can be stored, whatever its bytes."""
    if len(text) > MAX_TEXT:
        text = "\N{HORIZONTAL ELLIPSIS}" + text[1 - MAX_TEXT :]
    return UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", text)


class TarballWriter:
    """Writes a WebDataset tarball: {key}.jpg and {key}.json side by side.

    The same frames give the same bytes: no clock and no user stands in it.
    """

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115

    def __enter__(self) -> "TarballWriter":
        return self

    def __exit__(self, *_: object) -> None:
        """Write the end of the archive."""
        self._tar.close()

    def add(self, key: str, jpeg: bytes | None, about: dict[str, Any]) -> None:
        """Add a frame; without a picture, only what is known about it."""
        if jpeg is not None:
            self._add(f"{key}.jpg", jpeg)
        self._add(f"{key}.json", json.dumps(about).encode())

    def _add(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))
