"""From the study and its files to rows, places and surfaces: all that other steps know of the world."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from corridor.errors import CatalogueError, SourceError, StudyError
from corridor.files import require_file
from corridor.io.read.border_delays import sides_of
from corridor.io.read.borders import Borders, no_borders, read_borders
from corridor.io.read.catalogue import Catalogue, load_catalogue, load_general_catalogue
from corridor.io.read.data_files import hash_rules
from corridor.io.read.inputs import Area, Gazetteer, HeightDraw, catalogue_dates, load_dem, require_known, require_past
from corridor.io.read.osm import OsmData, OsmParts, read_parts
from corridor.io.read.own_routes import read_drawn
from corridor.io.read.places import PlaceNames, Places, load_place_names, read_places
from corridor.io.read.regimes import load_regime_sources
from corridor.io.read.rivers import BorderRiver, load_border_rivers
from corridor.metrics.registry import all_columns, unknown_metric
from corridor.pipeline.ahead import map_path
from corridor.pipeline.graph import Progress, step
from corridor.schema.catalogue import (
    BorderDelays,
    Costing,
    Crossing,
    Estimate,
    GradeCeiling,
    Node,
    Section,
    Speed,
    UnitCost,
)
from corridor.schema.column import Criterion, Kind, Unit, find_column
from corridor.schema.fields import Source, date_today
from corridor.schema.parameters import (
    DocumentedHeight,
    DrivingModel,
    DrivingParameters,
    PeopleTables,
    TripRates,
    Vehicle,
)
from corridor.schema.study import (
    UNKNOWN_COUNTRY,
    CandidateSpec,
    CrossingSpec,
    DrawnCandidate,
    Elevation,
    ExistingCandidates,
    Focus,
    ImpactSpec,
    NewBuildCandidate,
    Place,
    ReferenceCandidate,
    Study,
    TimeSpec,
    ViaCandidate,
)
from corridor.schema.vocabulary import BedRoad, CrossingStatus
from corridor.terrain.surface import Dem, draw_errors

# Parts of the study: what hangs on one of them is stale only if that part changes, not with every other word.


@step(by_value=True)
def study_id(study: Study) -> str:
    """The study's id, which messages begin with."""
    return study.id


@step(by_value=True)
def area(study: Study) -> Area:
    """West, south, east, north in degrees."""
    return study.area


@step(by_value=True)
def study_focus(study: Study) -> Focus:
    """The region that the study is about, as it is declared."""
    return study.focus


@step(by_value=True)
def elevation(study: Study) -> Elevation:
    """How far heights can be trusted."""
    return study.elevation


@step(by_value=True)
def impact(study: Study) -> ImpactSpec | None:
    """What candidates are measured for beyond themselves."""
    return study.impact


@step(by_value=True)
def as_of(study: Study) -> str:
    """The date of the baseline that is computed on."""
    return study.chosen_baseline.as_of


@step(by_value=True)
def grade_effect(study: Study) -> bool:
    """Whether climbs slow traffic."""
    return study.grade_effect


@step(by_value=True)
def snap_limit_m(study: Study) -> float:
    """Farthest that a place may lie from a road."""
    return study.snap_limit_km * 1000


@step(by_value=True)
def through_classes(study: Study) -> tuple[str, ...]:
    """Classes of roads that carry through traffic."""
    return tuple(study.sources.through_classes)


@step(by_value=True)
def times(study: Study) -> tuple[TimeSpec, ...]:
    """Documented journeys that driving times are fitted to."""
    return study.times


@step(by_value=True)
def enforce_limits(study: Study) -> bool:
    """Whether limits of vehicles close roads to trucks."""
    return study.enforce_limits


@step(by_value=True)
def bed_road(study: Study) -> BedRoad:
    """Whether a road on the bed that a railway takes is replaced or taken."""
    return study.bed_road


@step(by_value=True)
def criteria(study: Study) -> tuple[Criterion, ...]:
    """What is scored."""
    return study.criteria


@step(by_value=True)
def own_crossings(study: Study) -> tuple[CrossingSpec, ...]:
    """Border crossings that the study itself lists."""
    return study.crossings


@step(by_value=True)
def candidate_specs(study: Study) -> tuple[CandidateSpec, ...]:
    """The candidates as the study asks for them, in its order."""
    return study.candidates


@step(by_value=True)
def existing_specs(candidate_specs: Sequence[CandidateSpec]) -> dict[str, ExistingCandidates]:
    """Those over roads that are open, by id."""
    return {spec.id: spec for spec in candidate_specs if isinstance(spec, ExistingCandidates)}


@step(by_value=True)
def reference_specs(candidate_specs: Sequence[CandidateSpec]) -> dict[str, ReferenceCandidate]:
    """Those from the catalogue's sections, by id."""
    return {spec.id: spec for spec in candidate_specs if isinstance(spec, ReferenceCandidate)}


@step(by_value=True)
def new_build_specs(candidate_specs: Sequence[CandidateSpec]) -> dict[str, NewBuildCandidate]:
    """Those that are still to be designed, by id."""
    return {spec.id: spec for spec in candidate_specs if isinstance(spec, NewBuildCandidate)}


@step(by_value=True)
def via_specs(candidate_specs: Sequence[CandidateSpec]) -> dict[str, ViaCandidate]:
    """Those by way of places, by id."""
    return {spec.id: spec for spec in candidate_specs if isinstance(spec, ViaCandidate)}


@step()
def today() -> str:
    """The day that statuses are held against, ISO date; the clock's unless it is given."""
    return date_today()


@step(by_value=True)
def drawn_specs(study: Study) -> dict[str, DrawnCandidate]:
    """Those that are drawn, by id, each with its line; files are read."""
    drawn = [spec for spec in study.candidates if isinstance(spec, DrawnCandidate)]
    return {spec.id: read_drawn(spec, study.path(spec.file) if spec.file else None) for spec in drawn}


# Files of the study.


@step(says="reading the reference catalogue")
def catalogue(study: Study) -> Catalogue:
    """All tables of the reference folder; without one what holds anywhere: speeds, grades, vehicles and prices."""
    if study.sources.reference is None:
        return load_general_catalogue()
    return load_catalogue(study.path(study.sources.reference))


@step()
def reference_folder(catalogue: Catalogue) -> Path:
    """Where the catalogue lies, which messages name."""
    return catalogue.folder


@step()
def documents(catalogue: Catalogue) -> Mapping[str, Source]:
    """Documents of the catalogue, by id."""
    return catalogue.sources


@step()
def regime_documents(study: Study) -> Mapping[str, Source]:
    """Documents of the study's file of regimes, by id; none where it names none."""
    if study.impact is None or study.impact.regimes is None:
        return {}
    return load_regime_sources(study.path(study.impact.regimes))


@step()
def nodes(catalogue: Catalogue) -> Mapping[str, Node]:
    """Named points, by id."""
    return catalogue.nodes


@step()
def sections(catalogue: Catalogue) -> Mapping[str, Section]:
    """Documented stretches of road and railway, by id."""
    return catalogue.sections


@step()
def crossings(catalogue: Catalogue, own_crossings: tuple[CrossingSpec, ...], study_id: str) -> Mapping[str, Crossing]:
    """Border crossings of the catalogue and of the study itself, by id.

    At a crossing of the study one waits what the catalogue's table of border delays says of it, or of all points of its
    countries.

    Raises:
        StudyError: one of the study's has the id of one of the catalogue's.
    """
    # A study may add crossings and not replace those of the catalogue, whose sources would then stand behind its
    # figures.
    twice = [row.id for row in own_crossings if row.id in catalogue.crossings]
    if twice:
        raise StudyError(f"{study_id}: crossings: '{twice[0]}' is a crossing of the catalogue; rename it")
    own = {
        row.id: Crossing(
            row.id, row.name, row.lon, row.lat, frozenset(row.countries), row.mode, CrossingStatus(row.status),
            row.as_of, None, (), row.note,
            sides_of(row.id, row.countries, row.mode, catalogue.border_delays), row.as_of,
        )
        for row in own_crossings
    }  # fmt: skip
    return catalogue.crossings | own


@step()
def unconfirmed_crossings(own_crossings: tuple[CrossingSpec, ...]) -> dict[str, str]:
    """Crossings that only a map shows: names by id."""
    return {row.id: row.name for row in own_crossings if not row.confirmed}


@step()
def border_delays(catalogue: Catalogue) -> BorderDelays:
    """What border points take, by side, direction and mode."""
    return catalogue.border_delays


@step()
def speeds(catalogue: Catalogue) -> Sequence[Speed]:
    """Speeds by class."""
    return catalogue.speeds


@step()
def unit_costs(catalogue: Catalogue) -> Sequence[UnitCost]:
    """Prices of construction by kind."""
    return catalogue.unit_costs


@step()
def costing(catalogue: Catalogue) -> Costing:
    """Rates of upkeep and the other parameters of costs."""
    if catalogue.costing is None:
        raise CatalogueError(f"{catalogue.folder / 'costing.csv'}: is missing; give it with upkeep.csv")
    return catalogue.costing


@step()
def people_tables(catalogue: Catalogue) -> PeopleTables:
    """Census totals, documented populations of places, and rates of trips."""
    if catalogue.people is None:
        raise CatalogueError(f"{catalogue.folder / 'trip_rates.csv'}: is missing; give it")
    return catalogue.people


@step(by_value=True)
def trip_rates(people_tables: PeopleTables) -> TripRates:
    """Trips to the border crossing and to centres, a person and day."""
    return people_tables.trips


@step(by_value=True)
def population_total(study_id: str, study_focus: Focus, people_tables: PeopleTables) -> Estimate | None:
    """The people of the focus by census; None where the study names no total.

    Raises:
        StudyError: it names one that the catalogue doesn't have.
    """
    area = study_focus.population_total
    if area is None:
        return None
    # A name that is wrong must not pass for a total that nobody knows.
    total = people_tables.total_of(area)
    if total is None:
        known = ", ".join(sorted({each.area for each in people_tables.totals})) or "no area"
        raise StudyError(
            f"{study_id}: focus.population_total: '{area}' is not in population_totals.csv, which has {known}; "
            "correct it, or leave it out"
        )
    return total


@step()
def grade_ceilings(catalogue: Catalogue) -> Sequence[GradeCeiling]:
    """Steepest grades by class."""
    return catalogue.grade_ceilings


@step()
def vehicles(catalogue: Catalogue) -> Mapping[str, Vehicle]:
    """Vehicles of the driving-time model, by id."""
    return catalogue.vehicles


@step()
def driving_parameters(catalogue: Catalogue) -> DrivingParameters:
    """What driving times take beside vehicles."""
    if catalogue.driving is None:
        raise CatalogueError(
            f"{catalogue.folder / 'driving.csv'}: is missing; give it, or leave the folder's tables out"
        )
    return catalogue.driving


@step()
def heights(catalogue: Catalogue) -> Sequence[DocumentedHeight]:
    """Documented heights of roads and railways."""
    return catalogue.heights


@step()
def driving_model(
    speeds: Sequence[Speed],
    grade_ceilings: Sequence[GradeCeiling],
    vehicles: Mapping[str, Vehicle],
    driving_parameters: DrivingParameters,
    heights: Sequence[DocumentedHeight],
) -> DrivingModel:
    """All rows that driving times are computed from."""
    return DrivingModel(speeds, grade_ceilings, vehicles, driving_parameters, heights)


@step(by_value=True)
def place_names(study: Study, documents: Mapping[str, Source]) -> PlaceNames:
    """Names of places by language."""
    if study.sources.reference is None:
        return {}
    return load_place_names(study.path(study.sources.reference), set(documents))


@step(by_value=True)
def border_rivers(study: Study, documents: Mapping[str, Source]) -> tuple[BorderRiver, ...]:
    """Rivers that borders run in, for maps whose data hold no rivers."""
    if study.sources.reference is None:
        return ()
    return load_border_rivers(study.path(study.sources.reference), set(documents))


@step(says="reading borders and places")
def borders(study: Study) -> Borders:
    """Countries and their polygons; none where the study names no borders.

    Raises:
        SourceError: the file has faults, or no country in the study's area.
    """
    if not study.sources.borders:
        return no_borders()
    path = study.path(study.sources.borders)
    found = read_borders(path)
    # Elsewhere, or with latitude first: every place would lie in no country, and every way end at a border.
    if not shapely.box(*study.area).intersects(found.countries.geometry.to_numpy()).any():
        raise SourceError(f"{path}: has no country in the study's area; name other borders (longitude comes first)")
    return found


@step(says="reading borders and places")
def places(study: Study) -> Places | None:
    """The table of settlements; None where the study names none."""
    return read_places(study.path(study.sources.places)) if study.sources.places else None


@step()
def gazetteer(study_id: str, area: Area, nodes: Mapping[str, Node], places: Places | None) -> Gazetteer:
    """Places by name: nodes of the catalogue, then settlements."""
    return Gazetteer(study_id, area, nodes, places)


@step()
def known_names(
    study: Study,
    gazetteer: Gazetteer,
    nodes: Mapping[str, Node],
    sections: Mapping[str, Section],
    vehicles: Mapping[str, Vehicle],
    documents: Mapping[str, Source],
    regime_documents: Mapping[str, Source],
    crossings: Mapping[str, Crossing],
    border_delays: BorderDelays,
    today: str,
) -> bool:
    """That every metric, place, node and section which the study names is there, told before anything long is read.

    Raises:
        StudyError: some aren't, a criterion has a unit of its own, or statuses lie in the future: all at once.
        SourceError: the file of perspectives is missing.
    """
    # A wrong name is told before the map is read, which takes most of a run.
    if faults := [f"{study.id}: {fault}" for each in study.criteria if (fault := _fault_of_criterion(each))]:
        raise StudyError("; ".join(faults))
    require_known(study, gazetteer, nodes, sections, vehicles, documents, regime_documents)
    require_past(study, catalogue_dates(sections.values(), crossings.values(), border_delays), today)
    if study.sources.perspectives is not None:
        require_file(study.path(study.sources.perspectives), "file of perspectives")
    return True


def _fault_of_criterion(criterion: Criterion) -> str:
    """Why a criterion can't be measured as the study states it; nothing where it can."""
    where = f"criteria '{criterion.criterion_id}'"
    column = find_column(criterion.metric, all_columns())
    if column is None:
        return f"{where}: metric: {unknown_metric(criterion.metric)}"
    if column.kind not in (Kind.NUMBER, Kind.COUNT):
        return f"{where}: metric: '{criterion.metric}' is no figure ({column.kind}); name a column of numbers"
    # What is counted may be called anything; anchors in another unit than the figures would rank nonsense.
    counted = column.unit in (Unit.NONE, Unit.COUNT, Unit.PER_10KM)
    if not counted and criterion.unit not in (column.unit, column.symbol):
        return (
            f"{where}: unit: is '{criterion.unit[:40]}', but {column.name} is in {column.unit}, as its anchors must be"
        )
    return ""


@step(says="reading heights")
def read_heights(
    study: Study,
    dem_paths: Sequence[Path],
    nodes: Mapping[str, Node],
    places: Places | None,
    heights: Sequence[DocumentedHeight],
    driving_parameters: DrivingParameters,
) -> Dem:
    """The elevation model as it was read."""
    return load_dem(
        study, dem_paths, nodes=nodes, places=places, heights=heights, fault_m=driving_parameters.pin_fault_m
    )


@step()
def height_draw() -> HeightDraw | None:
    """A draw of the elevation model's error to add to its heights; None unless a sweep asks for one."""
    return None


@step(keep=1)
def dem(read_heights: Dem, height_draw: HeightDraw | None) -> Dem:
    """The elevation model that is computed on."""
    if height_draw is None:
        return read_heights
    # A draw is a smooth field with the error's own range; it is read at the cells' middles and put on top.
    field = next(iter(draw_errors(read_heights, 1, height_draw.seed)))
    rows, cols = read_heights.grid.shape
    at = np.meshgrid(np.arange(float(rows)), np.arange(float(cols)), indexing="ij")
    lon, lat = read_heights.grid.centres(*at)
    return read_heights.with_heights((read_heights.heights_m + field.sample(lon, lat)).astype(np.float32))


@step()
def map_file(study: Study, osm_path: Path | None, progress: Progress) -> Path | None:
    """The file of roads and railways, which is read next; None where the catalogue alone is the network."""
    path = map_path(study, osm_path)
    if path is not None:
        progress(f"reading OpenStreetMap data from {path.name}")
    return path


@step()
def osm_parts(map_file: Path | None) -> OsmParts | None:
    """OpenStreetMap data before it is drawn; None where there is none."""
    return read_parts(map_file) if map_file is not None else None


@step()
def osm(osm_parts: OsmParts | None) -> OsmData | None:
    """OpenStreetMap data; None where there is none."""
    return osm_parts.draw() if osm_parts is not None else None


@step()
def mapped(osm: OsmData | None) -> OsmData | None:
    """What the map shows beside ways: once these are joined into a network, nothing needs them any more."""
    return osm.without_ways() if osm is not None else None


@step()
def data_sources(dem: Dem, borders: Borders, places: Places | None, mapped: OsmData | None) -> tuple[Source, ...]:
    """The data files used."""
    # Borders without a country are a stand-in for none, and no file that a reader could look up.
    known = borders if len(borders.countries) else None
    return tuple(found.source for found in (dem, known, places, mapped) if found is not None)


@step()
def shown_places(places: Places | None, mapped: OsmData | None, borders: Borders) -> Places | None:
    """Settlements to name routes by and to show: the study's table, else those of the map; None without either."""
    if places is not None or mapped is None or not len(mapped.places):
        return places
    # Settlements of the map have no country of their own: it is that of the ground that they lie on.
    found = mapped.places[mapped.places["name"] != ""]
    country = borders.country_at(found["lon"], found["lat"])
    frame = found[["name", "lat", "lon", "population", "geometry"]].assign(country=country, alternate_names="")
    return Places(frame.reset_index(drop=True), mapped.source)


@step()
def stop_gazetteer(
    study_id: str, area: Area, nodes: Mapping[str, Node], shown_places: Places | None, borders: Borders
) -> Gazetteer:
    """Places by name on the way of a route: those of the study, else those of the map."""
    known = shown_places
    if known is not None and not len(borders.countries):
        known = replace(known, frame=known.frame.assign(country=UNKNOWN_COUNTRY))
    return Gazetteer(study_id, area, nodes, known)


@step()
def rules(study: Study) -> Mapping[str, str]:
    """SHA-256 of what decides beside the data."""
    return hash_rules(study)


# Places and regions that the study names.


@step(by_value=True)
def origin(study: Study, gazetteer: Gazetteer) -> Place:
    """Where routes begin."""
    return gazetteer.find(study.origin, "origin")


@step(by_value=True)
def destination(study: Study, gazetteer: Gazetteer, origin: Place) -> Place:
    """Where routes end.

    Raises:
        StudyError: it is where they begin.
    """
    found = gazetteer.find(study.destination, "destination")
    if (origin.lon, origin.lat) == (found.lon, found.lat):
        raise StudyError(f"{study.id}: destination: is the origin ({origin.name}); a route needs two places")
    return found


@step(by_value=True)
def border_crossing(study: Study, gazetteer: Gazetteer) -> Place:
    """The fixed point abroad from which access is measured."""
    return gazetteer.find(_needed(study, "border_crossing"), "border_crossing")


@step(by_value=True)
def capital(study: Study, gazetteer: Gazetteer) -> Place:
    """Where access is measured to.

    Raises:
        StudyError: it lies in another country than the focus, on whose roads access is measured.
    """
    found, country = gazetteer.find(_needed(study, "capital"), "capital"), study.focus.country
    if found.country not in (country, UNKNOWN_COUNTRY):
        raise StudyError(
            f"{study.id}: capital: {found.name} lies in {found.country}; name a place in focus.country, {country}"
        )
    return found


def _needed(study: Study, field: str) -> Place | str:
    place: Place | str | None = getattr(study, field)
    if place is None:
        raise StudyError(
            f"{study.id}: {field}: is missing; impacts are measured from the border crossing to the capital"
        )
    return place


@step()
def focus_region(study_id: str, study_focus: Focus, borders: Borders) -> shapely.Geometry:
    """The study's focus: its outline inside its country; all of the outline where no border is known."""
    outline = shapely.make_valid(shapely.Polygon(study_focus.outline))
    if not (study_focus.country and len(borders.countries)):
        return outline
    region = shapely.intersection(outline, borders.polygon(study_focus.country))
    if region.is_empty:
        raise StudyError(f"{study_id}: focus.outline: lies wholly outside {study_focus.country}; correct the corners")
    return region
