"""Results of older versions are read, or refused with a way in one sentence.

`schema_N.tar.xz` has what a run by the last commit of schema N left: 1 is version 0.2.0
(2d2ad47), 2 is 5aacaa8^, 3 is 2d53889^, 4 is ad80ea5, of a film of six colors, with
`--config films=film.mp4 'sampling={every: 0.25}' 'shards={frames: 3}'
'downsample={height: 18}' 'cluster={n_colors: 3}'`, from 4 on `'shots={detector:
content}'`, too. Before a schema is raised, that of main is added, and none is changed.
"""

import re
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from merge_film import merge_film
from reelbow.analysis.course import read_means
from reelbow.barcode import draw_barcode
from reelbow.barcode.film_record import read_film
from reelbow.database.color_index import write_index
from reelbow.database.merging import merge_films
from reelbow.database.reading import count_skipped
from reelbow.database.schema import SCHEMA, PaletteSettings
from reelbow.database.search import find_frames
from reelbow.database.tables import write_tables
from reelbow.errors import ReelbowError
from reelbow.explorer.open_results import OpenResults
from reelbow.export.tables import export_film, export_films
from reelbow.runs.corpus import is_planned
from reelbow.shards.plan import read_plan
from reelbow.shards.previews import read_sheet
from write_explorer import write_explorer

ARCHIVES = sorted(Path(__file__).parent.glob("schema_*.tar.xz"))
SCHEMAS = range(1, len(ARCHIVES) + 1)


@pytest.fixture(params=SCHEMAS)
def schema(request):
    return request.param


@pytest.fixture
def results(schema, tmp_path):
    """A results folder of a schema."""
    with tarfile.open(Path(__file__).parent / f"schema_{schema}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "results"


def test_there_are_files_of_every_schema(schema, results):
    assert max(SCHEMAS) in (SCHEMA, SCHEMA - 1)
    with closing(sqlite3.connect(results / "film/palettes.sqlite")) as connection:
        (number,) = connection.execute("PRAGMA user_version").fetchone()
    assert number == (0 if schema == 1 else schema)


@pytest.mark.parametrize("of", ["film", "all films"])
def test_every_version_is_drawn_as_before(results, of):
    database = results / ("film" if of == "film" else "") / "palettes.sqlite"
    record = read_film(database)
    assert record.film == "film"
    frames = len(record.frames)
    means = draw_barcode(database, "mean", height=1)
    assert means.shape == (1, frames, 3)
    for kind in ("strip", "dominant", "stacked", "equal", "rarest", "sorted"):
        assert draw_barcode(database, kind, height=6).shape == (6, frames, 3)
    # A quarter of each frame is yellow.
    stacked = draw_barcode(database, "stacked", height=100).astype(int)
    yellow = np.abs(stacked - (240, 200, 40)).max(axis=2) <= 12
    assert np.abs(yellow.sum(axis=0) - 25).max() <= 2
    assert len(read_means(database).means) == frames
    assert count_skipped(database)[0] == 0


def test_every_version_s_plan_is_read_and_old_previews_are_told(results):
    plan = read_plan(results / "film/plan.json")
    assert is_planned(results, "film")
    assert plan["n_frames"] == len(read_film(results / "film/palettes.sqlite").frames)
    # No rule asks for these any more, and the next merge removes them.
    for path in results.glob("film/previews/*.webp"):
        with pytest.raises(ReelbowError, match="is no sheet of previews, or is"):
            read_sheet(path)


def merge_shards(results, out):
    merge_film(
        sorted(results.glob("film/palettes/*.sqlite")),
        results / "film/plan.json",
        out / "film.sqlite",
        **{"film": "film", "title": "Old film", "source": "film.mp4", "fps": None},
        n_colors=3,
        palette=PaletteSettings(3, 1, 0, "srgb"),
        has_previews=False,
    )


WAYS = {
    "shards merged": merge_shards,
    "films merged": lambda results, out: merge_films(
        [results / "film/palettes.sqlite"], out / "all.sqlite", n_colors=3
    ),
    "tables": lambda results, out: export_film(
        results / "film/palettes.sqlite", out, ["csv"]
    ),
    "table of films": lambda results, out: export_films(
        results / "palettes.sqlite", out, ["csv"]
    ),
    "summary": lambda results, out: write_tables(
        results / "palettes.sqlite", films=out / "a.tsv", skipped=out / "b.tsv"
    ),
    "page": lambda results, out: write_explorer(
        results / "film/palettes.sqlite",
        sorted(results.glob("film/previews/*.jpg")),
        results / "film/explorer.html",
        None,
        showing={"kind": "mean", "gap_color": "#d9d9d9"},
        **{"films_at": None, "source": "film.mp4"},
    ),
    "index": lambda results, out: write_index(
        results / "palettes.sqlite", out / "colors.sqlite"
    ),
    "search": lambda results, out: find_frames(results / "palettes.sqlite", 0xC02020),
    "server": lambda results, out: OpenResults(results, n_threads=1).close(),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_else_is_made_of_it_is_made_or_refused_with_a_way(
    way, schema, results, tmp_path
):
    (tmp_path / "out").mkdir()
    told = "ok"
    try:
        WAYS[way](results, tmp_path / "out")
    except ReelbowError as error:
        told = str(error)
    older = rf"older Reelbow \(its schema is {schema}, now it is {SCHEMA}\); delete it"
    assert told == "ok" or (re.search(older, told) and told.isprintable())
    if schema == SCHEMA:
        assert told == "ok"
