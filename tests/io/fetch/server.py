"""A server on this machine that answers as the real ones do, and can be told to answer badly.

It interprets the Overpass queries that are sent (a union of statements with a kind, filters on tags and a box, or of
what holds a point; recursion to members; JSON or XML) against a map read from a file, keeps slots and refuses a query
that it has just had as a real server does, and serves whatever else is put under a path.
"""

from __future__ import annotations

import gzip
import hashlib
import http.server
import json
import re
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import shapely

Fault = Callable[[http.server.BaseHTTPRequestHandler], bool]
_STATEMENT = re.compile(r"(node|way|relation)((?:\[[^\]]*\])+)\(([-\d.,]+)\);")
_HELD = re.compile(r"is_in\(([-\d.]+),([-\d.]+)\)->\.(\w+);rel\(pivot\.\3\)((?:\[[^\]]*\])+);")
_KNOWN = re.compile(r"\[out:(json|xml)\]\[timeout:(\d+)\]\[maxsize:\d+\];\(.*\);\(\._;>;\);out;", re.DOTALL)
_FILTER = re.compile(r"""\[(~?)(["'])(.+?)\2(?:(!~|~|=)(["'])(.+?)\5)?\]""")


class OsmMap:
    """Nodes, ways and relations of a file, with the query language's answer to what osmnx asks."""

    def __init__(self, path: Path) -> None:
        import osmium

        self.items: dict[str, dict[int, dict[str, Any]]] = {"node": {}, "way": {}, "relation": {}}
        for item in osmium.FileProcessor(str(path)):
            found: dict[str, Any] = {"type": item.type_str(), "id": item.id, "tags": dict(item.tags)}
            if item.is_node():
                found |= {"type": "node", "lat": item.location.lat, "lon": item.location.lon}
            elif item.is_way():
                found |= {"type": "way", "nodes": [node.ref for node in item.nodes]}
            else:
                kinds = {"n": "node", "w": "way", "r": "relation"}
                members = [{"type": kinds[m.type], "ref": m.ref, "role": m.role} for m in item.members]
                found |= {"type": "relation", "members": members}
            self.items[found["type"]][item.id] = found
        self._xy = {i: (n["lon"], n["lat"]) for i, n in self.items["node"].items()}
        self._boxes: dict[int, Any] = {}
        for i, way in self.items["way"].items():
            self._boxes[i] = np.array([self._xy[n] for n in way["nodes"] if n in self._xy])

    def answer(self, query: str) -> dict[str, Any]:
        found: dict[tuple[str, int], dict[str, Any]] = {}
        for lat, lon, _, filters in _HELD.findall(query):
            point = shapely.Point(float(lon), float(lat))
            for item in self.items["relation"].values():
                if _matches(item["tags"], filters) and self._hull(item).contains(point):
                    self._take(item, found)
        for kind, filters, corners in _STATEMENT.findall(query):
            south, west, north, east = (float(number) for number in corners.split(","))
            polygon = shapely.box(west, south, east, north)
            shapely.prepare(polygon)
            for item in self.items[kind].values():
                if _matches(item["tags"], filters) and self._touches(item, polygon):
                    self._take(item, found)
        stamp = {"timestamp_osm_base": "2026-01-02T03:04:05Z"}
        return {"version": 0.6, "osm3s": stamp, "elements": list(found.values())}

    def _touches(self, item: dict[str, Any], polygon: shapely.Polygon) -> bool:
        if item["type"] == "node":
            return bool(shapely.contains_xy(polygon, item["lon"], item["lat"]))
        if item["type"] == "way":
            xy = self._boxes[item["id"]]
            return len(xy) > 1 and bool(polygon.intersects(shapely.LineString(xy)))
        return any(
            self._touches(self.items["way"][member["ref"]], polygon)
            for member in item["members"]
            if member["type"] == "way" and member["ref"] in self.items["way"]
        )

    def _hull(self, item: dict[str, Any]) -> Any:
        ways = [self.items["way"][m["ref"]] for m in item["members"] if m["ref"] in self.items["way"]]
        return shapely.MultiPoint([self._xy[n] for way in ways for n in way["nodes"]]).convex_hull

    def _take(self, item: dict[str, Any], found: dict[tuple[str, int], dict[str, Any]]) -> None:
        found[item["type"], item["id"]] = {key: value for key, value in item.items() if key != "tags" or value}
        for node in item.get("nodes", ()):
            if node in self.items["node"]:
                self._take(self.items["node"][node], found)
        for member in item.get("members", ()):
            if member["ref"] in self.items[member["type"]]:
                self._take(self.items[member["type"]][member["ref"]], found)


def _matches(tags: dict[str, str], filters: str) -> bool:
    for by_key, _, key, sign, _, value in _FILTER.findall(filters):
        if by_key:
            if not any(re.search(key, k) and re.search(value, v) for k, v in tags.items()):
                return False
        elif sign == "!~":
            if re.search(value, tags.get(key, "")):
                return False
        elif (
            key not in tags or (sign == "=" and tags[key] != value) or (sign == "~" and not re.search(value, tags[key]))
        ):
            return False
    return True


class Server:
    """The server: ``files`` by path; ``faults`` are taken one by one, each for a path that begins with its key.

    ``seen`` are the requests: method, path, headers; ``queries`` those of Overpass. With ``keeps_slots`` a query that
    was refused may come again only in other words, as with a real server, on which it counts as running for its time.
    Without ``has_areas`` it refuses what asks for the areas that hold a point, as servers do that keep no such table.
    """

    def __init__(self, osm: OsmMap | None = None) -> None:
        self.osm = osm
        self.files: dict[str, bytes | Callable[[], bytes]] = {}
        self.faults: list[tuple[str, Fault]] = []
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.queries: list[str] = []
        self.keeps_slots = False
        self.has_areas = True
        self.status = "Rate limit: 2\n2 slots available now.\n"
        self._lock = threading.Lock()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                server._serve(self, b"")

            def do_POST(self) -> None:
                server._serve(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.handle_error = lambda *_: None  # a client that hangs up is none of the server's business
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def asked(self, part: str = "") -> list[str]:
        return [path for _, path, _ in self.seen if part in path]

    def _serve(self, handler: http.server.BaseHTTPRequestHandler, body: bytes) -> None:
        with self._lock:
            self.seen.append((handler.command, handler.path, dict(handler.headers)))
            fault = next((f for f in self.faults if handler.path.startswith(f[0])), None)
            if fault:
                self.faults.remove(fault)
            query = urllib.parse.parse_qs(body.decode()).get("data", [""])[0]
            again = self.keeps_slots and bare(query) in {bare(known) for known in self.queries}
            self.queries += [query] if query else []
            if again:
                fault = ("", overpass_page("Dispatcher_Client::request_read_and_idx::duplicate_query"))
        try:
            if fault and fault[1](handler):
                return
            if handler.path.partition("?")[0] == "/api/interpreter" and self.osm:
                self._answer(handler, query)
            elif handler.path == "/api/status":
                send(handler, self.status.encode(), {"Content-Type": "text/plain; charset=utf-8"})
            elif handler.path in self.files:
                content = self.files[handler.path]
                send_file(handler, content() if callable(content) else content)
            else:
                send(handler, b"<html>not here</html>", {"Content-Type": "text/html"}, 404)
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True

    def _answer(self, handler: Any, query: str) -> None:
        known = _KNOWN.fullmatch(query)
        if not known or not self.osm:
            overpass_page("line 1: parse error: Unknown query clause", 400)(handler)
            return
        if not self.has_areas and _HELD.search(query):
            overpass_page("The dispatcher (i.e. the database management system) is turned off.", 504)(handler)
            return
        answer = self.osm.answer(query)
        if known[1] == "json":
            send(handler, json.dumps(answer).encode(), {"Content-Type": "application/json"})
        else:
            send(handler, as_xml(answer), {"Content-Type": "application/osm3s+xml"})


def bare(query: str) -> str:
    """A query as the real server compares it: without comments and spaces."""
    return re.sub(r"/\*.*?\*/|//[^\n]*|\s", "", query, flags=re.DOTALL)


def as_xml(answer: dict[str, Any]) -> bytes:
    """The same answer in XML."""
    root = ElementTree.Element("osm", version="0.6", generator="Overpass API")
    for item in answer["elements"]:
        at = {key: str(item[key]) for key in ("id", "lat", "lon") if key in item}
        element = ElementTree.SubElement(root, item["type"], at)
        for node in item.get("nodes", ()):
            ElementTree.SubElement(element, "nd", ref=str(node))
        for member in item.get("members", ()):
            ElementTree.SubElement(element, "member", {key: str(value) for key, value in member.items()})
        for key, value in item.get("tags", {}).items():
            ElementTree.SubElement(element, "tag", k=key, v=value)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True, short_empty_elements=False)


def send(handler: Any, content: bytes, headers: dict[str, str], status: int = 200) -> None:
    handler.send_response(status)
    for name, value in ({"Content-Length": str(len(content))} | headers).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


def send_file(handler: Any, content: bytes) -> None:
    """A file with its version, in part where that is asked for."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
    if asked and handler.headers.get("If-Range", etag) == etag:
        start, end = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        where = {"Content-Range": f"bytes {start}-{end}/{len(content)}", "ETag": etag}
        send(handler, content[start : end + 1], where, 206)
    else:
        send(handler, content, {"ETag": etag, "Accept-Ranges": "bytes"})


# --- faults ---


def status(code: int, **headers: str) -> Fault:
    def fault(handler: Any) -> bool:
        send(handler, b"busy", {name.replace("_", "-"): value for name, value in headers.items()}, code)
        return True

    return fault


def drop(content: bytes, after: int) -> Fault:
    """Promise all, send a part, hang up; the version is that of the whole, so that the rest can be asked for."""

    def fault(handler: Any) -> bool:
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.send_header("ETag", etag)
        handler.end_headers()
        handler.wfile.write(content[:after])
        handler.close_connection = True
        return True

    return fault


def web_page(handler: Any) -> bool:
    send(handler, b"<html><body>Log in to the hotel's network</body></html>", {"Content-Type": "text/html"})
    return True


def overpass_page(error: str, status: int = 200) -> Fault:
    """A page as the server writes it where it refuses, often with status 200."""

    def fault(handler: Any) -> bool:
        content = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en"><head><title>OSM3S Response</title></head><body>
<p>The data included in this document is from www.openstreetmap.org.</p>
<p><strong style="color:#FF0000">Error</strong>: runtime error: open64: 0 Success /osm3s_osm_base {error} </p>
</body></html>"""
        send(handler, content.encode(), {"Content-Type": "text/html; charset=utf-8"}, status)
        return True

    return fault


def dies_within(content: bytes, after: int) -> Fault:
    """An answer without a stated length (chunked), whose server dies in the middle."""

    def fault(handler: Any) -> bool:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(f"{after:x}\r\n".encode() + content[:after] + b"\r\n")
        handler.close_connection = True
        return True

    return fault


def body(content: bytes, **headers: str) -> Fault:
    def fault(handler: Any) -> bool:
        send(handler, content, {name.replace("_", "-"): value for name, value in headers.items()})
        return True

    return fault


def redirect(to: str) -> Fault:
    def fault(handler: Any) -> bool:
        send(handler, b"", {"Location": to}, 302)
        return True

    return fault


def wait(seconds: float) -> Fault:
    """Answer as usual after a while."""

    def fault(_: Any) -> bool:
        time.sleep(seconds)
        return False

    return fault


def drip(bytes_: int, pause_s: float) -> Fault:
    """Promise much, send a byte now and then."""

    def fault(handler: Any) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        for _ in range(bytes_):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(pause_s)
        handler.close_connection = True
        return True

    return fault


# --- tiles ---


def hgt(height: Callable[[Any, Any], Any], lat: int, lon: int, side: int = 1201) -> bytes:
    """A packed tile of a ground given by a function of lon and lat; samples on whole degrees and equal steps."""
    step = np.arange(side) / (side - 1)
    heights = np.rint(height(lon + step[None, :], lat + 1 - step[:, None]))
    return gzip.compress(heights.astype(">i2").tobytes(), 1, mtime=0)
