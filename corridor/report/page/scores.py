"""What the page needs to rank again by itself, exactly as the weighted sum did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from corridor.report.page.tables import OUTSIDE
from corridor.report.view import ReportView
from corridor.schema.column import ends_for_ranks
from corridor.schema.results import PerspectiveWords, Results
from corridor.schema.vocabulary import PanelKind


def build_score_data(view: ReportView) -> dict[str, Any]:
    """Panels with their criteria and metrics, and each perspective as weights of groups and shares within them.

    Numbers keep their full precision. Who takes part in a panel, and by which criteria, is read off the ranking:
    a criterion that was dropped has no contribution there.
    """
    results = view.results
    groups = list(dict.fromkeys(criterion.group for criterion in results.criteria))
    panels = [
        _panel(results, regime, kind) for regime in dict.fromkeys((*view.regime_ids, OUTSIDE)) for kind in PanelKind
    ]
    if view.if_opened is not None:
        opened = view.if_opened
        panels += [
            _panel(opened.results, regime, kind) | {"opened": True}
            for regime in opened.regime_ids
            for kind in PanelKind
        ]
    return {
        "groups": groups,
        "criteria": [
            {
                "id": c.criterion_id,
                "group": c.group,
                "best": c.best,
                "worst": c.worst,
                "shape": c.shape,
                "tolerance": c.tolerance,
                "direction": c.direction,
            }
            for c in results.criteria
        ],
        "panels": [panel for panel in panels if panel["ids"]],
        "perspectives": {p.perspective_id: _perspective(results, p, groups) for p in results.perspectives},
        "default": results.default_perspective,
    }


def _perspective(results: Results, view: PerspectiveWords, groups: Sequence[str]) -> dict[str, Any]:
    """Weights by group, and each criterion's share of its group (equal where the group has no weight)."""
    by_group = {g: [c.criterion_id for c in results.criteria if c.group == g] for g in groups}
    totals = {g: sum(view.weights.get(key, 0.0) for key in ids) for g, ids in by_group.items()}
    within = {
        key: view.weights.get(key, 0.0) / totals[g] if totals[g] > 0 else 1.0 / len(ids)
        for g, ids in by_group.items()
        for key in ids
    }
    return {"groups": totals, "within": within}


def _panel(results: Results, regime_id: str, kind: str) -> dict[str, Any]:
    ranking = results.ranking
    regimes = ranking["regime_id"].fillna("").astype(str)
    first = ranking["perspective"] == results.default_perspective
    rows = ranking[first & (ranking["panel"] == kind) & (regimes == regime_id) & ranking["rank_best"].notna()]
    metrics = results.metrics
    if "regime_id" in metrics.columns and regime_id:
        metrics = metrics[metrics["regime_id"].fillna("").astype(str) == regime_id]
    table = metrics[metrics["candidate_id"].isin(set(rows["candidate_id"]))]
    # A criterion that was dropped has neither a value nor ends for anybody.
    kept = [
        index
        for index, criterion in enumerate(results.criteria)
        if any(_numbers(table, f"{criterion.metric}{end}").notna().any() for end in ("", "_low"))
    ]
    columns = [results.criteria[index].metric for index in kept]
    lost = rows.set_index("candidate_id")["rank_worst"].isna()
    ids = [str(key) for key in table["candidate_id"]]
    facts = [panel for panel in results.panels if (panel.regime_id, panel.panel) == (regime_id, kind)]
    silent = facts[0].silent if facts else ()
    return {
        "regime": regime_id,
        "kind": kind,
        "criteria": kept,
        "ids": ids,
        "metrics": _plain(table, columns, None),
        # Ends of what is undetermined: null in the metrics. An end that can't be reached is null here too.
        "low": _plain(table, columns, 0),
        "high": _plain(table, columns, 1),
        "silent": [index for index in kept if results.criteria[index].criterion_id in silent],
        "lost": [bool(lost[key]) for key in ids],
    }


def _numbers(table: pd.DataFrame, column: str) -> pd.Series:
    empty = pd.Series(float("nan"), index=table.index)
    return pd.to_numeric(table[column], errors="coerce") if column in table.columns else empty


def _plain(table: pd.DataFrame, columns: Sequence[str], end: int | None) -> list[list[float | None]]:
    """Numbers by row and column, or their lesser (0) or greater (1) ends; None where there is none or it is endless."""
    if not columns:
        return [[] for _ in range(len(table))]
    found = np.column_stack(
        [
            (_numbers(table, column) if end is None else ends_for_ranks(table, column)[end]).to_numpy(dtype=float)
            for column in columns
        ]
    )
    return [[float(value) if np.isfinite(value) else None for value in row] for row in found]
