"""A study: what is asked, of which ground, with which data. TOML in, validated types out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import shapely
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from corridor.errors import StudyError
from corridor.files import data_root, parse_toml
from corridor.schema.catalogue import THROUGH_CLASSES
from corridor.schema.column import Criterion, Group
from corridor.schema.faults import BRANCHES, fault_words, root_faults
from corridor.schema.fields import Country, CountryOrNone, Date, Identifier, KnownDate, MonthOrDay, Text
from corridor.schema.message import Alias
from corridor.schema.settings import LiveSettings, ReportSettings
from corridor.schema.vocabulary import BedRoad, CrossingStatus, Direction, Family, Mode
from corridor.svg_repr import Dot, Stroke, facts_html, sketch_svg
from corridor.theme import colour

PACKAGED = "package:"
UNKNOWN_COUNTRY = "XX"
"""Country of a place that lies in none that is known."""
LIVE_OSM = "live:osm"
DRAWN_SUFFIXES = frozenset((".geojson", ".json", ".gpkg", ".kml", ".kmz", ".gpx", ".fgb", ".shp"))
"""Files of lines, which aren't studies."""
_DATA_OPTIONS = {
    **dict.fromkeys((".pbf", ".osm", ".o5m", ".bz2"), "--osm"),
    **dict.fromkeys((".tif", ".tiff", ".hgt", ".vrt"), "--dem"),
}
"""Data that people give where a study is wanted, and the option that takes it."""
# strict: neither true nor "10" is a number
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, strict=True)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, strict=True)]
Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
RoadClass = Literal[
    "motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "road",
    "service", "track",
]  # fmt: skip
Draws = Annotated[int, Field(ge=0, le=1000, strict=True)]
Seed = Annotated[int, Field(ge=0, strict=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Place(_Strict):
    """A point with a name; ``country`` is whose ground it is on."""

    name: Text
    lon: Longitude
    lat: Latitude
    country: Country


class Focus(_Strict):
    """The region that the study is about: the part of ``country`` inside ``outline`` (lon, lat corners).

    ``population_total`` is the area of ``population_totals.csv`` whose people bound those of its places.
    Without a country it is all that lies inside; a study that names no focus is about its whole area.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    name: Text
    country: CountryOrNone = ""
    outline: Annotated[tuple[tuple[Longitude, Latitude], ...], Field(min_length=3, max_length=10_000)]
    population_total: Identifier | None = None

    @field_validator("outline")
    @classmethod
    def _encloses(cls, outline: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if not shapely.Polygon(outline).is_valid:
            raise ValueError(
                "crosses itself or encloses nothing; give the region's corners (lon, lat) in order around it"
            )
        return outline


def _no_address(text: str) -> str:
    if text.startswith(("http://", "https://")):
        raise ValueError(f"'{text[:60]}' is an address; name a file, or leave it out and fetch it with --live")
    return text


Named = Annotated[Text, AfterValidator(_no_address)]
"""A file or folder beside the study's own; an address would be taken for a path."""


class Files(_Strict):
    """Where the data lies: paths beside the study file, or ``package:...`` for what ships with the toolkit.

    ``borders`` and ``places`` may be ``live:osm``: they are then fetched from OpenStreetMap by ``--live``.
    ``long_distance`` is a folder of long-distance tables, for studies that have them. Without ``reference`` there are
    no documented sections, and speeds, grades and prices are those that ship with the toolkit; without ``borders``
    countries are unknown and no border is ever closed; without ``perspectives`` there are equal weights and a view for
    each group of criteria.
    ``through_classes`` are the classes of roads that carry through traffic in the map; a link counts with its road.
    """

    reference: Named | None = None
    elevation: tuple[Named, ...] = ()
    borders: Named | None = None
    places: Named | None = None
    osm: Named | None = None
    perspectives: Named | None = None
    long_distance: Named | None = None
    through_classes: Annotated[tuple[RoadClass, ...], Field(min_length=1)] = THROUGH_CLASSES


class Elevation(_Strict):
    """How far heights can be trusted: standard error in metres and the distance over which errors are alike.

    ``vertical_error_m`` is for heights that aren't recognised as those of a data set in ``height_errors.csv``; where
    nobody says, the goal of the SRTM mission (16 m for nine tenths, over 1.645).
    """

    vertical_error_m: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False, strict=True)] = 9.7
    error_range_km: Annotated[float, Field(ge=0.1, le=1000, allow_inf_nan=False, strict=True)] = 5.0
    draws: Draws = 64
    level_sections: tuple[str, ...] = ()
    seed: Seed = 0


Letter = Annotated[str, Field(pattern=r"^[A-Z]?$")]
"""What a candidate is marked by on maps and in tables."""


class AttributedAlias(Alias):
    """A name that somebody uses for a route."""

    used_by: Text


class ReferenceCandidate(_Strict):
    """Catalogue sections joined in a chain from the origin to the destination.

    ``letter`` marks it wherever it is shown; without one it gets one that is free.
    """

    family: Literal[Family.REFERENCE]
    id: Identifier
    name: Text
    mode: Mode
    sections: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=1000)]
    comparator: bool = False
    aliases: tuple[AttributedAlias, ...] = ()
    note: str = ""
    letter: Letter = ""


class ExistingCandidates(_Strict):
    """Up to ``count`` ways over open roads that differ: pairwise shared length and stretch are bounded.

    ``countries`` may be driven through, all if none is named; crossings and sections in ``assume_open`` count as open,
    and are named with every result. A way that shares over 90 % of its length
    with a route of the catalogue is left out, unless ``keep_found_again``.
    """

    family: Literal[Family.EXISTING]
    id: Identifier
    name: Text
    mode: Literal[Mode.ROAD] = Mode.ROAD
    count: Annotated[int, Field(ge=1, le=10, strict=True)] = 3
    max_shared: Share = 0.6
    max_stretch: Annotated[float, Field(ge=1, le=5, allow_inf_nan=False, strict=True)] = 1.6
    countries: tuple[Country, ...] = ()
    assume_open: tuple[Identifier, ...] = ()
    keep_found_again: Annotated[bool, Field(strict=True)] = False
    comparator: bool = False
    aliases: tuple[AttributedAlias, ...] = ()
    note: str = ""


class NewBuildCandidate(_Strict):
    """The cheapest new line by a design standard between catalogue nodes, joined to both ends by sections.

    The line runs from ``from_node`` by way of the nodes in ``via`` (stations) to ``to_node``; ``before`` leads from the
    origin there, ``after`` on to the destination. ``countries`` are the only ones that it may pass (none: any).
    """

    family: Literal[Family.NEW_BUILD]
    id: Identifier
    name: Text
    standard: Identifier
    from_node: Identifier
    to_node: Identifier
    via: tuple[Identifier, ...] = ()
    before: tuple[Identifier, ...] = ()
    after: tuple[Identifier, ...] = ()
    countries: tuple[Country, ...] = ()
    comparator: bool = False
    aliases: tuple[AttributedAlias, ...] = ()
    note: str = ""
    letter: Letter = ""


class ViaCandidate(_Strict):
    """The quickest way from the origin to the destination by way of places.

    ``via`` are places: catalogue nodes or settlements by name, ``lat,lon`` in degrees, or tables with name, lon, lat
    and country. The study's ends may stand among them. ``countries`` are the only ones that may be passed; those of the
    places and of the focus where they are left out. Crossings and sections in ``assume_open`` count as open. Where no
    open way leads on, closed sections are taken and named. Without ``name`` the places are the name.
    """

    family: Literal[Family.VIA]
    id: Identifier
    name: Annotated[str, Field(max_length=2000)] = ""
    mode: Mode = Mode.ROAD
    via: Annotated[tuple[Place | Text, ...], Field(max_length=100)]
    countries: tuple[Country, ...] = ()
    assume_open: tuple[Identifier, ...] = ()
    comparator: bool = False
    aliases: tuple[AttributedAlias, ...] = ()
    note: str = ""
    letter: Letter = ""


Ordinate = Annotated[float, Field(ge=-500, le=9000, allow_inf_nan=False, strict=True)]
Vertex = tuple[Longitude, Latitude] | tuple[Longitude, Latitude, Ordinate]


class DrawnCandidate(_Strict):
    """A line that somebody drew, from the origin to the destination: on the network where it follows a way, else new.

    The line is ``line`` (lon, lat and, where it is known, the height), or the feature of a ``file`` beside the study
    that is called ``feature``. It follows a way within ``follow_m``. New stretches are laid out by ``standard``; they
    are as exact as they are drawn, unless ``schematic`` says that they aren't.
    """

    family: Literal[Family.DRAWN]
    id: Identifier
    name: Text
    mode: Mode = Mode.ROAD
    file: Text | None = None
    feature: Text | None = None
    line: Annotated[tuple[Vertex, ...], Field(max_length=200_000)] = ()
    follow_m: Annotated[float, Field(ge=0, le=5000, allow_inf_nan=False, strict=True)] = 100.0
    standard: Identifier | None = None
    schematic: bool = False
    comparator: bool = False
    aliases: tuple[AttributedAlias, ...] = ()
    note: str = ""
    letter: Letter = ""

    @model_validator(mode="after")
    def _one_line(self) -> DrawnCandidate:
        if bool(self.line) == (self.file is not None):
            raise ValueError("give either file or line")
        if self.line and len(self.line) < 2:
            raise ValueError("line: needs two points or more")
        return self


class PackageCandidate(_Strict):
    """Several candidates of the study that are built and opened together, such as a railway and a road.

    ``of`` are the ids of other candidates, none of which is a package itself. Where more than one of them may lie on
    the bed of an old railway that is a road today, ``bed`` is the one that has it, and ``bed_road_by`` the one whose
    own new road stands in for the road on the bed, so that no other is built. ``sources`` are documents that speak of
    them together.
    """

    family: Literal[Family.PACKAGE]
    id: Identifier
    name: Text
    of: Annotated[tuple[Identifier, ...], Field(max_length=10)]
    bed: Identifier | None = None
    bed_road_by: Identifier | None = None
    sources: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=100)]
    comparator: bool = False
    aliases: tuple[AttributedAlias, ...] = ()
    note: str = ""
    letter: Letter = ""

    @model_validator(mode="after")
    def _several(self) -> PackageCandidate:
        twice = sorted({key for key in self.of if self.of.count(key) > 1})
        if twice:
            raise ValueError(f"of: '{twice[0]}' stands twice; name each route once")
        if len(self.of) < 2:
            raise ValueError("of: name two candidates of the study or more; one alone is no package")
        for field in ("bed", "bed_road_by"):
            if getattr(self, field) not in {None, *self.of}:
                raise ValueError(f"{field}: '{getattr(self, field)}' is none of {', '.join(self.of)}")
        if self.bed_road_by is not None and self.bed in {None, self.bed_road_by}:
            raise ValueError("bed_road_by: say in bed which other route has the bed, or leave bed_road_by out")
        return self

    def is_like(self, other: PackageCandidate) -> bool:
        """Whether both hold the same routes, in whatever order, with the same bed."""
        return (set(self.of), self.bed, self.bed_road_by) == (set(other.of), other.bed, other.bed_road_by)


CandidateSpec = Annotated[
    ReferenceCandidate | ExistingCandidates | NewBuildCandidate | ViaCandidate | DrawnCandidate | PackageCandidate,
    Field(discriminator="family"),
]


def _smaller_by_default(fields: Any) -> Any:
    """The fields of a criterion, of which less is better where it doesn't say."""
    return {"direction": Direction.MIN, **fields} if isinstance(fields, dict) else fields


_LEAST_APART = 1e-9


def _anchored(criterion: Criterion) -> Criterion:
    falls = criterion.best < criterion.worst
    # Figures are printed with ten digits: anchors that lie nearer to each other part nothing.
    if abs(criterion.best - criterion.worst) < _LEAST_APART or falls != (criterion.direction == Direction.MIN):
        raise ValueError(
            f"best and worst must differ (by {_LEAST_APART:g} at least), best below worst for 'min' and above it for "
            "'max'"
        )
    return criterion


ScoredCriterion = Annotated[Criterion, BeforeValidator(_smaller_by_default), AfterValidator(_anchored)]


class Check(_Strict):
    """A documented length between two catalogue nodes, to hold the way that is routed between them against.

    ``via`` are nodes that the documented way passes: the routed one isn't led over them, but must pass within
    ``passes_within_km`` of each. ``countries`` are those that may be driven through; all if left out.
    """

    name: Text
    mode: Mode
    from_node: Identifier
    to_node: Identifier
    via: tuple[Identifier, ...] = ()
    passes_within_km: Positive = 2.0
    countries: tuple[Country, ...] = ()
    low_km: Positive
    high_km: Positive
    tolerance_pct: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, strict=True)] = 5.0
    source: Identifier
    note: str = ""


class Baseline(_Strict):
    """A dated state of the network: ``as_of`` decides which catalogue sections and controls count."""

    id: Identifier
    name: Text
    as_of: MonthOrDay


class StageSpec(_Strict):
    """A place that routes of the country pass; junctions within ``radius_km`` count as it."""

    name: Text
    lon: Longitude
    lat: Latitude
    radius_km: Positive = 3.0


class AxisSpec(_Strict):
    """A line of the catalogue whose continuity matters, as sections from end to end.

    ``out_of_use_since`` is the year since which no through traffic has passed: running on a part of it restores it and
    shares nothing with anybody.
    """

    id: Identifier
    name: Text
    out_of_use_since: Annotated[int, Field(ge=1800, le=2200)] | None = None
    sections: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=1000)]


class TimeSpec(_Strict):
    """A journey between catalogue nodes, by way of others, of which a document states the time.

    ``breaks_min`` are documented breaks, which are no driving. A journey that isn't ``fitted`` is only shown, and so
    is one whose time is a lower bound (``at_least``).
    """

    name: Text
    from_node: Identifier
    to_node: Identifier
    via: tuple[Identifier, ...] = ()
    vehicle: Identifier
    low_min: Positive
    high_min: Positive
    breaks_min: Annotated[float, Field(ge=0, le=1e5, allow_inf_nan=False, strict=True)] = 0.0
    fitted: bool = True
    at_least: bool = False
    source: Identifier
    note: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> TimeSpec:
        if not self.breaks_min < self.low_min <= self.high_min:
            raise ValueError("low_min must be above breaks_min and not above high_min")
        return self


class CrossingSpec(_Strict):
    """A border crossing that the study itself lists, beside those of its catalogue.

    ``countries`` are the two on its sides. One that isn't ``confirmed``, such as one that only a map shows, counts as
    its status says and is named with every route that passes it.
    """

    id: Identifier
    name: Text
    lon: Longitude
    lat: Latitude
    countries: Annotated[tuple[Country, ...], Field(min_length=2, max_length=2)]
    mode: Mode = Mode.ROAD
    status: Literal[CrossingStatus.OPEN, CrossingStatus.CLOSED, CrossingStatus.PLANNED]
    as_of: Date = ""
    confirmed: bool = False
    note: Annotated[str, Field(max_length=2000)] = ""

    @field_validator("countries")
    @classmethod
    def _two(cls, countries: tuple[Country, ...]) -> tuple[Country, ...]:
        if countries[0] == countries[1]:
            raise ValueError(f"'{countries[0]}' stands twice; name the countries on both sides")
        return countries

    @model_validator(mode="after")
    def _dated(self) -> CrossingSpec:
        if self.confirmed and not self.as_of:
            raise ValueError("as_of: is empty though confirmed; say for when its status is known")
        return self


class ImpactSpec(_Strict):
    """What candidates are measured for beyond themselves, in the focus country.

    Access runs from the study's border crossing, which lies in ``neighbour``, to its capital; settlements count for
    the nearest of ``centres``; disjoint routes are counted from stage to stage; ``axes`` are the north-south lines.
    ``own_regimes`` are added to those of the file, in its form; there is at least one in either. A line that is only
    drawn schematically may lie up to ``schematic_half_width_km`` off: what it meets and shares isn't known within that.
    """

    neighbour: Country
    regimes: Text | None = None
    centres: Annotated[tuple[Place | Text, ...], Field(min_length=1)]
    stages: tuple[StageSpec, ...] = ()
    axes: tuple[AxisSpec, ...] = ()
    own_regimes: dict[Identifier, dict[str, Any]] = {}
    schematic_half_width_km: Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)] = 1.0
    strip_draws: Draws = 40
    seed: Seed = 0


class Study(_Strict):
    """Everything that one comparison is made from.

    Driving times are fitted to the documented journeys under ``times``. Where a railway takes a bed on which a road
    lies today, ``bed_road`` says whether another road is built for it (and priced) or whether it is gone. ``crossings``
    are added to the catalogue's; ``groups`` are labels of groups of criteria. ``perspectives`` are added to those of
    the file under ``sources``, in its form. ``border_crossing`` and ``capital`` are needed where impacts are measured.
    Under rules that allow no transit nothing is ranked, unless ``as_if_opened``.
    """

    id: Identifier
    title: Text
    question: Text
    as_of: KnownDate
    area: tuple[Longitude, Latitude, Longitude, Latitude]
    focus: Focus
    origin: Place | Text
    destination: Place | Text
    border_crossing: Place | Text | None = None
    capital: Place | Text | None = None
    sources: Files
    elevation: Elevation = Elevation()
    baselines: Annotated[tuple[Baseline, ...], Field(min_length=1)]
    baseline: Identifier
    candidates: Annotated[tuple[CandidateSpec, ...], Field(min_length=1, max_length=100)]
    criteria: Annotated[tuple[ScoredCriterion, ...], Field(min_length=1, max_length=50)]
    groups: dict[Group, Text] = {}
    crossings: Annotated[tuple[CrossingSpec, ...], Field(max_length=1000)] = ()
    default_perspective: Identifier = "equal"
    snap_limit_km: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False, strict=True)] = 2.0
    grade_effect: bool = True
    enforce_limits: bool = False
    bed_road: BedRoad = BedRoad.REPLACED
    checks: tuple[Check, ...] = ()
    times: tuple[TimeSpec, ...] = ()
    live: LiveSettings = LiveSettings()
    report: ReportSettings = ReportSettings()
    impact: ImpactSpec | None = None
    as_if_opened: Annotated[bool, Field(strict=True)] = False
    perspectives: dict[Identifier, dict[str, Any]] = {}
    folder: Path = Path()
    _asked_as: str = PrivateAttr("")

    @property
    def asked_as(self) -> str:
        """What people type to run the study: the name of its file, or that of one that ships with the package."""
        return self._asked_as or f"{self.id}.toml"

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, content: Any) -> Any:
        """What follows from the rest: a study without focus is about its area, one without baselines has one date."""
        if not isinstance(content, dict):
            return content
        filled = dict(content)
        # Only what is absent follows from the rest: a table with faults is left for the checks, which name the field.
        if "focus" not in filled and isinstance(area := filled.get("area"), list | tuple) and len(area) == 4:
            west, south, east, north = area
            corners = ((west, south), (east, south), (east, north), (west, north))
            filled["focus"] = {"id": "area", "name": filled.get("title", "area"), "outline": corners}
        if "baselines" not in filled and "baseline" not in filled and "as_of" in filled:
            filled["baselines"] = ({"id": "as-of", "name": filled["as_of"], "as_of": filled["as_of"]},)
            filled["baseline"] = "as-of"
        return filled

    @field_validator("area")
    @classmethod
    def _area(cls, area: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        west, south, east, north = area
        if west >= east or south >= north:
            raise ValueError(
                "give west, south, east, north in degrees, west < east and south < north (areas over the 180th "
                "meridian are not supported)"
            )
        return area

    @model_validator(mode="after")
    def _whole(self) -> Study:
        # All faults of a study are told at once, so that nobody mends a file ten times.
        faults = []
        for what, ids in (
            ("candidates", [c.id for c in self.candidates]),
            ("criteria", [c.criterion_id for c in self.criteria]),
            ("baselines", [b.id for b in self.baselines]),
            ("crossings", [c.id for c in self.crossings]),
            ("impact.axes", [axis.id for axis in self.impact.axes] if self.impact else []),
        ):
            faults += [f"{what}: id '{i}' stands twice" for i in sorted({i for i in ids if ids.count(i) > 1})]
        for field in ("name", "letter"):
            said = [value for c in self.candidates if (value := getattr(c, field, ""))]
            faults += [
                f"candidates: {field} '{value}' stands twice; readers couldn't tell the two apart"
                for value in sorted({value for value in said if said.count(value) > 1})
            ]
        faults += [fault for spec in self.candidates for fault in self._faults_of_package(spec)]
        if self.baseline not in [b.id for b in self.baselines]:
            faults.append(f"baseline: '{self.baseline}' is none of {', '.join(b.id for b in self.baselines)}")
        if self._name(self.origin) == self._name(self.destination):
            faults.append(f"destination: is the origin ('{self._name(self.origin)}'); a route needs two places")
        if self.impact is not None and self.impact.neighbour == self.focus.country:
            faults.append(
                f"impact.neighbour: is {self.focus.country} like focus.country; name the country beyond the crossing"
            )
        for field in ("border_crossing", "capital") if self.impact else ():
            if getattr(self, field) is None:
                faults.append(f"{field}: is missing; impacts are measured from the border crossing to the capital")
        if self.impact and not (self.focus.country and self.sources.borders):
            faults.append("impact: needs a focus with its country, and sources.borders")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def packages(self) -> dict[str, tuple[str, ...]]:
        """Ids of the routes of each package, by the package's id."""
        return {spec.id: spec.of for spec in self.candidates if isinstance(spec, PackageCandidate)}

    def _faults_of_package(self, spec: CandidateSpec) -> Iterator[str]:
        """What a package names that can't be one of its routes."""
        if not isinstance(spec, PackageCandidate):
            return
        # A package is made of routes that the study names: what it can't be made of is told with what it can.
        known = {candidate.id: candidate for candidate in self.candidates}
        fitting = [c.id for c in self.candidates if not isinstance(c, (PackageCandidate, ExistingCandidates))]
        for key in spec.of:
            found = known.get(key)
            if found is None:
                problem = f"is no candidate of the study; name some of {', '.join(fitting)}"
            elif isinstance(found, PackageCandidate):
                problem = "is a package itself; name its routes instead"
            elif isinstance(found, ExistingCandidates):
                problem = "is a family of ways that are found only in a run; name a route by way of places instead"
            else:
                continue
            yield f"candidates: package '{spec.id}': of: '{key}' {problem}"
        for other in self.candidates[: self.candidates.index(spec)]:
            if isinstance(other, PackageCandidate) and other.is_like(spec):
                yield f"candidates: package '{spec.id}': of: is package '{other.id}' again; leave one of both out"

    @staticmethod
    def _name(place: Place | str) -> str:
        return place.name if isinstance(place, Place) else place

    def __repr__(self) -> str:
        ends = f"{self._name(self.origin)} to {self._name(self.destination)}"
        count = len(self.candidates)
        return f"<Study {self.id}: {ends}, as of {self.as_of}, {count} candidate{'' if count == 1 else 's'}>"

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        facts = (
            ("id", self.id),
            ("question", self.question),
            ("from, to", f"{self._name(self.origin)} to {self._name(self.destination)}"),
            ("as of", f"{self.as_of}, {self.chosen_baseline.name}"),
            ("focus", f"{self.focus.name} ({self.focus.country})" if self.focus.country else self.focus.name),
            ("candidates", "; ".join(candidate.name or candidate.id for candidate in self.candidates)),
            ("criteria", "; ".join(criterion.label for criterion in self.criteria)),
        )
        outlines = [
            Stroke(shapely.box(*self.area), colour("frame"), "area", dashed=True, width_px=1),
            Stroke(shapely.Polygon(self.focus.outline), colour("blue"), self.focus.name, width_px=1.5),
        ]
        places = (self.origin, self.destination, self.border_crossing, self.capital)
        dots = [Dot(place.lon, place.lat, place.name) for place in places if isinstance(place, Place)]
        return facts_html(self.title, facts) + sketch_svg(outlines, dots)

    @property
    def chosen_baseline(self) -> Baseline:
        """The baseline that the study is computed on."""
        return next(b for b in self.baselines if b.id == self.baseline)

    def on_baseline(self, baseline: str) -> Study:
        """The same study computed on another of its baselines.

        Args:
            baseline: id of one of :attr:`baselines`.

        Returns:
            The changed study.

        Raises:
            StudyError: the study has none of that id; lists those that it has.
        """
        ids = [b.id for b in self.baselines]
        if baseline not in ids:
            raise StudyError(f"{self.id}: baseline: '{baseline}' is none of {', '.join(ids)}")
        return self.model_copy(update={"baseline": baseline})

    def with_candidates(self, *candidates: CandidateSpec | Mapping[str, Any]) -> Study:
        """The same study with more candidates, after its own.

        Args:
            *candidates: each as a model, or as the table of a study file: ``{"family": "via", "id": "by-goris", "via":
                ["Goris", "39.52,46.03"]}``.

        Returns:
            The changed study.

        Raises:
            StudyError: a table has faults, or an id stands twice.
        """
        tables = [
            dict(found) if isinstance(found, Mapping) else found.model_dump(exclude_unset=True) for found in candidates
        ]
        # Built anew from what was given, so that the new candidates are checked beside the old ones, and defaults stay
        # defaults.
        own = [spec.model_dump(exclude_unset=True) for spec in self.candidates]
        content = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}
        content.pop("folder", None)
        found = type(self).build(content | {"candidates": [*own, *tables]}, self.folder, self.id)
        found._asked_as = self._asked_as
        return found

    def path(self, name: str) -> Path:
        """A data path of the study as a file path: ``package:`` names lie in the package, others beside the study.

        Args:
            name: as it stands in the study.

        Returns:
            Where the data lies.

        Raises:
            StudyError: a packaged name climbs out of the package's data, or the data is still to be fetched.
        """
        if name == LIVE_OSM:
            raise StudyError(f"{self.id}: sources: '{name}' is fetched from OpenStreetMap; run with --live")
        if not name.startswith(PACKAGED):
            return self.folder / name
        root = data_root().resolve()
        # A study is data from outside: its paths must not lead out of the packaged folder, by links or by dots.
        found = (root / name.removeprefix(PACKAGED)).resolve()
        if not found.is_relative_to(root):
            raise StudyError(f"{self.id}: sources: '{name}' leads out of the packaged data")
        return found

    @classmethod
    def bundled(cls, name: str) -> Study:
        """A study that ships with the package, for instance ``syunik``.

        Args:
            name: of the study.

        Returns:
            The study.

        Raises:
            StudyError: there is none of that name; lists those that there are.
        """
        return cls.load(_bundled(name, ""))

    @classmethod
    def find(cls, study: Study | str | Path) -> Study:
        """A study as people name it: itself, the path of its file, or the name of one that ships with the package.

        Args:
            study: what was given.

        Returns:
            The study.

        Raises:
            StudyError: there is none of that name, its file has faults, or it is a drawn line.
        """
        if isinstance(study, Study):
            return study
        name = str(study)
        suffix = Path(name).suffix.lower()
        if suffix in DRAWN_SUFFIXES:
            raise StudyError(f"{name}: is a drawn line, not a study; compare it with: corridor run --route {name}")
        if suffix in _DATA_OPTIONS:
            raise StudyError(f"{name}: is data, not a study; give it with {_DATA_OPTIONS[suffix]} {name}")
        if name.endswith(".toml") or Path(name).is_file() or "/" in name or isinstance(study, Path):
            return cls.load(name)
        return cls.bundled(name)

    @classmethod
    def between(
        cls,
        start: Place | tuple[float, float] | str,
        end: Place | tuple[float, float] | str,
        *,
        osm: str | Path,
        dem: str | Path | Sequence[str | Path],
        borders: str | Path | None = None,
        countries: Sequence[str] = (),
        name: str = "",
    ) -> Study:
        """A study of the ways between two places, made of a map and heights, as ``corridor new`` writes it.

        Args:
            start: a settlement of the map, ``"lat,lon"``, ``(lat, lon)``, or a :class:`Place`.
            end: the same.
            osm: an OpenStreetMap file (PBF or XML).
            dem: elevation rasters.
            borders: a file of country polygons; the map's own if it holds them whole, or those that ship with the
                toolkit, where both ends lie in them, else none: countries are then unknown.
            countries: two-letter codes of the only countries that may be driven through; any if empty.
            name: the study's id; made of the places' names if left out.

        Returns:
            The study. Its border crossings are where roads of the map lead over borders; nobody confirmed them.

        Raises:
            StudyError: a place or country isn't known, or the name is no id.
            SourceError: a file can't be used, or doesn't reach to a place.
        """
        # By name: a study's words stand on a floor below what reads maps.
        draft = import_module("corridor.pipeline.new_study").draft_study
        found: Study = draft(start, end, osm=osm, dem=dem, borders=borders, countries=countries, name=name).study
        return found

    @classmethod
    def load(cls, path: str | Path) -> Study:
        """Read and check a study file.

        A file with ``extends`` says only what differs from the bundled study of that name; its candidates are added.

        Args:
            path: of a TOML file.

        Returns:
            The study.

        Raises:
            StudyError: the file is missing or isn't TOML, or has faults: all are named at once, each with its field.
        """
        path = Path(path)
        content = read_toml(path)
        if "extends" in content:
            content = _extend(content, str(path))
        found = cls.build(content, path.parent, str(path))
        packaged = path.resolve().parent == (data_root() / "studies").resolve()
        found._asked_as = path.stem if packaged else path.name
        return found

    @classmethod
    def build(cls, content: dict[str, Any], folder: Path, name: str) -> Study:
        """A study from parsed TOML; relative paths are taken from ``folder``, faults are reported for ``name``.

        Args:
            content: what :mod:`tomllib` gives.
            folder: where relative paths begin.
            name: what faults are reported for.

        Returns:
            The study.

        Raises:
            StudyError: as :meth:`load`.
        """
        if "folder" in content:
            raise StudyError(f"{name}: folder: unknown key; take it out")
        try:
            return cls.model_validate({**content, "folder": folder})
        except ValidationError as faults:
            raise StudyError(f"{name}: " + "; ".join(say_fault(fault) for fault in root_faults(faults))) from faults


def _bundled(name: str, asked_by: str) -> Path:
    """The file of a bundled study.

    Raises:
        StudyError: there is none of that name; lists those that there are.
    """
    known = {path.stem: path for path in (data_root() / "studies").glob("*.toml")}
    if name not in known:
        raise StudyError(f"{asked_by}no bundled study '{name}'; there are: {', '.join(sorted(known))}")
    return known[name]


def _extend(content: dict[str, Any], name: str) -> dict[str, Any]:
    """What a file says, over what the bundled study says that it extends; the candidates of both, its own last.

    Raises:
        StudyError: it extends what isn't a bundled study, or one that extends another itself.
    """
    base, own = str(content["extends"]), content.get("candidates", [])
    below = read_toml(_bundled(base, f"{name}: extends: "))
    if "extends" in below:
        raise StudyError(f"{name}: extends: '{base}' extends another study itself; name that one")
    merged = {**below, **{key: value for key, value in content.items() if key != "extends"}}
    if isinstance(own, list):
        merged["candidates"] = [*below["candidates"], *own]
    return merged


def read_toml(path: Path, what: str = "a study TOML or the name of a bundled one") -> dict[str, Any]:
    """Parse a short TOML file; ``what`` says in errors what was wanted.

    Raises:
        StudyError: see :func:`corridor.files.parse_toml`.
    """
    return parse_toml(path, what, StudyError)


def say_fault(fault: Any) -> str:
    """One fault of a validation in a person's words: field, what is wrong, what was given."""
    # The family of a candidate stands in the path of a fault behind its number, where no such key stands in the file.
    field = ".".join(
        str(part)
        for at, part in enumerate(fault["loc"])
        if part not in BRANCHES and not (part in {*Family} and at and isinstance(fault["loc"][at - 1], int))
    )
    if fault["type"] == "extra_forbidden":
        return f"{field}: unknown key; take it out, or see the page on study files for the keys"
    if fault["type"] == "union_tag_invalid":  # the validator lists members by their names in code
        return f"{field}: family '{fault['ctx']['tag'][:40]}' is none of {', '.join(Family)}"
    return f"{field}: {fault_words(fault)}" if field else fault_words(fault)
