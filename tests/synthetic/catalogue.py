"""The made-up reference catalogue: a road over the ridge, one through the valley, an old railway under the ridge.

A slow road links both roads behind the western border.

Both roads have a gap that is only planned: on the ridge road 10.62-10.63, on the valley road 10.640-10.645 (a bridge).
"""

from __future__ import annotations

import csv
from pathlib import Path

NODES = {
    "aster": (10.1, 45.5, "XA"),
    "ridge-gate-west": (10.4, 45.5, "XB"),
    "summit": (10.55, 45.5, "XB"),
    "ridge-gap-west": (10.62, 45.5, "XB"),
    "ridge-gap-east": (10.63, 45.5, "XB"),
    "ridge-gate-east": (10.7, 45.5, "XB"),
    "corvo": (10.9, 45.5, "XC"),
    "valley-gate-west": (10.4, 45.3, "XB"),
    "valley-gap-west": (10.64, 45.3, "XB"),
    "valley-gap-east": (10.645, 45.3, "XB"),
    "valley-gate-east": (10.7, 45.3, "XB"),
    "rail-gate-west": (10.4, 45.7, "XB"),
    "rail-gate-east": (10.7, 45.7, "XB"),
}
TUNNEL_KM, RAIL_KM, RAIL_GRADE_PCT = 10.0, (24.0, 25.0, 26.0), 6.0

LINK = [(10.4, 45.5), (10.42, 45.48), (10.42, 45.32), (10.4, 45.3)]

# section: from, to, mode, class, status, country, points between the ends, and what is documented
_SECTIONS: dict[str, tuple[str, str, str, str, str, str, list[tuple[float, float]], dict[str, object]]] = {
    "ridge-west": ("aster", "ridge-gate-west", "road", "primary", "open", "XA", [(10.25, 45.5)], {}),
    "ridge-up": ("ridge-gate-west", "summit", "road", "primary", "open", "XB", [], {}),
    "ridge-down": ("summit", "ridge-gap-west", "road", "primary", "open", "XB", [], {}),
    "ridge-gap": ("ridge-gap-west", "ridge-gap-east", "road", "primary", "planned", "XB", [], {"follows_osm": "no"}),
    "ridge-end": ("ridge-gap-east", "ridge-gate-east", "road", "primary", "open", "XB", [], {}),
    "ridge-east": ("ridge-gate-east", "corvo", "road", "primary", "open", "XC", [], {}),
    "valley-west": ("aster", "valley-gate-west", "road", "trunk", "open", "XA", [(10.1, 45.3)], {}),
    "valley-middle": ("valley-gate-west", "valley-gap-west", "road", "trunk", "open", "XB", [], {}),
    "valley-gap": (
        "valley-gap-west", "valley-gap-east", "road", "trunk", "planned", "XB", [],
        {"follows_osm": "no", "bridge_km": 0.25},
    ),
    "valley-end": ("valley-gap-east", "valley-gate-east", "road", "trunk", "open", "XB", [], {}),
    "valley-east": ("corvo", "valley-gate-east", "road", "trunk", "open", "XC", [(10.9, 45.3)], {}),
    "link": ("ridge-gate-west", "valley-gate-west", "road", "residential", "open", "XB", LINK[1:-1], {}),
    "rail-west": ("aster", "rail-gate-west", "rail", "rail", "open", "XA", [(10.1, 45.7)], {}),
    "rail-middle": (
        "rail-gate-west", "rail-gate-east", "rail", "rail", "disused", "XB", [(10.55, 45.7)],
        {"tunnel_km": TUNNEL_KM, "max_grade_pct": RAIL_GRADE_PCT, "length_km_low": RAIL_KM[0],
         "length_km_mid": RAIL_KM[1], "length_km_high": RAIL_KM[2]},
    ),
    "rail-east": ("rail-gate-east", "corvo", "rail", "rail", "open", "XC", [(10.9, 45.7)], {}),
}  # fmt: skip
_CROSSINGS = [
    ("ridge-gate-west", 10.4, 45.5, "XA", "XB", "road", "open", (20, 30, 60)),
    ("ridge-gate-east", 10.7, 45.5, "XB", "XC", "road", "closed", (10, 15, 20)),
    ("valley-gate-west", 10.4, 45.3, "XA", "XB", "road", "closed", (20, 30, 60)),
    ("valley-gate-east", 10.7, 45.3, "XB", "XC", "road", "closed", (10, 15, 20)),
    ("rail-gate-west", 10.4, 45.7, "XA", "XB", "rail", "closed", (60, 120, 180)),
]
SPEEDS = {("road", "primary"): 80.0, ("road", "trunk"): 70.0, ("road", "service"): 20.0, ("road", "track"): 10.0,
          ("road", "residential"): 30.0, ("rail", "rail"): 50.0}  # fmt: skip
COSTS = {("road", "surface"): (3, 5, 8), ("road", "bridge"): (15, 25, 40), ("road", "tunnel"): (30, 45, 60),
         ("road", "upgrade"): (2, 4, 6), ("rail", "surface"): (5, 9, 12), ("rail", "bridge"): (20, 30, 50),
         ("rail", "tunnel"): (20, 35, 60), ("rail", "upgrade"): (2, 4, 8)}  # fmt: skip
_GRADES = {("road", "primary"): 8.0, ("road", "trunk"): 7.0, ("road", "residential"): 10.0, ("rail", "rail"): 3.0}
_COLUMNS = {
    "sources": "source_id title publisher date url licence kind confidence note",
    "nodes": "node_id name kind lat lon country elevation_m aliases source_ids",
    "sections": "section_id name aliases from_node to_node mode class status as_of opened closed length_km_low "
    "length_km_mid length_km_high tunnel_km bridge_km max_grade_pct design_speed_kmh country control "
    "geometry_quality follows_osm source_ids confidence note",
    "waypoints": "section_id seq lat lon name",
    "structures": "structure_id section_id kind name lat lon length_km status decisive source_ids note",
    "crossings": "crossing_id name lat lon country_a country_b mode status as_of delay_min_low delay_min_mid "
    "delay_min_high source_ids note",
    "speeds": "mode class speed_kmh_low speed_kmh_mid speed_kmh_high source_ids note",
    "unit_costs": "mode kind cost_musd_per_km_low cost_musd_per_km_mid cost_musd_per_km_high price_year source_ids "
    "note",
    "grades": "mode class ceiling_pct source_ids note",
}
_ALWAYS = {"source_ids": "made-up", "as_of": "2020-01"}


def write_catalogue(folder: Path) -> Path:
    """All tables of the reference folder."""
    folder.mkdir()
    for name, rows in _rows().items():
        columns = _COLUMNS[name].split()
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows({column: (_ALWAYS | row).get(column, "") for column in columns} for row in rows)
    return folder


def _rows() -> dict[str, list[dict[str, object]]]:
    title = "Invented for the tests"
    source = {"source_id": "made-up", "title": title, "publisher": "nobody", "licence": "CC0-1.0", "confidence": "H"}
    nodes = [
        {"node_id": key, "name": _title(key), "kind": "junction", "lon": lon, "lat": lat, "country": country}
        for key, (lon, lat, country) in NODES.items()
    ]
    tunnel = {
        "structure_id": "base-tunnel", "section_id": "rail-middle", "kind": "tunnel", "name": "Base tunnel",
        "lon": 10.55, "lat": 45.7, "length_km": TUNNEL_KM, "status": "disused", "decisive": "no",
    }  # fmt: skip
    return {
        "sources": [source],
        "nodes": nodes,
        "sections": [_section(key) for key in _SECTIONS],
        "waypoints": [row for key in _SECTIONS for row in _waypoints(key)],
        "structures": [tunnel],
        "crossings": [
            {"crossing_id": key, "name": _title(key), "lon": lon, "lat": lat, "country_a": a, "country_b": b,
             "mode": mode, "status": status} | _range("delay_min", delay)
            for key, lon, lat, a, b, mode, status, delay in _CROSSINGS
        ],
        "speeds": [{"mode": m, "class": k} | _range("speed_kmh", (v, v, v)) for (m, k), v in SPEEDS.items()],
        "unit_costs": [{"mode": m, "kind": k} | _range("cost_musd_per_km", v) for (m, k), v in COSTS.items()],
        "grades": [{"mode": m, "class": k, "ceiling_pct": v} for (m, k), v in _GRADES.items()],
    }  # fmt: skip


def _title(key: str) -> str:
    return key.replace("-", " ").capitalize()


def _range(prefix: str, values: tuple[float, ...]) -> dict[str, object]:
    return {f"{prefix}_{end}": value for end, value in zip(("low", "mid", "high"), values, strict=True)}


def _section(key: str) -> dict[str, object]:
    start, end, mode, road_class, status, country, _, documented = _SECTIONS[key]
    return {
        "section_id": key, "name": _title(key), "from_node": start, "to_node": end, "mode": mode, "class": road_class,
        "status": status, "country": country, "geometry_quality": "schematic", "follows_osm": "yes", "confidence": "H",
    } | documented  # fmt: skip


def _waypoints(key: str) -> list[dict[str, object]]:
    start, end, *_, between, _ = _SECTIONS[key]
    points = [NODES[start][:2], *between, NODES[end][:2]]
    return [{"section_id": key, "seq": seq, "lon": lon, "lat": lat} for seq, (lon, lat) in enumerate(points)]
