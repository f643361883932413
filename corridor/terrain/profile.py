"""Profiles along lines: heights of a route, its structures, and what it climbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.compiled import compiled
from corridor.errors import CatalogueError
from corridor.geo.geodesy import distance_m, sample
from corridor.schema.candidate import Candidate, LineSmoothing, Profile, Span
from corridor.schema.catalogue import GradeCeiling
from corridor.schema.parameters import DocumentedHeight, DrivingParameters
from corridor.schema.vocabulary import Evidence, Mode, StructureKind
from corridor.terrain.pinned_heights import LineHeights
from corridor.terrain.surface import Dem

Floats = NDArray[np.float64]
MAX_STEP_M = 100.0
"""Farthest that samples of a profile lie apart."""
PIN_LIMIT_M = 1000.0
"""Farthest that a documented height may lie from a route's line. Declared."""
MIN_INFERRED_KM = 0.3
"""Shorter tunnels are not inferred. Declared."""
TOUCH_KM = 0.25
"""Tunnels, or bridges, with a shorter gap between are one. Declared."""


def build_profile(
    candidate: Candidate,
    dem: Dem,
    ceilings: Sequence[GradeCeiling],
    parameters: DrivingParameters,
    heights: Sequence[DocumentedHeight] = (),
) -> Profile:
    """Sample a candidate every min(resolution / 2, 100 m) and lay it on the ground as no way of its class is steeper.

    The ground is smoothed along the line and hung on documented heights; mapped and documented tunnels and bridges run
    straight. Before and after, heights follow it within the steepest
    grade that is documented for a part or else usual for its class. Swings under a fixed threshold are taken out, and
    what lies between two turning points rises or falls throughout. Where a part's documented tunnels have no known
    place, they are put where the ground stands highest above that grade. A designed part has the heights of its
    design.

    Args:
        candidate: the route.
        dem: the elevation model.
        ceilings: steepest usual grades by class.
        parameters: window, reach of documented heights and threshold.
        heights: documented heights; those within 1 km of the line count.

    Raises:
        CoverageError: the DEM has no height along more than 1 km of it, or at an end.
        CatalogueError: a class has no grade ceiling and the part no documented grade.
    """
    step = min(dem.resolution_m / 2, MAX_STEP_M)
    chainage_m, lon, lat = sample(candidate.line, step)
    chainage = chainage_m / 1000
    ground, bridged_m = dem.require_along(lon, lat, chainage_m, f"candidate '{candidate.candidate_id}'")
    limit = _grade_limits_pct(candidate, chainage, ceilings)
    spans = candidate_spans(candidate)
    spans += _infer_tunnels(candidate, chainage, ground, limit, spans)
    spans = _merge_touching(spans)
    design = _design_heights(candidate, chainage)
    designed = np.isfinite(design)
    pins, pin_m = _pins(heights, lon, lat, designed | _inside(chainage, spans))
    how = LineSmoothing(
        straight=_carried(chainage, spans) | (designed[1:] & designed[:-1]),
        pins=pins,
        pin_m=pin_m,
        window_m=parameters.smoothing_window_m(dem.resolution_m),
        reach_m=parameters.pin_reach_km * 1000,
    )
    threshold = np.where(designed, 0.0, parameters.ascent_threshold_m)
    profile = Profile(chainage, lon, lat, ground, ground, limit, threshold, spans, designed, how, bridged_m)
    laid = GroundLayer(profile).lay(ground, design)
    return replace(profile, height_m=monotone_between(laid, turning_points(laid, threshold)))


class GroundLayer:
    """What lays a route over many grounds, with the work that they share done once.

    Args:
        profile: where it runs, its structures, limits and how ground becomes heights.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._heights: LineHeights | None = None
        if profile.smoothing is not None and len(profile.chainage_km) > 1:
            self._heights = LineHeights(profile.chainage_km * 1000, profile.smoothing)

    def lay(self, ground_m: Floats, design_m: Floats) -> Floats:
        """Heights of the route over a ground, or over several at once, in the shape of ``ground_m``.

        Args:
            ground_m: heights of the ground, shape (n,), or of several grounds, (grounds, n).
            design_m: heights of designed stretches; looked at where the profile is designed.
        """
        profile = self._profile
        # a mountain over a designed tunnel is no ground of the line, nor may it lift what lies beside it
        base = ground_m if profile.designed is None else np.where(profile.designed, design_m, ground_m)
        smooth = base
        if self._heights is not None:
            # what is steeper than any way of its class is error, and is better taken out before it is spread
            possible = fit_vertical_alignment(profile.chainage_km, base, profile.limit_pct, profile.spans)
            smooth = self._heights.of(possible)
        if profile.designed is not None:
            smooth = np.where(profile.designed, design_m, smooth)
        return fit_vertical_alignment(profile.chainage_km, smooth, profile.limit_pct, profile.spans)


def _carried(chainage_km: Floats, spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Which steps between samples lie in a structure by their middle, shape (n - 1,)."""
    return _inside((chainage_km[1:] + chainage_km[:-1]) / 2, spans)


def _inside(chainage_km: Floats, spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Which chainages lie inside a structure, in the shape of ``chainage_km``."""
    inside = np.zeros(len(chainage_km), dtype=bool)
    for span in spans:
        inside |= (chainage_km > span.from_km) & (chainage_km < span.to_km)
    return inside


def _pins(
    heights: Sequence[DocumentedHeight],
    lon: Floats,
    lat: Floats,
    free: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], Floats]:
    """Samples with a documented height, each once, and these heights; none where the route is ``free`` of ground."""
    found: dict[int, float] = {}
    for height in heights:
        # A box in degrees sorts out most samples cheaply: up to 60 degrees of latitude its half width is over the limit
        # of 1 km on every side.
        window = PIN_LIMIT_M / 100_000
        near = np.flatnonzero((np.abs(lat - height.lat) < window) & (np.abs(lon - height.lon) < 2 * window))
        if not len(near):
            continue
        off = distance_m(height.lon, height.lat, lon[near], lat[near])
        at = int(near[np.argmin(off)])
        if off.min() <= PIN_LIMIT_M and not free[at]:
            found.setdefault(at, height.elevation_m)
    return np.array(list(found), dtype=np.int64), np.array(list(found.values()), dtype=float)


def _design_heights(candidate: Candidate, chainage_km: Floats) -> Floats:
    """Heights of designed parts at each chainage, NaN elsewhere, shape (n,)."""
    heights = np.full(len(chainage_km), np.nan)
    start = 0.0
    for part in candidate.parts:
        if part.design:
            inside = (chainage_km >= start) & (chainage_km <= start + part.drawn_km)
            heights[inside] = np.interp(chainage_km[inside] - start, part.design.chainage_km, part.design.height_m)
        start += part.drawn_km
    return heights


def fit_vertical_alignment(chainage_km: Floats, ground_m: Floats, limit_pct: Floats, spans: Sequence[Span]) -> Floats:
    """Heights of a line on the ground: structures straight, and nowhere steeper than the limit.

    In designed structures ``ground_m`` holds the heights of the design already.

    Args:
        chainage_km: along the line, rising, shape (n,).
        ground_m: heights of the ground there, shape (n,), or of several grounds, (grounds, n).
        limit_pct: steepest grade there, shape (n,).
        spans: tunnels and bridges by chainage.
    """
    # Designed structures have heights of their own, which must not be drawn straight.
    found = [span for span in spans if span.located != Evidence.DESIGNED]
    return grade_limited(chainage_km, carry_structures(chainage_km, ground_m, found), limit_pct)


def grade_limited(chainage_km: Floats, ground_m: Floats, limit_pct: Floats) -> Floats:
    """The line nearest to the ground, by its greatest departure, that is nowhere steeper than the limit.

    It is the mean of the highest line under the ground and the lowest line over it that keep the limit (the best
    uniform approximation by a function of bounded slope).

    Args:
        chainage_km: along the line, rising, shape (n,).
        ground_m: heights of the ground there, shape (n,), or of several grounds, (grounds, n).
        limit_pct: steepest grade there, shape (n,).

    Returns:
        Heights in the shape of ``ground_m``.

    >>> grade_limited(np.array([0.0, 1.0, 2.0]), np.array([0.0, 100.0, 0.0]), np.full(3, 5.0)).tolist()
    [25.0, 75.0, 25.0]
    """
    # One percent over one kilometre is 10 m. Between samples of two parts the laxer limit holds.
    rise = np.diff(chainage_km) * 10 * np.maximum(limit_pct[1:], limit_pct[:-1])
    under, over = _envelopes_of(ground_m, rise)
    # The envelopes lie as far below the ground as above it at worst, so their mean halves the greatest departure.
    return np.asarray((under + over) / 2)


def grade_limited_under(chainage_km: Floats, ground_m: Floats, limit_pct: Floats) -> Floats:
    """The highest line under the ground that is nowhere steeper than the limit: cuts and tunnels alone, no bridge.

    All arrays have shape (n,).

    Args:
        chainage_km: along the line, rising, shape (n,).
        ground_m: heights of the ground there, shape (n,).
        limit_pct: steepest grade there, shape (n,).

    >>> grade_limited_under(np.array([0.0, 1.0, 2.0]), np.array([0.0, 100.0, 0.0]), np.full(3, 5.0)).tolist()
    [0.0, 50.0, 0.0]
    """
    under, _ = _envelopes_of(ground_m, np.diff(chainage_km) * 10 * np.maximum(limit_pct[1:], limit_pct[:-1]))
    return under


def _envelopes_of(ground_m: Floats, rise_m: Floats) -> tuple[Floats, Floats]:
    """The highest line under each ground and the lowest over it that rise and fall by no more than they may a step."""
    grounds = np.ascontiguousarray(np.atleast_2d(ground_m), dtype=float)
    under, over = _envelopes(grounds, rise_m)
    return under.reshape(ground_m.shape), over.reshape(ground_m.shape)


_ABREAST = 8
"""Lines side by side: so many are computed at a time."""


@compiled
def _envelopes(grounds, rise):  # type: ignore[no-untyped-def]
    under, over = grounds.copy(), grounds.copy()
    count, n = grounds.shape
    # Each height waits for the one before it: several lines side by side keep the processor busy meanwhile.
    for first in range(0, count, _ABREAST):
        last = min(first + _ABREAST, count)
        # A bound comes from one side or the other, so a pass in each direction is enough.
        for i in range(1, n):
            for k in range(first, last):
                under[k, i] = min(under[k, i], under[k, i - 1] + rise[i - 1])
                over[k, i] = max(over[k, i], over[k, i - 1] - rise[i - 1])
        for i in range(n - 2, -1, -1):
            for k in range(first, last):
                under[k, i] = min(under[k, i], under[k, i + 1] + rise[i])
                over[k, i] = max(over[k, i], over[k, i + 1] - rise[i])
    return under, over


_OF_THEIR_OWN = frozenset(("motorway", "trunk", "primary", "secondary", "tertiary"))
"""Classes that need a ceiling of their own."""
_MINOR = {Mode.ROAD: "unclassified", Mode.RAIL: "rail"}
"""The class whose ceiling holds for all others without one: living streets, roads of unknown class, narrow gauge."""


def _grade_limits_pct(candidate: Candidate, chainage_km: Floats, ceilings: Sequence[GradeCeiling]) -> Floats:
    """Steepest grade at each chainage, percent, shape (n,)."""
    table = {(item.mode, item.road_class): item.ceiling_pct for item in ceilings}
    ends = np.cumsum([part.drawn_km for part in candidate.parts])
    limits = []
    for part in candidate.parts:
        named = part.road_class.removesuffix("_link")
        usual = table.get((part.mode, named))
        if usual is None and named not in _OF_THEIR_OWN:
            usual = table.get((part.mode, _MINOR[part.mode]))
        if part.max_grade_pct is None and usual is None:
            raise CatalogueError(
                f"grades.csv: no row for {part.mode} {part.road_class}; candidate '{candidate.candidate_id}' needs it"
            )
        limits.append(part.max_grade_pct if part.max_grade_pct is not None else usual)
    # A sample on the seam goes with the part that ends there; one past the end by rounding goes with the last part.
    which = np.minimum(np.searchsorted(ends, chainage_km), len(limits) - 1)
    return np.asarray(limits, dtype=float)[which]


def _infer_tunnels(
    candidate: Candidate, chainage_km: Floats, ground_m: Floats, limit_pct: Floats, known: tuple[Span, ...]
) -> tuple[Span, ...]:
    """Places for documented tunnels that no source locates: where the ground stands highest over the grade."""
    above = ground_m - grade_limited_under(chainage_km, ground_m, limit_pct)
    found: list[Span] = []
    start = 0.0
    for part in candidate.parts:
        end = start + part.drawn_km
        located = sum(span.to_km - span.from_km for span in part.spans if span.kind == StructureKind.TUNNEL)
        missing = part.tunnel_km - located
        inside = np.flatnonzero((chainage_km >= start) & (chainage_km <= end))
        if missing > MIN_INFERRED_KM and len(inside) > 2:
            step = chainage_km[1] - chainage_km[0]
            count = min(round(missing / step), len(inside))
            bored = np.zeros(len(chainage_km), dtype=bool)
            # A stable sort gives ties to the earlier sample, on every machine.
            deepest = inside[np.argsort(-above[inside], kind="stable")[:count]]
            bored[deepest[above[deepest] > 0]] = True
            found += _runs(chainage_km, bored, part.name, known)
        start = end
    return tuple(found)


def _runs(chainage_km: Floats, flags: NDArray[np.bool_], name: str, known: tuple[Span, ...]) -> list[Span]:
    # With False at both ends every run begins and ends, so the edges come in pairs.
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    spans = []
    for low, high in zip(edges[::2], edges[1::2], strict=True):
        span = Span(
            StructureKind.TUNNEL, float(chainage_km[low]), float(chainage_km[high - 1]), name, Evidence.INFERRED
        )
        # A run that meets a known structure is that structure, seen once more.
        if span.to_km - span.from_km >= MIN_INFERRED_KM and not any(
            other.from_km < span.to_km and span.from_km < other.to_km for other in known
        ):
            spans.append(span)
    return spans


def _merge_touching(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Structures in order; tunnels that meet (at a border, say) are one tunnel."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda item: (item.from_km, item.to_km)):
        last = merged[-1] if merged else None
        if last and last.kind == span.kind and span.from_km - last.to_km < TOUCH_KM:
            merged[-1] = Span(
                span.kind, last.from_km, max(last.to_km, span.to_km), last.name or span.name, last.located
            )
        else:
            merged.append(span)
    return tuple(merged)


def candidate_spans(candidate: Candidate) -> tuple[Span, ...]:
    """Structures of all parts by the candidate's drawn chainage."""
    spans = []
    start = 0.0
    for part in candidate.parts:
        spans += [Span(s.kind, start + s.from_km, start + s.to_km, s.name, s.located) for s in part.spans]
        start += part.drawn_km
    return tuple(spans)


def carry_structures(chainage_km: Floats, ground_m: Floats, spans: Sequence[Span]) -> Floats:
    """Ground heights with every tunnel and bridge drawn straight from portal to portal; last axis is chainage.

    Args:
        chainage_km: along the line, rising, shape (n,).
        ground_m: heights of the ground there, shape (n,).
        spans: tunnels and bridges by chainage.

    >>> tunnel = Span("tunnel", 0, 2, "", "mapped")
    >>> carry_structures(np.array([0.0, 1.0, 2.0]), np.array([0.0, 90.0, 20.0]), [tunnel]).tolist()
    [0.0, 10.0, 20.0]
    """
    heights = ground_m.copy()
    for span in spans:
        # The portals are the last sample before and the first one after the structure: no height inside is ground of
        # the line.
        low = max(int(np.searchsorted(chainage_km, span.from_km, side="right")) - 1, 0)
        high = min(int(np.searchsorted(chainage_km, span.to_km, side="left")), len(chainage_km) - 1)
        if high - low < 2:
            continue
        share = (chainage_km[low : high + 1] - chainage_km[low]) / (chainage_km[high] - chainage_km[low])
        ends = heights[..., [low, high]]
        heights[..., low : high + 1] = ends[..., :1] + (ends[..., 1:] - ends[..., :1]) * share
    return heights


def climbs_m(height_m: Floats, threshold_m: ArrayLike) -> tuple[float, float]:
    """Ascent and descent in metres, counting only swings of more than a threshold (one value, or one per height).

    A turning point counts once the height has moved away from it by more than the threshold, so that the noise of the
    DEM is no climb; ascent minus descent is always the difference of the ends.

    >>> climbs_m(np.array([0.0, 5.0, 2.0, 30.0, 10.0]), 8.0)
    (30.0, 20.0)
    """
    steps = np.diff(np.asarray(height_m, dtype=float)[turning_points(height_m, threshold_m)])
    return float(steps[steps > 0].sum()), float(-steps[steps < 0].sum())


def turning_points(height_m: Floats, threshold_m: ArrayLike) -> NDArray[np.int64]:
    """Places of both ends and of the extremes between them that differ by more than the threshold."""
    heights = np.ascontiguousarray(height_m, dtype=np.float64)
    threshold = np.ascontiguousarray(np.broadcast_to(np.asarray(threshold_m, dtype=np.float64), heights.shape))
    return np.asarray(_turning_points(heights, threshold))


@compiled
def _turning_points(heights, threshold):  # type: ignore[no-untyped-def]
    found = [0]
    # The direction is 0 until a first swing is large enough to tell it.
    low, high, rising = 0, 0, 0
    for i in range(len(heights)):
        if heights[i] < heights[low]:
            low = i
        if heights[i] > heights[high]:
            high = i
        # The swing counts by the greater threshold of its two ends: a height that is sure does not make a vague one
        # surer.
        if rising >= 0 and heights[high] - heights[i] > max(threshold[high], threshold[i]):
            if high > found[-1]:
                found.append(high)
            low, high, rising = i, i, -1
        elif rising <= 0 and heights[i] - heights[low] > max(threshold[low], threshold[i]):
            if low > found[-1]:
                found.append(low)
            low, high, rising = i, i, 1
    last = len(heights) - 1
    if last > found[-1]:
        found.append(last)
    return np.array(found)


def monotone_between(height_m: Floats, points: NDArray[np.int64]) -> Floats:
    """Heights with every stretch between turning points made monotone (isotonic least squares), its ends kept.

    M. Ayer and others, An empirical distribution function for sampling with incomplete information, Annals of
    Mathematical Statistics 26 (1955), doi:10.1214/aoms/1177728423.
    """
    return np.asarray(_monotone_between(np.array(height_m, dtype=float), np.asarray(points, dtype=np.int64)))


@compiled
def _monotone_between(heights, points):  # type: ignore[no-untyped-def]
    out = heights.copy()
    for k in range(len(points) - 1):
        start, end = points[k], points[k + 1]
        first, last = heights[start], heights[end]
        rises = last >= first
        # A falling stretch is a rising one from its end.
        stretch = heights[start : end + 1].copy() if rises else heights[start : end + 1][::-1].copy()
        _pool_violators(stretch)
        low, high = min(first, last), max(first, last)
        # The ends are turning points: they stay, so that the climbs counted between them stay too.
        for i in range(1, end - start):
            out[start + i] = min(max(stretch[i if rises else end - start - i], low), high)
    return out


@compiled
def _pool_violators(values):  # type: ignore[no-untyped-def]
    """Make values rise throughout, in place: blocks that fall get their mean.

    Pooling with a look ahead and a look back (F. M. T. A. Busing, Monotone regression: a simple and fast O(n) PAVA
    implementation, Journal of Statistical Software 102 (2022), doi:10.18637/jss.v102.c01).
    """
    count = len(values)
    # Of each block: its mean, in the place of the values that are done with; how many values it has; where it begins.
    weight = np.ones(count)
    begins = np.zeros(count + 1, np.int64)
    begins[1] = 1
    block, i = 0, 1
    while i < count:
        block += 1
        mean, members = values[i], 1.0
        if values[block - 1] >= mean:
            block -= 1
            total = weight[block] * values[block] + mean
            members += weight[block]
            mean = total / members
            while i < count - 1 and mean >= values[i + 1]:
                i += 1
                total += values[i]
                members += 1.0
                mean = total / members
            while block > 0 and values[block - 1] >= mean:
                block -= 1
                total += weight[block] * values[block]
                members += weight[block]
                mean = total / members
        values[block], weight[block] = mean, members
        begins[block + 1] = i + 1
        i += 1
    # The last blocks first: means of earlier ones stand where the values of later ones go.
    for k in range(block, -1, -1):
        for i in range(begins[k], begins[k + 1]):
            values[i] = values[k]
