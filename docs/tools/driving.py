"""Documented journeys beside computed ones, and the parameters of driving times, as tables for their page.

python -m docs.tools.driving                         # on the catalogue alone
python -m docs.tools.driving --osm region.osm.pbf    # on OpenStreetMap data, which isn't part of the project
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

import corridor
from corridor.files import data_root
from corridor.io.read.catalogue import load_catalogue
from corridor.network.driving_times import TimeFit
from corridor.pipeline.comparing import open_run
from corridor.pipeline.diagnosis import time_table
from corridor.pipeline.steps import lines
from corridor.schema.study import Study
from docs.tools.validation import SNIPPETS

CATALOGUE, EXTRACT, PARAMETERS = "times_catalogue.md", "times_extract.md", "driving_parameters.md"


def render_times(fit: TimeFit, on: str, day: str) -> str:
    """The table of documented and computed times as Markdown, with the factor and what it was computed on."""
    _, columns, rows = time_table(fit)
    head = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    body = [f"| {' | '.join(row)} |" for row in rows]
    off = 100 * fit.spread
    said = f"Fitted is computed times {fit.factor:.2f}; left out in turn, documents are off by {off:.0f} % (log)."
    return "\n".join([*head, *body, "", f"{said} Computed {day} by corridor {corridor.__version__} on {on}.", ""])


def render_parameters() -> str:
    """Every parameter of the packaged vehicles and of driving times: lowest, used and highest value, and sources."""
    catalogue = load_catalogue(data_root() / "reference")
    lines_ = ["| of | parameter | low | used | high |", "|---|---|---|---|---|"]
    owners = [*catalogue.vehicles.items(), ("all", catalogue.driving)]
    for name, owner in owners:
        for parameter, value in (owner.ranges if owner else {}).items():
            lines_.append(f"| {name} | `{parameter}` | {value.low:g} | {value.mid:g} | {value.high:g} |")
    return "\n".join([*lines_, ""])


def main() -> None:
    """Compute one table of times, and the table of parameters, and write them."""
    parser = argparse.ArgumentParser(prog="python -m docs.tools.driving", description=__doc__)
    parser.add_argument("--osm", type=Path, help="OpenStreetMap file; the catalogue alone if left out")
    parser.add_argument("--words", default="", help="how to name that file's data")
    words = parser.parse_args()
    run = open_run(Study.bundled("syunik"), osm=words.osm, dem=(), progress=lambda _: None)
    fit = run[lines.conflation].driving.fit
    if fit is None:
        parser.error("the bundled study lists no documented journeys")
    on = "the bundled catalogue alone" if words.osm is None else words.words or words.osm.name
    path = SNIPPETS / (CATALOGUE if words.osm is None else EXTRACT)
    path.write_text(render_times(fit, on, datetime.now(UTC).date().isoformat()), encoding="utf-8")
    (SNIPPETS / PARAMETERS).write_text(render_parameters(), encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
