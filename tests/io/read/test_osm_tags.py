"""What OpenStreetMap's tags mean: every form a hand-drawn way of its own, and what isn't understood is named."""

from __future__ import annotations

import math

import pytest

from corridor.io.read.osm_tags import (
    Barrier,
    Doubt,
    read_access,
    read_barrier,
    read_gauges,
    read_limits,
    read_population,
    read_way,
)


def kinds(is_ring: bool = False, **tags: str) -> list[tuple[str, str, str]]:
    """Mode, class and status of all that a way is; ``__`` in a key stands for a colon."""
    said = {key.replace("__", ":"): value for key, value in tags.items()}
    return [(m.mode, m.road_class, m.status) for m in read_way(said, is_ring=is_ring).meanings]


def road(**tags: str):
    (found,) = read_way(
        {"highway": "primary"} | {key.replace("__", ":"): value for key, value in tags.items()}
    ).meanings
    return found


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        # a prefix alone
        ({"disused:railway": "rail"}, ("rail", "rail", "disused")),
        ({"abandoned:railway": "rail"}, ("rail", "rail", "abandoned")),
        ({"construction:railway": "rail"}, ("rail", "rail", "construction")),
        ({"planned:railway": "rail"}, ("rail", "rail", "planned")),
        ({"ruins:railway": "rail"}, ("rail", "rail", "abandoned")),
        ({"construction:highway": "trunk"}, ("road", "trunk", "construction")),
        ({"proposed:highway": "trunk"}, ("road", "trunk", "planned")),
        ({"abandoned:highway": "secondary"}, ("road", "secondary", "abandoned")),
        # a state with the class beside it, or without
        ({"railway": "proposed", "proposed": "rail"}, ("rail", "rail", "planned")),
        ({"railway": "disused"}, ("rail", "rail", "disused")),
        ({"railway": "construction", "construction": "yes"}, ("rail", "rail", "construction")),
        ({"highway": "disused", "disused:highway": "secondary"}, ("road", "secondary", "disused")),
        ({"highway": "abandoned", "abandoned": "tertiary"}, ("road", "tertiary", "abandoned")),
        ({"highway": "construction", "construction": "motorway;trunk"}, ("road", "motorway", "construction")),
        ({"highway": "construction", "construction:highway": "trunk"}, ("road", "trunk", "construction")),
        ({"highway": "construction"}, ("road", "road", "construction")),
        ({"highway": "construction", "construction": "yes"}, ("road", "road", "construction")),
        ({"highway": "construction", "construction": "minor"}, ("road", "road", "construction")),
        ({"highway": "proposed", "proposed": "yes"}, ("road", "road", "planned")),
        ({"highway": "proposed", "construction": "primary"}, ("road", "primary", "planned")),
        # a state as a flag on a class
        ({"railway": "rail", "disused": "yes"}, ("rail", "rail", "disused")),
        ({"railway": "rail", "construction": "yes"}, ("rail", "rail", "construction")),
        ({"highway": "primary", "abandoned": "yes"}, ("road", "primary", "abandoned")),
        ({"highway": "primary", "construction": "primary"}, ("road", "primary", "construction")),
        ({"highway": "primary", "construction": "minor"}, ("road", "primary", "open")),
        ({"highway": "primary", "construction": "primary", "motor_vehicle": "yes"}, ("road", "primary", "open")),
        ({"highway": "primary", "construction": "widening"}, ("road", "primary", "open")),
        ({"highway": "primary", "disused": "no"}, ("road", "primary", "open")),
        # a plan for what is open today changes nothing today
        ({"highway": "primary", "construction:highway": "trunk"}, ("road", "primary", "open")),
        ({"highway": "primary", "proposed": "motorway"}, ("road", "primary", "open")),
        # what is neither road nor railway today says nothing against what lay there
        ({"highway": "path", "abandoned:highway": "primary"}, ("road", "primary", "abandoned")),
        ({"highway": "no", "construction:highway": "trunk"}, ("road", "trunk", "construction")),
        ({"railway": "no", "disused:railway": "rail"}, ("rail", "rail", "disused")),
        ({"railway": "tram", "abandoned:railway": "rail"}, ("rail", "rail", "abandoned")),
    ],
)
def test_a_lifecycle_is_read_in_each_of_its_forms(tags, expected):
    assert [(m.mode, m.road_class, m.status) for m in read_way(tags).meanings] == [expected]


@pytest.mark.parametrize(
    "tags",
    [
        {"railway": "razed"},
        {"razed:railway": "rail"},
        {"removed:highway": "primary"},
        {"highway": "demolished"},
        {"highway": "primary", "demolished": "yes"},
        {"historic:railway": "rail"},
        {"highway": "construction", "construction": "footway"},
        {"highway": "path", "razed:highway": "primary"},
    ],
)
def test_what_is_gone_or_for_others_is_nothing_and_no_doubt(tags):
    assert read_way(tags) == read_way({})


@pytest.mark.parametrize(
    "tags",
    [
        {"railway": "construction", "construction": "subway"},
        {"railway": "construction", "construction": "tram"},
        {"railway": "disused", "disused": "tram"},
        {"railway": "disused", "disused:railway": "narrow_gauge", "gauge": "750"},
        {"railway": "abandoned", "abandoned:railway": "tram"},
        {"railway": "abandoned", "historic:railway": "funicular"},
        {"railway": "abandoned", "gauge": "600"},
        {"railway": "abandoned", "gauge": "narrow"},
        {"railway": "proposed", "proposed": "light_rail"},
        {"construction:railway": "subway"},
        {"railway": "tram", "disused": "yes"},
        {"railway": "narrow_gauge"},
        {"railway": "monorail"},
    ],
)
def test_only_main_lines_are_railways(tags):
    assert read_way(tags).meanings == ()


def test_gauges_are_numbers_however_they_are_written():
    assert read_gauges({"gauge": "1520"}) == (1520.0,)
    assert read_gauges({"gauge": "1435;1520"}) == read_gauges({"gauge": "1520 mm / 1435 mm"}) == (1435.0, 1520.0)
    assert read_gauges({"gauge": "1,520"}) == read_gauges({"gauge": "1 520 mm"}) == (1520.0,)
    assert read_gauges({"gauge": "standard"}) == (1435.0,)
    assert read_gauges({"gauge": "unknown"}) == read_gauges({}) == ()
    assert kinds(railway="rail", gauge="1000") == kinds(railway="rail", gauge="760;1435") == [("rail", "rail", "open")]


def test_a_way_may_be_both_a_road_and_a_railway():
    assert kinds(highway="residential", railway="rail") == [("road", "residential", "open"), ("rail", "rail", "open")]
    assert kinds(highway="track", railway="abandoned") == [("road", "track", "open"), ("rail", "rail", "abandoned")]
    assert kinds(highway="cycleway", railway="disused") == [("rail", "rail", "disused")]
    assert kinds(highway="residential", railway="tram") == [("road", "residential", "open")]


def test_oneway_is_read_for_roads_and_means_nothing_for_tracks():
    both = read_way({"highway": "residential", "railway": "rail", "oneway": "yes"}).meanings
    assert [m.oneway for m in both] == [1, 0]
    found = {
        value: road(oneway=value).oneway for value in ("yes", "Yes", "1", "true", "-1", "reverse", "no", "alternating")
    }
    assert found == {"yes": 1, "Yes": 1, "1": 1, "true": 1, "-1": -1, "reverse": -1, "no": 0, "alternating": 0}
    assert road(oneway="yes;yes").oneway == road(oneway="yes", oneway__bicycle="no").oneway == 1
    # what is said of motor vehicles beats what is said of all
    assert road(oneway="yes", oneway__motor_vehicle="no").oneway == 0
    assert road(oneway__motor_vehicle="yes").oneway == road(motor_vehicle__backward="no").oneway == 1
    assert road(vehicle__forward="no").oneway == -1
    assert road(junction="roundabout").oneway == road(junction="circular").oneway == 1
    assert road(junction="roundabout", oneway="no").oneway == 0
    assert read_way({"highway": "motorway"}).meanings[0].oneway == 1


@pytest.mark.parametrize(
    "value", ["abandoned", "proposed", "none", "no", "removed", "construction", "disused", "collapsed"]
)
def test_a_structure_that_is_not_there_is_none(value):
    assert not road(bridge=value).bridge
    assert not road(tunnel=value).tunnel
    assert not read_way({"highway": "primary", "bridge": value}).doubts


def test_structures_that_are_there():
    assert road(bridge="viaduct").bridge
    assert road(bridge="Yes").bridge
    assert road(tunnel="avalanche_protector").tunnel
    assert not road(tunnel="culvert").tunnel
    assert read_way({"highway": "primary", "bridge": "perhaps"}).doubts == {Doubt.STRUCTURE}


@pytest.mark.parametrize(
    ("tags", "doubt"),
    [
        ({"highway": "minor"}, Doubt.ROAD_CLASS),
        ({"railway": "high_speed"}, Doubt.RAIL_KIND),
        ({"highway": "construction", "construction": "minor"}, Doubt.UNBUILT_CLASS),
        ({"highway": "primary;secondary"}, Doubt.SEVERAL_CLASSES),
        ({"highway": "primary", "oneway": "yes;no"}, Doubt.ONEWAY),
        ({"highway": "primary", "oneway": "reversible"}, Doubt.REVERSIBLE),
        ({"highway": "primary", "access": "sometimes"}, Doubt.ACCESS),
        ({"highway": "primary", "access:conditional": "no @ (Nov-Apr)"}, Doubt.CONDITIONAL),
        ({"highway": "primary", "maxweight": "heavy"}, Doubt.LIMIT),
        ({"highway": "primary", "maxwidth": "narrow"}, Doubt.LIMIT),
        ({"highway": "primary", "maxwidth:conditional": "2 @ (Nov-Apr)"}, Doubt.CONDITIONAL),
        ({"highway": "primary", "hgv": "no"}, Doubt.CLOSED),
        ({"highway": "primary", "hgv:backward": "no"}, Doubt.TRUCKS_ONE_WAY),
        ({"highway": "primary", "oneway:hgv": "yes"}, Doubt.TRUCKS_ONE_WAY),
        ({"highway": "primary", "oneway": "yes", "oneway:hgv": "no"}, Doubt.TRUCKS_ONE_WAY),
        ({"highway": "primary", "oneway": "yes", "hgv:forward": "no"}, Doubt.TRUCKS_ONE_WAY),
        ({"highway": "primary", "oneway:hgv": "perhaps"}, Doubt.TRUCKS_ONE_WAY),
        ({"highway": "primary", "access": "yes;no"}, Doubt.ACCESS),
        ({"highway": "primary", "motor_vehicle": "No; designated"}, Doubt.ACCESS),
        ({"highway": "primary", "ice_road": "yes"}, Doubt.SEASONAL),
        ({"highway": "primary", "seasonal": "winter"}, Doubt.SEASONAL),
        ({"highway": "primary", "hgv_articulated": "no"}, Doubt.CLOSED),
        ({"highway": "primary", "maxheight": "0"}, Doubt.LIMIT),
        ({"highway": "primary", "motor_vehicle": "destination"}, Doubt.LOCAL),
        ({"highway": "primary", "abandoned": "yes"}, Doubt.WORKS),
    ],
)
def test_what_is_not_understood_or_not_followed_is_named(tags, doubt):
    assert read_way(tags).doubts == {doubt}


@pytest.mark.parametrize(
    "tags",
    [
        {"oneway": "yes", "oneway:hgv": "yes"},
        {"oneway": "yes", "hgv:backward": "no"},
        {"oneway": "-1", "hgv:forward": "no"},
        {"oneway:hgv": "no"},
        {"hgv:backward": "yes"},
        {"seasonal": "no"},
        {"goods": "no"},
        {"access": "agricultural;forestry", "motor_vehicle": "yes"},
    ],
)
def test_what_trucks_may_as_others_do_is_no_doubt(tags):
    assert not read_way({"highway": "primary"} | tags).doubts


@pytest.mark.parametrize("tags", [{"highway": "primary"}, {"railway": "rail"}, {"highway": "trunk", "railway": "rail"}])
@pytest.mark.parametrize("route", ["ferry", "Ferry", "road;ferry"])
def test_a_ferry_is_neither_a_road_nor_a_railway_whatever_its_class(tags, route):
    assert read_way(tags | {"route": route}) == read_way({})
    assert read_way(tags | {"route": "road"}) == read_way(tags)


def test_known_words_in_lists_and_capitals_are_read():
    assert kinds(highway="Primary") == [("road", "primary", "open")]
    assert kinds(highway="minor; secondary") == [("road", "secondary", "open")]
    assert not read_way({"highway": "footway"}).doubts
    assert not read_way({"railway": "platform"}).doubts


def test_outlines_of_areas_are_no_roads():
    outline = {"highway": "residential", "area": "yes"}
    assert read_way(outline, is_ring=True).doubts == {Doubt.AREA}
    assert read_way(outline, is_ring=True).meanings == ()
    assert kinds(True, highway="service", amenity="parking") == []
    assert kinds(True, highway="service", amenity="parking", area="no") == [("road", "service", "open")]
    assert kinds(True, highway="primary", junction="roundabout") == [("road", "primary", "open")]
    assert kinds(True, highway="residential") == [("road", "residential", "open")]
    # a line that doesn't close is the outline of nothing
    assert kinds(False, **outline) == [("road", "residential", "open")]


@pytest.mark.parametrize(
    ("tags", "truck", "car"),
    [
        ({}, "yes", "yes"),
        ({"access": "no"}, "no", "no"),
        ({"access": "private"}, "no", "no"),
        ({"access": "military", "motor_vehicle": "no"}, "no", "no"),
        ({"vehicle": "no"}, "no", "no"),
        ({"motor_vehicle": "agricultural;forestry"}, "no", "no"),
        ({"motor_vehicle": "agricultural;destination"}, "local", "local"),
        ({"hgv": "no"}, "no", "yes"),
        ({"hgv": "delivery"}, "local", "yes"),
        ({"motorcar": "no"}, "yes", "no"),
        ({"hgv_articulated": "no"}, "no", "yes"),
        ({"hgv": "no", "hgv_articulated": "yes"}, "yes", "yes"),
        ({"goods": "no"}, "yes", "yes"),
        ({"access": "yes;no"}, "yes", "yes"),
        ({"access": "destination"}, "local", "local"),
        # the more exact key wins, whichever way
        ({"access": "no", "motor_vehicle": "yes"}, "yes", "yes"),
        ({"access": "no", "vehicle": "permissive"}, "yes", "yes"),
        ({"access": "yes", "hgv": "no"}, "no", "yes"),
        ({"access": "no", "hgv": "designated"}, "yes", "no"),
        ({"access": "private", "motor_vehicle": "yes", "hgv": "no"}, "no", "yes"),
        # a condition that opens opens; one that shuts at times leaves it open
        ({"access": "no", "access:conditional": "yes @ (Apr-Nov)"}, "yes", "yes"),
        ({"hgv": "no", "hgv:conditional": "yes @ (22:00-06:00)"}, "yes", "yes"),
        ({"access:conditional": "no @ snow"}, "yes", "yes"),
        # what nobody knows neither opens nor shuts
        ({"access": "no", "motor_vehicle": "sometimes"}, "no", "no"),
        # nobody drives where nobody can
        ({"smoothness": "impassable"}, "no", "no"),
        ({"smoothness": "impassable", "access": "yes"}, "no", "no"),
    ],
)
def test_the_more_exact_access_key_wins(tags, truck, car):
    access = read_access(tags)[0]
    assert (access.truck, access.car) == (truck, car)


@pytest.mark.parametrize(
    ("tags", "truck", "car"),
    [
        ({"barrier": "block"}, "no", "no"),
        ({"barrier": "debris"}, "no", "no"),
        ({"barrier": "bollard"}, "no", "no"),
        ({"barrier": "kent_carriage_gap"}, "no", "no"),
        ({"barrier": "bollard", "bollard": "removable"}, "yes", "yes"),
        ({"barrier": "block", "motor_vehicle": "yes"}, "yes", "yes"),
        ({"barrier": "bollard", "bollard": "foldable"}, "yes", "yes"),
        ({"barrier": "gate;bollard"}, "no", "no"),
        ({"barrier": "gate;toll_booth"}, "yes", "yes"),
        ({"barrier": "gate"}, "yes", "yes"),
        ({"barrier": "gate", "access": "private"}, "no", "no"),
        ({"barrier": "gate", "locked": "Yes"}, "no", "no"),
        ({"barrier": "gate", "smoothness": "impassable"}, "no", "no"),
        ({"barrier": "lift_gate", "access": "no", "motor_vehicle": "permissive"}, "yes", "yes"),
        ({"barrier": "border_control"}, "yes", "yes"),
        ({"barrier": "toll_booth"}, "yes", "yes"),
        # a key for one vehicle is for this one alone, whatever the barrier does to others
        ({"barrier": "gate", "hgv": "no"}, "no", "yes"),
        ({"barrier": "gate", "motorcar": "no"}, "yes", "no"),
        ({"barrier": "gate", "motor_vehicle": "no"}, "no", "no"),
        ({"barrier": "gate", "goods": "no"}, "yes", "yes"),  # vans
        ({"barrier": "gate", "bicycle": "no"}, "yes", "yes"),
        ({"barrier": "gate", "access": "no", "hgv": "yes"}, "yes", "no"),
        ({"barrier": "gate", "access": "private", "motorcar": "yes"}, "no", "yes"),
        ({"barrier": "gate", "hgv": "destination"}, "local", "yes"),
        ({"barrier": "bollard", "hgv": "no"}, "no", "no"),
        ({"barrier": "bollard", "motorcar": "yes"}, "no", "yes"),
        ({"barrier": "bollard", "bicycle": "yes"}, "no", "no"),
        ({"barrier": "gate", "locked": "yes", "hgv": "designated"}, "yes", "no"),
    ],
)
def test_barriers_stop_whom_their_kind_stops_unless_a_key_says_otherwise(tags, truck, car):
    barrier, known = read_barrier(tags)
    assert (barrier.access.truck, barrier.access.car, known) == (truck, car, True)
    assert barrier.blocks == (truck == car == "no")
    assert barrier.lets_all_pass == (truck == car == "yes")


@pytest.mark.parametrize("key", ["hgv", "motor_vehicle", "maxheight", "maxweight", "maxwidth"])
@pytest.mark.parametrize("kind", ["gate", "bollard"])
def test_a_key_of_a_barrier_that_nobody_understands_changes_nothing_and_is_in_doubt(kind, key):
    plain, known = read_barrier({"barrier": kind})
    assert known
    assert str(read_barrier({"barrier": kind, key: "rumour"})) == str((plain, False))
    assert str(read_barrier({"barrier": kind, f"{key}:conditional": "no @ (22:00-06:00)"})) == str((plain, False))


def test_a_barrier_of_unknown_kind_lets_pass_and_is_in_doubt_unless_a_key_tells():
    assert read_barrier({"barrier": "yes_no"}) == (Barrier(), False)
    assert read_barrier({"barrier": "yes_no", "hgv": "no"})[1]
    # a gate that is open at times is open, and said
    assert read_barrier({"barrier": "gate", "access": "no", "access:conditional": "yes @ (Mo-Fr)"}) == (
        Barrier(),
        False,
    )
    assert read_barrier({"barrier": "height_restrictor", "maxheight": "2.1"})[0].limits.max_height_m == 2.1


def test_limits_are_kept_in_tonnes_and_metres():
    def limits(**tags: str) -> tuple[float, float, bool]:
        found, known = read_limits({key.replace("__", ":"): value for key, value in tags.items()})
        return found.max_weight_t, found.max_height_m, known

    assert limits(maxweight="36")[0] == limits(maxweight="36 t")[0] == limits(maxweight="36,0t")[0] == 36.0
    assert limits(maxweight="7500 kg")[0] == 7.5
    assert limits(maxheight="3.8 m")[1] == limits(maxheight="380 cm")[1] == 3.8
    assert limits(maxheight="12'")[1] == pytest.approx(3.6576)
    assert limits(maxweight="40", maxweight__hgv="26")[0] == 26.0
    assert math.isnan(limits(maxweight="none")[0])
    assert limits(maxweight="none")[2]
    assert not limits(maxheight="low")[2]
    assert all(math.isnan(value) for value in limits()[:2])


@pytest.mark.parametrize(
    ("text", "width_m"),
    [("2.5", 2.5), ("2,5 m", 2.5), ("250 cm", 2.5), ("8'", 2.4384), ("8'2\"", 2.4892), ("8 ft 2 in", 2.4892),
     ("none", math.nan), ("narrow", math.nan), ("0", math.nan)],
)  # fmt: skip
def test_widths_are_read_in_metres_feet_and_inches(text, width_m):
    limits, known = read_limits({"maxwidth": text, "maxwidth:physical": "3"})
    assert limits.max_width_m == pytest.approx(3.0 if math.isnan(width_m) else width_m)
    assert known is (text not in ("narrow", "0"))
    assert math.isnan(read_limits({"maxheight": "3"})[0].max_width_m)
    assert read_barrier({"barrier": "width_restrictor", "maxwidth": "2"})[0].limits.max_width_m == 2.0


@pytest.mark.parametrize(
    ("tags", "column", "most"),
    [({"maxlength": "12"}, "max_length_m", 12.0), ({"maxlength": "40'"}, "max_length_m", 12.192),
     ({"maxlength": "18", "maxlength:hgv": "10 m"}, "max_length_m", 10.0), ({"maxaxleload": "8"}, "max_axle_t", 8.0),
     ({"maxaxleload": "5.5 t"}, "max_axle_t", 5.5), ({"maxaxleload": "none"}, "max_axle_t", math.nan)],
)  # fmt: skip
def test_lengths_and_axle_loads_are_read_like_other_limits(tags, column, most):
    limits, known = read_limits(tags)
    assert known
    assert getattr(limits, column) == pytest.approx(most, nan_ok=True)
    assert sum(not math.isnan(value) for value in limits.all) == (not math.isnan(most))
    (found,) = read_way({"highway": "primary", **tags}).meanings
    assert found.limits.all == pytest.approx(limits.all, nan_ok=True)
    assert Doubt.LIMIT in read_way({"highway": "primary", **dict.fromkeys(tags, "much")}).doubts


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("1700", 1700), ("1 700", 1700), ("1\u00a0700", 1700), ("1\u202f700", 1700), ("1,700", 1700), ("1.700", 1700),
        ("1'234'567", 1_234_567), ("~500", 500), ("1700 (2011)", 1700), ("1700;1650", 1700),
        ("1700.0", 1700), ("5000+", 5000), ("\u06f1\u06f7\u06f0\u06f0", 1700), ("0", 0), (" 12 ", 12),
        ("", None), ("many", None), ("100-200", None), ("1.5", None), ("-5", None), ("1e3", None),
        ("inf", None), ("1,70", None), ("1.700.000", 1_700_000), ("5.000", 5000), ("ca. 500", 500), ("500 [2011]", 500),
    ],
)  # fmt: skip
def test_populations_as_people_write_them(text, people):
    assert read_population(text) == people
