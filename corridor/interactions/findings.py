"""What decides the result, said in one sentence for each candidate and regime, with the ids of its evidence.

The sentences are put together from events, regimes and searches alone: the same table gives the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd

from corridor.geo.geodesy import distance_m
from corridor.interactions.critical_crossings import ConnectivityTargets, find_critical_crossings
from corridor.interactions.events import DOCUMENTED, SCHEMATIC
from corridor.interactions.regime_effects import acts_in, applies, effects, is_cut
from corridor.interactions.transliteration import transliterate
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import Estimate
from corridor.schema.interaction import CriticalCrossing, Event, Finding
from corridor.schema.regime import Regime
from corridor.schema.vocabulary import CrossingRuleKind, EventKind, GeometryQuality, Outcome, Separation, SharedRuleKind
from corridor.wording import with_article

# Letters of Armenian road numbers as they stand on the signs' Latin half.
_LETTERS = str.maketrans({"Մ": "M", "Հ": "H", "Տ": "T"})
NEAR_M = 5000.0
_NAMED = 3
_SCHEMATIC_SHARE = 0.05
_SHOWN_KM = 0.5


@dataclass(frozen=True)
class Words:
    """Names for the sentences: of the border crossing, the capital and its country, and places with lon and lat.

    ``country`` is the country's code. ``local`` is whether the network holds local roads
    (:func:`corridor.interactions.events.supports_local_crossings`).
    """

    crossing: str
    capital: str
    country: str
    country_name: str
    places: gpd.GeoDataFrame | None
    local: bool

    def near(self, event: Event) -> str:
        """' near X' for the settlement nearest to an event, '' where none is known within 5 km."""
        if self.places is None or not len(self.places):
            return ""
        at = event.geometry.centroid
        frame = self.places
        gaps = distance_m(frame["lon"].to_numpy(), frame["lat"].to_numpy(), at.x, at.y)
        nearest = int(gaps.argmin())
        return f" near {transliterate(str(frame['name'].iloc[nearest]))}" if gaps[nearest] <= NEAR_M else ""


def build_findings(
    candidates: Sequence[Candidate],
    regimes: Mapping[str, Regime],
    events: Mapping[str, Sequence[Event]],
    stakes: ConnectivityTargets,
    words: Words,
) -> tuple[list[Finding], list[CriticalCrossing]]:
    """A finding for each candidate and each regime that applies to it, and the decisive crossings that they rest on.

    Args:
        candidates: the routes.
        regimes: by id.
        events: by candidate id, those in the country that the stakes are about.
        stakes: what must stay within reach.
        words: names.
    """
    findings, decisive = [], []
    for candidate in candidates:
        for regime in regimes.values():
            if not applies(regime, candidate)[0]:
                continue
            met = [event for event in events[candidate.candidate_id] if acts_in(regime, event.country)]
            found = find_critical_crossings(met, regime, stakes)
            linked, _ = stakes.linked(effects(met, regime, stakes.network).closed)
            decisive += found
            findings.append(say_finding(candidate, regime, met, linked, found, words, len(stakes.places)))
    return findings, decisive


def say_finding(
    candidate: Candidate,
    regime: Regime,
    events: Sequence[Event],
    linked: bool,
    decisive: Sequence[CriticalCrossing],
    words: Words,
    n_places: int,
) -> Finding:
    """One sentence and its evidence.

    ``events`` are those on which the regime acts, ``linked`` whether crossing and capital still reach each other, and
    ``n_places`` how many places were asked about.
    """
    by_id = {event.event_id: event for event in events}
    evidence = [f"regime:{regime.regime_id}", *regime.source_ids]
    cut = [event for event in events if is_cut(event, regime)]
    chosen = [d for d in decisive if d.linked_as_assumed != d.linked_if_flipped] or list(decisive)
    if words.country not in {part.country for part in candidate.parts}:
        text = f"It doesn't run through {words.country_name}, where {_link(words)} stays as it is"
        return Finding(candidate.candidate_id, regime.regime_id, f"{text}.", tuple(evidence))
    if not events:
        known = "" if words.local else ", as far as this data shows"
        text = f"It meets no road in use in {words.country_name}, so {_link(words)} stays as it is{known}"
    elif regime.crossing.kind in {CrossingRuleKind.CLOSED, CrossingRuleKind.GRADE_SEPARATED}:
        text = _say_cut(regime, cut, linked, chosen, by_id, words, n_places)
        evidence += [d.event_id for d in chosen] or [event.event_id for event in cut]
    else:
        text = _say_passable(regime, events, words)
        evidence += [event.event_id for event in events if event.kind != EventKind.PARALLEL]
    limits = _say_limits(candidate, words)
    outcome = _outcome(linked, chosen)
    facts = _facts(outcome, chosen, by_id, candidate, words, n_places)
    found = tuple(dict.fromkeys(evidence))
    return Finding(candidate.candidate_id, regime.regime_id, f"{text}{limits}.", found, outcome, facts)


def _outcome(linked: bool, decisive: Sequence[CriticalCrossing]) -> Outcome:
    if not linked:
        return Outcome.LOST
    hangs = any(d.flipped_to == Separation.AT_GRADE and not d.linked_if_flipped for d in decisive)
    return Outcome.SINGLE_POINT_DEPENDENT if hangs else Outcome.OPEN


def _facts(
    outcome: Outcome,
    decisive: Sequence[CriticalCrossing],
    by_id: Mapping[str, Event],
    candidate: Candidate,
    words: Words,
    n_places: int,
) -> dict[str, str]:
    """What the sentence is made of; see :class:`corridor.schema.interaction.Finding`."""
    facts = {"crossing": words.crossing, "capital": words.capital, "country": words.country_name}
    schematic_km, km = _schematic(candidate, words)
    if schematic_km:
        facts |= {"schematic_km": f"{schematic_km:.0f}", "km": f"{km:.0f}"}
    if outcome == Outcome.SINGLE_POINT_DEPENDENT:
        decided = next(d for d in decisive if d.flipped_to == Separation.AT_GRADE and not d.linked_if_flipped)
        event = by_id[decided.event_id]
        name, _, length = event.structure.rpartition(", ")
        span = length if length.endswith(" m") else ""
        documented = event.cause.startswith(DOCUMENTED)
        what = (name if span else event.structure) if documented else _ref(event)
        at = [what, span, "" if documented else words.near(event).removeprefix(" near ")]
        facts |= {
            "at": ", ".join(part for part in at if part),
            "kind": "tunnel" if "tunnel" in event.structure else "bridge",
            "places_lost": str(len(decided.places_lost)),
            "places": str(n_places),
        }
        if _is_of_the_route(event):
            facts["own"] = "yes"
    elif outcome == Outcome.LOST:
        level = [d for d in decisive if d.flipped_to == Separation.SEPARATED][:_NAMED]
        facts["at"] = "; ".join(_name_road(by_id[d.event_id], words).replace(" near ", ", ") for d in level)
    return facts


def _link(words: Words) -> str:
    return f"the road between {words.crossing} and {words.capital}"


def _say_cut(
    regime: Regime,
    cut: Sequence[Event],
    linked: bool,
    decisive: Sequence[CriticalCrossing],
    by_id: Mapping[str, Event],
    words: Words,
    n_places: int,
) -> str:
    how = "With the route closed at grade"
    if regime.crossing.kind == CrossingRuleKind.GRADE_SEPARATED:
        lesser = f" and {_count(len(cut), 'lesser crossing')} closed" if cut else ""
        how = f"With bridges for roads of class {regime.crossing.min_class} and above{lesser}"
    apart = [d for d in decisive if d.flipped_to == Separation.AT_GRADE]
    level = [d for d in decisive if d.flipped_to == Separation.SEPARATED]
    if linked and apart and not apart[0].linked_if_flipped:
        named = _name_crossing(by_id[apart[0].event_id], words)
        lost = len(apart[0].places_lost)
        others = f", and so would {lost} of {n_places} places" if lost else ""
        return (
            f"{how}, {_link(words)} stays open because {named}; if that were at grade or fenced, {words.capital} "
            f"would lose the crossing{others}"
        )
    if linked and decisive:
        named = "; ".join(_say_places(d, by_id, words) for d in decisive[:_NAMED])
        return f"{how}, {_link(words)} stays open, but single crossings decide about places: {named}"
    if linked:
        return f"{how}, {_link(words)} stays open, and no single crossing decides that"
    if level:
        names = [_name_road(by_id[d.event_id], words) for d in level[:_NAMED]]
        single = f"the crossing of {names[0]}" if len(names) == 1 else f"any one of the crossings of {_or(names)}"
        return (
            f"{how}, {_link(words)} is lost, because it is assumed to meet the route at grade; a bridge or underpass "
            f"at {single} would keep it open"
        )
    return f"{how}, {_link(words)} is lost, and no single bridge or underpass would keep it open"


def _or(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}"


def _is_of_the_route(event: Event) -> bool:
    """Whether the structure that keeps the two apart belongs to the route and not to the road."""
    return not event.cause.startswith(DOCUMENTED) and "of the route" in event.structure


def _name_crossing(event: Event, words: Words) -> str:
    """A separated crossing as a clause: who passes over or under what, and where."""
    name, _, length = event.structure.rpartition(", ")
    span = f"{length} " if length.endswith(" m") else ""
    if event.cause.startswith(DOCUMENTED):
        return f"the {name} ({length}) keeps the two apart" if name else f"the {length} keeps the two apart"
    if _is_of_the_route(event):
        return f"the route passes {_ref(event)} on {with_article(f'{span}structure')} of its own{words.near(event)}"
    over = "under" if "tunnel" in event.structure else "over"
    kind = "tunnel" if over == "under" else "bridge"
    where = f"{'in' if over == 'under' else 'on'} {with_article(span + kind)}"
    return f"{_ref(event)} passes {over} the route {where}{words.near(event)}"


def _name_road(event: Event, words: Words) -> str:
    return f"{_ref(event)}{words.near(event)}"


def _ref(event: Event) -> str:
    """A road as a reader knows it: number, else name, else class."""
    name = event.road_ref.translate(_LETTERS).replace("-", "") or event.road_name
    return name or with_article(f"{event.road_class.replace('_', ' ')} road")


def _say_places(decided: CriticalCrossing, by_id: Mapping[str, Event], words: Words) -> str:
    event = by_id[decided.event_id]
    names = decided.places_lost or decided.places_regained
    shown = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    verb = "would lose the crossing if it were at grade" if decided.places_lost else "would keep it with a bridge there"
    return f"at {_name_road(event, words)} {shown} {verb}"


def _say_passable(regime: Regime, events: Sequence[Event], words: Words) -> str:
    level = [e for e in events if e.kind == EventKind.CROSSING and e.separation == Separation.AT_GRADE]
    known = [e for e in level if not e.cause.startswith(SCHEMATIC)]
    shared = sum(event.length_km for event in events if event.kind == EventKind.SHARED)
    met = [f"{_count(len(known), 'crossing')} assumed at grade"] if known else []
    met += ["the crossings that a schematic line can't place"] if len(known) < len(level) else []
    met += [f"{shared:.0f} km of road in use on the same line"] if shared >= _SHOWN_KM else []
    where = " and ".join(met)
    if regime.same_line.kind == SharedRuleKind.TRANSIT_ONLY and shared >= _SHOWN_KM:
        return f"{shared:.0f} km of road in use would be closed to others, while roads that cross stay open"
    rules = (
        (regime.crossing.minutes, "a crossing", bool(level)),
        (regime.same_line.minutes, "a shared stretch", shared >= _SHOWN_KM),
    )
    waits = [_minutes(minutes, what) for minutes, what, there in rules if minutes and there]
    if waits:
        return f"Every road stays passable, with assumed checks of {' and '.join(waits)}, for {where}"
    nothing = "Nothing" if words.local else "Nothing that the catalogue holds"
    return f"{nothing} is closed or slowed{' at ' + where if where else ''}, so {_link(words)} stays as it is"


def _minutes(minutes: Estimate, what: str) -> str:
    return f"{minutes.mid:g} min ({minutes.low:g} to {minutes.high:g}) at {what}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _say_limits(candidate: Candidate, words: Words) -> str:
    """What the sentence can't carry: local roads that the data lacks, or a line that is largely schematic."""
    if not words.local:
        return "; local crossings aren't supported by this data"
    schematic_km, km = _schematic(candidate, words)
    if schematic_km:
        drawn = f"{schematic_km:.0f} of its {km:.0f} km in {words.country_name}"
        return f"; {drawn} are drawn schematically, so where they meet roads isn't known"
    return ""


def _schematic(candidate: Candidate, words: Words) -> tuple[float, float]:
    """Kilometres in the country that are drawn schematically (0 where too few to matter), and all of them."""
    parts = [part for part in candidate.parts if part.country == words.country]
    km = sum(part.drawn_km for part in parts)
    schematic_km = sum(part.drawn_km for part in parts if part.geometry_quality == GeometryQuality.SCHEMATIC)
    return (schematic_km if schematic_km > _SCHEMATIC_SHARE * km else 0.0), km
