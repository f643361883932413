"""Another study over made-up ground runs on the same code, and its results are what the ground's numbers say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import corridor
from corridor.comparison import Comparison, compare
from corridor.files import data_root
from corridor.io.read.catalogue import load_catalogue
from corridor.network.speed_model import limiting_speed_kmh
from corridor.report.i18n import render
from corridor.schema.study import Study
from tests.synthetic import build, write_study
from tests.synthetic.catalogue import RAIL_KM, TUNNEL_KM
from tests.synthetic.ground import PLAIN_M, RIDGE_M, meridian_km, parallel_km
from tests.synthetic.osm import BRIDGE, STEP_NORTH, TUNNEL, WAYS, write_osm
from tests.synthetic.study import RIDGE

PACKAGE = Path(corridor.__file__).parent
FOREIGN = re.compile(
    r"\b(syunik|armenian?|azerbaijani?|iran(ian)?|turkey|georgian?|meghri|agarak|norduz|nakh[ci]+h?[ie]van|zangezur"
    r"|zangilan|horadiz|yerevan|kapan|goris|kajaran|aras|araks|araz|caucasus|tripp|AM-IR|AM-AZ)\b",
    re.IGNORECASE,
)
# The study that commands take when none is named; nothing else of its ground may stand in the code.
# the one bundled study, and a script by its name in Unicode
ALLOWED = {"cli/common.py": {"syunik"}, "io/read/places.py": {"armenian"}}

RIDGE_KM = parallel_km(45.5, 0.8)
VALLEY_KM = parallel_km(45.3, 0.8) + 2 * meridian_km(45.3, 45.5)
RAIL_ENDS_KM = parallel_km(45.7, 0.5) + 2 * meridian_km(45.5, 45.7)
STEPS_KM = 2 * meridian_km(45.5, STEP_NORTH) + parallel_km(STEP_NORTH, 0.1) - parallel_km(45.5, 0.1)
GRADE = RIDGE_M / (1000 * parallel_km(45.5, 0.1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("second") / "midland").parent


@pytest.fixture(scope="module")
def plain(folder) -> Comparison:
    return compare(Study.load(folder / "midland.toml"))


@pytest.fixture(scope="module")
def mapped(folder) -> Comparison:
    return compare(Study.load(folder / "midland.toml"), osm=folder / "map.osm")


def rows(comparison: Comparison):
    return comparison.metrics.set_index("candidate_id")


def driving_hours(km: float, rise_m: float, free_kmh: float, height_m: float) -> float:
    """A truck on an even grade: what the power balance, brakes and the wanted speed allow together."""
    truck = load_catalogue(data_root() / "reference").vehicles["truck"]
    return km / float(limiting_speed_kmh(truck, rise_m / (1000 * km), free_kmh, height_m=height_m))


def test_lengths_follow_from_the_ellipsoid(plain, mapped):
    expected = {"ridge": RIDGE_KM, "valley": VALLEY_KM, "railway": RAIL_KM[1] + RAIL_ENDS_KM,
                "driven-highfold-rifton": RIDGE_KM, "driven-dalemoor": VALLEY_KM}  # fmt: skip
    for name, km in expected.items():
        steps = STEPS_KM if name in {"ridge", "driven-highfold-rifton"} else 0.0
        assert rows(plain).loc[name, "length_km"] == pytest.approx(km, abs=0.002)
        assert rows(mapped).loc[name, "length_km"] == pytest.approx(km + steps, abs=0.002)


def test_documented_length_of_the_railway_wins_with_its_range(plain, mapped):
    for comparison in (plain, mapped):
        row = rows(comparison).loc["railway"]
        assert [row[f"in_midland_km{end}"] for end in ("_low", "", "_high")] == pytest.approx(RAIL_KM)
        assert row["length_km_high"] - row["length_km_low"] == pytest.approx(RAIL_KM[2] - RAIL_KM[0])
        assert row["drawn_km"] == pytest.approx(parallel_km(45.7, 0.3) + RAIL_ENDS_KM, abs=0.002)
        assert row["documented_share"] == pytest.approx(RAIL_KM[1] / (RAIL_KM[1] + RAIL_ENDS_KM), rel=1e-4)


def test_only_the_railway_has_a_documented_length(plain, mapped):
    for comparison in (plain, mapped):
        assert (rows(comparison)["documented_share"].drop("railway") == 0).all()


def test_kilometres_in_the_middle_country(plain, mapped):
    for comparison in (plain, mapped):
        found = rows(comparison)["in_midland_km"]
        assert found[["ridge", "driven-highfold-rifton"]].to_numpy() == pytest.approx(parallel_km(45.5, 0.3), abs=0.002)
        assert found[["valley", "driven-dalemoor"]].to_numpy() == pytest.approx(parallel_km(45.3, 0.3), abs=0.002)


def test_tunnels_and_bridges_are_as_documented_or_mapped(plain, mapped):
    assert rows(plain)["tunnel_quoted_km"].to_dict() == pytest.approx(
        {"ridge": 0, "valley": 0, "railway": TUNNEL_KM, "driven-highfold-rifton": 0, "driven-dalemoor": 0}
    )
    summit = parallel_km(45.5, TUNNEL[1] - TUNNEL[0])
    assert rows(mapped)["tunnel_quoted_km"].to_dict() == pytest.approx(
        {"ridge": summit, "valley": 0, "railway": TUNNEL_KM, "driven-highfold-rifton": summit, "driven-dalemoor": 0},
        rel=1e-4,
    )
    assert rows(mapped).loc["driven-highfold-rifton", "bridge_quoted_km"] == pytest.approx(
        parallel_km(45.5, BRIDGE[1] - BRIDGE[0]), rel=1e-3
    )
    assert rows(mapped).loc["driven-dalemoor", "bridge_quoted_km"] == pytest.approx(0.25)


def test_heights_follow_the_ground_and_run_straight_through_tunnels(plain, mapped):
    step_m = 100 * GRADE  # samples lie at most 100 m apart, so a peak may be missed by half of that
    rounded_m = step_m + GRADE * 500 / 24**0.5  # and smoothing over half a kilometre rounds it
    assert rows(plain).loc["ridge", "max_elevation_m"] == pytest.approx(PLAIN_M + RIDGE_M, abs=rounded_m)
    assert rows(plain).loc["ridge", "ascent_m"] == pytest.approx(RIDGE_M, abs=rounded_m)
    assert rows(plain).loc["ridge", "descent_m"] == pytest.approx(RIDGE_M, abs=rounded_m)
    assert rows(plain).loc["valley", "max_elevation_m"] == pytest.approx(PLAIN_M + RIDGE_M / 10, abs=rounded_m)
    portal = PLAIN_M + RIDGE_M * (1 - TUNNEL_KM / 2 / parallel_km(45.7, 0.1))
    assert rows(plain).loc["railway", "max_elevation_m"] == pytest.approx(portal, abs=rounded_m)
    assert rows(mapped).loc["ridge", "max_elevation_m"] == pytest.approx(PLAIN_M + RIDGE_M * 0.9, abs=rounded_m)
    assert rows(mapped).loc["railway", "max_elevation_m"] == pytest.approx(PLAIN_M + RIDGE_M * 0.3, abs=rounded_m)


def test_grades_are_shown_and_are_those_of_the_ridge(plain):
    assert rows(plain).loc["ridge", "max_grade_1km_pct"] == pytest.approx(100 * GRADE, rel=0.01)
    assert rows(plain).loc["valley", "max_grade_1km_pct"] == pytest.approx(10 * GRADE, rel=0.01)
    assert "Grades are shown" in plain.notes["grades"][0]


def test_travel_times_follow_from_lengths_speeds_and_the_climb(plain, mapped):
    side = parallel_km(45.5, 0.1)
    middle = PLAIN_M + RIDGE_M / 2
    level = driving_hours(RIDGE_KM - 2 * side, 0.0, 80, PLAIN_M)
    on_ridge = level + sum(driving_hours(side, rise, 80, middle) for rise in (RIDGE_M, -RIDGE_M))
    assert rows(plain).loc["ridge", "truck_time_h"] == pytest.approx(on_ridge, rel=5e-3)
    # the tunnel spares the rest of the climb, and the mapped road turns four corners
    for name in ("ridge", "driven-highfold-rifton"):
        assert level < rows(mapped).loc[name, "truck_time_h"] < 1.08 * on_ridge
    for comparison in (plain, mapped):
        assert rows(comparison).loc["valley", "travel_time_h"] == pytest.approx(VALLEY_KM / 70, rel=5e-3)
        by_rail = (RAIL_KM[1] + RAIL_ENDS_KM) / 50
        assert rows(comparison).loc["railway", "train_time_h"] == pytest.approx(by_rail, rel=1e-3)
        assert rows(comparison)["truck_time_h"].isna().to_dict()["railway"]


def test_costs_are_those_of_the_gaps_and_of_renewal(plain, mapped):
    bridge = 0.25 * 25 + (parallel_km(45.3, 0.005) - 0.25) * 5
    expected = {"ridge": parallel_km(45.5, 0.01) * 5, "valley": bridge, "railway": RAIL_KM[1] * 4,
                "driven-highfold-rifton": parallel_km(45.5, 0.01) * 5, "driven-dalemoor": bridge}  # fmt: skip
    for comparison in (plain, mapped):
        assert rows(comparison)["cost_musd"].to_dict() == pytest.approx(expected, rel=1e-3)
        assert rows(comparison).loc["ridge", "new_build_km"] == pytest.approx(parallel_km(45.5, 0.01), rel=1e-3)


def test_gaps_of_the_open_roads_are_named_with_length_and_place(plain, mapped):
    for comparison in (plain, mapped):
        (said,) = comparison.notes["open roads"]
        assert "don't reach the destination" in said
        assert f"{parallel_km(45.5, 0.01):.1f} km, 2 km from Rifton (45.500 N 10.630 E)" in said
        assert f"{parallel_km(45.3, 0.005):.1f} km, 11 km from Dalemoor (45.300 N 10.645 E)" in said


def test_hole_in_the_railway_is_joined_and_listed(mapped):
    (said,) = mapped.notes["joins"]
    assert said == f"railway gap of {parallel_km(45.7, 0.0004) * 1000:.0f} m joined at 45.7000 N 10.2000 E"


def test_borders_are_passed_at_listed_crossings(plain, mapped):
    for comparison in (plain, mapped):
        by_id = {c.candidate_id: c for c in comparison.results.candidates}
        passed = {
            key: [(p.countries, p.crossing_id, p.status) for p in by_id[key].passages]
            for key in ("driven-highfold-rifton", "railway")
        }
        assert passed["driven-highfold-rifton"] == [
            (("XA", "XB"), "ridge-gate-west", "open"),
            (("XB", "XC"), "ridge-gate-east", "closed"),
        ]
        assert passed["railway"] == [(("XA", "XB"), "rail-gate-west", "closed"), (("XB", "XC"), "", "unlisted")]
        assert rows(comparison).loc["driven-highfold-rifton", "border_check_h"] == pytest.approx((30 + 15) / 60)
        assumed = " ".join(map(render, by_id["driven-highfold-rifton"].assumptions))
        assert "Ridge gap: taken as open" in assumed
        assert "Ridge gate east: taken as open" in assumed
        assert "west" not in assumed


def test_lines_are_continuous_from_origin_to_destination(plain, mapped):
    for comparison in (plain, mapped):
        frame = comparison.candidates
        assert frame.crs.to_epsg() == 4326
        for line in frame.geometry:
            assert line.is_simple
            assert line.coords[0] == pytest.approx((10.1, 45.5), abs=1e-6)
            assert line.coords[-1] == pytest.approx((10.9, 45.5), abs=1e-6)


def test_ranks_follow_the_perspective(plain, mapped):
    for comparison in (plain, mapped):
        assert comparison.rank("short").iloc[0]["candidate_id"] in {"ridge", "driven-highfold-rifton"}
        assert comparison.rank("flat").iloc[0]["candidate_id"] in {"valley", "driven-dalemoor"}
        by_length = comparison.rank(weights={"length": 1.0, "ascent": 0.0}).set_index("candidate_id")
        lengths = rows(comparison)["length_km"]
        expected = ((150 - lengths) / (150 - 50)).to_dict()  # linear from the worst anchor to the best
        assert by_length["score"].to_dict() == pytest.approx(expected, abs=1e-9)
        assert by_length.loc["railway", "rank"] == 5


def test_turned_round_it_is_as_long_and_climbs_what_it_descended(folder, plain):
    origin = 'origin = { name = "Aster", lon = 10.1, lat = 45.5, country = "XA" }\ndestination = "Corvo"'
    path = write_study(folder, {
        origin: 'origin = "Corvo"\ndestination = "Aster"',
        str(RIDGE): str(RIDGE[::-1]),
        '[[candidates]]\nfamily = "reference"\nid = "valley"': '[[candidates]]\nfamily = "reference"\nid = "dale"',
        str(["valley-west", "valley-middle", "valley-gap", "valley-end", "valley-east"]):
            str(["valley-east", "valley-end", "valley-gap", "valley-middle", "valley-west"]),
        str(["rail-west", "rail-middle", "rail-east"]): str(["rail-east", "rail-middle", "rail-west"]),
    })  # fmt: skip
    turned = rows(compare(Study.load(path)))
    write_study(folder)
    there, back = rows(plain).loc["ridge"], turned.loc["ridge"]
    for same in ("length_km", "in_midland_km", "tunnel_quoted_km", "cost_musd", "max_elevation_m"):
        assert back[same] == pytest.approx(there[same], rel=1e-6)
    assert back["ascent_m"] == pytest.approx(there["descent_m"], rel=1e-6)
    # The ridge is the same from both sides, and what climbs one way falls the other.
    hours = there["truck_time_h"]
    assert back["truck_time_h"] == pytest.approx(hours, rel=2e-2)


@pytest.mark.parametrize("which", ["plain", "mapped"])
def test_no_result_speaks_of_the_bundled_ground(which, request):
    comparison = request.getfixturevalue(which)
    text = comparison.metrics.to_csv() + comparison.rank().to_csv() + repr(comparison.results)
    text += comparison.candidates.to_json()
    assert sorted({hit.group(0) for hit in FOREIGN.finditer(text)}) == []
    assert "in_midland_km" in comparison.metrics


def _strings_and_names(path: Path) -> list[str]:
    """Everything in a module that acts: names and string constants, without docstrings (comments fall away)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found.append(node.value)
        for field in ("id", "name", "attr", "arg"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                found.append(value.replace("_", " "))
    return found


def test_no_module_knows_the_bundled_ground():
    hits: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if "messages" in path.parts:
            continue
        words = {hit.group(0).lower() for text in _strings_and_names(path) for hit in FOREIGN.finditer(text)}
        if words:
            hits[name] = words
    assert hits == ALLOWED


def test_no_asset_of_the_page_knows_the_bundled_ground():
    for path in sorted(PACKAGE.rglob("*")):
        inside = path.relative_to(PACKAGE).parts
        if path.suffix not in {".html", ".css", ".js", ".toml", ".json"} or {"vendor", "messages", "_data"} & {*inside}:
            continue
        text = re.sub(r"font[^;}]*", "", path.read_text(encoding="utf-8"))  # fonts are named after scripts
        assert FOREIGN.search(text) is None, path


def test_compare_can_be_called_again_and_again(folder):
    study = corridor.Study.load(folder / "midland.toml")
    assert callable(corridor.compare)
    corridor.compare(study)
    assert callable(corridor.compare)


def test_ways_that_end_at_the_border_without_a_junction_are_of_their_own_country(folder, mapped, tmp_path):
    bare = write_osm(tmp_path / "bare.osm", WAYS)
    found = rows(compare(Study.load(folder / "midland.toml"), osm=bare))
    for column in ("length_km", "in_midland_km", "border_check_h"):
        assert found[column].to_dict() == pytest.approx(rows(mapped)[column].to_dict(), rel=1e-6, nan_ok=True)
    # the railway leaves the country where no crossing is listed
    assert found["border_check_h_status"].to_dict()["railway"] == "missing"
    assert set(found["border_check_h_status"].drop("railway")) == {"ok"}
