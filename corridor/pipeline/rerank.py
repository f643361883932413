"""Rank results again from their folder, under other perspectives, weights or methods."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pandas as pd

from corridor.errors import ScoringError, SourceError
from corridor.mcda.matrix import DecisionMatrix
from corridor.mcda.rank import rank_alternatives
from corridor.mcda.review import review_matrix
from corridor.mcda.weights import parse_weights
from corridor.pipeline.comparing import comparison_graph
from corridor.pipeline.graph import Run
from corridor.pipeline.steps import ranking
from corridor.plugins import nearest_name
from corridor.report.i18n import render
from corridor.schema.criterion import Criterion


def load_results(folder: Path) -> tuple[DecisionMatrix, dict[str, dict[str, float]], str]:
    """The decision matrix of a results folder, its perspectives (weights by criterion) and the default one's name.

    Raises:
        SourceError: the folder holds no results of this tool, or they were changed into something unreadable.
    """
    manifest, table = folder / "manifest.json", folder / "metrics.csv"
    for path in (manifest, table):
        if not path.is_file():
            raise SourceError(f"{folder}: has no {path.name}; give the folder that `corridor run` wrote")
    try:
        run = json.loads(manifest.read_text(encoding="utf-8"))
        known = {field.name for field in fields(Criterion)}
        criteria = [Criterion(**{key: value for key, value in row.items() if key in known}) for row in run["criteria"]]
        views = {
            str(name): {str(k): float(v) for k, v in weights.items()} for name, weights in run["perspectives"].items()
        }
        metrics = pd.read_csv(table, dtype={"candidate_id": str, "regime_id": str})
        default = str(run["default_perspective"])
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise SourceError(
            f"{folder}: its manifest.json or metrics.csv isn't what `corridor run` writes; run it again"
        ) from fault
    run = Run(comparison_graph(), {"metrics": metrics, "criteria": tuple(criteria)})
    return run[ranking.matrix], views, default


def rerank(folder: Path, *, perspective: str | None, weights: str | None, method: str) -> pd.DataFrame:
    """Rank a results folder; ``weights`` (``name=number,...``, groups or criteria) beats ``perspective``.

    Raises:
        ScoringError: unknown perspective, criterion or method, or weights that can't be used.
        SourceError: see :func:`load_results`.
    """
    matrix, views, default = load_results(folder)
    return rank_alternatives(matrix, _weights(views, perspective or default, weights), method)


def review_sentences(
    folder: Path, *, perspective: str | None, weights: str | None, method: str, draws: int, seed: int
) -> list[str]:
    """How firm the ranking is, in sentences, panel by panel."""
    matrix, views, default = load_results(folder)
    chosen = _weights(views, perspective or default, weights)
    reviews = review_matrix(matrix, chosen, method=method, draws=draws, seed=seed)
    return [
        f"{review.panel.regime_id or 'all'}, {review.panel.kind}: {render(message)}"
        for review in reviews
        for message in review.messages()
    ]


def _weights(views: dict[str, dict[str, float]], perspective: str, weights: str | None) -> dict[str, float]:
    if weights is not None:
        return parse_weights(weights)
    if perspective not in views:
        near = nearest_name(perspective, list(views))
        raise ScoringError(f"perspective '{perspective}' is unknown{near}; there are: {', '.join(views)}")
    return views[perspective]
