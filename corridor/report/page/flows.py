"""The page's section on long-distance flows: a schematic map, a table of pairs, what each route changes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from corridor.report.escape import clean_text
from corridor.report.page.tables import format_number
from corridor.report.view import ReportView
from corridor.schema.message import Message

WIDTH, HEIGHT = 720.0, 460.0
_MARGIN = 0.08
_LEAST_USD = 1.0


def build_flow_data(view: ReportView) -> dict[str, Any] | None:
    """What the section shows, as plain data for the template and its script.

    Args:
        view: the comparison as it is shown.

    Returns:
        ``years``, ``lines`` (both ends in the drawing's units, mode, status), ``cities`` (name, x, y), ``pairs``
        (names, axis), ``widths`` (distinct lists of line widths) and ``cases``: by candidate, regime and year the
        widths' number, a row for each pair and the sentences. None where the study names no long-distance tables.
    """
    shown = view.results.flow_map
    if shown is None:
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
        "widths": [],
        "cases": {},
    }
    order = {link: at for at, link in enumerate(links["link_id"])}
    keys = ["candidate_id", "regime_id", "year"]
    numbered: dict[tuple[float, ...], int] = {}
    by_case = dict(iter(shown.lines.groupby(keys, sort=False)))
    for (candidate, regime, year), rows in pairs.groupby(keys, sort=False):
        widths = [0.0] * len(order)
        for line in by_case[candidate, regime, year].itertuples() if (candidate, regime, year) in by_case else ():
            widths[order[line.link_id]] = round(float(line.share_sum), 2)
        number = numbered.setdefault(tuple(widths), len(numbered))
        case = found["cases"].setdefault(f"{candidate}|{regime}", {})
        case[int(year)] = {
            "widths": number,
            "rows": [_row(row, shown.branches) for row in rows.itertuples()],
            "said": [message.to_json() for message in _sentences(view, candidate, regime, int(year), rows)],
        }
    found["widths"] = [list(widths) for widths in numbered]
    return found


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


def _row(row: Any, branches: dict[tuple[str, str, str], str]) -> list[Any]:
    """Best way by truck: its name and cost (low, middle, high); change over all ways; what a cut costs."""
    name = branches.get((row.origin, row.destination, row.truck_branch), "")
    costs = [_number(row.truck_cost_usd_low), _number(row.truck_cost_usd), _number(row.truck_cost_usd_high)]
    return [clean_text(name), *costs, _number(row.logsum_change_usd), _number(row.regret_usd)]


def _number(value: float) -> float | None:
    """Three significant digits; changes below a dollar are none."""
    if not math.isfinite(value):
        return None
    return 0 if abs(value) < _LEAST_USD else float(f"{value:.3g}")


def _sentences(view: ReportView, candidate: str, regime: str, year: int, rows: pd.DataFrame) -> list[Message]:
    """What the pair that is touched most pays more or less, and what it or another pays if the route is cut."""
    return [_change(view, candidate, regime, year, rows), _cut(view, rows)] if candidate else []


def _change(view: ReportView, candidate: str, regime: str, year: int, rows: pd.DataFrame) -> Message:
    route, rules, when = view.name(candidate), view.regime_name(regime), str(year)
    known = rows["logsum_change_usd"].dropna()
    if known.empty or known.abs().max() < _LEAST_USD:
        return Message("flows.same", {"route": route, "regime": rules, "year": when})
    at = known.abs().idxmax()
    origin, destination = _ends(view, rows, at)
    usd = _text(abs(known[at]))
    if known[at] > 0:
        return Message(
            "flows.more",
            {"route": route, "regime": rules, "year": when, "origin": origin, "destination": destination, "usd": usd},
        )
    return Message(
        "flows.less",
        {"route": route, "regime": rules, "year": when, "origin": origin, "destination": destination, "usd": usd},
    )


def _cut(view: ReportView, rows: pd.DataFrame) -> Message:
    regrets = rows["regret_usd"]
    lost = rows.index[regrets.isna() & rows["logsum_usd"].notna()]
    if len(lost):
        origin, destination = _ends(view, rows, lost[0])
        return Message("flows.cut_lost", {"origin": origin, "destination": destination})
    if regrets.dropna().empty or regrets.max() < _LEAST_USD:
        return Message("flows.cut_none")
    at = regrets.idxmax()
    origin, destination = _ends(view, rows, at)
    return Message("flows.cut", {"origin": origin, "destination": destination, "usd": _text(regrets[at])})


def _ends(view: ReportView, rows: pd.DataFrame, at: Any) -> tuple[str, str]:
    """Names of origin and destination of a row."""
    shown = view.results.flow_map
    places = shown.places if shown else {}
    origin, destination = (str(rows.at[at, end]) for end in ("origin", "destination"))
    return clean_text(places.get(origin, origin)), clean_text(places.get(destination, destination))


def _text(value: float) -> str:
    return format_number(float(f"{value:.3g}"), 0)
