"""The kinds of sources: all that tells one from another stands here.

A new kind is an entry here and two modules, which are loaded by its name:
`reelbow.sources.{kind}`, whose `make_plan` plans a film, and `reelbow.shards.{kind}`,
whose `open_shard` reads the pictures of a shard.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from reelbow.database.schema import TOLD
from reelbow.jobs.stored_files import LocalCopy, is_url
from reelbow.shards.image_names import PICTURE_SUFFIXES
from reelbow.shards.members import Members
from reelbow.shards.plan import Plan


@dataclass(frozen=True, eq=False, kw_only=True)
class Kind:
    """What is particular about the films of one kind of source.

    Attributes
    ----------
    name : as plan.json has it, and its modules in `sources` and `shards`
    plural : what the user calls its files
    pattern : is found in the names of its files, in a folder or a glob
    takes_many : whether a film may be many files, as a folder or a glob finds them, of
        which each shard has some; else it is one file
    files_are_shards : whether each of the many is a shard as it stands, as a stranger
        packed it: its frames are counted as they come. Else a film is cut into shards
    settings : what `make_plan` is told beside the crop: columns of the film's row
        (film.stream) and keys of the configuration (sampling.mode), by its parameters;
        a word alone (trim) is a column, or where that is empty a key
    is_drawn : whether strokes make its frames: they are sharp, for which PNG is right,
        and JPEG wrong
    is_decoded : whether its pictures come decoded, and not as image files
    kernel : of `runs.compiling`, that averages most of its frames
    tells : what its members tell of each frame beside its number and time, in `about`:
        columns of the table of its name, see `database.schema.TOLD`
    averaged_by : of what they tell, the word whose drawings are averaged, which are
        `DrawnPicture`s; None: there are no averages
    groups : of the configuration, that decide its palettes beside those of every kind
    refused : columns of the sheet that are not for it, and why
    """

    name: str
    plural: str
    pattern: re.Pattern[str]
    takes_many: bool = False
    files_are_shards: bool = False
    settings: Mapping[str, str]
    is_drawn: bool = False
    is_decoded: bool = False
    kernel: str = "pictures"
    tells: tuple[str, ...] = ()
    averaged_by: str | None = None
    groups: tuple[str, ...] = ()
    refused: Mapping[str, str]

    def open_shard(
        self, path: Path, plan: Plan, shard: str, *, max_pixels: int, salvage: bool
    ) -> Members:
        """Open a shard of a film of this kind.

        Parameters
        ----------
        path : the film's only file, or the one that is this shard; of many, any
        max_pixels : of the largest picture that is read
        salvage : whether of a damaged shard what can be read is enough
        """
        tarballs = {part["shard"]: part.get("tarball") for part in plan["shards"]}
        file = tarballs.get(shard) or plan.get("path")
        if file and is_url(file):
            path = LocalCopy.of(path, file)
            path.check()
        # By its name: Snakemake itself asks for kinds, and needs no decoder.
        reader = import_module(f"reelbow.shards.{self.name}")
        members: Members = reader.open_shard(
            path, plan, shard, max_pixels=max_pixels, salvage=salvage
        )
        return members


VIDEO = Kind(
    name="video",
    plural="videos",
    pattern=re.compile(
        r"\.(3g2|3gp|asf|avi|divx|dv|f4v|flv|h264|h265|hevc|ivf|m1v|m2ts?|m2v|m4v|mj2"
        r"|mjpg|mkv|mov|mp4|mpe|mpe?g|mts|mxf|nut|obu|og[mv]|qt|rm|rmvb|ts|vob|webm"
        r"|wmv|wtv|y4m)$",
        re.IGNORECASE,
    ),
    settings={
        "stream": "film.stream",
        "start_s": "film.start_s",
        "end_s": "film.end_s",
        "mode": "sampling.mode",
        "every": "sampling.every",
        "per_shard": "shards.frames",
        "trim": "trim",
    },
    is_decoded=True,
    kernel="planes",
    groups=("sampling",),
    refused={
        "fps": "fps is for tarballs, and {source} is a video, which has times of its "
        "own; leave it empty",
    },
)

_NO_STRETCH = (
    "start_s and end_s are for videos, and {source} is of tarballs, of which every "
    "image counts; leave them empty"
)

TARBALLS = Kind(
    name="tarballs",
    plural="tarballs",
    pattern=re.compile(r"\.(tar|tar\.(gz|bz2|xz|zst)|tgz|tzst)$", re.IGNORECASE),
    takes_many=True,
    files_are_shards=True,
    settings={"shards": "film.shards"},
    refused={
        "start_s": _NO_STRETCH,
        "end_s": _NO_STRETCH,
        "stream": "stream is for videos, and {source} is of tarballs; leave it empty",
        "trim": "trim is for videos, and {source} is of tarballs, of which every image "
        "counts; leave it empty",
    },
)

_NO_STRETCH_OF_PHOTOS = (
    "start_s and end_s are for videos, and {source} is of photos, of which every one "
    "counts; leave them empty"
)

_ENDINGS = "|".join(sorted(suffix[1:] for suffix in PICTURE_SUFFIXES))

PHOTOS = Kind(
    name="photos",
    plural="photos",
    pattern=re.compile(rf"\.({_ENDINGS}|zip)$", re.IGNORECASE),
    takes_many=True,
    settings={"order": "photos.order", "per_shard": "shards.frames"},
    groups=("photos",),
    refused={
        "start_s": _NO_STRETCH_OF_PHOTOS,
        "end_s": _NO_STRETCH_OF_PHOTOS,
        "stream": "stream is for videos, and {source} is of photos; leave it empty",
        "trim": "trim is for videos, and {source} is of photos, of which every one "
        "counts; leave it empty",
    },
)

_NO_STRETCH_OF_SKETCHES = (
    "start_s and end_s are for videos, and {source} is of sketches, of which every one "
    "counts; leave them empty"
)

SKETCHES = Kind(
    name="sketches",
    plural="files of sketches",
    pattern=re.compile(r"\.(npz|ndjson)$", re.IGNORECASE),
    settings={
        "size": "sketches.size",
        "thickness": "sketches.thickness",
        "split": "sketches.split",
        "color": "sketches.color",
        "per_shard": "shards.frames",
    },
    is_drawn=True,
    tells=TOLD["sketches"],
    averaged_by="word",
    is_decoded=True,
    groups=("sketches",),
    refused={
        "start_s": _NO_STRETCH_OF_SKETCHES,
        "end_s": _NO_STRETCH_OF_SKETCHES,
        "stream": "stream is for videos, and {source} is of sketches; leave it empty",
        "trim": "trim is for videos, and {source} is of sketches, of which every one "
        "counts; leave it empty",
    },
)

KINDS = {kind.name: kind for kind in (VIDEO, TARBALLS, PHOTOS, SKETCHES)}


def name_kind(path: str) -> Kind:
    """Find the kind of a file by its name; what none claims is taken for a video."""
    return next((kind for kind in KINDS.values() if kind.pattern.search(path)), VIDEO)


def find_kind(plan: Plan) -> Kind:
    """Find the kind of a film by its plan."""
    # A plan of before there were kinds.
    old = VIDEO if plan.get("video") is not None else TARBALLS
    return KINDS[plan.get("kind", old.name)]
