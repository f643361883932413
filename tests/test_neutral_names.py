"""Names of places: the recognised state's comes first in every language, others are aliases that say who uses them."""

import csv
import json
import re
from pathlib import Path

import pytest

from corridor.files import data_root
from corridor.schema.settings import LANGUAGES

REFERENCE = data_root() / "reference"
MESSAGES = Path(__file__).parents[1] / "corridor" / "report" / "messages"
# Names that one state gives places of another, by who uses them; forms of the same name in a language are none.
OTHERS = {
    "AM": ("Kovsakan", "Kashunik", "Berdzor", "Karvachar", "Կովսական", "Քաշունիք", "Բերձոր", "Քարվաճառ", "Մինջևան"),
    "AZ": (
        "Qafan",
        "Gorus",
        "Qacaran",
        "Mehri",
        "Arazdəyən",
        "Dığ",
        "Diq",
        "Arazdeyen",
        "Əyərək",
        "Əngələvit",
        "Sisyan",
    ),
}


def rows(name):
    with (REFERENCE / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def words(text):
    return set(re.findall(r"[^\W\d_]+", text))


def spoken():
    """Every text of every language, with where it stands."""
    for path in sorted(MESSAGES.rglob("*.json")):
        for key, entry in json.loads(path.read_text(encoding="utf-8")).items():
            for text in [entry] if isinstance(entry, str) else entry.values():
                yield f"{path.parent.name}/{path.name}: {key[:60]}", text


@pytest.mark.parametrize("row", rows("place_names.csv"), ids=lambda row: f"{row['name']}-{row['country']}")
def test_the_table_names_each_place_as_its_state_does(row):
    assert all(row[language].strip() for language in LANGUAGES)
    abroad = {name for user, names in OTHERS.items() if user != row["country"] for name in names}
    assert not {row[language] for language in LANGUAGES} & abroad


def test_names_of_places_are_the_first_and_others_say_whose_they_are():
    for node in rows("nodes.csv"):
        first = words(node["name"])
        assert not first & {name for names in OTHERS.values() for name in names}, node["node_id"]
        for alias in filter(None, node["aliases"].split(";")):
            known = [user for user, names in OTHERS.items() if words(alias.split("(")[0]) & set(names)]
            assert all(alias.endswith(f"({user})") for user in known), alias


def test_no_alias_of_another_state_is_a_name_in_any_language():
    first = {(row["name"], language): row[language] for row in rows("place_names.csv") for language in LANGUAGES}
    countries = {row["name"]: row["country"] for row in rows("place_names.csv")}
    for node in rows("nodes.csv"):
        for alias in filter(None, node["aliases"].split(";")):
            name, _, user = alias.rstrip(")").partition(" (")
            if node["name"] in countries and user and user != countries[node["name"]] and name in OTHERS.get(user, ()):
                assert name not in {first[node["name"], language] for language in LANGUAGES}


def test_no_text_of_any_language_uses_them():
    taboo = {name for names in OTHERS.values() for name in names}
    faults = [f"{where}: {found}" for where, text in spoken() if (found := words(text) & taboo)]
    assert faults == []


def test_the_regions_that_routes_join_are_called_by_places():
    unclear = (
        "western azerbaijan", "qərbi azərbaycan", "արևմտյան ադրբեջան", "западный азербайджан", "западным азербайджаном",
        "غرب آذربایجان", "آذربایجان غربی",
    )  # fmt: skip
    texts = dict(spoken()) | {
        str(path.name): path.read_text(encoding="utf-8") for path in sorted((data_root() / "studies").glob("*.toml"))
    }
    for where, text in texts.items():
        assert not [name for name in unclear if name in text.casefold()], where
