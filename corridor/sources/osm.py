"""Roads, railways and places from OpenStreetMap files (PBF, XML), read by libosmium in one pass."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.errors import SourceError
from corridor.geo.geodesy import WGS84, line_lengths_m
from corridor.model.source import Source
from corridor.sources.files import file_source, require_file

_LINKS = ("motorway_link", "trunk_link", "primary_link", "secondary_link", "tertiary_link")
ROAD_CLASSES = frozenset(
    (
        *("motorway", "trunk", "primary", "secondary", "tertiary"),
        *_LINKS,
        *("unclassified", "residential", "living_street", "service", "track", "road"),
    )
)
RAIL_STATUS = {"rail": "open", "disused": "disused", "abandoned": "abandoned", "construction": "construction"}
PLACE_KINDS = frozenset(("city", "town", "village", "hamlet", "isolated_dwelling"))
_NO = frozenset(("", "no", "0", "false"))


@dataclass(frozen=True)
class OsmData:
    """What one file gave.

    ``ways`` holds roads and railways together: mode, class, status, oneway (-1|0|1), bridge, tunnel, ref, name,
    length_m, geometry (EPSG:4326). ``node_ids`` are the ids of all their vertices, one after another, and
    ``offsets`` (n_ways + 1) says where each way's begin: ways that share an id meet there.
    """

    ways: gpd.GeoDataFrame
    node_ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    places: gpd.GeoDataFrame
    source: Source

    @property
    def roads(self) -> gpd.GeoDataFrame:
        """The roads alone."""
        return self.ways[self.ways["mode"] == "road"]

    @property
    def rails(self) -> gpd.GeoDataFrame:
        """The railways alone, whatever their status."""
        return self.ways[self.ways["mode"] == "rail"]


def _classify(tags: Any) -> tuple[str, str, str] | None:
    """Mode, class and status of a way, or None if it is neither road nor railway of interest."""
    highway = tags.get("highway")
    if highway is not None:
        status = "open"
        if highway in {"construction", "proposed", "disused", "abandoned"}:
            status = "planned" if highway == "proposed" else highway
            highway = tags.get(highway) or tags.get("construction") or "road"
        return ("road", highway, status) if highway in ROAD_CLASSES else None
    railway = tags.get("railway")
    if railway in RAIL_STATUS:
        return "rail", "rail", RAIL_STATUS[railway]
    return None


def _oneway(tags: Any, klass: str) -> int:
    value = tags.get("oneway", "")
    if value in {"-1", "reverse"}:
        return -1
    if value in {"yes", "true", "1"}:
        return 1
    implied = value == "" and (klass in {"motorway", "motorway_link"} or tags.get("junction") == "roundabout")
    return 1 if implied else 0


def _clean(text: str | None) -> str:
    """A name as plain text: control characters, which no name needs, are dropped."""
    return "".join(c for c in text or "" if c.isprintable())[:200]


def _open(path: Path) -> Iterable[Any]:
    import osmium

    keys = osmium.filter.KeyFilter("highway", "railway", "place")
    return osmium.FileProcessor(str(path)).with_locations().with_filter(keys)


def read_osm(path: Path) -> OsmData:
    """Read roads, railways and places of a PBF, XML or OPL file.

    Ways with missing vertices keep those that the file has; ways of fewer than two are dropped.

    Raises:
        SourceError: the file is missing, isn't OpenStreetMap data, is truncated, or holds no road or railway.
    """
    import osmium

    require_file(path, "OpenStreetMap file")
    rows: list[tuple[Any, ...]] = []
    # array, not list: 8 bytes a vertex, so that a country extract stays well under a gigabyte
    node_ids, sizes, xs, ys = array("q"), array("q"), array("q"), array("q")
    places: list[tuple[Any, ...]] = []
    try:
        for item in _open(path):
            if item.is_way():
                kind = _classify(item.tags)
                vertices = [(n.ref, n.x, n.y) for n in item.nodes if n.location.valid()] if kind else []
                if kind is None or len(vertices) < 2:
                    continue
                refs, x, y = zip(*vertices, strict=True)
                node_ids.extend(refs)
                xs.extend(x)
                ys.extend(y)
                sizes.append(len(refs))
                tags = item.tags
                flags = (tags.get("bridge", "") not in _NO, tags.get("tunnel", "") not in _NO)
                rows.append((item.id, *kind, _oneway(tags, kind[1]), *flags, _clean(tags.get("ref")), _name(tags)))
            elif item.is_node() and item.tags.get("place") in PLACE_KINDS and item.location.valid():
                tags = item.tags
                places.append((_name(tags), tags["place"], _clean(tags.get("population")), item.lon, item.lat))
    except (RuntimeError, OSError, ValueError, osmium.InvalidLocationError) as fault:
        reason = str(fault).splitlines()[0] if str(fault) else "unreadable"
        raise SourceError(f"{path}: not readable as OpenStreetMap data ({reason}); fetch the file again") from fault
    if not rows:
        raise SourceError(f"{path}: holds no road and no railway; is it the right extract?")
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    xy = np.column_stack([xs, ys]) / 1e7
    lines = shapely.linestrings(xy, indices=np.repeat(np.arange(len(sizes)), sizes))
    columns = ["way_id", "mode", "class", "status", "oneway", "bridge", "tunnel", "ref", "name"]
    ways = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=lines, crs=WGS84)
    ways["length_m"] = line_lengths_m(lines)
    return OsmData(
        ways=ways,
        node_ids=np.array(node_ids, dtype=np.int64),
        offsets=offsets,
        places=_places_frame(places),
        source=file_source(
            path, "osm", "OpenStreetMap extract", "OpenStreetMap contributors", _file_date(path), "ODbL 1.0"
        ),
    )


def _name(tags: Any) -> str:
    return _clean(tags.get("name:en") or tags.get("name"))


def _places_frame(rows: list[tuple[Any, ...]]) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows, columns=["name", "kind", "population", "lon", "lat"])
    table["population"] = pd.to_numeric(table["population"], errors="coerce")
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=WGS84)


def _file_date(path: Path) -> str:
    """The replication date in the file's header, or a date (YYYY-MM) in its name, or nothing."""
    import re

    import osmium

    stamp = osmium.io.Reader(str(path)).header().get("osmosis_replication_timestamp", "")
    if stamp:
        return str(stamp)[:10]
    found = re.search(r"(20\d\d)-?(0[1-9]|1[0-2])(?:-?([0-2]\d|3[01]))?", path.name)
    return "-".join(part for part in found.groups() if part) if found else ""
