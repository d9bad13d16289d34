"""Frame tarballs: Reelbow's own (WebDataset layout) and those of strangers.

A stranger's tarball is never unpacked and its names are never used as paths: members
are read into memory, and only regular files with an image's suffix count, and hard
links to such members.
"""

import collections
import contextlib
import copy
import io
import json
import lzma
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from reelbow.errors import PASSING, ReelbowError
from reelbow.shards.image_names import (
    IMAGE_SUFFIXES,
    MAX_TEXT,
    choose_images,
    is_litter,
    natural_key,
    show_name,
    split_name,
)
from reelbow.shards.members import DecodedPicture, Member, take_picture
from reelbow.shards.plan import Plan

ZSTD_MARK = b"\x28\xb5\x2f\xfd"

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

# Zeros between two tarballs that were joined: an end, filled up to a record.
MAX_END_BYTES = 2 * tarfile.BLOCKSIZE + tarfile.RECORDSIZE

# Behind what is no member, no further is looked for the next one.
MAX_GAP_BYTES = 256 << 20


class _Header(tarfile.TarInfo):
    """A header of a member; one that would stop or fill tarfile is refused.

    Attributes
    ----------
    was_end : whether the last block that was read as one is the end of a tarball
    """

    was_end: ClassVar = False

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header block."""
        cls.was_end = buf.count(0) == tarfile.BLOCKSIZE
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

    Attributes
    ----------
    damage : why it could not be read to its end, so far; only if it is salvaged

    Raises
    ------
    ReelbowError
        If it is no tarball, is cut off or damaged, or holds no image.
    """

    def __init__(self, path: Path, *, salvage: bool = False) -> None:
        """Open it; with `salvage` what is before the damage counts."""
        self.path = path
        self.damage: str | None = None
        self._salvage = salvage
        self._files = contextlib.ExitStack()
        try:
            self._open()
        except BaseException:
            self._files.close()
            raise

    def _open(self) -> None:
        self._lost: list[Member] = []
        members = []
        try:
            self._open_stream()
            for member in self._list():
                # A pax header may have said so.
                if member.size < 0:
                    raise tarfile.ReadError("a member of negative size")
                members.append(member)
        except FileNotFoundError:
            raise ReelbowError(
                f"{self.path}: no such tarball; give the path of a tarball of images"
            ) from None
        except PermissionError:
            # No damage: it is to be read when it may be.
            raise
        except self._damaged as error:
            if self._may_pass(error):
                raise
            # What each way to open it said comes after, line by line.
            reason = str(error).partition(":\n")[0]
            self._note_damage(
                f"{self.path}: cut off, damaged or no tarball ({reason}); "
                "copy or pack it again"
            )
        # tarfile takes a damaged header, or the end of the file, for the end of the
        # archive; only zeros are.
        if self.damage is None and not self._header.was_end:
            self._note_damage(
                f"{self.path}: cut off or damaged after {len(members)} members; "
                "copy or pack it again"
            )
        self._choose(members)

    def _may_pass(self, error: Exception) -> bool:
        """Whether a failure may be none another time, and so tells of no damage.

        Of a tarball that is salvaged what can be read now is enough.
        """
        is_passing = isinstance(error, OSError) and error.errno in PASSING
        return is_passing and not self._salvage

    def _note_damage(self, sentence: str) -> None:
        if not self._salvage:
            raise ReelbowError(sentence) from None
        self.damage = self.damage or sentence

    def _open_stream(self) -> None:
        """Open the tarball, by any compression."""
        self._damaged: tuple[type[Exception], ...] = DAMAGED

        class Header(_Header):
            """Of its own, since it keeps what it saw last."""

        self._header = Header
        stream = None
        with self.path.open("rb") as file:
            if file.read(len(ZSTD_MARK)) == ZSTD_MARK:
                from backports import zstd

                self._damaged = (*DAMAGED, zstd.ZstdError)
                stream = self._files.enter_context(zstd.ZstdFile(self.path))
        try:
            self._tar = self._files.enter_context(
                tarfile.open(self.path, fileobj=stream, tarinfo=self._header)  # noqa: SIM115 (the stack closes it)
            )
        except MemoryError:
            # Damage may look like LZMA with a dictionary of gigabytes.
            raise ReelbowError(
                f"{self.path}: damaged, or packed so that it wants more memory than "
                "its job may have; copy or pack it again"
            ) from None

    def _list(self) -> Iterator[tarfile.TarInfo]:
        """List the members, also those behind an end: tarballs may be joined."""
        # The first one was read when it was opened.
        member = self._tar.next()
        while True:
            while member is not None:
                yield member
                self._header.was_end = False
                member = self._tar.next()
            if not self._header.was_end or not self._go_on():
                return
            member = self._tar.next()

    def _go_on(self) -> bool:
        """Go to the next header behind the end of a tarball; False if there is none.

        What lies between is noted, unless it is what a tarball ends with.
        """
        stream = self._tar.fileobj
        assert stream is not None
        start = self._tar.offset
        end_of_zeros = at = start + tarfile.BLOCKSIZE
        while at - start <= MAX_GAP_BYTES:
            block = stream.read(tarfile.BLOCKSIZE)
            if not block:
                if at > end_of_zeros:
                    self._lose(start, at)
                return False
            if at == end_of_zeros and block.count(0) == len(block):
                end_of_zeros += len(block)
            elif _is_header(block, is_sure=at == end_of_zeros):
                if at > min(end_of_zeros, start + MAX_END_BYTES):
                    self._lose(start, at)
                self._tar.offset = at
                return True
            at += len(block)
        self._lose(start, at)
        return False

    def _lose(self, start: int, end: int) -> None:
        """Note bytes in which members may have been."""
        reason = (
            f"{end - start} bytes of the tarball hold no files, so that pictures may "
            "be lost; copy or pack it again"
        )
        self._lost.append(Member(f"bytes {start} to {end}", None, reason, {}))

    def _choose(self, members: list[tarfile.TarInfo]) -> None:
        """Choose the images, and what tells of them."""
        files, broken = _follow_links(members)
        # A compressed tarball cannot go back for each name of a file of many names.
        counts = collections.Counter(member.offset for member in files.values())
        self._kept: dict[int, bytes | None] = {
            offset: None for offset, n in counts.items() if n > 1
        }
        self._last_kept: collections.deque[int] = collections.deque(maxlen=2)
        self._reasons = {
            name: reason
            for name, reason in broken.items()
            if split_name(name)[1] in IMAGE_SUFFIXES
        }
        self._abouts = {
            split_name(name)[0]: member
            for name, member in files.items()
            if split_name(name)[1] == ".json"
        }
        images, unread = choose_images(files)
        self._reasons |= unread
        keys = {split_name(name)[0] for name in images}
        keys.update(split_name(name)[0] for name in self._reasons)
        notes = [
            self._abouts[key].name
            # In the order of the file: a compressed one cannot go back.
            for key in self._abouts
            if key not in keys and "reason" in self._read_about(key)
        ]
        if self._reasons and not images and not notes:
            name, reason = next(iter(self._reasons.items()))
            raise ReelbowError(
                f"{self.path}: none of its {len(self._reasons)} pictures can be read, "
                f"the first is {show_name(name)} ({reason})"
            )
        names = {*images, *notes, *self._reasons}
        everything = {member.name: member for member in members} | files
        self._members = [everything[name] for name in sorted(names, key=natural_key)]
        if not self._members:
            raise ReelbowError(
                self.damage
                or f"{self.path}: no images in it; give a tarball of "
                f"{', '.join(sorted(IMAGE_SUFFIXES))} files"
            )

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self._files.close()

    def __len__(self) -> int:
        """Count its images, missing ones with a note included."""
        return len(self._members) + len(self._lost)

    def read(self, indices: Sequence[int] | None = None) -> Iterator[Member]:
        """Read its images (those of these positions), one at a time."""
        for index in range(len(self)) if indices is None else indices:
            if index >= len(self._members):
                yield self._lost[index - len(self._members)]
                continue
            member = self._members[index]
            key, suffix = split_name(member.name)
            name = show_name(member.name)
            beside = self._abouts.get(key)
            if member.name in self._reasons:
                yield Member(
                    name, None, self._reasons[member.name], self._read_about(key)
                )
            elif suffix == ".json":
                about = self._read_about(key)
                reason = show_name(str(about.get("reason", ""))[:MAX_TEXT])
                yield Member(show_name(key), None, reason or "its note is empty", about)
            elif member.size > MAX_MEMBER_BYTES:
                about = self._read_about(key)
                yield Member(name, None, "larger than 256 MiB", about)
            elif beside is not None and beside.offset < member.offset:
                about = self._read_about(key)
                yield Member(name, *self._read_data(member), about)
            else:
                # A compressed tarball would be read from its start to go back.
                data, reason = self._read_data(member)
                yield Member(name, data, reason, self._read_about(key))

    def read_every(self) -> Iterator[Member]:
        """Read its images: a tarball has no others."""
        return self.read()

    def _read_data(
        self, member: tarfile.TarInfo
    ) -> tuple[bytes | DecodedPicture | None, str]:
        """Read a picture's bytes; or say why there are none, if it is salvaged."""
        try:
            return take_picture(member.name, self._extract(member)), ""
        except ReelbowError as error:
            self._note_damage(str(error))
            return None, str(error)

    def _read_about(self, key: str) -> dict[str, Any]:
        member = self._abouts.get(key)
        if member is None or member.size > MAX_MEMBER_BYTES:
            return {}
        try:
            about = json.loads(self._extract(member))
        except (ValueError, RecursionError):
            return {}
        except ReelbowError as error:
            self._note_damage(str(error))
            return {}
        return about if isinstance(about, dict) else {}

    def _extract(self, member: tarfile.TarInfo) -> bytes:
        """Read a member; the last image and the last JSON of several names are kept."""
        kept = self._kept.get(member.offset)
        if kept is not None:
            return kept
        data = self._read(member)
        if member.offset in self._kept:
            if len(self._last_kept) == self._last_kept.maxlen:
                self._kept[self._last_kept[0]] = None
            self._last_kept.append(member.offset)
            self._kept[member.offset] = data
        return data

    def _read(self, member: tarfile.TarInfo) -> bytes:
        try:
            stream = self._tar.extractfile(member)
            assert stream is not None
            data = stream.read()
        except self._damaged as error:
            if self._may_pass(error):
                raise
            raise ReelbowError(
                f"{self.path}: damaged at {show_name(member.name)} ({error}); "
                "copy or pack it again"
            ) from None
        if len(data) != member.size:
            raise ReelbowError(
                f"{self.path}: cut off in {show_name(member.name)}; "
                "copy or pack it again"
            )
        return data


def _follow_links(
    members: list[tarfile.TarInfo],
) -> tuple[dict[str, tarfile.TarInfo], dict[str, str]]:
    """Find the files by their names, also where a name is a hard link to another.

    Returns
    -------
    Files by name, litter left out; and why a link is none
    """
    files: dict[str, tarfile.TarInfo] = {}
    broken: dict[str, str] = {}
    # A name that comes twice means its last member, as when a tarball is unpacked.
    for member in members:
        name = member.name
        if is_litter(name) or not (member.isreg() or member.islnk()):
            continue
        files.pop(name, None)
        broken.pop(name, None)
        if member.isreg():
            files[name] = member
        # As it is unpacked, what a link leads to is there before it: so no circle.
        elif member.linkname in files:
            files[name] = copy.copy(files[member.linkname])
            files[name].name = name
        else:
            broken[name] = (
                f"a hard link to {show_name(member.linkname)}, which is no file before "
                "it in the tarball; pack it again"
            )
    return files, broken


def _is_header(block: bytes, *, is_sure: bool) -> bool:
    """Whether a block is a header of a member, by its checksum.

    Parameters
    ----------
    is_sure : False where only one that bears the mark of one is looked at
    """
    if not is_sure and block[257:262] != b"ustar":
        return False
    try:
        _Header.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


class TarballWriter:
    """Writes a WebDataset tarball: {key}.jpg, or .png, and {key}.json side by side.

    The same frames give the same bytes: no clock and no user stands in it.
    """

    def __init__(self, path: Path, *, suffix: str = ".jpg") -> None:
        self._suffix = suffix
        self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115

    def __enter__(self) -> "TarballWriter":
        return self

    def __exit__(self, *_: object) -> None:
        """Write the end of the archive."""
        self._tar.close()

    def add(self, key: str, picture: bytes | None, about: dict[str, Any]) -> None:
        """Add a frame; without a picture, only what is known about it."""
        if picture is not None:
            self._add(key + self._suffix, picture)
        self._add(f"{key}.json", json.dumps(about).encode())

    def _add(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))


def open_shard(
    path: Path, planned: Plan, shard: str, *, max_pixels: int, salvage: bool
) -> FrameTarball:
    """Open a tarball as `Kind.open_shard` says; it is all of its shard."""
    return FrameTarball(path, salvage=salvage)
