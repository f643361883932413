"""What texts declare, and what somebody asked for: the page's tables of rules and of conditions."""

from __future__ import annotations

from typing import Any

from corridor.report.i18n import clean_text, safe_url
from corridor.report.tables import Cell, MetricCells
from corridor.report.view import ReportView
from corridor.schema.message import ListStyle, Message, Value, listing
from corridor.schema.regime import ATTRIBUTES, Regime
from corridor.schema.settings import Condition, Indicator
from corridor.schema.vocabulary import ENDLESS_STATUSES, MetricStatus

RANK = "rank"
"""A condition's metric that is no column of the metric table: the place in the ranking."""


class Notes:
    """Documents in the order in which a table cites them, numbered from 1."""

    def __init__(self, view: ReportView) -> None:
        self._documents = {source.source_id: source for source in view.results.documents}
        self._numbers: dict[str, int] = {}

    def number(self, source_id: str) -> int:
        """The number of a document, the same each time."""
        return self._numbers.setdefault(source_id, len(self._numbers) + 1)

    def listed(self) -> list[dict[str, Any]]:
        """The documents cited so far."""
        found = []
        for source_id, number in self._numbers.items():
            source = self._documents.get(source_id)
            found.append(
                {
                    "number": number,
                    "title": clean_text(source.title if source else source_id),
                    "publisher": clean_text(source.publisher) if source else "",
                    "date": clean_text(source.date) if source else "",
                    "url": safe_url(source.url) if source else "",
                }
            )
        return found


def build_rules(view: ReportView) -> dict[str, Any] | None:
    """The table of what the rules say: a column for each set of rules, a row for each question.

    Returns:
        ``regimes`` (ids), ``rows`` (key of the question's message, and a cell for each regime with text, whether the
        text speaks, number of its source and date), ``kinds`` (what kind of text each is), ``effects`` (what the
        comparison assumes of it), ``open`` (what it leaves open) and ``sources``. None without regimes.
    """
    regimes = view.ordered_regimes
    if not regimes:
        return None
    notes = Notes(view)
    # Sources are numbered in the order in which they are met, row by row, as a reader meets them.
    kinds = [
        {
            "text": clean_text(regime.text_status),
            "as_of": clean_text(regime.as_of),
            "source": ", ".join(str(notes.number(key)) for key in regime.source_ids),
        }
        for regime in regimes
    ]
    rows = [
        {
            "key": f"asked.{name}",
            "cells": [
                {
                    "text": clean_text(regime.attributes[name].text),
                    "specified": regime.attributes[name].specified,
                    "as_of": clean_text(regime.attributes[name].as_of),
                    "source": notes.number(regime.attributes[name].source_id),
                }
                for regime in regimes
            ],
        }
        for name in ATTRIBUTES
    ]
    return {
        "regimes": [regime.regime_id for regime in regimes],
        "kinds": kinds,
        "rows": rows,
        "effects": [clean_text(regime.switches_from) for regime in regimes],
        "open": [left_open(regime).to_json() for regime in regimes],
        "sources": notes.listed(),
    }


def left_open(regime: Regime) -> Message:
    """How many of all questions the text of a regime leaves open, and which."""
    silent = [name for name in ATTRIBUTES if not regime.attributes[name].specified]
    if not silent:
        return Message("rules.open_none")
    asked = listing((Message(f"asked.{name}") for name in silent), ListStyle.SEMICOLON)
    return Message("rules.open", {"count": len(silent), "of": len(ATTRIBUTES), "asked": asked})


def build_conditions(view: ReportView) -> dict[str, Any] | None:
    """The table of conditions: what can be shown for each, by route and rules.

    Returns:
        ``groups`` (the condition, number of its source, and its rows), ``routes`` (ids), ``values`` (regime -> a list
        of cells for each row that has figures, and a text for each row that rules declare), ``sources``. Rows have
        ``kind`` and ``row``, their number in ``values``. None where the study names no conditions.
    """
    if not view.results.conditions:
        return None
    notes = Notes(view)
    groups = []
    rows: list[tuple[Indicator, dict[str, Any]]] = []
    for condition in view.results.conditions:
        shown = []
        for indicator in condition.indicators:
            row = _indicator(view, indicator, notes)
            row["row"] = len(rows)
            rows.append((indicator, row))
            shown.append(row)
        groups.append(
            {"text": clean_text(condition.condition), "source": notes.number(condition.source_id), "rows": shown}
        )
    values = {regime: [_values(view, indicator, regime, notes) for indicator, _ in rows] for regime in view.regime_ids}
    routes = list(view.candidates)
    return {"groups": groups, "routes": routes, "values": values, "sources": notes.listed()}


HARM, NO_HARM, NOT_KNOWN, ANSWERED, LEFT_OPEN, STATED, UNMEASURABLE = (
    "harm", "no_harm", "not_known", "answered", "left_open", "stated", "unmeasurable",
)  # fmt: skip
"""How a condition fares: by figures, by what the rules' text declares, by facts, or not at all."""
_NAMED = (HARM, NO_HARM, NOT_KNOWN)


def fare_of_conditions(view: ReportView, regime_id: str, candidate_id: str) -> Message | None:
    """In a sentence: which conditions figures show harmed, which not, and how many the rules' text answers.

    Args:
        view: the comparison as it is shown.
        regime_id: the rules.
        candidate_id: the route.

    Returns:
        The message; None where the study names no conditions.
    """
    if not view.results.conditions:
        return None
    found: dict[str, list[tuple[int, str]]] = {}
    for number, condition in enumerate(view.results.conditions, 1):
        state = _fare(view, condition, regime_id, candidate_id)
        found.setdefault(state, []).append((number, clean_text(condition.condition)))
    said: list[Value] = []
    for state in (HARM, NO_HARM, NOT_KNOWN, ANSWERED, LEFT_OPEN, STATED, UNMEASURABLE):
        if state in found:
            numbers = listing((str(number) for number, _ in found[state]), ListStyle.COMMA)
            names = listing((text for _, text in found[state]), ListStyle.SEMICOLON)
            named: dict[str, Value] = {"names": names} if state in _NAMED else {}
            said.append(Message(f"fare.{state}", {"numbers": numbers, **named}))
    return Message("fare.all", {"of": str(len(view.results.conditions)), "list": listing(said, ListStyle.SENTENCES)})


def _fare(view: ReportView, condition: Condition, regime_id: str, candidate_id: str) -> str:
    """How one condition fares: figures of harm come first, then what the text declares, then facts."""
    harms = [indicator for indicator in condition.indicators if indicator.harm_above is not None]
    shown = [_harmed(view, indicator, regime_id, candidate_id) for indicator in harms]
    if True in shown:
        return HARM
    if harms:
        # What can't be measured of a condition may be harm that no figure shows: how safe people feel, for one.
        unknown = None in shown or any(indicator.unmeasurable for indicator in condition.indicators)
        return NOT_KNOWN if unknown else NO_HARM
    regime = view.regimes.get(regime_id)
    asked = [indicator.attribute for indicator in condition.indicators if indicator.attribute is not None]
    if asked and regime is not None:
        answered = (name == "text_status" or regime.attributes[name].specified for name in asked)
        return ANSWERED if any(answered) else LEFT_OPEN
    return STATED if any(indicator.fact for indicator in condition.indicators) else UNMEASURABLE


def _harmed(view: ReportView, indicator: Indicator, regime_id: str, candidate_id: str) -> bool | None:
    """Whether a figure shows harm; None where it isn't known."""
    cells = _cells(view, indicator.metric or "")
    cell = cells.get(candidate_id, regime_id) if cells else None
    if cell is None:
        return None
    if cell.value is None and cell.between is None:
        lost = cell.status in ENDLESS_STATUSES and cell.status != MetricStatus.NOT_TRAVELABLE
        return True if lost else None
    # of a figure that isn't determined harm is known where both ends say the same
    ends = (cell.value,) if cell.value is not None else cell.between or ()
    harmed = {end > (indicator.harm_above or 0.0) for end in ends}
    return harmed.pop() if len(harmed) == 1 else None


def _indicator(view: ReportView, indicator: Indicator, notes: Notes) -> dict[str, Any]:
    """A row without its values: its label and unit, or its one text for all routes and rules."""
    row: dict[str, Any] = {"label": clean_text(indicator.label), "unit": "", "text": "", "source": "", "as_of": ""}
    if indicator.metric:
        cells = _cells(view, indicator.metric)
        return row | {"kind": "metric", "unit": cells.column.unit if cells else ""}
    if indicator.attribute:
        return row | {"kind": "attribute"}
    if indicator.fact:
        number = notes.number(indicator.source_id or "")
        return row | {
            "kind": "fact", "text": clean_text(indicator.fact), "source": number, "as_of": clean_text(indicator.as_of),
        }  # fmt: skip
    return row | {"kind": "unmeasurable", "text": clean_text(indicator.unmeasurable)}


def _values(view: ReportView, indicator: Indicator, regime_id: str, notes: Notes) -> Any:
    """What stands in a row under a regime: cells by route, a declared text, or nothing."""
    if indicator.metric:
        cells = _cells(view, indicator.metric)
        return [plain_cell(cells.get(key, regime_id) if cells else None) for key in view.candidates]
    regime = view.regimes.get(regime_id)
    if indicator.attribute is None or regime is None:
        return None
    if indicator.attribute == "text_status":
        return [clean_text(regime.text_status), notes.number(regime.source_ids[0]), clean_text(regime.as_of)]
    said = regime.attributes[indicator.attribute]
    return [clean_text(said.text), notes.number(said.source_id), clean_text(said.as_of)]


def _cells(view: ReportView, metric: str) -> MetricCells | None:
    return view.rank_cells if metric == RANK else view.metric(metric)


def plain_cell(cell: Cell | None) -> list[Any]:
    """A cell as plain data: text, range, and why there is no figure, as a message; empty where no rules apply."""
    if cell is None:
        return ["", "", None]
    why = cell.ends or (
        Message(f"status.{cell.status}", fallback=cell.status.replace("_", " ")) if cell.status else None
    )
    return [cell.text, cell.range_text, why.to_json() if why else None]
