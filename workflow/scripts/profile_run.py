"""Rule profile_run: what each stage of the last run used, as a table and a figure."""

from pathlib import Path

from reelbow import run_profile
from reelbow.errors import ReelbowError
from reelbow.job import replacing, run


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
    jobs = list(run_profile.find_jobs(films, kinds, logs=logs, results=results))
    if not jobs:
        raise ReelbowError(
            f"{logs}/ tells of no finished job of these films; "
            "give `uv run snakemake` first"
        )
    stages, whole = run_profile.sum_stages(jobs), run_profile.sum_all(jobs)
    with replacing(table) as temporary:
        run_profile.write_table(stages, temporary)
    with replacing(figure) as temporary:
        run_profile.draw_figure(stages, whole, temporary)
    print(f"\n{run_profile.format_table(stages, whole)}\n\n{table}\n{figure}")
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
