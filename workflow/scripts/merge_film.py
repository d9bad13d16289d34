"""Rule merge_film: the database of a film, of those of all its shards."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reelbow.database.merging import merge_shards
from reelbow.database.reading import find_lost
from reelbow.database.schema import VERSION, FilmRow, PaletteSettings
from reelbow.database.shot_rows import SHOTS_KEY
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.runs.kept_output import make_damaged_again
from reelbow.runs.leftovers import drop_lost, remove_leftovers
from reelbow.shards.names import name_source
from reelbow.shards.plan import read_plan


def merge_film(
    shards: list[Path],
    plan: Path,
    palettes: Path,
    *,
    film: str,
    title: str,
    source: str,
    fps: float | None,
    n_colors: int,
    palette: PaletteSettings,
    cuts: Sequence[Path] = (),
    finding: dict[str, Any] | None = None,
    own: dict[str, str] | None = None,
    logs: Path = Path("logs"),
    keep: bool = False,
    has_previews: bool = True,
    go_on: bool = False,
) -> None:
    """Copy the shards in order, verify them against the plan, and tidy up after them.

    n_colors : columns of the view of palettes
    palette : how that of the whole film is found
    cuts : the scores of cuts of each shard; empty: no shots are looked for
    finding : how shots are found in these scores, as `find_shots` takes it
    logs : where the shards' jobs left theirs
    keep : whether thumbnails are to be kept
    has_previews : whether this run asks for previews
    go_on : whether shards that could not be read whole are enough
    """
    planned = read_plan(plan)
    shots, about = [], {}
    with atomic_write(palettes) as temporary, make_damaged_again():
        # Of a film without a plan there is nothing to tell, as of settings.
        if finding is not None and shards:
            # Imported for who asks for it.
            from reelbow.analysis.cut_scores import load_scores
            from reelbow.analysis.shots import DETECTORS_VERSION, find_shots

            scores = load_scores(cuts, go_on=go_on)
            shots = find_shots(scores, end_s=planned["end_s"], fps=fps, **finding)
            about = {
                SHOTS_KEY: json.dumps(finding, sort_keys=True),
                f"{VERSION}scenedetect": DETECTORS_VERSION,
            }
        merge_shards(
            {
                part["shard"]: path
                for part, path in zip(planned["shards"], shards, strict=True)
            },
            temporary,
            row=FilmRow.from_plan(
                planned, film=film, title=title, source=name_source(source), own=own
            ),
            planned={part["shard"]: part["n_frames"] for part in planned["shards"]},
            fps=fps,
            n_colors=n_colors,
            palette=palette,
            shots=shots,
            about=about,
            error=planned.get("error"),
        )
        lost = {} if go_on else find_lost(temporary)
        if lost:
            drop_lost(palettes.parent, lost)
    remove_leftovers(
        palettes.parent,
        logs,
        [part["shard"] for part in planned["shards"]],
        planned_at=plan.stat().st_mtime,
        keep=keep,
        has_previews=has_previews,
        has_shots=finding is not None,
    )
    barcodes, posters = palettes.parent / "barcodes", palettes.parent / "posters"
    if barcodes.is_dir() or posters.is_dir():
        # Imported for a film that was made before; a new one saves its imports.
        from reelbow.barcode.picture_files import drop_other_posters, drop_pictures

        # Those that are asked for are drawn next; others would be of other palettes.
        for dropped in [*drop_pictures(barcodes), *drop_other_posters(posters, [])]:
            print(f"{dropped}: deleted, since the palettes are new", file=sys.stderr)


if __name__ == "__main__":
    settings = snakemake.params.settings
    run(
        merge_film,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        shards=[Path(shard) for shard in snakemake.input.shards],
        plan=Path(snakemake.input.plan),
        palettes=Path(snakemake.output.palettes),
        cuts=[Path(scores) for scores in snakemake.input.cuts],
        film=snakemake.wildcards.film,
        title=settings["title"],
        source=settings["source"],
        own=settings["own"],
        fps=settings["fps"],
        n_colors=settings["n_colors"],
        palette=PaletteSettings(**settings["palette"]),
        finding=settings["shots"],
        logs=Path(snakemake.log[0]).parents[1],
        keep=bool(snakemake.resources.keep),
        has_previews=bool(snakemake.resources.previews),
        go_on=bool(snakemake.resources.go_on),
    )
