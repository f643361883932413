"""A study from two places of the made-up ground: what is written runs, finds the gates, and does without borders."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.errors import CoverageError, OutputError, SourceError, StudyError
from corridor.export.study_file import write_study_toml
from corridor.io.read.elevation import read_dem
from corridor.io.read.osm import read_osm
from corridor.network.jurisdiction import SAME_CROSSING_M
from corridor.pipeline.diagnosis import diagnose
from corridor.pipeline.new_study import draft_study, minimal_study
from corridor.report.i18n import render
from corridor.schema.study import Place
from corridor.terrain.surface import MAX_VOID_M
from tests.command import run_command
from tests.synthetic.ground import parallel_km, write_borders, write_dem
from tests.synthetic.osm import STREETS, WAYS, with_countries, write_osm

# The ridge road is whole here: the gap at 10.62 is closed.
ROADS = [*WAYS, *STREETS, ([(10.62, 45.5), (10.63, 45.5)], {"highway": "primary", "name": "Ridge road"})]
WEST, EAST = "45.5,10.1", "45.5,10.9"


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ground")
    write_osm(folder / "map.osm", ROADS)
    write_dem(folder / "heights.tif")
    write_borders(folder / "borders.geojson")
    return folder


@pytest.fixture(scope="module")
def files(ground):
    return {"osm": ground / "map.osm", "dem": ground / "heights.tif", "borders": ground / "borders.geojson"}


def test_one_command_leads_from_nothing_to_a_page(ground, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [
        "new",
        "midway",
        "--from",
        WEST,
        "--to",
        EAST,
        "--osm",
        ground / "map.osm",
        "--dem",
        ground / "heights.tif",
    ]
    words += ["--borders", ground / "borders.geojson"]
    code, said, _ = run_command(monkeypatch, capsys, *words, "--run", "--out", "results")
    assert code == 0
    assert said.splitlines()[-2:] == ["midway.toml", str(tmp_path / "results" / "comparison.html")]
    assert "4 border crossings found on the map, to be confirmed" in said
    content = tomllib.loads((tmp_path / "midway.toml").read_text(encoding="utf-8"))
    at = {(row["lon"], row["lat"]) for row in content["crossings"]}
    assert at == {(10.4, 45.5), (10.4, 45.3), (10.7, 45.5), (10.7, 45.3)}
    assert {tuple(row["countries"]) for row in content["crossings"]} == {("XA", "XB"), ("XB", "XC")}
    controls = {(row["lon"], row["lat"]) for row in content["crossings"] if "border control" in row["note"]}
    assert controls == {(10.4, 45.5)}
    assert content["focus"]["country"] == "XB"  # it lies between the ends' own
    # The file that was written runs by itself, to the same figures.
    again = corridor.compare(corridor.Study.load("midway.toml")).metrics
    assert again["length_km"].min() == pytest.approx(parallel_km(45.5, 0.8) + 4.45, rel=2e-3)  # two steps north
    assert (again["border_passages"] == 2).all()
    code, _, said = run_command(monkeypatch, capsys, *words)
    assert code == 2
    assert "midway.toml: is there already" in said
    assert run_command(monkeypatch, capsys, *words, "--force")[0] == 0


def test_a_crossing_that_nobody_confirmed_is_named_with_its_routes(files):
    study = corridor.Study.between(WEST, EAST, name="midway", **files)
    found = corridor.compare(study)
    assert found.candidates["assumptions"].str.contains("the map alone shows").all()
    confirmed = [row.model_copy(update={"confirmed": True}) for row in study.crossings]
    sure = study.model_copy(update={"crossings": tuple(confirmed)})
    # what one waits there nobody says either way
    said = corridor.compare(sure).candidates["assumptions"]
    assert said.str.contains("no document says how long one waits").all()
    assert not said.str.contains("the map alone shows").any()
    closed = tuple(row.model_copy(update={"status": "closed"}) for row in study.crossings)
    with pytest.raises(corridor.CorridorError, match="closed borders alone are in the way"):
        corridor.compare(study.model_copy(update={"crossings": closed}))


def test_without_borders_a_study_runs_and_says_what_it_doesnt_know(files):
    study = corridor.Study.between(WEST, EAST, osm=files["osm"], dem=[files["dem"]])
    assert study.crossings == ()
    assert study.sources.borders is None
    found = corridor.compare(study)
    assert found.metrics["length_km"].min() == pytest.approx(parallel_km(45.5, 0.8) + 4.45, rel=2e-3)
    assert (found.metrics["border_passages"] == 0).all()
    assert any("countries are unknown" in note for note in found.notes["open roads"])
    assert set(found.perspectives) == {"equal"}  # of two groups, half of the weight on each is equal weights
    said = [render(remark) for remark in diagnose(study, None, (), lambda _: None).remarks]
    for piece in ("no borders:", "no catalogue:", "no impact:", "no documented journeys:", "no perspectives"):
        assert sum(line.startswith(piece) for line in said) == 1


def test_a_study_whose_borders_were_taken_out_still_runs(files):
    study = corridor.Study.between(WEST, EAST, **files)
    sources = study.sources.model_copy(update={"borders": None})
    found = corridor.compare(study.model_copy(update={"sources": sources, "crossings": ()}))
    assert found.metrics["in_focus_km"].min() > 50  # of the outline: nothing says where the country ends
    assert (found.metrics["border_passages"] == 0).all()


def test_borders_that_the_map_holds_whole_are_used_where_none_are_given(ground, files, tmp_path):
    given = draft_study(WEST, EAST, **files)
    path = write_osm(tmp_path / "map.osm", ROADS)
    mapped = with_countries(path)
    found = draft_study(WEST, EAST, osm=mapped, dem=files["dem"], folder=tmp_path)
    assert found.study.sources.borders == "map.osm"
    where = {(row.lon, row.lat, row.countries) for row in found.study.crossings}
    assert where == {(row.lon, row.lat, row.countries) for row in given.study.crossings}
    assert any("by the nearest border" in render(remark) for remark in found.remarks)
    compared = corridor.compare(found.study)
    assert (compared.metrics["border_passages"] == 2).all()
    assert any("by the nearest border" in note for note in compared.notes["map data"])


def test_a_village_street_over_a_border_proves_no_gate(ground, files, tmp_path):
    """The valley's road is a street here: its two crossings are listed, closed, until somebody confirms them."""
    streets = [
        (points, tags | {"highway": "residential"} if tags.get("ref") == "V2" else tags) for points, tags in ROADS
    ]
    write_osm(tmp_path / "streets.osm", streets)
    found = draft_study(WEST, EAST, **files | {"osm": tmp_path / "streets.osm"})
    status = {(row.lon, row.lat): row.status for row in found.study.crossings}
    assert status == {(10.4, 45.5): "open", (10.7, 45.5): "open", (10.4, 45.3): "closed", (10.7, 45.3): "closed"}
    assert any("2 of minor roads, taken as closed" in remark for remark in found.remarks)


def test_a_main_road_that_the_map_cuts_off_at_a_border_is_a_crossing(ground, files, tmp_path):
    """The map ends at the country in the middle: its road and its street stop 200 m before the next one."""
    whole = [
        ([(10.45, 45.5), (10.6, 45.5), (10.6975, 45.5)], {"highway": "primary", "name": "Ridge road"}),
        ([(10.45, 45.5), (10.45, 45.3), (10.6975, 45.3)], {"highway": "residential"}),
        # within the country, far from any border
        ([(10.6, 45.5), (10.6, 45.4)], {"highway": "primary"}),
    ]
    write_osm(tmp_path / "cut.osm", whole)
    found = draft_study("45.5,10.5", "45.4,10.6", **files | {"osm": tmp_path / "cut.osm"})
    assert [(row.lon, row.lat, row.countries, row.status) for row in found.study.crossings] == [
        (10.6975, 45.5, ("XB", "XC"), "open")
    ]
    assert "ends at the border here" in found.study.crossings[0].note
    # with a road of the other country near, the first one simply ends there
    beyond = [*whole, ([(10.705, 45.505), (10.9, 45.505)], {"highway": "primary"})]
    write_osm(tmp_path / "beyond.osm", beyond)
    found = draft_study("45.5,10.5", "45.4,10.6", **files | {"osm": tmp_path / "beyond.osm"})
    assert not found.study.crossings


def test_places_of_the_map_are_found_by_name_and_named(files):
    """Highfold stands on the map as ``Highfold <b>``, which is a name like any other."""
    found = draft_study("highfold <B>", EAST, **files)
    assert found.study.origin.name == "Highfold <b>"
    assert found.study.origin.country == "XB"
    assert found.study.id == "highfold-b-45-500-n-10-900-e"
    with pytest.raises(StudyError, match="no place of the map is called 'Hifold'"):
        draft_study("Hifold", EAST, **files)


def test_places_of_a_given_map_say_what_ground_is_fetched(files):
    found = minimal_study("mine", "highfold <B>", EAST, None, read_osm(Path(files["osm"])))
    assert found.origin.name == "Highfold <b>"
    assert found.area[0] < found.origin.lon < found.area[2]
    with pytest.raises(StudyError, match="no place that ships with the toolkit is called 'highfold <B>'"):
        minimal_study("mine", "highfold <B>", EAST, None)


def test_a_study_of_own_groups_is_ranked_by_them(files):
    study = corridor.Study.between(WEST, EAST, **files)
    own = {"groups": {"snow": "Snow and passes"}}
    rows = [row.model_copy() if hasattr(row, "model_copy") else row for row in study.criteria]
    content = study.model_dump(exclude_unset=True, exclude={"folder"}) | own
    content["criteria"] = [
        {"id": rows[0].criterion_id, "label": "Hours", "metric": "travel_time_h", "unit": "h", "group": "hours"}
        | {"best": 0, "worst": 5},
        {"id": "snow", "label": "Snow", "metric": "ascent_m", "unit": "m", "group": "snow", "best": 0, "worst": 900},
        {
            "id": "km",
            "label": "Distance",
            "metric": "length_km",
            "unit": "km",
            "group": "distance",
            "best": 0,
            "worst": 99,
        },
    ]
    found = corridor.compare(corridor.Study.build(content, study.folder, "own"))
    assert set(found.perspectives) == {"equal", "hours", "snow", "distance"}
    weighed = {row.perspective_id: row for row in found.results.perspectives}
    assert weighed["snow"].label == "Snow and passes"
    assert weighed["snow"].weights["snow"] == pytest.approx(0.5)


def test_a_date_is_the_maps_only_where_the_map_has_one(files, tmp_path):
    """The made-up map says no date in itself; one in its name is taken."""
    undated = draft_study(WEST, EAST, **files, folder=tmp_path).text
    assert "this study's date: the map states none of its own" in undated
    assert "the map's date" not in undated
    dated = tmp_path / "map-2021-08.osm"
    dated.write_bytes(files["osm"].read_bytes())
    assert 'as_of = "2021-08"  # the map\'s date' in draft_study(WEST, EAST, **files | {"osm": dated}).text


def test_what_the_map_says_is_data_in_the_file():
    nasty = 'Bad "name"\n[sources]\nosm = "/etc/passwd" # \\ \x1b[31m'
    ends = [Place(name=nasty, lon=10.1, lat=45.5, country="XX"), Place(name="B", lon=10.9, lat=45.5, country="XX")]
    content = {
        "id": "x", "title": nasty, "question": "Q?", "as_of": "2020-01", "is_dated": True, "ends": ends,
        "area": (10.0, 45.0, 11.0, 46.0), "focus": None, "osm": "map.osm", "dem": ["a.tif"], "live_dem": "",
        "borders": None, "countries": (),
    }  # fmt: skip
    read = tomllib.loads(write_study_toml(content, ()))
    assert read["sources"]["osm"] == "map.osm"
    assert "\x1b" not in read["title"]
    assert read["origin"]["name"].startswith('Bad "name"')


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"end": "45.5,10.1"}, StudyError, "--to: is where --from is"),
        ({"end": "95,10"}, StudyError, "--to: '95,10' is no point on Earth"),
        ({"end": "10.9,45.5"}, CoverageError, r"reach 10.900 N 45.500 E \(are latitude and longitude swapped\?\); add"),
        ({"end": "46.9,10.9"}, CoverageError, "doesn't reach 46.900 N 10.900 E; add a DEM"),
        ({"countries": ["QQ"]}, StudyError, "the borders have no 'QQ'; they have XA, XB, XC"),
        ({"countries": ["XA"], "borders": None}, StudyError, "give --borders FILE"),
        ({"name": "No Id"}, StudyError, "name: 'No Id' is no id"),
        ({"osm": "none.osm"}, SourceError, "none.osm: no such file"),
        ({"dem": "none.tif"}, SourceError, "none.tif: no such file"),
        ({"borders": "none.geojson"}, SourceError, "none.geojson: no such file"),
    ],
)
def test_bad_input_is_one_clear_line(change, error, says, files):
    asked = {"start": WEST, "end": EAST, **files, **change}
    with pytest.raises(error, match=says):
        draft_study(**asked)


def test_the_command_writes_nothing_where_it_cant_go_on(ground, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    plain = ["new", "midway", "--from", WEST, "--to", EAST]
    for words, says in (
        (plain, "no map is given"),
        ([*plain, "--osm", ground / "map.osm"], "no heights are given"),
        (["new", "../up", *plain[2:]], "is no id"),
        ([*plain[:4], "--to", "Nowhere", "--osm", ground / "map.osm", "--dem", ground / "heights.tif"], "no place of"),
    ):
        code, _, said = run_command(monkeypatch, capsys, *words)
        assert code == 2
        assert says in said
        assert list(tmp_path.iterdir()) == []


def test_small_voids_under_a_route_are_bridged_and_large_ones_are_not(ground):
    """Straight from the last height to the next, up to a kilometre."""
    dem = read_dem(
        [ground / "heights.tif"], (10.0, 45.0, 11.0, 46.0), source=None, vertical_error_m=10, error_range_km=5
    )
    lon = np.linspace(10.48, 10.53, 101)
    lat = np.full(101, 45.6)
    along = np.linspace(0, parallel_km(45.6, 0.05) * 1000, 101)
    whole = dem.require(lon, lat, "line")
    holed = dem.heights_m.copy()
    _, cols = dem.grid.fractional_index(np.array([10.505]), np.array([45.6]))
    col = int(cols[0])
    holed[:, col : col + 2] = np.nan
    heights, bridged = dem.with_heights(holed).require_along(lon, lat, along, "line")
    assert heights == pytest.approx(whole, abs=0.5)  # the ground rises evenly there
    assert 500 < bridged <= MAX_VOID_M
    holed[:, col : col + 6] = np.nan
    with pytest.raises(CoverageError, match="of line"):
        dem.with_heights(holed).require_along(lon, lat, along, "line")


def test_andorra_from_nothing(data_folder, tmp_path):
    """Real roads, heights with voids and a coarse border file: two crossings, and a way over the pass."""
    import zipfile

    here = data_folder / "andorra"
    with zipfile.ZipFile(here / "N42E001.hgt.zip") as packed:
        packed.extractall(tmp_path)
    found = draft_study(
        "42.5465,1.7309", "42.4340,1.5220", osm=here / "andorra.osm.pbf", dem=tmp_path / "N42E001.hgt",
        borders=here / "borders.geojson",
    )  # fmt: skip
    assert {row.countries for row in found.study.crossings} == {("AD", "ES"), ("AD", "FR")}
    metrics = corridor.compare(found.study).metrics
    assert 50 < metrics["length_km"].min() < 62
    assert metrics["max_elevation_m"].max() == pytest.approx(2408, abs=40)  # Port d'Envalira
    assert SAME_CROSSING_M < 5000


def test_the_pass_of_envalira_takes_a_truck_longer_than_the_tunnel(data_folder, tmp_path):
    """Real roads and heights: over the pass 400 m up and down again, through the tunnel level; no track is driven.

    The map ends at the tunnel's eastern mouth, beside the road from which the pass is climbed.
    """
    import shutil
    import zipfile

    from corridor.network.graph import UNFIT_CLASSES
    from corridor.network.map_matching import node_position, part_lengths_km
    from corridor.pipeline.comparing import open_run
    from corridor.pipeline.graph import silent
    from corridor.pipeline.steps import inputs, lines

    shutil.copytree(data_folder / "andorra", tmp_path / "andorra")
    with zipfile.ZipFile(tmp_path / "andorra" / "N42E001.hgt.zip") as packed:
        packed.extractall(tmp_path / "andorra")
    run = open_run(corridor.Study.load(tmp_path / "andorra" / "andorra.toml"), progress=silent)
    network, nodes = run[lines.conflation].network, run[inputs.catalogue].nodes
    edges, closed = network.edges, network.closed("road")
    minutes = edges["minutes_forward"].to_numpy(), edges["minutes_backward"].to_numpy()

    def drive(*ends: str):
        for start, end in (ends, ends[::-1]):
            route = network.route(
                *(node_position(network, nodes[key], "road") for key in (start, end)), *minutes, closed
            )
            yield route.cost, part_lengths_km(network, route).sum(), edges.iloc[list(route.edges)]

    for over, through in zip(drive("pas-west", "soldeu"), drive("tunnel-east", "soldeu"), strict=True):
        assert (over[2]["name"] == "Port d'Envalira").any()
        assert (through[2]["name"] == "Túnel d'Envalira").any()
        assert over[0] > 1.8 * through[0]  # 13.3 km over the pass, 7.4 km through the tunnel
        assert over[0] / over[1] > 1.2 * through[0] / through[1]  # and slower to the kilometre
        assert not pd.concat([over[2], through[2]])["class"].isin(UNFIT_CLASSES).any()
    through_roads = edges[edges["through"] & (edges["mode"] == "road")]
    assert not through_roads["class"].isin(UNFIT_CLASSES).any()


def test_a_file_that_is_there_is_kept(tmp_path, files):
    from corridor.pipeline.new_study import write_study

    new = draft_study(WEST, EAST, name="kept", **files)
    (tmp_path / "kept.toml").write_text("mine")
    with pytest.raises(OutputError, match="is there already"):
        write_study(new, tmp_path)
    assert (tmp_path / "kept.toml").read_text() == "mine"
