"""Reads files of sketches: sketch-rnn's .npz, and Quick, Draw!'s .ndjson.

What sketch-rnn publishes is pickled. No code of a pickle ever runs here: whatever it
names, it gets one of three stand-ins that know arrays alone, or is refused.
"""

import errno
import io
import json
import lzma
import pickle
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from reelbow.errors import ReelbowError
from reelbow.machine.usage import bounding_memory
from reelbow.shards.image_names import show_name
from reelbow.text import tell_error

# A category of Quick, Draw! takes a tenth of it; whoever claims more wants our memory.
MAX_SPLIT_BYTES = 1 << 30
MAX_LINE_BYTES = 16 << 20

# Of a pickle: as much as arrays of single points take, and some more.
MEMORY_BYTES, MEMORY_PER_BYTE = 64 << 20, 32

# As numpy's files begin, and what stands before an array.
_NPY = b"\x93NUMPY"


class Sketch(NamedTuple):
    """A drawing: its strokes, (n, 2) float64 each, x to the right and y down."""

    name: str
    # None: it cannot be read, for this reason.
    strokes: list[NDArray[np.float64]] | None
    reason: str = ""
    # What it was to be, and whether Quick, Draw! took it for that; None: nobody says.
    word: str | None = None
    recognized: bool | None = None


class Line(NamedTuple):
    """A line of a file."""

    number: int  # from 1
    offset: int  # bytes before it
    text: bytes | None  # None: it is too long for a drawing


def is_npz(path: Path) -> bool:
    """Whether a file is of sketch-rnn, by its name; else it is of lines of JSON."""
    return path.suffix.lower() == ".npz"


def read_split(path: Path, split: str) -> list[Any]:
    """Read what a split of a sketch-rnn file holds: arrays, which may be anything.

    Raises
    ------
    ReelbowError
        If it is no such file, has no such split, or its pickle names anything else
        than arrays.
    """
    data = _read_member(path, split)
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read_header(stream)
    except Exception as error:
        # Headers are read as Python's own text is, which can be wrong in many ways.
        raise ReelbowError(
            f"{path}: its {split} is no array of numpy ({tell_error(error)}); download "
            "it again"
        ) from None
    if dtype != np.dtype(object) or len(shape) != 1:
        raise ReelbowError(
            f"{path}: its {split} is an array of {dtype} in the shape {shape}, and no "
            "list of drawings; give a file of sketch-rnn"
        )
    try:
        # It may name places that Python makes room for.
        with bounding_memory(MEMORY_BYTES + MEMORY_PER_BYTE * len(data)):
            found = _ArraysAlone(stream, encoding="latin1").load()
        drawings = found.values if isinstance(found, _Array) else None
    except Exception as error:
        # A pickle can be wrong in every way that there is.
        raise ReelbowError(
            f"{path}: the pickle of its {split} is not read, since "
            f"{tell_error(error)}; give a file of sketch-rnn, which holds arrays alone"
        ) from None
    if not isinstance(drawings, list) or not shape == found.shape == (len(drawings),):
        raise ReelbowError(
            f"{path}: its {split} is no list of drawings; give a file of sketch-rnn"
        )
    return drawings


def _read_member(path: Path, split: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            splits = [
                name.removesuffix(".npy")
                for name in archive.namelist()
                if name.endswith(".npy")
            ]
            if split not in splits:
                there = ", ".join(map(show_name, splits[:10])) or "no arrays"
                raise ReelbowError(
                    f"{path}: has no split {split}, but {there}; set sketches.split to "
                    "one of them"
                )
            about = archive.getinfo(f"{split}.npy")
            if about.file_size > MAX_SPLIT_BYTES:
                raise ReelbowError(
                    f"{path}: its {split} is larger than 1 GiB; split it into files"
                )
            if about.compress_size > path.stat().st_size:
                raise zipfile.BadZipFile("cut off")
            with archive.open(about) as stream:
                return stream.read(about.file_size)
    # Some are what encryption and strange compression raise.
    except (
        *(zipfile.BadZipFile, NotImplementedError, RuntimeError),
        *(EOFError, ValueError, zlib.error, lzma.LZMAError, OSError),
    ) as error:
        # Of a place before the start of a file the system says so.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise ReelbowError(
            f"{path}: is no .npz file, or a damaged one ({tell_error(error)}); "
            "download it again"
        ) from None


class _Array:
    """What a pickle builds for an array: its state is checked, and numpy not asked."""

    # There are a hundred thousand.
    __slots__ = ("shape", "values")

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.values: list[Any] | NDArray[Any] | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, is_fortran, values = state
        self.shape = tuple(map(int, shape))
        if dtype.kind == "O":
            self.values = values if isinstance(values, list) else None
            return
        if isinstance(values, str):
            # Bytes, as Python 2 wrote them.
            values = values.encode("latin1")
        flat: NDArray[Any] = np.frombuffer(values, dtype.resolve())
        self.values = flat.reshape(self.shape, order="F" if is_fortran else "C")


class _Dtype:
    """What a pickle builds for a type of numbers."""

    def __init__(self, code: str) -> None:
        if code not in _NUMBERS:
            raise pickle.UnpicklingError(f"its arrays are of {str(code)[:20]!r}")
        self.kind = code[0]
        self._code = code
        self._order = "<"

    def __setstate__(self, state: Any) -> None:
        if state[1] in ("<", ">"):
            self._order = state[1]

    def resolve(self) -> np.dtype[Any]:
        return np.dtype(self._order + self._code)


_NUMBERS = frozenset(f"{kind}{size}" for kind in "iuf" for size in (1, 2, 4, 8)) - {
    "f1"
} | {"O8", "O4", "O"}


_KNOWN_NAMES = {
    "numpy.core.multiarray._reconstruct",
    "numpy.ndarray",
    "numpy.dtype",
    "_codecs.encode",
}


class _StandIn:
    """What a pickle gets for a name: it may be called, and cannot be changed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *arguments: Any) -> Any:
        if self._name == "_reconstruct":
            return _Array()
        if self._name == "dtype":
            return _Dtype(arguments[0])
        if self._name == "encode":
            # Bytes, as Python 3 writes them for Python 2.
            text, encoding = arguments
            if encoding == "latin1":
                return text.encode("latin1")
        raise pickle.UnpicklingError(f"it calls {self._name}")

    def __setstate__(self, state: Any) -> NoReturn:
        raise pickle.UnpicklingError(f"it would change {self._name}")


class _ArraysAlone(pickle.Unpickler):
    """Reads pickles of arrays of numbers; what names anything else is refused."""

    def find_class(self, module: str, name: str) -> _StandIn:
        if f"{module}.{name}".replace("numpy._core.", "numpy.core.") in _KNOWN_NAMES:
            return _StandIn(name)
        raise pickle.UnpicklingError(f"it names {module}.{name}"[:200])


def read_stroke_3(name: str, drawing: Any) -> Sketch:
    """Read a drawing of sketch-rnn: steps dx, dy, and whether the pen lifts then."""
    if not isinstance(drawing, _Array) or not isinstance(drawing.values, np.ndarray):
        return Sketch(name, None, "no array of numbers")
    steps = drawing.values
    if steps.ndim == 2 and steps.shape[1] == 5:
        return Sketch(name, None, "stroke-5; stroke-3 is read")
    if steps.ndim != 2 or (steps.shape[1] != 3 and len(steps)):
        return Sketch(name, None, f"an array in the shape {steps.shape}, not (n, 3)")
    if not len(steps):
        return Sketch(name, None, "an empty drawing: it has no point")
    # Whole numbers stay exact, whatever their type was.
    steps = steps.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        points = np.cumsum(steps[:, :2], axis=0)
    # The first step leads from nowhere to the first point: no line is drawn there.
    return Sketch(name, np.split(points, np.flatnonzero(steps[:-1, 2] == 1) + 1))


def read_lines(path: Path, offset: int = 0, number: int = 1) -> Iterator[Line]:
    """Read the lines of a file that are not empty, from one of this number on."""
    with path.open("rb") as file:
        file.seek(offset)
        while line := file.readline(MAX_LINE_BYTES):
            is_whole = line.endswith(b"\n") or len(line) < MAX_LINE_BYTES
            rest = line
            while not is_whole and rest and not rest.endswith(b"\n"):
                rest = file.readline(MAX_LINE_BYTES)
            if not is_whole:
                yield Line(number, offset, None)
            elif line.strip():
                yield Line(number, offset, line)
            offset, number = file.tell(), number + 1


def read_quickdraw(line: Line) -> Sketch:
    """Read a line of Quick, Draw!, raw or simplified."""
    name = f"line {line.number}"
    if line.text is None:
        return Sketch(name, None, "longer than 16 MiB")
    try:
        about = json.loads(line.text)
    except (ValueError, RecursionError) as error:
        return Sketch(name, None, f"a broken line, no JSON ({tell_error(error)})")
    drawing = about.get("drawing") if isinstance(about, dict) else None
    if not isinstance(drawing, list):
        return Sketch(name, None, 'no list "drawing" in it')
    key, word = about.get("key_id"), about.get("word")
    if not (isinstance(word, str) and word.isprintable() and 0 < len(word) <= 100):
        word = None
    if isinstance(key, str) and key.isascii() and key.isalnum() and len(key) <= 40:
        name = key
    elif word is not None:
        name = f"{word} {line.number}"
    recognized = about.get("recognized")
    strokes = []
    try:
        for stroke in drawing:
            # The raw ones have times, too.
            x, y = stroke[:2]
            strokes.append(np.array([x, y], np.float64).reshape(2, -1).T)
            if len(x) != len(y):
                raise ValueError
    except (ValueError, TypeError, OverflowError, KeyError):
        return Sketch(name, None, "a stroke of it is no two lists of numbers, x and y")
    if not isinstance(recognized, bool):
        recognized = None
    return Sketch(name, strokes, word=word, recognized=recognized)
