"""The decision table: who is ranked with whom, by which values, and who can't be ranked and why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import ScoringError
from corridor.mcda.intake import Intake, read_metrics
from corridor.schema.column import Criterion
from corridor.schema.message import Listing, ListStyle, Message, Value, listing
from corridor.schema.vocabulary import Comparators, Direction, MetricStatus, MissingPolicy, PanelKind, Scaling
from corridor.wording import join_range

# --- From a metric in its unit to a value between 0 and 1 ---

Floats = NDArray[np.float64]


def check_criteria(criteria: Sequence[Criterion]) -> None:
    """Refuse criteria that can't order anything; all faults in one line.

    Args:
        criteria: What is to be scored.

    Raises:
        ScoringError: no criterion, an id twice, or anchors, shape or tolerance that make no value function.
    """
    faults: list[str] = []
    if not criteria:
        faults.append("no criterion is given: name at least one")
    seen: set[str] = set()
    for criterion in criteria:
        if criterion.criterion_id in seen:
            faults.append(f"criterion '{criterion.criterion_id}' is given twice")
        seen.add(criterion.criterion_id)
        faults.extend(f"criterion '{criterion.criterion_id}': {fault}" for fault in _criterion_faults(criterion))
    if faults:
        raise ScoringError("; ".join(faults))


def _criterion_faults(criterion: Criterion) -> list[str]:
    faults = []
    numbers = (criterion.best, criterion.worst, criterion.shape, criterion.tolerance)
    if not all(math.isfinite(number) for number in numbers):
        return ["best, worst, shape and tolerance must be finite numbers"]
    if criterion.direction not in ("min", "max"):
        faults.append(f"direction must be 'min' or 'max', not '{criterion.direction}'")
    elif criterion.best == criterion.worst:
        faults.append("best and worst are the same, so it can't tell alternatives apart")
    elif (criterion.best < criterion.worst) != (criterion.direction == Direction.MIN):
        faults.append(
            f"direction '{criterion.direction}' contradicts best {criterion.best:g} and worst {criterion.worst:g}"
        )
    if criterion.shape <= 0:
        faults.append("shape must be above 0")
    if criterion.tolerance < 0:
        faults.append("tolerance must not be negative")
    return faults


def scale(metrics: Floats, criteria: Sequence[Criterion], scaling: Scaling = Scaling.ANCHORS) -> Floats:
    """Turn metrics into values between 0 (worst) and 1 (best).

    With ``anchors`` the value depends on the alternative and the stated anchors alone. With ``min-max`` the worst and
    the best of the alternatives present take the place of the anchors, so that adding one can change the order of
    the others; a criterion that is the same for all is then worth 1 to everyone.

    Args:
        metrics: ``(..., alternatives, criteria)`` in the units of the criteria.
        criteria: One per column.
        scaling: ``anchors`` or ``min-max``.

    Returns:
        Values of the same shape. A loss of a share t between best and worst is worth ``1 - t ** shape``.

    Example:
        Best 100 km, worst 300 km: 150 km is worth 0.75.
    """
    if scaling == Scaling.MIN_MAX:
        highest, lowest = metrics.max(axis=-2, keepdims=True), metrics.min(axis=-2, keepdims=True)
        rising = np.array([criterion.direction == Direction.MAX for criterion in criteria])
        # (..., 1, criteria): ends are those of each table of a stack by itself.
        best, worst = np.where(rising, highest, lowest), np.where(rising, lowest, highest)
    else:
        best = np.array([criterion.best for criterion in criteria], dtype=float)
        worst = np.array([criterion.worst for criterion in criteria], dtype=float)
    # Signed: for a criterion that should be small the span is positive, for the other kind negative, and the loss rises
    # away from the best either way.
    span = worst - best
    loss = np.clip((metrics - best) / np.where(span == 0.0, 1.0, span), 0.0, 1.0)
    shape = np.array([criterion.shape for criterion in criteria], dtype=float)
    return np.asarray(1.0 - loss if np.all(shape == 1.0) else 1.0 - loss**shape)


def orient(metrics: Floats, criteria: Sequence[Criterion]) -> Floats:
    """Flip the sign of what should be small, so that more is better everywhere; units stay.

    Args:
        metrics: ``(..., alternatives, criteria)`` in the units of the criteria.
        criteria: One per column.
    """
    signs = np.array([1.0 if criterion.direction == Direction.MAX else -1.0 for criterion in criteria])
    return np.asarray(metrics * signs)


EXCLUDED_COLUMNS = ["candidate_id", "name", "regime_id", "panel", "criterion_id", "status", "reason"]


class End(StrEnum):
    """The ends of undetermined metrics: all at what is best for their alternative, or all at what is worst."""

    BEST = "best"
    WORST = "worst"


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Alternatives that are ranked together: one regime's through routes, or its comparators. It has no holes.

    ``metrics``, ``low`` and ``high`` are ``(alternatives, criteria)`` in the units of the criteria; where a metric
    has no interval, low and high equal it. An undetermined metric is NaN, and ``low`` and ``high`` are its ends,
    infinite where it can't be reached there; :meth:`pinned` gives a panel without such metrics. ``study_criteria`` are
    all that the study scores, also those that had to be dropped here. ``lost_at_worst`` are places of alternatives that
    any metric, scored or not, takes out at its worst end. ``members`` are the ids of the routes that each alternative
    holds, none for a single route.
    """

    regime_id: str
    kind: str
    candidate_ids: tuple[str, ...]
    names: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    metrics: Floats
    low: Floats
    high: Floats
    scaling: Scaling = Scaling.ANCHORS
    study_criteria: tuple[Criterion, ...] = ()
    lost_at_worst: frozenset[int] = frozenset()
    members: tuple[frozenset[str], ...] = ()

    @property
    def undetermined(self) -> NDArray[np.bool_]:
        """Cells of which only ends are known, ``(alternatives, criteria)``."""
        return np.isnan(self.metrics)

    @property
    def may_be_lost(self) -> NDArray[np.bool_]:
        """Alternatives that can't be reached at an end of an undetermined metric, ``(alternatives,)``."""
        endless = (self.undetermined & (np.isinf(self.low) | np.isinf(self.high))).any(axis=1)
        return np.asarray(endless | np.isin(np.arange(len(self.candidate_ids)), list(self.lost_at_worst)))

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Pairs of which one is a package that holds the other, ``(alternatives, alternatives)``, symmetric."""
        inside = np.array([[other in held for other in self.candidate_ids] for held in self.members], dtype=bool)
        count = len(self.candidate_ids)
        return np.asarray(inside | inside.T) if inside.size else np.zeros((count, count), dtype=bool)

    @property
    def tells_apart(self) -> NDArray[np.bool_]:
        """Which criteria tell the alternatives apart, ``(criteria,)``: nobody alone is told from others.

        One does if its metrics, cut to its anchors, differ by more than its tolerance, the ends of undetermined ones
        included. The others stay in the model with their weight: they add the same to everybody.
        """
        if len(self.candidate_ids) < 2:
            return np.zeros(len(self.criteria), dtype=bool)
        both = np.concatenate([self.metrics_at(End.BEST), self.metrics_at(End.WORST)])
        # Beyond the anchors all is worth the same, so differences there tell nobody apart.
        if self.scaling == Scaling.ANCHORS:
            anchors = np.array([(c.best, c.worst) for c in self.criteria]).reshape(-1, 2)
            both = np.clip(both, anchors.min(axis=1), anchors.max(axis=1))
        tolerances = np.array([c.tolerance for c in self.criteria])
        # An end that can't be reached tells too: whether the alternative is ranked at all.
        endless = (self.undetermined & (np.isinf(self.low) | np.isinf(self.high))).any(axis=0)
        return np.asarray((np.ptp(both, axis=0) > tolerances + 1e-12 * (1.0 + tolerances)) | endless)

    def metrics_at(self, end: End) -> Floats:
        """Metrics with every undetermined one at an end, ``(alternatives, criteria)``; all of them numbers.

        Where that end can't be reached the other one stands: nobody has a rank there anyway.

        Args:
            end: The best or the worst for the alternative itself.
        """
        rising = np.array([criterion.direction == Direction.MAX for criterion in self.criteria], dtype=bool)
        wanted, other = (self.high, self.low) if end == End.BEST else (self.low, self.high)
        chosen, left = np.where(rising, wanted, other), np.where(rising, other, wanted)
        # An infinite end is no number to rank by: the other end stands in, and who may be lost is told apart elsewhere.
        ends = np.where(np.isfinite(chosen), chosen, left)
        return np.asarray(np.where(self.undetermined, ends, self.metrics))

    def pinned(self, end: End) -> Panel:
        """The panel with every undetermined metric at an end; who can't be reached there is left out.

        Args:
            end: The best or the worst for each alternative itself.
        """
        if not self.undetermined.any() and not self.may_be_lost.any():
            return self
        metrics = self.metrics_at(end)
        low, high = (np.where(self.undetermined, metrics, bound) for bound in (self.low, self.high))
        found = replace(self, metrics=metrics, low=low, high=high, lost_at_worst=frozenset())
        return found if end == End.BEST else found.take(np.flatnonzero(~self.may_be_lost))

    def require_determined(self, what: str) -> None:
        """Refuse a panel with undetermined metrics.

        Args:
            what: What can't be done with them, for the error.

        Raises:
            ScoringError: there are some; names the first.
        """
        found = np.argwhere(self.undetermined)
        if len(found):
            row, column = found[0]
            raise ScoringError(
                f"{what}: {self.label}: '{self.criteria[column].metric}' of '{self.candidate_ids[row]}' is "
                "undetermined: take the panel at an end (panel.pinned)"
            )

    def take(self, rows: NDArray[np.int64]) -> Panel:
        """The same panel with some of its alternatives.

        Args:
            rows: Which of them, by their place in the panel, in the order wanted.
        """
        return replace(
            self,
            candidate_ids=tuple(self.candidate_ids[row] for row in rows),
            names=tuple(self.names[row] for row in rows),
            metrics=self.metrics[rows],
            low=self.low[rows],
            high=self.high[rows],
            lost_at_worst=frozenset(place for place, row in enumerate(rows) if int(row) in self.lost_at_worst),
            members=tuple(self.members[row] for row in rows) if self.members else (),
        )

    @property
    def values(self) -> Floats:
        """Values between 0 (worst) and 1 (best), ``(alternatives, criteria)``; NaN where a metric is undetermined."""
        return scale(self.metrics, self.criteria, self.scaling)

    @property
    def label(self) -> str:
        """The panel in words, for errors."""
        who = "through routes" if self.kind == PanelKind.THROUGH else "comparators"
        return f"regime '{self.regime_id}', {who}" if self.regime_id else who

    @property
    def where(self) -> Message:
        """The panel as a message, for notes."""
        return _where(self.regime_id, self.kind)

    @property
    def criterion_ids(self) -> tuple[str, ...]:
        """Ids of the criteria, in the order of the columns."""
        return tuple(criterion.criterion_id for criterion in self.criteria)

    @property
    def columns_by_group(self) -> dict[str, list[int]]:
        """Columns of the criteria of each group, groups in the order of their first ones."""
        found: dict[str, list[int]] = {}
        for column, criterion in enumerate(self.criteria):
            found.setdefault(criterion.group, []).append(column)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class DecisionMatrix:
    """All panels of a metric table, and everybody who could not be put into one.

    ``excluded`` has a row per reason, with the columns ``EXCLUDED_COLUMNS``; ``reason`` holds messages. ``notes`` say
    what was dropped, clamped or constant, as messages for a reader.
    """

    criteria: tuple[Criterion, ...]
    panels: tuple[Panel, ...]
    excluded: pd.DataFrame
    notes: tuple[Message, ...]
    scaling: Scaling

    def panel(self, regime_id: str | None = None, kind: str = PanelKind.THROUGH) -> Panel:
        """Return one panel; the regime may be left out where there is only one.

        Args:
            regime_id: Which regime; may be left out where there is only one.
            kind: Through routes or comparators.

        Raises:
            ScoringError: there is no such panel, or the regime must be named.
        """
        kinds = [panel for panel in self.panels if panel.kind == kind]
        found = [panel for panel in kinds if regime_id is None or panel.regime_id == regime_id]
        if len(found) == 1:
            return found[0]
        regimes = ", ".join(f"'{panel.regime_id}'" for panel in kinds) or "none"
        wanted = "name the regime" if regime_id is None else f"no regime '{regime_id}'"
        raise ScoringError(f"ranking: {wanted} for the '{kind}' panel; there is: {regimes}")


def build_matrix(
    metrics: pd.DataFrame,
    criteria: Sequence[Criterion],
    *,
    scaling: Scaling = Scaling.ANCHORS,
    missing: MissingPolicy = MissingPolicy.SET_ASIDE,
    comparators: Comparators = Comparators.APART,
    veto_on_any_status: bool = True,
    as_if_opened: bool = False,
) -> DecisionMatrix:
    """Sort a metric table into panels of alternatives that can be ranked.

    Feasibility comes before preference: a status ``unreachable`` or a text in the column ``veto`` takes an alternative
    out, with the reason. Where the rules allow no transit (``transit_status`` is ``not_travelable``) nobody is ranked.
    A criterion for which nobody in a panel has a value is dropped for that panel, and said. An alternative that lacks a
    value is then set aside with the reason, or, with ``drop-criterion``, the criterion is dropped for everybody in the
    panel. Nothing missing is ever counted as zero.

    Args:
        metrics: One row per candidate (and regime): ``candidate_id``, and where present ``regime_id``, ``name`` or
            ``candidate_name``, ``comparator`` (bool), ``veto`` (text). One float column per metric, optionally
            ``<metric>_low``, ``<metric>_high`` and ``<metric>_status``.
        criteria: What is scored.
        scaling: ``anchors`` (stated in the criteria) or ``min-max`` of the alternatives present.
        missing: What to do where an alternative lacks a value.
        comparators: Rank comparators ``apart``, ``together`` with the through routes, or ``omit`` them.
        veto_on_any_status: Let the status of metrics that are not scored veto too.
        as_if_opened: Rank under rules that allow no transit as if they did.

    Raises:
        ScoringError: the table or the criteria can't be used; all faults of the criteria at once.
    """
    check_criteria(criteria)
    if scaling not in tuple(Scaling):
        raise ScoringError(f"scaling '{scaling}' is unknown: use 'anchors' or 'min-max'")
    if missing not in tuple(MissingPolicy):
        raise ScoringError(f"missing '{missing}' is unknown: use 'set-aside' or 'drop-criterion'")
    if comparators not in tuple(Comparators):
        raise ScoringError(f"comparators '{comparators}' is unknown: use 'apart', 'together' or 'omit'")
    intake = read_metrics(metrics, criteria, veto_on_any_status, as_if_opened)
    notes = list(intake.notes)
    closed = _not_travelable(metrics)
    if as_if_opened and closed:
        notes.append(Message("note.as_if_opened", {"regimes": listing(closed, ListStyle.COMMA)}))
    if comparators == Comparators.OMIT and intake.comparator.any():
        notes.append(Message("note.comparators_omitted"))
    panels: list[Panel] = []
    excluded: list[tuple[Value, ...]] = []
    for regime_id, kind, rows in _groups(intake, comparators):
        # Feasibility before preference: who is vetoed neither sets a min-max scale nor costs others a criterion.
        vetoed = [row for row in rows if row in intake.vetoes]
        for row in vetoed:
            criterion_id, status, reason = intake.vetoes[row]
            excluded.append((*intake.label(row), regime_id, kind, criterion_id, status, not_ranked(reason)))
        free = [row for row in rows if row not in intake.vetoes]
        panel, gone, said = _build_panel(intake, tuple(criteria), free, (regime_id, kind), scaling, missing)
        panels.append(panel)
        excluded.extend(gone)
        notes.extend(said)
    return DecisionMatrix(
        tuple(criteria), tuple(panels), pd.DataFrame(excluded, columns=EXCLUDED_COLUMNS), tuple(notes), scaling
    )


def _not_travelable(metrics: pd.DataFrame) -> list[str]:
    """Regimes that allow no transit."""
    if "transit_status" not in metrics.columns or "regime_id" not in metrics.columns:
        return []
    closed = metrics["transit_status"].astype(str) == MetricStatus.NOT_TRAVELABLE
    return list(dict.fromkeys(metrics.loc[closed, "regime_id"].astype(str)))


def _groups(intake: Intake, comparators: Comparators) -> list[tuple[str, str, list[int]]]:
    """Rows by regime and panel, in the order of first appearance; through routes first."""
    groups: dict[tuple[str, str], list[int]] = {}
    # All groups are laid out first, so that their order does not hang on whose row comes first.
    for regime_id in dict.fromkeys(intake.regime_ids):
        for kind in PanelKind:
            groups[(regime_id, kind)] = []
    for row, regime_id in enumerate(intake.regime_ids):
        apart = intake.comparator[row] and comparators != Comparators.TOGETHER
        if not (intake.comparator[row] and comparators == Comparators.OMIT):
            groups[(regime_id, PanelKind.COMPARATOR if apart else PanelKind.THROUGH)].append(row)
    return [(regime_id, kind, rows) for (regime_id, kind), rows in groups.items() if rows]


def _build_panel(
    intake: Intake,
    criteria: tuple[Criterion, ...],
    rows: list[int],
    key: tuple[str, str],
    scaling: Scaling,
    missing: MissingPolicy,
) -> tuple[Panel, list[tuple[Value, ...]], list[Message]]:
    regime_id, kind = key
    where = _where(regime_id, kind)
    # An undetermined metric has ends: it is no hole.
    empty = np.isnan(intake.metrics) & np.isnan(intake.low)
    holes = empty[rows]
    # Columns that go for everybody: those where nobody has a value, or, if no alternative is to be lost, any that has a
    # hole.
    lost = holes.all(axis=0) if missing == MissingPolicy.SET_ASIDE else holes.any(axis=0)
    lost = np.asarray(lost & bool(rows))
    kept = [column for column in range(len(criteria)) if not lost[column]]
    notes = [_dropped_note(where, criteria[column], holes[:, column]) for column in np.flatnonzero(lost)]
    excluded: list[tuple[Value, ...]] = []
    ranked: list[int] = []
    for row in rows:
        gaps = [column for column in kept if empty[row, column]]
        if kept and not gaps:
            ranked.append(row)
        for column in gaps:
            criterion, status = criteria[column], intake.statuses[row][column]
            gap = Message(f"gap.{status}", fallback=status)
            reason = not_ranked(Message("reason.no_value", {"criterion": criterion.label, "status": gap}))
            excluded.append((*intake.label(row), regime_id, kind, criterion.criterion_id, status, reason))
        if not kept:
            reason = not_ranked(Message("reason.no_criterion"))
            excluded.append((*intake.label(row), regime_id, kind, "", MetricStatus.MISSING, reason))
    chosen = tuple(criteria[column] for column in kept)
    # What is left has no holes.
    cut = np.ix_(ranked, kept)
    panel = Panel(
        regime_id,
        kind,
        tuple(intake.candidate_ids[row] for row in ranked),
        tuple(intake.names[row] for row in ranked),
        chosen,
        intake.metrics[cut],
        intake.low[cut],
        intake.high[cut],
        scaling,
        criteria,
        frozenset(place for place, row in enumerate(ranked) if row in intake.may_be_lost),
        tuple(intake.members[row] for row in ranked),
    )
    return panel, excluded, notes + _value_notes(panel)


def not_ranked(*why: Value) -> Message:
    """Why somebody isn't ranked, from one reason or several; :func:`reasons_of` gives them back."""
    return Message("reason.not_ranked", {"why": listing(why)})


def reasons_of(reason: Value) -> tuple[Value, ...]:
    """The reasons inside a message of :func:`not_ranked`."""
    why = reason.values["why"] if isinstance(reason, Message) else reason
    return why.items if isinstance(why, Listing) else (why,)


def _where(regime_id: str, kind: str) -> Message:
    """What a panel is called in notes: its rules by the name that a page has for them, and its kind."""
    called = Message(f"regime_name.{regime_id}", fallback=regime_id)
    if kind == PanelKind.THROUGH:
        return Message("note.regime_through", {"regime": called}) if regime_id else Message("note.through")
    return Message("note.regime_comparators", {"regime": called}) if regime_id else Message("note.comparators")


def _dropped_note(where: Message, criterion: Criterion, holes: NDArray[np.bool_]) -> Message:
    label = criterion.label
    if holes.all():
        return Message("note.no_value", {"where": where, "criterion": label})
    return Message(
        "note.some_lack_value",
        {
            "where": where,
            "count": int(holes.sum()),
            "total": len(holes),
            "criterion": label,
        },
    )


def _figure(value: float) -> str:
    """A figure of a note, in three significant digits at most and with a true minus."""
    return f"{float(f'{value:.3g}'):.15g}".replace("-", "\u2212")


def _value_notes(panel: Panel) -> list[Message]:
    notes, where = [], panel.where
    for column, (criterion, tells) in enumerate(zip(panel.criteria, panel.tells_apart, strict=True)):
        metric = panel.metrics[:, column]
        unit = Message(f"unit.{criterion.unit}", fallback=criterion.unit) if criterion.unit else ""
        # A criterion that is the same for all keeps its weight, and who reads the ranking should know that it decides
        # nothing.
        if len(metric) > 1 and not tells:
            least, most = (_figure(float(end)) for end in (np.nanmin(metric), np.nanmax(metric)))
            same: dict[str, Value] = {
                "where": where,
                "criterion": criterion.label,
                "value": least if least == most else join_range(least, most),
                "unit": unit,
            }
            notes.append(Message("note.same_for_all", same))
        if panel.scaling == Scaling.ANCHORS:
            low, high = sorted((criterion.best, criterion.worst))
            # Values beyond an anchor count as at it: differences out there are lost, which the author of the anchors
            # may not have meant.
            outside = [panel.names[row] for row in np.flatnonzero((metric < low) | (metric > high))]
            if outside:
                beyond: dict[str, Value] = {
                    "where": where,
                    "criterion": criterion.label,
                    "names": listing(outside, ListStyle.COMMA),
                    "low": _figure(low),
                    "high": _figure(high),
                    "unit": unit,
                }
                notes.append(Message("note.outside_anchors", beyond))
    return notes
