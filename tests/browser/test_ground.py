"""The tests' own ground: what a page must not do is seen."""

import pytest

from pages import opening_pages

POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; script-src 'unsafe-inline'\">"
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<script>console.log('a word')</script>", "says a word"),
        ("<script>missing()</script>", "missing is not defined"),
        ("<img src='http://127.0.0.1:9/x.png'>", "asks for http://127.0.0.1:9/x.png"),
        ("<img src='../x.png'>", "asks for file:"),
        (f"{POLICY}<img src='http://127.0.0.1:9/x.png'>", "violates"),
    ],
)
def test_a_page_that_does_what_it_must_not_is_found(browser, tmp_path, text, fault):
    page = tmp_path / "pages" / "page.html"
    page.parent.mkdir()
    page.write_text(f"<!doctype html><title>A page</title>{text}")
    with (
        pytest.raises(AssertionError, match=fault),
        opening_pages(browser) as open_page,
    ):
        open_page(page).wait_for_load_state()


def test_a_page_may_use_what_lies_with_it(open_page, tmp_path):
    picture = tmp_path / "it's 100% #1?.svg"
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    page = tmp_path / "page.html"
    page.write_text(
        f"<!doctype html><title>A page</title><img src='{picture.as_uri()}'>"
        "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>"
    )
    opened = open_page(page, "t=1")
    assert opened.evaluate("document.images[0].naturalWidth") == 9
    assert opened.evaluate("location.hash") == "#t=1"
