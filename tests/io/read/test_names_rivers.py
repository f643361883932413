"""Names of places by language, and rivers, from a map and from the catalogue's table."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from corridor.errors import CatalogueError, SourceError
from corridor.io.read.osm import read_osm
from corridor.io.read.places import load_place_names, name_places, read_places
from corridor.io.read.rivers import Waters, collect_rivers, load_border_rivers, rivers_along_borders
from corridor.schema.settings import LANGUAGES
from corridor.schema.study import Study

HEAD = "name,country,en,ru,hy,az,fa,source_ids\n"
TAGS = '<tag k="{}" v="{}"/>'


def osm(tmp_path, tags, coordinates, places=""):
    """A file with a road along the first two points, and a way with tags along all."""
    nodes = "".join(f'<node id="{n}" lat="{lat}" lon="{lon}"/>' for n, (lon, lat) in enumerate(coordinates, 1))
    refs = "".join(f'<nd ref="{n}"/>' for n in range(1, len(coordinates) + 1))
    text = "".join(TAGS.format(*tag) for tag in tags)
    road = '<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way>'
    path = tmp_path / "map.osm"
    body = f'{nodes}{places}{road}<way id="2">{refs}{text}</way>'
    path.write_text(f'<?xml version="1.0"?><osm version="0.6">{body}</osm>', encoding="utf-8")
    return read_osm(path)


def test_a_named_river_is_read_with_its_names_and_is_no_road(tmp_path):
    tags = [("waterway", "river"), ("name", "Արաքս"), ("name:en", "Aras"), ("name:fa", "ارس")]
    found = osm(tmp_path, tags, [(45, 39), (45.2, 39), (45.6, 39)])
    assert len(found.roads) == 1
    (river,) = found.rivers.to_dict("records")
    assert (river["name"], river["names"]) == ("Aras", {"en": "Aras", "fa": "ارس"})
    assert river["length_km"] == pytest.approx(0.6 * 111.32 * np.cos(np.radians(39)), rel=0.003)


@pytest.mark.parametrize(
    "tags",
    [[("waterway", "river")], [("waterway", "stream"), ("name", "Brook")], [("waterway", "river"), ("name", "")]],
)
def test_streams_and_nameless_water_are_left_out(tmp_path, tags):
    assert osm(tmp_path, tags, [(45, 39), (45.2, 39), (46, 39)]).rivers.empty


def test_a_bridge_road_tagged_as_river_too_stays_a_road(tmp_path):
    tags = [("waterway", "river"), ("highway", "track"), ("name", "Ford")]
    found = osm(tmp_path, tags, [(45, 39), (45.2, 39), (46, 39)])
    assert (len(found.roads), len(found.rivers)) == (2, 0)


def test_pieces_of_one_name_are_one_river_and_short_ones_are_not_drawn():
    lines = [shapely.linestrings([(45 + k / 8, 39), (45 + (k + 1) / 8, 39)]) for k in range(5)]
    lines[4] = shapely.linestrings([(46, 39), (46.1, 39)])
    table = collect_rivers(["A", "A", "A", "A", "B"], [{}] * 5, lines)
    assert table["name"].tolist() == ["A"]
    assert shapely.get_num_geometries(table.geometry.iloc[0]) == 1
    assert collect_rivers([], [], []).empty


def place(number, lon, lat, **names):
    tags = "".join(TAGS.format(key.replace("_", ":"), text) for key, text in names.items())
    return f'<node id="{number}" lat="{lat}" lon="{lon}"><tag k="place" v="village"/>{tags}</node>'


def test_a_place_takes_the_map_s_names_near_by_and_the_catalogue_s_win(tmp_path):
    nodes = place(91, 45.5, 39.5, name="Գյուղ", name_en="Village", name_ru="Деревня", name_az="Kənd")
    nodes += place(92, 47.0, 39.5, name="Far", name_ru="Далёкий") + place(93, 45.6, 39.5, name="Other", name_ru="Иной")
    found = osm(tmp_path, [("highway", "track")], [(45, 39), (46, 39)], nodes)
    at = {"lon": [45.51, 45.5, 45.6], "lat": [39.5, 39.5, 39.5]}
    table = {"name": ["Gyugh", "Far", "Other"], "country": "AA", "alternate_names": ["Village|Գյուղ", "", ""]} | at
    places = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(*at.values()))
    listed = {("Gyugh", "AA"): {"ru": "Село"}, ("Other", "BB"): {"ru": "x"}}
    assert name_places(places, listed, found.places) == [
        {"en": "Village", "hy": "Գյուղ", "ru": "Село", "az": "Kənd"}, {}, {"ru": "Иной"},
    ]  # fmt: skip
    assert name_places(places, listed, None) == [{"hy": "Գյուղ", "ru": "Село"}, {}, {}]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("A,AA,A,,,,,nowhere\n", "row 2, source_ids: 'nowhere' is not in sources.csv"),
        ("A,AA,A,,,,,\n", "row 2, source_ids: is empty"),
        ("A,AA,A,,,,,s\nA,AA,B,,,,,s\n", "row 3, name: 'A' in AA stands twice"),
    ],
)
def test_faults_in_the_table_are_named(tmp_path, rows, says):
    (tmp_path / "place_names.csv").write_text(HEAD + rows, encoding="utf-8")
    with pytest.raises(CatalogueError, match=says.split(":")[0]) as fault:
        load_place_names(tmp_path, {"s"})
    assert says in str(fault.value)


def test_no_table_is_no_names(tmp_path):
    assert load_place_names(tmp_path, set()) == {}


def test_the_bundled_table_names_known_places_in_every_language_and_its_own_letters():
    study = Study.bundled("syunik")
    names = load_place_names(study.path(study.sources.reference), {"geonames", "general-knowledge"})
    frame = read_places(study.path(study.sources.places)).frame
    assert set(names) <= set(zip(frame["name"], frame["country"], strict=True))
    # Persian writes a break within a word as a sign of its own
    letters = {
        "ru": "\u0400-\u04ff", "hy": "\u0530-\u058f", "fa": "\u0600-\u06ff\u200c", "az": "A-Za-zÀ-ɏəƏ", "en": "A-Za-z",
    }  # fmt: skip
    table = gpd.pd.DataFrame(names.values())
    assert len(table) > 45
    for language in LANGUAGES:
        assert table[language].str.fullmatch(rf"[{letters[language]} -]+").all(), language


def test_a_river_is_cut_where_vertices_are_missing_or_far():
    waters = Waters()
    waters.add("A", {}, [(45, 39), (45.3, 39), (214.7, 214.7), (45.6, 39), (45.9, 39), (48.0, 39), (48.4, 39)])
    rivers = waters.collect()
    # so far apart, one name is that of several rivers
    assert rivers["name"].tolist() == ["A"] * 3
    assert sorted(river.bounds[::2] for river in rivers.geometry) == [(45.0, 45.3), (45.6, 45.9), (48.0, 48.4)]


def test_one_river_goes_on_under_the_names_of_each_country():
    def line(*points):
        return shapely.LineString(points)

    upper, lower = line((45.0, 39.0), (45.3, 39.0)), line((45.3, 39.0), (45.6, 39.0))
    far, side = line((45.6, 39.0), (46.0, 39.0)), line((45.2, 39.4), (45.2, 39.0))
    other = line((44.6, 39.0), (45.0, 39.0))
    table = collect_rivers(
        ["Aras", "Araz / ارس", "آراز - ارس", "Tributary", "Bazar"], [{}] * 5, [upper, lower, far, side, other]
    )
    assert list(table["name"]) == ["Aras", "Tributary", "Bazar"]  # another word in the same letters is another river
    assert table["length_km"].iloc[0] == pytest.approx(86.63, abs=0.02)  # a degree at 39 N on the ellipsoid


RIVER_HEAD = "name,en,ru,hy,az,fa,countries,west,south,east,north,source_ids,note\n"


def test_a_river_is_drawn_along_the_border_that_runs_in_it_and_no_further(tmp_path):
    (tmp_path / "rivers.csv").write_text(
        RIVER_HEAD + "Bourne,Bourne,Борн,,,,AA-BB,10.2,0,10.8,2,s,\nOther,,,,,,AA-CC,0,0,20,20,s,\n", encoding="utf-8"
    )
    listed = load_border_rivers(tmp_path, {"s"})
    # two squares, one above the other, that share the side at latitude 1
    countries = gpd.GeoDataFrame(
        {"country": ["AA", "BB"]}, geometry=[shapely.box(10, 0, 11, 1), shapely.box(10, 1, 11, 2)], crs="EPSG:4326"
    )
    (river,) = rivers_along_borders(listed, countries).to_dict("records")
    assert (river["name"], river["names"]) == ("Bourne", {"en": "Bourne", "ru": "Борн"})
    assert shapely.equals(river["geometry"], shapely.linestrings([(10.2, 1), (10.8, 1)]))
    assert load_border_rivers(tmp_path / "none", set()) == ()


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("R,,,,,,AA,0,0,1,1,s,", "countries"),
        ("R,,,,,,AA-BB,1,0,0,1,s,", "west"),
        ("R,,,,,,AA-BB,0,0,1,91,s,", "north"),
        ("R,,,,,,AA-BB,0,0,1,1,t,", "source_ids"),
    ],
)
def test_faults_of_the_table_of_border_rivers_name_their_column(tmp_path, row, fault):
    (tmp_path / "rivers.csv").write_text(RIVER_HEAD + row + "\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=fault):
        load_border_rivers(tmp_path, {"s"})


def test_a_settlement_that_stands_twice_is_refused_as_its_people_would_count_twice(tmp_path):
    table = tmp_path / "places.csv"
    rows = ["name,lat,lon,country,population", "Alba,39.5,45.1,AM,900", "Alba,39.6,45.1,AM,900", "Alba,39.50,45.1,AM,"]
    table.write_text("\n".join(rows[:3]), encoding="utf-8")
    assert len(read_places(table).frame) == 2
    table.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(SourceError, match=r"row 4: 'Alba' stands above already, at the same place"):
        read_places(table)
