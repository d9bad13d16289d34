"""The plan of a film of sketches, and what is said of wrong files."""

import numpy as np
import pytest

from reelbow.errors import ReelbowError
from reelbow.sources.sketches import make_plan
from sketches import STEPS, STROKES, write_ndjson, write_npz, write_pickle

USUAL = {
    **{"size": 64, "thickness": 0.1, "split": "train", "color": "black"},
    **{"per_shard": 2, "crop": "auto"},
}


def plan(path, **how):
    return make_plan([path], **(USUAL | {"max_pixels": 10**8} | how))


def test_drawings_are_counted_and_cut_into_shards(tmp_path):
    path = write_npz(tmp_path / "a.npz", train=[STEPS] * 5, test=[STEPS])
    planned = plan(path, crop="60:50:1:2")
    assert planned.pop("digest").startswith("sha256")
    assert planned == {
        **dict.fromkeys(["video", "sampling", "start_s", "end_s", "stream"]),
        "path": str(path),
        "sketches": {
            **{"size": 64, "thickness": 0.1, "split": "train", "color": "black"},
        },
        "width": 64,
        "height": 64,
        "duration_s": None,
        "crop": "60:50:1:2",
        "crop_asked": "60:50:1:2",
        "n_pictures": 5,
        "n_frames": 5,
        "shards": [
            {"shard": "00000", "first_frame": 0, "n_frames": 2},
            {"shard": "00001", "first_frame": 2, "n_frames": 2},
            {"shard": "00002", "first_frame": 4, "n_frames": 1},
        ],
    }
    assert plan(path, split="test")["n_frames"] == 1
    assert plan(path)["crop"] is None


def test_lines_are_found_again_without_those_before_them(tmp_path):
    path = write_ndjson(tmp_path / "a.ndjson", STROKES, "", "broken", STROKES)
    first, second = plan(path)["shards"]
    assert (first["line"], first["offset"], first["n_frames"]) == (1, 0, 2)
    assert (second["line"], second["n_frames"]) == (4, 1)
    assert path.read_text()[second["offset"] :].startswith('{"drawing"')


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.npz", b"no zip", "is no .npz file, or a damaged one"),
        ("a.npz", b"PK\5\6" + bytes(18), "has no split train, but no arrays"),
        ("a.ndjson", b"\n\n", "it is empty"),
        ("a.ndjson", b"\xff\xfe\n", "the first is line 1: a broken line, no JSON"),
        ("a.ndjson", b'{"drawing": 5}', 'the first is line 1: no list "drawing"'),
    ],
)
def test_a_file_of_another_kind_is_told(name, content, told, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ReelbowError, match=told) as caught:
        plan(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_wrong_npz_is_told(tmp_path):
    path = write_npz(tmp_path / "a.npz", train=[STEPS], valid=[STEPS])
    with pytest.raises(ReelbowError, match="no split dev, but train, valid; set sketc"):
        plan(path, split="dev")
    with pytest.raises(ReelbowError, match=r"sketches\.size 64 makes more pixels"):
        plan(path, max_pixels=64**2 - 1)
    with pytest.raises(ReelbowError, match="crop 65:1:0:0 reaches beyond"):
        plan(path, crop="65:1:0:0")
    write_npz(path, train=[[[1, 2, 1, 0, 0]]] * 2)
    with pytest.raises(ReelbowError, match="the first is train 0: stroke-5"):
        plan(path)
    write_npz(path, train=[])
    with pytest.raises(ReelbowError, match="it is empty"):
        plan(path)
    np.savez(path, train=np.zeros((5, 5)))
    with pytest.raises(ReelbowError, match=r"float64 in the shape \(5, 5\)"):
        plan(path)
    write_pickle(path, b"", 5)
    path.write_bytes(path.read_bytes().replace(b"NUMPY", b"MUMPS"))
    with pytest.raises(ReelbowError, match="damaged"):
        plan(path)
