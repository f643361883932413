"""New lines between places of the bundled study, against what is known of the ground."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

import corridor
from corridor.alignment.align import overlap
from corridor.alignment.files import describe_new_line, say_certificate, write_new_line
from corridor.alignment.problem import unit_costs
from corridor.cli import main
from corridor.errors import AlignmentError, CatalogueError, CoverageError, SourceError, StudyError
from corridor.files import data_root
from corridor.geo.geodesy import WGS84, line_lengths_m, project
from corridor.io.read.borders import read_borders
from corridor.pipeline.new_line import find_new_line
from corridor.schema.vocabulary import LineKind
from tests.command import run_command
from tests.synthetic.ground import parallel_km, write_borders, write_dem

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study():
    return corridor.Study.bundled("syunik")


@pytest.fixture(scope="module")
def base_tunnel(study):
    return find_new_line("Kapan", "38.9096,46.0227", "rail-12", study=study)


def test_kapan_ordubad_at_twelve_per_mille_is_a_base_tunnel_or_goes_round(base_tunnel):
    """At 35 million dollars a km of tunnel, near the 30 up to which it pays to bore through."""
    line = base_tunnel.alignment
    assert line.max_grade_pct <= 1.2 + 1e-6
    if line.longest_tunnel_km > 40:
        assert line.longest_tunnel_km == pytest.approx(46.5, abs=2)
    else:
        assert line.length_km > 100


def test_mincivan_julfa_keeps_to_the_aras(study, tmp_path):
    new = find_new_line("Mincivan", "38.954,45.6296", "rail-25", study=study)
    assert new.alignment.length_km == pytest.approx(115, abs=8)
    features = json.loads((write_new_line(new, tmp_path / "new")).read_text())["features"]
    line = shapely.geometry.shape(features[0]["geometry"])
    assert shapely.bounds(line)[1] == pytest.approx(38.84, abs=0.05)


def test_a_line_keeps_to_the_countries_that_it_may_pass(study):
    """On curves too, along a border that is a river."""
    new = find_new_line("Mincivan", "38.954,45.6296", "rail-12", study=study, countries=["AM", "AZ"])
    line = new.alignment
    assert 1.0 <= line.search_price_musd / line.unconstrained_price_musd <= 1.06
    flat = project(shapely.linestrings(line.line[:, :2]), line.crs, WGS84)
    borders = read_borders(study.path(study.sources.borders))
    home = shapely.union_all([borders.polygon(code) for code in ("AM", "AZ")])
    abroad = shapely.difference(flat, home)
    assert line_lengths_m(shapely.get_parts(abroad)).sum() < 150 * line.length_km
    assert home.buffer(0.01).covers(flat)  # a cell: the border runs between nodes
    assert line.snapped_m == pytest.approx((0.0, 0.0), abs=1e-6)
    with pytest.raises(SourceError, match="no country 'QQ'"):
        find_new_line("Mincivan", "38.954,45.6296", "rail-12", study=study, countries=["QQ"])


def test_files_hold_what_was_found(base_tunnel, tmp_path):
    path = write_new_line(base_tunnel, tmp_path / "new")
    facts = json.loads((tmp_path / "new" / "alignment.json").read_text())
    assert facts == json.loads(json.dumps(describe_new_line(base_tunnel)))
    parts = facts["cost_musd_by_kind"]
    for end in ("low", "mid", "high"):
        assert facts["cost_musd"][end] >= sum(part[end] for part in parts.values()) - 1e-6
    features = json.loads(path.read_text())["features"]
    assert {f["properties"]["kind"] for f in features} >= {"line"}
    points = np.array(features[0]["geometry"]["coordinates"])
    line = base_tunnel.alignment
    back = shapely.get_coordinates(project(shapely.linestrings(points[:, :2]), WGS84, line.crs))
    assert np.abs(np.column_stack([back, points[:, 2]]) - line.line).max() < 0.002  # so that radii can be measured
    assert "<svg" in (tmp_path / "new" / "profile.svg").read_text(encoding="utf-8")
    assert not list((tmp_path / "new").glob(".*"))
    assert facts["gap_musd"] >= 0
    stations = pd.read_csv(tmp_path / "new" / "chainage.csv")
    assert stations["chainage_m"].iloc[-1] == pytest.approx(1000 * facts["length_km"], abs=0.01)
    assert len(pd.read_csv(tmp_path / "new" / "earthworks.csv")) == math.ceil(facts["length_km"])


def test_bad_input_is_said(study):
    with pytest.raises(AlignmentError, match="rail-7"):
        find_new_line("Kapan", "Ordubad", "rail-7", study=study)
    with pytest.raises(StudyError, match="did you mean Ordubad"):
        find_new_line("Kapan", "Ordubat", "rail-18", study=study)
    with pytest.raises(StudyError, match=r"did you mean Kars or Madrasa or Masis\?"):  # Kars is a node and a place
        find_new_line("Mars", "Ordubad", "rail-18", study=study)
    with pytest.raises(CoverageError, match="FROM and TO"):
        find_new_line("Kapan", "10.0,10.0", "rail-18", study=study)
    with pytest.raises(AlignmentError, match="sweep: 'grades' is none; choose one of grade, tunnel-price"):
        find_new_line("Kapan", "Ordubad", "rail-18", study=study, sweep="grades")
    for what in ("alternatives", "draws"):
        with pytest.raises(AlignmentError, match=f"{what}: must be 0 or more, not -1"):
            find_new_line("Kapan", "Ordubad", "rail-18", study=study, **{what: -1})
    with pytest.raises(AlignmentError, match="no point on Earth"):
        find_new_line("Kapan", "95.0,10.0", "rail-18", study=study)
    with pytest.raises(AlignmentError, match="under two cells"):
        find_new_line("39.2076,46.4068", "39.2080,46.4070", "rail-18", study=study)
    with pytest.raises(AlignmentError, match="no row for rail surface, bridge, tunnel"):
        unit_costs([], "rail")


def test_the_command_sweeps_and_writes(monkeypatch, tmp_path, capsys):
    argv = ["corridor", "align", "Goris", "Sisian", "-s", "road-80", "--sweep", "tunnel-price", "--countries", "am"]
    argv += ["--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert "alignment.geojson" in capsys.readouterr().out
    rows = (tmp_path / "tradeoff.csv").read_text().splitlines()
    assert len(rows) == 7
    tunnels = [float(row.split(",")[rows[0].split(",").index("tunnel_km")]) for row in rows[1:]]
    assert tunnels[0] >= tunnels[-1]
    assert (tmp_path / "tradeoff.svg").read_text().startswith("<?xml")


def test_other_lines_draws_of_the_heights_and_an_old_formation(study, tmp_path):
    new = find_new_line("Goris", "Sisian", "road-60", study=study, alternatives=1, draws=2)
    plain = find_new_line("Goris", "Sisian", "road-60", study=study)
    assert new.alignment.price.total_musd == pytest.approx(plain.alignment.price.total_musd)
    for other in new.alternatives:
        assert 1.0 <= other.price.total_musd / new.alignment.price.total_musd <= 1.5
        assert overlap(other.line, new.alignment.line) <= 0.5
    spread = new.spread["cost_musd"]
    assert 0 < spread.low <= spread.median <= spread.high
    assert spread.found <= spread.draws == 2
    features = json.loads(write_new_line(new, tmp_path).read_text())["features"]
    assert [f["properties"]["kind"] for f in features].count("alternative") == len(new.alternatives)
    told = json.loads((tmp_path / "alignment.json").read_text())
    assert told["spread"]["cost_musd"]["draws"] == 2
    assert plain.alternatives == ()
    assert describe_new_line(plain)["spread"] == {}


def test_an_old_formation_is_taken_over_where_that_is_cheaper(study):
    plain = find_new_line("Meghri", "38.9096,46.0227", "rail-18", study=study)
    reused = find_new_line(
        "Meghri", "38.9096,46.0227", "rail-18", study=study, reuse=["rail-meghri", "rail-border-ordubad"]
    )
    assert plain.alignment.price.reused_km == 0
    assert reused.alignment.price.reused_km > 5
    assert reused.alignment.price.total_musd < plain.alignment.price.total_musd


def test_a_section_that_cant_be_taken_over_is_said(study):
    with pytest.raises(AlignmentError, match="reuse: section 'm2-tashtun-meghri' is a road, standard rail-18 isn't"):
        find_new_line("Meghri", "38.9096,46.0227", "rail-18", study=study, reuse=["m2-tashtun-meghri"])
    with pytest.raises(CatalogueError, match="reuse: no section 'rail-megri'"):
        find_new_line("Meghri", "38.9096,46.0227", "rail-18", study=study, reuse=["rail-megri"])


@pytest.fixture(scope="module")
def ridge(tmp_path_factory):
    return write_dem(tmp_path_factory.mktemp("ridge") / "ridge.tif")


WEST_EAST = ("45.5,10.2", (45.5, 10.9))
ACROSS = ("45.5,10.4", (45.5, 10.7))
"""From foot to foot of the ridge."""


def test_a_line_without_a_study_needs_heights_and_points_alone(ridge, tmp_path, monkeypatch, capsys):
    """A ridge that rises 400 m in 7.8 km: at 60 per mille straight over it, at 12 through it if boring is cheap."""
    over = corridor.find_new_line(*ACROSS, grade_permille=60, dem=ridge).alignment
    assert over.standard_id == "rail-18 with 60 per mille"
    assert over.length_km == pytest.approx(parallel_km(45.5, 0.3), rel=2e-3)
    assert over.tunnel_km == 0
    assert over.cell_m == pytest.approx(279, abs=1)  # the raster's own, which are coarser than 250 m
    words = [
        *("align", "45.5,10.4", "45.5,10.7", "-s", "rail-12", "--dem", ridge),
        *("--tunnel-price", "4.6", "--cell", "600", "--out", tmp_path / "new"),
    ]
    code, said, _ = run_command(monkeypatch, capsys, *words)
    facts = json.loads((tmp_path / "new" / "alignment.json").read_text())
    assert code == 0
    assert "alignment.geojson" in said
    assert facts["tunnel_km"] > 3
    assert facts["longest_tunnel_km"] <= facts["tunnel_km"] + 1e-9
    assert facts["max_grade_pct"] <= facts["ruling_grade_pct"] == 1.2
    assert facts["min_radius_m"] is None or facts["min_radius_m"] >= 400


def test_limits_prices_and_cells_of_ones_own(ridge):
    cheap = corridor.find_new_line(*ACROSS, "rail-12", dem=[ridge], tunnel_musd_per_km=4.6, cell_m=1000)
    dear = corridor.find_new_line(*ACROSS, "rail-12", dem=[ridge], tunnel_musd_per_km=350.0, cell_m=1000)
    assert dear.alignment.tunnel_km < cheap.alignment.tunnel_km
    assert dear.alignment.length_km > cheap.alignment.length_km
    coarse = corridor.find_new_line(*ACROSS, "rail-12", dem=[ridge], radius_m=2000, cell_m=1000)
    assert coarse.alignment.cell_m == pytest.approx(1000, rel=0.05)
    assert coarse.alignment.min_radius_m >= 2000 - 1e-6
    assert coarse.describe()["radius_limit_m"] == 2000
    assert "R 2000 m" in coarse.standard.label


def test_a_line_is_led_over_its_stations(ridge, tmp_path):
    stop = (45.3, 10.55)
    led = corridor.find_new_line(*WEST_EAST, grade_permille=60, dem=ridge, via=[stop], cell_m=1000)
    line = led.alignment
    xy = project(shapely.Point(stop[::-1]), WGS84, line.crs)
    assert shapely.distance(shapely.linestrings(line.line[:, :2]), xy) < line.cell_m / 2
    assert line.length_km > 1.15 * parallel_km(45.5, 0.7)
    steps = np.hypot(*np.diff(line.line[:, :2], axis=0).T)
    assert line.chainage_m[-1] == pytest.approx(steps.sum(), rel=1e-6)
    assert len(line.radius_m) == len(line.vertices) - 2
    assert sum(line.price.km.values()) == pytest.approx(line.length_km, rel=1e-3)
    (station,) = led.describe()["via"]
    assert round(station["lon"], 6) == 10.55
    at = [np.interp(1000 * station["at_km"], line.chainage_m, line.line[:, k]) for k in (0, 1)]
    assert np.hypot(*(at - shapely.get_coordinates(xy)[0])) < line.cell_m / 2
    # It bends there as the courses 50 m before and behind do, without a curve, and says so.
    s = 1000 * station["at_km"] + np.array([-50.0, 0.0, 50.0])
    ahead = np.diff([complex(*(np.interp(m, line.chainage_m, line.line[:, k]) for k in (0, 1))) for m in s])
    assert station["turn_deg"] == pytest.approx(abs(np.degrees(np.angle(ahead[1] / ahead[0]))), abs=0.1)
    assert [note.values["place"] for note in line.notes if note.key == "new_line.station"] == [station["name"]]
    sheet = (led.write(tmp_path / "led").parent / "profile.svg").read_text(encoding="utf-8")
    assert sheet.count(f">{station['name']}</text>") == 2  # in plan and section
    with pytest.raises(AlignmentError, match="via: can't go with a sweep"):
        corridor.find_new_line(*WEST_EAST, dem=ridge, via=[stop], draws=2)


def test_the_sheet_says_what_the_line_was_sought_on_and_how_good_it_is(ridge, tmp_path):
    new = corridor.find_new_line(*ACROSS, "rail-12", dem=ridge, tunnel_musd_per_km=4.6, cell_m=600)
    sheet = (new.write(tmp_path / "new").parent / "profile.svg").read_text(encoding="utf-8")
    for words in (
        "certificate: the cheapest on these cells",
        "ridge.tif",
        "prices of today",
        "tunnel 4.6",
        "cells of 6",
    ):
        assert words in sheet, words
    facts = new.describe()
    assert facts["before_curves_musd"] == new.alignment.search_price_musd


def test_a_certificate_says_that_it_is_about_the_line_before_its_curves(ridge):
    """One line was called the cheapest whose curves had made it 15 % dearer than what was proved."""
    line = corridor.find_new_line(*ACROSS, "rail-12", dem=ridge, tunnel_musd_per_km=4.6, cell_m=600).alignment
    drawn = line.price.total_musd
    for gap, before, said in (
        (0.0, drawn, "the cheapest on these cells"),
        (0.0, drawn / 1.15, "the cheapest on these cells; before its curves, which changed the price by +15.0 %"),
        (drawn / 102, drawn, "within 1.0 % of the cheapest"),
        (None, drawn, "none: a cheaper line may exist (--certify seeks it on all of the ground)"),
    ):
        assert say_certificate(replace(line, gap_musd=gap, search_price_musd=before)) == said


LAKE_DEG = 0.04


@pytest.fixture
def lake(tmp_path):
    """A lake in a valley, level to the last decimal: the cheapest ground there is. A pond as level may be chance."""

    def heights(lon, lat, side_deg):
        land = 400 + 3000 * np.abs(lat - 45.5) + 40 * np.sin(lon * 900) * np.cos(lat * 700)
        return np.where((np.abs(lon - 10.55) < side_deg / 2) & (np.abs(lat - 45.5) < side_deg / 2), 400.0, land)

    def write(side_deg):
        return write_dem(tmp_path / f"{side_deg}.tif", height=lambda lon, lat: heights(lon, lat, side_deg))

    return write


def across(dem, lakes, ends=("45.5,10.45", "45.5,10.65")):
    return corridor.find_new_line(*ends, grade_permille=60, radius_m=50, dem=dem, cell_m=300, lakes=lakes)


def km_on_lake(new, *kinds):
    """Kilometres of a line over the lake's middle, a cell from its shore, on stretches of some kinds."""
    line = new.alignment
    at = np.arange(5.0, line.chainage_m[-1], 10.0)
    xy = shapely.points(*(np.interp(at, line.chainage_m, line.line[:, k]) for k in (0, 1)))
    lon, lat = shapely.get_coordinates(project(shapely.MultiPoint(xy), line.crs, WGS84)).T
    inside = np.hypot(lon - 10.55, 0) < LAKE_DEG / 2 - 0.004
    inside &= np.abs(lat - 45.5) < LAKE_DEG / 2 - 0.003
    own = np.zeros(len(at), dtype=bool)
    for s in line.structures:
        if s.kind in kinds:
            own |= (at >= s.from_m) & (at <= s.to_m)
    return float((inside & (own if kinds else True)).sum()) / 100


@pytest.mark.parametrize(("side_deg", "said"), [(LAKE_DEG, True), (0.005, False)])
def test_a_line_over_a_lake_says_that_water_has_no_price(side_deg, said, lake):
    new = across(lake(side_deg), "open")
    notes = [note for note in new.describe()["notes"] if "dead level" in note]
    assert bool(notes) == said
    if said:
        # Across the lake, or a little less where it is left before its shore.
        assert float(notes[0].split()[0]) == pytest.approx(parallel_km(45.5, side_deg), rel=0.3)


def test_a_lake_is_passed_as_it_may_be_and_never_for_less_than_as_land(lake):
    dem = lake(LAKE_DEG)
    shut, bridged, open_ = (across(dem, lakes) for lakes in ("shut", "bridge", "open"))
    assert km_on_lake(open_) > 2.0
    assert km_on_lake(bridged) == pytest.approx(km_on_lake(bridged, LineKind.BRIDGE, LineKind.TUNNEL), abs=0.05)
    assert km_on_lake(shut) == pytest.approx(km_on_lake(shut, LineKind.TUNNEL), abs=0.05)
    prices = [line.alignment.search_price_musd for line in (open_, bridged, shut)]
    assert prices == sorted(prices)
    assert prices[0] < prices[1]
    # shut is what is found where nothing is said
    usual = corridor.find_new_line("45.5,10.45", "45.5,10.65", grade_permille=60, radius_m=50, dem=dem, cell_m=300)
    assert shut.alignment.price == usual.alignment.price
    with pytest.raises(AlignmentError, match="lakes: 'frozen' is none; choose one of shut, bridge, open"):
        across(dem, "frozen")


def test_a_level_patch_that_a_place_lies_on_is_land(lake):
    dem = lake(LAKE_DEG)
    # from the middle of the patch, as on a plain, and from its shore
    inside = ("45.5,10.55", "45.5,10.65")
    assert across(dem, "shut", inside).alignment.price == across(dem, "open", inside).alignment.price
    ashore = (f"45.5,{10.55 - LAKE_DEG / 2}", "45.5,10.65")
    assert km_on_lake(across(dem, "open", ashore)) > 2.0
    assert km_on_lake(shut := across(dem, "shut", ashore)) == km_on_lake(shut, LineKind.TUNNEL)


def test_a_book_without_roads_and_a_radius_of_nothing_are_refused(ridge):
    with pytest.raises(
        AlignmentError, match=r"price_books\.csv: book '1870-1910': no row for road surface, bridge, tun"
    ):
        corridor.find_new_line(*ACROSS, "road-60", dem=ridge, prices="1870-1910")
    for radius_m in (0.0, -300.0, math.nan):
        with pytest.raises(AlignmentError, match="radius: must be between 5 and 100000 m"):
            corridor.find_new_line(*ACROSS, dem=ridge, radius_m=radius_m)


def hilly_m(lon, lat):
    """Hills of 400 m, 4 km apart, on which cells of different sides see different heights."""
    return 800 + 200 * np.sin(lon * 126) * np.cos(lat * 105)


def test_stretches_meet_at_one_height_and_keep_the_grade_at_their_station(tmp_path):
    """Each stretch has cells of its own; a step between what they make of a station was steeper than the limit."""
    dem = write_dem(tmp_path / "hills.tif", height=hilly_m)
    for stop in ("45.4137,10.4519", "45.5211,10.6613"):
        new = corridor.find_new_line("45.5,10.4", "45.47,10.7", grade_permille=30, dem=dem, via=[stop], cell_m=600)
        line = new.alignment
        run, rise = np.hypot(*np.diff(line.line[:, :2], axis=0).T), np.diff(line.line[:, 2])
        assert (np.abs(rise) / run).max() * 100 == pytest.approx(line.max_grade_pct, abs=1e-6)
        assert line.max_grade_pct <= 3.0 + 1e-6
        at_m = 1000 * new.describe()["via"][0]["at_km"]
        height, ground = (np.interp(at_m, line.chainage_m, values) for values in (line.line[:, 2], line.ground_m))
        assert height == pytest.approx(ground, abs=0.5)


@pytest.mark.parametrize(("north", "east"), [(True, True), (True, False), (False, True), (False, False)])
def test_a_place_within_half_a_cell_of_the_end_of_the_heights_is_reached(north, east, tmp_path):
    dem = write_dem(tmp_path / "hills.tif", height=lambda lon, lat: 500 + 0 * lon * lat)
    corner = f"{46.0995 if north else 44.9005},{11.0995 if east else 9.9005}"
    inside = f"{46.0 if north else 45.0},{11.0 if east else 10.0}"
    line = corridor.find_new_line(corner, inside, dem=dem, cell_m=1000).alignment
    assert line.snapped_m == pytest.approx((0.0, 0.0), abs=1e-6)
    assert line.tunnel_km == 0


def test_borders_of_ones_own(ridge, tmp_path):
    borders = write_borders(tmp_path / "borders.geojson")
    with pytest.raises(AlignmentError, match="mask"):
        corridor.find_new_line(
            *WEST_EAST, dem=ridge, countries=["XA", "XC"], borders=borders, cell_m=3000, grade_permille=60
        )
    inside = corridor.find_new_line(
        *WEST_EAST, dem=ridge, countries=["XA", "XB", "XC"], borders=borders, cell_m=3000, grade_permille=60
    )
    assert inside.alignment.length_km > 50


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"dem": ()}, "no elevation raster is given"),
        ({"grade_permille": float("nan")}, "grade: must be between 0.1 and 300 per mille, not nan"),
        ({"radius_m": -1}, "radius: must be between 5 and"),
        ({"tunnel_musd_per_km": 0}, "tunnel price: must be between"),
        ({"bridge_musd_per_km": float("inf")}, "bridge price: must be between"),
        ({"cell_m": 1}, "cell: must be between 10 and"),
        ({"via": ["Highfold"]}, "VIA 1: 'Highfold' is no lat,lon"),
        ({"reuse": ["x"]}, "reuse: sections are a study's"),
        ({"via": [(45.5, 10.2001)]}, "stations 1 and 2 are 8 m apart, under two cells"),
        ({"via": [(45.5, 10.2)]}, "stations 1 and 2 are the same place"),
    ],
)
def test_what_cant_be_asked_without_a_study_is_said(more, says, ridge):
    with pytest.raises(AlignmentError, match=says):
        corridor.find_new_line(*WEST_EAST, **{"dem": ridge, **more})


def test_swapped_coordinates_and_a_study_in_the_wrong_place_are_said(ridge, study):
    with pytest.raises(CoverageError, match="are latitude and longitude swapped"):
        corridor.find_new_line("10.2,45.5", "10.9,45.5", dem=ridge)
    with pytest.raises(AlignmentError, match=r"give a study as study=\.\.\."):
        corridor.find_new_line(study, "Goris", "Sisian")


def test_a_latitude_in_the_south_is_no_option(ridge, monkeypatch, capsys):
    code, _, said = run_command(monkeypatch, capsys, "align", "-45.5,10.2", "-45.5,10.9", "--dem", ridge)
    assert code == 2
    assert "it covers" in said


def test_the_gotthard_line_of_today(data_folder):
    """Cheap tunnels give a base tunnel: that of 2016 is 57.1 km long, this one saves the ramps alone."""
    tiles = [data_folder / "alps" / f"N46E00{i}.SRTMGL3.hgt.zip" for i in (8, 9)]
    new = corridor.find_new_line(
        "46.8196,8.6505", "46.3525,8.9725", grade_permille=27, radius_m=300, cell_m=600, dem=tiles
    )
    assert 55 < new.alignment.length_km < 65
    assert new.alignment.longest_tunnel_km > 30
    assert 1.0 <= new.alignment.search_price_musd / new.alignment.unconstrained_price_musd < 1.05


def test_cells_are_of_250_m_where_heights_are_finer(data_folder):
    """Down the level valley of the Reuss, which takes no searching."""
    tile = data_folder / "alps" / "N46E008.SRTMGL3.hgt.zip"
    new = corridor.find_new_line("46.8800,8.6200", "46.8500,8.6350", grade_permille=27, radius_m=300, dem=tile)
    assert new.alignment.cell_m == pytest.approx(250, rel=0.05)  # whole cells over a small piece
    assert new.alignment.tunnel_km == 0


def test_the_valley_below_the_gotthard_is_climbed_in_full_circles(data_folder):
    """As the railway of 1882 does, in 28.9 km: the valley rises by more than 27 per mille."""
    tile = data_folder / "alps" / "N46E008.SRTMGL3.hgt.zip"
    new = corridor.find_new_line(
        "46.8196,8.6505", "46.6665,8.5892", grade_permille=27, radius_m=300, cell_m=600, spirals=2, dem=tile
    )
    assert 23.5 < new.alignment.length_km < 30  # 634 m at 27 per mille are 23.5 km
    assert new.alignment.max_grade_pct <= 2.7 + 1e-9
    assert new.alignment.longest_tunnel_km < 5
    assert all(46.66 < spiral["lat"] < 46.82 for spiral in new.describe()["spirals"])
    assert new.describe()["spiral_count"] >= 3


def test_a_line_of_another_time_has_the_prices_of_that_time(ridge):
    """A tunnel of 1903 cost twenty times level open line, today six times: none is bored that isn't today."""
    today, old = (
        corridor.find_new_line(*ACROSS, "rail-30", dem=[ridge], cell_m=1000, prices=book)
        for book in ("today", "1870-1910")
    )
    assert old.alignment.tunnel_km <= today.alignment.tunnel_km
    assert old.alignment.price.total_musd < today.alignment.price.total_musd / 20
    facts = old.describe()
    assert facts["prices"]["musd_per_km"]["tunnel"] == old.costs.tunnel.mid
    assert [n.key for line in (today, old) for n in line.alignment.notes].count("new_line.price_book") == 1
    kinds = ("surface", "bench", "gallery", "half_bridge", "bridge", "tunnel")
    assert sum(facts[f"{kind}_km"] for kind in kinds) == pytest.approx(facts["length_km"], rel=1e-3)
    with pytest.raises(AlignmentError, match="no price book '1750'; there are: 1870-1910, today"):
        corridor.find_new_line(*WEST_EAST, dem=[ridge], prices="1750")


def test_what_coarse_heights_hide_is_said_with_the_figures_of_the_table(ridge):
    plain = ("45.5,10.2", (45.5, 10.3))  # it is the cell that counts, not what the ground is like
    coarse = corridor.find_new_line(*plain, "rail-30", dem=[ridge], cell_m=600)
    (note,) = (note for note in coarse.alignment.notes if note.key == "new_line.coarse_effect")
    table = pd.read_csv(data_root() / "reference" / "coarse_heights.csv")
    assert note.values["lines"] == str(len(table))
    ratio = table["coarse_cost_musd"] / table["fine_cost_musd"]
    assert {f"{ratio.min():.2f}", f"{ratio.max():.2f}"} == set(note.values["cost"].split("\u2013"))
    # It holds for each line of the table, those without tunnels too.
    more_km = table["coarse_tunnel_km"] - table["fine_tunnel_km"]
    assert float(note.values["tunnel_less"]) == pytest.approx(-more_km.min(), abs=0.05)
    assert float(note.values["tunnel_more"]) == pytest.approx(more_km.max(), abs=0.05)
    assert (table["fine_tunnel_km"] == 0.0).any()
    assert ratio.min() < 1.0 < ratio.max()  # coarse heights don't err to one side
    fine = corridor.find_new_line(*plain, "rail-30", dem=[ridge], cell_m=300)
    assert all(note.key != "new_line.coarse_effect" for note in fine.alignment.notes)
