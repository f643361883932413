"""Hits into crossings: what counts as one, and where its road would be cut.

Hits within 25 m of the route's chainage are one crossing if they are of one road (the same chain of edges without a
junction between, the same ref or, without refs, the same name) or at one junction: one node, one ring (a roundabout is
a place), or arms on opposite sides of the route's own road, a staggered crossroads whatever its arms are called. Links
merge with nothing but what meets them. The two carriageways of a dual road (opposed one-ways of one ref within 40 m)
are one crossing. Roads that touch the line without leaving it on the other side cross nothing.

On a schematic stretch, hits of one chain are one crossing if their number is odd and none if it is even: only a road
that passes from one side of the line to the other has to be met, and once; a line that wavers about a road is not known
to cross it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import inf

from scipy.cluster.hierarchy import DisjointSet

from corridor.interactions.crossings import MAX_RING_M, Hit
from corridor.network.graph import Network

MERGE_M = 25.0
DUAL_M = 40.0
_OPPOSED_DEG = 120.0


def merge_hits(hits: Sequence[Hit], network: Network) -> list[list[Hit]]:
    """Hits by crossing, in order of chainage; touches and, on schematic lines, even numbers of hits are left out."""
    refs = [_refs(network, hit.edge) for hit in hits]
    groups = DisjointSet(range(len(hits)))
    for i, hit in enumerate(hits):
        for j in range(i + 1, len(hits)):
            other = hits[j]
            gap = other.chainage_m - hit.chainage_m
            if gap > _reach_m(hit, other):
                if hit.run >= 0:
                    continue  # hits of the same stretch may follow those of another
                break
            if hit.ring >= 0 and hit.ring == other.ring:
                groups.merge(i, j)
            # Beyond the reach of one place only hits of one chain are still one crossing.
            if gap > MERGE_M and hit.chain != other.chain:
                continue
            met = hit.node >= 0 and hit.node == other.node
            links = _is_link(network, hit.edge), _is_link(network, other.edge)
            same_road = hit.chain == other.chain or bool(refs[i] & refs[j])
            if met or (same_road and links[0] == links[1]) or (not any(links) and _is_staggered(hit, other)):
                groups.merge(i, j)
    # Subsets are sets: hits go back into the order of chainage, groups into that of their first hit.
    members = [[hits[i] for i in sorted(group)] for group in sorted(groups.subsets(), key=min)]
    crossings = [group for group in members if _crosses(group)]
    return _join_carriageways(crossings, network)


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
