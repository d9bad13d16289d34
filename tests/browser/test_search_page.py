"""The search over all films, and films' pages, as the server gives them."""

import numpy as np
import pytest

from contrast import measure_contrasts
from corpora import index, merge, write_random_film
from reelbow.color.names import name_colors
from reelbow.database.search import find_frames
from reelbow.explorer import film_page
from reelbow.explorer.film_data import read_film_data
from servers import serve

HOSTILE = "<img src=x onerror=alert(1)> \"' & ünï"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Two films with pages of their own."""
    folder = tmp_path_factory.mktemp("served") / "results"
    databases = []
    for film, title in (("b", HOSTILE), ("a", "Another")):
        (folder / film).mkdir(parents=True)
        databases.append(
            write_random_film(folder / film / f"{film}.sqlite", 30, 1, title)
        )
        text = film_page.make_page(
            read_film_data(databases[-1]),
            {},
            page=folder / film / "explorer.html",
            kind="stacked",
            gap_color="#d9d9d9",
            link=None,
        )
        (folder / film / "explorer.html").write_text(text, encoding="utf-8")
    index(merge(databases, folder / "palettes.sqlite"))
    return folder


@pytest.fixture(scope="module")
def address(results):
    with serve(results) as running:
        yield f"http://127.0.0.1:{running.port}"


@pytest.fixture
def page(browser):
    """A page that has nothing to complain of, and asks for nothing elsewhere."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    context.set_default_timeout(10_000)
    faults = []
    context.on("console", lambda said: faults.append(said.text))
    context.on("weberror", lambda failed: faults.append(str(failed.error)))
    context.on("request", lambda request: faults.extend(find_elsewhere(request.url)))
    yield context.new_page()
    context.close()
    assert not faults


def find_elsewhere(url: str) -> list[str]:
    is_here = url.startswith(("http://127.0.0.1:", "data:", "blob:"))
    return [] if is_here else [url]


def test_frames_appear_while_a_color_is_typed(page, address, results):
    page.goto(address)
    page.locator("#radius").fill("0.2")
    page.locator("#color").fill("3060c0")
    wanted = find_frames(results / "palettes.sqlite", 0x3060C0, radius=0.2, limit=120)
    assert wanted
    page.wait_for_function(
        "n => document.querySelectorAll('#frames > li').length === n", arg=len(wanted)
    )
    assert page.locator("#frames img").count() == 0
    shown = page.locator("#frames .name:not(.quiet)").all_inner_texts()
    assert set(shown) <= {HOSTILE, "Another"}
    words = page.locator("#frames .name.quiet").all_inner_texts()
    assert words == name_colors(np.array([each.color for each in wanted]))
    assert "color=3060c0" in page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_color_is_typed_by_its_name(page, address, results):
    page.goto(address)
    page.locator("#radius").fill("0.2")
    page.locator("#color").fill("Denim-Blue")
    wanted = find_frames(
        results / "palettes.sqlite", "denim blue", radius=0.2, limit=120
    )
    assert wanted
    page.wait_for_function(
        "n => document.querySelectorAll('#frames > li').length === n", arg=len(wanted)
    )
    assert "color=3b5b92" in page.url
    assert page.locator("#picker").input_value() == "#3b5b92"
    assert page.locator("#named option").count() > 900
    page.locator("#color").fill("tael")
    assert page.locator("#color").get_attribute("aria-invalid") == "true"
    assert "names like it are teal, " in page.locator("#fault").inner_text()
    page.locator("#radius").focus()
    assert page.locator("#color").input_value() == "#3b5b92"
    assert not page.locator("#fault").is_visible()
    page.goto(f"{address}/#color=teal")
    page.wait_for_function("document.querySelector('#picker').value === '#029386'")


def test_a_wrong_color_is_told_until_it_is_right_and_nothing_is_searched(
    page, address, results
):
    page.goto(f"{address}/#color=c02020&radius=0.2")
    page.locator("#frames li").first.wait_for()
    # An answer that comes after the color became wrong does not hide that.
    waiting = []
    page.route("**/search?*", lambda route: waiting.append(route))
    with page.expect_request("**/search?*"):
        page.locator("#color").fill("3060c0")
    page.locator("#color").fill("tael")
    with page.expect_response("**/search?*"):
        waiting[0].continue_()
    page.unroute_all()
    page.wait_for_timeout(200)
    fault = page.locator("#fault")
    shown = page.locator("#frames").inner_text()
    assert fault.inner_text().startswith("“tael” is no color")
    # Nor does a change of another field, which takes no focus here.
    page.evaluate(
        """() => {
            getInput("share").value = 50;
            get("share").dispatchEvent(new Event("input", {bubbles: true}));
        }"""
    )
    page.wait_for_timeout(200)
    assert fault.inner_text().startswith("“tael” is no color")
    assert page.locator("#frames").inner_text() == shown
    assert "share=0&" in f"{page.url}&"
    # With the color that gives way the change counts.
    page.locator("#together").focus()
    assert page.locator("#color").input_value() == "#3060c0"
    assert not fault.is_visible()
    wanted = find_frames(
        results / "palettes.sqlite", 0x3060C0, radius=0.2, least_share=0.5, limit=120
    )
    assert len(wanted) < shown.count("%")
    page.wait_for_function(
        "n => document.querySelectorAll('#frames > li').length === n", arg=len(wanted)
    )
    assert "share=0.5" in page.url
    assert page.locator("#share").input_value() == "50"


def test_a_wrong_color_of_the_address_is_told(page, address):
    page.goto(f"{address}/#color=tael&radius=0.2")
    fault = page.locator("#fault")
    fault.wait_for()
    assert fault.inner_text().startswith("“tael” is no color")
    assert page.locator("#color").input_value() == "tael"
    assert page.locator("#frames li").count() == 0
    page.locator("#color").fill("c02020")
    page.locator("#frames li").first.wait_for()
    assert not fault.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_can_be_read(page, address, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/#color=3060c0&radius=0.2")
    page.locator("#frames li").first.wait_for()
    found = measure_contrasts(page)
    assert found
    assert not [each for each in found if each.ratio < each.least]


def test_a_film_s_page_opens_a_second_film(page, address):
    page.goto(f"{address}/a/explorer.html#with=../b/explorer.html")
    page.locator(".film").nth(1).wait_for()
    assert page.locator(".line .name").all_inner_texts() == ["Another", HOSTILE]
