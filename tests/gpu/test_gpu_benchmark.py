"""The benchmark of GPUs runs to its end, so that it is ready where one is lent."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# The same with less to do.
SMALL = """
import gpu
gpu.SHARD_FRAMES, gpu.BATCHES, gpu.COLORS, gpu.ROUNDS = 4, [1, 4], [3], 1
gpu.main()
"""


def run_benchmark(
    *arguments: str, path: list[Path]
) -> subprocess.CompletedProcess[str]:
    folders = [ROOT / "benchmarks", *path]
    return subprocess.run(
        [sys.executable, "-c", SMALL, "--frames", "3", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_measures_all_there_is(kernels):
    done = run_benchmark(path=[ROOT / "tests/gpu/cpu_cupy", ROOT / "tests/gpu"])
    assert done.returncode == 0, done.stderr
    assert "on stand-in (CuPy 14.2.0" in done.stdout
    assert "| srgb | 3 | 0 | 0 |" in done.stdout
    for row in ["copy to the GPU", "try_starts", "engine cupy", "at most, by bytes"]:
        assert row in done.stdout


def test_without_a_gpu_it_says_so_in_one_sentence(tmp_path):
    # Raises as where CuPy is not installed.
    (tmp_path / "cupy.py").write_text("import no_such_package")
    done = run_benchmark(path=[tmp_path])
    assert done.returncode == 1
    assert done.stderr.startswith("The k-means engine 'cupy' needs the Python package")
    assert done.stderr.count("\n") == 1
    assert run_benchmark("--cpu-only", path=[tmp_path]).returncode == 0
