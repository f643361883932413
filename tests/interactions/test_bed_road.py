"""A road on the old bed of a railway: replaced, or taken with what follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from corridor.interactions.events import find_events
from corridor.interactions.regime_effects import effects
from corridor.schema.catalogue import Estimate, SectionWorks
from corridor.schema.vocabulary import BedRoad
from tests.interactions.roads import build, gated, rail, regime

LINE = [(0, 0), (4000, 0)]


def railway(bed_km=2.0):
    route = rail(LINE)
    works = SectionWorks(road_on_bed_km=None if bed_km is None else Estimate(bed_km, bed_km, bed_km))
    return replace(route, parts=tuple(replace(part, documented_works=works) for part in route.parts))


def met(route, bed_road, gap_m=20):
    network = build([[(500, gap_m), (2500, gap_m)], [(500, 900), (2500, 900)]])
    found = find_events(route, network, bed_road=bed_road)
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
