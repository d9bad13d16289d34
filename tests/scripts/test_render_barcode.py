import numpy as np
import pytest
from PIL import Image

from reelbow import database, figure
from reelbow.errors import ReelbowError
from render_barcode import render_barcode

COLORS = [0xC02020, 0x20C020, 0x2020C0]


@pytest.fixture
def film(tmp_path):
    """A film of three frames, each of one color; the second is said to be black."""
    path = tmp_path / "palettes.sqlite"
    colors = np.array([[c >> 16, c >> 8 & 255, c & 255] for c in COLORS], float)
    row = database.FilmRow("demo", "Demo", "demo.mkv", duration_s=3.0)
    with database.open_new(path) as connection:
        database.add_film(connection, database.ONLY_FILM, row)
        database.add_frames(
            connection,
            "00000",
            frames=np.arange(3),
            times_s=np.arange(3.0),
            names=["0", "1", "2"],
            mean_colors=colors,
            lumas=np.array([9.0, 0.0, 9.0]),
            strips=np.repeat(colors[:, np.newaxis], 6, axis=1),
            colors=colors[:, np.newaxis],
            shares=np.ones((3, 1)),
        )
        database.finish(connection, {}, n_colors=1)
    return path


def render(film, folder, *, kind="mean", endings=(), width=None, skip_black=False):
    render_barcode(
        film,
        folder / f"{kind}.png",
        [folder / f"{kind}{ending}" for ending in endings],
        kind=kind,
        height=20,
        width=width,
        order="share",
        skip_black=skip_black,
    )


def load(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("kind", ["mean", "strip", "dominant", "stacked"])
def test_the_bare_barcode_has_the_exact_pixels(film, tmp_path, kind):
    render(film, tmp_path / "out", kind=kind)
    pixels = load(tmp_path / "out" / f"{kind}.png")
    assert pixels.shape == (20, 3, 3)
    packed = pixels.astype(int) @ [0x10000, 0x100, 1]
    assert packed.tolist() == [COLORS] * 20


def test_the_width_is_as_asked(film, tmp_path):
    render(film, tmp_path, width=50)
    assert load(tmp_path / "mean.png").shape == (20, 50, 3)


def test_a_figure_is_written_by_its_suffix(film, tmp_path):
    out = tmp_path / "out"
    render(film, out, endings=["_figure.png", ".svg", ".pdf"])
    assert {path.name for path in out.iterdir()} == {
        *["mean.png", "mean_figure.png", "mean.svg", "mean.pdf"],
    }
    assert (out / "mean_figure.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (out / "mean.svg").read_bytes()
    assert (out / "mean.pdf").read_bytes().startswith(b"%PDF")


def test_without_black_frames_the_axis_has_the_times_of_the_others(
    film, tmp_path, monkeypatch
):
    drawn = []

    def record(pixels, path, **named):
        drawn.append((pixels, named))
        path.touch()

    monkeypatch.setattr(figure, "save_figure", record)
    render(film, tmp_path, endings=[".svg"], skip_black=True)
    ((pixels, named),) = drawn
    assert pixels.shape == (20, 2, 3)
    assert named["times_s"].tolist() == [0.0, 2.0]
    assert named["frames"].tolist() == [0, 2]
    assert named["n_frames"] == 2
    with Image.open(tmp_path / "mean.png") as picture:
        assert picture.size == (2, 20)


def test_a_failure_leaves_nothing(film, tmp_path):
    with pytest.raises(ReelbowError, match="median"):
        render(film, tmp_path / "out", kind="median")
    assert not (tmp_path / "out").exists()
