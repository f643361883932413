"""Pictures of heights along a line."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.figure import Figure

from corridor.network.speeds import climbing_speed_kmh
from corridor.pipeline.comparing import open_run
from corridor.pipeline.graph import Run
from corridor.schema.profile import Profile
from corridor.schema.study import Study
from corridor.terrain.profile import climbs_m, turning_points
from corridor.terrain.uncertainty import draw_errors
from docs.tools.drawings.sheet import BLUE, GREY, GROUND, ORANGE, RED, sheet


@cache
def _bundled() -> Run:
    return open_run(Study.bundled("syunik"))


def _profile(name: str) -> Profile:
    found: Profile = _bundled()["profiles"][name]
    return found


def draw_hysteresis() -> Figure:
    """A made-up hill with noise: what is counted as climbing with and without a threshold."""
    rng = np.random.default_rng(4)
    km = np.linspace(0, 30, 301)
    true = 400 + 350 * np.exp(-(((km - 10) / 5) ** 2)) + 180 * np.exp(-(((km - 22) / 3) ** 2))
    seen = true + 18.6 * np.convolve(rng.standard_normal(307), np.ones(7) / np.sqrt(7), "valid")
    threshold = 3 * 18.6
    figure, axes = sheet()
    axes.plot(km, seen, color=GREY, linewidth=0.9, label="heights with an error of 18.6 m")
    axes.plot(km, true, color=BLUE, linewidth=2, label="the hill")
    points = turning_points(seen, threshold)
    axes.plot(km[points], seen[points], "o-", color=RED, linewidth=1.2, label="turning points that count")
    every = float(np.clip(np.diff(seen), 0, None).sum())
    axes.set_title(
        f"Ascent of the hill {climbs_m(true, 0.0)[0]:.0f} m; every rise summed {every:.0f} m; "
        f"swings over {threshold:.0f} m only {climbs_m(seen, threshold)[0]:.0f} m",
        fontsize=10,
    )  # fmt: skip
    axes.set(xlabel="km", ylabel="m")
    axes.legend(loc="upper right")
    return figure


def draw_laid_line() -> Figure:
    """A route of the bundled study on its elevation model: ground, line, tunnels."""
    profile = _profile("kapan-meghri-tunnel")
    figure, axes = sheet()
    axes.fill_between(profile.chainage_km, profile.ground_m, color=GROUND, label="ground, 30 arc-seconds")
    axes.plot(profile.chainage_km, profile.height_m, color=BLUE, linewidth=1.8, label="the route")
    for span in profile.spans:
        if span.kind == "tunnel":
            inside = (profile.chainage_km >= span.from_km) & (profile.chainage_km <= span.to_km)
            axes.plot(profile.chainage_km[inside], profile.height_m[inside], color=RED, linewidth=3.5)
    axes.plot([], [], color=RED, linewidth=3.5, label="tunnels")
    axes.set(xlabel="km from Horadiz", ylabel="m", ylim=(0, None), xlim=(0, profile.chainage_km[-1]))
    axes.legend(loc="upper left")
    return figure


def draw_error_draws() -> Figure:
    """Draws of the elevation model's error, and the ascents of one route on them."""
    run = _bundled()
    figure, axes = sheet(8, 2.9, ncols=3)
    for where, field in zip(axes, draw_errors(run["dem"], 3, run["elevation"].seed), strict=True):
        picture = where.imshow(field.values_m[100:170, 200:290], cmap="RdBu", vmin=-60, vmax=60, interpolation="none")
        where.set_axis_off()
    figure.colorbar(picture, ax=axes, shrink=0.7, label="error of the heights, m")
    return figure


def draw_truck_speed() -> Figure:
    """Speed of a loaded truck by grade."""
    grade = np.linspace(0, 12, 121)
    figure, axes = sheet(7, 3)
    axes.plot(grade, climbing_speed_kmh(grade / 100), color=BLUE, linewidth=2, label="the engine's limit")
    for road_class, speed, colour in (("trunk, 65 km/h", 65, ORANGE), ("secondary, 45 km/h", 45, GREY)):
        axes.plot(
            grade, np.minimum(speed, climbing_speed_kmh(grade / 100)), color=colour, linestyle="--", label=road_class
        )
    for at in (6, 8):
        speed = float(climbing_speed_kmh(at / 100))
        axes.annotate(f"{speed:.0f} km/h", (at, speed), (at + 0.2, speed + 6), color=BLUE)
        axes.plot(at, speed, "o", color=BLUE)
    axes.set(xlabel="grade, %", ylabel="km/h", ylim=(0, 100))
    axes.legend(loc="upper right")
    return figure


DRAWINGS = {
    "hysteresis": draw_hysteresis,
    "laid-line": draw_laid_line,
    "error-draws": draw_error_draws,
    "truck-speed": draw_truck_speed,
}
