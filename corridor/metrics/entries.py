"""Where a neighbour's traffic comes in: from one fixed point abroad through the listed crossings that are open."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from corridor.errors import NetworkError
from corridor.geo.geodesy import distance_m
from corridor.metrics.reach import Domain, Entry
from corridor.network.graph import MINUTES, Network, Position
from corridor.network.paths import search
from corridor.schema.message import Message
from corridor.schema.study import Place
from corridor.schema.vocabulary import Mode, SectionStatus
from corridor.wording import format_position

Floats = NDArray[np.float64]


def with_entries(
    domain: Domain,
    start: Place,
    *,
    limit_m: float,
    assume_open: Collection[str] = (),
    by_car: bool = False,
) -> Domain:
    """A domain with its entries from a fixed point in a neighbouring country.

    Driving abroad is along the quickest way from the point to each open crossing; the check at the border itself is not
    counted, since it is the same before and after. Nothing is driven through the neighbour and back. ``by_car``
    takes the times of a car instead of a truck.

    Raises:
        NetworkError: the point is far from any road, or no open crossing joins the countries.
    """
    network = domain.network
    pair = "-".join(sorted((domain.country, start.country)))
    closed = network.closed(Mode.ROAD, countries=(start.country,), assume_open=assume_open)
    at = network.snap(start.lon, start.lat, closed, limit_m=limit_m, what=f"border_crossing '{start.name}'")
    links = _open_links(network, domain.country, pair, assume_open)
    forward, backward = (network.edges[name].to_numpy(dtype=float) for name in MINUTES[2 * by_car : 2 * by_car + 2])
    inward = network.search(at, forward, backward, closed)
    outward = search(network.traffic_arcs_back, _arrivals(network, at, forward, backward), forward, backward, closed)
    entries = []
    for row, home, foreign in links:
        spent = float(inward.cost[foreign]), float(outward.cost[foreign])
        if np.isfinite(spent).all():
            rows = {
                at.edge,
                row,
                *(edge for edge, _ in inward.path(foreign)),
                *(edge for edge, _ in outward.path(foreign)),
            }
            node = int(np.searchsorted(domain.nodes, home))
            entries.append(Entry(node, spent[0], spent[1], tuple(sorted(rows))))
    if not entries:
        raise NetworkError(
            f"border_crossing '{start.name}': no open crossing {pair} can be reached from it on the network; "
            "check crossings.csv (place within 1.5 km of the road, status) and the point's position"
        )
    return replace(domain, entries=tuple(entries))


def _open_links(network: Network, country: str, pair: str, assume_open: Collection[str]) -> list[tuple[int, int, int]]:
    """Open border passages of a pair of countries: row, node at home, node abroad."""
    edges = network.edges
    mine = (edges["border"] == pair) & (edges["mode"] == Mode.ROAD)
    mine &= (edges["status"] == SectionStatus.OPEN) | edges["crossing_id"].isin(list(assume_open))
    rows = np.flatnonzero(mine.to_numpy())
    at_home = edges["country"] == country
    home = np.union1d(edges.loc[at_home, "u"], edges.loc[at_home, "v"])
    found = []
    for row in rows.tolist():
        u, v = int(edges["u"].iat[row]), int(edges["v"].iat[row])
        found.append((row, u, v) if u in home else (row, v, u))
    return found


def _arrivals(network: Network, at: Position, forward: Floats, backward: Floats) -> list[tuple[int, float]]:
    """Ends of an edge from which a position on it can be reached, with the minutes that takes."""
    edge = network.edges.iloc[at.edge]
    ends = [(int(edge["u"]), float(forward[at.edge] * at.fraction))]
    if not edge["oneway"]:
        ends.append((int(edge["v"]), float(backward[at.edge] * (1 - at.fraction))))
    return ends


def check_crossings(network: Network, crossings: dict[str, tuple[float, float]], limit_m: float) -> list[Message]:
    """What to say of listed open crossings (id: lon, lat) that no passage of the network took up, a remark each.

    A crossing may lie outside the data; it is said, so that nobody takes it for open on this network.
    """
    served = set(network.edges["crossing_id"]) - {""}
    missing = {key: place for key, place in crossings.items() if key not in served}
    lines = []
    roads = np.flatnonzero((network.edges["mode"] == Mode.ROAD).to_numpy())
    nodes = np.union1d(network.edges["u"].to_numpy()[roads], network.edges["v"].to_numpy()[roads])
    for key, (lon, lat) in missing.items():
        gap = float(distance_m(network.node_lon[nodes], network.node_lat[nodes], lon, lat).min())
        if gap > limit_m:
            facts = {"crossing_id": key, "place": format_position(lat, lon, 3), "gap_km": f"{gap / 1000:.1f}"}
            lines.append(Message("remark.crossing_far", facts))
    return lines
