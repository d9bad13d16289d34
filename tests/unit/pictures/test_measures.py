"""Measures of frames, against their formulas in floats and against known pictures."""

import colorsys
import json
import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from coloraide import Color
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from databases import query, write_shard
from formulas import to_light
from reelbow.database.frames import find_entropy
from reelbow.pictures import measures as measures_module
from reelbow.pictures.measure_names import MEASURES, OF_PICTURES
from reelbow.pictures.measures import measure_pictures

SCHEMAS = Path(__file__).parents[3] / "workflow" / "schemas"

# Tables of roots and light: docs/measures.md tells these.
TOLERANCES = {"lightness": 2e-4, "lightness_deviation": 2e-4, "chroma": 1e-3}


def measure(picture: NDArray[np.uint8], strip: NDArray | None = None) -> dict:
    """Measure one picture."""
    if strip is None:
        strip = picture.mean(axis=1)
    return dict(
        zip(
            OF_PICTURES,
            measure_pictures(picture[None], strip[None])[0].tolist(),
            strict=True,
        )
    )


# x, y, z of sRGB's primaries, in columns, and of its white: IEC 61966-2-1.
PRIMARIES = np.array([[0.64, 0.3, 0.15], [0.33, 0.6, 0.06], [0.03, 0.1, 0.79]])
WHITE = np.array([0.3127, 0.3290, 0.3583]) / 0.3290
TO_XYZ = PRIMARIES * np.linalg.solve(PRIMARIES, WHITE)


def to_lab(srgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Convert (n, 3) sRGB to L*a*b* by CIE 15."""
    relative = to_light(srgb / 255) @ TO_XYZ.T / WHITE
    f = np.where(
        relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116
    )
    x, y, z = f.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def measure_by_formula(picture: NDArray[np.uint8], strip: NDArray) -> dict:
    """Measure one picture as docs/measures.md writes the formulas, in floats."""
    pixels = picture.reshape(-1, 3)
    light, a, b = to_lab(pixels).T
    chroma = np.hypot(a, b)
    hue = np.degrees(np.arctan2(b, a)) % 360
    red, green, blue = pixels.astype(np.float64).T
    rg, yb = red - green, 0.5 * (red + green) - blue
    saturation = [colorsys.rgb_to_hsv(*pixel)[1] for pixel in (pixels / 255).tolist()]
    luma = np.rint(strip) @ [0.2126, 0.7152, 0.0722]
    from_50 = np.abs((hue - 50 + 180) % 360 - 180)
    return {
        "lightness": light.mean(),
        "lightness_deviation": light.std(),
        "contrast": (to_light(pixels / 255) @ TO_XYZ[1]).std(),
        "chroma": chroma.mean(),
        "saturation": np.mean(saturation),
        "colorfulness": math.hypot(rg.std(), yb.std())
        + 0.3 * math.hypot(rg.mean(), yb.mean()),
        "warm_share": ((chroma >= 5) & (from_50 <= 60)).mean(),
        "black_share": (light <= 5).mean(),
        "white_share": (light >= 95).mean(),
        "strip_sharpness": np.abs(np.diff(luma)).mean() if len(luma) > 1 else 0.0,
    }


def agrees(picture: NDArray[np.uint8], strip: NDArray) -> None:
    n = len(picture) * picture.shape[1]
    expected = measure_by_formula(picture, strip)
    for name, value in measure(picture, strip).items():
        # A color on a limit may be counted on either side of it.
        is_share = name.endswith("_share")
        tolerance = 2 / n if is_share else TOLERANCES.get(name, 1e-5)
        assert value == pytest.approx(expected[name], abs=tolerance), name


@pytest.mark.parametrize("seed", range(4))
def test_measures_of_random_pictures_are_those_of_the_formulas(seed):
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (90, 160, 3), np.uint8)
    # From night to day, and from gray to colorful.
    gray = picture[..., :1]
    if seed:
        picture = (gray * (seed / 4) + picture * (1 - seed / 4)) / (4 - seed)
        picture = np.rint(picture).astype(np.uint8)
    agrees(picture, rng.uniform(0, 255, (90, 3)))


@given(
    data=st.data(),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
)
@settings(max_examples=60, deadline=None)
def test_measures_of_small_pictures_are_those_of_the_formulas(data, size):
    n = size[0] * size[1] * 3
    levels = data.draw(st.lists(st.integers(0, 255), min_size=n, max_size=n))
    picture = np.array(levels, np.uint8).reshape(*size, 3)
    agrees(picture, picture.mean(axis=1))


@pytest.mark.parametrize(
    "color",
    ["#000000", "#ffffff", "#ff0000", "#00ff00", "#0000ff", "#c86432", "#101010"],
)
@pytest.mark.parametrize("size", [(1, 1), (7, 9)])
def test_a_flat_picture_has_its_color_and_no_deviation(color, size):
    pixel = np.frombuffer(bytes.fromhex(color[1:]), np.uint8)
    found = measure(np.broadcast_to(pixel, (*size, 3)).copy())
    theirs = Color(color)
    light, chroma, hue = theirs.convert("lch-d65").coords(nans=False)
    assert found["lightness"] == pytest.approx(light, abs=1e-3)
    assert found["chroma"] == pytest.approx(chroma, abs=5e-3)
    # Exactly none, however many pixels there are.
    assert found["lightness_deviation"] == found["contrast"] == 0
    assert found["strip_sharpness"] == 0
    assert found["saturation"] == pytest.approx(theirs.convert("hsv")["s"], abs=1e-6)
    red, green, blue = pixel.astype(float)
    opponents = red - green, (red + green) / 2 - blue
    assert found["colorfulness"] == pytest.approx(0.3 * math.hypot(*opponents))
    is_warm = chroma >= 5 and abs((hue - 50 + 180) % 360 - 180) <= 60
    assert found["warm_share"] == is_warm == (color in ("#ff0000", "#c86432"))
    assert found["black_share"] == (color in ("#000000", "#101010"))
    assert found["white_share"] == (color == "#ffffff")


def test_black_and_white_side_by_side_have_the_most_contrast():
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[1] = 255
    found = measure(picture)
    assert found["lightness"] == pytest.approx(50)
    assert found["lightness_deviation"] == pytest.approx(50)
    assert found["contrast"] == pytest.approx(0.5)
    assert found["strip_sharpness"] == pytest.approx(255)
    assert (found["black_share"], found["white_share"]) == (0.5, 0.5)
    assert found["chroma"] == pytest.approx(0, abs=1e-9)
    assert found["colorfulness"] == found["saturation"] == 0


def test_no_measure_leaves_its_range():
    # The corners of sRGB in all pairs; red beside cyan is the most colorful.
    corners = [[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)]
    pairs = np.array([[[one], [two]] for one in corners for two in corners], np.uint8)
    found = measure_pictures(pairs, pairs.mean(axis=2))
    for values, (name, about) in zip(found.T, OF_PICTURES.items(), strict=True):
        assert values.min() >= 0, name
        assert about.largest * 0.75 < values.max() <= about.largest + 1e-9, name


def test_measures_do_not_depend_on_what_else_is_measured():
    rng = np.random.default_rng(3)
    pictures = rng.integers(0, 256, (5, 12, 17, 3), np.uint8)
    strips = rng.uniform(0, 255, (5, 12, 3))
    together = measure_pictures(pictures, strips)
    for i in range(5):
        alone = measure_pictures(pictures[i : i + 1], strips[i : i + 1])
        np.testing.assert_array_equal(alone[0], together[i], strict=True)


def test_a_strip_is_measured_as_databases_have_it():
    picture = np.zeros((3, 1, 3), np.uint8)
    # Rounded to whole levels, which are 10, 10 and 30 of all three colors.
    strip = np.array([[10.3] * 3, [9.6] * 3, [30.2] * 3])
    assert measure(picture, strip)["strip_sharpness"] == pytest.approx(10)


@pytest.mark.parametrize(
    ("shares", "entropy"),
    [([1.0], 0.0), ([0.5, 0.5], 1.0), ([0.25] * 4, 2.0), ([0.5, 0.25, 0.25], 1.5)],
)
def test_the_entropy_of_a_palette_is_that_of_its_shares(shares, entropy):
    found = find_entropy([(0, share, False) for share in shares])
    assert found == entropy
    assert math.copysign(1, found) == 1


def test_the_entropy_is_of_the_palette_that_is_stored(tmp_path):
    # The last two are one color in 24 bits.
    palette = [((9, 9, 9), 0.5), ((1, 1, 1), 0.25), ((1, 1, 1.2), 0.25)]
    path = write_shard(tmp_path / "a.sqlite", [0], palettes={0: palette})
    assert query(path, "SELECT palette_entropy FROM frames") == [(1.0,)]


def test_the_limits_of_compiled_code_are_those_that_are_told():
    hue = measures_module.WARMEST_HUE
    assert measures_module._LIMITS[:2] == pytest.approx([math.cos(hue), math.sin(hue)])


def test_the_configuration_knows_all_measures(tmp_path):
    schema = yaml.safe_load((SCHEMAS / "config.schema.yaml").read_text())
    assert schema["properties"]["measures"]["items"]["enum"] == list(MEASURES)
    path = write_shard(tmp_path / "a.sqlite", [0])
    columns = [row[1] for row in query(path, "PRAGMA table_info(frames)")]
    assert columns[-len(MEASURES) :] == list(MEASURES)
    (row,) = query(path, f"SELECT {', '.join(MEASURES)} FROM frames")
    assert json.dumps(row) == json.dumps(
        [0.5 + i for i in range(10)] + [0.811278124459]
    )
