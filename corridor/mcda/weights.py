"""From what somebody says about importance to one weight per criterion, summing to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.matrix import Panel
from corridor.mcda.perspectives import GROUPS, Perspective
from corridor.plugins import nearest_name
from corridor.schema.criterion import Criterion
from corridor.schema.message import Listing, ListStyle, Message, listing

Floats = NDArray[np.float64]
WeightsLike = Perspective | Mapping[str, float] | Sequence[float] | Floats


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """One weight per criterion, summing to one, and what had to be changed to get there."""

    values: Floats
    notes: tuple[Message, ...] = ()


def parse_weights(text: str) -> dict[str, float]:
    """Read ``distance=0.3,terrain=0.7``.

    Args:
        text: Names of criteria or groups with a number each, separated by commas.

    Raises:
        ScoringError: a part isn't ``name=number``, or a name comes twice.
    """
    weights: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals or not name:
            raise ScoringError(f"weights: '{part}' is not of the form name=number, for example distance=0.3")
        if name in weights:
            raise ScoringError(f"weights: '{name}' is given twice")
        try:
            weights[name] = float(number)
        except ValueError as error:
            raise ScoringError(f"weights: '{number}' for '{name}' is not a number") from error
    if not weights:
        raise ScoringError("weights: nothing is given; write for example distance=0.3,terrain=0.7")
    return weights


def normalise(weights: Mapping[str, float], what: str = "weights") -> tuple[dict[str, float], tuple[Message, ...]]:
    """Make weights sum to one; a note says so where they didn't.

    Args:
        weights: A number per name.
        what: What to call them in a note or an error.

    Returns:
        Weights that sum to one, and notes.

    Raises:
        ScoringError: a weight is negative or not finite, or all are zero.
    """
    for name, weight in weights.items():
        if not np.isfinite(weight):
            raise ScoringError(f"{what}: the weight of '{name}' is not a finite number")
        if weight < 0:
            raise ScoringError(f"{what}: the weight of '{name}' is {weight:g}: weights can't be negative")
    total = float(sum(weights.values()))
    if total <= 0:
        raise ScoringError(f"{what}: all weights are zero: at least one must be above zero")
    # Within rounding of one: divided anyway this would give a note that means nothing.
    if abs(total - 1.0) <= 1e-9:
        return {name: float(weight) for name, weight in weights.items()}, ()
    scaled = {name: float(weight) / total for name, weight in weights.items()}
    return scaled, (Message("note.weights_scaled", {"what": what, "total": f"{total:g}"}),)


def resolve_weights(
    weights: WeightsLike, criteria: Sequence[Criterion], known: Sequence[Criterion] | None = None
) -> Weights:
    """Give every criterion its weight.

    Args:
        weights: A perspective; a mapping of groups *or* of criteria to weights; or one number per criterion of
            ``known``.
        criteria: Those that take part (a panel may have had to drop some).
        known: All criteria of the study: names of these are no mistake even where they take no part. A group
            without a criterion that takes part is dropped, and its weight goes to the others in proportion.

    Raises:
        ScoringError: an unknown name (with the nearest known one), a negative or not finite weight, all zero, or
            nothing left to weigh.
    """
    known = tuple(criteria) if known is None else tuple(known)
    if isinstance(weights, Perspective):
        found = _from_groups(weights.group_weights, criteria, known, weights.within, weights.label)
        return Weights(found.values, (*weights.notes, *found.notes))
    if not isinstance(weights, Mapping):
        weights = _by_position(weights, known)
    groups = {criterion.group for criterion in known}
    ids = {criterion.criterion_id for criterion in known}
    for name in weights:
        if name not in groups | ids:
            raise ScoringError(f"weights: '{name}' is no criterion and no group{nearest_name(name, groups | ids)}")
    if all(name in ids for name in weights):
        return _from_criteria(weights, criteria, known)
    if all(name in groups for name in weights):
        return _from_groups(weights, criteria, known, {}, "weights")
    raise ScoringError("weights: groups and single criteria are mixed: name either only groups or only criteria")


def panel_weights(panel: Panel, weights: WeightsLike) -> Weights:
    """Weights for the criteria that take part in a panel; see :func:`resolve_weights`.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in :func:`resolve_weights`.
    """
    return resolve_weights(weights, panel.criteria, panel.study_criteria or panel.criteria)


def _by_position(weights: Sequence[float] | Floats, known: Sequence[Criterion]) -> dict[str, float]:
    numbers = np.asarray(weights, dtype=float)
    if numbers.shape != (len(known),):
        raise ScoringError(f"weights: {len(known)} criteria need {len(known)} weights, not shape {numbers.shape}")
    return {criterion.criterion_id: float(weight) for criterion, weight in zip(known, numbers, strict=True)}


def _from_criteria(weights: Mapping[str, float], criteria: Sequence[Criterion], known: Sequence[Criterion]) -> Weights:
    shares, notes = normalise(weights)
    silent = [criterion.criterion_id for criterion in known if criterion.criterion_id not in weights]
    if silent:
        notes += (Message("note.weights_silent", {"what": "weights", "names": _quoted(silent)}),)
    values = np.array([shares.get(criterion.criterion_id, 0.0) for criterion in criteria])
    return Weights(*_left_over(values, notes, "weights"))


def _from_groups(
    group_weights: Mapping[str, float],
    criteria: Sequence[Criterion],
    known: Sequence[Criterion],
    within: Mapping[str, Mapping[str, float]],
    what: str,
) -> Weights:
    shares, notes = normalise(group_weights, what)
    # present is what takes part here, expected what a perspective may name: a group may be empty in this panel or this
    # study.
    present = {criterion.group for criterion in criteria}
    expected = {criterion.group for criterion in known}.union(GROUPS)
    for group in group_weights:
        if group not in expected:
            raise ScoringError(f"{what}: no criterion belongs to a group '{group}'{nearest_name(group, expected)}")
    absent = [group for group, share in shares.items() if group not in present and share > 0]
    if absent:
        notes += (Message("note.group_absent", {"what": what, "names": _quoted(absent)}),)
    silent = sorted(present - set(shares))
    if silent:
        notes += (Message("note.weights_silent", {"what": what, "names": _quoted(silent)}),)
    values = np.zeros(len(criteria))
    for group in sorted(present & set(shares)):
        members = [column for column, criterion in enumerate(criteria) if criterion.group == group]
        inner, inner_notes = _inner_shares(group, [criteria[k] for k in members], known, within.get(group), what)
        values[members] = shares[group] * inner
        notes += inner_notes
    return Weights(*_left_over(values, notes, what))


def _inner_shares(
    group: str,
    members: Sequence[Criterion],
    known: Sequence[Criterion],
    stated: Mapping[str, float] | None,
    what: str,
) -> tuple[Floats, tuple[Message, ...]]:
    equal = np.full(len(members), 1.0 / len(members))
    if stated is None:
        return equal, ()
    ids = [criterion.criterion_id for criterion in known if criterion.group == group]
    for name in stated:
        if name not in ids:
            raise ScoringError(f"{what}: group '{group}' has no criterion '{name}'{nearest_name(name, ids)}")
    # Shares are renewed among those that take part; what isn't named inside a stated group weighs nothing.
    shares = np.array([float(stated.get(criterion.criterion_id, 0.0)) for criterion in members])
    if shares.sum() <= 0:
        return equal, (Message("note.group_shared", {"what": what, "group": group}),)
    return shares / shares.sum(), ()


def _left_over(values: Floats, notes: tuple[Message, ...], what: str) -> tuple[Floats, tuple[Message, ...]]:
    # Whatever had no criterion to go to is shared out among those that take part, in proportion.
    total = float(values.sum())
    if total <= 0:
        raise ScoringError(f"{what}: all the weight lies on criteria that take no part: nothing is left to rank by")
    return values / total, notes


def _quoted(names: Sequence[str]) -> Listing:
    return listing((f"'{name}'" for name in names), ListStyle.COMMA)
