"""Where a route's line meets roads: hits of geometry, merged into crossings.

A hit is a point where the line meets a road's edge. Hits within 25 m of the route's chainage are one crossing if they
are of one road (the same edge, edges that meet, the same ref or, without refs, the same name); links merge with
nothing but what meets them. The two carriageways of a dual road (opposed one-ways of one ref within 40 m) are one
crossing. Roads that touch the line without leaving it on the other side cross nothing.

On schematic lines, which may be off by a kilometre, hits of one edge within 1 km are one crossing if their number is
odd and none if it is even: a line that wavers about a road is not known to cross it, and between two junctions it
makes no difference to anybody. Schematic roads are not met by geometry at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84, project
from corridor.model.candidate import Candidate, Part
from corridor.network.graph import Network

MERGE_M = 25.0
DUAL_M = 40.0
SCHEMATIC_MERGE_M = 1000.0
_PROBE_M = 4.0
_END_M = 0.01
_OPPOSED_DEG = 120.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A point where a route's line meets an edge.

    ``chainage_m`` is the route's drawn chainage. ``node`` is the network node where it is, -1 inside an edge; ``sides``
    the sides of the line (-1 right, 1 left) that the edge lies on near the point; ``structure`` names the bridge or
    tunnel that keeps the two apart at the point, '' if there is none. ``on_route`` tells nodes of the route's own road.
    """

    edge: int
    fraction: float
    chainage_m: float
    node: int
    sides: frozenset[int]
    heading_deg: float
    structure: str
    schematic: bool
    on_route: bool
    at: shapely.Point


def own_rows(candidate: Candidate, network: Network) -> NDArray[np.int64]:
    """Rows of a network that a candidate runs over: its parts' edges, and edges of its parts' sections."""
    rows = {edge for part in candidate.parts for edge in part.edges}
    sections = {part.section_id for part in candidate.parts if part.section_id}
    rows |= set(np.flatnonzero(network.edges["section_id"].isin(sections)).tolist())
    return np.array(sorted(rows), dtype=np.int64)


def part_offsets_km(candidate: Candidate) -> list[float]:
    """Drawn chainage in km where each part begins."""
    return [0.0, *np.cumsum([part.drawn_km for part in candidate.parts])[:-1].tolist()]


def meetable(network: Network, own: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Edges that a route may meet: open mapped roads of any class, tracks included, that it doesn't run over."""
    edges = network.edges
    fit = (edges["mode"] == "road") & (edges["status"] == "open") & (edges["section_id"] == "") & ~network.is_border
    meets: NDArray[np.bool_] = fit.to_numpy(copy=True)
    meets[own] = False
    return meets


def count_raw_hits(candidate: Candidate, network: Network, country: str | None = None) -> int:
    """Points where an edge that the candidate runs over and a road's edge meet, before anything is merged.

    Every class counts, tracks and service roads too. A level crossing at a node gives a point for each pair of the
    edges that end there: on OpenStreetMap data of 2021-08 the Aras railway in Armenia has 37 and 11 crossings.
    """
    fit = meetable(network, own_rows(candidate, network))
    if country is not None:
        fit = fit & (network.edges["country"] == country).to_numpy()
    total = 0
    for part in candidate.parts:
        pieces = network.planar[list(part.edges)]
        if len(pieces):
            own, road = network.tree.query(pieces, predicate="intersects")
            meeting = shapely.intersection(pieces[own[fit[road]]], network.planar[road[fit[road]]])
            total += len(shapely.get_parts(meeting))
    return total


def find_hits(candidate: Candidate, network: Network, countries: Collection[str] | None = None) -> list[Hit]:
    """All points where a candidate's line meets open mapped roads, in order of chainage."""
    own = own_rows(candidate, network)
    fit = meetable(network, own)
    if countries is not None:
        fit = fit & network.edges["country"].isin(list(countries)).to_numpy()
    on_route = np.zeros(network.n_nodes, dtype=bool)
    roads = own[(network.edges["mode"].to_numpy()[own] == "road")]
    on_route[network.edges["u"].to_numpy()[roads]] = on_route[network.edges["v"].to_numpy()[roads]] = True
    hits: list[Hit] = []
    for part, offset in zip(candidate.parts, part_offsets_km(candidate), strict=True):
        hits += _part_hits(part, offset * 1000, network, fit, on_route)
    return sorted(hits, key=lambda hit: (hit.chainage_m, hit.edge, hit.fraction))


def _part_hits(
    part: Part, offset_m: float, network: Network, fit: NDArray[np.bool_], on_route: NDArray[np.bool_]
) -> list[Hit]:
    line = project(part.line, WGS84, network.crs)
    if line.length == 0:
        return []
    rows = network.tree.query(line, predicate="intersects")
    rows = np.sort(rows[fit[rows]])
    found = []
    for row, meeting in zip(rows, shapely.intersection(network.planar[rows], line), strict=True):
        for piece in shapely.get_parts(meeting):
            if piece.is_empty or (piece.length > 1.0):
                continue  # a stretch in common is no crossing
            at = shapely.Point(shapely.get_coordinates(piece).mean(axis=0))
            along = float(shapely.line_locate_point(line, at))
            found.append(_hit(part, network, int(row), line, along, at, offset_m, on_route))
    return found


def _hit(
    part: Part,
    network: Network,
    row: int,
    line: shapely.LineString,
    along: float,
    at: shapely.Point,
    offset_m: float,
    on_route: NDArray[np.bool_],
) -> Hit:
    road = network.planar[row]
    place = float(shapely.line_locate_point(road, at))
    fraction = place / road.length if road.length > 0 else 0.0
    node = -1
    if place <= _END_M:
        node, fraction = int(network.edges["u"].iat[row]), 0.0
    elif place >= road.length - _END_M:
        node, fraction = int(network.edges["v"].iat[row]), 1.0
    before = shapely.line_interpolate_point(road, max(place - _PROBE_M, 0.0))
    after = shapely.line_interpolate_point(road, min(place + _PROBE_M, road.length))
    sides = {_side(line, point) for point, there in ((before, fraction > 0.0), (after, fraction < 1.0)) if there}
    heading = float(np.degrees(np.arctan2(after.x - before.x, after.y - before.y))) % 360
    chainage_m = along * part.drawn_km * 1000 / line.length
    return Hit(
        edge=row,
        fraction=fraction,
        chainage_m=offset_m + chainage_m,
        node=node,
        sides=frozenset(sides),
        heading_deg=heading,
        structure=_structure(part, network, row, chainage_m / 1000),
        schematic=part.geometry_quality == "schematic",
        on_route=node >= 0 and bool(on_route[node]),
        at=at,
    )


def _side(line: shapely.LineString, point: shapely.Point) -> int:
    """1 if a point lies left of a line, -1 if right, 0 if on it."""
    along = float(shapely.line_locate_point(line, point))
    low, high = max(along - 1.0, 0.0), min(along + 1.0, line.length)
    (x0, y0), (x1, y1) = (shapely.line_interpolate_point(line, d).coords[0] for d in (low, high))
    cross = (x1 - x0) * (point.y - y0) - (y1 - y0) * (point.x - x0)
    gap = cross / max(np.hypot(x1 - x0, y1 - y0), 1e-9)
    return 0 if abs(gap) < 0.02 else int(np.sign(gap))


def _structure(part: Part, network: Network, row: int, chainage_km: float) -> str:
    """What keeps the route apart from a road at a chainage of its part, '' if nothing is mapped."""
    edge = network.edges.iloc[row]
    for kind, word in (("bridge", "on a bridge over the route"), ("tunnel", "in a tunnel under the route")):
        if edge[kind]:
            return f"{edge['ref'] or edge['name'] or edge['class']} {word}, {_structure_m(network, row, kind):.0f} m"
    for span in part.spans:
        if span.from_km <= chainage_km <= span.to_km:
            where = "bridge" if span.kind == "bridge" else "tunnel"
            return f"{span.name or where} of the route, {(span.to_km - span.from_km) * 1000:.0f} m"
    return ""


def _structure_m(network: Network, row: int, kind: str) -> float:
    """Length of a road's bridge or tunnel: its edges of that kind and ref that follow one another."""
    edges = network.edges
    alike = np.flatnonzero(edges[kind].to_numpy() & (edges["ref"] == edges["ref"].iat[row]).to_numpy())
    ends = edges[["u", "v"]].to_numpy()
    found, nodes = {row}, set(ends[row].tolist())
    while True:
        more = [int(r) for r in alike if r not in found and nodes & set(ends[r].tolist())]
        if not more:
            return float(edges["length_m"].to_numpy()[sorted(found)].sum())
        found.update(more)
        nodes |= {node for r in more for node in ends[r].tolist()}


def merge_hits(hits: Sequence[Hit], network: Network) -> list[list[Hit]]:
    """Hits by crossing, in order of chainage; touches and, on schematic lines, even numbers of hits are left out."""
    u, v = network.edges["u"].to_numpy(), network.edges["v"].to_numpy()
    refs = [_refs(network, hit.edge) for hit in hits]
    groups = _Groups(len(hits))
    for i, hit in enumerate(hits):
        for j in range(i + 1, len(hits)):
            other = hits[j]
            gap = other.chainage_m - hit.chainage_m
            if gap > (SCHEMATIC_MERGE_M if hit.schematic and other.schematic else MERGE_M):
                break
            if gap > MERGE_M and hit.edge != other.edge:
                continue
            met = hit.node >= 0 and hit.node == other.node
            shared = {int(u[hit.edge]), int(v[hit.edge])} & {int(u[other.edge]), int(v[other.edge])}
            same_road = hit.edge == other.edge or bool(shared) or bool(refs[i] & refs[j])
            if met or (same_road and _is_link(network, hit.edge) == _is_link(network, other.edge)):
                groups.join(i, j)
    crossings = [members for members in groups.members(hits) if _crosses(members)]
    return _join_carriageways(crossings, network)


def _refs(network: Network, edge: int) -> frozenset[str]:
    row = network.edges.iloc[edge]
    refs = {ref.strip() for ref in row["ref"].split(";") if ref.strip()}
    return frozenset(refs or ({f"name:{row['name']}"} if row["name"] else set()))


def _is_link(network: Network, edge: int) -> bool:
    return bool(network.edges["class"].iat[edge].endswith("_link"))


class _Groups:
    """Hits joined into groups (union-find)."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))

    def root(self, i: int) -> int:
        while self.parent[i] != i:
            i = self.parent[i]
        return i

    def join(self, i: int, j: int) -> None:
        a, b = self.root(i), self.root(j)
        self.parent[max(a, b)] = min(a, b)

    def members(self, hits: Sequence[Hit]) -> list[list[Hit]]:
        found: dict[int, list[Hit]] = defaultdict(list)
        for i, hit in enumerate(hits):
            found[self.root(i)].append(hit)
        return list(found.values())


def _crosses(members: Sequence[Hit]) -> bool:
    sides = frozenset().union(*(hit.sides for hit in members))
    if not {-1, 1} <= sides:
        return False
    by_edge: dict[int, list[Hit]] = defaultdict(list)
    for hit in members:
        by_edge[hit.edge].append(hit)
    wavers = all(h.schematic and h.node < 0 for h in members) and all(len(h) % 2 == 0 for h in by_edge.values())
    return not wavers


def _join_carriageways(crossings: list[list[Hit]], network: Network) -> list[list[Hit]]:
    """Crossings with the two carriageways of a dual road put together, each with its nearest partner."""
    oneway = network.edges["oneway"].to_numpy()
    left = sorted(crossings, key=lambda c: c[0].chainage_m)
    joined = []
    while left:
        first = left.pop(0)
        for index, other in enumerate(left):
            if other[0].chainage_m - first[-1].chainage_m > DUAL_M:
                break
            both = [*first, *other]
            if (
                all(oneway[hit.edge] == 1 for hit in both)
                and _opposed(first, other)
                and _one_ref(first, other, network)
            ):
                first = sorted(both, key=lambda hit: hit.chainage_m)
                del left[index]
                break
        joined.append(first)
    return joined


def _opposed(a: Sequence[Hit], b: Sequence[Hit]) -> bool:
    turn = abs(a[0].heading_deg - b[0].heading_deg) % 360
    return min(turn, 360 - turn) > _OPPOSED_DEG


def _one_ref(a: Sequence[Hit], b: Sequence[Hit], network: Network) -> bool:
    one, two = (frozenset().union(*(_refs(network, hit.edge) for hit in c)) for c in (a, b))
    return bool(one & two)


def cut_points(members: Sequence[Hit]) -> tuple[tuple[tuple[int, float, float], ...], bool]:
    """Where the edges of a crossing would be cut, and whether it is a junction with the route's own road.

    At a node of the route's road all arms are cut. At any other node only the arms on the side that has fewer are, so
    that what meets on one side stays joined. An edge met several times is cut once.
    """
    points: dict[int, float] = {}
    met: Counter[int] = Counter()
    arms: dict[int, list[Hit]] = defaultdict(list)
    joins = any(hit.on_route for hit in members)
    for hit in members:
        if hit.node >= 0:
            arms[hit.node].append(hit)
        elif hit.sides >= {-1, 1}:
            points[hit.edge] = min(hit.fraction, points.get(hit.edge, 1.0))
            met[hit.edge] += 1
    if all(hit.schematic for hit in members):
        points = {edge: at for edge, at in points.items() if met[edge] % 2 == 1}
    both_sided = bool(points) or any(frozenset().union(*(h.sides for h in at)) >= {-1, 1} for at in arms.values())
    ends: list[tuple[int, float]] = []
    for at in arms.values():
        unique = {(hit.edge, hit.fraction): hit for hit in at}
        right, left = (sorted(key for key, hit in unique.items() if side in hit.sides) for side in (-1, 1))
        if at[0].on_route or not both_sided:
            ends += sorted(unique)
        elif right and left:
            ends += right if (len(right), right) <= (len(left), left) else left
    cuts = sorted({*((edge, fraction) for edge, fraction in points.items()), *ends})
    return tuple((edge, fraction, fraction) for edge, fraction in cuts), joins
