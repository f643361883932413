"""The order in which a run's values are computed, and what a forked copy of the process computes meanwhile.

A :class:`~corridor.pipeline.graph.Run` by itself computes whatever is asked for. Whoever only writes results asks for
all values that take long in the order of ``SCHEDULE``, and lets go after each what none of the later ones needs. Where
two branches of the graph need nothing of each other, a copy of the process computes one of them while the process
itself goes on with the other: the table says from when on, and which values.

A copy is made by the system (``fork``), so it knows all that was computed before, and nothing is sent to it; its values
come back through a pipe when they are asked for. At most one computes steps at a time. None is necessary: where there
is no second core, no memory, no such system call, or the copy dies, its values are computed here, and come out the same
(:class:`corridor.processes.Fork`, :meth:`corridor.pipeline.graph.Run.fork`).

Two more copies stand outside the graph: one reads the map before the rest of the package is loaded
(:mod:`corridor.pipeline.ahead`), and while files are written the page and its map are made by one each
(:mod:`corridor.export.results`).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import NamedTuple

from corridor.pipeline.graph import Run
from corridor.schema.results import Results


class Turn(NamedTuple):
    """One value of a run in its turn, and what a copy of the process begins to compute as soon as it is there.

    ``copied`` are names of values in the order in which they will be asked for. Of those in ``halves``, which are
    computed item by item, the copy computes the later half of the items, before all else. ``large_map`` says that only
    on a map of many ways this takes longer than a copy takes to begin.
    """

    value: str
    copied: tuple[str, ...] = ()
    halves: tuple[str, ...] = ()
    large_map: bool = False


SCHEDULE: tuple[Turn, ...] = (
    # The map may be read by a copy by now: it is waited for when nothing is left to do before it comes.
    Turn("dem"),
    Turn("borders"),
    Turn("places"),
    Turn("map_file"),
    # What maps show, while roads are joined here.
    Turn("osm", ("named_places", "relief", "drawn_borders"), large_map=True),
    Turn("data_sources"),
    # The roads over the ground, while the catalogue's sections are found on the map here.
    Turn("joined_ways", ("road_courses",), large_map=True),
    Turn("conflated_ways"),
    # Surveys of roads and of chains of sections, while the network is laid into its countries and timed here.
    Turn("road_courses", ("road_survey", "chain_surveys")),
    Turn("lie_of_network"),
    # Grades take longer than that: what hangs on no times comes before they are waited for.
    Turn("regimes"),
    Turn("barriers"),
    Turn("axes"),
    Turn("ground"),
    Turn("population"),
    Turn("flow_model"),
    Turn("conflation"),
    # What routes meet is found by both, half of them each. Then terrain, severed ground and maps there, and what routes
    # do to the network here: about half of the work that is left, and little that both need.
    Turn(
        "candidates",
        (
            *("severance_rows", "strips", "cells of corridor.metrics.border.measure_border_bands"),
            *("profiles", "route_rows", "line_metrics", "layers", "map_ground"),
        ),
        halves=("crossed_by_route", "beside_routes"),
    ),
    Turn("crossed_by_route"),
    Turn("targets"),
    Turn("impacts"),
    Turn("impact_rows"),
    Turn("metrics"),
    # Flows of the network, while those between pairs of places are measured here; maps are drawn by then.
    Turn("shown_cases", ("flows_of_network",), large_map=True),
    Turn("flows_of_pairs"),
    Turn("notes"),
    Turn("if_opened"),
    Turn("flows"),
    Turn("results"),
    Turn("map_ground"),
)
"""Values that take long, in an order in which each leaves less that later ones are computed from."""

MANY_WAYS = 10_000
"""So many ways of a map take longer to join and to lay over the ground than a copy of the process takes to begin."""


def compute_in_turn(run: Run, *, may_fork: bool) -> Results:
    """The results of a run with what maps are drawn on, computed by the schedule; afterwards the run holds nothing.

    Args:
        run: of a study.
        may_fork: compute a part in forked copies of this process. No other thread of it may be at work.

    Returns:
        What page, tables and GIS files are made of.
    """
    # what isn't asked of the study is given as none, and then nothing is computed for it
    needed = run.needed_for("results", "map_ground")
    turns = {turn.value: turn for turn in SCHEDULE if turn.value in needed}
    is_large = False
    with ExitStack() as copies:
        for name, value in run.in_turn(turns):
            turn = turns[name]
            if name == "osm":
                is_large = value is not None and len(value.ways) > MANY_WAYS
            if may_fork and turn.copied and (is_large or not turn.large_map):
                copied, halves = ([each for each in names if each in needed] for names in (turn.copied, turn.halves))
                copies.enter_context(run.fork(copied, halves))
            if name == "targets":
                # Routes and places are found on the roads by now: their lines in the plane are as large as their table.
                value.network.forget_plane()
            if name == "results":
                results: Results = value
            elif name == "map_ground":
                results = replace(results, ground=value)
    return results
