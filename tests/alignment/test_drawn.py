"""What a line doesn't hold as it is drawn is said: held against closed forms of courses made up for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from corridor.alignment.curves import fit_curves
from corridor.alignment.drawn import bend_at_station, find_self_crossings, say_as_drawn
from corridor.schema.alignment import PriceRange, Spiral, Structure
from corridor.schema.vocabulary import LineKind
from tests.alignment.helpers import costs, standard
from tests.alignment.test_align import QUICK, line_on


@pytest.fixture(scope="module")
def line():
    return line_on(np.full((12, 12), 100.0), (5, 1), (5, 10), standard(), costs(), QUICK)


def drawn(line, points, structures=(), spirals=()):
    """A line of these points, a vertex each, with no curves."""
    points = np.asarray(points, dtype=float)
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points[:, :2], axis=0).T))])
    none = np.full(len(points) - 2, np.inf)
    return replace(
        line, line=points, chainage_m=at, vertices=points, vertex_m=at, ground_m=np.zeros(len(at)), radius_m=none,
        vertical_radius_m=none, structures=tuple(structures), spirals=tuple(spirals),
    )  # fmt: skip


def loop(rise_m):
    """East, round to the north, and back southwards over itself at (500, 0): at chainages 500 and 2,500 m."""
    xy = [(0, 0), (1000, 0), (1000, 500), (500, 500), (500, -500)]
    at = np.array([0, 1000, 1500, 2000, 3000])
    return np.column_stack([xy, 50.0 + at * rise_m / 2000.0])


@pytest.mark.parametrize(
    ("rise_m", "kind", "over", "priced"),
    [
        (30.0, None, None, False),
        (30.0, LineKind.BRIDGE, 2500.0, True),
        (30.0, LineKind.BRIDGE, 500.0, False),  # the lower one is on the bridge
        (30.0, LineKind.TUNNEL, 500.0, True),
        (30.0, LineKind.TUNNEL, 2500.0, False),
        (-30.0, LineKind.BRIDGE, 500.0, True),
        (4.0, LineKind.BRIDGE, 2500.0, False),  # no train fits in between
    ],
)
def test_a_line_that_crosses_itself_says_where_and_whether_that_is_built(line, rise_m, kind, over, priced):
    built = [] if kind is None else [Structure(kind, over - 50.0, over + 50.0, 20.0)]
    crossed = drawn(line, loop(rise_m), built)
    (crossing,) = find_self_crossings(crossed)
    assert (crossing.from_m, crossing.to_m) == (pytest.approx(500.0), pytest.approx(2500.0))
    assert crossing.clearance_m == pytest.approx(abs(rise_m))
    assert crossing.priced == priced
    told = [note for note in say_as_drawn(crossed, standard()) if note.key == "new_line.self_crossings"]
    assert len(told) == (not priced)
    if told:
        assert list(told[0].values["places"].items) == [f"0.50/2.50 km ({abs(rise_m):.0f} m)"]


@pytest.mark.parametrize(("crossings", "told"), [(6, 6), (9, 5)])
def test_a_note_names_a_few_of_many_crossings_and_counts_the_rest(line, crossings, told):
    """A line goes east, and back in a zigzag across itself."""
    back = [(1000.0 * (crossings - k) - 500.0, 100.0 * (-1) ** k) for k in range(-1, crossings)]
    points = [(0.0, 0.0, 0.0), (1000.0 * crossings + 1500.0, 0.0, 0.0), *((x, y, 20.0) for x, y in back)]
    wound = drawn(line, points)
    assert len(find_self_crossings(wound)) == crossings
    (note,) = say_as_drawn(wound, standard())
    *places, last = note.values["places"].items
    assert len(places) + (crossings == told) == told
    assert (last == f"… (+{crossings - told})") == (crossings > told)


def test_full_circles_which_have_a_price_of_their_own_are_no_such_crossing(line):
    circle = Spiral(500.0, 0.0, 100.0, 1, True, 450.0, 2550.0, 30.0, PriceRange.flat(1.0))
    assert find_self_crossings(drawn(line, loop(30.0), spirals=[circle])) == ()


def test_tracks_that_lie_over_each_other_for_a_while_are_one_place(line):
    """Twice round a square, 8 m up each round."""
    corners = np.array([(0, 0), (100, 0), (100, 100), (0, 100)] * 2, dtype=float)
    points = np.column_stack([corners, np.arange(8) * 2.0])
    places = find_self_crossings(drawn(line, points))
    assert places
    assert all(c.to_m - c.from_m == pytest.approx(400.0) for c in places)
    assert all(c.clearance_m == pytest.approx(8.0) for c in places)
    assert len(places) <= 2  # a round is 400 m long, a place 200
    assert find_self_crossings(line) == ()


def test_vertical_curves_have_the_standards_radius_where_there_is_room():
    """Of the standard's 5,000 m a change by 20 per mille takes 50 m to either side; 30 m leave 3,000."""
    for legs, radius in ((1000.0, 5000.0), (60.0, 3000.0)):
        xs = np.array([0.0, legs, 2 * legs])
        vertices = np.column_stack([xs, np.zeros(3), [0.0, 0.01 * legs, 0.0]])
        fitted = fit_curves(vertices, standard(), np.zeros(1))
        assert fitted.vertical_radius_m == pytest.approx([radius])
        # The oracle is the drawn line: its grade changes by so much over the length of the curve.
        s, z = fitted.chainage_m, fitted.points[:, 2]
        half = 0.01 * radius
        for near in (-0.9, 0.0, 0.9):
            at = legs + near * half
            grade = (np.interp(at + 0.05 * half, s, z) - np.interp(at - 0.05 * half, s, z)) / (0.1 * half)
            assert grade == pytest.approx(-near * half / radius, abs=2e-3)
    level = fit_curves(np.array([(0, 0, 0), (500, 0, 5), (1000, 0, 10.0)]), standard(), np.zeros(1))
    assert np.isinf(level.vertical_radius_m).all()


def test_a_vertical_curve_below_the_standards_radius_is_said(line):
    bent = drawn(line, [(0, 0, 0), (500, 0, 0), (1000, 0, 0)])
    for radius, told in ((5000.0, False), (4000.0, True), (np.inf, False), (0.0, False)):
        notes = say_as_drawn(replace(bent, vertical_radius_m=np.array([radius])), standard())
        assert [note.key for note in notes] == ["new_line.vertical"] * told
    assert notes == ()


def test_how_a_line_bends_at_a_station_is_said(line):
    """To the right by 90 degrees, from 20 per mille up to 10 down."""
    bent = drawn(line, [(0, 0, 0), (500, 0, 10), (500, -1000, 0)])
    bend = bend_at_station(bent, 500.0)
    assert bend.turn_deg == pytest.approx(90.0)
    assert bend.grade_change_permille == pytest.approx(30.0)
    (note,) = say_as_drawn(bent, standard(), [("Half-way", 500.0)])
    assert note.key == "new_line.station"
    assert dict(note.values) == {"place": "Half-way", "turn_deg": "90", "permille": "30"}
    straight = drawn(line, [(0, 0, 0), (500, 0, 10), (1000, 0, 20)])
    assert say_as_drawn(straight, standard(), [("Half-way", 500.0)]) == ()
