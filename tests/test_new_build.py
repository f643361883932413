"""Candidates that are still to be designed, on the bundled data."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import corridor
from corridor.errors import AlignmentError, StudyError
from corridor.geo.geodesy import distance_m
from corridor.io.read.border_delays import sides_of
from corridor.metrics.cost import measure_cost
from corridor.pipeline.comparing import open_run
from corridor.report.i18n import render
from corridor.schema.study import NewBuildCandidate
from corridor.schema.vocabulary import Mode
from corridor.terrain.profile import build_profile, climbs_m
from tests.metrics.figures import row_of

pytestmark = pytest.mark.slow

BASE_TUNNEL = {
    "family": "new-build",
    "id": "base-tunnel",
    "name": "New railway Kapan-Ordubad",
    "standard": "rail-12",
    "from_node": "kapan",
    "to_node": "ordubad-station",
    "after": ("rail-ordubad-julfa", "rail-julfa-nakhchivan"),
    "countries": ("AM", "AZ"),
}


@pytest.fixture(scope="module")
def run():
    study = corridor.Study.bundled("syunik")
    study = study.model_copy(update={"origin": "Kapan"})
    return open_run(study)


def build(run, **changes):
    spec = NewBuildCandidate(**{**BASE_TUNNEL, **changes})
    return run.replace(candidate_specs=(spec,))["candidates"][spec.id]


@pytest.fixture(scope="module")
def candidate(run):
    return build(run)


def test_it_runs_from_end_to_end_without_a_gap(candidate):
    for before, after in pairwise(candidate.parts):
        assert float(distance_m(*before.line.coords[-1], *after.line.coords[0])) < 1.0
    assert candidate.family == "new-build"
    assert [part.country for part in candidate.parts[:2]] == ["AM", "AZ"]
    assert candidate.parts[0].status == "planned"
    assert any("regional sketch" in render(said) for said in candidate.assumptions)


def test_between_kapan_and_ordubad_it_is_a_base_tunnel(candidate):
    new = [part for part in candidate.parts if part.design]
    assert sum(part.tunnel_km for part in new) == pytest.approx(48, abs=2)
    assert sum(part.drawn_km for part in new) == pytest.approx(51, abs=2)
    portals = [
        np.interp(km, part.design.chainage_km, part.design.height_m)
        for part in new
        for span in part.spans
        for km in (span.from_km, span.to_km)
        if span.to_km - span.from_km > 5
    ]
    assert max(portals) < 960  # Kapan lies at 750 to 910 m, Ordubad station near 700


def test_the_profile_is_the_designs_and_has_no_jump(candidate, run):
    profile = build_profile(candidate, run["dem"], run["grade_ceilings"], run["driving_parameters"])
    new_km = sum(part.drawn_km for part in candidate.parts if part.design)
    inside = profile.designed & (profile.chainage_km < new_km - 2)
    grade = np.diff(profile.height_m) / np.diff(profile.chainage_km) / 10
    assert np.abs(grade[inside[1:]]).max() <= 1.2 * 1.01
    # Where the design meets the old line no step is higher than that line's own steepest grade allows.
    assert np.abs(grade).max() <= profile.limit_pct.max() * 1.01
    first = candidate.parts[0].design
    drawn = np.interp(profile.chainage_km, first.chainage_km, first.height_m)
    covered = profile.chainage_km < first.chainage_km[-1] - 1
    assert np.abs(profile.height_m - drawn)[covered].max() < 1.0
    assert {span.located for span in profile.spans if span.to_km < new_km} == {"designed"}
    up, _ = climbs_m(profile.height_m[inside], 0.0)
    assert up < 250


def test_its_price_is_that_of_the_lines_own_quantities(candidate, run):
    only = replace(candidate, parts=tuple(part for part in candidate.parts if part.design))
    price = row_of(measure_cost, candidate=only, **{name: run[name] for name in ("unit_costs", "costing", "bed_road")})
    table = {c.kind: c.cost_musd_per_km for c in run["unit_costs"] if c.mode == "rail"}
    works = [work for part in only.parts for work in part.design.works]
    for kind in ("tunnel", "gallery", "half_bridge"):
        km = sum(work.km for work in works if work.kind == kind)
        assert sum(work.musd.mid for work in works if work.kind == kind) == pytest.approx(km * table[kind].mid)
    assert sum(work.km for work in works) == pytest.approx(sum(part.drawn_km for part in only.parts), rel=1e-2)
    by_hand = sum(work.musd.mid for work in works) + sum(part.design.ends_musd.mid for part in only.parts)
    assert price["cost_musd"] == pytest.approx(by_hand)
    assert price["cost_musd_low"] < price["cost_musd"] < price["cost_musd_high"]
    assert price["cost_remaining_musd"] == price["cost_musd"]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"standard": "rail-7"}, AlignmentError, "candidate 'base-tunnel': standard 'rail-7' is not known"),
        ({"from_node": "nowhere"}, StudyError, "node 'nowhere' is not in nodes.csv"),
        ({"after": ("rail-julfa-nakhchivan",)}, StudyError, "begins at 'julfa', not at 'ordubad-station'"),
        ({"after": ("road-julfa-nakhchivan",)}, StudyError, "sections of another mode than rail"),
        ({"countries": ("GE",)}, AlignmentError, "entering masked ground"),
    ],
)
def test_what_cannot_be_built_is_said(run, changes, error, message):
    with pytest.raises(error, match=message):
        build(run, **changes)


@pytest.mark.parametrize("mode", [Mode.ROAD, Mode.RAIL])
def test_a_border_without_a_listed_crossing_takes_what_any_point_takes(run, mode):
    """A new line passes borders where it likes: without a row for them no rules could be applied to it."""
    sides = sides_of("", ("AM", "AZ"), mode, run["catalogue"].border_delays)
    assert {(side.country, side.direction) for side in sides} == {
        (country, way) for country in ("AM", "AZ") for way in ("outbound", "inbound")
    }
    assert all(0 < side.hours.low <= side.hours.mid <= side.hours.high for side in sides)


def test_a_study_extends_a_bundled_one(tmp_path):
    study = corridor.Study.bundled("syunik-new-build")
    families = [spec.family for spec in study.candidates]
    assert families.count("new-build") == 8
    assert families[0] == "reference"
    bad = tmp_path / "bad.toml"
    bad.write_text('extends = "nowhere"\n')
    with pytest.raises(StudyError, match="extends: no bundled study 'nowhere'; there are: syunik, syunik-new-build"):
        corridor.Study.load(bad)
    bad.write_text('extends = "syunik-new-build"\n')
    with pytest.raises(StudyError, match="extends another study itself"):
        corridor.Study.load(bad)
    bad.write_text('extends = "syunik"\nid = "mine"\ncandidates = "none"\n')
    with pytest.raises(StudyError, match="candidates"):
        corridor.Study.load(bad)
