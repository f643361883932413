"""The tables of the reference catalogue as the tests read them: text cells, nothing guessed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from pyproj import Geod

from corridor.io.read import border_delays

FOLDER = Path(__file__).resolve().parents[1] / "data" / "reference"
GEOD = Geod(ellps="WGS84")

COLUMNS = {
    "sources": "source_id title publisher date url licence kind confidence note",
    "nodes": "node_id name kind lat lon country elevation_m aliases source_ids",
    "sections": "section_id name aliases from_node to_node mode class status as_of opened closed works progress_pct "
    "progress_as_of progress_source_ids road_on_bed_km_low road_on_bed_km_mid road_on_bed_km_high length_km_low "
    "length_km_mid length_km_high tunnel_km bridge_km max_grade_pct design_speed_kmh country control geometry_quality "
    "follows_osm source_ids confidence note",
    "limits": "section_id max_weight_t max_height_m as_of source_ids note",
    "waypoints": "section_id seq lat lon name",
    "structures": "structure_id section_id kind name lat lon length_km status decisive source_ids note",
    "crossings": "crossing_id name lat lon country_a country_b mode status as_of since before delay_min_low "
    "delay_min_mid delay_min_high source_ids note",
    "speeds": "mode class speed_kmh_low speed_kmh_mid speed_kmh_high source_ids note",
    "unit_costs": "mode kind cost_musd_per_km_low cost_musd_per_km_mid cost_musd_per_km_high includes price_year "
    "source_ids note",
    "price_books": "book mode kind cost_musd_per_km_low cost_musd_per_km_mid cost_musd_per_km_high price_year "
    "source_ids note",
    "costing": "parameter unit value_low value_mid value_high source_ids note",
    "upkeep": "mode kind upkeep_musd_per_km_year_low upkeep_musd_per_km_year_mid upkeep_musd_per_km_year_high "
    "price_year source_ids note",
    "population_totals": "area year people_low people_high source_ids note",
    "population_places": "place country lat lon people year source_ids note",
    "trip_rates": "parameter unit value_low value_mid value_high source_ids note",
    "vehicles": "vehicle_id parameter unit value_low value_mid value_high source_ids note",
    "driving": "parameter unit value_low value_mid value_high source_ids note",
    "border_delays": border_delays.COLUMNS,
    "heights": "height_id name node_id section_id lat lon elevation_m confidence source_ids note",
}


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv", dtype=str, keep_default_na=False, encoding="utf-8")


TABLES = {name: _read(name) for name in COLUMNS}
SECTIONS = TABLES["sections"].set_index("section_id")
NODES = TABLES["nodes"].set_index("node_id")


_WAYPOINTS = TABLES["waypoints"].sort_values("seq", key=lambda seq: seq.astype(int), kind="stable")
_ROWS_OF = _WAYPOINTS.groupby("section_id").indices
_LON_LAT = _WAYPOINTS[["lon", "lat"]].to_numpy(dtype=float)
POINTS = {section_id: _LON_LAT[_ROWS_OF.get(section_id, [])] for section_id in SECTIONS.index}
DRAWN_KM = {key: GEOD.line_length(xy[:, 0], xy[:, 1]) / 1000 for key, xy in POINTS.items()}
