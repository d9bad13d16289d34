"""From a JPEG's coefficients straight to a small picture and its row means.

An average is linear, and so is the cosine transform: the average of a block over any
part of it is a weighted sum of its coefficients, mostly of the first one alone. So no
pixels are made. What is not linear is that colors end at 0 and at 255: where a block
may pass that, its pixels are made, and what they have beyond is taken off.
"""

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.machine.compiled import cached_njit, inner_njit
from reelbow.pictures.jpeg_coefficients import (
    BASIS,
    Coefficients,
    Header,
    decode_mcu,
    is_part_done,
    open_scan,
)
from reelbow.pictures.vectors import add_dots, add_row, add_rows, multiply

# A block may lie in this many cells in a row, none smaller than MIN_CELL pixels.
_MAX_CELLS = 3
MIN_CELL = 8

# How Cb and Cr make green, by T.871.
_CB_GREEN = np.float32(0.114 * 1.772 / 0.587)
_CR_GREEN = np.float32(0.299 * 1.402 / 0.587)
_EIGHTH = np.float32(0.125)

# Of samples, less 128, and of colors.
_LOWEST, _HIGHEST = np.float32(-128), np.float32(127)
_DARKEST, _BRIGHTEST = np.float32(0), np.float32(255)

# Indices without a sign, at which numba need not look.
_ZERO, _EIGHT, _BLOCK = np.uint64(0), np.uint64(8), np.uint64(64)

# Places in the room for making pixels: a block of luma, two of chroma, both on their
# way; 64 pixels of Y, Cb and Cr, or of R, G and B; what frequencies add: (64,) to x, by
# x; (64,) to lines of luma, by frequency; (8 lines,) to lines of chroma.
_LUMA, _CHROMA, _PLANES, _BASES = 0, 64, 192, 384


class _Side(NamedTuple):
    """How blocks along one side of a picture lie in the result's cells.

    Attributes
    ----------
    first : (blocks,) int64, the first cell of each
    counts : (blocks,) int64, how many it lies in; 0: it is not kept
    weights : flat, (blocks, 3, 8) float32, what each frequency adds to these cells
    parts : flat, (blocks, 3, 8) float32, how many pixels of each sample are in them
    whole : (blocks,) bool, whether it lies in its first cell, all of it
    """

    first: NDArray[np.int64]
    counts: NDArray[np.int64]
    weights: NDArray[np.float32]
    parts: NDArray[np.float32]
    whole: NDArray[np.bool_]


class _Grid(NamedTuple):
    """How a picture lies in the result's cells.

    Attributes
    ----------
    down, across : blocks of luma in an MCU
    top, width : the first line that is kept, and the columns
    luma_columns, luma_rows, chroma_columns, chroma_rows : of blocks
    """

    down: int
    across: int
    top: int
    width: int
    luma_columns: _Side
    luma_rows: _Side
    chroma_columns: _Side
    chroma_rows: _Side


class _Sums(NamedTuple):
    """What is added up of Y, Cb and Cr, each less 128.

    Attributes
    ----------
    lanes : flat, (down + 2, cells, 8) float32, of one row of MCUs: rows of blocks of
        luma, of Cb and of Cr; of each cell the frequencies down, of as many cells as
        eight times something
    totals : (16,) float32, eight times 1, and room for a lane's sums
    cells : flat, (h + 3, 3, cells) float32, of each cell
    lines : (rows, 3) float64, over the width
    """

    lanes: NDArray[np.float32]
    totals: NDArray[np.float32]
    cells: NDArray[np.float32]
    lines: NDArray[np.float64]


class _Excess(NamedTuple):
    """What R, G and B have as they are seen, less what they have as they are added up.

    That is other than 0 where samples or colors would pass 0 or 255.

    Attributes
    ----------
    blocks : flat, (MCUs, blocks, 64) float32, of those of a row that may have any, and
        of the one that is decoded
    ranges : (MCUs, 3) float32, the columns of these, and the least and the most that
        makes a color of their luma less 128
    swings : (blocks,) float32, the most by which a block's samples differ from its mean
    room : float32, for making pixels
    columns : flat, (3, w, lines) float32, of one row of MCUs, over each cell's width
    found : (w,) the cells that `columns` has something for
    cells : (h, w, 3) float64, of each cell
    lines : (rows, 3) float64, over the width
    """

    blocks: NDArray[np.float32]
    ranges: NDArray[np.float32]
    swings: NDArray[np.float32]
    room: NDArray[np.float32]
    columns: NDArray[np.float32]
    found: NDArray[np.bool_]
    cells: NDArray[np.float64]
    lines: NDArray[np.float64]


def average_jpeg(
    data: bytes,
    header: Header,
    *,
    crop: tuple[int, int, int, int],
    size: tuple[int, int],
) -> tuple[NDArray[np.uint8], NDArray[np.float64]] | None:
    """Average a JPEG over areas, and over its width, as if its pixels were not rounded.

    Each sample of chroma counts for the pixels it was made of, without smoothing.

    Parameters
    ----------
    header : of `read_header`
    crop : (x, y, width, height) to keep, in pixels
    size : (height, width) of the result; each of its pixels is at least `MIN_CELL` of
        the crop's high and wide

    Returns
    -------
    (height, width, 3) uint8 sRGB, and the means of the crop's rows (rows, 3), [0, 255];
    None if the JPEG is in any way damaged
    """
    jpeg = open_scan(data, header)
    if jpeg is None:
        return None
    grid = _lay_grid(header.shape, (header.down, header.across), crop, size)
    small = np.empty((*size, 3), np.uint8)
    means = np.empty((crop[3], 3), np.float64)
    if not _average(jpeg, header.shape, grid, BASIS.astype(np.float32), small, means):
        return None
    return small, means


@functools.lru_cache(maxsize=16)
def _lay_grid(
    shape: tuple[int, int],
    sampling: tuple[int, int],
    crop: tuple[int, int, int, int],
    size: tuple[int, int],
) -> _Grid:
    """Lay the grid of `size` (rows, columns) over the cropped picture.

    Parameters
    ----------
    shape : rows and columns of MCUs
    sampling : blocks of luma in one, down and across
    """
    x, y, width, height = crop
    across = x + np.arange(size[1] + 1) * width / size[1]
    down = y + np.arange(size[0] + 1) * height / size[0]
    return _Grid(
        *sampling,
        y,
        width,
        _lay_blocks(shape[1] * sampling[1], 1, across),
        _lay_blocks(shape[0] * sampling[0], 1, down),
        _lay_blocks(shape[1], sampling[1], across),
        _lay_blocks(shape[0], sampling[0], down),
    )


def _lay_blocks(n_blocks: int, step: int, edges: NDArray[np.float64]) -> _Side:
    """Find in which cells the blocks of a side lie, whose samples are `step` pixels.

    Parameters
    ----------
    edges : (cells + 1,) of the cells, in pixels
    """
    starts = step * np.arange(8.0 * n_blocks).reshape(n_blocks, 1, 8)
    first = np.searchsorted(edges, starts[:, 0, 0], "right").clip(1, len(edges) - 1) - 1
    # Cells beyond the last one are empty.
    edges = np.append(edges, [edges[-1]] * _MAX_CELLS)
    cells = first[:, np.newaxis] + np.arange(_MAX_CELLS)
    begins = np.maximum(starts, edges[cells][..., np.newaxis])
    ends = np.minimum(starts + step, edges[cells + 1][..., np.newaxis])
    parts = (ends - begins).clip(0)
    counts = np.max((parts > 0).any(axis=2) * np.arange(1, _MAX_CELLS + 1), axis=1)
    return _Side(
        first,
        counts,
        (parts @ BASIS.T).astype(np.float32).reshape(-1),
        parts.astype(np.float32).reshape(-1),
        (parts[:, 0] == step).all(axis=1),
    )


@cached_njit
def _average(
    jpeg: Coefficients,
    shape: tuple[int, int],
    grid: _Grid,
    basis: NDArray[np.float32],
    small: NDArray[np.uint8],
    means: NDArray[np.float64],
) -> bool:
    """Fill `small` (h, w, 3), and `means` (rows, 3); whether all bits made sense.

    Parameters
    ----------
    shape : rows and columns of MCUs
    basis : (8, 8) what each frequency adds to each sample
    """
    rows, columns, _ = small.shape
    n_lines = 8 * grid.down
    n_blocks = jpeg.n_luma + 2
    n_cells = (columns + _MAX_CELLS + 7) // 8 * 8
    sums = _Sums(
        np.zeros((grid.down + 2) * n_cells * 8, np.float32),
        np.ones(16, np.float32),
        np.zeros((rows + _MAX_CELLS) * 3 * n_cells, np.float32),
        np.zeros((len(means), 3)),
    )
    excess = _Excess(
        np.zeros(shape[1] * n_blocks * 64, np.float32),
        np.zeros((shape[1], 3), np.float32),
        np.zeros(n_blocks, np.float32),
        np.zeros(_BASES + 128 + 8 * n_lines, np.float32),
        np.zeros(3 * columns * n_lines, np.float32),
        np.zeros(columns, np.bool_),
        np.zeros((rows, columns, 3)),
        np.zeros((len(means), 3)),
    )
    for frequency in range(8):
        for x in range(8):
            excess.room[_BASES + 8 * x + frequency] = basis[frequency, x]
            excess.room[_BASES + 64 + 8 * frequency + x] = basis[frequency, x]
        for line in range(n_lines):
            at = _BASES + 128 + frequency * n_lines + line
            excess.room[at] = basis[frequency, line // grid.down]
    for row in range(shape[0]):
        n_kept = _add_mcus(jpeg, shape[1], grid, sums, excess)
        if n_kept < 0:
            return False
        for lane in range(grid.down):
            _add_lane(
                sums, lane, grid.luma_rows, row * grid.down + lane, 0, 1, grid, basis
            )
        for chroma in range(2):
            _add_lane(
                sums,
                grid.down + chroma,
                grid.chroma_rows,
                row,
                1 + chroma,
                grid.down,
                grid,
                basis,
            )
        sums.lanes[:] = 0
        _find_excess(n_kept, grid, excess)
        _add_excess(excess, row, grid)
    if jpeg.state[1] != len(jpeg.parts) - 1 or not is_part_done(jpeg):
        return False
    _finish(sums, excess, grid.width, small, means)
    return True


@inner_njit
def _add_mcus(
    jpeg: Coefficients, n_columns: int, grid: _Grid, sums: _Sums, excess: _Excess
) -> int:
    """Decode a row of MCUs and add their blocks to the cells they lie in.

    Returns
    -------
    How many MCUs may have an excess and are kept; below 0 if the bits make no sense
    """
    down, across, n_luma = grid.down, grid.across, jpeg.n_luma
    blocks, swings, lanes = excess.blocks, excess.swings, sums.lanes
    lane_size = len(lanes) // (down + 2)
    n_kept = 0
    for column in range(n_columns):
        first = np.uint64(64 * (n_luma + 2) * n_kept)
        if not decode_mcu(jpeg, blocks, first, swings):
            return -1
        for block in range(n_luma):
            _add_block(
                blocks,
                first + np.uint64(64 * block),
                grid.luma_columns,
                column * across + (block & (across - 1)),
                lanes,
                (block >> (across - 1)) * lane_size,
            )
        for chroma in range(2):
            _add_block(
                blocks,
                first + np.uint64(64 * (n_luma + chroma)),
                grid.chroma_columns,
                column,
                lanes,
                (down + chroma) * lane_size,
            )
        cb = first + np.uint64(64 * n_luma)
        low, high = _find_range(
            blocks[cb] * _EIGHTH,
            blocks[cb + _BLOCK] * _EIGHTH,
            swings[n_luma],
            swings[n_luma + 1],
        )
        for block in range(n_luma):
            mean = blocks[first + np.uint64(64 * block)] * _EIGHTH
            swing = swings[block]
            if mean - swing + low < 0 or mean + swing + high > 255:
                excess.ranges[n_kept, 0] = column
                excess.ranges[n_kept, 1] = low
                excess.ranges[n_kept, 2] = high
                n_kept += 1
                break
    return n_kept


@inner_njit
def _add_block(
    blocks: NDArray[np.float32],
    own: np.uint64,
    side: _Side,
    column: int,
    lanes: NDArray[np.float32],
    lane: int,
) -> None:
    """Add a block to the cells it lies in.

    Parameters
    ----------
    column : of the block
    lane : where the lane of its row begins
    """
    to = np.uint64(lane + 8 * side.first[column])
    weight = np.uint64(8 * _MAX_CELLS * column)
    if side.whole[column]:
        # Of the frequencies across, all but one are above 0 as often as below.
        add_row(lanes, to, side.weights, weight, blocks, own, _EIGHT)
        return
    for _ in range(side.counts[column]):
        add_rows(lanes, to, side.weights, weight, blocks, own, _EIGHT)
        to += _EIGHT
        weight += _EIGHT


@inner_njit
def _find_range(
    cb: np.float32, cr: np.float32, by_cb: np.float32, by_cr: np.float32
) -> tuple[np.float32, np.float32]:
    """Find the least and the most that chroma adds to luma in R, G and B, and 128.

    Parameters
    ----------
    cb, cr : means
    by_cb, by_cr : the most that they differ from these
    """
    red = np.float32(1.402) * cr
    green = -_CB_GREEN * cb - _CR_GREEN * cr
    blue = np.float32(1.772) * cb
    by_red = np.float32(1.402) * by_cr
    by_green = _CB_GREEN * by_cb + _CR_GREEN * by_cr
    by_blue = np.float32(1.772) * by_cb
    return (
        min(red - by_red, green - by_green, blue - by_blue) + np.float32(128),
        max(red + by_red, green + by_green, blue + by_blue) + np.float32(128),
    )


@inner_njit
def _find_excess(n_kept: int, grid: _Grid, excess: _Excess) -> None:
    """Make the pixels of the MCUs that are kept, and add what they have beyond."""
    down, across, side = grid.down, grid.across, grid.luma_columns
    blocks, room = excess.blocks, excess.room
    n_luma = down * across
    for i in range(n_kept):
        mcu = np.int64(excess.ranges[i, 0])
        low, high = excess.ranges[i, 1], excess.ranges[i, 2]
        first = i * (n_luma + 2)
        has_chroma = False
        for block in range(n_luma):
            # Most may only by a bound. With luma alone there is a nearer one.
            _transform(blocks, first + block, room, _LUMA)
            if not _make_luma(room, low, high):
                continue
            if not has_chroma:
                _transform(blocks, first + n_luma, room, _CHROMA)
                _transform(blocks, first + n_luma + 1, room, _CHROMA + 64)
                has_chroma = True
            in_mcu, row = block & (across - 1), block >> (across - 1)
            if not _make_colors(room, in_mcu, row, down, across):
                continue
            column = mcu * across + in_mcu
            for j in range(side.counts[column]):
                cell = side.first[column] + j
                excess.found[cell] = True
                weight = np.uint64(8 * (_MAX_CELLS * column + j))
                for channel in range(3):
                    to = 8 * (down * (channel * len(excess.found) + cell) + row)
                    add_rows(
                        excess.columns,
                        np.uint64(to),
                        side.parts,
                        weight,
                        room,
                        np.uint64(_PLANES + 64 * channel),
                        _EIGHT,
                    )


@inner_njit
def _transform(
    blocks: NDArray[np.float32], block: int, room: NDArray[np.float32], place: int
) -> None:
    """Transform a block's rows: (horizontal, vertical frequencies) to (x, vertical)."""
    multiply(
        room, np.uint64(place), room, np.uint64(_BASES), _ZERO,
        blocks, np.uint64(64 * block), _EIGHT,
    )  # fmt: skip


@inner_njit
def _make_luma(room: NDArray[np.float32], low: np.float32, high: np.float32) -> bool:
    """Make the pixels of luma, and tell whether any may have an excess.

    Parameters
    ----------
    low, high : the least and the most that makes a color of them
    """
    y = np.uint64(_PLANES)
    multiply(
        room, y, room, np.uint64(_LUMA), _ZERO, room, np.uint64(_BASES + 64), _EIGHT
    )
    n_found = 0
    for i in range(_BLOCK):
        luma = room[y + i]
        n_found += (luma + low < np.float32(0)) | (luma + high > np.float32(255))
    return n_found > 0


@inner_njit
def _make_colors(
    room: NDArray[np.float32], column: int, row: int, down: int, across: int
) -> bool:
    """Make of luma's pixels those of R, G and B, and leave what they have beyond.

    Parameters
    ----------
    column, row : of the block in its MCU

    Returns
    -------
    Whether they have any
    """
    y, cb, cr = np.uint64(_PLANES), np.uint64(_PLANES + 64), np.uint64(_PLANES + 128)
    # Where an MCU is two blocks wide, a column of chroma is that of two pixels.
    shift = np.uint64(across - 1)
    own = np.uint64(_CHROMA + 32 * column)
    base = np.uint64(_BASES + 128 + 8 * row)
    lines = np.uint64(8 * down)
    multiply(room, cb, room, own, shift, room, base, lines)
    multiply(room, cr, room, own + _BLOCK, shift, room, base, lines)
    n_found = 0
    for i in range(_BLOCK):
        luma, by_cb, by_cr = room[y + i], room[cb + i], room[cr + i]
        # Once as it is added up, and once as it is seen: samples end, and colors.
        red, green, blue = _convert(luma, by_cb, by_cr)
        seen_red, seen_green, seen_blue = _convert(
            _limit(luma, _LOWEST, _HIGHEST),
            _limit(by_cb, _LOWEST, _HIGHEST),
            _limit(by_cr, _LOWEST, _HIGHEST),
        )
        red = _limit(seen_red, _DARKEST, _BRIGHTEST) - red
        green = _limit(seen_green, _DARKEST, _BRIGHTEST) - green
        blue = _limit(seen_blue, _DARKEST, _BRIGHTEST) - blue
        room[y + i] = red
        room[cb + i] = green
        room[cr + i] = blue
        n_found += (red != 0) | (green != 0) | (blue != 0)
    return n_found > 0


@inner_njit
def _convert(
    y: np.float32, cb: np.float32, cr: np.float32
) -> tuple[np.float32, np.float32, np.float32]:
    """Convert to RGB, by ITU-T T.871; luma and chroma are less 128."""
    luma = y + np.float32(128)
    return (
        luma + np.float32(1.402) * cr,
        luma - _CB_GREEN * cb - _CR_GREEN * cr,
        luma + np.float32(1.772) * cb,
    )


@inner_njit
def _limit(value: np.float32, low: np.float32, high: np.float32) -> np.float32:
    """Keep a value between two others."""
    # Written out, since of min and max numba makes no vectors.
    at_least = low if value < low else value
    return high if at_least > high else at_least


@inner_njit
def _add_excess(excess: _Excess, mcu_row: int, grid: _Grid) -> None:
    """Add what was found in a row of MCUs to the cells and to the lines."""
    side = grid.luma_rows
    n_cells = len(excess.found)
    n_lines = 8 * grid.down
    for cell in range(n_cells):
        if not excess.found[cell]:
            continue
        excess.found[cell] = False
        for channel in range(3):
            for y in range(n_lines):
                at = (channel * n_cells + cell) * n_lines + y
                value = excess.columns[at]
                excess.columns[at] = 0
                line = mcu_row * n_lines + y
                if value == 0 or not 0 <= line - grid.top < len(excess.lines):
                    continue
                excess.lines[line - grid.top, channel] += value
                block = line >> 3
                for i in range(side.counts[block]):
                    part = side.parts[8 * (_MAX_CELLS * block + i) + (line & 7)]
                    excess.cells[side.first[block] + i, cell, channel] += value * part


@inner_njit
def _add_lane(
    sums: _Sums,
    lane: int,
    side: _Side,
    block: int,
    component: int,
    step: int,
    grid: _Grid,
    basis: NDArray[np.float32],
) -> None:
    """Add a row of blocks, added up across, to the cells and to the lines.

    Parameters
    ----------
    block : its row
    step : lines of the picture to one of the component
    """
    lanes, cells, totals = sums.lanes, sums.cells, sums.totals
    if side.counts[block] == 0:
        return
    lane_size = len(lanes) // (grid.down + 2)
    n_cells = lane_size // 8
    start = lane * lane_size
    for i in range(8):
        totals[8 + i] = 0
    for at in range(start, start + lane_size, 64):
        add_rows(totals, _EIGHT, totals, _ZERO, lanes, np.uint64(at), _EIGHT)
    for y in range(8 * step):
        line = 8 * step * block + y - grid.top
        if 0 <= line < len(sums.lines):
            total = np.float32(0)
            for i in range(8):
                total += totals[8 + i] * basis[i, y // step]
            sums.lines[line, component] += total
    for i in range(side.counts[block]):
        row = side.first[block] + i
        to = (3 * row + component) * n_cells
        weight = np.uint64(8 * (_MAX_CELLS * block + i))
        for cell in range(0, n_cells, 8):
            add_dots(
                cells,
                np.uint64(to + cell),
                side.weights,
                weight,
                lanes,
                np.uint64(start + 8 * cell),
            )


@inner_njit
def _finish(
    sums: _Sums,
    excess: _Excess,
    width: int,
    small: NDArray[np.uint8],
    means: NDArray[np.float64],
) -> None:
    """Make colors of the sums."""
    rows, columns, _ = small.shape
    n_cells = len(sums.cells) // (3 * (rows + _MAX_CELLS))
    area = np.float32(len(means) * width) / np.float32(rows * columns)
    for row in range(rows):
        for column in range(columns):
            y = 3 * row * n_cells + column
            cb, cr = y + n_cells, y + 2 * n_cells
            colors = _convert(
                sums.cells[y] / area, sums.cells[cb] / area, sums.cells[cr] / area
            )
            for channel in range(3):
                seen = np.float32(excess.cells[row, column, channel]) / area
                color = colors[channel] + seen
                limited = _limit(color, _DARKEST, _BRIGHTEST)
                small[row, column, channel] = np.uint8(limited + np.float32(0.5))
    for line in range(len(means)):
        colors = _convert(
            np.float32(sums.lines[line, 0] / width),
            np.float32(sums.lines[line, 1] / width),
            np.float32(sums.lines[line, 2] / width),
        )
        for channel in range(3):
            color = colors[channel] + np.float32(excess.lines[line, channel] / width)
            means[line, channel] = _limit(color, _DARKEST, _BRIGHTEST)
