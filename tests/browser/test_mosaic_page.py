"""The page of a mosaic: which frame a tile is."""

import cv2
import numpy as np
import pytest

from assign_tiles import assign_tiles
from databases import change
from mosaics import write_film
from render_mosaic import render_mosaic

COLORS = [0xC02020, 0x20A020, 0x2020C0, 0x808080]
HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results with a mosaic of 4x4 cells, the first row of each of the frames."""
    folder = tmp_path_factory.mktemp("results")
    films = write_film(folder, COLORS, film="a")
    (database,) = films
    change(database, f"UPDATE films SET title = '{HOSTILE}'")
    pixels = np.repeat(
        [list(color.to_bytes(3, "little")) for color in COLORS], 16, axis=0
    )
    cv2.imwrite(str(folder / "target.png"), np.repeat([pixels], 36, axis=0))
    mosaics, how = folder / "mosaics", {"name": "x", "aspect": (16, 9)}
    assign_tiles(
        folder / "target.png",
        films,
        mosaics / "x.sqlite",
        **how,
        columns=4,
        max_pixels=10**9,
        planning={
            **{"apart": 0, "max_use": None, "mirror": False},
            **{"details": "all", "seed": 0},
        },
    )
    render_mosaic(
        folder / "target.png",
        mosaics / "x.sqlite",
        [folder / "a/previews/00000.jpg"],
        mosaics / "x.png",
        mosaics / "x_maps.png",
        mosaics / "x.html",
        **how,
        width=640,
        tint=0.3,
        max_pixels=10**9,
    )
    return folder


@pytest.fixture
def page(results, open_page):
    return open_page(results / "mosaics/x.html", root=results)


def point_at(page, row, column, act="move"):
    box = page.locator("#sheet").bounding_box()
    x = box["x"] + (column + 0.5) / 4 * box["width"]
    y = box["y"] + (row + 0.5) / 4 * box["height"]
    getattr(page.mouse, act)(x, y)


def test_pointing_at_a_tile_tells_its_frame_and_leads_to_it(page):
    assert page.locator("h1").inner_text() == "x"
    point_at(page, 2, 1)
    told = page.locator("#told")
    assert told.inner_text().startswith(
        f"{HOSTILE} · 0:00:00.500 · frame 1 · detail: upper left · row 3, column 2 "
        "· difference 0."
    )
    link = told.locator("a")
    assert link.get_attribute("href") == "../a/explorer.html#t=0.5"
    box, sheet = (page.locator(at).bounding_box() for at in ("#mark", "#sheet"))
    assert box["x"] == pytest.approx(sheet["x"] + sheet["width"] / 4, abs=2)
    assert box["y"] == pytest.approx(sheet["y"] + sheet["height"] / 2, abs=2)


def test_a_click_holds_a_tile_until_escape(page):
    point_at(page, 0, 3, "click")
    point_at(page, 0, 0)
    told = page.locator("#told")
    assert "frame 3" in told.inner_text()
    assert told.inner_text().endswith("held")
    page.locator("#view").focus()
    page.keyboard.press("Escape")
    assert page.locator("#mark").is_hidden()
    point_at(page, 0, 1)
    assert "frame 1" in told.inner_text()


def test_keys_go_from_tile_to_tile_and_stay_within(page):
    # Nothing needs to be clicked before.
    for key in ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp"]:
        page.keyboard.press(key)
    told = page.locator("#told")
    assert "row 1, column 3" in told.inner_text()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "row 1, column 4" in told.inner_text()


def test_zooming_keeps_what_is_in_the_middle_and_fits_again(page):
    sheet = page.locator("#sheet")
    whole = sheet.bounding_box()
    for _ in range(4):
        page.locator("#zoom-in").click()
    large = sheet.bounding_box()
    assert large["width"] == pytest.approx(whole["width"] * 1.5**4, rel=0.01)
    view = page.locator("#view").bounding_box()
    middle = (view["x"] + view["width"] / 2 - large["x"]) / large["width"]
    assert middle == pytest.approx(0.5, abs=0.02)
    page.locator("#whole").click()
    assert sheet.bounding_box()["width"] == pytest.approx(whole["width"], abs=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_window_has_nothing_beside_it(results, open_page, scheme):
    page = open_page(
        results / "mosaics/x.html", root=results, width=360, color_scheme=scheme
    )
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360
