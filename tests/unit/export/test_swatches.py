"""Swatches, read back by other programs' readers where there are some."""

import re
import struct

import pytest
import swatch
from coloraide import Color
from PIL import GimpPaletteFile

from reelbow.export.swatches import (
    SWATCHES,
    Swatch,
    make_aco,
    make_ase,
    make_css,
    make_gpl,
)

COLORS = [Swatch(0x029386, 0.625, "teal"), Swatch(0xE50000, 0.375, "red")]
LABELS = ["teal #029386 62.5 %", "red #e50000 37.5 %"]


def test_ase_is_read_by_swatch(tmp_path):
    path = tmp_path / "film.ase"
    path.write_bytes(make_ase(COLORS, "The Demo"))
    read = swatch.parse(str(path))
    assert [each["name"] for each in read] == LABELS
    assert [each["data"]["mode"] for each in read] == ["RGB", "RGB"]
    for each, color in zip(read, COLORS, strict=True):
        levels = [round(value * 255) for value in each["data"]["values"]]
        assert bytes(levels) == color.levels


def test_gpl_is_read_by_pillow(tmp_path):
    path = tmp_path / "film.gpl"
    path.write_bytes(make_gpl(COLORS, "The\nDemo: M\N{LATIN SMALL LETTER U}"))
    with path.open("rb") as stream:
        palette, mode = GimpPaletteFile.GimpPaletteFile(stream).getpalette()
    assert mode == "RGB"
    assert palette[:6] == bytes.fromhex("029386e50000")
    lines = path.read_text().splitlines()
    assert lines[1] == "Name: The Demo: Mu"
    assert [line.split("\t")[1] for line in lines[4:]] == LABELS


def test_aco_has_both_lists_of_its_specification():
    """By Adobe Photoshop File Formats Specification, "Color swatches"."""
    data = make_aco(COLORS, "The Demo")
    assert data[:4] == b"\0\1\0\2"
    # RGB, and each level twice: 0x02 is 0x0202.
    assert data[4:14] == bytes.fromhex("0000 0202 9393 8686 0000")
    assert data[14:24] == bytes.fromhex("0000 e5e5 0000 0000 0000")
    assert data[24:28] == b"\0\2\0\2"
    at = 28
    for color, label in zip(COLORS, LABELS, strict=True):
        space, *levels, rest = struct.unpack_from(">5H", data, at)
        (length,) = struct.unpack_from(">I", data, at + 10)
        text = data[at + 14 : at + 14 + 2 * length].decode("utf-16-be")
        assert (space, rest, text) == (0, 0, f"{label}\0")
        assert bytes(level // 257 for level in levels) == color.levels
        at += 14 + 2 * length
    assert at == len(data)


def test_css_has_a_property_for_each_color():
    text = make_css(COLORS, "The Demo").decode()
    body = re.fullmatch(r":root \{\n(.*)\n\}\n", text, re.DOTALL)
    assert body
    bare = re.sub(r"/\*.*?\*/", "", body[1])
    found = dict(part.strip().split(": ") for part in bare.split(";") if part.strip())
    assert list(found) == ["--color-1", "--color-2"]
    assert [Color(value).to_string(hex=True) for value in found.values()] == [
        "#029386",
        "#e50000",
    ]
    assert "/* teal, 62.5 % */" in text


@pytest.mark.parametrize("suffix", SWATCHES)
def test_no_colors_make_a_file_that_is_whole(suffix):
    data = SWATCHES[suffix]([], "none")
    assert data.startswith(
        {"ase": b"ASEF", "aco": b"\0\1\0\0", "gpl": b"GIMP", "css": b":root"}[suffix]
    )
