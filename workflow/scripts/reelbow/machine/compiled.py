"""Functions compiled by numba: once, for all jobs that share a folder.

numba keeps compiled code in a folder: the one that NUMBA_CACHE_DIR says, else the
library's own `__pycache__`, else the user's cache, the first that can be written. What
it leaves open is done here. Jobs that start together wait for the one that compiles;
where no such folder can be written, one for temporary files is taken, or none; and what
goes wrong with a cache never ends a job.

Only functions that Python calls are kept. Those that they call are compiled into them.
"""

import contextlib
import fcntl
import functools
import gc
import hashlib
import importlib
import inspect
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TextIO, TypeVar

from reelbow.machine.scratch import make_own_folder


@contextlib.contextmanager
def _hidden(*modules: str) -> Iterator[None]:
    """Let an import inside not find modules, where they are optional and cost time."""
    hidden = [module for module in modules if module not in sys.modules]
    # As Python has it: importing such a name is an ImportError.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for module in hidden:
            del sys.modules[module]


# For its version only, and for a file of settings, which is rare. So many objects are
# made for good that looking for garbage among them takes a tenth of the time.
_unused = ["scipy"] if Path(".numba_config.yaml").exists() else ["scipy", "yaml"]
_collects = gc.isenabled()
gc.disable()
with _hidden(*_unused):
    import numba
    from numba.extending import register_jitable
if _collects:
    gc.enable()

P = ParamSpec("P")
R = TypeVar("R")

# Compiling takes some 10 s. Who holds a lock for much longer is stopped or lost.
_LONGEST_WAIT_S = 120.0

# What all compiled functions are spared, so that they are compiled in half the time:
# checks for divisions by zero, an entry for C, and counting references to arrays. They
# make no array; what they write to is made in Python.
_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
    "_nrt": False,
}

# The files of the code that this process has found or made.
files_of_code: list[str] = []

_parts: set[Callable[..., Any]] = set()


def njit(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function that compiled ones call: it is compiled into them.

    If Python calls it, it runs as it stands.
    """
    marked: Callable[P, R] = register_jitable(**_OPTIONS)(function)
    _parts.add(marked)
    return marked


def cached_njit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function when it is first called, or find its code in the cache.

    Arguments of other types than at the first call are compiled without waiting.
    """
    kernel: Callable[P, R] | None = None

    @functools.wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> R:
        nonlocal kernel
        if kernel is None:
            kernel = _load_or_compile(function, tuple(map(numba.typeof, arguments)))
        return kernel(*arguments, **named)

    return call


@functools.cache
def _load_without_scipy() -> None:
    """Load the part of numba that looks for SciPy's BLAS, and let it find none.

    No kernel here does linear algebra, and SciPy would take a quarter of a second. To
    numba it is optional.
    """
    with _hidden("scipy.linalg.cython_blas"):
        importlib.import_module("numba.np.arraymath")


# Python's other threads run on beside it.
_compile = numba.njit(nogil=True, **_OPTIONS)


def _load_or_compile(function: Callable[P, R], types: tuple[Any, ...]) -> Any:
    """Find the code for arguments of these types in the cache, or compile it."""
    kernel = _compile(function)
    # The name of numba's files, others for every kind of CPU: jobs that write to one
    # index at the same time could give their code the same place.
    function.__qualname__ = name = _name_code(kernel, types)
    try:
        folder = _open_cache(kernel)
        # Where the code is there, nobody waits.
        if not any(folder.glob(f"*.{name}-*.nbc")):
            _load_without_scipy()
            with (folder / f"{name}.lock").open("a") as lock:
                _wait_for_turn(lock)
                kernel.compile(types)
        kernel.compile(types)
        files_of_code.extend(map(str, folder.glob(f"*.{name}-*.nbc")))
    except Exception as error:
        # A full disk, another user's files, files cut short: compile all the same.
        warnings.warn(
            f"compiled code is not kept, so that every job compiles it anew: {error}; "
            "NUMBA_CACHE_DIR can name another folder",
            stacklevel=2,
        )
        if not kernel.signatures:
            kernel = _compile(function)
    return kernel


def _name_code(kernel: Any, types: tuple[Any, ...]) -> str:
    """Name the code by all that it depends on."""
    sources = [path.read_bytes() for path in sorted(_find_sources(kernel.py_func))]
    machine = kernel.targetctx.codegen().magic_tuple()
    about = (sources, numba.__version__, machine, types)
    digest = hashlib.sha256(repr(about).encode()).hexdigest()[:16]
    return f"{kernel.py_func.__name__}-{digest}"


def _find_sources(function: Callable[..., Any]) -> set[Path]:
    """Find the files of a function and of all that is compiled into it.

    Constants of other modules are compiled into it too, but not found: a kernel takes
    them as arguments.
    """
    found = {Path(__file__)}
    waiting = [function]
    while waiting:
        each = waiting.pop()
        path = Path(inspect.getfile(each))
        if path in found:
            continue
        found.add(path)
        for value in each.__globals__.values():
            if inspect.isfunction(value) and value in _parts:
                waiting.append(value)
    return found


def _open_cache(kernel: Any) -> Path:
    """Let numba choose the kernel's cache; return its folder."""
    try:
        kernel.enable_caching()
    except RuntimeError:
        # numba has found no folder to write to.
        os.environ["NUMBA_CACHE_DIR"] = str(
            make_own_folder(Path(tempfile.gettempdir()))
        )
        numba.config.reload_config()  # type: ignore[no-untyped-call]
        kernel.enable_caching()
    # Without getting ready to compile before it looks for code, which takes longer than
    # to load it. Arrays that are made or counted in compiled code would need some of
    # that.
    load = getattr(kernel._cache, "_load_overload", None)
    if load:
        kernel._cache.load_overload = load
    return Path(kernel.stats.cache_path)


def _wait_for_turn(lock: TextIO) -> None:
    """Wait while another job holds the lock; not for ever, nor without locks."""
    end = time.monotonic() + _LONGEST_WAIT_S
    while time.monotonic() < end:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        except OSError:
            break
