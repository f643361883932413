"""Bills of made-up routes by hand, the laws that hold for any of them, and the bundled study's against its tables."""

from __future__ import annotations

from dataclasses import replace

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

import corridor
from corridor.errors import CatalogueError
from corridor.metrics.cost import breakdown_table, cost_bill, measure_cost
from corridor.metrics.distance import measure_works
from corridor.pipeline.comparing import open_run
from corridor.report.tables import cost_rows, price_years
from corridor.schema.candidate import Design, DesignedWork
from corridor.schema.catalogue import Costing, Estimate, SectionWorks, UnitCost, UpkeepCost
from corridor.schema.vocabulary import BedRoad, LineKind, Mode, SectionStatus, StructureKind, WorkKind, Works
from tests.catalogue_tables import SECTIONS, TABLES
from tests.interactions.grounds import candidate, part
from tests.metrics.figures import row_of
from tests.report.synthetic import results

WEST = shapely.LineString([(10.0, 45.0), (10.5, 45.0)])
EAST = shapely.LineString([(10.5, 45.0), (11.0, 45.0)])
ENDS = ("_low", "", "_high")


def price(kind, figures, mode=Mode.ROAD, includes=()):
    return UnitCost(mode, WorkKind(kind), Estimate(*figures), "2020", ("x",), frozenset(map(StructureKind, includes)))


PRICES = (
    price("surface", (1, 2, 4)),
    price("tunnel", (20, 30, 40)),
    price("bridge", (10, 15, 20)),
    price("upgrade", (0.5, 1, 2), includes=("tunnel", "bridge")),
    price("surface", (3, 6, 9), Mode.RAIL, ("tunnel", "bridge")),
    price("upgrade", (1, 2, 3), Mode.RAIL, ("tunnel", "bridge")),
)
UPKEEP = tuple(
    UpkeepCost(mode, WorkKind(kind), Estimate(*figures), "2020", ("x",))
    for mode, kind, figures in (
        (Mode.ROAD, "surface", (0.01, 0.02, 0.04)),
        (Mode.ROAD, "upgrade", (0.01, 0.02, 0.04)),
        (Mode.ROAD, "tunnel", (0.1, 0.2, 0.4)),
        (Mode.ROAD, "bridge", (0, 0, 0)),
        (Mode.RAIL, "surface", (0, 0, 0)),
        (Mode.RAIL, "upgrade", (0, 0, 0)),
        (Mode.RAIL, "tunnel", (0, 0, 0)),
        (Mode.RAIL, "bridge", (0, 0, 0)),
    )
)
COSTING = Costing(Estimate(0, 0, 50), Estimate(30, 30, 30), Estimate(3, 5, 9), UPKEEP)


def works(**stated):
    return SectionWorks(**({"progress_as_of": "2020", "progress_source_ids": ("x",)} | stated))


def stretch(line=WEST, status=SectionStatus.PLANNED, tunnel_km=3.0, bridge_km=2.0, stated=None, **more):
    made = replace(part(line, length_km=50.0, status=status, **more), tunnel_km=tunnel_km, bridge_km=bridge_km)
    return replace(made, documented_works=stated) if stated else made


def bill(*parts, bed_road=BedRoad.REPLACED, prices=PRICES, costing=COSTING):
    given = {"candidate": candidate(*parts), "unit_costs": prices, "costing": costing, "bed_road": bed_road}
    return row_of(measure_cost, **given), cost_bill(**given)


def figures(row, name):
    return [row[f"{name}{end}"] for end in ENDS]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (SectionStatus.OPEN, (0, 0, 0)),
        (SectionStatus.UNKNOWN, (0, 0, 0)),
        # a formation that is there is put back into use with its structures
        (SectionStatus.DISUSED, (25, 50, 100)),
        (SectionStatus.CLOSED, (25, 50, 100)),
        # 45 km of surface, 3 km of tunnel, 2 km of bridge
        (SectionStatus.PLANNED, (45 + 60 + 20, 90 + 90 + 30, 180 + 120 + 40)),
    ],
)
def test_a_price_is_the_kilometres_of_each_kind_of_work(status, expected):
    row, _ = bill(stretch(status=status), part(EAST))
    assert figures(row, "cost_musd") == figures(row, "cost_remaining_musd") == pytest.approx(expected)
    assert figures(row, "cost_spent_musd") == [0, 0, 0]


def test_structures_that_a_price_holds_are_not_added_to_it():
    row, lines = bill(stretch(mode=Mode.RAIL))
    assert row["cost_musd"] == 50 * 6
    assert [line.kind for line in lines] == [WorkKind.SURFACE]
    with_bridges = (price("surface", (1, 2, 4), includes=("bridge",)), *PRICES[1:])
    row, lines = bill(stretch(), prices=with_bridges)
    assert row["cost_musd"] == 47 * 2 + 3 * 30
    assert {line.kind: line.km.mid for line in lines} == {WorkKind.SURFACE: 47, WorkKind.TUNNEL: 3}


@pytest.mark.parametrize(("progress", "left"), [(0.0, 1.0), (70.0, 0.3), (100.0, 0.0)])
def test_documented_progress_is_spent_and_the_rest_remains(progress, left):
    row, _ = bill(stretch(status=SectionStatus.CONSTRUCTION, stated=works(progress_pct=progress)))
    whole = [125, 210, 340]
    assert figures(row, "cost_musd") == pytest.approx(whole)
    assert figures(row, "cost_remaining_musd") == pytest.approx([left * money for money in whole])
    assert figures(row, "cost_spent_musd") == pytest.approx([(1 - left) * money for money in whole])
    assert row["cost_progress_unknown_km"] == 0


def test_unknown_progress_widens_the_range_and_is_said():
    row, lines = bill(stretch(status=SectionStatus.CONSTRUCTION))
    assert figures(row, "cost_remaining_musd") == pytest.approx([125 * 0.5, 210, 340])
    assert figures(row, "cost_spent_musd") == pytest.approx([0, 0, 170])
    assert row["cost_progress_unknown_km"] == 50
    assert {line.progress_pct for line in lines} == {None}
    assert {line.progress_pct for line in bill(stretch())[1]} == {0.0}  # nothing is built of what is only planned


def test_tunnels_that_no_document_measures_are_said_to_be_in_no_price():
    silent = replace(stretch(tunnel_km=0.0, bridge_km=0.0), not_quoted=frozenset({StructureKind.TUNNEL}))
    row, _ = bill(silent)
    assert row["cost_structures_unknown_km"] == 50
    assert bill(stretch())[0]["cost_structures_unknown_km"] == 0
    # a railway's price holds its structures, and what is put back into use has them
    assert bill(replace(silent, mode=Mode.RAIL))[0]["cost_structures_unknown_km"] == 0
    assert bill(replace(silent, status=SectionStatus.ABANDONED))[0]["cost_structures_unknown_km"] == 0


def test_a_gap_is_laid_anew_and_a_closed_road_may_need_nothing():
    gap, _ = bill(stretch(status=SectionStatus.CLOSED, stated=works(stated=Works.GAP), tunnel_km=0, bridge_km=0))
    assert gap["cost_musd"] == 100
    none, lines = bill(stretch(status=SectionStatus.CLOSED, stated=works(stated=Works.NONE)))
    assert (none["cost_musd"], lines) == (0, ())


def test_a_road_on_the_bed_that_a_railway_takes_is_a_line_of_its_own():
    bed = stretch(mode=Mode.RAIL, status=SectionStatus.ABANDONED, stated=works(road_on_bed_km=Estimate(18, 20, 22)))
    row, lines = bill(bed)
    assert figures(row, "cost_musd") == [50 * 1 + 18 * 1, 50 * 2 + 20 * 2, 50 * 3 + 22 * 4]
    assert [(line.works, line.mode, line.km.mid) for line in lines] == [
        (Works.UPGRADE, Mode.RAIL, 50),
        (Works.REPLACEMENT, Mode.ROAD, 20),
    ]
    assert bill(bed, bed_road=BedRoad.TAKEN)[0]["cost_musd"] == 100
    # a road that takes the bed is that road
    assert len(bill(replace(bed, mode=Mode.ROAD))[1]) == 1


def test_upkeep_is_its_present_value():
    """Thirty years at 5 % are 15.372 years, at 9 % 10.274 and at 3 % 19.600 (tables of annuities)."""
    row, _ = bill(stretch(bridge_km=0))
    yearly = [47 * 0.01 + 3 * 0.1, 47 * 0.02 + 3 * 0.2, 47 * 0.04 + 3 * 0.4]
    expected = [money * years for money, years in zip(yearly, (10.2737, 15.3725, 19.6004), strict=True)]
    assert figures(row, "upkeep_musd") == pytest.approx(expected, rel=1e-4)


def test_a_design_is_priced_as_it_was_drawn():
    """Kind by kind at the price of its design, whatever prices of documented lines hold, and its ends by the piece."""
    works = (
        DesignedWork(LineKind.BENCH, 40.0, Estimate(100, 200, 300)),
        DesignedWork(LineKind.TUNNEL, 10.0, Estimate(10, 20, 30)),
    )
    design = Design("rail-15", (0.0, 50.0), (100.0, 200.0), works, Estimate(1, 2, 3))
    row, lines = bill(replace(stretch(mode=Mode.RAIL, bridge_km=0.0), design=design))
    assert figures(row, "cost_musd") == [111, 222, 333]
    assert [line.kind for line in lines] == ["bench", "tunnel", "ends"]
    # A bench is kept as open line is.
    plain, _ = bill(replace(stretch(mode=Mode.RAIL), design=replace(design, works=works[:1])))
    earth = (DesignedWork(LineKind.SURFACE, 40.0, Estimate(1, 2, 3)),)
    other, _ = bill(replace(stretch(mode=Mode.RAIL), design=replace(design, works=earth)))
    assert plain["upkeep_musd"] == other["upkeep_musd"]


def test_card_metrics_and_table_say_the_same():
    bed = works(road_on_bed_km=Estimate(20, 20, 20))
    parts = (
        stretch(mode=Mode.RAIL, status=SectionStatus.ABANDONED, stated=bed),
        stretch(mode=Mode.RAIL, status=SectionStatus.CONSTRUCTION, stated=works(progress_pct=70.0), country="BB"),
        stretch(mode=Mode.RAIL, status=SectionStatus.OPEN),
    )
    row, lines = bill(*parts)
    shown = replace(results(), cost_lines=breakdown_table({"c": lines}))
    *rows, together = cost_rows(shown, "c")
    assert [(each["works"], each["country"], each["km"]) for each in rows] == [
        ("upgrade", "AA", "50.0"),
        ("replacement", "AA", "20.0"),
        ("unfinished", "BB", "50.0"),
    ]
    # the other road is no part of the route, so it isn't in its kilometres to build
    to_build = row_of(measure_works, candidate=candidate(*parts))["new_build_km"]
    assert together["km"] == f"{to_build:.1f}" == "100.0"
    assert together["remaining"] == f"{row['cost_remaining_musd']:.0f}" == str(100 + 40 + 90)
    assert together["range"] == "\u2013".join(f"{row[f'cost_remaining_musd{end}']:.0f}" for end in ("_low", "_high"))
    assert price_years(shown, "c") == row["cost_price_year"] == "2020"
    assert cost_rows(shown, "nobody") == []


def test_work_without_a_price_is_named():
    with pytest.raises(CatalogueError, match=r"unit_costs\.csv: no row for road surface"):
        bill(part(WEST, status=SectionStatus.PLANNED), prices=())


def test_work_whose_upkeep_nobody_knows_is_named_and_not_free():
    kept = replace(COSTING, upkeep=tuple(rate for rate in UPKEEP if rate.kind != WorkKind.TUNNEL))
    with pytest.raises(CatalogueError, match=r"upkeep\.csv: no row for road tunnel; candidate 'c' needs it"):
        bill(stretch(tunnel_km=3.0), costing=kept)
    assert bill(stretch(tunnel_km=0.0), costing=kept)


STRETCHES = st.lists(
    st.tuples(
        st.sampled_from(list(SectionStatus)),
        st.sampled_from(["AA", "BB", "CC"]),
        st.sampled_from(list(Mode)),
        st.none() | st.floats(0, 100),
        st.sampled_from([0.0, 3.0]),
    ),
    min_size=1,
    max_size=5,
)


@given(STRETCHES)
def test_money_adds_up_whatever_the_route(drawn):
    parts = [
        stretch(status=status, country=country, mode=mode, tunnel_km=km, bridge_km=0.0,
                stated=works(progress_pct=progress, road_on_bed_km=Estimate(1, 2, 3)))
        for status, country, mode, progress, km in drawn
    ]  # fmt: skip
    row, lines = bill(*parts)
    for line in lines:
        assert line.spent_musd.mid + line.remaining_musd.mid == pytest.approx(line.whole_musd.mid)
        assert line.remaining_musd.low <= line.remaining_musd.mid <= line.remaining_musd.high
        assert line.remaining_musd.low <= line.whole_musd.low
        assert line.remaining_musd.high <= line.whole_musd.high
        if line.progress_pct is not None:
            for end in ("low", "mid", "high"):
                both = getattr(line.spent_musd, end) + getattr(line.remaining_musd, end)
                assert both == pytest.approx(getattr(line.whole_musd, end))
    countries = {country for _, country, *_ in drawn}
    for end in ENDS:
        by_country = sum(row[f"cost_remaining_musd_{country.lower()}{end}"] for country in countries)
        assert by_country == pytest.approx(row[f"cost_remaining_musd{end}"])
    table = breakdown_table({"c": lines})
    for name in ("cost_musd", "cost_spent_musd", "cost_remaining_musd", "upkeep_musd"):
        assert (table[name].sum() if len(table) else 0.0) == pytest.approx(row[name])


@pytest.fixture
def bills(shared_runs):
    run = open_run(corridor.Study.bundled("syunik"))
    return {key: run["cost_bills"][key] for key in ("aras-rail", "kapan-meghri", "goris-yeraskh", "aras-road")}


def sum_of(lines, *wanted):
    return sum(line.remaining_musd.mid for line in lines if line.works in wanted)


def test_the_railway_by_hand(bills):
    """70 % of 110.4 km are built; the rest, the old bed put back into use and the road on it, by the tables."""
    prices = TABLES["unit_costs"].set_index(["mode", "kind"])["cost_musd_per_km_mid"].astype(float)
    km = SECTIONS["length_km_mid"]
    built = float(km["rail-horadiz-mincivan"]) + float(km["rail-mincivan-aghband"])
    unfinished = (built * 0.3 + float(km["rail-ordubad-julfa"])) * prices["rail", "surface"]
    old = sum(float(km[key]) for key in ("rail-aghband-border", "rail-meghri", "rail-border-ordubad"))
    lines = bills["aras-rail"]
    assert sum_of(lines, Works.UNFINISHED) == pytest.approx(unfinished)
    assert sum_of(lines, Works.UPGRADE) == pytest.approx(old * prices["rail", "upgrade"])
    assert sum_of(lines, Works.REPLACEMENT) == pytest.approx(20 * prices["road", "surface"])
    by_progress_alone = sum_of(lines, Works.UNFINISHED, Works.UPGRADE)
    assert by_progress_alone == pytest.approx(934.5, abs=0.1)


def test_what_is_built_is_not_charged_again(bills):
    """By progress alone; closed roads and gaps are lines of their own on top."""
    alone = {key: sum_of(bills[key], Works.UNFINISHED, Works.NEW) for key in bills if key != "aras-rail"}
    assert alone == pytest.approx({"kapan-meghri": 17.9, "goris-yeraskh": 16.8, "aras-road": 300}, abs=0.5)
    closed = {key: sum(line.km.mid for line in bills[key] if line.works in (Works.UPGRADE, Works.GAP)) for key in alone}
    assert closed == pytest.approx({"kapan-meghri": 26.8, "goris-yeraskh": 0.8, "aras-road": 0}, abs=0.1)
