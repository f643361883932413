"""Files of results as cells: a row's key, a column, a value. Read by :mod:`compare_results`."""

from __future__ import annotations

import html.parser
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Protocol

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

IDENTIFIERS = ("file", "column", "candidate_id", "regime_id", "perspective", "place", "event_id", "part")
"""Columns that together say which row of a table is meant; rows alike in all of them are numbered."""
STAMPS = {"manifest.json": ("created", "files.*")}
"""Cells that differ from run to run, or that only repeat that another file differs."""

Key = tuple[str, ...]
Table = dict[Key, dict[str, Any]]


class Renames(Protocol):
    """What is read under another name than it stands in the file."""

    def column_names(self, file: str) -> dict[str, str]:
        """New names of a file's columns by their old ones."""

    def words(self, file: str) -> dict[str, dict[str, Any]]:
        """What replaced which word, by column."""


Reader = Callable[[Renames], Table]


def read_tables(path: Path, name: str) -> dict[str, Reader]:
    """The tables of a file by name (a page and a GeoPackage hold several), each read when it is asked for."""
    suffix = path.suffix
    if suffix == ".csv":
        return {name: lambda renames: _frame_table(pd.read_csv(path, dtype=str, keep_default_na=False), name, renames)}
    if suffix == ".parquet":
        return {name: lambda renames: _frame_table(_read_parquet(path), name, renames)}
    if suffix in (".gpkg", ".geojson"):
        # Styles of layers hold the time of writing and are compared as .qml files.
        layers = [layer for layer, kind in pyogrio.list_layers(path) if kind is not None]
        return {f"{name}|{layer}" if suffix == ".gpkg" else name: _layer_reader(path, name, layer) for layer in layers}
    if suffix == ".json":
        content = json.loads(path.read_text(encoding="utf-8"))
        return {name: lambda renames: _json_table(content, name, renames)}
    if suffix == ".html":
        return _page_tables(path, name)
    if suffix in (".qml", ".kml", ".gpx", ".txt", ".svg"):
        return {name: lambda _: _lines_table(path.read_text(encoding="utf-8").splitlines())}
    return {}


def _layer_reader(path: Path, name: str, layer: str) -> Reader:
    return lambda renames: _frame_table(gpd.read_file(path, layer=layer), name, renames)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        return gpd.read_parquet(path)
    except ValueError:  # no geometry in it
        return pd.read_parquet(path)


def _frame_table(frame: pd.DataFrame, name: str, renames: Renames) -> Table:
    """Rows of a table by what its identifiers say; coordinates stand for geometry."""
    rows = []
    for record in frame.to_dict("records"):
        rows.append({str(column): _plain(value) for column, value in record.items()})
    return _keyed(rows, name, renames)


def _plain(value: Any) -> Any:
    if isinstance(value, shapely.Geometry):
        return [value.geom_type, *shapely.get_coordinates(value, include_z=value.has_z).ravel().tolist()]
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return _number(value)
    return value


def _number(text: str) -> Any:
    """What a cell of a CSV says: a number, nothing, or its text."""
    if text == "":
        return None
    try:
        return float(text) if re.fullmatch(r"[-+0-9.eE]+", text) else text
    except ValueError:
        return text


def _keyed(rows: Iterable[dict[str, Any]], name: str, renames: Renames) -> Table:
    names, words = renames.column_names(name), renames.words(name)
    table: Table = {}
    seen: Counter[Key] = Counter()
    for row in rows:
        told = {
            names.get(column, column): words.get(column, {}).get(str(value), value) for column, value in row.items()
        }
        key = tuple(str(told[column]) for column in IDENTIFIERS if column in told)
        seen[key] += 1
        table[key if seen[key] == 1 else (*key, f"#{seen[key]}")] = told
    return table


def _json_table(content: Any, name: str, renames: Renames) -> Table:
    """A JSON document as cells: items of lists are rows, named by their id where they have one."""
    if isinstance(content, list) and all(isinstance(item, dict) for item in content):
        return _keyed(content, name, renames)
    stamps = next((patterns for file, patterns in STAMPS.items() if name.endswith(file)), ())
    names, words = renames.column_names(name), renames.words(name)
    table: Table = {}
    for key, column, value in _cells(content, (), ""):
        stamp = any(fnmatchcase(column, pattern) for pattern in stamps)
        told = words.get(column, {}).get(str(value), value)
        table.setdefault(key, {})[names.get(column, column)] = "" if stamp else told
    return table


def _cells(content: Any, key: Key, column: str) -> Iterator[tuple[Key, str, Any]]:
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _cells(value, key, f"{column}.{name}" if column else str(name))
    elif isinstance(content, list) and any(isinstance(item, dict) for item in content):
        for number, item in enumerate(content):
            known = [str(item[w]) for w in ("id", *IDENTIFIERS) if w in item] if isinstance(item, dict) else []
            yield from _cells(item, (*key, "/".join(known) or f"#{number + 1}"), f"{column}.#")
    else:
        yield key, column, content


class _Page(html.parser.HTMLParser):
    """Embedded data by id, and the lines that a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[str, str] = {}
        self.lines: list[str] = []
        self._in: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag in ("script", "style"):
            self._in = said.get("id") or "" if said.get("type") == "application/json" else ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._in = None

    def handle_data(self, data: str) -> None:
        if self._in:
            self.data[self._in] = self.data.get(self._in, "") + data
        elif self._in is None:
            self.lines += [" ".join(line.split()) for line in data.splitlines() if line.strip()]


def _page_tables(path: Path, name: str) -> dict[str, Reader]:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    tables: dict[str, Reader] = {f"{name}|text": lambda _: _lines_table(page.lines)}
    for part, text in page.data.items():
        tables[f"{name}|{part}"] = _json_reader(json.loads(text), f"{name}|{part}")
    return tables


def _json_reader(content: Any, name: str) -> Reader:
    return lambda renames: _json_table(content, name, renames)


def _lines_table(lines: list[str]) -> Table:
    return {(): {"lines": lines}}
