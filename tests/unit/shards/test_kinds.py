"""The kinds of sources: what a name or a plan says, and what each has to have."""

from importlib import import_module

import pytest

from reelbow.runs.films import Film
from reelbow.runs.schemas import load_schema
from reelbow.shards.kinds import (
    KINDS,
    PHOTOS,
    SKETCHES,
    TARBALLS,
    VIDEO,
    find_kind,
    name_kind,
)


@pytest.mark.parametrize(
    "name",
    [
        "a.tar",
        "A.TAR",
        "a.b.tar.gz",
        "a.tgz",
        "a.tar.bz2",
        "a.tar.xz",
        "a.TZST",
        "a.tar.zst",
    ],
)
def test_tarballs_are_known_by_their_names(name):
    assert name_kind(name) is TARBALLS
    assert name_kind(name + ".mp4") is VIDEO


@pytest.mark.parametrize("name", ["a.jpg", "A.JPEG", "a.b.heic", "a.NEF", "a.zip"])
def test_photos_are_known_by_their_names(name):
    assert name_kind(name) is PHOTOS


@pytest.mark.parametrize("name", ["cat.npz", "cat.full.NPZ", "cat.ndjson"])
def test_sketches_are_known_by_their_names(name):
    assert name_kind(name) is SKETCHES


@pytest.mark.parametrize("name", ["a.mkv", "a.M2TS", "a.unheard_of", "a"])
def test_all_else_is_taken_for_a_video(name):
    assert name_kind(name) is VIDEO


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_says_its_kind(kind):
    assert find_kind({"kind": kind, "video": None}).name == kind


def test_a_plan_of_an_older_version_is_told_by_its_video():
    assert find_kind({"video": {"codec": "h264"}}) is VIDEO
    assert find_kind({"video": None}) is TARBALLS


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_kind_has_what_the_rules_ask_for(kind):
    assert import_module(f"reelbow.sources.{kind.name}").make_plan
    config, sheet = (load_schema(name)["properties"] for name in ("config", "films"))
    for path in kind.settings.values():
        group, _, key = path.rpartition(".")
        if not group:
            assert key in Film._fields
            assert key in config
            continue
        assert key in (Film._fields if group == "film" else config[group]["properties"])
    assert all("properties" in config[group] for group in kind.groups)
    assert kind.refused.keys() <= sheet.keys()
