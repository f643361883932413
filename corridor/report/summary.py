"""The few sentences that come first: read off the tables, as message keys with their figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from corridor.model.results import Results
from corridor.report.tables import Column, Row, ranking_rows, regime_ids

MOST_DECISIVE = 2


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message by key with what fills it; ``text`` stands for itself where it comes from the results."""

    key: str
    values: dict[str, Any]
    text: str = ""


def summarise(results: Results, columns: tuple[Column, ...], rows: tuple[Row, ...]) -> list[Sentence]:
    """What the tables show: today, by rank, over perspectives and regimes, what is lost, the best by criterion."""
    lost = _decisive(results) or _lost(results)
    said = [_usable(results), _first(results), *lost, _views(results), _leaders(columns, rows)]
    return [sentence for sentence in said if sentence]


def is_usable(results: Results, candidate_id: str) -> bool:
    """Whether all parts of a route are open and every border on it may be crossed, as documented."""
    candidate = next(c for c in results.candidates if c.candidate_id == candidate_id)
    return all(p.status == "open" for p in candidate.parts) and all(p.status == "open" for p in candidate.passages)


def _through(results: Results) -> list[str]:
    return [c.candidate_id for c in results.candidates if not c.comparator]


def _usable(results: Results) -> Sentence | None:
    through = _through(results)
    usable = [key for key in through if is_usable(results, key)]
    if not through:
        return None
    names = ", ".join(_name(results, key) for key in usable)
    key = "summary.usable_some" if usable else "summary.usable_none"
    return Sentence(key, {"count": len(through), "names": names, "as_of": results.as_of})


def _name(results: Results, candidate_id: str) -> str:
    return next((c.name for c in results.candidates if c.candidate_id == candidate_id), candidate_id)


def _leading(results: Results, perspective_id: str, regime_id: str) -> list[dict[str, Any]]:
    rows = [r for r in ranking_rows(results, perspective_id) if r["panel"] == "through" and r["rank"] is not None]
    return sorted((r for r in rows if r["regime_id"] == regime_id), key=lambda r: (r["rank"], r["candidate_id"]))


def _first(results: Results) -> Sentence | None:
    rows = _leading(results, results.default_perspective, regime_ids(results)[0])
    view = next((p for p in results.perspectives if p.perspective_id == results.default_perspective), None)
    if len(rows) < 2 or view is None:
        return None
    firsts = [row for row in rows if row["rank"] == 1]
    values = {
        "view": {"t": f"perspective.{view.perspective_id}", "or": view.label},
        "regime": next((f"({r.label})" for r in results.regimes if r.regime_id == regime_ids(results)[0]), ""),
        "count": len(rows),
        "name": ", ".join(_name(results, row["candidate_id"]) for row in firsts),
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
        for regime in regime_ids(results):
            rows = _leading(results, view.perspective_id, regime)
            tables += len(rows) > 1
            for row in rows if len(rows) > 1 else ():
                if row["rank"] == 1:
                    counts[row["candidate_id"]] = counts.get(row["candidate_id"], 0) + 1
    if not counts:
        return None
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    listed = "; ".join(f"{_name(results, key)}: {count}" for key, count in ordered)
    key = "summary.views" if len(counts) > 1 else "summary.views_one"
    return Sentence(key, {"count": tables, "list": listed, "name": _name(results, ordered[0][0])})


def _lost(results: Results) -> list[Sentence]:
    """Regimes under which a route makes something unreachable, so that it can't be ranked."""
    table = results.excluded
    if table.empty:
        return []
    labels = {regime.regime_id: regime.label for regime in results.regimes}
    criteria = {criterion.criterion_id: criterion.label for criterion in results.criteria}
    rows = table[table["status"].astype(str) == "unreachable"]
    said = []
    for (regime, criterion), group in rows.groupby(["regime_id", "criterion_id"], sort=False):
        values = {
            "regime": labels.get(str(regime), str(regime)),
            "what": criteria.get(str(criterion), str(criterion)),
            "names": "; ".join(dict.fromkeys(_name(results, str(key)) for key in group["candidate_id"])),
        }
        said.append(Sentence("summary.lost", values))
    return said


def _decisive(results: Results) -> list[Sentence]:
    """Findings on structures that decide what can be reached: each once, with the routes and rules it holds for."""
    events = results.events
    if events is None or events.empty or "decisive" not in events.columns:
        return []
    rows = events[events["decisive"].astype(bool)]
    keys = set(zip(rows["candidate_id"].astype(str), rows["regime_id"].astype(str), strict=True))
    labels = {regime.regime_id: regime.label for regime in results.regimes}
    held: dict[str, list[str]] = {}
    for finding in results.findings:
        if (finding.candidate_id, finding.regime_id) in keys:
            where = f"{_name(results, finding.candidate_id)}, {labels.get(finding.regime_id, finding.regime_id)}"
            held.setdefault(finding.text, []).append(where)
    return [Sentence("", {}, f"{'; '.join(where)}: {text}") for text, where in list(held.items())[:MOST_DECISIVE]]


def _leaders(columns: tuple[Column, ...], rows: tuple[Row, ...]) -> Sentence | None:
    """The best through route by each scored criterion, in the first regime."""
    said = []
    regime = rows[0].regime_id if rows else ""
    for index, column in enumerate(columns):
        best = [row for row in rows if row.regime_id == regime and row.cells[index].mark == "best"]
        if column.scored and best and len(best) <= 3:
            names = " / ".join(row.name for row in best)
            said.append(f"{column.label}: {names} ({best[0].cells[index].text} {column.unit})")
    return Sentence("summary.leaders", {"list": "; ".join(said)}) if said else None


def default_choice(results: Results) -> str:
    """The candidate that is shown first: the best of the default perspective, else the first."""
    rows = _leading(results, results.default_perspective, regime_ids(results)[0])
    if rows:
        return str(rows[0]["candidate_id"])
    return results.candidates[0].candidate_id if results.candidates else ""
