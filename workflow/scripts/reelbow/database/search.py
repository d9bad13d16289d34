"""Finds frames by a color, over all films, with the index that `color_index` writes."""

import json
import math
import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from reelbow.arguments import check_path, check_whole
from reelbow.color.spaces import srgb_to_oklab
from reelbow.database.color_index import (
    APPLICATION,
    BIN_BITS,
    BINS,
    COLUMNS,
    FORMAT,
    LEVELS,
    MOVED,
    NUMBER_BITS,
    PART,
    PARTS,
    POSITION,
    STEPS,
    Colors,
    join_bits,
    read_digests,
    read_summary,
    unpack_rgb,
)
from reelbow.database.opening import explaining, open_database, to_immutable_uri
from reelbow.errors import ReelbowError
from reelbow.text import clean_text, shorten

# How far a distance in packed OKLab may be from the true one, in its steps: half a step
# in each of three directions, and what float32 leaves out. Nearer to the radius than
# this the colors themselves are asked.
UNSURE = 1.0

# No two colors are further from one another in OKLab: of a larger number its square may
# be none.
FARTHEST = 2.0

# Levels that have few colors are read together, up to so many colors at once.
AT_ONCE = 8192

# Chunks whose colors are in memory at once: as much as processors have at hand.
CHUNKS_AT_ONCE = 96

# Sums are rounded to parts of so many to one, so that all of a frame is 1.
PARTS_OF_SUM = 1 << 20
STEP_BITS = (PARTS // PARTS_OF_SUM).bit_length() - 1

MOST_FRAMES = 10_000

# Of what is no color, letters that are told.
MOST_SHOWN = 40


class FoundFrame(NamedTuple):
    """A frame that has the color.

    Attributes
    ----------
    time_s : from the film's first frame; None: unknown
    shard : of the film
    color : the frame's color that is near, 0xRRGGBB; of several the largest
    share : its share, or the sum of all that are near
    distance : of `color` in OKLab
    """

    film: str
    title: str
    frame: int
    time_s: float | None
    shard: str
    color: int
    share: float
    distance: float


class TooLongError(ReelbowError):
    """A search took more time than it was given."""


class OutdatedError(ReelbowError):
    """The index is of another state of the database, as while a run makes it anew."""


def find_frames(
    database: str | Path,
    color: int | str,
    *,
    radius: float = 0.05,
    least_share: float = 0.0,
    limit: int = 50,
    together: bool = False,
) -> list[FoundFrame]:
    """Find the frames that have most of a color.

    Parameters
    ----------
    database : of all films, `results/palettes.sqlite`, with `colors.sqlite` beside it
    color : 0xRRGGBB in sRGB, "#rrggbb", or a name, as "light blue" (see `color.names`)
    radius : how far colors may be from it in OKLab, from 0; black is 1 from white
    least_share : what is less of a frame is not found, [0, 1]
    limit : how many frames at most, 1 to 10,000
    together : whether the shares of all colors of a frame that are near count as one,
        to a millionth

    Returns
    -------
    Frames, each once, the largest share first; those of the same share in the order of
    films and frames

    Raises
    ------
    ReelbowError
        If an argument is wrong, a file is missing or damaged, or the index is of
        another state of the database.
    """
    with closing(ColorSearch.open(check_path("database", database))) as search:
        return search.find_frames(
            color,
            radius=radius,
            least_share=least_share,
            limit=limit,
            together=together,
        )


def parse_color(color: Any) -> int:
    """Take a color: 0xRRGGBB, "#rrggbb", "rrggbb" or "#rgb", or a name, as "teal".

    Raises
    ------
    ReelbowError
        If it is none.
    """
    if isinstance(color, str):
        digits = color.strip().removeprefix("#")
        if re.fullmatch("[0-9a-fA-F]{3}", digits):
            digits = "".join(2 * digit for digit in digits)
        if re.fullmatch("[0-9a-fA-F]{6}", digits):
            return int(digits, 16)
        return _find_named(color)
    return check_whole("color", color, 0, 0xFFFFFF)


def _find_named(name: str) -> int:
    """Find a color by its name, or say which names are like it."""
    # Names are in matplotlib, which not all that searches has.
    from reelbow.color.names import find_color, suggest_names

    color = find_color(name)
    if color is None:
        shown = f"{name[:MOST_SHOWN]}..." if len(name) > MOST_SHOWN else name
        offered = ", ".join(suggest_names(name[:MOST_SHOWN]))
        raise ReelbowError(
            f"color must be as #c02020 or a name, not {shown!r}; names like it are "
            f"{offered}."
        )
    return color


def _check_number(name: str, value: Any, most: float) -> float:
    """Take a number in [0, most]."""
    wanted = "a number, 0 or more" if math.isinf(most) else f"a number, 0 to {most:g}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ReelbowError(f"{name} must be {wanted}, not {value!r}.")
    number = float(value)
    if not math.isfinite(number) or not 0 <= number <= most:
        raise ReelbowError(f"{name} must be {wanted}, not {value}.")
    return number


class _Ball:
    """All colors within a radius of one."""

    def __init__(self, color: int, radius: float) -> None:
        self.radius = radius
        self._center = srgb_to_oklab(unpack_rgb(np.array(color)))
        self._packed = ((self._center + MOVED) * STEPS).astype(np.float32)
        self._steps = radius * STEPS

    def measure(self, colors: NDArray[np.int64]) -> NDArray[np.float64]:
        """Measure how far colors 0xRRGGBB are from the center, in OKLab."""
        off = srgb_to_oklab(unpack_rgb(colors)) - self._center
        distances: NDArray[np.float64] = np.sqrt((off * off).sum(axis=-1))
        return distances

    def find_bins(
        self, low: NDArray[np.float32], high: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        """Find the bins that the ball touches, by the bounds of what is in them."""
        off = np.maximum(np.maximum(low - self._packed, self._packed - high), 0)
        touched = np.einsum("ij,ij->i", off, off) <= (self._steps + UNSURE) ** 2
        return np.flatnonzero(touched)

    def holds(
        self, low: NDArray[np.float32], high: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Say of which bins all colors are in the ball for sure."""
        far = np.maximum(self._packed - low, high - self._packed)
        most = max(self._steps - UNSURE, 0) ** 2
        held: NDArray[np.bool_] = np.einsum("ij,ij->i", far, far) <= most
        return held

    def has(self, colors: Colors, groups: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which colors are in the ball; `groups` says what bin each is of."""
        squares = np.zeros(len(colors.positions), np.float32)
        axes = (colors.lightness, colors.a, colors.b)
        for values, center in zip(axes, self._packed, strict=True):
            off = values.astype(np.float32)
            off -= center
            off *= off
            squares += off
        near = squares <= np.float32(max(self._steps - UNSURE, 0) ** 2)
        may_be = squares <= np.float32((self._steps + UNSURE) ** 2)
        unsure = np.flatnonzero(near != may_be)
        if len(unsure):
            low = colors.colors[unsure].astype(np.int64)
            exact, places = np.unique(
                join_bits(groups[unsure] % BINS, low), return_inverse=True
            )
            near[unsure] = (self.measure(exact) <= self.radius)[places]
        return near


class _Found(NamedTuple):
    """Frames that are found so far, by their place among all; three arrays."""

    order: NDArray[np.int64]
    colors: NDArray[np.int64]
    shares: NDArray[np.float64]

    @classmethod
    def none(cls) -> Self:
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))

    def keep_largest(self, more: "_Found", limit: int) -> "_Found":
        """Add others; keep each frame once, and so many of those with most."""
        order = np.concatenate([self.order, more.order])
        colors = np.concatenate([self.colors, more.colors])
        shares = np.concatenate([self.shares, more.shares])
        # Mostly a few of the largest are enough: sort no more than needed.
        among = 4 * limit
        while True:
            which = np.arange(len(shares))
            if among < len(shares):
                cut = len(shares) - among
                which = np.flatnonzero(shares >= np.partition(shares, cut)[cut])
            which = which[np.lexsort((colors[which], order[which], -shares[which]))]
            _, first = np.unique(order[which], return_index=True)
            if len(first) >= limit or among >= len(shares):
                which = which[np.sort(first)[:limit]]
                return _Found(order[which], colors[which], shares[which])
            among *= 4


def _list_groups(
    counts: NDArray[np.int64], bins: NDArray[np.int64], level: int = 0
) -> NDArray[np.int64]:
    """List the groups of bins, (n,), that have colors, by counts (levels, n)."""
    levels, places = np.nonzero(counts)
    groups: NDArray[np.int64] = (levels + level) << BIN_BITS | bins[places]
    return groups


class ColorSearch:
    """A database of all films and its index, opened to be asked many times.

    Attributes
    ----------
    connection : the database, with the index attached as `colors`
    films : each film's number and title, by its id
    """

    @classmethod
    def open(cls, database: Path, index: Path | None = None) -> Self:
        """Open a database and its index, by default `colors.sqlite` beside it.

        Both are opened as files that are only ever replaced: after that this goes on
        answering from the old ones. It may be used by one thread at a time.

        Raises
        ------
        ReelbowError
            If a file is missing or damaged, or the index is of another state of the
            database.
        """
        index = database.with_name("colors.sqlite") if index is None else index
        open_database(database).close()
        if not index.is_file():
            raise ReelbowError(
                f"There is no index {index}; run the workflow again, which makes it."
            )
        with explaining(database, "the database"):
            connection = sqlite3.connect(
                to_immutable_uri(database), uri=True, check_same_thread=False
            )
        try:
            with explaining(index, "the index"):
                connection.execute("ATTACH ? AS colors", (to_immutable_uri(index),))
                # Pages are read where they are, and not copied; nobody cuts them off.
                connection.execute(f"PRAGMA mmap_size = {1 << 31}")
                return cls(connection, database, index)
        except BaseException:
            connection.close()
            raise

    def __init__(
        self, connection: sqlite3.Connection, database: Path, index: Path
    ) -> None:
        self.connection = connection
        self._database, self._index = database, index
        self._check_index(database, index)
        films = connection.execute("SELECT film_id, film, title FROM films").fetchall()
        self.films = {film: (film_id, title) for film_id, film, title in films}
        self._names = {film_id: (film, title) for film_id, film, title in films}
        self._counts, boxes = read_summary(connection, "colors")
        self._low = boxes[:, 0].astype(np.float32)
        self._high = boxes[:, 1].astype(np.float32)
        spans = connection.execute("SELECT film, first, n FROM colors.films").fetchall()
        # Of those that begin at the same place only the last has frames.
        spans.sort(key=lambda span: span[1:])
        # By position: where a film begins in the index, and where in the films' order.
        self._firsts = np.array([first for _, first, _ in spans], np.int64)
        self._film_ids = np.array([self.films[film][0] for film, _, _ in spans], int)
        sizes = np.array([n for _, _, n in spans], np.int64)
        by_id = np.argsort(self._film_ids)
        begins = np.empty_like(sizes)
        begins[by_id] = np.cumsum(sizes[by_id]) - sizes[by_id]
        self._begins = begins
        self._sorted_begins = begins[by_id]
        self._sorted_ids = self._film_ids[by_id]
        self._n_positions = int((self._firsts + sizes).max(initial=0))
        self._first_frames: dict[str, dict[str, int]] = {}

    def _check_index(self, database: Path, index: Path) -> None:
        """Refuse an index of another program, format or state of the database."""
        (made_by,) = self.connection.execute("PRAGMA colors.application_id").fetchone()
        (number,) = self.connection.execute("PRAGMA colors.user_version").fetchone()
        if made_by != APPLICATION:
            raise ReelbowError(
                f"{index} is not an index of colors; give the colors.sqlite of "
                "Reelbow's results"
            )
        if number != FORMAT:
            raise ReelbowError(
                f"{index}: the index was made by another Reelbow (its format is "
                f"{number}, this one reads {FORMAT}); run the workflow again, which "
                "makes it anew"
            )
        there = dict(self.connection.execute("SELECT film, digest FROM colors.films"))
        wanted = read_digests(self.connection, database)
        if there != wanted:
            # Of a damaged index a film may be called by bytes, or by anything.
            differing = sorted(
                shorten(clean_text(str(film)))
                for film in {*there, *wanted}
                if there.get(film) != wanted.get(film)
            )
            more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
            raise OutdatedError(
                f"{index}: the index is not of this {database}: film {differing[0]}"
                f"{more} changed; run the workflow again, which makes it anew"
            )

    def list_films(self) -> list[dict[str, Any]]:
        """List the films: id, title, number of frames, length in seconds."""
        names = ("film", "title", "n_frames", "duration_s")
        rows = self.connection.execute(
            f"SELECT {', '.join(names)} FROM films ORDER BY film_id"
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def read_frame(
        self, film: str, frame: int
    ) -> tuple[float | None, list[tuple[int, float]]] | None:
        """Read a frame's time and its palette: colors 0xRRGGBB and their shares.

        None: there is no such film or frame.
        """
        film_id, _ = self.films.get(film, (None, ""))
        rows = self.connection.execute(
            "SELECT time_s, color, share FROM frames JOIN palettes "
            "USING (film_id, frame) WHERE film_id = ? AND frame = ? ORDER BY rank",
            (film_id, frame),
        ).fetchall()
        if not rows:
            return None
        return rows[0][0], [(color, share) for _, color, share in rows]

    def find_first_frame(self, film: str, shard: str) -> int:
        """Find the first frame of a shard; of a film all are found at once."""
        if film not in self._first_frames:
            film_id, _ = self.films[film]
            self._first_frames[film] = dict(
                self.connection.execute(
                    "SELECT shard, min(frame) FROM frames WHERE film_id = ? "
                    "GROUP BY shard",
                    (film_id,),
                )
            )
        return self._first_frames[film][shard]

    def close(self) -> None:
        """Close both files."""
        self.connection.close()

    def find_frames(
        self,
        color: int | str,
        *,
        radius: float = 0.05,
        least_share: float = 0.0,
        limit: int = 50,
        together: bool = False,
        most_s: float | None = None,
    ) -> list[FoundFrame]:
        """Find frames, as the function `find_frames` does.

        most_s : seconds after which it gives up and raises `TooLongError`
        """
        number = parse_color(color)
        radius = min(_check_number("radius", radius, math.inf), FARTHEST)
        least_share = _check_number("least_share", least_share, 1)
        limit = check_whole("limit", limit, 1, MOST_FRAMES)
        ball = _Ball(number, radius)
        deadline = math.inf if most_s is None else time.monotonic() + most_s
        bins = ball.find_bins(self._low, self._high)
        look = self._sum_up if together else self._go_down
        with explaining(self._index, "the index"):
            found = look(ball, bins, least_share, limit, deadline)
        with explaining(self._database, "the database"):
            return self._describe(ball, found, together=together)

    def _go_down(
        self,
        ball: "_Ball",
        bins: NDArray[np.int64],
        least_share: float,
        limit: int,
        deadline: float,
    ) -> "_Found":
        """Go through levels of falling shares until there are enough frames."""
        found = _Found.none()
        counts = self._counts[:, bins]
        sizes = counts.sum(axis=1)
        level = 0
        while level < len(LEVELS) and len(found.shares) < limit:
            # What has less is on all levels below.
            if level and LEVELS[level - 1] <= least_share:
                break
            end = level + 1
            while end < len(LEVELS) and sizes[level : end + 1].sum() <= AT_ONCE:
                end += 1
            for colors, groups in self._read(counts, bins, level, end, deadline):
                near = ball.has(colors, groups) & (colors.shares >= least_share)
                if near.any():
                    some = colors.take(near)
                    more = _Found(
                        self._order(some.positions),
                        join_bits(groups[near] % BINS, some.colors.astype(np.int64)),
                        some.shares,
                    )
                    found = found.keep_largest(more, limit)
            level = end
        return found

    def _sum_up(
        self,
        ball: "_Ball",
        bins: NDArray[np.int64],
        least_share: float,
        limit: int,
        deadline: float,
    ) -> "_Found":
        """Sum the shares of all colors in the ball, for each frame."""
        sums = np.zeros(self._n_positions, PART)
        held = ball.holds(self._low[bins], self._high[bins])
        # Bins that are wholly in the ball need no look at their colors.
        groups = _list_groups(self._counts[:, bins[held]], bins[held])
        for _, positions, parts in self._fetch(groups, COLUMNS[:2], deadline):
            np.add.at(
                sums, np.frombuffer(positions, POSITION), np.frombuffer(parts, PART)
            )
        groups = _list_groups(self._counts[:, bins[~held]], bins[~held])
        # All but the exact shares.
        for of_group, *blobs in self._fetch(groups, COLUMNS[:-1], deadline):
            colors = Colors.from_blobs(*blobs, b"")
            near = np.flatnonzero(ball.has(colors, of_group))
            np.add.at(sums, colors.positions[near], colors.parts[near])
        step = 1 << STEP_BITS
        least = max(round(least_share * PARTS_OF_SUM), 1)
        # What is rounded up to it counts too.
        places = np.flatnonzero(sums >= least * step - step // 2)
        found = sums[places] + step // 2 >> STEP_BITS
        # Sort no more than needed: of the last that have the same all, in their order.
        if limit < len(found):
            bound = np.partition(found, len(found) - limit)[len(found) - limit]
            places, found = places[found >= bound], found[found >= bound]
        order = self._order(places)
        shares = found / PARTS_OF_SUM
        best = np.lexsort((order, -shares))[:limit]
        return _Found(order[best], np.zeros(len(best), np.int64), shares[best])

    def _read(
        self,
        counts: NDArray[np.int64],
        bins: NDArray[np.int64],
        level: int,
        end: int,
        deadline: float,
    ) -> Iterator[tuple[Colors, NDArray[np.int64]]]:
        """Read the colors of bins on some levels, and of which group each is."""
        groups = _list_groups(counts[level:end], bins, level)
        for numbers, *blobs in self._fetch(groups, COLUMNS, deadline):
            yield Colors.from_blobs(*blobs), numbers

    def _fetch(
        self, groups: NDArray[np.int64], columns: Sequence[str], deadline: float
    ) -> Iterator[tuple[Any, ...]]:
        """Fetch columns of all chunks of groups, some chunks at a time.

        Yields the group of each color, (n,) int64, and each column joined, as bytes.
        """
        cursor = self.connection.execute(
            f"SELECT chunk >> {NUMBER_BITS}, {', '.join(columns)} "
            "FROM json_each(?) CROSS JOIN colors.chunks "
            f"ON chunk BETWEEN value << {NUMBER_BITS} "
            f"AND ((value + 1) << {NUMBER_BITS}) - 1",
            (json.dumps(groups.tolist()),),
        )
        while some := cursor.fetchmany(CHUNKS_AT_ONCE):
            if time.monotonic() > deadline:
                raise TooLongError("the search took too long; ask for less")
            numbers, *blobs = zip(*some, strict=True)
            sizes = [len(blob) // POSITION.itemsize for blob in blobs[0]]
            yield (
                np.repeat(np.array(numbers, np.int64), sizes),
                *map(b"".join, blobs),
            )

    def _order(self, positions: NDArray[np.integer]) -> NDArray[np.int64]:
        """Give the place of frames among all, in the order of films and frames."""
        positions = positions.astype(np.int64)
        films = np.searchsorted(self._firsts, positions, side="right") - 1
        return positions - self._firsts[films] + self._begins[films]

    def _describe(
        self, ball: "_Ball", found: "_Found", *, together: bool
    ) -> list[FoundFrame]:
        """Read what else is known of frames."""
        films = np.searchsorted(self._sorted_begins, found.order, side="right") - 1
        frames = found.order - self._sorted_begins[films]
        pairs = np.stack([self._sorted_ids[films], frames], axis=1).tolist()
        colors = self._find_largest(ball, pairs) if together else found.colors
        about = self.connection.execute(
            "SELECT film_id, frame, time_s, shard FROM json_each(?) CROSS JOIN frames "
            "ON film_id = value ->> 0 AND frame = value ->> 1",
            (json.dumps(pairs),),
        ).fetchall()
        if len(about) != len(pairs):
            # As `explaining` does with what SQLite itself finds.
            raise ReelbowError(
                f"{self._index}: the index is damaged (it has frames that the database "
                "has not); delete it and run again"
            )
        return [
            FoundFrame(
                *self._names[film_id], frame, time_s, shard, color, share, distance
            )
            for (film_id, frame, time_s, shard), color, share, distance in zip(
                about,
                colors.tolist(),
                found.shares.tolist(),
                ball.measure(colors).tolist(),
                strict=True,
            )
        ]

    def _find_largest(self, ball: "_Ball", pairs: list[list[int]]) -> NDArray[np.int64]:
        """Find the largest color of frames, (film_id, frame), that is in the ball."""
        rows = self.connection.execute(
            "SELECT key, color FROM json_each(?) CROSS JOIN palettes "
            "ON film_id = value ->> 0 AND frame = value ->> 1 ORDER BY key, rank",
            (json.dumps(pairs),),
        ).fetchall()
        places, colors = np.array(rows, np.int64).reshape(-1, 2).T
        near = ball.measure(colors) <= ball.radius
        _, first = np.unique(places[near], return_index=True)
        largest: NDArray[np.int64] = colors[near][first]
        return largest
