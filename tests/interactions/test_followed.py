"""A section that has the crossings of another, as a document says: whose events it has, and who may say so."""

from __future__ import annotations

import shutil
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from corridor.candidates.parts import with_followed
from corridor.errors import CatalogueError
from corridor.files import data_root
from corridor.interactions.events import has_open_events
from corridor.io.read.catalogue import load_catalogue
from corridor.report.i18n import render
from tests.interactions.roads import all_met, build, rail

OWN = [(0, 0), (4000, 0)]
OTHER = [(0, 300), (5000, 300)]
ROADS = [[(1000, -500), (1000, 500)], [(3000, 200), (3000, 800)], [(2000, -800), (2000, -100)]]
FIRST, LAST = "aras-road-meghri-east", "aras-road-meghri-west"


def following(spans=()):
    """A schematic route beside a known line, and that line."""
    known = rail(OTHER, spans=spans)
    route = rail(OWN, quality="schematic")
    return replace(route, parts=(replace(route.parts[0], follows=known.parts[0]),)), known


def told(events):
    return [(event.kind, event.separation, event.edges, event.is_open) for event in events]


def test_a_section_meets_what_the_one_meets_that_it_follows():
    network = build(ROADS)
    route, known = following()
    found = all_met(route, network)
    # the second road stands on the other side of its own line, and the known line says that it is met
    assert told(found) == told(all_met(known, network))
    assert [event.edges for event in found] == [(0,), (1,)]
    assert not has_open_events(found)
    assert has_open_events(all_met(rail(OWN, quality="schematic"), network))


def test_its_events_lie_by_its_own_chainage_and_its_structures_with_them():
    network = build(ROADS)
    route, _ = following(spans=[("bridge", 900, 1100)])
    found = all_met(route, network)
    assert [event.separation for event in found] == ["separated", "at_grade_assumed"]
    # the known line is 5 km long, its own 4
    assert [event.chainage_km for event in found] == pytest.approx([0.8, 2.4], rel=2e-3)


def table(tmp_path, **rows):
    """A copy of the packaged catalogue with cells of sections changed."""
    folder = tmp_path / "reference"
    shutil.copytree(data_root() / "reference", folder)
    frame = pd.read_csv(folder / "sections.csv", dtype=str, keep_default_na=False).set_index("section_id")
    frame["crossings_follow"] = frame["crossings_follow_source_ids"] = ""
    for key, cells in rows.items():
        frame.loc[key.replace("_", "-"), list(cells)] = list(cells.values())
    frame.reset_index().to_csv(folder / "sections.csv", index=False)
    return folder


BOTH = {"crossings_follow": "rail-meghri", "crossings_follow_source_ids": "general-knowledge"}


def test_sections_follow_the_stretch_between_their_own_ends_in_their_own_direction(tmp_path):
    catalogue = load_catalogue(table(tmp_path, **{FIRST: BOTH, LAST: BOTH}))
    conflation = SimpleNamespace(matches={}, network=build(ROADS))
    line = catalogue.sections[FIRST].line
    for backwards in (False, True):
        route = rail(OWN, quality="schematic", section_id=FIRST)
        part = replace(route.parts[0], line=line.reverse() if backwards else line)
        found = with_followed(replace(route, parts=(part,)), catalogue, conflation)
        (own,) = found.parts
        followed = own.follows
        assert followed is not None
        assert (followed.section_id, followed.mode) == ("rail-meghri", "rail")
        gaps = [
            abs(a - b) for at in (0, -1) for a, b in zip(followed.line.coords[at], own.line.coords[at], strict=True)
        ]
        assert max(gaps) < 0.05  # under 5 km
        assert followed.drawn_km < 43
        assert "general-knowledge" in own.source_ids
        (said,) = found.assumptions
        text = render(said)
        assert "Aras road across Meghri, east part" in text
        assert "Meghri section" in text
        assert "general-knowledge" in text


def test_the_packaged_catalogue_says_it_of_no_section():
    assert not any(s.crossings_follow for s in load_catalogue(data_root() / "reference").sections.values())


@pytest.mark.parametrize(
    ("key", "cells", "said"),
    [
        (FIRST, {"crossings_follow": "rail-meghri"}, "only one of both is given"),
        (FIRST, {"crossings_follow_source_ids": "general-knowledge"}, "only one of both is given"),
        (FIRST, BOTH | {"crossings_follow_source_ids": "hearsay"}, "'hearsay' is not in sources.csv"),
        (FIRST, BOTH | {"crossings_follow": "nowhere"}, "'nowhere' is no section"),
        (FIRST, BOTH | {"crossings_follow": FIRST}, f"'{FIRST}' is itself"),
        (FIRST, BOTH | {"crossings_follow": "rail-horadiz-mincivan"}, "lies in AZ, this one in AM"),
        (FIRST, BOTH | {"crossings_follow": "m2-kapan"}, "km from an end of this one"),
        ("m2-kapan", BOTH, "its own line is known and says what it meets"),
    ],
)
def test_what_cant_be_followed_is_refused_in_one_line(tmp_path, key, cells, said):
    with pytest.raises(CatalogueError) as fault:
        load_catalogue(table(tmp_path, **{key: cells}))
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)
    assert "sections.csv" in str(fault.value)


def test_a_chain_of_followers_is_refused(tmp_path):
    with pytest.raises(CatalogueError, match="follows 'rail-meghri' itself; name that one"):
        load_catalogue(table(tmp_path, **{FIRST: BOTH, LAST: BOTH | {"crossings_follow": FIRST}}))
