import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelbow.pictures.letterbox import find_letterbox

RNG = np.random.default_rng(0)


def scene(height=72, width=128, low=40, high=250):
    """A picture of coarse random blocks, as bright at its edges as elsewhere."""
    blocks = RNG.integers(low, high, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    picture = np.kron(blocks, np.ones((8, 8, 1), np.uint8))
    return picture[:height, :width]


def framed(picture, top=0, bottom=0, left=0, right=0, noise=0):
    """The picture with bars of these sizes around it, of noisy black."""
    whole = np.pad(picture, ((top, bottom), (left, right), (0, 0)))
    if noise:
        mask = np.pad(
            np.zeros(picture.shape[:2], bool),
            ((top, bottom), (left, right)),
            constant_values=True,
        )
        whole[mask] = RNG.integers(0, noise, (mask.sum(), 3), np.uint8)
    return whole


def find(frames, most=None):
    crop = find_letterbox(frames, most=most or len(frames))
    return crop and str(crop)


def test_letterbox():
    frames = [framed(scene(), top=20, bottom=20) for _ in range(10)]
    assert find(frames) == "128:72:0:20"


def test_pillarbox():
    frames = [framed(scene(), left=30, right=30) for _ in range(10)]
    assert find(frames) == "128:72:30:0"


def test_both():
    frames = [framed(scene(), 12, 12, 16, 16) for _ in range(10)]
    assert find(frames) == "128:72:16:12"


def test_both_around_a_flat_picture():
    # Less than a third of a column is picture: its pieces alone could not agree.
    frames = [framed(scene(30), 45, 45, 16, 16) for _ in range(10)]
    assert find(frames) == "128:30:16:45"


def test_noisy_bars():
    frames = [framed(scene(), 20, 20, noise=10) for _ in range(10)]
    assert find(frames) == "128:72:0:20"


def test_bars_that_differ_by_a_line():
    frames = [framed(scene(), 20, 21) for _ in range(10)]
    assert find(frames) == "128:72:0:20"


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_subtitles_in_the_bars(part):
    frames = [framed(scene(), 20, 20) for _ in range(20)]
    for frame in frames[: round(20 * part)]:
        frame[98:106, 36:92] = RNG.choice([0, 255], (8, 56, 1))
    assert find(frames) == "128:72:0:20"


def test_dark_frames_fades_and_black_tell_nothing():
    bright = [framed(scene(), 20, 20) for _ in range(6)]
    dark = [framed(scene(low=0, high=20), 20, 20) for _ in range(20)]
    fading = [(frame * 0.1).astype(np.uint8) for frame in bright]
    black = [np.zeros_like(bright[0])] * 6
    assert find([*dark, *fading, *black, *bright]) == "128:72:0:20"


def test_a_picture_to_the_edges_has_no_bars():
    assert find([scene() for _ in range(10)]) is None


def test_all_black_is_not_cropped_away():
    assert find([np.zeros((72, 128, 3), np.uint8)] * 5) is None


def test_nothing_to_look_at():
    assert find([]) is None


def test_a_film_letterboxed_in_a_fifth_is_not_cropped():
    parts = [framed(scene(32), 20, 20) for _ in range(4)]
    assert find([*parts, *[scene() for _ in range(16)]]) is None


def test_a_night_scene_with_a_lamp_is_not_cropped():
    frames = []
    for i in range(20):
        frame = np.zeros((72, 128, 3), np.uint8)
        frame[20 + i : 40 + i, 30 + 2 * i : 60 + 2 * i] = 200
        frames.append(frame)
    assert find(frames) is None


def test_a_vignette_is_not_cropped():
    y, x = np.mgrid[-1:1:72j, -1:1:128j]
    light = np.clip(1.1 - np.hypot(x, y), 0, 1)[..., np.newaxis]
    frames = [(scene() * light).astype(np.uint8) for _ in range(10)]
    assert find(frames) is None


def test_a_film_letterboxed_in_three_fifths_is_not_cropped():
    parts = [framed(scene(), 20, 20) for _ in range(12)]
    whole = [scene(112) for _ in range(8)]
    assert find([*parts, *whole]) is None


def test_a_stray_frame_in_the_bars_does_not_undo_them():
    frames = [framed(scene(), 20, 20) for _ in range(19)]
    assert find([*frames, framed(scene(88), 20, 4)]) == "128:72:0:20"


def test_the_kept_part_holds_pictures_of_several_heights():
    tall = [framed(scene(92), 10, 10) for _ in range(5)]
    assert find([*[framed(scene(), 20, 20) for _ in range(5)], *tall]) == "128:92:0:10"


@pytest.mark.parametrize("black", [16, 24])
def test_bars_of_a_black_that_is_not_0(black):
    frames = [framed(scene(), 20, 20) for _ in range(10)]
    assert find([np.maximum(frame, black) for frame in frames]) == "128:72:0:20"


def test_gray_bars_are_picture():
    frames = [framed(scene(), 20, 20) for _ in range(10)]
    assert find([np.maximum(frame, 40) for frame in frames]) is None


@pytest.mark.parametrize("lines", [1, 8])
def test_padding_at_one_side_only_is_no_bar(lines):
    assert find([framed(scene(200, 300), 0, lines) for _ in range(5)]) is None


def test_pictures_of_several_sizes_have_no_common_bars():
    assert find([framed(scene(), 20, 20), framed(scene(72, 64), 20, 20)]) is None


def test_frames_are_looked_at_one_by_one():
    frames = (framed(scene(), 20, 20) for _ in range(5))
    assert find(frames, most=5) == "128:72:0:20"


def test_one_dark_side_is_no_bar():
    frames = [framed(scene(), left=30) for _ in range(10)]
    assert find(frames) is None


def test_no_more_frames_are_taken_than_show_that_there_are_no_bars():
    taken = []

    def frames():
        for number in range(32):
            taken.append(number)
            yield scene()

    assert find(frames(), most=32) is None
    # A tenth of 32, rounded up.
    assert len(taken) == 4


def test_light_at_one_side_is_enough_to_see_that_there_are_no_bars():
    frames = iter([framed(scene(), top=20, left=30)] * 32)
    assert find(frames, most=32) is None
    assert len(list(frames)) == 28


@pytest.mark.parametrize("bars", [{"top": 20, "bottom": 20}, {"left": 9, "right": 9}])
def test_bars_in_one_direction_are_found_whatever_the_other_shows(bars):
    frames = [framed(scene(), **bars) for _ in range(32)]
    assert find(frames) == find(frames, most=10**6) is not None


def test_lit_lines_in_few_frames_do_not_end_the_search():
    frames = [scene() for _ in range(3)]
    frames += [framed(scene(32), top=20, bottom=20) for _ in range(29)]
    assert find(frames) == "128:32:0:20"


# --- what disturbs the edge of a bar --------------------------------------------------


def disturbed(**bars):
    """Twelve framed scenes as floats, to be disturbed."""
    return [framed(scene(), **bars).astype(float) for _ in range(12)]


def finish(frames):
    return [np.rint(frame).clip(0, 255).astype(np.uint8) for frame in frames]


@pytest.mark.parametrize("level", [15, 30])
def test_noise_in_the_last_block_row_of_the_bars(level):
    frames = disturbed(top=24, bottom=24)
    for frame in frames:
        for rows in (slice(16, 24), slice(96, 104)):
            frame[rows] += RNG.normal(0, level, (8, 128, 1))
    assert find(finish(frames)) == "128:72:0:24"


@pytest.mark.parametrize("part", [0.15, 0.3])
def test_the_picture_smeared_over_a_block_of_the_bars(part):
    frames = disturbed(top=22, bottom=23)
    for frame in frames:
        # A block of 8 rows that holds 2 or 1 of the picture, coded coarsely.
        frame[16:22] += part * frame[22:30].mean(axis=0)
        frame[94:100] += part * frame[86:94].mean(axis=0)
    assert find(finish(frames)) == "128:72:0:22"


@pytest.mark.parametrize("place", [slice(4, 18), slice(108, 122)])
def test_a_logo_in_a_corner_of_a_bar(place):
    frames = disturbed(top=20, bottom=20)
    for frame in frames:
        frame[4:14, place] = 180
    assert find(finish(frames)) == "128:72:0:20"


def test_a_logo_in_a_pillar():
    frames = disturbed(left=30, right=30)
    for frame in frames:
        frame[5:15, 10:24] = 180
    assert find(finish(frames)) == "128:72:30:0"


def test_a_logo_subtitles_noise_and_both_kinds_of_bars():
    frames = disturbed(top=20, bottom=20, left=16, right=16)
    for i, frame in enumerate(frames):
        frame[4:14, 130:142] = 180
        if i % 2:
            frame[98:106, 50:110] = RNG.choice([0, 255], (8, 60, 1))
        frame += RNG.normal(0, 8, (112, 160, 1))
    assert find(finish(frames)) == "128:72:16:20"


# --- what is no bar -------------------------------------------------------------------


def write(frame, row, column, width, height=6):
    """Text, in black and white strokes of two pixels."""
    strokes = RNG.choice([0, 255], (height, width // 2, 1))
    frame[row : row + height, column : column + 2 * (width // 2)] = strokes.repeat(2, 1)


def test_lines_of_text_at_the_same_place_are_not_cropped():
    frames = [np.zeros((112, 128, 3), np.uint8) for _ in range(12)]
    for frame in frames:
        for row in (30, 46, 62, 77):
            write(frame, row, 8, 112)
    assert find(frames) is None


def test_a_chart_is_not_cropped():
    frames = []
    for i in range(12):
        frame = np.zeros((112, 160, 3), np.uint8)
        for column in range(20, 140, 12):
            frame[92 - 5 * i - column // 6 : 92, column : column + 8] = 200
        frames.append(frame)
    assert find(frames) is None


def test_light_in_wide_steps_towards_the_middle_is_not_cropped():
    # A vignette of a low bit rate: each block of 8 rows is flat.
    steps = np.minimum(np.arange(288), np.arange(288)[::-1]) // 8
    light = (steps / steps.max())[:, np.newaxis, np.newaxis]
    frames = [(scene(288, low=150) * light).astype(np.uint8) for _ in range(12)]
    assert find(frames) is None


def test_a_lit_shape_that_is_not_upright_is_not_cropped():
    y, x = np.mgrid[:112, :160]
    shape = (np.abs(y - 56 - (x - 80) / 8) < 36)[..., np.newaxis]
    assert find([scene(112, 160) * shape for _ in range(12)]) is None


def test_lamps_in_the_outer_parts_of_a_dark_border_are_not_cropped():
    frames = disturbed(top=20, bottom=20)
    for i, frame in enumerate(frames):
        for column in range(4 * (i % 4), 128, 16):
            frame[6:12, column : column + 8] = 150
    assert find(finish(frames)) is None


def test_light_at_the_very_border_is_no_bar():
    frames = disturbed(top=20, bottom=20)
    for frame in frames:
        frame[:20, 50:80] = 150
    assert find(finish(frames)) is None


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    n=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_nothing_is_cut_off_pictures_of_any_size(height, width, n, seed):
    rng = np.random.default_rng(seed)
    frames = np.zeros((n, height, width, 3), np.uint8)
    top, left = rng.integers(0, (height // 2 + 1, width // 2 + 1))
    frames[:, top : height - top, left : width - left] = 200
    crop = find_letterbox(frames, most=n)
    if crop is not None:
        assert 0 <= crop.x <= left
        assert 0 <= crop.y <= top
        assert width - left <= crop.x + crop.width <= width
        assert height - top <= crop.y + crop.height <= height
