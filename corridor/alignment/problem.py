"""What is asked of an alignment: standards and prices, in one frozen value that every search takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
import shapely
from affine import Affine
from numpy.typing import NDArray

from corridor.alignment.links import CLOSED, NO_BRIDGE, NO_SURFACE, Ground, SearchOptions, build_ground
from corridor.alignment.primed import StartCosts
from corridor.errors import AlignmentError, CatalogueError
from corridor.files import data_root, parse_toml
from corridor.geo.geodesy import WGS84, distance_m, project, utm_crs
from corridor.geo.rasters import grid_over, warp
from corridor.schema.alignment import DesignStandard, PriceRange, UnitCosts
from corridor.schema.catalogue import UnitCost
from corridor.schema.fields import Grid
from corridor.schema.message import Message
from corridor.schema.vocabulary import Mode, WorkKind
from corridor.terrain.surface import Dem

# --- The design standards of the reference data, and its prices as a search takes them ---


def load_standards(path: Path | None = None) -> dict[str, DesignStandard]:
    """Read design standards by id; without a path those that ship with the package.

    Args:
        path: of a TOML file; the one that ships with the package if left out.

    Returns:
        Standards by id, in the file's order.

    Raises:
        CatalogueError: if the file can't be read or an entry is wrong; names the file, the entry and the field.
    """
    file = path or data_root() / "reference" / "standards.toml"
    content = parse_toml(file, "a file of design standards", CatalogueError)
    for name in ("standard", "defaults"):
        rows = content.get(name, {})
        if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
            raise CatalogueError(f"{file.name}: {name}: must be tables such as [{name}.rail-18]")
    return {
        name: _standard(file.name, name, entry, content.get("defaults", {}))
        for name, entry in content.get("standard", {}).items()
    }


def _standard(file: str, name: str, entry: dict[str, Any], defaults: dict[str, Any]) -> DesignStandard:
    """One entry, with the defaults of its mode."""
    if entry.get("mode") not in tuple(Mode):
        raise CatalogueError(f"{file}: standard {name}: field mode must be rail or road")
    values = {**defaults.get(entry["mode"], {}), **entry, "standard_id": name}
    values["note"] = values.pop("source", "")
    grade = values.pop("max_grade_pct", None)
    if grade is not None:
        values.setdefault("max_grade_up_pct", grade)
        values.setdefault("max_grade_down_pct", grade)
    known = {f.name: f for f in fields(DesignStandard)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise CatalogueError(f"{file}: standard {name}: unknown field {', '.join(unknown)}")
    for key, value in values.items():
        wanted = (int, float) if key.endswith(("_m", "_pct", "_kmh", "_doubles", "_slope")) else (str,)
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise CatalogueError(
                f"{file}: standard {name}: field {key} must be a {'number' if float in wanted else 'text'}"
            )
    try:
        return DesignStandard(**values)
    except TypeError as fault:
        raise CatalogueError(f"{file}: standard {name}: a field is missing ({fault})") from fault
    except AlignmentError as fault:
        raise CatalogueError(f"{file}: {fault}") from fault


def find_standard(name: str, path: Path | None = None) -> DesignStandard:
    """One standard by id.

    Raises:
        AlignmentError: if there is none of that name; lists those that there are.
    """
    standards = load_standards(path)
    if name not in standards:
        raise AlignmentError(f"standard {name!r} is not known; choose one of {', '.join(standards)}")
    return standards[name]


def unit_costs(table: Sequence[UnitCost], mode: str, origin: str = "unit_costs.csv") -> UnitCosts:
    """The catalogue's prices of one mode as the search takes them.

    Args:
        table: prices by mode and kind. Without a row for open line that of the surface stands for it; galleries,
            half-bridges and retaining walls are built only where they have a price.
        mode: road or rail.
        origin: where the table is from, for an error.

    Returns:
        The prices, in million USD.

    Raises:
        AlignmentError: the catalogue lacks one that the search needs.
    """
    prices = {
        c.kind: PriceRange(c.cost_musd_per_km.low, c.cost_musd_per_km.mid, c.cost_musd_per_km.high)
        for c in table
        if c.mode == mode
    }
    if WorkKind.OPEN_LINE in prices:
        prices[WorkKind.SURFACE] = prices[WorkKind.OPEN_LINE]
    missing = [kind for kind in (WorkKind.SURFACE, WorkKind.BRIDGE, WorkKind.TUNNEL) if kind not in prices]
    if missing:
        raise AlignmentError(f"{origin}: no row for {mode} {', '.join(missing)}; add one for each")
    taken = {f.name: prices[WorkKind(f.name)] for f in fields(UnitCosts) if f.name in prices}
    try:
        return UnitCosts(**taken)
    except AlignmentError as fault:
        raise AlignmentError(f"{origin}: {mode}: {fault}") from fault


@cache
def note_coarse_heights() -> Message:
    """What coarse heights hide, said with the figures of the same lines found on fine ones (``coarse_heights.csv``).

    Returns:
        The note: how many lines, the cells, how many times the price and length the coarse heights gave, and how many
        km in tunnels they gave less or more (of a line without tunnels nothing can be said in times).
    """
    rows = pd.read_csv(data_root() / "reference" / "coarse_heights.csv")

    def times(figure: str) -> str:
        ratio = rows[f"coarse_{figure}"] / rows[f"fine_{figure}"]
        return "\N{EN DASH}".join(dict.fromkeys((f"{ratio.min():.2f}", f"{ratio.max():.2f}")))

    more_km = rows["coarse_tunnel_km"] - rows["fine_tunnel_km"]
    return Message(
        "new_line.coarse_effect",
        {
            "lines": str(len(rows)),
            "fine_m": f"{rows['fine_m'].median():.0f}",
            "coarse_m": f"{rows['coarse_m'].median():.0f}",
            "cost": times("cost_musd"),
            "length": times("length_km"),
            "tunnel_less": f"{max(-more_km.min(), 0.0):.1f}",
            "tunnel_more": f"{max(more_km.max(), 0.0):.1f}",
        },
    )


MIN_RADIUS_M = 5.0  # that can be asked for: below it nothing turns, and of none a line turns right back on the spot


def choose_standard(
    named: str | DesignStandard, grade_permille: float | None = None, radius_m: float | None = None
) -> DesignStandard:
    """A standard, with a ruling grade and a least radius of its own where they are given.

    Args:
        named: a standard, or its id.
        grade_permille: ruling grade up and down, per mille.
        radius_m: least radius of curves, metres.

    Returns:
        The standard; its id and label say the limits that were changed.

    Raises:
        AlignmentError: there is none of that id, or a limit is out of all bounds.
    """
    standard = find_standard(named) if isinstance(named, str) else named
    own = []
    if grade_permille is not None:
        standard = standard.with_grade(require_within("grade", grade_permille, 0.1, 300.0, "per mille") / 10)
        own.append(f"{grade_permille:g} per mille")
    if radius_m is not None:
        standard = replace(standard, min_radius_m=require_within("radius", radius_m, MIN_RADIUS_M, 100_000.0, "m"))
        own.append(f"R {radius_m:g} m")
    if not own:
        return standard
    # Files then say the limits that were asked for, not those that the name promises.
    said = ", ".join(own)
    return replace(standard, standard_id=f"{standard.standard_id} with {said}", label=f"{standard.mode}, {said}")


def choose_prices(
    costs: UnitCosts, tunnel_musd_per_km: float | None = None, bridge_musd_per_km: float | None = None
) -> UnitCosts:
    """Prices with another middle price of tunnels or bridges, in million USD per km; their ranges scale along.

    Args:
        costs: the prices.
        tunnel_musd_per_km: of a tunnel; as it is if left out.
        bridge_musd_per_km: of a bridge likewise.

    Returns:
        The changed prices.

    Raises:
        AlignmentError: a price is out of all bounds.
    """
    unit = "million USD per km"
    if tunnel_musd_per_km is not None:
        costs = costs.with_tunnel(require_within("tunnel price", tunnel_musd_per_km, 0.01, 10_000.0, unit))
    if bridge_musd_per_km is not None:
        costs = costs.with_bridge(require_within("bridge price", bridge_musd_per_km, 0.01, 10_000.0, unit))
    return costs


def require_within(what: str, value: float, low: float, high: float, unit: str) -> float:
    """A number inside its range; infinities and what isn't a number are refused.

    Args:
        what: what the number is, for the message.
        value: the number.
        low: the least that it may be.
        high: the greatest.
        unit: of all three.

    Raises:
        AlignmentError: it isn't.
    """
    if not low <= value <= high:
        raise AlignmentError(f"{what}: must be between {low:g} and {high:g} {unit}, not {value:g}")
    return float(value)


_AROUND_DEG = 0.05
Floats = NDArray[np.float64]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class AlignmentProblem:
    """Two terminals on a terrain, the standard to keep, what things cost and how to search.

    ``terrain`` holds heights, mask and friction in the frame of a grid; ``start_xy`` and ``end_xy`` are in that grid's
    system and stand for the nearest nodes, on the ground. The middle prices of ``costs`` steer. ``start_costs`` are
    what a search of a looser grade found; they save time and change nothing.
    """

    terrain: Terrain
    start_xy: Point
    end_xy: Point
    standard: DesignStandard
    costs: UnitCosts
    options: SearchOptions = field(default_factory=SearchOptions)
    start_costs: StartCosts | None = field(default=None, repr=False)

    def watched(self, progress: Callable[[str], None], words: str) -> AlignmentProblem:
        """The same question, whose searches say while they run how far they are.

        Several searches follow each other, and most end early; each tenth is said once.

        Args:
            progress: who hears of it.
            words: what is searched.
        """
        said = [1, 0]  # the number of the search, and the tenth that was said last

        def watch(share: float) -> None:
            tenth = int(10 * share)
            if tenth < said[1]:
                said[:] = [said[0] + 1, -1]
            if tenth > said[1]:
                said[1] = tenth
                progress(f"{words}: search {said[0]}, {10 * tenth} %")

        return replace(self, options=replace(self.options, watch=watch))

    def on(
        self, heights: Floats, mask: NDArray[np.uint8], friction_musd_per_km: NDArray[np.floating]
    ) -> AlignmentProblem:
        """The same question on other heights, mask and friction (the last two may be empty) in the same frame.

        Args:
            heights: metres, shape (rows, cols).
            mask: bits of kinds that are forbidden, or empty.
            friction_musd_per_km: what steers a line away, or empty.
        """
        ground = self.terrain.ground
        changed = build_ground(
            heights,
            ground.dx_m,
            ground.dy_m,
            mask if mask.size else None,
            friction_musd_per_km if friction_musd_per_km.size else None,
        )
        return replace(self, terrain=Terrain(changed, self.terrain.grid))


Node = tuple[int, int]


Lakes = Literal["shut", "bridge", "open"]
"""What a line may do at lakes."""
_NOT_ON_LAKES: dict[Lakes, int] = {"shut": NO_SURFACE | NO_BRIDGE, "bridge": NO_SURFACE, "open": 0}


class Allowed(Protocol):
    """Whether a line may pass, of longitudes and latitudes; ``barred`` is ground that it may nowhere enter."""

    def __call__(self, lon: Floats, lat: Floats, /) -> NDArray[np.bool_]:
        """One answer a point."""

    @property
    def barred(self) -> shapely.Geometry:
        """Polygons in degrees."""


MIN_CELL_M = 100.0
MAX_CELLS = 4_000_000
MARGIN = 0.5
MIN_MARGIN_M = 30_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """A ground with the frame that puts it on the map."""

    ground: Ground
    grid: Grid

    def node_at(self, xy: tuple[float, float], name: str) -> tuple[Node, float]:
        """Nearest node to a point and how far it lies off, in metres.

        Raises:
            AlignmentError: if the point lies outside the grid.
        """
        row, col = (float(v[0]) for v in self.grid.fractional_index(np.array([xy[0]]), np.array([xy[1]])))
        node = (round(row), round(col))
        rows, cols = self.grid.shape
        if not (0 <= node[0] < rows and 0 <= node[1] < cols):
            raise AlignmentError(f"{name}: the point {xy[0]:.0f}, {xy[1]:.0f} lies outside the elevation grid")
        return node, float(np.hypot((row - node[0]) * self.ground.dy_m, (col - node[1]) * self.ground.dx_m))

    def to_map(self, points: Floats) -> Floats:
        """Rows, columns and heights (n, 3) as x, y and heights."""
        x, y = self.grid.centres(points[:, 0], points[:, 1])
        return np.column_stack([x, y, points[:, 2]])

    def to_grid(self, line: Floats) -> Floats:
        """x, y and heights (n, 3) as fractional rows, columns and heights."""
        rows, cols = self.grid.fractional_index(line[:, 0], line[:, 1])
        return np.column_stack([rows, cols, line[:, 2]])


def build_terrain(
    heights: NDArray[np.floating],
    grid: Grid,
    mask: NDArray[np.integer] | None = None,
    friction_musd_per_km: NDArray[np.floating] | None = None,
) -> Terrain:
    """Put heights (rows, cols) of a grid in a metric system into the form that the search reads.

    Args:
        heights: metres, shape (rows, cols).
        grid: where they lie.
        mask: bits of kinds that are forbidden at each node; none are if left out.
        friction_musd_per_km: what steers a line away without being paid; none if left out.

    Raises:
        AlignmentError: if the grid is rotated, in degrees or differs in shape from the heights.
    """
    t = grid.transform
    if t.b or t.d:
        raise AlignmentError("grid: rotated rasters are not supported; warp to north-up first")
    if abs(t.a) < 0.5:
        raise AlignmentError(f"grid: cells of {abs(t.a)} units look like degrees; warp to a metric system first")
    if tuple(heights.shape) != tuple(grid.shape):
        raise AlignmentError(f"heights: shape {heights.shape} differs from the grid's {grid.shape}")
    return Terrain(build_ground(heights, abs(t.a), abs(t.e), mask, friction_musd_per_km), grid)


def frame_terrain(
    dem: Dem,
    start: Point,
    end: Point,
    what: str,
    allowed: Allowed | None = None,
    *,
    cell_m: float | None = None,
    crs: str = "",
    heights_m: tuple[float | None, float | None] = (None, None),
    lakes: Lakes = "open",
) -> tuple[Terrain, Point, Point]:
    """The ground about two places (lon, lat) in a UTM zone, and the places in that zone.

    Cells are coarser than asked for where they would be over four million; they are stretched so that both places are
    nodes.

    Args:
        dem: heights.
        start: lon, lat in degrees.
        end: the same.
        what: the places' name in an error.
        allowed: whether a line may pass, of longitudes and latitudes; the places themselves are always open.
        cell_m: side of a cell, at least the elevation model's own; that one, from 100 m on, if left out.
        crs: of the cells; the UTM zone of the places' middle if left out.
        heights_m: of the ground at each place; None leaves what these cells make of it.
        lakes: what a line may do at large patches of one height, as elevation models have lakes: pass them as level
            ground (``open``), on bridges and in tunnels (``bridge``), or in tunnels alone (``shut``). The places
            themselves are always open.

    Raises:
        AlignmentError: if the places are the same, or less than two cells apart.
    """
    crs = crs or utm_crs((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    a, b = (project(shapely.Point(*place), WGS84, crs) for place in (start, end))
    apart, finest = float(distance_m(*start, *end)), max(dem.resolution_m, cell_m or 0.0)
    if apart < 1.0:
        raise AlignmentError(f"{what} are the same place: there is no line to seek")
    if apart < 2 * finest:
        of = "the elevation model; use a finer one" if finest == dem.resolution_m else f"{finest:g} m; use smaller ones"
        raise AlignmentError(f"{what} are {apart:.0f} m apart, under two cells of {of}")
    # A line may go far round: the frame leaves half the distance free on every side, and more where the places are near
    # each other.
    margin = max(MARGIN * apart, MIN_MARGIN_M)
    whole = grid_over(dem.grid, crs).bounds
    west, south = max(min(a.x, b.x) - margin, whole[0]), max(min(a.y, b.y) - margin, whole[1])
    east, north = min(max(a.x, b.x) + margin, whole[2]), min(max(a.y, b.y) + margin, whole[3])
    # Cells finer than the heights would say nothing more; too many of them would fill the memory.
    cell = max(dem.resolution_m, cell_m or MIN_CELL_M, math.sqrt((east - west) * (north - south) / MAX_CELLS))
    dx, left, cols = _nodes_on(a.x, b.x, west, east, cell)
    dy, bottom, rows = _nodes_on(a.y, b.y, south, north, cell)
    grid = Grid(crs, Affine(dx, 0, left, 0, -dy, bottom + rows * dy), (rows, cols))
    mask = _mask(grid, dem, allowed, lakes, (start, end))
    if mask is not None:
        mask[_node(grid, a.x, a.y)] = mask[_node(grid, b.x, b.y)] = 0
    ground = warp(dem.heights_m, dem.grid, grid)
    for place, height_m in zip((a, b), heights_m, strict=True):
        if height_m is not None:
            ground[_node(grid, place.x, place.y)] = height_m
    return build_terrain(ground, grid, mask), (a.x, a.y), (b.x, b.y)


def height_about(dem: Dem, place: Point, cell_m: float | None, crs: str) -> float:
    """The ground's height in a cell about a place, whose edges no frame has a say in; NaN where it isn't known.

    Args:
        dem: heights.
        place: lon, lat in degrees.
        cell_m: side of the cell, as :func:`frame_terrain` takes it.
        crs: of the cell.
    """
    at, side = project(shapely.Point(*place), WGS84, crs), max(dem.resolution_m, cell_m or MIN_CELL_M)
    cell = Grid(crs, Affine(side, 0, at.x - side / 2, 0, -side, at.y + side / 2), (1, 1))
    return float(warp(dem.heights_m, dem.grid, cell)[0, 0])


def _node(grid: Grid, x: float, y: float) -> Node:
    """The nearest node to a place in a grid's system."""
    row, col = (round(float(v[0])) for v in grid.fractional_index(np.array([x]), np.array([y])))
    return row, col


def _nodes_on(a: float, b: float, low: float, high: float, cell_m: float) -> tuple[float, float, int]:
    """Spacing of nodes near ``cell_m`` that puts both coordinates on one, the first cell's edge, and their number."""
    between = round(abs(b - a) / cell_m)
    spacing = abs(b - a) / between if between else cell_m
    # Whole steps back from the nearer place, as far as its frame goes: both places stay nodes.
    first = min(a, b) - spacing * max(math.floor((min(a, b) - low) / spacing - 0.5), 0)
    # A place within half a cell of the frame's end has its node too.
    needed = round((max(a, b) - first) / spacing) + 1
    return spacing, first - spacing / 2, max(int((high - first) / spacing + 0.5), needed, 3)


def _mask(
    grid: Grid, dem: Dem, allowed: Allowed | None, lakes: Lakes, places: Sequence[Point]
) -> NDArray[np.uint8] | None:
    """Mask bits per node, (rows, cols), of what may not be built there; None where everything may."""
    on_lakes = _NOT_ON_LAKES[lakes]
    is_lake = _find_lakes(dem, places) if on_lakes else np.zeros(0, dtype=bool)
    if allowed is None and not is_lake.any():
        return None
    rows, cols = np.indices(grid.shape).reshape(2, -1).astype(float)
    x, y = grid.centres(rows, cols)
    on_earth = shapely.get_coordinates(project(shapely.MultiPoint(np.column_stack([x, y])), grid.crs, WGS84))
    mask = np.zeros(grid.shape, dtype=np.uint8)
    if is_lake.any():
        mask[is_lake[dem.pixels_at(*on_earth.T)].reshape(grid.shape)] = on_lakes
    if allowed is not None:
        mask[_closed_where_not(allowed, grid, on_earth)] = CLOSED
    return mask


def _find_lakes(dem: Dem, places: Sequence[Point]) -> NDArray[np.bool_]:
    """Pixels (rows, cols) of lakes: level patches but those that a place (lon, lat) lies on, away from the shore."""
    from scipy import ndimage

    is_level, around = dem.is_level, np.ones((3, 3), dtype=bool)
    at = dem.pixels_at(*np.array(places).T)
    # who builds from a place in the middle of a patch knows that it is land, whatever the heights look like
    patches, _ = ndimage.label(is_level, around)
    land = patches[at][ndimage.binary_erosion(is_level, around)[at]]
    return np.asarray(is_level & ~np.isin(patches, land))


def _closed_where_not(allowed: Allowed, grid: Grid, on_earth: Floats) -> NDArray[np.bool_]:
    """Nodes, (rows, cols), where a line may not pass; ``on_earth`` are all of them in degrees, (nodes, 2).

    Ground counts by the cells' middles; barred ground that is too narrow for those to tell counts wherever it touches
    a cell, since a line from middle to middle would step over it.
    """
    closed = ~allowed(on_earth[:, 0], on_earth[:, 1]).reshape(grid.shape)
    # Only what lies about the grid is projected: a country's far side may lie beyond what the grid's zone can hold.
    about = shapely.box(*on_earth.min(axis=0), *on_earth.max(axis=0)).buffer(_AROUND_DEG)
    return np.asarray(closed | _narrow(shapely.intersection(allowed.barred, about), grid))


def _narrow(barred: shapely.Geometry, grid: Grid) -> NDArray[np.bool_]:
    """Cells (rows, cols) that barred ground touches where it is under three cells wide.

    A polygon that touches every cell on its way makes a wall whose cells share sides, which no link passes.
    """
    from rasterio.features import rasterize
    from scipy.ndimage import binary_dilation, binary_opening

    if barred.is_empty:
        return np.zeros(grid.shape, dtype=bool)
    shape = [project(barred, WGS84, grid.crs)]
    touched = rasterize(shape, out_shape=grid.shape, transform=grid.transform, all_touched=True).astype(bool)
    middles = rasterize(shape, out_shape=grid.shape, transform=grid.transform).astype(bool)
    # Opening keeps what a block of three by three cells fits into; all else that is touched is narrow.
    wide = binary_dilation(binary_opening(middles, np.ones((3, 3))), np.ones((3, 3)))
    return np.asarray(touched & ~wide)
