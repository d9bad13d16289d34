"""Whether two versions of Reelbow give the same rows: every table but metadata.

Runs both on the same films and tarballs, each into a folder of its own, and compares
the databases of all films. A table or column that only one of them has is told.

    git worktree add OTHER COMMIT
    uv run python benchmarks/compare_rows.py OTHER ../shared/data --tarball frames.tar
"""

import argparse
import contextlib
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# When a shard was made, and by which version of the code.
NOT_COMPARED = {"made_at", "version"}
SUFFIXES = (".mp4", ".webm", ".mkv", ".ts", ".ogv", ".avi", ".mov")


def write_sheet(path: Path, films: Path, tarballs: list[Path]) -> Path:
    """Write a sheet of the films of a folder and of some tarballs."""
    sources = [p for p in sorted(films.iterdir()) if p.suffix in SUFFIXES]
    rows = [f"film{i:02d}\t{source}" for i, source in enumerate([*sources, *tarballs])]
    path.write_text("\n".join(["film\tsource", *rows]) + "\n")
    return path


def run(code: Path, folder: Path, *settings: str) -> Path:
    """Run one version; films that cannot be read fail, in both versions alike."""
    command = [sys.executable, "-m", "snakemake", "-s", code / "Snakefile", "--cores"]
    command += ["2", "--keep-going", "--quiet", "all", "--directory", folder]
    kinds = "barcodes={kinds: [], formats: []}"
    subprocess.run([*command, "--config", kinds, *settings], check=False)
    return folder / "results/palettes.sqlite"


def read_tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Read all tables of a database but metadata, each in the order of its rows."""
    tables = {}
    with contextlib.closing(sqlite3.connect(path)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
        ).fetchall()
        for (name,) in names:
            if name == "metadata" or name.startswith("sqlite_"):
                continue
            columns = [
                column
                for _, column, *_ in connection.execute(f"PRAGMA table_info({name})")
                if column not in NOT_COMPARED
            ]
            chosen = ", ".join(columns)
            rows = connection.execute(f"SELECT {chosen} FROM {name} ORDER BY {chosen}")
            tables[name] = [tuple(columns), *rows]
    return tables


def compare(one: Path, other: Path) -> bool:
    """Print what of two databases is the same; return whether all is."""
    first, second = read_tables(one), read_tables(other)
    same = first.keys() == second.keys()
    if not same:
        print(f"tables of only one: {first.keys() ^ second.keys()}")
    for name in first.keys() & second.keys():
        left, right = first[name], second[name]
        differ = sum(a != b for a, b in zip(left, right, strict=False))
        differ += abs(len(left) - len(right))
        same &= not differ
        print(f"{name}: {len(left) - 1} and {len(right) - 1} rows, {differ} differ")
    return same


def main() -> None:
    """Run both and compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("other", type=Path, help="a checkout of the other version")
    parser.add_argument("films", type=Path, help="a folder of films")
    parser.add_argument("--tarball", type=Path, action="append", default=[])
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        tarballs = [path.resolve() for path in a.tarball]
        sheet = write_sheet(folder / "films.tsv", a.films.resolve(), tarballs)
        same = True
        for name, settings in (("demo", []), ("sheet", [f"films={sheet}"])):
            one, other = (
                run(code, folder / f"{name}{i}", *settings)
                for i, code in enumerate([a.other.resolve(), ROOT])
            )
            print(f"{name}:")
            same &= compare(one, other)
    sys.exit(not same)


if __name__ == "__main__":
    main()
