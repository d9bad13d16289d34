"""Rule find_defects: the hot pixels of a film's sensor, as tables and pictures."""

import sys
from pathlib import Path

from reelbow.analysis import hot_pixels
from reelbow.analysis.defect_files import write_defects, write_table
from reelbow.analysis.defect_pictures import save_map, save_worst
from reelbow.analysis.sensor_sums import FilmSums
from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.text import count


def find_defects(
    sums: Path,
    database: Path,
    table: Path,
    map_: Path,
    worst: Path,
    *,
    film: str,
    threshold: float,
) -> None:
    """Find the defects of the sensor that took the most photos of the film."""
    added = FilmSums.load(sums)
    try:
        found = hot_pixels.find_defects(added, threshold)
    except ReelbowError as error:
        raise ReelbowError(f"{film}: {error}") from None
    if added.left_out:
        _, name, reason = added.left_out[0]
        print(
            f"WARNING: {film}: {count(len(added.left_out), 'photo')} left out, the "
            f"first is {name} ({reason}); all are in the table left_out of {database}",
            file=sys.stderr,
        )
    if found.n_wide:
        print(
            f"WARNING: {film}: {count(found.n_wide, 'region')} left out that stand "
            f"out, but are {hot_pixels.MOST_WIDE} pixels wide or more, as a date or a "
            "frame around photos is",
            file=sys.stderr,
        )
    about = {"film": film, "threshold": threshold, "n_wide": found.n_wide}
    with atomic_write(database) as temporary:
        write_defects(temporary, added, found, about)
    with atomic_write(table) as temporary:
        write_table(temporary, found)
    with atomic_write(map_) as temporary:
        save_map(temporary, added, found)
    with atomic_write(worst) as temporary:
        save_worst(temporary, added, found)


if __name__ == "__main__":
    run(
        find_defects,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        sums=Path(snakemake.input.sums),
        database=Path(snakemake.output.database),
        table=Path(snakemake.output.table),
        map_=Path(snakemake.output.map),
        worst=Path(snakemake.output.worst),
        film=snakemake.wildcards.film,
        threshold=snakemake.params.settings["threshold"],
    )
