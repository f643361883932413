"""The page of result columns, from the dictionary that every run writes its own copy of."""

from __future__ import annotations

from html import escape

from corridor.export.results import file_columns
from corridor.metrics.registry import all_columns

HEAD = """# Results

`corridor run` writes a folder, whole or not at all. The first table says what the files are, the second what every
column means. The same dictionary, with only the columns that a run has, is in the folder as `data_dictionary.csv`.

| file | a row or feature is |
|---|---|
| `comparison.html` | the page; opens by a double-click and asks nothing of the network |
| `metrics.csv` | a route under a regime |
| `ranking.csv` | a route under a regime and a perspective |
| `cost_breakdown.csv` | a part of a route and a kind of work |
| `candidates.gpkg` | layers `candidates` (routes), `parts` (stretches), `structures` (tunnels, bridges) |
| `candidates.geojson` | a route |
| `candidates.parquet`, `parts.parquet`, `structures.parquet` | the same as the layers, for geopandas |
| `candidates.kml`, `candidates.gpx` | a route with heights |
| `crossings.gpkg`, `crossings.parquet` | what a route meets, per regime |
| `places.csv` | a settlement, before and after; only where local roads are known |
| `findings.json` | what decides a route under a regime, in words, with ids of evidence |
| `candidates.qml`, `parts.qml`, `structures.qml`, `crossings.qml` | a style: QGIS opens files of that name in it |
| `flows.csv`, `pairs.csv`, `control.csv` | a pair of distant places; only with [their tables](long-distance.md) |
| `dependence.csv`, `potentials.csv` | a pair without a country; a city; likewise |
| `brief.pdf` | the page, printed; only with `--pdf` |
| `data_dictionary.csv` | a column of a file |
| `manifest.json` | how to make it again: version, study, inputs with SHA-256 |

## Rules

- Units stand in names. A column with `_low` and `_high` is a range; where a route has none, both equal the figure.
- A column with `_status` says why there is no number. A number never stands in for something that can't be reached.

| status | means |
|---|---|
| `ok` | there is a value |
| `unreachable` | there is no way any more; takes the route out of the ranking |
| `not_applicable` | the question doesn't arise, for instance for a route that doesn't pass the country |
| `not_supported` | the data can't carry it, for instance local crossings without local roads |
| `undetermined` | nothing known says where between `_low` and `_high` it is; `inf` is an end that can't be reached |
| `cut_off` | some lose their way, so that no number holds for all; not ranked by a study that scores it |
| `not_quoted` | documents on the subject give no figure, which isn't 0 |
| `not_travelable` | the rules allow no transit: nothing is ranked under them |
| `missing`, `unknown` | nobody says it |

## Columns

A name in braces stands for what the study or the data puts there: a region, a class of road, a stage, a criterion. What
a name means in one file alone has the file before it.

| column | unit | meaning | from |
|---|---|---|---|
"""


def render() -> str:
    """The page as Markdown."""
    columns = {column.name: column for column in (*all_columns(), *file_columns())}
    rows = [
        f"| `{column.name}` | {_cell(column.unit)} | {_cell(column.meaning)} | {_cell(column.formula)} |"
        for column in columns.values()
    ]
    return HEAD + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return escape(text, quote=False).replace("|", "\\|").replace("_", "\\_")
