"""What is asked of mosaics, checked before any job starts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reelbow.errors import ReelbowError


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
        target, columns = Path(about["target"]), about["columns"]
        try:
            size = find_target_size(target, config["limits"]["pixels"])
            rows = check_size(target, size, columns, config["tiles"]["aspect"])
        except ReelbowError as error:
            raise ReelbowError(f"config: mosaics.{name}.target: {error}") from None
        cells[name] = rows * columns
    return cells
