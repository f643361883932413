"""The files of a new line: figures, course, sheet, tables of stations and earthworks, trade-off curves."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from corridor.alignment.drawn import bend_at_station, find_self_crossings
from corridor.alignment.earthworks import sum_earthworks, tabulate_stations
from corridor.alignment.sheet import draw_sheet
from corridor.files import unwritable
from corridor.geo.geodesy import WGS84, project
from corridor.report.i18n import render
from corridor.schema.alignment import Alignment, UnitCosts
from corridor.schema.vocabulary import LineKind
from corridor.theme import colour

if TYPE_CHECKING:
    from corridor.pipeline.new_line import NewLine
    from corridor.schema.study import Place


SAID_PCT, TOLD_PCT = 0.05, 1.0  # a gap, and a change of the price by curves, from which it is said


def describe_new_line(new: NewLine) -> dict[str, Any]:
    """The figures of a line as plain values: prices by kind in million USD, lengths in km."""
    line, price = new.alignment, new.alignment.price
    kinds = {str(kind): price.musd_of(kind) for kind in LineKind} | {"portals": price.ends}
    return {
        "from": {"name": new.start.name, "lat": new.start.lat, "lon": new.start.lon, "off_m": line.snapped_m[0]},
        "to": {"name": new.end.name, "lat": new.end.lat, "lon": new.end.lon, "off_m": line.snapped_m[1]},
        "via": [
            {"name": stop.name, "lat": stop.lat, "lon": stop.lon, "at_km": at / 1000}
            | asdict(bend_at_station(line, at))
            for stop, at in zip(new.stations, locate_stations(line, new.stations), strict=True)
        ],
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
        "spiral_count": sum(s.turns for s in line.spirals),
        "spirals": _spirals(line),
        "max_grade_pct": line.max_grade_pct,
        "min_radius_m": line.min_radius_m if math.isfinite(line.min_radius_m) else None,
        "min_vertical_radius_m": line.min_vertical_radius_m if math.isfinite(line.min_vertical_radius_m) else None,
        "vertical_radius_limit_m": new.standard.vertical_radius_m,
        "self_crossings": [
            {"from_km": c.from_m / 1000, "to_km": c.to_m / 1000, "clearance_m": c.clearance_m, "priced": c.priced}
            for c in find_self_crossings(line)
        ],
        "ascent_m": line.ascent_m,
        "cost_musd": {"low": price.total.low, "mid": price.total.mid, "high": price.total.high},
        "cost_musd_by_kind": {k: {"low": v.low, "mid": v.mid, "high": v.high} for k, v in kinds.items()},
        "prices": {"book": new.prices, "musd_per_km": _unit_prices(new.costs)},
        "gap_musd": line.gap_musd,
        "gap_pct": line.gap_pct,
        "before_curves_musd": line.search_price_musd,
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


def say_certificate(line: Alignment) -> str:
    """How good a line is proved to be, in words; and what its curves changed, since the proof is about lines before.

    Args:
        line: what was found.
    """
    if line.gap_pct is None:
        proved = "none: a cheaper line may exist (--certify seeks it on all of the ground)"
    elif line.gap_pct >= SAID_PCT:
        proved = f"within {line.gap_pct:.1f} % of the cheapest"
    else:
        proved = "the cheapest on these cells"
    curves_pct = 100.0 * (line.price.total_musd / line.search_price_musd - 1.0)
    changed = f"; before its curves, which changed the price by {curves_pct:+.1f} %"
    return proved + (changed if line.gap_pct is not None and abs(curves_pct) >= TOLD_PCT else "")


def _say_basis(new: NewLine) -> list[str]:
    """What the line was sought on, for the foot of its sheet: certificate, cells and heights, prices."""
    line = new.alignment
    prices = ", ".join(f"{_WORDS.get(name, name.replace('_', ' '))} {musd:g}" for name, musd in _said_prices(new.costs))
    return [
        f"certificate: {say_certificate(line)}",
        f"cells of {line.cell_m:.0f} m; heights every {new.dem.resolution_m:.0f} m: {new.dem.source.title}",
        f"prices of {new.prices}, million USD per km, of portals and abutments each: {prices}",
    ]


_WORDS = {"surface": "open line"}


def _said_prices(costs: UnitCosts) -> list[tuple[str, float]]:
    """Middle prices of what new lines are built of, by kind."""
    return [(name, musd) for name, musd in _unit_prices(costs).items() if musd and name != "upgrade"]


def _unit_prices(costs: UnitCosts) -> dict[str, float]:
    """Middle prices that the search went by, as far as there are any; of portals and abutments by the piece."""
    return {name: price["mid"] for name, price in asdict(costs).items() if price is not None}


def _spirals(line: Alignment) -> list[dict[str, Any]]:
    """Where full circles lie, which way they turn, and what height they gain (negative: lose)."""
    found = []
    for s in line.spirals:
        middle = project(shapely.Point(s.x, s.y), line.crs, WGS84)
        found.append(
            {
                "lat": round(middle.y, 6),
                "lon": round(middle.x, 6),
                "radius_m": s.radius_m,
                "turns": s.turns,
                "direction": "left" if s.is_left else "right",
                "from_km": s.from_m / 1000,
                "to_km": s.to_m / 1000,
                "rise_m": s.rise_m,
                "crossings_musd": s.crossings.mid,
            }
        )
    return found


def write_new_line(new: NewLine, folder: Path) -> Path:
    """Write ``alignment.json``, ``alignment.geojson`` (3-D line and structures), ``profile.svg`` (plan and long
    section), ``chainage.csv`` (a row per station) and ``earthworks.csv`` (a row per km); for a sweep ``tradeoff.csv``.

    Each file appears whole. With matplotlib a sweep is drawn too (``tradeoff.svg``). Gives the path of the line.

    Raises:
        OutputError: the folder can't be written.
    """
    stations = tabulate_stations(new.alignment, new.standard.mode)
    files: dict[str, str] = {
        "alignment.json": json.dumps(describe_new_line(new), ensure_ascii=False, indent=2, allow_nan=False) + "\n",
        "alignment.geojson": json.dumps(_features(new), ensure_ascii=False, allow_nan=False) + "\n",
        "profile.svg": draw_sheet(
            new.alignment,
            f"{new.start.name} - {new.end.name}, {new.standard.label}",
            (new.start.name, new.end.name),
            stations,
            list(zip((stop.name for stop in new.stations), locate_stations(new.alignment, new.stations), strict=True)),
            _say_basis(new),
        ),
    }
    files |= {"chainage.csv": _csv(stations.round(3)), "earthworks.csv": _csv(sum_earthworks(stations).round(3))}
    if new.sweep:
        table = pd.DataFrame([point.as_row() for point in new.sweep])
        files["tradeoff.csv"] = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        chart = _tradeoff_chart(table)
        if chart:
            files["tradeoff.svg"] = chart
    # All files are written aside and then put in place together, so that a full disk leaves the old ones.
    parts = {name: folder / f".{name}.part" for name in files}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in parts.items():
            part.write_text(files[name], encoding="utf-8")
        for name, part in parts.items():
            part.replace(folder / name)
    except (OSError, ValueError) as fault:
        raise unwritable(folder, fault, "choose another folder with --out") from fault
    finally:
        for part in parts.values():
            with contextlib.suppress(OSError, ValueError):
                part.unlink(missing_ok=True)
    return folder / "alignment.geojson"


def locate_stations(line: Alignment, stations: Sequence[Place]) -> list[float]:
    """Where a line passes the places that it was led over, metres from its start.

    Args:
        line: what was found.
        stations: the places.
    """
    course = shapely.linestrings(line.line[:, :2])
    places = [project(shapely.Point(stop.lon, stop.lat), WGS84, line.crs) for stop in stations]
    return [float(shapely.line_locate_point(course, place)) for place in places]


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
        # Cut at the structure's own ends, which lie between vertices of the line.
        chain = np.concatenate([[structure.from_m], line.chainage_m[inside], [structure.to_m]])
        piece = np.column_stack([np.interp(chain, line.chainage_m, points[:, i]) for i in range(3)])
        facts = {"kind": structure.kind, "length_km": structure.length_m / 1000, "extent_m": structure.extent_m}
        features.append(_feature(piece, facts | {"from_km": structure.from_m / 1000, "to_km": structure.to_m / 1000}))
    return {"type": "FeatureCollection", "features": features}


def _on_the_map(line: Alignment) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A line as lon, lat (degrees) and height (m), shape (n, 3)."""
    flat = project(shapely.linestrings(line.line[:, :2]), line.crs, WGS84)
    # To the millimetre: points of a short curve lie half a metre apart, and who measures radius or grade between points
    # rounded to a decimetre finds neither.
    return np.column_stack([shapely.get_coordinates(flat).round(8), line.line[:, 2].round(3)])


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
