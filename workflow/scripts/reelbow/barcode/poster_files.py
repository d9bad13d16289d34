"""Posters as files: PNG, PDF and SVG with an sRGB profile, written some rows at a time.

What is written comes from matplotlib; its pages of vectors have a picture of one pixel,
in whose place the poster's own is put. Through matplotlib a large one would take
gigabytes, and lose its profile.
"""

import base64
import contextlib
import io
import re
import warnings
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.picture_files import MAKER
from reelbow.barcode.poster import Page, draw_strips, draw_texts, spread
from reelbow.errors import ReelbowError
from reelbow.pictures.png import compress_rows, make_profile, write_png
from reelbow.text import tell_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Rows of a picture that are compressed at a time.
_ROWS = 64


def save_poster(page: Page, pixels: NDArray[np.uint8], path: Path) -> None:
    """Write a poster in the format of the path's suffix.

    The same poster gives the same bytes.

    Parameters
    ----------
    pixels : (height, width, 3) uint8 sRGB
        Of the picture, at most as many as its box has; of fewer, each is several.

    Raises
    ------
    ReelbowError
        If the suffix is none of .png, .svg, .pdf.
    """
    from matplotlib import rc_context

    writers = {".png": _save_png, ".svg": _save_svg, ".pdf": _save_pdf}
    if path.suffix not in writers:
        raise ReelbowError(
            f"A poster is a .png, .svg or .pdf file, which {path} is not."
        )
    as_text = not page.has_outlines
    settings: Any = {
        "svg.hashsalt": "reelbow",
        "svg.fonttype": "none" if as_text else "path",
        "pdf.fonttype": 42,
    }
    with rc_context(settings), warnings.catch_warnings():
        # It is told in our own words.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        writers[path.suffix](page, pixels, path)


def _save_png(page: Page, pixels: NDArray[np.uint8], path: Path) -> None:
    with path.open("wb") as file:
        write_png(
            file,
            draw_strips(page, pixels),
            (page.width, page.height),
            has_alpha=page.background is None,
            dpi=page.dpi,
            texts={"Title": page.title, "Software": MAKER},
        )


def _cut_picture(page: Page, pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Cut a poster's picture alone into strips."""
    for first in range(0, page.picture.height, _ROWS):
        last = min(page.picture.height, first + _ROWS)
        yield spread(pixels, page.picture, range(first, last))


def _save_pdf(page: Page, pixels: NDArray[np.uint8], path: Path) -> None:
    """Write a PDF, whose picture and profile are added to it as PDF lets one add."""
    figure = _draw_page(page)
    drawn = io.BytesIO()
    about = {"Title": page.title, "Creator": MAKER, "CreationDate": None}
    figure.savefig(drawn, format="pdf", metadata=about)
    text = drawn.getvalue()
    trailer = text[text.rindex(b"trailer") :]

    def find(pattern: bytes, within: bytes) -> int:
        found = re.search(pattern, within)
        assert found, pattern
        return int(found[1])

    root = find(rb"/Root (\d+) 0 R", trailer)
    image = find(rb"(\d+) 0 obj\n<< [^>]*/Subtype /Image", text)
    pages = find(rb"/Type /Catalog[^>]*/Pages (\d+) 0 R", text)
    length = find(rb"/Size (\d+)", trailer)
    profile, intent = length + 1, length + 2
    places: dict[int, int] = {}
    with path.open("wb") as file:
        file.write(text)

        def begin(number: int) -> None:
            places[number] = file.tell()
            file.write(b"%d 0 obj\n" % number)

        begin(image)
        box = page.picture
        file.write(
            b"<< /Type /XObject /Subtype /Image /Width %d /Height %d\n"
            b"/ColorSpace [/ICCBased %d 0 R] /BitsPerComponent 8\n"
            b"/Filter /FlateDecode /DecodeParms << /Predictor 15 /Colors 3 "
            b"/Columns %d >>\n/Length %d 0 R >>\nstream\n"
            % (box.width, box.height, profile, box.width, length)
        )
        start = file.tell()
        for data in compress_rows(_cut_picture(page, pixels)):
            file.write(data)
        n_bytes = file.tell() - start
        file.write(b"\nendstream\nendobj\n")
        begin(length)
        file.write(b"%d\nendobj\n" % n_bytes)
        begin(profile)
        data = zlib.compress(make_profile())
        file.write(
            b"<< /N 3 /Alternate /DeviceRGB /Filter /FlateDecode /Length %d >>\n"
            b"stream\n%b\nendstream\nendobj\n" % (len(data), data)
        )
        begin(intent)
        file.write(
            b"<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB)\n"
            b"/Info (sRGB IEC61966-2.1) /DestOutputProfile %d 0 R >>\nendobj\n"
            % profile
        )
        begin(root)
        file.write(
            b"<< /Type /Catalog /Pages %d 0 R /OutputIntents [%d 0 R] >>\nendobj\n"
            % (pages, intent)
        )
        xref = file.tell()
        file.write(b"xref\n0 1\n0000000000 65535 f \n")
        for number, place in sorted(places.items()):
            file.write(b"%d 1\n%010d 00000 n \n" % (number, place))
        file.write(
            b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /Prev %d >>\n"
            b"startxref\n%d\n%%%%EOF\n"
            % (
                intent + 1,
                root,
                find(rb"/Info (\d+) 0 R", trailer),
                find(rb"startxref\n(\d+)", trailer),
                xref,
            )
        )


def _save_svg(page: Page, pixels: NDArray[np.uint8], path: Path) -> None:
    """Write an SVG, with the letters that it needs of its fonts."""
    figure = _draw_page(page)
    drawn = io.BytesIO()
    about = {"Title": page.title, "Creator": MAKER, "Date": None}
    figure.savefig(drawn, format="svg", metadata=about)
    text = drawn.getvalue()
    if not page.has_outlines:
        head = b'<style type="text/css">'
        text = text.replace(head, head + _embed_fonts(page).encode(), 1)
    # Its corners and sides are known better than those of the pixel in its place.
    before, after = re.split(rb"<image [^>]*/>", text, maxsplit=1)
    box, points = page.picture, 72 / page.dpi
    picture = io.BytesIO()
    write_png(
        picture,
        _cut_picture(page, pixels),
        (box.width, box.height),
        dpi=page.dpi,
        texts={"Title": page.title, "Software": MAKER},
    )
    places = zip(
        ("x", "y", "width", "height"),
        (box.left, box.top, box.width, box.height),
        strict=True,
    )
    where = " ".join(f'{name}="{value * points:.6g}"' for name, value in places)
    with path.open("wb") as file:
        file.write(before)
        file.write(
            f'<image {where} preserveAspectRatio="none" style="image-rendering:'
            'pixelated" xlink:href="data:image/png;base64,'.encode()
        )
        file.write(base64.b64encode(picture.getbuffer()))
        file.write(b'"/>' + after)


def _draw_page(page: Page) -> "Figure":
    """Draw a page of vectors, with one pixel in the picture's place."""
    figure, box = draw_texts(page), page.picture
    bottom = page.height - box.bottom
    axes = figure.add_axes(
        (
            box.left / page.width,
            bottom / page.height,
            box.width / page.width,
            box.height / page.height,
        )
    )
    axes.set_axis_off()
    # Without alpha matplotlib would add it.
    pixel = np.full((1, 1, 4), 255, np.uint8)
    axes.imshow(pixel, aspect="auto", interpolation="none", origin="lower")
    return figure


def _embed_fonts(page: Page) -> str:
    """Write rules of CSS with the fonts of a page, cut to the letters it needs."""
    rules = []
    for (family, style, weight, path, index), letters in _list_fonts(page).items():
        data = base64.b64encode(_cut_font(path, index, letters)).decode()
        # A font may be called anything.
        family = re.sub(r"[^\w .-]", lambda sign: f"\\{ord(sign[0]):x} ", family)
        rules.append(
            f"@font-face{{font-family:'{family}';font-style:{style};font-weight:"
            f"{weight};src:url(data:font/woff;base64,{data}) format('woff')}}"
        )
    return "\n".join(rules)


def _list_fonts(page: Page) -> dict[tuple[Any, ...], set[str]]:
    """List the fonts in which letters of a page are, each the first that has it."""
    from matplotlib.font_manager import FontProperties, findfont, get_font, weight_dict

    fonts: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for line in page.lines:
        left = set(line.text)
        style, weight = line.font.get_style(), line.font.get_weight()
        weight = weight_dict[weight] if isinstance(weight, str) else weight
        for family in line.font.get_family():
            path = findfont(FontProperties(family=[family], style=style, weight=weight))
            there = {each for each in left if ord(each) in get_font(path).get_charmap()}
            if there:
                index = getattr(path, "face_index", 0)
                fonts[family, style, weight, str(path), index] |= there
            left -= there
    return fonts


def _cut_font(path: str, index: int, letters: set[str]) -> bytes:
    """Cut a font to some letters, with what joins and shapes them, as a WOFF."""
    from fontTools import subset

    options = subset.Options(flavor="woff", recalc_timestamp=False, notdef_outline=True)
    options.font_number = index
    # What FontForge leaves in fonts for itself.
    options.drop_tables += ["FFTM", "PfEd"]
    cut = io.BytesIO()
    with _naming_font(path), subset.load_font(path, options) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(text="".join(letters))
        subsetter.subset(font)
        subset.save_font(font, cut, options)
    return cut.getvalue()


@contextlib.contextmanager
def _naming_font(path: str) -> Iterator[None]:
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        # Damaged fonts raise whatever comes of them.
        raise ReelbowError(
            f"the font {path} is damaged ({tell_error(error)}); choose another one, or "
            "text: outlines"
        ) from None
