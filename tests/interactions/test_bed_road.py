"""A road on the old bed of a railway: replaced, or taken with what follows."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from corridor.comparison import compare
from corridor.interactions.regime_effects import effects
from corridor.schema.catalogue import Estimate, SectionWorks
from corridor.schema.study import Study
from corridor.schema.vocabulary import BedRoad
from tests.interactions.roads import all_met, build, gated, rail, regime
from tests.synthetic import build as build_study
from tests.synthetic.catalogue import COSTS
from tests.synthetic.osm import STREETS, WAYS, write_osm
from tests.synthetic.study import IMPACT, STUDY

LINE = [(0, 0), (4000, 0)]


def railway(bed_km=2.0):
    route = rail(LINE)
    works = SectionWorks(road_on_bed_km=None if bed_km is None else Estimate(bed_km, bed_km, bed_km))
    return replace(route, parts=tuple(replace(part, documented_works=works) for part in route.parts))


def met(route, bed_road, gap_m=20):
    network = build([[(500, gap_m), (2500, gap_m)], [(500, 900), (2500, 900)]])
    found = all_met(route, network, bed_road=bed_road)
    return found, gated(network, found)


@pytest.mark.parametrize("rules", [regime(), regime("gated", "gated"), regime("closed", "transit_only")])
def test_a_road_on_the_bed_is_gone_where_it_is_taken_and_stays_where_another_is_built(rules):
    for bed_road, kind, closed in ((BedRoad.TAKEN, "on_bed", [True, False]), (BedRoad.REPLACED, "beside", [False] * 2)):
        found, network = met(railway(), bed_road)
        assert [event.kind for event in found] == [kind]
        assert effects(found, rules, network).closed.tolist() == closed


def test_where_no_transit_is_allowed_nothing_is_taken():
    found, network = met(railway(), BedRoad.TAKEN)
    assert not effects(found, regime().model_copy(update={"allows_transit": False}), network).closed.any()


def test_a_road_further_off_or_beside_another_line_stays():
    assert [event.kind for event in met(railway(), BedRoad.TAKEN, gap_m=45)[0]] == ["beside"]
    assert [event.kind for event in met(railway(None), BedRoad.TAKEN)[0]] == ["beside"]


BED = [(10.42, 45.70014), (10.47, 45.70014)]
PEOPLE, BED_KM = 700, 4.0


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The made-up study with a village whose only road lies on the railway's bed, by what becomes of that road."""
    path = build_study(tmp_path_factory.mktemp("bed") / "midland")
    write_osm(path.parent / "map.osm", [
        *WAYS, *STREETS, (BED, {"highway": "primary", "name": "Bed road"}),
        ([(10.42, 45.48), BED[0]], {"highway": "primary"}), ([BED[1], (10.47, 45.705)], {"highway": "residential"}),
    ])  # fmt: skip
    with (path.parent / "places.csv").open("a", encoding="utf-8") as places:
        places.write(f"Bedside,45.705,10.47,XB,{PEOPLE}\n")
    table = path.parent / "reference" / "sections.csv"
    sections = pd.read_csv(table, dtype=str, keep_default_na=False)
    ends = [f"road_on_bed_km_{end}" for end in ("low", "mid", "high")]
    sections.loc[sections["section_id"] == "rail-middle", ends] = f"{BED_KM:g}"
    sections.fillna("").to_csv(table, index=False)

    def compare_with(bed_road):
        path.write_text(f'bed_road = "{bed_road}"\n{STUDY}{IMPACT}', encoding="utf-8")
        return compare(Study.load(path), osm=path.parent / "map.osm")

    return {kind: compare_with(kind) for kind in BedRoad}


def rows_of(comparison, candidate_id="railway"):
    return comparison.metrics.query("candidate_id == @candidate_id").set_index("regime_id")


def test_where_the_road_on_the_bed_is_taken_who_lives_on_it_is_lost(compared):
    replaced, taken = (rows_of(compared[kind]) for kind in (BedRoad.REPLACED, BedRoad.TAKEN))
    lost = taken["people_lost_centre"] - replaced["people_lost_centre"]
    assert lost.to_dict() == {"free": PEOPLE, "gated": PEOPLE, "shut": 0}
    # that way over the railway is shut already where every crossing is
    assert replaced["people_lost_centre"].to_dict() == {"free": 0, "gated": 0, "shut": PEOPLE}


def test_a_road_that_takes_its_place_is_a_line_of_the_railway_s_bill(compared):
    replaced, taken = (rows_of(compared[kind]) for kind in (BedRoad.REPLACED, BedRoad.TAKEN))
    for end, price in zip(("cost_musd_low", "cost_musd", "cost_musd_high"), COSTS["road", "surface"], strict=True):
        assert (replaced[end] - taken[end]).to_numpy() == pytest.approx(BED_KM * price)
    others = [rows_of(compared[kind], "ridge") for kind in (BedRoad.REPLACED, BedRoad.TAKEN)]
    pd.testing.assert_frame_equal(*others)
