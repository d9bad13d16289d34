"""Lets every n-th call of every script fail, and sees that each ends as it should.

A case is a step of a small run (a script with its arguments), a kind of call and which
of these fails how: the disk is full, a share of it is used up, it is broken, there are
too many open files, no memory; once, or for good from there on; or the process is
killed there. It must end in a success, or in one sentence; what has its final name must
be whole, as it was before or as it is when nothing fails; no temporary file stays; and
the same step again must end as if nothing had been.

Of each step it is also seen that files are on the disk before they are named, and so
are their names.

    uv run python tests/faults/faults.py              # every n, hours of CPU
    uv run python tests/faults/faults.py --most 30    # of each step so many, chosen

It wants gcc, and Linux: a library is preloaded that counts calls and lets them fail.
"""

import argparse
import ctypes
import errno
import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve()
HELPERS, ROOT = HERE.parents[1] / "helpers", HERE.parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"

# As failing.c numbers them, each with how it may fail; 0: the process is killed there.
KINDS = {
    "open": [errno.EMFILE, errno.EIO, 0],
    "write": [errno.ENOSPC, errno.EDQUOT, errno.EIO, 0],
    "fsync": [errno.EIO, errno.ENOSPC, errno.EDQUOT, 0],
    "name": [errno.EIO, errno.EDQUOT, errno.ENOSPC, 0],
    "close": [errno.EIO, errno.EDQUOT, errno.ENOSPC],
    "allocate": [errno.ENOMEM],
}
LONGEST_S = 60
# What tells of files that could not be read, and so is another one where that failed.
REPORTS = ("results/verified.tsv",)
# How libraries in C and C++ may end a process that has no memory left for them; then
# nobody is there to say a sentence, nor to remove a temporary file.
ABORTING = (signal.SIGABRT, signal.SIGSEGV)


OUTCOMES = {0: "success", 1: "sentence", -signal.SIGKILL: "killed"}


class Step(NamedTuple):
    """A script's function with its arguments."""

    name: str
    function: Callable[..., None]
    arguments: dict[str, Any]

    @property
    def script(self) -> str:
        return self.name.partition(" ")[0]


class Fault(NamedTuple):
    """The call that fails: the n-th of its kind, and all after it if it stays."""

    kind: str
    n: int
    error: int
    stays: bool

    def __str__(self) -> str:
        how = errno.errorcode[self.error] if self.error else "KILL"
        return f"{self.kind} {self.n} {how}{' for good' if self.stays else ''}"


class Ended(NamedTuple):
    """How a process ended."""

    status: int
    log: str
    counts: dict[str, int]
    unsafe: int


class Told(NamedTuple):
    """What became of a case; no complaint: it is good."""

    step: str
    fault: str
    outcome: str
    complaint: str


# --- the steps -----------------------------------------------------------------------


def make_steps(work: Path) -> Iterator[Step]:
    """Make a small run's sources, and list the steps that it has."""
    import importlib

    import cv2
    import numpy as np

    from chain import USUAL
    from films import solid, write_film
    from makings import SETTINGS
    from reelbow.database.schema import PaletteSettings
    from reelbow.runs.config import check_config
    from reelbow.shards.batches import ThumbnailOptions
    from reelbow.shards.previews import PreviewOptions
    from sketches import STEPS, write_npz

    def step(name_: str, **arguments: Any) -> Step:
        script = name_.partition(" ")[0]
        module = importlib.import_module(script)
        return Step(name_, getattr(module, script), arguments)

    config = check_config({"posters": {"wall": {"size": "A9", "dpi": 72}}})
    results, logs = work / "results", work / "logs"
    colors = [0xC02020, 0x20C020, 0x2020C0, 0xC0C020]
    pictures = [solid(colors[i // 6]) for i in range(24)]
    film = write_film(
        work / "a.mkv", pictures, rate=12, codec="ffv1", pix_fmt="bgr0", gop=6
    )
    tarball = work / "00000.tar"
    with tarfile.open(tarball, "w") as members:
        for number, color in enumerate(colors):
            data = cv2.imencode(".jpg", solid(color))[1].tobytes()
            member = tarfile.TarInfo(f"{number}.jpg")
            member.size = len(data)
            members.addfile(member, io.BytesIO(data))
    drawings = write_npz(work / "c.npz", train=[STEPS] * 3)
    photos = [work / "photos" / f"{number}.png" for number in range(20)]
    photos[0].parent.mkdir()
    random_levels = np.random.default_rng(0)
    for photo in photos:
        cv2.imwrite(str(photo), random_levels.integers(0, 256, (12, 16, 3), np.uint8))
    target = work / "target.png"
    cv2.imwrite(str(target), np.arange(64 * 36 * 3, dtype=np.uint8).reshape(36, 64, 3))

    video = {key: USUAL[key] for key in ("crop", "max_pixels", "mode", "start_s")}
    video |= {key: USUAL[key] for key in ("end_s", "stream", "trim")}
    shaping = ThumbnailOptions(36, None, "srgb", USUAL["max_pixels"], "skip")
    previews = PreviewOptions(36, 80)
    sources = {"a": film, "b": tarball, "c": drawings}
    shards = {"a": ["00000", "00001"], "b": ["00000"], "c": ["00000"]}
    palette = PaletteSettings(4, n_init=3, seed=0, color_space="srgb")
    finding = dict(config["shots"]) | {"detector": "adaptive"}
    drawing = {"height": 20, "width": None, "skip_black": False}
    drawing |= {"gap_color": "#d9d9d9"}
    databases = {}
    for name, source in sources.items():
        folder = results / name
        databases[name] = folder / "palettes.sqlite"
        plan = folder / "plan.json"
        how = video | {"kind": "video", "every": 0.25, "per_shard": 4}
        if name == "b":
            how = {key: USUAL[key] for key in ("crop", "max_pixels")}
            how |= {"kind": "tarballs", "shards": shards["b"]}
        if name == "c":
            how = {key: USUAL[key] for key in ("crop", "max_pixels")}
            how |= {"kind": "sketches", "per_shard": 9, **config["sketches"]}
        yield step(f"plan_shards {name}", files=[source], plan=plan, **how)
        for shard in shards[name]:
            one = f"{name} {shard}"
            about: dict[str, Any] = {"plan": plan, "shard": shard}
            read = {"source": source, **about}
            thumbnails = folder / "thumbnails" / f"{shard}.npz"
            yield step(
                f"downsample_frames {one}",
                **read,
                thumbnails=thumbnails,
                shaping=shaping,
                previews=folder / "previews" / f"{shard}.jpg",
                preview_options=previews,
            )
            yield step(
                f"extract_frames {one}",
                **read,
                frames=folder / "frames" / f"{shard}.tar",
                film=name,
                shaping=shaping,
                quality=90,
            )
            yield step(
                f"score_cuts {one}",
                **read,
                scores=folder / "cuts" / f"{shard}.npz",
                metric="content",
                max_pixels=USUAL["max_pixels"],
            )
            yield step(
                f"cluster_shard {one}",
                **about,
                frames=thumbnails,
                palettes=folder / "palettes" / f"{shard}.sqlite",
                film=name,
                source=source.name,
                n_colors=4,
                n_accents=1,
                color_space="oklab",
                n_init=3,
                seed=0,
                engine="numba",
                metadata={"settings": json.dumps(SETTINGS)},
                shaping=shaping,
                used_up=True,
            )
        yield step(
            f"merge_film {name}",
            shards=[folder / "palettes" / f"{shard}.sqlite" for shard in shards[name]],
            plan=plan,
            palettes=databases[name],
            film=name,
            title=name.title(),
            source=source.name,
            fps=12.0,
            n_colors=5,
            palette=palette,
            cuts=[folder / "cuts" / f"{shard}.npz" for shard in shards[name]],
            finding=finding,
            logs=logs,
        )
    yield step(
        "render_averages c",
        database=databases["c"],
        picture=results / "c/sketches/average.png",
    )
    folder = results / "d"
    plan = folder / "plan.json"
    yield step(
        "plan_shards d",
        files=photos,
        plan=plan,
        kind="photos",
        per_shard=99,
        **{key: USUAL[key] for key in ("crop", "max_pixels")},
        **config["photos"],
    )
    read = {"source": photos[0], "plan": plan, "shard": "00000"}
    read |= {"max_pixels": USUAL["max_pixels"]}
    sums = folder / "sums/00000.npz"
    yield step("sum_pixels d", **read, sums=sums)
    yield step("merge_sums d", shards=[sums], sums=folder / "sums.npz")
    defects = folder / "defects.sqlite"
    yield step(
        "find_defects d",
        sums=folder / "sums.npz",
        database=defects,
        table=folder / "defects.csv",
        map_=folder / "defects.png",
        worst=folder / "defects_worst.png",
        film="d",
        threshold=5.0,
    )
    yield step(
        "repair_photos d", **read, defects=defects, copies=folder / "repaired/00000"
    )
    sheets = [results / "a/previews" / f"{shard}.jpg" for shard in shards["a"]]
    kinds = [f"{kind}{end}" for kind in ("mean", "stacked") for end in (".png", ".svg")]
    endings = [*kinds, "mean.pdf", "mean_figure.png", "strip.tif", "shots.png"]
    yield step(
        "render_barcodes a",
        database=databases["a"],
        pictures=[results / "a/barcodes" / ending for ending in endings],
        drawing=drawing | {"order": "luminance"},
        shots=True,
    )
    contacts = ["contact.png", "contact_figure.png", "contact.svg"]
    yield step(
        "render_contact a",
        database=databases["a"],
        previews=sheets,
        pictures=[results / "a/barcodes" / contact for contact in contacts],
        drawing=drawing,
    )
    yield step(
        "render_posters a",
        database=databases["a"],
        files=[results / "a/posters" / f"wall.{end}" for end in ("png", "pdf", "svg")],
        posters=config["posters"],
        drawing={"order": "luminance", "skip_black": False, "gap_color": "#d9d9d9"},
    )
    yield step(
        "export_tables a",
        database=databases["a"],
        folder=results / "a/tables",
        formats=["csv", "parquet", "xlsx"],
        shots=True,
    )
    yield step(
        "write_explorer a",
        database=databases["a"],
        previews=sheets,
        page=results / "a/explorer.html",
        storyboard=results / "a/previews/storyboard.vtt",
        showing={"kind": "stacked", "gap_color": "#d9d9d9"},
        films_at="source",
        source="a.mkv",
    )
    whole = results / "palettes.sqlite"
    yield step(
        "merge_films", films=list(databases.values()), palettes=whole, n_colors=5
    )
    yield step(
        "summarize_films",
        database=whole,
        films=results / "films.tsv",
        skipped=results / "skipped.tsv",
    )
    yield step(
        "export_films",
        database=whole,
        folder=results / "tables",
        formats=["csv", "parquet", "xlsx"],
    )
    for again in ("", " again"):
        yield step(
            f"index_colors{again}", database=whole, index=results / "colors.sqlite"
        )
        yield step(
            f"write_index{again}",
            page=results / "index.html",
            films=list(sources),
            others=[],
            faults={},
            drawing={key: drawing[key] for key in ("skip_black", "gap_color")}
            | {"kind": "stacked"},
            code="",
        )
    tiles = [results / "a/tiles" / f"{shard}.npz" for shard in shards["a"]]
    for sheet, tile in zip(sheets, tiles, strict=True):
        yield step(
            f"make_tiles a {tile.stem}", previews=sheet, tiles=tile, aspect=(4, 3)
        )
    mosaic = {"target": target, "mosaic": results / "mosaics/x.sqlite", "name": "x"}
    mosaic |= {"aspect": (4, 3), "max_pixels": USUAL["max_pixels"]}
    yield step(
        "assign_tiles",
        **mosaic,
        films={databases["a"]: tiles},
        columns=4,
        planning={
            **{"apart": 0, "max_use": None, "mirror": False},
            **{"details": "all", "seed": 0},
        },
    )
    yield step(
        "render_mosaic",
        **mosaic,
        previews=sheets,
        picture=results / "mosaics/x.png",
        maps=results / "mosaics/x_maps.png",
        page=results / "mosaics/x.html",
        width=320,
        tint=0.3,
    )
    compared = results / "comparisons"
    yield step(
        "compare_films",
        first=databases["a"],
        second=databases["b"],
        comparison=compared / "a--b.json",
        figure=compared / "a--b.png",
    )
    yield step(
        "compare_all",
        database=whole,
        films=list(sources),
        comparison=compared / "matrix.json",
        table=compared / "matrix.csv",
        matrix=compared / "matrix.png",
        map_of_films=compared / "map.png",
    )
    yield step(
        "write_provenance",
        database=whole,
        films=list(sources),
        compared=["a--b", "matrix"],
    )
    for rule in ("plan_shards", "merge_film"):
        (logs / rule).mkdir(parents=True)
        (logs / rule / "a.log").write_text("USED: 2.000 CPU s, at most 90.0 MB\n")
        (logs / rule / "a.tsv").write_text("s\tmax_rss\tcpu_time\n3.00\tNA\tNA\n")
    yield step(
        "verify",
        results=results,
        table=results / "verified.tsv",
        films=list(sources),
    )
    yield step(
        "profile_run",
        table=results / "profile.tsv",
        figure=results / "profile.png",
        films=["a"],
        kinds=["mean"],
        logs=logs,
        results=results,
    )


# --- a folder and what is in it -------------------------------------------------------


class Folder:
    """A folder that is brought back to what it was; only what changed is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._times: dict[str, int] = {}

    def read(self) -> dict[str, bytes | None]:
        """Read all files; of a folder there is None."""
        found = {}
        for path in sorted(self.path.rglob("*")):
            name = str(path.relative_to(self.path))
            found[name] = None if path.is_dir() else path.read_bytes()
            if name not in self._times:
                self._times[name] = path.stat().st_mtime_ns
        return found

    def restore(self, state: dict[str, bytes | None]) -> None:
        """Bring it back, with the times that files had when they were read first."""
        for name, data in reversed(self.read().items()):
            path = self.path / name
            if name not in state:
                path.rmdir() if data is None else path.unlink()
        for name, data in state.items():
            path = self.path / name
            if data is None:
                path.mkdir(exist_ok=True)
                continue
            if not path.exists() or path.read_bytes() != data:
                path.write_bytes(data)
            if path.stat().st_mtime_ns != self._times[name]:
                os.utime(path, ns=(self._times[name],) * 2)


def simplify(name: str, data: bytes | None) -> Any:
    """Return what must be the same of a file however often it is made."""
    if data is None:
        return data
    if name.endswith(".png"):
        # A barcode does not say which figures belong to it before they are there.
        return list(_read_chunks(data))
    if not name.endswith((".xlsx", ".npz")):
        return data
    # The times at which they were written differ.
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {
                part: archive.read(part)
                for part in archive.namelist()
                if part != "docProps/core.xml"
            }
    except zipfile.BadZipFile:
        return data


def _read_chunks(data: bytes) -> Iterator[bytes]:
    """Read a PNG's chunks, all but texts."""
    at = 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] not in (b"tEXt", b"iTXt"):
            yield data[at:end]
        at = end


def is_temporary(name: str) -> bool:
    return Path(name).name.startswith(".")


# --- the worker ----------------------------------------------------------------------


class Worker:
    """Runs steps in forks of this process, in which calls are counted and fail."""

    def __init__(self, folder: Path, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.count.restype = ctypes.c_long
        self._library.count_unsafe.restype = ctypes.c_long
        self.work = folder / "work"
        self.work.mkdir()
        self._log = folder / "job.log"

    def run(self, step: Step, fault: Fault | None = None) -> Ended:
        """Run a step as a job does."""
        reading, writing = os.pipe()
        process = os.fork()
        if not process:
            os.close(reading)
            self._be_job(step, fault, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            answer = stream.read()
        _, status = os.waitpid(process, 0)
        counts = json.loads(answer) if answer else dict.fromkeys([*KINDS, "unsafe"], 0)
        log = self._log.read_text(errors="replace")
        unsafe = counts.pop("unsafe")
        return Ended(os.waitstatus_to_exitcode(status), log, counts, unsafe)

    def _be_job(self, step: Step, fault: Fault | None, answer: int) -> None:
        from reelbow.jobs.job import run

        library = self._library
        status: Any = 2
        try:
            signal.alarm(LONGEST_S)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

            def work(**arguments: Any) -> None:
                kind = list(KINDS).index(fault.kind) if fault else -1
                how = (fault.n, fault.error, fault.stays) if fault else (0, 0, 0)
                library.arm(
                    os.fsencode(self.work), kind, ctypes.c_long(how[0]), *how[1:]
                )
                try:
                    step.function(**arguments)
                finally:
                    library.disarm()

            run(work, log=str(self._log), **step.arguments)
            status = 0
        except SystemExit as error:
            status = error.code
        except BaseException:
            traceback.print_exc()
        library.disarm()
        found = {kind: library.count(i) for i, kind in enumerate(KINDS)}
        found["unsafe"] = library.count_unsafe()
        os.write(answer, json.dumps(found).encode())
        os._exit(status)


def list_faults(counts: dict[str, int], most: int | None, seed: str) -> list[Fault]:
    """List all faults that a step can have, or so many of them, of each kind some."""
    rng = random.Random(seed)
    chosen = []
    for kind, errors in KINDS.items():
        faults = [
            Fault(kind, n, error, stays)
            for n in range(1, counts[kind] + 1)
            for error in errors
            for stays in ((False, True) if error else (False,))
        ]
        share = len(faults) if most is None else -(-most // len(KINDS))
        chosen += rng.sample(faults, min(share, len(faults)))
    return chosen


def judge(
    fault: Fault,
    ended: Ended,
    before: dict[str, Any],
    after: dict[str, Any],
    now: dict[str, Any],
) -> str:
    """Say what is wrong with how a case ended; "": nothing."""
    errors = [line for line in ended.log.splitlines() if line.startswith("ERROR: ")]
    is_ended = ended.status == -signal.SIGKILL and not fault.error
    is_ended |= fault.kind == "allocate" and -ended.status in ABORTING
    if not is_ended:
        if ended.status not in (0, 1):
            return f"status {ended.status}: {ended.log[-3000:]}"
        if "Traceback" in ended.log or len(errors) != ended.status:
            return f"not one sentence: {ended.log[-3000:]}"
        if left := [name for name in now if is_temporary(name)]:
            return f"left {left}"
    for name in {*before, *after, *now}:
        if is_temporary(name) or (ended.status and name in REPORTS):
            continue
        if name not in now:
            if name in before and name in after:
                return f"{name} is gone"
        elif now[name] not in [state.get(name, ...) for state in (before, after)]:
            return f"{name} is wrong"
        if not ended.status and now.get(name, ...) != after.get(name, ...):
            return f"a success, and {name} is not as it should be"
    return ""


def simplify_all(state: dict[str, bytes | None]) -> dict[str, Any]:
    return {name: simplify(name, data) for name, data in state.items()}


def work_through(
    folder: Path, library: Path, *, most: int | None, only: str, seed: int
) -> Iterator[Told]:
    """Take all steps through their faults."""
    worker = Worker(folder, library)
    tree = Folder(worker.work)
    steps = make_steps(worker.work)
    for step in steps:
        before = tree.read()
        # What is imported and compiled here is so in all forks.
        step.function(**step.arguments)
        tree.read()
        tree.restore(before)
        first = worker.run(step)
        if first.status:
            raise RuntimeError(f"{step.name}: {first.log}")
        after = tree.read()
        if only and not step.name.startswith(only):
            continue
        if first.unsafe:
            complaint = f"{first.unsafe} names of what is not on the disk"
            yield Told(step.name, "no fault", "unsafe", complaint)
        else:
            yield Told(step.name, "no fault", "success", "")
        simple = simplify_all(before), simplify_all(after)
        good: set[bytes] = set()
        for fault in list_faults(first.counts, most, f"{seed} {step.name}"):
            tree.restore(before)
            ended = worker.run(step, fault)
            now = tree.read()
            complaint = judge(fault, ended, *simple, simplify_all(now))
            # What is as it was after another fault ends as that did.
            state = hashlib.sha256(repr(sorted(now.items())).encode()).digest()
            if not complaint and ended.status and state not in good:
                again = worker.run(step)
                if again.status:
                    complaint = f"the same again fails: {again.log[-3000:]}"
                elif simplify_all(tree.read()) != simple[1]:
                    complaint = "the same again ends otherwise"
                else:
                    good.add(state)
            outcome = OUTCOMES.get(ended.status, "aborted")
            yield Told(step.name, str(fault), outcome, complaint)
        tree.restore(after)


# --- the parent ----------------------------------------------------------------------


def build_library(folder: Path) -> Path:
    """Compile what is preloaded."""
    library = folder / "failing.so"
    command = ["gcc", "-O1", "-shared", "-fPIC", "-o", library]
    subprocess.run([*command, HERE.with_name("failing.c"), "-ldl"], check=True)
    return library


def find_faults(
    *, most: int | None = None, only: str = "", seed: int = 0
) -> Iterator[Told]:
    """Run the worker with the library preloaded; yield what it tells."""
    with tempfile.TemporaryDirectory(prefix="reelbow-faults-") as temporary:
        folder = Path(temporary).resolve()
        library = build_library(folder)
        asked = json.dumps([str(folder), str(library), most, only, seed])
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        with subprocess.Popen(
            [sys.executable, HERE, "--worker", asked],
            stdout=subprocess.PIPE,
            env={**os.environ, **threads, "LD_PRELOAD": str(library)},
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield Told(*json.loads(line))
        if process.returncode:
            raise RuntimeError(f"the worker ended with status {process.returncode}")


def be_worker(asked: str) -> None:
    """Answer line by line."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    folder, library, most, only, seed = json.loads(asked)
    # Children need no library for what they start.
    del os.environ["LD_PRELOAD"]
    from reelbow.database import schema

    # All is made at one moment, so that it is the same.
    moment = schema.now()
    schema.now = lambda: moment
    found = work_through(Path(folder), Path(library), most=most, only=only, seed=seed)
    for told in found:
        print(json.dumps(told), file=answers, flush=True)


def main() -> int:
    """Find faults, print a table of outcomes and the complaints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--most", type=int, help="faults of each step; else all")
    parser.add_argument("--only", default="", help="steps whose names begin so")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    n_complaints = 0
    start = time.monotonic()
    for told in find_faults(**vars(options)):
        counts[told.step, told.outcome] += 1
        if told.complaint:
            n_complaints += 1
            print(f"{told.step}: {told.fault}: {told.complaint}", flush=True)
    outcomes = sorted({outcome for _, outcome in counts})
    print(f"\n{'':28}" + "".join(f"{outcome:>10}" for outcome in outcomes))
    for name in dict.fromkeys(step for step, _ in counts):
        row = "".join(f"{counts[name, outcome]:10}" for outcome in outcomes)
        print(f"{name:28}{row}")
    took = time.monotonic() - start
    print(f"\n{sum(counts.values())} cases, {n_complaints} complaints, {took:.0f} s")
    return 1 if n_complaints else 0


if __name__ == "__main__":
    if "--worker" in sys.argv:
        sys.path[:0] = [str(SCRIPTS), str(HELPERS)]
        be_worker(sys.argv[2])
    else:
        sys.exit(main())
