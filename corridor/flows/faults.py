"""Checks of long-distance tables against each other: whatever one row names must be in the table that it means."""

from __future__ import annotations

from corridor.flows.rows import FlowLink, FlowTables
from corridor.io.read.tables import Faults


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
    from corridor.flows.tables import PARAMETERS

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
    for screenline in tables.screenlines:
        if not screenline.link_ids:
            faults.add(f"{_file(tables, 'screenlines')}, {screenline.screenline_id}, link_ids: crosses no link")
    if not tables.scenarios:
        faults.add(f"{_file(tables, 'scenarios')}: has no row; declare at least one scenario")
