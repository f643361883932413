"""The exact price of a straight link: cheapest sequence of kinds along it, on the triangulated ground.

A chord has constant grade, the ground under it is piecewise linear, so the depth of the line below the ground is
linear between crossings with grid lines and diagonals, and the price per metre of each kind is a polynomial there.
Kinds are chosen by dynamic programming with a price for each change (portal, abutment); changing is only ever worth
it where a kind becomes allowed or forbidden or where two kinds cost the same, so pieces are split there and the
result is exact, not sampled.

Open line is built in one of four ways, and the cheapest is taken at each place, since passing from one to the other
costs nothing: on earth slopes; on a bench with retaining walls, where the ground is steep across the line; there also
in a gallery, down to the least depth of a tunnel, or on a half-bridge, up to the least height of a bridge.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.links import BLOCK, Crossings, Ground, lay_crossings, room_for
from corridor.compiled import allocating, inner, kernel, pasted
from corridor.schema.alignment import DesignStandard, UnitCosts

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"
# ruff: noqa: ANN201, D417, PLW3301, RUF046

# --- The price of a piece of line on which the depth below the ground is linear: kinds, thresholds, changes ---

# Indices into the parameter vector. Prices are per metre, in million USD.
SURFACE, BRIDGE, TUNNEL, ABUTMENT, PORTAL = 0, 1, 2, 3, 4  # of a bridge: without its height
MAX_CUT, MAX_FILL, MIN_BRIDGE, MAX_BRIDGE, MIN_TUNNEL = 5, 6, 7, 8, 9
CUT2, FILL2 = 10, 11  # squares of what doubles the price
# What a bridge costs more per metre of height; the slope surcharge from which walls stand, and how it grows there.
RISE, STEEP, WALL = 12, 13, 14
GALLERY, HALF_BRIDGE, CAP = 15, 16, 17  # the last is the cheaper of the two
CROSS2, DX, DY = 18, 19, 20
CHEAPEST = 21
N_PARAMETERS = 22
EARTH, BENCH, IN_GALLERY, ON_HALF_BRIDGE = 0, 1, 2, 3  # how open line is built
TRACED = 10  # columns of a trace
AT_NODE = 1e-6  # in cells


def pack_parameters(ground: Ground, standard: DesignStandard, costs: UnitCosts) -> NDArray[np.float64]:
    """Everything that a chord's price depends on besides the ground, as the vector that the kernels read.

    Args:
        ground: the ground's surface.
        standard: the design standard to keep.
        costs: prices by kind.
    """
    p = np.empty(N_PARAMETERS)
    p[SURFACE], p[BRIDGE], p[TUNNEL] = (c.mid / 1000.0 for c in (costs.surface, costs.bridge, costs.tunnel))
    p[ABUTMENT], p[PORTAL] = costs.abutment.mid, costs.portal.mid
    p[MAX_CUT], p[MAX_FILL] = standard.max_cut_m, standard.max_fill_m
    p[MIN_BRIDGE], p[MAX_BRIDGE] = standard.min_bridge_height_m, standard.max_bridge_height_m
    p[MIN_TUNNEL] = standard.min_tunnel_depth_m
    p[CUT2], p[FILL2] = standard.cut_doubles_m**2, standard.fill_doubles_m**2
    p[CROSS2] = standard.cross_slope_doubles**2
    # The price of a bridge is quoted for a height: it is taken apart into that of none and what each metre adds.
    p[BRIDGE] /= 1.0 + standard.bridge_reference_m / standard.bridge_doubles_m
    p[RISE] = p[BRIDGE] / standard.bridge_doubles_m
    p[STEEP], p[WALL] = bench_surcharge(standard, costs)
    p[GALLERY], p[HALF_BRIDGE] = (np.inf if c is None else c.mid / 1000.0 for c in (costs.gallery, costs.half_bridge))
    p[CAP] = min(p[GALLERY], p[HALF_BRIDGE])
    p[DX], p[DY] = ground.dx_m, ground.dy_m
    p[CHEAPEST] = min(p[SURFACE], p[BRIDGE], p[TUNNEL], p[CAP])
    return p


def bench_surcharge(standard: DesignStandard, costs: UnitCosts) -> tuple[float, float]:
    """From which surcharge on open line for its cross-slope a bench stands, and how the surcharge grows from there.

    The surcharge is in prices of level open line. Up to there it is the square of the cross-slope over the one that
    doubles the price; beyond, walls add their price times the growth of the cross-slope's square.

    Args:
        standard: ``cross_slope_doubles`` and ``bench_cross_slope``.
        costs: ``surface`` and ``retaining_wall``; without a price of walls earth slopes go on.

    Returns:
        The surcharge, infinite without walls, and what each unit of the unbent surcharge adds beyond it.
    """
    if costs.retaining_wall is None:
        return np.inf, 1.0
    growth = costs.retaining_wall.mid * standard.cross_slope_doubles**2 / costs.surface.mid
    return (standard.bench_cross_slope / standard.cross_slope_doubles) ** 2, growth


@inner
def earthwork(d0, d1, p):
    """Mean over a linear piece of (depth / doubling depth)^2, cut and fill with their own doubling depth."""
    if d0 >= 0.0 and d1 >= 0.0:
        return (d0 * d0 + d0 * d1 + d1 * d1) / (3.0 * p[CUT2])
    if d0 <= 0.0 and d1 <= 0.0:
        return (d0 * d0 + d0 * d1 + d1 * d1) / (3.0 * p[FILL2])
    cut, fill = (d0, d1) if d0 > 0.0 else (d1, d0)
    # The depth is 0 at this share from the cut's end: cut and fill are integrated apart.
    share = cut / (cut - fill)
    return share * cut * cut / (3.0 * p[CUT2]) + (1.0 - share) * fill * fill / (3.0 * p[FILL2])


@inner
def enter(cost, kind, spent):
    """Begin with one kind: a change to another one then pays for its portal or abutment."""
    cost[0], cost[1], cost[2] = np.inf, np.inf, np.inf
    cost[kind] = spent


@inner
def change_price(kind, other, p):
    """Price of a change from one kind to another on the spot."""
    price = 0.0
    if kind != other:
        if kind == 1 or other == 1:
            price += p[ABUTMENT]
        if kind == 2 or other == 2:
            price += p[PORTAL]
    return price


@inner
def settle(cost, p):
    """Let each kind be reached from the others at one point, by paying for the change."""
    s, b, t = cost[0], cost[1], cost[2]
    ab, po = p[ABUTMENT], p[PORTAL]
    cost[0] = min(s, b + ab, t + po)
    cost[1] = min(b, s + ab, t + po + ab)
    cost[2] = min(t, s + po, b + ab + po)


@inner
def _add_piece(cost, d0, d1, x0, x1, f0, f1, metres, bits, p, trace, n_trace, s0, s1):
    """Extend the cheapest costs by a piece on which no kind starts or stops being allowed or cheaper.

    d: depth below ground (negative above); x: surcharge for the cross-slope; f: friction per metre.
    """
    # No limit lies inside a piece, so that its middle tells for all of it.
    middle, steep = 0.5 * (d0 + d1), 0.5 * (x0 + x1)
    settle(cost, p)
    steer = 0.5 * (f0 + f1)
    built, weight = EARTH, 1.0 + steep + earthwork(d0, d1, p)
    price = p[SURFACE] * weight
    if steep > p[STEEP]:
        built = BENCH
        at_middle = p[SURFACE] * (1.0 + steep + middle * middle / (p[CUT2] if middle > 0.0 else p[FILL2]))
        if 0.0 <= middle <= p[MIN_TUNNEL] and p[GALLERY] < at_middle:
            built, price = IN_GALLERY, p[GALLERY]
        elif -p[MIN_BRIDGE] <= middle < 0.0 and p[HALF_BRIDGE] < at_middle:
            built, price = ON_HALF_BRIDGE, p[HALF_BRIDGE]
    if -p[MAX_FILL] <= middle <= p[MAX_CUT] and not bits & 1:
        cost[0] += metres * (price + steer)
    else:
        cost[0] = np.inf
    if -p[MAX_BRIDGE] <= middle <= -p[MIN_BRIDGE] and not bits & 2:
        cost[1] += metres * (p[BRIDGE] - p[RISE] * middle + steer)
    else:
        cost[1] = np.inf
    if middle >= p[MIN_TUNNEL] and not bits & 4:
        cost[2] += metres * p[TUNNEL]
    else:
        cost[2] = np.inf
    if trace.shape[0] > 0:
        row = trace[n_trace]
        row[0], row[1], row[2], row[3] = s0, s1, d0, d1
        row[4], row[8] = metres * weight, built
        row[5], row[6], row[7] = cost[0], cost[1], cost[2]
        row[9] = metres * (steep - p[STEEP]) if built == BENCH else 0.0


@inner
def _add_root(cuts, n, d0, d1, x0, x1, f0, f1, doubling2, price, rise, p):
    """Where open line costs as much as ``price`` less ``rise`` times the depth per metre: roots of a quadratic in the
    share of the piece.
    """
    slope = d1 - d0
    a = p[SURFACE] * slope * slope / doubling2
    b = p[SURFACE] * (2.0 * d0 * slope / doubling2 + x1 - x0) + f1 - f0 + rise * slope
    c = p[SURFACE] * (1.0 + x0 + d0 * d0 / doubling2) + f0 - price + rise * d0
    if (c <= 0.0 and a + b + c <= 0.0) or (c >= 0.0 and b >= 0.0):
        return n  # the difference is convex: cheaper at both ends or rising from the start means no change between
    if a == 0.0:
        if b != 0.0:
            cuts[n] = -c / b
            n += 1
        return n
    inner = b * b - 4.0 * a * c
    if inner > 0.0:
        # Both roots by way of q, so that numbers that are nearly equal are never taken from each other.
        q = -0.5 * (b + (np.sqrt(inner) if b >= 0.0 else -np.sqrt(inner)))
        cuts[n] = q / a
        n += 1
        if q != 0.0:
            cuts[n] = c / q
            n += 1
    return n


@inner
def add_stretch(cost, d0, d1, x0, x1, f0, f1, metres, bits, p, cuts, trace, n_trace, s0, s1):
    """Extend the costs over a stretch with linear depth, split where the choice of kind can change."""
    low, high = (d0, d1) if d0 < d1 else (d1, d0)
    # Where no structure is possible, or a tunnel alone, there is nothing to choose and nothing to split.
    steep = x0 > p[STEEP] or x1 > p[STEEP]
    plain = low > -p[MIN_BRIDGE] and high < p[MIN_TUNNEL] and not steep
    deep = low > p[MAX_CUT] and low > p[MIN_TUNNEL]
    if plain or deep:
        _add_piece(cost, d0, d1, x0, x1, f0, f1, metres, bits, p, trace, n_trace, s0, s1)
        return n_trace + 1
    n = 0
    if d1 != d0:
        for limit in (p[MAX_CUT], -p[MAX_FILL], -p[MIN_BRIDGE], -p[MAX_BRIDGE], p[MIN_TUNNEL], 0.0):
            if low < limit < high:
                cuts[n] = (limit - d0) / (d1 - d0)
                n += 1
    # Where cut and tunnel, or fill and bridge, are both allowed, they may cost the same at a depth inside the piece.
    if high > p[MIN_TUNNEL] and low < p[MAX_CUT]:
        n = _add_root(cuts, n, d0, d1, x0, x1, f0, f1, p[CUT2], p[TUNNEL], 0.0, p)
    if low < -p[MIN_BRIDGE] and high > -p[MAX_FILL]:
        n = _add_root(cuts, n, d0, d1, x0, x1, 0.0, 0.0, p[FILL2], p[BRIDGE], p[RISE], p)
    if steep:
        # Walls begin inside the piece; a gallery or a half-bridge may come out cheaper than they from some place on.
        if x0 <= p[STEEP] or x1 <= p[STEEP]:
            cuts[n] = (p[STEEP] - x0) / (x1 - x0)
            n += 1
        if high > 0.0 and low < p[MIN_TUNNEL] and p[GALLERY] < np.inf:
            n = _add_root(cuts, n, d0, d1, x0, x1, 0.0, 0.0, p[CUT2], p[GALLERY], 0.0, p)
        if low < 0.0 and high > -p[MIN_BRIDGE] and p[HALF_BRIDGE] < np.inf:
            n = _add_root(cuts, n, d0, d1, x0, x1, 0.0, 0.0, p[FILL2], p[HALF_BRIDGE], 0.0, p)
    if n == 0:
        _add_piece(cost, d0, d1, x0, x1, f0, f1, metres, bits, p, trace, n_trace, s0, s1)
        return n_trace + 1
    for i in range(1, n):
        # Sorted by insertion, since there are fifteen cuts at most.
        value, j = cuts[i], i - 1
        while j >= 0 and cuts[j] > value:
            cuts[j + 1] = cuts[j]
            j -= 1
        cuts[j + 1] = value
    cuts[n] = 1.0
    t0 = 0.0
    for i in range(n + 1):
        t1 = cuts[i]
        # Equal cuts give pieces of no length, and roots may lie beyond the end.
        if not t1 > t0 or t1 > 1.0:
            continue
        _add_piece(
            cost,
            d0 + t0 * (d1 - d0),
            d0 + t1 * (d1 - d0),
            x0 + t0 * (x1 - x0),
            x0 + t1 * (x1 - x0),
            f0 + t0 * (f1 - f0),
            f0 + t1 * (f1 - f0),
            metres * (t1 - t0),
            bits,
            p,
            trace,
            n_trace,
            s0 + t0 * (s1 - s0),
            s0 + t1 * (s1 - s0),
        )
        n_trace += 1
        t0 = t1
    return n_trace


@inner
def bits_at(mask, r, c, on_row, on_col, on_diagonal):
    """Forbidden kinds in the triangle around (r, c); on a shared side, what is forbidden on either part counts.

    Right at a node only the node counts: rounding may lead a line that passes it through a sliver of any triangle.
    """
    if abs(r - np.rint(r)) < AT_NODE and abs(c - np.rint(c)) < AT_NODE:
        return mask[int(np.rint(r)), int(np.rint(c))]
    if on_row:
        row, left = int(round(r)), int(np.floor(c))
        return mask[row, left] | mask[row, left + 1]
    if on_col:
        col, top = int(round(c)), int(np.floor(r))
        return mask[top, col] | mask[top + 1, col]
    r0, c0 = int(np.floor(r)), int(np.floor(c))
    u, v = c - c0, r - r0
    if on_diagonal:
        down, right = 1 if v > 0.5 else 0, 1 if u > 0.5 else 0
        return mask[r0 + down, c0 + right] | mask[r0 + 1 - down, c0 + right] | mask[r0 + down, c0 + 1 - right]
    if min(v, 1.0 - v) <= min(u, 1.0 - u):
        row = r0 if v <= 0.5 else r0 + 1
        return mask[row, c0] | mask[row, c0 + 1]
    col = c0 if u <= 0.5 else c0 + 1
    return mask[r0, col] | mask[r0 + 1, col]


# --- The price of a whole chord: from crossing to crossing of the triangulated ground ---

PART_CELLS = 16  # how much of a chord between any two points is laid out at a time
MOST_POINTS = 128  # of a link that are looked at before it is priced


class Scratch(NamedTuple):
    """What walks along chords write on: costs by kind, crossings of one chord, cuts of one piece, and no trace."""

    by_kind: NDArray[np.float64]
    crossings: Crossings
    cuts: NDArray[np.float64]
    no_trace: NDArray[np.float64]


@allocating
def new_scratch():
    """Scratch for walks along chords, one at a time."""
    return Scratch(np.empty(3), room_for(PART_CELLS + 1, PART_CELLS + 1), np.empty(24), np.zeros((0, TRACED)))


@pasted
def _value(values, flat, down, right, weight, k):
    """What the corners of a square have between them at a crossing."""
    top = weight[k, 0] * values[flat] + weight[k, 1] * values[flat + right]
    return top + weight[k, 2] * values[flat + down] + weight[k, 3] * values[flat + down + right]


@pasted
def _surcharge(slope, flat, by_row, by_col, p):
    """Surcharge for the cross-slope at a node, of a line with the given direction: bent where walls begin."""
    x = slope[flat, 0] * by_row + slope[flat, 1] * by_col
    x *= x
    return x if x <= p[STEEP] else p[STEEP] + p[WALL] * (x - p[STEEP])


@pasted
def _cross(slope, flat, down, right, weight, k, by_row, by_col, p):
    """Surcharge for the cross-slope at a crossing, of a line with the given direction."""
    top = weight[k, 0] * _surcharge(slope, flat, by_row, by_col, p)
    top += weight[k, 1] * _surcharge(slope, flat + right, by_row, by_col, p)
    top += weight[k, 2] * _surcharge(slope, flat + down, by_row, by_col, p)
    return top + weight[k, 3] * _surcharge(slope, flat + down + right, by_row, by_col, p)


@pasted
def _as_scalars(p):
    """What the pieces of a chord ask of the parameters, as scalars that stay in registers.

    The doubling depths are turned over, since divisions are slow.
    """
    return (
        p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], 1.0 / p[CUT2], 1.0 / p[FILL2], p[12], p[13], p[14],
        p[15], p[16], p[17],
    )  # fmt: skip


@pasted
def _is_simple(low, high, d0, d1, x0, x1, f0, f1, bits, p):
    """Whether one kind is allowed and the cheapest all along a piece.

    Then no split is needed: a kind that isn't allowed all along would have to change to that one or from it anyway,
    and does so best at the end of the piece.
    """
    if low >= -p[MAX_FILL] and high <= p[MAX_CUT] and bits & 1 == 0:  # open line, whose price is convex along a piece
        work = p[CUT2] if d0 > 0.0 else p[FILL2]
        before = p[SURFACE] * (1.0 + x0 + d0 * d0 * work) + f0
        work = p[CUT2] if d1 > 0.0 else p[FILL2]
        after = p[SURFACE] * (1.0 + x1 + d1 * d1 * work) + f1
        dearest = before if before > after else after
        lowest = p[BRIDGE] + p[RISE] * p[MIN_BRIDGE]
        if (
            (high < p[MIN_TUNNEL] or dearest <= p[TUNNEL])
            and (low > -p[MIN_BRIDGE] or dearest <= lowest)
            and (dearest <= p[CAP] or (x0 <= p[STEEP] and x1 <= p[STEEP]))
        ):
            return True
    # Open line costs at least this and the earthwork at the shallow end: where that is no cheaper than the structure,
    # the structure is the cheapest all along.
    least = p[SURFACE] * (1.0 + (x0 if x0 < x1 else x1))
    if low >= p[MIN_TUNNEL] and bits & 4 == 0:
        return low > p[MAX_CUT] or least + p[SURFACE] * low * low * p[CUT2] >= p[TUNNEL]
    if high <= -p[MIN_BRIDGE] and low >= -p[MAX_BRIDGE] and bits & 2 == 0:
        return high < -p[MAX_FILL] or least + p[SURFACE] * high * high * p[FILL2] >= p[BRIDGE] - p[RISE] * low
    return False


@pasted
def _earthwork(d0, d1, p):
    """Mean over a linear piece of (depth / doubling depth)^2."""
    # The mean of a linear function's square is (a^2 + ab + b^2) / 3. Where the line passes from cut to fill, each side
    # is integrated up to the point where the depth is 0.
    squares = d0 * d0 + d0 * d1 + d1 * d1
    if d0 >= 0.0 and d1 >= 0.0:
        return squares * p[CUT2] * (1.0 / 3.0)
    if d0 <= 0.0 and d1 <= 0.0:
        return squares * p[FILL2] * (1.0 / 3.0)
    cut, fill = (d0, d1) if d0 > 0.0 else (d1, d0)
    return (cut * cut * cut * p[CUT2] - fill * fill * fill * p[FILL2]) / (3.0 * (cut - fill))


@pasted
def _add_simple(surface, bridge, tunnel, low, high, d0, d1, x0, x1, f0, f1, piece, bits, p):
    """Costs by kind after a simple piece; a kind that is not allowed all along it becomes infinite."""
    ab, po = p[ABUTMENT], p[PORTAL]
    # Friction steers what stands on the ground; tunnels know none.
    steer = 0.5 * (f0 + f1)
    s_out, b_out, t_out = np.inf, np.inf, np.inf
    if low >= -p[MAX_FILL] and high <= p[MAX_CUT] and bits & 1 == 0:
        s_out = min(surface, bridge + ab, tunnel + po)
        s_out += piece * (p[SURFACE] * (1.0 + 0.5 * (x0 + x1) + _earthwork(d0, d1, p)) + steer)
    if low >= -p[MAX_BRIDGE] and high <= -p[MIN_BRIDGE] and bits & 2 == 0:
        b_out = min(bridge, surface + ab, tunnel + po + ab)
        b_out += piece * (p[BRIDGE] - 0.5 * p[RISE] * (d0 + d1) + steer)
    if low >= p[MIN_TUNNEL] and bits & 4 == 0:
        t_out = _bore(surface, bridge, tunnel, piece, p)
    return s_out, b_out, t_out


@pasted
def _near_ground(
    surface, bridge, tunnel, low, high, d0, d1, x0, x1, f0, f1, piece, bits, p, q, cost, cuts, trace, n_trace, at
):
    """Costs by kind after a piece on which more than one kind may be possible, and rows used in the trace."""
    # A trace wants every place where the kind changes, so that it never takes the short way.
    if trace.shape[0] == 0 and _is_simple(low, high, d0, d1, x0, x1, f0, f1, bits, q):
        surface, bridge, tunnel = _add_simple(
            surface, bridge, tunnel, low, high, d0, d1, x0, x1, f0, f1, piece, bits, q
        )
        return surface, bridge, tunnel, n_trace
    cost[0], cost[1], cost[2] = surface, bridge, tunnel
    n_trace = add_stretch(cost, d0, d1, x0, x1, f0, f1, piece, bits, p, cuts, trace, n_trace, at, at + piece)
    return cost[0], cost[1], cost[2], n_trace


@pasted
def _span(surface, bridge, tunnel, metres, d0, d1, p):
    """Cost of being on a bridge after a stretch of it."""
    before = min(bridge, surface + p[ABUTMENT], tunnel + p[PORTAL] + p[ABUTMENT])
    return before + metres * (p[BRIDGE] - 0.5 * p[RISE] * (d0 + d1))


@pasted
def _bore(surface, bridge, tunnel, metres, p):
    """Cost of being in tunnel after a stretch of it."""
    return min(tunnel, surface + p[PORTAL], bridge + p[ABUTMENT] + p[PORTAL]) + metres * p[TUNNEL]


@inner
def price_link(
    ground, crossings, first, last, origin, turned, r0, c0, h0, dr, dc, rise, metres, p, cost, limit, cuts,
    trace, n_trace, s0,
):  # fmt: skip
    """Add the price of a chord to the cheapest costs by kind, in place.

    Args:
        ground: the ground's arrays (mask and friction may be empty).
        crossings, first, last: where the chord crosses the triangles: a part of laid crossings.
        origin: flat number of the node that squares are counted from.
        turned: what a step down and a step to the right of the laid chord mean in flat numbers of nodes.
        r0, c0, h0: start as fractional row, column and height in metres.
        dr, dc, rise, metres: steps to the end, and the chord's length in plan.
        p: parameter vector.
        cost: (3,) costs of being in open line, bridge, tunnel at the start; on return at the end.
        limit: stop as soon as even the cheapest kind for the rest comes out dearer than this.
        cuts: scratch of 24.
        trace: (n, 10) rows to record pieces in, or empty: chainage and depth at both ends, length weighted by earthwork
            and cross-slope, costs by kind after the piece, how open line is built, what walls add to its length.
        n_trace: rows used so far.
        s0: chainage at the start, metres.

    Returns:
        Rows used in ``trace`` after the chord, or -1 if the chord is dearer than ``limit`` or not possible.
    """
    z, slope, friction, floors, mask, shut = (
        ground.z, ground.slope, ground.friction, ground.floors, ground.mask, ground.shut,
    )  # fmt: skip
    cols = ground.grid.shape[1]
    share, cell, weight = crossings
    # Numbers of nodes are unsigned, because numba tests signed ones for counting from the back at every access. Steps
    # up or to the left wrap round.
    base, down, right, one = np.uint64(origin), np.uint64(turned[0]), np.uint64(turned[1]), np.uint64(1)
    first, last = np.uint64(first), np.uint64(last)
    scale = 1.0 / (metres * np.sqrt(p[CROSS2]))
    by_row, by_col = dc * p[DX] * scale, -dr * p[DY] * scale  # of the slopes, in cross-slope over its doubling value
    q = _as_scalars(p)
    masked, steered, traced = mask.size > 0, friction.size > 0, trace.shape[0] > 0
    # Deeper than the first only a tunnel is possible, higher than the second only a bridge.
    dearest = p[MIN_TUNNEL] if p[MIN_TUNNEL] > p[MAX_CUT] else p[MAX_CUT]
    highest = p[MAX_FILL] if p[MAX_FILL] > p[MIN_BRIDGE] else p[MIN_BRIDGE]
    to_go = p[CHEAPEST] * metres
    surface, bridge, tunnel = cost[0], cost[1], cost[2]
    flat = base + np.uint64(cell[first, 0]) * down + np.uint64(cell[first, 1]) * right
    t0, d0, bits = 0.0, _value(z, flat, down, right, weight, first) - h0, 0
    x0, f0, known = 0.0, 0.0, False  # cross-slope and friction at t0 are worked out when a piece needs them
    k = first + one
    while k < last:
        # Whole blocks of rock above the line are bored in one step, since only length counts there. A trace wants every
        # piece.
        if d0 > dearest and not traced:
            exit_k = _block_exit(floors, share, np.int64(k), np.int64(last), r0, c0, dr, dc, t0, h0, rise, dearest)
            if exit_k >= np.int64(k):
                k = np.uint64(exit_k)
                tunnel = _bore(surface, bridge, tunnel, metres * (share[k] - t0), q)
                surface, bridge, t0, known = np.inf, np.inf, share[k], False
                if not tunnel + to_go * (1.0 - t0) <= limit:
                    return -1
                flat = base + np.uint64(cell[k, 0]) * down + np.uint64(cell[k, 1]) * right
                d0 = _value(z, flat, down, right, weight, k) - (h0 + t0 * rise)
                k += one
                continue
        t1 = share[k]
        before, flat = flat, base + np.uint64(cell[k, 0]) * down + np.uint64(cell[k, 1]) * right
        d1 = _value(z, flat, down, right, weight, k) - (h0 + t1 * rise)
        piece = metres * (t1 - t0)
        if masked:
            # The mask is constant over a triangle, so that the middle of a piece stands for all of it.
            middle = 0.5 * (t0 + t1)
            r, c = r0 + middle * dr, c0 + middle * dc
            bits = np.int64(shut[int(r) * cols + int(c)])
            # Most squares forbid nothing at any corner.
            if bits != 0:
                on_diagonal = _runs_along(r0 + c0, dr + dc) or _runs_along(r0 - c0, dr - dc)
                bits = np.int64(bits_at(mask, r, c, _runs_along(r0, dr), _runs_along(c0, dc), on_diagonal))
        low, high = (d0, d1) if d0 < d1 else (d1, d0)
        if low > dearest and bits & 4 == 0 and not traced:
            tunnel = _bore(surface, bridge, tunnel, piece, q)
            surface, bridge, known = np.inf, np.inf, False
        elif high < -highest and low >= -p[MAX_BRIDGE] and bits & 2 == 0 and not (traced or steered):
            bridge = _span(surface, bridge, tunnel, piece, d0, d1, q)
            surface, tunnel, known = np.inf, np.inf, False
        else:
            if not known:
                x0 = _cross(slope, before, down, right, weight, k - one, by_row, by_col, q)
                f0 = 1e-3 * _value(friction, before, down, right, weight, k - one) if steered else 0.0
            x1 = _cross(slope, flat, down, right, weight, k, by_row, by_col, q)
            f1 = 1e-3 * _value(friction, flat, down, right, weight, k) if steered else 0.0
            surface, bridge, tunnel, n_trace = _near_ground(
                surface, bridge, tunnel, low, high, d0, d1, x0, x1, f0, f1, piece, bits, p, q, cost, cuts, trace,
                n_trace, s0 + metres * t0,
            )  # fmt: skip
            x0, f0, known = x1, f1, True
        best = min(surface, min(bridge, tunnel))
        # Turned round, so that a cost that is no number counts as too dear.
        if not best + to_go * (1.0 - t1) <= limit or best == np.inf:
            return -1
        d0, t0 = d1, t1
        k += one
    cost[0], cost[1], cost[2] = surface, bridge, tunnel
    settle(cost, p)
    return n_trace


@kernel
def walk_move(ground, laid, move, r, c, h0, d_row, d_col, rise, metres, p, cost, limit, scratch):
    """Walk the chord of a move from a node, whose crossings are laid out already; see ``price_link``."""
    turn, cols = laid.turn, ground.grid.shape[1]
    turned = turn[move, 0] * cols + turn[move, 1], turn[move, 2] * cols + turn[move, 3]
    return price_link(
        ground, laid.crossings, np.int64(laid.pointer[move, 0]), np.int64(laid.pointer[move, 1]), r * cols + c, turned,
        float(r), float(c), h0, float(d_row), float(d_col), rise, metres, p, cost, limit, scratch.cuts,
        scratch.no_trace, 0, 0.0,
    )  # fmt: skip


@kernel
def walk_chord(ground, r0, c0, h0, r1, c1, h1, p, cost, limit, scratch, trace, n_trace, s0):
    """Lay out the crossings of a chord between any two points, part by part, and walk it; see ``price_link``."""
    rows, cols = ground.grid.shape
    dr, dc, rise = r1 - r0, c1 - c0, h1 - h0
    metres = np.sqrt((dc * p[DX]) ** 2 + (dr * p[DY]) ** 2)
    if metres == 0.0:
        return n_trace
    # Parts bound the room that crossings need. The grade is constant, so that each part is a chord of its own; it may
    # cost what the cheapest price of the later ones leaves.
    parts = int(np.ceil(max(abs(dr), abs(dc)) / PART_CELLS))
    t0 = 0.0
    for k in range(parts):
        t1 = (k + 1) / parts
        a, b, share = r0 + t0 * dr, c0 + t0 * dc, t1 - t0
        n = lay_crossings(a, b, r0 + t1 * dr, c0 + t1 * dc, rows - 2, cols - 2, scratch.crossings)
        n_trace = price_link(
            ground, scratch.crossings, 0, n, 0, (cols, 1), a, b, h0 + t0 * rise, share * dr, share * dc, share * rise,
            share * metres, p, cost, limit - p[CHEAPEST] * metres * (1.0 - t1), scratch.cuts, trace, n_trace,
            s0 + t0 * metres,
        )  # fmt: skip
        if n_trace < 0:
            return -1
        t0 = t1
    return n_trace


@kernel
def walk_line(ground, points, along_m, p, cost, scratch, trace):
    """Walk all chords between consecutive points (n, 3), whose chainages are known; see ``price_link``.

    Returns rows used in the trace, and how many chords were walked: fewer than there are where one isn't possible.
    """
    n_trace = 0
    for k in range(points.shape[0] - 1):
        a, b = points[k], points[k + 1]
        done = walk_chord(
            ground, a[0], a[1], a[2], b[0], b[1], b[2], p, cost, np.inf, scratch, trace, n_trace, along_m[k]
        )
        if done < 0:
            return n_trace, k
        n_trace = done
    return n_trace, points.shape[0] - 1


@kernel
def choose_kinds(trace, change, kinds):
    """Walk back through the costs by kind of a trace and put down the cheapest sequence of kinds.

    The line ends in the open. Costs by kind after each piece and the price of the ``change`` (3, 3) decide which kind
    came before.
    """
    after = 0
    for i in range(trace.shape[0] - 1, -1, -1):
        best = 0
        for kind in range(1, 3):
            if trace[i, 5 + kind] + change[kind, after] < trace[i, 5 + best] + change[best, after]:
                best = kind
        kinds[i] = after = best


@inner
def _runs_along(start, step):
    """Whether a chord runs along a line of a family that lies at whole numbers."""
    return abs(step) < 1e-12 and abs(start - np.rint(start)) < 1e-9


@inner
def _block_exit(floors, share, k, last, r0, c0, dr, dc, t, h0, rise, dearest):
    """The last crossing in the block that the chord is in at ``t``, if all of the block lies deep above it.

    ``k`` is the next crossing; one less than it says that the block ends before it or lies too low.
    """
    r, c = r0 + t * dr, c0 + t * dc
    # A point on the rim of two blocks belongs to the one that the chord enters.
    row = int(r + (1e-7 if dr > 0.0 else -1e-7)) // BLOCK
    col = int(c + (1e-7 if dc > 0.0 else -1e-7)) // BLOCK
    leave = 1.0
    if dr != 0.0:
        leave = min(leave, ((row + 1 if dr > 0.0 else row) * BLOCK - r0) / dr)
    if dc != 0.0:
        leave = min(leave, ((col + 1 if dc > 0.0 else col) * BLOCK - c0) / dc)
    # A straight line is highest at one of its ends, so that floor less top is the least cover in the block.
    top = max(h0 + t * rise, h0 + leave * rise)
    if not floors[row, col] - top > dearest or not leave > share[k]:
        return k - 1
    while k + 1 < last and share[k + 1] <= leave + 1e-12:
        k += 1
    return k


@kernel
def least_price(ground, r0, c0, h0, d_row, d_col, rise, metres, over, under, limit, p):
    """Lower bound on the price of a link between nodes, from a few points of it; infinite if it can't be built.

    Where a point lies too deep for a cut or too high for a fill, so does the line on both sides of it until the
    steepest ground around and the grade together could have made up the difference; that stretch can only be tunnel
    or bridge. Points lie on the grid lines that are crossed least aslant, from the middle outwards, since the ends
    lie near the ground; what is known so far is returned as soon as it comes out above ``limit``.

    The line may run up to ``over`` metres higher and ``under`` metres lower than the heights say.
    """
    z, steepest, cols = ground.z, ground.steepest, ground.grid.shape[1]
    upright = abs(d_row) >= abs(d_col)
    n = abs(d_row) if upright else abs(d_col)
    ahead, aside = (cols, 1) if upright else (1, cols)
    if (d_row if upright else d_col) < 0:
        ahead = -ahead
    slant = (d_col if upright else d_row) / n
    # No stretch reaches further than half-way to the next point that is looked at, so that none is counted twice.
    every = 1 + n // MOST_POINTS
    reach = (0.5 if every == 1 else 1.0) * metres / n  # the steepest ground is known one cell around
    grade = (abs(rise) + over + under) / metres
    bridge = p[BRIDGE] + p[RISE] * p[MAX_FILL]  # over such a stretch the line is at least so high
    bound, origin, at = p[CHEAPEST] * metres, r0 * cols + c0, n // 2
    too_deep, too_high = p[MAX_CUT] + over, p[MAX_FILL] + under
    k = 1
    while 0 < at < n:
        across = slant * at
        left = np.floor(across)
        share = across - left
        node = origin + at * ahead + np.int64(left) * aside
        depth = z[node] - (h0 + rise * at / n)
        if share > 0.0:
            depth += share * (z[node + aside] - z[node])
        if depth > too_deep:
            stretch = min(reach, (depth - too_deep) / (steepest[node] + grade))
            bound += 2.0 * (1.0 - 1e-9) * stretch * (p[TUNNEL] - p[CHEAPEST])
        elif depth < -too_high:
            if depth < -p[MAX_BRIDGE] - under:
                return np.inf
            stretch = min(reach, (-depth - too_high) / (steepest[node] + grade))
            bound += 2.0 * (1.0 - 1e-9) * stretch * (bridge - p[CHEAPEST])
        if bound > limit:
            break
        at += k * every if k % 2 == 1 else -k * every
        k += 1
    return bound
