"""The page of all films: a wall of their barcodes, to be sorted and filtered."""

import base64
import contextlib
import hashlib
import io
import json
import math
import re
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelbow import __version__
from reelbow.barcode import draw_barcode
from reelbow.color.names import describe_names
from reelbow.color.spaces import oklab_to_srgb, srgb_to_oklab
from reelbow.database.opening import ROWS, telling_damage
from reelbow.database.reading import find_lost, read_row
from reelbow.database.schema import ONLY_FILM, FilmRow, now
from reelbow.errors import PASSING, ReelbowError, UnreadableError
from reelbow.explorer.filling import fill_page

TEMPLATE = "index.html"
STYLES = ("base.css", "index.css")
SCRIPTS = ("colors.js", "names.js", "text.js", "index.js")

# A film's barcode on the wall, and its quality as WebP.
SIZE: dict[str, Any] = {"height": 64, "width": 360}
QUALITY = 60

# Cells of OKLab, of this side, whose colors stand for a film's; at most so many.
CELL = 0.04
MOST_COLORS = 192

# Of a database, read at a time.
SOME_ROWS = 100_000

# Below this chroma, in OKLab, nobody would say which hue it is.
GRAY = 0.02

# Where a page has its films.
_FILMS = re.compile('<script type="application/json" id="films">(.*?)</script>', re.S)


def write_page(
    page: Path,
    films: Collection[str],
    *,
    drawing: Mapping[str, Any],
    code: str,
    others: Iterable[str] = (),
    pages_follow: bool = True,
    faults: Mapping[str, str] | None = None,
    old: Path | None = None,
) -> None:
    """Write the page of all films of a results folder.

    Parameters
    ----------
    page : where it is written
    films : ids of the films of this run, which have or get pages of their own
    drawing : `kind` of the barcodes, and more of what `draw_barcode` takes
    code : digest of what makes a film's entry
    others : ids of films that earlier runs made
    pages_follow : whether the pages of these films are made, before or after this one
    faults : why films of this run could not be made, or made again
    old : the page as it was, of which the entries of unchanged films are taken; it
        lies beside the folders of the films
    """
    old = old or page
    known = {entry["key"]: entry for entry in _read_entries(old) if "key" in entry}
    entries = []
    for film in dict.fromkeys([*films, *others, *(faults or {})]):
        folder, fault = old.parent / film, (faults or {}).get(film)
        entry = _find_entry(folder, known, drawing, code, fault)
        entry["page"] = "picture" in entry and (
            (film in films and pages_follow) or (folder / "explorer.html").is_file()
        )
        if fault and "picture" in entry:
            entry["note"] = f"as an earlier run left it: {fault}"
        entries.append(entry)
    text = fill_page(
        TEMPLATE,
        styles=STYLES,
        scripts=SCRIPTS,
        films=entries,
        names=describe_names(),
        made_at=now(),
        version=__version__,
    )
    page.write_text(text, encoding="utf-8")


def _read_entries(page: Path) -> list[dict[str, Any]]:
    """Read the entries of a page; none of one that is damaged or not there."""
    with contextlib.suppress(OSError, ValueError):
        found = _FILMS.search(page.read_text(encoding="utf-8"))
        return list(json.loads(found[1])) if found else []
    return []


def _find_entry(
    folder: Path,
    known: Mapping[str, dict[str, Any]],
    drawing: Mapping[str, Any],
    code: str,
    fault: str | None,
) -> dict[str, Any]:
    """Find what the page says of a film, or why it says nothing."""
    database = folder / "palettes.sqlite"
    if fault and not database.exists():
        return {"film": folder.name, "title": folder.name, "fault": fault}
    try:
        with telling_damage(database, oldest=1) as connection:
            digest = _read_digest(connection)
            about = json.dumps([folder.name, digest, code, dict(drawing)])
            key = hashlib.sha256(about.encode()).hexdigest()[:16]
            # What an older version made has no digest, and is looked at each time.
            if digest and key in known:
                # Said of the run, not of the film.
                return {k: v for k, v in known[key].items() if k != "note"}
            entry = _describe(connection, folder.name)
        if entry["frames"]:
            entry["picture"] = _draw(database, drawing)
        else:
            entry["fault"] = find_lost(database).get("") or "it has no frames"
    except UnreadableError:
        raise
    except (ReelbowError, OSError) as error:
        # The next run would have no reason to look again.
        if isinstance(error, OSError) and error.errno in PASSING:
            raise
        # That the rest of the wall is there helps more than that none is.
        return {"film": folder.name, "title": folder.name, "fault": str(error)}
    return {**entry, "key": key}


def _read_digest(connection: sqlite3.Connection) -> str | None:
    """Read the digest of a database's rows; an older one has none."""
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE name='metadata'")
    if not tables.fetchall():
        return None
    rows = connection.execute("SELECT value FROM metadata WHERE key = ?", (ROWS,))
    return next((digest for (digest,) in rows), None)


def _describe(connection: sqlite3.Connection, film: str) -> dict[str, Any]:
    """Tell of a film what it can be sorted and filtered by."""
    row = read_row(connection, ONLY_FILM)
    (n_frames, first_s, last_s) = connection.execute(
        "SELECT count(*), min(time_s), max(time_s) FROM frames"
    ).fetchone()
    (n_skipped,) = connection.execute("SELECT count(*) FROM skipped").fetchone()
    entry = {
        "film": film,
        "title": row.title,
        "frames": n_frames,
        "skipped": n_skipped,
        "seconds": _find_length(row, first_s, last_s),
        "made": row.made_at,
        "own": json.loads(row.sheet or "{}"),
    }
    if n_frames:
        rows = connection.execute("SELECT color, share FROM palettes")
        # Some at a time: a film may have a hundred million.
        some = iter(lambda: rows.fetchmany(SOME_ROWS), [])
        entry |= sum_up_colors(np.array(part, np.float64) for part in some)
    return entry


def _find_length(
    row: FilmRow, first_s: float | None, last_s: float | None
) -> float | None:
    """Find the seconds that were sampled, as far as is known."""
    if row.duration_s is None:
        return None if first_s is None or last_s is None else last_s - first_s
    end_s = row.duration_s if row.end_s is None else min(row.end_s, row.duration_s)
    return max(0.0, end_s - (row.start_s or 0.0))


def sum_up_colors(parts: Iterable[NDArray[np.float64]]) -> dict[str, Any]:
    """Sum up all colors of a film.

    Parameters
    ----------
    parts : (n, 2) 0xRRGGBB, sRGB, and its share, of a sum that does not matter

    Returns
    -------
    dict with
        lightness : the mean L of OKLab, [0, 1]
        hue : the angle of the mean color in OKLab, [0, 360); None: it is gray
        mean : that color as #rrggbb
        colors : those that stand for all, largest share first, as base64 of five bytes
            each: R, G, B, and the share as big-endian uint16 of 65,535 in all
    """
    # First to cells of 6 bits a channel, since conversions take longest.
    sums = np.zeros((4, 1 << 18))
    for part in parts:
        packed, shares = part[:, 0].astype(np.int64), part[:, 1]
        rgb = np.stack([packed >> 16, packed >> 8 & 255, packed & 255])
        cells = np.array([1 << 12, 1 << 6, 1]) @ (rgb >> 2)
        for total, weights in zip(sums, (shares, *(shares * rgb)), strict=True):
            total += np.bincount(cells, weights, minlength=len(total))
    shares, *channels = sums[:, sums[0] > 0]
    lab = srgb_to_oklab(np.stack(channels, axis=1) / shares[:, np.newaxis])
    shares /= shares.sum()
    sides = np.floor(lab / CELL).astype(np.int64) + (1 << 10)
    cells = sides @ np.array([1 << 22, 1 << 11, 1])
    mean = shares @ lab
    lab, shares = _average_groups(cells, lab, shares)
    order = np.argsort(-shares, kind="stable")
    lab, shares = lab[order], shares[order]
    if len(shares) > MOST_COLORS:
        # Each of the rest counts with the most similar one.
        apart = lab[:, np.newaxis] - lab[:MOST_COLORS]
        nearest = (apart**2).sum(axis=2).argmin(axis=1)
        lab, shares = _average_groups(nearest, lab, shares)
    levels = np.rint(oklab_to_srgb(lab)).clip(0, 255).astype(np.uint8)
    parts = np.rint(shares * 65_535).astype(">u2")
    seen = parts > 0
    table = np.concatenate([levels, parts.view(np.uint8).reshape(-1, 2)], axis=1)[seen]
    lightness, a, b = mean.tolist()
    is_gray = math.hypot(a, b) < GRAY
    return {
        "lightness": round(lightness, 4),
        "hue": None if is_gray else round(math.degrees(math.atan2(b, a)) % 360, 1),
        "mean": "#"
        + np.rint(oklab_to_srgb(mean)).clip(0, 255).astype("u1").tobytes().hex(),
        "colors": base64.b64encode(table.tobytes()).decode(),
    }


def _average_groups(
    groups: NDArray[np.int64], values: NDArray[np.float64], shares: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Average values (n, 3) of each group by their shares (n,), and sum these."""
    _, places = np.unique(groups, return_inverse=True)
    places = places.reshape(-1)
    totals = np.bincount(places, shares).astype(np.float64)
    sums = [np.bincount(places, shares * column) for column in values.T]
    return np.stack(sums, axis=1) / totals[:, np.newaxis], totals


def _draw(database: Path, drawing: Mapping[str, Any]) -> str:
    """Draw a film's barcode, as base64 of a WebP."""
    from PIL import Image

    pixels = draw_barcode(database, **{**drawing, **SIZE})
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", quality=QUALITY)
    return base64.b64encode(stream.getvalue()).decode()
