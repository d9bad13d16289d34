"""The pixels of a camera's photos, added up: of a shard, then of a film.

A film's sensor is that of which it has the most photos, counted over all its shards. So
each shard adds up those of each of its sensors by themselves.
"""

import json
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from reelbow.errors import DamagedError, ReelbowError
from reelbow.text import count

if TYPE_CHECKING:
    # With what compiles, which finding defects does without.
    from reelbow.pictures.pixel_sums import PixelSums

# Of so many sensors sums are kept side by side; each takes up to 24 bytes a pixel.
MOST_SENSORS = 3

_ABOUT, _TOTALS, _SQUARES = "about.json", "totals", "squares"

# Of a shard's squares, as `PixelSums` has them.
_LOW, _HIGH = "low", "high"

Sums = NDArray[np.unsignedinteger]


class Sensor(NamedTuple):
    """What tells one sensor from another; a text is empty where a photo tells none."""

    make: str
    model: str
    serial: str
    width: int
    height: int

    def __str__(self) -> str:
        """Name it as people do: maker, model and serial number, and its size."""
        # Many a model begins with its maker.
        first = self.make.split()[0].lower() if self.make else ""
        twice = bool(first) and self.model.lower().startswith(first)
        names = [self.model] if twice else [self.make, self.model]
        name = " ".join(filter(None, names)) or "an unnamed camera"
        serial = f" no. {self.serial}" if self.serial else ""
        return f"{name}{serial}, {self.width}x{self.height}"


class Photos(NamedTuple):
    """The photos of a sensor in a shard, and their sums."""

    names: list[str]
    sums: "PixelSums | None"


class ShardSums(NamedTuple):
    """All photos of a shard.

    Attributes
    ----------
    photos : by their sensors, in the order of the first photo of each
    left_out : (name, reason) of each that could not be read
    lost : why not all of the shard could be read; "": it could
    """

    photos: dict[Sensor, Photos]
    left_out: list[tuple[str, str]]
    lost: str = ""

    def save(self, path: Path) -> None:
        """Write them to a file, always the same bytes."""
        about = {
            "sensors": [[*each, of.names] for each, of in self.photos.items()],
            "left_out": self.left_out,
            "lost": self.lost,
        }
        sums = [each.sums for each in self.photos.values()]
        _save(path, about, {i: each for i, each in enumerate(sums) if each})


class FilmSums(NamedTuple):
    """The sums of a film's most frequent sensor, and what is not in them.

    Attributes
    ----------
    sensors : how many photos there are of each, the most frequent first
    n : photos that are added up, all of the first sensor
    left_out : (shard, name, reason) of all others
    """

    sensors: list[tuple[Sensor, int]]
    n: int
    left_out: list[tuple[str, str, str]]
    path: Path

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `merge_sums` wrote.

        Raises
        ------
        DamagedError
            If it is not whole.
        """
        about = _read_about(path)
        sensors = [(Sensor(*each), n) for *each, n in about["sensors"]]
        left_out = [(shard, name, why) for shard, name, why in about["left_out"]]
        return cls(sensors, about["n"], left_out, path)

    def read_channel(self, channel: int) -> tuple[Sums, Sums]:
        """Read totals and squares of red, green or blue, each (h, w); see `PixelSums`.

        Raises
        ------
        DamagedError
            If they are not whole.
        """
        totals, squares = (
            _read_array(self.path, channel, part) for part in (_TOTALS, _SQUARES)
        )
        return totals, squares


def merge_sums(
    paths: Sequence[Path], shards: Sequence[str], film: Path, *, go_on: bool
) -> None:
    """Add up the sums of a film's shards for its most frequent sensor, to a file.

    Of as many photos that is the sensor of the first of them.

    Parameters
    ----------
    paths : of the shards' files, in the order of the film; `shards` has their names
    go_on : whether those of shards that could not be read whole are enough; else their
        files are removed, and so made again

    Raises
    ------
    ReelbowError
        If a shard was not read whole, and that is not enough.
    """
    # Imported here: it compiles, and so takes long.
    from reelbow.pictures.pixel_sums import choose_types

    abouts = [_read_about(path) for path in paths]
    counts: Counter[Sensor] = Counter()
    left_out: list[tuple[str, str, str]] = []
    for path, shard, about in zip(paths, shards, abouts, strict=True):
        if about["lost"] and not go_on:
            path.unlink()
            raise ReelbowError(
                f"{path}: an earlier run left out a part of the shard "
                f"({about['lost']}); give the same command again, which makes it anew"
            )
        if about["lost"]:
            left_out.append((shard, "", about["lost"]))
        left_out += [(shard, name, reason) for name, reason in about["left_out"]]
        for *each, names in about["sensors"]:
            counts[Sensor(*each)] += len(names)
    sensors = counts.most_common()
    chosen = sensors[0][0] if sensors else None
    places: list[tuple[Path, int]] = []
    n = 0
    for path, shard, about in zip(paths, shards, abouts, strict=True):
        for place, (*each, names) in enumerate(about["sensors"]):
            sensor = Sensor(*each)
            if sensor != chosen:
                left_out += [(shard, name, f"of {sensor}") for name in names]
            elif place in about["summed"]:
                places.append((path, place))
                n += len(names)
            else:
                why = f"of more than {count(MOST_SENSORS, 'sensor')} in its shard"
                left_out += [(shard, name, why) for name in names]
    about = {"sensors": [[*each, m] for each, m in sensors], "n": n}
    with zipfile.ZipFile(film, "w") as file:
        _write_about(file, {**about, "left_out": left_out})
        parts = zip((_TOTALS, _SQUARES), choose_types(n), strict=True)
        for part, kind in parts if places else ():
            # One after the other, since they are large.
            added = _read_sums(*places[0], part, kind)
            for each in places[1:]:
                added += _read_sums(*each, part, kind)
            # Each by itself, since defects are found in one after the other.
            for channel in range(3):
                _write_array(file, channel, part, added[..., channel])
            del added


def _save(path: Path, about: dict[str, Any], sums: dict[int, "PixelSums"]) -> None:
    with zipfile.ZipFile(path, "w") as file:
        _write_about(file, {**about, "summed": [*sums]})
        for place, each in sums.items():
            _write_array(file, place, _TOTALS, each.totals)
            _write_array(file, place, _LOW, each.low)
            _write_array(file, place, _HIGH, each.high)


def _write_about(file: zipfile.ZipFile, about: dict[str, Any]) -> None:
    # np.savez writes the time of day, too.
    file.writestr(zipfile.ZipInfo(_ABOUT), json.dumps(about))


def _write_array(file: zipfile.ZipFile, place: int, part: str, array: Sums) -> None:
    name = zipfile.ZipInfo(f"{place}_{part}.npy")
    with file.open(name, "w", force_zip64=True) as stream:
        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(stream, header)
        # At once: numpy would copy it twice.
        stream.write(np.ascontiguousarray(array).data.cast("B"))


def _read_about(path: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(path) as file:
            about: dict[str, Any] = json.loads(file.read(_ABOUT))
    except (zipfile.BadZipFile, EOFError, KeyError, ValueError):
        raise DamagedError("damaged", [path]) from None
    return about


def _read_sums(path: Path, place: int, part: str, kind: np.dtype[Any]) -> Sums:
    """Read a shard's totals or squares as a type that holds those of the film."""
    if part == _TOTALS:
        return _read_array(path, place, _TOTALS).astype(kind, copy=False)
    squares: Sums = _read_array(path, place, _HIGH).astype(kind)
    squares <<= 16
    squares += _read_array(path, place, _LOW)
    return squares


def _read_array(path: Path, place: int, part: str) -> Sums:
    try:
        with (
            zipfile.ZipFile(path) as file,
            file.open(f"{place}_{part}.npy") as stream,
        ):
            array: Sums = np.lib.format.read_array(stream)
    except (zipfile.BadZipFile, EOFError, KeyError, ValueError):
        raise DamagedError("damaged", [path]) from None
    return array
