"""Films of photos in whole runs, alone and beside all other kinds of sources."""

import os
import shutil

import pytest

from photos import write_photo
from projects import (
    COLORS,
    NO_PAGES,
    NO_PICTURES,
    close_to,
    name_jobs,
    name_merges,
    write_colors,
    write_tarball,
)
from reelbow.shards.names import STAGES
from sketches import STEPS, STROKES, write_ndjson, write_npz

CONFIG = {
    "films": "photos",
    "shards": {"frames": 2},
    "photos": {"order": "time"},
    **NO_PICTURES,
}


def split(color):
    return tuple(color.to_bytes(3))


def write_photos(folder, colors=COLORS):
    """Write photos, the later ones with the first names."""
    for second, color in enumerate(colors):
        time = f"2024:01:01 00:00:{second:02d}"
        write_photo(folder / f"{90 - second}.jpg", time, color=split(color))


@pytest.fixture
def made(project):
    write_photos(project.folder / "photos")
    write_photo(project.folder / "photos/screenshot.jpg")
    project.make(**CONFIG)
    return project


def test_photos_are_a_film_in_the_order_in_which_they_were_taken(made):
    rows = made.query("SELECT time_s, name, mean_color FROM frames ORDER BY frame")
    assert [(time_s, name) for time_s, name, _ in rows] == [
        (i, f"{90 - i}.jpg") for i in range(6)
    ]
    assert all(map(close_to, [color for *_, color in rows], COLORS))
    assert made.query("SELECT shard, name FROM skipped") == [
        ("00003", "screenshot.jpg")
    ]
    assert made.run(**CONFIG).jobs == set()


def test_only_the_shard_of_a_changed_photo_is_made_again(made):
    photos = made.folder / "photos"
    first = write_photo(photos / "90.jpg", "2024:01:01 00:00:00", color=split(0x123456))
    merges = {"plan_shards/photos", *name_merges("photos")}
    assert made.make(**CONFIG).jobs == merges | name_jobs(STAGES, "photos", "00000")
    # As a photo from a backup, which is older than what was made of the one before.
    write_photo(first, "2024:01:01 00:00:00", color=split(0x654321))
    os.utime(first, (1, 1))
    assert made.make(**CONFIG).jobs == merges | name_jobs(STAGES, "photos", "00000")
    ((color,),) = made.query("SELECT mean_color FROM frames WHERE frame = 0")
    assert close_to(color, 0x654321)
    # A later one comes before the one without a time.
    write_photo(photos / "1.jpg", "2024:01:01 00:00:06")
    assert made.make(**CONFIG).jobs == merges | name_jobs(STAGES, "photos", "00003")
    # An earlier one puts all others behind it.
    write_photo(photos / "2.jpg", "2023:12:31 23:59:59")
    shards = [f"0000{number}" for number in range(5)]
    assert made.make(**CONFIG).jobs == merges | name_jobs(STAGES, "photos", *shards)
    assert made.query("SELECT max(time_s) FROM frames") == [(7,)]


def test_the_first_photo_s_time_is_that_of_all(made):
    write_photo(made.folder / "photos/90.jpg", "2023:12:31 23:59:59")
    made.make(**CONFIG)
    rows = made.query("SELECT time_s FROM frames ORDER BY frame")
    assert [time_s for (time_s,) in rows] == [0, 2, 3, 4, 5, 6]


def test_all_kinds_of_sources_are_one_run(project):
    folder = project.folder
    write_colors(folder / "film.mp4")
    for name in ("1.tar", "2.tar"):
        write_tarball(folder / "tapes" / name, COLORS[:2])
    write_photos(folder / "photos")
    shutil.make_archive(str(folder / "album"), "zip", folder / "photos")
    write_npz(folder / "cat.npz", train=[STEPS] * 3)
    write_ndjson(folder / "dog.ndjson", STROKES, STROKES, word="dog")
    sources = ["film.mp4", "tapes", "photos", "album.zip", "cat.npz", "dog.ndjson"]
    names = ["film", "tapes", "photos", "album", "cat", "dog"]
    sheet = "film\tsource\n" + "".join(
        f"{name}\t{source}\n" for name, source in zip(names, sources, strict=True)
    )
    (folder / "films.tsv").write_text(sheet)
    config = CONFIG | {
        "films": "films.tsv",
        "barcodes": {"kinds": ["mean", "contact"], "height": 40, "formats": ["png"]},
        **NO_PAGES,
        "explorer": {"page": True},
        "provenance": True,
    }
    project.make(**config)
    found = project.query(
        "SELECT film, count(*) FROM frames JOIN films USING (film_id) GROUP BY film"
    )
    n_frames = {"film": 6, "tapes": 4, "photos": 6, "album": 6, "cat": 3, "dog": 2}
    assert dict(found) == n_frames
    same = project.query(
        "SELECT film, frame, rank, color FROM palettes JOIN films USING (film_id) "
        "WHERE film IN ('photos', 'album') ORDER BY film, frame, rank"
    )
    assert len(same) == 12
    assert [row[1:] for row in same[:6]] == [row[1:] for row in same[6:]]
    index = (folder / "results/index.html").read_text()
    for name in names:
        assert f'"film":"{name}"' in index
        assert (folder / f"results/{name}/explorer.html").stat().st_size
        assert (folder / f"results/{name}/barcodes/contact.png").stat().st_size
    assert "the order in which they were taken" in (
        folder / "results/methods.md"
    ).read_text().replace("\n", " ")
    assert project.run(**config).jobs == set()
