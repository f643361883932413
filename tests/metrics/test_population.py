"""Gazetteer and map matched; ranges where nobody knows."""

import numpy as np
import pandas as pd
import pytest
import shapely

from corridor.errors import NetworkError
from corridor.metrics.population import build_population, check_countries, plain_name
from tests.metrics.test_severance import SIDE, borders, point

BORDERS = borders()
REGION = shapely.box(44.0, 38.0, 46.0, 40.0)


def gazetteer(*rows):
    """Rows of name, (x, y) in metres from the corner, people, aliases."""
    at = [point(*xy) for _, xy, _, _ in rows]
    return pd.DataFrame(
        {
            "name": [r[0] for r in rows], "country": "AA", "lon": [p[0] for p in at], "lat": [p[1] for p in at],
            "population": [float(r[2]) for r in rows], "alternate_names": [r[3] for r in rows],
        }
    )  # fmt: skip


def mapped(*rows):
    """Rows of name, kind, (x, y), people."""
    at = [point(*xy) for _, _, xy, _ in rows]
    return pd.DataFrame(
        {
            "name": [r[0] for r in rows], "kind": [r[1] for r in rows], "population": [float(r[3]) for r in rows],
            "lon": [p[0] for p in at], "lat": [p[1] for p in at],
        }
    )  # fmt: skip


def build(listed, shown):
    found = build_population(listed, shown, "AA", BORDERS, REGION)
    return found, found.places.set_index("place")


def test_a_place_is_matched_by_alias_and_stands_where_the_map_has_it():
    shown = mapped(("Մեղրի", "town", (5000, 5000), np.nan))
    found, table = build(gazetteer(("Meghri", (8900, 5000), 3770, "Megri|Մեղրի")), shown)
    assert table.loc["Meghri", ["people", "people_low", "people_high", "source"]].tolist() == [
        3770,
        3770,
        3770,
        "gazetteer",
    ]
    assert table.loc["Meghri", "lon"] == shown["lon"][0]
    assert found.unmatched == found.unknown == ()


def test_names_much_alike_match_within_three_kilometres_only():
    listed = gazetteer(("Shvanidzor", (5000, 5000), 312, ""))
    near, _ = build(listed, mapped(("Shvanidsor", "village", (7500, 5000), np.nan)))
    far, _ = build(listed, mapped(("Shvanidsor", "village", (8500, 5000), np.nan)))
    assert (near.unmatched, far.unmatched) == ((), ("Shvanidzor",))


def test_unknown_people_are_a_range_up_to_the_largest_known_of_the_kind():
    listed = gazetteer(("Alpha", (1000, 1000), 900, ""), ("Beta", (9000, 9000), 12_000, ""))
    shown = mapped(
        ("Alpha", "village", (1000, 1000), np.nan),
        ("Beta", "town", (9000, 9000), np.nan),
        ("Gamma", "village", (15_000, 15_000), np.nan),
        ("Delta", "hamlet", (15_000, 3000), np.nan),
        ("Epsilon", "hamlet", (3000, 15_000), 40),
    )
    found, table = build(listed, shown)
    assert table.loc["Gamma", ["people_low", "people_high", "source"]].tolist() == [0, 900, "unknown"]
    assert np.isnan(table.loc["Gamma", "people"])
    assert table.loc["Delta", "people_high"] == 40  # a hamlet's range is that of hamlets
    assert table.loc["Epsilon", ["people", "source"]].tolist() == [40, "map"]
    assert found.unknown == ("Gamma", "Delta")


def test_a_kind_without_any_figure_takes_the_next_larger_kind():
    listed = gazetteer(("Alpha", (1000, 1000), 900, ""))
    shown = mapped(("Alpha", "village", (1000, 1000), np.nan), ("Delta", "hamlet", (15_000, 3000), np.nan))
    assert build(listed, shown)[1].loc["Delta", "people_high"] == 900


def test_a_gazetteer_of_zero_is_unknown_and_takes_the_map_figure():
    shown = mapped(("Alpha", "village", (1000, 1000), 77))
    table = build(gazetteer(("Alpha", (1000, 1000), 0, "")), shown)[1]
    assert table.loc["Alpha", ["people", "source"]].tolist() == [77, "map"]


def test_a_name_that_fits_two_places_goes_to_the_nearer_and_both_are_to_be_checked():
    shown = mapped(("Vorotan", "village", (5000, 5000), np.nan), ("Vorotan", "village", (8000, 5000), np.nan))
    found, _ = build(gazetteer(("Vorotan", (5500, 5000), 300, "")), shown)
    assert len(found.places) == 2
    assert found.places["people"].tolist()[0] == 300
    assert all("more than one" in check for check in found.places["check"])


def test_mappers_marks_are_no_names():
    found, _ = build(None, mapped(("check", "hamlet", (5000, 5000), np.nan), ("", "hamlet", (8000, 5000), np.nan)))
    assert all(name.startswith("unnamed hamlet at") for name in found.places["place"])
    assert "'check'" in found.places["check"].iat[0]


def test_places_of_other_countries_and_outside_the_domain_are_left_out():
    abroad = mapped(("There", "village", (5000, -3000), 10), ("Here", "village", (5000, 3000), 10))
    assert build(None, abroad)[0].places["place"].tolist() == ["Here"]
    beyond = build_population(None, abroad, "AA", BORDERS, shapely.box(10, 10, 11, 11))
    assert len(beyond.places) == 0


def test_no_sources_at_all_is_an_empty_domain():
    assert len(build(None, None)[0].places) == 0


def test_a_place_in_two_countries_is_refused_with_its_remedy():
    wrong = gazetteer(("Nowhere", (SIDE / 2, -4000), 10, ""), ("Brink", (SIDE / 2, -300), 10, ""))
    with pytest.raises(NetworkError, match=r"'Nowhere' is listed in AA but lies 4\.0 km inside BB; correct") as caught:
        check_countries(wrong, BORDERS)
    assert "Brink" not in str(caught.value)  # within the tolerance of a drawn border


def test_plain_names_forget_case_accents_and_signs():
    assert plain_name("Nor-Arájadzor ") == plain_name("NOR ARAJADZOR")
