"""What a run would do, what it has made, and what is missing in that."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from reelbow.database.reading import count_fallbacks, count_skipped, find_lost
from reelbow.errors import ReelbowError
from reelbow.runs.comparisons import find_pair
from reelbow.runs.films import Film
from reelbow.runs.pace import Expected, Job
from reelbow.shards.names import STAGES
from reelbow.shards.plan import Plan
from reelbow.text import align, count, format_moment, join_words

# What is listed of films in a dry run, and of names in a line of files.
MOST_FILMS = 20
MOST_NAMES = 20

# A barcode for print, with title and axis; the others are bare.
FIGURE = re.compile(r"(_figure|^measures|^shots)\.png$|\.(svg|pdf)$")


def describe_plans(
    jobs: Collection[Job], films: Mapping[str, Film], expected: Mapping[str, Expected]
) -> str:
    """Say what a run would do, film by film.

    Parameters
    ----------
    jobs : of the run
    expected : of films that are not planned yet, as far as one can tell
    """
    shards = Counter(job[1] for job in jobs if job[0] == STAGES[-1])
    unplanned = {job[1] for job in jobs if job[0] == "plan_shards"}
    rows = []
    # Pairs that are compared are named by two.
    for film in sorted({job[1] for job in jobs if len(job) > 1} & films.keys()):
        what = count(shards[film], "shard")
        if film in expected:
            what = f"about {count(expected[film].n_shards, 'shard')}"
        elif film in unplanned:
            what = "unknown before it is planned"
        fault = getattr(films[film], "fault", None)
        rows.append((f"  {film}", films[film].source, fault or what))
    n_shards = shards.total() + sum(film.n_shards for film in expected.values())
    about = "about " if unplanned else ""
    lines = align(rows) if rows else []
    if len(rows) > MOST_FILMS:
        lines[MOST_FILMS:] = [f"  ... and {len(rows) - MOST_FILMS:,} more"]
    whole = f"{count(len(rows), 'film')}, {about}{count(n_shards, 'shard')} to do:"
    return "\n".join([whole, *(line.rstrip() for line in lines)])


def describe_outdated(
    results: Path, films: Collection[str], asked: Collection[Path]
) -> str:
    """Say what is older than the palettes that it tells of; nothing: nothing is.

    A run makes anew what it is asked for; other files stay as earlier runs left them.

    Parameters
    ----------
    asked : files that this run was asked for, which it has judged itself
    """
    older: list[Path] = []
    of_all = ["methods.md", "CITATION.bib", "ro-crate-metadata.json", "tables/*"]
    older += _find_older(
        results, [*of_all, "comparisons/m*.*"], [results / "palettes.sqlite"]
    )
    for film in films:
        database = results / film / "palettes.sqlite"
        older += _find_older(results / film, ["README.md", "tables/*"], [database])
    for path in (results / "comparisons").glob("*--*.json"):
        pair = find_pair(path.stem, films) or ()
        databases = [results / film / "palettes.sqlite" for film in pair]
        older += _find_older(path.parent, [f"{path.stem}.*"], databases)
    databases = [results / film / "palettes.sqlite" for film in films]
    older += _find_older(results, ["mosaics/*"], databases)
    folders = {path.parent for path in asked}
    # A whole folder of tables is told in a word.
    found = dict.fromkeys(
        path.parent
        if path.parent.name == "tables" and path.parent not in folders
        else path
        for path in older
        if path not in asked
    )
    if not found:
        return ""
    told = [str(path) for path in found][:MOST_NAMES]
    if len(found) > MOST_NAMES:
        told.append(f"{len(found) - MOST_NAMES:,} more")
    return (
        "older than the palettes, since this run was not asked for them: "
        f"{join_words(told)}; delete them, or ask for them again"
    )


def describe_unasked(results: Path, asked: Collection[Path]) -> str:
    """Say which comparisons no run asks for any more; nothing: none.

    They may be wanted, since a pair can be asked for by its name, and so they stay.

    Parameters
    ----------
    asked : files that this run was asked for
    """
    stems = {path.stem for path in asked if path.parent.name == "comparisons"}
    folder = results / "comparisons"
    found = sorted(path for path in folder.glob("*.json") if path.stem not in stems)
    if not found:
        return ""
    told = [path.stem for path in found][:MOST_NAMES]
    if len(found) > MOST_NAMES:
        told.append(f"{len(found) - MOST_NAMES:,} more")
    return (
        f"of earlier runs, and not asked for by compare: {join_words(told)} in "
        f"{folder}; delete what you do not need"
    )


def _find_older(
    folder: Path, patterns: Iterable[str], databases: Collection[Path]
) -> list[Path]:
    """Find the files in a folder that are older than one of some databases."""
    times_ns = [path.stat().st_mtime_ns for path in databases if path.exists()]
    newest_ns = max(times_ns, default=0)
    return [
        path
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
        if path.stat().st_mtime_ns < newest_ns
    ]


def describe_trim(plan: Plan) -> str:
    """Say what a film's plan leaves out at its ends; nothing: it leaves out nothing."""
    parts = []
    if before := plan.get("trimmed_start"):
        parts.append(f"what is before {format_moment(plan['start_s'])} ({before})")
    if after := plan.get("trimmed_end"):
        parts.append(f"all from {format_moment(plan['end_s'])} on ({after})")
    return f"trim leaves out {join_words(parts)}" if parts else ""


def describe_untrimmed(films: Mapping[str, Film]) -> str:
    """Say of which films nothing is ever left out; nothing: of none."""
    names = [name for name, film in films.items() if "trim" not in film.kind.settings]
    if not names:
        return ""
    listed = names[:3] + [f"{len(names) - 3:,} more"] * (len(names) > 3)
    return f"trim: auto is for videos; of {join_words(listed)} every image counts."


def describe_files(files: Iterable[Path], folder: Path) -> str:
    """Write a line for the files of each kind, as they are found from a folder."""
    kinds: dict[str, list[Path]] = {}
    for file in sorted(files):
        kinds.setdefault(_name_kind(file), []).append(file)
    if len(kinds) > 1:
        kinds.pop("shards", None)
    return "\n".join(
        f"  {kind:<9} {folder / _sum_up(paths)}" for kind, paths in kinds.items()
    )


def _name_kind(file: Path) -> str:
    """Say what a file is among the results."""
    if file.parent.name == "barcodes":
        return "figures" if FIGURE.search(file.name) else "barcodes"
    if file.parent.name == "palettes":
        return "shards"
    if file.parent.name == "previews":
        return "previews"
    if file.parent.name == "tables":
        return "exports" if len(file.parts) == 4 else "films"
    if file.parent.name == "comparisons":
        return "compared"
    if file.parent.name == "mosaics":
        return "mosaics"
    if file.parent.name == "repaired":
        return "repaired"
    if file.parent.name == "sketches":
        return "averages"
    if file.stem.startswith("defects"):
        return "defects"
    if file.suffix == ".html":
        return "pages"
    if file.suffix == ".tsv":
        return "tables"
    if file.suffix in (".md", ".bib") or file.name == "ro-crate-metadata.json":
        return "methods"
    names = {"palettes.sqlite": "palettes", "colors.sqlite": "index"}
    return names.get(file.name, "others")


def _sum_up(files: Sequence[Path]) -> Path:
    """Write files of one kind in one line; FILM stands for each of several films."""
    # That of all films says enough.
    files = [file for file in files if len(file.parts) == 2] or files
    folders = {file.parent for file in files}
    folder = Path(files[0].parts[0], "FILM", *files[0].parts[2:-1])
    if len(folders) == 1:
        folder = folders.pop()
    names = sorted({file.name for file in files})
    listed = ", ".join(names) if len(names) <= MOST_NAMES else f"{len(names):,} files"
    return folder / listed


def describe_gaps(
    film: str, database: Path, folder: Path, *, has_failed: bool
) -> Iterator[str]:
    """Say what is missing in a film's database, and what a CPU did for a GPU.

    What failed now is in the table; the database is an earlier run's then.
    """
    told_by = f"of {folder / database} has them all."
    try:
        lost = {} if has_failed else find_lost(database)
        n_skipped, n_frames, why_skipped = count_skipped(database)
        n_fallbacks, n_shards, why_no_gpu = count_fallbacks(database)
    except (ReelbowError, OSError) as error:
        yield f"film {film}: {error}"
        return
    for shard, reason in list(lost.items())[:1]:
        if shard:
            yield (
                f"film {film}: {count(len(lost), 'shard')} could not be read whole "
                f"({shard}: {reason}); the table skipped {told_by}"
            )
        else:
            yield f"film {film} is left out: {reason}"
    if n_skipped:
        yield (
            f"film {film}: {n_skipped} of {n_frames + n_skipped} pictures are missing "
            f"({why_skipped}, ...); the table skipped {told_by}"
        )
    if n_fallbacks:
        yield (
            f"film {film}: {n_fallbacks} of {count(n_shards, 'shard')} meant for a "
            f"GPU, but done by a CPU ({why_no_gpu}); the table shards {told_by}"
        )
