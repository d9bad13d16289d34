"""What is asked of mosaics, checked before any job starts, and told at the end."""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from reelbow.errors import ReelbowError
from reelbow.jobs.stored_files import is_url
from reelbow.text import count


def count_cells(config: Mapping[str, Any]) -> dict[str, int]:
    """Count the cells of each mosaic, and check what can be before there are tiles.

    Raises
    ------
    ReelbowError
        If there are no previews to make tiles of, a target cannot be read or is too
        small for so many columns, or two names differ only in capitals.
    """
    mosaics = config["mosaics"]
    if not mosaics:
        return {}
    # Imported for who asks for one.
    from reelbow.mosaic.features import PARTS
    from reelbow.mosaic.target import check_size, find_target_size

    if config["previews"]["height"] is None:
        raise ReelbowError(
            "config: mosaics are made of previews, but previews.height is null; set "
            "it, as to 72"
        )
    cells = {}
    for name, about in mosaics.items():
        for other in mosaics:
            # The names of files, which on some disks are the same in capitals.
            if other != name and other.lower() == name.lower():
                raise ReelbowError(
                    f"config: mosaics has {name!r} and {other!r}, which differ only in "
                    "capitals; give one of them another name"
                )
        if f"{name}_maps" in mosaics:
            raise ReelbowError(
                f"config: mosaics has {name!r} and '{name}_maps', which is what the "
                "maps of the first are called; give one of them another name"
            )
        if about["width"] < PARTS * about["columns"]:
            raise ReelbowError(
                f"config: mosaics.{name}.width is {about['width']}, too small for "
                f"{about['columns']} columns of at least {PARTS} pixels; give at least "
                f"{PARTS * about['columns']}"
            )
        if is_url(about["target"]):
            raise ReelbowError(
                f"config: mosaics.{name}.target is {about['target']!r}, should be a "
                "file of this machine; copy it here"
            )
        target, columns = Path(about["target"]), about["columns"]
        with _naming_target_of(name):
            size = find_target_size(target, config["limits"]["pixels"])
            rows = check_size(target, size, columns, config["tiles"]["aspect"])
        cells[name] = rows * columns
    return cells


def check_targets(names: Iterable[str], config: Mapping[str, Any]) -> None:
    """See that all of the targets of mosaics that are to be made can be decoded.

    Raises
    ------
    ReelbowError
        If one cannot be.
    """
    for name in names:
        # Imported for who asks for one.
        from reelbow.mosaic.target import check_target

        with _naming_target_of(name):
            target = Path(config["mosaics"][name]["target"])
            check_target(target, config["limits"]["pixels"])


@contextlib.contextmanager
def _naming_target_of(name: str) -> Iterator[None]:
    try:
        yield
    except ReelbowError as error:
        raise ReelbowError(f"config: mosaics.{name}.target: {error}") from None


def describe_mosaics(results: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """Say of which mosaics tiles are not as they should be."""
    # Imported for who asks for one.
    from reelbow.mosaic.cells import read_about

    for name, about in config["mosaics"].items():
        database = results / "mosaics" / f"{name}.sqlite"
        if not database.exists():
            continue
        found = read_about(database)
        if n_repeats := found["n_repeats"]:
            n_shots = found["n_groups"]
            yield (
                f"mosaic {name}: {count(n_repeats, 'cell')} of "
                f"{found['rows'] * found['columns']:,} have a shot again within "
                f"{about['apart']}, since there {'is' if n_shots == 1 else 'are'} only "
                f"{count(n_shots, 'shot')}; give more films, or a smaller apart"
            )
        # One of an earlier version has no views; it is made again when it is asked for.
        if "n_views" in found:
            yield from _describe_blur(database, name, found["columns"], config)


def _describe_blur(
    database: Path, name: str, columns: int, config: Mapping[str, Any]
) -> Iterator[str]:
    """Say whether tiles of a mosaic are larger than what they are made of."""
    from reelbow.mosaic.cells import list_views
    from reelbow.mosaic.rendering import find_cell_size
    from reelbow.mosaic.tiles import locate_tile
    from reelbow.shards.sheets import open_previews

    aspect = config["tiles"]["aspect"]
    high, _ = find_cell_size(columns, config["mosaics"][name]["width"], aspect)
    fewest, n_large, n_cells, are_details = high, 0, 0, False
    shards = itertools.groupby(list_views(database), key=itemgetter(0, 1))
    for (film, shard), tiles in shards:
        path = database.parents[1] / film / "previews" / f"{shard}.jpg"
        try:
            previews = open_previews(path)
        except (OSError, ReelbowError):
            # Whoever needs it says so: the mosaic is drawn.
            continue
        sizes = previews.sizes.tolist()
        for *_, place, is_detail, n in tiles:
            n_cells += n
            # Previews that were made anew may be fewer.
            for size in sizes[place : place + 1]:
                down, _ = locate_tile(previews.shape, size, aspect)
                # A detail has half of its preview's.
                rows = (down.stop - down.start) // (1 + is_detail)
                if high > 1.5 * rows:
                    fewest = min(fewest, rows)
                    n_large += n
                    are_details |= is_detail
    if n_large:
        whole = f", or mosaics.{name}.details to none" if are_details else ""
        yield (
            f"mosaic {name}: tiles are {high} rows high, {n_large:,} of {n_cells:,} "
            f"are made of far fewer rows of a preview, some of {fewest}; for sharp "
            "ones set previews.height and downsample.height to more, if the pictures "
            f"have them, or mosaics.{name}.width to less{whole}"
        )
