"""What a reader of long-distance figures must know beside them: what is unknown, lost, declared or left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from corridor.flows.changes import Case
from corridor.flows.model import FlowModel
from corridor.flows.rows import FlowLink, FlowTables
from corridor.schema.catalogue import INBOUND, OUTBOUND
from corridor.schema.message import ListStyle, Message, listing
from corridor.schema.vocabulary import Mode


def describe_notes(model: FlowModel, cases: Iterable[Case], years: Sequence[int]) -> tuple[Message, ...]:
    """All notes of a network's figures.

    Args:
        model: The network under one scenario.
        cases: Candidates with their regimes.
        years: Years looked at.

    Returns:
        Messages, each once: delays that weren't measured, pairs without a way, whether theta is fitted, and what is
        declared or left out in all figures.
    """
    lost = [_lost(model, year) for year in years]
    theta = [_theta(model)]
    found: list[Message] = []
    for note in (*_unknown_delays(cases), *(n for notes in lost for n in notes), *theta, *_assumptions(model)):
        if note not in found:
            found.append(note)
    return tuple(found)


def _theta(model: FlowModel) -> Message:
    """Whether counts tell theta, or why they don't."""
    fit, _ = model.counts_fit
    if fit.reason is not None:
        return Message("flows.theta_declared", {"reason": fit.reason})
    return Message("flows.theta_fitted", {"theta": f"{model.theta():.3g}"})


def _unknown_delays(cases: Iterable[Case]) -> list[Message]:
    return [
        Message(
            "flows.delay_unknown",
            {
                "route": _route(case.candidate_id),
                "regime": _regime(case.regime_id),
                "measure": change.unknown,
                "link": change.link_id,
            },
        )
        for case in cases
        for change in case.changes
        if change.unknown
    ]


def describe_left_out(cases: Iterable[tuple[str, str]]) -> tuple[Message, ...]:
    """Which candidates and regimes have no figures, since what they hang on isn't determined.

    Args:
        cases: Ids of candidate and regime.

    Returns:
        A message for each, by their ids.
    """
    return tuple(
        Message("flows.case_undetermined", {"route": _route(route), "regime": _regime(regime)})
        for route, regime in sorted(cases)
    )


def _route(candidate_id: str) -> Message:
    return Message(f"route.{candidate_id}", fallback=candidate_id)


def _regime(regime_id: str) -> Message:
    return Message(f"regime.{regime_id}", fallback=regime_id or "-")


def _lost(model: FlowModel, year: int) -> list[Message]:
    """Pairs that no branch connects in a year."""
    names = model.tables.name
    return [
        Message(
            "flows.pair_lost",
            {"origin": names(pair.origin), "destination": names(pair.destination), "year": str(year)},
        )
        for pair in model.missing_pairs(model.state(year))
    ]


def _assumptions(model: FlowModel) -> list[Message]:
    """What nobody measured, or what no figure holds."""
    tables = model.tables
    found = [Message("flows.assumes_scenario", {"scenario": model.scenario.name, "as_of": tables.as_of})]
    if tables.border_points:
        found.append(_border_hours(tables))
    unquoted = sum(_unquoted_sides(tables, link) for link in tables.links.values())
    if unquoted:
        found.append(Message("flows.assumes_fees", {"count": unquoted}))
    if free := _free_to_enter(tables):
        found.append(Message("flows.assumes_entry", {"countries": listing(free, ListStyle.COMMA)}))
    return [*found, Message("flows.assumes_shares"), Message("flows.assumes_prices")]


def _unquoted_sides(tables: FlowTables, link: FlowLink) -> int:
    """How many of a link's passages of a border side nobody quotes a fee of."""
    if not link.crosses_border:
        return 0
    sides = [tables.formality(link, country, way) for country in link.countries for way in (OUTBOUND, INBOUND)]
    return sum(side is not None and side.fee_usd is None for side in sides)


def _free_to_enter(tables: FlowTables) -> list[str]:
    """Names of the countries that roads lead into and whose fee on entering no row gives."""
    roads = [link for link in tables.links.values() if link.crosses_border and link.mode == Mode.ROAD]
    entered = sorted({country for link in roads for country in link.countries})
    return [tables.countries[code].name for code in entered if ("entry_fee", Mode.ROAD, code) not in tables.tariffs]


def _border_hours(tables: FlowTables) -> Message:
    """At how many border points somebody measured hours, and at how many they are declared, reported or by analogy."""
    measured = {row.point for row in tables.delays.rows if row.basis == "measured"}
    known = [link for link, point in tables.border_points.items() if point in measured]
    if not known:
        return Message("flows.assumes_hours", {"count": len(tables.border_points)})
    names = (" – ".join(tables.name(node) for node in _ends(tables, link)) for link in known)
    return Message(
        "flows.assumes_hours_but",
        {"count": len(tables.border_points) - len(known), "measured": listing(names, ListStyle.COMMA)},
    )


def _ends(tables: FlowTables, link_id: str) -> tuple[str, str]:
    link = tables.links[link_id]
    return link.from_node, link.to_node
