import base64
import hashlib
import json
import math
import re

import jinja2
import pytest

from reelbow.explorer import filling

PAGE = """<!doctype html>
<meta http-equiv="Content-Security-Policy" content="{{ csp }}">
<title>{{ title }}</title>
<style>{{ style }}</style>
<script type="application/json" id="data">{{ data | tojson }}</script>
<script>{{ script }}</script>
"""

HOSTILE = (
    "</script><img src=x onerror='alert(1)'> <!-- & \"\u2028 \u202e אבג \U0001f3ac"
)


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """A page of two styles and two scripts."""
    monkeypatch.setattr(filling, "_FOLDER", tmp_path)
    for name, text in {
        "page.html": PAGE,
        "one.css": "p { color: red; }\n",
        "two.css": "p::before { content: '{{ title }} <'; }\n",
        "one.js": 'const a = "{{ title }}" < 1 && 2;\n',
        "two.js": "const b = a;\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def fill(**values) -> str:
    return filling.fill_page(
        "page.html",
        styles=["one.css", "two.css"],
        scripts=["one.js", "two.js"],
        **{"title": "", "data": None, **values},
    )


def test_styles_and_scripts_stand_as_they_are_in_their_order(parts):
    page = fill(title="T")
    styles = (parts / "one.css").read_text() + "\n" + (parts / "two.css").read_text()
    scripts = (parts / "one.js").read_text() + "\n" + (parts / "two.js").read_text()
    assert f"<style>{styles}</style>" in page
    assert f"<script>{scripts}</script>" in page


def test_the_policy_allows_these_styles_and_scripts_and_nothing_else(parts):
    page = fill(sources={"img-src": "data: blob:"})
    (policy,) = re.findall('content="([^"]*)"', page)
    allowed = dict(part.split(" ", 1) for part in policy.split("; "))
    for name, element in [("style", "style"), ("script", "script")]:
        (text,) = re.findall(f"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert allowed.pop(f"{name}-src") == f"'sha256-{digest}'"
    assert allowed == {
        "default-src": "'none'",
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_texts_are_texts_and_data_comes_back_as_it_was(parts):
    page = fill(title=HOSTILE, data={"title": HOSTILE, "n": [1, 0.5, None, True]})
    assert "<img" not in page
    assert page.count("</script>") == 2
    (data,) = re.findall('id="data">(.*?)</script>', page)
    assert json.loads(data) == {"title": HOSTILE, "n": [1, 0.5, None, True]}


def test_what_is_no_json_is_refused(parts):
    with pytest.raises(ValueError, match="JSON"):
        fill(data=math.nan)


def test_a_value_that_the_template_lacks_is_no_silent_gap(parts):
    (parts / "page.html").write_text("{{ csp }}{{ nothing }}")
    with pytest.raises(jinja2.UndefinedError, match="nothing"):
        fill()


@pytest.mark.parametrize("end", ["</script>", "</STYLE ", "<!--"])
def test_no_part_ends_its_own_element(parts, end):
    (parts / "two.js").write_text(f'const c = "{end}";')
    with pytest.raises(ValueError, match="ends its element"):
        fill()
