"""Tables, swatches and markers of shots, read back by other programs' readers."""

import contextlib
import itertools
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pandas as pd
import pytest
import swatch
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimelineio.opentime import RationalTime, to_timecode
from PIL import GimpPaletteFile
from pympi import Elan

from databases import N_COLORS, ROW, change, merge, query, write_shard
from memory import LINUX_ONLY
from reelbow.database.merging import merge_films
from reelbow.database.shots import Shot
from reelbow.errors import ReelbowError
from reelbow.export import markers
from reelbow.export.markers import MarkedFilm, Marker, find_rate, save_markers
from reelbow.export.swatches import MOST_ACO, Swatch, make_aco
from reelbow.export.tables import export_film, export_films
from reelbow.pictures.measure_names import MEASURES

PAGE = (Path(__file__).parents[3] / "docs" / "tables.md").read_text()
FORMATS = ["csv", "parquet", "xlsx"]
TEAL, RED, BLACK = (2, 147, 134), (229, 0, 0), (0, 0, 0)
ASKED = {"shots": json.dumps({"detector": "content"})}

# Frames at 0, 1, 4, 8 and 9 s, which stand for 1, 3, 4, 1 and 2 s; no frame is in the
# second shot.
TIMES_S = [0.0, 1.0, 4.0, 8.0, 9.0]
SHOTS = [
    Shot(0, 125, 0.0, 5.0),
    Shot(125, 150, 5.0, 6.04),
    Shot(150, 250, 6.04, 10.0),
]
LABELS = ["shot 0", "shot 1", "shot 2"]


def make_film(folder, *, shots=SHOTS, times_s=TIMES_S, about=ASKED, row=ROW, **how):
    folder.mkdir(parents=True, exist_ok=True)
    frames = range(len(times_s)) if isinstance(times_s, list) else range(5)
    palettes = {
        frame: [(RED, 0.75), (TEAL, 0.25)] if frame < 3 else [(BLACK, 1.0)]
        for frame in frames
    }
    shard = write_shard(
        folder / "0.sqlite", frames, times_s=times_s, palettes=palettes, **how
    )
    row = row._replace(n_pictures=250, duration_s=10.0, sampling="interval")
    path = folder / "film.sqlite"
    return merge([shard], [len(frames)], path, row=row, shots=shots, about=about)


@pytest.fixture
def film(tmp_path):
    return make_film(tmp_path / "db")


def test_the_table_of_shots(film, tmp_path):
    assert export_film(film, tmp_path, FORMATS, shots=True) == []
    table = pd.read_csv(tmp_path / "shots.csv")
    assert list(table.columns) == [
        *["film", "shot", "first_frame", "last_frame", "n_frames"],
        *["start_s", "start_hms", "end_s", "end_hms", "length_s", "length_hms"],
        *["mean_color", "mean_lab_l", "mean_lab_a", "mean_lab_b", "mean_luma"],
        *(f"mean_{name}" for name in MEASURES),
        *["color_1", "color_1_name", "color_1_share"],
        *["color_2", "color_2_name", "color_2_share"],
    ]
    assert table.shot.tolist() == [0, 1, 2]
    assert table.n_frames.tolist() == [3, 0, 2]
    assert table.first_frame.tolist()[::2] == [0, 3]
    assert table.last_frame.tolist()[::2] == [2, 4]
    assert table.end_s.tolist() == [5, 6.04, 10]
    assert table.start_hms.tolist() == ["0:00:00.000", "0:00:05.000", "0:00:06.040"]
    assert table.length_s.tolist() == [5, 1.04, 3.96]
    # Of frames 0, 1 and 2, which stand for 1, 3 and 4 s; and of 3 and 4, for 1 and 2.
    means = [(0 * 1 + 1 * 3 + 2 * 4) / 8, (3 * 1 + 4 * 2) / 3]
    assert table.mean_luma.tolist()[::2] == pytest.approx(
        [mean + 0.25 for mean in means], abs=1e-3
    )
    first = next(iter(MEASURES))
    lightness = table[f"mean_{first}"].tolist()[::2]
    assert lightness == pytest.approx([mean + 0.5 for mean in means], abs=1e-6)
    assert table.mean_color.tolist()[::2] == ["#010000", "#040000"]
    assert table.color_1.tolist()[::2] == ["#e50000", "#000000"]
    assert table.color_1_name.tolist()[::2] == ["red", "black"]
    assert table.color_2_share.tolist()[0] == 0.25
    # What has no frames has no colors.
    empty = table.loc[1, table.columns[11:]]
    assert empty.isna().all()
    for suffix, read in [("parquet", pd.read_parquet), ("xlsx", pd.read_excel)]:
        other = read(tmp_path / f"shots.{suffix}")
        pd.testing.assert_frame_equal(table, other, check_dtype=False)


def test_colors_are_averaged_as_those_of_frames(tmp_path):
    linear = {"settings": json.dumps({"mean.space": "linear"})}
    film = make_film(tmp_path / "db", times_s=[0.0, 1.0], metadata=linear)
    change(film, "UPDATE frames SET mean_color = 0xff0000 * frame")
    export_film(film, tmp_path, ["csv"], shots=True)
    # Half of the light.
    assert pd.read_csv(tmp_path / "shots.csv").mean_color[0] == "#bc0000"


def test_the_table_of_their_palettes(film, tmp_path):
    export_film(film, tmp_path, ["csv"], shots=True)
    table = pd.read_csv(tmp_path / "shot_palettes.csv")
    assert list(table.columns) == [
        *["film", "shot", "rank", "color", "lab_l", "lab_a", "lab_b"],
        *["color_name", "share"],
    ]
    rows = query(film, "SELECT shot, rank, color, share FROM shot_palettes")
    assert rows
    colors = [int(color[1:], 16) for color in table.color]
    assert rows == [*zip(table.shot, table["rank"], colors, table.share, strict=True)]


def test_the_page_describes_every_column(film, tmp_path):
    export_film(film, tmp_path, ["csv"], shots=True)
    described = set(re.findall(r"`([\w]+)`", PAGE))
    for name in ["shots", "shot_palettes"]:
        for column in pd.read_csv(tmp_path / f"{name}.csv").columns:
            name_of_first = re.sub(r"^color_\d", "color_1", column)
            measure = column.removeprefix("mean_")
            assert name_of_first in described or measure in MEASURES, column


def test_films_say_how_many_shots_there_are_and_how_long(film, tmp_path):
    other = make_film(
        tmp_path / "other", shots=(), about={}, row=ROW._replace(film="b")
    )
    none = make_film(tmp_path / "none", shots=(), row=ROW._replace(film="c"))
    about = {}
    for path in [film, other, none]:
        export_film(path, path.parent, [])
        about[path.parent.name] = json.loads((path.parent / "film.json").read_text())
    assert about["db"]["shots"] == {
        "n_shots": 3,
        "mean_shot_s": pytest.approx(10 / 3, abs=1e-6),
        "median_shot_s": 3.96,
    }
    # Not looked for, and looked for in vain.
    assert about["other"]["shots"] is None
    assert about["none"]["shots"] == {
        "n_shots": 0,
        "mean_shot_s": None,
        "median_shot_s": None,
    }
    # Nothing of it could be read.
    gone = merge([], [], tmp_path / "gone.sqlite", row=ROW._replace(film="d"))
    for name, films, expected in [
        ("all", [film, other, none], [3, -1, 0]),
        ("some", [film, none, gone], [3, 0, -1]),
    ]:
        merge_films(films, tmp_path / f"{name}.sqlite", n_colors=N_COLORS)
        export_films(tmp_path / f"{name}.sqlite", tmp_path, ["csv"])
        table = pd.read_csv(tmp_path / "films.csv")
        assert list(table.columns)[-3:] == ["n_shots", "mean_shot_s", "median_shot_s"]
        assert table.n_shots.fillna(-1).tolist() == expected
    # Where none were looked for there are no such columns.
    merge_films([other], tmp_path / "without.sqlite", n_colors=N_COLORS)
    export_films(tmp_path / "without.sqlite", tmp_path, ["csv"])
    assert "n_shots" not in (tmp_path / "films.csv").read_text()


def test_a_database_that_says_nothing_of_shots_is_refused(tmp_path):
    shard = write_shard(tmp_path / "a.sqlite", [0])
    path = merge([shard], [1], tmp_path / "film.sqlite")
    with pytest.raises(ReelbowError, match=r"nothing of shots.* run again"):
        export_film(path, tmp_path, ["csv"], shots=True)


MADE = {f"shots.{end}" for end in [*FORMATS, "ase", "gpl", "aco", "css"]} | {
    f"shots.{end}" for end in ["edl", "otio", "vtt", "eaf"]
}


@pytest.mark.parametrize("shots", [(), [Shot(0, 5, None, None)], SHOTS[:1]])
def test_none_one_and_one_without_times(tmp_path, shots):
    film = make_film(tmp_path / "db", shots=shots)
    complaints = export_film(film, tmp_path, FORMATS, shots=True)
    assert {path.name for path in tmp_path.glob("shots.*")} == MADE
    for table in [
        pd.read_csv(tmp_path / "shots.csv"),
        pd.read_parquet(tmp_path / "shots.parquet"),
        pd.read_excel(tmp_path / "shots.xlsx"),
    ]:
        assert len(table) == len(shots)
    timed = [shot for shot in shots if shot.start_s is not None]
    if timed != list(shots):
        assert re.search(r"1 shot of 1 have no markers.* fps of the sheet", *complaints)
    else:
        assert complaints == []
    assert len(webvtt.read(str(tmp_path / "shots.vtt"))) == len(timed)
    assert "No times are known" in (tmp_path / "shots.vtt").read_text() or timed
    timeline = otio.adapters.read_from_file(str(tmp_path / "shots.otio"))
    assert len(timeline.tracks[0]) == len(timed)
    eaf = Elan.Eaf(str(tmp_path / "shots.eaf"))
    assert len(eaf.get_annotation_data_for_tier("shots")) == len(timed)
    assert read_edl(tmp_path / "shots.edl", 25) == ["01:00:00:00"] * len(timed)


# Swatches


def test_ase_has_a_group_of_each_shot(film, tmp_path):
    export_film(film, tmp_path, [], shots=True)
    groups = swatch.parse(str(tmp_path / "shots.ase"))
    assert [group["name"] for group in groups] == ["shot 0", "shot 2"]
    first, last = [group["swatches"] for group in groups]
    assert [each["name"] for each in first] == [
        "shot 0: red #e50000 75.0 %",
        "shot 0: teal #029386 25.0 %",
    ]
    assert [each["name"] for each in last] == ["shot 2: black #000000 100.0 %"]
    assert first[0]["data"]["values"] == pytest.approx([229 / 255, 0, 0])


def test_gpl_has_a_row_of_each_shot(film, tmp_path):
    export_film(film, tmp_path, [], shots=True)
    path = tmp_path / "shots.gpl"
    with path.open("rb") as stream:
        palette, _ = GimpPaletteFile.GimpPaletteFile(stream).getpalette()
    assert palette[:9] == bytes.fromhex("e50000 029386 000000")
    lines = path.read_text().splitlines()
    assert lines[1:3] == ["Name: The Demo: shots", "Columns: 2"]


def test_css_counts_the_colors_of_each_shot(film, tmp_path):
    export_film(film, tmp_path, [], shots=True)
    text = (tmp_path / "shots.css").read_text()
    assert re.findall(r"--([\w-]+): (#\w+);", text) == [
        ("shot-0-color-1", "#e50000"),
        ("shot-0-color-2", "#029386"),
        ("shot-2-color-1", "#000000"),
    ]


def test_aco_ends_where_its_format_does():
    swatches = [Swatch(0, 1.0, "black", "shot 0")] * (MOST_ACO + 1)
    data = make_aco(swatches, "long")
    assert data[2:4] == b"\xff\xff"
    assert data.count(b"\0s\0h\0o\0t") == MOST_ACO


# Markers


def make_markers(times_s):
    return [
        Marker(f"shot {place}", start_s, end_s, "teal #029386 100 %")
        for place, (start_s, end_s) in enumerate(itertools.pairwise(times_s))
    ]


def mark(folder, times_s, rate=25.0, **about):
    known = {
        "title": "The\nDemo",
        "media": Path("../../../demo.mkv"),
        "duration_s": times_s[-1],
        "rate": rate,
        "made_at": "2026-01-02T03:04:05+00:00",
    }
    folder.mkdir(exist_ok=True)
    return save_markers(folder, MarkedFilm(**(known | about)), make_markers(times_s))


def read_edl(path, rate):
    """Read the timecodes of an EDL by OpenTimelineIO's own reader, as SMPTE writes."""
    if "001  001" not in path.read_text():
        return []
    timeline = otio.adapters.read_from_file(str(path), rate=rate)
    clips = timeline.tracks[0].find_clips()
    return [to_timecode(clip.source_range.start_time, rate) for clip in clips]


def test_an_edl_is_as_davinci_resolve_writes_markers(tmp_path):
    assert mark(tmp_path, [0, 2.5, 61]) == []
    assert (tmp_path / "shots.edl").read_text() == (
        "TITLE: The Demo\n"
        "FCM: NON-DROP FRAME\n"
        "\n"
        "001  001      V     C        "
        "01:00:00:00 01:00:00:01 01:00:00:00 01:00:00:01  \n"
        " |C:ResolveColorBlue |M:shot 0 |D:1\n"
        "\n"
        "002  001      V     C        "
        "01:00:02:12 01:00:02:13 01:00:02:12 01:00:02:13  \n"
        " |C:ResolveColorBlue |M:shot 1 |D:1\n"
        "\n"
    )
    timeline = otio.adapters.read_from_file(str(tmp_path / "shots.edl"), rate=25)
    told = [clip.metadata["cmx_3600"]["comments"][0] for clip in timeline.find_clips()]
    assert told == [f"|C:ResolveColorBlue |M:shot {n} |D:1" for n in range(2)]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        # 61 s are frame 1828, and frames 1798 and 1799 are the last of the minute:
        # the next one is called 2.
        (30000 / 1001, ["01:00:00;00", "01:00:59;28", "01:01:01;00"]),
        (60000 / 1001, ["01:00:00;00", "01:00:59;56", "01:01:01;00"]),
        (24000 / 1001, ["01:00:00:00", "01:00:59:23", "01:01:00:23"]),
        (24.0, ["01:00:00:00", "01:01:00:00", "01:01:01:00"]),
        (50.0, ["01:00:00:00", "01:01:00:00", "01:01:01:00"]),
    ],
)
def test_timecodes_drop_numbers_where_television_does(tmp_path, rate, expected):
    mark(tmp_path, [0, 60, 61, 62], rate)
    assert read_edl(tmp_path / "shots.edl", rate) == expected
    is_drop = ";" in expected[0]
    text = (tmp_path / "shots.edl").read_text()
    assert ("FCM: DROP FRAME" in text) == is_drop


def name_frame(frame, rate):
    """Name a frame as SMPTE ST 12-1 does: 29.97 and 59.94 drop numbers."""
    n, sign = round(rate), ":"
    if n in (30, 60) and rate < n:
        sign, dropped = ";", n // 15
        tens, rest = divmod(frame, 600 * n - 9 * dropped)
        minutes = max(rest - dropped, 0) // (60 * n - dropped)
        frame += dropped * (9 * tens + minutes)
    second = frame // n
    hours, minutes = divmod(second // 60, 60)
    return f"{hours:02}:{minutes:02}:{second % 60:02}{sign}{frame % n:02}"


@pytest.mark.parametrize("rate", markers._STANDARD_RATES)
def test_timecodes_of_a_whole_day_are_those_of_smpte(tmp_path, rate):
    start = next(n for n in itertools.count(100) if name_frame(n, rate)[:2] == "01")
    end = 23 * 3600 * round(rate)
    frames = [*range(0, end - 12_000, 99_991), *range(end - 12_000, end + 300, 61)]
    complaints = mark(tmp_path, [frame / rate for frame in frames], rate)
    text = (tmp_path / "shots.edl").read_text()
    codes = re.findall(r"^\d+  001 .*        (\S+) ", text, re.M)
    assert codes
    expected = [name_frame(start + frame, rate) for frame in frames[:-1]]
    assert codes == expected[: len(codes)]
    left = expected[len(codes) :]
    assert complaints[0].startswith(f"{len(left):,} shots after the 23rd hour")
    if rate not in (24000 / 1001, 48000 / 1001):
        assert left[0].startswith("24:00:0")


def test_a_rate_that_is_none_of_timecodes_is_told_in_the_timeline(film, tmp_path):
    for n_pictures, told in [
        (250, {}),
        (218, {"note": "the film has 21.800 pictures"}),
    ]:
        change(film, f"UPDATE films SET n_pictures = {n_pictures}")
        export_film(film, tmp_path, [], shots=True)
        timeline = otio.adapters.read_from_file(str(tmp_path / "shots.otio"))
        note = dict(timeline.metadata.get("reelbow", {}))
        assert note.keys() == told.keys()
        assert note.get("note", "").startswith(told.get("note", ""))


def test_shots_after_the_last_timecode_are_told(tmp_path):
    times_s = [0.0, 23 * 3600 - 0.04, 23 * 3600, 25 * 3600]
    (complaint,) = mark(tmp_path, times_s)
    assert complaint.startswith("1 shot after the 23rd hour")
    assert read_edl(tmp_path / "shots.edl", 25) == ["01:00:00:00", "23:59:59:24"]
    captions = webvtt.read(str(tmp_path / "shots.vtt"))
    assert captions[2].start == "23:00:00.000"


@pytest.mark.parametrize(
    ("n_pictures", "duration_s", "rate"),
    [
        (14911, 596.44, 25.0),
        (150, 5.005, 30000 / 1001),
        # Times in milliseconds.
        (71, 2.962, 24000 / 1001),
        (720, 30.0, 24.0),
        (512, 17.0633, 30.0),
    ],
)
def test_the_rate_is_a_standard_one(n_pictures, duration_s, rate):
    assert find_rate(n_pictures, duration_s) == (rate, "")


@pytest.mark.parametrize(
    ("n_pictures", "duration_s", "rate", "told"),
    [
        (None, None, 25.0, "no known rate"),
        (0, 10.0, 25.0, "no known rate"),
        (250, 25.1, 25.0, "9.96 pictures a second"),
        (1189, 39.85, 30000 / 1001, "29.837 pictures"),
        (1800, 100.0, 24000 / 1001, "18.000 pictures a second"),
    ],
)
def test_another_rate_is_told(n_pictures, duration_s, rate, told):
    found, complaint = find_rate(n_pictures, duration_s)
    assert found == rate
    assert told in complaint


CUTS = st.lists(
    st.integers(0, 3 * 3600 * 25), min_size=2, max_size=30, unique=True
).map(sorted)


@settings(max_examples=25, deadline=None)
@given(frames=CUTS)
def test_every_format_is_read_back_with_the_same_times(tmp_path_factory, frames):
    folder = tmp_path_factory.mktemp("markers")
    mark(folder, [frame / 25 for frame in frames])
    starts_ms, ends_ms = [
        [40 * frame for frame in part] for part in (frames[:-1], frames[1:])
    ]
    found = [RationalTime(90_000 + frame, 25).to_timecode(25) for frame in frames[:-1]]
    assert read_edl(folder / "shots.edl", 25) == found

    timeline = otio.adapters.read_from_file(str(folder / "shots.otio"))
    ranges = [clip.source_range for clip in timeline.find_clips()]
    assert [each.start_time.value for each in ranges] == frames[:-1]
    assert [each.end_time_exclusive().value for each in ranges] == frames[1:]

    captions = webvtt.read(str(folder / "shots.vtt"))
    assert [to_ms(caption.start) for caption in captions] == starts_ms
    assert [to_ms(caption.end) for caption in captions] == ends_ms
    names = [f"shot {place}" for place in range(len(starts_ms))]
    assert [caption.text for caption in captions] == names

    eaf = Elan.Eaf(str(folder / "shots.eaf"))
    assert eaf.get_annotation_data_for_tier("shots") == [
        *zip(starts_ms, ends_ms, names, strict=True)
    ]
    colors = eaf.get_annotation_data_for_tier("colors")
    assert {text for *_, text in colors} == {"teal #029386 100 %"}


def to_ms(text):
    hours, minutes, seconds = text.split(":")
    return round(((int(hours) * 60 + int(minutes)) * 60 + float(seconds)) * 1000)


def test_the_film_is_named_as_seen_from_the_markers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    (tmp_path / "films/de mo.mkv").touch()
    folder = tmp_path / "results/demo/tables"
    row = ROW._replace(source="films/de mo.mkv")
    export_film(make_film(tmp_path / "a", row=row), folder, [], shots=True)
    timeline = otio.adapters.read_from_file(str(folder / "shots.otio"))
    for clip in timeline.find_clips():
        assert clip.media_reference.target_url == "../../../films/de%20mo.mkv"
        assert clip.media_reference.available_range.duration.to_seconds() == 10
    root = ElementTree.parse(folder / "shots.eaf").getroot()
    media = root.find("HEADER/MEDIA_DESCRIPTOR").attrib
    assert media["RELATIVE_MEDIA_URL"] == "../../../films/de mo.mkv"
    assert media["MIME_TYPE"].startswith("video/")
    # What lies elsewhere is found beside these files, or not at all.
    elsewhere = tmp_path / "somebody"
    elsewhere.mkdir()
    (elsewhere / "own.mkv").touch()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for place, source in enumerate(["gone.mkv", str(elsewhere / "own.mkv")]):
        row = ROW._replace(source=source)
        database = make_film(tmp_path / f"b{place}", row=row)
        export_film(database, folder, [], shots=True)
        root = ElementTree.parse(folder / "shots.eaf").getroot()
        url = root.find("HEADER/MEDIA_DESCRIPTOR").get("MEDIA_URL")
        assert url == f"./{Path(source).name}"
        assert b"somebody" not in (folder / "shots.otio").read_bytes()
    for path in folder.glob("shots.*"):
        assert str(tmp_path).encode() not in path.read_bytes()


def test_a_name_with_a_control_character_leaves_xml_that_can_be_read(tmp_path):
    row = ROW._replace(source="a\x07b.mkv")
    export_film(make_film(tmp_path / "a", row=row), tmp_path, [], shots=True)
    root = ElementTree.parse(tmp_path / "shots.eaf").getroot()
    assert root.find("HEADER/MEDIA_DESCRIPTOR").get("MEDIA_URL") == "./a b.mkv"


def test_images_are_no_file_to_be_played(film, tmp_path):
    change(film, "UPDATE films SET sampling = NULL, source = '*.tar'")
    export_film(film, tmp_path, [], shots=True)
    timeline = otio.adapters.read_from_file(str(tmp_path / "shots.otio"))
    assert all(
        clip.media_reference.is_missing_reference for clip in timeline.find_clips()
    )
    assert Elan.Eaf(str(tmp_path / "shots.eaf")).get_linked_files() == []


def test_written_twice_it_is_the_same_bytes(film, tmp_path):
    for name in ["once", "twice"]:
        export_film(film, tmp_path / name, ["csv"], shots=True)
    for path in (tmp_path / "once").iterdir():
        assert path.read_bytes() == (tmp_path / "twice" / path.name).read_bytes()


def test_times_of_many_shots_are_whole_numbers_of_frames(tmp_path):
    times_s = (np.arange(1501) * 1.2).tolist()
    mark(tmp_path, times_s)
    codes = read_edl(tmp_path / "shots.edl", 25)
    assert len(codes) == 1500
    assert codes[1200] == "01:24:00:00"


@LINUX_ONLY
@pytest.mark.parametrize("suffix", ["edl", "otio", "vtt"])
def test_on_a_full_disk_no_list_of_shots_is_taken_for_whole(
    tmp_path, monkeypatch, suffix
):
    @contextlib.contextmanager
    def write_to_full(path):
        yield Path("/dev/full") if path.suffix == f".{suffix}" else path

    monkeypatch.setattr(markers, "atomic_write", write_to_full)
    with pytest.raises(OSError, match="No space left"):
        mark(tmp_path, [0, 1, 2])
