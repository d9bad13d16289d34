"""The plan: which samples, which shards, which crop."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from films import numbered, numbered_film, write_film
from reelbow import pictures, planning
from reelbow.errors import ReelbowError
from reelbow.plan import Plan, find_shard, read_plan, write_plan
from reelbow.tarball import TarballWriter

GOP = {"gop": 12, "bframes": 2, "options": {"sc_threshold": "0"}}


@pytest.fixture(scope="module")
def film_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make 48 numbered pictures, 24 a second, from 1 s on; a keyframe every 12."""
    return write_film(
        tmp_path_factory.mktemp("film") / "film.mp4",
        (numbered(i) for i in range(48)),
        pts=range(24, 72),
        time_base=Fraction(1, 24),
        **GOP,
    )


def plan(path: Path, **how: Any) -> Plan:
    usual: dict[str, Any] = {
        "mode": "interval",
        "every": 0.25,
        "start_s": 0.0,
        "end_s": None,
        "per_shard": 3,
        "crop": "auto",
    }
    return planning.plan_video(path, **(usual | how))


def numbers(planned: Plan) -> list[list[int]]:
    return [
        [pts - planned["first_pts"] for pts in shard["pts"]]
        for shard in planned["shards"]
    ]


def test_samples_are_cut_into_shards_in_their_order(film_path: Path) -> None:
    planned = plan(film_path)
    assert numbers(planned) == [[0, 6, 12], [18, 24, 30], [36, 42]]
    assert planned["n_frames"] == 8
    assert [
        (shard["shard"], shard["first_frame"], shard["n_frames"])
        for shard in planned["shards"]
    ] == [("00000", 0, 3), ("00001", 3, 3), ("00002", 6, 2)]


@pytest.mark.parametrize("per_shard", [1, 5, 8, 600])
def test_the_samples_do_not_depend_on_the_shards(
    film_path: Path, per_shard: int
) -> None:
    samples = [number for part in numbers(plan(film_path)) for number in part]
    parts = numbers(plan(film_path, per_shard=per_shard))
    assert [number for part in parts for number in part] == samples
    assert all(len(part) == per_shard for part in parts[:-1])


def test_the_film_is_described(film_path: Path) -> None:
    planned = plan(film_path)
    assert (planned["width"], planned["height"]) == (96, 64)
    assert planned["duration_s"] == 2.0
    assert planned["time_base"] == "1/24"
    assert planned["first_pts"] == 24
    assert planned["n_pictures"] == 48
    assert planned["keyframes"] == [24, 36, 48, 60]
    assert planned["crop"] is None
    assert planned["video"]["codec"] == "h264"


def test_modes_frames_and_keyframes(film_path: Path) -> None:
    def all_in_one(mode: str, every: float, **how: Any) -> list[int]:
        (part,) = numbers(plan(film_path, mode=mode, every=every, per_shard=99, **how))
        return part

    assert all_in_one("frames", 10) == [0, 10, 20, 30, 40]
    assert all_in_one("frames", 10, start_s=0.5, end_s=1.0) == [12, 22]
    assert all_in_one("keyframes", 1) == [0, 12, 24, 36]
    assert all_in_one("keyframes", 2) == [0, 24]
    assert all_in_one("keyframes", 1, start_s=0.25, end_s=1.5) == [12, 24]
    assert all_in_one("interval", 0.5, start_s=0.3, end_s=1.4) == [7, 19, 31]


@pytest.mark.parametrize("stretch", [{"start_s": 2.0}, {"start_s": 1.0, "end_s": 1.0}])
@pytest.mark.parametrize("mode", ["interval", "frames", "keyframes"])
def test_a_stretch_with_nothing_in_it_is_refused(
    film_path: Path, mode: str, stretch: dict[str, float]
) -> None:
    with pytest.raises(ReelbowError) as caught:
        plan(film_path, mode=mode, every=1, **stretch)
    sentence = str(caught.value)
    assert sentence.startswith(f"{film_path}: nothing to sample between ")
    assert "2.000 s" in sentence
    assert "\n" not in sentence


def test_a_plan_is_written_and_read_and_is_plain_json(
    film_path: Path, tmp_path: Path
) -> None:
    planned = plan(film_path)
    write_plan(planned, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == planned
    assert json.loads((tmp_path / "plan.json").read_text()) == planned
    assert find_shard(planned, "00001")["first_frame"] == 3


# --- letterbox ------------------------------------------------------------------------


def scene(seed: int, size: tuple[int, int] = (96, 64)) -> NDArray[np.uint8]:
    """Draw a lit picture with bars of 8 rows above and below."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    rng = np.random.default_rng(seed)
    picture[8:-8] = rng.integers(90, 200, 3)
    return picture


def test_bars_are_found_and_can_be_kept(tmp_path: Path) -> None:
    path = write_film(
        tmp_path / "film.mp4",
        (scene(i // 4) for i in range(48)),
        gop=4,
        options={"crf": "5"},
    )
    assert plan(path)["crop"] == "96:48:0:8"
    assert plan(path, crop="none")["crop"] is None


def test_a_title_at_the_only_keyframe_does_not_decide_the_crop(tmp_path: Path) -> None:
    title = np.zeros((64, 96, 3), np.uint8)
    title[24:40, 30:60] = 255
    full = [numbered(i) for i in range(47)]
    path = write_film(tmp_path / "film.mp4", [title, *full], **{**GOP, "gop": 999})
    planned = plan(path)
    assert planned["keyframes"] == [0]
    assert planned["crop"] is None


def test_a_dark_first_picture_does_not_hide_the_bars(tmp_path: Path) -> None:
    frames = [np.zeros((64, 96, 3), np.uint8)] * 12
    frames += [scene(i // 6) for i in range(36)]
    path = write_film(
        tmp_path / "film.mp4",
        frames,
        gop=999,
        options={"sc_threshold": "0", "crf": "5"},
    )
    assert plan(path)["crop"] == "96:48:0:8"


def test_with_keyframes_enough_only_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = numbered_film(tmp_path / "film.mp4", 200, **{**GOP, "gop": 5})
    looked_at = []
    decode = planning.film.decode_pictures

    def spy(path: Path, keyframes: list[int], wanted: list[int], *how: Any) -> Any:
        looked_at.extend(wanted)
        return decode(path, keyframes, wanted, *how)

    monkeypatch.setattr(planning.film, "decode_pictures", spy)
    planned = plan(path)
    assert len(planned["keyframes"]) == 40
    assert len(looked_at) == planning.LETTERBOX_FRAMES
    assert set(looked_at) <= set(planned["keyframes"])


# --- tarballs -------------------------------------------------------------------------


def tarball(path: Path, images: list[NDArray[np.uint8] | bytes]) -> Path:
    with TarballWriter(path) as writer:
        for i, image in enumerate(images):
            data = (
                image
                if isinstance(image, bytes)
                else pictures.encode_jpeg(image, quality=95)
            )
            writer._add(f"{i}.jpg", data)
    return path


def test_each_tarball_is_a_shard_as_it_stands(tmp_path: Path) -> None:
    paths = [tarball(tmp_path / f"{i}.tar", [numbered(i)] * 3) for i in range(3)]
    planned = planning.plan_tarballs(paths, crop="auto")
    assert planned == {
        "video": None,
        "width": 96,
        "height": 64,
        "duration_s": None,
        "crop": None,
        "n_frames": None,
        "shards": [
            {"shard": f"0000{i}", "n_frames": None, "tarball": str(path)}
            for i, path in enumerate(paths)
        ],
    }


def test_bars_in_tarballs_are_found_and_can_be_kept(tmp_path: Path) -> None:
    paths = [tarball(tmp_path / "t.tar", [scene(i) for i in range(9)])]
    assert planning.plan_tarballs(paths, crop="auto")["crop"] == "96:48:0:8"
    assert planning.plan_tarballs(paths, crop="none")["crop"] is None


def test_images_of_several_sizes_have_no_size_and_no_bars(tmp_path: Path) -> None:
    images = [scene(1), scene(2), scene(3, (64, 96))]
    planned = planning.plan_tarballs(
        [tarball(tmp_path / "t.tar", images)], crop="auto"
    )
    assert (planned["width"], planned["height"], planned["crop"]) == (None, None, None)


def test_what_cannot_be_read_hides_nothing_else(tmp_path: Path) -> None:
    cut = tarball(tmp_path / "cut.tar", [scene(1)] * 5)
    cut.write_bytes(cut.read_bytes()[:3000])
    mixed = tarball(tmp_path / "mixed.tar", [b"no image", scene(1), scene(2)])
    missing = tmp_path / "missing.tar"
    planned = planning.plan_tarballs([cut, missing, mixed], crop="auto")
    assert (planned["width"], planned["height"]) == (96, 64)
    assert planned["crop"] == "96:48:0:8"
    assert len(planned["shards"]) == 3
    none = planning.plan_tarballs([cut, missing], crop="auto")
    assert (none["width"], none["height"], none["crop"]) == (None, None, None)


def test_few_images_of_many_tarballs_are_looked_at(tmp_path: Path) -> None:
    path = tarball(tmp_path / "t.tar", [numbered(0)] * 20)
    loaded = []
    decode = pictures.decode_image

    def spy(data: bytes, **how: Any) -> pictures.DecodedImage:
        loaded.append(data)
        return decode(data, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning.pictures, "decode_image", spy)
        planning.plan_tarballs([path] * 100, crop="auto")
    assert 0 < len(loaded) <= planning.LETTERBOX_FRAMES
