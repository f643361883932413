"""A new road or railway between two places: data in, the cheapest buildable line out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import shapely

from corridor.alignment.align import (
    Spread,
    TradeoffPoint,
    find_alternatives,
    measure_price_spread,
    solve_on_cells,
    sweep_grade,
    sweep_tunnel_price,
)
from corridor.alignment.assembly import join_alignments
from corridor.alignment.drawn import say_as_drawn
from corridor.alignment.files import describe_new_line, locate_stations, write_new_line
from corridor.alignment.links import ReuseLink, SearchOptions
from corridor.alignment.problem import (
    MARGIN,
    MIN_MARGIN_M,
    AlignmentProblem,
    Allowed,
    Lakes,
    Point,
    Terrain,
    choose_prices,
    choose_standard,
    frame_terrain,
    height_about,
    require_within,
    unit_costs,
)
from corridor.alignment.reuse import build_reuse_links
from corridor.errors import AlignmentError
from corridor.files import data_root
from corridor.geo.geodesy import WGS84, distance_m, project, utm_crs
from corridor.io.read.borders import read_borders
from corridor.io.read.catalogue import Catalogue, load_catalogue
from corridor.io.read.elevation import read_dem
from corridor.io.read.height_errors import load_height_errors
from corridor.pipeline.comparing import open_run, shown_progress
from corridor.pipeline.graph import Progress, Run
from corridor.pipeline.steps import inputs
from corridor.schema.alignment import Alignment, DesignStandard, UnitCosts
from corridor.schema.catalogue import UnitCost
from corridor.schema.message import Message, Value
from corridor.schema.study import UNKNOWN_COUNTRY, Place, Study
from corridor.schema.vocabulary import LineKind
from corridor.terrain.surface import Dem
from corridor.wording import format_position

Sweep = Literal["grade", "tunnel-price"]
TODAY = "today"
"""Name of the price book that the unit costs of the catalogue are."""
CELL_M = 250.0
"""Cells of a search without a study."""
VERTICAL_ERROR_M, ERROR_RANGE_KM = 9.7, 5.0
"""Error of heights that nobody states: SRTM's goal (16 m for nine tenths, over 1.645), alike as far as in the study."""
LEVEL_STEP_M, LEVEL_KM = 25.0, 0.25
"""How closely it is looked whether a line runs over level ground, and from how much on that is said."""
TUNNEL_PRICES_MUSD_PER_KM = (15.0, 20.0, 30.0, 40.0, 60.0, 80.0)


@dataclass(frozen=True)
class NewLine:
    """A line that was found, what it was found on, and what else was asked.

    ``sweep`` holds the points of a sweep, ``alternatives`` other lines that differ, by rising price, ``spread`` how
    price (million USD), length and tunnel length (km) answer to the elevation model's error, ``stations`` the places
    that the line was led over, ``prices`` the price book and ``costs`` what things cost.
    """

    alignment: Alignment
    start: Place
    end: Place
    standard: DesignStandard
    dem: Dem
    prices: str
    costs: UnitCosts
    sweep: tuple[TradeoffPoint, ...] = ()
    alternatives: tuple[Alignment, ...] = ()
    spread: Mapping[str, Spread] = field(default_factory=dict)
    stations: tuple[Place, ...] = ()

    def describe(self) -> dict[str, Any]:
        """The line's figures as plain values.

        Returns:
            Lengths in km, prices by kind in million USD, the elevation model used, and notes, by name.
        """
        return describe_new_line(self)

    def write(self, folder: str | Path) -> Path:
        """Write ``alignment.json``, ``alignment.geojson`` (3-D line and structures), ``profile.svg``, ``chainage.csv``
        (heights, cut and fill by station) and ``earthworks.csv`` (volumes by kilometre); for a sweep ``tradeoff.csv``
        too, with matplotlib as a chart.

        Args:
            folder: where to; it is made if it isn't there.

        Returns:
            The path of the line.

        Raises:
            OutputError: the folder can't be written.
        """
        return write_new_line(self, Path(folder))


End = Place | tuple[float, float] | str
"""A place, ``(lat, lon)``, ``"lat,lon"``, or the name of a place of a study."""


@dataclass(frozen=True)
class _Setting:
    """What a line is sought on: stations from end to end, heights, prices, where it may pass, cells as asked for."""

    stations: tuple[Place, ...]
    heights: Dem
    prices: Sequence[UnitCost]
    book: str
    allowed: Allowed | None
    run: Run | None
    notes: tuple[Message, ...] = ()
    cell_m: float | None = None
    lakes: Lakes = "shut"


def find_new_line(
    start: End,
    end: End,
    standard: str | DesignStandard = "rail-18",
    *,
    study: Study | str | Path | None = None,
    dem: str | Path | Sequence[str | Path] = (),
    via: Sequence[End] = (),
    grade_permille: float | None = None,
    radius_m: float | None = None,
    prices: str = TODAY,
    tunnel_musd_per_km: float | None = None,
    bridge_musd_per_km: float | None = None,
    cell_m: float | None = None,
    spirals: int = 0,
    certify: bool = False,
    lakes: Lakes = "shut",
    countries: Sequence[str] = (),
    borders: str | Path | None = None,
    sweep: Sweep | None = None,
    alternatives: int = 0,
    draws: int = 0,
    reuse: Sequence[str] = (),
    progress: Progress | None = None,
) -> NewLine:
    """The cheapest line under a design standard between two places, anywhere on Earth that there are heights of.

    Prices are the catalogue's unless others are given. The search runs in the UTM zone of the middle. With a study its
    cells are of the elevation model's size, at least 100 m; without one they are of 250 m; coarser where the model is,
    where there would be over four million cells, or where bends leave the search no room (a note says so).

    Args:
        start: where it begins: ``"lat,lon"`` or ``(lat, lon)`` in degrees, a :class:`Place`, or a study's place.
        end: where it ends.
        standard: of :func:`corridor.load_standards`, for instance ``rail-18``.
        study: whose data, prices and places; none is needed where ``dem`` is given and the ends are points.
        dem: elevation rasters, instead of the study's.
        via: stations that the line passes on the ground, in this order; it may turn there.
        grade_permille: ruling grade both ways, per mille, instead of the standard's.
        radius_m: least radius of curves, instead of the standard's.
        prices: price book: ``today`` for the catalogue's unit costs, or one of another time, such as ``1870-1910``,
            in dollars of that time.
        tunnel_musd_per_km: middle price of a tunnel, million USD per km; its range scales along.
        bridge_musd_per_km: of a bridge likewise.
        cell_m: side of the search's cells, metres.
        spirals: full circles that the line may turn in one place to gain height where the ground is steeper than the
            grade.
        certify: search the whole ground where it would be narrowed (from 2.5 million states on), so that it is known
            how much less another line could cost at most.
        lakes: how the line passes large patches of one height, as elevation models have lakes: in tunnels alone
            (``shut``), on bridges too (``bridge``), or as the level ground that they seem (``open``): nothing is priced
            for water.
        countries: two-letter codes of the only countries that the line may pass; any if empty.
        borders: a file of country polygons instead of the study's, or of those that ship with the package.
        sweep: also find lines for other grades or prices of a tunnel.
        alternatives: also find so many other lines that run elsewhere and cost at most half as much again.
        draws: also find the line anew on so many draws of the elevation model's error.
        reuse: sections of the study's catalogue whose formation the line may take over, at the price of an upgrade.
        progress: called with a few words at the start of each step; in a notebook they are shown if left out.

    Returns:
        The line with its structures and price, and what else was asked.

    Raises:
        AlignmentError: the standard isn't known, a limit or price is none, or there is no way: says which limit
            closes it.
        CatalogueError: a section isn't known.
        StudyError: a place isn't known.
        CoverageError: the elevation model doesn't reach over all places.

    Example:
        >>> line = corridor.find_new_line(
        ...     "46.8196,8.6505", "46.3525,8.9725", grade_permille=27, dem="N46E008.hgt"
        ... )  # doctest: +SKIP
        >>> round(line.alignment.length_km)  # doctest: +SKIP
        59
    """
    if via and (sweep or alternatives or draws or reuse):
        raise AlignmentError("via: can't go with a sweep, alternatives, draws or reuse; ask for one stretch at a time")
    if lakes not in get_args(Lakes):
        raise AlignmentError(f"lakes: '{lakes}' is none; choose one of {', '.join(get_args(Lakes))}")
    if sweep is not None and sweep not in get_args(Sweep):
        raise AlignmentError(f"sweep: '{sweep}' is none; choose one of {', '.join(get_args(Sweep))}")
    for what, count in (("alternatives", alternatives), ("draws", draws)):
        if count < 0:
            raise AlignmentError(f"{what}: must be 0 or more, not {count}")
    if isinstance(start, Study):
        raise AlignmentError("find_new_line: takes the two ends first; give a study as study=...")
    chosen = choose_standard(standard, grade_permille, radius_m)
    files = [Path(path) for path in ([dem] if isinstance(dem, str | Path) else dem)]
    places = [("FROM", start), *((f"VIA {i}", stop) for i, stop in enumerate(via, 1)), ("TO", end)]
    cell_m = None if cell_m is None else require_within("cell", cell_m, 10.0, 10_000.0, "m")
    with shown_progress(progress) as say:
        if study is None:
            setting = _without_study(places, files, countries, borders, draws, prices)
            cell_m = cell_m or CELL_M
        else:
            setting = _with_study(Study.find(study), places, files, countries, borders, prices, say)
        setting = replace(setting, cell_m=cell_m, lakes=lakes)
        listed = unit_costs(setting.prices, chosen.mode, _price_file(setting.book))
        costs = choose_prices(listed, tunnel_musd_per_km, bridge_musd_per_km)
        options = SearchOptions(spirals=spirals, certify=certify)
        asked = [
            AlignmentProblem(*_framed(setting, leg, cell_m), chosen, costs, options)
            for leg in range(len(setting.stations) - 1)
        ]
        # Old formations are laid on the ground of the search, so that they can only be known once that is framed.
        links = [link for key in reuse for link in _reuse_links(key, asked[0].terrain, chosen, costs, setting.run)]
        asked[0] = replace(asked[0], options=replace(asked[0].options, reuse=tuple(links)))
        return _search(asked, setting, sweep, alternatives, draws, say)


def _search(
    asked: Sequence[AlignmentProblem],
    setting: _Setting,
    sweep: Sweep | None,
    alternatives: int,
    draws: int,
    progress: Progress,
) -> NewLine:
    """The cheapest line over all stretches, and what else was asked of the first of them."""
    standard = asked[0].standard
    others: list[Alignment] = []
    if alternatives > 0:
        found, *others = find_alternatives(_say_search(asked[0], progress), 1 + alternatives)
    else:
        found = _solve_legs(asked, setting, progress)
    swept: Sequence[TradeoffPoint] = ()
    if sweep is not None:
        progress(f"sweeping over {sweep}")
        swept = sweep_grade(asked[0]) if sweep == "grade" else sweep_tunnel_price(asked[0], TUNNEL_PRICES_MUSD_PER_KM)
    spread: Mapping[str, Spread] = {}
    if draws > 0:
        progress(f"searching on {draws} draws of the heights' error")
        heights = setting.heights
        spread = measure_price_spread(asked[0], heights.vertical_error_m, heights.error_range_m, draws)
    start, *between, end = setting.stations
    passed = list(zip((stop.name for stop in between), locate_stations(found, between), strict=True))
    drawn = say_as_drawn(found, standard, passed)
    said = *_says_book(setting.book), *found.notes, *_says_level(found, setting.heights), *drawn, *setting.notes
    return NewLine(
        replace(found, notes=said),
        start, end, standard, setting.heights, setting.book, asked[0].costs,
        tuple(swept), tuple(others), spread, tuple(between),
    )  # fmt: skip


def _says_book(book: str) -> tuple[Message, ...]:
    """Which dollars a price is in, unless they are today's."""
    return () if book == TODAY else (Message("new_line.price_book", {"book": book}),)


def _says_level(line: Alignment, dem: Dem) -> tuple[Message, ...]:
    """How far a line runs over what is probably water, which has no price."""
    at = np.arange(0.5 * LEVEL_STEP_M, line.chainage_m[-1], LEVEL_STEP_M)
    xy = shapely.points(*(np.interp(at, line.chainage_m, line.line[:, k]) for k in (0, 1)))
    lon, lat = shapely.get_coordinates(project(shapely.MultiPoint(xy), line.crs, WGS84)).T
    is_level = dem.is_level[dem.pixels_at(lon, lat)]
    for s in line.structures:
        if s.kind in (LineKind.TUNNEL, LineKind.BRIDGE):
            is_level &= (at < s.from_m) | (at > s.to_m)
    km = float(is_level.sum()) * LEVEL_STEP_M / 1000
    return (Message("new_line.level", {"km": f"{km:.1f}"}),) if km >= LEVEL_KM else ()


def _framed(setting: _Setting, leg: int, cell_m: float | None) -> tuple[Terrain, Point, Point]:
    """Ground and ends of a stretch between stations, in the UTM zone of the middle of all."""
    stations, first, last = setting.stations, setting.stations[0], setting.stations[-1]
    # One zone for all stretches: in zones of their own they would not meet at the stations.
    crs = utm_crs((first.lon + last.lon) / 2, (first.lat + last.lat) / 2)
    a, b = stations[leg], stations[leg + 1]
    # Stretches are told by the numbers of their stations, which is how somebody who gave a list of them counts.
    what = "FROM and TO" if len(stations) == 2 else f"stations {leg + 1} and {leg + 2}"
    # Each stretch has cells of its own, but stretches have to meet at one height.
    begin_m, end_m = (
        None if stop is end else height_about(setting.heights, (stop.lon, stop.lat), setting.cell_m, crs)
        for stop, end in ((a, first), (b, last))
    )
    return frame_terrain(
        setting.heights, (a.lon, a.lat), (b.lon, b.lat), what, setting.allowed,
        cell_m=cell_m, crs=crs, heights_m=(begin_m, end_m),
        lakes=setting.lakes,
    )  # fmt: skip


def _solve_legs(asked: Sequence[AlignmentProblem], setting: _Setting, progress: Progress) -> Alignment:
    """The cheapest line of each stretch, joined at the stations."""

    def framed(leg: int, problem: AlignmentProblem, cell_m: float) -> AlignmentProblem:
        terrain, start_xy, end_xy = _framed(setting, leg, cell_m)
        wider = replace(problem, terrain=terrain, start_xy=start_xy, end_xy=end_xy)
        return _say_search(wider, progress)

    return join_alignments(
        [
            solve_on_cells(_say_search(problem, progress), partial(framed, leg, problem))
            for leg, problem in enumerate(asked)
        ]
    )


def _say_search(problem: AlignmentProblem, progress: Progress) -> AlignmentProblem:
    """Say what is searched, and give the question with searches that say how far they are."""
    rows, cols = problem.terrain.grid.shape
    words = f"searching {rows} x {cols} cells for {problem.standard.standard_id}"
    progress(words)
    return problem.watched(progress, words)


def _with_study(
    study: Study,
    places: Sequence[tuple[str, End]],
    files: Sequence[Path],
    countries: Sequence[str],
    borders: str | Path | None,
    book: str,
    progress: Progress,
) -> _Setting:
    """Ends, heights, prices and countries of a study."""
    run = open_run(study, dem=files, progress=progress)
    stations = tuple(_place(end, which, run) for which, end in places)
    heights = run[inputs.dem]
    heights.require([p.lon for p in stations], [p.lat for p in stations], _ends(stations))
    known = run[inputs.borders] if borders is None else read_borders(Path(borders))
    allowed = known.inside(countries) if countries else None
    prices = run[inputs.unit_costs] if book == TODAY else prices_of(run[inputs.catalogue], book)
    return _Setting(stations, heights, prices, book, allowed, run)


def _without_study(
    places: Sequence[tuple[str, End]],
    files: Sequence[Path],
    countries: Sequence[str],
    borders: str | Path | None,
    draws: int,
    book: str,
) -> _Setting:
    """Points and heights as given, prices of the packaged catalogue.

    Raises:
        AlignmentError: no heights are given, an end is no point, or there is no such price book.
    """
    if not files:
        raise AlignmentError("no elevation raster is given; name one with --dem, or a study with --study")
    stations = tuple(_place(end, which, None) for which, end in places)
    lon, lat = [p.lon for p in stations], [p.lat for p in stations]
    # Heights all about the stations: a line may swing out as far as they lie apart, and at least this far.
    apart = float(distance_m(min(lon), min(lat), max(lon), max(lat)))
    off = max(MARGIN * apart, MIN_MARGIN_M)
    off_lat = off / 111_000
    # Towards the poles a degree of longitude shrinks to nothing; the bound keeps the box finite.
    off_lon = off_lat / max(math.cos(math.radians(max(abs(min(lat)), abs(max(lat))))), 0.05)
    heights = read_dem(
        files,
        (min(lon) - off_lon, min(lat) - off_lat, max(lon) + off_lon, max(lat) + off_lat),
        source=None,
        vertical_error_m=VERTICAL_ERROR_M,
        error_range_km=ERROR_RANGE_KM,
        known_errors=load_height_errors(),
    )
    heights.require(lon, lat, _ends(stations))
    allowed = None
    if countries:
        known = read_borders(Path(borders) if borders else data_root() / "bundled" / "borders.geojson")
        allowed = known.inside(countries)
    prices = prices_of(load_catalogue(data_root() / "reference"), book)
    notes: tuple[Message, ...] = ()
    # Data that is recognised has an error of its own: nothing is assumed of it.
    if draws > 0 and heights.pixel_error_m is None and heights.vertical_error_m == VERTICAL_ERROR_M:
        assumed: dict[str, Value] = {"error_m": f"{VERTICAL_ERROR_M:g}", "range_km": f"{ERROR_RANGE_KM:g}"}
        notes = (Message("new_line.assumed_error", assumed),)
    return _Setting(stations, heights, prices, book, allowed, None, notes)


def prices_of(catalogue: Catalogue, book: str) -> Sequence[UnitCost]:
    """Prices of a book: a catalogue's own, or the packaged ones where it has no book of that name.

    Args:
        catalogue: has the prices of today, and may have others.
        book: ``today``, or the name of a book in ``price_books.csv``.

    Raises:
        AlignmentError: there is none of that name; lists those that there are.
    """
    packaged = load_catalogue(data_root() / "reference")
    books = {**packaged.price_books, **catalogue.price_books, TODAY: catalogue.unit_costs}
    if book not in books:
        raise AlignmentError(f"prices: no price book '{book}'; there are: {', '.join(sorted(books))}")
    return books[book]


def _price_file(book: str) -> str:
    """Where the prices of a book are from."""
    return "unit_costs.csv" if book == TODAY else f"price_books.csv: book '{book}'"


def _ends(stations: Sequence[Place]) -> str:
    return "FROM and TO" if len(stations) == 2 else "FROM, VIA and TO"


def _reuse_links(
    key: str, terrain: Terrain, standard: DesignStandard, costs: UnitCosts, run: Run | None
) -> tuple[ReuseLink, ...]:
    """What a line may take over of a section of the catalogue, as far as it lies on the terrain."""
    if run is None:
        raise AlignmentError("reuse: sections are a study's; name it with --study")
    section = run[inputs.catalogue].section(key, "reuse")
    if section.mode != standard.mode:
        raise AlignmentError(f"reuse: section '{key}' is a {section.mode}, standard {standard.standard_id} isn't")
    path = shapely.get_coordinates(project(section.line, WGS84, terrain.grid.crs))
    length = section.length_km.mid if section.length_km else None
    return build_reuse_links(terrain, path, costs, length, section.tunnel_km or 0.0)


def _place(end: End, which: str, run: Run | None) -> Place:
    """A station as given, or looked up among the places of a study.

    Raises:
        AlignmentError: it is no point on Earth, or a name and there is no study.
        StudyError: the study knows no such place.
    """
    if isinstance(end, Place):
        return end
    point = parse_point(end, which) if isinstance(end, str) else checked_point(*end, which)
    if point is None:
        if run is None:
            raise AlignmentError(f"{which}: '{end}' is no lat,lon; name the study that knows the place with --study")
        return run[inputs.gazetteer].find(str(end), which)
    lat, lon = point
    country = str(run[inputs.borders].country_at(lon, lat)[0]) if run is not None else ""
    return Place(name=format_position(lat, lon), lon=lon, lat=lat, country=country or UNKNOWN_COUNTRY)


def parse_point(text: str, which: str) -> tuple[float, float] | None:
    """A text such as ``46.82,8.65`` as latitude and longitude in degrees; None where it isn't two numbers.

    Args:
        text: what was typed.
        which: of the places, for an error.

    Raises:
        AlignmentError: two numbers that are no point on Earth.
    """
    parts = text.split(",")
    if len(parts) != 2:
        return None
    try:
        lat, lon = (float(part) for part in parts)
    except ValueError:
        return None
    return checked_point(lat, lon, which)


def checked_point(lat: float, lon: float, which: str) -> tuple[float, float]:
    """A latitude and a longitude in degrees, as they are.

    Args:
        lat: degrees.
        lon: degrees.
        which: of the places, for an error.

    Raises:
        AlignmentError: they are no point on Earth.
    """
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise AlignmentError(f"{which}: '{lat:g},{lon:g}' is no point on Earth; write lat,lon in degrees")
    return float(lat), float(lon)
