"""An explicit graph of every allowed link, solved by scipy: slow, plain, and nothing of the search in it."""

from __future__ import annotations

import math
from itertools import pairwise, product

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from corridor.alignment.chords import new_scratch, pack_parameters, walk_chord
from corridor.alignment.links import ground_heights


def exact_chord(ground, standard, costs, a, b):
    """Costs (3 x 3, from kind to kind) of a chord in plain Python, cut at all crossings, thresholds and roots."""
    (r0, c0, h0), (r1, c1, h1) = a, b
    dr, dc = r1 - r0, c1 - c0
    ts = {0.0, 1.0}
    for start, step in ((r0, dr), (c0, dc), (r0 + c0, dr + dc), (r0 - c0, dr - dc)):
        if step:
            low, high = sorted((start, start + step))
            ts |= {(n - start) / step for n in range(math.ceil(low), math.floor(high) + 1)}
    ts = sorted(t for t in ts if 0 <= t <= 1)
    metres = math.hypot(dr * ground.dy_m, dc * ground.dx_m)

    from corridor.alignment.links import cross_slopes, ground_heights

    steep2, s = standard.bench_cross_slope**2, costs.surface.mid

    def surcharge(squared):
        if costs.retaining_wall is None:
            return squared / standard.cross_slope_doubles**2
        walls = [costs.retaining_wall.mid / s * (q - steep2) if q > steep2 else 0.0 for q in squared]
        return np.minimum(squared, steep2) / standard.cross_slope_doubles**2 + np.array(walls)

    def at(t):
        r, c = np.array([r0 + t * dr]), np.array([c0 + t * dc])
        depth = float(ground_heights(ground, r, c)[0]) - (h0 + t * (h1 - h0))
        return depth, float(cross_slopes(ground, r, c, np.array([dr]), np.array([dc]), surcharge)[0])

    walls_from = math.inf if costs.retaining_wall is None else steep2 / standard.cross_slope_doubles**2
    flat_bridge = costs.bridge.mid / (1 + standard.bridge_reference_m / standard.bridge_doubles_m)
    per_height = flat_bridge / standard.bridge_doubles_m
    # Prices per km that open line may be as dear as: doubling depth, price at no depth, and what each metre takes off.
    others = [
        (standard.cut_doubles_m, costs.tunnel.mid, 0.0),
        (standard.fill_doubles_m, flat_bridge, per_height),
        *((standard.cut_doubles_m, c.mid, 0.0) for c in (costs.gallery,) if c),
        *((standard.fill_doubles_m, c.mid, 0.0) for c in (costs.half_bridge,) if c),
    ]

    ab, po = costs.abutment.mid, costs.portal.mid
    change = np.array([[0, ab, po], [ab, 0, ab + po], [po, ab + po, 0]])
    total = np.where(np.eye(3, dtype=bool), 0.0, np.inf)
    marks = [
        standard.max_cut_m, -standard.max_fill_m, -standard.min_bridge_height_m, -standard.max_bridge_height_m,
        standard.min_tunnel_depth_m, 0.0,
    ]  # fmt: skip
    for ta, tb in pairwise(ts):
        if tb - ta < 1e-13:
            continue
        (da, xa), (db, xb) = at(ta), at(tb)
        cuts = {0.0, 1.0} | {(m - da) / (db - da) for m in marks if db != da}
        if math.isfinite(walls_from) and xa != xb:
            cuts.add((walls_from - xa) / (xb - xa))
        for double, price, less in others:
            e = db - da
            poly = [
                s * e * e / double**2,
                s * (2 * da * e / double**2 + xb - xa) + less * e,
                s * (1 + xa + da * da / double**2) - price + less * da,
            ]
            cuts |= {float(z.real) for z in np.roots(np.trim_zeros(poly, "f")) if abs(z.imag) < 1e-12}
        cuts = sorted(t for t in cuts if 0 <= t <= 1)
        for u, v in pairwise(cuts):
            d0, d1 = da + u * (db - da), da + v * (db - da)
            x = xa + 0.5 * (u + v) * (xb - xa)
            middle, length = (d0 + d1) / 2, metres * (tb - ta) * (v - u)
            if length <= 0:
                continue
            double = standard.cut_doubles_m if middle > 0 else standard.fill_doubles_m
            work = (d0 * d0 + d0 * d1 + d1 * d1) / 3 / double**2
            add = np.full(3, np.inf)
            if -standard.max_fill_m <= middle <= standard.max_cut_m:
                ways = [s * (1 + x + work)]
                if x > walls_from and costs.gallery and 0 <= middle <= standard.min_tunnel_depth_m:
                    ways.append(costs.gallery.mid)
                if x > walls_from and costs.half_bridge and -standard.min_bridge_height_m <= middle < 0:
                    ways.append(costs.half_bridge.mid)
                add[0] = min(ways) * length / 1000
            if standard.min_bridge_height_m <= -middle <= standard.max_bridge_height_m:
                add[1] = (flat_bridge - per_height * middle) * length / 1000
            if middle >= standard.min_tunnel_depth_m:
                add[2] = costs.tunnel.mid * length / 1000
            total = (total[:, :, None] + change[None]).min(axis=1) + add
    return (total[:, :, None] + change[None]).min(axis=1)


def drawn_lengths(problem, a, b, turns):
    """Metres of a chord with circles as it is drawn, and of one circle."""
    g = problem.ground
    radius = problem.options.spiral_radius_m or problem.standard.min_radius_m
    metres = math.hypot((b[0] - a[0]) * g.dy_m, (b[1] - a[1]) * g.dx_m)
    circle = 24 * 16 * radius * math.sin(math.pi / 24 / 8)
    return metres + turns * circle, circle


def loop_points(problem, a, b, turns, side):
    """Ends and corners (row, column, height) of a chord with circles: touching sides, laid out in the complex plane.

    ``side`` 1 turns left, -1 right. Heights follow the length of the true circle as it is drawn, by chords of two
    degrees at most.
    """
    (r0, c0, h0), (r1, c1, h1), g, n = a, b, problem.ground, 24
    radius = problem.options.spiral_radius_m or problem.standard.min_radius_m
    start, end = complex(c0 * g.dx_m, -r0 * g.dy_m), complex(c1 * g.dx_m, -r1 * g.dy_m)
    ahead, metres = (end - start) / abs(end - start), abs(end - start)
    tangent, arc = radius * math.tan(math.pi / n), 16 * radius * math.sin(math.pi / n / 8)
    drawn, _ = drawn_lengths(problem, a, b, turns)
    at, along, points = (start + end) / 2 + tangent * ahead, metres / 2 + arc / 2, [a]
    for _ in range(turns * n):
        points.append((-at.imag / g.dy_m, at.real / g.dx_m, h0 + (h1 - h0) * along / drawn))
        ahead *= complex(math.cos(2 * math.pi / n), side * math.sin(2 * math.pi / n))
        at, along = at + 2 * tangent * ahead, along + arc
    return [*points, b]


def may_wind(problem, rise, drawn, circle):
    """Whether the grade of a chord with circles keeps the limits, less the curve's resistance, and clears itself."""
    design = problem.standard
    eased = design.curve_resistance_permille_m / (problem.options.spiral_radius_m or design.min_radius_m)
    up, down = (10 * grade - eased for grade in (design.max_grade_up_pct, design.max_grade_down_pct))
    return -down <= 1000 * rise / drawn <= up and abs(rise) * circle / drawn >= 10.0


def self_crossings(problem, a, b, turns):
    """Price of what carries a chord's circles over their own start: a bridge or a roof, unless one is there anyway."""
    g, design, prices = problem.ground, problem.standard, problem.costs
    middle = (np.array(a) + np.array(b)) / 2
    ground = float(ground_heights(g, middle[:1], middle[1:2])[0])
    drawn, circle = drawn_lengths(problem, a, b, turns)
    rise = (b[2] - a[2]) * circle / drawn
    passes = sorted(a[2] + (b[2] - a[2]) * (drawn - turns * circle) / drawn / 2 + rise * n for n in range(turns + 1))
    radius = problem.options.spiral_radius_m or design.min_radius_m
    km = 2 * math.sqrt(2 * radius * 7.0) / 1000

    def bridge(height):
        return prices.bridge.mid * (1 + height / design.bridge_doubles_m) / (1 + 30 / design.bridge_doubles_m)

    total = 0.0
    for low, high in pairwise(passes):
        cut, fill = ground - low, high - ground
        in_cut = prices.surface.mid * (1 + (cut / design.cut_doubles_m) ** 2)
        on_fill = prices.surface.mid * (1 + (fill / design.fill_doubles_m) ** 2)
        bored = cut >= design.min_tunnel_depth_m and (cut > design.max_cut_m or in_cut >= prices.tunnel.mid)
        spanned = fill >= design.min_bridge_height_m and (fill > design.max_fill_m or on_fill >= bridge(fill))
        if not (bored or spanned):
            deck = km * bridge(abs(rise)) + 2 * prices.abutment.mid
            total += min(deck, km * prices.tunnel.mid + 2 * prices.portal.mid)
    return total


def explicit_cost(problem, exact=False):
    """Cheapest cost from start to end over the full link graph, and that of the way back over turned links."""
    p, g = problem, problem.ground
    rows, cols = g.shape
    n, lv = rows * cols, p.levels
    k = len(lv.kind)
    moves = {tuple(int(v) for v in m) for m in p.moves}
    par = pack_parameters(g, p.standard, p.costs)
    up, down = p.standard.max_grade_up_pct / 100, p.standard.max_grade_down_pct / 100
    offsets = sorted(set(lv.offset_m.tolist()))
    # Asked for every link: states by their height over the ground, numbers and arrays are made once.
    states = {
        offset: [(i, int(lv.kind[i])) for i in map(int, np.flatnonzero(lv.offset_m == offset))] for offset in offsets
    }
    src, dst, val, z = [], [], [], g.z.tolist()
    scratch, arrays, from_kind = new_scratch(), g.arrays, np.where(np.eye(3, dtype=bool), 0.0, np.inf)

    def usable(r, c):
        return not (g.mask.size and g.mask[r, c] & 7 == 7)

    def chord(a, b):
        if exact:
            return exact_chord(g, p.standard, p.costs, a, b)
        out = from_kind.copy()
        for cost in out:
            if walk_chord(arrays, *a, *b, par, cost, np.inf, scratch, scratch.no_trace, 0, 0.0) < 0:
                cost[:] = np.inf
        return out

    def wind(a, b, turns, side):
        closed = np.full((3, 3), np.inf)
        if not may_wind(p, b[2] - a[2], *drawn_lengths(p, a, b, turns)):
            return closed
        points = loop_points(p, a, b, turns, side)
        if not all(0 <= r <= rows - 1 and 0 <= c <= cols - 1 for r, c, _ in points):
            return closed
        total = np.where(np.eye(3, dtype=bool), 0.0, np.inf)
        for u, v in pairwise(points):
            total = (total[:, :, None] + chord(u, v)[None]).min(axis=1)
        return total + self_crossings(p, a, b, turns)

    radius = p.options.spiral_radius_m or p.standard.min_radius_m
    least = max(math.ceil(2 * radius * math.tan(math.pi / 24) / min(g.dx_m, g.dy_m)), 1)
    knight = [(i, j) for i in (-2, -1, 0, 1, 2) for j in (-2, -1, 0, 1, 2) if math.gcd(i, j) == 1]
    spread = {(m * least * i, m * least * j) for m in (1, 2, 4) for i, j in knight} if p.options.spirals else set()
    limit = np.inf if p.options.max_direct_km is None else p.options.max_direct_km * 1000
    for r in range(rows):
        for c in range(cols):
            if not usable(r, c):
                continue
            steps = {(r + a, c + b) for a, b in moves}
            if (r, c) == p.start:
                steps |= {(i, j) for i in range(rows) for j in range(cols)}
            steps |= {p.goal}
            for (i, j), oa, ob in product({(r + a, c + b) for a, b in spread}, offsets, offsets):
                if not (0 <= i < rows and 0 <= j < cols) or not usable(i, j):
                    continue
                a, b = (float(r), float(c), g.z[r, c] + oa), (float(i), float(j), g.z[i, j] + ob)
                tables = [wind(a, b, n + 1, side) for n in range(p.options.spirals) for side in (1, -1)]
                for (s, from_), (t, to) in product(states[oa], states[ob]):
                    src.append((r * cols + c) * k + s)
                    dst.append((i * cols + j) * k + t)
                    val.append(min(table[from_, to] for table in tables))
            for i, j in steps:
                if not (0 <= i < rows and 0 <= j < cols) or (i, j) == (r, c) or not usable(i, j):
                    continue
                length = math.hypot((i - r) * g.dy_m, (j - c) * g.dx_m)
                regular = (i - r, j - c) in moves
                if not regular and length > limit:
                    continue
                for oa in offsets:
                    if not regular and (i, j) != p.goal and oa != 0:
                        continue
                    for ob in offsets:
                        if not regular and (i, j) == p.goal and (r, c) != p.start and ob != 0:
                            continue
                        ha, hb = z[r][c] + oa, z[i][j] + ob
                        if hb - ha > up * length or ha - hb > down * length:
                            continue
                        table = chord((float(r), float(c), ha), (float(i), float(j), hb)).tolist()
                        for s, from_ in states[oa]:
                            direct_ok = regular or (i, j) == p.goal or (from_ == 0 and oa == 0)
                            direct_ok &= regular or (i, j) != p.goal or ob == 0 or (r, c) == p.start
                            for t, to in states[ob] if direct_ok else ():
                                src.append((r * cols + c) * k + s)
                                dst.append((i * cols + j) * k + t)
                                val.append(table[from_][to])
    # Parallel links: keep the cheapest, which a sparse matrix would otherwise add up.
    best = {}
    for a, b, v in zip(src, dst, val, strict=True):
        if np.isfinite(v):
            best[a, b] = min(v, best.get((a, b), np.inf))
    keys = np.array(list(best)).reshape(-1, 2)
    matrix = coo_matrix((np.array(list(best.values())), (keys[:, 0], keys[:, 1])), shape=(n * k, n * k)).tocsr()
    a = (p.start[0] * cols + p.start[1]) * k + lv.terminal
    b = (p.goal[0] * cols + p.goal[1]) * k + lv.terminal
    return float(dijkstra(matrix, indices=a)[b])
