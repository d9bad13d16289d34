"""Swatches: the palette of a film as files of other programs."""

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

# Of a 16-bit channel for each of 8 bits: 255 is 65535.
_WIDE = 257


class Swatch(NamedTuple):
    """A color 0xRRGGBB with its share, [0, 1], and its name."""

    color: int
    share: float
    name: str

    @property
    def levels(self) -> bytes:
        """Red, green and blue."""
        return self.color.to_bytes(3)

    @property
    def label(self) -> str:
        """Say all three: teal #029386 12.5 %."""
        return f"{self.name} #{self.color:06x} {100 * self.share:.1f} %"


def make_ase(swatches: Sequence[Swatch], title: str) -> bytes:
    """Write Adobe Swatch Exchange: Illustrator, InDesign, Affinity; global colors."""
    blocks = []
    for swatch in swatches:
        text = f"{swatch.label}\0".encode("utf-16-be")
        levels = [level / 255 for level in swatch.levels]
        body = struct.pack(">H", len(text) // 2) + text + b"RGB "
        body += struct.pack(">3fH", *levels, 0)
        blocks.append(struct.pack(">HI", 1, len(body)) + body)
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)


def make_aco(swatches: Sequence[Swatch], title: str) -> bytes:
    """Write Adobe Color: Photoshop. First without names, then the same with them."""
    first, second = [struct.pack(">HH", each, len(swatches)) for each in (1, 2)]
    for swatch in swatches:
        color = struct.pack(">5H", 0, *(_WIDE * level for level in swatch.levels), 0)
        text = f"{swatch.label}\0".encode("utf-16-be")
        first += color
        second += color + struct.pack(">I", len(text) // 2) + text
    return first + second


def make_gpl(swatches: Sequence[Swatch], title: str) -> bytes:
    """Write a palette of GIMP, Inkscape and Krita."""
    # A name is one line.
    lines = ["GIMP Palette", f"Name: {' '.join(title.split())}"]
    lines += [f"Columns: {len(swatches)}", "#"]
    for swatch in swatches:
        red, green, blue = swatch.levels
        lines.append(f"{red:3} {green:3} {blue:3}\t{swatch.label}")
    return ("\n".join(lines) + "\n").encode()


def make_css(swatches: Sequence[Swatch], title: str) -> bytes:
    """Write custom properties, --color-1 the largest."""
    lines = [
        f"  --color-{place}: #{swatch.color:06x}; /* {swatch.name}, "
        f"{100 * swatch.share:.1f} % */"
        for place, swatch in enumerate(swatches, 1)
    ]
    return "\n".join([":root {", *lines, "}", ""]).encode()


# By the suffix of their files.
SWATCHES: dict[str, Callable[[Sequence[Swatch], str], bytes]] = {
    "ase": make_ase,
    "gpl": make_gpl,
    "aco": make_aco,
    "css": make_css,
}
