"""Runs that compile, while they begin, what their jobs then find."""

import re
import shutil

import cv2
import numpy as np

from films import write_film
from projects import NO_PICTURES, write_tarball
from sketches import STROKES, write_ndjson

# Colors enough for all of k-means, which a frame of few does without.
FRAMES = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3), np.uint8)
SHEET = "film\tsource\nvideo\tfilm.mp4\ntape\ttape.tar\ncat\tcat.ndjson\n"


def test_jobs_compile_nothing_that_was_not_compiled_for_them(project):
    """Else there would be code of other types, of which nobody made a note."""
    cache = project.folder / "cache"
    project.environment["NUMBA_CACHE_DIR"] = str(cache)
    write_film(project.folder / "film.mp4", FRAMES, rate=1)
    pictures = {
        f"{suffix}.{suffix}": cv2.imencode(f".{suffix}", FRAMES[0])[1].tobytes()
        for suffix in ("jpg", "png", "webp")
    }
    write_tarball(project.folder / "tape.tar", pictures)
    write_ndjson(project.folder / "cat.ndjson", STROKES, STROKES[:1])
    (project.folder / "config" / "films.tsv").write_text(SHEET)
    config = {"films": "config/films.tsv", "cluster": {"accents": 1}, **NO_PICTURES}
    first = project.make(**config)
    assert re.search("compiling for this machine, once: [01] of 7 done", first.stderr)
    notes = list(cache.glob("reelbow-*"))
    assert len(notes) == 7
    code = set(cache.rglob("*.nbc"))
    assert {path.stem.split("-")[0] for path in code} == {
        "engine_numba._find_all",
        "accent_search.search_accents",
        "yuv_average._average",
        "area_average._average",
        "strokes._draw",
        "measures._measure_points",
        "color_sums._add",
    }
    assert len(code) == 7
    text = "".join(note.read_text() for note in notes)
    assert all(path.name in text for path in code)
    shutil.rmtree(project.folder / "results")
    assert "compil" not in project.make(**config).stderr


def test_a_dry_run_compiles_nothing(project):
    project.environment["NUMBA_CACHE_DIR"] = str(project.folder / "cache")
    write_film(project.folder / "film.mp4", FRAMES, rate=1)
    project.make("--dry-run", films="film.mp4", **NO_PICTURES)
    assert not (project.folder / "cache").exists()
