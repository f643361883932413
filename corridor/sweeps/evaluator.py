"""One task after another on the same data: what a task's values don't change is taken from the tasks before."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from corridor.errors import CorridorError
from corridor.pipeline.comparing import FROM_FILES, comparison_graph
from corridor.pipeline.graph import Run
from corridor.pipeline.steps import impacts, inputs, ranking
from corridor.sweeps.factor import Value
from corridor.sweeps.vary import Vary


class SweepEvaluator:
    """A study, its data and a sweep's factors: all that a worker needs, sent to it once.

    :meth:`evaluate` is a function of its values alone; what it keeps from earlier calls only saves time. What is kept
    stays in the process where it arose.

    Args:
        given: values of the comparison's graph by name, so many that no file is left to read.
        vary: which inputs vary, and how.
    """

    def __init__(self, given: Mapping[str, Any], vary: Vary) -> None:
        self.given = dict(given)
        self.vary = vary
        self._start()

    def _start(self) -> None:
        self.run = Run(comparison_graph(), self.given)
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {"given": self.given, "vary": self.vary}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()

    @property
    def metric_columns(self) -> tuple[str, ...]:
        """Metrics that results keep: the scored ones, then those that the sweep asks for."""
        return tuple(dict.fromkeys([*(c.metric for c in self.run[inputs.criteria]), *self.vary.metrics]))

    def evaluate(self, values: Mapping[str, Value]) -> pd.DataFrame:
        """One comparison with the factors at these values: a row per candidate and regime, from the study's order.

        Columns: candidate_id, regime_id, panel, fault, the metrics with ``<metric>_status`` where there is one, and
        ``rank:``, ``score:`` for each perspective. A comparison that can't be made (no way is left, say) has one row
        whose ``fault`` says why.

        Args:
            values: of each factor, by its name.
        """
        with self._lock:
            try:
                return self._shaped(self._compared(self.run_at(values)))
            except CorridorError as fault:
                return self._shaped(pd.DataFrame({"fault": [" ".join(str(fault).split())]}))

    def run_at(self, values: Mapping[str, Value]) -> Run:
        """The comparison with the factors at these values; it shares what it can with the others.

        Args:
            values: of each factor, by its name.
        """
        # Each factor replaces some inputs, and what doesn't hang on them is shared with the runs before.
        run = self.run
        for name, factor in self.vary.factors.items():
            run = run.replace(**factor.replaced(run, values[name]))
        return run

    def _compared(self, run: Run) -> pd.DataFrame:
        """Metrics that are kept, and ranks and scores beside them."""
        metrics, keys = run[impacts.metrics], ["candidate_id", "regime_id"]
        if "regime_id" not in metrics:
            metrics = metrics.assign(regime_id="")
        kept = [*keys, *self.metric_columns, *(f"{name}_status" for name in self.metric_columns)]
        table = metrics[[name for name in kept if name in metrics]].assign(fault="")
        for name, ranking_table in run[ranking.ranking_of].items():
            # Where metrics are undetermined a rank is the best that they leave possible, a score the greatest.
            best = {"rank_best": f"rank:{name}", "score_high": f"score:{name}"}
            ranked = ranking_table.drop(columns=["rank", "score"]).rename(columns=best)
            wanted = [*keys, f"rank:{name}", f"score:{name}"]
            if "panel" not in table:
                wanted += ["panel", "reason"]
            table = table.merge(ranked[wanted], on=keys, how="left", validate="one_to_one")
        return table

    def _shaped(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table with the same columns and types whatever happened."""
        texts = ["candidate_id", "regime_id", "panel", "fault", "reason"]
        texts += [f"{name}_status" for name in self.metric_columns]
        numbers = list(self.metric_columns)
        numbers += [f"{what}:{name}" for name in self.run[ranking.perspectives] for what in ("rank", "score")]
        frame = pd.DataFrame(index=table.index)
        for name in texts:
            column = table[name] if name in table else pd.Series("", index=table.index)
            frame[name] = column.fillna("").astype(str)
        for name in numbers:
            column = table[name] if name in table else pd.Series(np.nan, index=table.index)
            frame[name] = column.astype("Float64").astype(float)
        return frame


def build_evaluator(run: Run, vary: Vary) -> SweepEvaluator:
    """Everything that the tasks of a sweep need, with no file left to read.

    Error draws of the comparison itself are left out: in a sweep heights vary as a factor, or not at all.

    Args:
        run: a comparison, whose data is read now.
        vary: which inputs vary, and how.

    Raises:
        CorridorError: study or data can't be used.
    """
    plain = {"elevation": run[inputs.elevation].model_copy(update={"draws": 0})}
    return SweepEvaluator(run.pinned(FROM_FILES) | plain, vary)


def evaluate_task(evaluator: SweepEvaluator, values: Mapping[str, Value]) -> tuple[pd.DataFrame, float]:
    """What a worker does: one comparison, and the seconds it took.

    Args:
        evaluator: the sweep's.
        values: of each factor, by its name.
    """
    started = time.perf_counter()
    return evaluator.evaluate(values), time.perf_counter() - started
