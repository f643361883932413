"""Lines, events and words that a run left in a folder, read as what somebody else may have changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import BaseModel, Field, ValidationError

from corridor.errors import SourceError
from corridor.geo.geodesy import WGS84, vertex_chainage_m
from corridor.input_files import read_json, require_file
from corridor.io.read.own_routes import read_lines
from corridor.report.escape import clean_line
from corridor.schema.vocabulary import StructureKind

MAX_BYTES = 500_000_000
_MAX_TEXT = 20_000
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_DEGREES = r"(-?\d{1,3}(?:\.\d{1,9})?)"
_RELIEF = re.compile(
    r'L\.imageOverlay\(\s*"(data:image/webp;base64,[A-Za-z0-9+/]+={0,2})",\s*'
    rf"\[\[{_DEGREES}, {_DEGREES}\], \[{_DEGREES}, {_DEGREES}\]\]"
)
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Cell = Annotated[str, Field(max_length=_MAX_TEXT)] | bool | int | _Number | None
_Point = Annotated[list[_Number], Field(min_length=2, max_length=3)]


class _Line(BaseModel):
    type: Literal["LineString"]
    coordinates: Annotated[list[_Point], Field(min_length=2, max_length=2_000_000)]


class _Feature(BaseModel):
    type: Literal["Feature"]
    properties: dict[Annotated[str, Field(max_length=200)], _Cell]
    geometry: _Line


class _Features(BaseModel):
    features: Annotated[list[_Feature], Field(max_length=10_000)]


class _Finding(BaseModel):
    candidate_id: Annotated[str, Field(max_length=200)]
    regime_id: Annotated[str, Field(max_length=200)] = ""
    text: Annotated[str, Field(max_length=_MAX_TEXT)]
    evidence: Annotated[list[Annotated[str, Field(max_length=_MAX_TEXT)]], Field(max_length=10_000)] = []


class _Findings(BaseModel):
    rows: Annotated[list[_Finding], Field(max_length=100_000)]


def read_candidates(folder: Path) -> gpd.GeoDataFrame:
    """Routes of a results folder: a row per candidate with id, name, family, mode, letter, colour, line (EPSG:4326).

    Args:
        folder: with ``candidates.geojson`` or ``candidates.parquet``.

    Raises:
        SourceError: it has neither, or the file isn't what a run writes.
    """
    path = folder / "candidates.geojson"
    if path.exists():
        content = read_json(path, "file of candidates", MAX_BYTES)
        found = _validated(_Features, content, path)
        rows = [feature.properties for feature in found.features]
        lines = [
            shapely.LineString([point[:2] for point in feature.geometry.coordinates]) for feature in found.features
        ]
        frame = gpd.GeoDataFrame(pd.DataFrame(rows), geometry=lines, crs=WGS84)
    elif (folder / "candidates.parquet").exists():
        path = folder / "candidates.parquet"
        frame = read_layer(path)
    else:
        raise SourceError(
            f"{folder}: has neither candidates.geojson nor candidates.parquet; run it again with --formats"
        )
    for column in ("candidate_id", "name"):
        if column not in frame or not frame[column].map(lambda cell: isinstance(cell, str)).all():
            raise SourceError(f"{path}: has no texts in a column {column}; run it again")
    if not (frame.geom_type == "LineString").all() or not np.isfinite(frame.total_bounds).all():
        raise SourceError(f"{path}: holds what isn't a line; run it again")
    west, south, east, north = frame.total_bounds
    if west < -180 or south < -90 or east > 180 or north > 90:
        raise SourceError(f"{path}: has lines that don't lie on Earth; run it again")
    return _plain(frame)


def read_layer(path: Path) -> gpd.GeoDataFrame:
    """A GeoParquet layer of a results folder, EPSG:4326.

    Args:
        path: of the file.

    Raises:
        SourceError: it isn't what a run writes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    require_file(path, "layer of `corridor run`", MAX_BYTES)
    try:
        table = pq.ParquetFile(path).read()
        frame = table.drop_columns(["geometry"]).to_pandas()
        shapes = shapely.from_wkb(np.array(table["geometry"].to_pylist(), dtype=object))
    except (pa.ArrowException, shapely.errors.ShapelyError, KeyError, ValueError, TypeError, OSError) as fault:
        raise SourceError(f"{path}: isn't a layer of `corridor run`; run it again") from fault
    return _plain(gpd.GeoDataFrame(frame, geometry=shapes, crs=WGS84))


def read_profiles(folder: Path, candidates: gpd.GeoDataFrame) -> dict[str, pd.DataFrame]:
    """Heights along each route, as its track has them: chainage_km, lon, lat, height_m, in_tunnel.

    Args:
        folder: with ``candidates.gpx``; tunnels are known where ``structures.parquet`` is there too.
        candidates: of the folder, in the same order.

    Raises:
        SourceError: there is no such file, or it isn't what a run writes with these candidates.
    """
    path = folder / "candidates.gpx"
    if not path.exists():
        raise SourceError(f"{folder}: has no profiles, which stand in candidates.gpx; run it again with --formats gpx")
    tracks = read_lines(path)
    # Tracks carry no ids: only the same names in the same order tell that they are those of the candidates.
    if [track.name for track in tracks] != [clean_line(name).strip() for name in candidates["name"]]:
        raise SourceError(f"{path}: has other routes than the candidates beside it; run it again")
    structures = folder / "structures.parquet"
    spans = read_layer(structures) if structures.exists() else pd.DataFrame(columns=["candidate_id", "kind"])
    found = {}
    for key, track in zip(candidates["candidate_id"], tracks, strict=True):
        xyz = track.xyz if track.xyz.shape[1] == 3 else np.column_stack([track.xyz, np.full(len(track.xyz), np.nan)])
        km = vertex_chainage_m(shapely.LineString(xyz[:, :2])) / 1000
        inside = np.zeros(len(km), dtype=bool)
        for span in spans[(spans["candidate_id"] == key) & (spans["kind"] == StructureKind.TUNNEL)].itertuples():
            # The millimetre keeps a portal inside its tunnel where the files have rounded chainages.
            inside |= (km >= float(span.from_km) - 1e-6) & (km <= float(span.to_km) + 1e-6)
        columns = {"chainage_km": km, "lon": xyz[:, 0], "lat": xyz[:, 1], "height_m": xyz[:, 2], "in_tunnel": inside}
        found[str(key)] = pd.DataFrame(columns)
    return found


def read_relief(folder: Path) -> tuple[str, list[list[float]]] | None:
    """The relief of the page's map: a picture as a data URI and its corners; None where the page has none.

    Args:
        folder: with ``comparison.html``.
    """
    path = folder / "comparison.html"
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        return None
    # nothing else of the page is taken, and of this nothing but letters of base64 and numbers
    found = _RELIEF.search(path.read_text(encoding="utf-8", errors="replace"))
    if found is None:
        return None
    south, west, north, east = (float(number) for number in found.groups()[1:])
    return found[1], [[south, west], [north, east]]


def read_findings(folder: Path) -> pd.DataFrame:
    """What decides each candidate: candidate_id, regime_id, text, evidence; empty where there is no such file.

    Args:
        folder: of results.

    Raises:
        SourceError: ``findings.json`` isn't what a run writes.
    """
    path = folder / "findings.json"
    rows: list[_Finding] = []
    if path.exists():
        rows = _validated(_Findings, {"rows": read_json(path, "file of findings", MAX_BYTES)}, path).rows
    cells = [
        [clean_line(f.candidate_id), clean_line(f.regime_id), clean_line(f.text), "; ".join(f.evidence)] for f in rows
    ]
    return pd.DataFrame(cells, columns=["candidate_id", "regime_id", "text", "evidence"])


def line_colours(candidates: gpd.GeoDataFrame, default: str) -> list[str]:
    """Colours of routes as their file has them, where they are colours.

    Args:
        candidates: with a column ``colour``, or without.
        default: for the others.
    """
    given = candidates["colour"] if "colour" in candidates else [""] * len(candidates)
    return [cell if isinstance(cell, str) and _COLOUR.fullmatch(cell) else default for cell in given]


def _plain(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table with its texts on one line each, without what could direct a terminal or a page."""
    for column in frame.columns:
        if column != "geometry" and frame[column].dtype == object:
            frame[column] = [clean_line(cell) if isinstance(cell, str) else cell for cell in frame[column]]
    return frame


def _validated(model: type[Any], content: object, path: Path) -> Any:
    try:
        return model.model_validate(content)
    except ValidationError as faults:
        first = faults.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:80]
        raise SourceError(
            f"{path}: isn't what `corridor run` writes ({where}: {first['msg']}); run it again"
        ) from faults


def facts_of(row: Mapping[str, Any]) -> dict[str, str]:
    """What a map says of a route when it is pointed at: the texts and figures of its row.

    Args:
        row: of the candidates' table.
    """
    shown = ("letter", "name", "family", "mode", "length_km")
    return {key: json.dumps(row[key]) if isinstance(row[key], bool) else str(row[key]) for key in shown if key in row}
