"""A new road or railway between two places: data in, the cheapest buildable line and its files out."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely

from corridor.alignment.align import solve
from corridor.alignment.long_section import draw_long_section
from corridor.alignment.problem import AlignmentProblem, frame_terrain
from corridor.alignment.sensitivity import TradeoffPoint, sweep_grade, sweep_tunnel_price
from corridor.alignment.standards import find_standard, unit_costs
from corridor.errors import AlignmentError, OutputError
from corridor.geo.geodesy import WGS84, project
from corridor.pipeline.comparing import open_run
from corridor.pipeline.graph import Progress, Run, silent
from corridor.pipeline.steps import inputs
from corridor.schema.alignment import Alignment
from corridor.schema.standard import DesignStandard
from corridor.schema.study import Place, Study
from corridor.terrain.surface import Dem
from corridor.theme import colour
from corridor.wording import format_position

Sweep = Literal["grade", "tunnel-price"]
TUNNEL_PRICES_MUSD_PER_KM = (15.0, 20.0, 30.0, 40.0, 60.0, 80.0)


@dataclass(frozen=True)
class NewLine:
    """A line that was found, what it was found on, and the points of a sweep if one was asked."""

    alignment: Alignment
    start: Place
    end: Place
    standard: DesignStandard
    dem: Dem
    sweep: tuple[TradeoffPoint, ...]


def find_new_line(
    study: Study,
    start: str,
    end: str,
    standard_id: str,
    *,
    dem: Sequence[Path] = (),
    countries: Sequence[str] = (),
    sweep: Sweep | None = None,
    progress: Progress = silent,
) -> NewLine:
    """The cheapest line under a design standard between two places, each a name or ``lat,lon``.

    Prices are the catalogue's. ``countries`` (two-letter codes), where given, are the only ones that it may pass. The
    search runs in the UTM zone of the middle on cells of the elevation model's size, at least 100 m and coarser where
    that would be over four million cells.

    Raises:
        AlignmentError: the standard isn't known, or there is no way: says which limit closes it.
        StudyError: a place isn't known.
        CoverageError: the elevation model doesn't reach over both places.
    """
    standard = find_standard(standard_id)
    run = open_run(study, dem=dem, progress=progress)
    ends = [_place(text, which, run) for text, which in ((start, "FROM"), (end, "TO"))]
    heights = run[inputs.dem]
    heights.require([p.lon for p in ends], [p.lat for p in ends], "FROM and TO")
    allowed = run[inputs.borders].inside(countries) if countries else None
    terrain, *points = frame_terrain(
        heights, (ends[0].lon, ends[0].lat), (ends[1].lon, ends[1].lat), "FROM and TO", allowed
    )
    costs = unit_costs(run[inputs.unit_costs], standard.mode)
    asked = AlignmentProblem(terrain, points[0], points[1], standard, costs)
    progress(f"searching {terrain.grid.shape[0]} x {terrain.grid.shape[1]} cells for {standard_id}")
    found = solve(asked)
    swept: list[TradeoffPoint] = []
    if sweep is not None:
        progress(f"sweeping over {sweep}")
        swept = sweep_grade(asked) if sweep == "grade" else sweep_tunnel_price(asked, TUNNEL_PRICES_MUSD_PER_KM)
    return NewLine(found, ends[0], ends[1], standard, heights, tuple(swept))


def _place(text: str, which: str, run: Run) -> Place:
    parts = text.split(",")
    if len(parts) != 2:
        return run[inputs.gazetteer].find(text, which)
    try:
        lat, lon = (float(part) for part in parts)
    except ValueError:
        return run[inputs.gazetteer].find(text, which)
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise AlignmentError(f"{which}: '{text}' is no point on Earth; write lat,lon in degrees")
    country = str(run[inputs.borders].country_at(lon, lat)[0]) or "XX"
    return Place(name=format_position(lat, lon), lon=lon, lat=lat, country=country)


def describe_new_line(new: NewLine) -> dict[str, Any]:
    """The figures of a line as plain values: prices by kind in million USD, lengths in km."""
    line, price = new.alignment, new.alignment.price
    kinds = {"surface": price.surface, "bridge": price.bridge, "tunnel": price.tunnel, "portals": price.ends}
    return {
        "from": {"name": new.start.name, "lat": new.start.lat, "lon": new.start.lon},
        "to": {"name": new.end.name, "lat": new.end.lat, "lon": new.end.lon},
        "standard": line.standard_id,
        "length_km": line.length_km,
        "tunnel_km": line.tunnel_km,
        "longest_tunnel_km": line.longest_tunnel_km,
        "bridge_km": line.bridge_km,
        "max_grade_pct": line.max_grade_pct,
        "min_radius_m": line.min_radius_m if math.isfinite(line.min_radius_m) else None,
        "ascent_m": line.ascent_m,
        "cost_musd": {"low": price.total.low, "mid": price.total.mid, "high": price.total.high},
        "cost_musd_by_kind": {k: {"low": v.low, "mid": v.mid, "high": v.high} for k, v in kinds.items()},
        "cell_m": line.cell_m,
        "dem": {"title": new.dem.source.title, "resolution_m": new.dem.resolution_m, "date": new.dem.source.date},
        "notes": list(line.notes),
        "sweep": [point.as_row() for point in new.sweep],
    }


def write_new_line(new: NewLine, folder: Path) -> Path:
    """Write ``alignment.json``, ``alignment.geojson`` (3-D line and structures) and ``profile.svg`` (the long section);
    for a sweep ``tradeoff.csv`` too.

    Each file appears whole. With matplotlib a sweep is drawn too (``tradeoff.svg``). Gives the path of the line.

    Raises:
        OutputError: the folder can't be written.
    """
    files: dict[str, str] = {
        "alignment.json": json.dumps(describe_new_line(new), ensure_ascii=False, indent=2, allow_nan=False) + "\n",
        "alignment.geojson": json.dumps(_features(new), ensure_ascii=False, allow_nan=False) + "\n",
        "profile.svg": draw_long_section(new.alignment, f"{new.start.name} - {new.end.name}, {new.standard.label}"),
    }
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


def _features(new: NewLine) -> dict[str, Any]:
    line = new.alignment
    flat = project(shapely.linestrings(line.line[:, :2]), line.crs, WGS84)
    xy = shapely.get_coordinates(flat)
    points = np.column_stack([xy.round(6), line.line[:, 2].round(1)])
    features = [_feature(points, {"kind": "line", "standard": line.standard_id, "length_km": line.length_km})]
    for structure in line.structures:
        inside = (line.chainage_m > structure.from_m) & (line.chainage_m < structure.to_m)
        chain = np.concatenate([[structure.from_m], line.chainage_m[inside], [structure.to_m]])
        piece = np.column_stack([np.interp(chain, line.chainage_m, points[:, i]) for i in range(3)])
        facts = {"kind": structure.kind, "length_km": structure.length_m / 1000, "extent_m": structure.extent_m}
        features.append(_feature(piece, facts | {"from_km": structure.from_m / 1000, "to_km": structure.to_m / 1000}))
    return {"type": "FeatureCollection", "features": features}


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
