"""What the benchmarks share: what they ran on, and how tables get into documents."""

import os
from pathlib import Path


def name_machine() -> str:
    """Name the processor as the kernel does, with the number of cores."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    models = [line for line in text.splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else "unknown processor"
    return f"{model}, {os.cpu_count()} cores"


def write_between(path: Path, name: str, text: str) -> None:
    """Replace what a document has between `<!-- name -->` and `<!-- /name -->`.

    Raises
    ------
    ValueError
        If the document has not exactly one such pair.
    """
    before = path.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if before.count(start) != 1 or before.count(end) != 1:
        raise ValueError(f"{path.name} must have one pair of {start.strip()} and {end}")
    head, _, rest = before.partition(start)
    tail = rest.partition(end)[2]
    path.write_text(f"{head}{start}{text.rstrip()}\n{end}{tail}", encoding="utf-8")
