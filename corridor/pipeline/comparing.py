"""The graph of a comparison, and runs of it for a study and its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from corridor.metrics.registry import Metric, all_metrics, derived_functions
from corridor.pipeline.graph import AnyStep, Each, Graph, Progress, Run, Step, silent
from corridor.pipeline.steps import flows, impacts, inputs, lines, ranking, results
from corridor.pipeline.steps.registered import with_registered
from corridor.schema.study import Study

ROOMS: tuple[ModuleType, ...] = (inputs, lines, impacts, flows, ranking, results)

ITEMS = {
    "existing_spec": "existing_specs",
    "reference_spec": "reference_specs",
    "new_build_spec": "new_build_specs",
    "via_spec": "via_specs",
    "drawn_spec": "drawn_specs",
    "candidate": "candidates",
    "regime": "regimes_or_none",
    "events_end": "events_ends",
    "perspective": "perspectives",
}
"""Kinds of item that steps are computed for, and the mapping that holds them."""


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
    return Graph(with_registered(_steps(), ITEMS), ITEMS)


FROM_FILES = ("catalogue", "borders", "places", "read_heights", "osm", "regimes", "perspectives")
"""Values that are read from the study's files: where they are given, no metric needs a file."""


def open_run(
    study: Study,
    *,
    osm: Path | None = None,
    dem: Sequence[Path] = (),
    given: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Run:
    """A run for a study: its values are computed when they are asked for.

    Args:
        study: what is asked.
        osm: an OpenStreetMap file instead of what the study names.
        dem: elevation rasters instead of those that the study names.
        given: more values by name, instead of what steps give.
        progress: called with a few words at the start of each step.
    """
    # what isn't asked isn't measured
    without: dict[str, Any] = {} if study.impact else {"impact_rows": None, "impacts": None}
    without |= {} if study.sources.long_distance else {"flow_rows": None}
    values = {"study": study, "osm_path": osm, "dem_paths": tuple(dem)} | without | dict(given or {})
    return Run(comparison_graph(), values, progress=progress)
