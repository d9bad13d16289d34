"""The server of a results folder: what it answers, and what it does not."""

import http.client
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from corpora import index, make_corpus, merge, write_random_film
from databases import query
from reelbow.color.names import describe_names
from reelbow.database.search import find_frames
from reelbow.shards.previews import PreviewWriter
from servers import ROOT, serve

HOSTILE = "<img src=x onerror=alert(1)> \"' & ünï"
FILMS = {"b": (30, 1), "a": (12, 2)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results of two films, of which one has a hostile title, a page and previews."""
    base = tmp_path_factory.mktemp("served")
    (base / "secret.html").write_text("secret")
    results = base / "results"
    for film in FILMS:
        for name in ("previews", "barcodes"):
            (results / film / name).mkdir(parents=True)
    paths = [
        write_random_film(base / f"{film}.sqlite", *FILMS[film], title)
        for film, title in (("b", HOSTILE), ("a", None))
    ]
    index(merge(paths, results / "palettes.sqlite"))
    (results / "index.html").write_text("all films")
    (results / "b/explorer.html").write_text("the page of b")
    (results / "b/barcodes/mean.svg").write_text("<svg/>")
    Image.new("RGB", (3, 3)).save(results / "b/barcodes/mean.png")
    # Frame 4 could not be read; frame n has n rows of white.
    with PreviewWriter(
        results / "b/previews/00000.jpg", height=32, quality=90
    ) as writer:
        for frame in range(30):
            picture = np.zeros((32, 56, 3), np.uint8)
            picture[:frame] = 255
            if frame != 4:
                writer.add(picture, frame)
    (results / "a/previews/00000.jpg").write_bytes(b"no sheet")
    # Ways out.
    (results / "a/explorer.html").symlink_to(base / "secret.html")
    (results / "b/barcodes/out.png").symlink_to(base / "secret.html")
    (results / "secret.png").write_bytes(b"secret")
    return results


@pytest.fixture(scope="module")
def server(folder):
    with serve(folder) as running:
        yield running


def test_a_search_answers_as_the_library_does(server, folder):
    answer = server.ask("/search?color=%23ff0000&radius=0.2&share=0.1&limit=7")
    assert answer.status == 200
    wanted = find_frames(
        folder / "palettes.sqlite", 0xFF0000, radius=0.2, least_share=0.1, limit=7
    )
    assert len(wanted) == 7
    assert answer.json["outdated"] is None
    assert [
        (each["film"], each["frame"], each["time_s"], each["color"], each["share"])
        for each in answer.json["frames"]
    ] == [
        (each.film, each.frame, each.time_s, f"#{each.color:06x}", each.share)
        for each in wanted
    ]
    together = server.ask("/search?color=ff0000&radius=0.5&together=1").json["frames"]
    assert together[0]["share"] >= answer.json["frames"][0]["share"]


def test_a_search_takes_the_name_of_a_color(server):
    named = server.ask("/search?color=Bright%20Red&radius=0.3")
    assert named.json["frames"]
    assert named.json == server.ask("/search?color=ff000d&radius=0.3").json


def test_a_radius_may_be_as_large_as_one_likes(server):
    answers = [
        server.ask(f"/search?color=000&radius={radius}")
        for radius in ("2", "1e300", "inf")
    ]
    assert answers[0].status == 200
    assert [answer.status for answer in answers[1:]] == [200, 400]
    assert answers[1].json == answers[0].json


def test_names_are_those_of_the_library(server):
    assert server.ask("/names").json == describe_names()


def test_a_search_says_where_previews_and_pages_are(server, folder):
    frames = server.ask("/search?color=000&radius=9&limit=100").json["frames"]
    assert {each["film"] for each in frames} == {"a", "b"}
    with Image.open(folder / "b/previews/00000.jpg") as image:
        sheet = np.asarray(image.convert("L"))
    for each in frames:
        preview = each["preview"]
        # A link that leads out of the folder is no page, what is no sheet no preview.
        assert each["page"] == (each["film"] == "b")
        assert (preview is None) == (each["film"] == "a")
        if preview is None:
            continue
        assert preview["path"] == "b/previews/00000.jpg"
        assert sheet.shape == (preview["sheet_height"], preview["sheet_width"])
        x, y = preview["x"], preview["y"]
        cell = sheet[y : y + preview["height"], x : x + preview["width"]]
        # Of one that has none it is the one before.
        rows = 3 if each["frame"] == 4 else each["frame"]
        assert round(float(cell.mean() / 255 * 32)) == rows


def test_a_frame_s_palette_is_the_database_s(server, folder):
    answer = server.ask("/frame?film=b&frame=3")
    rows = query(
        folder / "palettes.sqlite",
        "SELECT color, share FROM palettes WHERE film_id = 1 AND frame = 3 "
        "ORDER BY rank",
    )
    assert answer.json == {
        "film": "b",
        "frame": 3,
        "time_s": 1.5,
        "palette": [
            {"color": f"#{color:06x}", "share": share} for color, share in rows
        ],
    }


def test_films_are_listed_with_their_titles_as_text(server):
    answer = server.ask("/films")
    assert answer.headers["content-type"] == "application/json"
    titles = [film["title"] for film in answer.json["films"]]
    assert titles == [HOSTILE, "Film a"]


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/", "text/html; charset=utf-8", b"Frames by color"),
        ("/search_page.js", "text/javascript; charset=utf-8", b"textContent"),
        ("/names.js", "text/javascript; charset=utf-8", b"measureCiede2000"),
        ("/search_page.css", "text/css; charset=utf-8", b"#frames"),
        ("/index.html", "text/html; charset=utf-8", b"all films"),
        ("/b/explorer.html", "text/html; charset=utf-8", b"the page of b"),
        ("/b/barcodes/mean.png", "image/png", b"PNG"),
        ("/b/barcodes/mean.svg", "image/svg+xml", b"<svg/>"),
        ("/b/previews/00000.jpg", "image/jpeg", b"JFIF"),
    ],
)
def test_files_of_the_folder_are_sent(server, path, kind, text):
    answer = server.ask(path)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert text in answer.body
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/a/explorer.html",  # a link that leads out
        "/b/barcodes/out.png",
        "/../secret.html",
        "/b/../../secret.html",
        "/%2e%2e/explorer.html",
        "/b/barcodes/../../../secret.html",
        "/b/barcodes/%2e%2e%2f%2e%2e%2fsecret.png",
        "/b/barcodes/..%5c..%5csecret.png",
        "/..%2fresults/explorer.html",
        "//etc/passwd",
        "/b/barcodes/%00.png",
        "/b/barcodes/.png",
        "/b/barcodes/" + "x" * 3000 + ".png",
        "/palettes.sqlite",
        "/colors.sqlite",
        "/secret.png",
        "/results/explorer.html",
        "/b/previews/mean.png",
        "/b/barcodes/nothing.png",
        "/b/explorer.html/",
        "/serve.py",
    ],
)
def test_nothing_else_is_sent(server, path):
    answer = server.ask(path)
    assert answer.status == 404
    assert b"secret" not in answer.body.replace(path.encode(), b"")
    assert set(answer.json) == {"error"}


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/search", 400, "color is missing; give ?color="),
        (
            "/search?color=tael",
            400,
            "color must be as #c02020 or a name, not 'tael'; names like it are teal, "
            "tea, hazel.",
        ),
        ("/names?color=red", 400, "'color' is no parameter of this; it takes none"),
        (
            "/search?color=f00&color=0f0",
            400,
            "a parameter is there twice; give it once",
        ),
        (
            "/search?color=f00&radius=nan",
            400,
            "radius must be a number, 0 or more, not nan.",
        ),
        ("/search?color=f00&radius=far", 400, "radius must be a number, not 'far'."),
        (
            "/search?color=f00&share=2",
            400,
            "least_share must be a number, 0 to 1, not 2.0.",
        ),
        ("/search?color=f00&limit=501", 400, "limit must be 1 to 500, not more."),
        ("/search?color=f00&together=yes", 400, "together must be 0 or 1."),
        (
            "/search?colour=f00",
            400,
            "'colour' is no parameter of this; it takes color, radius, share, limit, "
            "together",
        ),
        ("/films?x=1", 400, "'x' is no parameter of this; it takes none"),
        ("/frame?film=b", 400, "frame is missing; give ?frame="),
        (
            "/frame?film=b&frame=-1",
            400,
            "frame must be a whole number, 0 or more, not '-1'.",
        ),
        ("/frame?film=b&frame=30", 404, "film 'b' has no frame 30"),
        ("/frame?film=%27;--&frame=3", 404, 'film "\';--" has no frame 3'),
    ],
)
def test_a_wrong_request_is_told_in_one_sentence(server, path, status, sentence):
    answer = server.ask(path)
    assert (answer.status, answer.json) == (status, {"error": sentence})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1"}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "evil.example:8484"}, 403),
        ({"Host": ""}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, 200),
        ({"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "cors"}, 200),
    ],
)
def test_pages_of_others_get_nothing(server, headers, status):
    answer = server.ask("/films", **headers)
    assert answer.status == status
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert (b"title" in answer.body) == (status == 200)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_it_only_reads(server, method):
    assert server.ask("/films", method=method).status == 405


def test_it_listens_on_this_machine_alone(server):
    own = socket.gethostbyname(socket.gethostname())
    if own.startswith("127."):
        own = "127.0.0.2"
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((own, server.port), timeout=5)


def send(server, data: bytes) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", server.port))) as connection:
        connection.settimeout(10)
        try:
            connection.sendall(data)
        except OSError:
            return b""
        received = b""
        try:
            while some := connection.recv(65536):
                received += some
        except ConnectionResetError:
            pass
        return received


def test_a_request_without_end_is_cut_off(server):
    head = b"GET /films HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    for endless in (
        b"GET /" + b"x" * (1 << 20),
        head + b"X: " + b"x" * (1 << 20),
        head + b"X: y\r\n" * (1 << 18),
    ):
        received = send(server, endless)
        assert received == b"" or received.startswith(b"HTTP/1.1 431")
    assert server.ask("/films").status == 200


@pytest.mark.parametrize(
    "data", [b"\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9\r\n\r\n"]
)
def test_what_is_no_request_is_refused(server, data):
    assert send(server, data).startswith(b"HTTP/1.1 400")
    assert server.ask("/films").status == 200


def test_no_request_fails_while_a_run_replaces_the_databases(tmp_path):
    """One file after the other, and never both at once, as a run does."""
    folder = tmp_path / "results"
    index(make_corpus(folder, FILMS))
    stop, told = threading.Event(), []

    def ask_on(server, path):
        with closing(server.connect()) as connection:
            while not stop.is_set():
                answer = server.ask(path, connection=connection)
                told.append((answer.status, path, answer.body))

    with serve(folder) as server:
        paths = [
            "/search?color=000&radius=0.4&limit=50",
            "/search?color=000&radius=1&together=1",
            "/frame?film=b&frame=7",
            "/films",
        ]
        threads = [
            threading.Thread(target=ask_on, args=(server, path)) for path in paths
        ]
        for thread in threads:
            thread.start()
        try:
            for n in range(6):
                films = {**FILMS, f"new{n}": (5, n)}
                database = make_corpus(folder, films)
                time.sleep(0.3)
                between = server.ask("/films").json
                assert "is not of this" in between["outdated"]
                assert f"new{n}" not in {film["film"] for film in between["films"]}
                index(database)
                wait_for(server, f"new{n}")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert {status for status, *_ in told} == {200}
    assert {path for _, path, _ in told} == set(paths)
    assert len(told) > 100


def wait_for(server, film: str) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        listed = server.ask("/films").json
        if film in {each["film"] for each in listed["films"]}:
            assert listed["outdated"] is None
            return
        time.sleep(0.02)
    pytest.fail(f"{film} never came")


def start(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, ROOT / "serve.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_folder_without_databases_is_told(tmp_path):
    done = start(tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"Reelbow: There is no database {tmp_path}/palettes.sqlite.\n"
    assert start(tmp_path / "nowhere").stderr.startswith(
        "Reelbow: There is no database"
    )


def test_a_port_that_is_taken_is_told(server, folder):
    done = start(folder, "--port", server.port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Reelbow: port {server.port} cannot be used (")
    assert done.stderr.endswith("; give another one by --port\n")


def test_a_connection_is_kept_for_the_next_request(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for _ in range(3):
        assert server.ask("/films", connection=connection).status == 200
        assert connection.sock is not None
    connection.close()
