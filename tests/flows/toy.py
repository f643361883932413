"""Small long-distance tables made for the tests: a region across the Alps, and graphs of any shape."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from corridor.flows.rows import FlowTables
from corridor.flows.tables import COLUMNS, load_tables
from corridor.io.read import border_delays
from corridor.schema.catalogue import Estimate

Rows = list[dict[str, object]]
_TAIL = {"source_ids": "made", "as_of": "2026-01", "confidence": "M", "note": ""}
PARAMETERS = {
    "vehicle_usd_per_h": ("usd_per_hour", 10, 20, 30),
    "cargo_value_usd": ("usd", 0, 0, 0),
    "cargo_pct_per_day": ("pct_per_day", 1, 1, 1),
    "reliability_ratio": ("ratio", 0.5, 1, 1.5),
    "delay_variation": ("ratio", 0.5, 1, 1.5),
    "terminal_h": ("hour", 0, 10, 20),
    "terminal_usd": ("usd_per_load", 50, 100, 150),
    "rest_h_per_driven_h": ("hour_per_hour", 0, 0, 0),
    "theta_per_usd": ("per_usd", 0.001, 0.01, 0.1),
    "half_life_usd": ("usd", 50, 100, 200),
    "undocumented_closure_days": ("day", 0, 1, 5),
}


def ends(prefix: str, low: float, mid: float | None = None, high: float | None = None) -> dict[str, object]:
    """Cells of a range; one number stands for all three."""
    return {
        f"{prefix}_low": low,
        f"{prefix}_mid": low if mid is None else mid,
        f"{prefix}_high": low if high is None else high,
    }


def exactly(value: float) -> Estimate:
    """A figure without a range."""
    return Estimate(value, value, value)


def node(node_id: str, country: str = "AA", lon: float = 10.0, lat: float = 46.0, **other: object) -> dict[str, object]:
    return {
        "node_id": node_id,
        "name": node_id.title(),
        "kind": "city",
        "country": country,
        "lon": lon,
        "lat": lat,
        **other,
    }


def link(start: str, end: str, km: float, link_id: str = "", mode: str = "road", **other: object) -> dict[str, object]:
    """A link of 50 km/h; ``countries`` defaults to AA."""
    base: dict[str, object] = {
        "link_id": link_id or f"{start}-{end}", "from_node": start, "to_node": end, "mode": mode,
        "gauge_mm": 1435 if mode == "rail" else "", "countries": "AA", **ends("length_km", km), **ends("speed_kmh", 50),
        "status": "open", "hazard_class": "none",
    }  # fmt: skip
    return base | other


def tables_of(
    folder: Path,
    nodes: Iterable[Mapping[str, object]],
    links: Iterable[Mapping[str, object]],
    pairs: Iterable[tuple[str, str]] = (),
    branches: Rows | None = None,
    **tables: Rows,
) -> FlowTables:
    """Write tables into a folder and load them."""
    write(folder, nodes, links, pairs, branches, **tables)
    return load_tables(folder)


def write(
    folder: Path,
    nodes: Iterable[Mapping[str, object]],
    links: Iterable[Mapping[str, object]],
    pairs: Iterable[tuple[str, str]] = (),
    branches: Rows | None = None,
    **tables: Rows,
) -> Path:
    """Write tables into a folder; what isn't given is the least that loads."""
    nodes, links, pairs = list(nodes), list(links), list(pairs)
    countries = sorted({str(row["country"]) for row in nodes})
    content: dict[str, Rows] = {
        "sources": [{"source_id": "made", "title": "Made for a test", "publisher": "tests", "licence": "CC0-1.0"}],
        "countries": [{"country": code, "name": f"Country {code}"} for code in countries],
        "nodes": [dict(row) for row in nodes],
        "links": [dict(row) for row in links],
        "tariffs": [
            {"kind": "running_cost", "mode": mode, "applies_to": "*", "unit": "usd_per_km", **ends("price", 0.5, 1, 2)}
            for mode in sorted({str(row["mode"]) for row in links})
        ],
        "parameters": [
            {"parameter": name, "unit": unit, **ends("value", *value)} for name, (unit, *value) in PARAMETERS.items()
        ],
        "demand": [{"origin": a, "destination": b, "axis": "north-south"} for a, b in pairs],
        "branches": branches
        if branches is not None
        else [branch("all", a, b, "road;rail;ferry;sea", mode="multimodal") for a, b in pairs],
        "scenarios": [{"scenario_id": "documented", "name": "As documented", "works": "documented"}],
    }
    content |= tables
    # each border of these tables is a point of its own, named like its link
    delays = content.pop("border_points", [])
    content["border_points"] = [{"link_id": key, "point": key} for key in dict.fromkeys(row["point"] for row in delays)]
    content.setdefault("border_delays", delays)
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns in {**COLUMNS, "border_delays": border_delays.COLUMNS}.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            names = columns.split()
            writer = csv.DictWriter(stream, names, restval="", lineterminator="\n")
            writer.writeheader()
            tail = _TAIL if "source_ids" in names else {}
            writer.writerows({**{k: v for k, v in tail.items() if k in names}, **row} for row in content.get(name, []))
    return folder


def branch(
    branch_id: str, a: str, b: str, modes: str = "road", *, mode: str = "road", **other: object
) -> dict[str, object]:
    return {
        "branch_id": branch_id, "origin": a, "destination": b, "name": branch_id, "mode": mode, "modes": modes, **other
    }  # fmt: skip


def border(link_id: str, country: str, hours: float, *, direction: str = "both", **other: object) -> dict[str, object]:
    base: dict[str, object] = {
        "point": link_id, "country": country, "direction": direction, "mode": "road", "year": 2026,
        **ends("hours", hours), **ends("fee_usd", 0), "basis": "declared",
    }  # fmt: skip
    return base | other


def counted(folder: Path, theta: float, other: float) -> FlowTables:
    """Two ways of 200 and 280 km (280 and 392 USD), and what is counted on each of 1,000 loads a day at some thetas.

    Args:
        folder: to write the tables into.
        theta: at which so many loads take the shorter way as are counted there, 1/USD.
        other: the same of the longer way.
    """
    on_shorter, at_other = (1000 / (1 + math.exp(-112 * each)) for each in (theta, other))
    flow = {"origin": "a", "destination": "b", "axis": "north-south", **ends("flow", 1000)}
    line = {"unit": "trucks_per_day"}
    return tables_of(
        folder,
        [node(name) for name in "axyb"],
        [link("a", "x", 100), link("x", "b", 100), link("a", "y", 140), link("y", "b", 140)],
        branches=[branch("short", "a", "b", via="x"), branch("long", "a", "b", via="y")],
        demand=[flow | {"flow_unit": "trucks_per_day"}],
        screenlines=[
            line | {"screenline_id": "x", "link_ids": "a-x", **ends("value", on_shorter)},
            line | {"screenline_id": "y", "link_ids": "y-b", **ends("value", 1000 - at_other)},
        ],
    )


def alps(folder: Path, **changed: Rows) -> Path:
    """Another region: Verona to Munich by the Brenner, by the Tauern and by a railway whose tunnel is being built."""
    nodes = [
        node("verona", "IT", 10.99, 45.44, people_k=258),
        node("brenner", "IT", 11.51, 47.00, kind="border"),
        node("tarvis", "IT", 13.58, 46.51, kind="border"),
        node("innsbruck", "AT", 11.39, 47.27, people_k=131),
        node("salzburg", "AT", 13.05, 47.80, people_k=157),
        node("munich", "DE", 11.58, 48.14, people_k=1512),
    ]
    links = [
        link("verona", "brenner", 230, countries="IT", **ends("closure_days", 0, 1, 3)),
        link(
            "brenner", "innsbruck", 37, countries="IT;AT", first_country_km=1, **ends("closure_days", 1, 5, 12),
            hazard_class="snow",
        ),
        link("innsbruck", "munich", 160, countries="AT;DE", first_country_km=75),
        link("verona", "tarvis", 300, countries="IT"),
        link("tarvis", "salzburg", 190, countries="IT;AT", first_country_km=4),
        link("salzburg", "munich", 145, countries="AT;DE", first_country_km=2),
        link("verona", "brenner", 239, "rail-south", "rail", countries="IT", capacity_mt_per_year=20),
        link(
            "brenner", "innsbruck", 55, "base-tunnel", "rail", countries="IT;AT", status="construction",
            start_year=2008, **ends("opens_year", 2031, 2032, 2035), capacity_mt_per_year=40,
            **ends("speed_kmh", 80, 100, 120),
        ),
        link("innsbruck", "munich", 172, "rail-north", "rail", countries="AT;DE"),
    ]  # fmt: skip
    borders = [
        border(str(row["link_id"]), country, 0.2, mode=row["mode"])
        for row in links
        for country in str(row["countries"]).split(";")
        if ";" in str(row["countries"])
    ]
    named: dict[str, Rows] = {
        "border_points": borders,
        "screenlines": [
            {
                "screenline_id": "brenner",
                "link_ids": "brenner-innsbruck",
                **ends("value", 6000),
                "unit": "trucks_per_day",
            }
        ],
        "actions": [
            {
                "candidate_id": "toll-gate",
                "regime_id": "*",
                "link_id": "brenner-innsbruck",
                "action": "delay",
                "measure": "gate_min",
            },
            {"candidate_id": "tunnel", "regime_id": "*", "link_id": "base-tunnel", "action": "open"},
        ],
    }
    branches = [
        branch("brenner", "verona", "munich", via="brenner-innsbruck"),
        branch("tauern", "verona", "munich", via="tarvis-salzburg"),
        branch("rail", "verona", "munich", "rail", mode="rail"),
    ]
    return write(folder, nodes, links, [("verona", "munich")], branches, **{**named, **changed})
