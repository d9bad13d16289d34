"""Tables as files, written part by part: CSV, Parquet, XLSX."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from reelbow.jobs.files import atomic_write
from reelbow.text import FORMULA, guard_formula

# Excel has no more rows; a further sheet goes on.
SHEET_ROWS = 1_048_576


class _Writer(Protocol):
    def write(self, part: pd.DataFrame) -> None: ...

    def close(self) -> None: ...


class _Csv:
    """UTF-8, with a comma, a decimal point and a header."""

    def __init__(self, path: Path, name: str) -> None:
        self._stream = path.open("w", encoding="utf-8", newline="")
        self._has_header = False

    def write(self, part: pd.DataFrame) -> None:
        part = part.copy(deep=False)
        for column in part.columns[part.dtypes == "string"]:
            # csv quotes a line feed, and not the sign that ends lines of old files.
            part[column] = part[column].str.replace("\r", " ")
            begins = part[column].str.startswith(FORMULA).fillna(False)
            if begins.any():
                part[column] = part[column].mask(begins, "'" + part[column])
        header = False if self._has_header else [*map(guard_formula, part.columns)]
        part.to_csv(self._stream, header=header, index=False, lineterminator="\n")
        self._has_header = True

    def close(self) -> None:
        self._stream.close()


class _Parquet:
    def __init__(self, path: Path, name: str) -> None:
        # Of what the disk says of a file of its own pyarrow tells half.
        self._stream = path.open("wb")
        self._writer: Any = None

    def write(self, part: pd.DataFrame) -> None:
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.Table.from_pandas(part, preserve_index=False)
        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(self._stream, table.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        with self._stream:
            if self._writer is not None:
                self._writer.close()


class _Xlsx:
    """Text is text, whatever it begins with."""

    def __init__(self, path: Path, name: str) -> None:
        from openpyxl import Workbook

        self._path, self._name = path, name
        self._book = Workbook(write_only=True)
        self._n_rows = SHEET_ROWS
        self._header: list[str] = []

    def write(self, part: pd.DataFrame) -> None:
        self._header = list(part.columns)
        columns = [part[name].astype(object) for name in part.columns]
        known = [column.where(column.notna(), None) for column in columns]
        if part.empty:
            self._find_sheet()
        for row in zip(*known, strict=True):
            sheet = self._find_sheet()
            sheet.append([self._make_cell(sheet, value) for value in row])
            self._n_rows += 1

    def _find_sheet(self) -> Any:
        """Find the sheet that has room, or begin the next one."""
        if self._n_rows >= SHEET_ROWS:
            place = len(self._book.worksheets)
            title = f"{self._name} {place + 1}" if place else self._name
            sheet = self._book.create_sheet(title)
            sheet.append([self._make_cell(sheet, name) for name in self._header])
            self._n_rows = 1
        return self._book.worksheets[-1]

    def _make_cell(self, sheet: Any, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

        # XML has no place for control characters.
        text = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value)
        if not text.startswith("="):
            return text
        cell = WriteOnlyCell(sheet, text)
        cell.data_type = "s"
        return cell

    def close(self) -> None:
        if self._header:
            self._book.save(self._path)


_WRITERS: dict[str, Callable[[Path, str], _Writer]] = {
    "csv": _Csv,
    "parquet": _Parquet,
    "xlsx": _Xlsx,
}


@contextmanager
def open_tables(
    folder: Path, name: str, formats: Sequence[str]
) -> Iterator[Sequence[_Writer]]:
    """Open {name}.{format} in a folder; each is there when all is written."""
    with ExitStack() as stack:
        writers: list[_Writer] = []
        for suffix in formats:
            path = stack.enter_context(atomic_write(folder / f"{name}.{suffix}"))
            writers.append(_WRITERS[suffix](path, name))
            stack.callback(writers[-1].close)
        yield writers


def write_table(
    parts: Iterator[pd.DataFrame], folder: Path, name: str, formats: Sequence[str]
) -> None:
    """Write a table in all formats; its parts have the same columns and types."""
    with open_tables(folder, name, formats) as writers:
        for part in parts:
            for writer in writers:
                writer.write(part)
