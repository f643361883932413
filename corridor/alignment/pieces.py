"""The price of a piece of line on which the depth below the ground is linear: kinds, thresholds, changes.

Kinds are chosen by dynamic programming with a price for each change (portal, abutment). Changing is only ever worth it
where a kind becomes allowed or forbidden or where two kinds cost the same, so pieces are split there.
"""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"
# ruff: noqa: ANN201, RUF046

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.ground import Ground
from corridor.compiled import kernel
from corridor.schema.alignment import DesignStandard, UnitCosts

# Indices into the parameter vector. Prices are per metre, in million USD.
SURFACE, BRIDGE, TUNNEL, ABUTMENT, PORTAL = 0, 1, 2, 3, 4
MAX_CUT, MAX_FILL, MIN_BRIDGE, MAX_BRIDGE, MIN_TUNNEL = 5, 6, 7, 8, 9
CUT2, FILL2, CROSS2 = 10, 11, 12  # squares of what doubles the price
DX, DY = 13, 14
CHEAPEST = 15
N_PARAMETERS = 16
AT_NODE = 1e-6  # in cells


def pack_parameters(ground: Ground, standard: DesignStandard, costs: UnitCosts) -> NDArray[np.float64]:
    """Everything that a chord's price depends on besides the ground, as the vector that the kernels read."""
    p = np.empty(N_PARAMETERS)
    p[SURFACE], p[BRIDGE], p[TUNNEL] = (c.mid / 1000.0 for c in (costs.surface, costs.bridge, costs.tunnel))
    p[ABUTMENT], p[PORTAL] = costs.abutment.mid, costs.portal.mid
    p[MAX_CUT], p[MAX_FILL] = standard.max_cut_m, standard.max_fill_m
    p[MIN_BRIDGE], p[MAX_BRIDGE] = standard.min_bridge_height_m, standard.max_bridge_height_m
    p[MIN_TUNNEL] = standard.min_tunnel_depth_m
    p[CUT2], p[FILL2] = standard.cut_doubles_m**2, standard.fill_doubles_m**2
    p[CROSS2] = standard.cross_slope_doubles**2
    p[DX], p[DY] = ground.dx_m, ground.dy_m
    p[CHEAPEST] = min(p[SURFACE], p[BRIDGE], p[TUNNEL])
    return p


@kernel
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


@kernel
def settle(cost, p):
    """Let each kind be reached from the others at one point, by paying for the change."""
    s, b, t = cost[0], cost[1], cost[2]
    ab, po = p[ABUTMENT], p[PORTAL]
    cost[0] = min(s, b + ab, t + po)
    cost[1] = min(b, s + ab, t + po + ab)
    cost[2] = min(t, s + po, b + ab + po)


@kernel
def _add_piece(cost, d0, d1, x0, x1, f0, f1, metres, bits, p, trace, n_trace, s0, s1):
    """Extend the cheapest costs by a piece on which no kind starts or stops being allowed or cheaper.

    d: depth below ground (negative above); x: squared cross-slope over its doubling square; f: friction per metre.
    """
    # No limit lies inside a piece, so that its middle tells for all of it.
    middle = 0.5 * (d0 + d1)
    settle(cost, p)
    steer = 0.5 * (f0 + f1)
    if -p[MAX_FILL] <= middle <= p[MAX_CUT] and not bits & 1:
        cost[0] += metres * (p[SURFACE] * (1.0 + 0.5 * (x0 + x1) + earthwork(d0, d1, p)) + steer)
    else:
        cost[0] = np.inf
    if -p[MAX_BRIDGE] <= middle <= -p[MIN_BRIDGE] and not bits & 2:
        cost[1] += metres * (p[BRIDGE] + steer)
    else:
        cost[1] = np.inf
    if middle >= p[MIN_TUNNEL] and not bits & 4:
        cost[2] += metres * p[TUNNEL]
    else:
        cost[2] = np.inf
    if trace.shape[0] > 0:
        row = trace[n_trace]
        row[0], row[1], row[2], row[3] = s0, s1, d0, d1
        row[4] = metres * (1.0 + 0.5 * (x0 + x1) + earthwork(d0, d1, p))
        row[5], row[6], row[7] = cost[0], cost[1], cost[2]


@kernel
def _add_root(cuts, n, d0, d1, x0, x1, f0, f1, doubling2, price, p):
    """Where open line costs as much as ``price`` per metre: roots of a quadratic in the share of the piece."""
    slope = d1 - d0
    a = p[SURFACE] * slope * slope / doubling2
    b = p[SURFACE] * (2.0 * d0 * slope / doubling2 + x1 - x0) + f1 - f0
    c = p[SURFACE] * (1.0 + x0 + d0 * d0 / doubling2) + f0 - price
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


@kernel
def add_stretch(cost, d0, d1, x0, x1, f0, f1, metres, bits, p, cuts, trace, n_trace, s0, s1):
    """Extend the costs over a stretch with linear depth, split where the choice of kind can change."""
    low, high = (d0, d1) if d0 < d1 else (d1, d0)
    # Where no structure is possible, or a tunnel alone, there is nothing to choose and nothing to split.
    plain = low > -p[MIN_BRIDGE] and high < p[MIN_TUNNEL]
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
        n = _add_root(cuts, n, d0, d1, x0, x1, f0, f1, p[CUT2], p[TUNNEL], p)
    if low < -p[MIN_BRIDGE] and high > -p[MAX_FILL]:
        n = _add_root(cuts, n, d0, d1, x0, x1, 0.0, 0.0, p[FILL2], p[BRIDGE], p)
    if n == 0:
        _add_piece(cost, d0, d1, x0, x1, f0, f1, metres, bits, p, trace, n_trace, s0, s1)
        return n_trace + 1
    for i in range(1, n):
        # Sorted by insertion, since there are ten cuts at most.
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


@kernel
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
