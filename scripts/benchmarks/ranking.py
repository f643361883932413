"""Rank acceptability (SMAA with TOPSIS), beside a loop through pymcdm."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Row, growth_rows, in_turn, name_of
from corridor.mcda.matrix import Panel
from corridor.mcda.robustness import WeightSpace, draw_weights, measure_robustness
from corridor.schema.column import Criterion

SIZES = (1_000, 3_000, 10_000)
ALTERNATIVES, CRITERIA = 24, 12


def random_panel() -> Panel:
    """Both ends present in every column: then the anchors are the minimum and maximum that pymcdm normalises by."""
    values = np.random.default_rng(1).random((ALTERNATIVES, CRITERIA))
    values[0, ::2], values[1, ::2], values[0, 1::2], values[1, 1::2] = 0.0, 1.0, 1.0, 0.0
    criteria = tuple(Criterion(f"c{k}", f"C{k}", f"m{k}", "", "max", "all", 1.0, 0.0) for k in range(CRITERIA))
    names = tuple(f"a{i}" for i in range(ALTERNATIVES))
    return Panel("", "through", names, names, criteria, values, values, values)


def measure(sizes: tuple[int, ...] = SIZES) -> list[Row]:
    """Seconds for so many draws of weights, and the largest difference of an acceptability."""
    from pymcdm.helpers import rankdata
    from pymcdm.methods import TOPSIS

    panel, method, types = random_panel(), TOPSIS(), np.ones(CRITERIA)
    case, rows = "rank acceptability (SMAA, TOPSIS)", []
    times: dict[str, dict[float, float]] = {}
    for draws in sizes:
        weights = draw_weights(panel, WeightSpace(), draws, np.random.default_rng(0).spawn(3)[0])

        def by_pymcdm(weights: np.ndarray = weights, draws: int = draws) -> np.ndarray:
            counts = np.zeros((ALTERNATIVES, ALTERNATIVES))
            for row in weights:
                ranks = rankdata(method(panel.metrics, row, types, validation=False), reverse=True)
                counts[np.arange(ALTERNATIVES), np.asarray(ranks, dtype=int) - 1] += 1
            return counts / draws

        def ours(draws: int = draws) -> np.ndarray:
            return measure_robustness(panel, method="topsis", draws=draws, seed=0).acceptability

        timed = in_turn({"corridor": ours, "pymcdm": by_pymcdm}, 3)
        error = float(np.abs(timed["corridor"].result - timed["pymcdm"].result).max())
        for tool, t in timed.items():
            rows.append(
                Row(
                    case,
                    f"{draws} draws x {ALTERNATIVES} x {CRITERIA}",
                    name_of(tool),
                    t.seconds,
                    t.seconds / timed["corridor"].seconds,
                    result=f"differs by {error:.0e}",
                    goal="same acceptabilities" if tool == "pymcdm" else "",
                    held=error < 1e-12 if tool == "pymcdm" else None,
                )
            )
            times.setdefault(tool, {})[draws] = t.seconds
    return rows + growth_rows(case, "draws", times)
