"""Films of sketches in whole runs."""

import tarfile

from projects import NO_PAGES, name_jobs
from reelbow.database.schema import TOLD
from reelbow.shards.names import STAGES
from sketches import STEPS, STROKES, write_ndjson, write_npz


def test_drawings_are_frames_in_all_that_is_made(project):
    folder = project.folder
    write_npz(folder / "a.npz", train=[STEPS, [[1, 2, 0]], STEPS], test=[STEPS])
    write_ndjson(folder / "b.ndjson", STROKES, "broken", word="cat", recognized=True)
    (folder / "films.tsv").write_text("film\tsource\tfps\na\ta.npz\t\nb\tb.ndjson\t2\n")
    config = {
        "films": "films.tsv",
        "shards": {"frames": 2},
        "sketches": {"size": 64, "thickness": 0.25},
        **NO_PAGES,
        "explorer": {"page": True},
        "barcodes": {"kinds": ["mean", "contact"], "height": 40, "formats": ["png"]},
        "extract": {"keep": True},
        "provenance": True,
        "tables": {"formats": ["csv"]},
    }
    result = project.make(**config)
    assert result.jobs >= name_jobs((*STAGES, "extract_frames"), "a", "00000", "00001")
    found = project.query(
        "SELECT film, frame, time_s, name FROM frames JOIN films USING (film_id) "
        "ORDER BY film, frame"
    )
    assert found == [
        *(("a", 0, None, "train 0"), ("a", 2, None, "train 2")),
        ("b", 0, 0.0, "cat 1"),
    ]
    told = project.query(
        "SELECT film, frame, word, n_strokes, n_points, recognized "
        "FROM sketches JOIN films USING (film_id) ORDER BY film, frame"
    )
    assert told == [
        *(("a", 0, None, 2, 4, None), ("a", 2, None, 2, 4, None)),
        ("b", 0, "cat", 2, 4, 1),
    ]
    tables = [
        (folder / f"results/{film}/tables/frames.csv").read_text().splitlines()
        for film in "ab"
    ]
    for table in tables:
        assert table[0].split(",")[-4:] == [*TOLD["sketches"]]
    assert [table[1].split(",")[-4:] for table in tables] == [
        ["", "2", "4", ""],
        ["cat", "2", "4", "1"],
    ]
    assert "train 2 (2 strokes)" in (folder / "results/a/explorer.html").read_text()
    assert '"cat 1 (2 strokes)"' in (folder / "results/b/explorer.html").read_text()
    colors = {color for (color,) in project.query("SELECT color FROM palettes")}
    assert {0x000000, 0xFFFFFF} <= colors
    skipped = (folder / "results/skipped.tsv").read_text()
    assert "train 1\tno extent: its 1 points are one" in skipped
    assert "line 2\ta broken line, no JSON" in skipped
    methods = (folder / "results/methods.md").read_text()
    assert "as lines 16 pixels wide" in methods
    for film in "ab":
        for name in (
            *("barcodes/contact.png", "explorer.html", "tables/frames.csv"),
            "sketches/average.png",
        ):
            assert (folder / f"results/{film}" / name).stat().st_size
    with tarfile.open(folder / "results/a/frames/00001.tar") as frames:
        assert frames.getnames() == ["00000002.png", "00000002.json"]
    assert project.run(**config).jobs == set()
