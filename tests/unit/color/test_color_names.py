import subprocess
import sys

import numpy as np
import pytest
from coloraide import Color
from matplotlib import colors as matplotlib_colors

from reelbow.color.difference import measure_ciede2000
from reelbow.color.names import (
    describe_names,
    find_color,
    list_names,
    load_names,
    name_colors,
    suggest_names,
)
from reelbow.color.spaces import srgb_to_cielab

# Of the data that Sharma, Wu and Dalal published with the formula: the cases at which
# implementations fail, hues beside 0 and 180 degrees, gray, and the turn in the blue.
PUBLISHED = [
    (50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425),
    (50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0),
    (50, 0, 0, 50, -1, 2, 2.3669),
    (50, 2.49, -0.001, 50, -2.49, 0.0009, 7.1792),
    (50, 2.49, -0.001, 50, -2.49, 0.0011, 7.2195),
    (50, -0.001, 2.49, 50, 0.0009, -2.49, 4.8045),
    (50, -0.001, 2.49, 50, 0.0011, -2.49, 4.7461),
    (50, 2.5, 0, 50, 0, -2.5, 4.3065),
    (50, 2.5, 0, 73, 25, -18, 27.1492),
    (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
    (22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373),
    (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
]


@pytest.mark.parametrize("row", PUBLISHED)
def test_ciede2000_is_as_published_both_ways(row):
    first, second = np.array(row[:3], float), np.array(row[3:6], float)
    assert measure_ciede2000(first, second) == pytest.approx(row[6], abs=5e-5)
    assert measure_ciede2000(second, first) == pytest.approx(row[6], abs=5e-5)


def test_ciede2000_is_that_of_coloraide():
    random = np.random.default_rng(0)
    first, second = random.uniform([0, -90, -90], [100, 90, 90], (2, 300, 3))
    expected = [
        Color("lab-d65", one).delta_e(Color("lab-d65", two), method="2000")
        for one, two in zip(first.tolist(), second.tolist(), strict=True)
    ]
    np.testing.assert_allclose(measure_ciede2000(first, second), expected, atol=1e-9)


def test_the_lists_are_those_of_matplotlib():
    assert len(load_names()) == 949
    assert len(load_names("css")) == 148
    for names, there, prefix in [
        ("xkcd", matplotlib_colors.XKCD_COLORS, "xkcd:"),
        ("css", matplotlib_colors.CSS4_COLORS, ""),
    ]:
        listed = {
            f"{prefix}{name}": f"#{color:06x}"
            for name, color in load_names(names).items()
        }
        assert listed == {name: color.lower() for name, color in there.items()}


@pytest.mark.parametrize("names", ["xkcd", "css"])
def test_a_listed_color_has_its_own_name(names):
    listed = load_names(names)
    first: dict[int, str] = {}
    for name, color in listed.items():
        first.setdefault(color, name)
    found = name_colors(np.array([*listed.values()]), names)
    assert found == [first[color] for color in listed.values()]


def test_names_are_the_nearest_of_a_scan_by_coloraide():
    random = np.random.default_rng(1)
    colors = random.integers(0, 1 << 24, 40)
    # Gray, black, white, blue and the darkest too.
    colors[:6] = [0, 0xFFFFFF, 0x808080, 0x0000FF, 0x000001, 0x1F0A3C]
    listed = {
        name: Color(f"#{color:06x}").convert("lab-d65")
        for name, color in load_names().items()
    }
    for color, name in zip(colors.tolist(), name_colors(colors), strict=True):
        asked = Color(f"#{color:06x}").convert("lab-d65")
        apart = {
            each: asked.delta_e(other, method="2000") for each, other in listed.items()
        }
        assert apart[name] == pytest.approx(min(apart.values()), abs=1e-4)


def test_of_all_names_none_is_nearer_than_the_found_one():
    colors = np.random.default_rng(2).integers(0, 1 << 24, 3000)
    listed = load_names()
    words = list(listed)

    def to_lab(packed):
        rgb = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1)
        return srgb_to_cielab(rgb)

    names, labs = to_lab(np.array([*listed.values()])), to_lab(colors)
    apart = measure_ciede2000(labs[:, None], names)
    assert name_colors(colors) == [words[place] for place in apart.argmin(axis=1)]


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("teal", 0x029386),
        ("  Light BLUE ", 0x95D0FC),
        ("light-grey", 0xD8DCD6),
        ("LightGray", 0xD8DCD6),
        ("robins egg blue", 0x98EFF9),
        # Only CSS has it.
        ("Rebecca Purple", 0x663399),
        # Names that signs alone tell apart, as they are written.
        ("blue green", 0x137E6D),
        ("blue/green", 0x0F9B8E),
        ("Bluegreen", 0x017A79),
    ],
)
def test_a_color_is_found_by_its_name(text, color):
    assert find_color(text) == color


def test_every_listed_name_is_found():
    for name, color in list_names().items():
        assert find_color(name) == color
        assert find_color(name.upper()) == color
    # Another list's color of the same name is not listed twice.
    squeezed = {name.replace(" ", "").replace("grey", "gray") for name in list_names()}
    css = {name.replace("grey", "gray") for name in load_names("css")}
    assert css <= squeezed


def test_pages_have_the_names_that_colors_are_named_by_first():
    told = describe_names()
    assert [*told["listed"]][: told["n_xkcd"]] == [*load_names()]


def test_what_is_no_name_is_not_found_but_like_others():
    assert find_color("tael") is None
    # An exchange is one slip, and what people write differently is none.
    assert suggest_names("tael")[0] == "teal"
    assert suggest_names("Light-Grey-Bleu")[0] == "light grey blue"
    assert find_color("") is None
    assert len(suggest_names("")) == 3


def test_no_colors_have_no_names():
    assert name_colors(np.empty(0, np.int64)) == []


def test_matplotlib_as_a_whole_is_not_loaded():
    code = (
        "import sys, numpy; sys.path[:0] = sys.argv[1:];"
        "from reelbow.color.names import name_colors;"
        "print(name_colors(numpy.array([0x029386])), 'matplotlib' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *sys.path],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "['teal'] False\n"
