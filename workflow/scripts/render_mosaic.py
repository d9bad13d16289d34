"""Rule render_mosaic: the picture of a mosaic, its maps, and a page to look into it."""

from collections.abc import Sequence
from pathlib import Path

from reelbow.barcode.picture_files import MAKER
from reelbow.explorer.mosaic_page import make_page
from reelbow.jobs.files import atomic_write
from reelbow.jobs.job import run
from reelbow.mosaic.cells import read_mosaic
from reelbow.mosaic.maps import save_maps
from reelbow.mosaic.rendering import draw_mosaic, find_cell_size
from reelbow.mosaic.target import read_target
from reelbow.pictures.png import write_png
from reelbow.runs.plain_paths import find_own_name


def render_mosaic(
    target: Path,
    mosaic: Path,
    previews: Sequence[Path],
    picture: Path,
    maps: Path,
    page: Path | None,
    *,
    name: str,
    aspect: tuple[int, int],
    width: int,
    tint: float,
    max_pixels: int,
) -> None:
    """Draw a mosaic.

    previews : sheets of all shards, in their films' folders
    width : of the picture in pixels, at most
    """
    planned = read_mosaic(mosaic)
    found = read_target(target, planned.columns, aspect, max_pixels)
    cell_size = find_cell_size(planned.columns, width, aspect)
    sheets = {(path.parents[1].name, path.stem): path for path in previews}
    size = (planned.columns * cell_size[1], planned.rows * cell_size[0])
    with atomic_write(picture) as temporary, temporary.open("wb") as file:
        strips = draw_mosaic(
            planned,
            found.parts,
            sheets,
            cell_size=cell_size,
            aspect=aspect,
            tint=tint,
            room=picture.parent,
        )
        write_png(file, strips, size, texts={"Title": name, "Software": MAKER})
    with atomic_write(maps) as temporary:
        save_maps(planned, temporary, aspect)
    if page:
        text = make_page(planned, name, picture=picture, size=size)
        with atomic_write(page) as temporary:
            temporary.write_text(text, encoding="utf-8")
    else:
        # One of an earlier run would tell of other frames.
        picture.with_suffix(".html").unlink(missing_ok=True)


if __name__ == "__main__":
    settings = dict(snakemake.params.settings)
    output = snakemake.output
    run(
        render_mosaic,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        target=find_own_name(snakemake.input.target),
        mosaic=Path(snakemake.input.mosaic),
        previews=[Path(path) for path in snakemake.input.previews],
        picture=Path(output.picture),
        maps=Path(output.maps),
        page=Path(output.page) if output.get("page") else None,
        name=snakemake.wildcards.mosaic,
        aspect=tuple(settings.pop("aspect")),
        **settings,
    )
