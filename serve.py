"""Search the films of a results folder by color: uv run python serve.py results."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "workflow" / "scripts"))

from reelbow.explorer.serve import main

main()
