"""Tables of films, read back by pandas, pyarrow, openpyxl and R."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from coloraide import Color

from databases import PALETTE, ROW, change, merge, query, write_shard
from reelbow.database.merging import merge_films
from reelbow.export import columns, table_files
from reelbow.export.tables import export_film, export_films
from reelbow.pictures.measure_names import MEASURES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "tables.md").read_text()
TEAL, RED, BLACK = (2, 147, 134), (229, 0, 0), (0, 0, 0)
SHEET = json.dumps({"Regie": "=SUM(1)", "year": "1926", "title": "other"})


@pytest.fixture
def film(tmp_path):
    """Three frames of two colors, at 0, 1.25 and 3661.5 s."""
    shards = []
    for frame, time_s in enumerate([0, 1.25, 3661.5]):
        palettes = {frame: [(TEAL, 0.75), (RED if frame else BLACK, 0.25)]}
        shards.append(
            write_shard(
                tmp_path / f"{frame}.sqlite",
                [frame],
                times_s=time_s,
                palettes=palettes,
                shard=f"-{frame}",
            )
        )
    row = ROW._replace(sheet=SHEET, duration_s=3662.75)
    return merge(shards, [1] * 3, tmp_path / "film.sqlite", row=row)


def test_the_table_of_frames(film, tmp_path):
    export_film(film, tmp_path, ["csv"])
    lines = (tmp_path / "frames.csv").read_text().splitlines()
    assert lines[0] == (
        "film,frame,time_s,time_hms,name,shard,"
        "mean_color,mean_lab_l,mean_lab_a,mean_lab_b,luma," + ",".join(MEASURES)
    )
    assert lines[1].startswith("demo,0,0.0,0:00:00.000,00000000.jpg,'-0,#000000,0.0,0.")
    assert lines[3].startswith("demo,2,3661.5,1:01:01.500,00000002.jpg,'-2,#020000,")
    assert len(lines) == 4


def test_the_table_of_palettes(film, tmp_path):
    export_film(film, tmp_path, ["csv"])
    table = pd.read_csv(tmp_path / "palettes.csv")
    assert list(table.columns) == [
        *["film", "frame", "time_s", "time_hms", "rank", "color"],
        *["lab_l", "lab_a", "lab_b", "color_name", "share", "accent"],
    ]
    assert table.color.tolist() == ["#029386", "#000000"] + ["#029386", "#e50000"] * 2
    assert table.color_name.tolist() == ["teal", "black"] + ["teal", "red"] * 2
    assert table.share.tolist() == [0.75, 0.25] * 3
    for _, row in table.iterrows():
        expected = Color(row.color).convert("lab-d65").coords()
        found = [row.lab_l, row.lab_a, row.lab_b]
        assert found == pytest.approx(expected, abs=0.006)


def test_all_formats_say_the_same(film, tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "SOME_ROWS", 2)
    export_film(film, tmp_path, ["csv", "parquet", "xlsx"])
    for name in ["frames", "palettes"]:
        parquet = pd.read_parquet(tmp_path / f"{name}.parquet")
        text = {"shard": str, "film": str}
        sheet = pd.read_excel(tmp_path / f"{name}.xlsx", dtype=text)
        csv = pd.read_csv(tmp_path / f"{name}.csv")
        if name == "frames":
            assert csv.shard.tolist() == ["'-0", "'-1", "'-2"]
            csv["shard"] = csv.shard.str.removeprefix("'")
        assert len(parquet) == len(query(film, f"SELECT frame FROM {name}"))
        for other in [sheet, csv]:
            pd.testing.assert_frame_equal(parquet, other, check_dtype=False)


def test_frames_without_times_and_a_film_without_frames(tmp_path):
    shard = write_shard(tmp_path / "a.sqlite", [0], times_s=np.nan)
    path = merge([shard], [1], tmp_path / "untimed.sqlite")
    export_film(path, tmp_path / "untimed", ["csv", "parquet", "xlsx"])
    table = pd.read_parquet(tmp_path / "untimed/frames.parquet")
    assert table.time_s.isna().all()
    assert table.time_hms.isna().all()
    assert table.time_hms.dtype == "str"
    assert ",0,,,00000000.jpg" in (tmp_path / "untimed/frames.csv").read_text()

    shard = write_shard(tmp_path / "b.sqlite", [], skipped=[("0", "broken")])
    path = merge([shard], [1], tmp_path / "none.sqlite")
    export_film(path, tmp_path / "none", ["csv", "parquet", "xlsx"])
    for name in ["frames", "palettes"]:
        text = (tmp_path / f"none/{name}.csv").read_text()
        assert text.startswith("film,frame,")
        assert text.count("\n") == 1
        assert len(pd.read_parquet(tmp_path / f"none/{name}.parquet")) == 0
        assert len(pd.read_excel(tmp_path / f"none/{name}.xlsx")) == 0
    about = json.loads((tmp_path / "none/film.json").read_text())
    assert (about["palette"], about["n_read"], about["n_skipped"]) == ([], 0, 1)


def test_a_new_column_of_frames_goes_along(film, tmp_path):
    change(film, "ALTER TABLE frames ADD COLUMN taste REAL")
    change(film, "UPDATE frames SET taste = frame + 0.5")
    export_film(film, tmp_path, ["csv"])
    table = pd.read_csv(tmp_path / "frames.csv")
    assert list(table.columns)[-2:] == [[*MEASURES][-1], "taste"]
    assert table.taste.tolist() == [0.5, 1.5, 2.5]


def test_what_is_known_of_a_film(film, tmp_path):
    export_film(film, tmp_path, [])
    about = json.loads((tmp_path / "film.json").read_text())
    assert about["film"] == "demo"
    assert about["duration_hms"] == "1:01:02.750"
    assert (about["width_px"], about["height_px"]) == (64, 48)
    assert about["sheet"] == json.loads(SHEET)
    assert about["n_read"] == 3
    assert about["metadata"]["settings"] == "{}"
    first = about["palette"][0]
    assert (first["color"], first["color_name"]) == ("#029386", "teal")
    assert sum(color["share"] for color in about["palette"]) == pytest.approx(1)
    assert not list(tmp_path.glob("*.csv"))


def test_the_table_of_all_films(film, tmp_path):
    (tmp_path / "b").mkdir()
    shard = write_shard(tmp_path / "b/0.sqlite", [0], palettes={0: [(RED, 1.0)]})
    row = ROW._replace(film="b", title="@b", width=None, duration_s=None)
    other = merge([shard], [1], tmp_path / "b/film.sqlite", row=row, palette=PALETTE)
    merge_films([film, other], tmp_path / "all.sqlite", n_colors=3)
    export_films(tmp_path / "all.sqlite", tmp_path, ["csv", "parquet", "xlsx"])
    table = pd.read_csv(tmp_path / "films.csv", dtype={"width_px": "Int64"})
    assert table.film.tolist() == ["demo", "b"]
    # Text that would be a formula, and a column that would be another one's.
    assert table.title.tolist() == ["The Demo", "'@b"]
    assert table.sheet_title.tolist()[0] == "other"
    assert table.Regie.tolist()[0] == "'=SUM(1)"
    assert "demo,The Demo," in (tmp_path / "films.csv").read_text()
    assert table.width_px.tolist() == [64, pd.NA]
    assert table.color_1.tolist() == ["#029386", "#e50000"]
    assert table.color_1_name.tolist() == ["teal", "red"]
    assert table.n_read.tolist() == [3, 1]
    parquet = pd.read_parquet(tmp_path / "films.parquet")
    assert parquet.Regie.tolist()[0] == "=SUM(1)"
    assert list(parquet.columns) == list(table.columns)
    book = openpyxl.load_workbook(tmp_path / "films.xlsx")
    cells = dict(zip(*[[*row] for row in book["films"].iter_rows(max_row=2)], strict=1))
    (regie,) = [cell for head, cell in cells.items() if head.value == "Regie"]
    # Text, and no formula.
    assert (regie.value, regie.data_type) == ("=SUM(1)", "s")


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1", "=cmd|' /C calc'!A0"]
)
def test_no_cell_of_a_csv_begins_a_formula(tmp_path, text):
    table = pd.DataFrame({"text": pd.array([text, "plain"], dtype="str"), "n": [-1, 2]})
    table_files.write_table(iter([table]), tmp_path, "t", ["csv"])
    read = pd.read_csv(tmp_path / "t.csv")
    assert read.text.tolist() == [f"'{text}", "plain"]
    # Numbers are none.
    assert read.n.tolist() == [-1, 2]


def test_no_column_is_called_by_a_formula(tmp_path):
    table = pd.DataFrame({"=1+1": [1], "plain": [2]})
    table_files.write_table(iter([table]), tmp_path, "t", ["csv", "xlsx"])
    assert (tmp_path / "t.csv").read_text().startswith("'=1+1,plain\n")
    (head, *_) = next(openpyxl.load_workbook(tmp_path / "t.xlsx")["t"].iter_rows())
    assert (head.value, head.data_type) == ("=1+1", "s")


def test_a_carriage_return_ends_no_row(tmp_path):
    table = pd.DataFrame({"text": pd.array(["a\rb", "a\nb", None], dtype="str")})
    table_files.write_table(iter([table]), tmp_path, "t", ["csv"])
    read = pd.read_csv(tmp_path / "t.csv", skip_blank_lines=False)
    assert read.text.tolist()[:2] == ["a b", "a\nb"]
    assert read.text.isna().tolist() == [False, False, True]


def test_a_sheet_that_is_full_is_followed_by_another(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "SHEET_ROWS", 3)
    table = pd.DataFrame({"n": [1, 2, 3, 4, 5]})
    table_files.write_table(iter([table]), tmp_path, "t", ["xlsx"])
    sheets = pd.read_excel(tmp_path / "t.xlsx", sheet_name=None)
    assert {name: each.n.tolist() for name, each in sheets.items()} == {
        "t": [1, 2],
        "t 2": [3, 4],
        "t 3": [5],
    }


def test_a_control_character_does_not_end_a_sheet(tmp_path):
    table = pd.DataFrame({"text": pd.array(["a\x01b"], dtype="str")})
    table_files.write_table(iter([table]), tmp_path, "t", ["xlsx"])
    assert pd.read_excel(tmp_path / "t.xlsx").text.tolist() == ["a\ufffdb"]


def test_the_page_describes_every_column(film, tmp_path):
    export_film(film, tmp_path, ["csv"])
    merge_films([film], tmp_path / "all.sqlite", n_colors=3)
    export_films(tmp_path / "all.sqlite", tmp_path, ["csv"])
    described = set(re.findall(r"`([\w]+)`", PAGE))
    own = {"Regie", "year", "sheet_title"}
    for name in ["frames", "palettes", "films"]:
        for column in pd.read_csv(tmp_path / f"{name}.csv").columns:
            if column not in own:
                assert re.sub(r"^color_\d", "color_1", column) in described, column


def find_example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def lay_out(film, tmp_path):
    """Lay the tables out as a run does."""
    export_film(film, tmp_path / "results/demo/tables", ["csv"])
    merge_films([film], tmp_path / "all.sqlite", n_colors=3)
    export_films(tmp_path / "all.sqlite", tmp_path / "results/tables", ["csv"])


def test_the_example_for_pandas_runs(film, tmp_path, monkeypatch):
    lay_out(film, tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(find_example("python"), names)
    assert names["minutes"].index.tolist() == [0, 61]
    assert names["reds"].to_dict() == {"demo": pytest.approx(0.5 / 3)}


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not here")
def test_the_example_for_r_runs(film, tmp_path):
    lay_out(film, tmp_path)
    done = subprocess.run(
        ["Rscript", "-e", find_example("r")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "demo" in done.stdout
