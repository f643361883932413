"""A route that is added to a comparison has the figures that it would have had from the start."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import corridor
from corridor.errors import OutputError, SourceError, StudyError
from corridor.pipeline.comparing import with_more_candidates
from tests.flows.toy import alps
from tests.synthetic import build, write_study
from tests.synthetic.study import IMPACT

ACROSS = shapely.LineString([(10.1, 45.5), (10.1, 45.6), (10.9, 45.6), (10.9, 45.5)])


@pytest.fixture(scope="module")
def midland(tmp_path_factory):
    path = build(tmp_path_factory.mktemp("more") / "midland")
    text = path.read_text(encoding="utf-8") + IMPACT
    path.write_text(text.replace("[sources]", '[sources]\nlong_distance = "loads"'), encoding="utf-8")
    gate = {"candidate_id": "*", "regime_id": "*", "link_id": "brenner-innsbruck", "action": "delay"}
    alps(path.parent / "loads", actions=[gate | {"measure": "access_delay_min"}])
    return corridor.Study.load(path)


@pytest.fixture(scope="module")
def first(midland):
    return corridor.compare(midland, osm=midland.folder / "map.osm")


def ordered(table, *keys):
    return table.sort_values(list(keys)).reset_index(drop=True)


def test_added_and_asked_from_the_start_are_the_same(midland, first):
    added = first.with_route(ACROSS, name="Mine").with_route("Highfold")
    whole = corridor.compare(added.study, osm=midland.folder / "map.osm")
    assert [c.candidate_id for c in added.results.candidates][-2:] == ["drawn-mine", "via-highfold"]
    assert added.results.candidates == whole.results.candidates
    keys = ("candidate_id", "regime_id")
    # the network is cut where fewer routes meet it, so places lie on it within its rounding
    a, b = ordered(added.metrics, *keys), ordered(whole.metrics, *keys)
    pd.testing.assert_frame_equal(a, b, check_like=True, rtol=1e-4)
    assert {(f.candidate_id, f.regime_id, str(f.message.to_json())) for f in added.results.findings} == {
        (f.candidate_id, f.regime_id, str(f.message.to_json())) for f in whole.results.findings
    }
    assert sorted(added.crossings["event_id"]) == sorted(whole.crossings["event_id"])
    assert len(added.places) == len(whole.places)
    pd.testing.assert_frame_equal(
        ordered(added.rank(), "regime_id", "candidate_id")[["rank", "score"]],
        ordered(whole.rank(), "regime_id", "candidate_id")[["rank", "score"]],
        rtol=1e-4,
    )
    assert added.results.flows.keys() == whole.results.flows.keys()
    for name, table in added.results.flows.items():
        assert len(table) > len(first.results.flows[name])
        pd.testing.assert_frame_equal(table, whole.results.flows[name], rtol=1e-4)
    assert len(first.results.candidates) == len(midland.candidates) + 1  # the first stays as it was


def test_only_what_is_new_is_computed(first):
    run = first._run
    before = dict(run.cache.made)
    first.with_route(ACROSS, name="Only this")
    made = {name: count - before.get(name, 0) for name, count in run.cache.made.items() if count > before.get(name, 0)}
    assert made["drawn_routes"] == made["profiles"] == made["met"] == 1
    for name in ("catalogue", "osm", "conflated_ways", "conflation", "chains", "found_ways", "dem", "borders"):
        assert name not in made


def test_lines_come_as_geometries_tables_files_and_places(first, tmp_path):
    frame = gpd.GeoDataFrame({"name": ["A", "B"]}, geometry=[ACROSS, ACROSS], crs="EPSG:4326").to_crs("EPSG:32632")
    ids = [c.candidate_id for c in first.with_route(frame, comparator=True).results.candidates]
    assert ids[-2:] == ["drawn-a", "drawn-b"]
    frame.to_crs(4326).to_file(tmp_path / "mine.geojson")
    found = first.with_route(tmp_path / "mine.geojson", name="First")
    assert [c.name for c in found.results.candidates][-2:] == ["First", "B"]
    assert [c.name for c in first.with_route("45.51,10.55", "By there").results.candidates][-1] == "By there"
    with pytest.raises(StudyError, match="lies outside the study's area"):
        first.with_route(shapely.LineString([(0, 0), (1, 1)]), name="Far")


@pytest.mark.parametrize(
    ("line", "words", "error", "says"),
    [
        (None, {}, SourceError, "is of type NoneType; give a line"),
        ("; ".join(["Highfold"] * 1000), {}, StudyError, "names 1000 places"),
        (ACROSS, {"mode": "boat"}, StudyError, "mode: 'boat' is none; give road or rail"),
        (ACROSS, {"follow_m": float("nan")}, StudyError, "follow_m"),
        (ACROSS, {"follow_m": "far"}, StudyError, "follow_m"),
        ("Highfold", {"name": "n" * 1000}, SourceError, "longer than"),
    ],
)
def test_what_can_be_no_route_is_refused_in_one_line(first, line, words, error, says):
    with pytest.raises(error, match=says) as fault:
        first.with_route(line, **words)
    assert "\n" not in str(fault.value)


def test_a_comparison_without_a_run_says_so(first):
    bare = corridor.Comparison(first.study, first.results, first._matrix, first._perspectives)
    with pytest.raises(OutputError, match="make it with corridor"):
        bare.with_route(ACROSS, name="Mine")
    more = with_more_candidates(first._run, first._measured, first.study)
    assert more["candidates"].keys() == first._run["candidates"].keys()


def test_the_command_adds_routes_and_says_what_it_did(midland, tmp_path, monkeypatch, capsys):
    from tests.command import run_command

    write_study(midland.folder)
    gpd.GeoDataFrame({"name": ["Mine & <i>yours</i>"]}, geometry=[ACROSS], crs=4326).to_file(tmp_path / "mine.gpkg")
    code, out, err = run_command(
        monkeypatch, capsys, "run", midland.folder / "midland.toml", "--route", tmp_path / "mine.gpkg",
        "--via", "Highfold; Rifton", "--out", tmp_path / "out", "--formats", "geojson", "-q",
    )  # fmt: skip
    assert code == 0, err
    assert "Mine & <i>yours</i>: 0.0 km follow the network within 100 m" in err
    table = pd.read_csv(tmp_path / "out" / "metrics.csv").set_index("candidate_id")
    assert table.loc["drawn-mine-i-yours-i", "name"] == "Mine & <i>yours</i>"
    assert table.loc["via-highfold-rifton", "family"] == "via"
    page = (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert "<i>yours</i>" not in page
    assert out.strip().endswith("comparison.html")
    code, _, err = run_command(monkeypatch, capsys, "run", "--route", tmp_path / "none.gpx")
    assert (code, "no such file" in err) == (2, True)
