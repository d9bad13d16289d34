"""A results folder that is open to many requests while runs replace its databases.

Databases are replaced as whole files, one after the other. What is open goes on reading
the old ones; when both are there anew, and fit, all later requests get the new ones.
"""

import contextlib
import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from reelbow.database.search import ColorSearch
from reelbow.errors import ReelbowError
from reelbow.shards.previews import PreviewSheet, read_sheet

# How often both are opened again if they are replaced meanwhile.
TRIES = 3

# Sheets of previews of which it is known where the frames are: some kilobytes each.
MOST_SHEETS = 4096

Stamp = tuple[int, int, int]
NO_FILE = (0, 0, 0)


class Preview(NamedTuple):
    """Where the preview of a frame is: a file, and a place in its picture (pixels)."""

    path: str  # below the results folder
    x: int
    y: int
    width: int
    height: int
    sheet_width: int
    sheet_height: int


class OpenResults:
    """The databases of a results folder, each opened once for every thread.

    Attributes
    ----------
    folder : with no links in its path
    fault : why what is answered is of before a change of the files; None: it is not
    """

    def __init__(self, folder: Path, *, n_threads: int) -> None:
        """Open both databases.

        Raises
        ------
        ReelbowError
            If one is missing, damaged, or of another state than the other.
        """
        self.folder = folder.resolve()
        self.database = folder / "palettes.sqlite"
        self.index = folder / "colors.sqlite"
        self._names = (str(self.database), str(self.index))
        self.fault: str | None = None
        self._n_threads = n_threads
        self._lock = threading.Lock()
        self._seen = self._stamp()
        self._current = self._open()
        self._sheets: dict[str, tuple[Stamp, PreviewSheet | None]] = {}

    def _stamp(self) -> tuple[Stamp, ...]:
        # With each request: Path.stat() takes five times as long.
        return tuple(_stamp(name) for name in self._names)

    def _open(self) -> "_Generation":
        """Open both for each thread, all of the same state."""
        generation = _Generation()
        for _ in range(TRIES):
            before = self._seen
            try:
                for _ in range(self._n_threads):
                    generation.add(ColorSearch.open(self.database, self.index))
            except BaseException:
                generation.retire()
                raise
            self._seen = self._stamp()
            if self._seen == before:
                return generation
            generation.retire()
            generation = _Generation()
        raise ReelbowError(f"{self.database} is replaced again and again; try later")

    def _look_again(self) -> None:
        """Open what has replaced the files, as soon as both fit."""
        if self._stamp() == self._seen or not self._lock.acquire(blocking=False):
            return
        try:
            self._seen = self._stamp()
            # While a run has replaced one of two they do not fit: the old ones do.
            try:
                new = self._open()
            except (ReelbowError, OSError) as error:
                self.fault = str(error)
                return
            self.fault = None
            old, self._current = self._current, new
            old.retire()
        finally:
            self._lock.release()

    @contextlib.contextmanager
    def borrow(self) -> Iterator[ColorSearch]:
        """Yield a search that no other thread uses meanwhile."""
        self._look_again()
        generation = self._current
        search = generation.take()
        while search is None:
            # It was retired since: there is a newer one.
            generation = self._current
            search = generation.take()
        try:
            yield search
        finally:
            generation.give_back(search)

    def close(self) -> None:
        """Close all databases."""
        self._current.retire()

    def find_file(self, *parts: str) -> Path | None:
        """Find a file of the folder; None: there is none, or a link leads outside."""
        try:
            path = self.folder.joinpath(*parts).resolve()
            is_inside = path.is_relative_to(self.folder) and path.is_file()
        except (OSError, ValueError):
            # No system takes such a name.
            return None
        return path if is_inside else None

    def has_page(self, film: str) -> bool:
        """Say whether a film has a page."""
        # Most often there is none, or it is to be seen at once.
        there = _stamp(f"{self.folder}/{film}/explorer.html") != NO_FILE
        return there and self.find_file(film, "explorer.html") is not None

    def find_preview(
        self, search: ColorSearch, film: str, shard: str, frame: int
    ) -> Preview | None:
        """Find the preview of a frame, or of the one before it that has one."""
        name = f"{film}/previews/{shard}.jpg"
        sheet = self._read_sheet(name)
        if sheet is None or not len(sheet.frames):
            return None
        # Where files of the user's are shards each counts from 0. The first frame that
        # could be read has a preview always.
        first = search.find_first_frame(film, shard)
        local = frame - first + int(sheet.frames[0])
        cell = int(np.searchsorted(sheet.frames, local, side="right")) - 1
        if cell < 0:
            return None
        place = sheet.locate(cell)
        return Preview(name, *place, sheet.width, sheet.height)

    def _read_sheet(self, name: str) -> PreviewSheet | None:
        stamp = _stamp(f"{self.folder}/{name}")
        known = self._sheets.get(name)
        if known is None or known[0] != stamp:
            path = None if stamp == NO_FILE else self.find_file(name)
            sheet = None
            # One that is damaged is as none: the search works without.
            with contextlib.suppress(ReelbowError, OSError):
                sheet = read_sheet(path) if path else None
            if len(self._sheets) >= MOST_SHEETS:
                self._sheets.clear()
            known = self._sheets[name] = (stamp, sheet)
        return known[1]


def _stamp(name: str) -> Stamp:
    """Tell a file apart from one that replaces it."""
    try:
        about = os.stat(name)  # noqa: PTH116 (see `OpenResults._stamp`)
    except (OSError, ValueError):
        return NO_FILE
    return about.st_ino, about.st_mtime_ns, about.st_size


class _Generation:
    """Searches of one state of the files; closed when none is used any more."""

    def __init__(self) -> None:
        self._free: queue.LifoQueue[ColorSearch | None] = queue.LifoQueue()
        self._is_retired = False
        self._lock = threading.Lock()

    def add(self, search: ColorSearch) -> None:
        self._free.put(search)

    def take(self) -> ColorSearch | None:
        """Wait for one that is free; None: it was retired."""
        search = self._free.get()
        if search is None:
            # For the next one who waits.
            self._free.put(None)
        return search

    def give_back(self, search: ColorSearch) -> None:
        with self._lock:
            if not self._is_retired:
                self._free.put(search)
                return
        search.close()

    def retire(self) -> None:
        with self._lock:
            self._is_retired = True
            while not self._free.empty():
                search = self._free.get()
                if search is not None:
                    search.close()
            self._free.put(None)
