"""The photos of a shard: image files of a folder, and members of ZIP archives.

A ZIP is never unpacked, and the names in it are never used as paths.
"""

import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from reelbow.errors import PASSING, ReelbowError
from reelbow.shards.image_names import choose_images, show_name
from reelbow.shards.members import Member, take_picture
from reelbow.shards.plan import Plan, find_shard
from reelbow.text import tell_error

# No photo is larger; whoever claims it wants our memory.
MAX_BYTES = 256 << 20

# What reading a damaged or hostile ZIP raises; one with a password is a RuntimeError.
DAMAGED = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    zlib.error,
)
NO_TIME = (
    "its EXIF has no time when it was taken; set photos.order to name, or leave it out"
)


class PhotoShard:
    """Reads the photos of a shard, as its film's plan lists them.

    Attributes
    ----------
    damage : None: what cannot be read are single photos, each with its reason
    """

    damage: str | None = None

    def __init__(
        self, path: Path, plan: Plan, shard: str, *, max_pixels: int, salvage: bool
    ) -> None:
        """Look into the plan only; files are opened when they are read."""
        self._about = plan["photos"]
        self._part = find_shard(plan, shard)
        self._salvage = salvage
        self._zips: dict[str, zipfile.ZipFile] = {}
        self._open_files = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        """Close what is open."""
        self._open_files.close()

    def __len__(self) -> int:
        """Count its photos, those that cannot be read included."""
        n_frames: int = self._part["n_frames"]
        return n_frames

    def read(self) -> Iterator[Member]:
        """Read their bytes in the film's order."""
        files = self._part["files"]
        members = self._part.get("members") or [[at, None] for at in range(len(files))]
        times_s = self._part.get("times_s") or [None] * len(members)
        for number, ((at, member), time_s) in enumerate(
            zip(members, times_s, strict=True)
        ):
            name = name_photo(files[at], member, self._about["folder"])
            about: dict[str, Any] = {"frame": self._part["first_frame"] + number}
            if time_s is not None:
                about["time_s"] = time_s
            try:
                if self._about["order"] == "time" and time_s is None:
                    raise ReelbowError(NO_TIME)
                _, unread = choose_images([member or files[at]])
                if unread:
                    raise ReelbowError(*unread.values())
                data = self._read_file(files[at], member)
            except ReelbowError as error:
                yield Member(name, None, str(error), about)
            else:
                picture = take_picture(member or files[at], data)
                yield Member(name, picture, "", about)

    def read_every(self) -> Iterator[Member]:
        """Read its photos: a shard has no others."""
        return self.read()

    def _read_file(self, file: str, member: str | None) -> bytes:
        if member is None:
            try:
                path = Path(file)
                if path.stat().st_size > MAX_BYTES:
                    raise ReelbowError("larger than 256 MiB")
                return path.read_bytes()
            except OSError as error:
                # The photo has no fault; whoever goes on without some does so now.
                if error.errno in PASSING and not self._salvage:
                    raise
                raise ReelbowError(
                    f"the file cannot be read: {error.strerror}"
                ) from None
        if file not in self._zips:
            self._zips[file] = self._open_files.enter_context(open_zip(Path(file)))
        return read_member(self._zips[file], member)


def name_photo(file: str, member: str | None, folder: str) -> str:
    """Name a photo as seen from the folder that all of its film lie in."""
    if file == folder:
        return show_name(member or Path(file).name)
    name = str(Path(file).relative_to(folder))
    return show_name(f"{name}/{member}" if member else name)


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a ZIP archive.

    Raises
    ------
    ReelbowError
        If it is none, or is damaged.
    """
    try:
        return zipfile.ZipFile(path)
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno in PASSING:
            raise
        raise ReelbowError(
            f"{path}: cut off, damaged or no ZIP ({tell_error(error)}); copy or pack "
            "it again"
        ) from None


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read a member.

    Raises
    ------
    ReelbowError
        If it cannot be read, or is too large.
    """
    try:
        with archive.open(name) as stream:
            data = stream.read(MAX_BYTES + 1)
    except KeyError:
        raise ReelbowError("it is no more in the ZIP") from None
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno in PASSING:
            raise
        reason = f"damaged or locked in the ZIP ({tell_error(error)})"
        raise ReelbowError(reason) from None
    if len(data) > MAX_BYTES:
        raise ReelbowError("larger than 256 MiB")
    return data


# As `Kind.open_shard` calls it.
open_shard = PhotoShard
