"""The graph of a comparison, and runs of it for a study and its data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from html import escape
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from corridor.metrics.registry import Metric, all_metrics, derived_functions
from corridor.pipeline.graph import AnyStep, Each, Graph, Progress, Run, SharedProgress, Step, silent
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


@contextmanager
def shown_progress(progress: Progress | None) -> Iterator[Progress]:
    """Who hears of progress: whoever was given, a line in a notebook, or nobody.

    In a notebook the line says the step, what share of the steps is done, and is gone at the end.

    Args:
        progress: what was given.

    Yields:
        What to call with each step.
    """
    # A kernel is known by its own module, which is loaded wherever a notebook runs and nowhere else.
    if progress is not None or "ipykernel" not in sys.modules:
        yield progress or silent
        return
    notebook: Any = import_module("IPython.display")
    html, line = notebook.HTML, notebook.display(notebook.HTML(""), display_id=True)

    def show(step: str, share: float | None) -> None:
        done = f"{share:.0%} " if share is not None else ""
        line.update(html(f"<small>{done}{escape(step)}</small>"))

    try:
        yield SharedProgress(show)
    finally:
        line.update(html(""))
