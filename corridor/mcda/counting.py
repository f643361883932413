"""What is counted of rankings: which criteria tell routes apart, and who comes first how often.

A ranking is counted by its inputs, the criteria matrix and the weights: the same inputs under another perspective or
set of rules are the same ranking said again and count once; equal orders from different inputs count each.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from corridor.mcda.matrix import DecisionMatrix, Panel
from corridor.mcda.methods import DEFAULT_METHOD
from corridor.mcda.rank import rank_intervals
from corridor.mcda.weights import WeightsLike, panel_weights
from corridor.schema.results import FirstPlaces
from corridor.schema.vocabulary import FirstPlace, PanelKind

Floats = NDArray[np.float64]

_DIGITS = 9


def telling_weight(panel: Panel, weights: WeightsLike) -> float:
    """Share of the weight that lies on criteria which tell the alternatives of a panel apart, 0 to 1.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in ranking.
    """
    return float(panel_weights(panel, weights).values[panel.tells_apart].sum())


def silent_criteria(matrix: DecisionMatrix) -> tuple[str, ...]:
    """Criteria that tell through routes apart in no regime, by id; none where no panel has two of them.

    Args:
        matrix: From :func:`corridor.mcda.matrix.build_matrix`.
    """
    panels = [p for p in matrix.panels if p.kind == PanelKind.THROUGH and len(p.candidate_ids) > 1]
    telling = {
        key for panel in panels for key, tells in zip(panel.criterion_ids, panel.tells_apart, strict=True) if tells
    }
    return tuple(c.criterion_id for c in matrix.criteria if panels and c.criterion_id not in telling)


def count_first_places(
    matrix: DecisionMatrix, perspectives: Mapping[str, WeightsLike], method: str = DEFAULT_METHOD
) -> FirstPlaces:
    """Who comes first how often, over distinct rankings of through routes.

    Rankings of fewer than two routes aren't counted. A first place that is shared, or that undetermined metrics leave
    open between several, is split evenly, so that shares sum to 1.

    Args:
        matrix: From :func:`corridor.mcda.matrix.build_matrix`.
        perspectives: Weights by name.
        method: Id of a ranking method.
    """
    seen: set[bytes] = set()
    count, repeated = 0, 0
    shares: dict[str, float] = {}
    sure: dict[str, int] = {}
    best: dict[str, int] = {}
    for weights in perspectives.values():
        for panel in matrix.panels:
            if panel.kind != PanelKind.THROUGH or len(panel.candidate_ids) < 2:
                continue
            # Regimes that change nothing and perspectives with like weights repeat a ranking; counted twice, it would
            # seem twice as sure.
            key = _inputs(panel, panel_weights(panel, weights).values)
            if key in seen:
                repeated += 1
                continue
            seen.add(key)
            count += 1
            places = rank_intervals(panel, weights, method).first
            leading = [who for who, place in zip(panel.candidate_ids, places, strict=True) if place != FirstPlace.NO]
            for who, place in zip(panel.candidate_ids, places, strict=True):
                if place != FirstPlace.NO:
                    # A first place that several may take is shared out evenly, so that each ranking counts for 1 in
                    # all.
                    shares[who] = shares.get(who, 0.0) + 1.0 / len(leading)
                    counts = sure if place == FirstPlace.FOR_SURE else best
                    counts[who] = counts.get(who, 0) + 1
    return FirstPlaces(count, repeated, {who: share / count for who, share in shares.items()}, sure, best)


def _inputs(panel: Panel, weights: Floats) -> bytes:
    """All that ranks follow from: who, by which criteria, with which metrics and which weights."""
    # Rows go by id, so that the same routes in another order are the same input.
    order = sorted(range(len(panel.candidate_ids)), key=lambda row: panel.candidate_ids[row])
    # An undetermined metric has no value of its own: its bounds stand for it. The bounds of the others play no part in
    # ranks.
    known = np.where(panel.undetermined, 0.0, panel.metrics)
    ends = [np.where(panel.undetermined, bound, 0.0) for bound in (panel.low, panel.high)]
    # Adding 0.0 turns -0.0 into 0.0: the two are equal, but their bytes are not.
    numbers = [*(np.round(table[order], _DIGITS) + 0.0 for table in (known, *ends)), np.round(weights, _DIGITS) + 0.0]
    who = "\n".join((*(panel.candidate_ids[row] for row in order), *panel.criterion_ids))
    lost = np.asarray(panel.may_be_lost[order], dtype=np.float64)
    return b"\0".join([who.encode(), *(np.ascontiguousarray(table).tobytes() for table in (*numbers, lost))])
