"""What the README has of Python runs as it stands."""

import csv
import os
import re
import subprocess
import sys

import numpy as np
from PIL import Image

from films import solid, write_film
from projects import ROOT, close_to

COLORS = [0x2040C0, 0xC04020, 0x20A040]


def test_the_notebook_goes_from_a_film_to_a_table_and_a_barcode(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    (code,) = (block for block in blocks if "read_frames" in block)
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    # A second of each color; the last one is half of another.
    pictures = [solid(color) for color in COLORS]
    pictures[2][:, :32] = pictures[0][:, :32]
    write_film(tmp_path / "movie.mkv", (p for p in pictures for _ in range(24)))
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr

    with (tmp_path / "palettes.csv").open() as file:
        header, *rows = csv.reader(file)
    assert header[:3] == ["time_s", "0", "1"]
    assert [float(row[0]) for row in rows] == [0, 1, 2]
    found = [[color for color in row[1:] if color] for row in rows]
    for row, expected in zip(found, ([0], [1], [0, 2]), strict=True):
        # Each color is there, but for what coding loses.
        for color in (COLORS[number] for number in expected):
            assert any(close_to(color, int(name[1:], 16)) for name in row)
    with Image.open(tmp_path / "barcode.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (300, 3, 3)
    for column, expected in enumerate(COLORS[:2]):
        packed = int.from_bytes(pixels[150, column].tobytes(), "big")
        assert close_to(packed, expected)
