"""A kind of source that Reelbow does not have, added as CONTRIBUTING.md says."""

import pytest

from projects import (
    COLORS,
    NO_PICTURES,
    close_to,
    copy_code,
    make_project,
    name_jobs,
    name_merges,
)
from reelbow.shards.names import STAGES

PLANNER = '''
"""Plans a list of colors, one a second."""

from reelbow.jobs.file_digest import digest_file

def make_plan(files, *, crop, max_pixels, go_on, per_shard):
    (path,) = files
    n_frames = len(path.read_text().split())
    starts = range(0, n_frames, per_shard)
    none = ("video", "start_s", "end_s", "stream", "sampling", "crop")
    return {
        **dict.fromkeys(none),
        "path": str(path),
        "digest": digest_file(path),
        "width": 8,
        "height": 8,
        "duration_s": float(n_frames),
        "crop_asked": crop,
        "n_pictures": n_frames,
        "n_frames": n_frames,
        "shards": [
            {
                "shard": f"{number:05d}",
                "first_frame": first,
                "n_frames": min(per_shard, n_frames - first),
            }
            for number, first in enumerate(starts)
        ],
    }
'''

READER = '''
"""The pictures of a list of colors."""

from contextlib import nullcontext

from reelbow.shards.members import Member
from reelbow.shards.plan import find_shard

class ColorShard(nullcontext):
    def __init__(self, path, plan, shard, *, max_pixels, salvage):
        super().__init__(self)
        part = find_shard(plan, shard)
        self.first, self.damage = part["first_frame"], None
        end = self.first + part["n_frames"]
        self.colors = path.read_text().split()[self.first : end]

    def __len__(self):
        return len(self.colors)

    def read(self):
        for frame, color in enumerate(self.colors, self.first):
            data = b"P6 8 8 255\\n" + bytes.fromhex(color) * 64
            yield Member(color, data, "", {"frame": frame, "time_s": float(frame)})

open_shard = ColorShard
'''

ENTRY = """

KINDS["colors"] = Kind(
    name="colors",
    plural="lists of colors",
    pattern=re.compile(r"\\.colors$"),
    settings={"per_shard": "shards.frames"},
    refused={"fps": "fps is for tarballs; leave it empty"},
)
"""


@pytest.fixture
def project(tmp_path):
    code = copy_code(tmp_path / "code")
    library = code / "workflow/scripts/reelbow"
    (library / "sources/colors.py").write_text(PLANNER)
    (library / "shards/colors.py").write_text(READER)
    with (library / "shards/kinds.py").open("a") as registry:
        registry.write(ENTRY)
    return make_project(tmp_path / "project", code)


def test_a_new_kind_is_two_modules_and_an_entry(project):
    text = "\n".join(f"{color:06x}" for color in COLORS)
    (project.folder / "few.colors").write_text(text)
    config = {"films": "few.colors", "shards": {"frames": 4}, **NO_PICTURES}
    result = project.make(**config)
    planned = {"plan_shards/few", *name_merges("few")}
    assert result.jobs == planned | name_jobs(STAGES, "few", "00000", "00001")
    rows = project.query("SELECT frame, time_s, mean_color FROM frames ORDER BY frame")
    assert [(frame, time_s) for frame, time_s, _ in rows] == [(i, i) for i in range(6)]
    assert all(map(close_to, [color for *_, color in rows], COLORS))
    assert project.run(**config).jobs == set()

    # Another list, at full size.
    (project.folder / "few.colors").write_text(text[:13])
    result = project.make(**config, downsample={"height": None})
    assert result.jobs == planned | {"cluster_shard/few/00000"}
    assert project.query("SELECT count(*) FROM frames") == [(2,)]
