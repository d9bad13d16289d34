"""The plan: which samples, which shards, which crop."""

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from films import GOP, letterboxed_scene, numbered, numbered_film, turn, write_film
from plans import plan_film
from reelbow.errors import ReelbowError
from reelbow.pictures.geometry import Crop
from reelbow.shards.plan import Plan, find_shard, read_plan, write_plan
from reelbow.sources import crop as planning
from reelbow.sources import video
from reelbow.sources.demo import draw_frames


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


plan = partial(plan_film, per_shard=3)


def numbers(planned: Plan) -> list[list[int]]:
    return [
        [pts - planned["start_pts"] for pts in shard["pts"]]
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
    assert planned["start_pts"] == 24
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


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a film that coding hardly changes, so that its bars stay black."""
    return partial(write_film, tmp_path / "film.mp4", options={"crf": "5"})


def test_bars_are_found_and_can_be_kept(write: Callable[..., Path]) -> None:
    path = write((letterboxed_scene(i // 4) for i in range(48)), gop=4)
    assert plan(path)["crop"] == "96:48:0:8"
    assert plan(path, crop="none")["crop"] is None


def test_a_title_at_the_only_keyframe_does_not_decide_the_crop(
    write: Callable[..., Path],
) -> None:
    title = np.zeros((64, 96, 3), np.uint8)
    title[24:40, 30:60] = 255
    full = [numbered(i) for i in range(47)]
    planned = plan(write([title, *full], **{**GOP, "gop": 999}))
    assert planned["keyframes"] == [0]
    assert planned["crop"] is None


def test_with_keyframes_enough_only_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = numbered_film(tmp_path / "film.mp4", 200, **{**GOP, "gop": 5})
    spy = Mock(wraps=video.decode_pictures)
    monkeypatch.setattr(video, "decode_pictures", spy)
    planned = plan(path)
    assert len(planned["keyframes"]) == 40
    _, _, looked_at, *_ = spy.call_args.args
    assert len(looked_at) == planning.LETTERBOX_FRAMES
    assert set(looked_at) <= set(planned["keyframes"])


def test_bars_are_those_of_the_chosen_stretch(write: Callable[..., Path]) -> None:
    full = [np.full((64, 96, 3), 90 + 10 * i, np.uint8) for i in range(12)]
    barred = [letterboxed_scene(i) for i in range(12)]
    path = write([*full, *barred], rate=4, gop=1)
    assert plan(path, end_s=3.0)["crop"] is None
    assert plan(path, start_s=3.0)["crop"] == "96:48:0:8"
    assert plan(path, start_s=3.0, mode="keyframes", every=2)["crop"] == "96:48:0:8"


LOW_RATES = {
    "libx264": {"crf": "48"},
    "mpeg2video": {"qmin": "31", "qmax": "31"},
    "libvpx": {"b": "20k", "deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"crf": "60", "b": "0", "deadline": "realtime", "cpu-used": "8"},
}


def letterboxed(logo: bool) -> Iterator[NDArray[np.uint8]]:
    """Draw 32 pictures of the demo film, at 2.37:1 in 16:9: 256x144, 18 rows a bar."""
    for picture in islice(draw_frames(every=36), 32):
        whole = np.zeros((144, 256, 3), np.uint8)
        small = cv2.resize(picture, (256, 144), interpolation=cv2.INTER_AREA)
        whole[18:-18] = small[18:-18]
        if logo:
            whole[5:14, 222:246] = 190, 200, 210
        yield whole


@pytest.mark.parametrize("logo", [False, True])
@pytest.mark.parametrize("codec", LOW_RATES)
def test_bars_are_found_at_low_bit_rates_and_beside_a_logo(
    tmp_path: Path, codec: str, logo: bool
) -> None:
    path = write_film(
        tmp_path / "film.mkv",
        letterboxed(logo),
        rate=4,
        codec=codec,
        gop=4,
        options=LOW_RATES[codec],
    )
    planned = plan(path)
    assert planned["crop"] is not None
    crop = Crop.parse(planned["crop"])
    assert (crop.width, crop.x) == (256, 0)
    # At most 2 lines of a bar are left, and no more than 1 of the picture is cut off.
    assert 16 <= crop.y <= 19
    assert 125 <= crop.y + crop.height <= 128


@pytest.mark.parametrize("gop", [1, 999])
def test_subtitles_fades_and_black_do_not_hide_the_bars(
    write: Callable[..., Path], gop: int
) -> None:
    frames = []
    for i in range(40):
        picture = (letterboxed_scene(i) * min(1.0, i / 10)).astype(np.uint8)
        if i % 3:
            picture[57:62, 30:66] = 220
        frames.append(picture)
    assert plan(write(frames, rate=4, gop=gop))["crop"] == "96:48:0:8"


def test_a_black_film_is_not_cropped_away(write: Callable[..., Path]) -> None:
    assert plan(write([np.zeros((64, 96, 3), np.uint8)] * 24))["crop"] is None


def test_bars_of_a_turned_film_are_those_that_are_seen(
    write: Callable[..., Path],
) -> None:
    path = write(letterboxed_scene(i) for i in range(12))
    planned = plan(turn(path, (0, 1, -1, 0)))
    assert (planned["width"], planned["height"]) == (64, 96)
    assert planned["crop"] == "48:96:8:0"


def test_bars_are_of_the_picture_with_square_pixels(write: Callable[..., Path]) -> None:
    pillars = (letterboxed_scene(i).transpose(1, 0, 2) for i in range(12))
    planned = plan(write(pillars, sample_aspect_ratio=Fraction(2)))
    assert (planned["width"], planned["height"]) == (128, 96)
    assert planned["crop"] == "96:96:16:0"


def test_the_film_s_own_crop_is_taken_as_it_is_or_refused(film_path: Path) -> None:
    assert plan(film_path, crop="40:20:50:44")["crop"] == "40:20:50:44"
    assert plan(film_path, crop="96:64:0:0")["crop"] == "96:64:0:0"
    for wrong in ("97:64:0:0", "40:20:57:0", "40:20:0:45", "0:20:0:0", "20:0:0:0"):
        with pytest.raises(ReelbowError) as caught:
            plan(film_path, crop=wrong)
        sentence = str(caught.value)
        assert sentence.startswith(f"{film_path}: crop {wrong} reaches beyond ")
        assert "96x64" in sentence
    with pytest.raises(ReelbowError, match="w:h:x:y"):
        plan(film_path, crop="letterbox")


def test_bars_of_a_4k_film_are_found_in_a_smaller_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as if 24 lines were what is looked at: a film of 60 is 2.5 times as high
    for module in (planning, video):
        monkeypatch.setattr(module, "LETTERBOX_LINES", 24)
    picture = np.full((60, 100, 3), 160, np.uint8)
    picture[:11] = picture[-11:] = 0
    path = write_film(
        tmp_path / "film.mkv", [picture] * 3, codec="ffv1", pix_fmt="bgr0"
    )
    crop = Crop.parse(plan(path)["crop"])
    assert (crop.width, crop.x) == (100, 0)
    # to what one of the lines that were looked at stands for
    assert abs(crop.y - 11) < 2.5
    assert abs(crop.y + crop.height - 49) < 2.5


@given(
    height=st.integers(1081, 9000),
    top=st.integers(0, 500),
    bottom=st.integers(540, 1080),
)
def test_an_enlarged_crop_lies_within_what_was_found(
    height: int, top: int, bottom: int
) -> None:
    factor, width = height / 1080, round(height * 16 / 9)
    found = Crop(1920, bottom - top, 0, top)
    crop = planning.enlarge_crop(found, width, height)
    assert top * factor <= crop.y < top * factor + 1
    assert bottom * factor - 1 < crop.y + crop.height <= min(height, bottom * factor)
    assert crop.x == 0
    assert width - 2 <= crop.width <= width


def test_a_small_crop_is_not_enlarged() -> None:
    crop = Crop(300, 200, 10, 20)
    assert planning.enlarge_crop(crop, 320, 240) == crop
