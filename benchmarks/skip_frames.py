"""What it saves to leave pictures undecoded that no other refers to.

Decodes the samples of a film with and without `skip_frame`, by turns, and compares
the CPU seconds and every sampled pixel. The scan for timestamps, which both need, is
not in it, nor is the conversion to RGB.

    uv run python benchmarks/skip_frames.py --film movie.mkv --every 1 --runs 5
"""

import argparse
import hashlib
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from machine import name_machine  # noqa: E402

from reelbow.film import decoding  # noqa: E402  (the path is set just above)
from reelbow.film.probe import probe_film  # noqa: E402  (the path is set just above)
from reelbow.film.timeline import Timeline, exact, sample_interval, scan_timeline  # noqa: E402
from reelbow.sources.demo import make_demo_film  # noqa: E402  (the path is set just above)

DEMO = ROOT / "benchmarks" / "cache" / "demo.mp4"
is_unreferenced = decoding.is_unreferenced


def measure(path: Path, timeline: Timeline, samples: list[int], *, skip: bool) -> float:
    """Decode all samples; return the CPU seconds."""
    decoding.is_unreferenced = is_unreferenced if skip else lambda *_: False
    keyframes = timeline.keyframes.tolist()
    start = time.process_time()
    for _ in decoding.decode_samples(path, keyframes, samples):
        pass
    return time.process_time() - start


def digest(
    path: Path, timeline: Timeline, samples: list[int], *, skip: bool
) -> list[str]:
    """Decode all samples; return a digest of the decoded pixels of each."""
    decoding.is_unreferenced = is_unreferenced if skip else lambda *_: False
    keyframes = timeline.keyframes.tolist()
    return [
        "none"
        if decoded.frame is None
        else hashlib.sha256(decoded.frame.to_ndarray().tobytes()).hexdigest()
        for _, decoded in decoding.decode_samples(path, keyframes, samples)
    ]


def main() -> None:
    """Print both times, their ratio and whether the pixels are equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--film", type=Path, default=DEMO, help="default: the demo")
    parser.add_argument("--every", type=float, default=1.0, help="seconds")
    parser.add_argument("--runs", type=int, default=5, help="of each, by turns")
    arguments = parser.parse_args()
    if arguments.film == DEMO and not DEMO.exists():
        DEMO.parent.mkdir(parents=True, exist_ok=True)
        unfinished = DEMO.with_name("unfinished_demo.mp4")
        make_demo_film(unfinished)
        unfinished.replace(DEMO)

    timeline = scan_timeline(arguments.film)
    samples = sample_interval(
        timeline, every=exact(arguments.every), start=exact(0), end=None
    )
    codec = probe_film(arguments.film).codec
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(arguments.runs):
        for skip in times:
            times[skip].append(measure(arguments.film, timeline, samples, skip=skip))
    skipping, plain = (
        digest(arguments.film, timeline, samples, skip=skip) for skip in (True, False)
    )
    n_equal = sum(a == b for a, b in zip(skipping, plain, strict=True))

    print(f"machine  {name_machine()}")
    print(
        f"film     {arguments.film.name} ({codec}), {len(timeline.pts)} pictures, "
        f"{len(samples)} samples, one in {arguments.every:g} s"
    )
    for name, skip in (("skipping", True), ("plain", False)):
        some = times[skip]
        print(
            f"{name:8} {statistics.median(some):.3f} CPU s, median of {len(some)} runs "
            f"({min(some):.3f} to {max(some):.3f})"
        )
    ratio = statistics.median(times[True]) / statistics.median(times[False])
    print(f"ratio    {ratio:.3f}: {1 - ratio:.0%} of the CPU time saved")
    print(f"pixels   {n_equal} of {len(samples)} samples equal, byte for byte")
    if n_equal < len(samples):
        sys.exit(1)


if __name__ == "__main__":
    main()
