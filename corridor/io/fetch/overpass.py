"""OpenStreetMap from an Overpass server, tile by tile, with one query each; what the server says of itself is obeyed.

The query language and what servers answer: https://wiki.openstreetmap.org/wiki/Overpass_API.
"""

from __future__ import annotations

import html
import json
import math
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from corridor.errors import FetchError, SourceError
from corridor.geo.geodesy import distance_m
from corridor.io.fetch.osm_pieces import Bounds, OsmPieces, iterate_filters
from corridor.io.fetch.retry import MAX_REDIRECTS, TransientError, keep_trying, user_agent
from corridor.io.fetch.transfer import (
    Meter,
    check_redirect,
    passing_faults,
    proxies_for,
    refuse_status,
    refuse_web_page,
)
from corridor.io.read.osm_tags import PLACE_KINDS
from corridor.schema.live_settings import LiveSettings

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
        FetchError: the server can't be used, or knows none there.
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
        FetchError: the server can't be used, or knows none there.
    """
    west, south, east, north = area
    # In one answer, since borders must be whole to be closed.
    found = _features([_union([f"relation{COUNTRIES}"], area)], "admin_level", work, settings, meter)
    if found is None or not found.geom_type.isin(["Polygon", "MultiPolygon"]).any():
        # No piece of a border lies in an area within one country: that country is asked for by a point, for which a
        # server needs a table of areas that not all have.
        held = f"is_in({(south + north) / 2:.6f},{(west + east) / 2:.6f})->.here;rel(pivot.here){COUNTRIES};"
        found = _features([f"({held});(._;>;);out;"], "admin_level", work, settings, meter)
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
        raise FetchError(f"{_address(settings)}: knows no feature with {key} in the study's area; name a file")
    return found


def _address(settings: LiveSettings) -> str:
    return f"{settings.overpass_url}/interpreter"


def _tiles(area: Bounds, most_km2: float) -> list[Bounds]:
    """Equal tiles of an area, each of at most ``most_km2``, row by row from the south-west."""
    west, south, east, north = area
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
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        meter.moved("OpenStreetMap", len(body), 0)
        if len(body) > settings.max_bytes:
            raise FetchError(
                f"{address}: answers with more than {settings.http_max_mb:g} MB; ask for smaller tiles "
                "(CORRIDOR_QUERY_AREA_KM2) or raise CORRIDOR_HTTP_MAX_MB"
            )
        if time.monotonic() > deadline:
            raise TransientError("the server takes too long")
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
