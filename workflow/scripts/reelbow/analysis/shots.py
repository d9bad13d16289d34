"""The shots of a film: PySceneDetect's detectors decide by scores of its pictures."""

import itertools
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
import scenedetect
from numpy.typing import NDArray
from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode
from scenedetect.detector import FlashFilter

from reelbow.analysis.cut_scores import METRICS, CutScores, join_scores
from reelbow.database.shots import Shot

DETECTORS_VERSION: str = scenedetect.__version__

# PySceneDetect's own threshold of hashes; those of the others are in its classes.
_HASH_THRESHOLD = 0.35


def find_shots(
    shards: Iterable[CutScores],
    *,
    detector: str,
    threshold: float | None,
    min_length_s: float,
    end_s: float | None = None,
    fps: float | None = None,
) -> list[Shot]:
    """Find the shots of a film.

    Parameters
    ----------
    shards : in the film's order
    detector : adaptive, content or hash
    threshold : of the detector; None: its own
    min_length_s : there is no cut sooner after the last one, in pictures of the film's
        median step; of pictures without times it says nothing
    end_s : where the film ends; None: a step after its last picture
    fps : pictures a second of those without a time; None: nobody knows

    Returns
    -------
    in their order; of no pictures none
    """
    film = join_scores(shards, METRICS[detector])
    if not len(film.scores):
        return []
    times_s = film.times_s
    if fps is not None:
        # In the very numbers that frames have (see `database.merging`).
        rate = Fraction(str(fps))
        counted_s = film.places * rate.denominator / rate.numerator
        times_s = np.where(np.isnan(times_s), counted_s, times_s)
    steps_s = np.diff(times_s)
    has_times = not np.isnan(times_s).any() and bool((steps_s > 0).all())
    step_s = float(np.median(steps_s)) if has_times and len(steps_s) else 0.0
    decide = _make_detector(
        detector, threshold, round(min_length_s / step_s) if step_s else 0
    )
    cuts = [
        cut.frame_num
        for place, score in zip(film.places.tolist(), film.scores, strict=True)
        # At any rate: lengths are counted in pictures.
        for cut in decide.process_frame(FrameTimecode(place, fps=1.0), score)
    ]
    starts = [int(film.places[0]), *cuts]
    if not has_times:
        bounds_s: list[float | None] = [None] * (len(starts) + 1)
    else:
        of_starts = times_s[np.searchsorted(film.places, starts)]
        last_s = float(times_s[-1]) + step_s
        # What was asked for may be behind the film's end.
        end_s = last_s if end_s is None else min(end_s, last_s)
        bounds_s = [*of_starts.tolist(), end_s]
    return [
        Shot(*pictures, *bounds)
        for pictures, bounds in zip(
            itertools.pairwise([*starts, film.n_pictures]),
            itertools.pairwise(bounds_s),
            strict=True,
        )
    ]


class _Scored:
    """Takes a picture's score, as it was found before, for the picture."""

    def _calculate_frame_score(
        self, timecode: FrameTimecode, frame_img: NDArray[Any]
    ) -> float:
        return float(frame_img)


class _Content(_Scored, ContentDetector):  # type: ignore[misc]
    pass


class _Adaptive(_Scored, AdaptiveDetector):  # type: ignore[misc]
    pass


def _make_detector(name: str, threshold: float | None, n_pictures: int) -> Any:
    """Make one that takes scores, and no shot of fewer pictures."""
    about: dict[str, Any] = {"min_scene_len": n_pictures}
    if name == "adaptive":
        if threshold is not None:
            about["adaptive_threshold"] = threshold
        return _Adaptive(**about)
    if threshold is not None:
        about["threshold"] = threshold
    if name == "hash":
        # Its own class compares pictures and decides in one; this one decides alike.
        about.setdefault("threshold", _HASH_THRESHOLD)
        about["filter_mode"] = FlashFilter.Mode.SUPPRESS
    return _Content(**about)
