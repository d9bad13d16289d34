import re
from pathlib import Path

import pytest
import yaml

from reelbow.config import DEMO_FILM, SCHEMAS, check_config, read_films
from reelbow.errors import ReelbowError

HEADER = ["film", "source"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Films are looked for where Snakemake runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refuse(function, argument) -> str:
    """Call a function that must refuse its argument, in one sentence."""
    with pytest.raises(ReelbowError) as caught:
        function(argument)
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


def test_an_empty_config_is_all_defaults():
    config = check_config({})
    assert config["films"] == "config/films.tsv"
    assert config["sampling"] == {"mode": "interval", "every": 1.0}
    assert config["shards"] == {"frames": 600}
    assert config["crop"] == {"letterbox": "auto"}
    assert config["extract"] == {"height": 360, "quality": 90, "keep": False}
    assert config["downsample"] == {"height": 90, "keep": False}
    assert config["cluster"]["n_colors"] == 8
    assert config["barcodes"]["kinds"] == ["mean", "strip", "dominant", "stacked"]
    assert config["barcodes"]["width"] is None


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
        ({"cluster": {"n_colors": 300}}, ["cluster.n_colors is 300", "at most 256"]),
        ({"cluster": {"n_colors": 2.5}}, ["n_colors is 2.5", "a whole number"]),
        ({"cluster": {"n_colors": "many"}}, ["n_colors is 'many'", "whole number"]),
        ({"cluster": {"n_colors": True}}, ["n_colors is True", "whole number"]),
        ({"cluster": {"cpu_engine": "cuda"}}, ["cpu_engine", "numba", "sklearn"]),
        ({"cluster": {"gpu_share": float("nan")}}, ["cluster.gpu_share", "0 to 1"]),
        (
            {"cluster": {"gpu_wait_min": -1}},
            ["gpu_wait_min is -1", "at least 0"],
        ),
        ({"cluster": {"gpu_wait_min": float("nan")}}, ["gpu_wait_min", "or null"]),
        ({"cluster": {"gpu_share": 2}}, ["cluster.gpu_share is 2", "at most 1"]),
        ({"cluster": {"seed": -1}}, ["cluster.seed is -1", "at least 0"]),
        ({"sampling": {"every": 0}}, ["sampling.every is 0", "above 0"]),
        ({"sampling": {"every": -1.0}}, ["sampling.every is -1.0", "above 0"]),
        ({"sampling": {"every": float("nan")}}, ["sampling.every", "above 0"]),
        ({"sampling": {"every": float("inf")}}, ["sampling.every", "above 0"]),
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
        ({"barcodes": {"formats": "png"}}, ["barcodes.formats", "a list"]),
        # Without quotes YAML takes a color for a comment, or for a number.
        ({"barcodes": {"gap_color": None}}, ["barcodes.gap_color", "in quotes"]),
        ({"barcodes": {"gap_color": 808080}}, ["barcodes.gap_color", "in quotes"]),
        ({"barcodes": {"gap_color": "gray"}}, ["barcodes.gap_color", "'#d9d9d9'"]),
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


def test_texts_of_the_command_line_are_read_as_what_the_key_takes():
    config = check_config(
        {
            "films": "1984",
            "sampling": {"every": "0.5"},
            "extract": {"height": "null", "keep": "true"},
            "cluster": {"n_colors": "4"},
            "barcodes": {"kinds": "[mean]", "width": "100"},
        }
    )
    assert config["films"] == "1984"
    assert config["sampling"]["every"] == 0.5
    assert config["extract"]["height"] is None
    assert config["extract"]["keep"] is True
    assert config["cluster"]["n_colors"] == 4
    assert config["barcodes"]["kinds"] == ["mean"]
    assert config["barcodes"]["width"] == 100


def test_a_whole_number_may_be_written_with_a_point():
    n_colors = check_config({"cluster": {"n_colors": 4.0}})["cluster"]["n_colors"]
    assert (n_colors, type(n_colors)) == (4, int)


# The sheet


def test_a_sheet_gives_its_rows_in_order():
    touch("b.mkv", "a.mp4", "tars/x.tar")
    sheet = write_sheet(
        ["film", "source", "title", "start_s", "end_s", "fps", "gpu"],
        ["second", "b.mkv", "A Title", "1.5", "60", "", "0.5"],
        ["first", "a.mp4", "", "", "", "", ""],
        ["scans", "tars", "", "", "", "12.5", "0"],
    )
    second, first, scans = read_films(sheet)
    assert second.film == "second"
    assert second.title == "A Title"
    assert (second.start_s, second.end_s, second.fps) == (1.5, 60.0, None)
    assert second.video == Path("b.mkv")
    assert second.tarballs == []
    assert (first.film, first.title) == ("first", "first")
    assert (first.start_s, first.end_s) == (0.0, None)
    assert scans.video is None
    assert scans.tarballs == [Path("tars/x.tar")]
    assert scans.fps == 12.5
    assert (second.gpu, first.gpu, scans.gpu) == (0.5, None, 0)


def test_a_csv_takes_commas_and_quotes():
    touch("a.mp4")
    Path("films.csv").write_text('film,source,title\na,a.mp4,"One, Two"\n')
    (film,) = read_films("films.csv")
    assert film.title == "One, Two"


def test_a_byte_order_mark_empty_lines_and_comments_do_no_harm():
    touch("a.mp4")
    text = "film\tsource\n\n# a note\na\ta.mp4\n\n"
    Path("films.tsv").write_text(text, encoding="utf-8-sig")
    assert [film.film for film in read_films("films.tsv")] == ["a"]


def test_the_demo_film_need_not_be_there():
    sheet = write_sheet(HEADER, ["demo", str(DEMO_FILM)])
    (film,) = read_films(sheet)
    assert film.video == DEMO_FILM


@pytest.mark.parametrize(
    "film",
    [
        "a/b",
        "/a",
        ".",
        "..",
        "../a",
        ".a",
        "-a",
        "a b",
        "a\\b",
        "ä",
        "{film}",
        "a\u2028b",
    ],
)
def test_an_id_that_is_no_plain_name_is_refused(film):
    touch("a.mp4")
    sentence = refuse(read_films, write_sheet(HEADER, ["ok", "a.mp4"], [film, "a.mp4"]))
    assert sentence.startswith("films.tsv line 3: film is ")
    assert "letters, digits, '-', '_' and '.'" in sentence


def test_an_id_that_is_a_file_of_results_is_refused():
    touch("a.mp4")
    sentence = refuse(read_films, write_sheet(HEADER, ["palettes.sqlite", "a.mp4"]))
    assert "films.tsv line 2" in sentence
    assert "use another id" in sentence


def test_a_doubled_id_is_refused():
    touch("a.mp4", "b.mp4")
    sentence = refuse(read_films, write_sheet(HEADER, ["x", "a.mp4"], ["x", "b.mp4"]))
    assert "films.tsv line 3" in sentence
    assert "'x' is there twice" in sentence
    assert "a.mp4" in sentence


def test_start_after_end_is_refused():
    touch("a.mp4")
    sheet = write_sheet([*HEADER, "start_s", "end_s"], ["a", "a.mp4", "10", "5"])
    sentence = refuse(read_films, sheet)
    assert "films.tsv line 2" in sentence
    assert "start_s 10 is not before end_s 5" in sentence
    sheet = write_sheet([*HEADER, "start_s", "end_s"], ["a", "a.mp4", "5", "5"])
    assert "not before" in refuse(read_films, sheet)


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("start_s", "soon", "start_s is 'soon', should be a number"),
        ("start_s", "-1", "start_s is -1.0, should be at least 0"),
        ("start_s", "nan", "start_s is 'nan', should be a number"),
        ("end_s", "inf", "end_s is 'inf', should be a number"),
        ("end_s", "0", "end_s is 0.0, should be above 0"),
        ("fps", "25", "fps is for tarballs"),
    ],
)
def test_a_wrong_cell_is_refused_by_row_and_column(column, cell, words):
    touch("a.mp4")
    sheet = write_sheet([*HEADER, column], ["a", "a.mp4", cell])
    sentence = refuse(read_films, sheet)
    assert sentence.startswith("films.tsv line 2: ")
    assert words in sentence


def test_a_stretch_of_tarballs_is_refused():
    touch("a.tar")
    sheet = write_sheet([*HEADER, "start_s"], ["a", "a.tar", "10"])
    assert "start_s and end_s are for videos" in refuse(read_films, sheet)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no films in it"),
        ("film\tsource\n", "no films in it"),
        ("film\tsource\n\t\n", "no films in it"),
        ("film\tsource\ttitel\na\ta.mp4\tA\n", "unknown column 'titel'; did you mean"),
        ("film\tsource\na\n", "line 2: 1 cells under 2 column names"),
        ("film\tsource\na\ta.mp4\tA\n", "line 2: 3 cells under 2 column names"),
        ("film\tsource\na,a.mp4\n", "separate them by tabs"),
        ("film\tsource\n\ta.mp4\n", "line 2: film is missing"),
        ("film\na\n", "line 2: source is missing"),
        ('film\tsource\na\t"a.mp4"x\n', "line 2: "),
    ],
)
def test_a_wrong_sheet_is_refused_by_its_line(text, words):
    touch("a.mp4")
    Path("films.tsv").write_text(text)
    sentence = refuse(read_films, "films.tsv")
    assert sentence.startswith("films.tsv")
    assert words in sentence


def test_a_sheet_that_is_not_there_or_not_text_is_refused():
    assert "no such sheet nowhere.csv" in refuse(read_films, "nowhere.csv")
    Path("films.tsv").write_bytes("film\tsource\nü\ta.mp4\n".encode("latin-1"))
    assert "save the sheet as UTF-8" in refuse(read_films, "films.tsv")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere.mkv", "no such film nowhere.mkv"),
        ("nothing/*.tar", "nothing matches 'nothing/*.tar'"),
        ("folder", "folder is a folder without tarballs"),
        ("empty.mkv", "empty.mkv is empty"),
        ("mixed/*", "which is no tarball"),
    ],
)
def test_a_wrong_source_is_refused(source, words):
    touch("folder/a.txt", "mixed/a.tar", "mixed/b.mp4")
    Path("empty.mkv").touch()
    sentence = refuse(read_films, write_sheet(HEADER, ["a", source]))
    assert sentence.startswith("films.tsv line 2")
    assert words in sentence
    if source != "mixed/*":
        assert words in refuse(read_films, source)


# Paths and globs


def test_a_path_names_its_film():
    touch("films/My Film (1927).mkv")
    (film,) = read_films("films/My Film (1927).mkv")
    assert film.film == "My_Film_1927_"
    assert film.video == Path("films/My Film (1927).mkv")


def test_a_name_with_signs_of_a_glob_is_a_path_if_it_is_there():
    touch("film[1].mkv")
    (film,) = read_films("film[1].mkv")
    assert film.video == Path("film[1].mkv")


@pytest.mark.parametrize(
    ("name", "film"),
    [
        ("metropolis.mp4", "metropolis"),
        ("a.b.mp4", "a.b"),
        ("frames.tar.gz", "frames"),
        ("frames.TAR", "frames"),
        (".hidden.mp4", "hidden"),
        ("-dash.mp4", "dash"),
        ("東京.mp4", "_"),
        ("no_suffix", "no_suffix"),
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
    assert film.video is None
    assert [path.name for path in film.tarballs] == [
        "part1.tar",
        "part2.tar",
        "part10.tar",
    ]


def test_videos_of_a_glob_are_films_of_their_own():
    touch("v/b10.mkv", "v/b9.mkv", "v/a.mkv")
    assert [film.film for film in read_films("v/*.mkv")] == ["a", "b9", "b10"]


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
