"""From the metric table to ranks: the decision matrix, and a ranking under each perspective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from corridor.errors import StudyError
from corridor.mcda.matrix import DecisionMatrix, build_matrix
from corridor.mcda.perspectives import Perspective, build_perspective, load_perspectives
from corridor.mcda.rank import rank_alternatives
from corridor.mcda.weights import resolve_weights
from corridor.pipeline.graph import each, step
from corridor.schema.criterion import Criterion
from corridor.schema.results import PerspectiveWords
from corridor.schema.study import Study


@step(says="ranking")
def matrix(metrics: pd.DataFrame, criteria: Sequence[Criterion]) -> DecisionMatrix:
    """Alternatives by criteria."""
    return build_matrix(metrics, criteria)


@step()
def perspectives(study: Study) -> dict[str, Perspective]:
    """Perspectives of the study's file and its own, by id.

    Raises:
        StudyError: its default is none of them.
        ScoringError: one of them has faults.
    """
    found = load_perspectives(study.path(study.sources.perspectives))
    found |= {key: build_perspective(key, fields, study.id) for key, fields in study.perspectives.items()}
    if study.default_perspective not in found:
        raise StudyError(
            f"{study.id}: default_perspective: '{study.default_perspective}' is none of {', '.join(found)}"
        )
    return found


@each(gives="rankings")
def ranking_of(perspective: Perspective, matrix: DecisionMatrix) -> pd.DataFrame:
    """Alternatives from best to worst under a perspective, by weighted sum."""
    return rank_alternatives(matrix, perspective)


@step()
def perspective_words(perspectives: Mapping[str, Perspective], matrix: DecisionMatrix) -> tuple[PerspectiveWords, ...]:
    """Perspectives as reports show them, with the weight of each criterion."""
    words = []
    for name, view in perspectives.items():
        weights = resolve_weights(view, matrix.criteria)
        shares = dict(zip((c.criterion_id for c in matrix.criteria), np.asarray(weights.values).tolist(), strict=True))
        words.append(PerspectiveWords(name, view.label, view.weights_from, shares))
    return tuple(words)
