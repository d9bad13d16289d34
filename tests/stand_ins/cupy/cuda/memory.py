class OutOfMemoryError(MemoryError):
    def __init__(self, size, total, limit=0):
        super().__init__(
            f"Out of memory allocating {size:,} bytes "
            f"(allocated so far: {total:,} bytes)."
        )


def refuse_memory(*_, **__):
    raise OutOfMemoryError(1 << 40, 1 << 30)
