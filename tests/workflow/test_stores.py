"""Films in buckets of a real S3 server, moto's, and on a web server."""

import shutil
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from projects import (
    COLORS,
    NO_PICTURES,
    Project,
    Result,
    close_to,
    make_project,
    name_jobs,
    name_merges,
    write_colors,
    write_tarball,
)
from reelbow.shards.names import STAGES
from stores import SECRET, serve_files, serve_s3

N_TARBALLS = 6
CONFIG = {"films": "films.tsv", "shards": {"frames": 3}, **NO_PICTURES}


@pytest.fixture(scope="module")
def server():
    with serve_s3() as store:
        yield store


@pytest.fixture(scope="module")
def bucket(server):
    return server.make_bucket("films")


def write_sheet(project: Project, **films: str) -> None:
    rows = [f"{film}\t{source}" for film, source in films.items()]
    text = "\n".join(["film\tsource", *rows]) + "\n"
    (project.folder / "films.tsv").write_text(text)


class Made(NamedTuple):
    """Two runs, the first of which some files of the store fail."""

    project: Project
    results: list[Result]
    asked: list[list[tuple[str, str, str]]]
    failures: dict[str, str]


@pytest.fixture(scope="module")
def made(server, bucket, code, tmp_path_factory) -> Made:
    project = make_project(tmp_path_factory.mktemp("stores") / "project", code)
    project.environment.update(server.environment)
    folder = project.folder
    for place in range(N_TARBALLS):
        colors = COLORS[place % 5 :][:2]
        path = write_tarball(folder / "t" / f"{place}.tar", colors)
        bucket.upload_file(str(path), f"archive/{place}.tar")
    film = write_colors(folder / "v.mp4")
    bucket.upload_file(str(film), "v.mp4")
    # Of other folders and kinds.
    bucket.upload_file(str(film), "archive/other/5.tar")
    bucket.upload_file(str(film), "archive/notes.txt")
    write_sheet(project, t="s3://films/archive/*.tar", v="s3://films/v.mp4")
    server.cut["/films/archive/1.tar"] = 1000
    server.slow["/films/archive/3.tar"] = 1
    # Listed, and gone when it is fetched.
    server.refused["/films/archive/5.tar"] = "404 NOT FOUND"
    results, asked = [], []
    for _ in range(3):
        server.asked.clear()
        results.append(project.run(**CONFIG))
        asked.append(list(server.asked))
        if len(results) == 1:
            failures = {row["shard"]: row["ended"] for row in project.failures()}
            for faults in (server.cut, server.slow, server.refused):
                faults.clear()
    return Made(project, results, asked, failures)


def copy(made: Made, folder: Path) -> Project:
    """Copy the folder with the environment that it was made in."""
    project = made.project.copy(folder / "project")
    project.environment.update(made.project.environment)
    return project


def test_what_cannot_be_fetched_fails_its_own_shard_in_a_sentence(made):
    assert made.results[0].status == 1
    cut, gone = made.failures.pop("1"), made.failures.pop("5")
    assert not made.failures
    assert cut.startswith("s3://films/archive/1.tar: the connection was cut off")
    assert gone.startswith("s3://films/archive/5.tar: no such file")
    # All others are done, as is the slow one, and the other film.
    assert "downsample_frames/t/3" in made.results[0].jobs
    assert "merge_film/v" in made.results[0].jobs


def test_only_what_failed_runs_again_and_then_nothing(made):
    _, second, third = made.results
    assert second.status == third.status == 0
    assert second.jobs == name_jobs(STAGES, "t", "1", "5") | name_merges("t")
    assert third.jobs == set()
    project = made.project
    project.make("--", "verify", **CONFIG)
    told = (project.folder / "logs/verify.log").read_text()
    assert "WARNING: t: its files are in a store, and are not read again" in told


def test_rows_are_those_of_the_same_files_on_disk(made, tmp_path):
    project = made.project
    rows = project.rows()
    local = Project(tmp_path, project.code)
    for name in ["t", "v.mp4"]:
        (tmp_path / name).symlink_to(project.folder / name)
    write_sheet(local, t="t/*.tar", v="v.mp4")
    local.make(**CONFIG)
    stored, here = project.rows(), local.rows()
    for table in ("frames", "palettes", "skipped"):
        assert stored[table] == here[table]
    assert len(rows["frames"]) == 2 * N_TARBALLS + len(COLORS)
    sources = project.query("SELECT source FROM films ORDER BY film_id")
    assert sources == [("s3://films/archive/*.tar",), ("s3://films/v.mp4",)]
    paths = "SELECT path, digest FROM shards WHERE film_id = 1 ORDER BY shard"
    assert [Path(path).name for path, _ in project.query(paths)] == [
        Path(path).name for path, _ in local.query(paths)
    ]
    assert project.query(paths)[0][0] == "s3://films/archive/0.tar"
    digests = "SELECT digest FROM shards ORDER BY shard"
    assert project.query(digests) == local.query(digests)


def test_a_glob_is_listed_once_and_nothing_is_fetched_for_nothing(made):
    for asked in made.asked:
        lists = [query for _, path, query in asked if "prefix=" in query]
        assert len(lists) == 1
        assert "prefix=archive%2F" in lists[0]
    # Of a film that is done it is asked whether it is the same.
    assert [method for method, *_ in made.asked[2]] == ["GET", "HEAD"]
    fetched = [path for method, path, _ in made.asked[1] if method == "GET"]
    assert fetched.count("/films/archive/1.tar") == 1
    assert not any(path.endswith(("v.mp4", "0.tar")) for path in fetched)


def test_copies_are_gone_and_the_secret_is_nowhere(made):
    folder = made.project.folder
    assert not list((folder / ".snakemake").glob("storage/**/*.*"))
    log = "".join(
        path.read_text() for path in (folder / ".snakemake/log").glob("*.log")
    )
    # Not at the end only.
    assert log.count("Removing local copy of storage file") >= N_TARBALLS
    check_no_secret(folder)
    told = "".join(result.stderr + result.stdout for result in made.results)
    assert SECRET not in told


def check_no_secret(folder: Path) -> None:
    """Check that the secret is in no file of a folder."""
    for path in folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_what_comes_in_the_place_of_a_file_is_made_again(made, bucket, tmp_path):
    project = copy(made, tmp_path)
    path = write_tarball(project.folder / "t/2.tar", [0x808080])
    # A store tells times in seconds.
    time.sleep(1.1)
    bucket.upload_file(str(path), "archive/2.tar")
    bucket.Object("archive/0.tar").delete()
    result = project.make(**CONFIG)
    assert name_jobs(STAGES, "t", "2") | name_merges("t") <= result.jobs
    assert not result.jobs & name_jobs(STAGES, "t", "1", "3")
    shards = project.query("SELECT shard FROM shards WHERE film_id = 1 ORDER BY shard")
    assert [shard for (shard,) in shards] == list("12345"[: N_TARBALLS - 1])


def test_what_is_no_film_of_a_store_is_refused_in_a_sentence(made, tmp_path):
    project = copy(made, tmp_path)
    away = dict(project.environment)
    for films, words, environment in [
        ("s3://films/gone.mp4", "s3://films/gone.mp4: no such file; correct", away),
        ("s3://nothing/*.tar", "s3://nothing/*.tar: no such bucket", away),
        ("s3://films/gone/*.tar", "nothing matches 's3://films/gone/*.tar'", away),
        (
            "s3://films/v.mp4",
            "cannot be reached; check the network",
            {**away, "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL": "http://127.0.0.1:9"},
        ),
        (
            "s3://films/v.mp4",
            "no credentials; set SNAKEMAKE_STORAGE_S3_ACCESS_KEY",
            {
                "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL": project.environment[
                    "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL"
                ],
                "HOME": str(tmp_path),
                "AWS_EC2_METADATA_DISABLED": "true",
            },
        ),
    ]:
        project.environment.clear()
        project.environment.update(environment)
        result = project.run(**{**CONFIG, "films": films})
        assert result.status == 1
        (told,) = result.told
        assert words in told


def test_films_of_a_web_server(code, tmp_path):
    project = make_project(tmp_path / "project", code)
    film = write_colors(project.folder / "v.mp4")
    tarball = write_tarball(project.folder / "t.tar", COLORS[:2])
    files = {"/a/v.mp4": film.read_bytes(), "/a/t.tar": tarball.read_bytes()}
    certificate = tmp_path / "server.crt"
    project.environment["REQUESTS_CA_BUNDLE"] = str(certificate)
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine localhost login me password {SECRET}\n")
    with serve_files(files, certificate, f"me:{SECRET}") as server:
        result = project.run(**{**CONFIG, "films": f"{server.url}/a/v.mp4"})
        (told,) = result.told
        assert "you may not read it (401); check the file ~/.netrc" in told
        project.environment["NETRC"] = str(netrc)
        write_sheet(
            project,
            v=f"{server.url}/a/v.mp4",
            t=f"{server.url}/a/t.tar",
            gone=f"{server.url}/a/gone.mp4",
        )
        result = project.run(**CONFIG)
        assert f"{server.url}/a/gone.mp4: no such file" in result.stderr
        write_sheet(project, v=f"{server.url}/a/v.mp4", t=f"{server.url}/a/t.tar")
        server.cut["/a/t.tar"] = 1000
        result = project.run(**CONFIG)
        assert result.status == 1
        (row,) = project.failures()
        assert row["ended"].startswith(f"{server.url}/a/t.tar: the connection was cut")
        server.cut.clear()
        project.make(**CONFIG)
        assert project.make(**CONFIG).jobs == set()
    check_no_secret(project.folder)
    rows = project.query(
        "SELECT color FROM palettes WHERE film_id = 1 AND rank = 0 ORDER BY frame"
    )
    assert all(
        close_to(color, wanted) for (color,), wanted in zip(rows, COLORS, strict=True)
    )


def test_results_go_to_a_bucket_and_are_read_here(server, bucket, code, tmp_path):
    project = make_project(tmp_path / "project", code)
    project.environment.update(server.environment)
    write_tarball(project.folder / "t/0.tar", COLORS[:2])
    write_sheet(project, t="t/*.tar")
    there = ["--default-storage-provider", "s3"]
    there += ["--default-storage-prefix", "s3://films/run"]
    refused = project.run(*there, **CONFIG)
    assert refused.status == 1
    assert "give --keep-storage-local-copies as well" in refused.stderr
    kept = [*there, "--keep-storage-local-copies"]
    project.make(*kept, **CONFIG)
    found = {each.key for each in bucket.objects.filter(Prefix="run/results/")}
    assert {"run/results/palettes.sqlite", "run/results/t/plan.json"} <= found
    copies = project.folder / ".snakemake/storage"
    assert (copies / "s3/films/run/results/palettes.sqlite").exists()
    # Without them the plan is fetched again, and nothing is made.
    shutil.rmtree(copies)
    assert "Nothing to be done" in project.make(*kept, **CONFIG).stderr
