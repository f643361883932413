"""From the metric table to ranks: the decision matrix, and a ranking under each perspective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from corridor.errors import StudyError
from corridor.io.read.inputs import Gazetteer
from corridor.mcda.counting import count_first_places, telling_weight
from corridor.mcda.matrix import DecisionMatrix, build_matrix
from corridor.mcda.perspectives import Perspective, build_perspective, general_perspectives, load_perspectives
from corridor.mcda.rank import rank_alternatives
from corridor.mcda.weights import resolve_weights
from corridor.pipeline.graph import each, step
from corridor.schema.criterion import Criterion
from corridor.schema.message import Message, Value
from corridor.schema.regime import Regime
from corridor.schema.results import FirstPlaces, IfOpened, PanelFacts, PerspectiveWords
from corridor.schema.study import PACKAGED, Study


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
        StudyError: its default is none of them.
        ScoringError: one of them has faults.
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
        found.append(PanelFacts(panel.regime_id, panel.kind, panel.candidate_ids, silent, shares))
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
