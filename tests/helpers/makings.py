"""Films as databases describe their making, for what is written of it."""

from typing import Any

from reelbow.database.schema import FilmRow
from reelbow.provenance.record import Engine, FilmMaking

SETTINGS: dict[str, Any] = {
    "crop.letterbox": "auto",
    "downsample.height": 90,
    "mean.space": "srgb",
    "mean.exact": True,
    "cluster.n_colors": 8,
    "cluster.accents": 0,
    "cluster.color_space": "oklab",
    "cluster.n_init": 5,
    "cluster.seed": 0,
    "cluster.cpu_engine": "numba",
    "sampling.mode": "interval",
    "sampling.every": 1.0,
}
ROW = FilmRow(
    film="lake",
    title="The Lake",
    source="films/lake.mkv",
    digest="sha256/chunks:" + "1a" * 32,
    start_s=0.0,
    sampling="interval",
    every=1.0,
    n_frames=120,
    n_pictures=2880,
    width=1920,
    height=1080,
    duration_s=120.0,
    crop_asked="auto",
    matrix="bt709",
    color_range="limited",
    transfer="sdr",
    primaries="bt709",
    made_at="2026-01-02T03:05:00+00:00",
)
VERSIONS = {
    "reelbow": "0.2.0",
    "av": "18.1.0",
    "numba": "0.68.1",
    "pillow": "13.0.0",
    "scikit-learn": "1.9.1",
    "simplejpeg": "1.9.0",
    "snakemake": "9.27.1",
}


def describe(
    row: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    **changes: Any,
) -> FilmMaking:
    """Describe a usual film, but for what is given."""
    usual = {
        "row": ROW._replace(**(row or {})),
        "settings": SETTINGS | (settings or {}),
        "versions": {name: frozenset({v}) for name, v in VERSIONS.items()},
        **{"n_read": 120, "n_missing": 0, "n_lost": 0},
        **{"n_colors": 960, "n_accents": 0},
        "engines": {"numba": Engine(1, frozenset({"0.68.1"}))},
        "tarballs": {},
        "started_at": "2026-01-02T03:04:05+00:00",
        "ended_at": "2026-01-02T03:05:00+00:00",
    }
    return FilmMaking(**(usual | changes))


def describe_tarballs(
    row: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    **changes: Any,
) -> FilmMaking:
    """Describe a usual film of tarballs of images, but for what is given."""
    own = {
        **{"film": "tapes", "title": "The Tapes", "source": "tapes/*.tar"},
        **{"digest": None, "start_s": None, "sampling": None, "every": None},
        **{"matrix": None, "color_range": None, "transfer": None, "primaries": None},
    }
    making = describe(own | (row or {}), settings, **changes)
    settings = {
        key: value
        for key, value in making.settings.items()
        if not key.startswith("sampling.")
    }
    tarballs = {"tapes/1.tar": "sha256/chunks:" + "2b" * 32, "tapes/2.tar": None}
    return FilmMaking(
        **{**vars(making), "settings": settings, "tarballs": tarballs} | changes
    )
