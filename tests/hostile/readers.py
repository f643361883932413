"""Every reader of files from outside, with a small sound file for each, for corrupted copies and fuzzers."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import shapely

import corridor
from corridor.alignment.problem import load_standards
from corridor.errors import CorridorError
from corridor.export.folder import is_results_folder
from corridor.files import data_root
from corridor.flows.tables import load_tables
from corridor.io.fetch.cache import Cache, CacheEntry, key_of
from corridor.io.read.borders import read_borders
from corridor.io.read.catalogue import load_catalogue
from corridor.io.read.data_files import known_source, read_pinned_inputs
from corridor.io.read.elevation import read_dem
from corridor.io.read.osm import read_osm
from corridor.io.read.own_routes import read_lines
from corridor.io.read.places import read_places
from corridor.io.read.regimes import load_conditions, load_regimes
from corridor.mcda.perspectives import load_perspectives
from corridor.pipeline.difference import diff
from corridor.pipeline.saved_results import load_results
from corridor.schema.study import Study
from corridor.sweeps.plan import load_vary
from corridor.sweeps.report import load_report, write_report
from tests.hostile.pbf import pbf
from tests.synthetic.study import IMPACT

AREA = (10.0, 45.0, 11.0, 46.0)
ROAD = {"highway": "primary", "name": "Road", "bridge": "yes"}
RAIL = {"railway": "disused", "name": "Line"}
POINTS = [(i, 10 + i / 50, 45.5 + i % 3 / 50) for i in range(1, 40)]
SWEEP = 'design = "product"\n[factors.rules]\nkind = "regime"\nvalues = ["free", "shut"]\n'


def _read_dem(path: Path) -> object:
    return read_dem([path], AREA, source=None, vertical_error_m=10.0, error_range_km=5.0)


def _hgt() -> bytes:
    ramp = np.add.outer(np.arange(1201), np.arange(1201)).astype(">i2")
    return ramp.tobytes()


def _open_results(path: Path) -> None:
    """Everything that can be done with a folder of results."""
    is_results_folder(path.parent)
    found = load_results(path.parent)
    found.rank(method="topsis")
    found.robustness(draws=50)
    for name in ("candidates", "crossings", "findings", "places"):
        getattr(found, name)
    found.map()


def _report_sweep(path: Path) -> None:
    folder = next(parent for parent in path.parents if (parent / "sweep.json").exists())
    write_report(load_report(folder), folder)


def _list_cache(path: Path) -> None:
    cache = Cache(path.parents[2])
    cache.entries()
    cache.verify()


READERS: dict[str, Callable[[Path], object]] = {
    "toml": Study.load,
    "regimes": load_regimes,
    "perspectives": load_perspectives,
    "csv": lambda path: load_catalogue(path.parent),
    "places": read_places,
    "borders": read_borders,
    "pbf": read_osm,
    "osm": read_osm,
    "tif": _read_dem,
    "hgt": _read_dem,
}
"""By kind of file: what reads it, and raises nothing but a CorridorError."""

_TABLES = ("nodes", "crossings", "speeds", "grades", "structures", "unit_costs", "waypoints", "sources")
_FLOWS = ("nodes", "links", "border_points", "demand", "branches", "parameters", "tariffs", "scenarios", "actions")
MORE_READERS: dict[str, Callable[[Path], object]] = {
    **{f"csv-{name}": READERS["csv"] for name in _TABLES},
    **{f"flows-{name}": lambda path: load_tables(path.parent) for name in _FLOWS},
    **{f"borders-{ending}": read_borders for ending in ("gpkg", "fgb", "shp")},
    **{f"lines-{ending}": read_lines for ending in ("geojson", "gpkg", "fgb", "shp", "kml", "gpx")},
    **{f"osm-{ending}": read_osm for ending in ("gz", "bz2", "opl")},
    **{f"dem-{ending}": _read_dem for ending in ("vrt", "asc", "hgt.gz", "hgt.zip")},
    "borders-dbf": lambda path: read_borders(path.with_suffix(".shp")),
    "standards": load_standards,
    "conditions": load_conditions,
    "provenance": lambda path: known_source(path.with_name("places.csv"), "places"),
    "vary": load_vary,
    "manifest": _open_results,
    "metrics": _open_results,
    "candidates": _open_results,
    "findings": _open_results,
    "result-places": _open_results,
    "pinned": read_pinned_inputs,
    "diff": lambda path: diff(path.parent, path.parents[1] / "out"),
    "sweep": _report_sweep,
    "sweep-plan": _report_sweep,
    "sweep-rows": _report_sweep,
    "cache": _list_cache,
}
"""The same for what ``scripts/fuzz.py mutate`` tries beside the kinds above, on files of :func:`more_samples`."""


def samples(study: Path) -> dict[str, tuple[str, bytes]]:
    """A sound file of each kind, from a made-up study's folder: its path there, and its content."""
    found = {
        kind: (name, (study.parent / name).read_bytes())
        for kind, name in (
            ("toml", study.name), ("regimes", "regimes.toml"), ("perspectives", "perspectives.toml"),
            ("csv", "reference/sections.csv"), ("places", "places.csv"), ("borders", "borders.geojson"),
            ("osm", "map.osm"), ("tif", "heights.tif"),
        )
    }  # fmt: skip
    found["pbf"] = "map.osm.pbf", pbf(POINTS, [(1, range(1, 20), ROAD), (2, range(19, 40), RAIL)])
    found["hgt"] = "N45E010.hgt", _hgt()
    return found


def more_samples(study: Path) -> dict[str, tuple[str, bytes]]:
    """The same for :data:`MORE_READERS`; results, a sweep and copies in other formats are written beside the study."""
    folder = study.parent
    study.write_text(study.read_text(encoding="utf-8") + IMPACT, encoding="utf-8")
    found = corridor.compare(study, osm=folder / "map.osm")
    for name in ("out", "other"):
        found.write(folder / name)
    (folder / "vary.toml").write_text(SWEEP, encoding="utf-8")
    corridor.sweep(Study.load(study), folder / "vary.toml", folder / "sw", workers=0)
    _write_formats(folder)
    shutil.copytree(data_root() / "reference", folder / "tables")
    for name in ("standards.toml", "conditions.toml"):
        shutil.copy(data_root() / "reference" / name, folder / name)
    entry = {"file": "places.csv", "title": "t", "publisher": "p", "date": "", "licence": "l", "note": ""}
    (folder / "provenance.json").write_text(json.dumps([entry]), encoding="utf-8")
    names = {
        **{f"csv-{name}": f"reference/{name}.csv" for name in _TABLES},
        **{f"flows-{name}": f"tables/long_distance/{name}.csv" for name in _FLOWS},
        **{f"borders-{ending}": f"b.{ending}" for ending in ("gpkg", "fgb", "shp")},
        "borders-dbf": "b.dbf",
        **{f"lines-{ending}": f"lines.{ending}" for ending in ("geojson", "gpkg", "fgb", "shp", "kml", "gpx")},
        **{f"osm-{ending}": f"map.osm.{ending}" for ending in ("gz", "bz2")},
        "osm-opl": "map.opl",
        **{f"dem-{ending}": f"N45E010.{ending}" for ending in ("vrt", "asc", "hgt.gz", "hgt.zip")},
        "standards": "standards.toml", "conditions": "conditions.toml", "provenance": "provenance.json",
        "vary": "vary.toml", "manifest": "out/manifest.json", "metrics": "out/metrics.csv",
        "candidates": "out/candidates.geojson", "findings": "out/findings.json", "result-places": "out/places.csv",
        "pinned": "out/manifest.json", "diff": "other/metrics.csv",
        "sweep": "sw/sweep.json", "sweep-plan": "sw/plan.parquet",
        "sweep-rows": str(min((folder / "sw").glob("results/*/*.parquet")).relative_to(folder)),
        "cache": _write_cache(folder),
    }  # fmt: skip
    return {kind: (name, (folder / name).read_bytes()) for kind, name in names.items() if (folder / name).exists()}


_MARK = "<Placemark><name>A</name><LineString><coordinates>{0}</coordinates></LineString></Placemark>"
_TRACK = '<gpx version="1.1"><trk><name>A</name><trkseg>{0}</trkseg></trk></gpx>'
_VRT = """<VRTDataset rasterXSize="120" rasterYSize="120"><SRS>EPSG:4326</SRS>
<GeoTransform>9.9, 0.01, 0, 46.1, 0, -0.01</GeoTransform><VRTRasterBand dataType="Float32" band="1"><SimpleSource>
<SourceFilename relativeToVRT="1">heights.tif</SourceFilename><SourceBand>1</SourceBand>
<SrcRect xOff="0" yOff="0" xSize="90" ySize="90"/><DstRect xOff="0" yOff="0" xSize="120" ySize="120"/>
</SimpleSource></VRTRasterBand></VRTDataset>"""


def _write_formats(folder: Path) -> None:
    """Borders, lines, roads and heights of the study's folder in every other format that is read."""
    borders = read_borders(folder / "borders.geojson")
    shapes = gpd.GeoDataFrame(
        {"country": list(borders.countries["country"]), "name": list(borders.countries["country"])},
        geometry=list(borders.countries.geometry), crs="EPSG:4326",
    )  # fmt: skip
    points = [(10.1 + i / 50, 45.5 + i % 3 / 50) for i in range(40)]
    lines = gpd.GeoDataFrame({"name": ["A", "B"]}, geometry=[shapely.LineString(points)] * 2, crs="EPSG:4326")
    for ending in ("gpkg", "fgb", "shp"):
        shapes.to_file(folder / f"b.{ending}")
    for ending in ("geojson", "gpkg", "fgb", "shp"):
        lines.to_file(folder / f"lines.{ending}")
    mark = _MARK.format(" ".join(f"{lon},{lat},5" for lon, lat in points))
    (folder / "lines.kml").write_text(f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{mark}</Document></kml>')
    track = "".join(f'<trkpt lon="{lon}" lat="{lat}"><ele>5</ele></trkpt>' for lon, lat in points)
    (folder / "lines.gpx").write_text(_TRACK.format(track))
    plain = (folder / "map.osm").read_bytes()
    (folder / "map.osm.gz").write_bytes(gzip.compress(plain, mtime=0))
    (folder / "map.osm.bz2").write_bytes(bz2.compress(plain))
    nodes = [f"n{i} v1 x{lon:.5f} y{lat:.5f}" for i, lon, lat in POINTS]
    refs = ",".join(f"n{i}" for i, _, _ in POINTS)
    (folder / "map.opl").write_text("\n".join([*nodes, f"w1 v1 Thighway=primary,name=Road N{refs}"]) + "\n")
    (folder / "N45E010.vrt").write_text(_VRT)
    rows = "\n".join(" ".join(str(100 + i + j) for j in range(60)) for i in range(60))
    (folder / "N45E010.asc").write_text(f"ncols 60\nnrows 60\nxllcorner 9.9\nyllcorner 44.9\ncellsize 0.02\n{rows}\n")
    (folder / "N45E010.prj").write_text(pyproj.CRS("EPSG:4326").to_wkt("WKT1_ESRI"))
    (folder / "N45E010.hgt.gz").write_bytes(gzip.compress(_hgt(), mtime=0))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("N45E010.hgt"), _hgt())
    (folder / "N45E010.hgt.zip").write_bytes(packed.getvalue())


def _write_cache(folder: Path) -> str:
    """A cache of fetched files with one file in it; gives where its record lies."""
    cache = Cache(folder / "cache")
    key = key_of("made-up")
    with cache.open(key, 5) as part:
        part.write_bytes(b"content")
        cache.add(part, CacheEntry(key, "a.tif", "title", "publisher", "licence", "https://example.org/a.tif"))
    return str(next((folder / "cache" / "files").glob("*/*.json")).relative_to(folder))


def outcome(kind: str, path: Path) -> str:
    """What a reader makes of a file: '' if it is read, else the one line that it says."""
    try:
        (READERS | MORE_READERS)[kind](path)
    except CorridorError as fault:
        return str(fault)
    return ""
