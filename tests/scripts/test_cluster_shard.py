import datetime
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import chain
from databases import query
from reelbow.database.opening import open_database
from reelbow.database.reading import read_row
from reelbow.errors import DamagedError, ReelbowError
from reelbow.kmeans.palettes import find_version
from reelbow.machine.versions import describe_versions
from reelbow.pictures.averages import Averages
from reelbow.pictures.color_sums import unpack, weigh_frame
from reelbow.shards.batches import ShardFrame
from reelbow.shards.plan import write_plan
from reelbow.shards.thumbnails import ThumbnailWriter

PLAN = {
    "video": {"coding": {"matrix": "bt601", "transfer": "hlg"}},
    "path": "films/demo.mkv",
    "digest": "of its bytes",
    "sampling": {"mode": "interval", "every": 1.0},
    "start_s": 0.0,
    "end_s": None,
    "stream": None,
    "width": 8,
    "height": 6,
    "duration_s": 3.0,
    "crop": None,
    "crop_asked": "auto",
    "n_pictures": 75,
    "n_frames": 4,
    "shards": [{"shard": "00000", "first_frame": 0, "n_frames": 4}],
}


def halves(left: int, right: int):
    """Draw a frame of two colors, (6, 8, 3)."""
    colors = np.array([left] * 4 + [right] * 4)
    row = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=-1)
    return np.repeat(row[np.newaxis], 6, axis=0).astype(np.uint8)


def average(frame: int) -> Averages:
    """Give averages of the full pictures, which thumbnails do not have."""
    strip = np.arange(3 * frame + 3.0).reshape(-1, 3) + 0.4
    return Averages(np.array([1, 2, frame + 0.6]), strip, frame + 0.125)


def cluster(tmp_path: Path, **how) -> Path:
    thumbnails, plan = tmp_path / "a.npz", tmp_path / "plan.json"
    write_plan(PLAN, plan)
    with ThumbnailWriter(thumbnails) as writer:
        writer.add(ShardFrame(0, 0.0, "0.jpg", halves(0xFF0000, 0xFF0000), average(0)))
        writer.skipped.append(("1.jpg", "cannot be read"))
        writer.versions = {"version/numpy": "0.1"}
        writer.add(ShardFrame(2, None, "2.jpg", halves(0x00FF00, 0x0000FF), average(2)))
        # Another size is another batch.
        narrow = halves(0x101010, 0x303030)[:, 2:]
        writer.add(ShardFrame(3, 3.0, "3.jpg", narrow, average(3)))
    how = {"film": "demo", "source": "demo.mkv", "metadata": {"settings": "1"}, **how}
    return chain.cluster(thumbnails, plan, tmp_path / "out.sqlite", **how)


@pytest.mark.parametrize("engine", ["numba", "sklearn"])
def test_palettes_are_the_colors_that_are_there(tmp_path, engine):
    rows = query(
        cluster(tmp_path, engine=engine),
        "SELECT frame, color, round(share, 6) FROM palettes ORDER BY frame, rank",
    )
    assert rows == [
        (0, 0xFF0000, 1.0),
        (2, 0x0000FF, 0.5),
        (2, 0x00FF00, 0.5),
        (3, 0x303030, 0.666667),
        (3, 0x101010, 0.333333),
    ]


def test_accents_are_found_if_asked_for(tmp_path):
    rows = []
    for n_accents in (0, 2):
        path = cluster(tmp_path, n_colors=1, n_accents=n_accents)
        columns = "rank, color, share, accent"
        rows.append(
            query(path, f"SELECT {columns} FROM palettes WHERE frame = 2 ORDER BY rank")
        )
        last = "SELECT name FROM pragma_table_info('images') WHERE name LIKE 'color%'"
        assert query(path, last)[-1] == (f"color{n_accents}",)
    assert rows == [
        [(0, 0x008080, 1.0, 0)],
        [(0, 0x0000FF, 0.5, 1), (1, 0x00FF00, 0.5, 1)],
    ]


def test_frames_have_their_number_time_mean_luma_and_strip(tmp_path):
    path = cluster(tmp_path)
    rows = query(path, "SELECT frame, time_s, name, mean_color, luma FROM frames")
    assert rows == [
        (0, 0.0, "0.jpg", 0x010201, 0.125),
        (2, None, "2.jpg", 0x010203, 2.125),
        (3, 3.0, "3.jpg", 0x010204, 3.125),
    ]
    strips = query(path, "SELECT strip FROM frames")
    assert strips == [(bytes(range(3)),), (bytes(range(9)),), (bytes(range(12)),)]


def test_all_pixels_are_counted_for_the_palette_of_the_film(tmp_path):
    ((packed,),) = query(cluster(tmp_path), "SELECT sums FROM color_sums")
    _, sums, last = unpack(packed)
    # Red; half blue, half green; and in a narrower frame, the last one, two grays.
    alike = weigh_frame(1.0, 48)[0]
    assert sorted(sums[:, 0]) == [0, 0, *[24 * alike] * 2, 48 * alike]
    assert sorted(last[:, 0]) == [0, 0, 0, 12, 24]


def test_what_was_skipped_and_what_made_it_are_there(tmp_path):
    path = cluster(tmp_path)
    skipped = query(path, "SELECT * FROM skipped")
    assert skipped == [(1, "00000", "1.jpg", "cannot be read")]
    metadata = dict(query(path, "SELECT * FROM metadata"))
    made_at = metadata.pop("made_at")
    assert metadata.pop("rows").startswith("sha256:")
    # Of this process, but for what the frames came with.
    versions = describe_versions("snakemake") | {"version/numpy": "0.1"}
    assert metadata == {"settings": "1", "engine": "numba", **versions}
    with closing(open_database(path)) as connection:
        film = read_row(connection, 1)
    assert (film.film, film.source) == ("demo", "demo.mkv")
    assert (film.digest, film.start_s, film.end_s) == ("of its bytes", 0.0, None)
    assert (film.sampling, film.every, film.n_frames) == ("interval", 1.0, 4)
    assert (film.n_pictures, film.crop_asked) == (75, "auto")
    assert (film.width, film.height, film.duration_s) == (8, 6, 3.0)
    assert (film.matrix, film.transfer, film.primaries) == ("bt601", "hlg", None)
    assert film.made_at == made_at
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(made_at)
    assert age < datetime.timedelta(minutes=5)


@pytest.mark.parametrize("engine", ["numba", "sklearn"])
def test_the_engine_that_made_it_is_there_with_its_version(tmp_path, engine):
    path = cluster(tmp_path, engine=engine)
    columns = "film_id, shard, engine, version, gpu_fallback, path, digest"
    rows = query(path, f"SELECT {columns} FROM shards")
    video = ("films/demo.mkv", None)
    assert rows == [(1, "00000", engine, find_version(engine), None, *video)]
    assert query(path, "SELECT DISTINCT shard FROM frames") == [("00000",)]


def test_why_it_was_not_made_on_a_gpu_is_there_and_in_the_log(tmp_path, capsys):
    path = cluster(tmp_path, gpu_fallback="there was none")
    assert query(path, "SELECT gpu_fallback FROM shards") == [("there was none",)]
    metadata = dict(query(path, "SELECT * FROM metadata"))
    assert metadata["gpu_fallback"] == "there was none"
    assert capsys.readouterr().err == "not on a GPU: there was none\n"


def test_twice_the_same_is_the_same_bit_for_bit(tmp_path):
    first = cluster(tmp_path).read_bytes()
    assert cluster(tmp_path).read_bytes() == first


def test_damaged_thumbnails_are_gone_so_that_the_next_run_makes_them(tmp_path):
    cluster(tmp_path)
    before = (tmp_path / "out.sqlite").read_bytes()
    (tmp_path / "a.npz").write_bytes(b"")
    with pytest.raises(DamagedError):
        chain.cluster(
            tmp_path / "a.npz", tmp_path / "plan.json", tmp_path / "out.sqlite"
        )
    assert {path.name for path in tmp_path.iterdir()} == {"out.sqlite", "plan.json"}
    assert (tmp_path / "out.sqlite").read_bytes() == before


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(ReelbowError, match="none"):
        cluster(tmp_path, engine="none")
    assert {path.name for path in tmp_path.iterdir()} == {"a.npz", "plan.json"}
