"""When there is no way: which limit closes it, and the smallest one that opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from corridor.alignment.ground import build_ground
from corridor.alignment.search import Problem, build_problem, search

STEPS = 7  # halvings of the interval in which a limit is sought


def explain_no_way(problem: Problem) -> str:
    """One line for a person: each limit that opens a way when it alone is loosened, with its smallest such value."""
    openings = [
        _smallest("ruling grade", "%", problem.standard.max_grade_up_pct, 60.0, _with_grade, problem),
        _smallest("bridge height", "m", problem.standard.max_bridge_height_m, 2000.0, _with_bridge, problem),
        _smallest("structure length", "km", problem.options.max_structure_km, 400.0, _with_structure, problem),
    ]
    if problem.options.max_direct_km is not None:
        limit = problem.options.max_direct_km
        openings.append(_smallest("length of links at terminals", "km", max(limit, 0.1), 1000.0, _with_direct, problem))
    if problem.ground.mask.size and _opens(_without_mask(problem)):
        openings.append("taking the mask away opens it")
    found = [o for o in openings if o]
    head = (
        f"no way from start to end at {problem.standard.max_grade_up_pct:g} % up and "
        f"{problem.standard.max_grade_down_pct:g} % down"
    )
    if not found:
        return f"{head}; no single limit (grade, bridge height, structure length, mask) opens one"
    return f"{head}: " + "; ".join(found)


def _opens(problem: Problem) -> bool:
    """Whether there is a way."""
    return bool(np.isfinite(search(problem).cost_musd))


def _smallest(
    name: str, unit: str, low: float, high: float, change: Callable[[Problem, float], Problem], problem: Problem
) -> str:
    """Text with the smallest value of a limit that opens a way, or an empty one if even the largest doesn't."""
    given = low
    if not _opens(change(problem, high)):
        return ""
    for _ in range(STEPS):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if _opens(change(problem, middle)) else (middle, high)
    return f"the {name} of {given:g} {unit} closes it, {high:.3g} {unit} opens it"


def _rebuilt(problem: Problem, **changes: object) -> Problem:
    """The problem with other parts, over all nodes."""
    parts: dict[str, object] = {
        name: getattr(problem, name) for name in ("ground", "start", "goal", "standard", "costs", "options")
    }
    return build_problem(**{**parts, **changes})  # type: ignore[arg-type]


def _with_grade(problem: Problem, grade_pct: float) -> Problem:
    ratio = grade_pct / problem.standard.max_grade_up_pct
    down = problem.standard.max_grade_down_pct * ratio
    return _rebuilt(problem, standard=problem.standard.with_grade(grade_pct, down))


def _with_bridge(problem: Problem, height_m: float) -> Problem:
    return _rebuilt(problem, standard=replace(problem.standard, max_bridge_height_m=height_m))


def _with_structure(problem: Problem, length_km: float) -> Problem:
    return _rebuilt(problem, options=replace(problem.options, max_structure_km=length_km))


def _with_direct(problem: Problem, length_km: float) -> Problem:
    return _rebuilt(problem, options=replace(problem.options, max_direct_km=length_km))


def _without_mask(problem: Problem) -> Problem:
    g = problem.ground
    friction = g.friction if g.friction.size else None
    return _rebuilt(problem, ground=build_ground(g.z, g.dx_m, g.dy_m, None, friction))
