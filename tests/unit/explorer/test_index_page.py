import base64
import errno
import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from databases import ROW, change, merge, write_shard
from reelbow.barcode import draw_barcode
from reelbow.color.spaces import srgb_to_oklab
from reelbow.explorer import index_page
from reelbow.explorer.index_page import sum_up_colors, write_page

MEAN = {"kind": "mean"}


def make_film(results, film, frames=(0, 1), *, planned=2, skipped=(), **row):
    """Make the database of a film as merge_film does."""
    folder = results / film
    folder.mkdir(parents=True)
    shard = write_shard(folder / "00000.sqlite", frames, skipped=skipped)
    own = ROW._replace(film=film, **{"title": film.upper(), **row})
    return merge([shard], [planned], folder / "palettes.sqlite", row=own)


def write(results, films, **more):
    """Write the page, and read what it says of each film."""
    page = results / "index.html"
    write_page(page, films, **{"drawing": MEAN, "code": "c", **more})
    entries = index_page._read_entries(page)
    return {entry["film"]: entry for entry in entries}


def read_colors(text):
    """Read packed colors, as (n, 3) sRGB, and their shares."""
    rows = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 5)
    return rows[:, :3], rows[:, 3:].copy().view(">u2").ravel() / 65_535


def pack(*rows):
    return np.array(rows, np.float64)


def test_a_film_has_what_it_is_sorted_and_filtered_by(tmp_path):
    make_film(tmp_path, "a", sheet='{"year": "1953"}')
    entry = write(tmp_path, ["a"])["a"]
    assert (entry["title"], entry["frames"], entry["skipped"]) == ("A", 2, 0)
    assert (entry["seconds"], entry["own"]) == (12.0, {"year": "1953"})
    assert entry["made"] == "2026-01-02T03:04:05+00:00"
    assert entry["page"] is True
    # Palettes are (0, 1, 2) or (1, 1, 2) by three quarters, and (3, 4, 5).
    mean = srgb_to_oklab([[0, 1, 2], [1, 1, 2], [3, 4, 5]])
    mean = [0.375, 0.375, 0.25] @ mean
    assert entry["lightness"] == pytest.approx(mean[0], abs=1e-3)


def test_its_picture_is_its_barcode(tmp_path):
    database = make_film(tmp_path, "a", range(200), planned=200)
    entry = write(tmp_path, ["a"])["a"]
    with Image.open(io.BytesIO(base64.b64decode(entry["picture"]))) as image:
        assert image.format == "WEBP"
        pixels = np.asarray(image.convert("RGB")).astype(int)
    # The frames' means are reds that rise.
    truth = draw_barcode(database, "mean", height=64, width=360).astype(int)
    assert np.ptp(truth) == 199
    assert np.abs(pixels - truth).max() <= 8


@pytest.mark.parametrize(
    ("row", "seconds"),
    [
        ({"duration_s": 100.0}, 100.0),
        ({"duration_s": 100.0, "start_s": 20.0}, 80.0),
        ({"duration_s": 100.0, "start_s": 20.0, "end_s": 50.0}, 30.0),
        ({"duration_s": 100.0, "end_s": 500.0}, 100.0),
        # Of a tarball as far as its frames go.
        ({"duration_s": None}, 0.5),
    ],
)
def test_its_length_is_what_was_sampled(tmp_path, row, seconds):
    make_film(tmp_path, "a", **row)
    assert write(tmp_path, ["a"])["a"]["seconds"] == seconds


@pytest.mark.parametrize(
    ("color", "hue"),
    [(0xFF0000, 29.2), (0x00FF00, 142.5), (0x0000FF, 264.1), (0x808080, None)],
)
def test_hue_is_the_angle_in_oklab_and_gray_has_none(color, hue):
    about = sum_up_colors([pack([color, 1])])
    assert about["mean"] == f"#{color:06x}"
    assert about["hue"] == (hue if hue is None else pytest.approx(hue, abs=0.1))


def test_shares_of_colors_are_kept():
    parts = [pack([0xFF0000, 1], [0x0000FF, 3]), pack([0xFF0000, 4])]
    about = sum_up_colors(parts)
    colors, shares = read_colors(about["colors"])
    assert colors.tolist() == [[255, 0, 0], [0, 0, 255]]
    np.testing.assert_allclose(shares, [5 / 8, 3 / 8], atol=1e-5)


def test_of_many_colors_the_rest_counts_with_the_most_similar():
    dice = np.random.default_rng(0)
    packed = dice.integers(0, 1 << 24, 20_000)
    about = sum_up_colors([np.stack([packed, dice.random(20_000)], axis=1)])
    colors, shares = read_colors(about["colors"])
    assert len(colors) == index_page.MOST_COLORS
    assert shares.sum() == pytest.approx(1, abs=1e-3)
    # The mean of what is kept is that of all.
    mean = shares @ srgb_to_oklab(colors)
    assert mean[0] == pytest.approx(about["lightness"], abs=0.01)


def test_films_without_frames_and_failed_ones_say_why(tmp_path):
    make_film(tmp_path, "empty", (), planned=0)
    make_film(tmp_path, "old")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn/palettes.sqlite").write_bytes(b"SQLite format 3\0 and no more")
    entries = write(
        tmp_path,
        ["empty", "old", "gone"],
        others=["torn"],
        faults={"gone": "no such file", "old": "the disk is away"},
    )
    assert list(entries) == ["empty", "old", "gone", "torn"]
    assert entries["empty"]["fault"] == "it has no frames"
    assert entries["gone"]["fault"] == "no such file"
    assert "torn/palettes.sqlite" in entries["torn"]["fault"]
    assert entries["old"]["note"] == "as an earlier run left it: the disk is away"
    assert {film for film, each in entries.items() if each["page"]} == {"old"}
    # When its disk is back nothing more is said of it.
    assert "note" not in write(tmp_path, ["old"])["old"]


def test_a_film_of_an_earlier_run_leads_to_the_page_that_it_has(tmp_path):
    for film in ["with", "without"]:
        make_film(tmp_path, film)
    (tmp_path / "with/explorer.html").touch()
    entries = write(tmp_path, [], others=["with", "without"])
    assert [entry["page"] for entry in entries.values()] == [True, False]


def test_films_that_have_not_changed_cost_nothing_again(tmp_path, monkeypatch):
    for film in ["a", "b"]:
        make_film(tmp_path, film)
    drawn = []
    draw = index_page._draw
    monkeypatch.setattr(
        index_page,
        "_draw",
        lambda database, drawing: (
            drawn.append(database.parent.name) or draw(database, drawing)
        ),
    )
    first = write(tmp_path, ["a", "b"])
    assert write(tmp_path, ["b", "a"]) == first
    assert drawn == ["a", "b"]
    (tmp_path / "a/palettes.sqlite").unlink()
    (tmp_path / "a").rename(tmp_path / "old")
    make_film(tmp_path, "a", (0,), planned=1)
    assert write(tmp_path, ["a", "b"])["a"]["frames"] == 1
    assert drawn == ["a", "b", "a"]
    write(tmp_path, ["a", "b"], code="another")
    write(tmp_path, ["a", "b"], code="another", drawing={"kind": "strip"})
    assert drawn[3:] == ["a", "b"] * 2
    # A page that somebody broke is no trap.
    (tmp_path / "index.html").write_text("no page")
    write(tmp_path, ["b"])
    assert drawn[7:] == ["b"]


def test_a_film_is_not_taken_for_another_one_of_the_same_rows(tmp_path):
    make_film(tmp_path, "a")
    write(tmp_path, ["a"])
    (tmp_path / "a").rename(tmp_path / "b")
    entry = write(tmp_path, ["b"])["b"]
    assert entry["film"] == "b"


def test_databases_without_a_digest_are_looked_at_each_time(tmp_path):
    database = make_film(tmp_path, "a")
    change(database, "DELETE FROM metadata WHERE key = 'rows'")
    assert write(tmp_path, ["a"])["a"]["title"] == "A"
    change(database, "UPDATE films SET title = 'B'")
    assert write(tmp_path, ["a"])["a"]["title"] == "B"


def test_titles_are_data_and_never_markup(tmp_path):
    title = "</script><img src=x onerror=alert(1)>"
    make_film(tmp_path, "a", title=title, sheet=json.dumps({title: title}))
    entry = write(tmp_path, ["a"])["a"]
    assert (entry["title"], entry["own"]) == (title, {title: title})
    assert "<img src=x" not in (tmp_path / "index.html").read_text()


def test_a_disk_that_is_away_is_no_fault_of_a_film(tmp_path, monkeypatch):
    make_film(tmp_path, "a")

    def fail(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(index_page, "telling_damage", fail)
    with pytest.raises(OSError, match="Input/output"):
        write(tmp_path, ["a"])
