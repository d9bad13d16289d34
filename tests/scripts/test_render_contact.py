import re

import numpy as np
import pytest
from PIL import Image

from databases import merge, write_shard
from reelbow.barcode.contact import GAP
from reelbow.errors import ReelbowError
from reelbow.shards.previews import PreviewWriter
from render_contact import render_contact

DRAWING = {"width": None, "skip_black": False, "gap_color": "#d9d9d9"}
NAMES = ["contact.png", "contact_figure.png", "contact.svg"]


@pytest.fixture
def film(tmp_path):
    """A film of two tarballs of two pictures, of which one could not be read."""
    shards, sheets = [], []
    for number, frames in enumerate([[0, 1], [1]]):
        path = tmp_path / f"{number:05d}.sqlite"
        skipped = [("b.jpg", "cut off")] * (2 - len(frames))
        shards.append(write_shard(path, frames, shard=path.stem, skipped=skipped))
        sheets.append(path.with_suffix(".jpg"))
        with PreviewWriter(sheets[-1], height=72, quality=90) as writer:
            for frame in frames:
                gray = 50 + 50 * (2 * number + frame)
                writer.add(np.full((72, 128, 3), gray, np.uint8), frame)
    database = tmp_path / "palettes.sqlite"
    return merge(shards, [None, None], database), sheets


def test_a_contact_sheet_and_its_figures_are_written(film, tmp_path, capsys):
    folder = tmp_path / "barcodes"
    paths = [folder / name for name in NAMES]
    render_contact(*film, paths, drawing=DRAWING)
    with Image.open(paths[0]) as image:
        assert image.size == (128 * 2 + GAP, 72 * 2 + GAP)
        middles = [image.getpixel((x, y)) for y in (36, 112) for x in (64, 196)]
    levels = [50, 100, 0xD9, 200]
    assert [pixel[0] for pixel in middles] == pytest.approx(levels, abs=3)
    texts = re.findall("<!-- (.*) -->", paths[2].read_text())
    assert [text for text in texts if text.endswith(" · 4 previews shown")]
    assert "missing" in texts
    with Image.open(paths[1]) as image:
        # Larger, so that letters are sharp.
        assert image.width > 4000
    render_contact(*film, paths[:1], drawing=DRAWING | {"width": 100})
    with Image.open(paths[0]) as image:
        assert image.width == 100
    assert not paths[1].exists()
    assert f"{paths[2]}: deleted, no longer asked for" in capsys.readouterr().err


def test_without_previews_there_is_no_contact_sheet(film, tmp_path):
    with pytest.raises(ReelbowError, match=r"previews\.height is null"):
        render_contact(film[0], [], [tmp_path / "contact.png"], drawing=DRAWING)
