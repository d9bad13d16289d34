"""Films of known colors come back right: through the encoder, the file and `film`.

The truth is computed here in floats, from the standards alone.
"""

from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import pytest
from av.video.reformatter import ColorTrc
from numpy.typing import NDArray

from chain import run_chain
from databases import query
from films import (
    Matrix,
    Primaries,
    Range,
    fill_planes,
    from_yuv,
    join_films,
    to_yuv,
    write_film,
)
from formulas import TO_BT709, to_code, to_light
from reelbow.film import coding as colors
from reelbow.film import read_frames
from reelbow.film.probe import probe_film

Bits = Literal[8, 10]
Codes = NDArray[np.float64]

# R'G'B' code values: gray, primaries and their mixtures, skin, sky, dark
PATCHES: Codes = (
    np.array(
        [
            *[(0, 0, 0), (128, 128, 128), (255, 255, 255), (37, 37, 37)],
            *[(255, 0, 0), (0, 255, 0), (0, 0, 255)],
            *[(255, 255, 0), (0, 255, 255), (255, 0, 255)],
            *[(224, 172, 105), (70, 130, 180), (20, 30, 25)],
        ]
    )
    / 255
)
SIDE = 16  # wide enough that the chroma of neighbors does not reach a patch's middle


def draw(patches: Codes) -> Codes:
    """Draw patches side by side: (16, 16 n, 3) code values."""
    return np.tile(np.repeat(patches, SIDE, axis=0), (SIDE, 1, 1))


def read(path: Path) -> tuple[Codes, colors.Coding]:
    """Read the middles of the patches of a film's first picture; its coding."""
    frame = next(read_frames(path, every=1))
    middles = frame.pixels[SIDE // 2, SIDE // 2 :: SIDE].astype(float)
    return middles, probe_film(path).coding


def stored(patches: Codes, matrix: Matrix, color_range: Range, bits: Bits) -> Codes:
    """Find what the rounded code values of a film stand for, R'G'B' in [0, 1]."""
    how: dict[str, Any] = {"matrix": matrix, "color_range": color_range, "bits": bits}
    codes = np.rint(to_yuv(255 * patches, **how)).clip(0, 2**bits - 1)
    return from_yuv(codes, **how)


def off(found: Codes, expected: Codes) -> float:
    return float(np.abs(found - expected).max())


LOSSLESS: dict[str, tuple[str, dict[str, Any]]] = {
    "ffv1": ("mkv", {"codec": "ffv1"}),
    "x264": ("mp4", {"options": {"qp": "0"}}),
}


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("color_range", ["limited", "full"])
@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize("kind", LOSSLESS)
def test_patches_come_back_within_a_level(
    tmp_path: Path,
    kind: str,
    layout: str,
    bits: Bits,
    color_range: Range,
    matrix: Matrix,
) -> None:
    suffix, how = LOSSLESS[kind]
    path = write_film(
        tmp_path / f"film.{suffix}",
        [draw(PATCHES)],
        pix_fmt=layout if bits == 8 else f"{layout}10le",
        matrix=matrix,
        color_range=color_range,
        primaries="bt709",
        **how,
    )
    found, coding = read(path)
    assert coding == colors.Coding(matrix, color_range)
    # of the code values that are stored: an eighth bit is not enough for all colors
    assert off(found, 255 * stored(PATCHES, matrix, color_range, bits)) <= 1
    assert off(found, 255 * PATCHES) <= (1 if bits == 10 else 2)


X265 = "log-level=none:pools=none"
LOSSY: dict[str, tuple[str, dict[str, Any]]] = {
    "x264": ("mp4", {}),
    "x264 10 bits": ("mp4", {"pix_fmt": "yuv420p10le"}),
    "x265": (
        "mp4",
        {
            "codec": "libx265",
            "options": {"preset": "ultrafast", "x265-params": f"{X265}:crf=18"},
        },
    ),
    "vp9": (
        "webm",
        {
            "codec": "libvpx-vp9",
            "options": {"deadline": "realtime", "cpu-used": "8", "crf": "15", "b": "0"},
        },
    ),
}


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("color_range", ["limited", "full"])
@pytest.mark.parametrize("kind", LOSSY)
def test_patches_come_back_within_two_levels_of_what_lossy_coding_was_given(
    tmp_path: Path, kind: str, color_range: Range, matrix: Matrix
) -> None:
    suffix, how = LOSSY[kind]
    # a flat picture each: what is tested is the conversion, not how codecs ring
    muted = 0.1 + 0.8 * PATCHES[[1, 4, 5, 6, 10, 11]]
    path = write_film(
        tmp_path / f"film.{suffix}",
        [np.tile(patch, (48, 64, 1)) for patch in muted],
        rate=1,
        gop=1,
        matrix=matrix,
        color_range=color_range,
        primaries="bt709",
        **how,
    )
    frames = list(read_frames(path, every=1))
    found = np.array([frame.pixels[24, 32] for frame in frames], float)
    assert off(found, 255 * muted) <= 2
    assert probe_film(path).coding == colors.Coding(matrix, color_range)


@pytest.mark.parametrize(
    ("size", "matrix"),
    [((208, 16), "bt601"), ((1280, 16), "bt709"), ((208, 578), "bt709")],
)
@pytest.mark.parametrize("codec", ["ffv1", "mpeg4"])
def test_a_silent_film_has_the_matrix_of_its_size_and_the_plan_says_so(
    tmp_path: Path, codec: str, size: tuple[int, int], matrix: Matrix
) -> None:
    picture = np.zeros((size[1], size[0], 3))
    patches = draw(PATCHES)
    picture[: patches.shape[0], : patches.shape[1]] = patches
    path = write_film(
        tmp_path / "film.mkv",
        [picture],
        codec=codec,
        options={"qmin": "1", "qmax": "1"} if codec == "mpeg4" else {},
        matrix=matrix,
        tagged=False,
    )
    found, coding = read(path)
    expected = 255 * stored(PATCHES, matrix, "limited", 8)
    within = 1 if codec == "ffv1" else 3
    assert off(found[: len(PATCHES)], expected) <= within
    assert coding == colors.Coding(matrix, "limited", assumed="matrix,color_range")
    about = probe_film(path).to_json()["coding"]
    assert about["assumed"] == "matrix,color_range"


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [
        ("png", "rgb24"),
        ("libx264rgb", "bgr0"),
        ("ffv1", "bgr0"),
        ("ffv1", "gbrp10le"),
        ("ffv1", "gbrp16le"),
        ("ffv1", "gbrap10le"),
    ],
)
def test_rgb_films_come_as_they_are(tmp_path: Path, codec: str, pix_fmt: str) -> None:
    rgb = np.rint(draw(PATCHES) * 255).astype(np.uint8)
    options = {"qp": "0"} if codec == "libx264rgb" else {}
    suffix = "mov" if codec == "png" else "mkv"
    path = write_film(
        tmp_path / f"film.{suffix}",
        [rgb],
        codec=codec,
        pix_fmt=pix_fmt,
        options=options,
    )
    found, coding = read(path)
    assert coding == colors.Coding("rgb", "full")
    assert off(found, 255 * PATCHES) <= (1 if "le" in pix_fmt else 0)


@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("planes", ["gbrp", "gbrap"])
def test_deep_rgb_is_within_half_a_level(planes: str, bits: int, order: str) -> None:
    codes = np.random.default_rng(0).integers(0, 1 << bits, (len(planes) - 1, 48, 64))
    stored = codes.astype(">u2" if order == "be" else "<u2")
    frame = fill_planes((64, 48), f"{planes}{bits}{order}", *stored)
    coding = colors.find_coding(frame)
    assert coding == colors.Coding("rgb", "full")
    found = colors.to_srgb(frame, coding).astype(float)
    green, blue, red = codes[:3] * 255 / (2**bits - 1)
    assert off(found, np.stack([red, green, blue], axis=-1)) <= 0.5 + 1e-9


# --- HDR and wide gamut ---------------------------------------------------------------

DEEP: dict[str, Any] = {"codec": "ffv1", "pix_fmt": "yuv420p10le"}


def pq_to_light(code: Codes) -> Codes:
    """ST 2084: code [0, 1] to cd/m2."""
    root = code ** (1 / 78.84375)
    ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    return 10000 * ratio ** (1 / 0.1593017578125)


def light_to_pq(light: Codes) -> Codes:
    power = (light / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg_to_light(code: Codes) -> Codes:
    """BT.2100: code [0, 1] to cd/m2 of a display of 1000 cd/m2, gamma 1.2."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    luminance = scene @ [0.2627, 0.6780, 0.0593]
    return 1000 * scene * luminance[..., np.newaxis] ** 0.2


def tone_map(light: Codes, peak: float) -> Codes:
    """BT.2390's EETF from `peak` to 203 cd/m2, on the largest channel."""
    largest = light.max(axis=-1, keepdims=True)
    top, white = light_to_pq(np.array([peak, 203.0]))
    e1 = light_to_pq(largest) / top
    max_lum = white / top
    ks = 1.5 * max_lum - 0.5
    t = (np.clip(e1, ks, 1) - ks) / (1 - ks)
    p = (
        (2 * t**3 - 3 * t**2 + 1) * ks
        + (t**3 - 2 * t**2 + t) * (1 - ks)
        + (3 * t**2 - 2 * t**3) * max_lum
    )
    e2 = np.where(e1 < ks, e1, p)
    return light * (pq_to_light(e2 * top) / np.maximum(largest, 1e-6))


def to_srgb(light: Codes, primaries: str = "bt2020") -> Codes:
    """Convert linear light [0, 1] of some primaries to sRGB [0, 255]."""
    return 255 * to_code((light @ TO_BT709[primaries].T).clip(0, 1))


HDR_PATCHES: Codes = np.array(
    [
        *[[level] * 3 for level in (0, 0.1, 0.3, 0.5, 0.58, 0.65, 0.75, 0.9, 1)],
        *[(0.5, 0.4, 0.3), (0.3, 0.5, 0.45), (0.25, 0.35, 0.6), (0.7, 0.6, 0.5)],
        *[(0.8, 0.5, 0.4), (0.4, 0.75, 0.5), (0.9, 0.9, 0.3)],
    ]
)


@pytest.mark.parametrize("color_range", ["limited", "full"])
@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_hdr_films_are_tone_mapped_by_the_published_curves(
    tmp_path: Path, transfer: Literal["pq", "hlg"], color_range: Range
) -> None:
    path = write_film(
        tmp_path / "film.mkv",
        [draw(HDR_PATCHES)],
        **DEEP,
        matrix="bt2020",
        color_range=color_range,
        transfer=transfer,
        primaries="bt2020",
    )
    found, coding = read(path)
    assert coding == colors.Coding("bt2020", color_range, transfer, "bt2020", 1000.0)
    codes = stored(HDR_PATCHES, "bt2020", color_range, 10)
    light = pq_to_light(codes) if transfer == "pq" else hlg_to_light(codes)
    expected = to_srgb(tone_map(np.minimum(light, 1000), 1000) / 203)
    assert off(found, expected) <= 1
    # bright but not clipped: what a plain read makes gray is not gray
    assert expected.max() > 254
    assert np.abs(255 * HDR_PATCHES - expected).max() > 20


def test_hdr_without_primaries_has_those_of_bt2020_and_the_plan_says_so(
    tmp_path: Path,
) -> None:
    path = write_film(
        tmp_path / "film.mkv",
        [draw(HDR_PATCHES)],
        **DEEP,
        matrix="bt2020",
        transfer="hlg",
    )
    found, coding = read(path)
    assert (coding.primaries, coding.assumed) == ("bt2020", "primaries")
    light = hlg_to_light(stored(HDR_PATCHES, "bt2020", "limited", 10))
    assert off(found, to_srgb(tone_map(light, 1000) / 203)) <= 1


def test_pq_is_mapped_from_the_peak_its_master_had(tmp_path: Path) -> None:
    master = "G(8500,39850)B(6550,2300)R(35400,14600)WP(15635,16450)L(40000000,50)"
    flat = np.tile(np.array([0.78, 0.7, 0.65]), (64, 64, 1))
    path = write_film(
        tmp_path / "film.mkv",
        [flat],
        codec="libx265",
        options={
            "preset": "ultrafast",
            "x265-params": f"{X265}:crf=10:master-display={master}",
        },
        pix_fmt="yuv420p10le",
        matrix="bt2020",
        transfer="pq",
        primaries="bt2020",
    )
    assert probe_film(path).coding.peak == 4000
    frame = next(read_frames(path, every=1))
    light = pq_to_light(flat[0, 0])
    found = frame.pixels[32, 32].astype(float)
    assert off(found, to_srgb(tone_map(light, 4000) / 203)) <= 2
    assert off(found, to_srgb(tone_map(np.minimum(light, 1000), 1000) / 203)) > 5


@pytest.mark.parametrize(
    ("matrix", "primaries"), [("bt2020", "bt2020"), ("bt709", "p3"), ("bt2020", None)]
)
def test_wide_gamut_films_come_as_srgb(
    tmp_path: Path, matrix: Matrix, primaries: Primaries | None
) -> None:
    gamut = primaries or "bt2020"
    levels = [[level] * 3 for level in (0, 40, 128, 200, 255)]
    srgb = np.array([*levels, (200, 40, 60), (30, 90, 160), (120, 200, 90)]) / 255
    wide = to_code(to_light(srgb) @ np.linalg.inv(TO_BT709[gamut]).T)
    path = write_film(
        tmp_path / "film.mkv",
        [draw(wide)],
        **DEEP,
        matrix=matrix,
        transfer="srgb",
        primaries=primaries,
    )
    found, coding = read(path)
    assert (coding.transfer, coding.primaries) == ("sdr", gamut)
    assert coding.assumed == (None if primaries else "primaries")
    assert off(found, 255 * srgb) <= 1
    # what the numbers would be as they stand
    assert off(255 * wide, 255 * srgb) > 10
    # gray stays gray
    assert (np.ptp(found[: len(levels)], axis=1) == 0).all()


# Films whose pictures are not all coded alike

SDR: dict[str, Any] = {"matrix": "bt709", "options": {"qp": "0"}}
PARTS: dict[str, dict[str, Any]] = {
    "pq": {
        "matrix": "bt2020",
        "transfer": "pq",
        "primaries": "bt2020",
        "pix_fmt": "yuv420p10le",
        "options": {"qp": "0"},
    },
    "bt601": {"matrix": "bt601", "options": {"qp": "0"}},
    "full": {"color_range": "full", "options": {"qp": "0"}},
    "yuv444p": {"pix_fmt": "yuv444p", "options": {"qp": "0"}},
}


def write_part(path: Path, how: dict[str, Any], n: int = 24) -> Path:
    return write_film(path, [draw(PATCHES)] * n, gop=12, bframes=0, **how)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write a second of each coding, as transport streams that can be joined."""
    folder = tmp_path_factory.mktemp("parts")
    coded = {"sdr": SDR, **PARTS}
    return {name: write_part(folder / f"{name}.ts", how) for name, how in coded.items()}


@pytest.mark.parametrize("other", PARTS)
@pytest.mark.parametrize("leads", [True, False])
def test_every_picture_counts_by_its_own_coding(
    parts: dict[str, Path], tmp_path: Path, other: str, leads: bool
) -> None:
    order = ["sdr", other] if leads else [other, "sdr"]
    joined = join_films(tmp_path / "joined.ts", *(parts[name] for name in order))
    frames = list(read_frames(joined, every=0.5))
    assert len(frames) == 4
    for frame, name in zip(frames, (order[0], order[0], *2 * [order[1]]), strict=True):
        alone = next(read_frames(parts[name], every=1))
        np.testing.assert_array_equal(frame.pixels, alone.pixels)


def test_pictures_of_another_size_count_by_their_own(
    parts: dict[str, Path], tmp_path: Path
) -> None:
    larger = write_film(
        tmp_path / "larger.ts",
        [draw(PATCHES).repeat(2, axis=0).repeat(2, axis=1)] * 24,
        **PARTS["bt601"],
    )
    joined = join_films(tmp_path / "joined.ts", parts["sdr"], larger)
    first, second = read_frames(joined, every=1)
    alone = next(read_frames(larger, every=1))
    assert first.pixels.shape == second.pixels.shape
    # Made small, in the middles of patches it is the same.
    middle = SIDE // 2
    off_by = (
        second.pixels[middle, middle::SIDE].astype(int)
        - alone.pixels[2 * middle, 2 * middle :: 2 * SIDE]
    )
    assert np.abs(off_by).max() <= 1


def test_only_the_peak_of_a_picture_is_taken_from_others() -> None:
    usual = colors.Coding("bt2020", "full", "pq", "p3", 4000.0)
    frame = av.VideoFrame(64, 48, "yuv420p10le")
    # A leader that says nothing is as a film that says nothing.
    assert colors.find_coding(frame, usual) == colors.find_coding(frame)
    frame.color_trc = ColorTrc.SMPTE2084
    assert colors.find_coding(frame, usual).peak == 4000
    assert colors.find_coding(frame).peak == colors.NOMINAL_PEAK


def test_a_film_is_coded_as_most_of_its_pictures() -> None:
    sdr = colors.Coding("bt709", "limited", assumed="matrix")
    hdr = colors.Coding("bt2020", "limited", "hlg", "bt2020")
    assert colors.find_usual([sdr, sdr]) == sdr
    # What is assumed is no difference.
    assert colors.find_usual([sdr, sdr._replace(assumed=None)]) == sdr
    assert colors.find_usual([sdr, hdr, hdr]) == hdr._replace(assumed="varies")
    assert colors.find_usual([sdr, hdr]) == sdr._replace(assumed="matrix,varies")


def test_a_film_of_several_codings_says_so(
    parts: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # A leader of a second before four of HDR, in which the plan looks at four frames.
    names = ["sdr", *["pq"] * 4]
    joined = join_films(tmp_path / "joined.ts", *(parts[name] for name in names))
    found = run_chain(joined, tmp_path, crop="none", every=0.5, height=None)
    coding = found.plan["video"]["coding"]
    assert (coding["transfer"], coding["assumed"]) == ("pq", "varies")
    assert "WARNING: 2 frames, 0 to 1, are coded as bt709, limited, sdr" in (
        capsys.readouterr().err
    )
    row = query(
        tmp_path / "palettes.sqlite", "SELECT matrix, transfer, assumed FROM films"
    )
    assert row == [("bt2020", "pq", "varies")]
    # Each as if it were a film of its own.
    for name, numbers in (("sdr", (0, 1)), ("pq", range(2, 10))):
        folder = tmp_path / name
        folder.mkdir()
        alone = run_chain(parts[name], folder, crop="none", every=1.0, height=None)
        assert alone.plan["video"]["coding"]["assumed"] is None
        for number in numbers:
            assert found.frames[number] == alone.frames[0]
            assert found.palettes[number] == alone.palettes[0]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("height", [None, 8])
def test_a_few_pictures_that_no_plan_saw_are_told_in_the_database(
    parts: dict[str, Path], tmp_path: Path, height: int | None
) -> None:
    # Of 48 frames the plan looks at four.
    names = ["sdr", "bt601", *["sdr"] * 6]
    joined = join_films(tmp_path / "joined.ts", *(parts[name] for name in names))
    found = run_chain(joined, tmp_path, crop="none", every=1 / 6, height=height)
    assert found.plan["video"]["coding"]["assumed"] is None
    row = query(tmp_path / "palettes.sqlite", "SELECT matrix, assumed FROM films")
    assert row == [("bt709", "varies")]
