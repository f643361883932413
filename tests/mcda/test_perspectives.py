import re

import pytest

from corridor.errors import ScoringError
from corridor.files import data_root
from corridor.mcda.perspectives import GROUPS, build_perspective, load_perspectives, resolve_weights
from corridor.report.i18n import render

from .tables import make_criteria

FILE = data_root() / "reference" / "perspectives.toml"
NATIONS = re.compile(r"armenian|azerbaijani|iranian|turkish|russian|american|european", re.IGNORECASE)


def test_the_packaged_perspectives():
    found = load_perspectives(FILE)
    assert set(found) == {
        "transit-time",
        "terrain-and-cost",
        "border-access",
        "north-south-continuity",
        "border-communities",
        "equal",
    }
    for perspective in found.values():
        assert sum(perspective.group_weights.values()) == pytest.approx(1.0)
        assert set(perspective.group_weights) == set(GROUPS)
        assert perspective.weights_from.endswith(".")
        assert perspective.source_id
        assert not NATIONS.search(perspective.label)


def test_each_packaged_perspective_weighs_its_interest_most():
    criteria = make_criteria(5, groups=list(GROUPS))
    heaviest = {
        name: GROUPS[resolve_weights(perspective, criteria).values.argmax()]
        for name, perspective in load_perspectives(FILE).items()
        if name != "equal"
    }
    assert heaviest == {
        "transit-time": "distance",
        "terrain-and-cost": "terrain",
        "border-access": "border_access",
        "north-south-continuity": "north_south",
        "border-communities": "people",
    }


FIELDS = {"label": "Own", "weights_from": "Asked.", "groups": {"distance": 1.0}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"groups": {"distance": -1.0}}, "groups: the weight of 'distance' is -1"),
        ({"groups": {"distance": 0.0}}, "all weights are zero"),
        ({"groups": {}}, "groups"),
        ({"groups": {"distance": float("inf")}}, "finite"),
        ({"weights_from": ""}, "weights_from"),
        ({"colour": "red"}, "colour"),
        ({"within": {"distance": {"length": -2.0}}}, "within: the weight of 'length'"),
        ({"perspective_id": "x"}, "must not be a field"),
    ],
)
def test_wrong_fields_are_named(change, words):
    with pytest.raises(ScoringError, match=words):
        build_perspective("own", FIELDS | change, "study.toml")


@pytest.mark.parametrize(
    ("text", "words"), [("[a", "not valid TOML"), ("a = 1", "must be a table"), ("[a]\nlabel='x'", "groups")]
)
def test_wrong_files(tmp_path, text, words):
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(ScoringError, match=words) as caught:
        load_perspectives(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ScoringError, match="no such file; give"):
        load_perspectives(tmp_path / "no.toml")


def test_weights_from_pairwise_comparisons():
    rows = [["border_access", "distance", 2], ["distance", "people", 2], ["border_access", "people", 4]]
    found = build_perspective("own", {"label": "Own", "weights_from": "Asked.", "comparisons": rows})
    assert dict(found.group_weights) == pytest.approx({"border_access": 4 / 7, "distance": 2 / 7, "people": 1 / 7})
    assert [render(note) for note in found.notes] == ["Own: weights from pairwise comparisons, consistency ratio 0.00"]
    weights = resolve_weights(found, make_criteria(3, groups=["distance", "border_access", "people"]))
    assert weights.values.tolist() == pytest.approx([2 / 7, 4 / 7, 1 / 7])
    assert weights.notes == found.notes


def test_contradicting_comparisons_are_said():
    rows = [["terrain", "distance", 5], ["distance", "people", 5], ["people", "terrain", 5]]
    notes = build_perspective("own", {"label": "Own", "weights_from": "Asked.", "comparisons": rows}).notes
    assert "contradict each other" in render(notes[0])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["terrain", "distance"]], "group, group, times"),
        ([["terrain", "distance", 2], ["terrain", "distance", 2]], "compared twice"),
        ([["terrain", "distance", 2], ["distance", "people", 2]], "are missing"),
        ([["terrain", "distance", -2]], "above 0"),
    ],
)
def test_comparisons_that_can_t_be_used(rows, words):
    fields = {"label": "Own", "weights_from": "Asked.", "comparisons": rows}
    with pytest.raises(ScoringError, match=words) as caught:
        build_perspective("own", fields, "study.toml")
    assert str(caught.value).startswith("study.toml: perspective 'own'")


def test_groups_and_comparisons_together():
    with pytest.raises(ScoringError, match="keep one"):
        build_perspective("own", FIELDS | {"comparisons": [["terrain", "distance", 2]]})
