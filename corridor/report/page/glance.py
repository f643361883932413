"""The first screen: routes by what each means, the answer in three paragraphs, and routes by sets of rules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from corridor.report.page.declared import fare_of_conditions, left_open
from corridor.report.page.summary import first_of_open
from corridor.report.tables import Cell, MetricCells, criterion_name, price_years, rough_number
from corridor.report.view import ReportView
from corridor.schema.message import ListStyle, Message, Value, country_message, listing
from corridor.schema.regime import OUTSIDE
from corridor.schema.vocabulary import FirstPlace, MetricStatus, Outcome, PanelKind

SUBJECTS = {
    "time": ("trip_time_h", "travel_time_h", "truck_time_h", "time_h"),
    "terrain": ("ascent_m", "max_elevation_m"),
    "cost": ("cost_remaining_musd", "cost_musd"),
    "link": ("access_delay_min",),
    "axes": ("flow_cost_usd", "north_south_delay_min"),
    "people": ("people_lost_crossing",),
}
"""What a reader asks first, and the metrics that answer it, the first that is there."""
_NEEDS = {"north_south_delay_min": "north_south_shared_km"}
"""The delay of access is one of north-south axes only where the study names some, so that something could be shared."""
COMPARED = frozenset(("time", "terrain", "cost"))
"""Subjects whose words compare the routes with each other; those of the others say what happens."""
WHO = ("who_secures", "what_checks", "customs", "who_owns")
"""Declared answers to who would run a route."""
REMAINING_IN = "cost_remaining_musd_"
"""Beginning of the metrics that say what is left to pay in a country, whose code follows in small letters."""
_CODE_LETTERS = 2
_LEAST = {"link": 1.0, "axes": 1.0, "people": 1.0}
"""Smaller changes count as none, if the whole range is smaller."""
_GOOD, _FAIR, _POOR, _UNKNOWN, _ALIKE = "good", "fair", "poor", "unknown", "alike"


@dataclass(frozen=True, slots=True)
class Subject:
    """A column of the first screen's table and the metric that fills it."""

    name: str
    metric: MetricCells


def subjects(view: ReportView) -> tuple[Subject, ...]:
    """The columns that these results can fill."""
    found = []
    for name, metrics in SUBJECTS.items():
        filled = (view.metric(metric) for metric in metrics if _has_ground(view, metric))
        cells = next((cells for cells in filled if cells is not None), None)
        if cells is not None:
            found.append(Subject(name, cells))
    return tuple(found)


def _has_ground(view: ReportView, metric: str) -> bool:
    """Whether what a metric's figures are about is there, where another metric tells that by having any."""
    if metric not in _NEEDS:
        return True
    told = view.metric(_NEEDS[metric])
    return told is not None and any(cell.value is not None or cell.ends is not None for cell in told.cells.values())


def build_glance(view: ReportView) -> dict[str, Any]:
    """What the first screen shows, for each set of rules.

    Returns:
        ``subjects`` (name, unit), ``cases`` by regime: ``answer`` (messages of three sentences), ``who`` (declared
        texts of who would run it), ``order`` (ids, best first, those that the rules don't cover last) and ``rows`` by
        candidate: ``rank`` (a message), ``covered`` and a cell for each subject with level, message, figure and
        range; ``opened`` the same for rules that allow no transit, ranked as if they did.
    """
    columns = subjects(view)
    return {
        "subjects": [{"name": s.name, "unit": s.metric.column.unit, "metric": s.metric.column.metric} for s in columns],
        "cases": {regime: _case(view, columns, regime) for regime in view.regime_ids},
        "opened": _opened_cases(view),
    }


def _opened_cases(view: ReportView) -> dict[str, Any]:
    """Cases of the rules that allow no transit, each answer beginning with what is supposed."""
    opened = view.if_opened
    found = {}
    for regime in opened.regime_ids if opened else ():
        if opened is not None and opened.leading(view.results.default_perspective)[regime]:
            case = _case(opened, subjects(opened), regime)
            first, *rest = case["answer"]
            said = {"t": "answer.if_opened", "or": "", "fill": {"said": first}}
            found[regime] = case | {"answer": [said, *rest]}
    return found


def _case(view: ReportView, columns: tuple[Subject, ...], regime: str) -> dict[str, Any]:
    rows = {key: _row(view, columns, key, regime) for key in view.candidates}
    declared = view.regimes.get(regime)
    return {
        "answer": [message.to_json() for message in answer(view, regime)],
        "who": [declared.attributes[name].text for name in WHO] if declared else [],
        "order": _order(view, regime),
        "rows": rows,
    }


def _order(view: ReportView, regime: str) -> list[str]:
    """Candidates as the ranking has them, so that the table and the words name the same next one.

    Through routes come before those to compare with, ones that the rules don't cover last.
    """
    # The place in the list, not the rank: ties have one rank, and the list has an order within them.
    ranking = view.rankings[view.results.default_perspective]
    ranked = [row["candidate_id"] for row in ranking if row["regime_id"] in {regime, OUTSIDE}]
    place = {key: index for index, key in enumerate(ranked)}
    return sorted(
        view.candidates,
        key=lambda key: (
            view.rank_cells.get(key, regime) is None,
            view.candidates[key].comparator,
            place.get(key, math.inf),
        ),
    )


def _row(view: ReportView, columns: tuple[Subject, ...], key: str, regime: str) -> dict[str, Any]:
    rank = view.rank_cells.get(key, regime)
    covered = rank is not None
    return {
        "rank": _rank(rank).to_json() if rank and rank.text else None,
        "covered": covered,
        "fare": fare.to_json() if covered and (fare := fare_of_conditions(view, regime, key)) else None,
        "cells": [_cell(view, column, key, regime) if covered else None for column in columns],
    }


def _rank(cell: Cell) -> Message:
    """A place, with what unknown figures leave possible."""
    return (
        Message("page.rank_or_not", {"rank": cell.text})
        if cell.status
        else Message("glance.place", {"rank": cell.text})
    )


def _cell(view: ReportView, column: Subject, key: str, regime: str) -> dict[str, Any] | None:
    """Level for the colour, words, and the figure with its range beneath."""
    cell = column.metric.get(key, regime)
    if cell is None:
        return None
    level, words = _say(view, column, cell, key, regime)
    told = column.name in COMPARED or _changed(column, cell)
    # A change of nothing is said in words; a figure of 0 beside them would be read as a measurement.
    figure = cell.text if told else ""
    said = words.to_json() if words else None
    return {"level": level, "words": said, "figure": figure, "range": cell.range_text if figure else ""}


def _changed(column: Subject, cell: Cell) -> bool:
    """Whether a figure that says what would change says that anything may."""
    return cell.value is not None and abs(cell.most) >= _LEAST[column.name]


def _say(view: ReportView, column: Subject, cell: Cell, key: str, regime: str) -> tuple[str, Message | None]:
    """Level for the colour, and words; none where a figure that is told by comparing has none to compare with."""
    if cell.value is None:
        if cell.ends is not None:
            low, high = cell.ends.values["low"], cell.ends.values["high"]
            return _UNKNOWN, Message("glance.between", {"low": low, "high": high})
        if cell.status in (MetricStatus.UNREACHABLE, MetricStatus.LOST):
            return _POOR, Message(f"glance.{column.name}.lost")
        # why there is no figure stands in the tables; here it is enough that nobody knows
        unknown = cell.status in (MetricStatus.NOT_SUPPORTED, MetricStatus.MISSING)
        return _UNKNOWN, Message("glance.unknown") if unknown else Message(f"status.{cell.status}")
    if column.name in COMPARED:
        level = _compared(view, column, cell.value, regime)
        return level, Message(f"glance.{column.name}.{level}") if level else None
    if not _changed(column, cell):
        return _GOOD, Message(f"glance.{column.name}.none")
    # Where the middle counts as none, the far end says which way.
    if (cell.value if abs(cell.value) >= _LEAST[column.name] else cell.most) < 0:
        return _GOOD, Message(f"glance.{column.name}.less")
    return (_POOR if column.name == "people" else _FAIR), Message(f"glance.{column.name}.more")


def _compared(view: ReportView, column: Subject, value: float, regime: str) -> str:
    """Where a figure lies among those of the through routes under the same rules: in the first, middle or last third.

    Rules that cover one through route or none are told by all that they cover, routes to compare with too; a figure
    that is still alone has no level. A criterion whose figures differ by less than its tolerance tells nobody apart.
    """
    for keys in (view.through, tuple(view.candidates)):
        cells = [column.metric.get(key, regime) for key in keys if view.rank_cells.get(key, regime)]
        values = [cell.value for cell in cells if cell is not None and cell.value is not None]
        if len(values) > 1:
            break
    if len(values) < 2:
        return ""
    criterion = next((c for c in view.results.criteria if c.metric == column.metric.column.metric), None)
    spread = max(values) - min(values)
    if spread <= (criterion.tolerance if criterion else 0.0):
        return _ALIKE
    # Thirds of the range that the routes span, so that the colours tell them apart whatever the unit.
    third = 3 * (value - min(values)) / spread
    return _GOOD if third < 1 else _FAIR if third < 2 else _POOR


# The answer.


def answer(view: ReportView, regime: str) -> list[Message]:
    """Three short paragraphs: what comes first and how firm, what it costs whom, and what nobody knows."""
    first = _first(view, regime)
    leaders = _leaders(view, regime)
    said = [first, _cost(view, regime, leaders[0]) if leaders else None, _unknown(view, regime, leaders)]
    return [message for message in said if message is not None]


def _leaders(view: ReportView, regime: str) -> list[str]:
    rows = view.leading(view.results.default_perspective).get(regime, [])
    return [row["candidate_id"] for row in rows if row["rank"] == 1]


def _regime_name(view: ReportView, regime: str) -> Value:
    """The rules that a sentence is about; the perspective where a study has no rules."""
    if view.regimes:
        return view.regime_name(regime)
    return view.perspective_name(view.results.default_perspective)


def _first(view: ReportView, regime: str) -> Message:
    """Who comes first under the default perspective, from how many points of view, and by what."""
    leaders = _leaders(view, regime)
    if not leaders:
        return _nobody(view, regime)
    rows = view.leading(view.results.default_perspective)[regime]
    if len(rows) == 1:
        if not view.regimes:
            return Message("answer.alone_plain", {"name": view.lettered(leaders[0])})
        return Message("answer.alone", {"regime": _regime_name(view, regime), "name": view.lettered(leaders[0])})
    if any(row["first"] is FirstPlace.AT_BEST for row in rows):
        # What rests on figures that aren't known is never said as if it were.
        return first_of_open(view, rows, view.lettered)
    name = listing((view.lettered(key) for key in leaders), ListStyle.AND)
    count, why, firm = len(rows), _why(view, regime, leaders, rows), _firm(view, regime, leaders)
    many = len(leaders) > 1
    if not view.regimes:
        return Message(
            "answer.first_tied_plain" if many else "answer.first_plain",
            {"name": name, "count": count, "why": why, "firm": firm},
        )
    return Message(
        "answer.first_tied" if many else "answer.first",
        {"regime": _regime_name(view, regime), "name": name, "count": count, "why": why, "firm": firm},
    )


def _nobody(view: ReportView, regime: str) -> Message:
    """Why nobody is ranked: the rules are about other routes, they let nobody through, or figures are lost."""
    if not view.regimes:
        return Message("answer.nobody_plain", {"ranking": Message("page.ranking")})
    rules = _regime_name(view, regime)
    if not any(view.rank_cells.get(key, regime) for key in view.through):
        # Whether anybody may travel a route that the rules aren't about is not for them to say.
        others = [view.lettered(key) for key in view.candidates if (key, regime) in view.rank_cells.cells]
        if not others:
            return Message("answer.uncovered_all", {"regime": rules})
        return Message("answer.uncovered", {"regime": rules, "names": listing(others, ListStyle.COMMA)})
    if regime in view.regimes and not view.regimes[regime].allows_transit:
        return Message("answer.nobody", {"regime": rules})
    return Message("answer.unranked", {"regime": rules, "ranking": Message("page.ranking")})


def _firm(view: ReportView, regime: str, leaders: list[str]) -> Value:
    """In how many points of view the same route leads, and the places that unknown figures leave it."""
    # The same weights under two names would count one opinion twice.
    views = _distinct_views(view, regime)
    firm = sum(set(leaders) == _sure_firsts(view, regime, key) for key in views)
    said: list[Value] = []
    if len(views) > 1:
        said.append(
            Message("answer.firm_all", {"views": str(len(views))})
            if firm == len(views)
            else Message("answer.firm_some", {"count": firm, "views": str(len(views))})
        )
    cell = view.rank_cells.get(leaders[0], regime)
    if cell is not None and (cell.text != "1" or cell.status):
        places: Value = Message("page.rank_or_not", {"rank": cell.text}) if cell.status else cell.text
        said.append(Message("answer.places", {"places": places}))
    return listing(said, ListStyle.SENTENCES)


def _sure_firsts(view: ReportView, regime: str, perspective: str) -> set[str]:
    """Who is first from a point of view whatever isn't known turns out to be; another may be first at best too."""
    rows = view.leading(perspective).get(regime, [])
    return {row["candidate_id"] for row in rows if row["first"] == FirstPlace.FOR_SURE}


def _distinct_views(view: ReportView, regime: str) -> tuple[str, ...]:
    """Perspectives that weigh what is scored under a set of rules differently; equal weights are one point of view."""
    for panel in view.results.panels:
        if (panel.regime_id, panel.panel) == (regime, PanelKind.THROUGH):
            return panel.views
    return ()


def _why(view: ReportView, regime: str, leaders: list[str], rows: list[dict[str, Any]]) -> Value:
    """The one or two criteria by which the first leads the next most."""
    rest = [row["candidate_id"] for row in rows if row["candidate_id"] not in leaders]
    table = view.results.ranking
    if not rest or table.empty:
        return ""
    # Contributions are parts of a score: the criteria in which the first is furthest ahead of the next explain its
    # place.
    here = table[(table["perspective"] == view.results.default_perspective) & (table["regime_id"] == regime)]
    here = here.set_index("candidate_id")
    gains = []
    for criterion in view.results.criteria:
        column = f"contribution:{criterion.criterion_id}"
        if column in here.columns:
            gain = pd.to_numeric(here.at[leaders[0], column]) - pd.to_numeric(here.at[rest[0], column])
            if pd.notna(gain) and gain > 0:
                gains.append((float(gain), criterion))
    if not gains:
        return ""
    gains.sort(key=lambda pair: (-pair[0], pair[1].criterion_id))
    # A second criterion is named only where it adds a fifth or more of all that is gained.
    total = sum(gain for gain, _ in gains)
    kept = [criterion for gain, criterion in gains[:2] if gain > 0.2 * total]
    what = listing((criterion_name(view.results, criterion) for criterion in kept), ListStyle.AND)
    return Message("answer.why", {"next": view.lettered(rest[0]), "what": what})


def _cost(view: ReportView, regime: str, key: str) -> Message | None:
    """What is left to pay on the first, how long a trip takes, and what it does to the road and to people."""
    said: list[Value] = []
    for column in subjects(view):
        cell = column.metric.get(key, regime)
        if cell is None:
            continue
        figure = _with_range(cell)
        if column.name == "cost" and cell.value == 0.0 and not cell.range_text:
            said.append(Message("answer.cost_none", {"name": view.letter(key)}))
        elif column.name == "cost" and cell.value is not None:
            said += [Message("answer.cost", {"name": view.letter(key), "cost": figure}), *_cost_by(view, key, regime)]
        elif column.name == "time" and cell.value is not None:
            said.append(Message("answer.time", {"hours": figure}))
        elif column.name in ("link", "people"):
            said.append(_effect(view, column, cell, view.letter(key)))
    said.sort(key=lambda message: str(message.key) if isinstance(message, Message) else "")
    return Message("answer.both", {"list": listing(said, ListStyle.SENTENCES)}) if said else None


def _cost_by(view: ReportView, key: str, regime: str) -> list[Value]:
    """In which countries what is left is to be built, dearest first, and the year of the prices."""
    parts = []
    for column in view.results.metrics.columns:
        country = str(column).removeprefix(REMAINING_IN)
        if not str(column).startswith(REMAINING_IN) or len(country) != _CODE_LETTERS:
            continue
        cells = view.metric(str(column))
        cell = cells.get(key, regime) if cells else None
        if cell is not None and cell.value is not None and cell.value > 0:
            parts.append((cell.value, country.upper()))
    year = price_years(view.results, key)
    said: list[Value] = []
    if parts:
        # Equal costs by the code, so that the sentence is the same in every run.
        parts.sort(key=lambda part: (-part[0], part[1]))
        whole = sum(value for value, _ in parts)
        named = [
            Message(
                "answer.cost_in",
                {"country": country_message(code), "cost": rough_number(value, 0, whole)},
            )
            for value, code in parts
        ]
        said.append(Message("answer.cost_where", {"list": listing(named, ListStyle.COMMA)}))
    if year:
        said.append(Message("answer.cost_year", {"year": year}))
    return said


def _effect(view: ReportView, column: Subject, cell: Cell, name: Message) -> Message:
    """What becomes of the road to the border crossing with the route of a name, or of people, in a sentence."""
    facts = next((finding.facts for finding in view.results.findings if finding.facts), None)
    crossing, capital = (facts.crossing, facts.capital) if facts else ("", "")
    if cell.value is None:
        lost = cell.status in (MetricStatus.UNREACHABLE, MetricStatus.LOST)
        if column.name == "link" and cell.ends is not None:
            least, most = cell.ends.values["low"], cell.ends.values["high"]
            between: dict[str, Value] = {
                "name": name, "crossing": crossing, "capital": capital, "low": least, "high": most,
            }  # fmt: skip
            return Message("answer.link_between", between)
        if column.name == "link":
            ends: dict[str, Value] = {"name": name, "crossing": crossing, "capital": capital}
            return Message("answer.link_lost", ends) if lost else Message("answer.link_unknown", ends)
        return Message("answer.people_unknown")
    changed = _changed(column, cell)
    if column.name == "link":
        if not changed:
            return Message("answer.link_same", {"name": name, "crossing": crossing, "capital": capital})
        more = _with_range(cell)
        slower: dict[str, Value] = {"name": name, "crossing": crossing, "capital": capital, "minutes": more}
        return Message("answer.link_slower", slower)
    return Message("answer.people_some", {"people": _with_range(cell)}) if changed else Message("answer.people_none")


def _with_range(cell: Cell) -> str:
    return f"{cell.text} ({cell.range_text})" if cell.range_text else cell.text


def _unknown(view: ReportView, regime: str, leaders: list[str]) -> Message | None:
    """What no document says: where a line would run and meet roads, and what the rules' text leaves open."""
    said: list[Value] = []
    undrawn = _unplaced(view, regime)
    if undrawn is not None:
        said.append(undrawn)
    declared = view.regimes.get(regime)
    if declared is not None:
        said.append(left_open(declared))
    return Message("answer.both", {"list": listing(said, ListStyle.SENTENCES)}) if said else None


def _unplaced(view: ReportView, regime: str) -> Message | None:
    """The route whose line nobody has published and that could cut the road off, under the hardest rules.

    It is told under rules that cover that route alone.
    """
    for finding in view.results.findings:
        facts = finding.facts
        if view.rank_cells.get(finding.candidate_id, regime) is None:
            continue
        if finding.outcome in (Outcome.LOST, Outcome.UNDETERMINED) and facts is not None and facts.schematic_km:
            return Message(
                "answer.unplaced",
                {
                    "name": view.lettered(finding.candidate_id),
                    "crossing": facts.crossing,
                    "capital": facts.capital,
                },
            )
    return None


# Routes by sets of rules.


def build_matrix(view: ReportView) -> dict[str, Any] | None:
    """Places, delay, people and cost to flows of every through route under every set of rules.

    Returns:
        ``regimes`` (ids), ``rows``: candidate's id and a cell for each regime with ``rank`` and the figures'
        messages, which say whether all stays as it is (``same``); None for a cell whose rules don't cover the route.
        None where there is one regime.
    """
    if len(view.regime_ids) < 2:
        return None
    told = [column for column in subjects(view) if column.name not in COMPARED]
    columns = [column for column in told if _known_somewhere(view, column)]
    regimes = [key for key in view.regime_ids if key != OUTSIDE]
    rows = [{"id": key, "cells": [_crossing(view, columns, key, regime) for regime in regimes]} for key in view.through]
    return {"regimes": regimes, "rows": rows, "subjects": [column.name for column in columns]}


def _known_somewhere(view: ReportView, column: Subject) -> bool:
    """Whether a figure is known, or known to lie between two ends, for any through route under any rules."""
    cells = (column.metric.get(key, regime) for key in view.through for regime in view.regime_ids)
    return any(cell is not None and (cell.value is not None or cell.ends is not None) for cell in cells)


def _crossing(view: ReportView, columns: list[Subject], key: str, regime: str) -> Mapping[str, Any] | None:
    """A cell of the matrix."""
    rank = view.rank_cells.get(key, regime)
    if rank is None:
        return None
    figures = []
    for column in columns if rank.text else ():
        cell = column.metric.get(key, regime)
        if cell is None:
            continue
        level, words = _say(view, column, cell, key, regime)
        changed = _changed(column, cell)
        unit = Message(f"unit.{column.metric.column.unit}", fallback=column.metric.column.unit)
        figure = Message("glance.figure", {"value": _signed(column, cell), "unit": unit})
        shown = words if words and not changed else figure
        figures.append(
            {"name": column.name, "level": level, "said": shown, "range": cell.range_text if changed else "",
             "same": cell.value is not None and not changed}
        )  # fmt: skip
    sure = rank.text == "1" and not rank.status
    return {"rank": _rank(rank).to_json() if rank.text else None, "figures": figures, "first": sure}


def _signed(column: Subject, cell: Cell) -> str:
    """A change with its sign; a count as it is."""
    if column.name == "people" or cell.value is None:
        return cell.text
    return cell.text if cell.value < 0 else f"+{cell.text}"
