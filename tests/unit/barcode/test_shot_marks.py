"""Shots in figures of barcodes: where they lie, and how long they are."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from databases import ROW, merge, write_shard
from reelbow.barcode.figure import save_figures
from reelbow.barcode.film_record import FilmRecord, read_film
from reelbow.barcode.shot_marks import ShotMarks, read_shot_marks
from reelbow.database.shot_rows import ShotRow
from reelbow.database.shots import Shot
from reelbow.errors import ReelbowError


def make_record(times_s, frames=None):
    n = 10 if times_s is None else len(times_s)
    frames = np.arange(n, dtype=np.int32) if frames is None else np.array(frames)
    times_s = None if times_s is None else np.array(times_s)
    return FilmRecord("f", "F", "f.mkv", frames, times_s, n_missing=0, n_black=0)


def test_shots_lie_by_their_times_also_between_two_frames():
    shots = [
        ShotRow(0, 0, 0, 0.0, 1.5),
        ShotRow(1, None, None, 1.5, 1.75),
        ShotRow(2, 1, 2, 1.75, 6.0),
    ]
    marks = ShotMarks.place(shots, make_record([0.0, 2.0, 4.0]))
    assert marks.edges.tolist() == [0, 0.75, 0.875, 3]
    assert marks.borders.tolist() == [0.75, 0.875]
    assert marks.lengths.tolist() == [1.5, 0.25, 4.25]
    assert marks.unit == "s"


def test_a_shot_after_the_last_frame_lies_within_it():
    shots = [ShotRow(0, 0, 1, 0.0, 1.5), ShotRow(1, None, None, 1.5, 2.0)]
    marks = ShotMarks.place(shots, make_record([0.0, 1.0]))
    assert marks.edges.tolist() == [0, 1.5, 2]


def test_without_times_shots_lie_by_their_frames_and_are_as_long():
    shots = [ShotRow(0, 0, 3, None, None), ShotRow(1, 4, 9, None, None)]
    marks = ShotMarks.place(shots, make_record(None))
    assert marks.edges.tolist() == [0, 4, 10]
    assert marks.lengths.tolist() == [4, 6]
    assert marks.unit == "frames"


def test_where_frames_are_left_out_shots_move_up():
    shots = [ShotRow(0, 0, 3, None, None), ShotRow(1, 4, 9, None, None)]
    record = make_record(None, [2, 3, 4, 8])
    assert ShotMarks.place(shots, record).edges.tolist() == [0, 2, 4]


@pytest.mark.parametrize("record", [make_record([0.0, 1.0]), make_record([])])
def test_no_shots_are_no_marks(record):
    marks = ShotMarks.place([], record)
    assert len(marks.borders) == len(marks.lengths) == 0


@given(
    cuts=st.lists(st.integers(1, 999), unique=True, max_size=50).map(sorted),
    n_frames=st.integers(1, 40),
)
def test_edges_ascend_and_end_with_the_barcode(cuts, n_frames):
    bounds = [0, *cuts, 1000]
    shots = [
        ShotRow(n, None, None, start / 100, end / 100)
        for n, (start, end) in enumerate(itertools.pairwise(bounds))
    ]
    record = make_record(np.arange(n_frames) * 10 / n_frames)
    marks = ShotMarks.place(shots, record)
    assert (marks.edges[0], marks.edges[-1]) == (0, n_frames)
    assert (np.diff(marks.edges) >= 0).all()
    assert marks.lengths.sum() == pytest.approx(10)


def test_they_are_read_of_the_film_s_database(tmp_path):
    shard = write_shard(tmp_path / "a.sqlite", range(4), times_s=[0.0, 1.0, 2.0, 3.0])
    shots = [Shot(0, 50, 0.0, 2.0), Shot(50, 100, 2.0, 4.0)]
    about = {"shots": "{}"}
    path = merge([shard], [4], tmp_path / "f.sqlite", shots=shots, about=about)
    marks = read_shot_marks(path, read_film(path))
    assert marks.edges.tolist() == [0, 2, 4]
    path = merge([shard], [4], tmp_path / "g.sqlite", row=ROW)
    with pytest.raises(ReelbowError, match="says nothing of shots"):
        read_shot_marks(path, read_film(path))


# Figures


def draw(path, marks, **more):
    n = int(marks.edges[-1]) if len(marks.edges) else 6
    complaint = save_figures(
        np.zeros((2, n, 3), np.uint8),
        [path],
        title="Metropolis",
        subtitle="",
        note="",
        frames=np.arange(n),
        times_s=np.arange(float(n)),
        **more,
    )
    assert complaint is None
    return path.read_text() if path.suffix == ".svg" else ""


def make_marks(lengths, unit="s"):
    edges = np.append(0, np.cumsum(lengths)).astype(float)
    return ShotMarks(edges, np.array(lengths, float), unit)


def find_ticks(text):
    """Find the vertical lines of the strip, in points from the barcode's left."""
    (group,) = re.findall(r'<g id="LineCollection_1">(.*?)</g>', text, re.DOTALL)
    return [float(x) - 1.25 * 72 for x in re.findall(r'd="M ([\d.]+) ', group)]


def test_each_border_has_a_tick_below_the_barcode(tmp_path):
    marks = make_marks([2, 1, 3])
    text = draw(tmp_path / "f.svg", marks, borders=marks.borders)
    width = 14 * 72
    expected = [width * 2 / 6, width * 3 / 6]
    assert find_ticks(text) == pytest.approx(expected, abs=0.5)
    assert "number of shots" not in text


def test_ticks_that_would_run_into_each_other_are_left_out(tmp_path):
    marks = make_marks([1] * 5000)
    ticks = find_ticks(draw(tmp_path / "f.svg", marks, borders=marks.borders))
    assert 800 < len(ticks) <= 1008
    assert np.diff(ticks).min() > 0.99


def test_the_figure_of_lengths_has_their_mean_and_median(tmp_path):
    marks = make_marks([1, 2, 2, 3, 12])
    more = {"borders": marks.borders, "shots": marks}
    text = draw(tmp_path / "f.svg", marks, **more)
    assert "<!-- median 2 s -->" in text
    assert "<!-- mean 4 s -->" in text
    assert "<!-- length of shots, s, on a logarithmic axis -->" in text
    assert text == draw(tmp_path / "g.svg", marks, **more)
    for suffix in ["png", "pdf"]:
        draw(tmp_path / f"f.{suffix}", marks, **more)


@pytest.mark.parametrize("lengths", [[6], [2, 2, 2], [0.04, 500]])
def test_few_shots_are_drawn(tmp_path, lengths):
    marks = make_marks(lengths)
    marks = marks._replace(edges=np.linspace(0, 6, len(lengths) + 1))
    text = draw(tmp_path / "f.svg", marks, borders=marks.borders, shots=marks)
    assert "<!-- mean " in text


def test_that_there_are_no_shots_is_said(tmp_path):
    marks = ShotMarks(np.array([6.0]), np.empty(0), "frames")
    text = draw(tmp_path / "f.svg", marks, borders=marks.borders, shots=marks)
    assert "<!-- no shots were found -->" in text
