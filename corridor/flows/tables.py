"""Reading the tables of a long-distance network; every fault is gathered and raised once, with file, row and field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from corridor.errors import StudyError
from corridor.files import require_file
from corridor.flows import rows
from corridor.flows.rows import FlowLink, FlowTables, Provenance
from corridor.io.read.border_delays import FILE_NAME, load_border_delays, read_p95
from corridor.io.read.tables import MAX_BYTES, Faults, Row, load_sources, read_rows, source_ids_of
from corridor.schema.catalogue import BorderDelays, Estimate
from corridor.schema.fields import Source, date_today, lies_after
from corridor.schema.study import Study
from corridor.schema.vocabulary import SourceKind

# --- Checks of long-distance tables against each other: whatever one row names must be in the table that it means ---


def check_whole(tables: FlowTables, faults: Faults) -> None:
    """Note every reference that leads nowhere, every border without hours and every mode without a price.

    Args:
        tables: Rows as read, each sound by itself.
        faults: Where faults are noted; nothing is raised here.
    """
    _check_links(tables, faults)
    _check_formalities(tables, faults)
    _check_transfers(tables, faults)
    _check_prices(tables, faults)
    _check_demand(tables, faults)
    _check_named_links(tables, faults)
    _check_documented(tables, faults)


def _file(tables: FlowTables, name: str) -> str:
    return str(tables.folder / f"{name}.csv")


def _check_links(tables: FlowTables, faults: Faults) -> None:
    where = _file(tables, "links")
    for link in tables.links.values():
        ends = (("from_node", link.from_node), ("to_node", link.to_node))
        unknown = [(field, node) for field, node in ends if node not in tables.nodes]
        for field, node in unknown:
            faults.add(f"{where}, {link.link_id}, {field}: '{node}' is not in nodes.csv")
        if link.from_node == link.to_node:
            faults.add(f"{where}, {link.link_id}, to_node: is its from_node; a link joins two nodes")
        for country in link.countries:
            if country not in tables.countries:
                faults.add(f"{where}, {link.link_id}, countries: '{country}' is not in countries.csv")
        if not unknown:
            _check_countries(tables, link, where, faults)
    for place in tables.nodes.values():
        if place.country not in tables.countries:
            faults.add(f"{_file(tables, 'nodes')}, {place.node_id}, country: '{place.country}' is not in countries.csv")


def _check_countries(tables: FlowTables, link: FlowLink, where: str, faults: Faults) -> None:
    """A link's countries are those of its nodes, in that order."""
    # A link inside one country has one, and one across a border two: more would hide whose border it passes.
    ends = tuple(dict.fromkeys(tables.nodes[node].country for node in (link.from_node, link.to_node)))
    if link.first_country_km is not None and not (link.crosses_border and link.first_country_km <= link.length_km.mid):
        faults.add(
            f"{where}, {link.link_id}, first_country_km: is {link.first_country_km:g}; only a link across a border has "
            f"it, and at most its length"
        )
    if link.countries != ends:
        faults.add(
            f"{where}, {link.link_id}, countries: is '{';'.join(link.countries)}', but its nodes lie in "
            f"{' and '.join(ends)}; give the countries in the order of the link"
        )


def _check_formalities(tables: FlowTables, faults: Faults) -> None:
    where = _file(tables, "border_points")
    for link_id in tables.border_points:
        link = tables.links.get(link_id)
        if link is None:
            faults.add(f"{where}: '{link_id}' is not in links.csv")
        elif not link.crosses_border:
            faults.add(f"{where}, {link_id}: crosses no border")
    for link in tables.links.values():
        if link.crosses_border and link.mode in ("road", "rail"):
            # Both sides in both directions: a truck that comes back passes the same four desks.
            for country, direction in _passages(link):
                if tables.formality(link, country, direction) is None:
                    faults.add(
                        f"{where}: {link.link_id} has no hours of {country}, {direction}; add a measured row or a "
                        "declared one to border_delays.csv"
                    )


def _passages(link: FlowLink) -> list[tuple[str, str]]:
    first, last = link.countries[0], link.countries[-1]
    return [(country, direction) for country in (first, last) for direction in ("outbound", "inbound")]


def _check_transfers(tables: FlowTables, faults: Faults) -> None:
    where = _file(tables, "transfers")
    for transfer in tables.transfers:
        if transfer.node_id not in tables.nodes:
            faults.add(f"{where}: '{transfer.node_id}' is not in nodes.csv")
            continue
        # A change of vehicle makes sense only where a link of each of its systems ends.
        at_node = {
            system
            for link in tables.links.values()
            if transfer.node_id in (link.from_node, link.to_node)
            for system in link.systems
        }
        for system in sorted(set(transfer.systems) - at_node):
            faults.add(f"{where}, {transfer.node_id}: no link with {system} ends there")


def _check_prices(tables: FlowTables, faults: Faults) -> None:
    where = _file(tables, "tariffs")
    for kind, _, target in tables.tariffs:
        known = tables.links if kind == "fare" else {*tables.countries, "*"}
        if target not in known:
            table = "links.csv" if kind == "fare" else "countries.csv"
            faults.add(f"{where}, {kind}: applies_to '{target}' is not in {table}")
    # Every mode needs a price in each country that its links pass, be it one for all countries.
    needed = {(link.mode, country) for link in tables.links.values() for country in link.countries}
    for mode, country in sorted(needed):
        if not {("running_cost", mode, country), ("running_cost", mode, "*")} & set(tables.tariffs):
            faults.add(f"{where}: no running_cost of {mode} in {country}; add a row for it or for '*'")
    # Of a way where no kilometre is paid for, the fare is the price: without its row the way would cost nothing.
    for link in tables.links.values():
        everywhere = tables.tariffs.get(("running_cost", link.mode, "*"))
        per_km = [tables.tariffs.get(("running_cost", link.mode, country), everywhere) for country in link.countries]
        is_free = all(own is not None and own.price.high == 0 for own in per_km)
        if is_free and ("fare", link.mode, link.link_id) not in tables.tariffs:
            faults.add(f"{where}: {link.link_id} has no fare, and running_cost of {link.mode} is 0; add one of both")

    for name in sorted(set(PARAMETERS) - set(tables.parameters)):
        faults.add(f"{_file(tables, 'parameters')}: '{name}' is missing; declare it with a range")


def _check_demand(tables: FlowTables, faults: Faults) -> None:
    where = _file(tables, "demand")
    for pair in tables.pairs:
        name = " to ".join(pair.key)
        for node in pair.key:
            if node not in tables.nodes:
                faults.add(f"{where}, {name}: '{node}' is not in nodes.csv")
        if pair.origin == pair.destination:
            faults.add(f"{where}, {name}: origin and destination are one; a flow has two ends")
        if not tables.branches_of(pair):
            faults.add(f"{where}, {name}: has no branch in branches.csv; declare at least one")
    # A branch of a pair that nobody asks for would never be used, and is most likely misspelt.
    known = {pair.key for pair in tables.pairs}
    for branch in tables.branches:
        name = f"{branch.origin} to {branch.destination}: {branch.branch_id}"
        if (branch.origin, branch.destination) not in known:
            faults.add(f"{_file(tables, 'branches')}, {name}: the pair is not in demand.csv")
        for passed in branch.via:
            if passed not in tables.nodes and passed not in tables.links:
                faults.add(
                    f"{_file(tables, 'branches')}, {name}, via: '{passed}' is in neither nodes.csv nor links.csv"
                )
        for country in branch.avoid:
            if country not in tables.countries:
                faults.add(f"{_file(tables, 'branches')}, {name}, avoid_countries: '{country}' is not in countries.csv")


def _check_documented(tables: FlowTables, faults: Faults) -> None:
    where = _file(tables, "documented")
    for check in tables.documented:
        for node in (check.from_node, check.to_node):
            if node not in tables.nodes:
                faults.add(f"{where}, {check.check_id}: '{node}' is not in nodes.csv")
        for passed in (*check.via, *check.against_via):
            if passed not in tables.nodes and passed not in tables.links:
                faults.add(f"{where}, {check.check_id}, via: '{passed}' is in neither nodes.csv nor links.csv")


def _check_named_links(tables: FlowTables, faults: Faults) -> None:
    named = [
        *(("screenlines", s.screenline_id, link) for s in tables.screenlines for link in s.link_ids),
        *(("scenarios", s.scenario_id, link) for s in tables.scenarios.values() for link in (*s.opened, *s.closed)),
        *(("actions", a.candidate_id, a.link_id) for a in tables.actions),
    ]
    for name, row, link in named:
        if link not in tables.links:
            faults.add(f"{_file(tables, name)}, {row}: '{link}' is not in links.csv")
    for action in tables.actions:
        opened = tables.links.get(action.link_id) if action.action == "open" else None
        # Of a link that isn't open nobody would know when the candidate opens it: it would never do so.
        if opened is not None and opened.status != "open" and opened.opens_year is None:
            faults.add(
                f"{_file(tables, 'actions')}, {action.candidate_id}: opens '{action.link_id}', which is "
                f"{opened.status} and has no opens_year in links.csv; give the years"
            )
    for screenline in tables.screenlines:
        if not screenline.link_ids:
            faults.add(f"{_file(tables, 'screenlines')}, {screenline.screenline_id}, link_ids: crosses no link")
    if not tables.scenarios:
        faults.add(f"{_file(tables, 'scenarios')}: has no row; declare at least one scenario")


Item = TypeVar("Item")
Key = TypeVar("Key", str, tuple[str, str, str])
_TAIL = "source_ids as_of confidence note"
COLUMNS = {
    "sources": "source_id title publisher date url licence kind confidence note",
    "countries": f"country name customs_union rail_operator {_TAIL}",
    "nodes": f"node_id name kind country lat lon people_k {_TAIL}",
    "links": "link_id from_node to_node mode gauge_mm countries first_country_km length_km_low length_km_mid "
    "length_km_high speed_kmh_low speed_kmh_mid speed_kmh_high status start_year opens_year_low opens_year_mid "
    "opens_year_high tracks capacity_mt_per_year closure_days_low closure_days_mid closure_days_high hazard_class "
    f"{_TAIL}",
    "border_points": "link_id point",
    "transfers": "node_id from_system to_system hours_low hours_mid hours_high hours_p95 price_usd_low price_usd_mid "
    f"price_usd_high {_TAIL}",
    "tariffs": f"kind mode applies_to unit price_low price_mid price_high {_TAIL}",
    "parameters": f"parameter unit value_low value_mid value_high {_TAIL}",
    "demand": "origin destination axis flow_low flow_mid flow_high flow_unit cargo_value_usd_low cargo_value_usd_mid "
    f"cargo_value_usd_high {_TAIL}",
    "branches": "branch_id origin destination name mode modes via avoid_countries note",
    "screenlines": f"screenline_id link_ids value_low value_mid value_high unit {_TAIL}",
    "scenarios": f"scenario_id name works opened_links closed_links {_TAIL}",
    "documented": "check_id name from_node to_node modes via against_via year measure value_low value_mid value_high "
    f"{_TAIL}",
    "actions": f"candidate_id regime_id link_id action measure {_TAIL}",
}
"""Columns of each table of the folder, by the file's name without ``.csv``."""

PARAMETERS = {
    "vehicle_usd_per_h": "usd_per_hour",
    "cargo_value_usd": "usd",
    "cargo_pct_per_day": "pct_per_day",
    "reliability_ratio": "ratio",
    "delay_variation": "ratio",
    "terminal_h": "hour",
    "terminal_usd": "usd_per_load",
    "rest_h_per_driven_h": "hour_per_hour",
    "theta_per_usd": "per_usd",
    "half_life_usd": "usd",
    "undocumented_closure_days": "day",
}
"""Names of the parameters that a folder must give, each with its unit."""


def load_tables(folder: Path, latest: str | None = None) -> FlowTables:
    """Read and check a folder of long-distance tables.

    Args:
        folder: A folder with one CSV file per entry of :data:`COLUMNS`.
        latest: ISO date of the last day that rows may be of; today by the clock if left out.

    Returns:
        The tables, whole: each link between known nodes, each border with its hours, each mode with its price in each
        country, each row with sources that are in ``sources.csv``.

    Raises:
        CatalogueError: rows are wrong: all are named at once (the first dozen in full).
        SourceError: a file is missing.
    """
    reader = _Reader(folder, latest or date_today())
    tables = reader.read_all()
    check_whole(tables, reader.faults)
    reader.faults.raise_any()
    return tables


def find_tables(study: Study) -> Path:
    """The folder of long-distance tables that a study names.

    Args:
        study: The study.

    Returns:
        The folder; whether it holds the tables is for :func:`load_tables`.

    Raises:
        StudyError: the study names none.
    """
    if study.sources.long_distance is None:
        raise StudyError(
            f"{study.id}: sources.long_distance: the study names no long-distance tables; name a folder, "
            "or give --tables"
        )
    return study.path(study.sources.long_distance)


class _Reader:
    """One reading of one folder: the faults found so far and the sources that rows may name."""

    def __init__(self, folder: Path, latest: str) -> None:
        self.folder, self.latest, self.faults = folder, latest, Faults()
        self.sources: dict[str, Source] = {}

    def read_all(self) -> FlowTables:
        # Sources first, since every other row is held against them.
        self.sources = self._by_id("sources", self._source, lambda s: s.source_id)
        delays = self._delays()
        pairs = tuple(self._each("demand", self._pair))
        self._refuse_twins("demand", [" to ".join(pair.key) for pair in pairs])
        branches = tuple(self._each("branches", self._branch))
        self._refuse_twins("branches", [f"{b.origin} to {b.destination}: {b.branch_id}" for b in branches])
        transfers = tuple(self._each("transfers", self._transfer))
        self._refuse_twins("transfers", [f"{t.node_id} {' '.join(sorted(t.systems))}" for t in transfers])
        links = self._by_id("links", self._link, lambda link: link.link_id)
        parameters = self._by_id("parameters", self._parameter, lambda found: found[0])
        return FlowTables(
            folder=self.folder,
            sources=self.sources,
            countries=self._by_id("countries", self._country, lambda c: c.country),
            nodes=self._by_id("nodes", self._node, lambda n: n.node_id),
            links=links,
            border_points=dict(self._by_id("border_points", self._border_point, lambda p: p[0]).values()),
            delays=delays,
            transfers=transfers,
            tariffs=self._by_id("tariffs", self._tariff, lambda t: (t.kind, t.mode, t.applies_to)),
            parameters={name: value for name, (_, value) in parameters.items()},
            pairs=pairs,
            branches=branches,
            screenlines=tuple(self._by_id("screenlines", self._screenline, lambda s: s.screenline_id).values()),
            scenarios=self._by_id("scenarios", self._scenario, lambda s: s.scenario_id),
            actions=tuple(self._each("actions", self._action)),
            documented=tuple(self._by_id("documented", self._documented, lambda d: d.check_id).values()),
            as_of=max((link.origin.as_of for link in links.values()), default=""),
        )

    def _each(self, name: str, build: Callable[[Row], Item | None]) -> Iterator[Item]:
        for row in read_rows(self.folder / f"{name}.csv", COLUMNS[name].split(), self.faults):
            found = build(row)
            if found is not None:
                yield found

    def _by_id(self, name: str, build: Callable[[Row], Item | None], key: Callable[[Item], Key]) -> dict[Key, Item]:
        items = list(self._each(name, build))
        self._refuse_twins(name, [_text_of(key(item)) for item in items])
        return {key(item): item for item in items}

    def _refuse_twins(self, name: str, keys: Iterable[str]) -> None:
        seen: set[str] = set()
        for key in keys:
            if key in seen:
                self.faults.add(f"{self.folder / name}.csv: '{key}' stands twice")
            seen.add(key)

    def _provenance(self, row: Row) -> Provenance:
        ids = source_ids_of(row, self.sources)
        as_of = row.date("as_of", required=True)
        if lies_after(as_of, self.latest):
            row.fault("as_of", f"{as_of} lies in the future; correct the date")
        return Provenance(ids, as_of, row.choice("confidence", ("H", "M", "L")), row.text("note"))

    def _range(self, row: Row, prefix: str, low: float = 0.0, high: float = 1e6) -> Estimate:
        """A range that must be there and lie within bounds."""
        found = row.range(prefix)
        if found is None:
            row.fault(f"{prefix}_mid", "is empty; a number is needed")
            return Estimate.exact(max(low, 1.0))
        if not low <= found.low <= found.high <= high:
            row.fault(prefix, f"runs from {found.low:g} to {found.high:g}; it must lie from {low:g} to {high:g}")
            return Estimate.exact(max(low, 1.0))
        return found

    def _source(self, row: Row) -> Source:
        return Source(
            row.text("source_id", required=True), row.text("title", required=True),
            row.text("publisher", required=True), row.date("date"), row.text("licence", required=True),
            row.text("url"), kind=SourceKind.DOCUMENT, note=row.text("note"),
        )  # fmt: skip

    def _country(self, row: Row) -> rows.Country:
        return rows.Country(
            row.text("country", required=True), row.text("name", required=True), row.text("customs_union"),
            row.text("rail_operator"), self._provenance(row),
        )  # fmt: skip

    def _node(self, row: Row) -> rows.FlowNode:
        return rows.FlowNode(
            row.text("node_id", required=True), row.text("name", required=True),
            row.choice("kind", ("capital", "city", "port", "junction", "station", "border")),
            row.text("country", required=True), row.number("lon", -180, 180), row.number("lat", -90, 90),
            row.optional("people_k", 0, 100_000), self._provenance(row),
        )  # fmt: skip

    def _link(self, row: Row) -> rows.FlowLink:
        mode = row.choice("mode", rows.MODES)
        start = row.optional("start_year", 1800, 2200)
        opens = self._years(row, start)
        tracks = row.optional("tracks", 1, 10)
        closure = row.range("closure_days")
        if closure is not None and closure.high > 366:
            row.fault("closure_days_high", f"is {closure.high:g}; a year has at most 366 days")
        status, origin = row.choice("status", rows.STATUSES), self._provenance(row)
        if status == "open" and opens is not None and lies_after(f"{opens.low:.0f}", origin.as_of):
            row.fault(
                "status",
                f"is open, though opens_year {opens.low:.0f} lies after as_of {origin.as_of}; say what it is till "
                "then, or leave opens_year empty",
            )
        return rows.FlowLink(
            link_id=row.text("link_id", required=True),
            from_node=row.text("from_node", required=True),
            to_node=row.text("to_node", required=True),
            mode=mode,
            systems=self._systems(row, mode),
            countries=row.items("countries"),
            first_country_km=row.optional("first_country_km", 0, 20_000),
            length_km=self._range(row, "length_km", 0.01, 20_000),
            speed_kmh=self._range(row, "speed_kmh", 1, 200),
            status=status,
            start_year=None if start is None else int(start),
            opens_year=opens,
            tracks=None if tracks is None else int(tracks),
            capacity_mt_per_year=row.optional("capacity_mt_per_year", 0.01, 1000),
            closure_days=closure,
            hazard_class=row.choice("hazard_class", rows.HAZARDS),
            origin=origin,
        )

    @staticmethod
    def _systems(row: Row, mode: str) -> tuple[str, ...]:
        gauges = row.items("gauge_mm")
        if mode != "rail":
            if gauges:
                row.fault(
                    "gauge_mm", f"is '{';'.join(gauges)[:40]}', but the mode is {mode}; only railways have a gauge"
                )
            return (mode,)
        known = tuple(gauge for gauge in gauges if gauge in {str(mm) for mm in rows.GAUGES_MM})
        if not gauges or known != gauges:
            row.fault("gauge_mm", f"is '{';'.join(gauges)[:40]}'; give millimetres such as 1435 or 1520")
        return tuple(f"rail-{gauge}" for gauge in known) or ("rail-1435",)

    @staticmethod
    def _years(row: Row, start: float | None) -> Estimate | None:
        opens = row.range("opens_year")
        if opens is None:
            return None
        if not 1800 <= opens.low <= opens.high <= 2200:
            row.fault("opens_year", f"runs from {opens.low:g} to {opens.high:g}; give years such as 2031")
        elif start is not None and opens.low < start:
            row.fault("opens_year_low", f"is {opens.low:g}, before works start in {start:g}; swap or correct them")
        return opens

    @staticmethod
    def _border_point(row: Row) -> tuple[str, str]:
        return row.text("link_id", required=True), row.text("point", required=True)

    def _delays(self) -> BorderDelays:
        """The table of border delays: the folder's own, or the one of the catalogue that the folder lies in.

        The catalogue's is named with its own sources, which join the folder's.
        """
        own, shared = self.folder / FILE_NAME, self.folder.parent / FILE_NAME
        if own.is_file() or not shared.is_file():
            require_file(own, "table", MAX_BYTES)
            return self._past(load_border_delays(own, self.sources, self.faults), own)
        # Hours at borders are documented once, in the catalogue: long-distance tables that lie in it take them from
        # there.
        documents = load_sources(self.folder.parent, self.faults)
        found = self._past(load_border_delays(shared, documents, self.faults), shared)
        named = {key for row in found.rows for key in row.source_ids}
        self.sources = {key: documents[key] for key in sorted(named & set(documents))} | self.sources
        return found

    def _past(self, delays: BorderDelays, path: Path) -> BorderDelays:
        """The same delays, with a fault for each that is of a year to come."""
        for row in delays.rows:
            if lies_after(f"{row.year}", self.latest):
                self.faults.add(f"{path}, {row.point}, year: {row.year} lies in the future; correct the date")
        return delays

    def _transfer(self, row: Row) -> rows.Transfer:
        hours = self._range(row, "hours", 0, 2000)
        systems = (row.text("from_system", required=True), row.text("to_system", required=True))
        for field, system in zip(("from_system", "to_system"), systems, strict=True):
            if system not in ("road", "ferry", "sea") and system not in {f"rail-{mm}" for mm in rows.GAUGES_MM}:
                row.fault(field, f"is '{system[:40]}'; use road, ferry, sea or rail-1520 and the like")
        if systems[0] == systems[1]:
            row.fault("to_system", f"is '{systems[1][:40]}' like from_system; a transfer is between two")
        return rows.Transfer(
            row.text("node_id", required=True), systems, hours, read_p95(row, hours),
            self._range(row, "price_usd", 0, 100_000), self._provenance(row),
        )  # fmt: skip

    def _tariff(self, row: Row) -> rows.Tariff:
        kind = row.choice("kind", tuple(rows.TARIFF_UNITS))
        unit = row.text("unit", required=True)
        wanted = rows.TARIFF_UNITS.get(kind, unit)
        if unit != wanted:
            row.fault("unit", f"is '{unit[:40]}', but {kind} is in {wanted}; convert the price")
        return rows.Tariff(
            kind, row.choice("mode", rows.MODES), row.text("applies_to", required=True),
            self._range(row, "price", 0, 1e6), self._provenance(row),
        )  # fmt: skip

    def _parameter(self, row: Row) -> tuple[str, Estimate]:
        name, unit = row.choice("parameter", tuple(PARAMETERS)), row.text("unit", required=True)
        if unit != PARAMETERS.get(name, unit):
            row.fault("unit", f"is '{unit[:40]}', but {name} is in {PARAMETERS[name]}; convert the value")
        self._provenance(row)
        # These two are divided by.
        positive = name in ("theta_per_usd", "half_life_usd")
        return name, self._range(row, "value", 1e-9 if positive else 0.0, 1e6)

    def _pair(self, row: Row) -> rows.Pair:
        flow, unit = row.range("flow"), row.text("flow_unit")
        if flow is not None and unit not in rows.FLOW_UNITS:
            row.fault("flow_unit", f"is '{unit[:40]}'; use one of {', '.join(rows.FLOW_UNITS)}")
        return rows.Pair(
            row.text("origin", required=True), row.text("destination", required=True), row.choice("axis", rows.AXES),
            flow, unit, row.range("cargo_value_usd"), self._provenance(row),
        )  # fmt: skip

    @staticmethod
    def _modes(row: Row) -> tuple[str, ...]:
        modes = row.items("modes")
        for mode in modes:
            if mode not in rows.MODES:
                row.fault("modes", f"holds '{mode[:40]}'; use {', '.join(rows.MODES)}")
        if not modes:
            row.fault("modes", f"is empty; name what the way may run on ({', '.join(rows.MODES)})")
        return modes

    def _branch(self, row: Row) -> rows.Branch:
        return rows.Branch(
            row.text("branch_id", required=True), row.text("origin", required=True),
            row.text("destination", required=True), row.text("name", required=True),
            row.choice("mode", ("road", "rail", "multimodal")), self._modes(row), row.items("via"),
            row.items("avoid_countries"), row.text("note"),
        )  # fmt: skip

    def _screenline(self, row: Row) -> rows.Screenline:
        return rows.Screenline(
            row.text("screenline_id", required=True), row.items("link_ids"), self._range(row, "value", 0, 1e6),
            row.choice("unit", rows.FLOW_UNITS), self._provenance(row),
        )  # fmt: skip

    def _scenario(self, row: Row) -> rows.Scenario:
        return rows.Scenario(
            row.text("scenario_id", required=True), row.text("name", required=True),
            row.choice("works", ("none", "early", "documented", "late")), row.items("opened_links"),
            row.items("closed_links"), self._provenance(row),
        )  # fmt: skip

    def _documented(self, row: Row) -> rows.DocumentedWay:
        return rows.DocumentedWay(
            row.text("check_id", required=True), row.text("name", required=True), row.text("from_node", required=True),
            row.text("to_node", required=True), self._modes(row), row.items("via"), row.items("against_via"),
            row.whole("year", 1800, 2200), row.choice("measure", rows.MEASURES), self._range(row, "value"),
            self._provenance(row),
        )  # fmt: skip

    def _action(self, row: Row) -> rows.ActionRow:
        action, measure = row.choice("action", rows.ACTIONS), row.text("measure")
        if (action in ("delay", "stake")) != bool(measure):
            row.fault("measure", "names a column of the metrics for a delay or a stake; other actions have none")
        return rows.ActionRow(
            row.text("candidate_id", required=True), row.text("regime_id", required=True),
            row.text("link_id", required=True), action, measure, self._provenance(row),
        )  # fmt: skip


def _text_of(key: str | tuple[str, ...]) -> str:
    return key if isinstance(key, str) else " ".join(key)
