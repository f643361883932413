"""The picture of a comparison's page, which the first pages show; needs Chromium.

python -m docs.tools.page_picture RESULTS
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

from corridor.export.folder import PAGE
from corridor.export.pdf import find_browser

PICTURE = Path(__file__).resolve().parents[1] / "images" / "page.png"
WINDOW, WIDTH = (1366, 1188), 1100
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en")


def main() -> None:
    """Look at the page of a folder of results and keep what is seen in few colours."""
    parser = argparse.ArgumentParser(prog="python -m docs.tools.page_picture", description=__doc__)
    parser.add_argument("results", type=Path, help="a folder that corridor run wrote")
    page = parser.parse_args().results.resolve() / PAGE
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder) / "page.png"
        window = f"--window-size={WINDOW[0]},{WINDOW[1]}"
        command = [
            find_browser() or "chromium",
            *FLAGS,
            window,
            "--virtual-time-budget=8000",
            f"--screenshot={seen}",
            page.as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        with Image.open(seen) as picture:
            size = WIDTH, round(WIDTH * WINDOW[1] / WINDOW[0])
            picture.convert("RGB").resize(size, Image.Resampling.LANCZOS).quantize(256).save(PICTURE, optimize=True)
    print(PICTURE)


if __name__ == "__main__":
    main()
