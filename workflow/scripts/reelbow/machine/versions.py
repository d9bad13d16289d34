"""Which versions of packages this process works with."""

import contextlib
import importlib.metadata

from reelbow import __version__

# Packages whose version can show in a palette, and what ran the jobs.
PACKAGES = (
    "av",
    "numba",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "scikit-learn",
    "simplejpeg",
    "snakemake",
)


def describe_versions() -> dict[str, str]:
    """Say which versions this process works with, for a database's table metadata.

    An environment of conda need not have all packages.
    """
    about = {"version/reelbow": __version__}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            about[f"version/{name}"] = importlib.metadata.version(name)
    return about
