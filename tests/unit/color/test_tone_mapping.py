import numpy as np
import pytest

from formulas import TO_BT709
from reelbow.color.spaces import linear_to_srgb, srgb_to_linear
from reelbow.color.tone_mapping import (
    SDR_WHITE,
    compress_light,
    convert_primaries,
    decode_hlg,
    decode_pq,
    encode_pq,
    map_to_srgb,
)


def patch(red, green, blue):
    """One pixel of code values [0, 1]."""
    return np.rint(np.array([[[red, green, blue]]]) * 65535).astype(np.uint16)


def map_patch(*codes, transfer="pq", primaries="bt2020", peak=1000.0):
    mapped = map_to_srgb(
        patch(*codes), transfer=transfer, primaries=primaries, peak=peak
    )
    return mapped[0, 0].tolist()


@pytest.mark.parametrize(
    ("code", "light"),
    # BT.2408-7, table 1 and annex: PQ 58 % is reference white, 75 % about 1000 cd/m2.
    [(0.0, 0.0), (0.508, 100.0), (0.581, 203.0), (0.752, 1000.0), (1.0, 10000.0)],
)
def test_pq_has_the_published_values(code, light):
    assert decode_pq(np.float64(code)) == pytest.approx(light, rel=0.01)
    assert encode_pq(np.float64(light)) == pytest.approx(code, abs=0.001)


def test_hlg_has_the_published_values():
    # BT.2100: half signal is a twelfth of the light; BT.2408: 75 % is reference white.
    assert decode_hlg(np.array([0.0, 0.5, 1.0])) == pytest.approx([0, 1 / 12, 1])
    light = 1000 * float(decode_hlg(np.float64(0.75))) ** 1.2
    assert light == pytest.approx(SDR_WHITE, rel=0.01)


def test_compression_keeps_the_dark_and_ends_at_white():
    light = np.array([0.0, 1.0, 50.0, 85.0, 1000.0, 4000.0])
    compressed = compress_light(light, 1000.0)
    assert compressed[:4] == pytest.approx(light[:4], rel=1e-6)
    assert compressed[4:] == pytest.approx([SDR_WHITE, SDR_WHITE])
    rising = compress_light(np.linspace(0, 1000, 500), 1000.0)
    assert (np.diff(rising) > 0).all()


def test_compression_follows_bt2390_by_hand():
    # At the middle of the spline (t = 0.5) the EETF is
    # 0.5 knee + 0.125 (1 - knee) + 0.5 most.
    source = float(encode_pq(np.float64(1000.0)))
    most = float(encode_pq(np.float64(SDR_WHITE))) / source
    knee = 1.5 * most - 0.5
    light = decode_pq(np.float64((knee + 0.5 * (1 - knee)) * source))
    expected = decode_pq(
        np.float64((0.5 * knee + 0.125 * (1 - knee) + 0.5 * most) * source)
    )
    assert compress_light(light, 1000.0) == pytest.approx(expected)


def test_no_compression_where_the_source_is_no_brighter():
    assert compress_light(np.array([50.0, 150.0]), 150.0) == pytest.approx([50, 150])


@pytest.mark.parametrize("transfer", ["pq", "hlg", "sdr"])
def test_black_white_and_grays(transfer):
    assert map_patch(0, 0, 0, transfer=transfer) == [0, 0, 0]
    assert map_patch(1, 1, 1, transfer=transfer) == [255, 255, 255]
    red, green, blue = map_patch(0.4, 0.4, 0.4, transfer=transfer)
    assert red == green == blue


@pytest.mark.parametrize("light", [0.05, 1.0, 10.0, 50.0, 91.0])
def test_dark_pq_comes_as_its_own_light(light):
    code = float(encode_pq(np.float64(light)))
    expected = float(linear_to_srgb(light / SDR_WHITE))
    assert map_patch(code, code, code)[0] == pytest.approx(expected, abs=0.6)


def test_reference_white_is_the_same_in_pq_and_hlg():
    code = float(encode_pq(np.float64(SDR_WHITE)))
    assert map_patch(code, code, code) == pytest.approx(
        map_patch(0.75, 0.75, 0.75, transfer="hlg"), abs=1
    )


@pytest.mark.parametrize("primaries", TO_BT709)
def test_primaries_are_converted_by_the_published_matrix(primaries):
    assert convert_primaries(primaries) == pytest.approx(TO_BT709[primaries], abs=1e-4)


@pytest.mark.parametrize("primaries", ["bt2020", "p3", "bt709"])
@pytest.mark.parametrize("color", [(200, 40, 60), (30, 90, 160), (120, 200, 90)])
def test_srgb_colors_in_wide_primaries_come_back(primaries, color):
    light = srgb_to_linear(color)
    wide = convert_primaries("bt709", primaries) @ light
    mapped = map_patch(*linear_to_srgb(wide) / 255, transfer="sdr", primaries=primaries)
    assert mapped == pytest.approx(color, abs=1)


def test_colors_beyond_srgb_are_clipped_to_it():
    assert map_patch(0, 1, 0, transfer="sdr")[1] == 255
    assert map_patch(0, 1, 0, transfer="sdr")[0] == 0
