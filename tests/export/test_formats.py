"""The files that analysts expect, each opened again by its own reader."""

from __future__ import annotations

import warnings
from dataclasses import replace
from xml.etree import ElementTree

import geopandas as gpd
import gpxpy
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from corridor.errors import OutputError
from corridor.export.folder import FORMATS, choose_formats
from corridor.export.gis import Kind, line_style, solid_line, tunnel_runs, write_kml
from corridor.export.results import describe_column, file_columns, write_results
from corridor.geo.geodesy import vertex_chainage_m
from corridor.metrics.registry import all_columns
from corridor.report.view import ReportView
from corridor.schema.vocabulary import SectionStatus
from tests.report.synthetic import HOSTILE, hostile_results, results

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Package `lxml` missing", UserWarning)  # it reads KML without
    from fastkml import KML


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_results(results(), tmp_path_factory.mktemp("formats") / "out").parent


def read_kml(path):
    return KML.parse(path, strict=False)


def placemarks(folder):
    return {mark.name: mark for mark in folder.features}


def test_the_geopackage_opens_with_its_styles(written):
    styles = pyogrio.read_dataframe(written / "candidates.gpkg", layer="layer_styles").set_index("f_table_name")
    assert set(styles.index) == {"candidates", "parts", "structures"}
    assert styles["useAsDefault"].all()
    assert set(styles["f_geometry_column"]) == {
        pyogrio.read_info(written / "candidates.gpkg", layer=name)["geometry_name"] for name in styles.index
    }
    style = ElementTree.fromstring(styles.loc["candidates", "styleQML"].split("\n", 1)[1])
    drawn = {c.get("value"): c.get("label") for c in style.iter("category")}
    lines = gpd.read_file(written / "candidates.gpkg", layer="candidates")
    assert list(drawn) == lines["candidate_id"].tolist()
    assert drawn["north"] == "A Route north"
    colours = [o.get("value") for o in style.iter("Option") if o.get("name") == "line_color"]
    first = tuple(int(lines["colour"][0][i : i + 2], 16) for i in (1, 3, 5))
    assert colours[:2] == ["255,255,255,255", ",".join(map(str, first)) + ",255"]
    assert (written / "candidates.qml").read_text() == styles.loc["candidates", "styleQML"]
    parts = ElementTree.fromstring(styles.loc["parts", "styleQML"].split("\n", 1)[1])
    assert {c.get("value") for c in parts.iter("category")} == set(SectionStatus)


def test_crossings_open_with_the_deciding_ones_apart(bundled_folder):
    style = ElementTree.fromstring((bundled_folder / "crossings.qml").read_text(encoding="utf-8").split("\n", 1)[1])
    events = gpd.read_file(bundled_folder / "crossings.gpkg", layer="events")
    known = set(events.loc[events["kind"] == "crossing", "separation"])
    assert known <= {c.get("value") for c in style.iter("category")}


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_any_name_gives_a_style_that_is_xml(names):
    style = line_style("name", [Kind(name, name, "#0072B2") for name in names], width_mm=1.0, label="name")
    assert len(list(ElementTree.fromstring(style.split("\n", 1)[1]).iter("category"))) == len(names)


def test_geoparquet_holds_what_the_geopackage_holds(written, bundled_folder):
    for folder in (written, bundled_folder):
        for layer in ("candidates", "parts", "structures"):
            flat = gpd.read_parquet(folder / f"{layer}.parquet")
            packed = gpd.read_file(folder / "candidates.gpkg", layer=layer)
            assert flat.crs.to_epsg() == packed.crs.to_epsg() == 4326
            assert set(flat.columns) == set(packed.columns)
            # a layer of a GeoPackage is of one type, so that one line may stand there as several
            lines = (
                [shapely.MultiLineString(list(shapely.get_parts(line))) for line in t.geometry] for t in (flat, packed)
            )
            assert shapely.equals_exact(*lines, tolerance=1e-9).all()
    events = gpd.read_parquet(bundled_folder / "crossings.parquet")
    assert (
        events["event_id"].tolist()
        == gpd.read_file(bundled_folder / "crossings.gpkg", layer="events")["event_id"].tolist()
    )


def test_kml_heights_are_those_of_the_profile(bundled, bundled_folder):
    folders = next(iter(read_kml(bundled_folder / "candidates.kml").features)).features
    assert len(folders) == len(bundled.candidates)
    for folder, candidate in zip(folders, bundled.results.candidates, strict=True):
        assert folder.name.endswith(candidate.name)
        if candidate.members:  # lies on the ground alone, route by route
            assert list(placemarks(folder)) == [f"{route.name}, on the ground" for route in candidate.members]
            continue
        profile = bundled.results.profiles[candidate.candidate_id]
        whole = placemarks(folder)[candidate.name]
        points = np.concatenate([np.array(line.coords) for line in whole.geometry.geoms])
        assert points[0, :2] == pytest.approx(candidate.line.coords[0], abs=1e-6)
        assert points[-1, :2] == pytest.approx(candidate.line.coords[-1], abs=1e-6)
        assert points[:, 2].max() == pytest.approx(profile.height_m.max(), abs=1.1)
        assert points[:, 2].min() == pytest.approx(profile.height_m.min(), abs=1.1)
        flat = placemarks(folder)[f"{candidate.name}, on the ground"]
        assert len(flat.geometry.coords) == len(candidate.line.coords)


def test_kml_is_extruded_but_in_tunnels(written):
    folder = next(iter(read_kml(written / "candidates.kml").features)).features[0]
    whole = placemarks(folder)["Route north"]
    shapes = whole.kml_geometry.kml_geometries
    assert [shape.extrude for shape in shapes] == [True, False, True]
    assert {shape.altitude_mode.value for shape in shapes} == {"absolute"}
    tunnel = placemarks(folder)["tunnel: Made-up tunnel"]
    assert np.array(tunnel.geometry.coords) == pytest.approx(np.array(list(whole.geometry.geoms)[1].coords))
    assert placemarks(folder)["Route north, on the ground"].kml_geometry.altitude_mode.value == "clampToGround"


def test_hostile_names_are_text_in_kml_and_gpx(tmp_path):
    write_results(hostile_results(), tmp_path / "out", formats=["kml", "gpx"])
    document = next(iter(read_kml(tmp_path / "out" / "candidates.kml").features))
    assert document.features[0].features[0].name == f"{HOSTILE[0]} north"
    assert "<" not in document.features[0].features[0].description
    tracks = gpxpy.parse((tmp_path / "out" / "candidates.gpx").read_text(encoding="utf-8")).tracks
    assert tracks[0].name == f"{HOSTILE[0]} north"


def test_gpx_tracks_have_elevation(bundled, bundled_folder):
    tracks = gpxpy.parse((bundled_folder / "candidates.gpx").read_text(encoding="utf-8")).tracks
    routes = [candidate for candidate in bundled.results.candidates if not candidate.members]
    assert [track.name for track in tracks] == [route.name for route in routes]
    for track, candidate in zip(tracks, routes, strict=True):
        points = track.segments[0].points
        assert all(point.elevation is not None for point in points)
        assert max(p.elevation for p in points) == pytest.approx(
            bundled.results.profiles[candidate.candidate_id].height_m.max(), abs=1.1
        )
        # gpxpy measures on a sphere.
        assert track.length_2d() / 1000 == pytest.approx(candidate.drawn_km, rel=0.005)


def test_lines_in_space_keep_plan_and_profile(bundled):
    for candidate in (found for found in bundled.results.candidates if not found.members):
        profile = bundled.results.profiles[candidate.candidate_id]
        chainage, points = solid_line(candidate, profile)
        assert (np.diff(chainage) > 0).all()
        assert set(vertex_chainage_m(candidate.line) / 1000) <= set(chainage)
        again = np.interp(profile.chainage_km, chainage, points[:, 2])
        assert np.abs(again - profile.height_m).max() < 1.5
        runs = tunnel_runs(chainage, profile)
        assert runs[0][0].start == 0
        assert runs[-1][0].stop == len(chainage)
        inside = sum(chainage[run.stop - 1] - chainage[run.start] for run, tunnel in runs if tunnel)
        documented = sum(s.to_km - s.from_km for s in profile.spans if s.kind == "tunnel")
        assert inside == pytest.approx(documented, abs=0.01)


def test_a_route_without_profile_is_drawn_on_the_ground(tmp_path):
    write_kml(ReportView(replace(results(), profiles={})), tmp_path / "flat.kml")
    folder = next(iter(read_kml(tmp_path / "flat.kml").features)).features[0]
    assert [mark.name for mark in folder.features] == ["Route north, on the ground"]


def test_what_several_files_have_by_one_name_is_described_as_what_it_is_in_each(bundled_folder):
    words = pd.read_csv(bundled_folder / "data_dictionary.csv").set_index(["file", "column"])["meaning"]
    assert "disused" in words["parts.parquet", "status"]
    for file, said in (("flows.csv", "no way"), ("pairs.csv", "no way"), ("dependence.csv", "another way")):
        assert said in words[file, "status"]
        values = set(pd.read_csv(bundled_folder / file)["status"])
        assert values <= {"open", "opened", "closed", "no way", "other way", "no way without it"}
    assert "avoided" in words["dependence.csv", "country"]
    # keys of one file are of a file and a column that there are
    for name in (column.name for column in file_columns() if ".csv:" in column.name):
        assert tuple(name.split(":")) in words.index


def test_every_column_of_every_file_is_in_the_dictionary(bundled_folder):
    words = pd.read_csv(bundled_folder / "data_dictionary.csv", keep_default_na=False)
    known = set(zip(words["file"], words["column"], strict=True))
    for path in bundled_folder.glob("*.csv"):
        if path.name != "data_dictionary.csv":
            assert {(path.name, column) for column in pd.read_csv(path, nrows=0).columns} <= known
    for path in bundled_folder.glob("*.gpkg"):
        for layer in set(gpd.list_layers(path)["name"]) - {"layer_styles"}:
            columns = gpd.read_file(path, layer=layer).columns
            assert {(f"{path.name}|layername={layer}", column) for column in columns} <= known
    for path in bundled_folder.glob("*.parquet"):
        assert {(path.name, column) for column in gpd.read_parquet(path).columns} <= known
    assert (words["meaning"] != "").all()
    assert (words["source"] != "").all()
    row = words.set_index(["file", "column"]).loc["metrics.csv", "access_delay_min_high"]
    assert row["unit"] == "min"
    assert row["type"] == "number"


def test_columns_are_described_by_their_pattern():
    found = replace(results(), columns=all_columns())
    assert describe_column("crossings_at_grade_trunk", found).meaning.endswith("(class: trunk)")
    assert describe_column("in_highland_km_low", found).unit == "km"
    before = describe_column("disjoint_routes_goris_sisian_before", found)
    assert before.meaning == (
        "before, with nothing done: edge-disjoint roads on that stage under the regime (stage: goris_sisian)"
    )
    assert describe_column("north_south_if_closed_ratio", found).unit == ""
    assert describe_column("people_high").meaning == "upper end of: inhabitants; empty where unknown"
    assert describe_column("nothing_of_the_kind") is None
    assert describe_column("time_h", found).meaning == "Time."


def test_formats_are_chosen(tmp_path):
    gis = {name for names in FORMATS.values() for name in names}
    write_results(results(), tmp_path / "out")
    assert gis <= {path.name for path in (tmp_path / "out").iterdir()}
    write_results(results(), tmp_path / "out", formats="kml, gpkg")
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left & gis == {"candidates.kml", "candidates.gpkg"}
    assert not [name for name in left if name.endswith(".qml")]
    assert choose_formats("none") == choose_formats([]) == ()
    assert choose_formats(None) == tuple(FORMATS)
    with pytest.raises(OutputError, match="formats: 'shp' is unknown; choose from geojson, gpkg, parquet, kml, gpx"):
        write_results(results(), tmp_path / "new", formats=["shp"])
    assert not (tmp_path / "new").exists()
