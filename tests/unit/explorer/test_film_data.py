"""What a film's page knows is what the database says."""

import base64
import json
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from databases import change, merge, query, write_anew, write_shard
from reelbow.barcode.film_record import read_film
from reelbow.database.schema import FilmRow
from reelbow.errors import ReelbowError
from reelbow.explorer import film_data, film_page
from reelbow.explorer.film_data import STRIP_ROWS, pack, read_film_data
from reelbow.pictures.measure_names import MEASURES
from reelbow.shards.previews import PreviewSheet
from reelbow.shards.sheets import place_sheets

ROW = FilmRow(
    "demo", "A film", "films/a.mkv", sampling="interval", every=0.5, duration_s=6.0
)


def make_database(folder: Path, *, frames=(range(5), range(3)), **more) -> Path:
    """A film of tarballs, the second picture of whose first one could not be read."""
    shards = []
    for number, each in enumerate(frames):
        read = [frame for frame in each if (number, frame) != (0, 1)]
        shards.append(
            write_shard(
                folder / f"{number:05d}.sqlite",
                read,
                shard=f"{number:05d}",
                skipped=[("b.jpg", "cut off")] if len(read) < len(each) else [],
                row=ROW,
                **more,
            )
        )
    return merge(shards, [None] * len(shards), folder / "palettes.sqlite", row=ROW)


def sheet_of(*frames: int) -> PreviewSheet:
    return PreviewSheet(
        *(128, 72, 128, 72, 128, 72, 1), np.array(frames, np.int64), None, 0, 900
    )


def test_arrays_hold_the_rows(tmp_path):
    database = make_database(tmp_path)
    data = read_film_data(database)
    arrays = data.arrays
    rows = query(
        database, "SELECT frame, mean_color, luma, strip, time_s FROM frames ORDER BY 1"
    )
    assert arrays["present"].tolist() == [1, 0, 1, 1, 1, 1, 1, 1]
    for frame, mean, luma, strip, time_s in rows:
        assert int.from_bytes(arrays["means"][frame].tobytes()) == mean
        assert arrays["luma"][frame] / 256 == pytest.approx(luma, abs=1 / 512)
        assert arrays["strips"][frame].tobytes() == strip
        assert arrays["times_ms"][frame] == round(1000 * time_s)
    starts = np.cumsum([0, *arrays["n_colors"].tolist()])
    palettes = query(
        database, "SELECT frame, rank, color, share FROM palettes ORDER BY 1, 2"
    )
    assert len(palettes) == starts[-1]
    for frame, rank, color, share in palettes:
        place = starts[frame] + rank
        assert int.from_bytes(arrays["colors"][place].tobytes()) == color
        assert arrays["shares"][place] / 65535 == pytest.approx(share, abs=1e-5)
    assert data.about["skipped"] == [("b.jpg", "cut off")]
    json.dumps(data.about, allow_nan=False)


def test_measures_are_parts_of_the_largest(tmp_path):
    database = make_database(tmp_path)
    for name, values in {"lightness": (0, 41.5), "warm_share": (0.25, 1)}.items():
        for frame, value in zip((3, 4), values, strict=True):
            write_anew(
                database, f"UPDATE frames SET {name} = {value} WHERE frame = {frame}"
            )
    data = read_film_data(database)
    told = data.about["measures"]
    assert [each["name"] for each in told] == list(MEASURES)
    for number, (name, measure) in enumerate(MEASURES.items()):
        largest = told[number]["largest"]
        # Of two colors the most entropy is a bit.
        assert largest == (measure.largest or 1)
        rows = query(
            database, f"SELECT frame, {name} FROM frames WHERE frame IN (3, 4)"
        )
        for frame, value in rows:
            shown = data.arrays["measures"][number, frame] / 65535 * largest
            assert shown == pytest.approx(min(value, largest), abs=largest / 131_000)


def test_shots_are_those_that_have_a_place(tmp_path, monkeypatch):
    database = make_database(tmp_path)
    assert read_film_data(database).arrays["shots"].shape == (4, 0)
    change(
        database,
        """INSERT INTO shots VALUES (1, 0, 0, 2, 0, 1.5), (1, 1, NULL, NULL, 1.5, 1.6),
        (1, 2, 3, 3, 1.6, 2.0), (1, 3, 4, 7, NULL, NULL)""",
    )
    data = read_film_data(database)
    assert data.about["n_shots"] == 4
    assert data.arrays["shots"].T.tolist() == [
        [0, 0, 3, 1500],
        [2, 3, 1, 400],
        [3, 4, 4, -1],
    ]
    # Of every second frame one shot has none.
    monkeypatch.setattr(film_data, "MOST_PLACES", 4)
    data = read_film_data(database)
    assert data.arrays["shots"].T.tolist() == [[0, 0, 3, 1500], [3, 2, 4, -1]]


def test_what_is_packed_can_be_taken_out(tmp_path):
    data = read_film_data(make_database(tmp_path))
    about, packed = pack(data)
    taken = zlib.decompress(base64.b64decode(packed))
    for name, (kind, start, size) in about["arrays"].items():
        array = np.frombuffer(taken, kind, size, start).reshape(data.arrays[name].shape)
        assert start % array.itemsize == 0
        if name == "strips":
            array = np.cumsum(array, axis=0, dtype=np.uint8)
        np.testing.assert_array_equal(array, data.arrays[name])


def test_strips_of_several_heights_are_of_one(tmp_path):
    database = make_database(tmp_path)
    high = bytes([10, 20, 30] * 300)
    write_anew(database, f"UPDATE frames SET strip = x'{high.hex()}' WHERE frame = 3")
    strips = read_film_data(database).arrays["strips"]
    assert strips.shape == (8, STRIP_ROWS, 3)
    assert (strips[3] == [10, 20, 30]).all()
    assert (strips[4] == strips[4, 0]).all()


def test_sheets_are_of_the_films_frames(tmp_path):
    data = read_film_data(make_database(tmp_path))
    second, first = Path("p/00001.jpg"), Path("p/00000.jpg")
    # Each counts from the start of its own tarball.
    placed = place_sheets(
        {second: sheet_of(0, 1, 2), first: sheet_of(0, 2, 3, 4)}, data.shards
    )
    assert list(placed) == [first, second]
    assert placed[first].frames.tolist() == [0, 2, 3, 4]
    assert placed[second].frames.tolist() == [5, 6, 7]


@pytest.mark.parametrize("frames", [(0, 1, 2, 3), (0, 2, 3, 9), ()])
def test_a_sheet_of_other_frames_is_refused(tmp_path, frames):
    data = read_film_data(make_database(tmp_path))
    with pytest.raises(ReelbowError, match=r"00000\.jpg is not of the frames"):
        place_sheets({Path("p/00000.jpg"): sheet_of(*frames)}, data.shards)


def test_a_film_without_frames_has_a_page(tmp_path):
    database = make_database(tmp_path, frames=((), ()))
    data = read_film_data(database)
    empty = place_sheets({tmp_path / "00000.jpg": sheet_of()}, data.shards)
    page = film_page.make_page(
        data,
        empty,
        page=tmp_path / "explorer.html",
        kind="stacked",
        gap_color="#d9d9d9",
        link=None,
    )
    assert '"n_places":0' in page


@pytest.mark.parametrize(
    ("source", "films_at", "address"),
    [
        ("films/a b#1.mkv", "source", "../../films/a%20b%231.mkv#t={time_s}"),
        ("../a.mkv", "source", "../../../a.mkv#t={time_s}"),
        ("{here}/a.mkv", "source", "../../a.mkv#t={time_s}"),
        ("{here}/../a.mkv", "source", "../../../a.mkv#t={time_s}"),
        (
            "films/a b.mkv",
            "https://example.org/",
            "https://example.org/a%20b.mkv#t={time_s}",
        ),
        ("films/a.mkv", None, None),
        ("https://example.org/a.mkv", "source", "https://example.org/a.mkv#t={time_s}"),
        # No browser opens a bucket.
        ("s3://bucket/a.mkv", "source", None),
        ("s3://bucket/a.mkv", "films/", "films/a.mkv#t={time_s}"),
    ],
)
def test_a_link_leads_to_the_film(tmp_path, source, films_at, address):
    record = read_film(make_database(tmp_path))
    page, source = Path("results/a/explorer.html"), source.format(here=Path.cwd())
    assert film_page.link_film(record, page, films_at, source) == address


def test_images_have_no_film_to_lead_to(tmp_path):
    record = replace(
        read_film(make_database(tmp_path)), sampling=None, settings={"a": 1}
    )
    page = Path("results/a/explorer.html")
    assert film_page.link_film(record, page, "source", "a/*.tar") is None
