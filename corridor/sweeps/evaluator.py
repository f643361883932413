"""One task after another on the same data: what a task's values don't change is taken from the task before."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import shapely

from corridor.errors import CorridorError
from corridor.interactions.regime_effects import applicable_regimes
from corridor.io.read.inputs import Inputs, find_place
from corridor.mcda.matrix import build_matrix
from corridor.mcda.perspectives import Perspective
from corridor.mcda.rank import rank_alternatives
from corridor.metrics.assess import study_regimes
from corridor.metrics.impact_baseline import ImpactBaseline, build_impact_baseline, measure_under
from corridor.metrics.registry import Context
from corridor.network.conflation import ConflatedWays, Conflation, build_on_ways, conflate
from corridor.pipeline.stages import (
    build_candidates,
    focus_region,
    judge_study_grades,
    measure_lines,
    price_lines,
    silent,
    study_perspectives,
    with_impacts,
)
from corridor.schema.candidate import Candidate
from corridor.schema.criterion import Criterion
from corridor.schema.regime import Regime
from corridor.schema.study import Study
from corridor.sweeps.case import LAYOUT, LINES, NETWORK, TERRAIN, Case, Stage, Value
from corridor.sweeps.plan import shared_values
from corridor.sweeps.vary import Vary
from corridor.terrain.profile import build_profile

Kept = TypeVar("Kept")
_KEEP = {"layout": 1, "network": 1, "lines": 1, "terrain": 64, "regime": 4096}


@dataclass(frozen=True)
class _Lines:
    """Candidates on a network, and what they meet."""

    assembly: Conflation
    candidates: list[Candidate]
    survey: ImpactBaseline | None


class SweepEvaluator:
    """A study, its data and a sweep's factors: all that a worker needs, sent to it once.

    :meth:`evaluate` is a function of its values alone; what it keeps from earlier calls only saves time. What is kept
    stays in the process where it arose.
    """

    def __init__(self, case: Case, vary: Vary, perspectives: dict[str, Perspective], focus: shapely.Geometry) -> None:
        self.case = case
        self.vary = vary
        self.perspectives = perspectives
        self.criteria: tuple[Criterion, ...] = tuple(spec.build() for spec in case.study.criteria)
        self._focus = focus
        self._start()

    def _start(self) -> None:
        self._kept: dict[str, OrderedDict[Any, Any]] = {name: OrderedDict() for name in _KEEP}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_kept", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    @property
    def metric_columns(self) -> tuple[str, ...]:
        """Metrics that results keep: the scored ones, then those that the sweep asks for."""
        return tuple(dict.fromkeys([*(c.metric for c in self.criteria), *self.vary.metrics]))

    def evaluate(self, values: Mapping[str, Value]) -> pd.DataFrame:
        """One comparison with the factors at these values: a row per candidate and regime, from the study's order.

        Columns: candidate_id, regime_id, panel, fault, the metrics with ``<metric>_status`` where there is one, and
        ``rank:``, ``score:`` for each perspective. A comparison that can't be made (no way is left, say) has one row
        whose ``fault`` says why.
        """
        with self._lock:
            try:
                return self._compare(values)
            except CorridorError as fault:
                return self._shaped(pd.DataFrame({"fault": [" ".join(str(fault).split())]}))

    def _compare(self, values: Mapping[str, Value]) -> pd.DataFrame:
        case = self.case
        for name, factor in self.vary.factors.items():
            case = factor.apply(case, values[name])
        lines = self._reuse("lines", values, LINES, lambda: self._build_lines(case, values))
        rows = self._reuse("terrain", values, TERRAIN, lambda: self._measure_lines(case, lines))
        metrics = price_lines(rows, lines.candidates, case.inputs)
        if lines.survey is not None:
            metrics = with_impacts(metrics, self._measure_impacts(case, lines, lines.survey, values))
        matrix = build_matrix(metrics, self.criteria)
        keys = ["candidate_id", "regime_id"]
        if "regime_id" not in metrics:
            metrics = metrics.assign(regime_id="")
        kept = [*keys, *self.metric_columns, *(f"{name}_status" for name in self.metric_columns)]
        table = metrics[[name for name in kept if name in metrics]].assign(fault="")
        for name, view in self.perspectives.items():
            ranked = rank_alternatives(matrix, view)
            ranked = ranked.rename(columns={"rank": f"rank:{name}", "score": f"score:{name}"})
            wanted = [*keys, f"rank:{name}", f"score:{name}"]
            if "panel" not in table:
                wanted += ["panel", "reason"]
            table = table.merge(ranked[wanted], on=keys, how="left", validate="one_to_one")
        return self._shaped(table)

    def _build_lines(self, case: Case, values: Mapping[str, Value]) -> _Lines:
        study, inputs = case.study, case.inputs
        slowed = inputs.dem if study.grade_effect else None
        layout: ConflatedWays = self._reuse(
            "layout", values, LAYOUT,
            lambda: conflate(
                inputs.catalogue, inputs.borders, inputs.osm, as_of=study.chosen_baseline.as_of,
                through_classes=study.sources.through_classes, progress=silent,
            ),
        )  # fmt: skip
        assembly: Conflation = self._reuse(
            "network",
            values,
            NETWORK,
            lambda: build_on_ways(layout, inputs.catalogue, inputs.borders, slowed),
        )
        ends = [find_place(getattr(study, end), end, study, inputs) for end in ("origin", "destination")]
        candidates, _ = build_candidates(study, inputs, assembly, ends[0], ends[1])
        survey = (
            build_impact_baseline(study, study.impact, inputs, assembly, candidates, self._focus, silent)
            if study.impact
            else None
        )
        return _Lines(assembly, candidates, survey)

    def _measure_lines(self, case: Case, lines: _Lines) -> list[dict[str, Any]]:
        study, inputs = case.study, case.inputs
        profiles = {
            c.candidate_id: build_profile(c, inputs.dem, inputs.catalogue.grade_ceilings) for c in lines.candidates
        }
        grades = judge_study_grades(study, inputs, lines.assembly)
        return measure_lines(study, inputs, lines.candidates, profiles, grades, self._focus)

    def _measure_impacts(
        self, case: Case, lines: _Lines, survey: ImpactBaseline, values: Mapping[str, Value]
    ) -> pd.DataFrame:
        applicable = applicable_regimes(case.regimes, lines.candidates)
        rows = []
        for candidate in lines.candidates:
            fitting: list[Regime | None] = [
                regime for key, regime in case.regimes.items() if applicable[candidate.candidate_id, key][0]
            ]
            for regime in fitting or [None]:
                # of a regime's figures only those act on the network; the others are added below
                acts = (regime.regime_id, regime.crossing, regime.same_line) if regime else ()
                measure = partial(measure_under, survey, candidate, regime)
                row, _ = self._reuse("regime", values, LINES, measure, candidate.candidate_id, *acts)
                rows.append(row | Context(candidate=candidate, regime=regime).row)
        return pd.DataFrame(rows)

    def _reuse(
        self, step: str, values: Mapping[str, Value], stages: frozenset[Stage], make: Callable[[], Kept], *more: Any
    ) -> Kept:
        """What a step gave for the same values of the factors that it rests on, or its result now."""
        shelf = self._kept[step]
        key = (shared_values(values, self.vary, self.case, stages), *more)
        if key not in shelf:
            shelf[key] = make()
            while len(shelf) > _KEEP[step]:
                shelf.popitem(last=False)
        shelf.move_to_end(key)
        found: Kept = shelf[key]
        return found

    def _shaped(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table with the same columns and types whatever happened."""
        texts = ["candidate_id", "regime_id", "panel", "fault", "reason"]
        texts += [f"{name}_status" for name in self.metric_columns]
        numbers = list(self.metric_columns)
        numbers += [f"{what}:{name}" for name in self.perspectives for what in ("rank", "score")]
        frame = pd.DataFrame(index=table.index)
        for name in texts:
            column = table[name] if name in table else pd.Series("", index=table.index)
            frame[name] = column.fillna("").astype(str)
        for name in numbers:
            column = table[name] if name in table else pd.Series(np.nan, index=table.index)
            frame[name] = column.astype("Float64").astype(float)
        return frame


def build_evaluator(study: Study, inputs: Inputs, vary: Vary) -> SweepEvaluator:
    """Everything that the tasks of a sweep need, with no file left to read.

    Error draws of the comparison itself are left out: in a sweep heights vary as a factor, or not at all.
    """
    regimes = study_regimes(study, study.impact, inputs) if study.impact else {}
    plain = study.model_copy(update={"elevation": study.elevation.model_copy(update={"draws": 0})})
    return SweepEvaluator(Case(plain, inputs, regimes), vary, study_perspectives(study), focus_region(study, inputs))


def evaluate_task(world: SweepEvaluator, values: Mapping[str, Value]) -> tuple[pd.DataFrame, float]:
    """What a worker does: one comparison, and the seconds it took."""
    started = time.perf_counter()
    return world.evaluate(values), time.perf_counter() - started
