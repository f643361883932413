"""Pictures of heights along a line."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from matplotlib.figure import Figure

from corridor.files import data_root
from corridor.io.read.catalogue import load_catalogue
from corridor.network.speed_model import crawl_speed_kmh, limiting_speed_kmh
from corridor.pipeline.comparing import open_run
from corridor.pipeline.graph import Run
from corridor.schema.candidate import Profile
from corridor.schema.study import Study
from corridor.terrain.profile import climbs_m, turning_points
from corridor.terrain.surface import draw_errors
from docs.tools.drawings.sheet import BLUE, GREEN, GREY, GROUND, ORANGE, RED, sheet


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
    """Speed of the packaged vehicles by grade on a straight road, and by radius on a level one."""
    catalogue = load_catalogue(data_root() / "reference")
    figure, (left, right) = sheet(8, 3.2, ncols=2)
    grade_pct, radius = np.linspace(-12, 12, 241), np.geomspace(15, 1000, 200)
    banking = catalogue.driving.superelevation
    for (name, vehicle), colour in zip(catalogue.vehicles.items(), (ORANGE, GREEN, BLUE), strict=False):
        left.plot(grade_pct, limiting_speed_kmh(vehicle, grade_pct / 100, 65.0), color=colour, label=name)
        bent = limiting_speed_kmh(vehicle, 0.0, 65.0, radius_m=radius, superelevation=banking)
        right.plot(radius, bent, color=colour, label=name)
    truck = catalogue.vehicles["truck"]
    # the ends of a truck's power, and its crawl speed
    powers = truck.ranges["mass_per_power_kg_per_kw"]
    ends = [
        limiting_speed_kmh(replace(truck, mass_per_power_kg_per_kw=end), grade_pct / 100, 65.0)
        for end in (powers.low, powers.high)
    ]
    left.fill_between(grade_pct, *ends, color=ORANGE, alpha=0.25, linewidth=0)
    crawl = float(crawl_speed_kmh(truck, 0.08))
    left.annotate(f"crawls at {crawl:.0f} km/h", (8, crawl), (1.5, crawl - 12), color=ORANGE)
    left.set(xlabel="grade, %", ylabel="km/h", ylim=(0, 85))
    right.set(xlabel="radius of the bend, m", xscale="log", ylim=(0, 85))
    right.legend(loc="lower right")
    return figure


DRAWINGS = {
    "hysteresis": draw_hysteresis,
    "laid-line": draw_laid_line,
    "error-draws": draw_error_draws,
    "truck-speed": draw_truck_speed,
}
