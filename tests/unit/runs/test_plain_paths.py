from pathlib import Path

import pytest
from snakemake.io import WILDCARD_REGEX
from snakemake.pathvars import PATHVAR_REGEX

from reelbow.runs.plain_paths import SPECIAL, find_own_name, name_plainly


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Links are made where Snakemake runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


NAMES = [
    "{film}",
    "{ film }",
    "{film,[0-9]{2}}",
    "{1.5}",
    "{{film}}",
    "<results>",
    "a{b}c<d>e",
]


@pytest.mark.parametrize("name", NAMES)
def test_what_snakemake_would_take_for_its_own_gets_a_link(name, folder):
    assert WILDCARD_REGEX.search(name) or PATHVAR_REGEX.search(name)
    (folder / name).write_text("there")
    link = name_plainly(Path(name), Path("links"))
    assert link.read_text() == "there"
    assert not SPECIAL.search(str(link))
    assert link.lstat().st_mtime_ns == (folder / name).stat().st_mtime_ns
    assert name_plainly(Path(name), Path("links")) == link
    assert find_own_name(str(link), Path("links")) == Path(name)


@pytest.mark.parametrize("name", ["{}", "{tmdb-12}", "{a", "a}", "<A>", "a<b", "<a-b>"])
def test_other_names_stand(name):
    assert not WILDCARD_REGEX.search(name)
    assert not PATHVAR_REGEX.search(name)
    assert name_plainly(Path(name), Path("links")) == Path(name)


def test_a_link_follows_the_folder_when_it_is_moved(folder, monkeypatch):
    (folder / "one").mkdir()
    (folder / "one" / "{a}.mp4").write_text("there")
    monkeypatch.chdir(folder / "one")
    link = name_plainly(Path("{a}.mp4"), Path("links"))
    monkeypatch.chdir(folder)
    (folder / "one").rename(folder / "two")
    monkeypatch.chdir(folder / "two")
    assert not link.exists()
    assert name_plainly(Path("{a}.mp4"), Path("links")) == link
    assert link.read_text() == "there"


def test_files_of_one_name_have_links_of_their_own(folder):
    links = set()
    for name in ["{a}/x.mp4", "{b}/x.mp4"]:
        (folder / name).parent.mkdir()
        (folder / name).write_text(name)
        links.add(name_plainly(Path(name), Path("links")))
    assert {link.read_text() for link in links} == {"{a}/x.mp4", "{b}/x.mp4"}


def test_a_name_far_away_or_without_a_link_is_found_as_it_is(folder):
    elsewhere = folder.parent / "{far}.mkv"
    assert find_own_name(str(name_plainly(elsewhere))) == elsewhere
    assert find_own_name("a/b/c.mkv") == Path("a/b/c.mkv")
