"""The page of all films as people use it."""

import itertools
import json

import pytest
from playwright.sync_api import Page, expect

from contrast import measure_contrasts
from databases import ROW, merge, write_shard
from reelbow.color.names import describe_names
from reelbow.explorer.filling import fill_page
from reelbow.explorer.index_page import (
    SCRIPTS,
    STYLES,
    TEMPLATE,
    _read_entries,
    write_page,
)

RED, BLUE, PALE, GRAY = (200, 30, 20), (20, 40, 200), (180, 190, 230), (128, 128, 128)

# Also hostile ones: an id is a folder's name, a title any text.
FILMS = {
    "red": ("The Red Movie", 50.0, [(RED, 0.9), (GRAY, 0.1)], "Kon", "1997"),
    "blue": ("A Blue Movie", 200.0, [(BLUE, 0.6), (PALE, 0.4)], "Ozu", "1953"),
    "gray": ("film 10", 100.0, [(GRAY, 0.99), (BLUE, 0.01)], "Ozu", ""),
    "pale": ("film 9", None, [(PALE, 1.0)], "", "2001"),
    """a#b?c%d&e'f"g h""": (
        "</script><img src=x onerror=alert(1)>",
        7.0,
        [(RED, 0.5), (BLUE, 0.5)],
        "<b>Varda</b>",
        "1962",
    ),
    "rtl": ("אבג \u202eabc \U0001f3ac", 8.0, [(GRAY, 1.0)], "", ""),
    "long": ("W" * 400, 9.0, [(GRAY, 1.0)], "very " * 60, ""),
}
TITLES = {film: about[0] for film, about in FILMS.items()}
WEIRD = list(FILMS)[4]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results folder with a page of all films, and stand-ins for the films' own."""
    folder = tmp_path_factory.mktemp("results")
    for number, (film, about) in enumerate(FILMS.items()):
        title, duration_s, palette, director, year = about
        own = {"director": director, "year": year}
        row = ROW._replace(
            film=film,
            title=title,
            duration_s=duration_s,
            sheet=json.dumps({key: value for key, value in own.items() if value}),
        )
        (folder / film).mkdir()
        shard = write_shard(
            folder / film / "00000.sqlite",
            [0, 1],
            palettes=dict.fromkeys([0, 1], palette),
            made_at=f"2026-01-0{9 - number}T03:04:05+00:00",
        )
        merge([shard], [2], folder / film / "palettes.sqlite", row=row)
        page = f"<!doctype html><meta charset='utf-8'><title>page {number}</title>"
        (folder / film / "explorer.html").write_text(page)
    write_page(
        folder / "index.html",
        FILMS,
        drawing={"kind": "stacked"},
        code="",
        faults={"gone": "gone.mp4 is gone; bring it back"},
    )
    return folder


@pytest.fixture
def wall(open_page, results):
    """Open the page of all films."""
    return lambda state="", **more: open_page(results / "index.html", state, **more)


def list_films(page: Page) -> list[str]:
    """List the ids of the films on the wall, in their order."""
    return page.locator("#wall input").evaluate_all(
        "all => all.map(e => e.dataset.film)"
    )


def wait_for_address(page: Page, state: str) -> None:
    page.wait_for_function("wanted => location.hash === wanted", arg=f"#{state}")


def test_every_film_is_there_and_what_failed_says_why(wall):
    page = wall()
    assert list_films(page) == [*FILMS, "gone"]
    expect(page.get_by_role("status").first).to_have_text("8 films")
    gone = page.get_by_role("listitem").filter(has_text="Not made")
    expect(gone).to_contain_text("gone.mp4 is gone; bring it back")
    assert gone.get_by_role("link").count() == 0
    assert gone.get_by_role("checkbox").count() == 0
    red = page.get_by_role("listitem").filter(has_text="The Red Movie")
    for fact in ["0:00:50", "2 frames", "made 2026-01-09", "hue 29°", "lightness 54 %"]:
        expect(red).to_contain_text(fact)
    assert page.evaluate("[...document.images].every(i => !i.src || i.naturalWidth)")


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("title", [WEIRD, "blue", "pale", "gray", "red", "long", "rtl", "gone"]),
        ("length", ["pale", WEIRD, "rtl", "long", "red", "gray", "blue", "gone"]),
        ("date", ["long", "rtl", WEIRD, "pale", "gray", "blue", "red", "gone"]),
        ("year", ["blue", WEIRD, "red", "pale", "gray", "rtl", "long", "gone"]),
    ],
)
def test_films_are_sorted_and_what_has_no_value_stays_last(wall, sort, order):
    page = wall()
    choice = page.get_by_label("Sort by")
    label = {"length": "length", "date": "date made"}.get(sort, sort)
    choice.select_option(label=label)
    if sort == "title":
        # "gone" has its id for a title.
        order = [*order[:4], "gone", *order[4:-1]]
    found = list_films(page)
    assert found == order
    page.get_by_role("button", name="Reverse").click()
    n_known = {"year": 4, "length": 7, "date": 7, "title": 8}[sort]
    assert list_films(page)[:n_known] == order[:n_known][::-1]
    assert list_films(page)[n_known:] == order[n_known:]


def test_hue_and_lightness_have_their_order(wall, results):
    entries = {e["film"]: e for e in _read_entries(results / "index.html")}
    page = wall("sort=hue")
    hues = [entries[film].get("hue") for film in list_films(page)]
    known = [hue for hue in hues if hue is not None]
    assert known == sorted(known)
    # Gray has none.
    assert hues == [*known, None, None, None, None]
    page.get_by_label("Sort by").select_option("lightness")
    values = [entries[film].get("lightness", 9) for film in list_films(page)]
    assert values == sorted(values)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("blue", ["blue"]),
        ("MOVIE the", ["red"]),
        ("ozu", ["blue", "gray"]),
        ("1962", [WEIRD]),
        ("onerror", [WEIRD]),
        ("bring it back", ["gone"]),
        ("אבג", ["rtl"]),
        ("nothing has this", []),
    ],
)
def test_films_are_filtered_by_text(wall, text, found):
    page = wall()
    page.get_by_role("searchbox", name="Text").fill(text)
    assert list_films(page) == found
    expect(page.locator("#count")).to_have_text(f"{len(found)} of 8 films")
    if not found:
        page.get_by_role("button", name="Show all films").click()
        assert len(list_films(page)) == 8
        expect(page.get_by_role("searchbox", name="Text")).to_be_focused()


def test_films_are_filtered_by_color(wall):
    page = wall()
    page.get_by_label("or write").fill("#C81E14")
    assert list_films(page) == ["red", WEIRD]
    expect(page.get_by_role("listitem").first).to_contain_text("90.0 % near")
    share = page.get_by_label("at least")
    share.fill("60")
    assert list_films(page) == ["red"]
    share.fill("0.5")
    page.get_by_label("or write").fill("1428c8")
    assert list_films(page) == ["blue", "gray", WEIRD]
    page.get_by_label("Sort by").select_option("share of the color")
    assert list_films(page) == ["blue", WEIRD, "gray"]
    # A color that is twice as far as a color is like it at a larger tolerance.
    page.get_by_label("or write").fill("#c81")
    assert list_films(page) == []
    near = page.get_by_role("slider", name="Tolerance")
    near.fill("0.3")
    assert set(list_films(page)) >= {"red", WEIRD}
    page.get_by_role("button", name="Any color").click()
    assert len(list_films(page)) == 8
    page.locator("#pick").fill("#c81e14")
    expect(page.get_by_label("or write")).to_have_value("#c81e14")
    near.fill("0.1")
    assert list_films(page) == ["red", WEIRD]


def test_films_are_filtered_by_the_name_of_a_color(wall):
    page = wall()
    page.get_by_label("or write").fill("Scarlet")
    page.locator("#near").fill("0.15")
    assert list_films(page) == ["red", WEIRD]
    expect(page.get_by_role("listitem").first).to_contain_text("90.0 % near Scarlet")
    expect(page.locator("#pick")).to_have_value("#be0119")
    wait_for_address(page, "color=Scarlet&near=0.15")


def test_what_is_no_color_is_told_and_filters_nothing(wall):
    page = wall()
    page.get_by_label("or write").fill("bleu")
    expect(page.get_by_role("alert")).to_contain_text("“bleu” is no color")
    expect(page.get_by_role("alert")).to_contain_text("names like it are blue")
    expect(page.get_by_label("or write")).to_have_attribute("aria-invalid", "true")
    assert len(list_films(page)) == 8


def test_the_address_keeps_the_view(wall):
    state = (
        "text=movie&sort=own.year&down=1&color=%23c81e14&near=0.05&share=0.5"
        "&with=red&with=blue&theme=dark"
    )
    page = wall(state)
    assert list_films(page) == ["red"]
    for name, value in {"text": "movie", "sort": "own.year", "near": "0.05"}.items():
        expect(page.locator(f"#{name}")).to_have_value(value)
    expect(page.locator("#share")).to_have_value("0.5")
    expect(page.locator("#compared")).to_contain_text("The Red Movie")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_label("at least").fill("7")
    wait_for_address(page, state.replace("share=0.5", "share=7"))
    # Back to how all is by default, which the address need not say.
    page.evaluate("location.hash = ''")
    expect(page.locator("#count")).to_have_text("8 films")
    expect(page.locator("#compare")).to_be_hidden()


@pytest.mark.parametrize(
    "state",
    [
        "sort=none&near=9&share=-1&with=nobody&theme=pink&down=2",
        "%",
        "sort=__proto__&text=%00",
        "near=&share=abc",
    ],
)
def test_an_address_that_makes_no_sense_breaks_nothing(wall, state):
    page = wall(state)
    expect(page.locator("#near")).to_have_value("0.1")
    expect(page.locator("#share")).to_have_value("5")
    expect(page.locator("#compare")).to_be_hidden()


def test_a_film_leads_to_its_page_whatever_its_name(wall):
    for film in ["red", WEIRD]:
        page = wall()
        page.get_by_role("link", name=TITLES[film]).click()
        expect(page).to_have_title(f"page {list(FILMS).index(film)}")


@pytest.mark.parametrize("pair", [("red", "blue"), (WEIRD, "red"), ("red", WEIRD)])
def test_two_films_are_compared_on_the_page_of_the_first(wall, pair):
    page = wall()
    # Of three the first one goes.
    for film in ["gray", *pair]:
        page.get_by_role("checkbox", name=f"Compare {TITLES[film]}").check()
    gray = page.get_by_role("checkbox", name="Compare film 10")
    expect(gray).not_to_be_checked()
    region = page.get_by_role("region", name="Compare two films")
    region.get_by_role("link", name="Open both").click()
    expect(page).to_have_title(f"page {list(FILMS).index(pair[0])}")
    # As the page reads it.
    path = page.evaluate("new URLSearchParams(location.hash.slice(1)).get('with')")
    other = page.evaluate("path => new URL(path, location).href", path)
    page.goto(other)
    expect(page).to_have_title(f"page {list(FILMS).index(pair[1])}")


def test_titles_are_texts(wall):
    page = wall()
    for film, title in TITLES.items():
        place = list(FILMS).index(film)
        expect(page.locator(".title").nth(place)).to_have_text(title)
    assert page.locator("b").count() == 0
    assert page.evaluate("document.images.length") == 8
    expect(page.locator(".own").nth(4)).to_have_text(
        "director: <b>Varda</b> · year: 1962"
    )


def test_all_can_be_done_by_the_keyboard(wall):
    page = wall()
    names = []
    for _ in range(12):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.id || 'film'"))
        # What has the focus shows it.
        assert (
            page.evaluate(
                "parseFloat(getComputedStyle(document.activeElement).outlineWidth)"
            )
            >= 2
        )
    assert names[:9] == [
        *("theme", "text", "sort", "down", "pick", "color", "near", "share", "clear")
    ]
    assert names[9:] == ["film"] * 3
    page.locator("#text").focus()
    page.keyboard.type("movie")
    assert list_films(page) == ["red", "blue"]
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    assert list_films(page) == ["blue", "red"]
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert list_films(page) == ["red", "blue"]
    page.locator("#color").focus()
    page.keyboard.type("1428c8")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#near-value")).to_have_text("0.11")
    assert list_films(page) == ["blue"]
    for _ in range(4):
        page.keyboard.press("Tab")
    # From a film's link to its box.
    page.keyboard.press("Space")
    expect(page.locator("#compared")).to_contain_text("choose another film")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_title("page 1")


@pytest.mark.parametrize("width", [320, 360, 1400, 3840])
@pytest.mark.parametrize("state", ["", "with=red&with=long&color=%23c81e14"])
def test_nothing_is_wider_than_the_window(wall, width, state):
    page = wall(state, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = page.evaluate(
        """[...document.querySelectorAll("body *")]
        .filter(e => e.checkVisibility() && !e.closest(".hidden"))
        .map(e => [e.tagName, e.id, e.getBoundingClientRect().right])"""
    )
    assert not [box for box in boxes if box[2] > width + 0.5]


@pytest.mark.parametrize(
    ("scheme", "theme"), [*itertools.product(["light", "dark"], ["", "light", "dark"])]
)
def test_texts_and_controls_have_contrast_in_both_themes(wall, scheme, theme):
    page = wall("with=red&with=blue&down=1", color_scheme=scheme)
    if theme:
        page.get_by_label("Theme").select_option(theme)
        wait_for_address(page, f"down=1&with=red&with=blue&theme={theme}")
    page.locator("#color").fill("wrong")
    found = measure_contrasts(page)
    assert len(found) > 60
    assert not [each for each in found if each.ratio < each.least]
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    is_dark = (theme or scheme) == "dark"
    assert background == ("rgb(20, 20, 22)" if is_dark else "rgb(255, 255, 255)")


@pytest.mark.parametrize("n", [1, 1000])
def test_of_many_films_only_the_pictures_in_sight_are_decoded(
    open_page, results, tmp_path, n
):
    (film,) = [e for e in _read_entries(results / "index.html") if e["film"] == "red"]
    films = [{**film, "film": f"f{i}", "title": f"Film {i}"} for i in range(n)]
    page = tmp_path / "index.html"
    parts = {"styles": STYLES, "scripts": SCRIPTS}
    page.write_text(
        fill_page(
            TEMPLATE,
            **parts,
            films=films,
            names=describe_names(),
            made_at="now",
            version="0",
        )
    )
    opened = open_page(page, width=360)
    opened.wait_for_function("document.querySelector('.barcode').naturalWidth === 360")
    expect(opened.locator("#count")).to_have_text("1 film" if n == 1 else "1,000 films")
    shown = opened.locator(".barcode[src]").count()
    assert shown == 1 if n == 1 else 1 < shown < 50
    last = opened.locator(".barcode").last
    last.scroll_into_view_if_needed()
    expect(last).to_have_attribute("src", f"data:image/webp;base64,{film['picture']}")
    assert opened.locator(".barcode[src]").count() < 120
