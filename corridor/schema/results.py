"""What a route meets, and what one comparison found, as plain tables, lines and arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from corridor.schema.candidate import Candidate, Profile
from corridor.schema.column import Column, Criterion
from corridor.schema.fields import Grid, Source
from corridor.schema.message import Alias, Message, Value
from corridor.schema.regime import Regime
from corridor.schema.settings import Condition, ReportSettings
from corridor.schema.vocabulary import Cause, EventKind, Evidence, Outcome, Owner, Separation, StructureKind

# --- What a route meets on the roads of others, and what a regime makes of it ---


@dataclass(frozen=True, slots=True)
class Structure:
    """A bridge or tunnel that keeps a route and a road apart where they cross.

    ``owner`` is whose it is: a road's bridge leads over the route, its tunnel under it. ``name`` is its own name where
    one is known, ``length_m`` None where no length is. A documented one has its id in the catalogue and what the
    catalogue notes on it.
    """

    kind: StructureKind
    owner: Owner
    name: str
    length_m: float | None
    evidence: Evidence
    structure_id: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """A place or stretch where a candidate meets a road of the network.

    ``edges`` are the rows of the network's edge table that the event cuts or slows; ``chainage_km`` is the candidate's
    drawn chainage where it begins, ``to_chainage_km`` where it ends (equal for a crossing). ``separation`` is said of
    crossings only, and so is ``structure``, what keeps the two apart (None where nothing does). ``cause`` says why it
    is an event of this kind, ``section_id`` which section of the catalogue a shared stretch is. ``distance_m`` is how
    far beside the road runs (0 for the other kinds).

    ``portions`` says where on those edges: (edge, from fraction, to fraction) of the edge's length from u. A crossing
    has equal fractions, the point where the road would be cut; ``joins`` is True where the road crosses the route at a
    junction with it, so that both of its arms are cut.

    ``is_open`` tells events of a schematic line: neither whether they are nor of what kind they are is known, also
    where one end of what is possible has been taken (:func:`corridor.interactions.events.take_events`). ``route_id`` is
    the route of a package that meets the road, by whose chainage the event is; empty for a single route.
    """

    event_id: str
    candidate_id: str
    kind: EventKind
    separation: Separation
    road_class: str
    road_ref: str
    road_name: str
    country: str
    chainage_km: float
    to_chainage_km: float
    distance_m: float
    length_km: float
    edges: tuple[int, ...]
    structure: Structure | None
    cause: Cause
    geometry: BaseGeometry
    portions: tuple[tuple[int, float, float], ...] = ()
    joins: bool = False
    section_id: str = ""
    is_open: bool = False
    route_id: str = ""


@dataclass(frozen=True, slots=True)
class EdgeEffect:
    """What a regime does to the network through a candidate.

    ``closed`` are the edges that it closes, shape (n_edges,); ``slowed`` the rows of those that it slows, and
    ``slowed_min`` by how many minutes: few of a country's, and dozens of effects are held at a time. ``most_min`` is
    the most that it delays any way by, where gates are shut at the same hours: who has waited for one passes the
    others.
    """

    closed: NDArray[np.bool_]
    slowed: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    slowed_min: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    most_min: float = float("inf")

    @property
    def delay_min(self) -> NDArray[np.float64]:
        """Minutes added on each edge, shape (n_edges,)."""
        minutes = np.zeros(len(self.closed))
        minutes[self.slowed] = self.slowed_min
        return minutes


@dataclass(frozen=True, slots=True)
class CriticalCrossing:
    """A crossing whose assumed kind decides what can be reached under a regime.

    ``flipped_to`` is the kind that it would have to turn out to be. ``linked_as_assumed`` and ``linked_if_flipped``
    say whether the capital and the border crossing can reach each other; ``places_lost`` and ``places_regained`` are
    the places that lose or regain the border crossing by the flip.
    """

    event_id: str
    candidate_id: str
    regime_id: str
    flipped_to: Separation
    linked_as_assumed: bool
    linked_if_flipped: bool
    places_lost: tuple[str, ...]
    places_regained: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingFacts:
    """What a finding's sentence is made of.

    Attributes:
        crossing: the border crossing.
        capital: the capital.
        country: the country that both lie in or at.
        at: what decides, and where; None where nothing does.
        structure: the structure that decides, where it is one.
        places_lost: places that would lose the crossing without it.
        places: places that were asked about.
        schematic_km: the route's kilometres in the country that are drawn schematically, "" where too few to matter.
        km: all of its kilometres there.
    """

    crossing: str
    capital: str
    country: str
    at: Value | None = None
    structure: Structure | None = None
    places_lost: int = 0
    places: int = 0
    schematic_km: str = ""
    km: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence on a candidate under a regime, what becomes of the road to the capital, and what it rests on.

    ``evidence`` holds ids of events, regimes and sources. ``facts`` are None where the route isn't in the country.
    """

    candidate_id: str
    regime_id: str
    message: Message
    evidence: tuple[str, ...]
    outcome: Outcome = Outcome.NONE
    facts: FindingFacts | None = None


@dataclass(frozen=True)
class PerspectiveWords:
    """A perspective as a reader meets it: its label, where its weights come from, and the weight of each criterion."""

    perspective_id: str
    label: str
    weights_from: Value
    weights: dict[str, float]


@dataclass(frozen=True, slots=True)
class PanelFacts:
    """What a ranking of a panel rests on.

    ``silent`` are the criteria that don't tell its routes apart, by id; ``telling_weight`` the share of the weight that
    lies on the others, by perspective, 0 to 1. ``views`` are the perspectives whose weights differ here, in their
    order: of those that come to the same weights of the panel's criteria the first stands for all.
    """

    regime_id: str
    panel: str
    candidate_ids: tuple[str, ...]
    silent: tuple[str, ...]
    telling_weight: dict[str, float]
    views: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FirstPlaces:
    """Who comes first how often, over distinct rankings (perspectives under sets of rules).

    ``count`` rankings were counted; ``repeated`` more have the inputs of one of them. ``shares`` of first places by
    candidate sum to 1: a place that is shared, or open between several, is split. ``for_sure`` and ``at_best`` are
    counts of rankings in which a candidate is first whatever the undetermined metrics are, and only where they suit it.
    """

    count: int
    repeated: int
    shares: dict[str, float]
    for_sure: dict[str, int]
    at_best: dict[str, int]


@dataclass(frozen=True, slots=True)
class IfOpened:
    """Rankings under rules that allow no transit, as if they did.

    ``ranking`` has the columns of that of :class:`Results`, with those rules alone; ``panels`` what it rests on.
    """

    ranking: pd.DataFrame
    panels: tuple[PanelFacts, ...]


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A place of the catalogue, the other names that it goes by, and where it is."""

    name: str
    aliases: tuple[Alias, ...]
    lon: float
    lat: float

    @property
    def spellings(self) -> tuple[str, ...]:
        """All its names."""
        return (self.name, *(alias.name for alias in self.aliases))


@dataclass(frozen=True)
class Layers:
    """What the map shows beside the candidates (EPSG:4326).

    ``heights_m`` (rows, cols) on ``grid`` is the relief; ``countries`` has country, name, geometry; ``places`` name,
    country, population, names (by language; may be missing), geometry; ``crossings`` crossing_id, name, mode, status,
    as_of, countries, geometry; ``focus`` is the study's focus region; ``axes`` the north-south lines (axis_id, name,
    status, geometry), a row per section; ``named`` the catalogue's places with other names; ``rivers`` name,
    names, geometry, or None where the data hold none; ``rivers_from_borders`` says that their lines are those of the
    borders that run in them. ``roads`` has class, ref, name, geometry of the open roads of the upper classes.
    """

    heights_m: NDArray[np.float32]
    grid: Grid
    countries: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    crossings: gpd.GeoDataFrame
    focus: shapely.Geometry
    axes: gpd.GeoDataFrame | None = None
    named: tuple[NamedPlace, ...] = ()
    rivers: gpd.GeoDataFrame | None = None
    rivers_from_borders: bool = False
    roads: gpd.GeoDataFrame | None = None


@dataclass(frozen=True, slots=True)
class Relief:
    """A picture of the heights as a data URI, and its bounds in degrees (west, south, east, north)."""

    uri: str
    bounds: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class MapGround:
    """What is drawn under the routes: the relief, and the borders, rivers and main roads that it covers.

    ``borders`` are lines of [lat, lon]; ``rivers`` have name, names by language, lines; ``roads`` ref, name, whether of
    the highest class, lines.
    """

    relief: Relief
    borders: list[list[list[float]]]
    rivers: list[dict[str, Any]]
    roads: list[dict[str, Any]]


@dataclass(frozen=True)
class FlowMap:
    """What pages draw and name of the long-distance network.

    ``links`` has link_id, mode, status and both ends by node and in degrees; ``lines`` the width of each link by
    candidate, regime and year (the sum of the shares of the branches that use it); ``cities`` name and position by
    node; ``places`` and ``branches`` names by node, and by origin, destination and branch; ``countries`` by code the
    name, who runs the railways, what to know of it, and its customs union.
    """

    links: pd.DataFrame
    lines: pd.DataFrame
    cities: dict[str, tuple[str, float, float]]
    places: dict[str, str]
    countries: dict[str, tuple[str, str, str, str]]
    branches: dict[tuple[str, str, str], str]


@dataclass(frozen=True)
class Results:
    """One comparison.

    ``metrics`` has one row per candidate (and regime); ``ranking`` one per perspective and alternative; ``notes``
    maps a subject to messages that a reader needs to judge the figures (grades, gaps, schematic lines, assumptions).
    ``rules`` has the SHA-256 of what decides beside the data: study, catalogue, regimes, perspectives. ``cost_lines``
    has a row per part and kind of work, as candidates are priced by. ``columns`` says what the columns of ``metrics``
    are, in the order in which pages show them.

    Where the study measures impacts, ``regimes`` and ``findings`` are there, ``events`` has the rows of
    ``crossings.gpkg``, ``place_effects`` those of ``places.csv``, and ``strips`` the ground between each route and the
    border (candidate_id, geometry). Where it names long-distance tables, ``flows`` has those of the flows by name:
    ``flows``, ``pairs``, ``dependence``, ``potentials``. ``conditions`` are those that the study holds routes
    against; ``neighbour`` is the country behind the border crossing. ``panels`` say which criteria tell the ranked
    routes apart, ``first_places`` who comes first how often. ``as_if_opened`` says that rules which allow no
    transit are ranked as if they did; ``if_opened`` has those rankings where they aren't. ``asked_as`` is what people
    type to run the study again. ``ground`` is what the map draws of ``layers``, where that is done already.
    """

    study_id: str
    title: str
    question: str
    as_of: str
    baseline: str
    version: str
    area: tuple[float, float, float, float]
    focus_id: str
    focus_name: str
    candidates: tuple[Candidate, ...]
    profiles: dict[str, Profile]
    metrics: pd.DataFrame
    ranking: pd.DataFrame
    excluded: pd.DataFrame
    criteria: tuple[Criterion, ...]
    perspectives: tuple[PerspectiveWords, ...]
    default_perspective: str
    sources: tuple[Source, ...]
    documents: tuple[Source, ...]
    layers: Layers
    ground: MapGround | None = None
    columns: tuple[Column, ...] = ()
    cost_lines: pd.DataFrame | None = None
    rules: dict[str, str] = field(default_factory=dict)
    notes: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    regimes: tuple[Regime, ...] = ()
    findings: tuple[Finding, ...] = ()
    events: gpd.GeoDataFrame | None = None
    place_effects: pd.DataFrame | None = None
    strips: gpd.GeoDataFrame | None = None
    flows: dict[str, pd.DataFrame] = field(default_factory=dict)
    flow_map: FlowMap | None = None
    report: ReportSettings = field(default_factory=ReportSettings)
    conditions: tuple[Condition, ...] = ()
    neighbour: str = ""
    panels: tuple[PanelFacts, ...] = ()
    first_places: FirstPlaces | None = None
    as_if_opened: bool = False
    if_opened: IfOpened | None = None
    asked_as: str = ""
