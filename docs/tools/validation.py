"""Documented lengths against computed ones, as tables for the page on validation.

python -m docs.tools.validation                         # on the catalogue alone
python -m docs.tools.validation --osm region.osm.pbf    # on OpenStreetMap data, which isn't part of the project
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

import corridor
from corridor.pipeline.diagnosis import Checked, check_lengths
from corridor.schema.study import Study

SNIPPETS = Path(__file__).resolve().parents[1] / "snippets"
CATALOGUE, EXTRACT = "validation_catalogue.md", "validation_extract.md"


def render(rows: list[Checked], on: str, day: str) -> str:
    """A table as Markdown, with what it was computed on, when, and by which version."""
    head = [
        "| what | mode | documented km | computed km | off | tolerance | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    lines = [
        f"| {r.name} | {r.mode} | {r.low_km:g}-{r.high_km:g} | {_km(r.computed_km)} | {_off(r)} "
        f"| {r.tolerance_pct:g} % | {r.verdict}{r.elsewhere and f': {r.elsewhere}'} |"
        for r in rows
    ]
    return "\n".join([*head, *lines, "", f"Computed {day} by corridor {corridor.__version__} on {on}.", ""])


def _km(value: float | None) -> str:
    return "no way" if value is None else f"{value:.1f}"


def _off(row: Checked) -> str:
    """How far outside the documented range, in percent of its nearer end."""
    if row.computed_km is None:
        return ""
    nearest = min(max(row.computed_km, row.low_km), row.high_km)
    off = 100 * (row.computed_km - nearest) / nearest
    return "inside" if off == 0 else f"{off:+.1f} %"


def main() -> None:
    """Compute one table and write it."""
    parser = argparse.ArgumentParser(prog="python -m docs.tools.validation", description=__doc__)
    parser.add_argument("--osm", type=Path, help="OpenStreetMap file; the catalogue alone if left out")
    parser.add_argument("--words", default="", help="how to name that file's data")
    words = parser.parse_args()
    rows = check_lengths(Study.bundled("syunik"), words.osm, lambda _: None)
    on = "the bundled catalogue alone" if words.osm is None else words.words or words.osm.name
    path = SNIPPETS / (CATALOGUE if words.osm is None else EXTRACT)
    path.write_text(render(rows, on, datetime.now(UTC).date().isoformat()), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
