"""Bends between links: whether their curves fit, and what these take off the links on either side."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment._kernels.links import OLD
from corridor.alignment.chords import DX, DY, walk_chord
from corridor.alignment.spirals import ARC_STEP, CORNERS
from corridor.compiled import allocating, inner, kernel, pasted

SAME_WAY = 1.0 - 1e-12  # product of unit vectors above which they count as one direction


@kernel
def curve_loss(tan_half, radius):
    """What a curve takes off each of its two links: tangent less half the drawn curve, in metres.

    The drawn curve is a polygon of chords of at most two degrees; ``tan_half`` is tan(theta / 2).
    """
    theta = 2.0 * np.arctan(tan_half)
    n = max(np.ceil(theta / ARC_STEP), 1.0)
    # The drawn curve is n chords of 2 R sin(theta / 2n), of which each link gets half.
    return radius * tan_half - n * radius * np.sin(theta / (2.0 * n))


@inner
def _curve_fits(
    ground, r, c, height, in_east, in_south, out_east, out_south, radius, tan_half, grade_in, grade_out, p, scratch,
):  # fmt: skip
    """Whether some kind is allowed everywhere along the curve of a bend at a node; directions are unit vectors."""
    theta = 2.0 * np.arctan(tan_half)
    n = int(max(np.ceil(theta / ARC_STEP), 1.0))
    side = 1.0 if in_east * out_south - in_south * out_east > 0.0 else -1.0
    arm_east, arm_south = side * radius * in_south, -side * radius * in_east  # from the centre to the curve's start
    # From the vertex back along the way in by the tangent, then across to the centre.
    centre_east = -in_east * radius * tan_half - arm_east
    centre_south = -in_south * radius * tan_half - arm_south
    chord = 2.0 * radius * np.sin(theta / (2.0 * n))
    r0, c0, h0 = 0.0, 0.0, 0.0
    for k in range(n + 1):
        cos, sin = np.cos(side * theta * k / n), np.sin(side * theta * k / n)
        r1 = r + (centre_south + sin * arm_east + cos * arm_south) / p[DY]
        c1 = c + (centre_east + cos * arm_east - sin * arm_south) / p[DX]
        # The node's height belongs to the middle of the curve; before it the grade is that of the link in, after it
        # that of the link out.
        along = (k - 0.5 * n) * chord
        h1 = height + along * (grade_in if along < 0.0 else grade_out)
        if k > 0:
            # Every kind is free to begin with: what counts is whether one is allowed all along the chord, not what it
            # costs.
            scratch.by_kind[:] = 0.0
            done = walk_chord(
                ground, r0, c0, h0, r1, c1, h1, p, scratch.by_kind, np.inf, scratch, scratch.no_trace, 0, 0.0
            )
            if done < 0:
                return False
        r0, c0, h0 = r1, c1, h1
    return True


@inner
def _is_forbidden(forbidden, state, in_east, in_south, out_east, out_south):
    """Whether the bend at a state from one direction to another is in the list."""
    for k in range(forbidden.shape[0]):
        row = forbidden[k]
        if (
            row[0] == state
            and row[1] * in_east + row[2] * in_south > SAME_WAY
            and row[3] * out_east + row[4] * out_south > SAME_WAY
        ):
            return True
    return False


@pasted
def _step_of(z, node_of, offsets, loops, links, e, p):
    """East, south, length in plan and rise of a link, in metres, and what curves inside it take off.

    Of a link with full circles these are those of the straight at either end, up to the corner where its circles begin.
    """
    cols, n_states = z.shape[1], offsets.shape[0]
    source, target = np.int64(links.source[e]), np.int64(links.of[e].target)
    a, b = node_of[source // n_states], node_of[target // n_states]
    east, south = links.of[e].right * p[DX], links.of[e].down * p[DY]
    rise = z[b // cols, b % cols] + offsets[target % n_states] - z[a // cols, a % cols] - offsets[source % n_states]
    metres, inner = np.sqrt(east * east + south * south), 0.0
    if links.of[e].code > 0:
        turns = 1 + (links.of[e].code - 1) % loops.turns
        share = 0.5 * (metres + loops.side_m) / metres
        rise *= 0.5 * (metres + loops.arc_m) / (metres + turns * CORNERS * loops.arc_m)
        east, south, metres, inner = share * east, share * south, share * metres, 0.5 * (loops.side_m - loops.arc_m)
    return east, south, metres, rise, inner


@pasted
def cannot_bend(links, e, f, start_loss, open_m, radius, p):
    """Whether the bend between two straight links leaves its tangents no room, or a curve there makes one too steep.

    For links that are no moves, whose bends stand in no row. Of full circles and old formations nothing is said here.
    """
    fails = False
    if links.of[e].code == 0 and links.of[f].code == 0:
        east_e, south_e = links.of[e].right * p[DX], links.of[e].down * p[DY]
        east_f, south_f = links.of[f].right * p[DX], links.of[f].down * p[DY]
        e2, f2 = east_e * east_e + south_e * south_e, east_f * east_f + south_f * south_f
        # The same numbers as in the full test, with a margin for rounding.
        whole = np.sqrt(e2 * f2) + east_e * east_f + south_e * south_f
        cross = abs(east_e * south_f - south_e * east_f)
        across = radius * cross
        # What a curve takes off is at least R (t - arctan t), t = tan(theta / 2), of which these are the first terms.
        tan_half = cross / whole
        square = tan_half * tan_half
        loss = radius * tan_half * square * (1.0 / 3.0 - 0.2 * square) - 0.01
        fails = 4.0 * across * across > (1.0 + 1e-9) * whole * whole * min(e2, f2)
        fails = fails or loss > open_m or loss > links.of[e].spare_m - start_loss
    return fails


class Bends(NamedTuple):
    """What the curve between two moves takes off each of them at least, (moves, moves), infinite where none fits.

    Most bends fail by this alone, and a row is read from end to end. ``is_made`` tells which rows are: those of moves
    by which a line came somewhere.
    """

    loss_m: NDArray[np.float32]
    is_made: NDArray[np.bool_]


LOSS_MARGIN_M = 0.01  # off what curves take at least: spare lengths are kept in 32 bits


@allocating
def no_bends(n_moves):
    """No rows yet, and room for all: memory is taken for those alone that are written."""
    return Bends(np.empty((n_moves, n_moves), np.float32), np.zeros(n_moves, np.bool_))


@inner
def make_row(bends, m, moves, radius, p):
    """Write out what the curves between a move and each other one take off at least."""
    east_e, south_e = moves[m, 1] * p[DX], moves[m, 0] * p[DY]
    metres_e = np.sqrt(east_e * east_e + south_e * south_e)
    bends.is_made[m] = True
    for k in range(moves.shape[0]):
        east_f, south_f = moves[k, 1] * p[DX], moves[k, 0] * p[DY]
        metres_f = np.sqrt(east_f * east_f + south_f * south_f)
        cross = abs(east_e * south_f - south_e * east_f)
        whole = metres_e * metres_f + east_e * east_f + south_e * south_f
        loss = np.inf
        # The same numbers as in the full test, with a margin for rounding.
        if radius * cross <= (1.0 + 1e-9) * 0.5 * min(metres_e, metres_f) * whole and whole > 0.0:
            loss = (curve_loss(cross / whole, radius) if cross > 1e-9 * whole else 0.0) - LOSS_MARGIN_M
        bends.loss_m[m, k] = loss


@inner
def bend_loss(ground, nodes, loops, states, p, radius, links, e, f, start_loss, clear_m, forbidden, scratch):
    """What the curve between two links takes off each of them, in metres; -1 if it doesn't fit or is too steep.

    ``start_loss`` is what the curve at the start of the first one takes off that.
    """
    # An old formation has its own curves, and joins are not designed here.
    if links.of[e].code == OLD or links.of[f].code == OLD:
        return 0.0
    z, offsets = ground.grid, states.offset_m
    east_e, south_e, metres_e, rise_e, inner_e = _step_of(z, nodes.node_of, offsets, loops, links, e, p)
    east_f, south_f, metres_f, rise_f, inner_f = _step_of(z, nodes.node_of, offsets, loops, links, f, p)
    # tan(theta / 2) = sin / (1 + cos) needs no angle. The denominator vanishes where the line turns right back.
    cross = abs(east_e * south_f - south_e * east_f)
    whole = metres_e * metres_f + east_e * east_f + south_e * south_f
    if whole <= 1e-9 * metres_e * metres_f:
        return -1.0
    tan_half = cross / whole
    # Each link lends at most half of itself to the curve at either end, so that neighbouring curves never overlap.
    if radius * tan_half > 0.5 * min(metres_e, metres_f):
        return -1.0
    loss = curve_loss(tan_half, radius) if tan_half > 1e-9 else 0.0
    # A curve cuts the corner and the rise stays, so that the grade is tested over what is left. What the next bend
    # takes off the second link isn't known yet; that bend tests it.
    left = metres_e - (inner_e if links.of[e].code > 0 else start_loss) - loss
    following = metres_f - inner_f - loss
    if rise_e > states.up * left or -rise_e > states.down * left:
        return -1.0
    if rise_f > states.up * following or -rise_f > states.down * following:
        return -1.0
    in_east, in_south = east_e / metres_e, south_e / metres_e
    out_east, out_south = east_f / metres_f, south_f / metres_f
    v = np.int64(links.of[e].target)
    if _is_forbidden(forbidden, v, in_east, in_south, out_east, out_south):
        return -1.0
    node, cols = nodes.node_of[v // offsets.shape[0]], z.shape[1]
    # The curve keeps within a tangent's length of its vertex: beyond that and a cell it can meet nothing forbidden.
    if clear_m.shape[0] > 0 and loss > 0.0 and clear_m[node] <= radius * tan_half + max(p[DX], p[DY]):
        r, c = node // cols, node % cols
        if not _curve_fits(
            ground, float(r), float(c), z[r, c] + offsets[v % offsets.shape[0]], in_east, in_south, out_east, out_south,
            radius, tan_half, rise_e / left, rise_f / following, p, scratch,
        ):  # fmt: skip
            return -1.0
    return loss


@pasted
def binding_loss(ground, nodes, loops, states, p, radius, links, f, loss):
    """What of the loss at its start a bend at the end of a link has to know: 0 where no bend there is too much."""
    binding = 0.0
    # Of a link with full circles the straights before and after them are tested apart.
    if loss > 0.0 and links.of[f].code == 0:
        _, _, metres, rise, _ = _step_of(ground.grid, nodes.node_of, states.offset_m, loops, links, f, p)
        # Tangents take half of the link at most. The margin is for arcs that are drawn in whole chords.
        left = metres - loss - 1.001 * curve_loss(0.5 * metres / radius, radius) - 0.01
        if rise > states.up * left or -rise > states.down * left:
            binding = loss
    return binding
