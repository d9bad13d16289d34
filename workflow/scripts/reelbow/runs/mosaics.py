"""What is asked of mosaics, checked before any job starts."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reelbow.errors import ReelbowError
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
        target, columns = Path(about["target"]), about["columns"]
        try:
            size = find_target_size(target, config["limits"]["pixels"])
            rows = check_size(target, size, columns, config["tiles"]["aspect"])
        except ReelbowError as error:
            raise ReelbowError(f"config: mosaics.{name}.target: {error}") from None
        cells[name] = rows * columns
    return cells


def describe_repeats(
    results: Path, mosaics: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Say how many cells of mosaics have a shot again beside them, where any has."""
    # Imported for who asks for one.
    from reelbow.mosaic.cells import read_about

    for name, about in mosaics.items():
        database = results / "mosaics" / f"{name}.sqlite"
        found = read_about(database) if database.exists() else {}
        if n_repeats := found.get("n_repeats"):
            yield (
                f"mosaic {name}: {count(n_repeats, 'cell')} of "
                f"{found['rows'] * found['columns']:,} have a shot again within "
                f"{about['apart']}, since there are only "
                f"{count(found['n_groups'], 'shot')}; give more films, or a smaller "
                "apart"
            )
