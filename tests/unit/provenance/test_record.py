"""What databases say of how films were made."""

import json

import pytest

from databases import N_COLORS, ROW, merge, query, write_shard
from reelbow.database.merging import merge_films
from reelbow.errors import ReelbowError
from reelbow.provenance.record import find_versions, read_makings

VIDEO = {"cluster.n_colors": 3, "sampling.mode": "interval"}
IMAGES = {"cluster.n_colors": 3}


@pytest.fixture
def database(tmp_path):
    """Two films: a video of two shards, and one tarball."""
    video = ROW._replace(digest="d" * 8, sampling="interval", every=1.0, n_frames=5)

    def about(settings, numba):
        return {
            "settings": json.dumps(settings),
            "version/reelbow": "0.2.0",
            "version/numba": numba,
        }

    shards = [
        write_shard(
            tmp_path / "00000.sqlite",
            range(3),
            row=video,
            metadata=about(VIDEO, "1.0"),
            palettes={0: [((1, 2, 3), 0.5, False), ((9, 2, 3), 0.5, True)]},
        ),
        write_shard(
            tmp_path / "00001.sqlite",
            [3],
            shard="00001",
            skipped=[("4", "no picture")],
            row=video,
            metadata=about(VIDEO, "1.1"),
            engine="cupy",
            made_at="2026-01-02T03:04:09+00:00",
        ),
    ]
    films = [merge(shards, [3, 2], tmp_path / "video.sqlite", row=video)]
    tapes = ROW._replace(film="reelbow", title="Tapes", source="tapes/*.tar")
    shard = write_shard(
        tmp_path / "tape.sqlite", range(2), row=tapes, metadata=about(IMAGES, "1.0")
    )
    films.append(merge([shard], [None], tmp_path / "tapes.sqlite", row=tapes))
    merge_films(films, tmp_path / "palettes.sqlite", n_colors=N_COLORS)
    return tmp_path / "palettes.sqlite"


def test_films_settings_versions_and_engines_are_read(database):
    video, tapes = read_makings(database)
    # Of films that differ, each has a key of its own.
    assert query(database, "SELECT value FROM metadata WHERE key = 'settings'") == []
    assert (video.settings, tapes.settings) == (VIDEO, IMAGES)
    assert video.versions["numba"] == {"1.0", "1.1"}
    assert tapes.versions == {"numba": {"1.0"}, "reelbow": {"0.2.0"}}
    assert {name: made.n_parts for name, made in video.engines.items()} == {
        "cupy": 1,
        "numba": 1,
    }
    assert (video.n_read, video.n_missing, video.n_lost) == (4, 1, 0)
    assert (video.n_colors, video.n_accents) == (8, 1)
    assert video.tarballs == {}
    assert tapes.tarballs == {"tape.tar": "digest of tape"}
    assert video.started_at == "2026-01-02T03:04:05+00:00"
    assert video.ended_at == "2026-01-02T03:04:09+00:00"
    assert find_versions([video, tapes]) == {
        "cupy": ["1.2"],
        "numba": ["1.0", "1.1"],
        "reelbow": ["0.2.0"],
    }


def test_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "palettes.sqlite").write_bytes(b"none")
    with pytest.raises(ReelbowError, match=r"palettes\.sqlite"):
        read_makings(tmp_path / "palettes.sqlite")
