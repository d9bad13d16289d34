"""The demo film and the films that tests make are what they say they are."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

import films
from reelbow.errors import ReelbowError
from reelbow.sources import demo

EVERY = 6  # every scene is a multiple of it long, so that cuts stay where they are


class Decoded(NamedTuple):
    times: list[Fraction]
    pictures: list[NDArray[np.uint8]]
    types: list[str]
    keyframes: list[bool]


def decode(path: Path) -> Decoded:
    decoded = Decoded([], [], [], [])
    with av.open(path) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None
            decoded.times.append(frame.pts * frame.time_base)
            decoded.pictures.append(frame.to_ndarray(format="rgb24"))
            decoded.types.append(av.video.frame.PictureType(frame.pict_type).name)
            decoded.keyframes.append(frame.key_frame)
    return decoded


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.mp4"
    demo.make_demo_film(path, every=EVERY)
    return path


@pytest.fixture(scope="module")
def decoded(path: Path) -> Decoded:
    return decode(path)


def pictures_of(decoded: Decoded, scene: demo.Scene) -> list[NDArray[np.uint8]]:
    return decoded.pictures[scene.start_frame // EVERY : scene.end_frame // EVERY]


def every_scene_with(is_so: Callable[[demo.Scene], object]) -> pytest.MarkDecorator:
    scenes = [scene for scene in demo.SCENES if is_so(scene)]
    return pytest.mark.parametrize("scene", scenes, ids=[each.name for each in scenes])


def test_scenes_lie_end_to_end() -> None:
    assert demo.SCENES[0].start_frame == 0
    assert all(a.end_frame == b.start_frame for a, b in pairwise(demo.SCENES))
    assert demo.SCENES[-1].end_frame == demo.N_FRAMES == 60 * demo.FPS
    assert all(scene.start_frame % EVERY == 0 for scene in demo.SCENES)
    assert len({scene.name for scene in demo.SCENES}) == len(demo.SCENES)


def test_letterboxed_stretch_is_one() -> None:
    barred = [scene for scene in demo.SCENES if scene.bar]
    assert barred[-1].end_frame - barred[0].start_frame == 12 * demo.FPS
    assert all(a.end_frame == b.start_frame for a, b in pairwise(barred))


def test_header_tells_size_rate_colors_and_credits(path: Path) -> None:
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == demo.SIZE
        assert stream.average_rate == Fraction(demo.FPS, EVERY)
        assert stream.frames == demo.N_FRAMES // EVERY
        assert (stream.codec.name, stream.profile) == ("h264", "High")
        assert stream.pix_fmt == "yuv420p"
        assert stream.codec_context.colorspace == Colorspace.ITU709
        assert stream.codec_context.color_range == ColorRange.MPEG
        assert container.metadata["comment"] == demo.CREDITS


def test_frames_are_evenly_spaced_from_0(decoded: Decoded) -> None:
    assert decoded.times == [
        Fraction(i * EVERY, demo.FPS) for i in range(demo.N_FRAMES // EVERY)
    ]


def test_there_are_b_frames_and_keyframes_at_cuts(decoded: Decoded) -> None:
    assert decoded.types.count("B") > len(decoded.types) / 4
    keyframes = {i * EVERY for i, is_key in enumerate(decoded.keyframes) if is_key}
    assert len(keyframes & set(demo.CUTS)) > len(demo.CUTS) / 2


def test_cuts_are_where_they_are_said_to_be(decoded: Decoded) -> None:
    small = np.array(
        [p.reshape(18, 20, 32, 20, 3).mean(axis=(1, 3)) for p in decoded.pictures]
    )
    change = np.abs(np.diff(small, axis=0)).mean(axis=(1, 2, 3))
    seen = [int(i + 1) * EVERY for i in np.flatnonzero(change > 30)]
    # A frame of a fade may differ from the one before as much as over a cut.
    fading = {
        frame
        for scene in demo.SCENES
        for frame in [
            *range(scene.start_frame + 1, scene.start_frame + scene.fade_in + 1),
            *range(scene.end_frame - scene.fade_out, scene.end_frame),
        ]
    }
    assert tuple(frame for frame in seen if frame not in fading) == demo.CUTS


def test_colors_come_back(decoded: Decoded) -> None:
    for drawn, picture in zip(
        demo.draw_frames(every=EVERY), decoded.pictures, strict=True
    ):
        off = (drawn[::5, ::5] - picture[::5, ::5].astype(float)).mean(axis=(0, 1))
        assert np.abs(off).max() <= 2


@every_scene_with(lambda scene: scene.kind == "card")
def test_cards_have_their_color(decoded: Decoded, scene: demo.Scene) -> None:
    assert scene.color is not None
    for picture in pictures_of(decoded, scene):
        card = films.solid(scene.color, demo.SIZE).astype(int)
        assert np.abs(picture - card).max() <= 2


@every_scene_with(lambda scene: scene.bar)
def test_bars_are_black_and_the_picture_between_them_is_not(
    decoded: Decoded, scene: demo.Scene
) -> None:
    rows = np.mean(pictures_of(decoded, scene), axis=(0, 2, 3))
    assert max(rows[: scene.bar].max(), rows[-scene.bar :].max()) < 4
    assert rows[scene.bar : -scene.bar].min() > 40


@every_scene_with(lambda scene: scene.fade_in)
def test_fades_in_start_black(decoded: Decoded, scene: demo.Scene) -> None:
    levels = [picture.mean() for picture in pictures_of(decoded, scene)]
    assert levels[0] < 1
    assert np.all(np.diff(levels[: scene.fade_in // EVERY]) > 0)


@every_scene_with(lambda scene: scene.fade_out)
def test_fades_out_end_dark(decoded: Decoded, scene: demo.Scene) -> None:
    levels = [picture.mean() for picture in pictures_of(decoded, scene)]
    assert levels[-1] < 0.2 * levels[0]
    assert np.all(np.diff(levels[-(scene.fade_out // EVERY) :]) < 0)


def test_two_makings_are_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    demo.make_demo_film(first, every=36)
    demo.make_demo_film(second, every=36)
    assert first.read_bytes() == second.read_bytes()


def test_missing_photographs_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    with pytest.raises(ReelbowError, match="install scikit-learn"):
        next(demo.draw_frames())


STEPS = (20, 41, 42, 700, 33, 100) * 6  # ms
PTS = [500, *(500 + int(t) for t in np.cumsum(STEPS))]


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film.mkv", "film.ts"])
def test_written_times_come_back(tmp_path: Path, name: str) -> None:
    path = films.numbered_film(tmp_path / name, len(PTS), pts=PTS, bframes=3)
    decoded = decode(path)
    assert "B" in decoded.types
    assert decoded.times == [Fraction(t, 1000) for t in PTS]
    assert [films.frame_number(p) for p in decoded.pictures] == list(range(len(PTS)))


def test_code_values_of_bt709() -> None:
    # 75 % color bars of SMPTE RP 219, yellow: Y 168, Cb 44, Cr 136.
    yellow = np.array([[[191.25, 191.25, 0]]])
    np.testing.assert_allclose(films.to_yuv(yellow)[0, 0], [168, 44, 136], atol=0.5)
