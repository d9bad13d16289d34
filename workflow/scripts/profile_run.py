"""Rule profile_run: what each stage of the last run used, as a table and a figure."""

from pathlib import Path

from reelbow.errors import ReelbowError
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.runs.profile import (
    draw_figure,
    find_jobs,
    format_table,
    sum_all,
    sum_stages,
    write_table,
)


def profile_run(
    table: Path,
    figure: Path,
    *,
    films: list[str],
    kinds: list[str],
    logs: Path,
    results: Path,
) -> None:
    """Sum up what the finished jobs of the films left in logs/, and print it too."""
    jobs = list(find_jobs(films, kinds, logs=logs, results=results))
    if not jobs:
        raise ReelbowError(
            f"{logs}/ tells of no finished job of these films; "
            "give `uv run snakemake` first"
        )
    stages, whole = sum_stages(jobs), sum_all(jobs)
    write_table(stages, table)
    with atomic_write(figure) as temporary:
        draw_figure(stages, whole, temporary)
    print(f"\n{format_table(stages, whole)}\n\n{table}\n{figure}")
    # Snakemake's bars, four lines high, are drawn over what stands last.
    print("\n" * 3)


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        profile_run,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        table=Path(snakemake.output.table),
        figure=Path(snakemake.output.figure),
        films=settings["films"],
        kinds=settings["kinds"],
        # As a module it has folders of its own.
        logs=Path(snakemake.log[0]).parent,
        results=Path(snakemake.output.table).parent,
    )
