"""The films of a results folder; whole runs are in tests/workflow."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from snakemake.persistence import FileBackupMixin

from projects import write_tarball
from reelbow.database.opening import open_database, open_new
from reelbow.database.schema import ONLY_FILM, FilmRow
from reelbow.database.writing import add_film, add_shard, finish
from reelbow.errors import ReelbowError
from reelbow.jobs.file_digest import digest_file
from reelbow.runs.corpus import (
    check_folders,
    check_names,
    describe,
    find_cut_off,
    is_alike,
    list_others,
    merge_films,
    merge_what_is_there,
)
from reelbow.runs.films import read_films
from reelbow.runs.kept_output import keep_until_replaced
from reelbow.shards.plan import write_plan

SETTINGS = {"cluster.n_colors": 8, "sampling.every": 1.0, "crop.letterbox": "auto"}
GIVEN = json.dumps(SETTINGS)


def write_film(results: Path, film: str, settings=SETTINGS, *, named=None, tars=()):
    path = results / film / "palettes.sqlite"
    path.parent.mkdir(parents=True)
    row = FilmRow(named or film, film, f"{film}.mkv")
    with open_new(path) as connection:
        add_film(connection, ONLY_FILM, row)
        for tar in tars:
            about = {"engine": "numba", "version": "1", "digest": digest_file(tar)}
            add_shard(connection, tar.stem, **about)
        about = {} if settings is None else {"settings": json.dumps(settings)}
        finish(connection, about, n_colors=1)
    return path


@pytest.mark.parametrize(
    ("settings", "alike"),
    [
        (SETTINGS, True),
        # Tarballs are not sampled.
        ({"cluster.n_colors": 8, "crop.letterbox": "auto"}, True),
        (SETTINGS | {"cluster.n_colors": 9}, False),
        # Of an older version, which had a setting more.
        (SETTINGS | {"cluster.more": 1}, False),
        (None, False),
    ],
)
def test_only_films_of_the_same_settings_are_alike(tmp_path, settings, alike):
    path = write_film(tmp_path, "x", settings)
    assert is_alike(path, GIVEN) == alike


def test_what_cannot_be_read_or_is_another_film_is_not_alike(tmp_path):
    assert not is_alike(tmp_path / "gone" / "palettes.sqlite", GIVEN)
    copied = write_film(tmp_path, "copy", named="x")
    assert not is_alike(copied, GIVEN)
    damaged = write_film(tmp_path, "damaged")
    damaged.write_bytes(damaged.read_bytes()[:10_000])
    assert not is_alike(damaged, GIVEN)


def test_films_of_this_run_come_first_then_those_that_are_alike(tmp_path):
    films = [write_film(tmp_path, film) for film in ["z", "m"]]
    for film in "cab":
        write_film(tmp_path, film, SETTINGS if film != "b" else {"cluster.n_colors": 9})
    others = list_others(tmp_path, ["z", "m"])
    assert others == ["a", "b", "c"]
    paths = [tmp_path / film / "palettes.sqlite" for film in others]
    result = tmp_path / "palettes.sqlite"
    merge_films(films, paths, result, settings=GIVEN, n_colors=1)
    with closing(open_database(result)) as connection:
        rows = connection.execute("SELECT film FROM films ORDER BY film_id").fetchall()
    assert [film for (film,) in rows] == ["z", "m", "a", "c"]
    told = list(describe(tmp_path, ["z", "m", "bad"], {"bad", "m"}))
    assert told == [
        f"{result} has 2 of this run's 3 films; bad will be in it when mended.",
        f"{result} has m as an earlier run left it.",
        f"{result} also has what was made before with the same settings: a, c.",
        f"{result} leaves out what was made before with other settings or by another "
        "version, or is damaged: b; make it again together with the rest, or delete "
        f"its folder in {tmp_path}/.",
    ]
    (old,) = describe(tmp_path, ["z", "m"], is_old=True)
    assert old == f"{result} is as an earlier run left it."


def test_a_damaged_film_is_old_and_one_of_others_left_out(tmp_path, capsys):
    film, other = (write_film(tmp_path, name) for name in "ba")
    result = tmp_path / "palettes.sqlite"
    good = other.read_bytes()
    for path in (other, film):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE films SET width = 7")
    with pytest.raises(ReelbowError, match="same command again, which makes it anew"):
        merge_films([film], [other], result, settings=GIVEN, n_colors=1)
    assert film.stat().st_mtime == 0
    assert not result.exists()
    shutil.rmtree(film.parent)
    film = write_film(tmp_path, "b")
    merge_films([film], [other], result, settings=GIVEN, n_colors=1)
    assert f"left out: {other}: the film is damaged" in capsys.readouterr().err
    assert other.stat().st_mtime > 0
    other.write_bytes(good)
    merge_films([film], [other], result, settings=GIVEN, n_colors=1)
    assert capsys.readouterr().err == ""


def test_what_is_cut_off_is_seen_at_a_glance(tmp_path):
    paths = {name: write_film(tmp_path, name) for name in "abcdef"}
    paths["b"].write_bytes(paths["b"].read_bytes()[:5000])
    paths["c"].write_bytes(b"")
    paths["d"].write_text("a text")
    # Longer than it says is whole, and so is what another program has written to.
    paths["e"].write_bytes(paths["e"].read_bytes() + b"more")
    with closing(sqlite3.connect(paths["f"])) as connection, connection:
        connection.execute("CREATE TABLE mine (x)")
    shutil.copy(paths["b"], tmp_path / "palettes.sqlite")
    shutil.copy(paths["b"], tmp_path / "colors.sqlite")
    found = find_cut_off(tmp_path, [*paths, "nowhere"])
    cut_off = [tmp_path / "palettes.sqlite", tmp_path / "colors.sqlite"]
    cut_off += [paths[name] for name in "bcd"]
    assert found == cut_off


def test_without_any_film_nothing_is_made(tmp_path):
    write_film(tmp_path, "x", {"cluster.n_colors": 9})
    merge_what_is_there(tmp_path, ["x"], settings=GIVEN, n_colors=1)
    assert not (tmp_path / "palettes.sqlite").exists()
    assert list(describe(tmp_path, ["x"])) == []


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """A film `tars` of two tarballs, planned and made."""
    monkeypatch.chdir(tmp_path)
    tars = [write_tarball(Path(f"a/tars/{i}.tar"), {"0.jpg": i}) for i in range(2)]
    write_film(Path("results"), "tars", tars=tars)
    parts = [{"shard": tar.stem, "tarball": str(tar)} for tar in tars]
    write_plan(
        {"video": None, "path": None, "shards": parts}, Path("results/tars/plan.json")
    )
    return tars


def check(source: str) -> None:
    films = {film.film: film for film in read_films(source)}
    assert list(films) == ["tars"]
    check_names(Path("results"), films)


def test_tarballs_that_come_or_are_moved_are_the_same_film(archive):
    write_tarball(Path("a/tars/2.tar"), {"0.jpg": 7})
    archive[0].unlink()
    check("a/tars")
    Path("b").mkdir()
    Path("a/tars").rename("b/tars")
    check("b/tars")


def test_other_tarballs_in_a_folder_named_alike_are_refused(archive):
    write_tarball(Path("b/tars/0.tar"), {"0.jpg": 0xFFFFFF})
    with pytest.raises(ReelbowError) as caught:
        check("b/tars")
    assert str(caught.value) == (
        "films: b/tars would take the place of a/tars/0.tar in results/tars, since "
        "both are named 'tars'; give each an id of its own in a sheet, or delete "
        "results/tars"
    )


def test_a_video_named_as_tarballs_were_is_refused(archive):
    Path("tars.mkv").write_bytes(b"film")
    with pytest.raises(ReelbowError, match=r"tars\.mkv would take the place of a/tars"):
        check("tars.mkv")


# Outputs that are kept


@pytest.fixture
def backups(tmp_path):
    """Snakemake's own way to keep outputs, with one name kept by ours."""

    class Backups(FileBackupMixin):
        def _get_backup_path(self, path):
            return tmp_path / "backups" / path.name

        @property
        def _backup_path(self):
            return tmp_path / "backups"

    names = {"kept": ["palettes.sqlite"], "dropped": ["plan.json"]}
    keep_until_replaced(Backups, tmp_path / "results", **names)
    (tmp_path / "results").mkdir()
    return Backups()


@pytest.mark.parametrize(
    ("name", "stays"), [("palettes.sqlite", True), ("plan.json", False)]
)
def test_after_a_failure_a_database_is_old_and_a_plan_goes(
    backups, tmp_path, name, stays
):
    path = tmp_path / "results" / name
    # As before the first run.
    assert not backups.restore_output(path)
    path.write_text("old")
    backups.backup_output(path)
    assert not (tmp_path / "backups").exists()
    assert backups.restore_output(path) == stays
    assert path.read_text() == "old"
    assert (path.stat().st_mtime == 0) == stays


def test_any_other_output_is_copied_as_snakemake_does(backups, tmp_path):
    path = tmp_path / "palettes.sqlite"
    path.write_text("old")
    backups.backup_output(path)
    path.write_text("half")
    assert backups.restore_output(path)
    assert path.read_text() == "old"


def test_a_folder_that_may_not_be_written_to_is_told(tmp_path, nobody):
    tmp_path.chmod(0o777)
    results = tmp_path / "results"
    for film in "ab":
        (results / film).mkdir(parents=True)
        (results / film).chmod(0o777)
    results.chmod(0o777)
    (results / "b").chmod(0o555)
    nobody()
    check_folders(results, ["a", "new"])
    check_folders(tmp_path / "new/results", ["a"])
    for path, films in [(results / "b", ["a", "b"]), (Path("/proc/1"), [])]:
        with pytest.raises(
            ReelbowError, match=f"^{path} may not be written to; change"
        ):
            check_folders(path if not films else results, films)
