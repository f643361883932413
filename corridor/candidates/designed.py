"""Stretches off the network, laid out by a design standard: what they lie in, and their parts by country."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from corridor.candidates.parts import minutes_estimate, span_km
from corridor.io.read.borders import Borders
from corridor.io.read.catalogue import Catalogue
from corridor.io.read.inputs import Area
from corridor.network.conflation import Conflation
from corridor.network.driving_times import TRUCK, Driving
from corridor.network.speed_model import Pieces, class_speeds_kmh, driving_minutes
from corridor.schema.alignment import DesignStandard, LinePrice, PriceRange, Structure
from corridor.schema.candidate import Design, DesignedWork, Part, Span
from corridor.schema.catalogue import Estimate
from corridor.schema.study import Place
from corridor.schema.vocabulary import GeometryQuality, LineKind, Mode, SectionStatus, StructureKind
from corridor.terrain.surface import Dem

Floats = NDArray[np.float64]

MIN_RUN_M = 250.0
"""A shorter stretch in another country is the border's wobble, not a passage."""
CLASSES = {Mode.RAIL: "rail", Mode.ROAD: "trunk"}
"""What class new ways count as."""
SPANNED = {LineKind.TUNNEL: StructureKind.TUNNEL, LineKind.BRIDGE: StructureKind.BRIDGE}
"""Kinds of a new line that lead over or under what they meet; those along a slope lie as open line does."""


@dataclass(frozen=True)
class Surroundings:
    """What lines off the network are laid into: places, countries, network, catalogue with its prices, and heights."""

    area: Area
    origin: Place
    destination: Place
    borders: Borders
    catalogue: Catalogue
    conflation: Conflation
    dem: Dem
    grade_effect: bool


def designed_part(
    name: str,
    standard: DesignStandard,
    around: Surroundings,
    country: str,
    line: shapely.LineString,
    along_m: Floats,
    height_m: Floats | None,
    spans: Sequence[Span],
    works: tuple[tuple[DesignedWork, ...], Estimate] | None,
    quality: GeometryQuality,
    drawn_km: float | None = None,
) -> Part:
    """A stretch of a new line in one country as a part of a route.

    Args:
        name: of the route.
        standard: what it is laid out by.
        around: what it lies in.
        country: code of the country; empty where none is known.
        line: in travelling direction, degrees.
        along_m: chainage of samples, shape (n,), ends included.
        height_m: of the line there, shape (n,); None where nothing is known of its heights.
        spans: tunnels and bridges, by kilometres from the stretch's start.
        works: what it is built of, as :func:`designed_works` gives it; None with its heights.
        quality: how its line is known.
        drawn_km: length of ``line``; that by chainage if left out.
    """
    km = float(along_m[-1] - along_m[0]) / 1000
    # Without heights of its own a new stretch is driven as if it were level.
    driven_m = height_m if height_m is not None and around.grade_effect else np.zeros(len(along_m))
    driving = around.conflation.driving
    design = None
    if height_m is not None and works is not None:
        chainage_km = (along_m - along_m[0]) / 1000
        design = Design(standard.standard_id, tuple(chainage_km.tolist()), tuple(height_m.tolist()), *works)
    return Part(
        name=name,
        section_id="",
        mode=standard.mode,
        road_class=CLASSES[standard.mode],
        status=SectionStatus.PLANNED,
        country=country,
        line=line,
        length_km=Estimate.exact(km),
        drawn_km=km if drawn_km is None else drawn_km,
        documented=False,
        geometry_quality=quality,
        minutes=minutes_estimate(design_minutes(standard, driving, along_m, driven_m), driving.spread(standard.mode)),
        tunnel_km=span_km(spans, StructureKind.TUNNEL),
        bridge_km=span_km(spans, StructureKind.BRIDGE),
        max_grade_pct=max(standard.max_grade_up_pct, standard.max_grade_down_pct),
        spans=tuple(spans),
        source_ids=(standard.source_id,),
        design=design,
    )


def countries_along(lon_lat: Floats, along_m: Floats, borders: Borders, passed: Sequence[str]) -> NDArray[np.object_]:
    """Country of each point; stretches in a country that isn't to be passed, or too short, go to the one before.

    Args:
        lon_lat: degrees, shape (n, 2).
        along_m: chainage, shape (n,).
        borders: whose ground is whose.
        passed: codes of the countries that the line may pass; any if empty.
    """
    country = borders.country_at(lon_lat[:, 0], lon_lat[:, 1])
    known = np.isin(country, passed) if passed else country != ""
    country[~known] = ""
    while True:
        # The shortest weak stretch is given away first, and runs are found anew: a longer one may gain enough from it
        # to stay.
        edges = np.concatenate([[0], np.flatnonzero(country[1:] != country[:-1]) + 1, [len(country)]])
        runs = list(pairwise(edges.tolist()))
        lengths = [along_m[min(b, len(along_m) - 1)] - along_m[a] for a, b in runs]
        weak = [i for i, (a, _) in enumerate(runs) if country[a] == "" or lengths[i] < MIN_RUN_M]
        if not weak or len(runs) == 1:
            return np.asarray(country)
        i = min(weak, key=lambda k: lengths[k])
        a, b = runs[i]
        country[a:b] = country[a - 1] if i else country[b]


def design_minutes(standard: DesignStandard, driving: Driving, along_m: Floats, height_m: Floats) -> float:
    """Minutes over a stretch: of a truck by the model of the network's roads, its bends built for its speed.

    Args:
        standard: the design standard to keep.
        driving: the model of driving times.
        along_m: chainage, shape (n,).
        height_m: of the line there, shape (n,).
    """
    metres = np.diff(along_m)
    usual = class_speeds_kmh([standard.mode], [CLASSES[standard.mode]], driving.model.speeds)[0]
    speed = standard.speed_kmh or usual
    if standard.mode != Mode.ROAD:
        return float(metres.sum() / speed * 0.06)
    # A new road is built for its speed: its bends slow nobody, and only climbs do.
    pieces = Pieces(
        np.array([0, len(metres)]),
        np.array([1]),
        metres,
        np.diff(height_m) / np.maximum(metres, 1e-9),
        (height_m[1:] + height_m[:-1]) / 2,
        np.zeros(len(metres)),
    )
    model = driving.model
    along, _ = driving_minutes(pieces, model.vehicles[TRUCK], np.array([speed]), model.parameters.superelevation)
    return float(along[0] * driving.factor_of(TRUCK))


def designed_works(
    price: LinePrice, structures: Sequence[Structure], low_m: float, high_m: float
) -> tuple[tuple[DesignedWork, ...], Estimate]:
    """What a stretch of a designed line is built of.

    Each kind has the price per kilometre that it has on the whole line.

    Args:
        price: of the whole line.
        structures: of the whole line, by chainage.
        low_m: chainage where the stretch begins.
        high_m: where it ends.

    Returns:
        Kilometres and price of each kind on the stretch, and the price of its portals and abutments, in million USD.
    """
    inside: dict[LineKind, float] = defaultdict(float)
    ends = 0
    for s in structures:
        inside[s.kind] += max(min(s.to_m, high_m) - max(s.from_m, low_m), 0.0) / 1000.0
        if s.kind in SPANNED:
            # A portal right at a cut belongs to the stretch that its structure lies in, and never to both.
            ends += (low_m <= s.from_m < high_m) + (low_m < s.to_m <= high_m)
    # Structures are listed and open line isn't: it is what is left.
    inside[LineKind.SURFACE] = max((high_m - low_m) / 1000.0 - sum(inside.values()), 0.0)
    works = []
    for kind, whole_km in price.km.items():
        share = min(inside[kind] / whole_km, 1.0) if whole_km > 0 else 0.0
        if share > 0:
            works.append(DesignedWork(kind, inside[kind], _share_of(price.musd[kind], share)))
    return tuple(works), _share_of(price.ends, ends / max(price.portals + price.abutments, 1))


def _share_of(price: PriceRange, share: float) -> Estimate:
    return Estimate(price.low * share, price.mid * share, price.high * share)
