"""A new road or railway between two places: data in, the cheapest buildable line and its files out."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely

from corridor.alignment.align import solve
from corridor.alignment.alternatives import find_alternatives
from corridor.alignment.links import ReuseLink
from corridor.alignment.long_section import draw_long_section
from corridor.alignment.problem import AlignmentProblem, Terrain, frame_terrain
from corridor.alignment.reuse import build_reuse_links
from corridor.alignment.sensitivity import (
    Spread,
    TradeoffPoint,
    measure_price_spread,
    sweep_grade,
    sweep_tunnel_price,
)
from corridor.alignment.standards import find_standard, unit_costs
from corridor.errors import AlignmentError, OutputError
from corridor.geo.geodesy import WGS84, project
from corridor.pipeline.comparing import open_run
from corridor.pipeline.graph import Progress, Run, silent
from corridor.pipeline.steps import inputs
from corridor.schema.alignment import Alignment, DesignStandard, UnitCosts
from corridor.schema.study import Place, Study
from corridor.terrain.surface import Dem
from corridor.theme import colour
from corridor.wording import format_position

Sweep = Literal["grade", "tunnel-price"]
TUNNEL_PRICES_MUSD_PER_KM = (15.0, 20.0, 30.0, 40.0, 60.0, 80.0)


@dataclass(frozen=True)
class NewLine:
    """A line that was found, what it was found on, and what else was asked.

    ``sweep`` holds the points of a sweep, ``alternatives`` other lines that differ, by rising price, ``spread`` how
    price (million USD), length and tunnel length (km) answer to the elevation model's error.
    """

    alignment: Alignment
    start: Place
    end: Place
    standard: DesignStandard
    dem: Dem
    sweep: tuple[TradeoffPoint, ...]
    alternatives: tuple[Alignment, ...] = ()
    spread: Mapping[str, Spread] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """The line's figures as plain values.

        Returns:
            Lengths in km, prices by kind in million USD, the elevation model used, and notes, by name.
        """
        return describe_new_line(self)

    def write(self, folder: str | Path) -> Path:
        """Write ``alignment.json``, ``alignment.geojson`` (3-D line and structures) and ``profile.svg``; for a sweep
        ``tradeoff.csv`` too, with matplotlib as a chart.

        Args:
            folder: where to; it is made if it isn't there.

        Returns:
            The path of the line.

        Raises:
            OutputError: the folder can't be written.
        """
        return write_new_line(self, Path(folder))


def find_new_line(
    study: Study,
    start: str,
    end: str,
    standard_id: str,
    *,
    dem: Sequence[str | Path] = (),
    countries: Sequence[str] = (),
    sweep: Sweep | None = None,
    alternatives: int = 0,
    draws: int = 0,
    reuse: Sequence[str] = (),
    progress: Progress = silent,
) -> NewLine:
    """The cheapest line under a design standard between two places.

    Prices are the catalogue's. The search runs in the UTM zone of the middle on cells of the elevation model's size, at
    least 100 m and coarser where that would be over four million cells.

    Args:
        study: whose data and prices.
        start: a place of the study, or ``lat,lon`` in degrees.
        end: the same.
        standard_id: of :func:`corridor.load_standards`, for instance ``rail-18``.
        dem: elevation rasters instead of the study's.
        countries: two-letter codes of the only countries that the line may pass; any if empty.
        sweep: also find lines for other grades or prices of a tunnel.
        alternatives: also find so many other lines that run elsewhere and cost at most half as much again.
        draws: also find the line anew on so many draws of the elevation model's error.
        reuse: sections of the catalogue whose formation the line may take over, at the price of an upgrade.
        progress: called with a few words at the start of each step.

    Returns:
        The line with its structures and price, and what else was asked.

    Raises:
        AlignmentError: the standard isn't known, or there is no way: says which limit closes it.
        CatalogueError: a section isn't known.
        StudyError: a place isn't known.
        CoverageError: the elevation model doesn't reach over both places.
    """
    standard = find_standard(standard_id)
    run = open_run(study, dem=[Path(path) for path in dem], progress=progress)
    ends = [_place(text, which, run) for text, which in ((start, "FROM"), (end, "TO"))]
    heights = run[inputs.dem]
    heights.require([p.lon for p in ends], [p.lat for p in ends], "FROM and TO")
    allowed = run[inputs.borders].inside(countries) if countries else None
    terrain, *points = frame_terrain(
        heights, (ends[0].lon, ends[0].lat), (ends[1].lon, ends[1].lat), "FROM and TO", allowed
    )
    costs = unit_costs(run[inputs.unit_costs], standard.mode)
    asked = AlignmentProblem(terrain, points[0], points[1], standard, costs)
    links = [link for key in reuse for link in _reuse_links(key, terrain, standard, costs, run)]
    asked = replace(asked, options=replace(asked.options, reuse=tuple(links)))
    progress(f"searching {terrain.grid.shape[0]} x {terrain.grid.shape[1]} cells for {standard_id}")
    found, *others = find_alternatives(asked, 1 + alternatives) if alternatives > 0 else [solve(asked)]
    swept: list[TradeoffPoint] = []
    if sweep is not None:
        progress(f"sweeping over {sweep}")
        swept = sweep_grade(asked) if sweep == "grade" else sweep_tunnel_price(asked, TUNNEL_PRICES_MUSD_PER_KM)
    spread: Mapping[str, Spread] = {}
    if draws > 0:
        progress(f"searching on {draws} draws of the heights' error")
        spread = measure_price_spread(asked, heights.vertical_error_m, heights.error_range_m, draws)
    return NewLine(found, ends[0], ends[1], standard, heights, tuple(swept), tuple(others), spread)


def _reuse_links(
    key: str, terrain: Terrain, standard: DesignStandard, costs: UnitCosts, run: Run
) -> tuple[ReuseLink, ...]:
    """What a line may take over of a section of the catalogue, as far as it lies on the terrain."""
    section = run[inputs.catalogue].section(key, "reuse")
    if section.mode != standard.mode:
        raise AlignmentError(f"reuse: section '{key}' is a {section.mode}, standard {standard.standard_id} isn't")
    path = shapely.get_coordinates(project(section.line, WGS84, terrain.grid.crs))
    length = section.length_km.mid if section.length_km else None
    return build_reuse_links(terrain, path, costs, length, section.tunnel_km or 0.0)


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
        "reused_km": price.reused_km,
        "sweep": [point.as_row() for point in new.sweep],
        "alternatives": [
            {"length_km": other.length_km, "tunnel_km": other.tunnel_km, "cost_musd": other.price.total_musd}
            for other in new.alternatives
        ],
        "spread": {name: asdict(spread) for name, spread in new.spread.items()},
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
