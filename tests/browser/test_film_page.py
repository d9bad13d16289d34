"""A film's page, as people use it."""

import csv
import io
import json
import struct
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image

from contrast import measure_contrasts
from databases import change, merge, write_shard
from reelbow.barcode import draw_barcode
from reelbow.color.names import find_color, list_names, name_colors, suggest_names
from reelbow.color.spaces import srgb_to_oklab
from reelbow.database.opening import connect
from reelbow.database.schema import FilmRow
from reelbow.explorer import film_data, film_page
from reelbow.pictures.measure_names import MEASURES
from reelbow.shards.previews import PreviewWriter
from write_explorer import write_explorer

N = 40
MISSING = 7
HOSTILE = "</script><img src=x onerror=alert(1)>{{ 7 * 7 }} \u202egnp.exe & \"quotes'"

# A click on a file, in the clipboard.
ALLOWED = ["clipboard-read", "clipboard-write"]


def make_palettes(n: int, seed: int) -> dict:
    """Palettes of two to four colors, some greys and some the same in a row."""
    rng = np.random.default_rng(seed)
    palettes = {}
    for frame in range(n):
        if frame % 5 == 2:
            palettes[frame] = palettes[frame - 1]
            continue
        colors = rng.integers(0, 256, (2 + frame % 3, 3))
        if frame % 4 == 0:
            colors[-1] = rng.integers(0, 256)
        shares = np.sort(rng.dirichlet(np.ones(len(colors))))[::-1].round(3)
        shares[0] += 1 - shares.sum()
        accents = [0] * (len(colors) - 1) + [int(frame % 6 == 5)]
        palettes[frame] = list(
            zip(map(tuple, colors.tolist()), shares.tolist(), accents, strict=True)
        )
    return palettes


def make_page(
    folder: Path,
    *,
    film="demo",
    title="The Demo",
    n=N,
    times_s=None,
    seed=3,
    previews=True,
    images=False,
    skipped=(("broken.jpg", "cut off"),),
    shots=(),
) -> Path:
    """Make a film's page by the rule's script, of a database with known rows."""
    folder.mkdir(parents=True)
    row = FilmRow(
        film,
        title,
        f"films/{film} #1.mkv",
        sampling=None if images else "interval",
        every=None if images else 0.5,
        n_frames=n,
        duration_s=None if images else n / 2,
        width=64,
        height=48,
    )
    frames = [frame for frame in range(n) if frame != MISSING]
    palettes = make_palettes(n, seed)
    shard = write_shard(
        folder / "00000.sqlite",
        frames,
        row=row,
        palettes=palettes,
        skipped=skipped,
        times_s=times_s,
        metadata={"settings": json.dumps({"cluster.n_colors": 4})},
    )
    database = merge([shard], [n], folder / "palettes.sqlite", row=row)
    if shots:
        rows = (
            str((1, number, first, last, first / 2, (last + 1) / 2))
            for number, (first, last) in enumerate(shots)
        )
        change(database, f"INSERT INTO shots VALUES {', '.join(rows)}")
    sheets = []
    if previews:
        sheets = [folder / "previews" / "00000.jpg"]
        sheets[0].parent.mkdir()
        with PreviewWriter(sheets[0], height=72, quality=90) as writer:
            for frame in frames:
                color = palettes[frame][0][0]
                writer.add(np.full((72, 128, 3), color, np.uint8), frame)
    write_explorer(
        database,
        sheets,
        folder / "explorer.html",
        folder / "previews" / "storyboard.vtt" if previews else None,
        showing={"kind": "stacked", "gap_color": "#d9d9d9"},
        films_at="source",
        source=f"films/{film} #1.mkv",
    )
    return folder / "explorer.html"


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    return make_page(tmp_path_factory.mktemp("films") / "demo")


def point_at(page, frame: int, *, n=N, nth=0) -> tuple[float, float]:
    """Find where a frame's column is on the screen when the whole film is shown."""
    box = page.locator(".over").nth(nth).bounding_box()
    return box["x"] + (frame + 0.5) / n * box["width"], box["y"] + box["height"] / 2


def read_palette(database: Path, frame: int) -> list[tuple[str, float]]:
    with closing(connect(database)) as connection:
        rows = connection.execute(
            "SELECT color, share FROM palettes WHERE frame = ? ORDER BY rank", (frame,)
        )
        return [(f"#{color:06x}", share) for color, share in rows]


def read_swatches(page, where=".facts") -> list[str]:
    return page.locator(f"{where} .palette li:visible code").all_inner_texts()


def read_state(page) -> dict[str, str]:
    page.wait_for_timeout(300)
    parsed = parse_qs(urlsplit(page.url).fragment)
    return {key: value for key, (value,) in parsed.items()}


def wait_for_work(page) -> None:
    """Wait until what was asked for is drawn."""
    page.evaluate(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def open_ready(open_page, path: Path, state: str = "", **more):
    page = open_page(path, state, **more)
    page.wait_for_selector("html[data-ready]")
    wait_for_work(page)
    return page


def test_a_pointer_shows_the_frame_below_it(open_page, film):
    page = open_ready(open_page, film)
    assert page.title() == "The Demo · Reelbow"
    page.mouse.move(*point_at(page, 12))
    wait_for_work(page)
    assert page.locator(".time").inner_text() == "0:00:06.000"
    assert "frame 12 of 40" in page.locator(".place").inner_text()
    wanted = read_palette(film.with_name("palettes.sqlite"), 12)
    assert read_swatches(page) == [color for color, _ in wanted]
    shares = page.locator(".facts .share:visible").all_inner_texts()
    for text, (_, share) in zip(shares, wanted, strict=True):
        assert abs(float(text.split(" %")[0]) - 100 * share) <= 0.5
    assert (
        page.locator(".link")
        .get_attribute("href")
        .endswith("films/demo%20%231.mkv#t=6.001")
    )
    page.wait_for_timeout(300)
    seen = page.evaluate(
        """() => [...document.querySelector('.preview canvas').getContext('2d')
            .getImageData(64, 36, 1, 1).data]"""
    )
    color = int(wanted[0][0][1:], 16)
    assert np.allclose(seen[:3], [color >> 16, color >> 8 & 255, color & 255], atol=8)


def test_what_is_missing_is_said(open_page, film):
    page = open_ready(open_page, film)
    page.mouse.move(*point_at(page, MISSING))
    wait_for_work(page)
    assert "missing" in page.locator(".measures").inner_text()
    assert page.locator(".preview .none").is_visible()
    page.locator("summary").click()
    assert "broken.jpg: cut off" in page.locator("#skipped").inner_text()


def test_keys_do_all_that_a_mouse_does(open_page, film):
    page = open_ready(open_page, film)
    over = page.locator(".over")
    while not over.evaluate("it => it === document.activeElement"):
        page.keyboard.press("Tab")
    for key, frame in [
        ("ArrowRight", 1),
        ("Shift+ArrowRight", 11),
        ("ArrowLeft", 10),
        ("End", N - 1),
        ("PageUp", N - 5),
        ("Home", 0),
        ("PageDown", 4),
    ]:
        page.keyboard.press(key)
        wait_for_work(page)
        assert over.get_attribute("aria-valuenow") == str(frame), key
    assert over.get_attribute("aria-valuetext").startswith(
        "0:00:02.000, frame 4, mostly"
    )
    page.keyboard.press("Enter")
    assert read_state(page)["held"] == "1"
    page.keyboard.press("[")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("]")
    assert read_state(page)["stretch"] == "4-6-0"
    page.keyboard.press("+")
    assert "view" in read_state(page)
    page.keyboard.press("0")
    assert "view" not in read_state(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    state = read_state(page)
    assert "held" not in state
    assert "stretch" not in state


@pytest.mark.parametrize("kind", ["stacked", "equal"])
@pytest.mark.parametrize("order", ["share", "luminance", "hue", "track"])
def test_columns_are_those_of_the_barcode(open_page, film, order, kind):
    page = open_ready(open_page, film)
    drawn = page.evaluate(
        """async ([kind, order]) => {
            const film = await Film.read(readParcel(document, ''));
            const columns = new Columns(film);
            await followColors(columns, columns.getLevel(0));
            const tile = columns.getTile(kind, order, 0, 0);
            return [...tile.getContext('2d').getImageData(0, 0, film.n, 256).data];
        }""",
        [kind, order],
    )
    pixels = np.array(drawn, np.uint8).reshape(256, N, 4)[..., :3]
    database = film.with_name("palettes.sqlite")
    wanted = draw_barcode(database, kind, height=256, order=order)
    # Shares are rounded to 16 bits: a band may begin a row later.
    differs = (pixels != wanted).any(axis=2)
    assert differs.sum(axis=0).max() <= 2
    assert differs.mean() < 0.002


@pytest.mark.parametrize("kind", ["mean", "strip", "dominant", "rarest"])
def test_other_kinds_are_those_of_the_barcode(open_page, film, kind):
    page = open_ready(open_page, film)
    drawn = page.evaluate(
        """async kind => {
            const film = await Film.read(readParcel(document, ''));
            const tile = new Columns(film).getTile(kind, 'share', 0, 0);
            return [...tile.getContext('2d').getImageData(0, 0, film.n, 1).data];
        }""",
        kind,
    )
    pixels = np.array(drawn, np.uint8).reshape(1, N, 4)[..., :3]
    wanted = draw_barcode(film.with_name("palettes.sqlite"), kind, height=2)
    np.testing.assert_array_equal(pixels[0], wanted[0])


def test_columns_of_several_frames_are_their_average(open_page, film):
    page = open_ready(open_page, film)
    drawn, shares = page.evaluate(
        """async () => {
            const film = await Film.read(readParcel(document, ''));
            const columns = new Columns(film);
            const level = columns.getLevel(1);
            return [[...level.means],
                Array.from({length: level.n}, (_, i) => level.shares
                    .subarray(i * columns.k, (i + 1) * columns.k)
                    .reduce((a, b) => a + b, 0))];
        }"""
    )
    means = draw_barcode(film.with_name("palettes.sqlite"), "mean", height=1)[0]
    wanted = means.astype(float).reshape(-1, 2, 3).mean(axis=1)
    # Of two of which one is missing the other one is all.
    wanted[MISSING // 2] = means[MISSING - 1]
    assert np.abs(np.array(drawn).reshape(-1, 3) - wanted).max() <= 0.5
    np.testing.assert_allclose(shares, 1, atol=1e-3)


def test_a_wheel_zooms_where_it_is_and_a_drag_moves(open_page, film):
    page = open_ready(open_page, film)
    page.mouse.move(*point_at(page, 30))
    page.mouse.wheel(0, -600)
    start, end = map(float, read_state(page)["view"].split("_"))
    assert start < 30.5 < end
    assert end - start < N / 2
    assert (30.5 - start) / (end - start) == pytest.approx(30.5 / N, abs=0.01)
    page.mouse.down()
    x, y = point_at(page, 25)
    page.mouse.move(x + 20, y, steps=4)
    page.mouse.up()
    moved, _ = map(float, read_state(page)["view"].split("_"))
    assert moved > start
    page.locator("#whole").click()
    assert "view" not in read_state(page)


def test_two_fingers_zoom_and_a_touch_holds(open_page, film):
    page = open_ready(open_page, film, has_touch=True)
    devtools = page.context.new_cdp_session(page)
    x, y = point_at(page, 20)

    def touch(kind, *at):
        points = [{"x": each, "y": y, "id": i} for i, each in enumerate(at)]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", x - 50)
    touch("touchStart", x - 50, x + 50)
    for apart in (80, 120, 160, 200):
        touch("touchMove", x - apart, x + apart)
    touch("touchEnd")
    start, end = map(float, read_state(page)["view"].split("_"))
    assert end - start == pytest.approx(N / 4, rel=0.1)
    page.touchscreen.tap(x, y)
    wait_for_work(page)
    assert page.locator(".held").is_visible()


def test_a_search_finds_what_the_database_has(open_page, film):
    page = open_ready(open_page, film)
    database = film.with_name("palettes.sqlite")
    color, _ = read_palette(database, 21)[0]
    page.locator("#hex").fill(color.upper())
    page.locator("#search").get_by_role("button", name="Find").click()
    target = srgb_to_oklab(np.frombuffer(bytes.fromhex(color[1:]), np.uint8)[None])
    wanted = []
    for frame in range(N):
        palette = read_palette(database, frame)
        colors = [
            np.frombuffer(bytes.fromhex(each[1:]), np.uint8) for each, _ in palette
        ]
        if colors:
            apart = np.linalg.norm(srgb_to_oklab(np.stack(colors)) - target, axis=1)
            near = sum(
                share for d, (_, share) in zip(apart, palette, strict=True) if d <= 0.06
            )
            wanted += [frame] if near >= 0.05 else []
    assert 21 in wanted
    told = page.locator("#found [role=status]").inner_text()
    assert told.startswith(f"{len(wanted)} frame")
    assert f"0:00:{len(wanted) / 2:06.3f}" in told
    state = read_state(page)
    assert state["color"] == color[1:]
    marked = page.evaluate(
        """() => {
            const marks = document.querySelector('.marks');
            const data = marks.getContext('2d').getImageData(0, 2, marks.width, 1).data;
            return Array.from({length: 40}, (_, i) =>
                data[4 * Math.floor((i + 0.5) / 40 * marks.width) + 3] > 0);
        }"""
    )
    assert [frame for frame in range(N) if marked[frame]] == wanted
    page.locator("#found .previews button").last.click()
    wait_for_work(page)
    assert page.locator(".held").is_visible()
    page.locator("#hex").fill("bleu")
    page.locator("#search").get_by_role("button", name="Find").click()
    told = page.locator("#shown").inner_text()
    assert told.startswith("“bleu” is no color")
    assert "names like it are blue" in told
    page.locator("#clear").click()
    assert "color" not in read_state(page)


def test_a_search_takes_the_name_of_a_color(open_page, film):
    page = open_ready(open_page, film, "color=LightBlue")
    assert read_state(page)["color"] == "7bc8f6"
    page.locator("#hex").fill(" Light  BLUE")
    assert page.locator("#named option").count() > 900
    page.locator("#search").get_by_role("button", name="Find").click()
    assert read_state(page)["color"] == "95d0fc"
    assert page.locator("#hex").input_value() == " Light  BLUE"
    # Another color's hex takes its place.
    page.locator("#picker").fill("#010203")
    assert page.locator("#hex").input_value() == "#010203"


def test_each_color_has_the_name_that_tables_have(open_page, film):
    page = open_ready(open_page, film, "stretch=3-30-0")
    page.mouse.move(*point_at(page, 12))
    wait_for_work(page)
    for where in (".facts", "#selected"):
        colors = [int(color[1:], 16) for color in read_swatches(page, where)]
        shown = page.locator(
            f"{where} .palette li:visible .color-name"
        ).all_inner_texts()
        assert shown == name_colors(np.array(colors))


def make_slips(name):
    """Exchange the first two letters, leave out the next one and add one at the end."""
    return name[1::-1] + name[3:] + "z"


def test_names_are_those_of_the_library(open_page, film):
    random = np.random.default_rng(5)
    colors = random.integers(0, 1 << 24, 5000)
    # Gray, black, white and the darkest too.
    colors[:256] = np.arange(256) * 0x010101
    colors[256:300] = random.integers(0, 6, (44, 3)) @ [1 << 16, 1 << 8, 1]
    page = open_ready(open_page, film)
    named = page.evaluate(
        "colors => colors.map(color => getNames().nameOf(unpackColor(color)))",
        colors.tolist(),
    )
    assert named == name_colors(colors)
    texts = [
        *list_names(),
        "Light-Blue",
        "blue/green",
        "blue_green",
        "LIGHTGREY",
        "bleu",
    ]
    found = page.evaluate(
        """texts => texts.map(text => {
            const rgb = getNames().find(text);
            return rgb && (rgb[0] << 16 | rgb[1] << 8 | rgb[2]);
        })""",
        texts,
    )
    assert found == [find_color(text) for text in texts]
    texts = [
        *map(make_slips, texts[::20]),
        "tael",
        "Light-Grey-Bleu",
        "",
        "ü",
        "x" * 40,
    ]
    suggested = page.evaluate(
        "texts => texts.map(text => getNames().suggest(text))", texts
    )
    assert suggested == [suggest_names(text) for text in texts]


def test_measures_are_those_of_the_database(open_page, film):
    page = open_ready(open_page, film)
    page.mouse.move(*point_at(page, 12))
    wait_for_work(page)
    names = page.locator(".measured dt").all_inner_texts()
    assert names == [measure.label for measure in MEASURES.values()]
    with closing(connect(film.with_name("palettes.sqlite"))) as connection:
        rows = connection.execute(
            f"SELECT {', '.join(MEASURES)} FROM frames WHERE frame = 12"
        )
        wanted = dict(zip(MEASURES, *rows, strict=True))
    texts = page.locator(".measured dd").all_inner_texts()
    shown = dict(zip(MEASURES, texts, strict=True))
    # The rows of this film are made up: what is beyond a range is shown at its end.
    assert shown["lightness"] == f"{wanted['lightness']:.1f} of 100"
    assert shown["colorfulness"] == f"{wanted['colorfulness']:.1f} of 298"
    assert shown["contrast"] == "0.500 of 0.5"
    assert shown["warm_share"] == "100 %"
    assert shown["palette_entropy"] == f"{wanted['palette_entropy']:.2f} of 2"
    page.mouse.move(*point_at(page, MISSING))
    wait_for_work(page)
    assert not page.locator(".measured").is_visible()


SHOTS = [(0, 9), (10, 11), (12, 29), (30, N - 1)]


def test_shots_are_told_and_gone_through(open_page, tmp_path):
    page = open_ready(open_page, make_page(tmp_path / "cut", shots=SHOTS))
    page.mouse.move(*point_at(page, 20))
    wait_for_work(page)
    assert page.locator(".shot span").inner_text() == "shot 2 of 4, 9.0 s"
    seen = page.evaluate(
        """() => {
            const cuts = document.querySelector('.cuts');
            const data = cuts.getContext('2d').getImageData(0, 2, cuts.width, 1).data;
            return Array.from({length: cuts.width}, (_, x) => x)
                .filter(x => data[4 * x + 3] > 0).map(x => x / cuts.width * 40);
        }"""
    )
    np.testing.assert_allclose(seen, [first for first, _ in SHOTS], atol=0.05)
    over = page.locator(".over")
    over.focus()
    for key, frame in [(",", 12), (",", 10), (".", 12), (".", 30), (".", 30)]:
        page.keyboard.press(key)
        wait_for_work(page)
        assert over.get_attribute("aria-valuenow") == str(frame), key
    page.keyboard.press("s")
    assert read_state(page)["stretch"] == f"30-{N - 1}-0"
    page.mouse.move(*point_at(page, 11))
    page.mouse.down()
    page.mouse.up()
    wait_for_work(page)
    page.get_by_role("button", name="Select this shot").click()
    assert read_state(page)["stretch"] == "10-11-0"
    for _ in range(3):
        over.press(",")
    wait_for_work(page)
    assert over.get_attribute("aria-valuenow") == "0"


def test_ticks_of_many_shots_are_apart(open_page, tmp_path):
    n = 2000
    path = make_page(
        tmp_path / "cut", n=n, previews=False, shots=[(i, i) for i in range(n)]
    )
    page = open_ready(open_page, path)
    find = """() => {
        const cuts = document.querySelector('.cuts');
        const data = cuts.getContext('2d').getImageData(0, 2, cuts.width, 1).data;
        return Array.from({length: cuts.width}, (_, x) => x)
            .filter(x => data[4 * x + 3] > 0);
    }"""
    assert np.diff(page.evaluate(find)).min() >= 3
    page = open_ready(open_page, path, "view=1000_1100")
    assert len(page.evaluate(find)) == 100


def test_a_film_whose_shots_are_not_known_shows_none(open_page, film):
    page = open_ready(open_page, film, "t=6")
    assert not page.locator(".cuts").is_visible()
    assert not page.locator(".shot").is_visible()
    for key in ",.s":
        page.locator(".over").press(key)
    state = read_state(page)
    assert state["t"] == "6.000"
    assert "stretch" not in state


def test_a_swatch_is_copied_or_searched_for(open_page, film):
    page = open_ready(open_page, film, permissions=ALLOWED)
    page.mouse.move(*point_at(page, 12))
    wait_for_work(page)
    color = read_swatches(page)[1]
    page.locator(".facts .copy").nth(1).click()
    page.locator("#shown").wait_for()
    assert "is copied" in page.locator("#shown").inner_text()
    assert page.evaluate("navigator.clipboard.readText()") == color
    page.locator(".facts .find").nth(1).click()
    assert read_state(page)["color"] == color[1:]


def save(page, ending: str, name="demo_10-19") -> bytes:
    with page.expect_download() as saving:
        page.locator(".exports").get_by_role("button", name=ending, exact=True).click()
    assert saving.value.suggested_filename.startswith(name)
    return Path(saving.value.path()).read_bytes()


def test_a_stretch_is_saved_for_other_programs(open_page, film):
    page = open_ready(open_page, film)
    page.keyboard.down("Shift")
    page.mouse.move(*point_at(page, 10))
    page.mouse.down()
    page.mouse.move(*point_at(page, 15))
    page.mouse.move(*point_at(page, 19))
    page.mouse.up()
    page.keyboard.up("Shift")
    wait_for_work(page)
    assert page.locator("#from").input_value() == "0:00:05.000"
    assert page.locator("#to").input_value() == "0:00:10.000"
    assert "10 frames · 0:00:05.000" in page.locator("#selected").inner_text()
    mean, *palette = read_swatches(page, "#selected")
    database = film.with_name("palettes.sqlite")

    rows = list(csv.DictReader(io.StringIO(save(page, "CSV").decode())))
    for frame in range(10, 20):
        mine = [row for row in rows if row["frame"] == str(frame)]
        wanted = read_palette(database, frame)
        assert [row["color"] for row in mine] == [color for color, _ in wanted]
        assert np.allclose(
            [float(row["share"]) for row in mine], [s for _, s in wanted], atol=2e-5
        )
        assert {row["time_s"] for row in mine} == {f"{frame / 2:.3f}"}
    told = json.loads(save(page, "JSON"))
    assert told["mean_color"] == mean
    assert [each["color"] for each in told["palette"]] == palette
    assert sum(each["share"] for each in told["palette"]) == pytest.approx(1, abs=1e-3)
    assert [each["frame"] for each in told["frames"]] == list(range(10, 20))
    assert read_ase(save(page, "ASE")) == palette
    gpl = save(page, "GPL").decode().splitlines()
    assert gpl[0] == "GIMP Palette"
    levels = [line.split("\t")[0].split() for line in gpl if "\t" in line]
    assert ["#{:02x}{:02x}{:02x}".format(*map(int, each)) for each in levels] == palette
    css = save(page, "CSS").decode()
    assert f"--mean-color: {mean};" in css
    assert all(f": {color};" in css for color in palette)
    picture = np.array(Image.open(io.BytesIO(save(page, "PNG"))).convert("RGB"))
    wanted = draw_barcode(database, "stacked", height=300)[:, 10:20]
    assert picture.shape == (300, 1200, 3)
    # The first and last row of a column are whole bands in both.
    np.testing.assert_array_equal(picture[[0, -1], 60::120], wanted[[0, -1]])
    page.locator("#unselect").click()
    assert "stretch" not in read_state(page)


def read_ase(data: bytes) -> list[str]:
    """Read a swatch file as its format is published."""
    assert data[:8] == b"ASEF\0\x01\0\0"
    (n_blocks,) = struct.unpack(">I", data[8:12])
    colors, at = [], 12
    for _ in range(n_blocks):
        kind, length = struct.unpack(">HI", data[at : at + 6])
        block = data[at + 6 : at + 6 + length]
        (n_signs,) = struct.unpack(">H", block[:2])
        name = block[2 : 2 + 2 * n_signs].decode("utf-16-be").rstrip("\0")
        rest = block[2 + 2 * n_signs :]
        assert (kind, rest[:4], len(rest)) == (1, b"RGB ", 18)
        levels = struct.unpack(">fff", rest[4:16])
        color = "#{:02x}{:02x}{:02x}".format(*(round(255 * each) for each in levels))
        assert name == color
        colors.append(color)
        at += 6 + length
    assert at == len(data)
    return colors


def test_what_is_typed_selects_a_stretch(open_page, film):
    page = open_ready(open_page, film)
    page.locator("#from").fill("5")
    page.locator("#to").fill("0:07.5")
    page.locator("#stretch").get_by_role("button", name="Select").click()
    assert read_state(page)["stretch"] == "10-14-0"
    page.locator("#to").fill("never")
    page.locator("#stretch").get_by_role("button", name="Select").click()
    assert "Write two times" in page.locator("#shown").inner_text()


def test_an_address_shows_what_it_was_sent_for(open_page, film):
    state = (
        "t=9.500&kind=strip&order=hue&held=1&view=10.00_30.00&stretch=12-18-0"
        "&color=ff0000&tolerance=0.1&share=10&theme=dark"
    )
    page = open_ready(open_page, film, state)
    assert read_state(page) == dict(each.split("=") for each in state.split("&"))
    assert page.locator(".time").inner_text() == "0:00:09.500"
    assert page.locator("#kind").input_value() == "strip"
    assert "7 frames" in page.locator("#selected").inner_text()


@pytest.mark.parametrize(
    "state",
    [
        "kind=constructor&order=toString",
        "stretch=0.5-4.5-0",
        "stretch=3-1-0",
        "stretch=1-3-7",
        "tolerance=abc&share=-&view=9_3&t=now&color=bleu&layout=x&axis=y",
    ],
)
def test_an_address_with_faults_is_left_as_it_is(open_page, film, state):
    page = open_ready(open_page, film, state)
    assert read_state(page) == {"t": "0.000", "kind": "stacked", "order": "luminance"}
    assert page.locator("#tolerance-value").inner_text() == "0.060"
    assert page.locator("#selected").inner_text() == ""


def test_a_new_address_takes_away_what_it_does_not_say(open_page, film):
    page = open_ready(open_page, film, "stretch=5-10-0&color=ff0000&held=1&view=3_20")
    page.evaluate("location.hash = '#t=3'")
    assert read_state(page) == {"t": "3.000", "kind": "stacked", "order": "luminance"}
    assert page.locator("#found").inner_text() == ""


def test_a_time_that_is_not_of_whole_milliseconds_shows_its_frame(open_page, tmp_path):
    path = make_page(tmp_path / "film", times_s=[frame / 24 for frame in range(N)])
    for frame in (1, 4, 10):
        page = open_ready(open_page, path, f"t={frame / 24}")
        assert f"frame {frame} of" in page.locator(".place").inner_text()


def test_a_picture_of_tracks_waits_for_them(open_page, film):
    page = open_ready(open_page, film, "order=track&stretch=0-39-0")
    saved = save(page, "PNG", name="demo_0-39")
    picture = np.array(Image.open(io.BytesIO(saved)).convert("RGB"))
    database = film.with_name("palettes.sqlite")
    wanted = draw_barcode(database, "stacked", height=300, order="track")
    np.testing.assert_array_equal(picture[[0, -1], 15::30], wanted[[0, -1]])


def test_palettes_of_very_many_colors_are_whole(open_page, tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    many = rng.choice(1 << 24, (N, 256), replace=False)

    def make_many(n, seed):
        return {
            frame: [((c >> 16, c >> 8 & 255, c & 255), 1 / 256, 0) for c in colors]
            for frame, colors in enumerate(many.tolist())
        }

    monkeypatch.setattr("test_film_page.make_palettes", make_many)
    path = make_page(tmp_path / "many", previews=False)
    page = open_ready(open_page, path, "t=6")
    wanted = read_palette(path.with_name("palettes.sqlite"), 12)
    assert len(wanted) == 256
    assert read_swatches(page) == [color for color, _ in wanted]


@pytest.mark.parametrize("how", ["address", "file"])
def test_two_films_share_a_time_axis_or_a_length(open_page, tmp_path, how):
    first = make_page(tmp_path / "one")
    other = make_page(tmp_path / "other film", film="other", title="Another", n=60)
    state = "with=../other%20film/explorer.html" if how == "address" else ""
    page = open_ready(open_page, first, state, root=tmp_path)
    if how == "file":
        page.locator("#second").set_input_files(other)
    page.locator(".film").nth(1).wait_for()
    wait_for_work(page)
    names = page.locator(".line .name").all_inner_texts()
    assert names == ["The Demo", "Another"]
    # Shared: the first one ends at two thirds.
    page.mouse.move(*point_at(page, 45, n=60, nth=1))
    wait_for_work(page)
    times = page.locator(".time").all_inner_texts()
    assert times == ["0:00:19.500", "0:00:22.500"]
    page.mouse.move(*point_at(page, 12, n=60))
    wait_for_work(page)
    assert page.locator(".time").all_inner_texts() == ["0:00:06.000"] * 2
    page.locator("#axis").select_option("stretched")
    wait_for_work(page)
    page.mouse.move(*point_at(page, 20))
    wait_for_work(page)
    assert page.locator(".time").all_inner_texts() == ["0:00:10.000", "0:00:15.000"]
    page.locator("#layout").select_option("beside")
    tops = [page.locator(".over").nth(i).bounding_box()["y"] for i in (0, 1)]
    assert tops[0] == tops[1]
    if how == "address":
        assert read_state(page)["with"] == "../other film/explorer.html"
    page.wait_for_timeout(300)
    seen = page.locator(".preview canvas").nth(1).bounding_box()
    assert seen["width"] > 100
    page.locator("#only").click()
    assert page.locator(".film").count() == 1
    assert "with" not in read_state(page)


def test_a_file_that_is_no_page_is_refused(open_page, film, tmp_path):
    page = open_ready(open_page, film)
    wrong = tmp_path / "wrong.html"
    wrong.write_text("<p>Something else")
    page.locator("#second").set_input_files(wrong)
    page.locator("#shown").wait_for()
    assert "wrong.html is no page of a film" in page.locator("#shown").inner_text()
    assert page.locator(".film").count() == 1


def test_another_site_is_never_asked_for_a_film(open_page, film):
    page = open_ready(open_page, film, "with=https://example.org/explorer.html")
    page.locator("#shown").wait_for()
    assert "cannot be read" in page.locator("#shown").inner_text()


def test_titles_and_names_are_text(open_page, tmp_path):
    path = make_page(
        tmp_path / "hostile",
        title=HOSTILE,
        images=True,
        skipped=((HOSTILE, "<b>cut off</b>"),),
    )
    page = open_ready(open_page, path)
    assert page.locator("h1").inner_text() == HOSTILE
    page.locator("summary").click()
    assert f"{HOSTILE}: <b>cut off</b>" in page.locator("#skipped").inner_text()
    assert page.locator("img").count() == 0
    assert page.locator("#skipped b").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone_shows_all_of_it(open_page, film, scheme):
    page = open_ready(
        open_page,
        film,
        "color=808080&tolerance=0.3&stretch=3-30-0",
        width=360,
        height=740,
        color_scheme=scheme,
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (
        background == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 20, 22)"}[scheme]
    )
    found = measure_contrasts(page)
    assert found
    assert not [each for each in found if each.ratio < each.least]
    other = {"light": "dark", "dark": "light"}[scheme]
    page.locator("#theme").select_option(other)
    now = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert now != background
    assert read_state(page)["theme"] == other


def test_images_without_times_are_counted(open_page, tmp_path):
    path = make_page(tmp_path / "images", images=True, times_s=float("nan"))
    page = open_ready(open_page, path)
    page.mouse.move(*point_at(page, 12))
    wait_for_work(page)
    assert page.locator(".time").inner_text() == "frame 12"
    assert "00000012.jpg" in page.locator(".place").inner_text()
    assert not page.locator(".link").is_visible()
    page.locator("#from").fill("5")
    page.locator("#to").fill("8")
    page.locator("#stretch").get_by_role("button", name="Select").click()
    assert read_state(page)["stretch"] == "5-8-0"


def test_a_film_without_previews_has_a_page(open_page, tmp_path):
    page = open_ready(open_page, make_page(tmp_path / "bare", previews=False))
    assert page.locator(".preview .none").is_visible()


def test_a_film_without_frames_has_a_page(open_page, tmp_path):
    page = open_ready(open_page, make_page(tmp_path / "none", n=0, skipped=()))
    assert page.locator(".over").get_attribute("aria-valuetext") == "no frame"
    page.locator(".over").press("ArrowRight")
    page.locator("#hex").fill("#808080")
    page.locator("#search").get_by_role("button", name="Find").click()
    assert page.locator("#found [role=status]").inner_text().startswith("0 frames")


def test_previews_of_a_long_film_lie_beside_its_page(open_page, tmp_path, monkeypatch):
    monkeypatch.setattr(film_page, "MOST_EMBEDDED", N - 1)
    path = make_page(tmp_path / "a film")
    assert '"embedded":false' in path.read_text()
    page = open_ready(open_page, path)
    page.mouse.move(*point_at(page, 12))
    page.wait_for_timeout(300)
    # Not by its pixels, which of files a script may draw and not read.
    picture = Image.open(io.BytesIO(page.locator(".preview canvas").screenshot()))
    seen = picture.convert("RGB").getpixel((picture.width // 2, picture.height // 2))
    color, _ = read_palette(path.with_name("palettes.sqlite"), 12)[0]
    assert np.allclose(seen, list(bytes.fromhex(color[1:])), atol=8)


@pytest.mark.parametrize("images", [False, True])
def test_a_page_of_too_many_frames_shows_some_and_says_so(
    open_page, tmp_path, monkeypatch, images
):
    monkeypatch.setattr(film_data, "MOST_PLACES", 15)
    more = {"times_s": float("nan")} if images else {}
    path = make_page(tmp_path / "long", images=images, **more)
    page = open_ready(open_page, path)
    assert "this page shows one in 3" in page.locator("#subtitle").inner_text()
    # Of 40 frames there are 14 columns: 0, 3, 6 ...
    page.mouse.move(*point_at(page, 4, n=14))
    wait_for_work(page)
    assert "frame 12 of 40" in page.locator(".place").inner_text()
    assert page.locator(".time").inner_text() == (
        "frame 12" if images else "0:00:06.000"
    )
    wanted = read_palette(path.with_name("palettes.sqlite"), 12)
    assert read_swatches(page) == [color for color, _ in wanted]
    page.wait_for_timeout(300)
    assert page.locator(".preview canvas").is_visible()
    page.locator("#from").fill("12" if images else "6")
    page.locator("#to").fill("20" if images else "10")
    page.locator("#stretch").get_by_role("button", name="Select").click()
    page.wait_for_timeout(300)
    told = page.locator("#selected").inner_text()
    assert told.startswith("3 columns of 3 frames")
    with page.expect_download() as saving:
        page.locator(".exports").get_by_role("button", name="JSON").click()
    told = json.loads(Path(saving.value.path()).read_bytes())
    assert [each["frame"] for each in told["frames"]] == [12, 15, 18]
