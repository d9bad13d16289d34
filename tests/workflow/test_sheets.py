"""Sheets as people have them, through the whole way."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from films import solid
from projects import (
    COLORS,
    NO_PICTURES,
    close_to,
    make_project,
    write_colors,
    write_tarball,
)

RED, GREEN, BLUE = 0xC02020, 0x20C020, 0x2020C0


def write_two_streams(path: Path, colors: list[int], seconds: int) -> None:
    """Write a film with two streams of pictures, each of one color."""
    with av.open(path, "w") as container:
        streams = [container.add_stream("libx264", rate=12) for _ in colors]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(12 * seconds):
            for stream, color in zip(streams, colors, strict=True):
                frame = av.VideoFrame.from_ndarray(solid(color), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 12)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))


# As a German Excel writes it. Every column is used.
SHEET = """\
Film;Source;Regie;title;start_s;end_s;stream;crop;gpu;fps
two;two.mp4;Lang;Café;0:01;3,5;1;32:48:0:0;0,0;
first;two.mp4;;;;0:00:02;0;none;;
braces;{word}.mp4;;;;;;;;
variable;<word>.mp4;;;;;;auto;;
scans;scans {x};;;;;;;0;12,5
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory, code):
    """A run with such a sheet, with the films beside it."""
    project = make_project(tmp_path_factory.mktemp("made") / "project", code)
    films = project.folder / "films"
    films.mkdir()
    write_two_streams(films / "two.mp4", [RED, BLUE], seconds=4)
    write_colors(films / "{word}.mp4", COLORS[:2])
    write_colors(films / "<word>.mp4", COLORS[:3])
    write_tarball(films / "scans {x}" / "1.tar", {"1.jpg": RED, "2.jpg": GREEN})
    write_tarball(films / "scans {x}" / "2.tar", {"1.jpg": BLUE})
    (films / "films.csv").write_text(SHEET, encoding="cp1252", newline="\r\n")
    result = project.make(films="films/films.csv", **NO_PICTURES)
    return project, result


def read_film(project, film: str):
    return project.query(
        "SELECT time_s, mean_color FROM frames JOIN films USING (film_id)"
        f" WHERE film = '{film}' ORDER BY frame"
    )


@pytest.mark.parametrize(
    ("film", "times_s", "colors"),
    [
        ("two", [1, 2, 3], [BLUE] * 3),
        ("first", [0, 1], [RED] * 2),
        ("braces", [0, 1], COLORS[:2]),
        ("variable", [0, 1, 2], COLORS[:3]),
        ("scans", [0, 0.08, 0.16], [RED, GREEN, BLUE]),
    ],
)
def test_every_column_does_what_it_says(made, film, times_s, colors):
    rows = read_film(made[0], film)
    assert [time_s for time_s, _ in rows] == pytest.approx(times_s)
    for (_, color), truth in zip(rows, colors, strict=True):
        assert close_to(color, truth)


def test_title_source_and_crop_are_in_the_database(made):
    rows = made[0].query("SELECT film, title, source, crop FROM films")
    assert rows == [
        ("two", "Café", "films/two.mp4", "32:48:0:0"),
        ("first", "first", "films/two.mp4", None),
        ("braces", "braces", "films/{word}.mp4", None),
        ("variable", "variable", "films/<word>.mp4", None),
        ("scans", "scans", "films/scans {x}", None),
    ]


def test_a_shard_says_by_its_own_name_of_which_file_it_is(made):
    rows = made[0].query("SELECT path FROM shards WHERE film_id > 2 ORDER BY path")
    assert [path for (path,) in rows] == [
        "films/<word>.mp4",
        "films/scans {x}/1.tar",
        "films/scans {x}/2.tar",
        "films/{word}.mp4",
    ]


def test_it_is_told_once_that_the_letters_were_guessed(made):
    assert made[1].stderr.count("films/films.csv is not UTF-8") == 1


def test_a_second_run_has_nothing_to_do(made):
    result = made[0].make(films="films/films.csv", **NO_PICTURES)
    assert result.jobs == set()


def test_a_changed_file_counts_whatever_its_name(made, tmp_path):
    project = made[0].copy(tmp_path / "project")
    settings = {"films": "films/films.csv", **NO_PICTURES}
    assert project.run("--dry-run", **settings).counts == {}
    write_colors(project.folder / "films" / "{word}.mp4", COLORS[:1])
    write_tarball(project.folder / "films" / "scans {x}" / "2.tar", {"1.jpg": GREEN})
    counts = project.run("--dry-run", **settings).counts
    assert (counts["plan_shards"], counts["downsample_frames"]) == (1, 1)
