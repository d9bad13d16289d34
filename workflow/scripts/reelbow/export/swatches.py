"""Swatches: the palettes of a film and of its shots as files of other programs."""

import itertools
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from reelbow.text import clean_text

# Of a 16-bit channel for each of 8 bits: 255 is 65535.
_WIDE = 257

# Blocks of Adobe Swatch Exchange.
_COLOR, _GROUP_START, _GROUP_END = 1, 0xC001, 0xC002

# Colors of Adobe Color, which counts them in 16 bits.
MOST_ACO = 65_535


class Swatch(NamedTuple):
    """A color 0xRRGGBB with its share, [0, 1], and its name.

    Attributes
    ----------
    group : of which it is one, such as a shot; nothing: of none. Those of a group stand
        one behind the other
    """

    color: int
    share: float
    name: str
    group: str = ""

    @property
    def levels(self) -> bytes:
        """Red, green and blue."""
        return self.color.to_bytes(3)

    @property
    def label(self) -> str:
        """Say all: teal #029386 12.5 %, or shot 3: teal #029386 12.5 %."""
        label = f"{self.name} #{self.color:06x} {100 * self.share:.1f} %"
        return f"{self.group}: {label}" if self.group else label


def make_ase(swatches: Sequence[Swatch], title: str) -> bytes:
    """Write Adobe Swatch Exchange: Illustrator, InDesign, Affinity; global colors."""
    blocks = []
    for group, those in _group(swatches):
        if group:
            blocks.append(_make_block(_GROUP_START, _code_name(group)))
        for swatch in those:
            levels = [level / 255 for level in swatch.levels]
            body = _code_name(swatch.label) + b"RGB " + struct.pack(">3fH", *levels, 0)
            blocks.append(_make_block(_COLOR, body))
        if group:
            blocks.append(_make_block(_GROUP_END, b""))
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)


def _group(swatches: Sequence[Swatch]) -> Iterator[tuple[str, list[Swatch]]]:
    for group, those in itertools.groupby(swatches, lambda swatch: swatch.group):
        yield group, list(those)


def _make_block(kind: int, body: bytes) -> bytes:
    return struct.pack(">HI", kind, len(body)) + body


def _code_name(name: str) -> bytes:
    text = f"{name}\0".encode("utf-16-be")
    return struct.pack(">H", len(text) // 2) + text


def make_aco(swatches: Sequence[Swatch], title: str) -> bytes:
    """Write Adobe Color: Photoshop. First without names, then the same with them.

    It holds no more than 65,535 colors: the first ones.
    """
    swatches = swatches[:MOST_ACO]
    first, second = ([struct.pack(">HH", each, len(swatches))] for each in (1, 2))
    for swatch in swatches:
        color = struct.pack(">5H", 0, *(_WIDE * level for level in swatch.levels), 0)
        text = f"{swatch.label}\0".encode("utf-16-be")
        first.append(color)
        second += [color, struct.pack(">I", len(text) // 2), text]
    return b"".join(first + second)


def make_gpl(swatches: Sequence[Swatch], title: str) -> bytes:
    """Write a palette of GIMP, Inkscape and Krita."""
    # A name is one line.
    lines = ["GIMP Palette", f"Name: {clean_text(title)}"]
    # Of groups, a row for each.
    lines += [f"Columns: {max((len(g) for _, g in _group(swatches)), default=0)}", "#"]
    for swatch in swatches:
        red, green, blue = swatch.levels
        lines.append(f"{red:3} {green:3} {blue:3}\t{swatch.label}")
    return ("\n".join(lines) + "\n").encode()


def make_css(swatches: Sequence[Swatch], title: str) -> bytes:
    """Write custom properties, --color-1 the largest, or --shot-3-color-1."""
    lines = [
        f"  --{prefix}color-{place}: #{swatch.color:06x}; /* {swatch.name}, "
        f"{100 * swatch.share:.1f} % */"
        for group, those in _group(swatches)
        for prefix in [f"{group.replace(' ', '-')}-" if group else ""]
        for place, swatch in enumerate(those, 1)
    ]
    return "\n".join([":root {", *lines, "}", ""]).encode()


# By the suffix of their files.
SWATCHES: dict[str, Callable[[Sequence[Swatch], str], bytes]] = {
    "ase": make_ase,
    "gpl": make_gpl,
    "aco": make_aco,
    "css": make_css,
}
