"""The drawing of a line: what is written on it is what the line is."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from corridor.alignment.earthworks import (
    BATTER,
    FORMATION_M,
    TUNNEL_M2,
    section_areas,
    sum_earthworks,
    tabulate_stations,
)
from corridor.alignment.plan import Plan
from corridor.alignment.sheet import HEIGHTS, draw_sheet
from tests.alignment.helpers import costs, standard
from tests.alignment.test_align import QUICK, line_on

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def line():
    z = np.repeat(100.0 + np.arange(26) * 2.0, 31).reshape(26, 31).T  # 1 % along the columns
    z[:, 12:15] += 300.0
    return line_on(z, (12, 0), (12, 25), standard(), costs(tunnel=10.0), replace(QUICK, neighbours=32))


def texts(drawing):
    return [node.text for node in ET.fromstring(drawing).iter(f"{SVG}text")]


def test_tunnels_portals_and_grades_are_written(line):
    (tunnel,) = line.structures
    assert tunnel.kind == "tunnel"
    found = texts(draw_sheet(line, "North & <South>"))
    assert "North & <South>" in found
    assert f"tunnel {tunnel.length_m / 1000:.1f} km" in found
    portals = np.interp([tunnel.from_m, tunnel.to_m], line.chainage_m, line.line[:, 2])
    assert {f"{z:.0f}" for z in portals} <= set(found)
    grades = [float(text) for text in found if text[0] in "+-" and text[1:2].isdigit()]
    assert grades
    assert max(abs(g) for g in grades) <= 10 * line.max_grade_pct + 0.05
    assert any(f"{line.length_km:.1f} km, {line.tunnel_km:.1f} km in tunnels" in text for text in found)


def test_the_line_is_drawn_to_scale(line):
    root = ET.fromstring(draw_sheet(line, "x"))
    drawn = next(node for node in root.iter(f"{SVG}polyline") if node.get("stroke-width") == "2")
    x, y = np.array([pair.split(",") for pair in drawn.get("points").split()], dtype=float).T
    assert np.corrcoef(x, line.chainage_m)[0, 1] == pytest.approx(1.0, abs=1e-6)
    assert np.corrcoef(-y, line.line[:, 2])[0, 1] == pytest.approx(1.0, abs=1e-4)


def test_bends_are_marked_on_their_side():
    z = np.full((30, 30), 50.0)
    mask = np.zeros(z.shape, dtype=np.uint8)
    mask[5:25, 15] = 7
    line = line_on(z, (15, 3), (15, 26), options=replace(QUICK, neighbours=32), mask=mask)
    root = ET.fromstring(draw_sheet(line, "x"))
    marks = [node for node in root.iter(f"{SVG}rect") if node.get("fill-opacity")]
    bends = int(np.isfinite(line.radius_m).sum())
    assert len(marks) == bends > 0
    (side,) = {float(node.get("y")) for node in marks}  # round the wall all bends lead the same way
    row = next(node for node in root.iter(f"{SVG}line") if node.get("stroke") == "#999999")
    passes_south = line.line[len(line.line) // 2, 1] < line.line[0, 1]
    assert (side < float(row.get("y1"))) == passes_south


def test_volumes_are_those_of_prisms(line):
    """A line that is level 4 m below level ground for 1,500 m, then 2 m above it."""
    n = 31
    chainage = np.linspace(0.0, 3000.0, n)
    depth = np.where(chainage <= 1500.0, 4.0, -2.0)
    plan = np.column_stack([chainage, np.zeros(n), np.full(n, 100.0)])
    sections = np.column_stack([chainage, 100.0 + depth, np.zeros(n)])
    made = replace(line, line=plan, chainage_m=chainage, ground_m=100.0 + depth, sections=sections, structures=())
    table = tabulate_stations(made, "rail")
    wide = FORMATION_M["rail"]
    cut, fill = (wide * d + BATTER * d * d for d in (4.0, 2.0))
    # From 4 m deep to 2 m high within 100 m the line meets the ground after two thirds.
    last_cut, first_fill = (
        length * (wide * d / 2 + BATTER * d * d / 3) for length, d in ((200 / 3, 4.0), (100 / 3, 2.0))
    )
    assert table["cut_m3"].sum() == pytest.approx(cut * 1500.0 + last_cut, rel=1e-3)
    assert table["fill_m3"].sum() == pytest.approx(fill * 1400.0 + first_fill, rel=1e-3)
    by_km = sum_earthworks(table)
    assert by_km["from_km"].tolist() == [0, 1, 2]
    assert by_km["cut_m3"].tolist() == pytest.approx([cut * 1000.0, cut * 500.0 + last_cut, 0.0], rel=1e-3)
    assert by_km["mass_haul_m3"].iloc[-1] == pytest.approx(table["mass_haul_m3"].iloc[-1])


def test_ground_that_bends_between_stations_counts():
    """Ridges of 6 m every 80 m across the line, whose points lie 100 m apart: as summed up metre by metre."""
    ridges = 100.0 + 6.0 * (np.arange(60) % 2)
    line = line_on(np.tile(ridges, (30, 1)), (15, 2), (15, 57), cell=40.0)
    assert np.ptp(line.line[:, 1]) == pytest.approx(0.0)
    table = tabulate_stations(line, "rail")
    s = np.arange(0.5, line.chainage_m[-1])
    ground = np.interp(s + 80.0, 40.0 * np.arange(60), ridges)
    depth = ground - np.interp(s, line.chainage_m, line.line[:, 2])
    is_open = ~np.any([(s > x.from_m) & (s < x.to_m) for x in line.structures] or [np.zeros(len(s), bool)], axis=0)
    moved = section_areas(depth, np.zeros(len(s)), FORMATION_M["rail"]) * is_open
    assert moved.sum() > 10_000
    assert [table["cut_m3"].sum(), table["fill_m3"].sum()] == pytest.approx(moved.sum(axis=1), rel=5e-3)
    # Where a structure ends the ground is that of the raster, not of the stations about it.
    ends = [end for x in line.structures for end in (x.from_m, x.to_m)]
    found = np.interp(ends, table["chainage_m"], table["ground_m"])
    assert found == pytest.approx(np.interp(np.add(ends, 80.0), 40.0 * np.arange(60), ridges), abs=0.01)


@pytest.mark.parametrize("slope", [0.0, 0.1, 0.35, 0.5, 0.8])
@pytest.mark.parametrize("depth", [-9.0, -1.0, 0.0, 0.4, 6.0])
def test_areas_across_a_slope_are_those_of_strips(depth, slope):
    """Against strips of 2 mm: what is left is the nearest to the ground that formation and sides allow."""
    x = np.arange(-120.0, 120.0, 0.002) + 0.001
    ground = depth + min(slope, 0.5) * x
    beside = np.maximum(np.abs(x) - FORMATION_M["rail"] / 2, 0.0) / BATTER
    moved = ground - np.clip(ground, -beside, beside)
    found = section_areas(np.array(depth), np.array(slope), FORMATION_M["rail"])
    assert float(found[0]) == pytest.approx(0.002 * moved[moved > 0].sum(), abs=0.02)
    assert float(found[1]) == pytest.approx(-0.002 * moved[moved < 0].sum(), abs=0.02)


def test_stations_say_what_the_line_is(line):
    table = tabulate_stations(line, "rail")
    (tunnel,) = line.structures
    bored = table["kind"] == "tunnel"
    steps = np.diff(table["chainage_m"])
    assert steps[bored[:-1]].sum() == pytest.approx(tunnel.length_m, abs=0.01)
    assert (table.loc[bored, ["cut_m3", "fill_m3"]] == 0.0).all(axis=None)
    assert table["grade_permille"].abs().max() <= 10 * line.max_grade_pct + 0.05
    assert table["tunnel_m3"].sum() == pytest.approx(TUNNEL_M2["rail"] * tunnel.length_m, rel=1e-4)
    # The ground rises along the columns, as the line does: it is level across.
    assert table["cross_slope"].to_numpy()[[1, -2]] == pytest.approx([0.0, 0.0], abs=0.02)
    said = next(text for text in texts(draw_sheet(line, "x", stations=table)) if text.startswith("mass haul"))
    assert f"cuts {table['cut_m3'].sum() / 1e3:.1f}, fills {table['fill_m3'].sum() / 1e3:.1f} in place" in said


@pytest.mark.parametrize(("times", "word", "unit"), [(1.0, "thousand", 1e3), (1e4, "million", 1e6)])
def test_volumes_are_told_in_a_unit_that_shows_them(line, times, word, unit):
    table = tabulate_stations(replace(line, structures=()), "rail")
    volumes = ["cut_m3", "fill_m3", "mass_haul_m3"]
    table[volumes] *= times * 1e5 / table["cut_m3"].sum()
    said = next(text for text in texts(draw_sheet(line, "x", stations=table)) if text.startswith("mass haul"))
    assert said.startswith(f"mass haul, {word} m³: cuts {times * 1e5 / unit:.{1 if unit == 1e3 else 2}f}, ")


@pytest.mark.parametrize("rise_m", [0.0, 1.0, 20.0, 2000.0])
def test_level_ground_is_not_drawn_as_cliffs(line, rise_m):
    """A line that rises evenly is drawn as steep as its heights are exaggerated: 100 times at most."""
    z = 100.0 + rise_m * line.chainage_m / line.chainage_m[-1]
    even = replace(line, line=np.column_stack([line.line[:, :2], z]), ground_m=z, structures=())
    drawing = draw_sheet(even, "x")
    root = ET.fromstring(drawing)
    drawn = next(node for node in root.iter(f"{SVG}polyline") if node.get("stroke-width") == "2")
    x, y = np.array([pair.split(",") for pair in drawn.get("points").split()], dtype=float)[[0, -1]].T
    times = float(re.search(r"heights exaggerated ([\d.]+) times", drawing)[1])
    assert times <= 100.0
    assert (y[0] - y[1]) / (x[1] - x[0]) == pytest.approx(times * rise_m / line.chainage_m[-1], rel=0.1, abs=1e-3)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_names_of_the_ends_stand_where_the_course_leaves_room(line, side):
    """The course comes to its end from above or from below; the name stands on the other side of it."""
    s = np.linspace(0.0, 10_000.0, 101)
    xy = np.column_stack([s, side * 2000.0 * np.minimum(s / 4000.0, (10_000.0 - s) / 4000.0).clip(0.0, 1.0)])
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    z = np.full(len(s), 100.0)
    course = np.column_stack([xy, z])
    none = np.full(len(s) - 2, np.inf)
    bowed = replace(
        line, line=course, chainage_m=at, vertices=course, vertex_m=at, ground_m=z, radius_m=none, structures=()
    )
    name = "A terminal with a long name"
    root = ET.fromstring(draw_sheet(bowed, "x", (name, name)))
    ends = [node for node in root.iter(f"{SVG}circle") if node.get("r") == "4"]
    named = [node for node in root.iter(f"{SVG}text") if node.text == name]
    assert len(ends) == len(named) == 2
    for end, text in zip(ends, named, strict=True):
        assert (float(text.get("y")) > float(end.get("cy"))) == (side > 0)


def test_the_ends_and_places_on_the_way_have_their_heights_and_names(line):
    found = texts(draw_sheet(line, "x", stops=[("Mid <way>", 1234.0)]))
    assert f"{line.line[-1, 2]:.0f}" in found
    assert found.count("Mid <way>") == 2  # in plan and section
    plain = texts(
        draw_sheet(replace(line, structures=()), "x", stations=tabulate_stations(replace(line, structures=()), "rail"))
    )
    assert not any("of rock" in text for text in plain)


def test_what_an_engineer_calls_straight_and_level_is_drawn_so(line):
    """A bend by less than rounding has a radius of hundreds of kilometres; a grade of none has no sign."""
    n = len(line.line)
    level = replace(
        line, line=line.line * (1, 1, 0) + (0, 0, 100.0), vertices=line.vertices * (1, 1, 0) + (0, 0, 100.0)
    )
    wide = replace(level, radius_m=np.full(len(line.radius_m), 290_170.0), ground_m=np.full(n, 100.0))
    root = ET.fromstring(draw_sheet(wide, "x"))
    assert not [node for node in root.iter(f"{SVG}rect") if node.get("fill-opacity")]
    found = [node.text for node in root.iter(f"{SVG}text")]
    assert "0.0" in found
    assert not {"-0.0", "+0.0", "290170", "R 290170"} & set(found)


def plan_of(line, **kwargs):
    root = ET.fromstring(draw_sheet(line, "x", **kwargs))
    return next(node for node in root.iter(f"{SVG}g") if node.get("class") == "plan")


def test_the_plan_is_a_similar_figure_with_its_north():
    z = np.full((30, 30), 50.0)
    mask = np.zeros(z.shape, dtype=np.uint8)
    mask[5:25, 15] = 7
    line = line_on(z, (20, 3), (10, 26), options=replace(QUICK, neighbours=32), mask=mask)
    plan = plan_of(line, ends=("A <here>", "B"))
    course = next(node for node in plan.iter(f"{SVG}polyline") if node.get("stroke-width") == "1.6")
    drawn = np.array([pair.split(",") for pair in course.get("points").split()], dtype=float)
    steps, true = np.diff(drawn, axis=0), np.diff(line.line[:, :2], axis=0)
    long = np.hypot(*true.T) > 40.0
    ratio = np.hypot(*steps.T)[long] / np.hypot(*true.T)[long]
    assert ratio == pytest.approx(ratio.mean(), rel=0.05)
    # From left to right, as the section; turned back by the arrow's angle it lies as on the map.
    assert drawn[-1, 0] > drawn[0, 0]
    assert drawn[-1, 1] == pytest.approx(drawn[0, 1], abs=0.2)
    arrow = next(node for node in plan.iter(f"{SVG}g") if node.get("class") == "north")
    angle = np.radians(float(arrow.get("transform").split("rotate(")[1].rstrip(")")))
    up = np.array([np.sin(angle), -np.cos(angle)])
    north = true[long] @ [0.0, 1.0]
    assert steps[long] @ up == pytest.approx(north * ratio.mean(), abs=0.5)
    # The arrow, 34 px long with its letter, touches no line, not even one whose end is the lowest part of the plan.
    for points in (line.line, line.line * [1.0, -1.0, 1.0]):
        turned = plan_of(replace(line, line=points))
        course = next(node for node in turned.iter(f"{SVG}polyline") if node.get("stroke-width") == "1.6")
        drawn = np.array([pair.split(",") for pair in course.get("points").split()], dtype=float)
        arrow = next(node for node in turned.iter(f"{SVG}g") if node.get("class") == "north")
        at = np.array(arrow.get("transform").split("(")[1].split(")")[0].split(), dtype=float)
        assert np.hypot(*(drawn - at).T).min() > 34.0
    words = [node.text for node in plan.iter(f"{SVG}text")]
    assert {"A <here>", "B", "N"} <= set(words)
    assert any(word.startswith("R ") and float(word[2:]) >= line.min_radius_m - 1 for word in words)


def test_heights_at_the_kilometres_leave_room_for_each_other(line):
    """Of a line of 14.5 km those at km 14 lay under those of its end."""
    high = replace(line, line=np.add(line.line, [0.0, 0.0, 1000.0]), ground_m=line.ground_m + 1000.0, structures=())
    width = {"start": (0.0, 1.0), "middle": (0.5, 0.5), "end": (1.0, 0.0)}
    for times in np.geomspace(1.0, 10.0, 100):
        long = replace(high, chainage_m=high.chainage_m * times, vertex_m=high.vertex_m * times)
        boxes = []
        for node in ET.fromstring(draw_sheet(long, "x")).iter(f"{SVG}text"):
            if node.get("y") == f"{HEIGHTS + 14}":
                left, right = (share * 6.2 * len(node.text) for share in width[node.get("text-anchor")])
                boxes.append((float(node.get("x")) - left, float(node.get("x")) + right))
        assert len(boxes) > 3
        assert all(before[1] < after[0] for before, after in pairwise(boxes))


def test_labels_of_the_plan_leave_room_for_each_other(line):
    """A station's long name was written over by the radius of a curve beside it."""
    names = [(f"A station with a long name {k}", at) for k, at in enumerate(np.linspace(0.0, line.chainage_m[-1], 40))]
    plan = Plan(line)
    for (name, _), place in zip(names, plan.at(np.array([at for _, at in names]))[0], strict=True):
        list(plan.label(place, name))
    boxes = [(x - half, x + half, y) for x, y, half in plan.taken]
    for k, (west, east, y) in enumerate(boxes):
        for other_west, other_east, other_y in boxes[:k]:
            assert east <= other_west or west >= other_east or abs(y - other_y) >= 12
    assert plan.taken[0][2] >= 0.5 * 6.0 * len(names[0][0])


def test_the_sheet_says_how_each_stretch_is_built(line):
    built = [text for text in texts(draw_sheet(line, "x")) if text.endswith(" km") and text[0].isalpha()]
    assert f"open line {line.price.km['surface']:.1f} km" in built
    assert f"tunnel {line.tunnel_km:.1f} km" in built
