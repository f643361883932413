"""The graph of a comparison, and runs of it for a study and its data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from html import escape
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from corridor.flows.results import TABLES, FlowResults
from corridor.metrics.registry import Metric, all_metrics, derived_functions
from corridor.pipeline.graph import AnyStep, Each, FractionalProgress, Graph, Progress, Run, Step, silent
from corridor.pipeline.steps import flows, impacts, inputs, lines, ranking, results
from corridor.pipeline.steps.ranking import with_registered
from corridor.processes import Fork
from corridor.schema.study import Study
from corridor.schema.vocabulary import Outcome

ROOMS: tuple[ModuleType, ...] = (inputs, lines, impacts, flows, ranking, results)

ITEMS = {
    "existing_spec": "existing_specs",
    "reference_spec": "reference_specs",
    "new_build_spec": "new_build_specs",
    "via_spec": "via_specs",
    "drawn_spec": "drawn_specs",
    "candidate": "candidates",
    "route": "routes",
    "regime": "regimes_or_none",
    "events_end": "events_ends",
    "perspective": "perspectives",
}
"""Kinds of item that steps are computed for, and the mapping that holds them."""


NARROWER = {"route": "candidate"}
"""Kinds of item that are of another kind too: what is of a journey is computed for single routes, not for packages."""


def _steps() -> list[AnyStep]:
    found: dict[int, AnyStep] = {}
    for room in ROOMS:
        found |= {id(value): value for value in vars(room).values() if isinstance(value, (Step, Each))}
    return list(found.values())


def comparison_graph() -> Graph:
    """All steps from a study to its results, with every metric that is registered by now."""
    return _graph(all_metrics(), tuple(derived_functions().items()))


@lru_cache(maxsize=4)
def _graph(_metrics: tuple[Metric, ...], _derived: tuple[tuple[str, Callable[..., Any]], ...]) -> Graph:
    return Graph(with_registered(_steps(), ITEMS, NARROWER), ITEMS, NARROWER)


FROM_FILES = ("catalogue", "borders", "places", "read_heights", "osm", "regimes", "perspectives")
"""Values that are read from the study's files: where they are given, no metric needs a file."""


def open_run(
    study: Study,
    *,
    osm: Path | None = None,
    dem: Sequence[Path] = (),
    given: Mapping[str, Any] | None = None,
    progress: Progress = silent,
    ahead: Fork | None = None,
) -> Run:
    """A run for a study: its values are computed when they are asked for.

    Args:
        study: what is asked.
        osm: an OpenStreetMap file instead of what the study names.
        dem: elevation rasters instead of those that the study names.
        given: more values by name, instead of what steps give.
        progress: called with a few words at the start of each step.
        ahead: values that a copy of this process is computing.
    """
    # what isn't asked isn't measured
    without: dict[str, Any] = {} if study.impact else {"impact_rows": None, "impacts": None}
    without |= {} if study.sources.long_distance else {"flow_rows": None}
    values = {"study": study, "osm_path": osm, "dem_paths": tuple(dem)} | without | dict(given or {})
    return Run(comparison_graph(), values, progress=progress, ahead=ahead)


@contextmanager
def shown_progress(progress: Progress | None) -> Iterator[Progress]:
    """Who hears of progress: whoever was given, a line in a notebook, or nobody.

    In a notebook the line says the step, what share of the steps is done, and is gone at the end.

    Args:
        progress: what was given.

    Yields:
        What to call with each step.
    """
    # A notebook is a shell that has a kernel: its modules may be loaded where there is none, and then it would print.
    ipython = sys.modules.get("IPython")
    if progress is not None or ipython is None or not hasattr(ipython.get_ipython(), "kernel"):
        yield progress or silent
        return
    notebook: Any = import_module("IPython.display")
    html, line = notebook.HTML, notebook.display(notebook.HTML(""), display_id=True)

    def show(step: str, share: float | None) -> None:
        done = f"{share:.0%} " if share is not None else ""
        line.update(html(f"<small>{done}{escape(step)}</small>"))

    try:
        yield FractionalProgress(show)
    finally:
        line.update(html(""))


def measured_tables(run: Run) -> dict[str, Any]:
    """What a run measured candidate by candidate, to be put together with what is measured of more candidates.

    Args:
        run: from which results were taken: nothing is computed again.
    """
    names = (*(_OF_NETWORK if run["study"].impact else ()), "flows")
    return {"candidates": run[lines.candidates]} | {name: run[name] for name in names}


def with_more_candidates(run: Run, before: Mapping[str, Any], study: Study, progress: Progress = silent) -> Run:
    """A run for a study that has more candidates than a run's own, of which only the new ones are computed.

    What a candidate does to the network hangs on no other candidate, so the new ones are measured on a network that is
    cut where they meet it alone; tables of both runs are put together, and the ranking is made of all.

    Args:
        run: of the study without them, from which results were taken.
        before: :func:`measured_tables` of that run.
        study: the same study with more candidates after its own.
        progress: called with a few words at the start of each step.

    Returns:
        A run whose tables are given.
    """
    # tables that were put together earlier are of that run alone
    nothing = {} if study.impact else {"impact_rows": None, "impacts": None}
    more = run.freed((*_OF_NETWORK, "flows"), progress).replace(study=study, **nothing)
    everyone = more[lines.candidates]
    fresh = {key: found for key, found in everyone.items() if key not in before["candidates"]}
    # a package is measured beside its routes, which are cut into the network together
    if not fresh or any(found.members for found in fresh.values()):
        return more
    # regimes may apply to none of the new ones alone
    alone: dict[str, Any] = {"candidates": fresh}
    if study.impact:
        alone["applicable"] = more[impacts.applicable]
    only = more.replace(**alone)
    tables = [name for name in before if name in _OF_NETWORK]
    given: dict[str, Any] = {name: _put_together(before[name], only[name]) for name in tables}
    measured = only[flows.flows]
    if before["flows"] is not None and measured is not None:
        given["flows"] = _more_flows(before["flows"], measured, list(everyone), set(fresh))
    return more.replace(**given)


_OF_NETWORK = ("impact_rows", "decided", "event_table", "place_effects", "strips")
"""Values that hang on the network as it is cut where candidates meet it, by candidate."""


def _put_together(before: Any, more: Any) -> Any:
    """A table, or findings, of some candidates with those of others."""
    if isinstance(before, results.Decided):
        findings = sorted(
            (*before.findings, *more.findings), key=lambda finding: finding.outcome == Outcome.UNDETERMINED
        )
        return results.Decided(tuple(findings), (*before.critical, *more.critical))
    tables = [table for table in (before, more) if len(table)]
    if len(tables) < 2:
        return tables[0] if tables else before
    joined = pd.concat(tables, ignore_index=True)
    return gpd.GeoDataFrame(joined, crs=before.crs) if isinstance(before, gpd.GeoDataFrame) else joined


def _more_flows(before: FlowResults, more: FlowResults, order: Sequence[str], fresh: set[str]) -> FlowResults:
    """Long-distance tables with the rows of new candidates; the network alone is in both, and stays once.

    Rows come by year, and within it by candidate in their order, the network alone first, as one run gives them.
    """
    years = {year: place for place, year in enumerate(before.years)}
    places = {key: place for place, key in enumerate(("", *order))}
    found = {}
    for name in (*TABLES, "lines"):
        own, new = getattr(before, name), getattr(more, name)
        if len(new) and "candidate_id" in new:
            added = new[new["candidate_id"].isin(fresh)]
            own = pd.concat([own, added], ignore_index=True) if len(own) else added
            rows = np.lexsort((own["candidate_id"].map(places), own["year"].map(years)))
            own = own.take(rows).reset_index(drop=True)
        found[name] = own
    return replace(before, **found, notes=tuple(dict.fromkeys((*before.notes, *more.notes))))
