"""The page's section on long-distance flows: a schematic map, what routes change by pair, who controls the ways."""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from corridor.report.i18n import clean_text
from corridor.report.tables import rough_number, rough_value
from corridor.report.view import ReportView
from corridor.schema.message import Message, Value
from corridor.schema.results import FlowMap
from corridor.schema.vocabulary import MetricStatus, WayStatus

WIDTH, HEIGHT = 720.0, 460.0
_MARGIN = 0.08
_LEAST_USD = 1.0
_CASE = ("candidate_id", "regime_id", "year")


def build_flow_data(view: ReportView) -> dict[str, Any] | None:
    """What the section shows, as plain data for the template and its script.

    Args:
        view: the comparison as it is shown.

    Returns:
        ``years``, ``lines`` (both ends in the drawing's units, mode, status), ``cities`` (name, x, y), ``pairs``
        (names, axis), ``countries`` (names), ``notes`` of those who run railways, ``widths`` (distinct lists of line
        widths), ``ways`` (distinct descriptions of who controls a way), ``rows`` (distinct rows of a pair),
        ``branches`` (name, mode, number of the pair), ``choices`` (distinct rows of a branch) and ``cases``: by
        candidate, regime and year the widths' number, the number of each pair's row, of each branch's choice, and the
        sentences.
        ``unknown`` has the sentence of a case without figures. None where the study names no long-distance tables, or
        these no pair of places.
    """
    shown = view.results.flow_map
    if shown is None or view.results.flows["pairs"].empty:
        return None
    links = shown.links
    place = _projection(links, pd.DataFrame(list(shown.cities.values()), columns=["name", "lon", "lat"]))
    lines = [
        [*place(row.lon_from, row.lat_from), *place(row.lon_to, row.lat_to), row.mode, row.status]
        for row in links.itertuples()
    ]
    pairs = view.results.flows["pairs"]
    first = pairs[(pairs["candidate_id"] == "") & (pairs["year"] == pairs["year"].min())]
    cities = [[clean_text(name), *place(lon, lat)] for name, lon, lat in shown.cities.values()]
    found: dict[str, Any] = {
        "size": [WIDTH, HEIGHT],
        "years": sorted(int(year) for year in pairs["year"].unique()),
        "lines": lines,
        "cities": [city for city in cities if 0 <= city[1] <= WIDTH and 0 <= city[2] <= HEIGHT],
        "pairs": [
            [clean_text(shown.places[row.origin]), clean_text(shown.places[row.destination]), row.axis]
            for row in first.itertuples()
        ],
        "countries": {code: clean_text(name) for code, (name, *_) in shown.countries.items()},
        "notes": [[clean_text(name), clean_text(note)] for name, _, note, _ in shown.countries.values() if note],
        "cases": {},
    }
    first_flows = view.results.flows["flows"].merge(first[["origin", "destination", "candidate_id", "year"]])
    ends = list(zip(first["origin"], first["destination"], strict=True))
    found["branches"] = [
        [clean_text(shown.branches[row.origin, row.destination, row.branch]), row.mode, at]
        for row in first_flows.itertuples()
        for at, pair in enumerate(ends)
        if pair == (row.origin, row.destination)
    ]
    found |= _cases(view, shown)
    return found | {"unknown": _without_figures(view, found["cases"], found["years"][-1])}


def _cases(view: ReportView, shown: FlowMap) -> dict[str, Any]:
    """By candidate, regime and year: numbers of the widths, of each pair's row and each branch's, and the sentences."""
    order = {link: at for at, link in enumerate(shown.links["link_id"])}
    tables = view.results.flows
    lines = _rows_by_case(shown.lines)
    pairs, flows, control, dependence = (
        _rows_by_case(tables[name]) for name in ("pairs", "flows", "control", "dependence")
    )
    columns = ["link_id", "from_node", "to_node", "border"]
    ends = {link: (a, b, border) for link, a, b, border in shown.links[columns].itertuples(index=False)}
    widths, ways = _Numbered(partial(_widths, order)), _Numbered(partial(_way, shown, ends))
    rows, choices = _Numbered(_row), _Numbered(_choice)
    cases: dict[str, Any] = {}
    for key, group in pairs.items():
        candidate, regime, year = key
        described = _control(control[key], _needed(dependence.get(key, ())), ways)
        cases.setdefault(f"{candidate}|{regime}", {})[int(year)] = {
            "widths": widths.number(tuple(lines.get(key, ()))),
            "rows": [
                rows.number(row, *(described.get((row.origin, row.destination, of)) for of in ("truck", "rail")))
                for row in group
            ],
            "choices": [choices.number(row) for row in flows[key]],
            "said": [message.to_json() for message in _sentences(view, candidate, regime, int(year), group)],
        }
    lists = {"widths": widths, "ways": ways, "rows": rows, "choices": choices}
    return {"cases": cases} | {name: numbered.values for name, numbered in lists.items()}


def _rows_by_case(table: pd.DataFrame) -> dict[tuple[str, str, int], list[Any]]:
    """Rows by candidate, regime and year, in the order of the table; rows alike but for their case are one object."""
    found: dict[tuple[str, str, int], list[Any]] = {}
    columns = {str(name): _own_values(table[name]) for name in table.columns}
    names = [name for name in columns if name not in _CASE]
    row_of: Any = namedtuple("Row", names)  # type: ignore[misc]
    cases = zip(*(columns[name] for name in _CASE), strict=True)
    known: dict[Any, Any] = {}
    for case, row in zip(cases, map(row_of, *(columns[name] for name in names)), strict=True):
        found.setdefault(case, []).append(known.setdefault(row, row))
    return found


def _own_values(column: pd.Series) -> list[Any]:
    """Cells as Python's own values at once: those of texts one by one would each be asked of Arrow.

    What is missing is one and the same NaN, since rows with different ones would never be alike.
    """
    values = column.to_numpy(dtype=object).tolist()
    for row in np.flatnonzero(column.isna()).tolist():
        values[row] = math.nan
    return values  # type: ignore[no-any-return]


def _widths(order: Mapping[str, int], rows: Iterable[Any]) -> list[float]:
    """Width of each line of the drawing."""
    width = [0.0] * len(order)
    for row in rows:
        width[order[row.link_id]] = round(float(row.share_sum), 2)
    return width


def _choice(row: Any) -> list[float | None]:
    """A branch: its cost (low, middle, high), its share in per cent, and what the route changes."""
    costs = [_number(row.cost_usd_low), _number(row.cost_usd), _number(row.cost_usd_high)]
    return [*costs, round(100 * row.share, 1), _usd(row.change_usd)]


def _needed(rows: Iterable[Any]) -> dict[tuple[str, str], list[Any]]:
    """By pair, for trucks alone: rows of the countries on the best way."""
    found: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        if row.mode == "road":
            found.setdefault((row.origin, row.destination), []).append(row)
    return found


class _Numbered:
    """What is told of rows, by number and each once: most cases look alike."""

    def __init__(self, tell: Callable[..., Any]) -> None:
        self.values: list[Any] = []
        self._tell = tell
        self._told: dict[tuple[Hashable, ...], int] = {}
        self._known: dict[str, int] = {}

    def number(self, *of: Hashable) -> int:
        """The number of what is told of something; it is told once."""
        if of not in self._told:
            value = self._tell(*of)
            self._told[of] = self._known.setdefault(repr(value), len(self.values))
            if self._told[of] == len(self.values):
                self.values.append(value)
        return self._told[of]


def _control(
    rows: Iterable[Any], needed: Mapping[tuple[str, str], list[Any]], ways: _Numbered
) -> dict[tuple[str, str, str], int]:
    """Numbers of what is described of the ways of a case, by origin, destination and ``truck`` or ``rail``."""
    return {
        (row.origin, row.destination, row.of): ways.number(row, tuple(needed.get((row.origin, row.destination), ())))
        for row in rows
    }


def _way(shown: FlowMap, ends: Mapping[str, tuple[str, str, str]], row: Any, needed: tuple[Any, ...]) -> dict[str, Any]:
    """Whose ground a way lies on: its name, days, kilometres by country, border points, and what a railway lacks.

    Of a truck's way also how many times more it costs without each country that it needs.
    """
    unions = {border: named.split(" / ") for border, _, named in _split(row.customs_borders)}
    found = {
        "name": clean_text(shown.branches.get((row.origin, row.destination, row.branch), "")),
        "open": row.status == "open",
        "days": [_number(row.trip_days_low), _number(row.trip_days), _number(row.trip_days_high)],
        "hours": [_number(getattr(row, name)) for name in ("drive_h", "rest_h", "check_h", "transfer_h")],
        "km": [part.rsplit(" ", 1) for part in _parts(row.km_by_country)],
        "own": _number(row.own_km),
        "borders": [
            [*map(clean_text, _passed(shown, ends[link], border)), [clean_text(u) for u in unions.get(border, [])]]
            for link, border in zip(_parts(row.border_links), _parts(row.borders), strict=True)
        ],
    }
    if row.of == "rail":
        found |= {
            "operators": [clean_text(operator) for operator in _parts(row.rail_operators)],
            "unnamed": [part.rsplit(" ", 1) for part in _parts(row.rail_unnamed_km)],
            "breaks": _number(row.rail_breaks_of_gauge),
            "missing": _number(row.rail_missing_km),
            "years": [_whole(row.rail_earliest_year_low), _whole(row.rail_earliest_year_high)],
            "capacity": _number(row.rail_least_capacity_mt_per_year),
        }
    if row.of == "truck":
        found["without"] = [[other.country, _number(other.dependence)] for other in needed]
    return found


def _split(text: Any) -> list[tuple[str, str, str]]:
    """Names and what stands after them."""
    return [part.partition(": ") for part in _parts(text)]


def _passed(shown: FlowMap, ends: tuple[str, str, str], border: str) -> tuple[str, str]:
    """Names of both sides of a border in the direction in which it is passed."""
    start, end = (shown.places[node] for node in ends[:2])
    return (start, end) if border == ends[2] else (end, start)


def _parts(text: Any) -> list[str]:
    """Items of a cell that holds several."""
    return [part for part in text.split("; ") if part] if isinstance(text, str) else []


def _whole(value: float) -> int | None:
    return int(value) if math.isfinite(value) else None


def _without_figures(view: ReportView, cases: dict[str, Any], year: int) -> dict[str, Any]:
    """A sentence for each case that has no figures of its own: its effect isn't known, or its rules don't cover it."""
    metrics = view.results.metrics
    said: dict[str, Any] = {}
    for row in metrics.to_dict("records") if "flow_cost_usd_status" in metrics and "regime_id" in metrics else ():
        key = f"{row['candidate_id']}|{row['regime_id']}"
        if key in cases:
            continue
        low, high = row.get("flow_cost_usd_low"), row.get("flow_cost_usd_high")
        route, rules = view.name(row["candidate_id"]), view.regime_name(row["regime_id"])
        message = Message("flows.undetermined_cut", {"route": route, "regime": rules})
        if row["flow_cost_usd_status"] == MetricStatus.UNDETERMINED and low is not None and high is not None:
            filled = {"route": route, "regime": rules, "year": str(year), "low": _text(low), "high": _text(high)}
            message = Message("flows.undetermined", filled)
        said[key] = message.to_json()
    return said


def _projection(links: pd.DataFrame, cities: pd.DataFrame) -> Any:
    """Degrees to the drawing: the middle of the network fills it, far ends lie outside."""
    lon = pd.concat([links["lon_from"], links["lon_to"]]).to_numpy(dtype=float)
    lat = pd.concat([links["lat_from"], links["lat_to"]]).to_numpy(dtype=float)
    west, east = np.quantile(lon, (0.03, 0.97))
    south, north = np.quantile(lat, (0.03, 0.97))
    squeeze = math.cos(math.radians(float(np.median(cities["lat"]) if len(cities) else np.median(lat))))
    wide, high = max((east - west) * squeeze, 1e-6), max(north - south, 1e-6)
    scale = (1 - 2 * _MARGIN) * min(WIDTH / wide, HEIGHT / high)

    def place(at_lon: float, at_lat: float) -> tuple[float, float]:
        x = WIDTH / 2 + (at_lon - (west + east) / 2) * squeeze * scale
        y = HEIGHT / 2 - (at_lat - (south + north) / 2) * scale
        return round(float(x), 1), round(float(y), 1)

    return place


def _row(row: Any, truck: int | None, rail: int | None) -> list[Any]:
    """Best way by truck: its number and cost (low, middle, high); change over all ways; what a cut costs; the railway.

    Numbers of ways are None where there is no such way.
    """
    costs = [_number(row.truck_cost_usd_low), _number(row.truck_cost_usd), _number(row.truck_cost_usd_high)]
    return [truck, *costs, _usd(row.logsum_change_usd), _usd(row.regret_usd), rail]


def _number(value: float) -> float | None:
    """As rough as what it rests on; None, as JSON has it, where there is no number."""
    return rough_value(value) if math.isfinite(value) else None


def _usd(value: float) -> float | None:
    """As :func:`_number`; changes below a dollar are none."""
    return 0 if abs(value) < _LEAST_USD else _number(value)


def _sentences(view: ReportView, candidate: str, regime: str, year: int, rows: list[Any]) -> list[Message]:
    """What a truck of the pair that is touched most pays more or less, and what it pays if the route is cut."""
    if not candidate:
        return []
    truck = _greatest(rows, "truck_change_usd")
    if truck is not None and abs(truck.truck_change_usd) < _LEAST_USD:
        truck = None
    change = _change(view, candidate, regime, year, rows, truck)
    # Figures of rules that allow no transit are those as if they did: nobody pays less by what nobody may use.
    closed = regime in view.regimes and not view.regimes[regime].allows_transit
    if closed and change.key != "flows.same":
        change = Message("answer.if_opened", {"said": change})
    return [change, _cut(view, rows, truck)]


def _greatest(rows: list[Any], name: str) -> Any:
    """The first row in which a known figure is farthest from 0; None where none is known."""
    return max((row for row in rows if _known(row, name)), key=lambda row: abs(getattr(row, name)), default=None)


def _known(row: Any, name: str) -> bool:
    return not math.isnan(getattr(row, name))


def _change(view: ReportView, candidate: str, regime: str, year: int, rows: list[Any], truck: Any) -> Message:
    """What the truck pays more or less; where no truck does, what a load over all its ways, railways too.

    A pair that loses all its ways comes first: it pays no more, but gets through no more.
    """
    route, rules, when = view.name(candidate), view.regime_name(regime), str(year)
    lost = next((row for row in rows if getattr(row, "status", "") == WayStatus.CLOSED), None)
    if lost is not None:
        origin, destination = _ends(view, lost)
        ways: dict[str, Value] = {
            "route": route, "regime": rules, "year": when, "origin": origin, "destination": destination,
        }  # fmt: skip
        return Message("flows.lost", ways)
    at = _greatest(rows, "logsum_change_usd") if truck is None else truck
    if truck is None and (at is None or abs(at.logsum_change_usd) < _LEAST_USD):
        return Message("flows.same", {"route": route, "regime": rules, "year": when})
    usd = at.logsum_change_usd if truck is None else at.truck_change_usd
    origin, destination = _ends(view, at)
    filled = {
        "route": route, "regime": rules, "year": when, "origin": origin, "destination": destination,
        "usd": _text(abs(usd)),
    }  # fmt: skip
    if truck is None:
        return Message("flows.more" if usd > 0 else "flows.less", filled)
    return Message("flows.truck_more" if usd > 0 else "flows.truck_less", filled)


def _cut(view: ReportView, rows: list[Any], truck: Any) -> Message:
    """What the same truck pays if the route is cut, or the one that loses most; else what a load over all its ways."""
    lost = [row for row in rows if not _known(row, "truck_regret_usd") and _known(row, "truck_cost_usd")]
    if lost:
        origin, destination = _ends(view, truck if any(row is truck for row in lost) else lost[0])
        return Message("flows.cut_lost", {"origin": origin, "destination": destination})
    for column, key in (("truck_regret_usd", "flows.truck_cut"), ("regret_usd", "flows.cut")):
        worst = max((row for row in rows if _known(row, column)), key=lambda row: getattr(row, column), default=None)
        if worst is None or getattr(worst, column) < _LEAST_USD:
            continue
        own = column == "truck_regret_usd" and truck is not None and getattr(truck, column) >= _LEAST_USD
        at = truck if own else worst
        origin, destination = _ends(view, at)
        return Message(key, {"origin": origin, "destination": destination, "usd": _text(getattr(at, column))})
    return Message("flows.cut_none")


def _ends(view: ReportView, row: Any) -> tuple[str, str]:
    """Names of origin and destination of a row."""
    shown = view.results.flow_map
    places = shown.places if shown else {}
    return clean_text(places.get(row.origin, row.origin)), clean_text(places.get(row.destination, row.destination))


def _text(value: float) -> str:
    return rough_number(value, 0)
