"""The few sentences that come first: read off the tables, as message keys with their figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from corridor.report.tables import PageColumn, criterion_name, format_number
from corridor.report.view import ReportView
from corridor.schema.message import ListStyle, Message, Value, listing
from corridor.schema.results import Finding, FindingFacts, FirstPlaces, Structure
from corridor.schema.vocabulary import FirstPlace, MetricStatus, Outcome, Owner, StructureKind
from corridor.wording import join_range

DELAY = "access_delay_min"
"""Metric: minutes added between border crossing and capital."""
LEADING = 3
"""Findings that stand open; the rest is folded."""


def summarise(view: ReportView) -> list[list[Message]]:
    """What the tables show, as groups of sentences, the most consequential group first.

    The order is fixed: what a route would make unreachable under rules that some text proposes, and what hangs on a
    single structure; what can be travelled today and ranks first; ranks over all perspectives and rules, and the best
    by single figures; then what nobody proposes, and what isn't known.
    """
    # What follows from rules that nobody proposes never leads the page; it is told at the end.
    invented = {regime.regime_id for regime in view.results.regimes if regime.counterfactual}
    proposed = [finding for finding in view.results.findings if finding.regime_id not in invented]
    others = [finding for finding in view.results.findings if finding.regime_id in invented]
    lost = _link_lost(view, proposed) or ([] if others else _lost(view))
    today = [sentence for sentence in (_usable(view), _first_today(view)) if sentence]
    rest = [[sentence] for sentence in (_views(view), _leaders_sentence(view)) if sentence]
    last = [_link_lost(view, others), *_single_points(view, others), _not_known(view)]
    return [group for group in (lost, *_single_points(view, proposed), today, *rest, *last) if group]


def _usable(view: ReportView) -> Message | None:
    usable = [key for key in view.through if key in view.usable]
    if not view.through:
        return None
    if not usable:
        return Message("summary.usable_none", {"count": len(view.through), "as_of": view.results.as_of})
    names = listing(view.name(key) for key in usable)
    return Message("summary.usable_some", {"count": len(view.through), "names": names, "as_of": view.results.as_of})


def _first_today(view: ReportView) -> Message | None:
    rows = view.leading(view.results.default_perspective)[view.opening]
    if len(rows) < 2:
        return None
    # A score alone would sound surer than the ranks are.
    if any(row["rank"] != row["worst"] for row in rows):
        return first_of_open(view, rows, view.name)
    # A tie for the first place names all of its routes, and who follows is the one after them.
    firsts = [row for row in rows if row["rank"] == 1]
    follows = rows[len(firsts)] if len(rows) > len(firsts) else None
    values: dict[str, Value] = {
        "view": view.perspective_name(view.results.default_perspective),
        "regime": view.regime_name(view.opening) if view.results.regimes else "",
        "count": len(rows),
        "name": listing(view.name(row["candidate_id"]) for row in firsts),
        "score": _score(firsts[0]),
        "next": view.name(follows["candidate_id"]) if follows else "",
        "next_score": _score(follows) if follows else "",
    }
    return Message("summary.first_tied", values) if len(firsts) > 1 else Message("summary.first", values)


def _score(row: Mapping[str, Any]) -> Value:
    """A score, or that it isn't known: a rank can be sure without it."""
    score = row["score"]
    return Message("status.undetermined") if score is None or pd.isna(score) else f"{score:.2f}"


def first_of_open(view: ReportView, rows: list[dict[str, Any]], name: Callable[[str], Value]) -> Message:
    """Who is first where undetermined metrics leave ranks open: for sure, and at best.

    Args:
        view: the comparison as it is shown.
        rows: of the ranking under one set of rules, by the default perspective.
        name: tells a route by its id.
    """
    sure = listing(name(row["candidate_id"]) for row in rows if row["first"] == FirstPlace.FOR_SURE)
    best = listing(name(row["candidate_id"]) for row in rows if row["first"] == FirstPlace.AT_BEST)
    whose = view.perspective_name(view.results.default_perspective)
    regime: Value = view.regime_name(rows[0]["regime_id"]) if view.results.regimes else ""
    count = len(rows)
    if not sure.items:
        values: dict[str, Value] = {"view": whose, "regime": regime, "count": count, "best": best}
        return Message("summary.first_at_best", values)
    if best.items:
        both: dict[str, Value] = {"view": whose, "regime": regime, "count": count, "sure": sure, "best": best}
        return Message("summary.first_sure_or", both)
    alone: dict[str, Value] = {"view": whose, "regime": regime, "count": count, "sure": sure}
    return Message("summary.first_for_sure", alone)


def _views(view: ReportView) -> Message | None:
    """Who comes first how often, over distinct rankings of more than one route."""
    places = view.results.first_places
    if places is None or places.count < 2:
        return None  # one ranking is told by itself
    # The greatest share first, equal ones in the study's order.
    ordered = sorted(
        (key for key in view.candidates if key in places.shares), key=lambda key: -places.shares[key]
    )  # fmt: skip
    # One route first in all of them needs no shares.
    if len(ordered) == 1 and places.for_sure.get(ordered[0]) == places.count:
        return Message("summary.views_one", {"count": places.count, "name": view.name(ordered[0])})
    firsts = [_places_of(view, places, key) for key in ordered]
    return Message("summary.views", {"count": places.count, "list": listing(firsts)})


def _places_of(view: ReportView, places: FirstPlaces, key: str) -> Message:
    name, share = view.lettered(key), f"{100 * places.shares[key]:.0f}"
    if not places.at_best:
        return Message("summary.firsts_of", {"name": name, "share": share})
    sure, best = places.for_sure.get(key, 0), places.at_best.get(key, 0)
    return Message("summary.firsts_of_open", {"name": name, "share": share, "sure": sure, "best": best})


def _lost(view: ReportView) -> list[Message]:
    """Regimes under which a route makes something unreachable, or cuts people off, so that it can't be ranked."""
    table = view.results.excluded
    if table.empty:
        return []
    criteria = {c.criterion_id: criterion_name(view.results, c) for c in view.results.criteria}
    rows = table[table["status"].astype(str).isin([MetricStatus.UNREACHABLE, MetricStatus.CUT_OFF])]
    said = []
    for (regime, criterion), group in rows.groupby(["regime_id", "criterion_id"], sort=False):
        what = criteria.get(str(criterion), str(criterion))
        names = listing(view.name(key) for key in dict.fromkeys(group["candidate_id"].astype(str)))
        said.append(Message("summary.lost", {"regime": view.regime_name(str(regime)), "what": what, "names": names}))
    return said


def _link_lost(view: ReportView, findings: Sequence[Finding]) -> list[Message]:
    """Where the road between border crossing and capital is lost, how sure that is, and what holds elsewhere."""
    lost = [(finding, finding.facts) for finding in findings if finding.outcome == Outcome.LOST]
    said = []
    for regime in dict.fromkeys(finding.regime_id for finding, _ in lost):
        # One sentence for each regime: crossing and capital are the study's, and so the same in all its findings.
        here = [(finding, facts) for finding, facts in lost if finding.regime_id == regime and facts]
        facts = here[0][1]
        said.append(
            Message(
                "summary.link_lost",
                {
                    "regime": view.regime_name(regime),
                    "names": listing(view.name(finding.candidate_id) for finding, _ in here),
                    "crossing": facts.crossing,
                    "capital": facts.capital,
                },
            )
        )
        # With several routes there is no one place or line to speak of.
        if len(here) > 1:
            continue
        if facts.at is not None:
            said.append(Message("summary.link_kept_by", {"at": facts.at}))
        if facts.schematic_km:
            drawn = (facts.schematic_km, facts.km)
            said.append(
                Message("summary.schematic", {"schematic_km": drawn[0], "km": drawn[1], "country": facts.country})
            )
    others = [
        r.regime_id for r in view.results.regimes if r.regime_id not in {finding.regime_id for finding, _ in lost}
    ]
    # nothing is said of all others where it isn't known under one of them
    known = all(f.regime_id not in others for f in view.results.findings if f.outcome == Outcome.UNDETERMINED)
    if said and others and known:
        said.append(_elsewhere(view, others))
    return said


def _not_known(view: ReportView) -> list[Message]:
    """Where schematic lines leave open whether the road between border crossing and capital is lost."""
    said = []
    unknown = [f for f in view.results.findings if f.outcome == Outcome.UNDETERMINED and f.facts]
    for regime in dict.fromkeys(finding.regime_id for finding in unknown):
        here = [finding for finding in unknown if finding.regime_id == regime]
        facts = here[0].facts
        if facts is not None:
            names = listing(view.name(finding.candidate_id) for finding in here)
            said.append(
                Message(
                    "summary.not_known",
                    {
                        "regime": view.regime_name(regime),
                        "names": names,
                        "crossing": facts.crossing,
                        "capital": facts.capital,
                    },
                )
            )
    return said


def _elsewhere(view: ReportView, regimes: list[str]) -> Message:
    """The same road under the rules that don't cut it: open with every route, and how much slower at most."""
    table = view.results.metrics
    if DELAY in table.columns:
        # an undetermined delay counts as at its worst
        known = pd.to_numeric(table[DELAY], errors="coerce")
        most = known.where(known.notna(), table.get(f"{DELAY}_high", known)).where(table["regime_id"].isin(regimes))
        most = most[np.isfinite(most)]
        if len(most) and most.max() > 0:
            worst = table.loc[most.idxmax()]
            low, high = (float(worst.get(f"{DELAY}_{end}", np.nan)) for end in ("low", "high"))
            is_range = np.isfinite([low, high]).all() and pd.notna(worst[DELAY])
            span = f" ({join_range(format_number(low, 0), format_number(high, 0))})" if is_range else ""
            minutes = f"{most.max():.0f}{span}"
            return Message("summary.link_slowed_else", {"count": len(regimes), "minutes": minutes})
    return Message("summary.link_open_else", {"count": len(regimes)})


def _single_points(view: ReportView, findings: Sequence[Finding]) -> list[list[Message]]:
    """Where that road stays open because of one structure alone: each structure once."""
    # Routes that hang on one structure share a sentence, so that a tunnel is named once.
    held: dict[tuple[str, Value], list[tuple[Finding, FindingFacts, Structure]]] = {}
    for finding in findings:
        facts = finding.facts
        if finding.outcome != Outcome.SINGLE_POINT_DEPENDENT or not facts or not facts.structure or facts.at is None:
            continue
        held.setdefault((finding.regime_id, facts.at), []).append((finding, facts, facts.structure))
    said = []
    for (regime, at), group in held.items():
        _, facts, structure = group[0]
        values: dict[str, Value] = {
            "regime": view.regime_name(regime),
            "names": listing(view.name(finding.candidate_id) for finding, _, _ in group),
            "kind": Message("map.tunnel") if structure.kind == StructureKind.TUNNEL else Message("map.bridge"),
            "at": at,
            "crossing": facts.crossing,
            "capital": facts.capital,
        }
        own = structure.owner == Owner.ROUTE
        sentences = [Message("summary.single_point_own", values) if own else Message("summary.single_point", values)]
        sentences.append(Message("summary.single_point_if", {"capital": facts.capital}))
        if facts.places_lost:
            lost = {"count": facts.places_lost, "of": facts.places}
            sentences.append(Message("summary.single_point_places", lost))
        said.append(sentences)
    return said


def _leaders_sentence(view: ReportView) -> Message | None:
    """The best through route by each scored criterion, in the regime that the page opens under."""
    said: list[Message] = []
    regime = view.opening
    for index, column in enumerate(view.columns):
        best = [row for row in view.rows if row.regime_id == regime and row.cells[index].mark == "best"]
        # A figure that many share as the best tells nobody apart.
        if column.scored and best and len(best) <= 3:
            values: dict[str, Value] = {
                "figure": _figure_name(view, column),
                "names": listing((view.letter(row.candidate_id) for row in best), ListStyle.COMMA),
                "value": best[0].cells[index].text,
                "unit": Message(f"unit.{column.unit}", fallback=column.unit) if column.unit else "",
            }
            said.append(Message("summary.best_by", values))
    rules: Value = view.regime_name(regime) if view.results.regimes else ""
    return Message("summary.leaders", {"regime": rules, "list": listing(said)}) if said else None


def _figure_name(view: ReportView, column: PageColumn) -> Value:
    criterion = next((c for c in view.results.criteria if c.metric == column.metric), None)
    return criterion_name(view.results, criterion) if criterion else column.label
