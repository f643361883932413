"""The exact price of a straight link: cheapest sequence of kinds along it, on the triangulated ground.

A chord has constant grade, the ground under it is piecewise linear, so the depth of the line below the ground is
linear between crossings with grid lines and diagonals, and the price per metre of each kind is a polynomial there.
Kinds are chosen by dynamic programming with a price for each change (portal, abutment); changing is only ever worth
it where a kind becomes allowed or forbidden or where two kinds cost the same, so pieces are split there and the
result is exact, not sampled.
"""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"
# ruff: noqa: ANN201, D417, PLW3301

from __future__ import annotations

import numpy as np
from numba import njit

from corridor.alignment.ground import BLOCK, corner_weights
from corridor.alignment.pieces import (
    ABUTMENT,
    BRIDGE,
    CHEAPEST,
    CROSS2,
    CUT2,
    DX,
    DY,
    FILL2,
    MAX_BRIDGE,
    MAX_CUT,
    MAX_FILL,
    MIN_BRIDGE,
    MIN_TUNNEL,
    PORTAL,
    STEEPEST,
    SURFACE,
    TUNNEL,
    add_stretch,
    bits_at,
    settle,
)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _point(z, rows, cols, r, c):
    """Square, corner weights and height of the ground at a point."""
    i, j = min(max(int(r), 0), rows - 2), min(max(int(c), 0), cols - 2)
    wa, wb, wc, wd = corner_weights(c - j, r - i)
    return i, j, wa, wb, wc, wd, wa * z[i, j] + wb * z[i, j + 1] + wc * z[i + 1, j] + wd * z[i + 1, j + 1]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _cross(slope, i, j, wa, wb, wc, wd, by_row, by_col):
    """Squared cross-slope at a point of a line with the given direction."""
    xa = slope[i, j, 0] * by_row + slope[i, j, 1] * by_col
    xb = slope[i, j + 1, 0] * by_row + slope[i, j + 1, 1] * by_col
    xc = slope[i + 1, j, 0] * by_row + slope[i + 1, j, 1] * by_col
    xd = slope[i + 1, j + 1, 0] * by_row + slope[i + 1, j + 1, 1] * by_col
    return wa * xa * xa + wb * xb * xb + wc * xc * xc + wd * xd * xd


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _four(values, i, j, wa, wb, wc, wd):
    """Interpolate node values on the triangles."""
    return wa * values[i, j] + wb * values[i, j + 1] + wc * values[i + 1, j] + wd * values[i + 1, j + 1]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _is_simple(low, high, d0, d1, x0, x1, f0, f1, p):
    """Whether no kind starts or stops being allowed or the cheapest along a piece."""
    if low < 0.0 < high or low < p[MAX_CUT] < high or low < p[MIN_TUNNEL] < high:
        return False
    if low < -p[MAX_FILL] < high or low < -p[MIN_BRIDGE] < high or low < -p[MAX_BRIDGE] < high:
        return False
    if high > p[MIN_TUNNEL] and low < p[MAX_CUT]:
        before = p[SURFACE] * (1.0 + x0 + d0 * d0 / p[CUT2]) + f0 - p[TUNNEL]
        after = p[SURFACE] * (1.0 + x1 + d1 * d1 / p[CUT2]) + f1 - p[TUNNEL]
        return before <= 0.0 and after <= 0.0
    if low < -p[MIN_BRIDGE] and high > -p[MAX_FILL]:
        before = p[SURFACE] * (1.0 + x0 + d0 * d0 / p[FILL2]) - p[BRIDGE]
        after = p[SURFACE] * (1.0 + x1 + d1 * d1 / p[FILL2]) - p[BRIDGE]
        return before <= 0.0 and after <= 0.0
    return True


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _add_simple(surface, bridge, tunnel, d0, d1, x0, x1, f0, f1, piece, bits, p):
    """Costs by kind after a simple piece; a kind that is not allowed on it becomes infinite."""
    ab, po = p[ABUTMENT], p[PORTAL]
    mid, steer = 0.5 * (d0 + d1), 0.5 * (f0 + f1)
    s_out, b_out, t_out = np.inf, np.inf, np.inf
    if -p[MAX_FILL] <= mid <= p[MAX_CUT] and bits & 1 == 0:
        work = (d0 * d0 + d0 * d1 + d1 * d1) / (3.0 * (p[CUT2] if mid > 0.0 else p[FILL2]))
        s_out = min(surface, bridge + ab, tunnel + po)
        s_out += piece * (p[SURFACE] * (1.0 + 0.5 * (x0 + x1) + work) + steer)
    if -p[MAX_BRIDGE] <= mid <= -p[MIN_BRIDGE] and bits & 2 == 0:
        b_out = min(bridge, surface + ab, tunnel + po + ab) + piece * (p[BRIDGE] + steer)
    if mid >= p[MIN_TUNNEL] and bits & 4 == 0:
        t_out = _bore(surface, bridge, tunnel, piece, p)
    return s_out, b_out, t_out


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _bore(surface, bridge, tunnel, metres, p):
    """Cost of being in tunnel after a stretch of it."""
    return min(tunnel, surface + p[PORTAL], bridge + p[ABUTMENT] + p[PORTAL]) + metres * p[TUNNEL]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _crossings(start, step):
    """Crossings of a chord with whole numbers, at shares of ``count * every``: first count, every (infinite: none)."""
    if step == 0.0:
        return 1.0, np.inf
    first = np.floor(start) + 1.0 - start if step > 0.0 else start - (np.ceil(start) - 1.0)
    return first, 1.0 / abs(step)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _pass_to(at, every, t):
    """Move a count of crossings on to the first one after share ``t`` of the chord."""
    passed = t / every - at
    return at if passed < 0.0 else at + np.floor(passed + 1e-9) + 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def walk_chord(z, slope, floors, mask, friction, r0, c0, h0, r1, c1, h1, p, cost, limit, cuts, trace, n_trace, s0):
    """Add the price of a chord to the cheapest costs by kind, in place.

    Args:
        z, slope, floors, mask, friction: the ground's arrays (mask and friction may be empty).
        r0, c0, h0, r1, c1, h1: both ends as fractional row, column and height in metres.
        p: parameter vector.
        cost: (3,) costs of being in open line, bridge, tunnel at the start; on return at the end.
        limit: stop as soon as even the cheapest kind for the rest comes out dearer than this.
        cuts: scratch of 24.
        trace: (n, 8) rows to record pieces in, or empty.
        n_trace: rows used so far.
        s0: chainage at the start, metres.

    Returns:
        Rows used in ``trace`` after the chord, or -1 if the chord is dearer than ``limit`` or not possible.
    """
    rows, cols = z.shape
    dr, dc = r1 - r0, c1 - c0
    east, south = dc * p[DX], dr * p[DY]
    metres = np.sqrt(east * east + south * south)
    if metres == 0.0:
        return n_trace
    scale = 1.0 / (metres * np.sqrt(p[CROSS2]))
    by_row, by_col = east * scale, -south * scale  # of the two slopes, in the cross-slope over its doubling value
    on_row, on_col = _runs_along(r0, dr), _runs_along(c0, dc)
    on_diagonal = _runs_along(r0 + c0, dr + dc) or _runs_along(r0 - c0, dr - dc)
    (at_r, every_r), (at_c, every_c) = _crossings(r0, dr), _crossings(c0, dc)
    (at_s, every_s), (at_m, every_m) = _crossings(r0 + c0, dr + dc), _crossings(r0 - c0, dr - dc)
    t_r, t_c, t_s, t_m = at_r * every_r, at_c * every_c, at_s * every_s, at_m * every_m
    q = (p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11])  # scalars stay in registers
    masked, steered, traced = mask.size > 0, friction.size > 0, trace.shape[0] > 0
    dearest = p[MIN_TUNNEL] if p[MIN_TUNNEL] > p[MAX_CUT] else p[MAX_CUT]
    cheapest = p[CHEAPEST]
    surface, bridge, tunnel = cost[0], cost[1], cost[2]
    i, j, wa, wb, wc, wd, height = _point(z, rows, cols, r0, c0)
    t0, d0, bits = 0.0, height - h0, 0
    x0, f0, known = 0.0, 0.0, False  # cross-slope and friction at t0 are worked out when a piece needs them
    while t0 < 1.0:
        if d0 > dearest and not traced:
            exit_t = _block_exit(floors, r0, c0, dr, dc, t0, h0, h1, dearest)
            if exit_t > t0 + 1e-12:
                tunnel = _bore(surface, bridge, tunnel, metres * (exit_t - t0), q)
                if not tunnel + cheapest * metres * (1.0 - exit_t) <= limit:
                    return -1
                surface, bridge, t0, known = np.inf, np.inf, exit_t, False
                i, j, wa, wb, wc, wd, height = _point(z, rows, cols, r0 + t0 * dr, c0 + t0 * dc)
                d0 = height - (h0 + t0 * (h1 - h0))
                at_r, at_c = _pass_to(at_r, every_r, t0), _pass_to(at_c, every_c, t0)
                at_s, at_m = _pass_to(at_s, every_s, t0), _pass_to(at_m, every_m, t0)
                t_r, t_c, t_s, t_m = at_r * every_r, at_c * every_c, at_s * every_s, at_m * every_m
                continue
        t1 = min(min(t_r, t_c), min(t_s, t_m))
        if t1 > 1.0 - 1e-12:
            t1 = 1.0
        if t_r <= t1:
            at_r += 1.0
            t_r = at_r * every_r
        if t_c <= t1:
            at_c += 1.0
            t_c = at_c * every_c
        if t_s <= t1:
            at_s += 1.0
            t_s = at_s * every_s
        if t_m <= t1:
            at_m += 1.0
            t_m = at_m * every_m
        if t1 - t0 < 1e-13:
            continue
        if not known:
            x0 = _cross(slope, i, j, wa, wb, wc, wd, by_row, by_col)
            f0 = 1e-3 * _four(friction, i, j, wa, wb, wc, wd) if steered else 0.0
        i, j, wa, wb, wc, wd, height = _point(z, rows, cols, r0 + t1 * dr, c0 + t1 * dc)
        d1 = height - (h0 + t1 * (h1 - h0))
        piece = metres * (t1 - t0)
        if masked:
            middle = 0.5 * (t0 + t1)
            bits = np.int64(bits_at(mask, r0 + middle * dr, c0 + middle * dc, on_row, on_col, on_diagonal))
        low, high = (d0, d1) if d0 < d1 else (d1, d0)
        if low > dearest and bits & 4 == 0 and not traced:
            tunnel = _bore(surface, bridge, tunnel, piece, q)
            surface, bridge, known = np.inf, np.inf, False
        else:
            x1 = _cross(slope, i, j, wa, wb, wc, wd, by_row, by_col)
            f1 = 1e-3 * _four(friction, i, j, wa, wb, wc, wd) if steered else 0.0
            if not traced and _is_simple(low, high, d0, d1, x0, x1, f0, f1, q):
                surface, bridge, tunnel = _add_simple(surface, bridge, tunnel, d0, d1, x0, x1, f0, f1, piece, bits, q)
            else:
                cost[0], cost[1], cost[2] = surface, bridge, tunnel
                at = s0 + metres * t0
                n_trace = add_stretch(
                    cost, d0, d1, x0, x1, f0, f1, piece, bits, p, cuts, trace, n_trace, at, at + piece
                )
                surface, bridge, tunnel = cost[0], cost[1], cost[2]
            x0, f0, known = x1, f1, True
        best = min(surface, min(bridge, tunnel))
        if not best + cheapest * metres * (1.0 - t1) <= limit or best == np.inf:
            return -1
        d0, t0 = d1, t1
    cost[0], cost[1], cost[2] = surface, bridge, tunnel
    settle(cost, p)
    return n_trace


@njit(cache=True, nogil=True, error_model="numpy")
def _runs_along(start, step):
    """Whether a chord runs along a line of a family that lies at whole numbers."""
    return step == 0.0 and start == np.floor(start)


@njit(cache=True, nogil=True, error_model="numpy")
def _block_exit(floors, r0, c0, dr, dc, t, h0, h1, dearest):
    """Where the chord leaves the block it is in, if all of the block lies deep above it; else ``t``."""
    r, c = r0 + t * dr, c0 + t * dc
    row = int(r + (1e-7 if dr > 0.0 else -1e-7)) // BLOCK
    col = int(c + (1e-7 if dc > 0.0 else -1e-7)) // BLOCK
    leave = 1.0
    if dr != 0.0:
        leave = min(leave, ((row + 1 if dr > 0.0 else row) * BLOCK - r0) / dr)
    if dc != 0.0:
        leave = min(leave, ((col + 1 if dc > 0.0 else col) * BLOCK - c0) / dc)
    top = max(h0 + t * (h1 - h0), h0 + leave * (h1 - h0))
    return leave if floors[row, col] - top > dearest else t


@njit(cache=True, nogil=True, error_model="numpy")
def least_price(z, r0, c0, h0, r1, c1, h1, p):
    """Lower bound on the price of a chord from a few points of it.

    Where a point lies too deep for a cut or too high for a fill, so does the line on both sides of it until the
    steepest ground and the grade together could have made up the difference; that stretch can only be tunnel or
    bridge. Infinite if a point is too high for a bridge.
    """
    rows, cols = z.shape
    dr, dc = r1 - r0, c1 - c0
    metres = np.sqrt((dc * p[DX]) ** 2 + (dr * p[DY]) ** 2)
    n = int(min(8.0, max(abs(dr), abs(dc)) / 3.0))
    extra, reach = 0.0, metres / (2.0 * n)
    closing = p[STEEPEST] + abs(h1 - h0) / metres
    for k in range(n):
        t = (k + 0.5) / n
        depth = _point(z, rows, cols, r0 + t * dr, c0 + t * dc)[6] - (h0 + t * (h1 - h0))
        if depth > p[MAX_CUT]:
            extra += 2.0 * min(reach, (depth - p[MAX_CUT]) / closing) * (p[TUNNEL] - p[CHEAPEST])
        elif depth < -p[MAX_FILL]:
            if depth < -p[MAX_BRIDGE]:
                return np.inf
            extra += 2.0 * min(reach, (-depth - p[MAX_FILL]) / closing) * (p[BRIDGE] - p[CHEAPEST])
    return p[CHEAPEST] * metres + extra * (1.0 - 1e-9)
