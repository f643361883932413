"""The drawn lines of the reference catalogue: ends, spacing, lengths, chains, and what crosses what."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from shapely import LineString, get_coordinates

from tests.catalogue_tables import DRAWN_KM, GEOD, NODES, POINTS, SECTIONS, TABLES

HAIRPINS = "hairpins closer together than points rounded to 0.001 degree and kept 0.5 to 4 km apart can show"
COARSE = "comparator outside the study area, drawn coarsely"
UNPUBLISHED = "alignment of the new part not published, drawn simply"
SHORT = "a kilometre or two, where a bend counts for much"
LENGTH_EXCEPTIONS: dict[str, str] = {
    "rail-julfa-bridge": SHORT,
    "rail-kars-igdir": COARSE,
    "rail-igdir-dilucu": COARSE,
    "rail-agstafa-border": COARSE,
    "rail-border-ijevan": COARSE,
    "rail-ijevan-hrazdan": COARSE,
    "rail-hrazdan-yerevan": COARSE,
    "road-shvanidzor-nrnadzor": HAIRPINS,
    "m2-goris-karahunj": HAIRPINS,
    "m2-vorotan-shurnukh": HAIRPINS,
    "m2-kapan": SHORT,
    "road-norduz-bridge": SHORT,
    "road-sisian-town": SHORT,
    "road-kotam-border": SHORT,
    "bypass-shinuhayr-tatev": HAIRPINS,
    "track-tatev-aghvani": HAIRPINS,
    "m17-kapan-tsav": HAIRPINS,
    "m17-tsav-shvanidzor": HAIRPINS,
    "nsr-meghri-agarak": UNPUBLISHED,
    "road-zabukh-lachin": HAIRPINS,
    "road-lachin-border": HAIRPINS,
    "road-border-tegh": HAIRPINS,
    "road-tegh-khndzoresk": HAIRPINS,
    "road-border-kapan": SHORT,
    "bichenek-junction-angeghakot": SHORT,
    "bichenek-angeghakot-east": HAIRPINS,
    "bichenek-west-shahbuz": HAIRPINS,
    "iran-khoda-afarin-khomarlu": SHORT,
}
# The longest way between two points: 15 km, and 60 km for comparators outside the study area.
COARSE_SECTIONS = {
    "rail-kars-igdir",
    "rail-igdir-dilucu",
    "rail-horadiz-imishli",
    "rail-imishli-yevlakh",
    "rail-yevlakh-ganja",
    "rail-ganja-agstafa",
    "rail-agstafa-boyuk-kesik",
    "rail-ijevan-hrazdan",
    "rail-hrazdan-yerevan",
    "rail-border-ijevan",
    "rail-agstafa-border",
    "road-horadiz-yevlakh",
    "road-yevlakh-ganja",
    "road-ganja-agstafa",
    "road-agstafa-red-bridge",
    "road-red-bridge-tbilisi",
    "road-tbilisi-akhalkalaki",
    "road-akhalkalaki-kartsakhi",
    "road-kartsakhi-kars",
    "road-kars-igdir",
    "road-igdir-dilucu",
    "rail-boyuk-kesik-tbilisi",
    "rail-tbilisi-akhalkalaki",
    "rail-akhalkalaki-kartsakhi",
    "rail-kartsakhi-kars",
    "iran-parsabad-aslanduz",
    "iran-bilasuvar-parsabad",
    "road-bilasuvar-border",
    "road-bahramtapa-bilasuvar",
    "road-horadiz-bahramtapa",
}
CHAINS: dict[str, str] = {
    "aras-rail": """
    rail-horadiz-mincivan rail-mincivan-aghband rail-aghband-border rail-meghri rail-border-ordubad
    rail-ordubad-julfa rail-julfa-nakhchivan
""",
    "aras-road": """
    motorway-horadiz-soltanli motorway-soltanli-hakari motorway-hakari-zangilan motorway-zangilan-mincivan
    motorway-mincivan-aghband aras-road-aghband-border aras-road-meghri-east aras-road-meghri-west
    road-border-ordubad road-ordubad-gilan road-gilan-julfa road-julfa-nakhchivan
""",
    "m2-kapan-kajaran-meghri": """
    motorway-horadiz-soltanli motorway-soltanli-hakari motorway-hakari-zangilan road-zangilan-link
    road-zangilan-border road-border-kapan m2-kapan-east-south m2-kapan m2-kapan-kajaran m2-kajaran-pass
    m2-pass-tashtun m2-tashtun-meghri m2-meghri-junction m2-meghri-agarak m2-agarak-west
    road-agarak-kotam-east road-kotam-gap road-kotam-border road-border-ordubad road-ordubad-gilan
    road-gilan-julfa road-julfa-nakhchivan
""",
    "m2-kapan-kajaran-meghri-new-tunnels": """
    motorway-horadiz-soltanli motorway-soltanli-hakari motorway-hakari-zangilan road-zangilan-link
    road-zangilan-border road-border-kapan m2-kapan-east-south m2-kapan m2-kapan-kajaran nsr-kajaran-tunnel
    nsr-tashtun-meghri m2-meghri-junction m2-meghri-agarak m2-agarak-west road-agarak-kotam-east
    road-kotam-gap road-kotam-border road-border-ordubad road-ordubad-gilan road-gilan-julfa
    road-julfa-nakhchivan
""",
    "lachin-goris-bichenek": """
    motorway-horadiz-soltanli motorway-soltanli-hakari road-hakari-fork road-hakari-valley road-zabukh-lachin
    road-lachin-border road-border-tegh road-tegh-khndzoresk road-khndzoresk-goris -m2-shinuhayr-goris
    -m2-sisian-shinuhayr -m2-angeghakot-sisian bichenek-junction-angeghakot bichenek-angeghakot-east
    bichenek-gap-am bichenek-gap-az bichenek-west-shahbuz road-shahbuz-nakhchivan
""",
    "hakari-kornidzor-goris-bichenek": """
    motorway-horadiz-soltanli motorway-soltanli-hakari road-hakari-fork road-hakari-valley road-zabukh-border
    road-border-kornidzor road-kornidzor-tegh road-tegh-khndzoresk road-khndzoresk-goris -m2-shinuhayr-goris
    -m2-sisian-shinuhayr -m2-angeghakot-sisian bichenek-junction-angeghakot bichenek-angeghakot-east
    bichenek-gap-am bichenek-gap-az bichenek-west-shahbuz road-shahbuz-nakhchivan
""",
    "goris-yeghegnadzor-yeraskh": """
    motorway-horadiz-soltanli motorway-soltanli-hakari road-hakari-fork road-hakari-valley road-zabukh-border
    road-border-kornidzor road-kornidzor-tegh road-tegh-khndzoresk road-khndzoresk-goris -m2-shinuhayr-goris
    -m2-sisian-shinuhayr -m2-angeghakot-sisian -m2-vayk-angeghakot -m2-yeghegnadzor-vayk
    -m2-yeraskh-yeghegnadzor -road-yeraskh-north -road-yeraskh-gap-am -road-yeraskh-gap-az -road-sadarak-gap
    -road-sharur-sadarak -road-shahtakhti-sharur -road-nakhchivan-shahtakhti
""",
    "gubadli-goris-yeghegnadzor-yeraskh": """
    motorway-horadiz-soltanli motorway-soltanli-hakari road-hakari-fork road-hakari-gubadli
    road-gubadli-border road-border-khndzoresk road-khndzoresk-goris -m2-shinuhayr-goris -m2-sisian-shinuhayr
    -m2-angeghakot-sisian -m2-vayk-angeghakot -m2-yeghegnadzor-vayk -m2-yeraskh-yeghegnadzor
    -road-yeraskh-north -road-yeraskh-gap-am -road-yeraskh-gap-az -road-sadarak-gap -road-sharur-sadarak
    -road-shahtakhti-sharur -road-nakhchivan-shahtakhti
""",
    "kajaran-ordubad-tunnel": """
    motorway-horadiz-soltanli motorway-soltanli-hakari motorway-hakari-zangilan road-zangilan-link
    road-zangilan-border road-border-kapan m2-kapan-east-south m2-kapan m2-kapan-kajaran tunnel-kajaran-border
    tunnel-border-gilan road-gilan-julfa road-julfa-nakhchivan
""",
    "aras-iran-new": """
    motorway-horadiz-soltanli motorway-soltanli-hakari motorway-hakari-zangilan motorway-zangilan-mincivan
    motorway-mincivan-aghband road-aghband-bridge road-bridge-kalaleh iran-aras-new -road-julfa-jolfa
    -road-julfa-crossing road-julfa-nakhchivan
""",
    "aras-iran-present": """
    motorway-horadiz-soltanli motorway-soltanli-hakari motorway-hakari-zangilan motorway-zangilan-mincivan
    motorway-mincivan-aghband road-aghband-bridge road-bridge-kalaleh iran-kalaleh-norduz iran-norduz-jolfa
    -road-julfa-jolfa -road-julfa-crossing road-julfa-nakhchivan
""",
    "bilasuvar-julfa": """
    road-horadiz-bahramtapa road-bahramtapa-bilasuvar road-bilasuvar-border iran-bilasuvar-parsabad
    iran-parsabad-aslanduz iran-aslanduz-khoda-afarin iran-khoda-afarin-khomarlu iran-khomarlu-kalaleh
    iran-kalaleh-norduz iran-norduz-jolfa -road-julfa-jolfa -road-julfa-crossing road-julfa-nakhchivan
""",
    "kars-nakhchivan": """
    rail-horadiz-imishli rail-imishli-yevlakh rail-yevlakh-ganja rail-ganja-agstafa
    rail-agstafa-boyuk-kesik rail-boyuk-kesik-tbilisi rail-tbilisi-akhalkalaki rail-akhalkalaki-kartsakhi
    rail-kartsakhi-kars rail-kars-igdir rail-igdir-dilucu rail-dilucu-velidag -rail-sharur-velidag
    -rail-nakhchivan-sharur
""",
    "agstafa-yeraskh-rail": """
    rail-horadiz-imishli rail-imishli-yevlakh rail-yevlakh-ganja rail-ganja-agstafa rail-agstafa-border
    rail-border-ijevan rail-ijevan-hrazdan rail-hrazdan-yerevan -rail-yeraskh-yerevan -rail-border-yeraskh
    -rail-sadarak-border -rail-velidag-sadarak -rail-sharur-velidag -rail-nakhchivan-sharur
""",
    "valley-road": """
    motorway-horadiz-soltanli motorway-soltanli-hakari motorway-hakari-zangilan motorway-zangilan-mincivan
    motorway-mincivan-aghband valley-aghband-border -road-nrnadzor-border -road-shvanidzor-nrnadzor
    -road-meghri-shvanidzor m2-meghri-agarak m2-agarak-west road-agarak-kotam-east road-kotam-gap
    road-kotam-border road-border-ordubad road-ordubad-gilan road-gilan-julfa road-julfa-nakhchivan
""",
    "aras-iran-rail": """
    rail-horadiz-mincivan rail-mincivan-aghband rail-aghband-bridge rail-bridge-kalaleh rail-kalaleh-jolfa
    -rail-bridge-jolfa -rail-julfa-bridge rail-julfa-nakhchivan
""",
    "georgia-turkey-road": """
    road-horadiz-yevlakh road-yevlakh-ganja road-ganja-agstafa road-agstafa-red-bridge road-red-bridge-tbilisi
    road-tbilisi-akhalkalaki road-akhalkalaki-kartsakhi road-kartsakhi-kars road-kars-igdir road-igdir-dilucu
    -road-sadarak-dilucu -road-sharur-sadarak -road-shahtakhti-sharur -road-nakhchivan-shahtakhti
""",
}
M2 = """
    m2-yerevan-yeraskh m2-yeraskh-yeghegnadzor m2-yeghegnadzor-vayk m2-vayk-angeghakot m2-angeghakot-sisian
    m2-sisian-shinuhayr m2-shinuhayr-goris m2-goris m2-goris-karahunj m2-karahunj-vorotan m2-vorotan-shurnukh
    m2-shurnukh-karmrakar m2-karmrakar-kapan m2-kapan-east-south m2-kapan m2-kapan-kajaran m2-kajaran-pass
    m2-pass-tashtun m2-tashtun-meghri m2-meghri-junction m2-meghri-agarak m2-agarak-west m2-agarak-norduz
"""


def _mid_km(section_id: str) -> float:
    documented = SECTIONS.loc[section_id, "length_km_mid"]
    return float(documented) if documented else DRAWN_KM[section_id]


@pytest.mark.parametrize("section_id", SECTIONS.index)
def test_line_runs_from_its_first_node_to_its_last(section_id: str) -> None:
    row = SECTIONS.loc[section_id]
    ends = NODES.loc[[row["from_node"], row["to_node"]], ["lon", "lat"]].to_numpy(dtype=float)
    np.testing.assert_array_equal(POINTS[section_id][[0, -1]], ends)
    seq = TABLES["waypoints"].query("section_id == @section_id")["seq"].astype(int).tolist()
    assert seq == list(range(len(seq)))


@pytest.mark.parametrize("section_id", SECTIONS.index)
def test_points_lie_close_enough_together(section_id: str) -> None:
    limit_km = 60.0 if section_id in COARSE_SECTIONS else 15.0
    for (lon_a, lat_a), (lon_b, lat_b) in pairwise(POINTS[section_id]):
        step_km = GEOD.inv(lon_a, lat_a, lon_b, lat_b)[2] / 1000
        assert 0 < step_km < limit_km


@pytest.mark.parametrize("section_id", SECTIONS.index)
def test_drawn_length_is_within_a_tenth_of_the_documented(section_id: str) -> None:
    documented = SECTIONS.loc[section_id, "length_km_mid"]
    if not documented:
        assert section_id not in LENGTH_EXCEPTIONS
        return
    close = abs(DRAWN_KM[section_id] / float(documented) - 1) <= 0.1
    if section_id in LENGTH_EXCEPTIONS:
        assert not close, "this exception is no longer needed: take it off the list"
        assert 0.4 < DRAWN_KM[section_id] / float(documented) < 1.1
    else:
        assert close, (DRAWN_KM[section_id], documented)


def test_exceptions_name_sections_and_reasons() -> None:
    assert set(LENGTH_EXCEPTIONS) <= set(SECTIONS.index)
    assert set(SECTIONS.index) >= COARSE_SECTIONS
    assert all(LENGTH_EXCEPTIONS.values())


def test_every_node_is_used_by_a_section() -> None:
    assert set(SECTIONS["from_node"]) | set(SECTIONS["to_node"]) == set(NODES.index)


def test_structures_lie_on_their_sections() -> None:
    for row in TABLES["structures"].itertuples(index=False):
        assert row.section_id in SECTIONS.index
        if row.lat == "":
            continue
        lon, lat = POINTS[row.section_id].T
        step = np.linspace(0, 1, 50)
        dense_lon = np.concatenate([a + (b - a) * step for a, b in pairwise(lon)])
        dense_lat = np.concatenate([a + (b - a) * step for a, b in pairwise(lat)])
        here = np.full_like(dense_lon, float(row.lon)), np.full_like(dense_lat, float(row.lat))
        nearest_km = GEOD.inv(*here, dense_lon, dense_lat)[2].min() / 1000
        assert nearest_km < 0.5, (row.structure_id, nearest_km)


def test_sections_change_country_only_at_listed_crossings() -> None:
    crossings = {(r.lat, r.lon, r.mode): {r.country_a, r.country_b} for r in TABLES["crossings"].itertuples()}
    ends = pd.concat(
        [
            SECTIONS[["from_node", "country", "mode"]].set_axis(["node", "country", "mode"], axis=1),
            SECTIONS[["to_node", "country", "mode"]].set_axis(["node", "country", "mode"], axis=1),
        ]
    )
    for (node, mode), group in ends.groupby(["node", "mode"]):
        countries = set(group["country"])
        if len(countries) == 1:
            continue
        place = NODES.loc[node]
        assert crossings.get((place["lat"], place["lon"], mode)) == countries, (node, mode, countries)


def test_chains_join_and_end_where_they_should() -> None:
    for name, chain in CHAINS.items():
        here = "horadiz"
        for step in chain.split():
            row = SECTIONS.loc[step.removeprefix("-")]
            start, end = row["from_node"], row["to_node"]
            if step.startswith("-"):
                start, end = end, start
            assert start == here, (name, step, here)
            here = end
        assert here == "nakhchivan", name


def test_armenian_main_road_adds_up_to_its_quoted_length() -> None:
    total = sum(_mid_km(section_id) for section_id in M2.split())
    assert total == pytest.approx(384.3, rel=0.05)


def test_kilometres_divided_over_parts_add_up_again() -> None:
    def total(*ids: str, column: str = "length_km_mid") -> float:
        return float(SECTIONS.loc[list(ids), column].astype(float).sum())

    assert total("rail-horadiz-mincivan", "rail-mincivan-aghband") == pytest.approx(110.4, abs=0.1)
    assert total("rail-kars-igdir", "rail-igdir-dilucu") == pytest.approx(224, abs=0.1)
    motorway = [i for i in SECTIONS.index if i.startswith("motorway-")]
    assert total(*motorway, column="length_km_high") == pytest.approx(123.6, abs=0.2)


def _hits(first: str, second: str) -> np.ndarray:
    """Points (n, 2) of lon, lat where two drawn lines meet."""
    return get_coordinates(LineString(POINTS[first]).intersection(LineString(POINTS[second])))


@pytest.mark.parametrize(
    ("road", "times"),
    [
        ("m2-meghri-junction", 0),
        ("m2-meghri-agarak", 1),
        ("m2-agarak-west", 0),
        ("m2-agarak-norduz", 0),
        ("road-agarak-town", 1),
        ("road-agarak-kotam-east", 1),
        ("road-meghri-shvanidzor", 4),
        ("road-shvanidzor-nrnadzor", 0),
        ("road-nrnadzor-border", 0),
    ],
)
def test_old_railway_crosses_each_road_as_often_as_on_the_ground(road: str, times: int) -> None:
    """Counts are those of OpenStreetMap in 2021-08; the points keep the order of the lines from the river."""
    assert len(_hits("rail-meghri", road)) == times


def test_main_road_passes_the_old_railway_at_the_bridge_only() -> None:
    bridge = TABLES["structures"].set_index("structure_id").loc["m2-bridge-over-railway"]
    ((lon, lat),) = _hits("rail-meghri", bridge["section_id"])
    assert GEOD.inv(lon, lat, float(bridge["lon"]), float(bridge["lat"]))[2] < 100
