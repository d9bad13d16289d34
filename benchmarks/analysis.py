"""Runs docs/analysis.md: its films, its commands, its code, and draws its pictures.

The page's blocks of TSV and YAML are its sheet and its configuration, its blocks of
Python are run one after the other in the folder of that run. What they print is written
below them, and what they save as analysis_*.png is put beside the page, small enough.

    uv run python benchmarks/analysis.py
    uv run python benchmarks/analysis.py --folder there
"""

import argparse
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "analysis.md"
FILMS = {
    "big_buck_bunny.mp4": "bbb_full_384x216_25fps_h264.mp4",
    "tears_of_steel.webm": "tears_of_steel_battle_800x332_24fps_vp8.webm",
    "city.mp4": "city_360p_30.006fps_h264_phone.mp4",
}
# Pixels of a picture on the page.
WIDEST = 1100

_SHEET = re.compile(r"```tsv\n(.*?)```\n", re.DOTALL)
_YAML = re.compile(r"```yaml\n(.*?)```\n", re.DOTALL)
_PYTHON = re.compile(
    r"(?P<code>```python\n(?P<body>.*?)```\n)(?:\n```text\n.*?```\n)?", re.DOTALL
)


def run_workflow(folder: Path, text: str) -> None:
    """Run Reelbow on the films, in a folder, as the page says."""
    (folder / "films").mkdir(exist_ok=True)
    for name, shared in FILMS.items():
        if not (folder / "films" / name).exists():
            shutil.copy(SHARED / shared, folder / "films" / name)
    (folder / "config").mkdir(exist_ok=True)
    for name, blocks in (("films.tsv", _SHEET), ("config.yaml", _YAML)):
        own = "\n".join(blocks.findall(text))
        (folder / "config" / name).write_text(own, encoding="utf-8")
    snakemake = Path(sys.executable).with_name("snakemake")
    command = [snakemake, "--snakefile", ROOT / "Snakefile", "--cores", "all"]
    subprocess.run(command, cwd=folder, check=True)


def run_blocks(text: str) -> str:
    """Run the page's Python in this folder; write below each block what it prints."""
    known: dict[str, object] = {}

    def run(found: re.Match[str]) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(found["body"], str(PAGE), "exec"), known)
        told = printed.getvalue().rstrip()
        return found["code"] + (f"\n```text\n{told}\n```\n" if told else "")

    return _PYTHON.sub(run, text)


def main() -> None:
    """Run the page, and write what comes of it into it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, help="to run in, kept afterwards")
    options = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        run_workflow(folder, text)
        os.chdir(folder)
        PAGE.write_text(run_blocks(text), encoding="utf-8")
        for path in folder.resolve().glob("analysis_*.png"):
            with Image.open(path) as picture:
                picture.thumbnail((WIDEST, WIDEST))
                picture.save(PAGE.parent / path.name)
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
