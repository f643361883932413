"""What the catalogue documents about roads that the map shows: which are closed, and which carry through traffic.

A map shows a road for as long as its surface lies there; that nobody may use it is known from documents. So a road
that the catalogue documents as closed is closed on the map too, however new the map is, until a later row of the
catalogue documents it as open. Where map and catalogue contradict each other is listed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from corridor.network.conflate_ways import Physical
from corridor.network.graph import Network
from corridor.network.match import Match, part_lengths_km
from corridor.schema.catalogue import TRUCK_HEIGHT_M, TRUCK_T, Section, VehicleLimit
from corridor.schema.message import ListStyle, Message, Value, listing
from corridor.schema.vocabulary import Mode, RoadAccess, SectionStatus

_SHUT = (SectionStatus.CLOSED, SectionStatus.UNKNOWN)
Bools = NDArray[np.bool_]


def dated(section: Section, as_of: str) -> Section:
    """A section as it was on a date (ISO, ``2021-08`` or longer).

    It wasn't open before ``opened``, not yet closed (or unknown) before ``closed``, and nobody else's before
    ``control_from``.
    """
    status = section.status
    if status == SectionStatus.OPEN and section.opened and section.opened > as_of:
        status = SectionStatus.CONSTRUCTION
    if status in _SHUT and section.closed and section.closed > as_of:
        status = SectionStatus.OPEN
    control = section.control if section.control and section.control_from <= as_of else ""
    return replace(section, status=status, control=control)


def mostly_used(network: Network, match: Match) -> list[int]:
    """Edges that a match runs over by more than half: a section says nothing about the rest."""
    lengths = network.edges["length_m"].to_numpy()[list(match.route.edges)] / 1000
    used = part_lengths_km(network, match.route) > lengths / 2
    return [edge for edge, much in zip(match.route.edges, used, strict=True) if much]


def sections_by_edge(network: Network, matches: Mapping[str, Match], sections: Mapping[str, Section]) -> dict[int, str]:
    """The road section that documents each mapped edge; of several the one of the edge's class, then the latest row.

    A lesser road is documented to the middle of its junction with a greater one, so that its row reaches over a few
    metres of that road: what closes the one doesn't close the other. The date of a row is when the section was opened
    or closed, else when its status was documented. Of rows of one date one that closes counts: a road that is closed on
    a part of its length leads nowhere. Rows of roads that are planned or being built say nothing about what the map
    shows.
    """
    found: dict[int, str] = {}
    classes = network.edges["class"].to_numpy()
    for key, match in matches.items():
        section = sections[key]
        if section.mode != Mode.ROAD or section.status not in {SectionStatus.OPEN, *_SHUT}:
            continue
        for edge in mostly_used(network, match):
            if edge not in found or _weight(sections[key], classes[edge]) > _weight(
                sections[found[edge]], classes[edge]
            ):
                found[edge] = key
    return found


def _weight(section: Section, edge_class: str) -> tuple[bool, str, bool, bool]:
    changed = section.closed if section.status in _SHUT else section.opened
    date, shut = changed or section.as_of, section.status in _SHUT
    return section.road_class == edge_class, date, shut, section.status == SectionStatus.CLOSED


def apply_documents(
    physical: Physical,
    section_of_edge: Mapping[int, str],
    sections: Mapping[str, Section],
    through_classes: Collection[str],
    *,
    enforce_limits: bool = False,
) -> Physical:
    """Edges with what the catalogue says of them: ``documented_in``, ``status``, limits of vehicles and ``through``.

    Open edges of a section that is closed, or of which nobody documents that it is open, get its status. Through
    traffic runs on the catalogue's sections and on roads of the through classes (a link ranks with its road) that
    aren't for local traffic only; railways carry through traffic whatever their class. A limit below the truck's mass
    or height is kept and reported; with ``enforce_limits`` it closes the road to trucks.
    """
    edges = physical.edges
    documented = edges["section_id"].to_numpy().astype(object)
    status = edges["status"].to_numpy().astype(object)
    for edge, key in section_of_edge.items():
        documented[edge] = key
        if sections[key].status in _SHUT and status[edge] == SectionStatus.OPEN:
            status[edge] = sections[key].status.value
    edges = _with_limits(edges.assign(documented_in=documented, status=status), sections)
    if enforce_limits:
        access = np.where(exceeds_limits(edges), RoadAccess.NO.value, edges["truck_access"].to_numpy().astype(object))
        edges = edges.assign(truck_access=access)
    return replace(physical, edges=edges.assign(through=carries_through_traffic(edges, through_classes)))


def _with_limits(edges: gpd.GeoDataFrame, sections: Mapping[str, Section]) -> gpd.GeoDataFrame:
    """Edges with the lower of the signed and the documented limit."""
    limits = {key: section.limit for key, section in sections.items() if section.limit is not None}
    for column in ("max_weight_t", "max_height_m"):
        documented = {key: getattr(limit, column) for key, limit in limits.items()}
        stated = edges["documented_in"].map({key: value for key, value in documented.items() if value is not None})
        least = np.fmin(edges[column].to_numpy(dtype=float), stated.to_numpy(dtype=float))
        edges = edges.assign(**{column: least})
    return edges


def exceeds_limits(edges: gpd.GeoDataFrame) -> Bools:
    """Which edges have a limit that the truck exceeds, shape (n_edges,)."""
    weight, height = edges["max_weight_t"].to_numpy(dtype=float), edges["max_height_m"].to_numpy(dtype=float)
    return np.asarray((weight < TRUCK_T) | (height < TRUCK_HEIGHT_M))


def exceeding(network: Network) -> Bools:
    """Which edges of a network have a limit that the truck exceeds, shape (n_edges,).

    Args:
        network: any.
    """
    return network.keep("exceeding", lambda: exceeds_limits(network.edges))


def truck_exceeds(limit: VehicleLimit | None) -> bool:
    """Whether the truck is heavier or higher than a documented limit allows."""
    if limit is None:
        return False
    heavy = limit.max_weight_t is not None and limit.max_weight_t < TRUCK_T
    return heavy or (limit.max_height_m is not None and limit.max_height_m < TRUCK_HEIGHT_M)


def describe_limits_of_vehicles(sections: Mapping[str, Section], *, enforced: bool) -> tuple[Message, ...]:
    """Documented limits that the truck exceeds, one message each.

    Args:
        sections: of the catalogue, by id.
        enforced: whether the study closes such roads to trucks.
    """
    said = []
    for key, section in sections.items():
        limit = section.limit
        if limit is None or not truck_exceeds(limit):
            continue
        over: list[Value] = []
        if limit.max_weight_t and limit.max_weight_t < TRUCK_T:
            over.append(Message("limit.of_weight", {"limit": f"{limit.max_weight_t:g}", "truck": f"{TRUCK_T:g}"}))
        if limit.max_height_m and limit.max_height_m < TRUCK_HEIGHT_M:
            over.append(
                Message("limit.of_height", {"limit": f"{limit.max_height_m:g}", "truck": f"{TRUCK_HEIGHT_M:g}"})
            )
        since = Message("limit.since", {"date": limit.as_of}) if limit.as_of else Message("limit.undated")
        what = Message("limit.enforced") if enforced else Message("limit.reported")
        said.append(
            Message(
                "limit.of_section",
                {"section_id": key, "limits": listing(over, ListStyle.AND), "since": since, "what": what},
            )
        )
    return tuple(said)


def carries_through_traffic(edges: gpd.GeoDataFrame, through_classes: Collection[str]) -> Bools:
    """Which edges may be driven on the way to somewhere else, shape (n_edges,)."""
    in_class = edges["class"].str.removesuffix("_link").isin(list(through_classes))
    local = edges["truck_access"] == RoadAccess.LOCAL
    through = (in_class & ~local) | (edges["documented_in"] != "") | (edges["mode"] != Mode.ROAD)
    return np.asarray(through, dtype=bool)


def find_contradictions(
    network: Network, section_of_edge: Mapping[int, str], sections: Mapping[str, Section]
) -> tuple[Message, ...]:
    """Where the catalogue and the map say different things of a road: the catalogue's word holds.

    ``network`` is the map's, before the catalogue closed anything on it.
    """
    edges = network.edges
    lengths, status = edges["length_m"].to_numpy() / 1000, edges["status"].to_numpy()
    access = edges["truck_access"].to_numpy()
    said = []
    for key, section in sections.items():
        mine = np.array([edge for edge, owner in section_of_edge.items() if owner == key], dtype=np.int64)
        if not len(mine):
            continue
        passable = (status[mine] == SectionStatus.OPEN) & (access[mine] != RoadAccess.NO)
        if section.status in _SHUT and passable.any():
            closed = section.status == SectionStatus.CLOSED
            state = Message("conflict.state_closed") if closed else Message("conflict.state_unknown")
            km = f"{lengths[mine][passable].sum():.1f}"
            date = section.closed or section.as_of
            said.append(Message("conflict.open_on_map", {"section_id": key, "state": state, "date": date, "km": km}))
        elif section.status == SectionStatus.OPEN and not passable.all():
            km = f"{lengths[mine][~passable].sum():.1f}"
            date = section.opened or section.as_of
            said.append(Message("conflict.closed_on_map", {"section_id": key, "date": date, "km": km}))
    return tuple(said)
