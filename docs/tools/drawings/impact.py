"""Pictures of what a route does to everyone else."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from matplotlib.figure import Figure

from corridor.metrics.border import BorderGround
from corridor.metrics.severance import measure_severance
from docs.tools.drawings.sheet import BLUE, GREEN, GREY, GROUND, ORANGE, RED, SKY, sheet


def draw_crossings() -> Figure:
    """Four ways in which a route and a road can meet."""
    figure, panels = sheet(9, 2.9, ncols=4)
    titles = ("meets, nothing mapped:\nat grade (assumed)", "meets on a bridge:\nseparated",
              "runs on the road:\nsame line", "runs beside the road:\nbeside")  # fmt: skip
    for axes, title in zip(panels, titles, strict=True):
        axes.set(xlim=(0, 10), ylim=(0, 10), aspect="equal")
        axes.set_axis_off()
        axes.set_title(title, fontsize=9)
    level, bridge, same, beside = panels
    for axes in (level, bridge):
        axes.plot([0, 10], [5, 5], color=BLUE, linewidth=4)
        axes.plot([5, 5], [0, 10], color=GREY, linewidth=3)
    level.plot(5, 5, "s", color=RED, markersize=11)
    level.annotate("gate", (5, 5), (6, 6.6), color=RED, arrowprops={"arrowstyle": "-", "color": RED})
    bridge.plot([5, 5], [3.4, 6.6], color="white", linewidth=9)
    bridge.plot([5, 5], [3.4, 6.6], color=GREEN, linewidth=4)
    bridge.annotate("bridge: left alone\nby every regime", (5.3, 6), (5.6, 7.4), color=GREEN, fontsize=8)
    same.plot([0, 10], [5, 5], color=BLUE, linewidth=4)
    same.plot([2, 8], [5, 5], color=GREY, linewidth=9, alpha=0.5)
    same.plot([2, 2], [5, 9], color=GREY, linewidth=3)
    same.plot([8, 8], [1, 5], color=GREY, linewidth=3)
    same.annotate("can be cut", (5, 5.3), (3.4, 6.3), color=RED)
    beside.plot([0, 10], [5, 5], color=BLUE, linewidth=4)
    beside.plot([0, 10], [6.4, 6.4], color=GREY, linewidth=3)
    beside.annotate("15, 30 or 60 m,\nunder 20°, 200 m or more", (1, 7), fontsize=8)
    beside.annotate("an interval, never cut", (1, 3.2), color=GREEN, fontsize=9)
    for axes in panels:
        axes.annotate("route", (0.1, 4.0), color=BLUE, fontsize=8)
    return figure


def draw_gate() -> Figure:
    """Why a crossing is cut at the point and not along the whole road."""
    figure, panels = sheet(8, 2.4, ncols=2)
    for axes, title in zip(
        panels, ("cutting the edge: both villages lose the road", "cutting at the gate: only what crosses is cut"),
        strict=True,
    ):  # fmt: skip
        axes.set(xlim=(0, 20), ylim=(0, 8))
        axes.set_axis_off()
        axes.set_title(title, fontsize=10)
        axes.plot([10, 10], [0, 8], color=BLUE, linewidth=4)
        for x, name in ((1, "town"), (6, "village"), (14, "village"), (19, "town")):
            axes.plot(x, 4, "o", color=GREY, markersize=9 if name == "town" else 6)
            axes.annotate(name, (x, 4.8), ha="center", fontsize=8)
    whole, gate = panels
    whole.plot([1, 19], [4, 4], color=RED, linewidth=2, linestyle=":")
    gate.plot([1, 9.6], [4, 4], color=GREY, linewidth=3)
    gate.plot([10.4, 19], [4, 4], color=GREY, linewidth=3)
    gate.plot(10, 4, "s", color=RED, markersize=10)
    return figure


def toy_country() -> tuple[BorderGround, shapely.LineString]:
    """A country of 40 by 20 km with its border in the south, and a route that leaves and rejoins that border."""
    x = np.linspace(0, 40_000, 81)
    south = np.column_stack([x, 1500 * np.sin(x / 5000)])
    border = shapely.LineString(south)
    rest = shapely.LineString([south[-1], (40_000, 20_000), (0, 20_000), south[0]])
    polygon = shapely.Polygon([*south, (40_000, 20_000), (0, 20_000)])
    ground = BorderGround("AA", "BB", polygon, border, rest, shapely.Point(20_000, 17_000), "EPSG:32638", 1.0)
    route = shapely.LineString([(-1000, 5500), (6000, 5000), (14e3, 7000), (20e3, 3500), (30e3, 6500), (41e3, 4000)])
    return ground, route


def draw_strip() -> Figure:
    """What lies between a closed route and the border, found by cutting the country into faces."""
    ground, route = toy_country()
    strip = measure_severance(ground, [route])
    figure, axes = sheet(8, 3.4)
    _fill(axes, ground.polygon, GROUND, 0.35)
    _fill(axes, strip.faces, ORANGE, 0.55)
    axes.plot(*shapely.get_coordinates(ground.line).T, color=RED, linewidth=2.5)
    axes.plot(*shapely.get_coordinates(route).T, color=BLUE, linewidth=3)
    axes.plot(20_000, 17_000, "*", color=GREY, markersize=14)
    axes.annotate("capital: its face is open", (20_800, 16_600))
    axes.annotate("route, closed", (600, 6300), color=BLUE)
    axes.annotate("border", (33_500, -2300), color=RED)
    axes.annotate(f"strip: {strip.area_km2:.0f} km²,\n{strip.behind_share:.0%} of the border behind it", (13_000, 2200))
    axes.set(aspect="equal", xlim=(-2500, 42_500), ylim=(-3200, 20_800))
    axes.set_axis_off()
    return figure


def draw_disjoint() -> Figure:
    """Routes that share no road, and what a single bridge does to their number."""
    figure, axes = sheet(8, 2.6)
    ways = {GREEN: [(4, 4), (8, 6.5), (14, 6.5), (18, 4)], SKY: [(4, 4), (8, 1.5), (14, 1.5), (18, 4)]}
    for colour, points in ways.items():
        axes.plot(*np.array(points).T, color=colour, linewidth=4)
    axes.plot([0, 4], [4, 4], color=RED, linewidth=4)
    axes.plot([18, 22], [4, 4], color=GREY, linewidth=4)
    for x, y, name in ((0, 4, "border"), (4, 4, "A"), (18, 4, "B"), (22, 4, "capital")):
        axes.plot(x, y, "o", color="white", markeredgecolor=GREY, markersize=16, zorder=3)
        axes.annotate(name, (x, y), ha="center", va="center", fontsize=8 if len(name) < 2 else 7, zorder=4,
                      xytext=(x, y if len(name) < 2 else y - 1.5))  # fmt: skip
    axes.annotate("A to B: 2 disjoint routes", (11, 4), ha="center")
    axes.annotate("one bridge: 1 route,\na single point", (2, 4.7), ha="center", color=RED, fontsize=8)
    axes.annotate("whole way: 1", (20, 4.7), ha="center", fontsize=8)
    axes.set(xlim=(-1.5, 23.5), ylim=(0, 8))
    axes.set_axis_off()
    return figure


def _fill(axes: Any, shape: shapely.Geometry, colour: str, alpha: float) -> None:
    for piece in shapely.get_parts(shape):
        axes.fill(*shapely.get_coordinates(shapely.get_exterior_ring(piece)).T, color=colour, alpha=alpha, linewidth=0)


DRAWINGS = {"crossings": draw_crossings, "gate": draw_gate, "strip": draw_strip, "disjoint": draw_disjoint}
