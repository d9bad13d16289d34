"""What a figure says of the frames it shows and of what made it."""

import numpy as np
import pytest

from reelbow.barcode.caption import describe_barcode, describe_making
from reelbow.barcode.film_record import FilmRecord

SETTINGS = {"cluster.n_colors": 8, "cluster.color_space": "oklab", "mean.space": "srgb"}


def record(n=597, **changed):
    usual = {
        "film": "film",
        "title": "Film",
        "source": "films/film.mkv",
        "frames": np.arange(n),
        "times_s": None,
        "n_missing": 0,
        "n_black": 0,
        "sampling": "interval",
        "every": 1.0,
        "start_s": 0.0,
        "n_pictures": 14_911,
        "settings": SETTINGS,
        "version": "0.2.0",
    }
    return FilmRecord(**usual | changed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "a frame every second · 597 of 14,911 frames"),
        ({"every": 0.25}, "a frame every 0.25 seconds · 597 of 14,911 frames"),
        ({"every": 90.0}, "a frame every 90 seconds · 597 of 14,911 frames"),
        ({"every": 60.0}, "a frame every minute · 597 of 14,911 frames"),
        ({"every": 7200.0}, "a frame every 2 hours · 597 of 14,911 frames"),
        ({"n_pictures": 40}, "a frame every second · 597 samples of 40 frames"),
        (
            {"sampling": "frames", "n_pictures": 597},
            "every frame · 597 frames",
        ),
        (
            {"sampling": "frames", "every": 10.0},
            "every 10th frame · 597 of 14,911 frames",
        ),
        (
            {"sampling": "frames", "every": 2.0},
            "every 2nd frame · 597 of 14,911 frames",
        ),
        ({"sampling": "keyframes"}, "every keyframe · 597 of 14,911 frames"),
        (
            {"sampling": "keyframes", "every": 11.0},
            "every 11th keyframe · 597 of 14,911 frames",
        ),
        (
            {"start_s": 30.0, "end_s": 5400.0},
            "a frame every second · 597 of 14,911 frames · from 0:30 to 1:30:00",
        ),
        ({"start_s": 1.5}, "a frame every second · 597 of 14,911 frames · from 0:01.5"),
        (
            {"end_s": 59.999},
            "a frame every second · 597 of 14,911 frames · to 0:59.999",
        ),
        (
            {"n": 14, "n_missing": 6},
            "a frame every second · 8 of 14,911 frames · 6 of 14 frames missing",
        ),
        (
            {"n": 12, "n_black": 2, "n_missing": 1},
            "a frame every second · 13 of 14,911 frames · 1 of 14 frames missing · "
            "2 black frames left out",
        ),
        # Tarballs: every image counts.
        (
            {"n": 1, "sampling": None, "every": None, "n_pictures": None},
            "every image · 1 image",
        ),
        (
            {"n": 3, "sampling": None, "n_pictures": 3, "n_missing": 1},
            "every image · 2 of 3 images · 1 of 3 images missing",
        ),
        # A database that says nothing of it.
        (
            {"sampling": None, "every": None, "n_pictures": None, "settings": {}},
            "each sampled frame · 597 frames",
        ),
    ],
)
def test_it_says_what_was_sampled(changed, said):
    film = record(**changed)
    assert describe_barcode(film, "stacked") == f"Palette of {said}"
    assert describe_barcode(film, "mean") == f"Mean color of {said}"
    assert describe_barcode(film, "dominant") == f"Most frequent color of {said}"
    assert describe_barcode(film, "rarest") == f"Least frequent color of {said}"
    first, _, rest = said.partition(" · ")
    assert describe_barcode(film, "strip") == (
        f"{first[0].upper()}{first[1:]}, averaged over its width · {rest}"
    )


@pytest.mark.parametrize(
    ("kind", "changed", "said"),
    [
        ("stacked", {}, "film.mkv · Reelbow 0.2.0 · 8 colors in OKLab · order track"),
        ("dominant", {}, "film.mkv · Reelbow 0.2.0 · 8 colors in OKLab"),
        (
            "stacked",
            {"settings": SETTINGS | {"cluster.accents": 2}},
            "film.mkv · Reelbow 0.2.0 · 8 colors and up to 2 accents in OKLab · order "
            "track",
        ),
        (
            "dominant",
            {"settings": SETTINGS | {"cluster.accents": 0}},
            "film.mkv · Reelbow 0.2.0 · 8 colors in OKLab",
        ),
        ("mean", {}, "film.mkv · Reelbow 0.2.0"),
        (
            "strip",
            {"settings": {"mean.space": "linear"}, "crop": "1920:800:0:140"},
            "film.mkv · Reelbow 0.2.0 · crop 1920:800:0:140 · averages of linear light",
        ),
        (
            "dominant",
            {"settings": {"cluster.n_colors": 1}},
            "film.mkv · Reelbow 0.2.0 · 1 color in sRGB",
        ),
        (
            "dominant",
            {"settings": {"cluster.n_colors": "auto", "cluster.auto_colors": [1, 12]}},
            "film.mkv · Reelbow 0.2.0 · 1 to 12 colors in sRGB",
        ),
        (
            "stacked",
            {"settings": {}, "version": None},
            "film.mkv · Reelbow · order track",
        ),
        ("mean", {"source": "/archive/tapes/*.tar"}, "tapes/*.tar · Reelbow 0.2.0"),
    ],
)
def test_its_foot_says_what_made_it(kind, changed, said):
    assert describe_making(record(**changed), kind, "track") == f"source: {said}"
