"""A database of a million frames, made of the palettes of some real films.

Each of its films is a row of stretches of the real ones, with another light, a tint and
noise of its own, so that colors lie as dense as they do in films, and no two are alike.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelbow.database.color_index import unpack_rgb
from reelbow.database.opening import ROWS, open_new
from reelbow.database.schema import FilmRow
from reelbow.database.writing import add_film, add_shard, finish
from reelbow.pictures.measure_names import MEASURES

FRAMES_PER_FILM = 15_000
STRETCH = 40  # frames
N_COLORS = 8
STRIP_ROWS = 90


def make_database(palettes: Path, database: Path, n_frames: int, seed: int = 0) -> None:
    """Make a database of so many frames of 8 colors, as `merge_films` leaves it.

    palettes : of real films, with 8 colors or fewer
    """
    random = np.random.default_rng(seed)
    real = read_palettes(palettes)
    temporary = database.with_suffix(".part")
    temporary.unlink(missing_ok=True)
    with open_new(temporary) as connection:
        connection.execute("BEGIN")
        metadata = {}
        for film_id in range(1, -(-n_frames // FRAMES_PER_FILM) + 1):
            n = min(FRAMES_PER_FILM, n_frames - (film_id - 1) * FRAMES_PER_FILM)
            name = f"film{film_id:04d}"
            metadata[f"{ROWS}/{name}"] = f"made of {palettes.name}, {film_id} {n}"
            _add_film(connection, film_id, name, n, real, random)
        connection.execute("COMMIT")
        finish(connection, metadata, n_colors=N_COLORS, is_part=False)
    temporary.replace(database)


def read_palettes(
    palettes: Path,
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Read each film's colors, (n, 8, 3), and shares, (n, 8)."""
    found = []
    with closing(
        sqlite3.connect(f"{palettes.resolve().as_uri()}?mode=ro", uri=True)
    ) as c:
        for (film_id,) in c.execute("SELECT film_id FROM films").fetchall():
            rows = np.array(
                c.execute(
                    "SELECT frame, rank, color, share FROM palettes WHERE film_id = ? "
                    "AND rank < ?",
                    (film_id, N_COLORS),
                ).fetchall()
            )
            frames, places = np.unique(rows[:, 0], return_inverse=True)
            ranks = rows[:, 1].astype(int)
            colors = np.zeros((len(frames), N_COLORS, 3))
            shares = np.zeros((len(frames), N_COLORS))
            colors[places, ranks] = unpack_rgb(rows[:, 2].astype(int))
            shares[places, ranks] = rows[:, 3]
            found.append((colors, shares))
    return found


def _add_film(
    connection: sqlite3.Connection,
    film_id: int,
    name: str,
    n: int,
    real: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    random: np.random.Generator,
) -> None:
    colors, shares = _draw_palettes(n, real, random)
    row = FilmRow(
        name, f"Film {film_id}", f"{name}.mkv", n_frames=n, duration_s=float(n)
    )
    add_film(connection, film_id, row)
    add_shard(connection, name, engine="numba", version="none")
    strip = random.integers(0, 256, STRIP_ROWS * 3, np.uint8).tobytes()
    measures = random.random(len(MEASURES)).tolist()
    connection.executemany(
        f"INSERT INTO frames VALUES ({', '.join('?' * (8 + len(MEASURES)))})",
        (
            (
                film_id,
                i,
                float(i),
                f"{i:08d}.jpg",
                f"{i // 600:05d}",
                0x808080,
                128.0,
                strip,
                *measures,
            )
            for i in range(n)
        ),
    )
    packed = colors @ np.array([1 << 16, 1 << 8, 1])
    frames, ranks = np.nonzero(shares)
    connection.executemany(
        "INSERT OR IGNORE INTO palettes VALUES (?, ?, ?, ?, ?, 0)",
        zip(
            [film_id] * len(frames),
            frames.tolist(),
            ranks.tolist(),
            packed[frames, ranks].tolist(),
            shares[frames, ranks].tolist(),
            strict=True,
        ),
    )


def _draw_palettes(
    n: int,
    real: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    random: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw palettes of a film: colors (n, 8, 3) and shares (n, 8), ranked."""
    parts = []
    while sum(len(part) for part, _ in parts) < n:
        film_colors, film_shares = real[random.integers(len(real))]
        start = random.integers(max(1, len(film_colors) - STRETCH))
        stretch = slice(start, start + STRETCH)
        # The light of a scene.
        light = random.uniform(0.5, 1.2)
        parts.append((film_colors[stretch] * light, film_shares[stretch]))
    colors = np.concatenate([part for part, _ in parts])[:n]
    shares = np.concatenate([part for _, part in parts])[:n]
    tint = random.normal(0, 6, 3)
    colors = np.clip(np.rint(colors + tint + random.normal(0, 3, colors.shape)), 0, 255)
    shares = shares * random.lognormal(0, 0.2, shares.shape)
    shares /= shares.sum(axis=1, keepdims=True)
    order = np.argsort(-shares, axis=1, kind="stable")
    return (
        np.take_along_axis(colors, order[:, :, None], axis=1).astype(np.int64),
        np.take_along_axis(shares, order, axis=1),
    )
