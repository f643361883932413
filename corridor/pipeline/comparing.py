"""The graph of a comparison, and runs of it for a study and its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from corridor.pipeline.graph import Each, Graph, Progress, Run, Step, silent
from corridor.pipeline.steps import flows, impacts, inputs, lines, ranking, results
from corridor.schema.study import Study

ROOMS: tuple[ModuleType, ...] = (inputs, lines, impacts, flows, ranking, results)

ITEMS = {
    "existing_spec": "existing_specs",
    "reference_spec": "reference_specs",
    "new_build_spec": "new_build_specs",
    "candidate": "candidates",
    "regime": "regimes_or_none",
    "perspective": "perspectives",
}
"""Kinds of item that steps are computed for, and the mapping that holds them."""


def _steps() -> list[Step[..., Any] | Each[..., Any]]:
    found: dict[int, Step[..., Any] | Each[..., Any]] = {}
    for room in ROOMS:
        found |= {id(value): value for value in vars(room).values() if isinstance(value, (Step, Each))}
    return list(found.values())


COMPARISON = Graph(_steps(), ITEMS)
"""All steps from a study to its results."""


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
    without = {} if study.impact else {"impact_rows": None, "joint": None, "impacts": None}
    values = {"study": study, "osm_path": osm, "dem_paths": tuple(dem)} | without | dict(given or {})
    return Run(COMPARISON, values, progress=progress)
