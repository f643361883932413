"""The main job on the real extract, held against documented figures; skipped where the extract is absent."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from corridor.comparison import compare
from corridor.geo.geodesy import line_lengths_m
from corridor.network.alternatives import route_minutes
from corridor.network.map_matching import part_lengths_km
from corridor.pipeline.diagnosis import check_length, check_lengths
from corridor.schema.study import Study
from docs.tools import validation
from tests.conftest import ROOT
from tests.metrics.test_checks import check_rows
from tests.test_catalogue_lines import LENGTH_EXCEPTIONS
from tests.test_recompute import DATA, STUDY, recompute

pytestmark = [pytest.mark.extract, pytest.mark.slow]

SHORT = "under 4 km: where the border node snaps counts for much"
MAPPED = "the map's way between the same ends is longer than the documented one"
DOCUMENTED_EXCEPTIONS = {
    "m2-goris": SHORT,
    "m2-agarak-norduz": SHORT,
    "road-julfa-crossing": SHORT,
}
DRAWN_EXCEPTIONS = LENGTH_EXCEPTIONS | {
    "rail-bridge-jolfa": SHORT,
    "m2-goris": SHORT,
    "m2-karahunj-vorotan": SHORT,
    "m2-agarak-norduz": SHORT,
    "road-agarak-town": SHORT,
    "road-julfa-crossing": SHORT,
    "road-julfa-jolfa": SHORT,
    "road-poldasht": SHORT,
}
NOT_FOUND = {
    "road-norduz-bridge": SHORT,
    "road-sadarak-dilucu": MAPPED,
    "rail-bridge-jolfa": SHORT,
    "road-julfa-jolfa": SHORT,
    "road-poldasht": SHORT,
}


@pytest.fixture(scope="module")
def study():
    return Study.bundled("syunik")


@pytest.fixture(scope="module")
def conflation(extract_run):
    return extract_run["conflation"]


@pytest.fixture(scope="module")
def built(extract_run):
    return extract_run["candidates"], extract_run["reach"]


def test_the_extract_is_read_whole(extract_run):
    data = extract_run["osm"]
    assert data.source.date == "2021-08"
    # 49,142 km are in the file, of which 430 km run over the very vertices of another way
    assert line_lengths_m(data.roads.geometry).sum() / 1000 == pytest.approx(48_712, rel=0.001)
    assert {"open", "disused", "abandoned", "construction"} == set(data.rails["status"])


def test_every_open_section_agrees_with_the_map(extract_run, conflation):
    """Documented and drawn length against the way on the map between the same ends: within 10 %, or listed."""
    documented, drawn, missing = set(), set(), set()
    for key, section in extract_run["sections"].items():
        if section.status != "open" or not section.follows_osm:
            continue
        if key not in conflation.matches:
            missing.add(key)
            continue
        mapped = conflation.matches[key].length_km
        if section.length_km and abs(section.length_km.mid / mapped - 1) > 0.1:
            documented.add(key)
        if abs(line_lengths_m([section.line])[0] / 1000 / mapped - 1) > 0.1:
            drawn.add(key)
    assert documented <= set(DOCUMENTED_EXCEPTIONS)
    assert drawn <= set(DRAWN_EXCEPTIONS)
    assert missing <= set(NOT_FOUND)


def test_documented_lengths_are_found_again(study, extract_run, conflation):
    verdicts = {
        row.name: check_length(row, conflation.network, extract_run["nodes"], mapped=True) for row in study.checks
    }
    assert {name: row.verdict for name, row in verdicts.items()} == dict.fromkeys(verdicts, "agrees")
    assert verdicts["Railway Horadiz-Nakhchivan"].computed_km == pytest.approx(252, abs=1)


@pytest.mark.usefixtures("shared_runs")
def test_the_table_of_validation_is_what_a_check_says(study, extract_path):
    stored = (ROOT / "docs" / "snippets" / validation.EXTRACT).read_text(encoding="utf-8")
    rows = check_lengths(study, extract_path, lambda _: None)
    assert stored.split("\n\n")[0] == validation.render(rows, "", "").split("\n\n")[0]


def test_open_roads_don_t_reach_nakhchivan_and_the_gaps_are_named(built):
    (reach,) = built[1]
    assert not reach.connected
    found = {(round(gap.length_m / 1000, 1), round(gap.to_lonlat[1], 1)) for gap in reach.gaps}
    # the way to the western one, of 1.1 km on the map, is documented as closed 0.4 km before it
    assert {(0.6, 39.7), (1.5, 38.8), (1.8, 39.5)} <= found


def test_the_aras_railway_is_one_mapped_line(built):
    rail = built[0]["aras-rail"]
    assert {part.geometry_quality for part in rail.parts} == {"osm"}
    assert rail.drawn_km == pytest.approx(252.4, rel=0.01)
    meghri = next(part for part in rail.parts if part.section_id == "rail-meghri")
    assert meghri.drawn_km == pytest.approx(43, abs=1.5)


def test_existing_roads_differ(built, conflation):
    roads = [c for key, c in built[0].items() if key.startswith("existing-roads")]
    # Of the three that are asked for, one that is a road of the catalogue over again is dropped.
    assert len(roads) == 2
    for i, a in enumerate(roads):
        for b in roads[:i]:
            edges_a = {e for part in a.parts for e in part.edges}
            edges_b = {e for part in b.parts for e in part.edges}
            lengths = conflation.network.edges["length_m"]
            shared = lengths.iloc[sorted(edges_a & edges_b)].sum()
            assert shared <= 0.71 * min(lengths.iloc[sorted(s)].sum() for s in (edges_a, edges_b))


def test_the_main_road_is_where_trucks_go(extract_run, conflation):
    """The quickest way between the ends of the M2 keeps to it on what it shares with the catalogue's sections."""
    match = conflation.matches["m2-kapan-kajaran"]
    lengths = part_lengths_km(conflation.network, match.route)
    speed = lengths.sum() / (route_minutes(conflation.network, match.route) / 60)
    assert 25 < speed < 80


def compare_and_measure(extract: Path, out: Path) -> int:
    """Most memory, in KiB, that a process of its own held while it compared and wrote the study."""
    comparison = compare(Study.bundled("syunik"), osm=extract)
    assert len(comparison.metrics) >= 13
    check_rows(comparison)
    for key in ("no-checks", "sealed"):
        rows = comparison.metrics[comparison.metrics["regime_id"] == key]
        assert (rows[["check_h", "check_h_low"]] == 0).all(axis=None)
    assert comparison.write(out).is_file()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


@pytest.mark.skipif(sys.platform != "linux", reason="the most memory held is read from /proc")
def test_the_whole_run_stays_under_two_gigabytes(extract_path, tmp_path):
    # What getrusage tells of a new process starts from what its parent held, this worker with all of its tests.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(compare_and_measure, extract_path, tmp_path / "out").result() < 2 * 1024 * 1024
    found = recompute.recompute(recompute.read(tmp_path / "out", DATA, STUDY))
    assert [finding for finding in found if not finding.agrees] == []
