"""A candidate route: named parts from origin to destination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiLineString

from corridor.schema.catalogue import NO_WORKS_STATED, ZERO, BorderDelay, Estimate, SectionWorks, works_of
from corridor.schema.message import Alias, ListStyle, Message, Value, listing
from corridor.schema.vocabulary import (
    CrossingStatus,
    Evidence,
    Family,
    GeometryQuality,
    LineKind,
    Mode,
    SectionStatus,
    StructureKind,
    Works,
)
from corridor.svg_repr import Stroke, facts_html, sketch_svg
from corridor.theme import colour

if TYPE_CHECKING:
    import folium


@dataclass(frozen=True, slots=True)
class Span:
    """A tunnel or bridge on a part, by drawn chainage in km from the part's start in travelling direction.

    ``located`` says how it is known: ``mapped`` (OpenStreetMap), ``documented`` (catalogue), ``inferred`` (from the
    ground's departure from the design grade) or ``designed`` (part of a new line).
    """

    kind: StructureKind
    from_km: float
    to_km: float
    name: str
    located: Evidence


@dataclass(frozen=True, slots=True)
class DesignedWork:
    """Kilometres of one kind of a designed part and their price as designed, in million USD."""

    kind: LineKind
    km: float
    musd: Estimate


@dataclass(frozen=True, slots=True)
class Design:
    """What is known of a part because it was designed here, on the elevation model.

    ``chainage_km`` and ``height_m`` are its profile from the part's start; ``works`` what it is built of, kind by kind;
    ``ends_musd`` the price of portals and abutments.
    """

    standard_id: str
    chainage_km: tuple[float, ...]
    height_m: tuple[float, ...]
    works: tuple[DesignedWork, ...]
    ends_musd: Estimate


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a candidate that is alike: one section, or a run of like edges of the network.

    ``line`` runs in travelling direction. ``length_km`` is the documented length where there is one (then
    ``documented`` is True), else the drawn one; ``drawn_km`` is always the line's own length. ``minutes`` is the
    travel time without border checks. ``edges`` are the rows of the network's edge table that the part runs over.
    ``over_limit_km`` is how much of it has a limit of vehicles that the truck exceeds. ``documented_works`` is
    what documents say of the works on its section. ``on_old_formation`` says that maps show the formation of a section
    that is drawn schematically here. ``not_quoted`` are the kinds of structures whose length neither a map nor a
    document gives: what stands in ``tunnel_km`` or ``bridge_km`` is then only what is known of them. ``follows`` is the
    stretch, in the same direction, of another section that a document says this one meets the roads of others with.
    """

    name: str
    section_id: str
    mode: Mode
    road_class: str
    status: SectionStatus
    country: str
    line: LineString
    length_km: Estimate
    drawn_km: float
    documented: bool
    geometry_quality: GeometryQuality
    minutes: Estimate
    tunnel_km: float
    bridge_km: float
    max_grade_pct: float | None
    spans: tuple[Span, ...]
    source_ids: tuple[str, ...]
    edges: tuple[int, ...] = ()
    design: Design | None = None
    over_limit_km: float = 0.0
    documented_works: SectionWorks = NO_WORKS_STATED
    on_old_formation: bool = False
    not_quoted: frozenset[StructureKind] = frozenset()
    follows: Part | None = None

    @property
    def met_as(self) -> Part:
        """The stretch whose place says what it meets: its own, or the one that it follows."""
        return self.follows or self

    @property
    def works(self) -> Works:
        """What is to be done to it before it can be used; pages, tables and prices all go by this."""
        return works_of(self.status, self.documented_works)


@dataclass(frozen=True, slots=True)
class BorderPassage:
    """Where a candidate goes from one country to another: its listed crossing, status and delay, if any.

    ``sides`` are what the table of border delays has of the side that is left, of the one that is entered, and of a
    change of gauge; ``delay_min`` is all of it together, or the delay listed for the crossing as a whole.
    """

    countries: tuple[str, str]
    lon: float
    lat: float
    crossing_id: str
    status: CrossingStatus
    delay_min: Estimate | None
    mode: Mode = Mode.ROAD
    sides: tuple[BorderDelay, ...] = ()


@dataclass(frozen=True, slots=True)
class ViaName:
    """A name made from what the study calls a group of routes and the larger places on this one's way."""

    group_id: str
    group: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OldBed:
    """Who of a package has the bed of the old railway on which a road lies today: ids of routes.

    ``road_by`` is the one whose own road stands in for the road on the bed; empty where another is built for it.
    """

    had_by: str
    road_by: str = ""


@dataclass(frozen=True)
class Candidate:
    """A continuous route from the study's origin to its destination, or a package of several that are built together.

    ``assumptions`` says what was taken as open or built that isn't; ``end_gaps_km`` is how far its ends lie from the
    places asked for. ``remarks`` say what was done to a drawn line to make it a route. ``via`` says what the name was
    made from, where it was found on the map. ``letter`` is the mark that the study gives it, if any.

    A package has ``members``, the routes that it is made of, and all of their parts, each once; ``mode`` is that of the
    first. ``old_bed`` says who has the bed that more than one of them may lie on, and ``own_source_ids`` are documents
    on the package itself.
    """

    candidate_id: str
    name: str
    family: Family
    mode: Mode
    comparator: bool
    aliases: tuple[Alias, ...]
    note: str
    parts: tuple[Part, ...]
    passages: tuple[BorderPassage, ...]
    assumptions: tuple[Value, ...]
    end_gaps_km: tuple[float, float]
    via: ViaName | None = None
    remarks: tuple[Value, ...] = ()
    letter: str = ""
    members: tuple[Candidate, ...] = ()
    old_bed: OldBed | None = None
    own_source_ids: tuple[str, ...] = ()

    @property
    def routes(self) -> tuple[Candidate, ...]:
        """The continuous routes that it is made of: itself, or the members of a package."""
        return self.members or (self,)

    @property
    def off_bed(self) -> frozenset[Part]:
        """Parts of routes of a package that leave an old bed to another of its routes."""
        bed = self.old_bed
        return frozenset(part for m in self.members if bed and m.candidate_id != bed.had_by for part in m.parts)

    @property
    def modes(self) -> str:
        """Its modes, each once, in the order of its routes: ``road``, ``rail+road``."""
        return "+".join(dict.fromkeys(route.mode for route in self.routes))

    @cached_property
    def geometry(self) -> LineString | MultiLineString:
        """Its line, or the lines of a package (lon, lat)."""
        return MultiLineString([route.line for route in self.members]) if self.members else self.line

    @cached_property
    def line(self) -> LineString:
        """The whole line of a route, from origin to destination (lon, lat).

        Raises:
            ValueError: it is a package, which has a line for each of its routes.
        """
        if self.members:
            raise ValueError(f"package '{self.candidate_id}' has several lines; take geometry, or those of its routes")
        # Parts meet in one point, which would stand twice.
        xy = np.concatenate([shapely.get_coordinates(part.line) for part in self.parts])
        keep = np.concatenate([[True], np.any(np.diff(xy, axis=0) != 0, axis=1)])
        return LineString(xy[keep])

    @property
    def length_km(self) -> Estimate:
        """Documented length where there is one, drawn length elsewhere, part by part; of a package that of all."""
        total = ZERO
        for part in self.parts:
            total = total + part.length_km
        return total

    @property
    def drawn_km(self) -> float:
        """Length of the drawn line."""
        return sum(part.drawn_km for part in self.parts)

    @property
    def source_ids(self) -> tuple[str, ...]:
        """Its own sources and those of all parts, each once, in order of use."""
        of_parts = (source for part in self.parts for source in part.source_ids)
        return tuple(dict.fromkeys((*self.own_source_ids, *of_parts)))

    def __repr__(self) -> str:
        return f"<Candidate {self.candidate_id}: {self.name}, {self.modes}, {self.length_km.mid:.1f} km>"

    def _repr_html_(self) -> str:
        length = self.length_km
        by_status: dict[str, float] = {}
        for part in self.parts:
            by_status[part.status] = by_status.get(part.status, 0.0) + part.length_km.mid
        facts = (
            ("id", self.candidate_id),
            ("made from", f"{self.family}, {self.modes}" + (", comparator" if self.comparator else "")),
            ("length", f"{length.mid:.1f} km ({length.low:.1f} to {length.high:.1f})"),
            ("by status", ", ".join(f"{status} {km:.1f} km" for status, km in by_status.items())),
            ("through", ", ".join(dict.fromkeys(part.country for part in self.parts))),
            ("also called", "; ".join(str(alias) for alias in self.aliases)),
            ("borders", "; ".join(f"{'-'.join(passed.countries)}: {passed.status}" for passed in self.passages)),
            ("assumes", "; ".join(said for said in self.assumptions if isinstance(said, str))),
        )
        strokes = [
            Stroke(part.line, title=f"{part.name}: {part.status}", dashed=part.status != SectionStatus.OPEN)
            for part in self.parts
        ]
        return facts_html(self.name, facts) + sketch_svg(strokes)

    def explore(
        self,
        *,
        color: str | None = None,
        m: folium.Map | None = None,
        tiles: str | None = None,
        tooltip: bool = True,
        popup: bool = False,
        style_kwds: Mapping[str, object] | None = None,
        width: str | int = "100%",
        height: str | int = "100%",
    ) -> folium.Map:
        """The route part by part on an interactive map, in the manner of ``GeoDataFrame.explore``.

        Args:
            color: of the line, as CSS; the theme's blue if left out.
            m: a map to draw on; a new one if left out.
            tiles: a background that Folium knows, for instance ``OpenStreetMap``; none by default, so that nothing is
                asked of the network.
            tooltip: show a part's facts when it is pointed at.
            popup: show them when it is clicked.
            style_kwds: Leaflet's path options, for instance ``{"weight": 5}``.
            width: of a new map.
            height: of a new map.

        Returns:
            The map.
        """
        from corridor.webmap import add_lines, blank_map, fit

        map_ = m if m is not None else blank_map(width=width, height=height, tiles=tiles)
        rows = [(part.line, color or colour("blue"), _facts(part)) for part in self.parts]
        add_lines(map_, self.name, rows, tooltip=tooltip, popup=popup, style=style_kwds)
        if m is None:
            fit(map_, [self.geometry])
        return map_


def _facts(part: Part) -> dict[str, object]:
    return {
        "part": part.name,
        "status": part.status,
        "country": part.country,
        "length_km": f"{part.length_km.mid:.1f}",
        "sources": ", ".join(part.source_ids),
    }


Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LineSmoothing:
    """How the ground along a line becomes its heights; see :func:`corridor.terrain.pinned_heights.LineHeights`.

    ``straight`` says which steps between samples aren't on the ground that lies there, shape (n - 1,). ``pins`` are
    samples with a documented height, ``pin_m`` these heights, shape (n_pins,).
    """

    straight: NDArray[np.bool_]
    pins: NDArray[np.int64]
    pin_m: Floats
    window_m: float
    reach_m: float


@dataclass(frozen=True)
class Profile:
    """Heights along a candidate, all arrays of shape (n,).

    ``chainage_km`` is drawn chainage; ``ground_m`` the DEM's height, ``height_m`` the route's: the ground smoothed
    along the line and hung on documented heights, as far as ``limit_pct``, the steepest grade taken, allows, straight
    in tunnels and on bridges, and without swings under ``threshold_m``. ``spans`` are the structures by the candidate's
    own chainage. ``designed`` marks heights that are a design's, not laid on the ground. ``smoothing`` is how the
    ground became heights, for other draws of it; None where it stands as it is. ``bridged_m`` is how much of the route
    runs over voids of the DEM, bridged straight.
    """

    chainage_km: Floats
    lon: Floats
    lat: Floats
    ground_m: Floats
    height_m: Floats
    limit_pct: Floats
    threshold_m: Floats
    spans: tuple[Span, ...]
    designed: NDArray[np.bool_] | None = None
    smoothing: LineSmoothing | None = None
    bridged_m: float = 0.0


def route_message(candidate: Candidate) -> Message:
    """A route's name: its own message, or that of its group for one named after places on the way.

    Args:
        candidate: the route.

    Returns:
        The message; its fallback is the name that the study gives, for languages that have no other.
    """
    via = candidate.via
    if via is None:
        return Message(f"route.{candidate.candidate_id}", fallback=candidate.name)
    group = Message(f"route.{via.group_id}", fallback=via.group)
    return Message("route.via", {"name": group, "places": listing(via.places, ListStyle.COMMA)}, candidate.name)
