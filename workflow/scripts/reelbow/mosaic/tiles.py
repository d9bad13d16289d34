"""Tiles of a mosaic: the previews of films, with what they are compared by."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.film_record import count_shards
from reelbow.database.opening import telling_damage
from reelbow.database.shot_rows import read_shots
from reelbow.errors import ReelbowError
from reelbow.jobs.arrays import telling_damage_of
from reelbow.mosaic.features import (
    FINE,
    N_FEATURES,
    N_VIEWS,
    describe_parts,
    measure_views,
    weigh,
)
from reelbow.mosaic.target import Aspect
from reelbow.shards.sheets import Previews, open_previews

# Frames that follow one another are of one group until the squared distance of their
# weighed features jumps by as much: a change of each part by a fifteenth of all
# lightness. Of a film whose shots are known these are the groups.
LARGEST_STEP = 16 * 17**2

# Tiles that are measured at a time, and that are compared with those before them.
_BATCH_PIXELS = 1 << 19
_MANY = 1 << 16


class Tiles(NamedTuple):
    """The tiles of all films.

    Attributes
    ----------
    features : (n, n_views, 18) uint8, of the whole frame, and of details
    shards : (n,) int32, places in the list of all shards
    places : (n,) int32, in the shard's sheet of previews
    frames : (n,) int64, of their film
    groups : (n,) int32, rising: of shots, or of frames alike that follow one another
    """

    features: NDArray[np.uint8]
    shards: NDArray[np.int32]
    places: NDArray[np.int32]
    frames: NDArray[np.int64]
    groups: NDArray[np.int32]


def locate_tile(
    shape: Sequence[int], size: Sequence[int], aspect: Aspect
) -> tuple[slice, slice]:
    """Find the rows and columns of a tile in a preview: the middle of its picture.

    Parameters
    ----------
    shape : (height, width) of the preview
    size : (width, height) of the picture, in its middle. Of one too small for a tile
        what is around it is in the tile, too
    """
    (rows, columns), (width, height) = shape, size
    box = _fit(
        _round_inwards((rows - height) // 2, height, rows),
        _round_inwards((columns - width) // 2, width, columns),
        aspect,
    )
    if _measure(box) >= FINE:
        return box
    return _fit(slice(0, rows), slice(0, columns), aspect)


def _round_inwards(first: int, length: int, whole: int) -> slice:
    """Leave out color that is of four pixels, of which some are beside the picture."""
    last = first + length
    return slice(first + first % 2, last if last == whole else last - last % 2)


def _measure(box: tuple[slice, slice]) -> int:
    """Find the shorter side of a box."""
    down, across = box
    return min(int(down.stop - down.start), int(across.stop - across.start))


def _fit(down: slice, across: slice, aspect: Aspect) -> tuple[slice, slice]:
    """Find the middle of a box, as large as an aspect lets it be."""
    rows, columns = down.stop - down.start, across.stop - across.start
    width, height = aspect
    wide = min(columns, max(1, round(rows * width / height)))
    high = min(rows, max(1, round(columns * height / width)))
    top = down.start + (rows - high) // 2
    left = across.start + (columns - wide) // 2
    return slice(top, top + high), slice(left, left + wide)


def cut_tiles(
    previews: Previews, places: Collection[int], aspect: Aspect
) -> Iterator[NDArray[np.uint8]]:
    """Yield the tiles of some previews, (h, w, 3), by their places, which ascend."""
    sizes = previews.sizes[list(places)]
    for picture, size in zip(previews.read(places), sizes, strict=True):
        yield picture[locate_tile(previews.shape, size, aspect)]


def measure_tiles(
    path: Path, aspect: Aspect
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Measure all previews of a shard.

    Returns
    -------
    frames : (n,) as its sheets count them
    features : (n, N_VIEWS, 18) uint8, of what of each is in a tile
    """
    previews = open_previews(path)
    frames, (height, width) = previews.frames, previews.shape
    whole = locate_tile((height, width), (width, height), aspect)
    if len(frames) and _measure(whole) < FINE:
        raise ReelbowError(
            f"{path}: its previews of {width}x{height} pixels are too small for "
            f"tiles of {aspect[0]}:{aspect[1]}; set previews.height to more rows"
        )
    features = np.empty((len(frames), N_VIEWS, N_FEATURES), np.uint8)
    n_together = max(1, _BATCH_PIXELS // (height * width))
    tiles = cut_tiles(previews, range(len(frames)), aspect)
    last = 0
    for _, alike in itertools.groupby(tiles, key=np.shape):
        while batch := list(itertools.islice(alike, n_together)):
            first, last = last, last + len(batch)
            views = measure_views(np.stack(batch))
            described = describe_parts(views.reshape(-1, *views.shape[2:]))
            features[first:last] = described.reshape(-1, N_VIEWS, N_FEATURES)
    return frames, features


def save_tiles(
    path: Path, frames: NDArray[np.int64], features: NDArray[np.uint8]
) -> None:
    """Write the tiles of a shard."""
    with path.open("wb") as file:
        np.savez(file, frames=frames, features=features)


def read_shard_tiles(path: Path) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Read the frames and the features that `save_tiles` wrote.

    Raises
    ------
    DamagedError
        If they are not whole.
    """
    with telling_damage_of(path), path.open("rb") as stream, np.load(stream) as saved:
        frames, features = saved["frames"], saved["features"]
        if features.shape != (*frames.shape, N_VIEWS, N_FEATURES):
            raise ValueError(features.shape)
        return frames, features


def count_tiles(films: Mapping[Path, Sequence[Path]]) -> int:
    """Count the tiles of all films, as `read_tiles` takes these.

    Raises
    ------
    DamagedError
        If some are not whole.
    """
    n_tiles = 0
    for path in itertools.chain.from_iterable(films.values()):
        # Their features, most of a file, are not read for it.
        with telling_damage_of(path), np.load(path) as saved:
            n_tiles += len(saved["frames"])
    return n_tiles


def read_tiles(films: Mapping[Path, Sequence[Path]], n_views: int) -> Tiles:
    """Read the tiles of all films.

    Parameters
    ----------
    films : of each film's database the tiles of its shards, named as these
    n_views : of each frame

    Raises
    ------
    ReelbowError
        If tiles are of other frames than their database's.
    """
    parts, n_shards, n_groups = [], 0, 0
    for database, paths in films.items():
        part = _read_film(database, paths, n_views)
        parts.append(
            part._replace(shards=part.shards + n_shards, groups=part.groups + n_groups)
        )
        n_shards += len(paths)
        n_groups += int(part.groups[-1]) + 1 if len(part.groups) else 0
    return Tiles(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _read_film(database: Path, paths: Sequence[Path], n_views: int) -> Tiles:
    with telling_damage(database, oldest=1) as connection:
        film_id, film = connection.execute("SELECT film_id, film FROM films").fetchone()
        shards_of_film = count_shards(connection, film_id)
        shots = read_shots(connection, film_id, film)
    frames, features, shards, places = [], [], [], []
    for shard, path in enumerate(paths):
        own, measured = read_shard_tiles(path)
        if not len(own):
            continue
        # Where each file of the user's is a shard, its frames count from 0.
        _, first, last = shards_of_film.get(path.stem, (0, 0, -1))
        own = own - own[0] + first
        if own[-1] > last:
            raise ReelbowError(
                f"{path} is not of the frames that the database has of shard "
                f"{path.stem}; delete it, and run again."
            )
        frames.append(own)
        # A copy, so that the others do not stay in memory.
        features.append(measured[:, :n_views].copy())
        shards.append(np.full(len(own), shard, np.int32))
        places.append(np.arange(len(own), dtype=np.int32))
    no_frames = np.empty(0, np.int32)
    none = np.empty((0, n_views, N_FEATURES), np.uint8)
    all_features = np.concatenate([none, *features])
    all_frames = np.concatenate([np.empty(0, np.int64), *frames])
    if shots is None:
        groups = _group(all_features[:, 0])
    else:
        starts = [shot.first_frame for shot in shots if shot.first_frame is not None]
        groups = np.searchsorted(starts, all_frames, side="right")
    return Tiles(
        all_features,
        np.concatenate([no_frames, *shards]),
        np.concatenate([no_frames, *places]),
        all_frames,
        groups.astype(np.int32),
    )


def _group(features: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Find groups of tiles that follow one another and are alike: (n,) from 0."""
    groups = np.zeros(len(features), np.int64)
    # Some at a time: weighed they take four times as much.
    for first in range(0, len(features) - 1, _MANY):
        part = weigh(features[first : first + _MANY + 1])
        steps = np.square(np.diff(part, axis=0)).sum(axis=1)
        groups[first + 1 : first + len(part)] = steps > LARGEST_STEP
    return np.cumsum(groups)
