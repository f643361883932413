"""On the made-up ground: what routes do to the road from the border to Dalemoor, and the files that are written."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from corridor import processes
from corridor.comparison import Comparison, compare, compute_results
from corridor.errors import StudyError
from corridor.export import results as results_module
from corridor.export.folder import MANIFEST, PAGE
from corridor.export.results import write_results
from corridor.pipeline import ahead, schedule
from corridor.pipeline.ahead import map_path, read_ahead
from corridor.pipeline.schedule import SCHEDULE
from corridor.processes import Fork
from corridor.schema.study import Study
from tests.synthetic import build
from tests.synthetic.ground import meridian_km, parallel_km
from tests.synthetic.study import GATED_MIN, IMPACT, STUDY
from tests.test_second_study import FOREIGN

# From 10.39 to the gate at 80 km/h, over the link at 30, along the valley from 10.4 to Dalemoor at 10.5 at 70.
LINK_KM = meridian_km(45.32, 45.48) + sum(
    np.hypot(parallel_km(lat, 0.02), meridian_km(lat - 0.01, lat + 0.01)) for lat in (45.31, 45.49)
)
BEFORE_MIN = 60 * (parallel_km(45.5, 0.01) / 80 + LINK_KM / 30 + parallel_km(45.3, 0.1) / 70)
EVERY = pytest.mark.parametrize("which", ["plain", "mapped"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = build(tmp_path_factory.mktemp("impact") / "midland")
    path.write_text(STUDY + IMPACT, encoding="utf-8")
    return path.parent


@pytest.fixture(scope="module")
def plain(folder) -> Comparison:
    return compare(Study.load(folder / "midland.toml"))


@pytest.fixture(scope="module")
def mapped(folder) -> Comparison:
    return compare(Study.load(folder / "midland.toml"), osm=folder / "map.osm")


@pytest.fixture(scope="module")
def counted(tmp_path_factory) -> Comparison:
    """With censuses of 3,100 and 3,000 people, fewer than the 3,800 of tables of places, which mix years."""
    path = build(tmp_path_factory.mktemp("counted") / "midland")
    text = (STUDY + IMPACT).replace('country = "XB"\noutline', 'country = "XB"\npopulation_total = "midland"\noutline')
    path.write_text(text, encoding="utf-8")
    columns = "area,year,people_low,people_high,source_ids,note"
    table = f"{columns}\nmidland,2010,3100,3100,made-up,\nmidland,2020,3000,3000,made-up,\n"
    (path.parent / "reference" / "population_totals.csv").write_text(table, encoding="utf-8")
    return compare(Study.load(path), osm=path.parent / "map.osm")


def test_no_row_has_more_people_than_the_census(counted, mapped):
    table = counted.metrics
    people = [name for name in table.columns if name.startswith("people_") and "hours" not in name]
    figures = table[[name for name in people if not name.endswith("_status")]].astype(float)
    assert figures.max(axis=None) == 3100  # 3,400 live where the crossing can be reached, by tables of places
    assert mapped.metrics["people_reaching_crossing"].max() == 3400
    for name in ("people_lost_crossing", "people_reaching_centre"):
        assert (table[f"{name}_low"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_high"]).all()


def test_a_total_that_the_catalogue_lacks_is_named(tmp_path):
    path = build(tmp_path / "midland")
    text = (STUDY + IMPACT).replace('country = "XB"\noutline', 'country = "XB"\npopulation_total = "hills"\noutline')
    path.write_text(text, encoding="utf-8")
    with pytest.raises(
        StudyError, match=r"focus\.population_total: 'hills' is not in population_totals\.csv, which has no"
    ):
        compare(Study.load(path), osm=path.parent / "map.osm")


@pytest.fixture
def rows(which, request) -> pd.DataFrame:
    return request.getfixturevalue(which).metrics.set_index(["candidate_id", "regime_id"])


@EVERY
def test_a_row_per_route_and_regime(rows):
    routes = ("ridge", "valley", "railway", "driven-highfold-rifton", "driven-dalemoor")
    assert sorted(rows.index) == sorted((route, regime) for route in routes for regime in ("free", "gated", "shut"))


@EVERY
def test_time_before_follows_from_lengths_and_speeds(rows):
    assert rows["access_min_before"].to_numpy() == pytest.approx(BEFORE_MIN, rel=1e-3)


@EVERY
def test_free_regimes_and_the_railway_that_meets_no_road_change_nothing(rows):
    for route, regime in rows.index:
        if regime == "free" or route == "railway":
            row = rows.loc[(route, regime)]
            assert (row["access_delay_min"], row["access_delay_min_status"]) == (0, "ok")
            assert row["access_min_after"] == row["access_min_before"]


@EVERY
def test_closing_the_valley_road_leaves_no_way_and_no_number(rows):
    for route in ("valley", "driven-dalemoor"):
        row = rows.loc[(route, "shut")]
        assert row["access_delay_min_status"] == "unreachable"
        assert np.isnan(row["access_delay_min"])
        assert np.isnan(row["access_min_after"])


@EVERY
def test_gates_delay_by_no_more_than_their_minutes(rows):
    delay = rows.xs("gated", level="regime_id")["access_delay_min"]
    assert delay["ridge"] == 0
    assert 0 < delay["valley"] <= GATED_MIN[1]
    assert delay["driven-dalemoor"] == pytest.approx(delay["valley"])


@EVERY
def test_checks_of_a_shared_stretch_are_spread_along_it(rows):
    """From the border (10.4 E) to the capital (10.5 E) is 0.10 of the stretch's 0.24 degrees."""
    driven = parallel_km(45.3, 0.1) / parallel_km(45.3, 0.24)
    assert rows.loc[("valley", "gated"), "access_delay_min"] == pytest.approx(GATED_MIN[1] * driven, rel=1e-3)


@EVERY
def test_the_axis_is_shared_over_its_whole_length(rows):
    shared = rows.xs("free", level="regime_id")["north_south_shared_km"]
    assert shared["valley"] == pytest.approx(parallel_km(45.3, 0.24), abs=0.002)
    assert shared["driven-dalemoor"] == pytest.approx(shared["valley"], abs=0.002)
    assert shared[["ridge", "railway", "driven-highfold-rifton"]].tolist() == [0, 0, 0]


def test_the_link_crosses_the_ridge_road_at_the_gate_and_decides(mapped):
    rows = mapped.metrics.set_index(["candidate_id", "regime_id"])
    assert rows.loc[("ridge", "shut"), "crossings"] == 1
    assert rows.loc[("ridge", "shut"), "access_delay_min_status"] == "unreachable"
    said = mapped.findings.query("candidate_id == 'ridge' and regime_id == 'shut'")["text"].item()
    assert "the road between Gatehouse and Dalemoor is lost" in said
    assert "at the crossing of Link" in said


def test_without_a_map_local_crossings_are_said_to_be_unknown(plain):
    assert "roads that cross" in plain.notes["impacts"][0]
    assert plain.metrics["crossings"].isna().all()


@EVERY
def test_findings_speak_of_this_ground_only(which, request):
    comparison = request.getfixturevalue(which)
    text = " ".join(comparison.findings["text"]) + repr(comparison.results) + comparison.crossings.to_json()
    assert FOREIGN.findall(text) == []
    assert len(comparison.findings) >= 15


@pytest.fixture(scope="module")
def written(mapped, tmp_path_factory) -> Path:
    page = mapped.write(tmp_path_factory.mktemp("written") / "results")
    assert page.name == "comparison.html"
    return page.parent


def test_tables_hold_the_metrics_and_ranks(written, mapped):
    table = pd.read_csv(written / "metrics.csv")
    assert table["candidate_id"].tolist() == mapped.metrics["candidate_id"].tolist()
    for column in ("length_km", "in_midland_km", "access_min_before", "cost_musd"):
        assert table[column].to_numpy() == pytest.approx(mapped.metrics[column].to_numpy(), rel=1e-6)
    lost = table[table["access_delay_min_status"] == "unreachable"]
    assert len(lost) == 4
    assert lost["access_delay_min"].isna().all()
    assert set(pd.read_csv(written / "ranking.csv")["perspective"]) == {"equal", "short", "flat"}


def test_lines_are_the_candidates_in_both_formats(written, mapped):
    wanted = mapped.candidates.set_index("candidate_id").geometry
    for name, layer in (("candidates.geojson", None), ("candidates.gpkg", "candidates")):
        frame = gpd.read_file(written / name, layer=layer).set_index("candidate_id")
        assert set(frame.index) == set(wanted.index)
        assert frame.crs.to_epsg() == 4326
        for key, line in frame.geometry.items():
            assert line.hausdorff_distance(wanted[key]) < 1e-6


def test_the_manifest_names_every_input_with_its_hash(written, folder):
    manifest = json.loads((written / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["study"] == "midland"
    assert {item["file"] for item in manifest["inputs"]} == {"heights.tif", "borders.geojson", "places.csv", "map.osm"}
    assert all(re.fullmatch("[0-9a-f]{64}", item["sha256"]) for item in manifest["inputs"])


def test_names_from_outside_are_escaped_in_the_page(written):
    page = (written / "comparison.html").read_text(encoding="utf-8")
    assert "Roads from Aster to Corvo" in page
    assert "<script>alert(1)" not in page
    assert "Highfold <b>" not in page


def test_the_same_input_gives_the_same_files(written, folder, tmp_path):
    again = compare(Study.load(folder / "midland.toml"), osm=folder / "map.osm").write(tmp_path / "again").parent
    names = sorted(path.name for path in written.iterdir())
    assert sorted(path.name for path in again.iterdir()) == names
    stamp = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+[+Z][\d:]*")  # when it was written
    for name in names:
        first, second = (stamp.sub(b"", (place / name).read_bytes()) for place in (written, again))
        assert first == second, name


def foreign_words(path: Path) -> list[str]:
    text = re.sub(r"font[^;}]*", "", path.read_bytes().decode("utf-8", "replace"))  # fonts are named after scripts
    return [hit.group(0) for hit in FOREIGN.finditer(text)]


def test_no_table_and_no_gis_file_speaks_of_the_bundled_ground(written):
    for path in sorted(written.iterdir()):
        assert path.name == "comparison.html" or foreign_words(path) == []


def test_the_page_does_not_speak_of_the_bundled_ground(written):
    assert foreign_words(written / "comparison.html") == []


def test_a_focus_without_any_settlement_is_measured(folder):
    outline = "[[10.3, 45.1], [10.8, 45.1], [10.8, 45.9], [10.3, 45.9]]"
    corner = "[[10.41, 45.85], [10.45, 45.85], [10.45, 45.88]]"
    (folder / "empty.toml").write_text((STUDY + IMPACT).replace(outline, corner), encoding="utf-8")
    found = compare(Study.load(folder / "empty.toml"), osm=folder / "map.osm")
    assert (found.metrics["in_midland_km"] == 0).all()


@pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")
@pytest.mark.parametrize("osm", [None, "map.osm"])
def test_a_second_process_writes_the_same_files(osm, folder, tmp_path, monkeypatch):
    came, take = set(), Fork.take

    def taking(self, name):
        value = take(self, name)
        came.update({name} if value else ())
        return value

    monkeypatch.setattr(Fork, "take", taking)
    monkeypatch.setattr(processes, "room_bytes", lambda: 1 << 40)
    monkeypatch.setattr(schedule, "MANY_WAYS", 0)
    monkeypatch.setattr(ahead, "LARGE_MAP_BYTES", 0)
    study, written = Study.load(folder / "midland.toml"), []
    for cores in (1, 2):
        monkeypatch.setattr(processes, "count_threads", lambda n=cores: n)
        path = folder / osm if osm else None
        with read_ahead(map_path(study, path), lambda: None) as reading:
            results = compute_results(study, osm=path, may_fork=True, ahead=reading)
        out = write_results(results, tmp_path / str(cores), may_fork=True).parent
        # a GeoPackage holds the moment in which it was written, and the manifest that of the run
        names = [path.name for path in out.iterdir() if path.suffix != ".gpkg" and path.name != MANIFEST]
        written.append({name: (out / name).read_bytes() for name in names})
        # rows of single routes are asked for by packages alone
        made = [turn for turn in SCHEDULE if osm or not turn.large_map]
        every = {PAGE, *(name for turn in made for name in (*turn.copied, *turn.halves))}
        every |= {"osm_parts"} if osm else set()
        assert came - {"route_rows"} == (every - {"route_rows"} if cores == 2 else set())
    assert written[0] == written[1]


@pytest.fixture(scope="module")
def whole_page(plain, tmp_path_factory) -> Path:
    """The page where no copy of the process is lost; GIS files, which no copy makes, are left out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "count_threads", lambda: 2)
        patch.setattr(processes, "room_bytes", lambda: 1 << 40)
        return write_results(plain.results, tmp_path_factory.mktemp("page") / "once", formats="none", may_fork=True)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")
@pytest.mark.parametrize("lost", [1, 2])
def test_a_page_whose_map_nobody_else_draws_has_one_all_the_same(lost, plain, whole_page, tmp_path, monkeypatch):
    draw, tries = results_module.draw_map, tmp_path / "tries"

    def drawn(view):
        with tries.open("a") as file:
            file.write("x")
        # first the copy that draws the map ends, then the one that makes the page, and then the first process does both
        if tries.stat().st_size <= lost:
            os._exit(1)
        return draw(view)

    monkeypatch.setattr(processes, "count_threads", lambda: 2)
    monkeypatch.setattr(processes, "room_bytes", lambda: 1 << 40)
    monkeypatch.setattr(results_module, "draw_map", drawn)
    again = write_results(plain.results, tmp_path / "again", formats="none", may_fork=True)
    assert tries.stat().st_size == lost + 1
    assert again.read_bytes() == whole_page.read_bytes()
