import cv2
import numpy as np
import pytest

from reelbow.errors import ReelbowError
from reelbow.runs.config import check_config
from reelbow.runs.mosaics import count_cells


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "cat.png"
    cv2.imwrite(str(path), np.zeros((90, 160, 3), np.uint8))
    return path


def fill(mosaics, **more):
    return check_config({"films": "x", "mosaics": mosaics, **more})


def test_cells_are_counted_without_looking_at_films(target):
    asked = {"a": {"target": str(target), "columns": 16}}
    asked["b"] = {"target": str(target), "columns": 10}
    assert count_cells(fill(asked)) == {"a": 256, "b": 100}
    square = {"tiles": {"aspect": [1, 1]}}
    assert count_cells(fill(asked, **square)) == {"a": 16 * 9, "b": 60}
    assert count_cells(fill({})) == {}


@pytest.mark.parametrize(
    ("mosaics", "more", "sentence"),
    [
        ({"a": {}}, {}, "config: mosaics.a.target is missing; fill it in"),
        (
            {"a": {"target": "no.jpg"}},
            {},
            "config: mosaics.a.target: no.jpg: cannot be read: No such file or "
            "directory",
        ),
        (
            {"a": {"columns": 16}, "A": {"columns": 16}},
            {},
            "config: mosaics has 'a' and 'A', which differ only in capitals; give one "
            "of them another name",
        ),
        (
            {"a": {"columns": 16}, "a_maps": {"columns": 16}},
            {},
            "config: mosaics has 'a' and 'a_maps', which is what the maps of the first "
            "are called; give one of them another name",
        ),
        (
            {"a": {"columns": 20, "width": 64}},
            {},
            "config: mosaics.a.width is 64, too small for 20 columns of at least 4 "
            "pixels; give at least 80",
        ),
        (
            {"a": {"columns": 16}},
            {"previews": {"height": None}},
            "config: mosaics are made of previews, but previews.height is null; set "
            "it, as to 72",
        ),
        (
            {"a": {"columns": 16}},
            {"tiles": {"aspect": [16]}},
            "config: tiles.aspect is [16], should be two whole numbers, the width and "
            "the height, as [16, 9]",
        ),
        (
            ["cat.jpg"],
            {},
            "config: mosaics is ['cat.jpg'], should be mosaics by their names, of "
            "letters, digits, '-', '_' and '.', as {cat: {target: cat.jpg}}",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(target, mosaics, more, sentence):
    for about in mosaics.values() if isinstance(mosaics, dict) else []:
        if "columns" in about:
            about["target"] = str(target)
    with pytest.raises(ReelbowError) as caught:
        count_cells(fill(mosaics, **more))
    assert str(caught.value) == sentence
