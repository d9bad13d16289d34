from . import compiler as compiler
from . import memory as memory
from . import runtime as runtime
from .memory import refuse_memory


class Device:
    def __init__(self, number=0):
        self.id = number
        self.attributes = {"MultiProcessorCount": 2}

    def use(self):
        pass


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return refuse_memory
