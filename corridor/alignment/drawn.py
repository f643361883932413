"""What a line doesn't hold as it is drawn: bends at stations, vertical curves without room, crossings of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.alignment.spirals import CLEARANCE_M
from corridor.schema.alignment import Alignment, DesignStandard
from corridor.schema.message import ListStyle, Message, listing
from corridor.schema.vocabulary import LineKind

Floats = NDArray[np.float64]

ONE_PLACE_M = 200.0  # crossings that follow each other within this on both passes are one place
TOLD_DEG, TOLD_PERMILLE = 2.0, 1.0  # bends and breaks of grade at stations from which they are said
MOST_TOLD = 6  # places of self crossings that a note names
SHORT = 0.99  # of the standard's vertical radius; less is said


@dataclass(frozen=True, slots=True)
class SelfCrossing:
    """Where a line passes over or under itself: chainages of both passes and the height between them, metres.

    ``priced`` says whether there is room for a train between and the upper pass is on a bridge or the lower one in a
    tunnel. Where neither is, nothing was paid for one track over the other.
    """

    from_m: float
    to_m: float
    clearance_m: float
    priced: bool


@dataclass(frozen=True, slots=True)
class StationBend:
    """How sharply a line bends at a station (degrees) and its grade changes (per mille), both without a curve."""

    turn_deg: float
    grade_change_permille: float


def find_self_crossings(line: Alignment) -> tuple[SelfCrossing, ...]:
    """Places where a line crosses itself in plan, those of full circles aside, which have a price of their own.

    A search goes from place to place and doesn't know how it came there, so that a line may pass over itself as if
    nothing were below.

    Args:
        line: what was found.

    Returns:
        One crossing a place, by chainage; of passes that lie over each other for a while the one with least between.
    """
    xy, at, height = line.line[:, :2], line.chainage_m, line.line[:, 2]
    segments = shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1))
    first, second = shapely.STRtree(segments).query(segments, predicate="intersects")
    # Neighbours touch at the point that they share, and each pair comes twice.
    apart = second > first + 1
    first, second = first[apart], second[apart]
    points = shapely.centroid(shapely.intersection(segments[first], segments[second]))
    s, t = (at[k] + shapely.line_locate_point(segments[k], points) for k in (first, second))
    # A place that two vertices share within a millimetre is no crossing.
    kept = (t - s > 1.0) & ~_in_spirals(line, s, t)
    s, t = s[kept], t[kept]
    between = np.interp(t, at, height) - np.interp(s, at, height)
    upper, lower = np.where(between > 0, t, s), np.where(between > 0, s, t)
    built = _inside(line, upper, LineKind.BRIDGE) | _inside(line, lower, LineKind.TUNNEL)
    priced = built & (np.abs(between) >= CLEARANCE_M)
    places: list[SelfCrossing] = []
    for k in np.lexsort((t, s)):
        here = SelfCrossing(float(s[k]), float(t[k]), float(abs(between[k])), bool(priced[k]))
        i = next((i for i, there in enumerate(places) if _is_one(here, there)), None)
        if i is None:
            places.append(here)
        elif (here.priced, here.clearance_m) < (places[i].priced, places[i].clearance_m):
            places[i] = here
    return tuple(places)


def _is_one(here: SelfCrossing, there: SelfCrossing) -> bool:
    return max(abs(here.from_m - there.from_m), abs(here.to_m - there.to_m)) < ONE_PLACE_M


def _in_spirals(line: Alignment, s: Floats, t: Floats) -> NDArray[np.bool_]:
    """Whether both chainages lie on one place of full circles, with the tangents that touch them."""
    found = np.zeros(len(s), dtype=bool)
    for spiral in line.spirals:
        low, high = spiral.from_m - spiral.radius_m, spiral.to_m + spiral.radius_m
        found |= (s > low) & (t < high)
    return found


def _inside(line: Alignment, at: Floats, kind: LineKind) -> NDArray[np.bool_]:
    """Whether chainages lie on structures of a kind."""
    found = np.zeros(len(at), dtype=bool)
    for structure in line.structures:
        if structure.kind == kind:
            found |= (at >= structure.from_m) & (at <= structure.to_m)
    return found


def bend_at_station(line: Alignment, at_m: float) -> StationBend:
    """How a line bends at a station that two of its stretches meet at.

    Args:
        line: what was found.
        at_m: chainage of the station.
    """
    k = int(np.abs(line.vertex_m - at_m).argmin())
    if not 0 < k < len(line.vertex_m) - 1:
        return StationBend(0.0, 0.0)
    # Between vertices the line is straight and of one grade, curves aside.
    steps = np.diff(line.vertices[k - 1 : k + 2], axis=0)
    grade = np.diff(line.vertices[k - 1 : k + 2, 2]) / np.diff(line.vertex_m[k - 1 : k + 2])
    ahead = steps[:, 0] + 1j * steps[:, 1]
    turn = np.degrees(np.angle(ahead[1] / ahead[0]))
    return StationBend(float(abs(turn)), float(abs(grade[1] - grade[0]) * 1000.0))


def say_as_drawn(
    line: Alignment, standard: DesignStandard, stations: Sequence[tuple[str, float]] = ()
) -> tuple[Message, ...]:
    """What of a line its reader might take for designed, and isn't.

    Args:
        line: what was found.
        standard: that it was sought under.
        stations: names of places that it was led over, and their chainages in metres.
    """
    said = []
    for name, at_m in stations:
        bend = bend_at_station(line, at_m)
        if bend.turn_deg >= TOLD_DEG or bend.grade_change_permille >= TOLD_PERMILLE:
            turn, change = f"{bend.turn_deg:.0f}", f"{bend.grade_change_permille:.0f}"
            said.append(Message("new_line.station", {"place": name, "turn_deg": turn, "permille": change}))
    least = line.min_vertical_radius_m
    if 0.0 < least < SHORT * standard.vertical_radius_m:
        values = {"radius_m": f"{least:.0f}", "wanted_m": f"{standard.vertical_radius_m:.0f}"}
        said.append(Message("new_line.vertical", values))
    over = [c for c in find_self_crossings(line) if not c.priced]
    if over:
        told = over if len(over) <= MOST_TOLD else over[: MOST_TOLD - 1]
        places = [f"{c.from_m / 1000:.2f}/{c.to_m / 1000:.2f} km ({c.clearance_m:.0f} m)" for c in told]
        # All of them are in the files.
        places += [f"\N{HORIZONTAL ELLIPSIS} (+{len(over) - len(told)})"] * (len(told) < len(over))
        said.append(Message("new_line.self_crossings", {"places": listing(places, ListStyle.COMMA)}))
    return tuple(said)
