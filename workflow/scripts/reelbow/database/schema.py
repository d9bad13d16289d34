"""The schema of Reelbow's SQLite databases: of a shard, a film and all films alike."""

import datetime
import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

# The schema's number, and Reelbow's mark of its own files: "RLBW".
SCHEMA = 5
# The oldest schema that has all but what only some films have: sums, tables of `TOLD`.
OLDEST_WHOLE = 4
APPLICATION = int.from_bytes(b"RLBW")
TABLES = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {SCHEMA};
CREATE TABLE films (
    film_id INTEGER PRIMARY KEY,
    film TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    source TEXT NOT NULL,
    digest TEXT,               -- of the film's bytes, NULL: of tarballs, see shards
    start_s REAL,              -- the stretch that was sampled, NULL: of tarballs
    end_s REAL,                -- NULL: to the end
    stream INTEGER,            -- of the file's videos, NULL: as players choose
    sampling TEXT,             -- interval, frames, keyframes; NULL: every image
    every REAL,                -- seconds, or every nth
    n_frames INTEGER,          -- sampled ones, those in skipped too
    n_pictures INTEGER,        -- that the film has, sampled or not
    width INTEGER,             -- of the picture as shown, before the crop
    height INTEGER,
    duration_s REAL,
    crop TEXT,                 -- w:h:x:y of what was kept, NULL: all of it
    crop_asked TEXT,           -- auto, none or w:h:x:y
    trim_asked TEXT,           -- auto or none, NULL: of tarballs
    trimmed_start TEXT,        -- what was left out before start_s, NULL: nothing
    trimmed_end TEXT,          -- and from end_s on: black, text on black
    matrix TEXT,               -- how the film's colors were read, NULL: as images
    color_range TEXT,
    transfer TEXT,
    primaries TEXT,
    assumed TEXT,              -- which of these four the film does not say;
                               -- "varies": some of its pictures have others
    sheet TEXT,                -- the sheet's further columns, as a JSON object
    made_at TEXT               -- when its last shard was made, UTC
) STRICT;
CREATE TABLE frames (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,    -- index in the film, from 0
    time_s REAL,               -- presentation time from the film's first frame
    name TEXT NOT NULL,
    shard TEXT NOT NULL,       -- which says in shards what file it is of
    mean_color INTEGER NOT NULL,
    luma REAL NOT NULL,        -- mean luma, Rec. 709 weights on sRGB, [0, 255]
    strip BLOB NOT NULL,       -- the frame averaged over its width, height x 3 bytes
                               -- measures, of thumbnails; see docs/measures.md
    lightness REAL NOT NULL,             -- mean L*, [0, 100]
    lightness_deviation REAL NOT NULL,   -- of L*, [0, 50]
    contrast REAL NOT NULL,              -- deviation of luminance, [0, 0.5]
    chroma REAL NOT NULL,                -- mean C*, [0, 134]
    saturation REAL NOT NULL,            -- mean, of HSV, [0, 1]
    colorfulness REAL NOT NULL,          -- M3 of Hasler and Suesstrunk, [0, 298]
    warm_share REAL NOT NULL,            -- of pixels, [0, 1]
    black_share REAL NOT NULL,           -- near black: L* up to 5
    white_share REAL NOT NULL,           -- near white: L* from 95 on
    strip_sharpness REAL NOT NULL,       -- mean step of luma between rows, [0, 255]
    palette_entropy REAL NOT NULL,       -- bits, [0, log2 of the number of colors]
    PRIMARY KEY (film_id, frame)
) STRICT;
CREATE TABLE palettes (
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    rank INTEGER NOT NULL,     -- 0 is the largest
    color INTEGER NOT NULL,    -- 0xRRGGBB, sRGB
    share REAL NOT NULL,       -- sums to 1 over a frame
    accent INTEGER NOT NULL,   -- 1: small but striking, added to the others; 0: not
    PRIMARY KEY (film_id, frame, rank)
) STRICT, WITHOUT ROWID;
CREATE TABLE film_palettes (   -- of all frames of a film; of a shard there is none
    film_id INTEGER NOT NULL,
    rank INTEGER NOT NULL,     -- 0 is the largest
    color INTEGER NOT NULL,    -- 0xRRGGBB, sRGB
    share REAL NOT NULL,       -- of the film's time; sums to 1 over a film
    PRIMARY KEY (film_id, rank)
) STRICT;
CREATE TABLE color_sums (      -- of a shard, for the palette of its film
    film_id INTEGER PRIMARY KEY,
    sums BLOB NOT NULL         -- of all frames, see pictures/color_sums.py
) STRICT;
CREATE TABLE shots (           -- between two cuts; only of a film, if asked for
    film_id INTEGER NOT NULL,
    shot INTEGER NOT NULL,     -- from 0
    first_frame INTEGER,       -- of the table frames; NULL: none of them is in it
    last_frame INTEGER,
    start_s REAL,              -- of its first picture, NULL: no times are known
    end_s REAL,                -- of the first picture after it, or the film's end
    PRIMARY KEY (film_id, shot)
) STRICT;
CREATE TABLE shot_palettes (   -- of the frames of a shot, as film_palettes
    film_id INTEGER NOT NULL,
    shot INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    color INTEGER NOT NULL,
    share REAL NOT NULL,
    PRIMARY KEY (film_id, shot, rank)
) STRICT, WITHOUT ROWID;
CREATE TABLE sketches (        -- what is told of each frame that is a drawing
    film_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    word TEXT,                 -- what it was to be, NULL: the file does not say
    n_strokes INTEGER NOT NULL,
    n_points INTEGER NOT NULL,
    recognized INTEGER,        -- 1: by Quick, Draw!; 0: not; NULL: it does not say
    PRIMARY KEY (film_id, frame)
) STRICT, WITHOUT ROWID;
CREATE TABLE drawing_sums (    -- of a shard and a film; of all films there are none
    film_id INTEGER NOT NULL,
    word TEXT NOT NULL,        -- '': the file tells none
    n_drawings INTEGER NOT NULL,
    rows INTEGER NOT NULL,     -- and as many columns
    n_channels INTEGER NOT NULL,
    sums BLOB NOT NULL,        -- of 255 less the value of each pixel: uint32, of which
                               -- the lowest bytes come first, all together; by zlib
    PRIMARY KEY (film_id, word)
) STRICT;
CREATE TABLE skipped (
    film_id INTEGER NOT NULL,
    shard TEXT NOT NULL,
    name TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TABLE shards (
    film_id INTEGER NOT NULL,
    shard TEXT NOT NULL,
    engine TEXT NOT NULL,      -- of k-means
    version TEXT NOT NULL,     -- of the engine's package
    gpu_fallback TEXT,         -- why a CPU did what was a GPU's; NULL: it did not
    path TEXT,                 -- of the tarball, or of the film's file
    digest TEXT,               -- of the tarball's bytes, NULL: of a video, see films
    made_at TEXT,              -- UTC
    lost TEXT,                 -- why not all of it could be read, NULL: it could
    PRIMARY KEY (film_id, shard)
) STRICT;
CREATE TABLE metadata (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
"""

# A shard and a film have one film, so its number says nothing until films are merged.
ONLY_FILM = 1

# A frame's shares are brought to a sum of 1 in float64: what is further off is damage.
SHARE_TOLERANCE = 1e-6

# Metadata in which the shards of a film may differ.
VERSION = "version/"

# Tables of what films of one kind tell of each frame, with their columns behind film_id
# and frame. Each is called as the kind, and empty in a film of another one.
TOLD = {"sketches": ("word", "n_strokes", "n_points", "recognized")}

# Lists the columns of a file, whatever its schema.
FILM_COLUMNS = "SELECT name FROM pragma_table_info('films')"
SHARD_COLUMNS = "SELECT name FROM pragma_table_info('shards')"

# How colors were read: columns of films that stand in a video's plan as they are.
CODING_COLUMNS = ("matrix", "color_range", "transfer", "primaries", "assumed")

# What was asked for: columns of films that stand in every plan as they are.
PLAN_COLUMNS = (
    *("digest", "start_s", "end_s", "stream", "n_frames", "n_pictures"),
    *("width", "height", "duration_s", "crop", "crop_asked"),
)


# What is said of videos alone.
TRIM_COLUMNS = ("trim_asked", "trimmed_start", "trimmed_end")


class FilmRow(NamedTuple):
    """A row of the table films, without its number."""

    film: str
    title: str
    source: str
    digest: str | None = None
    start_s: float | None = None
    end_s: float | None = None
    stream: int | None = None
    sampling: str | None = None
    every: float | None = None
    n_frames: int | None = None
    n_pictures: int | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    crop: str | None = None
    crop_asked: str | None = None
    trim_asked: str | None = None
    trimmed_start: str | None = None
    trimmed_end: str | None = None
    matrix: str | None = None
    color_range: str | None = None
    transfer: str | None = None
    primaries: str | None = None
    assumed: str | None = None
    sheet: str | None = None
    made_at: str | None = None

    @classmethod
    def from_plan(
        cls,
        plan: Mapping[str, Any],
        *,
        film: str,
        title: str,
        source: str,
        own: Mapping[str, str] | None = None,
    ) -> Self:
        """Take what the plan knows; `own` are the further columns of the sheet."""
        coding = plan["video"]["coding"] if plan["video"] else {}
        sampling = plan.get("sampling") or {}
        return cls(
            film=film,
            title=title,
            source=source,
            sampling=sampling.get("mode"),
            every=sampling.get("every"),
            sheet=json.dumps(own, ensure_ascii=False) if own else None,
            **{column: plan.get(column) for column in PLAN_COLUMNS},
            **{column: plan.get(column) for column in TRIM_COLUMNS},
            **{column: coding.get(column) for column in CODING_COLUMNS},
        )


class PaletteSettings(NamedTuple):
    """How the palette of a whole film is found, as `find_palettes` takes it."""

    n_colors: int
    n_init: int
    seed: int
    color_space: str


def now() -> str:
    """Give the time as databases have it: UTC, ISO 8601, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
