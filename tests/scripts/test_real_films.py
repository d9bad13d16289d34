"""The real films of ../shared/data, from the file to the rows of its shard."""

import itertools
import math
from functools import partial

import av
import numpy as np
import pytest

from chain import is_alike, run_chain, unpack
from films import from_yuv
from formulas import TO_BT709, to_code, to_light
from plans import plan_film
from reelbow.film.probe import probe_film
from reelbow.film.view import develop_frame, show_frame
from reelbow.pictures.geometry import Crop
from shared_films import shared_film

pytestmark = pytest.mark.shared


plan_only = partial(plan_film, every=1.0)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("bbb_rotated90_1080p_24fps_h264.mp4", (1080, 1920)),
        ("puppy_rotated180_VFR_h264_phone.mp4", (1280, 720)),
        ("bbb_800x640_sar64x45_h264_bpyramid.mp4", (1138, 640)),
        ("bbb_firstpts_10s_h264.mp4", (1137, 640)),
        ("bbb_telecined_ntsc_720x480i_mpeg2.ts", (853, 480)),
        ("tears_of_steel_battle_800x332_24fps_vp8.webm", (798, 332)),
    ],
)
def test_thumbnails_and_strips_have_the_shape_the_viewer_saw(tmp_path, name, size):
    found = run_chain(shared_film(name), tmp_path, end_s=2.0, crop="none")
    assert (found.plan["width"], found.plan["height"]) == size
    width = round(size[0] * 90 / size[1])
    for pixels, strip in zip(found.pixels, found.strips, strict=True):
        assert abs(pixels.shape[1] - width) <= 1
        assert pixels.shape[0] == 90
        # The strip is of the upright picture, and both are of all its pixels.
        assert np.abs(pixels.astype(float).mean(axis=1) - strip).max() < 0.5


def planes(frame):
    """Read the code values of the planes of a 4:2:0 frame."""
    codes = frame.to_ndarray()
    chroma = codes[frame.height :].reshape(2, frame.height // 2, frame.width // 2)
    return codes[: frame.height], *chroma


def test_ten_bits_and_bt2020_come_as_by_exact_floats():
    path = shared_film("roadtrip_10bit_vp9p2.webm")
    probe = probe_film(path)
    assert probe.pixel_format == "yuv420p10le"
    assert (probe.coding.matrix, probe.coding.primaries) == ("bt2020", "bt2020")
    assert probe.coding.assumed == "primaries"
    with av.open(path) as container:
        frame = next(container.decode(video=0))
    # where a block of 2x2 pixels is nearly flat, its chroma is that of the block
    luma, *chroma = planes(frame)
    luma = luma.reshape(120, 2, 213, 2).astype(float)
    flat = np.ptp(luma, axis=(1, 3)) < 8
    codes = np.stack([luma.mean(axis=(1, 3)), *chroma], axis=-1)
    coded = from_yuv(codes, matrix="bt2020", bits=10)
    light = to_light(coded) @ TO_BT709["bt2020"].T
    expected = 255 * to_code(light.clip(0, 1))
    picture = show_frame(frame, probe).astype(float)
    blocks = picture.reshape(120, 2, 213, 2, 3).mean(axis=(1, 3))
    assert flat.mean() > 0.3
    assert np.abs(blocks - expected)[flat].mean() < 1
    assert np.abs(blocks.mean((0, 1)) - expected.mean((0, 1))).max() < 0.5


def test_an_interlaced_film_is_its_upper_field():
    path = shared_film("bbb_telecined_ntsc_720x480i_mpeg2.ts")
    probe = probe_film(path)
    assert probe.interlaced
    with av.open(path) as container:
        frames = list(itertools.islice(container.decode(video=0), 40))
    n_woven = 0
    for frame in frames:
        luma, *_ = planes(frame)
        upper, lower = luma[::2].astype(float), luma[1::2]
        picture = develop_frame(frame, probe)
        assert picture.shape == (240, 720, 3)
        weights = {"bt601": [0.299, 0.587, 0.114], "bt709": [0.2126, 0.7152, 0.0722]}
        gray = 16 + 219 / 255 * (picture @ weights[probe.coding.matrix])
        assert np.abs(gray - upper).mean() < 1
        # those of telecine's frames whose fields are of two pictures
        n_woven += bool(np.abs(gray - lower).mean() > 4)
    assert n_woven > 3


@pytest.mark.parametrize(
    ("name", "crop"),
    [
        ("bbb_letterboxed_4x3_320x240_15fps_h264.mp4", Crop(320, 180, 0, 30)),
        ("chaplin_pillarbox_640x360_25fps_h264.mp4", Crop(496, 360, 72, 0)),
    ],
)
def test_bars_are_found(name, crop):
    planned = plan_only(shared_film(name))
    found = Crop.parse(planned["crop"])
    assert np.abs(np.array(found) - crop).max() <= 2
    if name.startswith("bbb"):
        assert found == crop


@pytest.mark.parametrize(
    "name",
    [
        "all_black_25s_320x240.mp4",
        "bbb_480p_24fps_h264_bframes.mp4",
        "his_girl_friday_640x480_30fps_h264.mp4",
        "flower_960x540_29.97fps_h264.mp4",
        "nasa_two_video_streams.mp4",
        "tears_of_steel_battle_800x332_24fps_vp8.webm",
    ],
)
def test_a_film_without_bars_is_not_cropped(name):
    assert plan_only(shared_film(name))["crop"] is None


def test_a_black_film_is_black_frames(tmp_path):
    path = shared_film("all_black_25s_320x240.mp4")
    found = run_chain(path, tmp_path, every=5.0)
    assert len(found.frames) == 5
    for frame, (mean, luma, _) in found.frames.items():
        assert unpack(mean).max() <= 1
        assert luma <= 1
        assert len(found.palettes[frame]) == 1


def test_the_test_card_has_equal_palettes_in_three_codecs(tmp_path):
    found = {
        codec: run_chain(
            shared_film(f"testcard_720p_25fps_400k_{codec}.mp4"),
            tmp_path,
            every=2.0,
            end_s=9.0,
        )
        for codec in ("avc", "hevc", "av1")
    }
    frames = list(found["avc"].frames)
    assert len(frames) >= 4
    for codec in ("hevc", "av1"):
        assert list(found[codec].frames) == frames
        for frame in frames:
            means = [unpack(found[each].frames[frame][0]) for each in ("avc", codec)]
            assert np.abs(means[0] - means[1]).max() <= 2
            palettes = [found[each].palettes[frame] for each in ("avc", codec)]
            assert is_alike(*palettes, levels=8, share=0.04)


def test_the_flash_is_found_when_every_frame_is_sampled(tmp_path):
    path = shared_film("navy_green_flash_at_15s_320x240.mp4")
    small = {"height": 24}
    found = run_chain(path, tmp_path, mode="frames", every=1, **small)
    assert len(found.frames) == 900
    green = [
        frame
        for frame, palette in found.palettes.items()
        if unpack(palette[0][0]).argmax() == 1
    ]
    assert green == list(range(447, 453))


def test_a_truncated_film_has_9_frames_and_21_that_are_missing(tmp_path):
    path = shared_film("TRUNCATED_faststart_bbb.mp4")
    found = run_chain(path, tmp_path)
    assert list(found.frames) == list(range(9))
    assert [name for name, _ in found.skipped] == [f"{i:08d}" for i in range(9, 30)]
    assert {reason for _, reason in found.skipped} == {
        "the file has no picture of this time"
    }
    ((start, end),) = found.plan["holes_s"]
    assert 8 < start < 9
    assert end == pytest.approx(30, abs=0.1)


@pytest.mark.parametrize(
    "name", ["city_360p_30.006fps_h264_phone.mp4", "bbb_642x642_30fps_vp9.webm"]
)
def test_a_film_of_an_odd_rate_or_shape_has_a_frame_a_second(name):
    planned = plan_only(shared_film(name))
    assert planned["n_frames"] == math.ceil(planned["duration_s"])


@pytest.mark.parametrize(
    ("name", "start_s", "end_s"),
    [
        ("bbb_full_384x216_25fps_h264.mp4", 0.68, 596.4),
        # A picture of dark and light things, and a film of nothing else than black.
        ("nasa_two_video_streams.mp4", 0.0, None),
        ("all_black_25s_320x240.mp4", 0.0, None),
        ("tears_of_steel_battle_800x332_24fps_vp8.webm", 0.0, None),
    ],
)
def test_black_is_trimmed_at_the_ends_alone(name, start_s, end_s):
    planned = plan_film(shared_film(name), every=0.04, trim="auto")
    assert (planned["start_s"], planned["end_s"]) == (start_s, end_s)
