"""Draw the pictures of the documentation."""

from __future__ import annotations

import argparse
from pathlib import Path

from docs.tools.drawings import alignment, impact, scoring, terrain
from docs.tools.drawings.sheet import save

DRAWINGS = terrain.DRAWINGS | impact.DRAWINGS | scoring.DRAWINGS | alignment.DRAWINGS
IMAGES = Path(__file__).resolve().parents[2] / "images"


def main() -> None:
    """Draw those that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m docs.tools.drawings", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *DRAWINGS], help="which ones; all if left out")
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where to; docs/images if left out")
    words = parser.parse_args()
    for name in words.names or DRAWINGS:
        save(DRAWINGS[name](), words.folder / f"{name}.svg")
        print(words.folder / f"{name}.svg")


if __name__ == "__main__":
    main()
