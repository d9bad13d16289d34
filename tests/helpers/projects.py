"""Folders to run Snakemake in as a user does, never beside the sources."""

import compileall
import csv
import io
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import cv2
import yaml

from films import solid, write_film
from warm_snakemake import get_warm

ROOT = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).parent / "snakemake"

# The film of most tests: a second of each color.
COLORS = [0xC02020, 0x20C020, 0x2020C0, 0xC0C020, 0x20C0C0, 0x808080]

# Pictures, pages, tables and the index of colors cost most of a run; tests that are not
# about them do without.
NO_PAGES = {
    "explorer": {"page": False},
    "tables": {"formats": []},
    "search": {"index": False},
}
NO_PICTURES = {"barcodes": {"kinds": [], "formats": []}, **NO_PAGES}
ONE_PICTURE = {"barcodes": {"kinds": ["mean"], "formats": []}, **NO_PAGES}

# What is made of all films together in these.
ALL_FILMS = {"merge_films", "summarize_films"}


@dataclass
class Result:
    """What a user sees of a run, and the jobs that began."""

    status: int
    stderr: str
    jobs: set[str]
    stdout: str = ""

    @property
    def told(self) -> list[str]:
        """What is told, but for the profile that Snakemake takes, before all else."""
        lines = self.stderr.strip().splitlines()
        return [line for line in lines if not line.startswith("Using")]

    @property
    def counts(self) -> dict[str, int]:
        """Jobs of each rule, by the table of a dry run."""
        rows = re.findall(r"^ ?([a-z]+(?: [a-z]+)*) +(\d+) *$", self.stderr, re.M)
        return {rule.replace(" ", "_"): int(count) for rule, count in rows}


@dataclass
class Project:
    """A folder in which a user runs Snakemake."""

    folder: Path
    code: Path
    environment: dict[str, str] = field(default_factory=dict, kw_only=True)

    def run(self, *arguments: str, cores: int = 2, **config: Any) -> Result:
        """Run Snakemake with this configuration."""
        before = self._logs()
        status, stdout, stderr = self._execute(
            [str(part) for part in self._command(*arguments, cores=cores, **config)],
            {**os.environ, "COLUMNS": "200", **self.environment},
        )
        after = self._logs()
        jobs = {job for job, time in after.items() if before.get(job) != time}
        return Result(status, stderr, jobs, stdout)

    def _execute(
        self, command: list[str], environment: dict[str, str]
    ) -> tuple[int, str, str]:
        """Run a command; return its status, and what it told at stdout and stderr."""
        with TemporaryFile("w+") as stdout, TemporaryFile("w+") as stderr:
            status = get_warm().run(command, self.folder, environment, (stdout, stderr))
            stdout.seek(0)
            stderr.seek(0)
            return status, stdout.read(), stderr.read()

    def make(self, *arguments: str, cores: int = 2, **config: Any) -> Result:
        """Run Snakemake, which has to go well."""
        result = self.run(*arguments, cores=cores, **config)
        assert result.status == 0, result.stderr
        return result

    def interrupt(
        self, is_time: Callable[[], bool], *arguments: str, times: int = 1, **how: Any
    ) -> tuple[int, str]:
        """Run Snakemake, and press Ctrl-C when it is time; return status and stderr."""
        with subprocess.Popen(
            self._command(*arguments, **how),
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "400", **self.environment},
            stderr=subprocess.PIPE,
            text=True,
            # As a terminal does, which sends it to all processes of the command.
            start_new_session=True,
            # Not ignored, as it is by what starts in the background, behind nohup.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process:
            deadline = time.monotonic() + 300
            while not is_time() and time.monotonic() < deadline:
                time.sleep(0.1)
            for _ in range(times):
                os.killpg(process.pid, signal.SIGINT)
            _, told = process.communicate(timeout=60)
        return process.returncode, told

    def _command(self, *arguments: str, cores: int, **config: Any) -> list[str | Path]:
        given = []
        if config:
            own, text = self.folder / "own.yaml", yaml.safe_dump(config)
            # Jobs of a run that goes on here read it, and never half of it.
            if not own.exists() or own.read_text() != text:
                own.write_text(text)
            given = ["--configfile", "own.yaml"]
        return [
            *[SNAKEMAKE, "--snakefile", self.code / "Snakefile"],
            *["--cores", str(cores), *given, *arguments],
        ]

    def _logs(self) -> dict[str, int]:
        """When each job last began: it opens its log anew."""
        logs = self.folder / "logs"
        return {
            str(path.relative_to(logs).with_suffix("")): path.stat().st_mtime_ns
            for path in logs.rglob("*.log")
        }

    def query(self, sql: str, database: str = "palettes.sqlite") -> list[Any]:
        """Ask a database in results/."""
        path = self.folder / "results" / database
        with closing(
            sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        ) as connection:
            return connection.execute(sql).fetchall()

    def check_colors(self, colors: Sequence[int]) -> None:
        """Check that these are the largest colors of all frames, in their order."""
        rows = self.query("SELECT color FROM palettes WHERE rank = 0 ORDER BY frame")
        assert len(rows) == len(colors)
        assert all(map(close_to, (color for (color,) in rows), colors))

    def failures(self) -> list[dict[str, str]]:
        """Read the rows of the table of failures; none if there is none."""
        table = self.folder / "results" / "failed.tsv"
        if not table.exists():
            return []
        with table.open(newline="") as lines:
            return list(csv.DictReader(lines, delimiter="\t"))

    def rows(self) -> dict[str, list[Any]]:
        """All rows of the database of all films, but when and of which shard."""
        tables = {"films": "made_at", "frames": "shard", "palettes": "", "skipped": ""}
        rows = {}
        for table, left_out in tables.items():
            names = self.query(f"SELECT name FROM pragma_table_info('{table}')")
            columns = ", ".join(name for (name,) in names if name != left_out)
            rows[table] = sorted(
                # None has no order among texts and numbers.
                self.query(f"SELECT {columns} FROM {table}"),
                key=repr,
            )
        return rows

    def results(self) -> set[str]:
        """List the files in results/."""
        results = self.folder / "results"
        return {
            str(path.relative_to(results))
            for path in results.rglob("*")
            if path.is_file() and ".snakemake_timestamp" not in path.name
        }

    def copy(self, folder: Path) -> "Project":
        """Copy the folder with the times of its files."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder, self.code)


def name_jobs(stages: Iterable[str], film: str, *shards: str) -> set[str]:
    """Name the jobs that bring shards of a film through stages."""
    return {f"{stage}/{film}/{shard}" for stage in stages for shard in shards}


def name_merges(film: str) -> set[str]:
    """Name the jobs that merge a film, and then all films."""
    return {f"merge_film/{film}", *ALL_FILMS}


def copy_code(folder: Path, source: Path = ROOT) -> Path:
    """Copy the workflow, with what numba has compiled already."""
    for name in ["workflow", "config", "profiles", "slurm", "envs"]:
        shutil.copytree(source / name, folder / name)
    shutil.copy2(source / "Snakefile", folder)
    # Else each job does it, where Python may not keep bytecode.
    compileall.compile_dir(folder / "workflow/scripts", quiet=1)
    return folder


def make_project(folder: Path, code: Path) -> Project:
    """Make a folder to run in."""
    shutil.copytree(ROOT / "config", folder / "config")
    return Project(folder, code)


FINISHED = {
    "films": "colors.mp4",
    "shards": {"frames": 2},
    "barcodes": {"kinds": ["mean", "stacked"], "height": 40, "formats": ["png"]},
    **NO_PAGES,
}


def write_colors(path: Path, colors: Iterable[int] = COLORS) -> Path:
    """Write a film of a second of each color."""
    frames = (solid(color) for color in colors for _ in range(12))
    return write_film(path, frames, rate=12, gop=12)


def write_tarball(
    path: Path, pictures: Mapping[str, bytes | int] | Sequence[int]
) -> Path:
    """Write a tarball of members: bytes as they are, a color as a JPEG of it.

    Mere colors have the names 0.jpg, 1.jpg and so on.
    """
    if not isinstance(pictures, Mapping):
        pictures = {f"{i}.jpg": color for i, color in enumerate(pictures)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, picture in pictures.items():
            data = encode(picture) if isinstance(picture, int) else picture
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def encode(color: int) -> bytes:
    """Encode a flat picture of a color as JPEG."""
    pixels = cv2.cvtColor(solid(color), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def close_to(color: int, other: int, by: int = 3) -> bool:
    """Whether two colors differ by little in each channel."""
    return all(
        abs((color >> shift & 255) - (other >> shift & 255)) <= by
        for shift in (0, 8, 16)
    )
