"""Rule cluster_shard: the palette of every frame of one shard."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from reelbow.database.drawing_sums import add_sums
from reelbow.database.frames import add_frames
from reelbow.database.opening import open_new
from reelbow.database.schema import ONLY_FILM, FilmRow, now
from reelbow.database.writing import (
    add_color_sums,
    add_film,
    add_shard,
    add_skipped,
    add_told,
    finish,
    note_varying_coding,
)
from reelbow.jobs.files import atomic_write, taking_over
from reelbow.jobs.job import run
from reelbow.jobs.log import explain_fallback
from reelbow.kmeans import add_accents, find_palettes
from reelbow.kmeans.palettes import find_version
from reelbow.machine.versions import describe_versions
from reelbow.pictures.color_sums import ColorSums
from reelbow.runs.plain_paths import find_own_name
from reelbow.shards.batches import ThumbnailOptions
from reelbow.shards.kinds import find_kind
from reelbow.shards.names import name_source
from reelbow.shards.opening import open_frames
from reelbow.shards.plan import find_file, find_shard, read_plan
from reelbow.shards.previews import PreviewOptions, find_usual_shape, write_previews


def cluster_shard(
    frames: Path,
    plan: Path,
    palettes: Path,
    *,
    film: str,
    source: str,
    shard: str,
    n_colors: int | Literal["auto"],
    n_accents: int,
    color_space: str,
    n_init: int,
    seed: int,
    engine: str,
    metadata: dict[str, str],
    shaping: ThumbnailOptions,
    previews: Path | None = None,
    preview_options: PreviewOptions | None = None,
    auto_colors: Sequence[int] = (),
    gpu_fallback: str | None = None,
    used_up: bool = False,
    go_on: bool = False,
) -> None:
    """Cluster each frame's colors and write the shard's database.

    frames : thumbnails; or what the shard's pictures are in, clustered at full size
    previews : at full size, where the sheet of them is to be; None: nowhere
    auto_colors : the fewest and the most of a frame, if n_colors is "auto"
    gpu_fallback : why this is not done on a GPU, if it was to be
    used_up : whether `frames` are deleted when that is done
    go_on : whether of a damaged shard what can be read is enough
    """
    if gpu_fallback:
        print(f"not on a GPU: {gpu_fallback}", file=sys.stderr)
    planned = read_plan(plan)
    made_at = now()
    sums = ColorSums()
    row = FilmRow.from_plan(planned, film=film, title=film, source=name_source(source))
    with (
        taking_over(frames, used_up=used_up),
        open_frames(frames, planned, shard, shaping, go_on=go_on) as shard_frames,
        write_previews(
            previews, preview_options, find_usual_shape(planned, shaping.height)
        ) as sheet,
        atomic_write(palettes) as temporary,
        open_new(temporary) as connection,
    ):
        add_film(connection, ONLY_FILM, row._replace(made_at=made_at))
        for batch in shard_frames.batches():
            if sheet:
                for pixels, frame in zip(batch.pixels, batch.frames, strict=True):
                    sheet.add(pixels, int(frame))
            sums.add_frames(batch.frames, batch.times_s, batch.pixels)
            found = find_palettes(
                batch.pixels,
                n_colors=n_colors,
                auto_colors=auto_colors,
                n_init=n_init,
                seed=seed,
                color_space=color_space,
                engine=engine,
            )
            is_accent = None
            if n_accents:
                found, is_accent = add_accents(
                    batch.pixels, found, n_accents=n_accents, color_space=color_space
                )
            add_frames(
                connection,
                shard,
                frames=batch.frames,
                times_s=batch.times_s,
                names=batch.names,
                mean_colors=batch.means,
                lumas=batch.lumas,
                strips=batch.strips,
                measures=batch.measures,
                colors=found.colors,
                shares=found.shares,
                is_accent=is_accent,
            )
            if batch.told:
                told = zip(batch.frames.tolist(), batch.told, strict=True)
                add_told(connection, find_kind(planned).name, told)
        add_sums(connection, shard_frames.sums)
        add_color_sums(connection, sums.pack())
        add_skipped(connection, shard, shard_frames.skipped)
        add_shard(
            connection,
            shard,
            engine=engine,
            version=find_version(engine),
            gpu_fallback=gpu_fallback,
            path=name_source(source, find_file(planned, find_shard(planned, shard))),
            digest=shard_frames.digest,
            made_at=made_at,
            lost=shard_frames.lost,
        )
        if shard_frames.varies:
            note_varying_coding(connection)
        # What ran the job is told, and yet no reason to run it again.
        versions = {**describe_versions("snakemake"), **shard_frames.versions}
        most = auto_colors[1] if n_colors == "auto" else n_colors
        finish(connection, {**metadata, **versions}, n_colors=most + n_accents)


if __name__ == "__main__":
    settings = snakemake.params.settings
    gpu_log = Path(snakemake.log[0]).with_suffix(".gpu")
    run(
        cluster_shard,
        log=snakemake.log[0],
        second_log=gpu_log if snakemake.resources.gpu else None,
        # A GPU's driver reserves far more memory than it uses.
        mem_mb=None if snakemake.resources.gpu else snakemake.resources.mem_mb,
        profile=bool(snakemake.resources.profile),
        frames=find_own_name(snakemake.input.frames),
        plan=Path(snakemake.input.plan),
        palettes=Path(snakemake.output.palettes),
        film=snakemake.wildcards.film,
        source=settings["source"],
        shard=snakemake.wildcards.shard,
        n_colors=settings["n_colors"],
        auto_colors=settings["auto_colors"],
        n_accents=settings["n_accents"],
        color_space=settings["color_space"],
        n_init=settings["n_init"],
        seed=settings["seed"],
        engine=snakemake.resources.gpu_engine
        if snakemake.resources.gpu
        else settings["engine"],
        metadata=settings["metadata"],
        shaping=ThumbnailOptions(**settings["shaping"]),
        previews=Path(sheet) if (sheet := snakemake.output.previews) else None,
        preview_options=PreviewOptions(**found)
        if (found := settings["previews"])
        else None,
        gpu_fallback=explain_fallback(gpu_log)
        if snakemake.resources.gpu_tag > snakemake.resources.gpu
        else None,
        used_up=bool(snakemake.resources.used_up),
        go_on=bool(snakemake.resources.go_on),
    )
    # Done; until then every further attempt looks for it.
    gpu_log.unlink(missing_ok=True)
