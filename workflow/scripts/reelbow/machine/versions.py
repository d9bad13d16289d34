"""Which versions of packages this process works with."""

import contextlib
import importlib.metadata

from reelbow import __version__

# Packages whose version can show in a palette.
PACKAGES = (
    "av",
    "numba",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "scikit-learn",
    "simplejpeg",
)


def describe_versions(*others: str) -> dict[str, str]:
    """Say which versions this process works with, for a database's table metadata.

    An environment of conda need not have all packages.

    Parameters
    ----------
    others : packages that show in no palette, and yet are to be told
    """
    about = {"version/reelbow": __version__}
    for name in (*PACKAGES, *others):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            about[f"version/{name}"] = importlib.metadata.version(name)
    return about
