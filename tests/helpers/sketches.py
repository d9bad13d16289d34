"""Files of sketches, as sketch-rnn and Quick, Draw! write them."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

HEADER = "{'descr': '|O', 'fortran_order': False, 'shape': (%d,), }"

# Two strokes, far from the origin: a level line and below it a longer one.
STEPS = [[100, 50, 0], [10, 0, 1], [-10, 20, 0], [20, 0, 1]]
STROKES = [[[100, 110], [50, 50]], [[100, 120], [70, 70]]]


def write_npz(path: Path, **splits: Sequence[Any]) -> Path:
    """Write splits of drawings, each what numpy makes an array of."""
    arrays = {}
    for split, drawings in splits.items():
        arrays[split] = np.empty(len(drawings), object)
        for place, drawing in enumerate(drawings):
            arrays[split][place] = np.array(drawing)
    np.savez_compressed(path, **arrays)
    return path


def write_pickle(path: Path, pickled: bytes, n: int = 1, split: str = "train") -> Path:
    """Write a split of n drawings of which the pickle is given."""
    header = (HEADER % n).ljust(117).encode() + b"\n"
    size = len(header).to_bytes(2, "little")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{split}.npy", b"\x93NUMPY\1\0" + size + header + pickled)
    return path


def write_ndjson(path: Path, *drawings: Any, **about: Any) -> Path:
    """Write drawings, a line each; text as it stands."""
    lines = [
        each if isinstance(each, str) else json.dumps({**about, "drawing": each})
        for each in drawings
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
