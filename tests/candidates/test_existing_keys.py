"""Keys, names and marks of ways over open roads: they follow from the way itself."""

from dataclasses import replace
from types import SimpleNamespace

import geopandas as gpd
from shapely import LineString, Point

from corridor.candidates.existing import _name_by_places, drop_found_again
from corridor.report.tables import assign_marks
from corridor.schema.candidate import Candidate
from corridor.schema.vocabulary import Family, Mode
from tests.report.synthetic import candidate

SPEC = SimpleNamespace(id="today", name="Roads of today")
# Three ways from (0, 40) to (2, 40): over the north, along the parallel, over the south.
LINES = {lat: LineString([(0.0, 40.0), (0.5, lat), (1.5, lat), (2.0, 40.0)]) for lat in (40.4, 40.0, 39.6)}


def way(lat, family=Family.EXISTING, key="today"):
    """A way by a latitude."""
    whole = candidate(key, "Roads of today", 39.6, comparator=False, status="open")
    part = replace(whole.parts[0], line=LINES[lat])
    return replace(whole, candidate_id=key, family=family, mode=Mode.ROAD, parts=(part,))


def towns(*rows):
    """Settlements: name, lon, lat, people."""
    names, lons, lats, people = zip(*rows, strict=True) if rows else ((), (), (), ())
    table = {"name": names, "lon": lons, "lat": lats, "population": people}
    return gpd.GeoDataFrame(table, geometry=[Point(x, y) for x, y in zip(lons, lats, strict=True)], crs="EPSG:4326")


TOWNS = towns(
    ("Norden", 1.0, 40.4, 900.0), ("Mitte", 1.0, 40.0, 500.0), ("Süden", 1.0, 39.6, 700.0), ("Weit", 1.0, 41.5, 9e4)
)


def keys(*ways, places=TOWNS):
    return [(one.candidate_id, one.name) for one in _name_by_places(list(ways), SPEC, places)]


def test_a_way_is_keyed_by_the_places_that_it_passes():
    assert keys(way(40.4), way(39.6)) == [
        ("today-norden", "Roads of today via Norden"),
        ("today-suden", "Roads of today via Süden"),
    ]


def test_a_key_hangs_on_no_other_way_and_no_order():
    first = dict(zip("nms", keys(way(40.4), way(40.0), way(39.6)), strict=True))
    assert keys(way(39.6), way(40.4)) == [first["s"], first["n"]]
    assert keys(way(40.0)) == [first["m"]]


def test_where_no_town_parts_ways_they_are_told_by_position():
    found = keys(way(40.4), way(40.0), way(39.6), places=towns())
    assert len({key for key, _ in found}) == len({name for _, name in found}) == 3
    assert found[0][1].startswith("Roads of today via 40.40")


def test_a_way_that_the_catalogue_has_is_dropped():
    known = way(40.4, Family.REFERENCE, "the-road")
    found = drop_found_again((way(40.4), way(39.6)), (known,))
    assert [one.line for one in found.kept] == [LINES[39.6]]
    ((_, route, share),) = found.again
    assert (route.candidate_id, round(share, 3)) == ("the-road", 1.0)
    rail = replace(known, mode=Mode.RAIL)
    assert len(drop_found_again((way(40.4),), (rail,)).kept) == 1


def marked(*candidates: Candidate):
    return {key: (mark.letter, mark.colour) for key, mark in assign_marks(candidates).items()}


def test_marks_follow_the_key():
    first = replace(way(40.4, Family.REFERENCE, "one"), letter="A")
    third = replace(way(40.0, Family.REFERENCE, "three"), letter="C")
    north, south = way(40.4, key="today-norden"), way(39.6, key="today-suden")
    whole = marked(first, third, north, south)
    assert whole["one"][0], whole["three"][0] == ("A", "C")
    assert len({letter for letter, _ in whole.values()}) == len({colour for _, colour in whole.values()}) == 4
    # Whoever is left out or comes in another order, the others keep their marks.
    assert marked(third, north) == {key: whole[key] for key in ("three", "today-norden")}
    assert marked(south, first, third) == {key: whole[key] for key in ("today-suden", "one", "three")}
