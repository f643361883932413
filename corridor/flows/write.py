"""Writing the tables of a long-distance network and its schematic map lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from corridor.atomic_write import write_whole
from corridor.errors import OutputError
from corridor.flows.results import TABLES, FlowResults
from corridor.flows.rows import FlowTables
from corridor.report.plain_tables import write_csv
from corridor.schema.results import FlowMap

RESULT_TABLES = ("flows", "pairs", "control", "dependence", "potentials")
"""Those that a comparison keeps; the others are for `corridor flows`."""
MAP_LINES = "long_distance.geojson"

LEADING = {
    "flows": "origin destination mode branch regime_id candidate_id year cost_usd_low cost_usd cost_usd_high share "
    "change_usd share_of_mode status scenario_id",
    "control": "origin destination of branch regime_id candidate_id year status share km trip_days_low trip_days "
    "trip_days_high drive_h rest_h check_h transfer_h km_by_country own_km borders border_links customs_lines "
    "customs_borders rail_operators rail_unnamed_km",
    "dependence": "origin destination mode country regime_id candidate_id year cost_usd cost_without_usd dependence "
    "status",
    "potentials": "city name mode regime_id candidate_id year potential_low potential potential_high "
    "network_efficiency cities_reached",
    "counts": "screenline_id year_counted observed_loads_per_day explained_loads_per_day residual_loads_per_day "
    "theta_identified theta_per_usd",
    "documented": "check_id name measure year documented_low documented documented_high computed_low computed "
    "computed_high verdict source_ids note",
}
"""Order of the columns of the tables whose columns others read."""


def table_columns(name: str, table: pd.DataFrame) -> list[str]:
    """Columns of a table in the order in which it is written."""
    first = LEADING.get(name, "").split()
    return first + [str(column) for column in table.columns if column not in first]


def flow_tables(results: FlowResults, names: Iterable[str] = RESULT_TABLES) -> dict[str, pd.DataFrame]:
    """Tables by name, their columns in the order in which they are written."""
    tables = {name: getattr(results, name) for name in names}
    return {name: table.reindex(columns=table_columns(name, table)) for name, table in tables.items()}


def flow_map(tables: FlowTables, results: FlowResults) -> FlowMap:
    """What a page draws and names of the network."""
    nodes = tables.nodes
    links = [
        {
            "link_id": link.link_id, "mode": link.mode, "status": link.status, "from_node": link.from_node,
            "to_node": link.to_node, "border": "-".join(link.countries) if link.crosses_border else "",
            "lon_from": nodes[link.from_node].lon, "lat_from": nodes[link.from_node].lat,
            "lon_to": nodes[link.to_node].lon, "lat_to": nodes[link.to_node].lat,
        }
        for link in tables.links.values()
    ]  # fmt: skip
    return FlowMap(
        links=pd.DataFrame(links),
        lines=results.lines,
        cities={n.node_id: (n.name, n.lon, n.lat) for n in nodes.values() if n.people_k},
        places={node.node_id: node.name for node in nodes.values()},
        countries={
            c.country: (c.name, c.rail_operator, c.origin.note, c.customs_union) for c in tables.countries.values()
        },
        branches={(b.origin, b.destination, b.branch_id): b.name for b in tables.branches},
    )


def schematic_lines(tables: FlowTables, results: FlowResults, year: int) -> dict[str, Any]:
    """The network as GeoJSON: a straight line per link, with the share of each pair that uses it.

    Args:
        tables: The network's tables.
        results: What was measured on them; the network alone is drawn.
        year: The year drawn.

    Returns:
        A GeoJSON feature collection (EPSG:4326). ``geometry_quality`` is ``schematic``: links run straight between
        their nodes, and lengths are not those of the lines. ``share_sum`` adds up, over the pairs, the shares of the
        branches that use the link: a width, not a traffic.
    """
    lines = results.lines[(results.lines["candidate_id"] == "") & (results.lines["year"] == year)]
    shares = dict(zip(lines["link_id"], lines["share_sum"], strict=True))
    features = []
    for link in tables.links.values():
        ends = [tables.nodes[node] for node in (link.from_node, link.to_node)]
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "LineString", "coordinates": [[node.lon, node.lat] for node in ends]},
                "properties": {
                    "link_id": link.link_id, "mode": link.mode, "status": link.status, "as_of": link.origin.as_of,
                    "from": ends[0].name, "to": ends[1].name, "length_km": link.length_km.mid,
                    "geometry_quality": "schematic", "share_sum": round(shares.get(link.link_id, 0.0), 4),
                },
            }
        )  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


def write_lines(collection: dict[str, Any], path: Path) -> None:
    """Write a GeoJSON feature collection."""
    path.write_text(json.dumps(collection, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_flows(
    tables: FlowTables, results: FlowResults, folder: Path, sensitivity: pd.DataFrame | None = None
) -> Path:
    """Write all tables of a long-distance network into a folder, each file whole or not at all.

    Args:
        tables: The network's tables.
        results: What was measured on them.
        folder: Where to; made if it isn't there. Files of other names are left alone.
        sensitivity: What the results hang on, if it was measured.

    Returns:
        The path of ``flows.csv``. Beside it stand ``dependence.csv``, ``potentials.csv``, ``pairs.csv``,
        ``control.csv``, ``ways.csv``, ``regret.csv``, ``counts.csv``, ``documented.csv``, ``long_distance.geojson``
        and, where measured, ``sensitivity.csv``.

    Raises:
        OutputError: the folder can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(f"{folder}: can't be made ({fault.strerror}); choose another folder") from fault
    frames = flow_tables(results, TABLES)
    if sensitivity is not None:
        frames["sensitivity"] = sensitivity
    for name, table in frames.items():
        write_whole(folder / f"{name}.csv", partial(write_csv, table))
    lines = schematic_lines(tables, results, results.years[0])
    write_whole(folder / MAP_LINES, partial(write_lines, lines))
    return folder / "flows.csv"
