"""Follows a color from frame to frame, so that its band stays in its place."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from reelbow.barcode.film_record import Palette
from reelbow.color.spaces import srgb_to_oklab

# Colors at this distance in OKLab, or farther, are never the same ...
_DIFFERENT = 0.2

# ... and a share that comes or goes counts as if its color moved as far as this.
_GONE = 0.15

# A column that costs more is behind a cut. docs/band_order.md says how it was found.
_CUT = 0.09


def follow_colors(palettes: Iterable[Palette]) -> Iterator[Palette]:
    """Order the palettes of columns so that bands follow the same color.

    A track is a color's way through the columns between two cuts. Every column's colors
    are given to the tracks, one to each, so that the least of the column's height
    changes its color; one that is like none begins a track. A track may be missing from
    a column and come back. A cut is where even the least change is too much.

    Parameters
    ----------
    palettes : (colors, shares) of each column
        (k, 3) uint8 sRGB and (k,) float, not negative, with a positive sum

    Yields
    ------
    The same colors and shares of each column, without those of share 0, ordered by the
    mean share of their tracks between the cuts, largest first
    """
    shot: list[Palette] = []
    tracks = _Tracks()
    for colors, shares in palettes:
        present = shares > 0
        colors, shares = colors[present], shares[present]
        if not tracks.add(colors, shares):
            yield from tracks.order(shot)
            shot = []
            tracks = _Tracks()
            tracks.add(colors, shares)
        shot.append((colors, shares))
    yield from tracks.order(shot)


class _Tracks:
    """The tracks between two cuts.

    Attributes
    ----------
    colors : (t, 3) float64, OKLab, as last seen
    shares : (t,) float64, as last seen
    totals : (t,) float64, shares of all columns
    now : tracks of the last column's colors, in their order
    given : `now` of every column
    """

    def __init__(self) -> None:
        self.colors = np.empty((0, 3))
        self.shares = np.empty(0)
        self.totals = np.empty(0)
        self.now = np.empty(0, np.intp)
        self.given: list[NDArray[np.intp]] = []

    def add(self, colors: NDArray[np.uint8], shares: NDArray[np.floating]) -> bool:
        """Give a column's colors to the tracks; False, and nothing done, at a cut."""
        oklab = srgb_to_oklab(colors)
        weights = shares / shares.sum(dtype=np.float64)
        now = self.now
        if self.given:
            *_, cost = _match(oklab, weights, self.colors[now], self.shares[now])
            if cost > _CUT:
                return False
        # To take up a track that is missing now saves nothing.
        saved = np.zeros(len(self.shares))
        saved[now] = _GONE * self.shares[now]
        rows, found, distances, _ = _match(
            oklab, weights, self.colors, self.shares, saved
        )
        near = distances < _DIFFERENT
        tracks = np.full(len(oklab), -1)
        tracks[rows[near]] = found[near]
        new = tracks < 0
        tracks[new] = len(self.shares) + np.arange(new.sum())
        self.colors = np.concatenate([self.colors, oklab[new]])
        self.shares = np.concatenate([self.shares, weights[new]])
        self.totals = np.concatenate([self.totals, np.zeros(new.sum())])
        self.colors[tracks] = oklab
        self.shares[tracks] = weights
        self.totals[tracks] += weights
        self.now = tracks
        self.given.append(tracks)
        return True

    def order(self, palettes: list[Palette]) -> Iterator[Palette]:
        """Order the colors of the columns that were added by their tracks."""
        place = np.argsort(np.argsort(-self.totals, kind="stable"))
        for (colors, shares), tracks in zip(palettes, self.given, strict=True):
            order = np.argsort(place[tracks])
            yield colors[order], shares[order]


def _match(
    colors: NDArray[np.float64],
    shares: NDArray[np.float64],
    other_colors: NDArray[np.float64],
    other_shares: NDArray[np.float64],
    saved: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], float]:
    """Match OKLab colors (n, 3) one to one with others (m, 3) at the least cost.

    Two colors cost the height that both have times their distance, and for what one has
    more than the other the cost of a share that is gone; so does a color left alone.

    Parameters
    ----------
    saved : (m,) what it saves to match each of the others; None: what it costs alone

    Returns
    -------
    rows, columns, distances : (min(n, m),)
    cost : of all that is matched or left alone
    """
    # Deferred: of all barcodes, only those with tracks pay for this import.
    from scipy.optimize import linear_sum_assignment

    if saved is None:
        saved = _GONE * other_shares
    apart = colors[:, np.newaxis] - other_colors
    squares = apart * apart
    distance = np.sqrt(squares[..., 0] + squares[..., 1] + squares[..., 2])
    shared = np.minimum(shares[:, np.newaxis], other_shares)
    cost = np.minimum(distance, _DIFFERENT) * shared
    cost += _GONE * np.abs(shares[:, np.newaxis] - other_shares)
    # Less what both would cost alone, so that only a match says what it is worth.
    cost -= _GONE * shares[:, np.newaxis] + saved
    rows, columns = linear_sum_assignment(cost)
    alone = _GONE * shares.sum() + saved.sum()
    matched = rows, columns
    return rows, columns, distance[matched], float(cost[matched].sum() + alone)
