"""The reference catalogue: sections, crossings, prices and speeds, each row with its source."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from shapely import LineString

from corridor.errors import CatalogueError
from corridor.files import data_root
from corridor.geo.geodesy import distance_m, line_lengths_m, locate_m
from corridor.io.read.border_delays import FILE_NAME, load_border_delays, with_sides
from corridor.io.read.costs import WORKS_COLUMNS, load_costing_tables, load_price_books, load_unit_costs, read_works
from corridor.io.read.parameters import load_driving, load_heights, load_people, load_vehicles
from corridor.io.read.tables import (
    Faults,
    Row,
    added_sources,
    by_id,
    by_ids,
    load_sources,
    named_sources,
    own_or_packaged,
    read_rows,
    source_ids_of,
)
from corridor.schema.catalogue import (
    TRUCK_OF_LIMIT,
    BorderDelays,
    Costing,
    Crossing,
    DocumentedStructure,
    GradeCeiling,
    Node,
    Section,
    Speed,
    UnitCost,
    VehicleLimit,
)
from corridor.schema.fields import Source, lies_after
from corridor.schema.parameters import DocumentedHeight, DrivingParameters, PeopleTables, Vehicle
from corridor.schema.vocabulary import (
    Confidence,
    CrossingStatus,
    GeometryQuality,
    Mode,
    SectionStatus,
    StructureKind,
)

_NODES = "node_id name kind lat lon country elevation_m aliases source_ids"
_SECTIONS = (
    "section_id name aliases from_node to_node mode class status as_of opened closed length_km_low length_km_mid "
    "length_km_high tunnel_km bridge_km max_grade_pct design_speed_kmh country control "
    "geometry_quality follows_osm source_ids confidence note"
)
_FOLLOW_COLUMNS = ("crossings_follow", "crossings_follow_source_ids")
"""Columns of ``sections.csv`` on whose crossings a section has; a table may leave them out."""
FOLLOW_KM = 5.0
"""How far the ends of a section may lie from the line of the one whose crossings it has."""
BEELINE_SLACK_KM = 0.5
"""How far a documented length may lie under the beeline, and structures over a drawn line, whose ends are rounded."""
SEVERAL_TIMES = 3.0
"""A documented length of over so many times the drawn line's isn't that line's."""
_BY_CLASS = {"mode": "mode", "class": "road_class"}
_SPEED_KMH = (1.0, 400.0)
"""Speeds that vehicles on land have."""
_LIMITS = "section_id max_weight_t max_height_m as_of source_ids note"
_LIMITS_OPTIONAL = ("max_width_m", "max_length_m", "max_axle_t")
_WAYPOINTS = "section_id seq lat lon name"
_STRUCTURES = "structure_id section_id kind name lat lon length_km status decisive source_ids note"
_CROSSINGS = (
    "crossing_id name lat lon country_a country_b mode status as_of delay_min_low delay_min_mid delay_min_high "
    "source_ids note"
)
_CROSSING_HISTORY = ("since", "before")
_SPEEDS = "mode class speed_kmh_low speed_kmh_mid speed_kmh_high source_ids note"
_GRADES = "mode class ceiling_pct source_ids note"


Item = TypeVar("Item")


@dataclass(frozen=True)
class Catalogue:
    """All tables of one reference folder, by id."""

    folder: Path
    sources: dict[str, Source]
    nodes: dict[str, Node]
    sections: dict[str, Section]
    crossings: dict[str, Crossing]
    speeds: tuple[Speed, ...]
    unit_costs: tuple[UnitCost, ...]
    grade_ceilings: tuple[GradeCeiling, ...]
    vehicles: dict[str, Vehicle] = field(default_factory=dict)
    driving: DrivingParameters | None = None
    heights: tuple[DocumentedHeight, ...] = ()
    border_delays: BorderDelays = field(default_factory=BorderDelays)
    costing: Costing | None = None
    people: PeopleTables | None = None
    price_books: Mapping[str, tuple[UnitCost, ...]] = field(default_factory=dict)

    def section(self, section_id: str, asked_by: str) -> Section:
        """A section by its id.

        Args:
            section_id: As in ``sections.csv``.
            asked_by: What to name in an error.

        Raises:
            CatalogueError: there is none; names who asked.
        """
        if section_id not in self.sections:
            raise CatalogueError(f"{asked_by}: no section '{section_id}' in {self.folder / 'sections.csv'}")
        return self.sections[section_id]


def load_catalogue(folder: Path) -> Catalogue:
    """Read and check the tables of a reference folder.

    Vehicles, the parameters of driving times and of costs, and rates of trips are the packaged ones where the folder
    has none of its own, with their sources; documented heights, census totals and populations of places are its own or
    none.

    Args:
        folder: Holds one CSV per table.

    Raises:
        CatalogueError: names every fault found: unknown ids, values out of range, lines that don't meet their nodes.
        SourceError: a table is missing.
    """
    faults = Faults()
    sources = load_sources(folder, faults)
    nodes = by_id(_load_nodes(folder, sources, faults), "node_id", folder / "nodes.csv", faults)
    lines = _load_lines(folder, faults)
    structures = _load_structures(folder, sources, faults)
    limits = _load_limits(folder, sources, faults)
    sections = by_id(
        _load_sections(folder, sources, nodes, lines, structures, limits, faults),
        "section_id",
        folder / "sections.csv",
        faults,
    )
    # What belongs to no section is a slip of the pen, not something to pass over.
    broken = {section_id for section_id, line in lines.items() if line is None}
    for orphan in sorted((set(lines) | set(structures) | set(limits)) - set(sections) - broken):
        faults.add(f"{folder}: waypoints, structures or limits of '{orphan}', which is no section")
    delays = load_border_delays(folder / FILE_NAME, sources, faults)
    crossings = by_id(
        [
            with_sides(each, delays, f"{folder / 'crossings.csv'}", faults)
            for each in _load_crossings(folder, sources, faults)
        ],
        "crossing_id",
        folder / "crossings.csv",
        faults,
    )
    speeds = _load_speeds(folder, sources, faults)
    costs = load_unit_costs(folder / "unit_costs.csv", sources, faults)
    books = load_price_books(folder / "price_books.csv", sources, faults)
    ceilings = _load_ceilings(folder, sources, faults)
    vehicles, driving, more = _load_driving_tables(folder, sources, faults)
    costing, priced_by = load_costing_tables(folder, sources, faults)
    people, counted_by = load_people(folder, sources, faults)
    heights: list[DocumentedHeight] = []
    if (folder / "heights.csv").is_file():
        heights = load_heights(folder / "heights.csv", sources, nodes, sections, faults)
    faults.raise_any()
    if driving is None:
        raise CatalogueError(f"{folder / 'driving.csv'}: is not whole; add what is missing")
    return Catalogue(
        folder,
        sources | more | priced_by | counted_by,
        nodes,
        sections,
        crossings,
        speeds,
        costs,
        ceilings,
        vehicles,
        driving,
        tuple(heights),
        delays,
        costing,
        people,
        books,
    )


def load_general_catalogue() -> Catalogue:
    """What of the packaged catalogue holds anywhere: speeds, grades, vehicles and prices, with their sources.

    Returns:
        A catalogue without places, sections, crossings and heights.
    """
    whole = load_catalogue(data_root() / "reference")
    # Only sources that the remaining rows name stay: a list of all would claim documents that nothing here rests on.
    prices = (*whole.unit_costs, *(row for book in whole.price_books.values() for row in book))
    rows = (*whole.speeds, *prices, *whole.grade_ceilings, *whole.vehicles.values(), whole.driving)
    named = {key for row in rows if row is not None for key in row.source_ids}
    sources = {key: source for key, source in whole.sources.items() if key in named}
    return replace(
        whole, sources=sources, nodes={}, sections={}, crossings={}, heights=(), border_delays=BorderDelays()
    )


def _load_driving_tables(
    folder: Path, sources: dict[str, Source], faults: Faults
) -> tuple[dict[str, Vehicle], DrivingParameters | None, dict[str, Source]]:
    """Vehicles and parameters of driving times, and the packaged sources that rows of packaged tables name."""
    # Each table cites the sources beside it: a packaged table those of the package, one of the folder its own.
    at, known = own_or_packaged(folder, ("vehicles.csv",), sources)
    vehicles = load_vehicles(at / "vehicles.csv", known, faults)
    added = added_sources((key for vehicle in vehicles.values() for key in vehicle.source_ids), known, sources)
    at, known = own_or_packaged(folder, ("driving.csv",), sources)
    driving = load_driving(at / "driving.csv", known, faults)
    added |= added_sources(driving.source_ids if driving else (), known, sources)
    return vehicles, driving, dict(sorted(added.items()))


def _load_nodes(folder: Path, sources: dict[str, Source], faults: Faults) -> list[Node]:
    return [
        Node(
            row.text("node_id", required=True),
            row.text("name", required=True),
            row.text("name").partition(",")[0].strip(),
            row.text("kind", required=True),
            row.number("lon", -180, 180),
            row.number("lat", -90, 90),
            row.country("country"),
            row.optional("elevation_m", -500, 9000),
            row.aliases("aliases"),
            source_ids_of(row, sources),
        )
        for row in read_rows(folder / "nodes.csv", _NODES.split(), faults)
    ]


def _load_lines(folder: Path, faults: Faults) -> dict[str, LineString | None]:
    """Lines by section; None where the rows of one have faults, which are told already."""
    points: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for row in read_rows(folder / "waypoints.csv", _WAYPOINTS.split(), faults):
        place = (row.number("seq"), row.number("lon", -180, 180), row.number("lat", -90, 90))
        points[row.text("section_id", required=True)].append(place)
    lines: dict[str, LineString | None] = {}
    for section_id, places in points.items():
        lines[section_id] = None
        numbered = [seq for seq, _, _ in places if not math.isnan(seq)]
        if len(set(numbered)) < len(numbered):
            faults.add(f"{folder / 'waypoints.csv'}: '{section_id}' has a seq twice; number its points from end to end")
        # Rows may stand in any order; seq gives it. The same point twice in a row is no segment.
        ordered = [(lon, lat) for _, lon, lat in sorted(places)]
        distinct = [point for point, _ in itertools.groupby(ordered)]
        if len(distinct) < 2:
            faults.add(f"{folder / 'waypoints.csv'}: '{section_id}' has fewer than two different points")
        elif not any(math.isnan(figure) for place in places for figure in place):
            lines[section_id] = LineString(distinct)
    return lines


def _load_structures(folder: Path, sources: dict[str, Source], faults: Faults) -> dict[str, list[DocumentedStructure]]:
    path = folder / "structures.csv"
    found = [
        DocumentedStructure(
            row.text("structure_id", required=True),
            row.text("section_id", required=True),
            row.member("kind", StructureKind),
            row.text("name", required=True),
            row.optional("lon", -180, 180),
            row.optional("lat", -90, 90),
            row.optional("length_km", 0, 200),
            row.member("status", SectionStatus),
            row.flag("decisive"),
            source_ids_of(row, sources),
            row.text("note"),
        )
        for row in read_rows(path, _STRUCTURES.split(), faults)
    ]
    on: dict[str, list[DocumentedStructure]] = defaultdict(list)
    for structure in by_id(found, "structure_id", path, faults).values():
        on[structure.section_id].append(structure)
    return on


def _load_limits(folder: Path, sources: dict[str, Source], faults: Faults) -> dict[str, VehicleLimit]:
    """Limits of vehicles by section; none where the folder has no such table."""
    path = folder / "limits.csv"
    if not path.is_file():
        return {}
    found: dict[str, VehicleLimit] = {}
    others = ", ".join(column for column in TRUCK_OF_LIMIT if column != "max_weight_t")
    for row in read_rows(path, _LIMITS.split(), faults, optional=_LIMITS_OPTIONAL):
        limit = VehicleLimit(
            row.text("section_id", required=True),
            row.optional("max_weight_t", 0.1, 500),
            row.optional("max_height_m", 0.5, 20),
            row.date("as_of"),
            source_ids_of(row, sources),
            row.text("note"),
            row.optional("max_width_m", 0.5, 20),
            row.optional("max_length_m", 0.5, 100),
            row.optional("max_axle_t", 0.1, 100),
        )
        if all(getattr(limit, column) is None for column in TRUCK_OF_LIMIT):
            row.fault("max_weight_t", f"is empty, as are {others}; a limit states at least one of them")
        if limit.section_id in found:
            row.fault("section_id", f"'{limit.section_id}' has a limit already; keep the one that holds")
        found[limit.section_id] = limit
    return found


def _load_sections(
    folder: Path,
    sources: dict[str, Source],
    nodes: dict[str, Node],
    lines: dict[str, LineString | None],
    structures: dict[str, list[DocumentedStructure]],
    limits: dict[str, VehicleLimit],
    faults: Faults,
) -> list[Section]:
    found = []
    for row in read_rows(
        folder / "sections.csv", _SECTIONS.split(), faults, optional=(*WORKS_COLUMNS, *_FOLLOW_COLUMNS)
    ):
        section_id = row.text("section_id", required=True)
        ends = (row.text("from_node", required=True), row.text("to_node", required=True))
        # Without a line nothing else of the row can be checked; the other rows still are.
        if section_id not in lines:
            row.fault("section_id", f"'{section_id}' has no line in waypoints.csv")
        line = lines.get(section_id)
        if line is None:
            continue
        _check_ends(row, ends, nodes, line)
        found.append(
            Section(
                section_id=section_id,
                name=row.text("name", required=True),
                aliases=row.aliases("aliases"),
                from_node=ends[0],
                to_node=ends[1],
                mode=row.member("mode", Mode),
                road_class=row.text("class", required=True),
                status=row.member("status", SectionStatus),
                as_of=row.date("as_of", required=True),
                opened=row.date("opened"),
                closed=row.date("closed"),
                length_km=row.range("length_km"),
                tunnel_km=row.optional("tunnel_km", 0, 1000),
                bridge_km=row.optional("bridge_km", 0, 1000),
                max_grade_pct=row.optional("max_grade_pct", 0, 40),
                design_speed_kmh=row.optional("design_speed_kmh", *_SPEED_KMH),
                country=row.country("country"),
                control=row.country("control", required=False),
                control_from=row.text("as_of"),
                geometry_quality=row.member(
                    "geometry_quality", GeometryQuality, without=(GeometryQuality.DESIGNED, GeometryQuality.DRAWN)
                ),
                follows_osm=row.flag("follows_osm"),
                source_ids=source_ids_of(row, sources),
                confidence=row.member("confidence", Confidence, without=(Confidence.UNSTATED,)),
                note=row.text("note"),
                line=line,
                structures=tuple(structures.get(section_id, ())),
                limit=limits.get(section_id),
                works=read_works(row, sources),
                crossings_follow=row.text("crossings_follow"),
                crossings_follow_source_ids=_follow_sources(row, sources),
            )
        )
        _check_lengths(row, found[-1])
        _check_dates(row, found[-1])
    _check_followed(found, f"{folder / 'sections.csv'}", faults)
    return found


def _check_lengths(row: Row, section: Section) -> None:
    """Refuse lengths that no way between a section's ends has.

    Ends are rounded to 0.001 degree and stations lie beside their towns, so that half a kilometre is no fault; a line
    of few waypoints is shorter than a road of many bends, but not several times.
    """
    line, documented = section.line, section.length_km
    # Three lengths must fit each other: as the crow flies, as drawn, and as documented.
    drawn_km = float(line_lengths_m([line])[0]) / 1000
    beeline_km = float(distance_m(*line.coords[0][:2], *line.coords[-1][:2])) / 1000
    if documented is not None:
        if documented.high + max(BEELINE_SLACK_KM, 0.01 * beeline_km) < beeline_km:
            row.fault(
                "length_km_high",
                f"{documented.high:g} km is less than the {beeline_km:.1f} km from end to end as the crow flies; "
                "correct the length or the ends",
            )
        if documented.low > SEVERAL_TIMES * drawn_km:
            row.fault(
                "length_km_low",
                f"{documented.low:g} km is over {SEVERAL_TIMES:g} times the {drawn_km:.1f} km of the line in "
                "waypoints.csv; correct the length or draw its bends",
            )
    # Structures are part of the section, all of them together as well as each by itself.
    longest_km = documented.high if documented is not None else drawn_km + BEELINE_SLACK_KM
    structures = (section.tunnel_km or 0.0) + (section.bridge_km or 0.0)
    structures = max([structures, *(structure.length_km or 0.0 for structure in section.structures)])
    if structures > longest_km * 1.001:
        row.fault(
            "tunnel_km/bridge_km",
            f"tunnels and bridges of {structures:g} km are longer than the section of {longest_km:.1f} km; correct "
            "them or the length",
        )


def _follow_sources(row: Row, sources: Collection[str]) -> tuple[str, ...]:
    """Sources of whose crossings a section has; without any nothing may be said of it."""
    named = named_sources(row, "crossings_follow_source_ids", sources)
    if bool(named) != bool(row.text("crossings_follow")):
        row.fault(
            "crossings_follow/crossings_follow_source_ids",
            "only one of both is given; name the section whose crossings it has and who says so, or neither",
        )
    return named


def _check_followed(sections: Sequence[Section], where: str, faults: Faults) -> None:
    """Refuse sections that follow what can't say what they meet."""
    # Whose crossings a section has must be known beside it, in the same country, and not be taken from a third one.
    known = {section.section_id: section for section in sections}
    for section in sections:
        if not section.crossings_follow:
            continue
        at = f"{where}, section '{section.section_id}': crossings_follow '{section.crossings_follow}'"
        followed = known.get(section.crossings_follow)
        if followed is None or followed is section:
            faults.add(f"{at} is {'itself' if followed else 'no section'}; name the section whose crossings it has")
        elif section.geometry_quality != GeometryQuality.SCHEMATIC or section.follows_osm:
            faults.add(f"{at}: its own line is known and says what it meets; leave crossings_follow empty")
        elif followed.crossings_follow:
            faults.add(f"{at} follows '{followed.crossings_follow}' itself; name that one")
        elif followed.country != section.country:
            faults.add(f"{at} lies in {followed.country}, this one in {section.country}; name one of the same country")
        else:
            ends = (section.line.coords[0], section.line.coords[-1])
            off_km = max(locate_m(followed.line, *end[:2])[1] for end in ends) / 1000
            if off_km > FOLLOW_KM:
                faults.add(
                    f"{at} passes {off_km:.1f} km from an end of this one, the limit is {FOLLOW_KM:g} km; name one "
                    "that runs beside it"
                )


def _check_dates(row: Row, section: Section) -> None:
    """A status is what the later of opening and closure left, and documented since."""
    status, opened, closed = section.status, section.opened, section.closed
    # Of ways that are to be built, the day of opening is yet to come.
    past = {"closed": closed} | ({} if status.is_unbuilt else {"opened": opened})
    for column, date in past.items():
        if lies_after(date, section.as_of):
            row.fault(
                column,
                f"is {date}, after as_of {section.as_of}, for which status is {status}; correct one of both dates",
            )
    if status == SectionStatus.OPEN:
        if closed and (not opened or lies_after(closed, opened)):
            row.fault(
                "closed",
                f"is {closed}, but status is open; say in status what it is since, or in opened since when "
                "it is open again",
            )
    elif not status.is_unbuilt and lies_after(opened, closed):
        row.fault(
            "opened", f"is {opened}, after closed, but status is {status}; make status open, or correct the dates"
        )


def _check_ends(row: Row, ends: tuple[str, str], nodes: dict[str, Node], line: LineString) -> None:
    for column, node_id, point in zip(("from_node", "to_node"), ends, (line.coords[0], line.coords[-1]), strict=True):
        node = nodes.get(node_id)
        if node is None:
            if node_id:
                row.fault(column, f"'{node_id}' is not in nodes.csv")
        # A tenth of a metre: a section that doesn't end in its node wouldn't meet its neighbours.
        elif max(abs(node.lon - point[0]), abs(node.lat - point[1])) > 1e-6:
            row.fault(column, f"the line's end {point} is not where node '{node_id}' is ({node.lon}, {node.lat})")


def _load_crossings(folder: Path, sources: dict[str, Source], faults: Faults) -> list[Crossing]:
    found = []
    for row in read_rows(folder / "crossings.csv", _CROSSINGS.split(), faults, optional=_CROSSING_HISTORY):
        as_of, since = row.date("as_of", required=True), row.date("since")
        crossing = Crossing(
            row.text("crossing_id", required=True),
            row.text("name", required=True),
            row.number("lon", -180, 180),
            row.number("lat", -90, 90),
            frozenset((row.country("country_a"), row.country("country_b"))),
            row.member("mode", Mode),
            row.member("status", CrossingStatus, without=(CrossingStatus.UNLISTED,)),
            as_of,
            row.range("delay_min"),
            source_ids_of(row, sources),
            row.text("note"),
            since=since or as_of,
            before=_status_before(row, since),
        )
        if lies_after(since, as_of):
            row.fault("since", f"is {since}, after as_of {as_of}; say since when the status is documented")
        if len(crossing.countries) < 2:
            row.fault("country_b", "is country_a again; a crossing lies between two countries")
        found.append(crossing)
    return found


def _status_before(row: Row, since: str) -> CrossingStatus:
    """What a crossing was before its status: unknown where the row doesn't say it."""
    if not row.text("before"):
        return CrossingStatus.UNKNOWN
    if not since:
        row.fault("before", "is given without since; say since when it isn't so any more")
    return row.member("before", CrossingStatus, without=(CrossingStatus.UNLISTED,))


def _load_speeds(folder: Path, sources: dict[str, Source], faults: Faults) -> tuple[Speed, ...]:
    path = folder / "speeds.csv"
    found = []
    for row in read_rows(path, _SPEEDS.split(), faults):
        speed = row.range("speed_kmh", *_SPEED_KMH)
        if speed is None:
            row.fault("speed_kmh", "is empty; a speed is needed")
            continue
        found.append(Speed(row.member("mode", Mode), row.text("class"), speed, source_ids_of(row, sources)))
    return tuple(by_ids(found, _BY_CLASS, path, faults).values())


def _load_ceilings(folder: Path, sources: dict[str, Source], faults: Faults) -> tuple[GradeCeiling, ...]:
    path = folder / "grades.csv"
    found = [
        GradeCeiling(
            row.member("mode", Mode),
            row.text("class", required=True),
            row.number("ceiling_pct", 0.1, 40),
            source_ids_of(row, sources),
        )
        for row in read_rows(path, _GRADES.split(), faults)
    ]
    return tuple(by_ids(found, _BY_CLASS, path, faults).values())
