"""How long the rest of a run takes, by what its jobs have taken so far."""

import contextlib
import math
import statistics
import subprocess
import sys
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from reelbow.jobs.stored_files import StoredFile
from reelbow.runs.films import Film
from reelbow.shards.names import STAGES

# Jobs of a rule that tell how long its next ones take: a machine may become busier.
REMEMBERED = 40
# Part of them, at least one, that may have been slow for once, as when k-means is
# compiled, or where the machine stood still: both jobs of two cores then.
SLOW_FOR_ONCE = 0.1

# Films whose headers are read, to know how much is to come of those not planned.
MOST_HEADERS = 100
HEADERS_TIMEOUT_S = 30
READ_HEADERS = """
import sys, av
# As reelbow.film.demuxing has it, which takes far longer to load.
following = {"concat", "dash", "hls", "imf", "lavfi", "rtsp", "sdp", "vobsub"}
following |= {"image2", "webm_dash_manifest"}
options = {"format_whitelist": ",".join(av.formats_available - following)}
for path in sys.argv[1:]:
    duration_s = rate = 0
    try:
        with av.open(path, options=options) as container:
            duration_s = (container.duration or 0) / 1e6
            rate = float(container.streams.video[0].average_rate or 0)
    except (av.FFmpegError, IndexError):
        pass
    print(duration_s, rate)
"""

# Seconds between two keyframes, of a film of which only these are wanted.
KEYFRAME_S = 5.0

# A rule and its wildcards, in their order.
Job = tuple[str, ...]


class Pace:
    """Learns from the jobs of a run how long others take.

    weigh : seconds that a job takes by what is known of its frames, on any machine
    """

    def __init__(self, weigh: Callable[[Job], float]) -> None:
        self._weigh = weigh
        self._weights: dict[Job, float] = {}
        self._begun: dict[Job, float] = {}
        self.first_s: float | None = None
        self._busy_s = 0.0
        # Seconds taken for each second weighed, of each rule's last jobs.
        self._ratios: dict[str, deque[float]] = defaultdict(
            lambda: deque(maxlen=REMEMBERED)
        )

    def begin(self, job: Job, now_s: float) -> None:
        """Take note that a job begins."""
        self._begun[job] = now_s
        if self.first_s is None:
            self.first_s = now_s

    def end(self, job: Job, now_s: float, *, is_done: bool) -> None:
        """Take note that a job is done, or has failed."""
        taken_s = now_s - self._begun.pop(job, now_s)
        self._busy_s += taken_s
        if is_done:
            self._ratios[job[0]].append(taken_s / self.weigh(job))

    def weigh(self, job: Job) -> float:
        """Estimate the seconds of a job, before any is known of this machine."""
        if job not in self._weights:
            self._weights[job] = self._weigh(job)
        return self._weights[job]

    def estimate_left_s(
        self, jobs: Iterable[Job], n_to_come: int, now_s: float
    ) -> float | None:
        """Estimate how long jobs take that are not done, those that run among them.

        Side by side as so far: what they take by themselves, times what the run took
        for each second of its jobs. None: too little is known yet.

        n_to_come : shards that are no jobs yet; they are taken to be like the others
        """
        if self.first_s is None or not self._ratios:
            return None
        usual = statistics.median(map(statistics.median, self._ratios.values()))
        factors = {
            rule: _average(ratios, usual) for rule, ratios in self._ratios.items()
        }
        running_s = {job: now_s - begun for job, begun in self._begun.items()}
        sums_s: dict[str, float] = defaultdict(float)
        longest_s: dict[str, float] = defaultdict(float)
        for job in jobs:
            whole_s = self.weigh(job) * factors.get(job[0], usual)
            left_s = max(0.0, whole_s - running_s.get(job, 0.0))
            sums_s[job[0]] += left_s
            longest_s[job[0]] = max(longest_s[job[0]], left_s)
        if n_to_come:
            weights = defaultdict(list)
            for job, weight in self._weights.items():
                weights[job[0]].append(weight)
            if STAGES[-1] not in weights:
                return None
            for rule in weights.keys() & STAGES:
                whole_s = statistics.fmean(weights[rule]) * factors.get(rule, usual)
                sums_s[rule] += n_to_come * whole_s
        busy_s = self._busy_s + sum(running_s.values())
        side_by_side = (now_s - self.first_s) / max(busy_s, 1e-3)
        # At the end of a run the rules' last jobs wait for each other.
        return sum(
            max(work_s * side_by_side, longest_s[rule])
            for rule, work_s in sums_s.items()
        )


def _average(ratios: Collection[float], usual: float) -> float:
    """Average ratios; the usual one takes the place of the largest few."""
    # Where two jobs began together, one compiled and the other waited for it.
    n_slow = max(min(2, len(ratios) // 2), math.ceil(SLOW_FOR_ONCE * len(ratios)))
    return statistics.fmean([*sorted(ratios)[:-n_slow], *[usual] * n_slow])


class Expected(NamedTuple):
    """What is to come of a film that is not planned yet, as far as one can tell."""

    n_frames: float
    n_shards: int


def expect_films(
    films: Sequence[Film], *, mode: str, every: float, per_shard: int
) -> dict[str, Expected]:
    """Estimate the frames and shards of films by their headers and sizes.

    Of many films the headers of some are read, and the others' frames are taken to
    need as many bytes. A film that cannot be read is left out: its plan will tell.
    """
    expected, unknown = {}, []
    for film in films:
        if film.fault or film.kind.files_are_shards:
            expected[film.film] = Expected(0, len(film.shards))
        elif film.kind.takes_many:
            # What is in a ZIP its plan tells.
            n_files = len(film.files)
            expected[film.film] = Expected(n_files, math.ceil(n_files / per_shard))
        else:
            unknown.append(film)
    sizes = {film.film: _find_bytes(film) for film in unknown}
    looked_into = unknown[:: -(-len(unknown) // MOST_HEADERS) or 1]
    looked_into = [
        film for film in looked_into if not isinstance(film.files[0], StoredFile)
    ]
    headers = _read_headers([str(film.files[0]) for film in looked_into])
    frames = {}
    for film, (duration_s, rate) in zip(looked_into, headers, strict=False):
        end_s = duration_s if film.end_s is None else min(duration_s, film.end_s)
        steps_s = {"interval": every, "frames": every / (rate or 25)}
        step_s = steps_s.get(mode, every * KEYFRAME_S)
        frames[film.film] = max(0.0, end_s - film.start_s) / step_s
    n_bytes = sum(sizes[film] for film in frames)
    per_byte = sum(frames.values()) / n_bytes if n_bytes else 0
    for film in unknown:
        n_frames = frames.get(film.film, sizes[film.film] * per_byte)
        if n_frames:
            n_shards = math.ceil(max(1, round(n_frames)) / per_shard)
            expected[film.film] = Expected(n_frames, n_shards)
    return expected


def _find_bytes(film: Film) -> int:
    with contextlib.suppress(OSError):
        return film.files[0].stat().st_size
    return 0


def _read_headers(paths: Sequence[str]) -> list[tuple[float, float]]:
    """Read each video's duration in s and pictures a second; 0: not known.

    In a process of its own: Snakemake itself loads no decoder, which damage might end.
    """
    if not paths:
        return []
    try:
        told = subprocess.run(
            [sys.executable, "-c", READ_HEADERS, *paths],
            capture_output=True,
            text=True,
            timeout=HEADERS_TIMEOUT_S,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return [
        (float(line.split()[0]), float(line.split()[1])) for line in told.splitlines()
    ]
