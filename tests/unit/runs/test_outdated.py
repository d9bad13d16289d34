"""What an earlier run made of other palettes, and no run was asked for since."""

import os

import pytest

from reelbow.runs.summary import describe_outdated, describe_unasked


def write(results, name, time_s):
    path = results / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (time_s, time_s))


def test_what_is_older_than_its_palettes_is_told(tmp_path):
    results = tmp_path / "results"
    write(results, "palettes.sqlite", 50)
    for film, time_s in (("a", 10), ("b", 40)):
        write(results, f"{film}/palettes.sqlite", time_s)
        for name in ("frames.csv", "palettes.csv"):
            write(results, f"{film}/tables/{name}", 20)
    write(results, "methods.md", 45)
    write(results, "comparisons/a--b.json", 30)
    write(results, "comparisons/a--b.png", 60)
    write(results, "comparisons/map.png", 60)
    told = describe_outdated(results, ["a", "b"], set())
    names = ("methods.md", "b/tables", "comparisons/a--b.json")
    first, second, third = (str(results / name) for name in names)
    assert f"for them: {first}, {second} and {third}; delete them" in told


def test_of_what_is_as_new_nothing_is_told(tmp_path):
    write(tmp_path, "palettes.sqlite", 50)
    write(tmp_path, "a/palettes.sqlite", 40)
    write(tmp_path, "a/tables/frames.csv", 41)
    write(tmp_path, "methods.md", 51)
    assert describe_outdated(tmp_path, ["a"], set()) == ""


def test_what_a_run_was_asked_for_it_has_judged_itself(tmp_path):
    results = tmp_path / "results"
    write(results, "a/palettes.sqlite", 40)
    asked = results / "a/tables/frames.csv"
    # Palettes that came out the same make no table anew.
    write(results, "a/tables/frames.csv", 20)
    assert describe_outdated(results, ["a"], {asked}) == ""
    # Of another format, of an earlier run.
    write(results, "a/tables/frames.xlsx", 20)
    told = describe_outdated(results, ["a"], {asked})
    assert f"for them: {results / 'a/tables/frames.xlsx'}; delete" in told


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ([], "a--b, a--c and matrix in "),
        (["comparisons/a--b.png", "a/tables/a--c.csv"], "a--c and matrix in "),
        (["comparisons/matrix.json", "comparisons/map.png"], "a--b and a--c in "),
    ],
)
def test_comparisons_that_are_not_asked_for_are_told(tmp_path, asked, told):
    results = tmp_path / "results"
    for name in ("a--b.json", "a--b.png", "a--c.json", "matrix.json", "map.png"):
        write(results, f"comparisons/{name}", 20)
    sentence = describe_unasked(results, {results / name for name in asked})
    assert f"compare: {told}{results / 'comparisons'}; delete" in sentence


def test_of_comparisons_that_are_all_asked_for_nothing_is_told(tmp_path):
    assert describe_unasked(tmp_path, set()) == ""
    for pair in range(25):
        write(tmp_path, f"comparisons/a--{pair:02}.json", 20)
    asked = {tmp_path / f"comparisons/a--{pair:02}.json" for pair in range(25)}
    assert describe_unasked(tmp_path, asked) == ""
    assert "a--19 and 5 more in " in describe_unasked(tmp_path, set())
