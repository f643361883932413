"""Figures in the prose of the documentation: limits and thresholds are those of the code."""

from __future__ import annotations

import csv
import re
from typing import get_args

import pytest

from corridor.alignment import align, links, narrowing, problem, refine, turning
from corridor.candidates import existing, reference
from corridor.interactions import crossings, events, shared_parallel
from corridor.io.read import catalogue, own_routes
from corridor.mcda import agreement, perspectives, rank
from corridor.metrics import axes, population, severance, terrain
from corridor.network import alternatives, driving_times, graph, jurisdiction, map_matching, road_survey
from corridor.pipeline import ahead, new_line
from corridor.schema import settings
from corridor.sweeps.factors import Factor, NumericFactor
from corridor.terrain import profile, surface
from tests.conftest import ROOT

NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 8: "eight", 10: "ten", 12: "twelve"}


def word(number: float) -> str:
    """A number as prose writes it: in words, or with the millions in words."""
    if number >= 1e6:
        return f"{NUMBERS.get(number / 1e6, f'{number / 1e6:g}')} million"
    return NUMBERS.get(number, f"{number:,g}")


def km(metres: float) -> str:
    """Metres as kilometres."""
    return f"{metres / 1000:g} km"


with (ROOT / "data" / "reference" / "driving.csv").open(encoding="utf-8") as table:
    CLIMB_M = {row["parameter"]: row["value_mid"] for row in csv.DictReader(table)}["ascent_threshold_m"]
OPTIONS = links.SearchOptions()
STAGE = narrowing.default_narrowing(250.0, len(OPTIONS.offsets_m), 1_000_000)[0]
SAID: dict[str, tuple[str, ...]] = {
    "README.md": (
        f"the raster at {settings.LiveSettings().dem_megapixels:g} million pixels",
        f"Climbs of over {CLIMB_M} m count",
    ),
    "data/studies/syunik.toml": (f"Climbs of over {CLIMB_M} m;",),
    "docs/comparison.md": (f"more than {word(problem.MAX_CELLS)} cells",),
    "docs/scale.md": (
        f"up to {settings.MOST_HEIGHTS / 1e6:g} million pixels",
        f"{surface.BLOCK[0]} x {surface.BLOCK[1]:,} pixels at a time",
        f"held at {surface._CACHE_MB} MB",
        f"{ahead.ROOM_PER_BYTE} bytes for each byte of the map",
    ),
    "docs/howto/new-line.md": (
        f"cells are of {new_line.CELL_M:g} m",
        f"at least {problem.MIN_CELL_M:g} m",
        f"more than {word(problem.MAX_CELLS)}",
        f"within {align.WITHIN_M / 1000:g} km of another",
    ),
    "docs/howto/own-elevation.md": (f"at most {surface.GRADE_WINDOW_M / 2:g} m",),
    "docs/howto/own-line.md": (
        f"within {map_matching.FOLLOW_M:g} m of a road",
        f"followed within {km(map_matching.SCHEMATIC_FOLLOW_M)}",
        f"up to {own_routes.MAX_ROUTES} lines",
        f"within {reference.END_LIMIT_KM:g} km",
    ),
    "docs/explanation/alignment.md": (
        f"Beyond {word(align.MOST_STATES)} states (nodes",
        f"cells of about {narrowing.COARSE_CELL_M / 1000:.1f} km",
        f"{word(len(OPTIONS.coarse_offsets_m))} of the {word(len(OPTIONS.offsets_m))} heights",
        f"≤  {STAGE.near_factor:g} · best",
        f"within {word(STAGE.dilate_cells)} cells of it, up to {word(narrowing.KEPT_STATES)} states",
        f"within {km(narrowing.REACH_M)} of the line found",
        f"links** in {OPTIONS.directions} directions, of up to {OPTIONS.max_structure_km:g} km",
        "at most {}, then {}, {}, {}, {:g} and {:g}".format(*align.TURN_FACTORS),
        f"at most {refine.FIRST_STATES:,} states",
        f"within {word(refine.REACHES[0])} of these cells ({word(refine.REACHES[1])} if there is none)",
        f"at most {word(refine.FREE_STATES)} states",
        f"a stretch of {refine.STRETCH:g} cells at a time",
        f"within {word(refine.CLOSE)} cells of the stretch",
        f"within {word(refine.HUGE_CLOSE)} cells of the whole line",
        f"if that is little enough ({refine.CLOSE_STATES:,} states)",
        f"where {turning.FEW_LINKS // 5:,} links are enough",
        f"up to {turning.FEW_STATES:,} states, three million",
        f"exact search, of up to {word(turning.MAX_LINKS)} links",
        f"looks {word(refine.HUGE_REACHES[0])} wide cells to either side",
        f"within {align.WITHIN_M / 1000:g} km of another",
        f"at most {align.MAX_PRICE_FACTOR:g} times the best",
    ),
    "docs/explanation/border-access.md": (
        f"one within {km(population.NAME_REACH_M)}, or within {km(population.LIKENESS_REACH_M)}",
        f"errors of {severance.ROUTE_SIGMA_M:g} m and {severance.BORDER_SIGMA_M:g} m",
        f"within {km(severance.END_GAP_M)} of the outline",
    ),
    "docs/explanation/crossings.md": (
        f"at one node) within | {crossings.MERGE_M:g} m |",
        f"of one number within | {crossings.DUAL_M:g} m |",
        f"within {shared_parallel.PARALLEL_DEG:g}°, for {shared_parallel.MIN_RUN_M:g} m or more",
    ),
    "docs/explanation/distance.md": (
        f"{alternatives.PENALTY:g} times dearer",
        f"shorter than {jurisdiction.HYSTERESIS_M:g} m",
        f"within {km(jurisdiction.CROSSING_REACH_M)}",
    ),
    "docs/explanation/driving-times.md": (
        f"posts about {road_survey.POST_M:g} m apart",
        f"from {word(driving_times.OWN_FACTOR_FROM)}",
    ),
    "docs/explanation/north-south.md": (
        f"at least {axes.SLOWER_MIN:g} min more",
        f"within {events.BED_M:g} m of the old line",
    ),
    "docs/explanation/roads.md": (
        f"less than {graph.LEAST_THROUGH_KM:g} km",
        f"within {km(map_matching.STATION_M)} of their ends",
    ),
    "docs/explanation/robustness.md": (f"correlation reaches {agreement.HIGH_CORRELATION:g}",),
    "docs/explanation/scoring.md": (
        f"({rank.MOST_CORNERS:,} drawn ones",
        f"at {rank.INNER_DRAWS:,} points between",
        f"ratio above {perspectives.ACCEPTED_RATIO:g} is noted",
    ),
    "docs/explanation/terrain.md": (
        f"min(half a pixel, {profile.MAX_STEP_M:g} m)",
        f"within {km(profile.PIN_LIMIT_M)} of it",
        f"threshold of {CLIMB_M} m",
        f"percentile under {terrain.LEVEL_P95_PCT:g} %",
        f"within {terrain.BAND_M:g} m of the line",
    ),
    "docs/explanation/what-changed.md": (f"over {existing.SAME_ROUTE:.0%}".replace("%", " %"),),
    "docs/reference/catalogue.md": (
        f"over {catalogue.BEELINE_SLACK_KM:g} km under the beeline",
        f"ends within {catalogue.FOLLOW_KM:g} km",
        f"within {km(jurisdiction.CROSSING_REACH_M)} is the crossing",
    ),
}


@pytest.mark.parametrize("page", SAID)
def test_limits_in_prose_are_those_of_the_code(page):
    text = " ".join(re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", (ROOT / page).read_text(encoding="utf-8")).split())
    assert [said for said in SAID[page] if " ".join(said.split()) not in text] == []


def test_the_page_on_sweeps_has_every_kind_of_factor_with_its_keys():
    page = (ROOT / "docs" / "howto" / "sweep.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", page, re.MULTILINE))
    kinds = {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(get_args(Factor)[0])}
    assert set(rows) == set(kinds)
    figures = [issubclass(kinds[kind], NumericFactor) for kind in rows]
    assert figures == [True] * 5 + [False] * (len(rows) - 5)
    for kind, keys in rows.items():
        common = set(NumericFactor.model_fields) if issubclass(kinds[kind], NumericFactor) else {"kind"}
        assert set(kinds[kind].model_fields) - common - {"kind"} <= set(re.findall(r"`(\w+)`", keys)), kind
