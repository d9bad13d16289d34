"""Rule render_barcode: one kind of barcode of one film, bare and as figures."""

from collections.abc import Sequence
from pathlib import Path

from reelbow.barcode import draw_barcode, read_film
from reelbow.job import replacing, run


def render_barcode(
    database: Path,
    barcode: Path,
    figures: Sequence[Path],
    *,
    kind: str,
    height: int,
    width: int | None,
    order: str,
    skip_black: bool = False,
) -> None:
    """Draw the bare barcode as a PNG of exact pixels, and each figure by its suffix."""
    import cv2

    from reelbow.figure import save_figure

    pixels = draw_barcode(
        database,
        kind,
        height=height,
        width=width,
        order=order,
        skip_black=skip_black,
    )
    with replacing(barcode) as temporary:
        # OpenCV's default is quick and a hundred times larger.
        small = [cv2.IMWRITE_PNG_COMPRESSION, 6]
        _, png = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), small)
        temporary.write_bytes(png.tobytes())

    film = read_film(database, skip_black=skip_black)
    for figure in figures:
        with replacing(figure) as temporary:
            save_figure(
                pixels,
                temporary,
                title=film.title,
                kind=kind,
                source=film.source,
                times_s=film.times_s,
                n_frames=len(film.frames),
                frames=film.frames,
            )


if __name__ == "__main__":
    run(
        render_barcode,
        log=snakemake.log[0],
        mem_mb=snakemake.resources.mem_mb,
        database=Path(snakemake.input.database),
        barcode=Path(snakemake.output.barcode),
        figures=[Path(figure) for figure in snakemake.output.figures],
        kind=snakemake.wildcards.kind,
        height=snakemake.params.height,
        width=snakemake.params.width,
        order=snakemake.params.order,
        skip_black=snakemake.params.skip_black,
    )
