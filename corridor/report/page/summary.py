"""The few sentences that come first: read off the tables, as message keys with their figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from corridor.report.i18n import regime_words, route_words
from corridor.report.page.tables import RANGE_SIGN, PageColumn, Row, ranking_rows, regime_ids
from corridor.schema.interaction import Finding
from corridor.schema.results import Results
from corridor.schema.vocabulary import CrossingStatus, MetricStatus, Outcome, PanelKind, SectionStatus

DELAY = "access_delay_min"
"""Metric: minutes added between border crossing and capital."""
LEADING = 3
"""Findings that stand open; the rest is folded."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message by key with what fills it."""

    key: str
    values: dict[str, Any]


def summarise(results: Results, columns: tuple[PageColumn, ...], rows: tuple[Row, ...]) -> list[list[Sentence]]:
    """What the tables show, as groups of sentences, the most consequential group first.

    The order is fixed: what a route would make unreachable, and what becomes of it under the other rules; what hangs
    on a single structure; what can be travelled today and ranks first; then ranks over all perspectives and rules, and
    the best by single figures.
    """
    lost = _link_lost(results)
    today = [sentence for sentence in (_usable(results), _first(results)) if sentence]
    rest = [[sentence] for sentence in (_views(results), _leaders(results, columns, rows)) if sentence]
    return [group for group in (lost or _lost(results), *_hinges(results), today, *rest) if group]


def is_usable(results: Results, candidate_id: str) -> bool:
    """Whether all parts of a route are open and every border on it may be crossed, as documented."""
    candidate = next(c for c in results.candidates if c.candidate_id == candidate_id)
    built = all(part.status == SectionStatus.OPEN for part in candidate.parts)
    return built and all(passage.status == CrossingStatus.OPEN for passage in candidate.passages)


def _through(results: Results) -> list[str]:
    return [c.candidate_id for c in results.candidates if not c.comparator]


def _usable(results: Results) -> Sentence | None:
    through = _through(results)
    usable = [key for key in through if is_usable(results, key)]
    if not through:
        return None
    names = {"all": [_name(results, key) for key in usable]}
    key = "summary.usable_some" if usable else "summary.usable_none"
    return Sentence(key, {"count": len(through), "names": names, "as_of": results.as_of})


def _name(results: Results, candidate_id: str) -> Any:
    return next((route_words(c) for c in results.candidates if c.candidate_id == candidate_id), candidate_id)


def _leading(results: Results, perspective_id: str) -> dict[str, list[dict[str, Any]]]:
    """The through routes that are ranked under a perspective, best first, by regime."""
    rows = [
        r for r in ranking_rows(results, perspective_id) if r["panel"] == PanelKind.THROUGH and r["rank"] is not None
    ]
    rows.sort(key=lambda r: (r["rank"], r["candidate_id"]))
    return {regime: [r for r in rows if r["regime_id"] == regime] for regime in regime_ids(results)}


def _first(results: Results) -> Sentence | None:
    rows = _leading(results, results.default_perspective)[regime_ids(results)[0]]
    view = next((p for p in results.perspectives if p.perspective_id == results.default_perspective), None)
    if len(rows) < 2 or view is None:
        return None
    firsts = [row for row in rows if row["rank"] == 1]
    values = {
        "view": {"t": f"perspective.{view.perspective_id}", "or": view.label},
        "regime": regime_words(results, regime_ids(results)[0]) if results.regimes else "",
        "count": len(rows),
        "name": {"all": [_name(results, row["candidate_id"]) for row in firsts]},
        "score": f"{firsts[0]['score']:.2f}",
        "next": _name(results, rows[len(firsts)]["candidate_id"]) if len(rows) > len(firsts) else "",
        "next_score": f"{rows[len(firsts)]['score']:.2f}" if len(rows) > len(firsts) else "",
    }
    return Sentence("summary.first_tied" if len(firsts) > 1 else "summary.first", values)


def _views(results: Results) -> Sentence | None:
    """Who comes first how often, over all perspectives and regimes that rank more than one route."""
    counts: dict[str, int] = {}
    tables = 0
    for view in results.perspectives:
        for rows in _leading(results, view.perspective_id).values():
            tables += len(rows) > 1
            for row in rows if len(rows) > 1 else ():
                if row["rank"] == 1:
                    counts[row["candidate_id"]] = counts.get(row["candidate_id"], 0) + 1
    if not counts:
        return None
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    listed = {
        "all": [
            {"t": "summary.firsts_of", "or": key, "fill": {"name": _name(results, key), "count": count}}
            for key, count in ordered
        ]
    }
    key = "summary.views" if len(counts) > 1 else "summary.views_one"
    return Sentence(key, {"count": tables, "list": listed, "name": _name(results, ordered[0][0])})


def _lost(results: Results) -> list[Sentence]:
    """Regimes under which a route makes something unreachable, so that it can't be ranked."""
    table = results.excluded
    if table.empty:
        return []
    criteria = {criterion.criterion_id: criterion.label for criterion in results.criteria}
    rows = table[table["status"].astype(str) == MetricStatus.UNREACHABLE]
    said = []
    for (regime, criterion), group in rows.groupby(["regime_id", "criterion_id"], sort=False):
        values = {
            "regime": regime_words(results, str(regime)),
            "what": criteria.get(str(criterion), str(criterion)),
            "names": {"all": [_name(results, key) for key in dict.fromkeys(group["candidate_id"].astype(str))]},
        }
        said.append(Sentence("summary.lost", values))
    return said


def _link_lost(results: Results) -> list[Sentence]:
    """Where the road between border crossing and capital is lost, how sure that is, and what holds elsewhere."""
    lost = [finding for finding in results.findings if finding.outcome == Outcome.LOST]
    said = []
    for regime in dict.fromkeys(finding.regime_id for finding in lost):
        here = [finding for finding in lost if finding.regime_id == regime]
        facts = here[0].facts
        names = {"all": [_name(results, finding.candidate_id) for finding in here]}
        values = {"regime": regime_words(results, regime), "names": names, **_ends(facts)}
        said.append(Sentence("summary.link_lost", values))
        if len(here) > 1:
            continue
        if facts.get("at"):
            said.append(Sentence("summary.link_kept_by", {"at": facts["at"]}))
        if "schematic_km" in facts:
            said.append(Sentence("summary.schematic", {key: facts[key] for key in ("schematic_km", "km", "country")}))
    others = [r.regime_id for r in results.regimes if r.regime_id not in {f.regime_id for f in lost}]
    if said and others:
        said.append(_elsewhere(results, others))
    return said


def _elsewhere(results: Results, regimes: list[str]) -> Sentence:
    """The same road under the rules that don't cut it: open with every route, and how much slower at most."""
    table = results.metrics
    values: dict[str, Any] = {"count": len(regimes)}
    if DELAY in table.columns:
        rows = table[table["regime_id"].isin(regimes) & np.isfinite(pd.to_numeric(table[DELAY], errors="coerce"))]
        if len(rows) and rows[DELAY].max() > 0:
            worst = rows.loc[rows[DELAY].idxmax()]
            ends = [float(worst.get(f"{DELAY}_{end}", np.nan)) for end in ("low", "high")]
            span = f" ({RANGE_SIGN.join(f'{end:.0f}' for end in ends)})" if np.isfinite(ends).all() else ""
            values["minutes"] = f"{worst[DELAY]:.0f}{span}"
            return Sentence("summary.link_slowed_else", values)
    return Sentence("summary.link_open_else", values)


def _hinges(results: Results) -> list[list[Sentence]]:
    """Where that road stays open because of one structure alone: each structure once."""
    held: dict[tuple[str, str], list[Finding]] = {}
    for finding in results.findings:
        if finding.outcome == Outcome.SINGLE_POINT_DEPENDENT:
            held.setdefault((finding.regime_id, finding.facts["at"]), []).append(finding)
    said = []
    for (regime, at), group in held.items():
        facts = group[0].facts
        values = {
            "regime": regime_words(results, regime),
            "names": {"all": [_name(results, finding.candidate_id) for finding in group]},
            "kind": {"t": f"map.{facts['kind']}", "or": facts["kind"]},
            "at": at,
            **_ends(facts),
        }
        key = "summary.hinges_own" if facts.get("own") else "summary.hinges"
        sentences = [Sentence(key, values), Sentence("summary.hinges_if", _ends(facts))]
        if facts["places_lost"] != "0":
            sentences.append(Sentence("summary.hinges_places", {"count": facts["places_lost"], "of": facts["places"]}))
        said.append(sentences)
    return said


def _ends(facts: dict[str, str]) -> dict[str, Any]:
    return {"crossing": facts["crossing"], "capital": facts["capital"]}


def _leaders(results: Results, columns: tuple[PageColumn, ...], rows: tuple[Row, ...]) -> Sentence | None:
    """The best through route by each scored criterion, in the first regime."""
    said: list[Any] = []
    regime = rows[0].regime_id if rows else ""
    for index, column in enumerate(columns):
        best = [row for row in rows if row.regime_id == regime and row.cells[index].mark == "best"]
        if column.scored and best and len(best) <= 3:
            label = {"t": column.key, "or": column.label}
            unit = {"t": f"unit.{column.unit}", "or": column.unit}
            names = {"all": [_name(results, row.candidate_id) for row in best]}
            fill = {"figure": label, "names": names, "value": best[0].cells[index].text, "unit": unit}
            said.append({"t": "summary.best_by", "or": column.label, "fill": fill})
    return Sentence("summary.leaders", {"list": {"all": said}}) if said else None


def default_choice(results: Results) -> str:
    """The candidate that is shown first: the best of the default perspective, else the first."""
    rows = _leading(results, results.default_perspective)[regime_ids(results)[0]]
    if rows:
        return str(rows[0]["candidate_id"])
    return results.candidates[0].candidate_id if results.candidates else ""
