"""Storyboards for video players: WebVTT, with a place in a sheet for each frame."""

import re
from pathlib import Path

import numpy as np
import pytest
import webvtt

from reelbow.explorer.storyboard import write_storyboard
from reelbow.shards.previews import PreviewSheet

TIME = r"\d{2,}:[0-5]\d:[0-5]\d\.\d{3}"
CUE = re.compile(rf"({TIME}) --> ({TIME})\n([\w.~/%-]+)#xywh=(\d+),(\d+),(\d+),(\d+)")


def lay_out(frames: list[int]) -> PreviewSheet:
    return PreviewSheet(
        *(384, 216, 128, 72, 128, 72, 3), np.array(frames, np.int64), None, 0, 900
    )


def to_ms(text: str) -> int:
    hours, minutes, seconds = text.split(":")
    return round(1000 * (3600 * int(hours) + 60 * int(minutes) + float(seconds)))


def read(path: Path) -> list[tuple[int, int, str, tuple[int, ...]]]:
    """Read a storyboard as strictly as the standard writes it."""
    text = path.read_bytes().decode("utf-8")
    assert text.endswith("\n")
    head, *blocks = text[:-1].split("\n\n")
    assert head == "WEBVTT"
    cues = []
    for block in blocks:
        cue = CUE.fullmatch(block)
        assert cue, block
        cues.append(
            (to_ms(cue[1]), to_ms(cue[2]), cue[3], tuple(map(int, cue.groups()[3:])))
        )
    # A parser of others finds the same.
    found = [
        (to_ms(caption.start), to_ms(caption.end), caption.text)
        for caption in webvtt.read(str(path))
    ]
    told = [
        (start, end, f"{url}#xywh={','.join(map(str, place))}")
        for start, end, url, place in cues
    ]
    assert found == told
    for start, end, *_ in cues:
        assert start < end
    assert [cue[0] for cue in cues] == sorted({cue[0] for cue in cues})
    return cues


def test_each_frame_shows_until_the_next_one(tmp_path):
    path = tmp_path / "previews/storyboard.vtt"
    path.parent.mkdir()
    sheets = [
        (path.parent / "00000.jpg", lay_out([0, 1, 2, 4])),
        (path.parent / "00001.jpg", lay_out([5])),
    ]
    times = {i: 1.0 + 0.5 * i for i in range(6)}
    write_storyboard(path, sheets, times, 4.25)
    assert path.read_text().startswith(
        "WEBVTT\n\n00:00:01.000 --> 00:00:01.500\n00000.jpg#xywh=0,0,128,72\n\n"
    )
    assert read(path) == [
        (1000, 1500, "00000.jpg", (0, 0, 128, 72)),
        (1500, 2000, "00000.jpg", (128, 0, 128, 72)),
        (2000, 3000, "00000.jpg", (256, 0, 128, 72)),
        (3000, 3500, "00000.jpg", (0, 72, 128, 72)),
        (3500, 4250, "00001.jpg", (0, 0, 128, 72)),
    ]


@pytest.mark.parametrize("end_s", [None, 2.0])
def test_the_last_one_shows_as_long_as_usual_if_the_end_is_unknown(tmp_path, end_s):
    path = tmp_path / "a.vtt"
    sheets = [(tmp_path / "0.jpg", lay_out([0, 1, 2, 3]))]
    write_storyboard(path, sheets, {0: 0, 1: 2, 2: 4, 3: 7}, end_s)
    assert [cue[:2] for cue in read(path)][-1] == (7000, 9000)
    write_storyboard(path, sheets, {2: 60.0}, None)
    assert [cue[:2] for cue in read(path)] == [(60000, 61000)]


def test_frames_without_a_time_are_left_out(tmp_path):
    path = tmp_path / "a.vtt"
    sheets = [(tmp_path / "0.jpg", lay_out([0, 1, 2, 3]))]
    write_storyboard(path, sheets, {0: 0.0, 1: None, 3: 3.0}, 4.0)
    assert [(cue[0], cue[3][:2]) for cue in read(path)] == [
        (0, (0, 0)),
        (3000, (0, 72)),
    ]
    write_storyboard(path, sheets, {}, None)
    assert read(path) == []


def test_times_that_go_back_or_stand_still_make_no_cue_that_is_none(tmp_path):
    path = tmp_path / "a.vtt"
    sheets = [(tmp_path / "0.jpg", lay_out([0, 1, 2, 3]))]
    write_storyboard(path, sheets, {0: 5.0, 1: 1.0, 2: 5.0001, 3: 6.0}, 7.0)
    assert [cue[:2] for cue in read(path)] == [
        (1000, 5000),
        (5000, 6000),
        (6000, 7000),
    ]


def test_names_are_seen_from_the_storyboard_and_percent_encoded(tmp_path):
    path = tmp_path / "film" / "a.vtt"
    path.parent.mkdir()
    sheets = [
        (tmp_path / "film/bär 100%#1 --> <i>&.jpg", lay_out([0])),
        (tmp_path / "other/0.jpg", lay_out([1])),
    ]
    write_storyboard(path, sheets, {0: 0.0, 1: 1.0}, 2.0)
    assert [cue[2] for cue in read(path)] == [
        "b%C3%A4r%20100%25%231%20--%3E%20%3Ci%3E%26.jpg",
        "../other/0.jpg",
    ]


def test_a_film_may_last_for_days(tmp_path):
    path = tmp_path / "a.vtt"
    sheets = [(tmp_path / "0.jpg", lay_out([0, 1]))]
    write_storyboard(path, sheets, {0: 59.9996, 1: 400_000.0}, 400_001.0)
    assert [cue[:2] for cue in read(path)] == [
        (60_000, 400_000_000),
        (400_000_000, 400_001_000),
    ]
    assert "111:06:40.000 --> 111:06:41.000" in path.read_text()
