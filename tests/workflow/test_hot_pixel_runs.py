"""Runs that look for hot pixels, and what another wish makes again."""

from cameras import DEFECTS, take_many
from projects import NO_PICTURES, name_jobs

SHARDS = ("00000", "00001")


def test_hot_pixels_are_found_and_repaired_and_only_what_changed_again(project):
    photos = list(take_many(24))
    (project.folder / "photos").mkdir()
    for name, data in photos:
        (project.folder / "photos" / name).write_bytes(data)
    asked = {"films": "photos", "shards": {"frames": 12}, **NO_PICTURES}
    asked["hot_pixels"] = {"find": True}
    made = project.make(**asked)
    summed = name_jobs(["sum_pixels"], "photos", *SHARDS)
    assert summed | {"merge_sums/photos", "find_defects/photos"} <= made.jobs
    assert "defects   results/photos/defects.csv, defects.png, defects.s" in made.stderr
    found = project.query("SELECT kind, y, x FROM defects", "photos/defects.sqlite")
    assert set(found) == {(kind, y, x) for kind, (y, x, *_) in DEFECTS.items()}
    # Sums of shards are used up, that of the film stays.
    assert "photos/sums.npz" in project.results()
    assert not any(name.startswith("photos/sums/") for name in project.results())

    asked["hot_pixels"] |= {"threshold": 20, "repair": True}
    again = project.make(**asked)
    copied = name_jobs(["repair_photos"], "photos", *SHARDS)
    assert again.jobs == {"find_defects/photos", *copied}
    copies = {name for name in project.results() if name.startswith("photos/repaired/")}
    assert copies == {
        f"photos/repaired/{SHARDS[place // 12]}/{name}"
        for place, (name, _) in enumerate(photos)
    }
    without = project.make(**asked | {"hot_pixels": {"find": False}})
    assert without.jobs == set()
