"""What a route meets, as one table of events: crossings, stretches on the same line, stretches beside a road.

Where the network holds mapped roads, crossings follow from geometry (:mod:`corridor.interactions.crossings`). On a
network of catalogue sections alone, whose lines are schematic, they follow from what the catalogue says: roads that go
through a node of the route, and structures listed as decisive. Local roads aren't in it, so local crossings can't be
known.

What a line that is only drawn schematically meets isn't known: such events are open (``Event.is_open``), and
:func:`take_events` takes them all best or all worst.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84, locate_m, project
from corridor.interactions.crossings import (
    Hit,
    as_met,
    cut_points,
    find_hits,
    has_mapped_roads,
    merge_hits,
    own_rows,
    part_offsets_km,
    schematic_runs,
)
from corridor.interactions.shared_parallel import find_parallel, find_possibly_shared, find_shared
from corridor.network.graph import Network
from corridor.schema.candidate import Candidate
from corridor.schema.catalogue import DocumentedStructure
from corridor.schema.message import Message, Value
from corridor.schema.regime import class_rank
from corridor.schema.results import Event, Structure
from corridor.schema.vocabulary import (
    BedRoad,
    Cause,
    EventKind,
    EventsEnd,
    Evidence,
    Mode,
    Owner,
    SectionStatus,
    Separation,
    StructureKind,
)

# --- Events in messages: which structure keeps a route and a road apart, and why an event is of its kind ---


def road_label(event: Event) -> str:
    """A road as the data has it: number, else name, else class."""
    return event.road_ref or event.road_name or event.road_class


def structure_message(event: Event) -> Value:
    """The structure at a crossing, with whose it is and how long; empty where there is none."""
    structure = event.structure
    if structure is None:
        return ""
    length = "" if structure.length_m is None else f"{structure.length_m:.0f}"
    # A documented structure of a road goes by its own name; a mapped one by the road's.
    if structure.evidence == Evidence.DOCUMENTED and structure.owner == Owner.ROAD:
        if not length:
            return structure.name
        return Message("structure.documented", {"name": structure.name, "length": length})
    if structure.owner == Owner.ROUTE:
        tunnel = structure.kind == StructureKind.TUNNEL
        name = structure.name or Message("map.tunnel" if tunnel else "map.bridge")
        return Message("structure.of_route", {"name": name, "length": length})
    if structure.kind == StructureKind.TUNNEL:
        return Message("structure.road_tunnel", {"road": road_label(event), "length": length})
    return Message("structure.road_bridge", {"road": road_label(event), "length": length})


def cause_message(event: Event) -> Message:
    """Why an event is of its kind."""
    match event.cause:
        case Cause.MAPPED_APART:
            return Message("cause.mapped_apart", {"structure": structure_message(event)})
        case Cause.SCHEMATIC_LINE:
            return Message("cause.schematic_line")
        case Cause.JUNCTION:
            return Message("cause.junction")
        case Cause.NOTHING_MAPPED:
            return Message("cause.nothing_mapped")
        case Cause.CATALOGUE_NODE:
            return Message("cause.catalogue_node")
        case Cause.DOCUMENTED_STRUCTURE:
            found = event.structure
            key, note = (found.structure_id, found.note) if found else ("", "")
            return Message("cause.documented_structure", {"structure_id": key, "note": note})
        case Cause.ROAD_IN_USE:
            if not event.section_id:
                return Message("cause.road_in_use", {"road": road_label(event)})
            return Message("cause.section_in_use", {"road": road_label(event), "section_id": event.section_id})
        case Cause.RUNS_PARALLEL:
            return Message("cause.runs_parallel", {"distance_m": f"{event.distance_m:.0f}"})


_LETTERS = {
    "ա": "a", "բ": "b", "գ": "g", "դ": "d", "ե": "e", "զ": "z", "է": "e", "ը": "y", "թ": "t", "ժ": "zh", "ի": "i",
    "լ": "l", "խ": "kh", "ծ": "ts", "կ": "k", "հ": "h", "ձ": "dz", "ղ": "gh", "ճ": "ch", "մ": "m", "յ": "y", "ն": "n",
    "շ": "sh", "ո": "o", "չ": "ch", "պ": "p", "ջ": "j", "ռ": "r", "ս": "s", "վ": "v", "տ": "t", "ր": "r", "ց": "ts",
    "ւ": "v", "փ": "p", "ք": "k", "օ": "o", "ֆ": "f", "և": "ev",
}  # fmt: skip
_VOWELS = "աեէըիոօ"


def transliterate(name: str) -> str:
    """A name with its Armenian letters in Latin ones; other letters stay as they are.

    >>> transliterate("Նռնաձոր"), transliterate("Որոտան"), transliterate("Շուռնուխ"), transliterate("Çayzəmi")
    ('Nrnadzor', 'Vorotan', 'Shurnukh', 'Çayzəmi')
    """
    words = []
    for word in name.split(" "):
        plain = word.lower().replace("եւ", "և")
        if not any(letter in _LETTERS for letter in plain):
            words.append(word)
            continue
        latin = "-".join(_word(part) for part in plain.split("-"))
        words.append(
            "-".join(p[:1].upper() + p[1:] for p in latin.split("-")) if word[:1] != word[:1].lower() else latin
        )
    return " ".join(words)


def _word(word: str) -> str:
    out = []
    for index, letter in enumerate(word):
        after = word[index + 1 : index + 2]
        if letter == "ո" and after == "ւ":
            out.append("u")
        elif letter == "ւ" and index and word[index - 1] == "ո":
            continue
        elif letter in "եո" and index == 0:
            out.append(("ye" if letter == "ե" else "vo") if after != "ւ" else "u")
        elif letter == "և" and index == 0:
            out.append("yev")
        elif letter == "ե" and word[index - 1] in _VOWELS:
            out.append("ye")
        else:
            out.append(_LETTERS.get(letter, letter))
    return "".join(out)


STRUCTURE_REACH_M = 150.0
"""A documented structure of a route's own section is where the route meets a road within this. Declared."""
BED_M = 30.0
"""How far beside a railway's old line a road may be mapped that lies on its bed."""
EVENT_COLUMNS = tuple(
    "event_id candidate_id route_id kind separation road_class road_ref road_name country chainage_km to_chainage_km "  # noqa: SIM905
    "distance_m length_km structure cause".split()
)
_NEAR_DEG = 0.1
"""Degrees: structures farther than this are sorted out before they are measured."""


def supports_local_crossings(network: Network) -> bool:
    """Whether a network holds mapped roads beside catalogue sections: without them, local crossings are unknown."""
    return has_mapped_roads(network)


def find_crossed(
    candidate: Candidate,
    network: Network,
    country: str | None = None,
    *,
    structures: Sequence[DocumentedStructure] = (),
    axis_rows: Collection[int] = (),
    half_width_km: float = 1.0,
) -> list[Event]:
    """What a candidate crosses or shares, by the chainage of what it is met as (:func:`as_met`).

    An edge that the candidate runs over is never crossed by it: it counts once, as shared.

    Args:
        candidate: the route.
        network: roads and railways, not gated.
        country: where crossings are looked for; everywhere if not given.
        structures: the catalogue's structures, of which the decisive ones count on a network without mapped roads.
        axis_rows: edges of the axes, which a schematic line may come to run on.
        half_width_km: how far off a schematic line may lie.
    """
    # Sections may have the crossings of another one: what is met is found there.
    met = as_met(candidate)
    crossings = (
        _mapped_crossings(met, network, country)
        if supports_local_crossings(network)
        else _catalogue_crossings(met, network, structures)
    )
    shared = find_possibly_shared(met, network, axis_rows, half_width_km * 1000)
    return [*crossings, *find_shared(met, network), *shared]


def find_beside(
    candidate: Candidate,
    network: Network,
    country: str | None = None,
    *,
    barriers: NDArray[np.object_] | None = None,
    bed_road: BedRoad = BedRoad.REPLACED,
) -> list[Event]:
    """Mapped roads that run beside a candidate, by the chainage of what it is met as (:func:`as_met`).

    Args:
        candidate: the route.
        network: roads and railways, not gated.
        country: only what lies there; everywhere if not given.
        barriers: lines in the network's plane (rivers, borders) across which nothing runs beside.
        bed_road: what becomes of a road on the old bed of a railway that takes it.
    """
    if not supports_local_crossings(network):
        return []
    met = as_met(candidate)
    beside = find_parallel(met, network, country=country, barriers=barriers)
    return _on_bed(met, beside) if bed_road == BedRoad.TAKEN else beside


def order_events(candidate: Candidate, events: Iterable[Event], country: str | None = None) -> list[Event]:
    """Events in order of a candidate's own chainage, with their numbers.

    Args:
        candidate: the route.
        events: all that it meets, from :func:`find_crossed` and :func:`find_beside`.
        country: only what lies there; everywhere if not given.
    """
    met = as_met(candidate)
    kept = [_on_route(event, met, candidate) for event in events if country in {None, event.country}]
    # Numbers follow the sorted order, so that an event has the same id in every run.
    kept.sort(key=lambda event: (event.chainage_km, event.to_chainage_km, event.kind, event.edges))
    return [replace(event, event_id=f"{candidate.candidate_id}:{number}") for number, event in enumerate(kept, 1)]


def join_events(candidate: Candidate, by_route: Mapping[str, Sequence[Event]]) -> list[Event]:
    """What a candidate meets, of what its routes meet: those of a package all that any of its routes does.

    What two routes meet by running on the same section counts once. Chainage stays that of the route, which the event
    names. Where the study gives the old bed to another route than the railway, roads on it stay what they are.

    Args:
        candidate: a route or a package.
        by_route: events of each of its routes, by id.

    Returns:
        Events, those of the first route first.
    """
    if not candidate.members:
        return list(by_route[candidate.candidate_id])
    found: dict[tuple[Any, ...], Event] = {}
    for route in candidate.members:
        has_bed = candidate.old_bed is None or candidate.old_bed.had_by == route.candidate_id
        for event in by_route[route.candidate_id]:
            own = replace(event, candidate_id=candidate.candidate_id, route_id=route.candidate_id)
            if event.kind == EventKind.ON_BED and not has_bed:
                own = replace(own, kind=EventKind.PARALLEL)
            # The same stretch of the same road at the same place is one event, whichever route meets it first.
            found.setdefault((event.kind, event.portions or event.edges, event.geometry.wkb), own)
    joined = enumerate(found.values(), 1)
    return [replace(event, event_id=f"{candidate.candidate_id}:{number}") for number, event in joined]


def _on_route(event: Event, met: Candidate, route: Candidate) -> Event:
    """An event by the chainage of the route itself, where parts of it follow other sections."""
    if met is route:
        return event
    # Parts correspond one to one, so that chainage carries over piece by piece.
    theirs, own = ([*part_offsets_km(each), each.drawn_km] for each in (met, route))
    first, last = (float(np.interp(km, theirs, own)) for km in (event.chainage_km, event.to_chainage_km))
    return replace(event, chainage_km=first, to_chainage_km=last)


def _on_bed(candidate: Candidate, beside: Sequence[Event]) -> list[Event]:
    """Roads beside a route, those told apart that lie on the old bed that it takes.

    They are the ones within 30 m of a railway on whose bed documents know a road to lie.
    """
    beds = [
        (offset, offset + part.drawn_km)
        for part, offset in zip(candidate.parts, part_offsets_km(candidate), strict=True)
        if part.mode == Mode.RAIL and part.documented_works.road_on_bed_km is not None
    ]
    return [
        replace(event, kind=EventKind.ON_BED)
        if event.distance_m <= BED_M and any(low <= event.chainage_km < high for low, high in beds)
        else event
        for event in beside
    ]


def has_open_events(events: Iterable[Event]) -> bool:
    """Whether a schematic line leaves any of these open.

    Args:
        events: of a candidate.
    """
    return any(event.is_open for event in events)


def take_events(events: Iterable[Event], end: EventsEnd) -> list[Event]:
    """Events with what isn't known taken best or worst; those that are known stay as they are.

    Args:
        events: of a candidate.
        end: best: open crossings are separated and nothing more is shared; worst: they are at grade, and what may be
            shared is.
    """
    taken = []
    for event in events:
        if not event.is_open:
            taken.append(event)
        elif event.kind == EventKind.CROSSING:
            apart = Separation.SEPARATED if end == EventsEnd.BEST else Separation.AT_GRADE
            taken.append(replace(event, separation=apart))
        elif end == EventsEnd.WORST:
            taken.append(replace(event, kind=EventKind.SHARED))
    return taken


def events_frame(events: Sequence[Event], decisive: Collection[str] = ()) -> gpd.GeoDataFrame:
    """Events as a table (EPSG:4326) with the columns of ``crossings.gpkg``; ``decisive`` holds ids of events.

    ``route_id`` is the route by whose chainage a row is: one of a package's, else the candidate itself.
    ``structure`` and ``cause`` hold messages; see :func:`corridor.report.i18n.render_table`.
    """
    data: dict[str, list[Any]] = {name: [getattr(event, name) for event in events] for name in EVENT_COLUMNS}
    data["route_id"] = [event.route_id or event.candidate_id for event in events]
    data["structure"] = [structure_message(event) for event in events]
    data["cause"] = [cause_message(event) for event in events]
    data["edges"] = [";".join(str(edge) for edge in event.edges) for event in events]
    data["decisive"] = [event.event_id in decisive for event in events]
    return gpd.GeoDataFrame(data, geometry=[event.geometry for event in events], crs=WGS84)


def _mapped_crossings(candidate: Candidate, network: Network, country: str | None) -> list[Event]:
    hits = find_hits(candidate, network, None if country is None else (country,))
    return [_crossing_event(candidate, network, members) for members in merge_hits(hits, network)]


def _crossing_event(candidate: Candidate, network: Network, members: list[Hit]) -> Event:
    classes, refs = network.column("class"), network.column("ref")
    # the road that gives the crossing its name: none of a roundabout's own pieces, of the greatest class, with a number
    lead = min(
        members,
        key=lambda hit: (
            hit.of_ring, class_rank(classes[hit.edge]), refs[hit.edge] == "", hit.edge
        ),
    )  # fmt: skip
    row = {name: network.column(name)[lead.edge] for name in ("class", "ref", "name", "country")}
    portions, joins = cut_points(members)
    # One hit where the line is known settles what the crossing is, and so do structures that go with the route at every
    # hit.
    is_open = all(hit.run >= 0 for hit in members) and not all(_is_documented(hit) for hit in members)
    apart = all(hit.structure for hit in members) and not is_open
    separation = Separation.UNDETERMINED if is_open else Separation.SEPARATED if apart else Separation.AT_GRADE
    chainage = float(np.mean([members[0].chainage_m, members[-1].chainage_m])) / 1000
    return Event(
        event_id="", candidate_id=candidate.candidate_id, kind=EventKind.CROSSING,
        separation=separation, road_class=row["class"], road_ref=row["ref"],
        road_name=row["name"], country=row["country"], chainage_km=chainage, to_chainage_km=chainage, distance_m=0.0,
        length_km=0.0, edges=tuple(dict.fromkeys(edge for edge, _, _ in portions)),
        structure=lead.structure if apart else None, cause=_crossing_cause(separation, joins),
        geometry=project(lead.at, network.crs, WGS84), portions=portions, joins=joins, is_open=is_open,
    )  # fmt: skip


def _is_documented(hit: Hit) -> bool:
    """Whether the route's own structure of the catalogue keeps it apart from a road: that it has wherever it lies."""
    found = hit.structure
    return found is not None and found.owner == Owner.ROUTE and found.evidence == Evidence.DOCUMENTED


def _crossing_cause(separation: Separation, joins: bool) -> Cause:
    if separation == Separation.SEPARATED:
        return Cause.MAPPED_APART
    if separation == Separation.UNDETERMINED:
        return Cause.SCHEMATIC_LINE
    return Cause.JUNCTION if joins else Cause.NOTHING_MAPPED


def _catalogue_crossings(
    candidate: Candidate, network: Network, structures: Sequence[DocumentedStructure]
) -> list[Event]:
    hits = find_hits(candidate, network, schematic_only=True)
    schematic = [_crossing_event(candidate, network, members) for members in merge_hits(hits, network)]
    return [*schematic, *_through_nodes(candidate, network), *_over_structures(candidate, network, structures)]


def _through_nodes(candidate: Candidate, network: Network) -> list[Event]:
    """Roads in use that go through a node where two of the route's own road sections meet.

    Between two schematic stretches the route needn't pass there.
    """
    edges = network.edges
    own = own_rows(candidate, network)
    if candidate.mode != Mode.ROAD:
        return []
    fit = ((edges["mode"] == Mode.ROAD) & (edges["status"] == SectionStatus.OPEN) & ~network.is_border).to_numpy(
        copy=True
    )
    # A route doesn't cross itself.
    fit[own] = False
    u, v = edges["u"].to_numpy(), edges["v"].to_numpy()
    runs = schematic_runs(candidate, network)
    found = []
    places = zip(candidate.parts, candidate.parts[1:], pairwise(runs), part_offsets_km(candidate)[1:], strict=False)
    for part, after, around, offset in places:
        if min(around) >= 0:
            continue
        # The parts say where they meet and not in which node: all nodes of the route's edges at that place count as it.
        x, y = part.line.coords[-1][:2]
        at = _nodes_of(own, u, v, network, x, y)
        arms = [
            (int(row), 0.0 if u[row] in at else 1.0) for row in np.flatnonzero(fit & (np.isin(u, at) | np.isin(v, at)))
        ]
        if len(arms) < 2 or part.country != after.country:
            continue
        # The event is told by its greatest road; of equals by the first, so that runs agree.
        lead = edges.iloc[min(arms, key=lambda arm: (class_rank(edges["class"].iat[arm[0]]), arm[0]))[0]]
        found.append(
            Event(
                event_id="", candidate_id=candidate.candidate_id, kind=EventKind.CROSSING,
                separation=Separation.AT_GRADE, road_class=lead["class"], road_ref=lead["ref"], road_name=lead["name"],
                country=part.country, chainage_km=offset, to_chainage_km=offset, distance_m=0.0, length_km=0.0,
                edges=tuple(row for row, _ in arms), structure=None, cause=Cause.CATALOGUE_NODE,
                geometry=shapely.Point(x, y), portions=tuple((row, f, f) for row, f in arms), joins=True,
            )
        )  # fmt: skip
    return found


def _nodes_of(
    own: NDArray[np.int64], u: NDArray[np.int64], v: NDArray[np.int64], network: Network, x: float, y: float
) -> NDArray[np.int64]:
    nodes = np.unique(np.concatenate([u[own], v[own]]))
    near = np.hypot(network.node_lon[nodes] - x, network.node_lat[nodes] - y) < 1e-6
    return np.asarray(nodes[near])


def _over_structures(candidate: Candidate, network: Network, structures: Sequence[DocumentedStructure]) -> list[Event]:
    """Decisive bridges and tunnels of ways of the other mode, a road's over a railway, that stand on the route."""
    found = []
    sections = {part.section_id for part in candidate.parts}
    for structure in structures:
        if not structure.decisive or structure.section_id in sections or structure.lon is None or structure.lat is None:
            continue
        on_section = network.section_rows.get(structure.section_id, np.zeros(0, dtype=np.int64))
        place = shapely.Point(structure.lon, structure.lat)
        for part, offset in zip(candidate.parts, part_offsets_km(candidate), strict=True):
            rows = on_section[~network.is_in("mode", part.mode)[on_section]]
            if len(rows) == 0 or shapely.distance(part.line, place) > _NEAR_DEG:
                continue
            along, off = locate_m(part.line, structure.lon, structure.lat)
            if off <= STRUCTURE_REACH_M:
                found.append(_structure_event(candidate, network, structure, rows, offset + along / 1000))
    return found


def _structure_event(
    candidate: Candidate, network: Network, structure: DocumentedStructure, rows: NDArray[np.int64], chainage_km: float
) -> Event:
    point = project(shapely.Point(structure.lon, structure.lat), WGS84, network.crs)
    # A section may be many edges on the map: the one that carries the structure is the nearest.
    row = int(rows[np.argmin(shapely.distance(network.planar[rows], point))])
    edge = network.edges.iloc[row]
    fraction = float(shapely.line_locate_point(network.planar[row], point, normalized=True))
    known_m = structure.length_km * 1000 if structure.length_km else None
    found = Structure(
        structure.kind, Owner.ROAD, structure.name, known_m, Evidence.DOCUMENTED, structure.structure_id, structure.note
    )
    return Event(
        event_id="", candidate_id=candidate.candidate_id, kind=EventKind.CROSSING, separation=Separation.SEPARATED,
        road_class=edge["class"], road_ref=edge["ref"], road_name=edge["name"], country=edge["country"],
        chainage_km=chainage_km, to_chainage_km=chainage_km, distance_m=0.0, length_km=0.0, edges=(row,),
        structure=found, cause=Cause.DOCUMENTED_STRUCTURE,
        geometry=shapely.Point(structure.lon, structure.lat), portions=((row, fraction, fraction),),
    )  # fmt: skip
