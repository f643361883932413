"""Rows of the long-distance network: nodes, links, transfers, border formalities, tariffs, demand and screenlines.

Money is in US dollars per load. A load is one 40-tonne truck or one 40-foot container, about 20 t of goods, so that
road, rail and ship can stand beside each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corridor.schema.catalogue import BorderDelay, BorderDelays, Estimate
from corridor.schema.fields import Source
from corridor.schema.vocabulary import Mode

MODES = ("road", "rail", "ferry", "sea")
GAUGES_MM = (1000, 1067, 1435, 1520, 1668, 1676)
STATUSES = ("open", "construction", "planned", "disused", "closed")
HAZARDS = ("none", "snow", "avalanche", "rockfall", "flood", "ice", "wind", "conflict", "unknown")
ACTIONS = ("open", "close", "delay", "stake")
MEASURES = ("km", "drive_h", "trip_days", "trip_speed_kmh", "speed_without_rest_kmh", "usd_per_500km")
AXES = ("north-south", "east-west", "other")
TARIFF_UNITS = {"running_cost": "usd_per_km", "entry_fee": "usd_per_passage", "fare": "usd_per_load"}
FLOW_UNITS = ("trucks_per_day", "mt_per_year")
TRUCK_MODES = ("road", "ferry")
"""Modes on which the truck itself travels, so that vehicle and driver are paid by the hour."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a row comes from: its sources, the date that it holds for, how far to trust it, and what to know of it."""

    source_ids: tuple[str, ...]
    as_of: str
    confidence: str
    note: str


@dataclass(frozen=True, slots=True)
class FlowNode:
    """A city, junction, port or side of a border.

    ``people_k`` is its population in thousands, the mass of access potentials; None for places without one.
    """

    node_id: str
    name: str
    kind: str
    country: str
    lon: float
    lat: float
    people_k: float | None
    origin: Provenance


@dataclass(frozen=True, slots=True)
class FlowLink:
    """A stretch of road, railway, ferry or sea way that is alike, used in both directions.

    ``systems`` are what can run on it: ``road``, ``ferry``, ``sea``, ``rail-1520``; a dual-gauge railway has two.
    ``countries`` are those whose ground it lies on, in the order of its direction: one, or two of a link that crosses a
    border, of which ``first_country_km`` lie in the first (None: half). ``opens_year`` is when works are
    said to end (early, middle, late); None where nobody says. ``closure_days`` is a year's days shut, None unknown.
    """

    link_id: str
    from_node: str
    to_node: str
    mode: str
    systems: tuple[str, ...]
    countries: tuple[str, ...]
    first_country_km: float | None
    length_km: Estimate
    speed_kmh: Estimate
    status: str
    start_year: int | None
    opens_year: Estimate | None
    tracks: int | None
    capacity_mt_per_year: float | None
    closure_days: Estimate | None
    hazard_class: str
    origin: Provenance

    @property
    def crosses_border(self) -> bool:
        """Whether the link leads from one country to another."""
        return len(self.countries) > 1

    def km_by_country(self) -> dict[str, float]:
        """Kilometres of its middle length in each country."""
        if not self.crosses_border:
            return {self.countries[0]: self.length_km.mid}
        first = self.length_km.mid / 2 if self.first_country_km is None else self.first_country_km
        return {self.countries[0]: first, self.countries[1]: self.length_km.mid - first}


@dataclass(frozen=True, slots=True)
class Transfer:
    """Change of vehicle or gauge at a node, the same in both directions, with its hours and dollars."""

    node_id: str
    systems: tuple[str, str]
    hours: Estimate
    p95_h: float | None
    price_usd: Estimate
    origin: Provenance


@dataclass(frozen=True, slots=True)
class Tariff:
    """A price: running cost of a mode in a country, fee on entering a country, or fare of a link (``applies_to``)."""

    kind: str
    mode: str
    applies_to: str
    price: Estimate
    origin: Provenance


@dataclass(frozen=True, slots=True)
class Pair:
    """An origin and a destination, with the flow between them and the value of a load where somebody counted them."""

    origin: str
    destination: str
    axis: str
    flow: Estimate | None
    flow_unit: str
    cargo_value_usd: Estimate | None
    provenance: Provenance

    @property
    def key(self) -> tuple[str, str]:
        """Origin and destination."""
        return (self.origin, self.destination)


@dataclass(frozen=True, slots=True)
class Branch:
    """One kind of way between a pair: its modes, the nodes and links it passes in order, what it avoids."""

    branch_id: str
    origin: str
    destination: str
    name: str
    mode: str
    modes: tuple[str, ...]
    via: tuple[str, ...]
    avoid: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Screenline:
    """A count of what crosses a set of links."""

    screenline_id: str
    link_ids: tuple[str, ...]
    value: Estimate
    unit: str
    origin: Provenance


@dataclass(frozen=True, slots=True)
class Scenario:
    """Which works are finished by a year, and what is opened or shut besides.

    ``works`` picks the end of each link's opening years: ``early``, ``documented`` (the middle), ``late``, or ``none``
    (only what is open today).
    """

    scenario_id: str
    name: str
    works: str
    opened: tuple[str, ...]
    closed: tuple[str, ...]
    origin: Provenance


@dataclass(frozen=True, slots=True)
class ActionRow:
    """How a candidate acts on a link under a regime (``*`` is any).

    ``open``: the candidate builds or opens the link, which is in use from its own opening year. ``delay``: each passage
    takes the minutes that ``measure``, a column of the regional metrics, says; a measure that is ``unreachable``
    shuts the link. ``close``: the link is shut. ``stake``: if the candidate were closed, the link would be shut with it
    where ``measure`` is ``unreachable``.
    """

    candidate_id: str
    regime_id: str
    link_id: str
    action: str
    measure: str
    origin: Provenance


@dataclass(frozen=True, slots=True)
class DocumentedWay:
    """A figure that a document states of a way, to hold the computed one against; never fitted to.

    ``measure`` is one of :data:`MEASURES`. With ``against_via`` the figure is how much more
    the way by these takes than the one by ``via``.
    """

    check_id: str
    name: str
    from_node: str
    to_node: str
    modes: tuple[str, ...]
    via: tuple[str, ...]
    against_via: tuple[str, ...]
    year: int
    measure: str
    value: Estimate
    origin: Provenance


@dataclass(frozen=True, slots=True)
class Country:
    """What is described of a country, never scored: its customs union and who runs its railway."""

    country: str
    name: str
    customs_union: str
    rail_operator: str
    origin: Provenance


@dataclass(frozen=True)
class FlowTables:
    """A long-distance network as its tables say it, whole and checked.

    ``parameters`` has a range per name: see the documentation of the table ``parameters.csv``. ``border_points`` says
    at which point a link crosses a border, by link; ``delays`` has the hours and dollars there.
    """

    folder: Path
    sources: Mapping[str, Source]
    countries: Mapping[str, Country]
    nodes: Mapping[str, FlowNode]
    links: Mapping[str, FlowLink]
    border_points: Mapping[str, str]
    delays: BorderDelays
    transfers: tuple[Transfer, ...]
    tariffs: Mapping[tuple[str, str, str], Tariff]
    parameters: Mapping[str, Estimate]
    pairs: tuple[Pair, ...]
    branches: tuple[Branch, ...]
    screenlines: tuple[Screenline, ...]
    scenarios: Mapping[str, Scenario]
    actions: tuple[ActionRow, ...]
    documented: tuple[DocumentedWay, ...]
    as_of: str

    def branches_of(self, pair: Pair) -> tuple[Branch, ...]:
        """The branches declared for a pair, in the order of the table."""
        return tuple(b for b in self.branches if (b.origin, b.destination) == pair.key)

    def formality(self, link: FlowLink, country: str, direction: str) -> BorderDelay | None:
        """Hours and dollars of one side of the border that a link crosses.

        Args:
            link: a road or railway across a border; ships and ferries have none.
            country: whose side.
            direction: ``outbound`` or ``inbound``.

        Returns:
            A row of the table of border delays, or None.
        """
        if link.mode not in tuple(Mode):
            return None
        return self.delays.find(self.border_points.get(link.link_id, ""), country, direction, Mode(link.mode))

    def name(self, node_id: str) -> str:
        """The name of a node."""
        return self.nodes[node_id].name
