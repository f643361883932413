"""Draw the routes of a study on one map: an HTML file that opens anywhere and asks nothing of a network.

python scripts/make_map.py syunik --out map.html
python scripts/make_map.py my-study.toml --osm region.osm.pbf --out map.html
python scripts/make_map.py syunik --only aras-rail,aras-road --regime sealed --out aras.html
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import folium

from corridor.cli.common import load_study
from corridor.comparison import Comparison, compare
from corridor.errors import CorridorError
from corridor.files import require_place_for, write_whole
from corridor.report.i18n import clean_line


def parse_arguments(words: Sequence[str] | None) -> argparse.Namespace:
    about, _, examples = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="make_map.py",
        description=about,
        epilog="examples:\n" + "\n".join(f"  {line}" for line in examples.splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("study", metavar="STUDY", help="study file, or name of a bundled study")
    parser.add_argument("--osm", type=Path, metavar="FILE", help="OpenStreetMap file instead of the study's")
    parser.add_argument(
        "--dem", type=Path, metavar="FILE", action="append", default=[], help="elevation raster; again for more"
    )
    parser.add_argument("--only", metavar="ID,...", help="these routes alone, as lines to point at")
    parser.add_argument("--regime", metavar="ID", help="with --only: also what they meet under this regime")
    parser.add_argument("--tiles", action="store_true", help="OpenStreetMap's tiles as background (needs a network)")
    parser.add_argument("--out", type=Path, metavar="FILE", default=Path("map.html"), help="default: map.html")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    asked = parse_arguments(words)
    try:
        require_place_for(asked.out, "map")
        comparison = compare(load_study(asked.study), osm=asked.osm, dem=asked.dem, progress=progress(asked.quiet))
        page = draw(comparison, asked).get_root().render()
        write_whole(asked.out, lambda path: path.write_text(page, encoding="utf-8", newline="\n"))
    except CorridorError as fault:
        print(clean_line(f"make_map: {' '.join(str(fault).split())}"), file=sys.stderr)
        return 2
    print(clean_line(asked.out))
    return 0


def progress(quiet: bool) -> Callable[[str], None] | None:
    """Steps on stderr, or nothing."""
    return None if quiet else lambda step: print(clean_line(step), file=sys.stderr)


def draw(comparison: Comparison, asked: argparse.Namespace) -> folium.Map:
    """The whole map, or some routes to point at."""
    if asked.only is None and asked.regime is None:
        return comparison.map(online_tiles=asked.tiles)
    only = asked.only.split(",") if asked.only else None
    return comparison.explore(candidates=only, regime=asked.regime, tiles="OpenStreetMap" if asked.tiles else None)


if __name__ == "__main__":
    sys.exit(main())
