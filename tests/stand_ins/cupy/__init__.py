"""CuPy without a GPU, for tests of what goes wrong: it raises what CuPy 14.2 raises.

There is one device, without memory to spare; with REELBOW_TEST_DEVICE=none there is
none. REELBOW_TEST_TRACE names a file that gets a line when a process begins to use a
device, and one when it ends.
"""

from . import cuda as cuda
from .cuda.memory import refuse_memory

__version__ = "14.2.0"


def __getattr__(name):
    """Let everything else that is called want memory."""
    if name.startswith("__"):
        raise AttributeError(name)
    return refuse_memory
