"""Rank results again from their folder, under other perspectives, weights or methods."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from corridor.errors import ScoringError, SourceError
from corridor.mcda.matrix import DecisionMatrix
from corridor.mcda.methods import DEFAULT_METHOD
from corridor.mcda.rank import rank_alternatives
from corridor.mcda.review import Review, review_matrix
from corridor.mcda.weights import parse_weights
from corridor.pipeline.comparing import comparison_graph
from corridor.pipeline.graph import Run
from corridor.pipeline.steps import ranking
from corridor.plugins import nearest_name
from corridor.report.i18n import render
from corridor.schema.criterion import Criterion


@dataclass(frozen=True)
class SavedResults:
    """Results in a folder, to look at and to rank again.

    ``metrics`` is the metric table; ``weights_of`` the weights by criterion of each perspective of the run, of which
    ``default_perspective`` is the study's own.
    """

    folder: Path
    metrics: pd.DataFrame
    matrix: DecisionMatrix
    weights_of: Mapping[str, Mapping[str, float]]
    default_perspective: str

    def __repr__(self) -> str:
        candidates = self.metrics["candidate_id"].nunique() if "candidate_id" in self.metrics else 0
        return f"<SavedResults {self.folder}: {candidates} candidates, {len(self.weights_of)} perspectives>"

    @property
    def perspectives(self) -> tuple[str, ...]:
        """Names that :meth:`rank` takes."""
        return tuple(self.weights_of)

    def rank(
        self,
        perspective: str | None = None,
        *,
        weights: Mapping[str, float] | None = None,
        method: str = DEFAULT_METHOD,
    ) -> pd.DataFrame:
        """Candidates from best to worst, as :meth:`corridor.Comparison.rank` gives them.

        Args:
            perspective: whose interest; the study's own by default.
            weights: weights of criteria or groups instead of a perspective.
            method: how values are combined: an id of :func:`corridor.mcda.methods.method_ids`.

        Returns:
            A row per alternative: rank, score, contributions, and the reason where it isn't ranked.

        Raises:
            ScoringError: unknown perspective, criterion or method, or weights that can't be used.
        """
        return rank_alternatives(self.matrix, self._weights(perspective, weights), method)

    def robustness(
        self,
        perspective: str | None = None,
        *,
        weights: Mapping[str, float] | None = None,
        method: str = DEFAULT_METHOD,
        draws: int = 10_000,
        seed: int = 0,
    ) -> tuple[Review, ...]:
        """How firm a ranking is, as :meth:`corridor.Comparison.robustness` says it.

        Args:
            perspective: whose ranking is put to the test; the study's own by default.
            weights: weights of criteria or groups instead of a perspective.
            method: how values are combined.
            draws: how many weights and metrics are drawn.
            seed: of the draws; the same seed gives the same answer.

        Returns:
            One review per panel (regime, and through routes or comparators).

        Raises:
            ScoringError: as :meth:`rank`.
        """
        return review_matrix(self.matrix, self._weights(perspective, weights), method=method, draws=draws, seed=seed)

    def _weights(self, perspective: str | None, weights: Mapping[str, float] | None) -> Mapping[str, float]:
        if weights is not None:
            return weights
        wanted = perspective or self.default_perspective
        if wanted not in self.weights_of:
            near = nearest_name(wanted, list(self.weights_of))
            raise ScoringError(f"perspective '{wanted}' is unknown{near}; there are: {', '.join(self.weights_of)}")
        return self.weights_of[wanted]


def load_results(folder: str | Path) -> SavedResults:
    """Read what a run left in a folder, so far as it takes to rank it again.

    Args:
        folder: that ``corridor run`` or :meth:`corridor.Comparison.write` wrote.

    Returns:
        The metric table and the perspectives of that run.

    Raises:
        SourceError: the folder holds no results of this tool, or they were changed into something unreadable.
    """
    folder = Path(folder)
    manifest, table = folder / "manifest.json", folder / "metrics.csv"
    for path in (manifest, table):
        if not path.is_file():
            raise SourceError(f"{folder}: has no {path.name}; give the folder that `corridor run` wrote")
    try:
        said = json.loads(manifest.read_text(encoding="utf-8"))
        known = {field.name for field in fields(Criterion)}
        criteria = [Criterion(**{key: value for key, value in row.items() if key in known}) for row in said["criteria"]]
        views = {
            str(name): {str(k): float(v) for k, v in weights.items()} for name, weights in said["perspectives"].items()
        }
        metrics = pd.read_csv(table, dtype={"candidate_id": str, "regime_id": str})
        default = str(said["default_perspective"])
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise SourceError(
            f"{folder}: its manifest.json or metrics.csv isn't what `corridor run` writes; run it again"
        ) from fault
    run = Run(comparison_graph(), {"metrics": metrics, "criteria": tuple(criteria)})
    return SavedResults(folder, metrics, run[ranking.matrix], views, default)


def rerank(folder: Path, *, perspective: str | None, weights: str | None, method: str) -> pd.DataFrame:
    """Rank a results folder; ``weights`` (``name=number,...``, groups or criteria) beats ``perspective``.

    Raises:
        ScoringError: unknown perspective, criterion or method, or weights that can't be used.
        SourceError: see :func:`load_results`.
    """
    return load_results(folder).rank(perspective, weights=_parsed(weights), method=method)


def review_sentences(
    folder: Path, *, perspective: str | None, weights: str | None, method: str, draws: int, seed: int
) -> list[str]:
    """How firm the ranking is, in sentences, panel by panel."""
    found = load_results(folder)
    reviews = found.robustness(perspective, weights=_parsed(weights), method=method, draws=draws, seed=seed)
    return [
        f"{review.panel.regime_id or 'all'}, {review.panel.kind}: {render(message)}"
        for review in reviews
        for message in review.messages()
    ]


def _parsed(weights: str | None) -> dict[str, float] | None:
    return None if weights is None else parse_weights(weights)
