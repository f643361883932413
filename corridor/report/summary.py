"""The few sentences that come first: read off the tables, as message keys with their figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from corridor.model.results import Results
from corridor.report.tables import Column, Row, ranking_rows, regime_ids


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message by key with what fills it; ``text`` stands for itself where it comes from the results."""

    key: str
    values: dict[str, Any]
    text: str = ""


def summarise(results: Results, columns: tuple[Column, ...], rows: tuple[Row, ...]) -> list[Sentence]:
    """What the study's own findings say, else what the tables show: today, by rank, across perspectives, by criterion."""
    said = [Sentence("", {}, text) for text in results.notes.get("findings", ())]
    return said[:3] + [s for s in (_usable(results), _first(results), _views(results), _leaders(columns, rows)) if s]


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
        "view": view.label,
        "count": len(rows),
        "name": ", ".join(_name(results, row["candidate_id"]) for row in firsts),
        "score": f"{firsts[0]['score']:.2f}",
        "next": _name(results, rows[len(firsts)]["candidate_id"]) if len(rows) > len(firsts) else "",
        "next_score": f"{rows[len(firsts)]['score']:.2f}" if len(rows) > len(firsts) else "",
    }
    return Sentence("summary.first_tied" if len(firsts) > 1 else "summary.first", values)


def _views(results: Results) -> Sentence | None:
    """Who comes first under how many perspectives."""
    counts: dict[str, int] = {}
    for view in results.perspectives:
        for row in _leading(results, view.perspective_id, regime_ids(results)[0]):
            if row["rank"] == 1:
                counts[row["candidate_id"]] = counts.get(row["candidate_id"], 0) + 1
    if not counts:
        return None
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    listed = "; ".join(f"{_name(results, key)}: {count}" for key, count in ordered)
    return Sentence("summary.views", {"count": len(results.perspectives), "list": listed})


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


def missing_metrics(metrics: pd.DataFrame) -> bool:
    """Whether the table lacks everything about borders and north-south axes, which a reader would look for."""
    return not any(str(name).startswith(("access_", "north_south_")) for name in metrics.columns)
