"""Sketches as they are read and drawn, and what is refused."""

import io
import json
import pickle
import resource
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from reelbow.errors import ReelbowError
from reelbow.pictures.strokes import draw_strokes
from reelbow.shards import sketch_files
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.frames import ShardFrames
from reelbow.shards.opening import open_frames
from reelbow.shards.sketch_files import (
    read_lines,
    read_quickdraw,
    read_split,
    read_stroke_3,
)
from reelbow.shards.sketches import open_shard
from reelbow.sources.sketches import make_plan
from shared_films import shared_film
from sketches import STEPS, STROKES, write_ndjson, write_npz, write_pickle

SHAPING = ThumbnailOptions(None, None, "srgb", 10**8, "skip")
USUAL = {
    **{"size": 64, "thickness": 0.1, "split": "train", "color": "black"},
    **{"per_shard": 2, "crop": "auto"},
}


def read_film(path, **how):
    """Read all shards of a film: names, drawings or reasons."""
    planned = make_plan([path], **(USUAL | {"max_pixels": 10**8} | how))
    found = []
    for part in planned["shards"]:
        shard = open_shard(
            path, planned, part["shard"], max_pixels=10**8, salvage=False
        )
        with shard as members:
            read = list(members.read())
            assert len(members) == len(read)
            assert members.damage is None
            assert [each.name for each in members.read_every()] == [
                each.name for each in read
            ]
            found += read
    assert [each.about["frame"] for each in found] == list(range(len(found)))
    return found


def gray(member):
    pixels = member.data.to_bgr()
    small, averages = member.data.shape(SHAPING)
    assert (small == pixels).all()
    assert averages.mean == pytest.approx(pixels.mean(axis=(0, 1)))
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


class Runs:
    """What unpickles as a call."""

    def __init__(self, call, *arguments):
        self.what = call, arguments

    def __reduce__(self):
        return self.what


def test_both_formats_give_the_same_drawings(tmp_path):
    npz = write_npz(tmp_path / "a.npz", train=[STEPS] * 3, test=[STEPS])
    timed = [[*stroke, [0, 5]] for stroke in STROKES]
    ndjson = write_ndjson(tmp_path / "a.ndjson", STROKES, timed, word="cat")
    film, other = read_film(npz), read_film(ndjson)
    assert [each.name for each in film] == ["train 0", "train 1", "train 2"]
    assert [each.name for each in other] == ["cat 1", "cat 2"]
    assert [each.name for each in read_film(npz, split="test")] == ["test 0"]
    strokes = [np.array(stroke, float).T for stroke in STROKES]
    wanted = draw_strokes(strokes, size=64, thickness=0.1)
    assert all((gray(each) == wanted).all() for each in [*film, *other])
    # From the origin no line leads there, nor between the strokes.
    assert wanted[28:36].min() == 255
    assert {each.time_s for each in film} == {None}
    told = {"n_strokes": 2, "n_points": 4, "recognized": None}
    assert film[2].about == {"frame": 2, "word": None, **told}
    assert other[1].about == {"frame": 1, "word": "cat", **told}


def test_each_stroke_may_have_its_color(tmp_path):
    path = write_ndjson(tmp_path / "a.ndjson", STROKES)
    (drawn,) = read_film(path, color="strokes")
    pixels, averages = drawn.data.shape(SHAPING)
    dark, red = (pixels[rows].reshape(-1, 3) for rows in (slice(28), slice(36, None)))
    # The level line above is the first.
    assert (dark == (48, 18, 59)).all(axis=1).any()
    assert (red == (122, 4, 3)).all(axis=1).any()
    assert averages.mean == pytest.approx(pixels.mean(axis=(0, 1)))
    assert (drawn.data.to_bgr() == pixels[..., ::-1]).all()


def test_steps_are_summed_without_rounding():
    n = 30_000
    tenth = np.tile(np.array([[3, -3, 0]], np.int8), (n, 1))
    (points,) = read(tenth).strokes
    assert (points[-1] == [3 * n, -3 * n]).all()
    small = np.tile(np.array([[0.1, 0, 0]], np.float32), (n, 1))
    (points,) = read(small).strokes
    assert points[-1, 0] == pytest.approx(n * float(np.float32(0.1)), rel=1e-12)


def read(steps):
    """Read one drawing as if it came out of a file."""
    stream = io.BytesIO(pickle.dumps(np.array(steps)))
    return read_stroke_3("a", sketch_files._ArraysAlone(stream).load())


@pytest.mark.parametrize("dtype", ["i1", "u1", ">i2", "<i4", ">i8", "f2", "<f4", ">f8"])
@pytest.mark.parametrize("protocol", range(5))
def test_arrays_are_read_as_numpy_reads_them(dtype, protocol, tmp_path):
    drawing = np.array([[1, 2, 0], [3, 4, 1], [5, 6, 0]], dtype)
    drawings = np.empty(3, object)
    drawings[:] = [drawing, np.asfortranarray(drawing[:2]), drawing[:1]]
    path = write_pickle(tmp_path / "a.npz", pickle.dumps(drawings, protocol), 3)
    found = read_split(path, "train")
    assert len(found) == 3
    for each, wanted in zip(found, drawings, strict=True):
        assert (each.values == wanted).all()
    points = [stroke.tolist() for stroke in read_stroke_3("a", found[0]).strokes]
    assert points == [[[1, 2], [4, 6]], [[9, 12]]]


@pytest.mark.parametrize("protocol", range(5))
def test_no_code_of_a_pickle_runs(protocol, tmp_path):
    ran = tmp_path / "ran"
    calls = [
        Runs(Path.touch, ran),
        Runs(exec, f"open({str(ran)!r}, 'w')"),
        Runs(eval, f"open({str(ran)!r}, 'w')"),
        Runs(getattr, dict, "get"),
        Runs(np.fromfile, str(ran)),
        Runs(np.load, str(ran), None, True),
    ]
    for number, call in enumerate(calls):
        drawings = np.empty(2, object)
        drawings[:] = [np.array(STEPS), call]
        pickled = pickle.dumps(drawings, protocol)
        path = write_pickle(tmp_path / f"{number}.npz", pickled, 2)
        told = (
            r"the pickle of its train is not read, since it names \S+; give a file of"
        )
        with pytest.raises(ReelbowError, match=told):
            read_split(path, "train")
        with pytest.raises(ReelbowError, match=told):
            make_plan([path], **USUAL, max_pixels=10**8)
        assert not ran.exists()
    # The plant is live: what reads pickles as they come runs it.
    pickle.loads(pickle.dumps(calls[0], protocol))
    assert ran.exists()


@pytest.mark.parametrize(
    ("pickled", "reason"),
    [
        # What is allowed cannot be changed, made otherwise, or reached through.
        (b"cnumpy\ndtype\n}S'a'\nS'b'\nsb.", "it would change dtype"),
        (b"cnumpy\ndtype\n(N}S'_name'\nS'encode'\nstb.", "it would change dtype"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "NEWOBJ"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0adtype.type\x93.", "it names numpy.dtype.type"),
        (b"cnumpy\nndarray\n(I1\ntR.", "it calls ndarray"),
        (b"c_codecs\nencode\n(S'a'\nS'zip'\ntR.", "it calls encode"),
        (b"cnumpy\ndtype\n(S'V9'\nI0\nI1\ntR.", "its arrays are of 'V9'"),
        (b"cos\nsystem\n(S'true'\ntR.", "it names os.system"),
        (b"(S'true'\nios\nsystem\n.", "it names os.system"),
        (b"P1\n.", "persistent"),
        (b"", "Ran out of input"),
        (b"(lp0\n", "."),
    ],
)
def test_what_else_pickles_do_is_refused(pickled, reason, tmp_path):
    path = write_pickle(tmp_path / "a.npz", pickled)
    with pytest.raises(ReelbowError, match=f"pickle of its train .*{reason}"):
        read_split(path, "train")


@pytest.mark.parametrize("found", [[1], "text", np.array(5), None])
def test_what_is_no_list_of_drawings_is_refused(found, tmp_path):
    path = write_pickle(tmp_path / "a.npz", pickle.dumps(found))
    with pytest.raises(ReelbowError, match="its train is no list of drawings"):
        read_split(path, "train")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        # Before the start of the file; more than it has; no Python in numpy's header.
        (42, b"\xff\xff\xff\xff"),
        (20, b"\xff\xff\xff\x7f"),
        (None, b""),
    ],
)
def test_a_damaged_npz_is_told_as_such(field, value, tmp_path):
    path = write_npz(tmp_path / "a.npz", train=[STEPS])
    if field is None:
        with zipfile.ZipFile(path, "w") as archive:
            header = b"{(" + bytes(52) + b"\n"
            archive.writestr("train.npy", b"\x93NUMPY\1\0\x37\0" + header)
    else:
        data = bytearray(path.read_bytes())
        place = data.rindex(b"PK\1\2") + field
        data[place : place + 4] = value
        path.write_bytes(data)
    with pytest.raises(ReelbowError, match=r"download it again$"):
        read_split(path, "train")


def test_a_pickle_takes_no_memory_that_its_size_does_not_want(tmp_path):
    # A place in its memo, for which Python would make room of 4 GiB.
    path = write_pickle(tmp_path / "a.npz", b"\x80\x02Nr\0\0\0\x10.")
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(ReelbowError, match="train is not read, since MemoryError"):
        read_split(path, "train")
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    many = [np.zeros((1, 3), np.int8)] * 20_000
    assert len(read_split(write_npz(tmp_path / "b.npz", train=many), "train")) == 20_000


def test_splits_of_strange_names_are_told_in_a_line(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a\n\x1b" + "b" * 900 + ".npy", b"")
    with pytest.raises(ReelbowError, match=r"has no split train, but .*b{400}; set"):
        read_split(path, "train")


def test_a_wrong_drawing_is_left_out_and_told(tmp_path):
    drawings = [
        STEPS,
        np.empty((0, 3)),
        [[1, 2, 0]] * 1 + [[0, 0, 0]] * 3,
        [[1.0, np.nan, 0], [2, 2, 1]],
        [[1, 2, 1, 0, 0]],
        [1, 2, 3],
        None,
    ]
    found = read_film(write_npz(tmp_path / "a.npz", train=drawings))
    assert [each.data is None for each in found] == [False, *[True] * 6]
    reasons = ["", "empty", "no extent", "NaN", "stroke-5", "shape (3,)", "no array"]
    assert all(
        reason in each.reason for each, reason in zip(found, reasons, strict=True)
    )


def test_a_broken_line_is_left_out_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr(sketch_files, "MAX_LINE_BYTES", 1000)
    good = json.dumps({"key_id": "50", "word": "cat", "drawing": STROKES})
    lines = [
        *(good, "", '{"drawing": [[[', "[" * 900, "[]", '{"drawing": [[[1, 2], [3]]]}'),
        *('{"drawing": [[["a"], [3]]]}', '{"drawing": [5]}', '{"drawing": []}'),
        *("x" * 2500, '{"word": "cat/..", "drawing": [[[1], [NaN]]]}', good),
    ]
    path = write_ndjson(tmp_path / "a.ndjson", *lines)
    found = read_film(path)
    assert [each.name for each in found] == [
        *("50", "line 3", "line 4", "line 5", "line 6", "line 7", "line 8", "line 9"),
        *("line 10", "cat/.. 11", "50"),
    ]
    reasons = ["", "broken line", "broken line", 'no list "drawing"', "no two lists"]
    reasons += ["no two lists", "no two lists", "empty", "longer than", "NaN", ""]
    assert all(
        reason in each.reason for each, reason in zip(found, reasons, strict=True)
    )
    assert all(bool(each.reason) == (each.data is None) for each in found)


def test_what_a_line_says_is_told_as_far_as_it_can_be(tmp_path):
    said = [
        {"word": "cat", "recognized": True, "key_id": "7"},
        {"word": "dog", "recognized": False},
        {"word": "a\nb", "recognized": 1},
        {"word": "x" * 101, "recognized": "yes"},
    ]
    lines = [json.dumps(each | {"drawing": [*STROKES, [[], []]]}) for each in said]
    lines.append(json.dumps({"word": "cat", "drawing": [[[1], [1]]]}))
    found = read_film(write_ndjson(tmp_path / "a.ndjson", *lines))
    assert [each.name for each in found] == ["7", "dog 2", "line 3", "line 4", "cat 5"]
    told = [(each.about["word"], each.about["recognized"]) for each in found[:4]]
    assert told == [("cat", True), ("dog", False), (None, None), (None, None)]
    # A stroke without points is none.
    assert {each.about["n_strokes"] for each in found[:4]} == {2}
    assert found[4].about == {"frame": 4}


@pytest.mark.parametrize("height", [None, 16])
def test_a_file_of_sketches_is_not_taken_for_thumbnails(height, tmp_path):
    path = write_npz(tmp_path / "a.npz", train=[STEPS] * 2)
    planned = make_plan([path], **USUAL, max_pixels=10**8)
    planned["kind"] = "sketches"
    shaping = SHAPING._replace(height=height)
    with ShardFrames(path, planned, "00000", shaping) as frames:
        (batch,) = frames.batches()
    assert batch.pixels.shape == (2, height or 64, height or 64, 3)
    assert np.isnan(batch.times_s).all()
    assert [each["n_points"] for each in batch.told] == [4, 4]
    if height is None:
        with open_frames(path, planned, "00000", shaping) as frames:
            (same,) = frames.batches()
        assert (same.pixels == batch.pixels).all()


@pytest.mark.shared
def test_real_files_of_sketch_rnn_are_read_as_numpy_reads_them():
    for name, sizes in [
        ("omniglot_sketchrnn", {"train": 30_000, "valid": 1000, "test": 1000}),
        ("quickdraw_12cats_sketchrnn", {"train": 299, "valid": 24, "test": 24}),
    ]:
        path = shared_film(f"quickdraw/{name}.npz")
        # Ours, from the project's own shelf: nothing is planted there.
        trusted = np.load(path, allow_pickle=True, encoding="latin1")
        for split, n in sizes.items():
            found = read_split(path, split)
            assert len(found) == n
            for each, wanted in zip(found, trusted[split], strict=True):
                assert each.values.dtype == wanted.dtype
                assert (each.values == wanted).all()


@pytest.mark.shared
def test_real_lines_of_quick_draw_are_read():
    path = shared_film("quickdraw/quickdraw_raw_cat.ndjson")
    sketches = [read_quickdraw(line) for line in read_lines(path)]
    assert len(sketches) == 25
    assert sketches[0].name == "5201136883597312"
    begun_s = time.process_time()
    for sketch in sketches:
        picture = draw_strokes(sketch.strokes, size=256, thickness=0.025)
        assert 0.01 < (picture < 128).mean() < 0.4
    assert time.process_time() - begun_s < 5
