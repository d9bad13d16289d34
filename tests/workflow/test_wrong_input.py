"""What is wrong is told in one sentence, and nothing half-written is left."""

import io
import tarfile
import uuid
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from projects import (
    COLORS,
    NO_PICTURES,
    ONE_PICTURE,
    close_to,
    encode,
    make_project,
    write_colors,
    write_tarball,
)

# What a user should never have to read.
NOISE = ["Traceback", "CalledProcessError", "WorkflowError", "Error in rule", ", line "]


def write_audio(path: Path) -> None:
    """Write a second of silence."""
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=48000)
        for number in range(47):
            silence = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            frame.sample_rate = 48000
            frame.pts = number * 1024
            frame.time_base = Fraction(1, 48000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            {"films": "nowhere.mkv"},
            "films 'nowhere.mkv': no such film nowhere.mkv; give the path of a file",
        ),
        (
            {"cluster": {"n_color": 5}},
            "config: unknown key 'cluster.n_color'; did you mean 'n_colors'?",
        ),
        (
            {"films": ["near.mp4"], "compare": "all"},
            "config: compare is all, but there is only one film; give two or more",
        ),
        (
            {"films": ["near.mp4"], "compare": [["near", "neer"]]},
            "config: compare names film 'neer', which is not among the films; did you "
            "mean 'near'?",
        ),
        (
            {"compare": "some"},
            "config: compare is 'some', should be all, or pairs of films as [[a, b], "
            "[a, c]]",
        ),
        (
            {"films": "sheets/far.tsv"},
            "sheets/far.tsv line 2: no such film far.mp4, neither in {folder} nor "
            "beside the sheet in {folder}/sheets; give the path of a file",
        ),
    ],
)
def test_it_is_refused_before_any_job_in_one_sentence(project, config, sentence):
    write_colors(project.folder / "near.mp4", COLORS[:1])
    (project.folder / "sheets").mkdir()
    (project.folder / "sheets/far.tsv").write_text("film\tsource\na\tfar.mp4\n")
    result = project.run(**config)
    assert result.status == 1
    assert result.told == [f"Reelbow: {sentence}".format(folder=project.folder)]
    assert project.results() == set()
    assert not (project.folder / "logs").exists()


# What a job has to look into the file for: each film and its sentence.
FAILED = {
    "audio": "audio.mp4: ",
    "text": "text.mkv: not a video that FFmpeg can read; give a video file",
    "nomoov": "nomoov.mp4: ",
    "noimages": "noimages.tar: no images in it; give a tarball of ",
    "beyond": "good.mp4: nothing to sample between 50 s and the end",
}


@pytest.fixture(scope="module")
def failed(tmp_path_factory, code):
    """Run Snakemake once with all of them and one good film."""
    project = make_project(tmp_path_factory.mktemp("failed") / "project", code)
    folder = project.folder
    good = write_colors(folder / "good.mp4", COLORS[:2])
    write_audio(folder / "audio.mp4")
    (folder / "text.mkv").write_text("This is a text.\n" * 100)
    # The moov box is at the end of what PyAV writes.
    data = good.read_bytes()
    (folder / "nomoov.mp4").write_bytes(data[: data.rindex(b"moov") - 4])
    write_tarball(folder / "noimages.tar", {"readme.txt": b"none", "x.json": b"{}"})
    rows = ["film\tsource\tstart_s"]
    rows += [f"{name}\t{start.split(':')[0]}\t" for name, start in FAILED.items()]
    rows[-1] += "50"
    rows.append("good\tgood.mp4\t")
    (folder / "films.tsv").write_text("\n".join(rows) + "\n")
    return project, project.run(films="films.tsv", **ONE_PICTURE)


@pytest.mark.parametrize("name", FAILED)
def test_a_bad_film_is_told_in_one_sentence(failed, name):
    project, result = failed
    assert result.status != 0
    (row,) = [row for row in project.failures() if row["film"] == name]
    stage, shard = ("plan_shards", "")
    if name == "noimages":
        stage, shard = ("downsample_frames", name)
    assert (row["stage"], row["shard"], row["attempts"]) == (stage, shard, "1")
    assert row["log"] == "/".join(filter(None, ["logs", stage, name, shard])) + ".log"
    (line,) = (project.folder / row["log"]).read_text().splitlines()[-1:]
    sentence = row["ended"]
    assert line == f"ERROR: {sentence}"
    assert sentence.startswith(FAILED[name])
    # All of it, whatever the width of the table.
    assert sentence in " ".join(result.stderr.split())
    # It says what would be right.
    assert "; " in sentence


def test_all_of_them_are_counted_and_nothing_else_is_said(failed):
    _, result = failed
    assert f"Reelbow: {len(FAILED)} failed:" in result.stderr
    for word in NOISE:
        assert word not in result.stderr


def test_the_good_film_is_done_and_nothing_is_half_there(failed):
    project, _ = failed
    # Nor is a file left for jobs that are done, though some films have no plan.
    assert project.results() == {
        "failed.tsv",
        "films.tsv",
        "skipped.tsv",
        "noimages/plan.json",
        "good/plan.json",
        "good/palettes/00000.sqlite",
        "good/previews/00000.jpg",
        "good/palettes.sqlite",
        "good/barcodes/mean.png",
        "palettes.sqlite",
    }


# Hostile and damaged tarballs


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, code):
    """A tarball whose members would write and read everywhere, if they could."""
    parent = tmp_path_factory.mktemp("hostile")
    project = make_project(parent / "project", code)
    evil = Path("/tmp") / f"reelbow_{uuid.uuid4().hex}.jpg"
    with tarfile.open(project.folder / "hostile.tar", "w") as tar:

        def add(name, data=b"", kind=tarfile.REGTYPE, link=""):
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, link, len(data)
            tar.addfile(member, io.BytesIO(data))

        add("../evil.jpg", encode(COLORS[0]))
        add("../../../../evil.jpg", encode(COLORS[0]))
        add(str(evil), encode(COLORS[1]))
        add("good.jpg", encode(COLORS[2]))
        add("bad.jpg", b"\xff\xd8 this is no picture")
        add("none.jpg", b"")
        add("a.jpg", kind=tarfile.SYMTYPE, link="/etc/passwd")
        add("b.jpg", kind=tarfile.LNKTYPE, link="/etc/passwd")
        add("c.jpg", kind=tarfile.CHRTYPE)
        add("d.jpg", kind=tarfile.FIFOTYPE)
        add("e.jpg", kind=tarfile.DIRTYPE)
    before = {path.relative_to(parent) for path in parent.rglob("*")}
    project.make(films="hostile.tar", **NO_PICTURES)
    new = {path.relative_to(parent) for path in parent.rglob("*")} - before
    return project, new, evil


def test_nothing_is_written_outside_the_results(hostile):
    project, new, evil = hostile
    assert not evil.exists()
    tops = {path.parts[1] for path in new if len(path.parts) > 1}
    assert all(path.parts[0] == project.folder.name for path in new)
    assert tops == {"results", "logs", ".snakemake", "own.yaml"}
    assert not [path for path in new if "evil" in path.name]


def test_only_regular_images_are_frames(hostile):
    project, _, evil = hostile
    rows = project.query(
        "SELECT name, color FROM frames JOIN palettes USING (film_id, frame)"
        " WHERE rank = 0"
    )
    truth = {
        "../evil.jpg": COLORS[0],
        "../../../../evil.jpg": COLORS[0],
        str(evil): COLORS[1],
        "good.jpg": COLORS[2],
    }
    assert {name for name, _ in rows} == truth.keys()
    assert all(close_to(color, truth[name]) for name, color in rows)


def test_an_image_that_does_not_decode_is_skipped_with_its_reason(hostile):
    project, _, _ = hostile
    skipped = project.query("SELECT shard, name, reason FROM skipped")
    # The hard link is to what is no file of the tarball.
    assert {row[:2] for row in skipped} == {
        ("hostile", "b.jpg"),
        ("hostile", "bad.jpg"),
        ("hostile", "none.jpg"),
    }
    for _, _, reason in skipped:
        assert reason
        assert "\n" not in reason
    frames = sorted(frame for (frame,) in project.query("SELECT frame FROM frames"))
    # Natural order of names; those that were skipped hold their numbers.
    assert len(frames) == 4
    assert max(frames) >= 4
