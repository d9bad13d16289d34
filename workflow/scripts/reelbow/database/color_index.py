"""Writes the index of colors: which frames have a color, and how much of it.

Palettes are ordered by frames; who looks for a color would read all of them. The index
has the same colors in chunks, each of one bin (4 bits a channel) and of one level of
shares. A search reads the chunks of the bins that a ball in OKLab touches, those of the
largest shares first; see `search`.

Within the index a frame is a position: that of its film's first frame and the frame's
number. Further films take further positions, so that the index grows by appending.
"""

import itertools
import operator
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from reelbow.color.spaces import srgb_to_oklab
from reelbow.database.opening import (
    ROWS,
    check_integrity,
    connect,
    open_database,
    open_new,
)
from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write

# The format's number, and the mark of an index: "RLBX".
FORMAT = 2
APPLICATION = int.from_bytes(b"RLBX")
TABLES = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
CREATE TABLE films (
    film TEXT PRIMARY KEY,
    digest TEXT NOT NULL,      -- of its rows, as metadata of the palettes have it
    first INTEGER NOT NULL,    -- the position of its frame 0
    n INTEGER NOT NULL         -- how many positions are its own
) STRICT;
CREATE TABLE chunks (
    chunk INTEGER PRIMARY KEY, -- level << 32 | bin << 20 | number
    positions BLOB NOT NULL,   -- of the frames, uint32
    parts BLOB NOT NULL,       -- shares to be summed, uint32, see `PARTS`
    colors BLOB NOT NULL,      -- what the bin leaves open of the color, uint16
    lightness BLOB NOT NULL,   -- OKLab, uint16 each, see `pack_oklab`
    a BLOB NOT NULL,
    b BLOB NOT NULL,
    shares BLOB NOT NULL       -- float64
) STRICT;
CREATE TABLE summary (
    counts BLOB NOT NULL,      -- (levels, bins) int64: colors in the chunks
    boxes BLOB NOT NULL        -- (bins, 2, 3) uint16: bounds of their OKLab
) STRICT;
"""

# The least share of each level, falling.
LEVELS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.0)
BINS = 16**3

# Colors of a chunk at most: of the largest number a color appended rewrites but one.
CHUNK = 1024
# Room for the number of a chunk.
NUMBER_BITS = 20
BIN_BITS = 12

# Colors that are sorted into chunks at once: 100 MB.
BATCH = 1_000_000

# OKLab in 16 bits: L as it is, a and b moved into [0, 1].
STEPS = 65535.0
MOVED = np.array([0.0, 0.5, 0.5])

POSITION = np.dtype("<u4")

# Shares are summed as whole numbers of so many to one, so that no order matters: those
# of a frame have room in 32 bits, and 256 of them are right to a millionth.
PARTS = 1 << 30
PART = np.dtype("<u4")

# Searches hold a number for each: so many are nothing, and more are made good use of.
FEW_POSITIONS = 1 << 20
LOW_BITS = np.dtype("<u2")
OKLAB = np.dtype("<u2")
SHARE = np.dtype("<f8")
COUNT = np.dtype("<i8")
COLUMNS = ("positions", "parts", "colors", "lightness", "a", "b", "shares")
NO_BOX = np.array([[np.iinfo(OKLAB).max] * 3, [0] * 3], OKLAB)

ROW = np.dtype([("position", "i8"), ("color", "i8"), ("share", "f8")])


class IndexedFilm(NamedTuple):
    """A film in the index.

    digest : of the rows of its database
    first, n : which positions are its frames'
    """

    digest: str
    first: int
    n: int


class Colors(NamedTuple):
    """Colors as chunks have them: arrays of the same length.

    OKLab is in three: NumPy is slow where the inner axis is short.
    """

    positions: NDArray[np.uint32]
    parts: NDArray[np.uint32]
    colors: NDArray[np.uint16]
    lightness: NDArray[np.uint16]
    a: NDArray[np.uint16]
    b: NDArray[np.uint16]
    shares: NDArray[np.float64]

    @classmethod
    def from_blobs(cls, *blobs: bytes) -> Self:
        """Read what chunks hold, or several of them joined."""
        positions, parts, colors, lightness, a, b, shares = blobs
        return cls(
            np.frombuffer(positions, POSITION),
            np.frombuffer(parts, PART),
            np.frombuffer(colors, LOW_BITS),
            np.frombuffer(lightness, OKLAB),
            np.frombuffer(a, OKLAB),
            np.frombuffer(b, OKLAB),
            np.frombuffer(shares, SHARE),
        )

    def take(self, which: slice | NDArray[np.bool_]) -> "Colors":
        """Take some of the colors."""
        positions, parts, colors, lightness, a, b, shares = self
        return Colors(
            positions[which],
            parts[which],
            colors[which],
            lightness[which],
            a[which],
            b[which],
            shares[which],
        )

    def to_blobs(self) -> list[bytes]:
        """Give what the columns of a chunk hold."""
        return [part.tobytes() for part in self]


def pack_oklab(colors: NDArray[np.integer]) -> NDArray[np.uint16]:
    """Give colors 0xRRGGBB, (n,), in OKLab, (3, n), in 16 bits each."""
    oklab = srgb_to_oklab(unpack_rgb(colors))
    packed: NDArray[np.uint16] = np.rint((oklab + MOVED) * STEPS).astype(OKLAB)
    return np.ascontiguousarray(packed.T)


def unpack_rgb(colors: NDArray[np.integer]) -> NDArray[np.int64]:
    """Give the channels, (n, 3), of colors 0xRRGGBB, (n,)."""
    return np.stack([colors >> shift & 255 for shift in (16, 8, 0)], axis=-1)


def find_bins(colors: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the bin of each color 0xRRGGBB: the high four bits of its channels."""
    return colors >> 12 & 0xF00 | colors >> 8 & 0xF0 | colors >> 4 & 0xF


def find_low_bits(colors: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the low four bits of the channels, which the bin leaves open."""
    return colors >> 8 & 0xF00 | colors >> 4 & 0xF0 | colors & 0xF


def join_bits(bins: NDArray[np.int64], low: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the color 0xRRGGBB of a bin's number and low bits."""
    high = (bins & 0xF00) << 12 | (bins & 0xF0) << 8 | (bins & 0xF) << 4
    return high | (low & 0xF00) << 8 | (low & 0xF0) << 4 | low & 0xF


def write_index(database: Path, index: Path) -> int:
    """Write the index of a database of all films.

    What an index that is there has of films that are as they were is taken over. One
    that cannot be read is replaced.

    Returns
    -------
    how many films were read anew

    Raises
    ------
    ReelbowError
        If the database cannot be read, or has not the digests of its films.
    """
    with atomic_write(index) as temporary:
        return _write_after(index, database, temporary)


def _write_after(before: Path | None, database: Path, index: Path) -> int:
    """Write an index after one of earlier, if that is there and can be read."""
    with closing(open_database(database)) as connection:
        wanted = read_digests(connection, database)
        films = _read_films(before)
        kept = {
            film: about
            for film, about in films.items()
            if about.digest == wanted.get(film)
        }
        spans = {
            film: n
            for film, n in connection.execute(
                "SELECT film, coalesce(max(frame) + 1, 0) FROM films "
                "LEFT JOIN frames USING (film_id) GROUP BY film_id"
            )
            if film not in kept
        }
        start = max((about.first + about.n for about in kept.values()), default=0)
        new = sum(spans.values())
        live = sum(about.n for about in kept.values()) + new
        if start + new > max(FEW_POSITIONS, 2 * live):
            # After many changes: positions of what went are free again.
            return _write_after(None, database, index)
        if before is not None and kept.keys() == films.keys() and kept:
            shutil.copyfile(before, index)
        else:
            with open_new(index, TABLES) as target:
                _copy_some(before, target, kept)
        added = {}
        for film, n in spans.items():
            added[film] = IndexedFilm(wanted[film], start, n)
            start += n
        with open_new(index, "") as target:
            target.execute("BEGIN")
            _append(connection, target, added)
            target.execute("COMMIT")
            check_integrity(target, "main")
    return len(added)


def read_digests(connection: sqlite3.Connection, database: Path) -> dict[str, str]:
    """Read the digest of each film's rows that a merge left.

    Raises
    ------
    ReelbowError
        If there is none of some film.
    """
    found = dict(
        connection.execute(
            "SELECT film, value FROM films LEFT JOIN metadata "
            f"ON key = '{ROWS}/' || film ORDER BY film_id"
        )
    )
    if None in found.values():
        raise ReelbowError(
            f"{database} is not the database of all films, or an older Reelbow made "
            "it; run the workflow again, which makes results/palettes.sqlite"
        )
    return found


def _read_films(before: Path | None) -> dict[str, IndexedFilm]:
    """Read which films an index has; none if it cannot be read."""
    if before is None or not before.is_file():
        return {}
    try:
        with closing(connect(before)) as connection:
            (made_by,) = connection.execute("PRAGMA application_id").fetchone()
            (number,) = connection.execute("PRAGMA user_version").fetchone()
            if (made_by, number) != (APPLICATION, FORMAT):
                return {}
            check_integrity(connection, "main")
            return {
                film: IndexedFilm(*about)
                for film, *about in connection.execute("SELECT * FROM films")
            }
    except sqlite3.Error:
        return {}


def _copy_some(
    before: Path | None, target: sqlite3.Connection, kept: Mapping[str, IndexedFilm]
) -> None:
    """Copy what an index has of some films into an empty one."""
    counts = np.zeros((len(LEVELS), BINS), COUNT)
    boxes = np.tile(NO_BOX, (BINS, 1, 1))
    target.execute("BEGIN")
    if kept and before is not None:
        with closing(connect(before)) as source:
            boxes = read_summary(source)[1].copy()
            spans = sorted(
                (about.first, about.first + about.n) for about in kept.values()
            )
            # Between a begin and an end: an odd number of bounds is not above.
            bounds = np.array(spans, np.int64).ravel()
            for chunk, *blobs in source.execute(
                f"SELECT chunk, {', '.join(COLUMNS)} FROM chunks"
            ):
                all_of_it = Colors.from_blobs(*blobs)
                places = np.searchsorted(bounds, all_of_it.positions, side="right")
                left = all_of_it.take(places % 2 == 1)
                if len(left.shares):
                    target.execute(
                        "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                        (chunk, *left.to_blobs()),
                    )
                    counts.flat[chunk >> NUMBER_BITS] += len(left.shares)
    target.executemany(
        "INSERT INTO films VALUES (?, ?, ?, ?)",
        ((film, *about) for film, about in kept.items()),
    )
    target.execute(
        "INSERT INTO summary VALUES (?, ?)", (counts.tobytes(), boxes.tobytes())
    )
    target.execute("COMMIT")


def read_summary(
    connection: sqlite3.Connection, name: str = "main"
) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """Read how many colors each level has of each bin, and the bounds of the bins."""
    try:
        counts, boxes = connection.execute(f"SELECT * FROM {name}.summary").fetchone()
        return (
            np.frombuffer(counts, COUNT).reshape(len(LEVELS), BINS),
            np.frombuffer(boxes, OKLAB).reshape(BINS, 2, 3),
        )
    except (TypeError, ValueError):
        # As SQLite tells of what it finds itself.
        raise sqlite3.DatabaseError("its summary is not whole") from None


def _append(
    source: sqlite3.Connection,
    target: sqlite3.Connection,
    added: Mapping[str, IndexedFilm],
) -> None:
    """Append films that the index does not have."""
    counts, boxes = (part.copy() for part in read_summary(target))
    for batch in _read_batches(source, added):
        colors = batch["color"]
        distinct, places = np.unique(colors, return_inverse=True)
        # With decreasing bounds: 0 is the level of what is at least the first.
        levels = np.digitize(batch["share"], LEVELS)
        groups = levels << BIN_BITS | find_bins(colors)
        order = np.argsort(groups, kind="stable")
        lightness, a, b = pack_oklab(distinct)
        packed = Colors(
            batch["position"].astype(POSITION)[order],
            np.rint(batch["share"] * PARTS).astype(PART)[order],
            find_low_bits(colors).astype(LOW_BITS)[order],
            lightness[places[order]],
            a[places[order]],
            b[places[order]],
            batch["share"].astype(SHARE)[order],
        )
        there, starts, sizes = np.unique(
            groups[order], return_index=True, return_counts=True
        )
        for group, start, size in zip(
            there.tolist(), starts.tolist(), sizes.tolist(), strict=True
        ):
            _append_to_group(target, group, packed.take(slice(start, start + size)))
        counts.flat[there] += sizes
        bins = there % BINS
        for axis, part in enumerate((packed.lightness, packed.a, packed.b)):
            least = np.minimum.reduceat(part, starts)
            np.minimum.at(boxes[:, 0, axis], bins, least)
            most = np.maximum.reduceat(part, starts)
            np.maximum.at(boxes[:, 1, axis], bins, most)
    target.execute(
        "UPDATE summary SET counts = ?, boxes = ?", (counts.tobytes(), boxes.tobytes())
    )
    target.executemany(
        "INSERT INTO films VALUES (?, ?, ?, ?)",
        ((film, *about) for film, about in added.items()),
    )


def _read_batches(
    source: sqlite3.Connection, films: Mapping[str, IndexedFilm]
) -> Iterator[NDArray[np.void]]:
    """Read the colors of films, with their positions, so many at once."""
    rows = itertools.chain.from_iterable(
        source.execute(
            "SELECT frame + ?, color, share FROM palettes WHERE film_id = "
            "(SELECT film_id FROM films WHERE film = ?) ORDER BY frame, rank",
            (about.first, film),
        )
        for film, about in films.items()
    )
    while True:
        batch = np.fromiter(itertools.islice(rows, BATCH), ROW)
        if not len(batch):
            return
        yield batch


def _append_to_group(target: sqlite3.Connection, group: int, colors: Colors) -> None:
    """Append colors of one bin and level, the last chunk being filled first."""
    first = group << NUMBER_BITS
    last = target.execute(
        f"SELECT chunk, {', '.join(COLUMNS)} FROM chunks "
        "WHERE chunk >= ? AND chunk < ? ORDER BY chunk DESC LIMIT 1",
        (first, first + (1 << NUMBER_BITS)),
    ).fetchone()
    chunk = first
    if last is not None:
        chunk, *blobs = last
        if len(blobs[0]) < CHUNK * POSITION.itemsize:
            more = colors.to_blobs()
            colors = Colors.from_blobs(*map(operator.add, blobs, more))
        else:
            chunk += 1
    for start in range(0, len(colors.shares), CHUNK):
        target.execute(
            "INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (chunk, *colors.take(slice(start, start + CHUNK)).to_blobs()),
        )
        chunk += 1
