"""Catalogues of messages: every message used is there, every blank is filled, none is left over; plural forms."""

import ast
import csv
import re
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from babel import Locale

import corridor
from corridor.files import data_root
from corridor.io.read.osm_tags import Doubt
from corridor.report.i18n import Words, read_messages, read_texts, render, render_table, words
from corridor.schema.message import Listing, ListStyle, Message, listing, message_values, to_json
from corridor.schema.regime import class_message
from corridor.schema.settings import LANGUAGES

ROOT = Path(corridor.__file__).parent
BLANK = re.compile(r"\{(?:[al]:)?(\w+)\}")


def texts(entry):
    return [entry] if isinstance(entry, str) else list(entry.values())


def blanks(entry):
    return set(chain.from_iterable(BLANK.findall(text) for text in texts(entry)))


@cache
def sources():
    return {path: path.read_text(encoding="utf-8") for end in ("py", "js", "j2") for path in ROOT.rglob(f"*.{end}")}


@cache
def trees():
    return [(path, ast.parse(text)) for path, text in sources().items() if path.suffix == ".py"]


def constants(node):
    """The texts that an expression can be, as far as they are written out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return constants(node.body) + constants(node.orelse)
    return []


def assigned(node):
    """Names that a statement gives a value to."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def dictionary(node, scope):
    """The dict that an argument is: written out, or given a name in the same function."""
    if isinstance(node, ast.Name):
        given = [found.value for found in ast.walk(scope) if node.id in assigned(found)]
        node = given[0] if len(given) == 1 else None
    if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
        return {key.value for key in node.keys}
    return None


def messages_made():
    """Every ``Message(...)`` in the code: where, its possible keys, and its values' names (None: not written out)."""
    for path, tree in trees():
        for scope in ast.walk(tree):
            if not isinstance(scope, ast.FunctionDef):
                continue
            for node in ast.walk(scope):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Message" and node.args:
                    values = dictionary(node.args[1], scope) if len(node.args) > 1 else set()
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", constants(node.args[0]), values


def test_every_message_made_is_in_english_with_just_the_blanks_that_are_filled():
    english, made = read_messages("en"), list(messages_made())
    faults = []
    for where, keys, values in made:
        for key in keys:
            if key not in english:
                faults.append(f"{where}: no message '{key}'")
            elif values is None:
                faults.append(f"{where}: write the values of '{key}' out as a dict")
            elif blanks(english[key]) - values:
                faults.append(f"{where}: '{key}' leaves {blanks(english[key]) - values} open")
            elif values - blanks(english[key]) - {"count"}:
                faults.append(f"{where}: '{key}' has no blank for {values - blanks(english[key])}")
    assert faults == []
    assert len(made) > 60


def test_every_message_that_templates_and_scripts_name_is_in_english():
    english = read_messages("en")
    named = set()
    for path, text in sources().items():
        if path.suffix == ".j2":
            named |= set(re.findall(r"(?:say|t|filled)\(\"([a-z_]+\.[a-z_.]+[a-z_])\"[,)]", text))
            named |= set(re.findall(r"data-i18n(?:-\w+)?=\"([a-z_]+\.[a-z_.]+[a-z_])\"", text))
        elif path.suffix == ".js":
            named |= set(re.findall(r"\b(?:words|words\.get|get|t)\(\"([a-z_]+\.[a-z_.]+[a-z_])\"[,)]", text))
    assert len(named) > 60
    assert sorted(named - set(english)) == []


def test_no_message_is_left_over():
    begun = set()
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begun.add(str(node.values[0].value))
    for path, text in sources().items():
        if path.suffix != ".py":
            begun |= set(re.findall(r"[\"']([a-z_.]+\.)[\"'] ?[+~]", text)) | set(
                re.findall(r"\"([a-z_.]+\.)\{\{", text)
            )
    begun = {start for start in begun if re.fullmatch(r"[a-z_]+\.[a-z_.]*", start)}
    everything = "\n".join(sources().values())
    over = [
        key
        for key in read_messages("en")
        if f'"{key}"' not in everything and not any(key.startswith(start) for start in begun)
    ]
    assert over == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_what_english_says_with_the_same_blanks(language):
    english, own = read_messages("en"), read_messages(language)
    assert list(own) == list(english)
    for key, entry in own.items():
        assert blanks(entry) == blanks(english[key]), key
        assert all(texts(entry)), key
        assert isinstance(entry, dict) or not key.startswith("list."), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_those_that_the_language_has(language):
    forms = set(Locale(language).plural_form.tags) | {"other"}
    for key, entry in read_messages(language).items():
        if isinstance(entry, dict) and not key.startswith("list."):
            assert set(entry) == forms, key


def test_digits_are_the_same_in_every_language():
    for language in LANGUAGES:
        said = chain(chain.from_iterable(map(texts, read_messages(language).values())), read_texts(language).values())
        assert [text for text in said if re.search("[\u0660-\u0669\u06f0-\u06f9]", text)] == []


def names_of(table):
    with (data_root() / "reference" / table).open(encoding="utf-8") as stream:
        return {row["name"] for row in csv.DictReader(stream)}


@pytest.mark.parametrize("table", ["sections.csv", "crossings.csv", "long_distance/branches.csv"])
def test_names_of_the_bundled_tables_are_said_in_every_language(table):
    for language in LANGUAGES[1:]:
        assert sorted(names_of(table) - set(read_texts(language))) == [], language


def test_texts_of_the_bundled_data_are_said_in_every_language():
    first = read_texts(LANGUAGES[1])
    assert len(first) > 400
    for language in LANGUAGES[2:]:
        assert list(read_texts(language)) == list(first)


def test_the_form_follows_the_count_and_the_language():
    english = {"n": {"one": "{count} way", "other": "{count} ways"}}
    russian = {"n": {"one": "{count} путь", "few": "{count} пути", "many": "{count} путей", "other": "{count} пути"}}
    spelt = Words("ru", russian, english)
    assert [Words("en", english, english).say("n", {"count": n}) for n in (0, 1, 21)] == ["0 ways", "1 way", "21 ways"]
    assert [spelt.say("n", {"count": n}) for n in (1, 3, 5, 21)] == ["1 путь", "3 пути", "5 путей", "21 путь"]
    assert Words("ru", {}, english).say("n", {"count": 21}) == "21 ways"  # an English text follows English rules


def test_what_fills_a_blank_is_never_read_as_a_message_or_a_blank():
    english = {"a": "{who}: {what}", "b": "no"}
    spelt = Words("en", english, english)
    assert spelt.say("a", {"who": "{what}", "what": "b"}) == "{what}: b"
    assert (
        spelt.render(Message("a", {"who": "x\u202ey", "what": Message("none", fallback="as given")})) == "xy: as given"
    )


def test_articles_follow_how_a_number_is_spoken():
    assert render(Message("finding.road_on_bridge", {"road": "M2", "length": "80"})).endswith("on an 80 m bridge")
    assert render(Message("finding.road_on_bridge", {"road": "M2", "length": "69"})).endswith("on a 69 m bridge")
    assert render(Message("finding.road_of_class", {"road_class": class_message("unclassified")})) == "a local road"


@pytest.mark.parametrize(
    ("style", "said"),
    [
        (ListStyle.SEMICOLON, ["", "a", "a; b", "a; b; c"]),
        (ListStyle.COMMA, ["", "a", "a, b", "a, b, c"]),
        (ListStyle.AND, ["", "a", "a and b", "a and b and c"]),
        (ListStyle.OR, ["", "a", "a or b", "a, b or c"]),
    ],
)
def test_listings_are_joined_in_their_style(style, said):
    assert [render(listing("abc"[:n], style)) for n in range(4)] == said


def test_signs_keep_their_place_where_the_text_runs_from_right_to_left():
    shown = words("fa").say("page.first_now", {"name": "M2"})
    assert "\u2066M2\u2069" in shown
    assert "\u2067" in words("fa").say("page.first_now", {"name": "جاده"})


def test_messages_go_into_the_page_as_plain_data():
    inner = Message("unit.km", fallback="km")
    message = Message("list", {"n": 2, "what": Listing((inner, "x"), ListStyle.OR)})
    assert message_values(message) == {"n": 2, "what": {"all": [{"t": "unit.km", "or": "km"}, "x"], "by": "list.or"}}
    assert to_json("x") == "x"
    assert hash(message) == hash(Message("list", {"n": 2, "what": Listing((inner, "x"), ListStyle.OR)}))


def test_a_table_is_written_in_words():
    import pandas as pd

    table = pd.DataFrame({"n": [1], "cause": pd.Series([Message("cause.junction")], dtype=object)})
    assert render_table(table)["cause"].tolist() == ["the road goes on across the route's own road at a junction"]
    assert render_table(table[["n"]]) is not None


def remarks_on_maps():
    """What a count of a map's ways is followed by: doubts about tags, and texts beside counts where files are read."""
    tree = ast.parse((ROOT / "io" / "read" / "osm.py").read_text(encoding="utf-8"))
    pairs = [node.elts for node in ast.walk(tree) if isinstance(node, ast.Tuple) and len(node.elts) == 2]
    beside = [last.value for _, last in pairs if isinstance(last, ast.Constant) and isinstance(last.value, str)]
    return {*(doubt.value for doubt in Doubt), *(text for text in beside if " " in text)}


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_what_is_counted_on_a_map_is_said_in_every_language(language):
    assert len(remarks_on_maps()) > len(Doubt) + 8
    assert sorted(remarks_on_maps() - set(read_texts(language))) == []
