"""Merges of shards to films, and of films; what is damaged and what is not."""

import functools
import itertools
import os
import resource
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from databases import (
    N_COLORS,
    ROW,
    change,
    merge,
    query,
    read_rows,
    refuse,
    write_anew,
    write_shard,
)
from reelbow.database.merging import merge_films
from reelbow.database.opening import open_database, open_new
from reelbow.database.reading import count_fallbacks, read_row
from reelbow.database.schema import CODING_COLUMNS
from reelbow.errors import DamagedError, ReelbowError

# But digests of rows.
NO_ROWS = "WHERE key != 'rows' AND key NOT LIKE 'rows/%'"

# merge_shards


@given(
    n_frames=st.integers(0, 12),
    cuts=st.sets(st.integers(1, 11)),
    skipped=st.sets(st.integers(0, 11)),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_merging_what_was_split_gives_the_whole(
    tmp_path_factory, n_frames, cuts, skipped
):
    folder = tmp_path_factory.mktemp("split")
    # The largest split has 12 shards: more than SQLite attaches at once.
    bounds = [0, *sorted(cut for cut in cuts if cut < n_frames), n_frames]

    def split(name, first, last):
        frames = range(first, last)
        return write_shard(
            folder / f"{name}.sqlite",
            [frame for frame in frames if frame not in skipped],
            shard="any",
            skipped=[(f"{frame}", "why") for frame in frames if frame in skipped],
        )

    whole = split("whole", 0, n_frames)
    parts = [
        split(number, first, last)
        for number, (first, last) in enumerate(itertools.pairwise(bounds))
    ]
    planned = [last - first for first, last in itertools.pairwise(bounds)]
    merged = merge(parts, planned, folder / "merged.sqlite")
    assert read_rows(merged) == read_rows(whole)
    alone = merge([whole], [n_frames], folder / "alone.sqlite")
    # Its digest knows of which shards it is.
    for sql in [
        "SELECT * FROM films",
        "SELECT * FROM film_palettes",
        f"SELECT * FROM metadata {NO_ROWS}",
    ]:
        assert query(merged, sql) == query(alone, sql)


def test_a_merged_film_can_be_merged_bit_for_bit_again(two, tmp_path):
    first = merge(two, [2, 2], tmp_path / "first.sqlite")
    second = merge(two, [2, 2], tmp_path / "second.sqlite")
    assert first.read_bytes() == second.read_bytes()
    assert query(first, "PRAGMA integrity_check") == [("ok",)]


def test_the_film_is_that_of_the_row(two, result):
    coding = ("bt709", "limited", "pq", "bt2020", "matrix")
    new = dict(zip(CODING_COLUMNS, coding, strict=True))
    changed = ROW._replace(title="New", crop="64:40:0:4", **new)
    merge(two, [2, 2], result, row=changed)
    with closing(open_database(result)) as connection:
        row = read_row(connection, 1)
    # Found in the shards.
    assert row == changed._replace(
        n_frames=4, n_pictures=4, made_at="2026-01-02T03:04:05+00:00"
    )


@pytest.mark.parametrize("planned", [1, 3])
def test_another_number_of_frames_than_planned_names_the_shard(two, result, planned):
    sentence = refuse(two, [2, planned], result)
    assert "shard 00001 has 2 frames and 0 skipped" in sentence
    assert f"planned were {planned}" in sentence


@pytest.mark.parametrize("frames", [[1, 2], [3, 4], [2, 4]])
def test_frames_of_another_shard_name_the_shard(two, tmp_path, result, frames):
    write_shard(two[1].with_name("x.sqlite"), frames).replace(two[1])
    sentence = refuse(two, [2, 2], result)
    assert f"shard 00001 has frames {frames[0]} to {frames[1]}" in sentence
    assert "planned were 2 to 3" in sentence


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM frames WHERE frame = 3", " has 1 frames and 0 skipped"),
        (
            "UPDATE palettes SET share = share / 2 WHERE frame = 3",
            ": the shares of frame 3 sum to 0.5, not 1",
        ),
        (
            "DELETE FROM palettes WHERE frame = 3",
            ": the shares of frame 3 sum to 0, not 1",
        ),
        (
            "UPDATE palettes SET share = 9e999 WHERE frame = 3",
            ": the shares of frame 3 sum to inf, not 1",
        ),
        ("UPDATE metadata SET value = 'other'", " was made with other settings"),
    ],
)
def test_rows_that_do_not_add_up_to_the_film_name_the_shard(two, result, sql, said):
    write_anew(two[1], sql)
    assert f"shard 00001{said}" in refuse(two, [2, 2], result)


every_damage = pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"not a database at all" * 1000,
        lambda data: data[: len(data) // 2],
        lambda data: b"\0" * 100 + data[100:],
        lambda data: data[:100] + b"\xff" * 500 + data[600:],
        lambda data: data[:8192] + b"\xff" * 8192 + data[16384:],
        lambda data: data[:16384] + b"\x00" * 8192 + data[24576:],
    ],
    ids=["empty", "text", "cut off", "header", "schema", "page 2", "page 3"],
)


@every_damage
def test_a_damaged_shard_is_named(two, result, damage):
    two[1].write_bytes(damage(two[1].read_bytes()))
    sentence = refuse(two, [2, 2], result)
    assert "shard 00001" in sentence
    assert str(two[1]) in sentence
    assert "delete" in sentence


def read_all(path: Path) -> list:
    """Read all that a merge says, but the digest of it."""
    tables = ["films", "frames", "palettes", "skipped", "shards"]
    rows = [query(path, f"SELECT * FROM {table}") for table in tables]
    return [*rows, query(path, f"SELECT * FROM metadata {NO_ROWS}")]


def flip(path: Path, damaged: Path, position: int, bit: int) -> Path:
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= 1 << bit
    damaged.write_bytes(data)
    return damaged


@given(position=st.integers(0, 2**20), bit=st.integers(0, 7))
@example(position=6136, bit=7)  # a text that is not UTF-8 any more
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_flipped_bit_is_never_worse_than_an_error(two, result, position, bit):
    result.unlink(missing_ok=True)
    good = read_all(merge(two, [2, 2], result))
    damaged = flip(two[1], two[1].with_name("damaged.sqlite"), position, bit)
    result.unlink()
    try:
        merge([two[0], damaged], [2, 2], result)
    except ReelbowError as error:
        assert "shard 00001" in str(error)  # noqa: PT017 (either is right)
    else:
        assert read_all(result) == good


@pytest.mark.parametrize("of", ["shard", "film"])
def test_no_bit_of_a_row_flips_without_a_word(two, result, of, tmp_path):
    """Bits of bytes that are there, where and whichever they are."""
    part = two[0]
    if of == "film":
        part = merge(two[:1], [2], tmp_path / "film.sqlite")

    def merge_part(path):
        result.unlink(missing_ok=True)
        if of == "film":
            merge_films([path], result, n_colors=N_COLORS)
        else:
            merge([path], [2], result)
        return read_all(result)

    good, data = merge_part(part), part.read_bytes()
    random = np.random.default_rng(0)
    bytes_there = np.flatnonzero(np.frombuffer(data, np.uint8))
    positions = random.choice(bytes_there, 600, replace=False).tolist()
    n_told = 0
    damaged = part.with_name("damaged.sqlite")
    for position in positions:
        bit = random.integers(8)
        flip(part, damaged, position, bit)
        try:
            found = merge_part(damaged)
        except ReelbowError as error:
            assert str(damaged) in str(error)  # noqa: PT017 (either is right)
            n_told += 1
        else:
            assert found == good, (position, bit)
    assert n_told > 50


def test_all_damaged_shards_are_found_at_once(tmp_path, result):
    shards = [
        write_shard(tmp_path / f"{n}.sqlite", [2 * n, 2 * n + 1], shard=f"{n:05d}")
        for n in range(4)
    ]
    for path in (shards[0], shards[2]):
        change(path, "UPDATE frames SET luma = luma + 1")
    with pytest.raises(DamagedError) as caught:
        merge(shards, [2] * 4, result)
    assert caught.value.paths == [shards[0], shards[2]]
    assert str(caught.value) == (
        f"{shards[0]}: shard 00000 is damaged (its rows are not those that were "
        "written), and 1 more like it; delete them and run again"
    )


def test_tarball_shards_are_counted_on_and_skipped_ones_hold_their_number(
    tmp_path, result
):
    shards = [
        write_shard(
            tmp_path / "0.sqlite", [0, 2], times_s=np.nan, skipped=[("b.jpg", "bad")]
        ),
        write_shard(tmp_path / "1.sqlite", [0, 1], times_s=np.nan, shard="00001"),
        write_shard(
            tmp_path / "2.sqlite",
            [1],
            times_s=np.nan,
            shard="00002",
            skipped=[("x.jpg", "bad")],
        ),
    ]
    row = ROW._replace(duration_s=None)
    merge(shards, [None] * 3, result, row=row)
    assert query(result, "SELECT frame, time_s, luma FROM frames") == [
        (0, None, 0.25),
        (2, None, 2.25),
        (3, None, 0.25),
        (4, None, 1.25),
        (6, None, 1.25),
    ]
    ranks = query(result, "SELECT frame, count(*) FROM palettes GROUP BY frame")
    assert ranks == [(0, 2), (2, 2), (3, 2), (4, 2), (6, 2)]
    assert query(result, "SELECT * FROM skipped") == [
        (1, "00000", "b.jpg", "bad"),
        (1, "00002", "x.jpg", "bad"),
    ]
    assert query(result, "SELECT duration_s FROM films") == [(None,)]


def test_fps_gives_a_time_to_frames_without_one(tmp_path, result):
    shards = [
        write_shard(tmp_path / "0.sqlite", [0, 1], times_s=np.nan),
        write_shard(tmp_path / "1.sqlite", [0, 1], times_s=100.0),
        write_shard(tmp_path / "2.sqlite", [0, 1], times_s=np.nan),
    ]
    merge(shards, [None] * 3, result, row=ROW._replace(duration_s=None), fps=12.5)
    times = [time_s for (time_s,) in query(result, "SELECT time_s FROM frames")]
    assert times == [0.0, 0.08, 100.0, 100.0, 0.32, 0.4]
    assert query(result, "SELECT duration_s FROM films") == [(0.48,)]


def test_a_tarball_shard_with_a_frame_beyond_its_images_is_named(tmp_path, result):
    shards = [write_shard(tmp_path / "0.sqlite", [0, 5])]
    assert "shard 00000 has frames 0 to 5" in refuse(shards, [None], result)


# What is no damage


@pytest.fixture
def long(tmp_path):
    """Two good shards, of more pages than a small disk has."""
    return [
        write_shard(tmp_path / "0.sqlite", range(300)),
        write_shard(tmp_path / "1.sqlite", range(300, 600), shard="00001"),
    ]


def keep_from_merging(shards: list[Path], result: Path) -> str:
    """Return why the merge fails; no finished work may be blamed or touched."""
    before = [shard.read_bytes() for shard in shards]
    with pytest.raises((ReelbowError, OSError)) as caught:
        merge(shards, [300, 300], result)
    assert [shard.read_bytes() for shard in shards] == before
    sentence = str(caught.value)
    for word in ["damaged", "delete it", "delete the file"]:
        assert word not in sentence
    return sentence


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk_is_no_damage(long, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=120k", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        sentence = keep_from_merging(long, disk / "result.sqlite")
    finally:
        subprocess.run(["umount", disk], check=True)
    assert "No space left on device" in sentence
    assert str(disk / "result.sqlite") in sentence


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_file_that_may_not_grow_is_no_damage(long, result, part):
    merge(long, [300, 300], result)
    size = int(result.stat().st_size * part)
    result.unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores the signal that comes with it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        sentence = keep_from_merging(long, result)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f"{result}: cannot be written" in sentence
    assert "the disk or your share of it is full" in sentence


def test_a_shard_that_another_program_writes_to_is_no_damage(long, result, monkeypatch):
    # Nobody waits for the usual five seconds.
    impatient = functools.partial(sqlite3.connect, timeout=0.1)
    monkeypatch.setattr(sqlite3, "connect", impatient)
    with closing(sqlite3.connect(long[1], isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        sentence = keep_from_merging(long, result)
    assert f"{long[1]}: another program is writing to it" in sentence


def test_a_shard_that_is_gone_is_not_made_as_an_empty_one(two, result):
    two[1].unlink()
    with pytest.raises(FileNotFoundError, match=r"1\.sqlite"):
        merge(two, [2, 2], result)
    assert not two[1].exists()


def test_a_shard_that_may_not_be_read_is_no_damage(long, tmp_path, result, nobody):
    tmp_path.chmod(0o777)
    long[1].chmod(0)
    nobody()
    with pytest.raises(PermissionError, match=r"Permission denied: .*1\.sqlite"):
        merge(long, [300, 300], result)


def test_a_folder_that_may_not_be_written_to_is_no_damage(long, tmp_path, nobody):
    folder = tmp_path / "results"
    folder.mkdir()
    tmp_path.chmod(0o755)
    folder.chmod(0o555)
    nobody()
    sentence = keep_from_merging(long, folder / "result.sqlite")
    assert "result.sqlite: cannot be written" in sentence
    assert "its folder may be written to" in sentence


# merge_films


@pytest.fixture
def films(tmp_path):
    def write(film, frames, **settings):
        shard = write_shard(
            tmp_path / f"{film}_0.sqlite",
            frames,
            metadata=settings,
            skipped=[("x", "y")],
        )
        path = tmp_path / f"{film}.sqlite"
        row = ROW._replace(film=film, source=f"{film}.mkv")
        return merge([shard], [len(frames) + 1], path, row=row)

    return write


def test_films_are_numbered_in_their_order(films, result):
    paths = [films("b", [0, 1], a="1"), films("a", [0], a="1")]
    write_anew(paths[1], "UPDATE films SET transfer = 'hlg', assumed = 'primaries'")
    merge_films(paths, result, n_colors=N_COLORS)
    assert query(result, "SELECT film_id, film, source FROM films") == [
        (1, "b", "b.mkv"),
        (2, "a", "a.mkv"),
    ]
    assert query(result, "SELECT transfer, assumed, matrix FROM films") == [
        (None, None, None),
        ("hlg", "primaries", None),
    ]
    lumas = query(result, "SELECT luma FROM frames ORDER BY film_id, frame")
    assert lumas == [(0.25,), (1.25,), (0.25,)]
    assert query(result, "SELECT film_id, frame FROM frames") == [
        (1, 0),
        (1, 1),
        (2, 0),
    ]
    skipped = query(result, "SELECT film_id, name FROM skipped")
    assert skipped == [(1, "x"), (2, "x")]
    for number, path in enumerate(paths, start=1):
        own = query(path, "SELECT frame, rank, color, share FROM palettes")
        merged = query(
            result,
            f"SELECT frame, rank, color, share FROM palettes WHERE film_id = {number}",
        )
        assert merged == own
    assert len(query(result, "SELECT * FROM images")) == 3
    assert query(result, "PRAGMA integrity_check") == [("ok",)]


def test_more_films_than_sqlite_attaches_are_merged(films, result):
    paths = [films(f"film{number}", [0], a="1") for number in range(12)]
    merge_films(paths, result, n_colors=N_COLORS)
    assert query(result, "SELECT count(*), max(film_id) FROM films") == [(12, 12)]


def test_metadata_on_which_films_agree_is_kept_once(films, result):
    paths = [
        films("x", [0], version="1", settings="a", only="x"),
        films("y", [0], version="1", settings="b"),
    ]
    merge_films(paths, result, n_colors=N_COLORS)
    assert dict(query(result, f"SELECT * FROM metadata {NO_ROWS}")) == {
        "version": "1",
        "settings/x": "a",
        "settings/y": "b",
        "only/x": "x",
        "engine": "numba",
        "made_at": "2026-01-02T03:04:05+00:00",
    }


def test_which_engines_made_the_shards_is_kept_and_summed_up(tmp_path, result):
    why, other = "the GPU failed", "there was no GPU"
    made = [("cupy", None), ("numba", why), ("cupy", None), ("numba", None)]
    films = []
    for film, more in (("x", [("numba", why)]), ("y", [("numba", other)])):
        shards = [
            write_shard(
                tmp_path / f"{film}{number}.sqlite",
                [number],
                engine=engine,
                gpu_fallback=fallback,
            )
            for number, (engine, fallback) in enumerate(made + more)
        ]
        path = tmp_path / f"{film}.sqlite"
        films.append(merge(shards, [1] * 5, path, row=ROW._replace(film=film)))
    columns = "film_id, shard, engine, version, gpu_fallback"
    rows = query(films[0], f"SELECT {columns} FROM shards ORDER BY shard")
    assert rows == [
        (1, f"x{number}", engine, "1.2", fallback)
        for number, (engine, fallback) in enumerate([*made, ("numba", why)])
    ]
    about = [dict(query(path, "SELECT * FROM metadata")) for path in films]
    assert [each["engine"] for each in about] == ["cupy (2); numba (3)"] * 2
    assert about[0]["gpu_fallback"] == why
    assert about[1]["gpu_fallback"] == f"{why} (1); {other} (1)"
    assert count_fallbacks(films[1]) == (2, 5, why)

    merge_films(films, result, n_colors=N_COLORS)
    assert query(result, "SELECT count(*) FROM shards WHERE film_id = 2") == [(5,)]
    assert dict(query(result, f"SELECT * FROM metadata {NO_ROWS}")) == {
        "settings": "{}",
        "engine": "cupy (4); numba (6)",
        "gpu_fallback": f"{why} (3); {other} (1)",
        "made_at": "2026-01-02T03:04:05+00:00",
    }


@every_damage
def test_a_damaged_film_is_named(films, result, damage):
    paths = [films("x", [0], a="1"), films("y", list(range(200)), a="1")]
    paths[1].write_bytes(damage(paths[1].read_bytes()))
    with pytest.raises(ReelbowError, match="delete it and run again") as caught:
        merge_films(paths, result, n_colors=N_COLORS)
    assert str(paths[1]) in str(caught.value)


def test_a_damaged_film_of_others_is_left_out(films, result):
    paths = [films("a", [0]), films("b", [0, 1]), films("c", [0])]
    change(paths[1], "UPDATE palettes SET color = color + 1 WHERE frame = 1")
    with pytest.raises(DamagedError, match=r"b\.sqlite: the film is damaged"):
        merge_films(paths, result, n_colors=N_COLORS)
    result.unlink(missing_ok=True)
    (told,) = merge_films(paths[:1], result, n_colors=N_COLORS, others=paths[1:])
    assert told.paths == [paths[1]]
    assert query(result, "SELECT film_id, film FROM films") == [(1, "a"), (2, "c")]
    # Each film's own digest, and none of this database.
    digests = query(result, "SELECT * FROM metadata WHERE key LIKE 'rows%'")
    own = "SELECT 'rows/' || film, value FROM metadata, films WHERE key = 'rows'"
    assert digests == [*query(paths[0], own), *query(paths[2], own)]


def test_a_film_that_is_there_twice_is_named(films, result):
    paths = [films("x", [0], a="1")] * 2
    with pytest.raises(ReelbowError, match=r"x\.sqlite"):
        merge_films(paths, result, n_colors=N_COLORS)


def test_a_full_disk_is_told_as_with_any_file(tmp_path):
    def fill():
        with open_new(tmp_path / "shard.sqlite") as connection:
            connection.execute("PRAGMA max_page_count = 20")
            connection.execute("INSERT INTO metadata VALUES ('a', ?)", ["b" * 10**6])

    with pytest.raises(OSError, match=r"No space left on device: .*shard.sqlite"):
        fill()
