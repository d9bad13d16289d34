"""An engineer: an archive of tarballs, some of them broken, some more each week."""

from projects import COLORS, Project, write_tarball

N_TARBALLS = 12
ARCHIVE = {
    "films": "archive/*.tar",
    "barcodes": {"kinds": ["mean"], "height": 20, "formats": []},
}
SKIP = {"errors": {"missing_shards": "skip"}}


def fill(desk: Project, names) -> None:
    for number, name in enumerate(names):
        color = COLORS[number % len(COLORS)]
        write_tarball(
            desk.folder / f"archive/{name}.tar", {f"{i}.jpg": color for i in range(3)}
        )


def list_chains(jobs: set[str]) -> set[str]:
    """The shards that were clustered."""
    return {job.split("/")[-1] for job in jobs if job.startswith("cluster_shard")}


def test_twelve_tarballs_two_of_them_broken_one_more_next_week(desk):
    names = [f"tape{number:02d}" for number in range(N_TARBALLS)]
    fill(desk, names)
    archive = desk.folder / "archive"
    cut = archive / "tape07.tar"
    whole = cut.read_bytes()
    # Within its third picture.
    cut.write_bytes(whole[: len(whole) // 3])
    (archive / "tape09.tar").write_bytes(b"no tarball at all")

    # By default what is broken fails, and is told.
    result = desk.run(**ARCHIVE)
    assert result.status != 0
    assert {row["shard"] for row in desk.failures()} == {"tape07", "tape09"}

    # To go on without: only the two run again.
    result = desk.run(**ARCHIVE, **SKIP)
    assert result.status == 0, result.stderr
    assert list_chains(result.jobs) == {"tape07", "tape09"}
    skipped = {shard for (shard,) in desk.query("SELECT shard FROM skipped")}
    assert skipped == {"tape07", "tape09"}
    assert "2 shards could not be read whole" in result.stderr
    ((n_frames,),) = desk.query("SELECT count(*) FROM frames")
    assert 3 * (N_TARBALLS - 2) <= n_frames < 3 * (N_TARBALLS - 1)

    # One more comes, in the middle; one that is mended runs alone.
    write_tarball(archive / "tape03b.tar", {"0.jpg": COLORS[0]})
    cut.write_bytes(whole)
    result = desk.run(**ARCHIVE, **SKIP)
    assert result.status == 0, result.stderr
    assert list_chains(result.jobs) == {"tape03b", "tape07"}

    # One goes, and nothing of it stays.
    (archive / "tape11.tar").unlink()
    result = desk.run(**ARCHIVE, **SKIP)
    assert result.status == 0, result.stderr
    assert list_chains(result.jobs) == set()
    assert not [path for path in desk.results() if "tape11" in path]
    shards = desk.query("SELECT DISTINCT shard FROM frames ORDER BY shard")
    assert len(shards) == N_TARBALLS - 1
    assert ("tape11",) not in shards


def test_a_run_that_is_stopped_by_ctrl_c_goes_on_where_it_was(desk):
    fill(desk, [f"tape{number:02d}" for number in range(6)])
    shards = desk.folder / "results/archive/palettes"
    # The job of the last one may not have ended yet, and then starts over.
    status, told = desk.interrupt(
        lambda: len(list(shards.glob("[!.]*.sqlite"))) >= 2,
        *["--config", "films=archive/*.tar", "barcodes={kinds: []}"],
        cores=1,
    )
    assert status != 0
    assert "Traceback" not in told
    done = {path.stem for path in shards.glob("[!.]*.sqlite")}
    assert done

    result = desk.run(films="archive/*.tar", barcodes={"kinds": []}, cores=2)
    assert result.status == 0, result.stderr
    assert not done & list_chains(result.jobs)
    assert desk.query("SELECT count(*) FROM frames") == [(18,)]
