"""Films of sketches from their file to their database and their average drawing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from chain import USUAL, cluster, plan_files
from databases import PALETTE, query
from downsample_frames import downsample_frames
from reelbow.barcode.average_figure import save_averages, tone
from reelbow.database.drawing_sums import read_sums
from reelbow.database.merging import merge_films, merge_shards
from reelbow.database.opening import open_database
from reelbow.database.schema import FilmRow
from reelbow.errors import ReelbowError
from reelbow.pictures.picture_sums import PictureSums, WordSum
from reelbow.pictures.strokes import draw_colored_strokes, draw_strokes
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.plan import read_plan
from render_averages import render_averages
from sketches import STROKES, write_ndjson

HOW = {"size": 64, "thickness": 0.1}
TOLD = "SELECT frame, word, n_strokes, n_points, recognized FROM sketches"
SUMS = "SELECT word, n_drawings, rows, n_channels, sums FROM drawing_sums"
LINES = [
    f'{{"word": "{word}", "recognized": {told}, "drawing": {STROKES[:n]}}}'
    for word, told, n in [
        *(("dog", "true", 2), ("cat", "false", 1), ("dog", "null", 1)),
        *(("ant", "true", 2), ("dog", "true", 1), ("cat", "true", 2)),
    ]
]


def make_film(
    folder: Path, per_shard: int, *, color: str = "black", height: int | None = 20
) -> Path:
    """Make the database of a film, with one of its seven drawings broken."""
    folder.mkdir()
    source = write_ndjson(folder / "a.ndjson", *LINES[:2], "broken", *LINES[2:])
    plan = folder / "plan.json"
    more = {"split": "train", "color": color, "per_shard": per_shard}
    plan_files([source], plan, **HOW, **more)
    planned = read_plan(plan)
    shaping = ThumbnailOptions(height, None, "srgb", USUAL["max_pixels"], "skip")
    shards = {}
    for part in planned["shards"]:
        shard = part["shard"]
        frames = source
        if height is not None:
            frames = folder / f"{shard}.npz"
            downsample_frames(source, plan, frames, shard=shard, shaping=shaping)
        palettes = folder / f"{shard}.sqlite"
        shards[shard] = cluster(frames, plan, palettes, shard=shard, shaping=shaping)
    film = folder / "palettes.sqlite"
    merge_shards(
        shards,
        film,
        row=FilmRow.from_plan(planned, film="a", title="A", source="a.ndjson"),
        planned={part["shard"]: part["n_frames"] for part in planned["shards"]},
        fps=None,
        n_colors=4,
        palette=PALETTE,
    )
    return film


def test_any_sharding_tells_the_same_and_has_the_same_sums(tmp_path):
    films = [make_film(tmp_path / f"{n}", n) for n in (1, 3, 7)]
    films.append(make_film(tmp_path / "full", 2, height=None))
    told, sums = (query(films[0], sql) for sql in (TOLD, SUMS))
    assert told == [
        *((0, "dog", 2, 4, 1), (1, "cat", 1, 2, 0), (3, "dog", 1, 2, None)),
        *((4, "ant", 2, 4, 1), (5, "dog", 1, 2, 1), (6, "cat", 2, 4, 1)),
    ]
    assert [row[:4] for row in sums] == [
        *(("ant", 1, 64, 1), ("cat", 2, 64, 1), ("dog", 3, 64, 1))
    ]
    for film in films[1:]:
        assert query(film, TOLD) == told
        assert query(film, SUMS) == sums
    merge_films(films[:1], tmp_path / "all.sqlite", n_colors=4)
    assert query(tmp_path / "all.sqlite", TOLD) == told


@pytest.mark.parametrize(
    ("color", "draw"), [("black", draw_strokes), ("strokes", draw_colored_strokes)]
)
def test_sums_are_those_of_the_drawings_as_they_were_drawn(color, draw, tmp_path):
    film = make_film(tmp_path / "film", 2, color=color)
    one, both = (
        255 - draw([np.array(each, float).T for each in STROKES[:n]], **HOW).astype(int)
        for n in (1, 2)
    )
    found = read(film)
    for word, wanted in {"ant": both, "cat": one + both, "dog": 2 * one + both}.items():
        np.testing.assert_array_equal(found[word].sums, wanted)


def test_a_page_has_the_average_drawing_of_each_word(tmp_path, capsys):
    film = make_film(tmp_path / "film", 3)
    picture = tmp_path / "average.png"
    render_averages(film, picture)
    assert capsys.readouterr().err == ""
    page = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    # Three drawings side by side, in frames of light gray.
    inside = page[len(page) // 2]
    assert (np.diff((inside < 200).astype(int)) > 0).sum() >= 6
    assert page.min() < 30
    with closing(sqlite3.connect(film)) as connection, connection:
        connection.execute("DELETE FROM drawing_sums")
    with pytest.raises(ReelbowError, match="has no drawings that could be averaged"):
        save_averages(film, picture)


def test_an_average_is_black_where_most_lines_are():
    sums = np.array([[0, 510], [1020, 2040]], np.uint32)
    found = tone(WordSum("cat", 16, sums))
    assert found.shape == (2, 2, 3)
    assert found[..., 0].tolist() == [[1, 0.75], [0.5, 0]]
    colored = tone(WordSum("cat", 16, np.dstack([sums, sums // 2, 0 * sums])))
    assert colored[1, 1].tolist() == [0, 0.5, 1]


def read(film: Path) -> dict[str, WordSum]:
    sums = PictureSums()
    with closing(open_database(film)) as connection:
        read_sums(connection, sums)
    return {each.word: each for each in sums}
