"""Where a route's line meets roads: hits, and what of them counts as one crossing.

Roads that exist and are mapped count, whatever their class; schematic roads are not met by geometry at all. Hits become
crossings by :func:`merge_hits`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from corridor.geo.geodesy import WGS84, project
from corridor.network.graph import Network
from corridor.schema.candidate import Candidate, Part
from corridor.schema.results import Structure
from corridor.schema.vocabulary import Evidence, GeometryQuality, Mode, Owner, StructureKind

PROBE_M = 4.0
"""How far before and after a point where a road meets the route it is asked on which side the road lies."""
END_M = 0.03
"""A road that ends no further than this from the route's line ends at it and crosses nothing, on whichever side its end
lies: coordinates are kept to a centimetre or so, and what is less is rounding."""
ON_LINE_M = 0.02
"""A point no further than this from the route's line is on neither side of it."""


@dataclass(frozen=True, slots=True)
class _Ends:
    """Columns of the edge table that every hit asks for, as arrays: a table gives single cells slowly.

    ``on_route`` tells nodes of the route's own road, ``on_ground`` those where a way of the route ends that is on no
    bridge and in no tunnel: who meets the route there meets it at the abutment or portal, not under or over it.
    """

    u: NDArray[np.int64]
    v: NDArray[np.int64]
    bridge: NDArray[np.bool_]
    tunnel: NDArray[np.bool_]
    on_route: NDArray[np.bool_]
    on_ground: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Hit:
    """A point where a route's line meets an edge.

    ``chain`` numbers the road between two junctions that the edge is of (:func:`road_chains`). ``chainage_m`` is the
    route's drawn chainage. ``node`` is the network node where it is, -1 inside an edge; ``sides``
    the sides of the line (-1 right, 1 left) that the edge lies on near the point; ``structure`` is the bridge or tunnel
    that keeps the two apart at the point, None if there is none. ``on_route`` tells nodes of the route's own road,
    ``ring`` the ring of one-way road that the point is of, -1 for none, and ``of_ring`` whether the edge is a piece of
    it rather than a road that ends there. ``run`` numbers the schematic stretch of the route that the point is on, -1
    where what the route meets is known.
    """

    edge: int
    chain: int
    fraction: float
    chainage_m: float
    node: int
    sides: frozenset[int]
    heading_deg: float
    structure: Structure | None
    run: int
    on_route: bool
    at: shapely.Point
    ring: int = -1
    of_ring: bool = False


def as_met(candidate: Candidate) -> Candidate:
    """A candidate whose parts lie where what they meet is known: those that follow another section lie on that one.

    Args:
        candidate: the route.
    """
    if all(part.follows is None for part in candidate.parts):
        return candidate
    return replace(candidate, parts=tuple(part.met_as for part in candidate.parts))


def own_rows(candidate: Candidate, network: Network) -> NDArray[np.int64]:
    """Rows of a network that a candidate runs over: its parts' edges, and edges of its parts' sections."""
    rows = {edge for part in candidate.parts for edge in part.edges}
    rows |= network.rows_of_sections({part.section_id for part in candidate.parts if part.section_id})
    return np.array(sorted(rows), dtype=np.int64)


def part_offsets_km(candidate: Candidate) -> list[float]:
    """Drawn chainage in km where each part begins."""
    return [0.0, *np.cumsum([part.drawn_km for part in candidate.parts])[:-1].tolist()]


def has_mapped_roads(network: Network) -> bool:
    """Whether a network holds mapped roads beside catalogue sections: without them, local crossings are unknown."""
    return network.share(
        "has mapped roads",
        lambda: bool((network.is_in("mode", Mode.ROAD) & network.is_in("section_id", "") & ~network.is_border).any()),
    )


def schematic_runs(candidate: Candidate, network: Network) -> tuple[int, ...]:
    """For each part the number of the schematic stretch that it is of, -1 where what it meets is known.

    Parts that follow one another in one country are one stretch. On a network of catalogue sections alone, the
    catalogue itself says what its roads in use meet, and which structures stand on a formation that maps show.
    """
    mapped = has_mapped_roads(network)
    runs: list[int] = []
    number, country = -1, ""
    for part in candidate.parts:
        known = part.geometry_quality != GeometryQuality.SCHEMATIC or (
            not mapped and (part.on_old_formation or _is_road_in_use(part, network))
        )
        if known:
            runs.append(-1)
            country = ""
            continue
        number += part.country != country
        country = part.country
        runs.append(number)
    return tuple(runs)


def _is_road_in_use(part: Part, network: Network) -> bool:
    """Whether a part is a road of the network that traffic uses today."""
    rows = list(part.edges) or list(network.section_rows.get(part.section_id, ()))
    return len(rows) > 0 and bool(np.all(network.is_road_in_use[rows]))


def meetable(network: Network, own: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Edges that a route may meet: open mapped roads of any class, tracks included, that it doesn't run over.

    On a network without mapped roads they are the catalogue's roads in use.
    """
    fit = network.is_road_in_use & network.is_in("section_id", "")
    if not has_mapped_roads(network):
        fit = network.is_road_in_use & ~network.is_border
    meets: NDArray[np.bool_] = np.array(fit, dtype=bool)
    meets[own] = False
    return meets


def road_chains(network: Network, *, through: bool = False) -> NDArray[np.int64]:
    """A number per edge, shape (n_edges,), alike for road edges that follow one another without a junction.

    Args:
        network: the network.
        through: look at through roads in use alone, so that junctions with lesser roads part nothing.
    """
    fit = ((network.edges["mode"] == Mode.ROAD) & ~network.is_border).to_numpy()
    road = np.flatnonzero(fit & network.is_through & network.is_road_in_use if through else fit)
    ends = np.concatenate([network.edges["u"].to_numpy()[road], network.edges["v"].to_numpy()[road]])
    edge = np.concatenate([road, road])
    order = np.argsort(ends, kind="stable")
    _, first, count = np.unique(ends[order], return_index=True, return_counts=True)
    # Where just two ends of roads meet there is no junction: these edges are of one chain.
    joints = first[count == 2]
    pairs = edge[order][joints], edge[order][joints + 1]
    graph = sparse.coo_matrix((np.ones(len(joints)), pairs), shape=(len(network.edges),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def find_hits(
    candidate: Candidate, network: Network, countries: Collection[str] | None = None, *, schematic_only: bool = False
) -> list[Hit]:
    """All points where a candidate's line meets open mapped roads, in order of chainage.

    On a schematic stretch through roads are told apart by their junctions with one another alone: the line may cross a
    road on either side of a junction with a lesser one.

    Args:
        candidate: the route.
        network: roads and railways, not gated.
        countries: only what lies there; everywhere if not given.
        schematic_only: only what its schematic stretches meet.
    """
    own = own_rows(candidate, network)
    fit = meetable(network, own)
    if countries is not None:
        fit = fit & network.edges["country"].isin(list(countries)).to_numpy()
    edges = network.edges
    ends = _Ends(
        u=edges["u"].to_numpy(),
        v=edges["v"].to_numpy(),
        bridge=edges["bridge"].to_numpy(),
        tunnel=edges["tunnel"].to_numpy(),
        on_route=np.zeros(network.n_nodes, dtype=bool),
        on_ground=np.zeros(network.n_nodes, dtype=bool),
    )
    # Roads that begin at the route's own nodes join it; over or under a bridge or tunnel of its own they don't.
    roads = own[(edges["mode"].iloc[own] == Mode.ROAD).to_numpy()]
    ends.on_route[ends.u[roads]] = ends.on_route[ends.v[roads]] = True
    ground = own[~(ends.bridge[own] | ends.tunnel[own])]
    ends.on_ground[ends.u[ground]] = ends.on_ground[ends.v[ground]] = True
    # Pieces of one road between junctions are a chain: it is crossed once, however often the map cuts it. Chains of
    # through roads are numbered after all others, so that the two kinds never share a number.
    chains = network.keep("road chains", lambda: road_chains(network))
    runs = schematic_runs(candidate, network)
    through = network.keep(
        "through chains",
        lambda: np.where(network.is_through, road_chains(network, through=True) + len(edges), chains),
    )
    hits: list[Hit] = []
    only = next(iter(countries)) if countries is not None and len(countries) == 1 else None
    for part, run, offset in zip(candidate.parts, runs, part_offsets_km(candidate), strict=True):
        if run < 0 and schematic_only:
            continue
        chain_of = chains if run < 0 else through
        found = _part_hits(part, offset * 1000, network, fit, ends, only)
        hits += [replace(hit, chain=int(chain_of[hit.edge]), run=run) for hit in found]
    hits = _with_rings(hits, candidate, network, own)
    return sorted(hits, key=lambda hit: (hit.chainage_m, hit.edge, hit.fraction))


def _part_hits(
    part: Part, offset_m: float, network: Network, fit: NDArray[np.bool_], ends: _Ends, only: str | None
) -> list[Hit]:
    line = project(part.line, WGS84, network.crs)
    if line.length == 0:
        return []
    # A road cut in two where it meets the route ends a rounding error short of it with one of its halves.
    rows = network.rows_near(line, END_M, only)
    rows = rows[fit[rows]]
    roads = network.planar[rows]
    meetings = shapely.intersection(roads, line)
    short = shapely.is_empty(meetings)
    meetings[short] = shapely.get_point(shapely.shortest_line(roads[short], line), 0)
    found = []
    for row, meeting in zip(rows, meetings, strict=True):
        for piece in shapely.get_parts(meeting):
            if piece.is_empty or (piece.length > 1.0):
                continue  # a stretch in common is no crossing
            at = shapely.Point(shapely.get_coordinates(piece).mean(axis=0))
            along = float(shapely.line_locate_point(line, at))
            found.append(_hit(part, network, int(row), line, along, at, offset_m, ends))
    return found


def _hit(
    part: Part,
    network: Network,
    row: int,
    line: shapely.LineString,
    along: float,
    at: shapely.Point,
    offset_m: float,
    ends: _Ends,
) -> Hit:
    road = network.planar[row]
    place = float(shapely.line_locate_point(road, at))
    fraction = place / road.length if road.length > 0 else 0.0
    node = -1
    if place <= END_M:
        node, fraction = int(ends.u[row]), 0.0
    elif place >= road.length - END_M:
        node, fraction = int(ends.v[row]), 1.0
    before = shapely.line_interpolate_point(road, max(place - PROBE_M, 0.0))
    after = shapely.line_interpolate_point(road, min(place + PROBE_M, road.length))
    sides = {_side(line, point) for point, there in ((before, fraction > 0.0), (after, fraction < 1.0)) if there}
    heading = float(np.degrees(np.arctan2(after.x - before.x, after.y - before.y))) % 360
    # Planar lengths are off by the projection's scale; chainage is that of the drawn line.
    chainage_m = along * part.drawn_km * 1000 / line.length
    return Hit(
        edge=row,
        chain=row,
        fraction=fraction,
        chainage_m=offset_m + chainage_m,
        node=node,
        sides=frozenset(sides),
        heading_deg=heading,
        structure=_structure(part, network, row, chainage_m / 1000, ends, node),
        run=-1,
        on_route=node >= 0 and bool(ends.on_route[node]),
        at=at,
    )


def _side(line: shapely.LineString, point: shapely.Point) -> int:
    """1 if a point lies left of a line, -1 if right, 0 if on it."""
    along = float(shapely.line_locate_point(line, point))
    # The line's direction is taken over two metres, so that a vertex right there doesn't turn it.
    low, high = max(along - 1.0, 0.0), min(along + 1.0, line.length)
    (x0, y0), (x1, y1) = (shapely.line_interpolate_point(line, d).coords[0] for d in (low, high))
    cross = (x1 - x0) * (point.y - y0) - (y1 - y0) * (point.x - x0)
    gap = cross / max(np.hypot(x1 - x0, y1 - y0), 1e-9)
    return 0 if abs(gap) < ON_LINE_M else int(np.sign(gap))


def _with_rings(hits: list[Hit], candidate: Candidate, network: Network, own: NDArray[np.int64]) -> list[Hit]:
    """Hits with the ring that each is of; pieces of a ring lie on the sides where other roads leave the ring.

    Where the route runs through a roundabout, the half of it that the route doesn't use is no road that crosses; what
    ends on that half is.
    """
    if not any(hit.node >= 0 for hit in hits):
        return hits
    rings = network.keep("rings", lambda: find_rings(network))
    met = {int(rings.of_node[hit.node]) for hit in hits if hit.node >= 0} - {-1}
    if not met:
        return hits
    line = project(candidate.line, WGS84, network.crs)
    sides = {ring: _arm_sides(ring, rings, line, network, own) for ring in met}
    found = []
    for hit in hits:
        ring = int(rings.of_node[hit.node]) if hit.node >= 0 else -1
        if ring >= 0 and rings.of_edge[hit.edge] == ring:
            found.append(replace(hit, ring=ring, of_ring=True, sides=sides[ring]))
        else:
            found.append(replace(hit, ring=ring))
    return found


def _arm_sides(
    ring: int, rings: Rings, line: shapely.LineString, network: Network, own: NDArray[np.int64]
) -> frozenset[int]:
    """Sides of a route on which roads leave a ring at nodes that the route doesn't pass."""
    u, v = network.edges["u"].to_numpy(), network.edges["v"].to_numpy()
    on_route = np.union1d(u[own], v[own])
    # Roads at nodes that the route passes meet it there and tell no side.
    away = np.setdiff1d(np.flatnonzero(rings.of_node == ring), on_route)
    arms = network.is_road_in_use & (rings.of_edge != ring) & (np.isin(u, away) | np.isin(v, away))
    nodes = np.intersect1d(away, np.concatenate([u[arms], v[arms]]))
    points = project(shapely.points(network.node_lon[nodes], network.node_lat[nodes]), WGS84, network.crs)
    return frozenset(_side(line, point) for point in np.atleast_1d(points)) - {0}


def _structure(part: Part, network: Network, row: int, chainage_km: float, ends: _Ends, node: int) -> Structure | None:
    """What keeps the route apart from a road at a chainage of its part, None if nothing is mapped.

    A node where a way of the route on the ground ends is no place on a structure, though one begins there.
    """
    for kind in (StructureKind.BRIDGE, StructureKind.TUNNEL):
        if getattr(ends, kind)[row]:
            return Structure(kind, Owner.ROAD, "", _structure_m(network, row, kind), Evidence.MAPPED)
    if node >= 0 and ends.on_ground[node]:
        return None
    for span in part.spans:
        if span.from_km <= chainage_km <= span.to_km:
            return Structure(span.kind, Owner.ROUTE, span.name, (span.to_km - span.from_km) * 1000, span.located)
    return None


def _structure_m(network: Network, row: int, kind: StructureKind) -> float:
    """Length of a road's bridge or tunnel: its edges of that kind and ref that follow one another."""
    edges = network.edges
    refs = network.column("ref")
    alike = np.flatnonzero(network.column(kind).astype(bool) & (refs == refs[row]))
    ends = np.column_stack([network.column("u"), network.column("v")])
    found, nodes = {row}, set(ends[row].tolist())
    while True:
        more = [int(r) for r in alike if r not in found and nodes & set(ends[r].tolist())]
        if not more:
            return float(edges["length_m"].to_numpy()[sorted(found)].sum())
        found.update(more)
        nodes |= {node for r in more for node in ends[r].tolist()}


MAX_RING_M = 400.0
"""The longest way round that counts as a roundabout; the largest of standards have a diameter of about 100 m."""
MIN_ROUNDNESS = 0.6
"""Least 4 pi area / perimeter squared: 1 for a circle, 0.79 for a square, 0.35 for two lanes of 100 m with turns."""
_TOUCH_M = 0.05
"""Rounding: a piece so near to a ring's rim is of the ring."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rings:
    """Rings of a network.

    ``of_edge`` (n_edges,) and ``of_node`` (n_nodes,) give the ring that an edge or node is part of, -1 for none.
    """

    of_edge: Ints
    of_node: Ints


def find_rings(network: Network) -> Rings:
    """Rings of one-way roads whose pieces all run the same way round."""
    edges = network.edges
    of_edge = np.full(len(edges), -1, dtype=np.int64)
    of_node = np.full(network.n_nodes, -1, dtype=np.int64)
    length_m = edges["length_m"].to_numpy()
    rows = np.flatnonzero(network.is_road_in_use & (edges["oneway"] == 1).to_numpy() & (length_m <= MAX_RING_M))
    if not len(rows):
        return Rings(of_edge, of_node)
    lines = network.planar[rows]
    faces = shapely.get_parts(shapely.polygonize(lines))
    around = shapely.length(faces)
    # The isoperimetric quotient tells roundabouts from carriageways that close a loop with their turns.
    round_ = 4 * np.pi * shapely.area(faces) >= MIN_ROUNDNESS * around**2
    tree = shapely.STRtree(lines)
    u, v = edges["u"].to_numpy(), edges["v"].to_numpy()
    for number, face in enumerate(faces[round_ & (around <= MAX_RING_M)]):
        # a piece is of the ring if all of it lies on the face's rim
        rim = shapely.buffer(face.exterior, _TOUCH_M)
        pieces = rows[np.sort(tree.query(rim, predicate="covers"))]
        if len(pieces) and _runs_round(u[pieces], v[pieces]):
            of_edge[pieces] = number
            of_node[u[pieces]] = of_node[v[pieces]] = number
    return Rings(of_edge, of_node)


def _runs_round(u: Ints, v: Ints) -> bool:
    """Whether directed pieces form one cycle: each node is left once and reached once."""
    return bool(np.array_equal(np.sort(u), np.sort(v)) and len(np.unique(u)) == len(u))


# --- Hits into crossings: what counts as one, and where its road would be cut ---
# Hits within 25 m of the route's chainage are one crossing if they are of one road (the same chain of edges without a
# junction between, the same ref or, without refs, the same name) or at one junction: one node, one ring (a roundabout
# is a place), or arms on opposite sides of the route's own road, a staggered crossroads whatever its arms are called.
# Links merge with nothing but what meets them. The two carriageways of a dual road (opposed one-ways of one ref
# within 40 m) are one crossing. Roads that touch the line without leaving it on the other side cross nothing.
#
# On a schematic stretch, hits of one chain are one crossing if their number is odd and none if it is even: only a
# road that passes from one side of the line to the other has to be met, and once; a line that wavers about a road is
# not known to cross it.

MERGE_M = 25.0
"""Hits of one road that follow one another within this are one crossing. Declared."""
DUAL_M = 40.0
"""Crossings of the two carriageways of one road lie no farther apart. Declared."""
_OPPOSED_DEG = 120.0
"""Carriageways of one road are driven in directions that differ by more."""


def merge_hits(hits: Sequence[Hit], network: Network) -> list[list[Hit]]:
    """Hits by crossing, in order of chainage; touches and, on schematic lines, even numbers of hits are left out."""
    refs = [_refs(network, hit.edge) for hit in hits]
    pairs: list[tuple[int, int]] = []
    for i, hit in enumerate(hits):
        for j in range(i + 1, len(hits)):
            other = hits[j]
            gap = other.chainage_m - hit.chainage_m
            if gap > _reach_m(hit, other):
                if hit.run >= 0:
                    continue  # hits of the same stretch may follow those of another
                break
            if hit.ring >= 0 and hit.ring == other.ring:
                pairs.append((i, j))
            # Beyond the reach of one place only hits of one chain are still one crossing.
            if gap > MERGE_M and hit.chain != other.chain:
                continue
            met = hit.node >= 0 and hit.node == other.node
            links = _is_link(network, hit.edge), _is_link(network, other.edge)
            same_road = hit.chain == other.chain or bool(refs[i] & refs[j])
            if met or (same_road and links[0] == links[1]) or (not any(links) and _is_staggered(hit, other)):
                pairs.append((i, j))
    crossings = [group for group in _grouped(hits, pairs) if _crosses(group)]
    return _join_carriageways(crossings, network)


def _grouped(hits: Sequence[Hit], pairs: Sequence[tuple[int, int]]) -> list[list[Hit]]:
    """Hits that pairs hold together, each group and all of them in the order of the hits."""
    one, other = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    links = sparse.coo_matrix((np.ones(len(pairs)), (one, other)), shape=(len(hits),) * 2)
    groups: dict[int, list[Hit]] = {}
    for hit, group in zip(hits, connected_components(links, directed=False)[1].tolist(), strict=True):
        groups.setdefault(group, []).append(hit)
    return list(groups.values())


def _reach_m(hit: Hit, other: Hit) -> float:
    """How far apart along the route two hits may lie and still be one crossing."""
    if hit.run >= 0 and hit.run == other.run:
        return inf
    # what lies beyond half the way round is of another ring
    return MAX_RING_M / 2 if hit.ring >= 0 else MERGE_M


def _is_staggered(hit: Hit, other: Hit) -> bool:
    """Whether two roads end at the route's own road from opposite sides: who crosses it goes from one to the other."""
    return hit.on_route and other.on_route and hit.sides | other.sides >= {-1, 1} and hit.run < 0


def _refs(network: Network, edge: int) -> frozenset[str]:
    ref, name = network.column("ref")[edge], network.column("name")[edge]
    refs = {part.strip() for part in ref.split(";") if part.strip()}
    return frozenset(refs or ({f"name:{name}"} if name else set()))


def _is_link(network: Network, edge: int) -> bool:
    return bool(network.column("class")[edge].endswith("_link"))


def _crosses(members: Sequence[Hit]) -> bool:
    sides = frozenset().union(*(hit.sides for hit in members))
    if not {-1, 1} <= sides:
        return False
    # A line that meets a road an even number of times ends on the side that it came from.
    by_chain = Counter(hit.chain for hit in members)
    wavers = all(h.run >= 0 and h.node < 0 for h in members) and all(n % 2 == 0 for n in by_chain.values())
    return not wavers


def _join_carriageways(crossings: list[list[Hit]], network: Network) -> list[list[Hit]]:
    """Crossings with the two carriageways of a dual road put together, each with its nearest partner."""
    oneway = network.edges["oneway"].to_numpy()
    left = sorted(crossings, key=lambda c: c[0].chainage_m)
    joined = []
    while left:
        first = left.pop(0)
        # Crossings come by chainage, so that the first one out of reach ends the search.
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
    that what meets on one side stays joined. A chain of edges without junctions is cut once, however often it is met.
    """
    points: dict[int, tuple[int, float]] = {}
    met: Counter[int] = Counter()
    arms: dict[int, list[Hit]] = defaultdict(list)
    joins = any(hit.on_route for hit in members)
    for hit in members:
        if hit.node >= 0:
            arms[hit.node].append(hit)
        elif hit.sides >= {-1, 1}:
            here = (hit.edge, hit.fraction)
            # A chain is met several times and cut once; the least edge and fraction make the place certain.
            points[hit.chain] = min(here, points.get(hit.chain, here))
            met[hit.chain] += 1
    if all(hit.run >= 0 for hit in members):
        points = {chain: at for chain, at in points.items() if met[chain] % 2 == 1}
    both_sided = bool(points) or any(frozenset().union(*(h.sides for h in at)) >= {-1, 1} for at in arms.values())
    ends: list[tuple[int, float]] = []
    for at in arms.values():
        unique = {(hit.edge, hit.fraction): hit for hit in at}
        right, left = (sorted(key for key, hit in unique.items() if side in hit.sides) for side in (-1, 1))
        if at[0].on_route or not both_sided:
            ends += sorted(unique)
        elif right and left:
            ends += right if (len(right), right) <= (len(left), left) else left
    cuts = sorted({*points.values(), *ends})
    return tuple((edge, fraction, fraction) for edge, fraction in cuts), joins
