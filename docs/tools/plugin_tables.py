"""Tables of what can be plugged in, written into the pages that show them: made from the registries, held by a test.

python -m docs.tools.plugin_tables      # write the tables anew
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from corridor.io.fetch.elevation import all_providers
from corridor.io.fetch.own_raster import OwnRaster
from corridor.mcda.methods import all_methods
from corridor.metrics.registry import INPUTS, derived_inputs

DOCS = Path(__file__).resolve().parents[1]


def methods_table() -> str:
    """The ranking methods as Markdown."""
    rows = [
        "| method | id | scores | linear in weights | compares alternatives | source |",
        "|---|---|---|---|---|---|",
    ]
    for method in all_methods():
        low, high = method.score_range
        authors, _, doi = method.reference.partition(", doi:")
        source = f"[{authors}](https://doi.org/{doi})" if doi else authors
        facts = ("yes" if fact else "no" for fact in (method.linear_in_weights, method.compares_alternatives))
        rows.append(f"| {method.label} | `{method.id}` | {low:g} to {high:g} | {' | '.join(facts)} | {source} |")
    return "\n".join(rows)


def elevation_table() -> str:
    """The sources of live elevation as Markdown."""
    head = ["heights", "`--dem`", "standard error", "servers (keys of `[live]`)", "publisher, licence"]
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for source in (*all_providers(), OwnRaster("https://example.org/heights.tif")):
        choice = f"`{source.id}`" if source.settings else "`https://...`"
        error = "as the study says" if source.vertical_error_m is None else f"{source.vertical_error_m:g} m"
        servers = ", ".join(f"`{key}`" for key in source.settings) or "its address"
        rows.append(f"| {source.summary} | {choice} | {error} | {servers} | {source.publisher}; {source.licence} |")
    return "\n".join(rows)


def inputs_table() -> str:
    """What metrics can be computed from, as Markdown: what is given, and what follows from that."""
    rows = ["| parameter | what it is |", "|---|---|"]
    rows += [f"| `{name}` | {meaning} |" for name, meaning in INPUTS.items()]
    rows += [f"| `{name}` | {meaning} |" for name, meaning in derived_inputs().items()]
    return "\n".join(rows)


TABLES: dict[str, tuple[Path, Callable[[], str]]] = {
    "elevation": (DOCS / "howto" / "live-data.md", elevation_table),
    "inputs": (DOCS / "howto" / "extend.md", inputs_table),
    "methods": (DOCS / "explanation" / "scoring.md", methods_table),
}
"""Name of a table, the page that shows it and what makes it."""


def with_table(page: str, name: str, table: str) -> str:
    """A page with what stands between ``<!-- table: name -->`` and ``<!-- end of table -->`` replaced.

    Raises:
        ValueError: the page has no such place.
    """
    place = re.compile(rf"(?<=<!-- table: {re.escape(name)} -->\n).*?(?=\n<!-- end of table -->)", re.DOTALL)
    if not place.search(page):
        raise ValueError(f"no place for the table '{name}'")
    return place.sub(lambda _: table, page, count=1)


def main() -> None:
    """Write every table into its page."""
    for name, (path, make) in TABLES.items():
        path.write_text(with_table(path.read_text(encoding="utf-8"), name, make()), encoding="utf-8")


if __name__ == "__main__":
    main()
