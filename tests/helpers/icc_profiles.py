"""ICC profiles written by hand: matrix and curves, gray, and inks.

ICC.1:2022, sections 7 (headers and tags) and 10 (curveType, parametricCurveType,
lut16Type, XYZType).
"""

import itertools
import struct
from collections.abc import Callable, Sequence

WHITE = (0.9642, 1.0, 0.8249)

Curve = bytes
# Power g above x = d, a line of slope c below it.
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def fixed(values: Sequence[float]) -> bytes:
    """Write s15Fixed16Numbers."""
    return struct.pack(f">{len(values)}i", *(round(v * 65_536) for v in values))


def gamma(value: float) -> Curve:
    """Write a power as a curveType, as version 2 has it."""
    return struct.pack(">4s4xLH", b"curv", 1, round(256 * value))


def parametric(values: Sequence[float]) -> Curve:
    """Write g, a, b, c, d as a parametricCurveType, which version 4 has."""
    return struct.pack(">4s4xHxx", b"para", 3) + fixed(values)


def sampled(curve: Callable[[float], float], n: int = 1024) -> Curve:
    """Write a function from [0, 1] to [0, 1] as a table."""
    values = [round(65_535 * curve(i / (n - 1))) for i in range(n)]
    return struct.pack(f">4s4xL{n}H", b"curv", n, *values)


def xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + fixed(values)


def profile(
    space: bytes,
    tags: dict[bytes, bytes],
    *,
    version: int = 4,
    kind: bytes = b"mntr",
    pcs: bytes = b"XYZ ",
) -> bytes:
    table, body = struct.pack(">L", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sLL", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">L4xL4s4s4s6H4s", start + len(body), version << 24, kind, space, pcs,
        2026, 1, 1, 0, 0, 0, b"acsp",
    )  # fmt: skip
    return (header.ljust(68, b"\0") + fixed(WHITE)).ljust(128, b"\0") + table + body


def rgb_profile(
    colorants: Sequence[Sequence[float]], curve: Curve, *, version: int = 4
) -> bytes:
    """Write a profile by the XYZ of its red, green and blue, under D50."""
    tags = {b"wtpt": xyz(WHITE)}
    for name, colorant in zip((b"r", b"g", b"b"), colorants, strict=True):
        tags |= {name + b"XYZ": xyz(colorant), name + b"TRC": curve}
    return profile(b"RGB ", tags, version=version)


def gray_profile(curve: Curve) -> bytes:
    return profile(b"GRAY", {b"wtpt": xyz(WHITE), b"kTRC": curve})


def cmyk_profile(
    find_lab: Callable[[float, float, float, float], Sequence[float]],
) -> bytes:
    """Write a profile of inks by the L*a*b* of no ink, and all of it, in each way."""
    table = struct.pack(">4s4xBBBx", b"mft2", 4, 3, 2)
    table += fixed([1, 0, 0, 0, 1, 0, 0, 0, 1]) + struct.pack(">2H", 2, 2)
    table += struct.pack(">2H", 0, 65_535) * 4
    for inks in itertools.product((0.0, 1.0), repeat=4):
        lightness, a, b = find_lab(*inks)
        levels = (lightness * 652.8, (a + 128) * 256, (b + 128) * 256)
        table += struct.pack(">3H", *map(round, levels))
    table += struct.pack(">2H", 0, 65_535) * 3
    tags = {b"wtpt": xyz(WHITE), b"A2B0": table}
    return profile(b"CMYK", tags, version=2, kind=b"prtr", pcs=b"Lab ")
