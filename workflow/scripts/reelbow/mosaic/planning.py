"""Plans a mosaic: from a target and the tiles of films to the frame of each cell."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from reelbow.database.opening import telling_damage
from reelbow.errors import ReelbowError
from reelbow.mosaic.assignment import assign_tiles, count_repeats
from reelbow.mosaic.cells import Cell, Mosaic
from reelbow.mosaic.features import LEVELS, PARTS, count_views, describe_parts
from reelbow.mosaic.target import Target
from reelbow.mosaic.tiles import Tiles, count_tiles, read_tiles
from reelbow.text import count


def plan_mosaic(
    target: Target,
    films: Mapping[Path, Sequence[Path]],
    *,
    apart: int,
    max_use: int | None,
    mirror: bool,
    details: str,
    seed: int,
) -> Mosaic:
    """Choose the frame of each cell.

    Parameters
    ----------
    films : of each film's database the tiles of its shards
    apart, max_use, mirror, seed : as `assign_tiles` takes them
    details : of which frames details may be tiles, too, as `count_views` takes it

    Raises
    ------
    ReelbowError
        If there are too few frames for so many cells.
    """
    n_views = count_views(details, count_tiles(films))
    tiles = read_tiles(films, n_views)
    n_cells = target.rows * target.columns
    if complaint := find_want(n_cells, target.columns, len(tiles.frames), max_use):
        raise ReelbowError(complaint)
    assignment = assign_tiles(
        describe_parts(target.parts),
        target.columns,
        tiles.features,
        tiles.groups,
        apart=apart,
        max_use=max_use,
        mirrors=mirror,
        seed=seed,
    )
    # Of each part lightness counts once, and of all 16 together the chroma.
    differences = np.sqrt(assignment.distances / PARTS**2) / LEVELS
    shards = [
        (database, path.stem) for database, paths in films.items() for path in paths
    ]
    names, titles, times_s = _look_up(films, tiles, assignment.tiles.tolist(), shards)
    cells = []
    for cell, tile in enumerate(assignment.tiles.tolist()):
        database, shard = shards[tiles.shards[tile]]
        frame = int(tiles.frames[tile])
        cells.append(
            Cell(
                *divmod(cell, target.columns),
                film=names[database],
                frame=frame,
                time_s=times_s[database].get(frame),
                view=int(assignment.views[cell]),
                mirrored=int(assignment.mirrored[cell]),
                difference=round(float(differences[cell]), 6),
                group=int(tiles.groups[tile]),
                shard=shard,
                place=int(tiles.places[tile]),
            )
        )
    about = {
        "titles": titles,
        "n_tiles": len(tiles.frames),
        "n_views": n_views,
        "n_groups": len(np.unique(tiles.groups)),
        "n_repeats": count_repeats(assignment, target.columns, tiles.groups, apart),
    }
    return Mosaic(target.rows, target.columns, cells, about)


def find_want(
    n_cells: int, columns: int, n_tiles: int, max_use: int | None
) -> str | None:
    """Say what is wanting if there are too few tiles; None: nothing is.

    n_tiles : or as many as there may be at most
    """
    most = n_cells if max_use is None else max_use
    if n_tiles * most >= n_cells:
        return None
    if not n_tiles:
        return "there are no frames to make it of; give films of which some can be read"
    fitting, rows = columns, n_cells / columns
    # As many rows as there may be, of which these are rounded.
    while fitting > 1 and (
        fitting * int(fitting * (rows + 0.5) / columns + 0.5) > n_tiles * most
    ):
        fitting -= 1
    return (
        f"{n_cells:,} cells in {columns:,} columns, but {n_tiles:,} frames for them, "
        f"each used at most {count(most, 'time')}; give at most {fitting:,} columns, a "
        "larger max_use, or more frames"
    )


def _look_up(
    films: Mapping[Path, Sequence[Path]],
    tiles: Tiles,
    chosen: Sequence[int],
    shards: Sequence[tuple[Path, str]],
) -> tuple[dict[Path, str], dict[str, str], dict[Path, dict[int, float | None]]]:
    """Look up the ids of films, their titles, and the times of chosen frames."""
    wanted: dict[Path, set[int]] = {database: set() for database in films}
    for tile in chosen:
        wanted[shards[tiles.shards[tile]][0]].add(int(tiles.frames[tile]))
    names, titles, times_s = {}, {}, {}
    for database, frames in wanted.items():
        with telling_damage(database, oldest=1) as connection:
            film, title = connection.execute("SELECT film, title FROM films").fetchone()
            names[database], titles[film] = film, title
            ask = "SELECT time_s FROM frames WHERE frame = ?"
            times_s[database] = {
                frame: connection.execute(ask, (frame,)).fetchone()[0]
                for frame in sorted(frames)
            }
    return names, titles, times_s
