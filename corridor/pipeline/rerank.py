"""Rank results again from their folder, under other perspectives, weights or methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from corridor.errors import ScoringError, SourceError
from corridor.input_files import read_json, require_file
from corridor.mcda.matrix import DecisionMatrix, build_matrix
from corridor.mcda.methods import DEFAULT_METHOD
from corridor.mcda.rank import rank_alternatives
from corridor.mcda.review import Review, review_matrix
from corridor.mcda.weights import parse_weights
from corridor.pipeline.comparing import comparison_graph
from corridor.pipeline.graph import Run
from corridor.pipeline.steps import ranking
from corridor.plugins import nearest_name
from corridor.report.escape import clean_line
from corridor.report.i18n import render
from corridor.report.plain_tables import unquote_formula
from corridor.schema.criterion import Criterion

_MAX_MANIFEST_BYTES, _MAX_TABLE_BYTES, _MAX_HEADER = 20_000_000, 200_000_000, 1_000_000
_Number = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False, strict=True)]
_Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(clean_line)]


def _with_alias(row: object) -> object:
    """A criterion of a manifest, whose ``criterion_id`` is ``id`` in a study."""
    if not isinstance(row, dict) or "criterion_id" not in row:
        return row
    return {"id" if key == "criterion_id" else key: value for key, value in row.items()}


class _Saved(BaseModel):
    """What of a manifest a ranking hangs on; everything else in it is let be."""

    criteria: Annotated[tuple[Annotated[Criterion, BeforeValidator(_with_alias)], ...], Field(min_length=1)]
    perspectives: dict[_Name, dict[_Name, _Number]]
    default_perspective: _Name
    as_if_opened: bool = False


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
        as_if_opened: bool = False,
    ) -> pd.DataFrame:
        """Candidates from best to worst, as :meth:`corridor.Comparison.rank` gives them.

        Args:
            perspective: whose interest; the study's own by default.
            weights: weights of criteria or groups instead of a perspective.
            method: how values are combined: an id of :func:`corridor.mcda.methods.method_ids`.
            as_if_opened: rank under rules that allow no transit as if they did.

        Returns:
            A row per alternative: rank, score, contributions, and the reason where it isn't ranked.

        Raises:
            ScoringError: unknown perspective, criterion or method, or weights that can't be used.
        """
        return rank_alternatives(self._matrix(as_if_opened), self._weights(perspective, weights), method)

    def robustness(
        self,
        perspective: str | None = None,
        *,
        weights: Mapping[str, float] | None = None,
        method: str = DEFAULT_METHOD,
        draws: int = 10_000,
        seed: int = 0,
        as_if_opened: bool = False,
    ) -> tuple[Review, ...]:
        """How firm a ranking is, as :meth:`corridor.Comparison.robustness` says it.

        Args:
            perspective: whose ranking is put to the test; the study's own by default.
            weights: weights of criteria or groups instead of a perspective.
            method: how values are combined.
            draws: how many weights and metrics are drawn.
            seed: of the draws; the same seed gives the same answer.
            as_if_opened: as in :meth:`rank`.

        Returns:
            One review per panel (regime, and through routes or comparators); two where metrics are undetermined, one at
            each end.

        Raises:
            ScoringError: as :meth:`rank`.
        """
        matrix, chosen = self._matrix(as_if_opened), self._weights(perspective, weights)
        return review_matrix(matrix, chosen, method=method, draws=draws, seed=seed)

    def _matrix(self, as_if_opened: bool) -> DecisionMatrix:
        return build_matrix(self.metrics, self.matrix.criteria, as_if_opened=True) if as_if_opened else self.matrix

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
    for name in ("manifest.json", "metrics.csv"):
        if not (folder / name).exists():
            raise SourceError(f"{folder}: has no {name}; give the folder that `corridor run` wrote")
    said = read_json(folder / "manifest.json", "manifest of `corridor run`", _MAX_MANIFEST_BYTES)
    try:
        saved = _Saved.model_validate(said)
    except ValidationError as faults:
        first = faults.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:80]
        raise SourceError(
            f"{folder}: its manifest.json isn't what `corridor run` writes ({where}: {first['msg']}); run it again"
        ) from faults
    metrics = _read_metrics(folder / "metrics.csv")
    given = {"metrics": metrics, "criteria": saved.criteria, "as_if_opened": saved.as_if_opened}
    run = Run(comparison_graph(), given)
    return SavedResults(folder, metrics, run[ranking.matrix], saved.perspectives, saved.default_perspective)


def _read_metrics(path: Path) -> pd.DataFrame:
    """The metric table of a results folder: texts as they were, also where they read ``nan``."""
    require_file(path, "metric table", _MAX_TABLE_BYTES)
    try:
        with path.open(encoding="utf-8-sig") as stream:
            header = stream.readline(_MAX_HEADER)
        if ";" in header and "," not in header:
            raise SourceError(f"{path}: its cells are parted by semicolons; save it with commas, or run it again")
        ids = {"candidate_id": str, "regime_id": str, "name": str, "candidate_name": str}
        table = pd.read_csv(path, dtype=ids, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (ValueError, MemoryError) as fault:
        if isinstance(fault, SourceError):
            raise
        raise SourceError(f"{path.parent}: its metrics.csv isn't what `corridor run` writes; run it again") from fault
    for column in table.select_dtypes(["object", "string"]):
        table[column] = [unquote_formula(value) if isinstance(value, str) else value for value in table[column]]
    return table


def rerank(
    folder: Path, *, perspective: str | None, weights: str | None, method: str, as_if_opened: bool = False
) -> pd.DataFrame:
    """Rank a results folder; ``weights`` (``name=number,...``, groups or criteria) beats ``perspective``.

    Raises:
        ScoringError: unknown perspective, criterion or method, or weights that can't be used.
        SourceError: see :func:`load_results`.
    """
    found = load_results(folder)
    return found.rank(perspective, weights=_parsed(weights), method=method, as_if_opened=as_if_opened)


def review_sentences(
    folder: Path,
    *,
    perspective: str | None,
    weights: str | None,
    method: str,
    draws: int,
    seed: int,
    as_if_opened: bool = False,
) -> list[str]:
    """How firm the ranking is, in sentences, panel by panel."""
    found = load_results(folder)
    reviews = found.robustness(
        perspective, weights=_parsed(weights), method=method, draws=draws, seed=seed, as_if_opened=as_if_opened
    )
    return [
        f"{review.panel.regime_id or 'all'}, {review.panel.kind}: {render(message)}"
        for review in reviews
        for message in review.messages()
    ]


def _parsed(weights: str | None) -> dict[str, float] | None:
    return None if weights is None else parse_weights(weights)
