"""The sheet of films as people have it: its bytes, its cells, its numbers and times."""

import contextlib
import csv
import difflib
import io
import math
import re
from collections.abc import Collection, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from reelbow.errors import ReelbowError
from reelbow.runs.messages import tell
from reelbow.shards.image_names import UNSHOWN
from reelbow.text import clean_text, shorten

# A sheet's suffixes, and what most likely stands between its cells. Excel's "Unicode
# text" is .txt.
SUFFIXES = {".tsv": "\t", ".csv": ",", ".txt": "\t"}
SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas"}


class Row(NamedTuple):
    """One row of a sheet, as texts; empty cells of known columns are left out."""

    where: str
    cells: dict[str, str]  # of known columns
    own: dict[str, str]  # of the user's own columns, all of them, in their order
    decimal_comma: bool


def is_sheet(films: str | list[str]) -> bool:
    """Whether what is given for films is the name of a sheet."""
    return isinstance(films, str) and Path(films).suffix.lower() in SUFFIXES


def read_sheet(sheet: Path, columns: Collection[str]) -> Iterator[Row]:
    """Read a sheet's rows, without those that are empty or start with `#`.

    Parameters
    ----------
    columns : those that are known; any other is the user's own, unless it is nearly one

    Raises
    ------
    ReelbowError
        If it is no table of texts; it names the line.
    """
    if not sheet.is_file():
        raise ReelbowError(
            f"films: no such sheet {sheet}; give a .tsv, .csv or .txt file"
        )
    text = _decode(sheet)
    separator = _find_separator(text, SUFFIXES[sheet.suffix.lower()], columns)
    header: list[str] = []
    for line, cells in _split(text, separator, sheet):
        where = f"{sheet} line {line}"
        if not any(cells) or cells[0].startswith("#"):
            continue
        if not header:
            header = _read_header(cells, columns, where)
            continue
        if len(cells) < len(header) or any(cells[len(header) :]):
            raise ReelbowError(
                f"{where}: {len(cells)} cells under {len(header)} column names; "
                f"separate them by {SEPARATORS[separator]}"
            )
        row = Row(where, {}, {}, decimal_comma=separator == ";")
        for name, cell in zip(header, cells, strict=False):
            if name in columns:
                row.cells.update({name: cell} if cell else {})
            elif name:
                row.own[name] = cell
            elif cell:
                raise ReelbowError(
                    f"{where}: {shorten(cell)!r} stands under no column name; give it "
                    "one"
                )
            # Notes of one's own may have several lines.
            shown = cell if name in columns else re.sub(r"[\n\t]", " ", cell)
            if unshown := UNSHOWN.search(shown):
                raise ReelbowError(
                    f"{where}: {shorten(name)} has the control character "
                    f"{unshown[0]!r}; delete it"
                )
        yield row


def _decode(sheet: Path) -> str:
    """Read a sheet as UTF-8, UTF-16 or else Windows-1252, as old Excel writes it."""
    data = sheet.read_bytes()
    encodings = ["utf-8-sig", "cp1252"]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in data[:2]:
        encodings = ["utf-16-be" if data[:1] == b"\0" else "utf-16-le"]
    for encoding in encodings:
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if encoding == "cp1252":
                tell(
                    f"{sheet} is not UTF-8, so it is read as Windows-1252; if letters "
                    "come out wrong, save it as UTF-8."
                )
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise ReelbowError(
        f"{sheet}: not UTF-8, UTF-16 or Windows-1252; save the sheet as UTF-8"
    )


def _find_separator(text: str, usual: str, columns: Collection[str]) -> str:
    """Find what stands between cells: what cuts most known names from the header."""
    lines = (line for line in text.split("\n") if line.strip())
    header = next((line for line in lines if not line.startswith("#")), "")

    def count_known(separator: str) -> tuple[int, bool]:
        names = (name.strip(' "').lower() for name in header.split(separator))
        return sum(name in columns for name in names), separator == usual

    return max(SEPARATORS, key=count_known)


def _split(text: str, separator: str, sheet: Path) -> Iterator[tuple[int, list[str]]]:
    """Cut a text into rows of stripped cells, each with the line where it starts."""
    # Snakemake has it loaded already; jobs, which have not, read no sheet.
    import pandas as pd

    widest = max(line.count(separator) for line in text.split("\n")) + 1
    buffer = io.StringIO(text, newline="")
    try:
        table = pd.read_csv(
            buffer,
            sep=separator,
            header=None,
            names=range(widest),
            index_col=False,
            dtype=str,
            keep_default_na=False,
            skip_blank_lines=False,
            # The other one drops quotes in the middle of cells without a word.
            engine="python",
        )
    except (pd.errors.ParserError, csv.Error) as error:
        line = text.count("\n", 0, buffer.tell()) or 1
        # It may name a separator that is a tab.
        told = clean_text(str(error).replace("'\t'", "a tab"))
        raise ReelbowError(
            f"{sheet} line {line}: {told}; put a cell with quotes in it between "
            "quotes, and double those in it"
        ) from None
    except pd.errors.EmptyDataError:
        return
    line = 1
    for row in table.itertuples(index=False):
        # Cells that are not there at all are no texts.
        cells = [cell for cell in row if isinstance(cell, str)]
        yield line, [cell.strip() for cell in cells]
        line += 1 + sum(cell.count("\n") for cell in cells)


def _read_header(cells: list[str], columns: Collection[str], where: str) -> list[str]:
    """Read the names of columns; known ones may be in capitals."""
    while cells and not cells[-1]:
        cells.pop()
    header = [name.lower() if name.lower() in columns else name for name in cells]
    for place, name in enumerate(header):
        shown = shorten(name)
        if unshown := UNSHOWN.search(name):
            raise ReelbowError(
                f"{where}: the name of column {place + 1} has the control character "
                f"{unshown[0]!r}; delete it"
            )
        if name and name in header[:place]:
            raise ReelbowError(
                f"{where}: column {shown!r} is there twice; leave one out or rename it"
            )
        likely = difflib.get_close_matches(name.lower(), columns, n=1)
        if likely and name not in columns:
            raise ReelbowError(
                f"{where}: unknown column {shown!r}; did you mean {likely[0]!r}? If it "
                "is a column of your own, name it otherwise"
            )
    return header


def read_number(text: str, *, decimal_comma: bool = False) -> float:
    """Read a number, with a point or a comma.

    A comma before three digits may be one of thousands, unless `decimal_comma`.

    Raises
    ------
    ReelbowError
        If it is no finite number; the sentence says what it should be.
    """
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", text) and not decimal_comma:
        whole = text.replace(",", "")
        raise ReelbowError(
            f"should be a number without separated thousands, as {whole} or "
            f"{text.replace(',', '.', 1)}"
        )
    try:
        number = float(re.sub(r"^([+-]?[0-9]*),([0-9]+)$", r"\1.\2", text))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ReelbowError("should be a number")
    return number


def read_time(text: str, *, decimal_comma: bool = False) -> float:
    """Read a time in seconds, or as m:ss or h:mm:ss, with decimals or without.

    Raises
    ------
    ReelbowError
        If it is none; the sentence says what it should be.
    """
    if ":" not in text:
        return read_number(text, decimal_comma=decimal_comma)
    time = re.fullmatch(
        r"(?:([0-9]{1,9}):(?=[0-9]+:))?([0-9]{1,9}):([0-9]{1,2}(?:[.,][0-9]{0,9})?)",
        text,
    )
    if time:
        hours, minutes, seconds = (
            Fraction((part or "0").replace(",", ".").rstrip("."))
            for part in time.groups()
        )
        if seconds < 60 and (minutes < 60 or time[1] is None):
            return float(hours * 3600 + minutes * 60 + seconds)
    raise ReelbowError("should be seconds or h:mm:ss, as 4530 or 1:15:30")
