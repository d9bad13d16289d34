"""Compiled code for a run on this machine: made side by side while the run begins.

A job that needs code that is just being compiled waits for it, and compiles what it
does not find; so whatever goes wrong here costs time only. Snakemake's own process does
not load numba, which takes long. A note beside the code tells it what is there.

    python -m reelbow.runs.compiling KERNEL NOTE
"""

import atexit
import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from reelbow.machine.scratch import make_own_folder
from reelbow.text import count

_LIBRARY = Path(__file__).parents[1]

# What is done so soon is not told: the code was there, and only the note was not.
_QUIET_S = 2.0

# Where no code could be kept, it is tried again a day later.
_TRY_AGAIN_S = 86_400.0

# The rooms whose code is compiled, and where the compiler is.
_ROOMS = ("color", "film", "kmeans", "machine", "pictures")


def _compile_palettes() -> None:
    import numpy as np

    from reelbow.kmeans import find_palettes

    find_palettes(np.zeros((1, 1, 1, 3), np.uint8), n_colors=1)


def _compile_planes() -> None:
    import av

    from reelbow.film.coding import Coding
    from reelbow.film.yuv_average import average_frame

    frame = av.VideoFrame(2, 2, "yuv420p")
    coding = Coding("bt709", "limited")
    average_frame(frame, coding, crop=(0, 0, 2, 2), size=(1, 1))


def _compile_pictures() -> None:
    import numpy as np

    from reelbow.pictures.area_average import average_areas

    average_areas(np.zeros((1, 1, 3), np.uint8), (1, 1))


def _compile_strokes() -> None:
    import numpy as np

    from reelbow.pictures.strokes import draw_strokes

    draw_strokes([np.eye(2)], size=8, thickness=0.1)


def _compile_sums() -> None:
    import numpy as np

    from reelbow.pictures.pixel_sums import PixelSums

    # A few pictures, and many.
    sums = PixelSums(1, 1)
    for n in (0, 10_000):
        sums.n = n
        sums.add(np.zeros((1, 1, 3), np.uint8))
        sums.finish()


def _compile_measures() -> None:
    import numpy as np

    from reelbow.pictures.measures import measure_pictures

    measure_pictures(np.zeros((1, 1, 1, 3), np.uint8), np.zeros((1, 1, 3)))


def _compile_color_sums() -> None:
    import numpy as np

    from reelbow.pictures.color_sums import ColorSums

    sums = ColorSums()
    sums.add_frames(np.zeros(1, int), np.zeros(1), np.zeros((1, 1, 1, 3), np.uint8))
    sums.pack()


def _compile_accents() -> None:
    import numpy as np

    from reelbow.kmeans import Palettes, add_accents

    one = Palettes(np.zeros((1, 1, 3), np.float32), np.ones((1, 1), np.float32))
    add_accents(np.zeros((1, 1, 1, 3), np.uint8), one, n_accents=1)


# Each is called with arguments as jobs have them: other types are other code. What few
# runs need, such as averages of more than 8 bits, is compiled by their jobs.
_KERNELS: dict[str, Callable[[], None]] = {
    "palettes": _compile_palettes,
    "planes": _compile_planes,
    "pictures": _compile_pictures,
    "strokes": _compile_strokes,
    "sums": _compile_sums,
    "measures": _compile_measures,
    "color_sums": _compile_color_sums,
    "accents": _compile_accents,
}


def start_compiling(
    kernels: Iterable[str], *, at_once: int, say: Callable[[str], None]
) -> threading.Thread | None:
    """Compile what is not there yet, in processes of its own, and say so.

    Parameters
    ----------
    kernels : names of them, as `palettes`
    at_once : how many are compiled at a time
    say : is called with each sentence, from another thread

    Returns
    -------
    What starts the processes and ends with them; None if there is nothing to do, or no
    place to keep code
    """
    wanted = list(kernels)
    folder = _find_folder() if wanted else None
    if folder is None:
        return None
    try:
        digest = _digest(folder)
    except ImportError:
        # Of Snakemake's Python; jobs may have another one.
        return None
    notes = {kernel: folder / f"reelbow-{kernel}-{digest}" for kernel in wanted}
    missing = {kernel: note for kernel, note in notes.items() if not _is_there(note)}
    if not missing:
        return None
    thread = threading.Thread(
        target=_compile_all, args=(missing, at_once, say), daemon=True
    )
    thread.start()
    return thread


def _find_folder() -> Path | None:
    """Find the first folder for notes that can be written, as numba does for code."""
    for folder in _list_folders():
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    return None


def _list_folders() -> Iterator[Path]:
    if own := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(own)
    yield _LIBRARY / "machine" / "__pycache__"
    # Not everybody has a home.
    with contextlib.suppress(RuntimeError):
        home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
        yield Path(home, "numba")
    with contextlib.suppress(OSError):
        yield make_own_folder(Path(tempfile.gettempdir()))


def _digest(folder: Path) -> str:
    """Digest all that compiled code depends on."""
    about = [platform.python_version(), platform.machine()]
    # In a folder for all, numba keeps the code of each place of the library apart.
    about += [] if folder.is_relative_to(_LIBRARY) else [str(_LIBRARY)]
    about += [importlib.metadata.version(name) for name in ("numba", "numpy")]
    about += sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith("NUMBA_"))
    # The first processor stands for all.
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open() as processors:
        lines = processors.read(8192).partition("\n\n")[0].splitlines()
        about += [line for line in lines if line.startswith(("model", "flags", "Feat"))]
    digest = hashlib.sha256("\n".join(about).encode())
    for room in _ROOMS:
        for module in sorted((_LIBRARY / room).glob("*.py")):
            digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


def _is_there(note: Path) -> bool:
    """Say whether a note is there, and all files that it names."""
    try:
        files = json.loads(note.read_text(encoding="utf-8"))
        if files:
            return all((note.parent / file).exists() for file in files)
        # That no code could be kept may have been for once.
        return time.time() - note.stat().st_mtime < _TRY_AGAIN_S
    except (OSError, ValueError):
        return False


def _compile_all(
    missing: dict[str, Path], at_once: int, say: Callable[[str], None]
) -> None:
    """Run a process for each kernel, and tell how far it is."""
    began = time.monotonic()
    waiting = list(missing.items())
    processes: list[subprocess.Popen[bytes]] = []
    done, told = 0, -1
    while done < len(missing):
        while waiting and len(processes) - done < at_once:
            processes.append(_start(*waiting.pop(0)))
        if done > told and time.monotonic() - began > _QUIET_S:
            told = done
            say(f"compiling for this machine, once: {done} of {len(missing)} done")
        time.sleep(0.05)
        done = sum(process.poll() is not None for process in processes)
    if told >= 0 and not any(process.returncode for process in processes):
        took = count(round(time.monotonic() - began), "second")
        say(f"compiled in {took}; later runs find it")


def _start(kernel: str, note: Path) -> subprocess.Popen[bytes]:
    paths = [str(_LIBRARY.parent), os.environ.get("PYTHONPATH")]
    process = subprocess.Popen(
        # Without the user's folder, where there may be modules of any name.
        [sys.executable, "-P", "-m", __name__, kernel, note],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    # A run that ends earlier has failed, or its jobs needed none of it.
    atexit.register(process.terminate)
    return process


def _compile(kernel: str, note: Path) -> None:
    """Compile, and note where that is; a note of no files says that none are kept."""
    from reelbow.jobs.files import atomic_write
    from reelbow.machine.compiled import files_of_code

    _KERNELS[kernel]()
    # So that who copies a library with its code copies notes that are right.
    files = [os.path.relpath(file, note.parent) for file in files_of_code]
    with atomic_write(note) as temporary:
        temporary.write_text(json.dumps(files), encoding="utf-8")


if __name__ == "__main__":
    _compile(sys.argv[1], Path(sys.argv[2]))
