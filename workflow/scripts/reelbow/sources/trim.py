"""What is left out at a film's ends: black, and titles and credits on black.

From either end on, samples are looked at in steps, until one shows a picture of the
film; then all samples since the last step are. So few frames are decoded, and what is
left out is exact to a sample.
"""

import bisect
import itertools
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from reelbow.pictures.blanks import DIM
from reelbow.text import count

# A title stays that long, and a shot that is shorter may be missed between two.
STEP_S = 2.0

# No further than that from either end: what goes on is the film.
MOST_S = 900.0
MOST_PART = 1 / 3

# Samples decoded at a time: a film that begins with a picture needs one.
SIZES = (1, 2, 4, 8)

# Asks, of pictures by their places, in ascending order, for `name_blank` of each: None
# for a picture of the film, too.
Judge = Callable[[Sequence[int]], Iterable[str | None]]


class BlankEnd(NamedTuple):
    """What is left out at one end.

    Attributes
    ----------
    n : samples
    names : what there is in them, in the film's order
    is_endless : whether they go on further than is looked, and so are kept
    """

    n: int = 0
    names: tuple[str, ...] = ()
    is_endless: bool = False


class Stretch(NamedTuple):
    """What of a film is sampled.

    Attributes
    ----------
    first, stop : the samples of it, from and to before
    start_s, end_s : its times; end_s None: to the film's end
    before, after : what was left out there, as `black, text on black`; None: nothing
    """

    first: int
    stop: int
    start_s: float
    end_s: float | None
    before: str | None = None
    after: str | None = None


def find_blank_ends(
    times_s: Sequence[float], judge: Judge, *, at_start: bool, at_end: bool
) -> tuple[BlankEnd, BlankEnd]:
    """Find what to leave out at both ends of a film.

    Parameters
    ----------
    times_s : of the samples, ascending
    at_start, at_end : whether to look there
    """
    start = _find_blank_end(times_s, judge) if at_start else BlankEnd()
    if not at_end:
        return start, BlankEnd()
    last, last_s = len(times_s) - 1, times_s[-1]

    def judge_from_end(places: Sequence[int]) -> Iterable[str | None]:
        return [*judge([last - place for place in reversed(places)])][::-1]

    end = _find_blank_end([last_s - time for time in reversed(times_s)], judge_from_end)
    # Of a few seconds steps may pass over the only picture.
    if start.n + end.n > last:
        return BlankEnd(is_endless=True), BlankEnd(is_endless=True)
    return start, end._replace(names=end.names[::-1])


def _find_blank_end(times_s: Sequence[float], judge: Judge) -> BlankEnd:
    """Find what to leave out from the first sample on; the times count from there."""
    times = [time - times_s[0] for time in times_s]
    steps = list(_choose_steps(times))
    last_blank, picture, names = -1, None, []
    was_dim = False
    for place, name in _ask(steps, judge):
        # One that is too dark to tell is passed over, if what follows is blank.
        if name is None or (name == DIM and was_dim):
            picture = place
            break
        was_dim = name == DIM
        if not was_dim:
            last_blank = place
            names.append(name)
    if last_blank < 0:
        return BlankEnd()
    if picture is None:
        return BlankEnd(is_endless=True)
    since = range(last_blank + 1, picture)
    for place, name in zip(since, judge(since), strict=True):
        if name is None:
            break
        if name != DIM:
            last_blank = place
            names.append(name)
    return BlankEnd(last_blank + 1, tuple(dict.fromkeys(names)))


def _choose_steps(times: Sequence[float]) -> Iterator[int]:
    """Choose the samples to look at: the first, and each last within a step's time.

    The last of them is beyond what may be left out.
    """
    most = min(MOST_S, MOST_PART * times[-1])
    place = 0
    while True:
        yield place
        if times[place] > most or place == len(times) - 1:
            return
        place = max(place + 1, bisect.bisect_right(times, times[place] + STEP_S) - 1)


def _ask(places: Sequence[int], judge: Judge) -> Iterator[tuple[int, str | None]]:
    """Judge some pictures at a time, more and more."""
    sizes = itertools.chain(SIZES, itertools.repeat(SIZES[-1]))
    first = 0
    while first < len(places):
        some = places[first : first + next(sizes)]
        yield from zip(some, judge(some), strict=True)
        first += len(some)


def trim_stretch(
    samples: Sequence[int | None],
    ends: tuple[BlankEnd, BlankEnd],
    find_time: Callable[[int], Fraction],
    stretch: Stretch,
) -> Stretch:
    """Leave out what is blank at the ends of a stretch of samples, and say so.

    Parameters
    ----------
    samples : pts; one may come several times, None is in a hole of the file
    ends : what is blank of those that differ
    find_time : of a sample, in seconds
    stretch : all of it
    """
    present = [pts for pts in dict.fromkeys(samples) if pts is not None]
    start, end = ends
    for where, blank in zip(("start", "end"), ends, strict=True):
        if blank.is_endless:
            print(
                f"trim: all is kept at the {where}: black or text on black goes on "
                f"there for {MOST_S / 60:.0f} minutes or a third of the stretch",
                file=sys.stderr,
            )
    if start.n:
        first = samples.index(present[start.n])
        stretch = stretch._replace(
            first=first, start_s=_round(find_time(first)), before=", ".join(start.names)
        )
        print(
            f"trim: left out before {stretch.start_s:g} s: {count(first, 'sample')} of "
            f"{stretch.before}",
            file=sys.stderr,
        )
    if end.n:
        last = present[len(present) - 1 - end.n]
        stop = len(samples) - samples[::-1].index(last)
        stretch = stretch._replace(
            stop=stop, end_s=_round(find_time(stop)), after=", ".join(end.names)
        )
        print(
            f"trim: left out from {stretch.end_s:g} s on: "
            f"{count(len(samples) - stop, 'sample')} of {stretch.after}",
            file=sys.stderr,
        )
    return stretch


def _round(time_s: Fraction) -> float:
    """Round down to a microsecond, so that as start_s or end_s it gives the same."""
    return math.floor(time_s * 1_000_000) / 1_000_000
