"""Candidates as GIS files: whole lines, their parts and their structures (EPSG:4326)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from shapely import LineString

from corridor.export.qml import layer_styles
from corridor.geo.geodesy import WGS84, substring
from corridor.report.escape import clean_text
from corridor.report.i18n import render
from corridor.report.view import ReportView
from corridor.schema.candidate import Part
from corridor.schema.results import Results
from corridor.schema.vocabulary import StructureKind

_GEOPACKAGE = {"driver": "GPKG", "VERSION": "1.3"}
"""QGIS 3.22 warns of later versions."""
_TIME_IN_FILES = "2000-01-01T00:00:00.000Z"
"""GeoPackages hold the time of their last change; a fixed one keeps files the same for the same input."""


def candidate_lines(view: ReportView) -> gpd.GeoDataFrame:
    """One row per candidate: what it is, its lengths in km, its sources, and its whole line."""
    results, marks = view.results, view.marks
    rows = [
        {
            "candidate_id": candidate.candidate_id,
            "name": candidate.name,
            "family": candidate.family,
            "mode": candidate.mode,
            "comparator": candidate.comparator,
            "aliases": "; ".join(str(alias) for alias in candidate.aliases),
            "length_km": candidate.length_km.mid,
            "length_km_low": candidate.length_km.low,
            "length_km_high": candidate.length_km.high,
            "drawn_km": candidate.drawn_km,
            "assumptions": "; ".join(render(said) for said in candidate.assumptions),
            "remarks": "; ".join(render(said) for said in candidate.remarks),
            "note": candidate.note,
            "sources": "; ".join(candidate.source_ids),
            "letter": marks[candidate.candidate_id].letter,
            "colour": marks[candidate.candidate_id].colour,
        }
        for candidate in results.candidates
    ]
    return _frame(rows, [candidate.line for candidate in results.candidates])


def candidate_parts(results: Results) -> gpd.GeoDataFrame:
    """One row per part of each candidate, in travelling order, with status, country, lengths in km and sources."""
    rows: list[dict[str, Any]] = []
    lines: list[LineString] = []
    for candidate in results.candidates:
        for order, part in enumerate(candidate.parts, start=1):
            rows.append({"candidate_id": candidate.candidate_id, "part": order} | _part_row(part))
            lines.append(part.line)
    return _frame(rows, lines)


def _part_row(part: Part) -> dict[str, Any]:
    return {
        "name": part.name,
        "section_id": part.section_id,
        "mode": part.mode,
        "class": part.road_class,
        "status": part.status,
        "works": part.works,
        "country": part.country,
        "length_km": part.length_km.mid,
        "length_km_low": part.length_km.low,
        "length_km_high": part.length_km.high,
        "documented": part.documented,
        "drawn_km": part.drawn_km,
        "geometry_quality": part.geometry_quality,
        "minutes": part.minutes.mid,
        "tunnel_km": np.nan if StructureKind.TUNNEL in part.not_quoted else part.tunnel_km,
        "bridge_km": np.nan if StructureKind.BRIDGE in part.not_quoted else part.bridge_km,
        "max_grade_pct": np.nan if part.max_grade_pct is None else part.max_grade_pct,
        "sources": "; ".join(part.source_ids),
    }


def candidate_structures(results: Results) -> gpd.GeoDataFrame:
    """One row per tunnel or bridge whose place is known, as a line."""
    rows: list[dict[str, Any]] = []
    lines: list[LineString] = []
    for candidate in results.candidates:
        profile = results.profiles.get(candidate.candidate_id)
        for span in profile.spans if profile else ():
            length_km = span.to_km - span.from_km
            row = {
                "candidate_id": candidate.candidate_id,
                "kind": span.kind,
                "name": span.name,
                "located": span.located,
            }
            rows.append(row | {"from_km": span.from_km, "to_km": span.to_km, "length_km": length_km})
            lines.append(substring(candidate.line, span.from_km * 1000, span.to_km * 1000))
    columns = ["candidate_id", "kind", "name", "located", "from_km", "to_km", "length_km"]
    return _frame(rows, lines, columns)


def write_geojson(view: ReportView, path: Path) -> None:
    """Write the candidates' whole lines as GeoJSON (RFC 7946)."""
    candidate_lines(view).to_file(path, driver="GeoJSON", engine="pyogrio", RFC7946="YES")


def candidate_layers(view: ReportView) -> dict[str, gpd.GeoDataFrame]:
    """The tables of candidates by the name of their layer."""
    return {
        "candidates": candidate_lines(view),
        "parts": candidate_parts(view.results),
        "structures": candidate_structures(view.results),
    }


def write_geopackage(view: ReportView, path: Path, layers: Mapping[str, gpd.GeoDataFrame] | None = None) -> None:
    """Write the layers ``candidates``, ``parts`` and ``structures``, with the styles in which QGIS opens them.

    The same bytes for the same results; ``layers`` are those of :func:`candidate_layers` where they are made already.
    """
    with _fixed_time():
        for name, frame in (layers or candidate_layers(view)).items():
            frame.to_file(path, layer=name, engine="pyogrio", geometry_type="LineString", **_GEOPACKAGE)
        _write_styles(layer_styles(view), path)


def _write_styles(styles: dict[str, str], path: Path) -> None:
    """Add the table ``layer_styles``, where QGIS keeps the styles of a GeoPackage's layers."""
    table = pd.DataFrame(
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": list(styles),
            "f_geometry_column": "geom",
            "styleName": list(styles),
            "styleQML": list(styles.values()),
            "styleSLD": "",
            "useAsDefault": True,
            "description": "",
            "owner": "",
            "ui": "",
            "update_time": pd.NaT,
        }
    )
    pyogrio.write_dataframe(table, path, layer="layer_styles", driver="GPKG", layer_options={"FID": "id"})


def write_geoparquet(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write a table as GeoParquet, texts cleaned."""
    _cleaned(frame).to_parquet(path, index=False)


def write_layer(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    """Write one table of geometries as a layer of a GeoPackage, texts cleaned; the same bytes for the same table."""
    with _fixed_time():
        _cleaned(frame).to_file(path, layer=layer, engine="pyogrio", **_GEOPACKAGE)


def _cleaned(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    texts = frame.drop(columns="geometry").map(lambda value: clean_text(value) if isinstance(value, str) else value)
    return frame.assign(**texts)


def writing_errors() -> tuple[type[Exception], ...]:
    """What writing may raise: the system's errors and GDAL's own, which a full disk gives too."""
    from pyogrio import errors

    return OSError, errors.DataSourceError, errors.DataLayerError, errors.FeatureError, errors.GeometryError


@contextmanager
def _fixed_time() -> Iterator[None]:
    option = "OGR_CURRENT_DATE"
    before = pyogrio.get_gdal_config_option(option)
    pyogrio.set_gdal_config_options({option: _TIME_IN_FILES})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({option: before})


def _frame(
    rows: Sequence[dict[str, Any]], lines: Sequence[LineString], columns: Sequence[str] | None = None
) -> gpd.GeoDataFrame:
    table = pd.DataFrame(list(rows), columns=list(columns) if columns else None)
    for column in table.columns:
        texts = [isinstance(value, str) for value in table[column]]
        if any(texts):
            table[column] = [clean_text(value) for value in table[column]]
        elif table[column].dtype == float:
            table[column] = table[column].round(6)
    return gpd.GeoDataFrame(table, geometry=list(lines), crs=WGS84)
