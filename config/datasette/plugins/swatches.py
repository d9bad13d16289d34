"""Shows colors as swatches in Datasette, wherever a column is named as one."""

import re

from datasette import hookimpl
from markupsafe import Markup

COLOR = re.compile(r"(mean_)?color\d*|hex\d*")
SWATCH = Markup(
    '<span style="display:inline-block;width:1.2em;height:1.2em;vertical-align:middle;'
    'border:1px solid #888;background:{0}"></span> {0}'
)


@hookimpl
def render_cell(value, column):
    """Show a number 0xRRGGBB, or a text #rrggbb, as a swatch and a text."""
    if not COLOR.fullmatch(column):
        return None
    if isinstance(value, int) and 0 <= value <= 0xFFFFFF:
        return SWATCH.format(f"#{value:06x}")
    if isinstance(value, str) and re.fullmatch("#[0-9a-f]{6}", value):
        return SWATCH.format(value)
    return None
