"""Mosaics in whole runs."""

import cv2
import numpy as np
from PIL import Image

from projects import COLORS, NO_PICTURES, write_colors, write_tarball


def write_target(path, colors):
    pixels = np.zeros((18, 32, 3), np.uint8)
    for place, color in enumerate(colors):
        pixels[:, 16 * place : 16 * (place + 1)] = list(color.to_bytes(3, "little"))
    cv2.imwrite(str(path), pixels)


def test_a_mosaic_is_made_of_all_films_and_only_what_changed_again(project):
    write_tarball(project.folder / "a.tar", COLORS[:2])
    write_tarball(project.folder / "b.tar", COLORS[2:4])
    write_target(project.folder / "x.png", COLORS[1:3])
    asked = {**NO_PICTURES, "explorer": {"page": True}}
    asked["films"] = ["a.tar", "b.tar"]
    before = project.make(**NO_PICTURES, films=asked["films"])
    assert not {job for job in before.jobs if "tiles" in job or "mosaic" in job}
    mosaic = {"target": "x.png", "columns": 4, "apart": 0, "tint": 0, "width": 256}
    told = project.make("--", "results/mosaics/x.html", **asked, mosaics={"x": mosaic})
    # What was decoded is not decoded again.
    tiles = {"make_tiles/a/a", "make_tiles/b/b"}
    assert told.jobs == {*tiles, "assign_tiles/x", "render_mosaic/x"}
    assert "3 films" not in told.stderr
    assert "  mosaics   results/mosaics/x.html, x.png, x_maps.png" in told.stderr
    found = project.query(
        'SELECT film, frame FROM cells ORDER BY row, "column"', "mosaics/x.sqlite"
    )
    assert found == [("a", 1), ("a", 1), ("b", 0), ("b", 0)] * 4
    with Image.open(project.folder / "results/mosaics/x.png") as image:
        assert image.size == (256, 144)
        row = [image.getpixel((x, 70)) for x in (10, 240)]
    for pixel, color in zip(row, COLORS[1:3], strict=True):
        assert np.abs(np.subtract(pixel, list(color.to_bytes(3, "big")))).max() < 8
    asked["explorer"] = {"page": False}
    tinted = {**mosaic, "tint": 0.5}
    again = project.make("--", "results/mosaics/x.png", **asked, mosaics={"x": tinted})
    assert again.jobs == {"render_mosaic/x"}
    assert not (project.folder / "results/mosaics/x.html").exists()
    once = {**mosaic, "max_use": 1}
    few = project.run("--", "results/mosaics/x.png", **asked, mosaics={"x": once})
    assert few.status != 0
    assert few.jobs == {"assign_tiles/x"}
    assert (
        "mosaics.x: 16 cells in 4 columns, but 4 frames for them, each used at most 1 "
        "time; give at most 2 columns, a larger max_use, or more frames"
    ) in few.stderr


def test_what_a_mosaic_lacks_is_told_early_and_holds_up_nothing_else(project):
    write_colors(project.folder / "a.mp4")
    target = project.folder / "x.png"
    write_target(target, COLORS[1:3])
    mosaic = {"target": "x.png", "columns": 4, "apart": 0, "width": 256}
    asked = {**NO_PICTURES, "films": ["a.mp4"], "mosaics": {"x": mosaic}}
    project.make(**asked)
    made = {path: path.read_bytes() for path in target.parent.glob("results/mosaics/*")}
    assert len(made) == 3

    # Refused before any job: nothing is lost.
    whole = target.read_bytes()
    target.write_bytes(whole[: len(whole) // 2])
    cut = project.run(**asked)
    assert (cut.status, cut.jobs) == (1, set())
    assert "Reelbow: config: mosaics.x.target: x.png: " in cut.stderr
    assert all(path.read_bytes() == data for path, data in made.items())

    target.write_bytes(whole)
    once = {**mosaic, "max_use": 1}
    few = project.run(**asked | {"films": ["a.mp4", "b.mp4"], "mosaics": {"x": once}})
    assert few.status == 1
    assert "b.mp4" in few.stderr
    write_colors(project.folder / "b.mp4")
    few = project.run(**asked | {"films": ["a.mp4", "b.mp4"], "mosaics": {"x": once}})
    assert few.status == 1
    assert "Traceback" not in few.stderr + few.stdout
    told = few.stderr.index("Reelbow: mosaics.x will fail: 16 cells in 4 columns, but")
    assert told < few.stderr.index("attempt 1 failed in assign_tiles")
    # All else is done, and the mosaic that was there is not said to be new.
    assert {"merge_film/b", "merge_films", "assign_tiles/x"} <= few.jobs
    done, old = few.stderr.split("Reelbow: of an earlier run, since this one could not")
    assert "results/mosaics" not in done[done.index("Reelbow: done:") :]
    assert "results/mosaics/x.png, x_maps.png" in old


def test_a_mosaic_that_waits_for_a_film_that_failed_is_told(project):
    write_colors(project.folder / "a.mp4")
    (project.folder / "b.tar").write_bytes(b"no tarball")
    write_target(project.folder / "x.png", COLORS[1:3])
    mosaic = {"target": "x.png", "columns": 4, "width": 256}
    asked = {**NO_PICTURES, "films": ["a.mp4", "b.tar"], "mosaics": {"x": mosaic}}
    failed = project.run(**asked)
    assert failed.status == 1
    sentence = "Reelbow: mosaic x is not made, since it is of all films; with errors."
    assert failed.stderr.count(sentence) == 1
    skipped = project.make(**asked, errors={"missing_shards": "skip"})
    assert "render_mosaic/x" in skipped.jobs
    assert sentence not in skipped.stderr


def test_any_shards_give_the_same_picture(project):
    photos = project.folder / "photos"
    photos.mkdir()
    for place, color in enumerate(COLORS):
        # Some upright: what cells they have is no matter of their shard.
        size = (60, 40) if place % 3 else (40, 60)
        pixels = np.random.default_rng(place).integers(0, 30, (*size, 3))
        pixels += list((color & 0xE0E0E0).to_bytes(3, "little"))
        cv2.imwrite(str(photos / f"{place}.png"), pixels.astype(np.uint8))
    write_target(project.folder / "x.png", COLORS[1:3])
    mosaic = {"target": "x.png", "columns": 4, "width": 512}
    asked = {**NO_PICTURES, "mosaics": {"x": mosaic}}
    asked["films"] = [str(write_colors(project.folder / "a.mp4")), "photos"]
    found = []
    for n in (100, 2):
        asked["shards"] = {"frames": n}
        project.make("--", "results/mosaics/x.png", **asked)
        with Image.open(project.folder / "results/mosaics/x.png") as image:
            found.append(np.asarray(image))
    assert (found[0] == found[1]).all()
    assert len(np.unique(found[0].reshape(-1, 3), axis=0)) > 100
