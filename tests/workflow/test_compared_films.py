"""Films compared in whole runs."""

import json

import pytest

from projects import COLORS, NO_PICTURES, write_colors
from shared_films import shared_film

# As in a longer film, the same color comes more than once.
FILM = [*COLORS, *COLORS[3:1:-1], *COLORS]
MATRIX = {"matrix.json", "matrix.csv", "matrix.png", "map.png"}


def test_pairs_and_all_films_are_compared_once_and_only_if_asked(project):
    write_colors(project.folder / "whole.mp4", FILM)
    write_colors(project.folder / "part.mp4", FILM[5:])
    asked = {"films": ["whole.mp4", "part.mp4"], **NO_PICTURES}
    jobs = project.make(**asked).jobs
    assert not {job for job in jobs if job.startswith("compare")}
    folder = project.folder / "results/comparisons"
    assert not folder.exists()

    pair = {**asked, "compare": [["whole", "part"]]}
    assert not project.make("--dry-run", **pair).jobs
    assert project.make(**pair).jobs == {"compare_films/whole--part"}
    about = json.loads((folder / "whole--part.json").read_text())
    assert about["films"] == ["whole", "part"]
    assert about["frames"]["shift_s"] == 5
    assert about["frames"]["with_band"]["mean_difference"] < 0.5
    assert (folder / "whole--part.png").exists()
    assert project.make(**pair).jobs == set()

    told = project.make(**asked, compare="all", provenance=True)
    assert told.jobs == {"compare_all", "write_provenance"}
    methods = (project.folder / "results/methods.md").read_text(encoding="utf-8")
    assert "2 films were compared, each with each, by" in methods
    assert {path.name for path in folder.iterdir()} >= MATRIX
    assert "compared" in told.stderr
    assert "not asked for by compare: whole--part in results" in told.stderr
    matrix = json.loads((folder / "matrix.json").read_text())
    assert matrix["films"] == ["whole", "part"]
    assert project.make(**asked, compare="all").jobs == set()
    # A film that changes is compared again, and a pair can be asked for by its name.
    write_colors(project.folder / "part.mp4", FILM[6:])
    changed = project.make("--dry-run", **asked, compare="all").counts
    assert {"compare_all", "merge_film"} <= changed.keys()
    asked_for = ["--", "results/comparisons/part--whole.json"]
    named = project.make(*asked_for, **asked)
    assert {"merge_film/part", "compare_films/part--whole"} <= named.jobs
    assert "compare: matrix and whole--part in results" in named.stderr
    found = json.loads((folder / "part--whole.json").read_text())
    assert found["frames"]["shift_s"] == -6
    assert project.run("--", "results/comparisons/part--x.json", **asked).status == 1


def test_a_film_of_no_frames_fails_its_pair_and_is_left_out_of_all(project):
    write_colors(project.folder / "a.mp4", FILM[:4])
    write_colors(project.folder / "b.mp4", FILM[2:4])
    (project.folder / "c.mkv").write_bytes(b"no film" * 100)
    asked = {
        "films": ["a.mp4", "b.mp4", "c.mkv"],
        "errors": {"missing_shards": "skip"},
        **NO_PICTURES,
    }
    failed = project.run(**asked, compare=[["a", "b"], ["a", "c"]])
    assert failed.status == 1
    assert "film c has no frame that could be read" in failed.stderr
    folder = project.folder / "results/comparisons"
    assert {path.name for path in folder.iterdir()} == {"a--b.json", "a--b.png"}
    project.make(**asked, compare="all")
    matrix = json.loads((folder / "matrix.json").read_text())
    assert (matrix["films"], matrix["left_out"]) == (["a", "b"], ["c"])


@pytest.mark.shared
def test_real_versions_of_a_film_are_near_and_their_shift_is_found(project):
    """480p of 24 fps, and letterboxed of 15 fps, against 216p of 25 fps."""
    whole = shared_film("bbb_full_384x216_25fps_h264.mp4")
    clip = shared_film("bbb_480p_24fps_h264_bframes.mp4")
    boxed = shared_film("bbb_letterboxed_4x3_320x240_15fps_h264.mp4")
    rows = [
        *["film\tsource\tstart_s\tend_s", f"part\t{whole}\t\t30"],
        *[f"around\t{whole}\t43\t68", f"clip\t{clip}\t\t", f"boxed\t{boxed}\t\t"],
    ]
    (project.folder / "films.tsv").write_text("\n".join(rows) + "\n")
    pairs = [["part", "clip"], ["around", "boxed"], ["clip", "boxed"]]
    asked = {"films": "films.tsv", "sampling": {"every": 0.5}, "compare": pairs}
    project.make(**asked, **NO_PICTURES)
    folder = project.folder / "results/comparisons"
    same, shifted, other = (
        json.loads((folder / f"{'--'.join(pair)}.json").read_text()) for pair in pairs
    )
    assert same["frames"]["shift_s"] == 0
    assert same["frames"]["with_band"]["mean_difference"] < 0.5
    assert same["palettes"]["earth_movers_distance"] < 2
    # It is at 0:48 of the film, of which the stretch begins at 0:43.
    assert shifted["frames"]["shift_s"] == pytest.approx(48, abs=0.1)
    assert shifted["frames"]["with_band"]["mean_difference"] < 1
    for near in (same, shifted):
        assert near["frames"]["agreement"] > 0.99
        assert near["barcodes"]["aligned"]["ssim_similarity"] > 0.95
    assert other["frames"]["agreement"] < 0.7
    assert other["frames"]["with_band"]["mean_difference"] > 5
    assert other["palettes"]["earth_movers_distance"] > 8
