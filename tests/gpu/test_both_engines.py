"""Runs on both engines, with a CuPy that works on the CPU."""

import os
from pathlib import Path

import cv2
import numpy as np

from projects import NO_PICTURES, copy_code, make_project, write_tarball

HERE = Path(__file__).parent
N_TARBALLS = 4


def make_noise(seed: int) -> bytes:
    """Encode a picture of many colors as JPEG."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    pixels = cv2.resize(coarse, (160, 90), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def test_a_run_on_both_engines_gives_what_one_on_cpus_gives(kernels, tmp_path):
    code = copy_code(tmp_path / "code")
    found = []
    for share in [0, 0.5]:
        project = make_project(tmp_path / f"share {share}", code)
        project.environment["PYTHONPATH"] = f"{HERE / 'cpu_cupy'}{os.pathsep}{HERE}"
        for number in range(N_TARBALLS):
            pictures = {f"{i}.jpg": make_noise(10 * number + i) for i in range(3)}
            write_tarball(project.folder / f"tars/{number}.tar", pictures)
        config = {"films": "tars/*.tar", "cluster": {"gpu_share": share}}
        result = project.run("--resources", "gpu=1", **config, **NO_PICTURES)
        assert result.status == 0, result.stderr
        found.append(project)
    on_cpus, on_both = found
    assert on_both.query("SELECT shard, engine FROM shards ORDER BY shard") == [
        ("0", "numba"),
        ("1", "cupy"),
        ("2", "numba"),
        ("3", "cupy"),
    ]
    assert on_both.query("SELECT value FROM metadata WHERE key = 'engine'") == [
        ("cupy (2); numba (2)",)
    ]
    assert len(on_cpus.rows()["palettes"]) > 8 * N_TARBALLS
    assert on_both.rows() == on_cpus.rows()
