"""Previews: the frames of a shard made small for people, all in one JPEG sheet.

A sheet explains itself: how its cells lie, and which frames are in them, stands in its
comment, as JSON. A shard of more frames than a browser can show has smaller previews in
its sheet, and those in full size in further sheets behind it, in the same file: what
shows a JPEG takes no notice of them, and `sheets.open_previews` finds them.
"""

import contextlib
import itertools
import json
import operator
import os
import shutil
import struct
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.shards.plan import Plan

# Of a side in pixels: GPUs, and so browsers, hold one of less than 16,384 as a whole.
MAX_SIDE = 16_383

# Of a sheet: its job takes some 200 MB for so many, and a browser that shows it 134 MB;
# Chrome shows none of twice as many. 54 minutes at a frame a second, of 128x72.
MAX_PIXELS = 1 << 25

# Of each sheet behind it, which no browser shows: 400 previews of 128x72, or one larger
# preview. Who wants few of them decodes few more, and the job takes 20 MB more.
FULL_PIXELS = 1 << 22

# Cells begin at multiples of it: a block of JPEG's, of 8 by 8 levels, is of 16 by 16
# pixels where it is of color. So no block has two pictures, and what a picture is
# decoded to does not depend on its neighbors: any shards have the same previews.
BLOCK = 8
ALIGNMENT = 2 * BLOCK

# A preview is at most so many times as wide as one may be high: else one panorama would
# make all cells of a tarball wide. The schema has the most rows for which a sheet has
# room, then.
WIDEST = 4

# Previews of fewer rows show nothing; of a shard of more frames some have none.
FEWEST_ROWS = 8

# Around a picture of another shape than the cell's: neutral, and dark as a cinema.
BACKGROUND = 0x20

# Of what a sheet says of itself: some bytes for each run of frames. A segment of a JPEG
# has 65,533 at most; there are as many as it takes.
MAX_COMMENT_BYTES = 1 << 24
SEGMENT_BYTES = 65_000

# Markers of JPEG: where the image begins, its size stands, its pixels begin, and it
# ends; and a comment.
SOI, SOF0, SOS, EOI, COM = 0xFFD8, 0xFFC0, 0xFFDA, 0xFFD9, 0xFFFE

FORMAT = "reelbow previews 1"

Shape = tuple[int, int]


class PreviewOptions(NamedTuple):
    """How previews are made: their rows, and JPEG's quality, in [1, 100]."""

    height: int
    quality: int


class PreviewSheet(NamedTuple):
    """Where the previews of a shard are in its sheet; all in pixels.

    Cell i has its upper left corner at (i % columns * pitch_x, i // columns * pitch_y).

    Attributes
    ----------
    width, height : of the sheet
    cell_width, cell_height : of each preview
    pitch_x, pitch_y : from one cell to the next; between them is nothing to look at
    columns : cells in a row
    frames : (n,) int64, the frame in each cell, in their order: as `ShardFrame` counts,
        in the film, but in its shard where each file of the user's is one
    sizes : (n, 2) int64, the width and height of each picture, which is in the middle
        of its cell; None: all fill their cells
    start, n_bytes : where the sheet is in its file; 0 before it is coded
    """

    width: int
    height: int
    cell_width: int
    cell_height: int
    pitch_x: int
    pitch_y: int
    columns: int
    frames: NDArray[np.int64]
    sizes: NDArray[np.int64] | None
    start: int
    n_bytes: int

    def number_from(self, first: int) -> Self:
        """Count the frames so that the first one is `first`.

        The film's database counts on through those of files that are shards.
        """
        return self._replace(frames=self.frames - self.frames[:1] + first)

    def locate(self, cell: int) -> tuple[int, int, int, int]:
        """Find where a cell is: x, y, width, height."""
        row, column = divmod(cell, self.columns)
        x, y = column * self.pitch_x, row * self.pitch_y
        return x, y, self.cell_width, self.cell_height


class PreviewWriter:
    """Gathers the previews of a shard and writes their sheet.

    A shard whose sheet would be larger than `MAX_PIXELS` gets smaller previews in it;
    where these would have fewer rows than `FEWEST_ROWS` only every second frame has
    one, then every fourth. All of them follow in full size, in sheets behind it.
    """

    def __init__(
        self, path: Path, *, height: int, quality: int, usual: Shape | None = None
    ) -> None:
        """Begin a sheet.

        Parameters
        ----------
        height : rows of a preview; pictures of fewer stay as they are
        quality : of JPEG, in [1, 100]
        usual : of most pictures of the film, whose shape the cells then have; None:
            that of most pictures of the shard, in sheets behind it of as many of them
            as one sheet would have
        """
        self._path = path
        self._quality = quality
        self._cells = _Cells(height, usual)
        self._behind: _FullSheets | None = None
        self._n_seen = 0
        self._every = 1
        self._open_files = contextlib.ExitStack()

    def add(self, pixels: NDArray[np.uint8], frame: int) -> None:
        """Add a picture, (h, w, 3) uint8 sRGB."""
        shape = (pixels.shape[0], pixels.shape[1])
        if self._behind:
            self._behind.append(frame, shape, pixels)
        self._n_seen += 1
        if (self._n_seen - 1) % self._every:
            return
        self._cells.append(frame, shape, pixels)
        while self._cells.n_pixels > MAX_PIXELS:
            self._make_room()

    def _make_room(self) -> None:
        old = self._cells
        if not self._behind:
            # So far all are in full size.
            file = tempfile.TemporaryFile(dir=self._path.parent)  # noqa: SIM115 (the stack closes it)
            self._open_files.enter_context(file)
            self._behind = _FullSheets(file, old, self._quality)
        height, cells = old.height, old.cells
        if height > FEWEST_ROWS:
            # As high as cells are then, and not made smaller again for each new one.
            height = max(FEWEST_ROWS, height * 9 // 10 // ALIGNMENT * ALIGNMENT)
        else:
            self._every *= 2
            cells = cells[::2]
        self._cells = _Cells(height, old.usual)
        for cell in cells:
            self._cells.append(*cell)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write the sheet, unless something failed."""
        with self._open_files:
            if kind is None:
                self._write()

    def _write(self) -> None:
        lengths = self._behind.finish() if self._behind else []
        with self._path.open("wb") as stream:
            stream.writelines(self._cells.encode(self._quality, lengths))
            if self._behind:
                shutil.copyfileobj(self._behind.file, stream)


class _FullSheets:
    """Previews in full size, coded as they come, in sheets of `FULL_PIXELS`."""

    def __init__(self, file: BinaryIO, first: "_Cells", quality: int) -> None:
        """Begin with the first ones, which say how large all cells are."""
        self.file = file
        self._quality = quality
        self._lengths: list[int] = []
        self._cells = _Cells(first.height, first.usual, first.find_cell())
        for cell in first.cells:
            self.append(*cell)

    def append(self, frame: int, shape: Shape, pixels: NDArray[np.uint8]) -> None:
        self._cells.append(frame, shape, pixels)
        if self._cells.n_pixels >= FULL_PIXELS:
            self._code()

    def _code(self) -> None:
        parts = self._cells.encode(self._quality)
        self._lengths.append(sum(map(len, parts)))
        self.file.writelines(parts)

    def finish(self) -> list[int]:
        """Go to the beginning of the file; return the bytes of each of its sheets."""
        if self._cells.cells:
            self._code()
        self.file.seek(0)
        return self._lengths


class _Cells:
    """Previews that are to be one sheet."""

    def __init__(
        self, height: int, usual: Shape | None, cell: Shape | None = None
    ) -> None:
        """Begin a sheet.

        height, usual : as `PreviewWriter` takes them
        cell : how large cells are, if not as `usual` or most of the previews
        """
        room = height, WIDEST * height
        self.height = height
        self.usual = usual
        self._room = _fit(usual, room) if usual else room
        self._cell = cell or (self._room if usual else None)
        # Of each: its frame, the shape of the picture it is of, and its pixels.
        self.cells: list[tuple[int, Shape, NDArray[np.uint8]]] = []
        # Of the widest cell so far, and the highest.
        self._pitch = (0, 0)

    @property
    def n_pixels(self) -> int:
        return len(self.cells) * self._pitch[0] * self._pitch[1]

    def append(self, frame: int, shape: Shape, pixels: NDArray[np.uint8]) -> None:
        small = _resize(pixels, _fit(shape, self._room))
        self.cells.append((frame, shape, small))
        # Else how large the cells will be is known at the end.
        rows, columns = self._cell or small.shape[:2]
        self._pitch = (
            max(self._pitch[0], _align(rows)),
            max(self._pitch[1], _align(columns)),
        )

    def encode(self, quality: int, behind: Sequence[int] = ()) -> list[bytes]:
        """Code the sheet, and let go of the cells.

        behind : bytes of each sheet behind it
        """
        # Imported here: clustering thumbnails does without.
        import simplejpeg

        sheet = self._lay_out()
        data = simplejpeg.encode_jpeg(
            self._draw(sheet), quality=quality, colorsubsampling="420", fastdct=False
        )
        # The comment comes behind the segment of JFIF, which has to be the first.
        start = 4 + int.from_bytes(data[4:6], "big")
        about = _describe(sheet, behind).encode("ascii")
        comment = bytearray()
        for first in range(0, len(about), SEGMENT_BYTES):
            part = about[first : first + SEGMENT_BYTES]
            comment += struct.pack(">HH", COM, 2 + len(part)) + part
        return [data[:start], bytes(comment), data[start:]]

    def _draw(self, sheet: PreviewSheet) -> NDArray[np.uint8]:
        """Draw all cells, and let go of them: what codes the sheet needs the memory."""
        pixels = np.full((sheet.height, sheet.width, 3), BACKGROUND, np.uint8)
        for place, (_, _, picture) in enumerate(self.cells):
            x, y, _, _ = sheet.locate(place)
            room = pixels[y : y + sheet.pitch_y, x : x + sheet.pitch_x]
            room[...] = _fill_cell(picture, sheet)
        self.cells.clear()
        return pixels

    def find_cell(self) -> Shape:
        """Find the rows and columns of a cell: in the shape of most pictures."""
        if self._cell:
            return self._cell
        shapes = Counter(picture.shape[:2] for *_, picture in self.cells)
        rows, columns = shapes.most_common(1)[0][0] if shapes else (1, 1)
        return rows, columns

    def _lay_out(self) -> PreviewSheet:
        """Find a sheet about square."""
        rows, columns = self.find_cell()
        pitch_y, pitch_x = _align(rows), _align(columns)
        frames = np.array([frame for frame, *_ in self.cells], np.int64)
        n_cells = max(1, len(frames))
        across = round((n_cells * pitch_y / pitch_x) ** 0.5)
        # As many as there is room for, and not more down than there is room for.
        across = max(across, -(-n_cells // (MAX_SIDE // pitch_y)), 1)
        across = min(across, n_cells, MAX_SIDE // pitch_x)
        down = -(-n_cells // across)
        width, height = across * pitch_x, down * pitch_y
        return PreviewSheet(
            *(width, height, columns, rows, pitch_x, pitch_y, across),
            *(frames, self._find_sizes(rows, columns), 0, 0),
        )

    def _find_sizes(self, rows: int, columns: int) -> NDArray[np.int64] | None:
        """Find how large pictures are in cells; None: they fill them."""
        shapes = [_fit(each.shape[:2], (rows, columns)) for *_, each in self.cells]
        if set(shapes) <= {(rows, columns)}:
            return None
        return np.array(shapes, np.int64)[:, ::-1]


@contextlib.contextmanager
def write_previews(
    path: Path | None, options: PreviewOptions | None, usual: Shape | None = None
) -> Iterator[PreviewWriter | None]:
    """Yield what writes a sheet to `path`, as in `atomic_write`; None: none is.

    usual : as `PreviewWriter` takes it
    """
    if path is None or options is None:
        yield None
        return
    with (
        atomic_write(path) as temporary,
        PreviewWriter(temporary, **options._asdict(), usual=usual) as writer,
    ):
        yield writer


def find_usual_shape(plan: Plan, height: int | None) -> Shape | None:
    """Find the shape of most pictures of a film in thumbnails of a height.

    Returns
    -------
    (height, width); None: the plan does not say it, since all pictures have one
    """
    # Imported here, with OpenCV: who reads previews does without.
    from reelbow.pictures.geometry import find_shape

    if (size := plan.get("usual_size")) is None:
        return None
    width, rows = size
    return find_shape((rows, width), height)


def _align(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT


def _fit(shape: Shape, room: Shape) -> Shape:
    """Find the shape of a picture that is made small enough, never larger."""
    scale = min(1.0, room[0] / shape[0], room[1] / shape[1])
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _resize(pixels: NDArray[np.uint8], shape: Shape) -> NDArray[np.uint8]:
    if pixels.shape[:2] == shape:
        return pixels
    # Imported here: clustering thumbnails does without.
    import cv2

    # An average over areas, or, where each pixel has two at most, what looks the same
    # and takes a quarter of the time.
    is_much = pixels.shape[0] > 2 * shape[0] or pixels.shape[1] > 2 * shape[1]
    how = cv2.INTER_AREA if is_much else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, shape[::-1], interpolation=how), np.uint8)


def _fill_cell(picture: NDArray[np.uint8], sheet: PreviewSheet) -> NDArray[np.uint8]:
    """Put a picture whole into a cell's middle, and go on beyond the cell's edges."""
    import cv2

    cell = (sheet.cell_height, sheet.cell_width)
    small = _resize(picture, _fit((picture.shape[0], picture.shape[1]), cell))
    free_y, free_x = cell[0] - small.shape[0], cell[1] - small.shape[1]
    if free_y or free_x:
        top, left = free_y // 2, free_x // 2
        sides = (top, free_y - top, left, free_x - left)
        gray = (BACKGROUND,) * 3
        framed = cv2.copyMakeBorder(small, *sides, cv2.BORDER_CONSTANT, value=gray)
        small = np.asarray(framed, np.uint8)
    below, beside = sheet.pitch_y - cell[0], sheet.pitch_x - cell[1]
    if below or beside:
        padded = cv2.copyMakeBorder(small, 0, below, 0, beside, cv2.BORDER_REPLICATE)
        small = np.asarray(padded, np.uint8)
        down, across = (-(-length // BLOCK) for length in cell)
        # Blocks that have nothing of the picture take fewer bytes if they are flat.
        for blank in (small[down * BLOCK :], small[:, across * BLOCK :]):
            if blank.size:
                size = (blank.shape[1], blank.shape[0])
                n_blocks = (size[0] // BLOCK, size[1] // BLOCK)
                flat = cv2.resize(blank, n_blocks, interpolation=cv2.INTER_AREA)
                blank[:] = cv2.resize(flat, size, interpolation=cv2.INTER_NEAREST)
    return small


def _describe(sheet: PreviewSheet, behind: Sequence[int]) -> str:
    about: dict[str, Any] = {
        "format": FORMAT,
        "cell": [sheet.cell_width, sheet.cell_height],
        "pitch": [sheet.pitch_x, sheet.pitch_y],
        "columns": sheet.columns,
        "frames": find_runs(sheet.frames),
    }
    if sheet.sizes is not None:
        sizes = itertools.groupby(sheet.sizes.tolist())
        about["sizes"] = [[len(list(same)), *size] for size, same in sizes]
    if behind:
        about["behind"] = list(behind)
    return json.dumps(about)


def find_runs(frames: NDArray[np.int64]) -> list[list[int]]:
    """Write numbers as runs of consecutive ones: [first, last] of each."""
    breaks = np.flatnonzero(np.diff(frames) != 1)
    firsts = frames[np.concatenate([[0], breaks + 1])] if len(frames) else frames
    lasts = frames[np.concatenate([breaks, [-1]])] if len(frames) else frames
    return [list(run) for run in zip(firsts.tolist(), lasts.tolist(), strict=True)]


def _list_frames(runs: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    parts = [np.arange(first, last + 1, dtype=np.int64) for first, last in runs]
    return np.concatenate([np.empty(0, np.int64), *parts])


def read_sheet(path: Path) -> PreviewSheet:
    """Read where the previews are in a sheet, without decoding or reading its pixels.

    Raises
    ------
    ReelbowError
        If it is no sheet of Reelbow's, or cut off.
    """
    return read_sheets(path)[0]


def read_sheets(path: Path) -> list[PreviewSheet]:
    """Read the same of a shard's sheet, and of those behind it."""
    try:
        with path.open("rb") as stream:
            end = stream.seek(0, os.SEEK_END)
            size, about = _read_headers(stream, 0)
            # Sheets behind the first one are at the end of the file.
            lengths = [operator.index(length) for length in about.get("behind", [])]
            if lengths and min(lengths) < 2:
                raise ValueError("sheets of no bytes")
            sheets = [_place(size, about, 0, end - sum(lengths))]
            for length in lengths:
                start = sheets[-1].start + sheets[-1].n_bytes
                sheets.append(_place(*_read_headers(stream, start), start, length))
            for sheet in sheets:
                stream.seek(sheet.start + sheet.n_bytes - 2)
                if stream.read(2) != EOI.to_bytes(2, "big"):
                    raise ValueError("cut off")
        _compare(*sheets)
        return sheets
    except (
        *(ValueError, KeyError, TypeError, AttributeError, struct.error),
        *(ArithmeticError, RecursionError),
    ) as error:
        raise ReelbowError(
            f"{path}: is no sheet of previews, or is damaged; delete it and run again"
        ) from error


def _compare(first: PreviewSheet, *behind: PreviewSheet) -> None:
    """See that sheets behind the first one have its frames, in cells of one size."""
    if not behind:
        return
    if len({(sheet.cell_width, sheet.cell_height) for sheet in behind}) > 1:
        raise ValueError("cells of several sizes")
    frames = np.concatenate([sheet.frames for sheet in behind])
    if (
        np.any(np.diff(frames) <= 0)
        or not np.isin(first.frames, frames).all()
        or len(frames) < len(first.frames)
        or frames[0] != first.frames[0]
    ):
        raise ValueError("not the same frames")


def _place(
    size: Shape, about: Mapping[str, Any], start: int, n_bytes: int
) -> PreviewSheet:
    if about["format"] != FORMAT:
        raise ValueError(about["format"])
    (cell_width, cell_height), (pitch_x, pitch_y) = about["cell"], about["pitch"]
    columns, runs = about["columns"], about["frames"]
    lengths = [operator.index(last) - first + 1 for first, last in runs]
    shape = map(operator.index, (cell_width, cell_height, pitch_x, pitch_y, columns))
    rows = max(1, -(-sum(lengths) // columns))
    if (
        min(*shape, *lengths) < 1
        or n_bytes < 2
        or cell_width > pitch_x
        or cell_height > pitch_y
        or (columns * pitch_x, rows * pitch_y) != size
        or max(size) > MAX_SIDE
    ):
        raise ValueError("cells that are not in it")
    return PreviewSheet(
        *size,
        *(cell_width, cell_height, pitch_x, pitch_y, columns),
        _list_frames(runs),
        _list_sizes(about.get("sizes"), sum(lengths), (cell_width, cell_height)),
        *(start, n_bytes),
    )


def _list_sizes(
    runs: Sequence[Sequence[int]] | None, n_cells: int, cell: Shape
) -> NDArray[np.int64] | None:
    """List the size of each picture, as a sheet tells it."""
    if runs is None:
        return None
    counts, widths, heights = (
        [operator.index(each) for each in column] for column in zip(*runs, strict=True)
    )
    if min(counts) < 1 or sum(counts) != n_cells:
        raise ValueError("sizes of other pictures")
    listed = np.repeat(np.array([widths, heights], np.int64).T, counts, axis=0)
    if listed.min() < 1 or (listed > cell).any():
        raise ValueError("pictures larger than their cells")
    return listed


def _read_headers(stream: BinaryIO, start: int) -> tuple[Shape, Any]:
    """Read the (width, height) of a JPEG in a file, and what its comment says."""
    stream.seek(start)
    if stream.read(2) != SOI.to_bytes(2, "big"):
        raise ValueError("no JPEG")
    size, comment, marker = None, b"", SOI
    while marker != SOS:
        marker, length = struct.unpack(">HH", stream.read(4))
        follows = stream.tell() + length - 2
        if marker == SOF0:
            height, width = struct.unpack(">xHH", stream.read(5))
            size = (width, height)
        elif marker == COM:
            comment += stream.read(length - 2)
            if stream.tell() != follows or len(comment) > MAX_COMMENT_BYTES:
                raise ValueError("cut off, or too much")
        elif marker >> 8 != 0xFF:
            raise ValueError("damaged")
        stream.seek(follows)
    if size is None:
        raise ValueError("of another kind of JPEG")
    return size, json.loads(comment)
