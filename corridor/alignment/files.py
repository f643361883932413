"""The files of a new line: figures, course, long section, table of stations with earthworks, trade-off curves."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from markupsafe import escape
from numpy.typing import NDArray

from corridor.errors import OutputError
from corridor.geo.geodesy import WGS84, project
from corridor.report.i18n import render
from corridor.schema.alignment import Alignment, Structure
from corridor.schema.message import Message, listing
from corridor.schema.vocabulary import LineKind, Mode
from corridor.theme import colour

if TYPE_CHECKING:
    from corridor.pipeline.new_line import NewLine


# --- The long section of a line as engineers draw it, and the table of stations with earthworks that goes with it ---

Floats = NDArray[np.float64]

WIDTH, LEFT, RIGHT, TOP, PLOT, ROW = 1200, 70, 20, 46, 330, 34
INK, GROUND, LINE, TUNNEL, BRIDGE = (
    colour(f"section_{what}") for what in ("ink", "ground", "line", "tunnel", "bridge")
)
PAPER, NOTE, GRID, FRAME, OTHER, TICK = (
    colour(what) for what in ("paper", "section_note", "grid", "frame", "section_other", "tick")
)
SAME_GRADE = 1e-4  # changes of grade under a tenth of a per mille are drawn as none
LABEL_PX, GRADE_PX, LETTER_PX = 34, 25, 6.2
LONG_M = 500.0  # structures from this length are labelled
FORMATION_M = {Mode.RAIL: 7.0, Mode.ROAD: 12.0}  # width of single track, of two lanes with shoulders: general practice
BATTER = 1.5  # metres across to one of height, of the sides of cuts and fills


def draw_long_section(line: Alignment, title: str) -> str:
    """An SVG of a line: ground, design height, tunnels and bridges with portal heights, grades and curves.

    Heights are exaggerated; by how much is written on it. Grades are those between the intersection points, up and
    down as travelled; curves are drawn above the row's middle to the left and below it to the right.
    """
    total = float(line.chainage_m[-1])
    heights = np.concatenate([line.line[:, 2], line.ground_m])
    step = _nice(float(np.ptp(heights)) / 5)
    low, high = np.floor(heights.min() / step) * step, np.ceil((heights.max() + 0.25 * step) / step) * step
    scale = _Scale((WIDTH - LEFT - RIGHT) / total, PLOT / (high - low), low)
    body = [
        *_frame(scale, total, low, high, step),
        _area(scale, line),
        *(part for s in line.structures for part in _structure(scale, line, s)),
        f'<polyline points="{scale.points(line.chainage_m, line.line[:, 2])}" fill="none" stroke="{LINE}" '
        f'stroke-width="2"/>',
        *_portals(scale, line),
        *_grades(scale, line),
        *_curves(scale, line),
    ]
    bottom = TOP + PLOT + 30 + 2 * ROW + 26
    times = Message("new_line.exaggerated", {"times": f"{scale.up / scale.along:.0f}"})
    note = render(listing((times, *line.notes)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom}" role="img" '
        f'font-family="sans-serif" font-size="11" fill="{INK}"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{bottom}" fill="{PAPER}"/>'
        f'<text x="{LEFT}" y="18" font-size="15" font-weight="bold">{escape(title)}</text>'
        f'<text x="{LEFT}" y="34">{escape(_summary(line))}</text>{"".join(body)}'
        f'<text x="{LEFT}" y="{bottom - 8}" fill="{NOTE}">{escape(note)}</text></svg>\n'
    )


class _Scale:
    """From chainage and height in metres to places on the sheet."""

    def __init__(self, along: float, up: float, low: float) -> None:
        self.along, self.up, self.low = along, up, low

    def x(self, chainage_m: float) -> float:
        return LEFT + chainage_m * self.along

    def y(self, height_m: float) -> float:
        return TOP + PLOT - (height_m - self.low) * self.up

    def points(self, chainage_m: Floats, height_m: Floats) -> str:
        return " ".join(f"{self.x(s):.1f},{self.y(z):.1f}" for s, z in zip(chainage_m, height_m, strict=True))


def _nice(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten.

    >>> _nice(130.0)
    200.0
    """
    power = 10.0 ** np.floor(np.log10(max(step, 1e-3)))
    return float(next(power * m for m in (1, 2, 5, 10) if power * m >= step * (1 - 1e-9)))


def _summary(line: Alignment) -> str:
    price = line.price.total
    radius = f", least radius {line.min_radius_m:.0f} m" if np.isfinite(line.min_radius_m) else ""
    return (
        f"{line.length_km:.1f} km, {line.tunnel_km:.1f} km in tunnels (the longest {line.longest_tunnel_km:.1f}), "
        f"{line.bridge_km:.1f} km on bridges; steepest {line.max_grade_pct * 10:.1f} per mille{radius}; "
        f"{price.mid:,.0f} million USD ({price.low:,.0f}-{price.high:,.0f})"
    )


def _frame(scale: _Scale, total: float, low: float, high: float, step: float) -> Iterator[str]:
    """Axes with kilometres and heights."""
    right, foot = scale.x(total), TOP + PLOT
    for z in np.arange(low, high + step / 2, step):
        y = scale.y(float(z))
        yield f'<line x1="{LEFT}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{z:.0f}</text>'
    yield f'<text x="14" y="{TOP + PLOT / 2:.0f}" transform="rotate(-90 14 {TOP + PLOT / 2:.0f})">height, m</text>'
    every = _nice(total / 1000 / 14)
    for km in np.arange(0.0, total / 1000 + 1e-9, every):
        x = scale.x(float(km) * 1000)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{foot}" y2="{foot + 5}" stroke="{INK}"/>'
        yield f'<text x="{x:.1f}" y="{foot + 17}" text-anchor="middle">{km:g}</text>'
    yield f'<text x="{LEFT - 6}" y="{foot + 17}" text-anchor="end">km</text>'
    for k, name in enumerate(("grade, ‰", "curves, R m")):
        y = foot + 30 + k * ROW
        yield f'<rect x="{LEFT}" y="{y}" width="{right - LEFT:.1f}" height="{ROW}" fill="none" stroke="{FRAME}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + ROW / 2 + 4:.0f}" text-anchor="end">{name}</text>'


def _area(scale: _Scale, line: Alignment) -> str:
    foot = TOP + PLOT
    ends = f"{scale.x(float(line.chainage_m[-1])):.1f},{foot} {LEFT},{foot}"
    return f'<polygon points="{scale.points(line.chainage_m, line.ground_m)} {ends}" fill="{GROUND}"/>'


def _structure(scale: _Scale, line: Alignment, s: Structure) -> Iterator[str]:
    """A tunnel or bridge as a thick stretch of the line; a long one with kind and length."""
    inside = line.chainage_m[(line.chainage_m > s.from_m) & (line.chainage_m < s.to_m)]
    at = np.concatenate([[s.from_m], inside, [s.to_m]])
    height = np.interp(at, line.chainage_m, line.line[:, 2])
    ink = {LineKind.TUNNEL: TUNNEL, LineKind.BRIDGE: BRIDGE}.get(s.kind, OTHER)
    yield f'<polyline points="{scale.points(at, height)}" fill="none" stroke="{ink}" stroke-width="7"/>'
    word = f"{s.kind} {s.length_m / 1000:.1f} km"
    if s.length_m >= LONG_M and s.length_m * scale.along > LETTER_PX * len(word):
        x, y = scale.x(0.5 * (s.from_m + s.to_m)), scale.y(float(height.min())) + 22
        yield f'<text x="{x:.1f}" y="{min(y, TOP + PLOT - 4):.1f}" text-anchor="middle" fill="{ink}">{word}</text>'


def _portals(scale: _Scale, line: Alignment) -> Iterator[str]:
    """Heights of the portals of long tunnels, where there is room for them."""
    taken = -1e9
    for s in line.structures:
        if s.kind != LineKind.TUNNEL or s.length_m < LONG_M:
            continue
        for at in (s.from_m, s.to_m):
            x, z = scale.x(at), float(np.interp(at, line.chainage_m, line.line[:, 2]))
            if x - taken < LABEL_PX:
                continue
            taken = x
            yield f'<circle cx="{x:.1f}" cy="{scale.y(z):.1f}" r="3" fill="{PAPER}" stroke="{TUNNEL}"/>'
            yield f'<text x="{x:.1f}" y="{scale.y(z) - 9:.1f}" text-anchor="middle" font-weight="bold">{z:.0f}</text>'


def _stations(line: Alignment) -> Floats:
    """Chainage of the intersection points, ends included."""
    drawn = shapely.linestrings(line.line[:, :2])
    at = shapely.line_locate_point(drawn, shapely.points(line.vertices[:, :2]))
    at[0], at[-1] = 0.0, line.chainage_m[-1]
    # Where a line comes near itself a vertex may be located on the wrong pass; chainage never falls.
    return np.maximum.accumulate(at)


def _grades(scale: _Scale, line: Alignment) -> Iterator[str]:
    """A box per stretch of one grade, its diagonal rising or falling with it."""
    stations, top = _stations(line), TOP + PLOT + 30
    apart = np.concatenate([[True], np.diff(stations) > 1.0])
    stations, z = stations[apart], line.vertices[apart, 2]
    grade = np.diff(z) / np.diff(stations)
    keep = np.concatenate([[True], np.abs(np.diff(grade)) > SAME_GRADE, [True]])
    for (s0, z0), (s1, z1) in pairwise(zip(stations[keep], z[keep], strict=True)):
        rise = (z1 - z0) / (s1 - s0)
        x0, x1 = scale.x(float(s0)), scale.x(float(s1))
        tilt = float(np.clip(rise * 400, -1, 1)) * (ROW / 2 - 3)
        yield f'<line x1="{x0:.1f}" x2="{x0:.1f}" y1="{top}" y2="{top + ROW}" stroke="{TICK}"/>'
        yield (
            f'<line x1="{x0:.1f}" y1="{top + ROW / 2 + tilt:.1f}" x2="{x1:.1f}" y2="{top + ROW / 2 - tilt:.1f}" '
            f'stroke="{LINE}"/>'
        )
        if x1 - x0 > GRADE_PX:
            low = top + (ROW - 4 if rise > 0 else 10)
            yield f'<text x="{x1 - 2:.1f}" y="{low}" text-anchor="end" font-size="9">{rise * 1000:+.1f}</text>'


def _curves(scale: _Scale, line: Alignment) -> Iterator[str]:
    """A block per curve, above the middle to the left and below it to the right, with its radius where it fits."""
    stations, middle = _stations(line)[1:-1], TOP + PLOT + 30 + 1.5 * ROW
    steps = np.diff(line.vertices[:, :2], axis=0)
    cross = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
    angle = np.arctan2(cross, (steps[:-1] * steps[1:]).sum(axis=1))
    yield (
        f'<line x1="{LEFT}" x2="{scale.x(float(line.chainage_m[-1])):.1f}" y1="{middle}" y2="{middle}" '
        f'stroke="{FRAME}"/>'
    )
    labelled = -1e9
    for s, radius, turn in zip(stations, line.radius_m, angle, strict=True):
        if not np.isfinite(radius) or radius <= 0:
            continue
        half = max(abs(turn) * radius / 2 * scale.along, 0.75)
        x, up = scale.x(float(s)), turn > 0
        yield (
            f'<rect x="{x - half:.1f}" y="{middle - 6 if up else middle}" width="{2 * half:.1f}" height="6" '
            f'fill="{LINE}" fill-opacity="0.7"/>'
        )
        if x - labelled > LABEL_PX:
            labelled = x
            y = middle + 14 if up else middle - 5
            yield f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-size="9">{radius:.0f}</text>'


def tabulate_stations(line: Alignment, mode: Mode) -> pd.DataFrame:
    """A row per station of a drawn line, with heights, kind and the earthworks of the stretch to the next one.

    Volumes are those of a formation of 7 m (railway) or 12 m (road) with sides of 1 in 1.5 on ground that is level
    across: ``A = b d + 1.5 d^2`` at each end, averaged over the stretch (average end areas). On a hillside there is
    more of both. Bridges and tunnels move none.

    Args:
        line: what is drawn.
        mode: railway or road.

    Returns:
        ``chainage_m``, ``height_m``, ``ground_m``, ``grade_permille`` (to the next station, up positive), ``kind`` (of
        the stretch to the next station), ``cut_m`` and ``fill_m`` (on the centre line, 0 in structures), ``cut_m3``,
        ``fill_m3`` and ``mass_haul_m3`` (cuts less fills up to here).
    """
    at, height = line.chainage_m, line.line[:, 2]
    ends = np.array([s.from_m for s in line.structures] + [s.to_m for s in line.structures])
    # Ends of structures become stations, so that each stretch is of one kind.
    at = np.unique(np.concatenate([at, ends[(ends > at[0]) & (ends < at[-1])]]).round(3))
    height = np.interp(at, line.chainage_m, height)
    ground = np.interp(at, line.chainage_m, line.ground_m)
    steps, middles = np.diff(at), 0.5 * (at[1:] + at[:-1])
    kind = np.full(len(steps), str(LineKind.SURFACE), dtype=object)
    for s in line.structures:
        kind[(middles > s.from_m) & (middles < s.to_m)] = str(s.kind)
    is_open = kind == str(LineKind.SURFACE)
    depth = ground - height
    volumes = {}
    for name, deep in (("cut", np.maximum(depth, 0.0)), ("fill", np.maximum(-depth, 0.0))):
        area = FORMATION_M[mode] * deep + BATTER * deep**2
        volumes[name] = np.where(is_open, 0.5 * (area[1:] + area[:-1]) * steps, 0.0)
    # At a portal or abutment the open side still has its depth.
    touches_open = np.concatenate([is_open, [False]]) | np.concatenate([[False], is_open])
    return pd.DataFrame(
        {
            "chainage_m": at,
            "height_m": height,
            "ground_m": ground,
            "grade_permille": [*(np.diff(height) / steps * 1000.0), np.nan],
            "kind": [*kind, ""],
            "cut_m": np.where(touches_open, np.maximum(depth, 0.0), 0.0),
            "fill_m": np.where(touches_open, np.maximum(-depth, 0.0), 0.0),
            "cut_m3": [*volumes["cut"], 0.0],
            "fill_m3": [*volumes["fill"], 0.0],
            "mass_haul_m3": np.concatenate([[0.0], np.cumsum(volumes["cut"] - volumes["fill"])]),
        }
    )


def sum_earthworks(stations: pd.DataFrame) -> pd.DataFrame:
    """Cut and fill of each kilometre of a table of stations, and what is left over up to its end.

    Args:
        stations: of :func:`tabulate_stations`.

    Returns:
        ``from_km``, ``to_km``, ``cut_m3``, ``fill_m3``, ``mass_haul_m3``; a stretch counts where its middle lies.
    """
    at = stations["chainage_m"].to_numpy()
    middles = np.append(0.5 * (at[1:] + at[:-1]), at[-1])
    # The last station lies at the very end and must not open a kilometre of its own.
    km = np.minimum(middles // 1000.0, (at[-1] - 1e-6) // 1000.0).astype(int)
    total = stations.groupby(km)[["cut_m3", "fill_m3"]].sum().reset_index(names="from_km")
    total.insert(1, "to_km", np.minimum(total["from_km"] + 1.0, at[-1] / 1000.0).round(3))
    total["mass_haul_m3"] = (total["cut_m3"] - total["fill_m3"]).cumsum()
    return total


def describe_new_line(new: NewLine) -> dict[str, Any]:
    """The figures of a line as plain values: prices by kind in million USD, lengths in km."""
    line, price = new.alignment, new.alignment.price
    kinds = {str(kind): price.musd_of(kind) for kind in LineKind} | {"portals": price.ends}
    return {
        "from": {"name": new.start.name, "lat": new.start.lat, "lon": new.start.lon},
        "to": {"name": new.end.name, "lat": new.end.lat, "lon": new.end.lon},
        "via": [{"name": stop.name, "lat": stop.lat, "lon": stop.lon} for stop in new.stations],
        "standard": line.standard_id,
        "ruling_grade_pct": max(new.standard.max_grade_up_pct, new.standard.max_grade_down_pct),
        "radius_limit_m": new.standard.min_radius_m,
        "length_km": line.length_km,
        "tunnel_km": line.tunnel_km,
        "longest_tunnel_km": line.longest_tunnel_km,
        "bridge_km": line.bridge_km,
        "surface_km": price.km_of(LineKind.SURFACE),
        "bench_km": price.km_of(LineKind.BENCH),
        "gallery_km": price.km_of(LineKind.GALLERY),
        "half_bridge_km": price.km_of(LineKind.HALF_BRIDGE),
        "max_grade_pct": line.max_grade_pct,
        "min_radius_m": line.min_radius_m if math.isfinite(line.min_radius_m) else None,
        "ascent_m": line.ascent_m,
        "cost_musd": {"low": price.total.low, "mid": price.total.mid, "high": price.total.high},
        "cost_musd_by_kind": {k: {"low": v.low, "mid": v.mid, "high": v.high} for k, v in kinds.items()},
        "gap_musd": line.gap_musd,
        "gap_pct": line.gap_pct,
        "cell_m": line.cell_m,
        "dem": {"title": new.dem.source.title, "resolution_m": new.dem.resolution_m, "date": new.dem.source.date},
        "notes": [render(note) for note in line.notes],
        "reused_km": price.reused_km,
        "sweep": [point.as_row() for point in new.sweep],
        "alternatives": [
            {"length_km": other.length_km, "tunnel_km": other.tunnel_km, "cost_musd": other.price.total_musd}
            for other in new.alternatives
        ],
        "spread": {name: asdict(spread) for name, spread in new.spread.items()},
    }


def write_new_line(new: NewLine, folder: Path) -> Path:
    """Write ``alignment.json``, ``alignment.geojson`` (3-D line and structures), ``profile.svg`` (the long section),
    ``chainage.csv`` (a row per station) and ``earthworks.csv`` (a row per km); for a sweep ``tradeoff.csv`` too.

    Each file appears whole. With matplotlib a sweep is drawn too (``tradeoff.svg``). Gives the path of the line.

    Raises:
        OutputError: the folder can't be written.
    """
    stations = tabulate_stations(new.alignment, new.standard.mode)
    files: dict[str, str] = {
        "alignment.json": json.dumps(describe_new_line(new), ensure_ascii=False, indent=2, allow_nan=False) + "\n",
        "alignment.geojson": json.dumps(_features(new), ensure_ascii=False, allow_nan=False) + "\n",
        "profile.svg": draw_long_section(new.alignment, f"{new.start.name} - {new.end.name}, {new.standard.label}"),
    }
    files |= {"chainage.csv": _csv(stations.round(3)), "earthworks.csv": _csv(sum_earthworks(stations).round(3))}
    if new.sweep:
        table = pd.DataFrame([point.as_row() for point in new.sweep])
        files["tradeoff.csv"] = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        chart = _tradeoff_chart(table)
        if chart:
            files["tradeoff.svg"] = chart
    parts = {name: folder / f".{name}.part" for name in files}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in parts.items():
            part.write_text(files[name], encoding="utf-8")
        for name, part in parts.items():
            part.replace(folder / name)
    except (OSError, ValueError) as fault:
        for part in parts.values():
            with contextlib.suppress(OSError, ValueError):
                part.unlink()
        raise OutputError(
            f"{folder}: can't be written ({getattr(fault, 'strerror', fault)}); choose another folder with --out"
        ) from fault
    return folder / "alignment.geojson"


def _csv(table: pd.DataFrame) -> str:
    return str(table.to_csv(index=False, lineterminator="\n"))


def _features(new: NewLine) -> dict[str, Any]:
    line = new.alignment
    points = _on_the_map(line)
    features = [_feature(points, {"kind": "line", "standard": line.standard_id, "length_km": line.length_km})]
    for number, other in enumerate(new.alternatives, 1):
        facts = {"kind": "alternative", "number": number, "length_km": other.length_km}
        features.append(_feature(_on_the_map(other), facts | {"cost_musd": other.price.total_musd}))
    for structure in line.structures:
        inside = (line.chainage_m > structure.from_m) & (line.chainage_m < structure.to_m)
        chain = np.concatenate([[structure.from_m], line.chainage_m[inside], [structure.to_m]])
        piece = np.column_stack([np.interp(chain, line.chainage_m, points[:, i]) for i in range(3)])
        facts = {"kind": structure.kind, "length_km": structure.length_m / 1000, "extent_m": structure.extent_m}
        features.append(_feature(piece, facts | {"from_km": structure.from_m / 1000, "to_km": structure.to_m / 1000}))
    return {"type": "FeatureCollection", "features": features}


def _on_the_map(line: Alignment) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A line as lon, lat (degrees) and height (m), shape (n, 3)."""
    flat = project(shapely.linestrings(line.line[:, :2]), line.crs, WGS84)
    return np.column_stack([shapely.get_coordinates(flat).round(6), line.line[:, 2].round(1)])


def _feature(points: np.ndarray[Any, np.dtype[np.float64]], facts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": facts, "geometry": {"type": "LineString", "coordinates": points.tolist()}}


_SWEPT = {"max_grade_pct": "ruling grade, %", "tunnel_musd_per_km": "price of a tunnel, million USD per km"}


def _tradeoff_chart(table: pd.DataFrame) -> str:
    """Price with its range and tunnel length against what was varied, as SVG; '' without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return ""
    import io

    known = table.dropna(subset=["cost_musd_mid"]) if "cost_musd_mid" in table else table.iloc[:0]
    figure = Figure(figsize=(7, 4), layout="constrained")
    price = figure.add_subplot()
    price.fill_between(known["value"], known["cost_musd_low"], known["cost_musd_high"], color=colour("blue"), alpha=0.2)
    price.plot(known["value"], known["cost_musd_mid"], color=colour("blue"), marker="o")
    price.set_xlabel(_SWEPT[str(table["parameter"].iloc[0])])
    price.set_ylabel("million USD (range shaded)", color=colour("blue"))
    tunnels = price.twinx()
    tunnels.plot(known["value"], known["tunnel_km"], color=colour("vermilion"), marker="s", linestyle="--")
    tunnels.set_ylabel("km in tunnels (dashed)", color=colour("vermilion"))
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
