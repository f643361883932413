"""What one comparison found, as plain tables, lines and arrays: all that reports need and nothing that computes."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from corridor.schema.candidate import Candidate, Profile
from corridor.schema.column import Column
from corridor.schema.criterion import Criterion
from corridor.schema.grid import Grid
from corridor.schema.interaction import Finding
from corridor.schema.message import Value
from corridor.schema.names import Alias
from corridor.schema.regime import Regime
from corridor.schema.report_settings import Condition, ReportSettings
from corridor.schema.source import Source


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
    lies on the others, by perspective, 0 to 1.
    """

    regime_id: str
    panel: str
    candidate_ids: tuple[str, ...]
    silent: tuple[str, ...]
    telling_weight: dict[str, float]


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
    """A place of the catalogue and the other names that it goes by."""

    name: str
    aliases: tuple[Alias, ...]

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
    type to run the study again.
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
