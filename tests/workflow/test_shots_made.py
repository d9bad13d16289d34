"""What whole runs make of shots: tables, swatches, markers, figures."""

import csv
import re

from pympi import Elan

from films import solid, write_film
from projects import NO_PICTURES, Project, close_to, write_tarball

COLORS = (0xC02020, 0x206040, 0xE0E0F0)
ENDS = ["csv", "ase", "gpl", "aco", "css", "edl", "otio", "vtt", "eaf"]
ASKED = {
    **NO_PICTURES,
    "films": "films.tsv",
    "barcodes": {"kinds": ["mean"], "formats": ["svg"]},
    "tables": {"formats": ["csv"]},
    "shots": {"detector": "content"},
    "provenance": True,
}


def test_shots_are_written_and_drawn_if_they_are_looked_for(project: Project):
    # Two seconds each, a frame a second; and six images without times.
    frames = (solid(color) for color in COLORS for _ in range(50))
    write_film(project.folder / "a.mp4", frames, rate=25)
    write_tarball(project.folder / "b.tar", [*COLORS[:1] * 2, *COLORS[1:2] * 4])
    (project.folder / "films.tsv").write_text("film\tsource\na\ta.mp4\nb\tb.tar\n")
    project.make(**ASKED)
    rows = {}
    for film in ["a", "b"]:
        folder = project.folder / f"results/{film}/tables"
        assert {path.suffix[1:] for path in folder.glob("shots.*")} == {*ENDS}
        with (folder / "shots.csv").open() as stream:
            rows[film] = list(csv.DictReader(stream))
    found = [(row["start_s"], row["end_hms"], row["n_frames"]) for row in rows["a"]]
    assert found == [
        ("0.0", "0:00:02.000", "2"),
        ("2.0", "0:00:04.000", "2"),
        ("4.0", "0:00:06.000", "2"),
    ]
    for row, color in zip(rows["a"], COLORS, strict=True):
        assert close_to(int(row["color_1"][1:], 16), color)
    frames = [
        (row["first_frame"], row["last_frame"], row["start_s"]) for row in rows["b"]
    ]
    assert frames == [("0", "1", ""), ("2", "5", "")]

    folder = project.folder / "results/a/tables"
    edl = (folder / "shots.edl").read_text()
    assert re.findall(r"V     C        (\S+)", edl) == [
        *["01:00:00:00", "01:00:02:00", "01:00:04:00"]
    ]
    eaf = Elan.Eaf(str(folder / "shots.eaf"))
    (media,) = eaf.get_linked_files()
    assert (folder / media["RELATIVE_MEDIA_URL"]).resolve().name == "a.mp4"
    assert (folder / media["RELATIVE_MEDIA_URL"]).exists()
    log = (project.folder / "logs/export_tables/b.log").read_text()
    assert "2 shots of 2 have no markers" in log

    drawn = {
        film: (project.folder / f"results/{film}/barcodes/shots.svg").read_text()
        for film in ["a", "b"]
    }
    assert "<!-- mean 2 s -->" in drawn["a"]
    assert "<!-- mean 3 frames -->" in drawn["b"]
    methods = (project.folder / "results/methods.md").read_text()
    assert "5 shots were found" in methods
    with (project.folder / "results/tables/films.csv").open() as stream:
        films = list(csv.DictReader(stream))
    assert [film["n_shots"] for film in films] == ["3", "2"]
    assert [film["mean_shot_s"] for film in films] == ["2.0", ""]

    assert project.make(**ASKED).jobs == set()
    project.make("--report", "report.html", **ASKED)
    # Without them nothing of them is drawn, and no figure stays.
    project.make(**ASKED | {"shots": {"detector": "none"}})
    barcodes = project.folder / "results/a/barcodes"
    assert {path.name for path in barcodes.iterdir()} == {"mean.png", "mean.svg"}
    assert "shots" not in (barcodes / "mean.svg").read_text()
