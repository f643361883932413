"""Roads, railways, rivers and places from many answers or extracts, put together as one OpenStreetMap file."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable, Iterable, Iterator
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

    def add_extract(self, path: Path, area: Bounds, say: Callable[[str], None] = lambda _: None) -> None:
        """Add what an extract (PBF) has inside ``area`` (west, south, east, north): ways with a vertex there, places.

        Reads the file three times and holds what is kept, never what isn't: the nodes inside, then the ways that have
        one, then their nodes outside.

        Args:
            path: PBF file.
            area: west, south, east, north in degrees.
            say: Hears of each reading.

        Raises:
            SourceError: it isn't OpenStreetMap data, or is cut short.
        """
        import osmium

        try:
            stamp = osmium.io.Reader(str(path)).header().get("osmosis_replication_timestamp", "")
            say(f"{path.name}: nodes inside the area")
            inside = self._add_nodes_inside(path, area)
            say(f"{path.name}: roads and railways of {len(inside)} nodes")
            outside = self._add_ways_of(path, inside)
            # What leads out of the area is kept whole; its nodes there are few.
            if len(outside):
                say(f"{path.name}: {len(outside)} nodes of ways that lead out of the area")
                # No filter of libosmium: its set of ids takes a gigabyte where they are spread over all that there are.
                wanted = set(outside.tolist())
                nodes: Any = osmium.FileProcessor(str(path), osmium.osm.NODE)
                for node in nodes:
                    if node.id in wanted and node.location.valid():
                        self._add_node(node.id, node.lon, node.lat)
        except (RuntimeError, OSError, ValueError, OverflowError) as fault:
            reason = str(fault).splitlines()[0] if str(fault) else "unreadable"
            raise SourceError(f"is not readable as OpenStreetMap data ({reason})") from fault
        if stamp:
            self.dates.append(str(stamp)[:10])

    def _add_nodes_inside(self, path: Path, area: Bounds) -> NDArray[np.int64]:
        """Add the places and barriers inside; gives the ids of all nodes inside, sorted, which stay to be used."""
        import osmium

        west, south, east, north = (round(bound * 1e7) for bound in area)
        ids, xs, ys = array("q"), array("i"), array("i")
        nodes: Any = osmium.FileProcessor(str(path), osmium.osm.NODE)
        for node in nodes:
            at = node.location
            # Fixed-point coordinates: comparing them costs half of what degrees do, and there are tens of millions.
            x, y = at.x, at.y
            if west <= x <= east and south <= y <= north and at.valid():
                ids.append(node.id)
                xs.append(x)
                ys.append(y)
                if node.tags:
                    self._add_node(node.id, at.lon, at.lat, dict(node.tags))
        self._inside = _Nodes(ids, xs, ys)
        return self._inside.ids

    def _add_ways_of(self, path: Path, inside: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add the ways that are read and have a node inside, with those nodes; gives ids of their other nodes."""
        import osmium

        used, outside = array("q"), array("q")
        ways: Any = osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter(*_READ_KEYS))
        for way in ways:
            tags = dict(way.tags)
            if not _is_wanted(tags):
                continue
            refs = np.array([node.ref for node in way.nodes], dtype=np.int64)
            here = _is_among(refs, inside)
            if here.any():
                self._add_way(way.id, refs.tolist(), tags)
                used.extend(refs[here].tolist())
                outside.extend(refs[~here].tolist())
        self._inside.add_to(self._ids, self._x, self._y, np.unique(np.frombuffer(used, dtype=np.int64)))
        del self._inside
        return np.unique(np.frombuffer(outside, dtype=np.int64))

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


class _Nodes:
    """Nodes sorted by id, 16 bytes each, with fixed-point coordinates (1e-7 degrees)."""

    def __init__(self, ids: array[int], xs: array[int], ys: array[int]) -> None:
        self.ids = np.frombuffer(ids, dtype=np.int64)
        self._x, self._y = np.frombuffer(xs, dtype=np.int32), np.frombuffer(ys, dtype=np.int32)
        # Files come sorted as a rule; sorting would hold everything twice.
        if (np.diff(self.ids) < 0).any():
            order = np.argsort(self.ids, kind="stable")
            self.ids, self._x, self._y = self.ids[order], self._x[order], self._y[order]

    def add_to(self, ids: array[int], xs: array[int], ys: array[int], wanted: NDArray[np.int64]) -> None:
        """Append those that are wanted, all of which must be here."""
        at = np.searchsorted(self.ids, wanted)
        ids.frombytes(wanted.tobytes())
        xs.frombytes(self._x[at].tobytes())
        ys.frombytes(self._y[at].tobytes())


def _is_among(refs: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of few ``refs`` are among many sorted ``ids``."""
    at = np.minimum(np.searchsorted(ids, refs), len(ids) - 1)
    return ids[at] == refs if len(ids) else np.zeros(len(refs), dtype=bool)


def _is_wanted(tags: dict[str, str]) -> bool:
    """Whether the reader makes anything of a way, or would count it as not understood."""
    return tags.get("waterway") == "river" or tags.get("place") in PLACE_KINDS or may_matter(tags)


def _checked(tags: dict[str, str]) -> dict[str, str]:
    if not all(isinstance(k, str) and isinstance(v, str) and len(k) + len(v) < 2000 for k, v in tags.items()):
        raise ValueError("a tag isn't text")
    return tags


def _sorted(tags: dict[str, str]) -> dict[str, str]:
    return dict(sorted(tags.items()))


def iterate_filters() -> Iterator[str]:
    """Overpass filters of the ways that are read: roads and railways in every state, and rivers.

    What the tables of tags don't know is asked for too, so that it is counted rather than silently absent.
    """
    for key, others in (("highway", NO_ROADS), ("railway", NO_RAILWAYS)):
        yield f'["{key}"]["{key}"!~"^({"|".join(others)})$"]'
    yield f'[~"^({"|".join(PREFIXED_KEYS)})$"~"."]'
    yield '["waterway"="river"]'
