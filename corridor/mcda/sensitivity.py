"""Global sensitivity of the winner's margin: which inputs it hangs on (SALib)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.matrix import Panel
from corridor.mcda.perspectives import WeightsLike, panel_weights
from corridor.mcda.rank import score

Floats = NDArray[np.float64]

Screening = Literal["sobol", "morris"]


def winner_margin(panel: Panel, weights: WeightsLike, candidate_id: str, *, metrics: Floats | None = None) -> Floats:
    """Lead by weighted sum of one alternative over the best of the others; negative where it is not first.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
        candidate_id: Whose lead.
        metrics: Other metrics than the panel's own, ``(..., n, m)``.

    Raises:
        ScoringError: the candidate is not in the panel, or it is alone there.
    """
    if candidate_id not in panel.candidate_ids or len(panel.candidate_ids) < 2:
        raise ScoringError(f"margin: '{candidate_id}' has nobody to be compared with here")
    who = panel.candidate_ids.index(candidate_id)
    scores = score(panel, panel_weights(panel, weights).values, metrics=metrics)
    return np.asarray(scores[..., who] - np.delete(scores, who, axis=-1).max(axis=-1))


def measure_sensitivity(
    model: Callable[[Mapping[str, float]], float],
    ranges: Mapping[str, tuple[float, float]],
    *,
    screening: Screening = "sobol",
    samples: int = 256,
    seed: int = 0,
) -> pd.DataFrame:
    """Share the variation of a model's answer out over its inputs.

    ``sobol`` gives variance shares (Saltelli 2010, doi:10.1016/j.cpc.2009.09.018): ``first`` of the input alone and
    ``total`` with all its interactions, from ``samples * (inputs + 2)`` runs. ``morris`` gives mean absolute
    elementary effects ``mu_star`` and their spread ``sigma`` (Morris 1991, doi:10.1080/00401706.1991.10484804) from
    ``samples * (inputs + 1)`` runs: cheaper, for a ranking of inputs only.

    Args:
        model: From input values to one number, such as a margin.
        ranges: Lower and upper end per input (unit costs, speeds, check times, error of heights).
        screening: ``sobol`` or ``morris``.
        samples: Base samples; a power of two for ``sobol``.
        seed: Any whole number from 0 on.

    Returns:
        One row per input, the most influential first, with ``_conf`` columns (95 %, from resampling). All zero
        where the answer never changes.

    Raises:
        ScoringError: a range that is empty or upside down, samples that don't suit, SALib not installed, or an
            answer that is not a finite number.
    """
    for name, (low, high) in ranges.items():
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ScoringError(f"sensitivity: the range of '{name}' is {low:g} to {high:g}: it must rise")
    if not ranges or samples < 2 or seed < 0:
        raise ScoringError("sensitivity: needs an input, at least 2 samples and a seed of 0 or more")
    if screening == "sobol" and samples & (samples - 1):
        raise ScoringError(f"sensitivity: {samples} samples is not a power of two, which sobol needs")
    if screening not in ("sobol", "morris"):
        raise ScoringError(f"sensitivity: '{screening}' is unknown: use 'sobol' or 'morris'")
    names = list(ranges)
    problem = {"num_vars": len(names), "names": names, "bounds": [list(ranges[name]) for name in names]}
    inputs = _sample(problem, screening, samples, seed)
    answers = np.array([float(model(dict(zip(names, row.tolist(), strict=True)))) for row in inputs])
    if not np.isfinite(answers).all():
        raise ScoringError("sensitivity: the model gave an answer that is not a finite number")
    columns = ("total", "total_conf", "first", "first_conf")
    if screening == "morris":
        columns = ("mu_star", "mu_star_conf", "mu", "sigma")
    # Shares of no variance are 0 / 0; nothing moves the answer, so every input moves it by nothing.
    if np.ptp(answers) == 0:
        found = {column: np.zeros(len(names)) for column in columns}
    else:
        found = _analyse(problem, screening, inputs, answers, seed)
    table = pd.DataFrame({"input": names} | {column: found[column] for column in columns})
    return table.sort_values(columns[0], ascending=False, kind="stable", ignore_index=True)


def measure_interval_sensitivity(
    panel: Panel,
    weights: WeightsLike,
    *,
    screening: Screening = "sobol",
    samples: int = 256,
    seed: int = 0,
) -> pd.DataFrame:
    """Which of the inputs behind the metrics' intervals the winner's lead hangs on.

    Criteria that name the same factor (unit costs, speeds, check times, heights) move together, all alternatives at
    once, from their low ends (0) over the metrics themselves (0.5) to their high ends (1); a criterion without a factor
    is an input of its own.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
        screening: ``sobol`` or ``morris``.
        samples: Base samples; a power of two for ``sobol``.
        seed: Any whole number from 0 on.

    Returns:
        As :func:`measure_sensitivity`; empty where no metric has an interval.

    Raises:
        ScoringError: fewer than two alternatives, or weights that can't be used.
    """
    if len(panel.candidate_ids) < 2:
        raise ScoringError(f"sensitivity: {panel.label}: fewer than two are ranked, so nobody leads")
    moving = np.any(panel.high > panel.low, axis=0)
    # Criteria of one factor are one input, as they move together.
    inputs = [c.factor or c.criterion_id for c in panel.criteria]
    names = list(dict.fromkeys(name for name, moves in zip(inputs, moving, strict=True) if moves))
    scores = score(panel, panel_weights(panel, weights).values)
    winner = panel.candidate_ids[int(np.argmax(scores))]

    def margin(at: Mapping[str, float]) -> float:
        share = np.array([at.get(name, 0.5) for name in inputs])
        # share 0 is the low end, 0.5 the metric itself, 1 the high end: two straight pieces, since a metric need not
        # lie in the middle of its interval.
        below, above = np.clip(1 - 2 * share, 0, 1), np.clip(2 * share - 1, 0, 1)
        metrics = panel.metrics + below * (panel.low - panel.metrics) + above * (panel.high - panel.metrics)
        return float(winner_margin(panel, weights, winner, metrics=metrics))

    if not names:
        return pd.DataFrame(columns=["input", "total", "total_conf", "first", "first_conf"])
    ranges = dict.fromkeys(names, (0.0, 1.0))
    return measure_sensitivity(margin, ranges, screening=screening, samples=samples, seed=seed)


def join_ends_of(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table of sensitivities from those at the ends of what is undetermined.

    Args:
        tables: from :func:`measure_interval_sensitivity`, the one whose indices stand first.

    Returns:
        The first, with ``<index>_low`` and ``<index>_high``: the least and the greatest of its first index over all; an
        input that moves nothing at an end counts 0 there. One table alone stays as it is.
    """
    first, *others = tables
    if not others:
        return first
    index = str(first.columns[1])
    inputs = dict.fromkeys(name for table in tables for name in table["input"])
    # An input that is certain at one of the ends moves nothing there.
    shares = pd.DataFrame(
        {at: table.set_index("input")[index].astype(float) for at, table in enumerate(tables)}, index=list(inputs)
    ).fillna(0.0)
    found = first.set_index("input").reindex(list(inputs)).astype(float).fillna(0.0)
    found.insert(1, f"{index}_low", shares.min(axis=1))
    found.insert(2, f"{index}_high", shares.max(axis=1))
    return found.rename_axis("input").reset_index()


def _sample(problem: dict[str, Any], screening: Screening, samples: int, seed: int) -> Floats:
    try:
        sampler = import_module(f"SALib.sample.{screening}")
    except ImportError as error:
        raise ScoringError("sensitivity needs SALib: install it with pip install SALib") from error
    # A generator, because SALib takes the number 0 for "no seed" in places.
    options = {"calc_second_order": False} if screening == "sobol" else {}
    drawn = sampler.sample(problem, samples, seed=np.random.default_rng(seed), **options)
    return np.asarray(drawn, dtype=float)


def _analyse(
    problem: dict[str, Any], screening: Screening, inputs: Floats, answers: Floats, seed: int
) -> dict[str, Floats]:
    analyser = import_module(f"SALib.analyze.{screening}")
    rng = np.random.default_rng([seed, 1])
    if screening == "morris":
        found = analyser.analyze(problem, inputs, answers, seed=rng)
        return {name: np.asarray(found[name], dtype=float) for name in ("mu_star", "mu_star_conf", "mu", "sigma")}
    found = analyser.analyze(problem, answers, calc_second_order=False, seed=rng)
    keys = {"total": "ST", "total_conf": "ST_conf", "first": "S1", "first_conf": "S1_conf"}
    return {name: np.asarray(found[key], dtype=float) for name, key in keys.items()}
