r"""Maps of lines that `corridor align` found beside the line that was built, for the page on validation.

python -m docs.tools.found_maps --title "Gotthard" --dem N46E008.SRTMGL3.hgt.zip --dem N46E009.SRTMGL3.hgt.zip \
    --built railways.geojson:gotthard:1882 --found gotthard:today --found gotthard-old:1870-1910 \
    --place "Erstfeld,46.8196,8.6505,w" --credit "true line (c) OpenStreetMap contributors" --out found-gotthard.svg

Heights, the true line and the results aren't part of the project, so they are named. The true line is a GeoJSON of
lines in order, with `line` (a name), `kind` (surface, tunnel or bridge), `from_km` and `to_km`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from affine import Affine
from markupsafe import escape
from numpy.typing import NDArray

from corridor.geo.geodesy import WGS84, project
from corridor.geo.rasters import WEB_MERCATOR, warp
from corridor.io.read.elevation import read_dem
from corridor.report.map.ground import build_relief
from corridor.schema.fields import Grid
from corridor.theme import colour, sequence

Floats = NDArray[np.float64]

WIDTH, HIGHEST, MARGIN = 760.0, 900.0, 0.06  # of the map, pixels; share of it that is left free about the lines
QUALITY = 40  # how well WebP keeps the relief
ROW, HEAD = 20.0, 34.0
INK, PAPER, SOFT = colour("ink"), colour("paper"), colour("soft")
BUILT, FOUND = INK, (colour("section_line"), colour("blue"), sequence("routes")[2])
BAR_PX = 180.0  # the longest bar of a scale
LONG_KM = 2.0  # tunnels from this length have it written beside them
SIDES = {"e": (8, 4, "start"), "w": (-8, 4, "end"), "n": (0, -9, "middle"), "s": (0, 18, "middle")}


@dataclass(frozen=True, slots=True)
class Course:
    """A line on the map: words of the legend, ink, and pieces (kind, km, lon and lat (n, 2)) that lie on each other.

    ``total_km`` is the length of the whole line. The line of a result comes first in one piece of kind "line"; a true
    line consists of its pieces.
    """

    words: str
    ink: str
    total_km: float
    pieces: tuple[tuple[str, float, Floats], ...]

    def of(self, kind: str) -> list[float]:
        """Lengths in km of the pieces of a kind."""
        return [km for this, km, _ in self.pieces if this == kind]

    @property
    def row(self) -> str:
        """The words of the legend with the figures of the line."""
        tunnels, bridges = self.of("tunnel"), sum(self.of("bridge"))
        on_bridges = f"{bridges:.1f} on bridges" if bridges >= 0.05 else "no bridges"
        longest = f", the longest {max(tunnels):.1f}" if tunnels else ""
        return f"{self.words}: {self.total_km:.1f} km; {sum(tunnels):.1f} in tunnels{longest}; {on_bridges}"


def read_built(path: Path, line: str, words: str) -> Course:
    """A true line of a file that may hold several; pieces of one kind that meet are put together."""
    own = [f for f in json.loads(path.read_text(encoding="utf-8"))["features"] if f["properties"]["line"] == line]
    pieces: list[tuple[str, float, Floats]] = []
    ends_km = -1.0
    for feature in sorted(own, key=lambda f: float(f["properties"]["from_km"])):
        facts, xy = feature["properties"], np.array(feature["geometry"]["coordinates"], dtype=float)[:, :2]
        km = float(facts["to_km"]) - float(facts["from_km"])
        if pieces and pieces[-1][0] == facts["kind"] and abs(ends_km - float(facts["from_km"])) < 1e-3:
            kind, so_far, before = pieces.pop()
            pieces.append((kind, so_far + km, np.vstack([before, xy])))
        else:
            pieces.append((str(facts["kind"]), km, xy))
        ends_km = float(facts["to_km"])
    return Course(f"built, {words}", BUILT, sum(km for _, km, _ in pieces), tuple(pieces))


def read_found(folder: Path, words: str, ink: str) -> Course:
    """The line of a result of ``corridor align``."""
    cell_m = json.loads((folder / "alignment.json").read_text(encoding="utf-8"))["cell_m"]
    collection = json.loads((folder / "alignment.geojson").read_text(encoding="utf-8"))
    pieces = tuple(
        (facts["kind"], float(facts["length_km"]), np.array(feature["geometry"]["coordinates"])[:, :2])
        for feature in collection["features"]
        if (facts := feature["properties"])["kind"] in {"line", "tunnel", "bridge"}
    )
    return Course(f"found, prices of {words}, cells of {cell_m:.0f} m", ink, pieces[0][1], pieces)


class Sheet:
    """The frame of the map in Web Mercator, north up, and its size in pixels."""

    def __init__(self, xy: Floats) -> None:
        # Mercator stretches lengths by 1 / cos(latitude).
        self.stretch = 1.0 / np.cos(np.radians(xy[:, 1].mean()))
        flat = shapely.get_coordinates(project(shapely.points(xy), WGS84, WEB_MERCATOR))
        margin = MARGIN * float(np.ptp(flat, axis=0).max())
        low, high = flat.min(axis=0) - margin, flat.max(axis=0) + margin
        self.px = float(min(WIDTH / (high - low)[0], HIGHEST / (high - low)[1]))
        # A course that leads from north to south has ground on both sides up to the map's edges.
        room = np.array([max(WIDTH / self.px - (high - low)[0], 0.0), 0.0]) / 2
        self.low, self.high = low - room, high + room
        self.width, self.height = ((self.high - self.low) * self.px).tolist()

    def place(self, xy: Floats) -> Floats:
        """Pixels of points in degrees, (n, 2)."""
        flat = shapely.get_coordinates(project(shapely.points(xy), WGS84, WEB_MERCATOR))
        return np.column_stack([flat[:, 0] - self.low[0], self.high[1] - flat[:, 1]]) * self.px

    def path(self, xy: Floats) -> str:
        """The points of a polyline, those left out that can't be seen."""
        kept = shapely.get_coordinates(shapely.simplify(shapely.linestrings(self.place(xy)), 0.3))
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in kept)

    def degrees(self) -> tuple[float, float, float, float]:
        """Bounds (west, south, east, north)."""
        corners = shapely.get_coordinates(project(shapely.points([self.low, self.high]), WEB_MERCATOR, WGS84))
        return tuple(corners.ravel().tolist())


def draw_relief(sheet: Sheet, dem: Sequence[Path]) -> str:
    """Tinted, shaded relief of the frame as a picture inside the drawing."""
    west, south, east, north = sheet.degrees()
    # A little more than the frame, so that no edge of a pixel shows.
    wide, high = 0.01 * (east - west), 0.01 * (north - south)
    west, south, east, north = west - wide, south - high, east + wide, north + high
    heights = read_dem(dem, (west, south, east, north), source=None, vertical_error_m=10.0, error_range_km=5.0)
    cols = int(sheet.width * 0.7)  # a relief is drawn twice as fine as its heights are
    size = (east - west) / cols
    rows = int((north - south) / size)
    frame = Grid(WGS84, Affine(size, 0.0, west, 0.0, -size, north), (rows, cols))
    finer = rows > heights.grid.shape[0]
    relief = build_relief(warp(heights.heights_m, heights.grid, frame, smooth=finer), frame, quality=QUALITY)
    w, s, e, n = relief.bounds
    (x0, y0), (x1, y1) = sheet.place(np.array([[w, n], [e, s]]))
    return (
        f'<image href="{relief.uri}" x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}" '
        'preserveAspectRatio="none"/>'
    )


def draw_course(sheet: Sheet, course: Course) -> Iterator[str]:
    """A line with a pale edge: solid in the open, dashed in tunnels, thick on bridges."""
    wide = 2.0 if course.ink == BUILT else 2.8
    # The line of a result lies under its structures too, which are put on paper so that it doesn't show through.
    for kind, _, xy in course.pieces:
        points, dashes = sheet.path(xy), ' stroke-dasharray="5 4"' if kind == "tunnel" else ""
        width = 7.0 if kind == "bridge" else wide
        yield f'<polyline points="{points}" stroke="{PAPER}" stroke-width="{width + 2}"/>'
        yield f'<polyline points="{points}" stroke="{course.ink}" stroke-width="{width}"{dashes}/>'


def label(x: float, y: float, text: str, ink: str, anchor: str = "middle", extra: str = "") -> str:
    """A text with a pale edge."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}" stroke="{PAPER}" stroke-width="3.5" '
        f'stroke-linejoin="round" paint-order="stroke"{extra}>{escape(text)}</text>'
    )


def draw_lengths(sheet: Sheet, courses: Sequence[Course]) -> Iterator[str]:
    """Lengths of long tunnels beside them, where they lie farthest from other lines and lengths."""
    lines = [(course, km, sheet.place(xy)) for course in courses for kind, km, xy in course.pieces if kind == "tunnel"]
    others = [shapely.linestrings(sheet.place(xy)) for course in courses for _, _, xy in course.pieces]
    for course, km, xy in lines:
        if km < LONG_KM:
            continue
        line, places = shapely.linestrings(xy), []
        for share in (0.5, 0.35, 0.65):
            a, at, b = shapely.get_coordinates(line.interpolate([share - 0.05, share, share + 0.05], normalized=True))
            ahead = (b - a) / max(float(np.hypot(*(b - a))), 1e-9)
            left = np.array([-ahead[1], ahead[0]]) * np.array([30.0, 13.0])
            places += [at + away * left for away in (1.0, -1.0, 2.0, -2.0)]
        # Near the line if there is room, else where most is.
        room = [min(*(_from_text(other, place) for other in others), 5.0) for place in places]
        x, y = places[int(np.argmax(room))]
        others.append(_under_text(np.array([x, y])))
        yield label(x, y + 4, f"{km:.1f} km", course.ink, extra=' font-size="12"')


def _under_text(place: Floats) -> shapely.Polygon:
    """The box that a length covers, with its middle at a place."""
    return shapely.box(place[0] - 22, place[1] - 7, place[0] + 22, place[1] + 7)


def _from_text(other: shapely.Geometry, place: Floats) -> float:
    return float(shapely.distance(other, _under_text(place)))


def draw_places(sheet: Sheet, places: Sequence[str]) -> Iterator[str]:
    """Places as dots with names; each is "name,lat,lon,side"."""
    for text in places:
        name, lat, lon, side = text.split(",")
        x, y = sheet.place(np.array([[float(lon), float(lat)]]))[0]
        dx, dy, anchor = SIDES[side.strip()]
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{PAPER}" stroke="{INK}" stroke-width="2"/>'
        yield label(x + dx, y + dy, name, INK, anchor, ' font-weight="bold"')


def draw_scale(sheet: Sheet, courses: Sequence[Course]) -> str:
    """A bar of 5 or 1 km and an arrow to the north above it, in the corner that lies farthest from all lines."""
    km_px = 1000.0 * sheet.stretch * sheet.px
    km = 5 if 5 * km_px < BAR_PX else 1
    length = km * km_px
    lines = shapely.union_all(
        [shapely.linestrings(sheet.place(xy)) for course in courses for _, _, xy in course.pieces]
    )
    lefts, tops = (16.0, sheet.width - 16.0 - length), (16.0, sheet.height - 96.0)
    boxes = [shapely.box(left, top, left + length, top + 80.0) for left in lefts for top in tops]
    left, top, right, foot = max(boxes, key=lambda box: float(shapely.distance(lines, box))).bounds
    bar = f"M{left:.1f} {foot - 6:.1f}v6H{right:.1f}v-6"
    middle = (left + right) / 2
    return (
        f'<path d="{bar}" stroke="{PAPER}" stroke-width="5"/><path d="{bar}" stroke="{INK}" stroke-width="2"/>'
        + label(middle, foot - 6, f"{km} km", INK)
        + f'<path d="M{middle:.1f} {top + 16:.1f}l8 28l-8 -6l-8 6Z" fill="{INK}"/>'
        + label(middle, top + 12, "N", INK, extra=' font-weight="bold"')
    )


def draw_legend(sheet: Sheet, courses: Sequence[Course], credit: str) -> Iterator[str]:
    """Below the map: each line with its figures, what dashes and bars mean, and where everything is from."""
    y = HEAD + sheet.height + 22
    for course in courses:
        yield f'<path d="M8 {y - 4:.1f}h34" stroke="{course.ink}" stroke-width="2.5"/>'
        yield f'<text x="50" y="{y:.1f}">{escape(course.row)}</text>'
        y += ROW
    yield f'<path d="M8 {y - 4:.1f}h34" stroke="{INK}" stroke-width="2.5" stroke-dasharray="5 4"/>'
    yield f'<text x="50" y="{y:.1f}">tunnel, with its length from {LONG_KM:g} km</text>'
    yield f'<path d="M268 {y - 4:.1f}h34" stroke="{INK}" stroke-width="2.5"/>'
    yield f'<path d="M276 {y - 4:.1f}h18" stroke="{INK}" stroke-width="6.5"/>'
    yield f'<text x="310" y="{y:.1f}">bridge</text>'
    yield f'<text x="8" y="{y + ROW:.1f}" font-size="11" fill="{SOFT}">{escape(credit)}</text>'


def draw_map(title: str, courses: Sequence[Course], places: Sequence[str], dem: Sequence[Path], credit: str) -> str:
    """The map as SVG, complete in itself; courses that come later lie above."""
    marks = [[float(lon), float(lat)] for _, lat, lon, _ in (text.split(",") for text in places)]
    # A true line may lead on beyond the map.
    sheet = Sheet(np.vstack([*(xy for course in courses if course.ink != BUILT for _, _, xy in course.pieces), *marks]))
    height = HEAD + sheet.height + ROW * (len(courses) + 2) + 12
    lines = [
        *(part for course in courses for part in draw_course(sheet, course)),
        *draw_lengths(sheet, courses),
        *draw_places(sheet, places),
        draw_scale(sheet, courses),
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" '
            f'font-family="sans-serif" font-size="13" fill="{INK}"><title>{escape(title)}</title>',
            f'<rect width="{WIDTH:.0f}" height="{height:.0f}" fill="{PAPER}"/>',
            f'<text x="8" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
            f'<svg y="{HEAD:.0f}" width="{sheet.width:.1f}" height="{sheet.height:.1f}">{draw_relief(sheet, dem)}',
            '<g fill="none" stroke-linejoin="round">',
            *lines,
            "</g></svg>",
            *draw_legend(sheet, courses[::-1], credit),
            "</svg>\n",
        ]
    )


def main() -> None:
    """Draw one map."""
    about, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m docs.tools.found_maps",
        description=about,
        epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--title", required=True)
    parser.add_argument("--dem", type=Path, action="append", required=True, help="elevation raster; again for more")
    parser.add_argument("--built", metavar="FILE:LINE:WORDS", help="the true line")
    parser.add_argument("--found", metavar="FOLDER:BOOK", action="append", required=True, help="again for up to three")
    parser.add_argument("--place", metavar="NAME,LAT,LON,SIDE", action="append", default=[], help="side: n, e, s or w")
    parser.add_argument("--credit", default="", help="where heights and true line are from")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    courses: list[Course] = []
    for text, ink in zip(asked.found, FOUND, strict=False):
        folder, book = text.split(":")
        courses.insert(0, read_found(Path(folder), book, ink))
    if asked.built:
        file, line, words = asked.built.split(":")
        courses.append(read_built(Path(file), line, words))
    drawing = draw_map(asked.title, courses, asked.place, asked.dem, asked.credit)
    asked.out.write_text(drawing, encoding="utf-8")
    print(asked.out)


if __name__ == "__main__":
    main()
