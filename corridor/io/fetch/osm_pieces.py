"""Roads, railways, rivers and places from many answers or extracts, put together as one OpenStreetMap file."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor.errors import SourceError
from corridor.io.read.osm_tags import (
    NO_RAILWAYS,
    NO_ROADS,
    PLACE_KINDS,
    PREFIXED_KEYS,
    WAY_KEYS,
    may_matter,
)

Bounds = tuple[float, float, float, float]
_READ_KEYS = (*WAY_KEYS, "waterway", "place")
_LARGEST_ID = 1 << 62


class OsmPieces:
    """Ways with their vertices, and places; what came again counts once, the later version wins."""

    def __init__(self) -> None:
        self.dates: list[str] = []
        self._ways: dict[int, tuple[array[int], dict[str, str]]] = {}
        self._places: dict[int, dict[str, str]] = {}
        # array, not dict: 8 bytes a number, so that a country stays well under a gigabyte
        self._ids, self._x, self._y = array("q"), array("i"), array("i")

    def add_answer(self, path: Path) -> None:
        """Add an Overpass answer in JSON.

        Args:
            path: The answer, whole.

        Raises:
            SourceError: it isn't one.
        """
        try:
            answer = json.loads(path.read_bytes())
            for element in answer["elements"]:
                if element["type"] == "node":
                    place = int(element["id"]), float(element["lon"]), float(element["lat"])
                    self._add_node(*place, element.get("tags", {}))
                elif element["type"] == "way":
                    self._add_way(int(element["id"]), element["nodes"], element.get("tags", {}))
            base = answer.get("osm3s", {}).get("timestamp_osm_base", "")
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as fault:
            raise SourceError(f"is not OpenStreetMap data in JSON ({type(fault).__name__})") from fault
        if isinstance(base, str) and base:
            self.dates.append(base[:10])

    def add_extract(self, path: Path, area: Bounds) -> None:
        """Add what an extract (PBF) has inside ``area`` (west, south, east, north): ways with a vertex there, places.

        Reads the file more than once, so that only the nodes of its roads and railways are ever held.

        Args:
            path: PBF file.
            area: west, south, east, north in degrees.

        Raises:
            SourceError: it isn't OpenStreetMap data, or is cut short.
        """
        import osmium

        try:
            stamp = osmium.io.Reader(str(path)).header().get("osmosis_replication_timestamp", "")
            roads: Any = osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(
                osmium.filter.KeyFilter(*_READ_KEYS)
            )
            # First pass: ways alone, their node ids one after the other with the length of each (CSR), since a dict of
            # lists would take ten times the memory.
            sizes, refs, kept = array("q"), array("q"), []
            for way in roads:
                if _is_wanted(dict(way.tags)):
                    members = [node.ref for node in way.nodes]
                    refs.extend(members)
                    sizes.append(len(members))
                    kept.append((way.id, dict(way.tags)))
            # Second pass: only the nodes that those ways use.
            needed = osmium.IdTracker()
            for ref in refs:
                needed.add_node(ref)
            ids, lons, lats = array("q"), array("d"), array("d")
            vertices: Any = osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(needed.id_filter())
            for node in vertices:
                if node.location.valid():
                    ids.append(node.id)
                    lons.append(node.lon)
                    lats.append(node.lat)
            tagged = osmium.filter.KeyFilter("place", "barrier")
            points: Any = osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(tagged)
            for node in points:
                if node.location.valid() and _contains(area, node.lon, node.lat):
                    self._add_node(node.id, node.lon, node.lat, dict(node.tags))
        except (RuntimeError, OSError, ValueError, OverflowError) as fault:
            reason = str(fault).splitlines()[0] if str(fault) else "unreadable"
            raise SourceError(f"is not readable as OpenStreetMap data ({reason})") from fault
        self._add_inside(kept, np.array(sizes), np.array(refs), np.array(ids), np.array(lons), np.array(lats), area)
        if stamp:
            self.dates.append(str(stamp)[:10])

    def __len__(self) -> int:
        return len(self._ways)

    def write(self, path: Path) -> None:
        """Write a PBF: the same data gives the same bytes, whatever order it came in (hence no compression).

        Args:
            path: File to write.
        """
        import osmium
        from osmium.osm import mutable

        members = [np.frombuffer(refs, dtype=np.int64) for refs, _ in self._ways.values()]
        # Nodes of ways that were kept, and places; what else came with the answers is left out.
        used = np.unique(np.concatenate([*members, np.fromiter(self._places, dtype=np.int64)]))
        ids = np.frombuffer(self._ids, dtype=np.int64)
        # from behind, because of several versions of a node unique keeps the first
        ids, last = np.unique(ids[::-1], return_index=True)
        here = np.isin(ids, used)
        at = len(self._ids) - 1 - last[here]
        x, y = np.frombuffer(self._x, dtype=np.int32)[at], np.frombuffer(self._y, dtype=np.int32)[at]
        header = osmium.io.Header()
        header.set("generator", "corridor")
        if self.dates:
            header.set("osmosis_replication_timestamp", f"{min(self.dates)}T00:00:00Z")
        target = osmium.io.File(str(path), "pbf,pbf_compression=none")
        with osmium.SimpleWriter(target, header=header, overwrite=True) as writer:
            for node, lon, lat in zip(ids[here].tolist(), (x / 1e7).tolist(), (y / 1e7).tolist(), strict=True):
                writer.add_node(mutable.Node(id=node, location=(lon, lat), tags=_sorted(self._places.get(node, {}))))
            for way in sorted(self._ways):
                refs, tags = self._ways[way]
                writer.add_way(mutable.Way(id=way, nodes=refs.tolist(), tags=_sorted(tags)))

    def _add_node(self, node: int, lon: float, lat: float, tags: dict[str, str] | None = None) -> None:
        if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
            raise ValueError("a node lies nowhere on Earth")
        if not -_LARGEST_ID < node < _LARGEST_ID:
            raise ValueError("an id is out of range")
        # settlements, and barriers that may end a road
        if tags and (tags.get("place") in PLACE_KINDS or "barrier" in tags):
            self._places[node] = _checked(tags)
        self._ids.append(node)
        self._x.append(round(lon * 1e7))
        self._y.append(round(lat * 1e7))

    def _add_way(self, way: int, refs: Iterable[int], tags: dict[str, str]) -> None:
        if not -_LARGEST_ID < way < _LARGEST_ID:
            raise ValueError("an id is out of range")
        if _is_wanted(tags):
            self._ways[way] = (array("q", refs), _checked(tags))

    def _add_inside(
        self,
        kept: list[tuple[int, dict[str, str]]],
        sizes: NDArray[np.int64],
        refs: NDArray[np.int64],
        ids: NDArray[np.int64],
        lon: NDArray[np.float64],
        lat: NDArray[np.float64],
        area: Bounds,
    ) -> None:
        west, south, east, north = area
        inside = ids[(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)]
        # A way is kept whole if any of its vertices is inside: the count of hits up to its end exceeds that up to its
        # start.
        hit = np.isin(refs, inside)
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        counts = np.concatenate([[0], np.cumsum(hit)])
        taken = []
        for index in np.flatnonzero(counts[starts[1:]] > counts[starts[:-1]]):
            members = refs[starts[index] : starts[index + 1]]
            taken.append(members)
            self._add_way(kept[index][0], members.tolist(), kept[index][1])
        if taken:
            needed = np.isin(ids, np.concatenate(taken))
            for node, x, y in zip(ids[needed].tolist(), lon[needed].tolist(), lat[needed].tolist(), strict=True):
                self._add_node(node, x, y)


def _is_wanted(tags: dict[str, str]) -> bool:
    """Whether the reader makes anything of a way, or would count it as not understood."""
    return tags.get("waterway") == "river" or tags.get("place") in PLACE_KINDS or may_matter(tags)


def _checked(tags: dict[str, str]) -> dict[str, str]:
    if not all(isinstance(k, str) and isinstance(v, str) and len(k) + len(v) < 2000 for k, v in tags.items()):
        raise ValueError("a tag isn't text")
    return tags


def _sorted(tags: dict[str, str]) -> dict[str, str]:
    return dict(sorted(tags.items()))


def _contains(area: Bounds, lon: float, lat: float) -> bool:
    west, south, east, north = area
    return west <= lon <= east and south <= lat <= north


def iterate_filters() -> Iterator[str]:
    """Overpass filters of the ways that are read: roads and railways in every state, and rivers.

    What the tables of tags don't know is asked for too, so that it is counted rather than silently absent.
    """
    for key, others in (("highway", NO_ROADS), ("railway", NO_RAILWAYS)):
        yield f'["{key}"]["{key}"!~"^({"|".join(others)})$"]'
    yield f'[~"^({"|".join(PREFIXED_KEYS)})$"~"."]'
    yield '["waterway"="river"]'
