"""Makes one file of a page's parts: its template, styles, scripts and data.

The parts lie beside this module, so that editors and linters know them. A page may load
nothing: its Content-Security-Policy forbids all network, and lets only those styles and
scripts count that are put in here.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_FOLDER = Path(__file__).parent

# Where what a page shows may come from; 'none' is for all that is not named.
_SOURCES = {
    "default-src": "'none'",
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
}

# What would end an element whose text no escape can change.
_ENDS = re.compile("</s(cript|tyle)|<!--", re.IGNORECASE)


def fill_page(
    template: str,
    *,
    styles: Iterable[str],
    scripts: Iterable[str],
    sources: Mapping[str, str] | None = None,
    **values: Any,
) -> str:
    """Fill a template with styles and scripts, and with what the page is about.

    Parameters
    ----------
    template : the name of its file. In it `{{ csp }}` is the content of the meta
        element, `{{ style }}` and `{{ script }}` are all that one <style> and one
        <script> contain, and data goes into <script type="application/json"> by
        `{{ data | tojson }}`. Text is escaped by itself
    styles, scripts : names of files, which follow one another in this order
    sources : directives of the Content-Security-Policy that allow more than usual, such
        as {"img-src": "data: blob:"}
    values : what the template names besides

    Returns
    -------
    The page, to be written in UTF-8
    """
    style, script = _join(styles), _join(scripts)
    allowed = {
        **_SOURCES,
        "style-src": _hash(style),
        "script-src": _hash(script),
        **(sources or {}),
    }
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    # Browsers refuse what JSON does not have, such as NaN.
    environment.policies["json.dumps_kwargs"] = {
        "separators": (",", ":"),
        "allow_nan": False,
    }
    return environment.get_template(template).render(
        csp=Markup("; ".join(" ".join(pair) for pair in allowed.items())),
        style=Markup(style),
        script=Markup(script),
        **values,
    )


def _join(names: Iterable[str]) -> str:
    """Join files to the text of one element."""
    text = "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)
    if found := _ENDS.search(text):
        raise ValueError(f"a style or script has {found[0]!r}, which ends its element")
    return text


def _hash(text: str) -> str:
    """Name an element's text as the policy does."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
