"""Measure how fast parts of the package are beside named peers on this machine, in one run.

``make bench`` installs the peers and runs every case at its full sizes: under fifteen minutes on two idle cores. Ratios
travel between machines, seconds don't. GRASS is measured where it is installed; CORRIDOR_EXTRACT names a real
OpenStreetMap file. ``--against COMMIT`` also measures whole runs beside those of an earlier commit, turn by turn; with
no case named it measures these alone, and ``all`` names every case.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from benchmarks import against, directions, networks, pictures, ranking, readers, searches, stages, whole_run
from benchmarks.harness import Row, as_json, machine, rise_mb
from benchmarks.tables import as_markdown, print_rows

CASES: dict[str, Callable[[bool], list[Row]]] = {
    "raster": lambda quick: searches.measure((100, 200, 400) if quick else searches.SIZES),
    "directions": lambda quick: directions.measure(*((200, (3,)) if quick else ())),
    "memory": lambda quick: searches.measure_memory(500 if quick else searches.MEMORY_SIZE),
    "alternatives": lambda quick: networks.measure_alternatives((8, 12, 16) if quick else networks.SIZES),
    "reading": lambda quick: readers.measure((500, 1000, 2000) if quick else readers.SIZES),
    "ranking": lambda quick: ranking.measure((100, 200, 400) if quick else ranking.SIZES),
    "relief": lambda quick: pictures.measure((100, 150, 200) if quick else pictures.SIZES),
    "run": lambda quick: whole_run.measure(),
    "ten times": lambda quick: stages.measure_ten_times(*(((10, 30),) if quick else ())),
    "growth": lambda quick: stages.measure(*(((20, 40, 80), (1000, 3000, 10_000)) if quick else ())),
}


def measure_memory(tool: str, size: int) -> None:
    """Print how much memory one raster search takes above its raster; runs in a process of its own."""
    price, start, end = searches.price_raster(size)
    run = searches.TOOLS[tool]
    # Imports and compiled code aren't what is asked.
    run(*searches.price_raster(64), 8)
    print(json.dumps({"mb": rise_mb(lambda: run(price, start, end, 8))}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"which to run (all): {', '.join(CASES)}")
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that all works, not to measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every case with its ratio")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the page of the documentation")
    parser.add_argument(
        "--against", metavar="COMMIT", nargs="?", const=against.BASELINE,
        help=f"also whole runs beside those of an earlier commit ({against.BASELINE} if none is named)",
    )  # fmt: skip
    parser.add_argument("--memory", nargs=3, metavar=("CASE", "TOOL", "SIZE"), help=argparse.SUPPRESS)
    words = parser.parse_args()
    if unknown := sorted(set(words.cases) - set(CASES) - {"all"}):
        parser.error(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    warnings.simplefilter("ignore")  # the peers' own
    if words.memory:
        measure_memory(words.memory[1], int(words.memory[2]))
        return
    named = words.cases or ([] if words.against else ["all"])
    jobs: dict[str, Callable[[], list[Row]]] = {}
    if words.against:
        # First, while this process is small: Linux charges a process with the memory of the one that starts it.
        jobs[f"against {words.against}"] = partial(against.measure, words.against, 1 if words.quick else 2)
    jobs |= {name: partial(CASES[name], words.quick) for name in (CASES if "all" in named else named)}
    rows: list[Row] = []
    for name, job in jobs.items():
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        rows += job()
        # Written after each case, so that what was measured stays if a later one fails or is stopped.
        about = machine()
        if words.json:
            words.json.write_text(as_json(rows, about))
        if words.markdown:
            words.markdown.write_text(as_markdown(rows, about))
    print_rows(rows, machine())


if __name__ == "__main__":
    main()
