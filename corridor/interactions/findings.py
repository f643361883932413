"""What decides the result, as one message for each candidate and regime, with the ids of its evidence.

The messages are put together from events, regimes and searches alone: the same table gives the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd

from corridor.geo.geodesy import distance_m
from corridor.interactions.crossings import as_met, schematic_runs
from corridor.interactions.events import has_open_events, take_events, transliterate
from corridor.interactions.regime_effects import (
    ConnectivityTargets,
    acts_in,
    applies,
    effects,
    find_critical_crossings,
    is_cut,
)
from corridor.schema.candidate import Candidate, Part
from corridor.schema.catalogue import Estimate
from corridor.schema.message import Listing, ListStyle, Message, Value, listing
from corridor.schema.regime import Regime, class_message
from corridor.schema.results import CriticalCrossing, Event, Finding, FindingFacts, Structure
from corridor.schema.vocabulary import (
    CrossingRuleKind,
    EventKind,
    EventsEnd,
    Evidence,
    GeometryQuality,
    Outcome,
    Owner,
    Separation,
    SharedRuleKind,
    StructureKind,
)

# Letters of Armenian road numbers as they stand on the signs' Latin half.
_LETTERS = str.maketrans({"Մ": "M", "Հ": "H", "Տ": "T"})
NEAR_M = 5000.0
"""A crossing is told by the nearest village within this."""
_NAMED = 3
"""So many are named; more are counted."""
_SCHEMATIC_SHARE = 0.05
"""Of a route's length in the country: with less of it drawn schematically nothing is said of that."""
_SHOWN_KM = 0.5
"""Shorter running together is not told in kilometres, which would read 0."""


@dataclass(frozen=True)
class Names:
    """Names for the messages: of the border crossing, the capital and its country, and places with lon and lat.

    ``country`` is the country's code. ``local`` is whether the network holds local roads
    (:func:`corridor.interactions.events.supports_local_crossings`).
    """

    crossing: str
    capital: str
    country: str
    country_name: str
    places: gpd.GeoDataFrame | None
    local: bool

    def nearest(self, event: Event) -> str:
        """The settlement nearest to an event, empty where none is known within 5 km."""
        if self.places is None or not len(self.places):
            return ""
        at = event.geometry.centroid
        frame = self.places
        gaps = distance_m(frame["lon"].to_numpy(), frame["lat"].to_numpy(), at.x, at.y)
        nearest = int(gaps.argmin())
        return transliterate(str(frame["name"].iloc[nearest])) if gaps[nearest] <= NEAR_M else ""

    @property
    def link(self) -> Message:
        """The road whose fate the messages tell."""
        return Message("finding.link", {"crossing": self.crossing, "capital": self.capital})


def build_findings(
    candidates: Sequence[Candidate],
    regimes: Mapping[str, Regime],
    events: Mapping[str, Sequence[Event]],
    stakes: ConnectivityTargets,
    names: Names,
) -> tuple[list[Finding], list[CriticalCrossing]]:
    """A finding for each candidate and each regime that applies to it, and the decisive crossings that they rest on.

    Findings that rest on what a schematic line leaves open come last, and no crossing of such a line decides.

    Args:
        candidates: the routes.
        regimes: by id.
        events: by candidate id, those in the country that the stakes are about.
        stakes: what must stay within reach.
        names: what things are called.
    """
    findings, decisive = [], []
    stakes = stakes.watching(event for met in events.values() for event in met)
    for candidate in candidates:
        # A crossing decides only if turning it over changes what can be reached: that is asked for each set of rules
        # anew.
        for regime in regimes.values():
            if not applies(regime, candidate)[0]:
                continue
            met = [event for event in events[candidate.candidate_id] if acts_in(regime, event.country)]
            # A finding is certain if it holds at both ends of what a schematic line leaves open.
            ends = [take_events(met, end) for end in EventsEnd] if has_open_events(met) else [met]
            linked = [stakes.linked(effects(taken, regime, stakes.network).closed)[0] for taken in ends]
            if len(set(linked)) > 1:
                findings.append(_describe_open(candidate, regime, met, stakes, names))
                continue
            found = find_critical_crossings([event for event in met if not event.is_open], regime, stakes)
            decisive += found
            findings.append(describe_pair(candidate, regime, met, linked[0], found, names, len(stakes.places)))
    return sorted(findings, key=lambda finding: finding.outcome == Outcome.UNDETERMINED), decisive


def _describe_open(
    candidate: Candidate, regime: Regime, met: Sequence[Event], stakes: ConnectivityTargets, names: Names
) -> Finding:
    """A finding where the route's schematic parts leave open whether the link is lost."""
    # Only where the line lies is open: how many of its kilometres are drawn schematically says how much is.
    run_of: dict[Part, int] = {}
    for route in candidate.routes:
        run_of |= zip(route.parts, schematic_runs(as_met(route), stakes.network), strict=True)
    # Parts of two routes of a package may be one and the same: as keys they count once.
    drawn = [(part.drawn_km, run >= 0) for part, run in run_of.items() if part.country == names.country]
    open_km, km = sum(own for own, is_open in drawn if is_open), sum(own for own, _ in drawn)
    values: dict[str, Value] = {
        "crossing": names.crossing,
        "capital": names.capital,
        "schematic_km": f"{open_km:.0f}",
        "km": f"{km:.0f}",
        "country": names.country_name,
    }
    facts = FindingFacts(
        names.crossing, names.capital, names.country_name, places=len(stakes.places),
        schematic_km=f"{open_km:.0f}", km=f"{km:.0f}",
    )  # fmt: skip
    evidence = (f"regime:{regime.regime_id}", *regime.source_ids, *(e.event_id for e in met if e.is_open))
    message = Message("finding.undetermined", values)
    return Finding(
        candidate.candidate_id, regime.regime_id, message, tuple(dict.fromkeys(evidence)), Outcome.UNDETERMINED, facts
    )


def describe_pair(
    candidate: Candidate,
    regime: Regime,
    events: Sequence[Event],
    linked: bool,
    decisive: Sequence[CriticalCrossing],
    names: Names,
    n_places: int,
) -> Finding:
    """One finding and its evidence.

    Args:
        candidate: the route.
        regime: the rules that it runs under.
        events: those on which the regime acts.
        linked: whether crossing and capital still reach each other.
        decisive: the crossings that decide about that, or about places.
        names: what things are called.
        n_places: how many places have a road near, so that they can lose it.
    """
    by_id = {event.event_id: event for event in events}
    evidence = [f"regime:{regime.regime_id}", *regime.source_ids]
    cut = [event for event in events if is_cut(event, regime) and not event.is_open]
    # Crossings that decide about the link itself come before those that decide about places.
    chosen = [d for d in decisive if d.linked_as_assumed != d.linked_if_flipped] or list(decisive)
    if names.country not in {part.country for part in candidate.parts}:
        message = Message("finding.elsewhere", {"country": names.country_name, "link": names.link})
        return Finding(candidate.candidate_id, regime.regime_id, message, tuple(evidence))
    # A railway that takes back its bed closes the road on it under any rules: that outweighs what crossings do.
    bed_km = sum(event.length_km for event in events if event.kind == EventKind.ON_BED)
    if bed_km and regime.allows_transit:
        gone: dict[str, Value] = {"km": f"{bed_km:.0f}", "crossing": names.crossing, "capital": names.capital}
        clause = Message("finding.bed_taken_open", gone) if linked else Message("finding.bed_taken_lost", gone)
        evidence += [event.event_id for event in events if event.kind == EventKind.ON_BED]
    elif not events:
        met: dict[str, Value] = {"country": names.country_name, "link": names.link}
        clause = Message("finding.meets_nothing", met) if names.local else Message("finding.meets_nothing_known", met)
    elif regime.crossing.kind in {CrossingRuleKind.CLOSED, CrossingRuleKind.GRADE_SEPARATED}:
        clause = _cut_clause(regime, cut, linked, chosen, by_id, names, n_places)
        evidence += [d.event_id for d in chosen] or [event.event_id for event in cut]
    else:
        clause = _passable_clause(regime, events, names)
        evidence += [event.event_id for event in events if event.kind != EventKind.PARALLEL]
    limit = _limit(candidate, names)
    message = (
        Message("finding.limited", {"clause": clause, "limit": limit})
        if limit
        else Message("finding.plain", {"clause": clause})
    )
    outcome = _outcome(linked, chosen)
    facts = _facts(outcome, chosen, by_id, candidate, names, n_places)
    return Finding(candidate.candidate_id, regime.regime_id, message, tuple(dict.fromkeys(evidence)), outcome, facts)


def _outcome(linked: bool, decisive: Sequence[CriticalCrossing]) -> Outcome:
    if not linked:
        return Outcome.LOST
    hangs = any(_holds_the_link(decided) for decided in decisive)
    return Outcome.SINGLE_POINT_DEPENDENT if hangs else Outcome.OPEN


def _holds_the_link(decided: CriticalCrossing) -> bool:
    """Whether the capital would lose the crossing if this separated crossing were at grade."""
    return decided.flipped_to == Separation.AT_GRADE and not decided.linked_if_flipped


def _facts(
    outcome: Outcome,
    decisive: Sequence[CriticalCrossing],
    by_id: Mapping[str, Event],
    candidate: Candidate,
    names: Names,
    n_places: int,
) -> FindingFacts:
    """What the message is made of, for those that put it differently."""
    rough_km, all_km = _schematic(candidate, names)
    schematic_km, km = (f"{rough_km:.0f}", f"{all_km:.0f}") if rough_km else ("", "")
    at: Value | None = None
    structure: Structure | None = None
    lost = 0
    if outcome == Outcome.SINGLE_POINT_DEPENDENT:
        decided = next(d for d in decisive if _holds_the_link(d))
        event = by_id[decided.event_id]
        structure, lost = event.structure, len(decided.places_lost)
        at = _whereabouts(event, names)
    elif outcome == Outcome.LOST:
        level = [d for d in decisive if d.flipped_to == Separation.SEPARATED][:_NAMED]
        at = listing(_placed_road(by_id[d.event_id], names) for d in level) if level else None
    return FindingFacts(
        names.crossing, names.capital, names.country_name, at, structure, lost, n_places, schematic_km, km
    )


def _is_documented(structure: Structure) -> bool:
    """Whether a structure is one of the catalogue's, known by a name of its own."""
    return structure.evidence == Evidence.DOCUMENTED and structure.owner == Owner.ROAD


def _whereabouts(event: Event, names: Names) -> Listing:
    """What keeps route and road apart: the structure's name or the road's, its length, and the place near it."""
    structure = event.structure
    documented = structure is not None and _is_documented(structure)
    parts: list[Value] = [structure.name if structure is not None and documented else _road(event)]
    if structure is not None and structure.length_m is not None:
        parts.append(Message("finding.length", {"length": f"{structure.length_m:.0f}"}))
    if not documented and (place := names.nearest(event)):
        parts.append(place)
    return listing(parts, ListStyle.COMMA)


def _cut_clause(
    regime: Regime,
    cut: Sequence[Event],
    linked: bool,
    decisive: Sequence[CriticalCrossing],
    by_id: Mapping[str, Event],
    names: Names,
    n_places: int,
) -> Message:
    """What becomes of the link under rules that close crossings, and what decides that."""
    how = Message("finding.closed_at_grade")
    if regime.crossing.kind == CrossingRuleKind.GRADE_SEPARATED:
        how = Message("finding.separated", {"road_class": class_message(regime.crossing.min_class)})
        if cut:
            least = class_message(regime.crossing.min_class)
            how = Message("finding.separated_lesser_closed", {"road_class": least, "count": len(cut)})
    # What is separated holds the link open, and would lose it at grade; what is at grade would open it, if separated.
    apart = [d for d in decisive if d.flipped_to == Separation.AT_GRADE]
    level = [d for d in decisive if d.flipped_to == Separation.SEPARATED]
    if linked and apart and not apart[0].linked_if_flipped:
        named = _separated_clause(by_id[apart[0].event_id], names)
        lost = len(apart[0].places_lost)
        if not lost:
            return Message(
                "finding.held_open", {"how": how, "link": names.link, "named": named, "capital": names.capital}
            )
        return Message(
            "finding.held_open_for_places",
            {
                "how": how,
                "link": names.link,
                "named": named,
                "capital": names.capital,
                "count": lost,
                "places": n_places,
            },
        )
    if linked and decisive:
        listed = listing(_places_clause(d, by_id, names) for d in decisive[:_NAMED])
        return Message("finding.decided_for_places", {"how": how, "link": names.link, "named": listed})
    if linked:
        return Message("finding.open_for_sure", {"how": how, "link": names.link})
    if level:
        roads = [_road_near(by_id[d.event_id], names) for d in level[:_NAMED]]
        single = Message("finding.crossing_of", {"road": roads[0]})
        if len(roads) > 1:
            single = Message("finding.any_crossing_of", {"roads": listing(roads, ListStyle.OR)})
        return Message("finding.lost_at_grade", {"how": how, "link": names.link, "single": single})
    return Message("finding.lost", {"how": how, "link": names.link})


def _separated_clause(event: Event, names: Names) -> Message:
    """A separated crossing as a clause: who passes over or under what, and where."""
    structure = event.structure
    if structure is None:
        raise ValueError(f"{event.event_id}: a separated crossing has no structure")
    length = "" if structure.length_m is None else f"{structure.length_m:.0f}"
    if _is_documented(structure):
        if not length:
            return Message("finding.apart_by_named", {"name": structure.name})
        return Message("finding.apart_by", {"name": structure.name, "length": length})
    clause = Message("finding.road_on_bridge", {"road": _road(event), "length": length})
    if structure.owner == Owner.ROUTE:
        clause = Message("finding.route_passes", {"road": _road(event), "length": length})
    elif structure.kind == StructureKind.TUNNEL:
        clause = Message("finding.road_in_tunnel", {"road": _road(event), "length": length})
    place = names.nearest(event)
    return Message("finding.clause_near", {"clause": clause, "place": place}) if place else clause


def _road_near(event: Event, names: Names) -> Value:
    """A road with the place near which it is met."""
    road, place = _road(event), names.nearest(event)
    return Message("finding.road_near", {"road": road, "place": place}) if place else road


def _placed_road(event: Event, names: Names) -> Value:
    """The same, in a list."""
    road, place = _road(event), names.nearest(event)
    return listing((road, place), ListStyle.COMMA) if place else road


def _road(event: Event) -> Value:
    """A road as a reader knows it: number, else name, else class."""
    name = event.road_ref.translate(_LETTERS).replace("-", "") or event.road_name
    return name or Message("finding.road_of_class", {"road_class": class_message(event.road_class)})


def _places_clause(decided: CriticalCrossing, by_id: Mapping[str, Event], names: Names) -> Message:
    """Which places lose or keep the border crossing by one crossing alone."""
    road = _road_near(by_id[decided.event_id], names)
    # A crossing that holds places loses them if it is at grade; one that cuts them off gives them back if it isn't.
    found = decided.places_lost or decided.places_regained
    shown: Value = listing(found[:_NAMED], ListStyle.COMMA)
    if len(found) > _NAMED:
        shown = Message("finding.and_more", {"names": shown, "count": len(found) - _NAMED})
    if decided.places_lost:
        return Message("finding.places_lost_if", {"road": road, "names": shown})
    return Message("finding.places_kept_by", {"road": road, "names": shown})


def _passable_clause(regime: Regime, events: Sequence[Event], names: Names) -> Message:
    """What rules that close nothing slow down, and for how much of what the route meets."""
    level = [e for e in events if e.kind == EventKind.CROSSING and e.separation != Separation.SEPARATED]
    # Crossings of schematic lines are said to be there, and not counted: nobody knows how many they are.
    known = [e for e in level if not e.is_open]
    shared = sum(event.length_km for event in events if event.kind == EventKind.SHARED)
    shared_km = f"{shared:.0f}" if shared >= _SHOWN_KM else ""
    met: list[Value] = [Message("finding.crossings_at_grade", {"count": len(known)})] if known else []
    met += [Message("finding.crossings_not_placed")] if len(known) < len(level) else []
    met += [Message("finding.shared_road", {"km": shared_km})] if shared_km else []
    where = listing(met, ListStyle.AND)
    if regime.same_line.kind == SharedRuleKind.TRANSIT_ONLY and shared_km:
        return Message("finding.shared_closed", {"km": shared_km})
    waits: list[Value] = []
    if regime.crossing.minutes and level:
        waits.append(Message("finding.wait_at_crossing", {"minutes": _minutes(regime.crossing.minutes)}))
    if regime.same_line.minutes and shared_km:
        waits.append(Message("finding.wait_on_shared", {"minutes": _minutes(regime.same_line.minutes)}))
    if waits:
        return Message("finding.checks", {"waits": listing(waits, ListStyle.AND), "where": where})
    nothing = Message("finding.nothing") if names.local else Message("finding.nothing_known")
    if met:
        return Message("finding.unchanged_at", {"nothing": nothing, "where": where, "link": names.link})
    return Message("finding.unchanged", {"nothing": nothing, "link": names.link})


def _minutes(minutes: Estimate) -> Message:
    low, mid, high = (f"{value:g}" for value in (minutes.low, minutes.mid, minutes.high))
    return Message("finding.minutes", {"mid": mid, "low": low, "high": high})


def _limit(candidate: Candidate, names: Names) -> Message | None:
    """What the message can't carry: local roads that the data lacks, or a line that is largely schematic."""
    if not names.local:
        return Message("finding.no_local_roads")
    schematic_km, km = _schematic(candidate, names)
    if not schematic_km:
        return None
    drawn = (f"{schematic_km:.0f}", f"{km:.0f}")
    return Message(
        "finding.drawn_schematically", {"schematic_km": drawn[0], "km": drawn[1], "country": names.country_name}
    )


def _schematic(candidate: Candidate, names: Names) -> tuple[float, float]:
    """Kilometres in the country that are drawn schematically (0 where too few to matter), and all of them."""
    parts = [part for part in candidate.parts if part.country == names.country]
    km = sum(part.drawn_km for part in parts)
    schematic_km = sum(part.drawn_km for part in parts if part.geometry_quality == GeometryQuality.SCHEMATIC)
    return (schematic_km if schematic_km > _SCHEMATIC_SHARE * km else 0.0), km
