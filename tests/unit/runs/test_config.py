import os
import re
from pathlib import Path

import pytest
import yaml

from reelbow.barcode.drawing import MAX_SIDE
from reelbow.errors import ReelbowError
from reelbow.runs.config import WIDEST_PNG, check_config, is_wide, keep_title
from reelbow.runs.films import DEMO_FILM, read_films
from reelbow.runs.schemas import SCHEMAS
from reelbow.shards.kinds import TARBALLS, VIDEO

HEADER = ["film", "source"]
NAN, INFINITE = float("nan"), float("inf")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Films are looked for where Snakemake runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refuse(function, *arguments, **more) -> str:
    """Call a function that must refuse its arguments, in one sentence."""
    with pytest.raises(ReelbowError) as caught:
        function(*arguments, **more)
    sentence = str(caught.value)
    assert sentence
    assert "\n" not in sentence
    return sentence


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"anything")


def write_sheet(*rows, name: str = "films.tsv", separator: str = "\t") -> str:
    Path(name).write_text("".join(separator.join(row) + "\n" for row in rows))
    return name


# The configuration


def test_defaults_fill_only_what_is_not_given():
    config = check_config({"extract": {"height": None, "keep": True}})
    assert config["extract"] == {"height": None, "quality": 90, "keep": True}


def test_filling_does_not_change_the_defaults():
    check_config({})["barcodes"]["kinds"].clear()
    schema = yaml.safe_load((SCHEMAS / "config.schema.yaml").read_text())
    kinds = schema["properties"]["barcodes"]["properties"]["kinds"]["default"]
    assert check_config({})["barcodes"]["kinds"] == kinds


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"cluser": {}}, ["'cluser'", "did you mean 'cluster'?"]),
        ({"cluster": {"ncolors": 8}}, ["'cluster.ncolors'", "did you mean 'n_colors'"]),
        ({"xyz": 1}, ["'xyz'", "the nearest known one is", "films", "barcodes"]),
        ({"cluster": {"n_colors": 0}}, ["cluster.n_colors is 0", "at least 1"]),
        ({"cluster": {"n_colors": 300}}, ["n_colors is 300, should be at most 256"]),
        ({"cluster": {"accents": 9}}, ["accents is 9, should be at most 8"]),
        ({"cluster": {"accents": -1}}, ["accents is -1, should be at least 0"]),
        ({"cluster": {"n_colors": 2.5}}, ["n_colors is 2.5", "a whole number"]),
        ({"cluster": {"n_colors": "many"}}, ["n_colors is 'many'", "whole number"]),
        ({"cluster": {"n_colors": True}}, ["n_colors is True", "whole number"]),
        ({"cluster": {"auto_colors": 9}}, ["auto_colors is 9", "as [1, 12]"]),
        ({"cluster": {"auto_colors": [9]}}, ["auto_colors is [9]", "as [1, 12]"]),
        ({"cluster": {"auto_colors": [0, 9]}}, ["auto_colors.0 is 0", "at least 1"]),
        ({"cluster": {"auto_colors": [9, 2]}}, ["is [9, 2]", "fewest colors and then"]),
        ({"shots": {"detector": "hash", "threshold": 27}}, ["is 27,", "at most 1"]),
        ({"hot_pixels": {"repair": True}}, ["find is false", "set both to true"]),
        ({"hot_pixels": {"threshold": 0}}, ["threshold is 0", "at least 1"]),
        ({"cluster": {"cpu_engine": "cuda"}}, ["cpu_engine", "numba", "sklearn"]),
        ({"cluster": {"gpu_share": NAN}}, ["cluster.gpu_share is nan", "finite"]),
        ({"cluster": {"gpu_wait_min": -1}}, ["gpu_wait_min is -1", "at least 0"]),
        ({"cluster": {"gpu_wait_min": NAN}}, ["gpu_wait_min is nan", "finite"]),
        ({"cluster": {"gpu_share": 2}}, ["cluster.gpu_share is 2", "at most 1"]),
        ({"cluster": {"seed": -1}}, ["cluster.seed is -1", "at least 0"]),
        ({"sampling": {"every": 0}}, ["sampling.every is 0, should be above 0"]),
        ({"sampling": {"every": -1.0}}, ["sampling.every is -1.0", "above 0"]),
        ({"sampling": {"every": NAN}}, ["sampling.every is nan", "finite"]),
        ({"sampling": {"every": INFINITE}}, ["sampling.every is inf", "finite"]),
        (
            {"sampling": {"mode": "frames", "every": 1.5}},
            ["sampling.every is 1.5", "frames", "a whole number"],
        ),
        ({"sampling": {"mode": "scenes"}}, ["sampling.mode", "interval", "keyframes"]),
        ({"sampling": None}, ["sampling", "a group of keys"]),
        ({"shards": {"frames": 0}}, ["shards.frames is 0", "at least 1"]),
        ({"extract": {"height": 0}}, ["extract.height is 0", "at least 1"]),
        ({"extract": {"quality": 101}}, ["extract.quality is 101", "at most 100"]),
        ({"extract": {"keep": "perhaps"}}, ["extract.keep", "true or false"]),
        ({"barcodes": {"kinds": ["mean", "mean"]}}, ["barcodes.kinds", "doubles"]),
        ({"barcodes": {"kinds": ["median"]}}, ["barcodes.kinds.0", "mean", "stacked"]),
        ({"barcodes": {"width": "all"}}, ["barcodes.width is 'all'", "or frames"]),
        ({"barcodes": {"width": 0}}, ["barcodes.width is 0", "at least 1"]),
        (
            {"barcodes": {"width": "frames", "shape": "ring"}},
            [
                "barcodes.width is 'frames', but barcodes.shape is 'ring'",
                "32768 columns",
            ],
        ),
        (
            {"barcodes": {"width": 32769, "smooth": 2}},
            ["barcodes.width is 32769, but barcodes.smooth is 2"],
        ),
        (
            {"barcodes": {"kinds": ["contact"]}, "previews": {"height": None}},
            ["barcodes.kinds has contact", "previews.height is null", "such as 72"],
        ),
        ({"barcodes": {"formats": "png"}}, ["barcodes.formats", "a list"]),
        # Without quotes YAML takes a color for a comment, or for a number.
        ({"barcodes": {"gap_color": None}}, ["barcodes.gap_color", "in quotes"]),
        ({"barcodes": {"gap_color": 808080}}, ["barcodes.gap_color", "in quotes"]),
        ({"barcodes": {"gap_color": "gray"}}, ["barcodes.gap_color", "'#d9d9d9'"]),
        ({"sampling": {"every": 10**400}}, ["sampling.every", "at most 1000000000"]),
        ({"limits": {"pixels": 2**31}}, ["limits.pixels", "at most 2147483647"]),
        ({"shards": {"frames": 10**400}}, ["shards.frames", "at most 1000000000"]),
        ({"extract": {"height": 10**9}}, ["extract.height", "at most 65535"]),
        ({"downsample": {"height": 10**9}}, ["downsample.height", "at most 65535"]),
        (
            {"mosaics": {"x": {"target": "x.png", "details": False}}},
            ["mosaics.x.details is False, should be one of auto, all, none"],
        ),
        ({"title": 1984}, ["title is 1984, should be a text", 'title: "1984"']),
        ({"title": {"M": "the film"}}, ["should be a text", "between quotes"]),
        ({"title": "a\x07"}, ["title has the control character '\\x07'"]),
        ({"title": "a" * 501}, ["title is 'aaa", "...", "at most 500 characters"]),
        ({"start_s": INFINITE}, ["start_s is inf", "finite"]),
        ({"end_s": INFINITE}, ["end_s is inf, should be a finite number"]),
        ({"start_s": "1:75"}, ["start_s is '1:75'", "seconds or h:mm:ss"]),
        ({"start_s": "soon"}, ["start_s is 'soon'", "a number"]),
        ({"end_s": "nan"}, ["end_s is 'nan'", "a number"]),
        ({"end_s": "5,400"}, ["end_s is '5,400'", "5400 or 5.400"]),
        ({"end_s": 0}, ["end_s is 0", "above 0"]),
        ({"films": 5}, ["films is 5", "a text or a list"]),
        ({"films": ""}, ["films is ''", "not empty"]),
        ({"films": []}, ["films is []", "not empty"]),
    ],
)
def test_a_wrong_value_is_refused_by_its_key_and_what_would_be_right(config, words):
    sentence = refuse(check_config, config)
    assert sentence.startswith("config: ")
    for word in words:
        assert word in sentence


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("1984", "1984"),
        ('"007"', "007"),
        ("Mabuse: the film #1", "Mabuse: the film #1"),
        ("a = b", "a = b"),
        ("true", "true"),
        ("'The Crowd'", "The Crowd"),
        ('Fritz Lang: "M"', 'Fritz Lang: "M"'),
        ('"Crocodile" Dundee', '"Crocodile" Dundee'),
        ("'71", "'71"),
        ("'", "'"),
    ],
)
def test_a_title_of_the_command_line_is_as_it_was_typed(typed, title):
    entries = ["films=a.mkv", f"title={typed}"]
    assert keep_title({"title": object()}, entries) == {"title": title}
    assert check_config(keep_title({"title": 1}, entries))["title"] == title
    assert keep_title({"title": "of a file"}, ["films=a"]) == {"title": "of a file"}
    assert keep_title({"title": None}, ["title="]) == {"title": None}
    assert keep_title({}, None) == {}


def test_texts_of_the_command_line_are_read_as_what_the_key_takes():
    config = check_config(
        {
            "films": "1984",
            "start_s": "0:30",
            "end_s": "1:30:00.5",
            "sampling": {"every": "0.5"},
            "extract": {"height": "null", "keep": "true"},
            "cluster": {"n_colors": "4", "auto_colors": "[2, 9]"},
            "barcodes": {"kinds": "[mean]", "width": "100"},
        }
    )
    assert config["films"] == "1984"
    assert (config["start_s"], config["end_s"]) == (30, 5400.5)
    assert config["sampling"]["every"] == 0.5
    assert config["extract"]["height"] is None
    assert config["extract"]["keep"] is True
    assert config["cluster"]["n_colors"] == 4
    assert config["cluster"]["auto_colors"] == [2, 9]
    whole = check_config({"cluster": {"auto_colors": [1, 12.0]}})["cluster"]
    assert [type(number) for number in whole["auto_colors"]] == [int, int]
    auto = check_config({"cluster": {"n_colors": "auto"}})["cluster"]
    assert (auto["n_colors"], auto["auto_colors"]) == ("auto", [1, 12])
    assert config["barcodes"]["kinds"] == ["mean"]
    assert config["barcodes"]["width"] == 100


def test_a_whole_number_may_be_written_with_a_point():
    n_colors = check_config({"cluster": {"n_colors": 4.0}})["cluster"]["n_colors"]
    assert (n_colors, type(n_colors)) == (4, int)


# The sheet


def test_a_sheet_gives_its_rows_in_order():
    touch("b.mkv", "a.mp4", "tars/x.tar")
    sheet = write_sheet(
        ["film", "source", "title", "start_s", "end_s", "fps", "gpu", "stream"],
        ["second", "b.mkv", "A Title", "1.5", "60", "", "0.5", "1"],
        ["first", "a.mp4", "", "", "", "", "", ""],
        ["scans", "tars", "", "", "", "12.5", "0", ""],
    )
    second, first, scans = read_films(sheet)
    assert second.film == "second"
    assert second.title == "A Title"
    assert (second.start_s, second.end_s, second.fps) == (1.5, 60.0, None)
    assert (second.kind, second.files) == (VIDEO, [Path("b.mkv")])
    assert (second.stream, type(second.stream)) == (1, int)
    assert (first.film, first.title) == ("first", "first")
    assert (first.start_s, first.end_s) == (0.0, None)
    assert (scans.kind, scans.files) == (TARBALLS, [Path("tars/x.tar")])
    assert scans.fps == 12.5
    assert (second.gpu, first.gpu, scans.gpu) == (0.5, None, 0)


def test_a_csv_takes_commas_and_quotes():
    touch("a.mp4")
    Path("films.csv").write_text('film,source,title\na,a.mp4,"One, Two"\n')
    (film,) = read_films("films.csv")
    assert film.title == "One, Two"


def test_columns_of_ones_own_are_kept_in_their_order():
    touch("a.mp4")
    header = ["Year", "film", "source", "Director", "Notes"]
    row = ["1931", "a", "a.mp4", "", '"two\nlines"']
    (film,) = read_films(write_sheet(header, row))
    assert list(film.own.items()) == [
        ("Year", "1931"),
        ("Director", ""),
        ("Notes", "two\nlines"),
    ]


def test_the_example_of_the_reference_is_a_sheet():
    touch("m_1931.mkv", "scans/sunrise/1.tar")
    reference = SCHEMAS.parents[1] / "config" / "README.md"
    (example,) = re.findall("```\n(Film;.*?)```", reference.read_text(), re.DOTALL)
    Path("films.csv").write_text(example)
    m, sunrise = read_films("films.csv")
    assert (m.title, m.start_s, m.end_s) == ("M", 42, 6570.5)
    assert (sunrise.film, sunrise.own["Director"]) == ("sunrise", "Murnau")


def test_known_columns_may_be_in_capitals():
    touch("a.mp4")
    (film,) = read_films(write_sheet(["FILM", "Source", "Title"], ["a", "a.mp4", "T"]))
    assert (film.title, film.own) == ("T", {})


@pytest.mark.parametrize("name", ["films.tsv", "films.csv", "films.txt", "films.TSV"])
@pytest.mark.parametrize("separator", ["\t", ";", ","])
def test_what_is_between_cells_shows_in_the_header(name, separator):
    touch("a.mp4")
    header = ["film", "source", "Place and Year" if separator == "," else "Place, Year"]
    (film,) = read_films(
        write_sheet(header, ["a", "a.mp4", "Rome"], name=name, separator=separator)
    )
    assert list(film.own.values()) == ["Rome"]


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("utf-8", "Café 東京 😀"),
        ("utf-8-sig", "Café 東京 😀"),
        ("utf-16", "Café 東京 😀"),
        ("utf-16-le", "Café 東京 😀"),
        ("utf-16-be", "Café 東京 😀"),
        ("cp1252", "Café €"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_sheet_is_read_in_the_encoding_it_has(encoding, title, end, capsys):
    touch("a.mp4")
    text = f"film\tsource\ttitle{end}a\ta.mp4\t{title}{end}"
    Path("films.tsv").write_bytes(text.encode(encoding))
    (film,) = read_films("films.tsv")
    assert film.title == title
    told = capsys.readouterr().err
    assert ("films.tsv is not UTF-8" in told) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("90", 90),
        ("1.5", 1.5),
        ("1,5", 1.5),
        ("0:05", 5),
        ("00:05", 5),
        ("90:00", 5400),
        ("1:02:03", 3723),
        ("01:02:03.5", 3723.5),
        ("1:02:03,25", 3723.25),
        ("1:02:03.1", 3723.1),
        ("1e2", 100),
    ],
)
def test_a_time_may_be_of_seconds_or_minutes_or_hours(cell, seconds):
    touch("a.mp4")
    (film,) = read_films(write_sheet([*HEADER, "start_s"], ["a", "a.mp4", cell]))
    assert film.start_s == seconds


def test_a_comma_before_three_digits_is_a_decimal_one_between_semicolons_only():
    touch("a.mp4")
    header, row = [*HEADER, "start_s"], ["a", "a.mp4", "5,400"]
    sentence = refuse(read_films, write_sheet(header, row))
    assert "start_s is '5,400', should be a number without separated" in sentence
    (film,) = read_films(write_sheet(header, row, separator=";"))
    assert film.start_s == 5.4


def test_empty_columns_of_a_spreadsheet_do_no_harm():
    touch("a.mp4")
    Path("films.csv").write_text("film;source;;\na;a.mp4;;\n;;;\n;;;;;\n")
    assert [film.own for film in read_films("films.csv")] == [{}]


def test_the_line_of_a_fault_is_that_of_the_file():
    touch("a.mp4")
    text = 'film\tsource\tNotes\n# a\tb\tc\td\n\na\ta.mp4\t"1\n2"\nb\tb.mp4\t\n'
    Path("films.tsv").write_text(text)
    assert refuse(read_films, "films.tsv").startswith("films.tsv line 6: no such film")


def test_paths_count_from_the_working_folder_then_from_the_sheets(folder):
    touch("here.mp4", "sheets/here.mp4", "sheets/there.mp4", "sheets/t/1.tar")
    sheet = write_sheet(
        HEADER,
        ["here", "here.mp4"],
        ["there", "there.mp4"],
        ["archive", "t"],
        ["glob", "t/*.tar"],
        name="sheets/films.tsv",
    )
    here, there, archive, by_glob = read_films(sheet)
    assert here.files == [Path("here.mp4")]
    assert there.files == [Path(there.source)] == [Path("sheets/there.mp4")]
    assert archive.files == by_glob.files == [Path("sheets/t/1.tar")]
    for source in ["nowhere.mp4", "t/*.mkv"]:
        sentence = refuse(read_films, write_sheet(HEADER, ["a", source], name=sheet))
        assert (
            f"neither in {folder} nor beside the sheet in {folder}/sheets" in sentence
        )


def test_a_tilde_is_the_users_own_folder(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder / "home"))
    touch("home/a.mp4", "home/v/b.mp4", "~c.mp4")
    Path("home/films.tsv").write_text("film\tsource\na\t~/a.mp4\n")
    for films in ["~/a.mp4", ["~/a.mp4"], "~/*.mp4", "~/films.tsv"]:
        (film,) = read_films(films)
        assert film.files == [folder / "home/a.mp4"]
    assert read_films("~/v")[0].files == [folder / "home/v/b.mp4"]
    assert read_films("~c.mp4")[0].files == [Path("~c.mp4")]


def test_the_demo_film_need_not_be_there():
    sheet = write_sheet(HEADER, ["demo", str(DEMO_FILM)])
    (film,) = read_films(sheet)
    assert film.files == [DEMO_FILM]


FILM_ID = "letters, digits, '-', '_' and '.' only, not starting with '-' or '.' nor "


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"start_s": "soon"}, "start_s is 'soon', should be a number"),
        ({"start_s": "-1"}, "start_s is -1.0, should be at least 0"),
        ({"start_s": "nan"}, "start_s is 'nan', should be a number"),
        ({"start_s": "1:60"}, "start_s is '1:60', should be seconds or h:mm:ss"),
        ({"start_s": "1:60:00"}, "should be seconds or h:mm:ss"),
        ({"start_s": "1:2:3:4"}, "should be seconds or h:mm:ss"),
        ({"start_s": "-0:05"}, "should be seconds or h:mm:ss"),
        ({"start_s": "1e300"}, "start_s is 1e+300, should be at most 1000000000"),
        ({"end_s": "inf"}, "end_s is 'inf', should be a number"),
        ({"end_s": "0"}, "end_s is 0.0, should be above 0"),
        ({"end_s": "9" * 5000}, "should be a number"),
        (
            {"start_s": "10", "end_s": "5"},
            "start_s 10 is not before end_s 5; swap them",
        ),
        ({"start_s": "5", "end_s": "5"}, "start_s 5 is not before end_s 5"),
        ({"source": "a.tar", "start_s": "10"}, "start_s and end_s are for videos"),
        ({"stream": "1.5"}, "stream is 1.5, should be a whole number"),
        ({"stream": "-1"}, "stream is -1, should be at least 0"),
        ({"gpu": "1,5"}, "gpu is 1.5, should be at most 1"),
        ({"fps": "25"}, "fps is for tarballs"),
        (
            {"source": "a.tar", "fps": "1e300"},
            "fps is 1e+300, should be at most 100000",
        ),
        (
            {"source": "a.tar", "fps": "1e-300"},
            "fps is 1e-300, should be at least 1e-05",
        ),
        ({"title": "a\x07b"}, "title has the control character '\\x07'; delete it"),
        ({"title": "a" * 501}, "..., should be at most 500 characters"),
        ({"film": "a" * 300}, "..., should be at most 200 characters"),
        ({"title": "a\uffff"}, "title has the control character '\\uffff'"),
        ({"film": "a\u2028b"}, "film has the control character '\\u2028'"),
        ({"film": "Palettes.SQLite"}, "the name of a file in results/"),
        ({"film": "palettes.sqlite"}, "use another id"),
        ({"film": "con"}, "Windows keeps for itself"),
        ({"film": "LPT1.x"}, "Windows keeps for itself"),
        ({"film": "a."}, f"film is 'a.', should be {FILM_ID}ending with '.'"),
        ({"film": "a/b"}, f"film is 'a/b', should be {FILM_ID}ending with '.'"),
        *[({"film": film}, FILM_ID) for film in ["/a", ".", "..", "../a", ".a", "-a"]],
        *[({"film": film}, FILM_ID) for film in ["a b", "a\\b", "ä", "{film}"]],
        ({"crop": "1:2"}, "auto, none or w:h:x:y"),
    ],
)
def test_what_no_film_can_have_is_refused_by_its_row(cells, words):
    touch("a.mp4", "a.tar")
    row = {"film": "a", "source": "a.mp4"} | cells
    good = ["ok", "a.mp4", *[""] * (len(row) - 2)]
    sheet = write_sheet(list(row), good, list(row.values()))
    sentence = refuse(read_films, sheet)
    assert sentence.startswith("films.tsv line 3: ")
    assert words in sentence
    assert len(sentence) < 250


@pytest.mark.parametrize(
    ("film", "fault"),
    [
        ("x", "'x' is there twice (the other is a.mp4)"),
        (
            "X",
            "'X' is 'x' (a.mp4) but for capitals, and many disks take both for one "
            "folder",
        ),
    ],
)
def test_ids_of_two_films_that_are_one_are_refused(film, fault):
    touch("a.mp4", "b.mp4")
    sheet = write_sheet(HEADER, ["x", "a.mp4"], [film, "b.mp4"])
    assert refuse(read_films, sheet) == (
        f"films.tsv line 3: film {fault}; give each an id of its own in a sheet"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no films in it"),
        ("film\tsource\n", "no films in it"),
        ("film\tsource\n\t\n", "no films in it"),
        ("film\tsource\ttitel\na\ta.mp4\tA\n", "unknown column 'titel'; did you mean"),
        ("film\tsource\tEnd\na\ta.mp4\tA\n", "did you mean 'end_s'? If it is a column"),
        ("film\tsource\tTitle\ttitle\n", "column 'title' is there twice"),
        ("film\tsource\tx\tx\n", "line 1: column 'x' is there twice"),
        ("film\tsource\t\tx\na\ta.mp4\ty\t\n", "line 2: 'y' stands under no column"),
        ("film\tsource\tx\na\ta.mp4\t\x00\n", "line 2: x has the control character"),
        ('film\tsource\na\t"a.mp4\n', "line 2: unexpected end of data"),
        (
            f"film\tsource\na\t{'a' * 200_000}\n",
            "line 2: field larger than field limit",
        ),
        ("film\tsource\na\n", "line 2: 1 cells under 2 column names"),
        ("film\tsource\na\ta.mp4\tA\n", "line 2: 3 cells under 2 column names"),
        ("film\tsource\na,a.mp4\n", "separate them by tabs"),
        ("film;source\na,a.mp4\n", "separate them by semicolons"),
        ("film\tsource\n\ta.mp4\n", "line 2: film is missing"),
        ("film\na\n", "line 2: source is missing"),
        (f"film\tsource\na\t{'1' * 5000}\n", "1...: File name too long; give the path"),
        (f"film\tsource\t{'1' * 5000}\na\ta.mp4\t\0\n", "line 2: 1111"),
        ('film\tsource\na\t"a.mp4"x\n', "a tab expected"),
        ("film\tsource\tx\0\na\ta.mp4\t\n", "line 1: the name of column 3 has the con"),
    ],
)
def test_a_wrong_sheet_is_refused_by_its_line(text, words):
    touch("a.mp4")
    Path("films.tsv").write_text(text)
    sentence = refuse(read_films, "films.tsv")
    assert sentence.startswith("films.tsv")
    assert words in sentence
    assert sentence.isprintable()
    assert len(sentence) < 250


def test_a_sheet_that_is_not_there_or_not_text_is_refused():
    assert "no such sheet nowhere.csv" in refuse(read_films, "nowhere.csv")
    Path("films.tsv").write_bytes(b"film\tsource\n\x81\ta.mp4\n")
    assert "save the sheet as UTF-8" in refuse(read_films, "films.tsv")
    Path("films.tsv").write_bytes(b"\xff\xfef")
    assert "save the sheet as UTF-8" in refuse(read_films, "films.tsv")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere.mkv", "no such film nowhere.mkv"),
        ("nothing/*.tar", "nothing matches 'nothing/*.tar'"),
        (
            "folder",
            "folder is a folder without videos or tarballs or photos or files of "
            "sketches; give the folder in which they are",
        ),
        ("both", "both has both videos (b.mp4, ...) and tarballs (a.tar, ...)"),
        ("link.mkv", "link.mkv is a link to nowhere, which is not there"),
        ("pipe", "pipe is no file"),
        ("a" * 300, "File name too long"),
        ("empty.mkv", "empty.mkv is empty; copy or download it again"),
        (
            "mixed/*",
            "matches mixed/b.mp4; a glob in a sheet is of tarballs or of photos",
        ),
        ("many/*", "many/b.zip; give a glob that is of tarballs or of photos only"),
    ],
)
def test_a_wrong_source_is_refused(source, words):
    touch(
        "folder/a.txt",
        "many/a.tar",
        "many/b.zip",
        "mixed/a.tar",
        "mixed/b.mp4",
        "both/a.tar",
        "both/b.mp4",
    )
    Path("link.mkv").symlink_to("nowhere")
    os.mkfifo("pipe")
    Path("empty.mkv").touch()
    sentence = refuse(read_films, write_sheet(HEADER, ["a", source]))
    assert sentence.startswith("films.tsv line 2")
    assert words in sentence
    if source != "mixed/*":
        sentence = refuse(read_films, source)
        where = "films" if source.startswith("nothing") else f"films {source!r}"
        assert sentence.startswith(f"{where}: ")
        assert words in sentence


# Paths and globs


def test_a_path_names_its_film():
    touch("films/My Film (1927).mkv")
    (film,) = read_films("films/My Film (1927).mkv")
    assert (film.film, film.title) == ("My_Film_1927_", "My Film (1927)")
    assert film.files == [Path("films/My Film (1927).mkv")]


def test_a_name_with_signs_of_a_glob_is_a_path_if_it_is_there():
    touch("film[1].mkv")
    (film,) = read_films("film[1].mkv")
    assert film.files == [Path("film[1].mkv")]


@pytest.mark.parametrize(
    ("name", "film"),
    [
        ("metropolis.mp4", "metropolis"),
        ("a.b.mp4", "a.b"),
        ("frames.tar.gz", "frames"),
        ("frames.TAR", "frames"),
        (".hidden.mp4", "hidden"),
        ("-dash.mp4", "dash"),
        ("東京.mp4", "_130016"),
        ("no_suffix", "no_suffix"),
        ("Con.mkv", "Con_"),
        ("palettes.sqlite.mkv", "palettes.sqlite_"),
        ("a..mkv", "a"),
        ("a" * 240 + ".mkv", "a" * 200),
    ],
)
def test_an_id_is_made_of_the_file_name(name, film):
    touch(name)
    (read,) = read_films(name)
    assert read.film == film
    assert re.fullmatch("[A-Za-z0-9_][A-Za-z0-9_.-]*", read.film)


@pytest.mark.parametrize("films", ["archive/*.tar", "archive", "archive/"])
def test_tarballs_of_a_glob_or_folder_are_one_film_in_natural_order(films):
    touch("archive/part10.tar", "archive/part2.tar", "archive/part1.tar")
    (film,) = read_films(films)
    assert film.film == "archive"
    assert film.kind is TARBALLS
    assert [path.name for path in film.files] == [
        "part1.tar",
        "part2.tar",
        "part10.tar",
    ]


def test_names_of_other_letters_have_ids_of_their_own():
    touch("v/東京.mkv", "v/大阪.mkv")
    first, second = read_films("v")
    assert first.film != second.film
    assert {first.title, second.title} == {"東京", "大阪"}


def test_videos_of_a_glob_are_films_of_their_own():
    touch("v/b10.mkv", "v/b9.mkv", "v/a.mkv")
    assert [film.film for film in read_films("v/*.mkv")] == ["a", "b9", "b10"]


@pytest.mark.parametrize("films", ["v", "v/", ["v"]])
def test_a_folder_of_films_is_the_films_in_it(films):
    touch("v/b10.mkv", "v/b9.MP4", "v/a.srt", "v/._a.mkv", "v/more/c.mkv")
    assert [film.film for film in read_films(films)] == ["b9", "b10"]
    sentence = refuse(read_films, write_sheet(HEADER, ["a", "v"]))
    assert "v is a folder of videos; give each a row of its own" in sentence


@pytest.mark.parametrize("films", ["v/*", "v"])
def test_a_file_of_many_that_is_no_film_is_for_its_plan_to_tell(films):
    touch("v/a.mkv")
    Path("v/b.mkv").touch()
    Path("v/c[1].mkv").symlink_to("nowhere.mkv")
    fine, empty, dangling = read_films(films)
    assert dangling.film == "c_1_"
    assert (fine.files, fine.fault) == ([Path("v/a.mkv")], None)
    assert empty.fault == "v/b.mkv is empty; copy or download it again"
    assert dangling.fault is not None
    assert "v/c[1].mkv is a link to nowhere.mkv" in dangling.fault
    assert [film.files for film in (empty, dangling)] == [[], []]


def test_what_cannot_be_read_of_many_is_for_its_job_to_tell(nobody):
    touch("a.mkv", "b.mkv", "closed/c.mkv")
    Path("empty.mkv").touch()
    Path("b.mkv").chmod(0)
    Path("closed").chmod(0)
    names = ["a", "b", "closed/c", "empty"]
    rows = [[Path(name).name, f"{name}.mkv"] for name in names]
    sheet = write_sheet(HEADER, *rows)
    Path.cwd().chmod(0o755)
    nobody()
    try:
        for given in (sheet, [f"{name}.mkv" for name in names]):
            readable, *others = read_films(given)
            assert readable.fault is None
            assert [film.fault for film in others] == [
                "b.mkv may not be read by you; change its permissions",
                "closed/c.mkv: Permission denied; give a path that can be read",
                "empty.mkv is empty; copy or download it again",
            ]
            assert [film.files for film in others] == [[]] * 3
        sentence = refuse(read_films, "b.mkv")
        assert sentence == f"films 'b.mkv': {others[0].fault}"
        sentence = refuse(read_films, "closed/films.tsv")
        assert sentence.startswith("films: closed/films.tsv: Permission denied; ")
    finally:
        os.seteuid(os.getuid())
        Path("closed").chmod(0o755)


def test_what_is_gone_of_many_is_for_its_job_to_tell_if_it_was_there():
    touch("a.mkv")
    films = write_sheet(HEADER, ["a", "a.mkv"], ["b", "b.mkv"], ["t", "t/*.tar"])
    planned = {"b", "t"}
    _, video, tarballs = read_films(films, planned.__contains__)
    assert video.fault == "b.mkv is gone; bring it back, or take b out of the films"
    assert (
        tarballs.fault == "t/*.tar is gone; bring it back, or take t out of the films"
    )
    planned.discard("t")
    sentence = refuse(read_films, films, planned.__contains__)
    assert sentence == "films.tsv line 4: nothing matches 't/*.tar'; give a path"
    # Nothing else is left to do.
    planned.add("t")
    sentence = refuse(read_films, "t.mkv", planned.__contains__)
    assert sentence.endswith("t.mkv is gone; bring it back, or take t out of the films")


@pytest.mark.parametrize("films", ["t/*.tar", "t"])
def test_a_tarball_of_many_that_leads_nowhere_is_for_the_plan_to_tell(films):
    touch("t/1.tar")
    Path("t/2.tar").touch()
    Path("t/4.tar").symlink_to("2.tar")
    assert len(read_films(films)[0].files) == 3
    Path("t/3.tar").symlink_to("nowhere.tar")
    for given in [films, write_sheet(HEADER, ["t", films])]:
        (film,) = read_films(given)
        assert film.fault is not None
        assert "t/3.tar is a link to nowhere.tar" in film.fault
        assert film.files == []


def test_a_single_film_may_be_given_a_title_and_a_stretch():
    touch("a.mp4", "b.mp4", "t.tar")
    (film,) = read_films("a.mp4", title="T", start_s=1, end_s=None)
    assert (film.title, film.start_s, film.end_s) == ("T", 1, None)
    assert read_films(["a.mp4", "b.mp4"], title=None)[1].title == "b"
    for films, words in {
        "*.mp4": "title is for a single film, and films are 2",
        write_sheet(HEADER, ["a", "a.mp4"]): "without a sheet; write it into films.tsv",
    }.items():
        assert words in refuse(read_films, films, title="T")
    sentence = refuse(read_films, "t.tar", end_s=5)
    assert "start_s and end_s are for videos" in sentence


def test_a_name_that_cannot_be_shown_is_refused():
    for name in [b"a\nb.mp4", b"\xff.mp4"]:
        Path(os.fsdecode(name)).write_bytes(b"anything")
        assert "rename it" in refuse(read_films, "*.mp4")
        Path(os.fsdecode(name)).unlink()


def test_a_list_takes_paths_and_globs():
    touch("v/a.mkv", "v/b.mkv", "one.mp4", "archive/1.tar")
    films = read_films(["one.mp4", "v/*.mkv", "archive/*.tar"])
    assert [film.film for film in films] == ["one", "a", "b", "archive"]


def test_two_files_of_one_name_are_refused():
    touch("a/x.mkv", "b/x.mkv")
    sentence = refuse(read_films, ["a/x.mkv", "b/x.mkv"])
    assert "b/x.mkv" in sentence
    assert "a/x.mkv" in sentence
    assert "give each an id of its own in a sheet" in sentence


def test_barcodes_are_wide_where_a_png_cannot_be():
    assert WIDEST_PNG == MAX_SIDE
    for width, expected in [(None, 0), (32768, 0), (32769, 1), ("frames", 1)]:
        filled = check_config({"barcodes": {"width": width}})
        assert is_wide(filled["barcodes"]) == expected
