"""Pictures of the search for a new line, on made-up ground."""

from __future__ import annotations

from functools import cache

import numpy as np
from affine import Affine
from matplotlib.figure import Figure

from corridor.alignment.align import align, sweep_grade
from corridor.alignment.chords import bench_surcharge
from corridor.alignment.links import SearchOptions
from corridor.alignment.primed import node_cost_through, search_both_ways
from corridor.alignment.problem import AlignmentProblem, build_terrain, find_standard, unit_costs
from corridor.alignment.search import build_problem, state_points, trace_states
from corridor.files import data_root
from corridor.io.read.catalogue import load_catalogue
from corridor.schema.alignment import Alignment, PriceRange, UnitCosts
from corridor.schema.fields import Grid
from docs.tools.drawings.sheet import BLUE, GREEN, GREY, GROUND, ORANGE, RED, sheet

CELL_M = 250.0
COSTS = UnitCosts(PriceRange(3, 5, 8), PriceRange(15, 25, 40), PriceRange(33, 47, 60))
_COLOURS = {"surface": BLUE, "bridge": GREEN, "tunnel": RED}


@cache
def made_up_ground() -> tuple[np.ndarray, Grid]:
    """A ridge of 900 m between two plains, with a saddle in the north and a valley before it; (rows, cols), metres."""
    y, x = np.mgrid[0:36, 0:110] * CELL_M / 1000
    ridge = 900 * np.exp(-(((x - 17) / 3.0) ** 2)) * (1 - 0.45 * np.exp(-(((y - 2.5) / 1.5) ** 2)))
    valley = -70 * np.exp(-(((x - 7) / 0.35) ** 2))
    ripples = 12 * np.sin(x * 2.1) * np.cos(y * 1.7)
    return 300 + ridge + valley + ripples, Grid("EPSG:32638", Affine(CELL_M, 0, 0, 0, -CELL_M, 36 * CELL_M), (36, 110))


ENDS = ((1000.0, 5000.0), (26_500.0, 5000.0))
ON_THE_GROUND = SearchOptions(offsets_m=(0.0,), directions=32)


@cache
def _line() -> Alignment:
    heights, grid = made_up_ground()
    return align(heights, grid, *ENDS, find_standard("rail-25"), COSTS, ON_THE_GROUND)


def draw_new_line() -> Figure:
    """A line found on the made-up ground, from the side and from above."""
    line = _line()
    heights, grid = made_up_ground()
    figure, (side, above) = sheet(8, 4.6, nrows=2)
    km = line.chainage_m / 1000
    side.fill_between(km, line.ground_m, color=GROUND)
    side.plot(km, line.line[:, 2], color=BLUE, linewidth=1.8)
    west, south, east, north = (v / 1000 for v in grid.bounds)
    above.contourf(heights, levels=14, cmap="YlOrBr", alpha=0.7, extent=(west, east, north, south))
    above.plot(line.line[:, 0] / 1000, line.line[:, 1] / 1000, color=BLUE, linewidth=1.8)
    for structure in line.structures:
        inside = (line.chainage_m >= structure.from_m) & (line.chainage_m <= structure.to_m)
        for axes, x, y in ((side, km, line.line[:, 2]), (above, line.line[:, 0] / 1000, line.line[:, 1] / 1000)):
            axes.plot(x[inside], y[inside], color=_COLOURS[structure.kind], linewidth=4)
    for kind, colour in _COLOURS.items():
        side.plot([], [], color=colour, linewidth=4, label={"surface": "open line"}.get(kind, kind))
    side.set_title(
        f"{line.length_km:.1f} km, {line.tunnel_km:.1f} in tunnels, {line.bridge_km:.1f} on bridges, "
        f"steepest {line.max_grade_pct:.2f} %, tightest curve {line.min_radius_m:.0f} m, "
        f"{line.price.total_musd:.0f} million USD",
        fontsize=10,
    )
    side.set(ylabel="m", xlim=(0, km[-1]), ylim=(150, None))
    side.legend(loc="upper right")
    above.set(xlabel="km", ylabel="km", aspect="equal", xlim=(west, east), ylim=(south, north))
    return figure


def draw_kinds() -> Figure:
    """Price of a kilometre of railway by how deep it lies, on level ground and along a steep hillside."""
    standard = find_standard("rail-18")
    costs = unit_costs(load_catalogue(data_root() / "reference").unit_costs, "rail")
    depth, cross_slope = np.linspace(-60, 60, 481), 0.8
    doubles = np.where(depth > 0, standard.cut_doubles_m, standard.fill_doubles_m)
    level = 1 + (depth / doubles) ** 2
    steep, wall_per_x = bench_surcharge(standard, costs)
    on_bench = level + steep + wall_per_x * ((cross_slope / standard.cross_slope_doubles) ** 2 - steep)
    height = np.clip(-depth, 0, None)
    at_reference = 1 + standard.bridge_reference_m / standard.bridge_doubles_m
    allowed = (depth <= standard.max_cut_m) & (depth >= -standard.max_fill_m)
    curves = [
        ("open line, level ground", costs.surface.mid * level, allowed, BLUE),
        (f"bench with walls, cross-slope {cross_slope:g}", costs.surface.mid * on_bench, allowed, ORANGE),
        ("gallery", costs.gallery.mid, (depth >= 0) & (depth <= standard.min_tunnel_depth_m), "#7b3294"),
        ("half-bridge", costs.half_bridge.mid, (depth < 0) & (height <= standard.min_bridge_height_m), "#56b4e9"),
        (
            "bridge",
            costs.bridge.mid * (1 + height / standard.bridge_doubles_m) / at_reference,
            height >= standard.min_bridge_height_m,
            GREEN,
        ),
        ("tunnel", costs.tunnel.mid, depth >= standard.min_tunnel_depth_m, RED),
    ]
    figure, axes = sheet(8, 3.4)
    for label, price, where, ink in curves:
        axes.plot(depth, np.where(where, price, np.nan), color=ink, linewidth=1.8, label=label)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set(xlabel="m above the ground (negative)  or below it (positive)", ylabel="million USD per km", ylim=(0, 70))
    axes.legend(loc="upper left", fontsize=8, ncols=2)
    return figure


def draw_near_optimal() -> Figure:
    """Ground that a line within 10 % of the cheapest can pass, where two valleys cost nearly the same."""
    y, x = np.mgrid[0:40, 0:88] * CELL_M / 1000
    walls = 500 * np.exp(-(((x - 11) / 4.0) ** 2))
    gap = np.maximum(np.exp(-(((y - 2) / 0.9) ** 2)), np.exp(-(((y - 8) / 0.9) ** 2)))
    heights = 200 + walls * (1 - 0.9 * gap)
    grid = Grid("EPSG:32638", Affine(CELL_M, 0, 0, 0, -CELL_M, 40 * CELL_M), heights.shape)
    terrain = build_terrain(heights, grid)
    options = SearchOptions(offsets_m=(0.0,), directions=32, narrowing=(), turns=False)
    problem = build_problem(terrain.ground, (20, 3), (20, 84), find_standard("rail-18"), COSTS, options)
    forward, backward = search_both_ways(problem, 1.1)
    through = node_cost_through(problem, forward, backward)
    near = np.where(through <= 1.1 * forward.cost_musd, through / forward.cost_musd, np.nan)
    figure, axes = sheet(8, 3.6)
    km = (0, 88 * CELL_M / 1000, 40 * CELL_M / 1000, 0)
    axes.imshow(heights, cmap="Greys", alpha=0.5, extent=km)
    picture = axes.imshow(near, cmap="viridis_r", extent=km, vmin=1, vmax=1.1)
    best = state_points(problem, trace_states(problem, forward)) * CELL_M / 1000
    axes.plot(best[:, 1], best[:, 0], color=RED, linewidth=2, label="the cheapest line")
    axes.legend(loc="lower right")
    axes.set(xlabel="km", ylabel="km")
    figure.colorbar(picture, ax=axes, label="price of the best line through here,\nshare of the cheapest", shrink=0.8)
    return figure


def draw_tradeoff() -> Figure:
    """Price and tunnel length against the ruling grade."""
    heights, grid = made_up_ground()
    grades = (1.0, 1.2, 1.5, 1.8, 2.5, 3.0, 4.0)
    asked = AlignmentProblem(build_terrain(heights, grid), *ENDS, find_standard("rail-18"), COSTS, ON_THE_GROUND)
    points = sweep_grade(asked, grades)
    rows = [point.as_row() for point in points if point.alignment is not None]
    grade = [row["value"] for row in rows]
    figure, axes = sheet(7.5, 3.3)
    axes.fill_between(
        grade, [r["cost_musd_low"] for r in rows], [r["cost_musd_high"] for r in rows], color=BLUE, alpha=0.15
    )
    axes.plot(grade, [r["cost_musd_mid"] for r in rows], "o-", color=BLUE)
    axes.set_xlabel("ruling grade, %")
    axes.set_ylabel("million USD (range shaded)", color=BLUE)
    tunnels = axes.twinx()
    tunnels.plot(grade, [r["tunnel_km"] for r in rows], "s--", color=ORANGE)
    tunnels.set_ylabel("km in tunnels", color=RED)
    tunnels.set_ylim(0, None)
    return figure


def draw_bend() -> Figure:
    """The tangents of a curve have to fit into half of the shorter link."""
    figure, axes = sheet(7, 2.9)
    radius, theta = 4.0, np.radians(50)
    tangent = radius * np.tan(theta / 2)
    start, corner = np.array([-9.0, 0.0]), np.zeros(2)
    out = np.array([np.cos(theta), np.sin(theta)])
    end = corner + 6.5 * out
    axes.plot(*np.array([start, corner, end]).T, color=GREY, linewidth=1.5)
    centre = np.array([-tangent, radius])
    angle = np.linspace(-np.pi / 2, -np.pi / 2 + theta, 40)
    axes.plot(centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle), color=BLUE, linewidth=3)
    for point in (np.array([-tangent, 0.0]), tangent * out):
        axes.plot(*np.array([centre, point]).T, color=GREY, linewidth=0.8, linestyle=":")
        axes.plot(*point, "o", color=BLUE)
    axes.plot(*centre, "+", color=GREY)
    axes.annotate("T = R tan(θ/2)", (-tangent * 0.98, -0.85), color=BLUE)
    axes.annotate("R", centre + np.array([-0.45, -2.0]))
    axes.annotate("θ", (0.8, 0.25))
    axes.plot([0, 3], [0, 0], color=GREY, linestyle=":", linewidth=1)
    for point in (start, corner, end):
        axes.plot(*point, "s", color=GREY, markersize=5)
    axes.plot(*(corner + end) / 2, "|", color=RED, markersize=16)
    axes.annotate(
        "half of the shorter link:\nT must not reach beyond", (corner + end) / 2 + np.array([0.5, -0.6]), color=RED
    )
    axes.set(aspect="equal", xlim=(-9.5, 9), ylim=(-1.2, 5.4))
    axes.set_axis_off()
    return figure


DRAWINGS = {
    "new-line": draw_new_line,
    "kinds": draw_kinds,
    "near-optimal": draw_near_optimal,
    "tradeoff": draw_tradeoff,
    "bend": draw_bend,
}
