"""Metrics of the registry as steps, and from their table to ranks under each perspective."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any

import pandas as pd

from corridor.errors import StudyError
from corridor.io.read.inputs import Gazetteer, require_labels_apart
from corridor.mcda.matrix import DecisionMatrix, build_matrix
from corridor.mcda.perspectives import (
    Perspective,
    build_perspective,
    general_perspectives,
    load_perspectives,
    resolve_weights,
)
from corridor.mcda.rank import rank_alternatives
from corridor.mcda.robustness import count_first_places, distinct_views, telling_weight
from corridor.metrics.registry import Metric, all_metrics, derived_functions
from corridor.pipeline.graph import AnyStep, Declared, Each, Graph, Step, each, parameters, step
from corridor.schema.column import Criterion
from corridor.schema.message import Message, Value
from corridor.schema.regime import Regime
from corridor.schema.results import FirstPlaces, IfOpened, PanelFacts, PerspectiveWords
from corridor.schema.study import PACKAGED, Study

# --- Metrics of the registry, and what they follow from, as steps: each is kept by what it is computed from ---
# Nothing is said here of single metrics: their functions say by their parameters what they need. Those that need no
# more than a candidate and its ground make its row under every regime (``line_rows``), all others its row under one
# (``pair_rows``), but for those of long-distance flows, which follow from that row (``flow_rows``). What is of a
# journey on a single route makes such rows of its own (``route_rows``, ``trip_rows``): a package has one route's.

OF_FLOWS = frozenset(("flow_model",))
UNDER_REGIMES = frozenset(("impact", "met", "regimes"))
"""Values that stand behind whatever isn't of a line alone."""
OF_ROUTES = "route"
"""The kind of item that figures of a journey are computed for."""
_SAYS = {
    "line_row": "measuring terrain",
    "route_row": "measuring terrain",
    "trip_row": "measuring access under each regime",
    "pair_row": "measuring access under each regime",
    "flow_row": "measuring long-distance flows",
}
_KEEP_CELLS = 4096
_KEEP = {"access_result": 256, "route_severance": 256, "severed_ground": 256}
_KEEP_OTHERS = 32
"""States of a network are large: few more of them are kept than are in use at a time."""


def with_registered(steps: Iterable[AnyStep], items: Mapping[str, str], narrower: Mapping[str, str]) -> list[AnyStep]:
    """Steps, those of the registry, and those that put cells of metrics together to rows.

    Args:
        steps: all others, among them what gives the inputs of metrics.
        items: kinds of item, as :class:`~corridor.pipeline.graph.Graph` takes them.
        narrower: which of them are of another kind too, likewise.
    """
    found = list(steps)
    singles = {*items, *_SAYS, *(each.element for each in found if isinstance(each, Each))}
    found += _derived_steps(singles)
    cells = {cells_of(metric): metric for metric in all_metrics()}
    # The graph tells on what each metric hangs; only then is it known in which row it stands, so that it is built
    # twice.
    bare = Graph([*found, *(_cells_step(name, metric, singles, "") for name, metric in cells.items())], items, narrower)
    rows_of = {name: _rows_of(bare.upstream(name), bare.kinds.get(name, ())) for name in cells}
    measured = [_cells_step(name, metric, singles, _SAYS[rows_of[name]]) for name, metric in cells.items()]
    rows = [_rows_step(row, [step for step in measured if rows_of[step.declared.name] == row]) for row in _SAYS]
    return [*found, *measured, *rows]


def _rows_of(upstream: frozenset[str], kinds: Collection[str]) -> str:
    """In which rows a metric stands, by all that it hangs on and the kinds of item that it is computed for."""
    if upstream & OF_FLOWS:
        return "flow_row"
    if OF_ROUTES in kinds:
        return "trip_row" if upstream & UNDER_REGIMES else "route_row"
    return "pair_row" if upstream & UNDER_REGIMES else "line_row"


def cells_of(metric: Metric) -> str:
    """The name of a metric's cells in the graph.

    Args:
        metric: of the registry.
    """
    return f"cells of {metric.name}"


def _derived_steps(singles: set[str]) -> list[AnyStep]:
    """What metrics follow from; names of those that are computed item by item are added to ``singles``."""
    # what single items are of stands in the graph already
    waiting = {name: function for name, function in derived_functions().items() if name not in singles}
    while more := [name for name in waiting if name not in singles and set(parameters(waiting[name])) & singles]:
        singles.update(more)
    return [_made(function, name, f"{name}s", parameters(function), singles) for name, function in waiting.items()]


def _cells_step(name: str, metric: Metric, singles: set[str], says: str) -> AnyStep:
    @wraps(metric.measure)
    def cells(**values: Any) -> dict[str, Any]:
        return metric.row(values)

    return _made(cells, f"{name} for one", name, metric.needs, singles, says, _KEEP_CELLS)


def _rows_step(element: str, measured: Iterable[AnyStep]) -> AnyStep:
    """Cells of several metrics as one row, in the registry's order."""
    needs = tuple(step.element if isinstance(step, Each) else step.declared.name for step in measured)
    # Journeys stand beside what else is of a regime, so that they have its ends, whether they hang on them or not.
    keys = ("events_end",) if element == "trip_row" else ()

    def row(**cells: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for each in needs for name, value in cells[each].items()}

    row.__doc__ = "Cells of metrics by column."
    declared = Declared(f"{element}s", (*needs, *keys), "", _KEEP_CELLS, by_value=False, takes_progress=False)
    return Each(row, declared, element)


def _made(
    function: Callable[..., Any],
    single: str,
    several: str,
    needs: tuple[str, ...],
    singles: set[str],
    says: str = "",
    keep: int = 0,
) -> AnyStep:
    """A step that gives one value, or one for each item if it needs single items."""
    if not singles.intersection(needs):
        name = several if says or keep else single
        return Step(function, Declared(name, needs, says, 1, by_value=False, takes_progress=False))
    kept = keep or _KEEP.get(single, _KEEP_OTHERS)
    return Each(function, Declared(several, needs, says, kept, by_value=False, takes_progress=False), single)


@step(by_value=True)
def as_if_opened(study: Study) -> bool:
    """Whether rules that allow no transit are ranked as if they did."""
    return study.as_if_opened


@step(says="ranking")
def matrix(metrics: pd.DataFrame, criteria: Sequence[Criterion], as_if_opened: bool) -> DecisionMatrix:
    """Alternatives by criteria."""
    return build_matrix(metrics, criteria, as_if_opened=as_if_opened)


@step()
def perspectives(study: Study) -> dict[str, Perspective]:
    """Perspectives of the study's file and its own, by id.

    Of the file those are left out of whose heaviest groups the study scores none: with their weight gone to the others
    they would say again what another says. The study's default and its own ones stay.

    Raises:
        StudyError: its default is none of them, or two have the same label.
        ScoringError: one of them has faults, or weighs nothing that the study scores.
    """
    if study.sources.perspectives is None:
        found = general_perspectives(study.criteria, study.groups)
    else:
        scored = {criterion.group for criterion in study.criteria}
        found = {
            key: view
            for key, view in load_perspectives(study.path(study.sources.perspectives)).items()
            if key == study.default_perspective or scored.intersection(view.heaviest_groups)
        }
    found |= {key: build_perspective(key, fields, study.id) for key, fields in study.perspectives.items()}
    if study.default_perspective not in found:
        raise StudyError(
            f"{study.id}: default_perspective: '{study.default_perspective}' is none of {', '.join(found)}"
        )
    require_labels_apart(study, "perspectives", [view.label for view in found.values()])
    for view in found.values():
        resolve_weights(view, study.criteria)  # refuses what can't rank before anything is measured
    return found


@each(gives="rankings")
def ranking_of(perspective: Perspective, matrix: DecisionMatrix) -> pd.DataFrame:
    """Alternatives from best to worst under a perspective, by weighted sum."""
    return rank_alternatives(matrix, perspective)


@step()
def panels(matrix: DecisionMatrix, perspectives: Mapping[str, Perspective]) -> tuple[PanelFacts, ...]:
    """Which criteria tell the ranked routes apart, and how much weight lies on them."""
    return _panel_facts(matrix, perspectives)


@step()
def if_opened(
    metrics: pd.DataFrame,
    criteria: tuple[Criterion, ...],
    regimes: Mapping[str, Regime],
    perspectives: Mapping[str, Perspective],
    as_if_opened: bool,
) -> IfOpened | None:
    """Rankings under rules that allow no transit, as if they did; None where there are no such rules or all are."""
    closed = [key for key, regime in regimes.items() if not regime.allows_transit]
    rows = metrics[metrics["regime_id"].isin(closed)] if closed and "regime_id" in metrics else metrics[:0]
    if as_if_opened or rows.empty:
        return None
    matrix = build_matrix(rows, criteria, as_if_opened=True)
    tables = [rank_alternatives(matrix, view).assign(perspective=key) for key, view in perspectives.items()]
    return IfOpened(pd.concat(tables, ignore_index=True), _panel_facts(matrix, perspectives))


def _panel_facts(matrix: DecisionMatrix, perspectives: Mapping[str, Perspective]) -> tuple[PanelFacts, ...]:
    found = []
    for panel in matrix.panels:
        if not panel.candidate_ids:
            continue
        silent = tuple(key for key, tells in zip(panel.criterion_ids, panel.tells_apart, strict=True) if not tells)
        shares = {name: telling_weight(panel, view) for name, view in perspectives.items()}
        views = distinct_views(panel, perspectives)
        found.append(PanelFacts(panel.regime_id, panel.kind, panel.candidate_ids, silent, shares, views))
    return tuple(found)


@step()
def first_places(matrix: DecisionMatrix, perspectives: Mapping[str, Perspective]) -> FirstPlaces:
    """Who comes first how often, over distinct rankings."""
    return count_first_places(matrix, perspectives)


@step()
def perspective_words(
    study: Study,
    perspectives: Mapping[str, Perspective],
    matrix: DecisionMatrix,
    gazetteer: Gazetteer,
) -> tuple[PerspectiveWords, ...]:
    """Perspectives as reports show them, with the weight of each criterion."""
    words = []
    # A study that measures no impacts may name neither.
    fields = {"crossing": "border_crossing", "capital": "capital"}
    asked = {blank: getattr(study, field) for blank, field in fields.items()}
    names: dict[str, Value] = {
        blank: gazetteer.find(place, fields[blank]).name for blank, place in asked.items() if place is not None
    }
    packaged = (study.sources.perspectives or "").startswith(PACKAGED)
    for name, view in perspectives.items():
        shares = _shares(view, matrix)
        said = view.weights_from
        for blank, field in fields.items():
            said = said.replace(f"{{{blank}}}", str(names.get(blank, field.replace("_", " "))))
        own = not packaged or name in study.perspectives
        origin: Value = said if own else Message(f"weights_from.{name}", names, fallback=said)
        words.append(PerspectiveWords(name, view.label, origin, shares))
    return tuple(words)


def _shares(view: Perspective, matrix: DecisionMatrix) -> dict[str, float]:
    """Weights by criterion; one that the data give nobody a value for leaves its weight to the others of its group."""
    ranked = [panel for panel in matrix.panels if panel.candidate_ids]
    told = tuple(c for c in matrix.criteria if any(c in panel.criteria for panel in ranked))
    groups = {criterion.group for criterion in told}
    alone = any(group not in groups for group, weight in view.group_weights.items() if weight > 0)
    counted = tuple(c for c in matrix.criteria if c in told or (alone and c.group not in groups))
    weights = dict(zip((c.criterion_id for c in counted), resolve_weights(view, counted).values.tolist(), strict=True))
    return {c.criterion_id: weights.get(c.criterion_id, 0.0) for c in matrix.criteria}
