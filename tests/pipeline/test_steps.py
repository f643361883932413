"""The comparison's own graph: what steps take is what others give, and a change reaches as far as it should."""

from __future__ import annotations

import types
import typing
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

import corridor
from corridor.metrics import registry
from corridor.metrics.registry import Subject, all_metrics, derived_functions, metric
from corridor.pipeline.comparing import FROM_FILES, ITEMS, comparison_graph, open_run, shown_progress
from corridor.pipeline.graph import Cache, Each, Run
from corridor.pipeline.steps import results
from corridor.schema.candidate import Profile
from corridor.schema.catalogue import UnitCost
from corridor.schema.column import Column, Unit
from corridor.schema.fields import Fetched, Grid, Source
from corridor.schema.regime import Regime
from corridor.schema.results import EdgeEffect
from corridor.terrain.surface import Dem
from tests.interactions.grounds import network
from tests.shared_runs import downstream
from tests.synthetic import build
from tests.synthetic.study import IMPACT, STUDY

COMPARISON = comparison_graph()
GIVEN = {"study", "osm_path", "dem_paths"}
"""All that isn't made by a step."""
MAY_BE_NONE = {"impact", "impact_rows", "impacts", "flow_model"}
"""None where a study measures no impacts or flows; steps that take them aren't run then."""
ROWS = {f"{row}s": row for row in ("line_row", "route_row", "pair_row", "trip_row", "flow_row")}


def accepts(wanted, given):
    """Whether a value of one annotation can stand for the other."""
    if wanted == given or typing.Any in (wanted, given):
        return True
    unions = (typing.Union, types.UnionType)
    if typing.get_origin(given) in unions:
        return all(accepts(wanted, member) for member in typing.get_args(given))
    if typing.get_origin(wanted) in unions:
        return any(accepts(member, given) for member in typing.get_args(wanted))
    kinds = [typing.get_origin(hint) or hint for hint in (wanted, given)]
    if not all(isinstance(kind, type) for kind in kinds) or not issubclass(kinds[1], kinds[0]):
        return False
    inner = [[arg for arg in typing.get_args(hint) if arg is not ...] for hint in (wanted, given)]
    if not all(inner):
        return True
    if len(inner[0]) == 1:  # a sequence of one type takes a tuple whose members all are of it
        return all(accepts(inner[0][0], arg) for arg in inner[1])
    return len(inner[0]) == len(inner[1]) and all(map(accepts, *inner))


def test_what_steps_take_is_what_others_give():
    hinted = [(step, typing.get_type_hints(step.function)) for step in COMPARISON.steps.values()]
    typed = [step for step, hints in hinted if set(step.declared.inputs) <= set(hints)]
    gives = {
        step.element if isinstance(step, Each) else step.declared.name: typing.get_type_hints(step.function)["return"]
        for step in typed
    }
    mappings = {step.declared.name: gives[step.element] for step in typed if isinstance(step, Each)}
    mappings |= dict.fromkeys(ROWS, dict[str, typing.Any])
    gives |= dict.fromkeys(ROWS.values(), dict[str, typing.Any])
    for kind, root in ITEMS.items():
        gives[kind] = typing.get_args(gives[root])[1]
    wrong = []
    for step in typed:
        hints = typing.get_type_hints(step.function)
        for name in step.declared.inputs:
            if name in GIVEN:
                continue
            wanted = hints[name]
            if name in mappings:
                wanted = next((kind for kind in typing.get_args(wanted) if typing.get_origin(kind) is Mapping), wanted)
                fits = issubclass(typing.get_origin(wanted), Mapping) and accepts(
                    typing.get_args(wanted)[1], mappings[name]
                )
            else:
                fits = accepts(wanted | None if name in MAY_BE_NONE else wanted, gives[name])
            if not fits:
                wrong.append(
                    f"{step.declared.name}: {name}: takes {wanted}, gets {gives.get(name, mappings.get(name))}"
                )
    assert wrong == []


def test_every_step_is_used_and_says_what_it_gives():
    assert COMPARISON.inputs == GIVEN
    for name, step in COMPARISON.steps.items():
        assert step.__doc__, name
    ends = {"results", "map_ground", "known_names", "metrics", "matrix", "rankings"}
    offered = {f"{name}s" for name in derived_functions()} | set(derived_functions())
    assert set(COMPARISON.steps) - offered <= set().union(*(COMPARISON.upstream(name) for name in ends))


def few_candidates():
    """The bundled study with the routes that are ways over open roads, and those that its rules apply to."""
    study = corridor.Study.bundled("syunik")
    kept = {"aras-rail", "aras-road", "aras-iran", "valley-road", "agstafa-yeraskh-rail", "existing-roads"}
    return study.model_copy(update={"candidates": tuple(spec for spec in study.candidates if spec.id in kept)})


def test_a_study_without_impacts_measures_lines_alone():
    run = open_run(few_candidates().model_copy(update={"impact": None}))
    table = run["metrics"]
    assert "regime_id" not in table
    assert len(table) == len(run["candidates"])
    assert not run.cache.made.keys() & {"met", "split", "access", "access_results", "regimes"}


@pytest.fixture(scope="module")
def read():
    """What the bundled study reads."""
    return open_run(few_candidates()).pinned(FROM_FILES)


STALE = {
    # a price: what candidates cost, and the tables on top
    "unit_costs": lambda run: tuple(
        replace(c, cost_musd_per_km=c.cost_musd_per_km.scaled(1.5)) for c in run["unit_costs"]
    ),
    # words of the catalogue that no figure hangs on
    "documents": lambda run: {**run["documents"], "new": next(iter(run["documents"].values()))},
    # another delay at the border: the network's minutes, and no way joined anew
    "crossings": lambda run: {
        key: replace(c, delay_min=c.delay_min and c.delay_min.scaled(2)) for key, c in run["crossings"].items()
    },
    # other draws of the heights' error: ranges of heights, and nobody's access
    "elevation": lambda run: run["elevation"].model_copy(update={"seed": run["elevation"].seed + 1}),
}
COST = "cells of corridor.metrics.cost.measure_cost"
FRESH = {
    "unit_costs": {"conflation", "profiles", "met", "split", "access", "access_results", "impact_rows"},
    "documents": {"conflation", "candidates", "profiles", "line_metrics", "met", "access_results", "metrics", "matrix"},
    "crossings": {
        "joined_ways",
        "road_courses",
        "conflated_ways",
        "lie_of_sections",
        "lie_of_network",
        "road_survey",
        "met_by_route",
        "dem",
        "population",
    },
    "elevation": {"conflation", "candidates", "met", "access_results", "impact_rows", COST, "profiles"},
}


class Keeping(Cache):
    """No change pushes out what the next one starts from."""

    def get(self, declared, key, make):
        return super().get(replace(declared, keep=declared.keep * (1 + len(STALE))), key, make)


@pytest.fixture(scope="module")
def computed(read):
    """Its comparison, computed once: all changes start from it."""
    run = Run(COMPARISON, {key: value for key, value in read.items() if key != "regimes"}, cache=Keeping())
    run["metrics"]
    return run


@pytest.mark.parametrize("name", sorted(STALE))
def test_what_does_not_hang_on_a_change_stays(computed, name):
    other = computed.replace(**{name: STALE[name](computed)})
    before = Counter(computed.cache.made)
    other["metrics"]
    made = set(computed.cache.made - before)
    assert made & FRESH[name] == set()
    assert made <= downstream(COMPARISON, [name])


def test_what_is_read_from_files_is_all_that_metrics_need(read):
    readers = {"catalogue", "borders", "places", "read_heights", "osm", "regimes", "perspectives", "place_names"}
    assert readers - {"place_names"} == set(FROM_FILES)
    needed = set().union(*(COMPARISON.upstream(name, read) for name in ("metrics", "rankings")))
    assert not needed & readers - set(read)


def test_a_metric_may_need_what_steps_keep_apart(monkeypatch, tmp_path):
    all_metrics()
    monkeypatch.setattr(registry, "_metrics", list(registry._metrics))

    @metric(Subject.COST, Column("price_per_climb_m", Unit.M, "made up", "made up"))
    def measure_price_of_climbs(profile: Profile, unit_costs: tuple[UnitCost, ...]):
        return {"price_per_climb_m": float(len(profile.height_m) * len(unit_costs))}

    @metric(Subject.ACCESS, Column("closed_above_m", Unit.M, "made up", "made up"))
    def measure_closed_above(profile: Profile, effect: EdgeEffect | None, regime: Regime | None):
        return {"closed_above_m": profile.height_m.max() if effect is not None and effect.closed.any() else 0.0}

    path = build(tmp_path / "study")
    path.write_text(STUDY + IMPACT, encoding="utf-8")
    table = open_run(corridor.Study.load(path))["metrics"]
    assert (table["price_per_climb_m"] > 0).all()
    assert table.groupby("candidate_id")["price_per_climb_m"].nunique().eq(1).all()
    closed = table["closed_above_m"] > 0
    assert closed.any()
    assert (table.loc[closed, "closed_above_m"] == table.loc[closed, "max_elevation_m"]).all()
    assert not closed[table["regime_id"] == "free"].any()


def test_modules_of_a_notebook_without_a_notebook_print_nothing(capsys):
    import IPython.display  # noqa: F401  (what another test may have loaded into this process)

    with shown_progress(None) as say:
        say("a step")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("given", "fetched", "opened", "typed"),
    [
        ({}, (), False, "syunik"),
        ({"osm": Path("a/b.osm.pbf"), "dem": [Path("c.tif"), Path("my d.hgt")]}, (), False,
         "syunik --osm b.osm.pbf --dem c.tif --dem 'my d.hgt'"),
        ({"osm": Path("cache/0a1b"), "dem": [Path("cache/2c3d")]}, ("osm", "elevation"), False, "syunik --live"),
        ({"osm": Path("cache/0a1b.osm"), "dem": [Path("c.tif")]}, ("osm",), True,
         "syunik --live --dem c.tif --as-if-opened"),
    ],
)  # fmt: skip
def test_what_people_type_to_compute_the_same_again(given, fetched, opened, typed):
    """Files by their names, those that were fetched by one word."""
    one = Fetched("https://example.org", "a", "0" * 64, 1, "2026-03-01T00:00:00Z")
    sources = [Source(key, key, "", "", "", fetched=(one,) * (key in fetched)) for key in ("osm", "elevation")]
    said = {"data_sources": tuple(sources), "as_if_opened": opened}
    assert open_run(corridor.Study.bundled("syunik"), given=said, **given)[results.asked_as] == typed


def test_roads_that_the_heights_dont_reach_are_counted():
    """The elevation model holds the western of four roads alone; a railway and roads of others don't count."""
    nodes = [(45.0, 39.0), (45.0, 39.02), (45.1, 39.0), (45.1, 39.02), (45.2, 39.0)]
    edges = [(0, 1), (0, 2), (2, 3), (2, 4), (2, 4)]
    net = network(nodes, edges, country=["AA", "AA", "AA", "BB", "AA"], mode=["road"] * 4 + ["rail"])
    grid = Grid("EPSG:4326", Affine(0.01, 0, 44.95, 0, -0.01, 39.05), (8, 10))
    dem = Dem(np.zeros((8, 10), dtype=np.float32), grid, Source("d", "", "", "", ""), 1, 1)
    lengths = net.edges["length_m"].to_numpy() / 1000
    assert results._km_without_heights(net, dem, "AA") == pytest.approx(lengths[1] + lengths[2])
    assert results._km_without_heights(net, dem, "") == pytest.approx(lengths[1:4].sum())
    wide = replace(dem, heights_m=np.zeros((8, 40), dtype=np.float32), grid=replace(grid, shape=(8, 40)))
    assert results._km_without_heights(net, wide, "") == 0
