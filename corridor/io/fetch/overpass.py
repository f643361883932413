"""OpenStreetMap from an Overpass server, tile by tile, put together as one file.

The query language and what servers answer: https://wiki.openstreetmap.org/wiki/Overpass_API.
"""

from __future__ import annotations

import html
import json
import math
import re
import shutil
import time
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corridor.errors import FetchError, MissingError, SourceError
from corridor.geo.geodesy import distance_m
from corridor.io.fetch.fetcher import (
    MAX_REDIRECTS,
    Meter,
    TransientError,
    check_redirect,
    chunks_of,
    keep_trying,
    passing_faults,
    proxies_for,
    refuse_status,
    refuse_web_page,
    user_agent,
)
from corridor.io.read.osm_blocks import find_ways, iterate_nodes
from corridor.io.read.osm_tags import (
    NO_RAILWAYS,
    NO_ROADS,
    PLACE_KINDS,
    PREFIXED_KEYS,
    WAY_KEYS,
    may_matter,
)
from corridor.schema.settings import LiveSettings

# --- Roads, railways, rivers and places from many answers or extracts, put together as one OpenStreetMap file ---

Bounds = tuple[float, float, float, float]
_READ_KEYS = (*WAY_KEYS, "waterway", "place")
_LARGEST_ID = 1 << 62
_EAST, _NORTH = 1_800_000_000, 900_000_000


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
            # The server's own date: its copy of the map may be older than the day of asking.
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
                for numbers, x, y in iterate_nodes(path):
                    here = _is_among(numbers, outside) & (np.abs(x) <= _EAST) & (np.abs(y) <= _NORTH)
                    for column, values in ((self._ids, numbers), (self._x, x), (self._y, y)):
                        column.extend(values[here].tolist())
        except (RuntimeError, OSError, ValueError, OverflowError, EOFError, zlib.error) as fault:
            reason = str(fault).splitlines()[0] if str(fault) else "unreadable"
            raise SourceError(f"is not readable as OpenStreetMap data ({reason})") from fault
        if stamp:
            self.dates.append(str(stamp)[:10])

    def _add_nodes_inside(self, path: Path, area: Bounds) -> NDArray[np.int64]:
        """Add the places and barriers inside; gives the ids of all nodes inside, sorted, which stay to be used."""
        import osmium

        west, south, east, north = (round(bound * 1e7) for bound in area)
        # The few with tags come one by one, by libosmium, which also finds what is broken.
        wanted = osmium.filter.KeyFilter("place", "barrier")
        nodes: Any = osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(wanted)
        for node in nodes:
            at = node.location
            if west <= at.x <= east and south <= at.y <= north and at.valid():
                self._add_node(node.id, at.lon, at.lat, dict(node.tags))
        ids, xs, ys = array("q"), array("i"), array("i")
        for numbers, x, y in iterate_nodes(path):
            here = (west <= x) & (x <= east) & (south <= y) & (y <= north)
            ids.frombytes(numbers[here].tobytes())
            xs.frombytes(x[here].astype(np.int32).tobytes())
            ys.frombytes(y[here].astype(np.int32).tobytes())
        self._inside = _Nodes(ids, xs, ys)
        return self._inside.ids

    def _add_ways_of(self, path: Path, inside: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add the ways that are read and have a node inside, with those nodes; gives ids of their other nodes."""
        import osmium

        used, outside = array("q"), array("q")
        touching = osmium.filter.IdFilter(map(int, find_ways(path, inside)))
        wanted = osmium.filter.KeyFilter(*_READ_KEYS)
        ways: Any = osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(touching).with_filter(wanted)
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

        # Sorted by id and without compression, whose result differs from version to version of a library.
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


_CHUNK = 1 << 16
_KEEP_S = 86_400
_MARGIN_S = 30
"""How much longer than the server this side waits, so that the server's own word on its limit is heard."""
_BUSY = ("rate_limited", "duplicate_query", "dispatcher", "timeout", "too busy")
_TOO_MUCH = ("out of memory", "Query timed out", "Query run out of memory")
_ERROR_OF_PAGE = re.compile(rb"<strong[^>]*>Error</strong>:(.*?)</p>", re.DOTALL)
_SLOT = re.compile(r"Slot available after: [^,\n]*, in (-?\d{1,6}) seconds")
_FREE = re.compile(r"\b\d+ slots? available now")
PLACES = f'["place"~"^({"|".join(sorted(PLACE_KINDS))})$"]'
COUNTRIES = '["admin_level"="2"]["boundary"]'


def download_ways(area: Bounds, work: Path, settings: LiveSettings, meter: Meter) -> OsmPieces:
    """Roads, railways, rivers and places inside ``area``; answers that came are kept in ``work`` for a new call.

    Args:
        area: west, south, east, north in degrees.
        work: Folder for answers, kept after a fault.
        settings: The server's address and the limits.
        meter: Who hears of progress.

    Raises:
        FetchError: the server can't be used; the message says why.
    """
    # One union for all that is read, so that each tile costs the server one query.
    statements = [f"way{wanted}" for wanted in iterate_filters()] + [f"node{PLACES}", f"way{PLACES}"]
    client = _Client(work, settings, meter, "json")
    pieces = OsmPieces()
    for path in client.ask_all([_union(statements, tile) for tile in _tiles(area, settings.query_area_km2)]):
        try:
            pieces.add_answer(path)
        except SourceError as fault:
            shutil.rmtree(work)
            raise FetchError(f"{client.address}: its answer {fault}; is it the right address?") from fault
    return pieces


def download_places(area: Bounds, work: Path, settings: LiveSettings, meter: Meter) -> Any:
    """Settlements that touch ``area``, points and areas, as osmnx builds them (GeoDataFrame, EPSG:4326).

    Args:
        area: west, south, east, north in degrees.
        work: Folder for answers, kept after a fault.
        settings: The server's address and the limits.
        meter: Who hears of progress.

    Raises:
        FetchError: the server can't be used.
        MissingError: it knows none there.
    """
    statements = [f"{kind}{PLACES}" for kind in ("node", "way", "relation")]
    queries = [_union(statements, tile) for tile in _tiles(area, settings.query_area_km2)]
    return _required(_features(queries, "place", work, settings, meter), "place", settings)


def download_countries(area: Bounds, work: Path, settings: LiveSettings, meter: Meter) -> Any:
    """Borders of the countries that touch ``area`` or hold it, as osmnx builds them (GeoDataFrame, EPSG:4326).

    Args:
        area: west, south, east, north in degrees.
        work: Folder for answers, kept after a fault.
        settings: The server's address and the limits.
        meter: Who hears of progress.

    Raises:
        FetchError: the server can't be used.
        MissingError: it knows none there.
    """
    west, south, east, north = area
    # In one answer, since borders must be whole to be closed.
    found = _features([_union([f"relation{COUNTRIES}"], area)], "admin_level", work, settings, meter)
    if found is None or not found.geom_type.isin(["Polygon", "MultiPolygon"]).any():
        # No piece of a border lies in an area within one country: that country is asked for by a point, for which a
        # server needs a table of areas that not all have.
        held = f"is_in({(south + north) / 2:.6f},{(west + east) / 2:.6f})->.here;rel(pivot.here){COUNTRIES};"
        # One that has none says that its manager is turned off, as one says that is down; it has just answered, though.
        twice = settings.model_copy(update={"http_tries": min(settings.http_tries, 2)})
        try:
            found = _features([f"({held});(._;>;);out;"], "admin_level", work, twice, meter)
        except FetchError as fault:
            raise MissingError(
                f"{fault}; it can't say in which country the area lies: name a file of borders"
            ) from fault
    return _required(found, "admin_level", settings)


def _features(queries: list[str], key: str, work: Path, settings: LiveSettings, meter: Meter) -> Any:
    """What answers hold under a key, each feature once; None if nothing."""
    import osmnx
    import pandas as pd
    from osmnx._errors import InsufficientResponseError

    client = _Client(work, settings, meter, "xml")
    frames = []
    for path in client.ask_all(queries):
        try:
            frames.append(osmnx.features_from_xml(path, tags={key: True}))
        except InsufficientResponseError:
            continue  # nothing in this tile
        except Exception as fault:
            # osmnx names no errors for what isn't a map.
            shutil.rmtree(work)
            raise FetchError(
                f"{client.address}: its answer is not OpenStreetMap data; is it the right address?"
            ) from fault
    found = pd.concat(frames) if frames else None
    return None if found is None else found[~found.index.duplicated()]


def _required(found: Any, key: str, settings: LiveSettings) -> Any:
    if found is None:
        raise MissingError(f"{_address(settings)}: knows no feature with {key} in the study's area; name a file")
    return found


def _address(settings: LiveSettings) -> str:
    return f"{settings.overpass_url}/interpreter"


def _tiles(area: Bounds, most_km2: float) -> list[Bounds]:
    """Equal tiles of an area, each of at most ``most_km2``, row by row from the south-west."""
    west, south, east, north = area
    # A degree of longitude is as wide as it is at the area's middle; tiles needn't be exact, only small enough.
    middle = (south + north) / 2
    width_km, height_km = (distance_m([west, west], [middle, south], [east, west], [middle, north]) / 1000).tolist()
    count = max(1.0, width_km * height_km / most_km2)
    # As square as they can be: rows and columns in the ratio of the sides.
    rows = max(1, round(math.sqrt(count * height_km / width_km)))
    columns = math.ceil(count / rows)
    xs, ys = np.linspace(west, east, columns + 1).tolist(), np.linspace(south, north, rows + 1).tolist()
    return [(x0, y0, x1, y1) for y0, y1 in pairwise(ys) for x0, x1 in pairwise(xs)]


def _union(statements: list[str], tile: Bounds) -> str:
    """A query for all that fits any of the statements in a tile, with members; its settings are put before it."""
    west, south, east, north = tile
    box = f"({south:.7f},{west:.7f},{north:.7f},{east:.7f})"
    return f"({''.join(f'{statement}{box};' for statement in statements)});(._;>;);out;"


@dataclass(frozen=True)
class _Client:
    """Asks queries one after the other; answers lie in ``work`` under the hash of the query, whole or not at all."""

    work: Path
    settings: LiveSettings
    meter: Meter
    form: str

    @property
    def address(self) -> str:
        return _address(self.settings)

    @property
    def _headers(self) -> dict[str, str]:
        return {"User-Agent": user_agent(self.settings)}

    def ask_all(self, queries: list[str]) -> list[Path]:
        """Files of the answers, in the order of the queries.

        Raises:
            FetchError: the server can't be used.
        """
        # Answers are known by their query, so that a call that was broken off asks only for what is lacking.
        paths = [self.work / f"{sha256(query.encode()).hexdigest()[:32]}.{self.form}" for query in queries]
        tries = 0

        def ask(deadline: float) -> None:
            nonlocal tries
            for number, (query, path) in enumerate(zip(queries, paths, strict=True), start=1):
                if path.is_file():
                    continue
                tries += 1
                body = self._ask(self._with_settings(query, tries), deadline)
                # A run may be ended in the middle of writing: half an answer must never pass for one.
                half = path.with_suffix(".half")
                half.write_bytes(body)
                half.replace(path)
                self.meter.say(f"OpenStreetMap: answer {number} of {len(queries)}, {len(body) / 1e6:.1f} MB")
                time.sleep(self.settings.query_pause_s)

        with _answers_in(self.work):
            keep_trying(ask, self.address, self.settings, self.meter.say, lambda: sum(path.is_file() for path in paths))
        return paths

    def _with_settings(self, query: str, number: int) -> str:
        # A server refuses a query that it is still running (or believes to be). It strips comments before it compares,
        # so what differs from try to try is the time that is asked for.
        timeout_s = self.settings.query_timeout_s + number % 10
        return f"[out:{self.form}][timeout:{timeout_s}][maxsize:{self.settings.query_memory_mb * 1_000_000}];{query}"

    def _ask(self, query: str, deadline: float) -> bytes:
        """One whole answer.

        Raises:
            TransientError: another try may help.
            FetchError: none will.
        """
        with passing_faults():
            response = self._post(query)
            try:
                self._refuse_status(response)
                body = _read_body(response, self.address, self.settings, self.meter, deadline)
            finally:
                response.close()
        if self.form == "json" or b"<osm" not in body[:400]:
            self._refuse_page(body)
        _refuse_remark(body, self.address, self.form)
        return body

    def _post(self, query: str) -> Any:
        """The answer of the last address of a short chain of redirects, asked the same way at each."""
        import requests

        target = self.address
        for _ in range(MAX_REDIRECTS + 1):
            response = requests.post(
                target, data={"data": query}, headers=self._headers, stream=True, allow_redirects=False,
                timeout=(self.settings.http_timeout_s, self.settings.query_timeout_s + _MARGIN_S),
                proxies=proxies_for(target),
            )  # fmt: skip
            if not response.is_redirect:
                return response
            target = check_redirect(response, self.address, self.settings)
            response.close()
        raise FetchError(f"{self.address}: redirects more than {MAX_REDIRECTS} times; set the server's own address")

    def _refuse_status(self, response: Any) -> None:
        # What another try can't mend is told at once, with the server's own words.
        status = int(response.status_code)
        if status == 400:
            said = _error_of_page(response.raw.read(_CHUNK, decode_content=True)) or "no reason given"
            raise FetchError(f"{self.address}: can't understand the query ({said}); is it an Overpass server?")
        try:
            refuse_status(response, self.address)
        except TransientError as fault:
            if status in {429, 504}:
                said = _error_of_page(response.raw.read(_CHUNK, decode_content=True))
                words = f"{fault} ({said})" if said else str(fault)
                raise TransientError(words, self._busy_s(fault.wait_s)) from fault
            raise

    def _refuse_page(self, body: bytes) -> None:
        """An answer that is a page for people: the server's own words on what is wrong, or somebody else's page."""
        said = _error_of_page(body) if body.lstrip()[:1] == b"<" else ""
        if not said:
            refuse_web_page(body[:100], self.address)
        elif any(mark in said for mark in _TOO_MUCH):
            raise FetchError(f"{self.address}: {said}; ask for smaller tiles (CORRIDOR_QUERY_AREA_KM2)")
        elif any(mark in said for mark in _BUSY):
            raise TransientError(said, self._busy_s())
        else:
            raise FetchError(f"{self.address}: {said}; is it an Overpass server with all its data?")

    def _busy_s(self, asked_s: float = 0.0) -> float:
        """How long to leave a busy server alone: what it asks for, until it has a slot for us, and never briefly."""
        return max(asked_s, self.settings.busy_pause_s, self._slot_s())

    def _slot_s(self) -> float:
        """Seconds until the server's status page promises a slot; 0 where it has one now or says nothing."""
        import requests

        try:
            response = requests.get(
                f"{self.settings.overpass_url}/status", headers=self._headers, allow_redirects=False,
                timeout=self.settings.http_timeout_s, proxies=proxies_for(self.settings.overpass_url), stream=True,
            )  # fmt: skip
            with response:
                said = response.raw.read(_CHUNK, decode_content=True).decode("utf-8", "replace") if response.ok else ""
        except (requests.RequestException, OSError):
            return 0.0
        waits = [int(found) for found in _SLOT.findall(said)]
        return 0.0 if _FREE.search(said) or not waits else float(max(0, min(waits)) + 1)


def _error_of_page(body: bytes) -> str:
    """What an Overpass page says under "Error", on one line; empty if it isn't such a page."""
    found = _ERROR_OF_PAGE.search(body)
    return _printable(html.unescape(found[1].decode("utf-8", "replace"))) if found else ""


def _printable(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]


@contextmanager
def _answers_in(work: Path) -> Iterator[None]:
    """A folder for answers; those of another day go."""
    work.mkdir(exist_ok=True)
    for path in work.iterdir():
        if time.time() - path.stat().st_mtime > _KEEP_S:
            path.unlink()
    try:
        yield
    finally:
        if not any(work.iterdir()):
            shutil.rmtree(work, ignore_errors=True)


def _read_body(response: Any, address: str, settings: LiveSettings, meter: Meter, deadline: float) -> bytes:
    body = bytearray()
    # A server that works on a query may be silent as long as it may work.
    for _, chunk in chunks_of(response, deadline, settings.query_timeout_s + _MARGIN_S, unpack=True):
        body += chunk
        meter.moved("OpenStreetMap", len(body), 0)
        if len(body) > settings.max_bytes:
            raise FetchError(
                f"{address}: answers with more than {settings.http_max_mb:g} MB; ask for smaller tiles "
                "(CORRIDOR_QUERY_AREA_KM2) or raise CORRIDOR_HTTP_MAX_MB"
            )
    stated = response.headers.get("Content-Length", "")
    # requests doesn't mind a body that ends early where it is read in pieces.
    if stated.isdigit() and not response.headers.get("Content-Encoding") and len(body) < int(stated):
        raise TransientError("the connection broke before the end")
    return bytes(body)


def _refuse_remark(body: bytes, address: str, form: str) -> None:
    """Overpass says at the end of an answer, whose status is 200, that it isn't the whole; and a cut answer is none."""
    read: Callable[[bytes], str] = _remark_of_json if form == "json" else _remark_of_xml
    remark = read(body)
    if any(mark in remark for mark in _TOO_MUCH):
        raise FetchError(f"{address}: {remark}; ask for smaller tiles (CORRIDOR_QUERY_AREA_KM2)")
    if "error" in remark:
        raise TransientError(remark)


def _remark_of_json(body: bytes) -> str:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise TransientError("answers with what isn't JSON") from fault
    return _printable(str(answer.get("remark", ""))) if isinstance(answer, dict) else ""


def _remark_of_xml(body: bytes) -> str:
    if not body.rstrip().endswith(b"</osm>"):
        raise TransientError("answers with what isn't a whole map")
    found = re.search(rb"<remark>(.*?)</remark>", body[-4000:], re.DOTALL)
    return _printable(html.unescape(found[1].decode("utf-8", "replace"))) if found else ""
