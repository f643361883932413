"""What objects show of themselves in a notebook: a small table and a sketch of lines, as HTML that runs nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from markupsafe import Markup, escape
from numpy.typing import NDArray

from corridor import theme

Floats = NDArray[np.float64]
WIDTH_PX = 420
_MARGIN_PX = 14
_TOLERANCE_PX = 0.4
_TABLE = "border-collapse:collapse;font-size:13px;margin:0 0 .5em 0"
_PAPER, _GROUND = theme.colour("paper"), theme.colour("sketch_paper")
_CELL = "padding:2px 10px 2px 0;text-align:left;vertical-align:top"


@dataclass(frozen=True, slots=True)
class Stroke:
    """A geometry of a sketch (lon, lat): its title for the pointer, colour, whether dashed, and a letter on it."""

    shape: shapely.Geometry
    colour: str = theme.colour("blue")
    title: str = ""
    dashed: bool = False
    letter: str = ""
    width_px: float = 2.5


@dataclass(frozen=True, slots=True)
class Dot:
    """A named point of a sketch."""

    lon: float
    lat: float
    name: str


def facts_html(title: str, facts: Iterable[tuple[str, object]]) -> str:
    """A heading and a table of names and values; every text is escaped and isolated in its reading direction."""
    rows = "".join(
        f'<tr><th style="{_CELL}">{_text(name)}</th><td style="{_CELL}">{_text(value)}</td></tr>'
        for name, value in facts
        if str(value)
    )
    return f'<div><strong>{_text(title)}</strong><table style="{_TABLE}"><tbody>{rows}</tbody></table></div>'


def table_html(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A heading and a table with a row of column names; every text is escaped.

    Args:
        title: the heading.
        columns: names of the columns.
        rows: cells of each row.
    """
    head = "".join(f'<th style="{_CELL}">{_text(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{_text(value)}</td>' for value in row) + "</tr>" for row in rows
    )
    return (
        f'<div><strong>{_text(title)}</strong><table style="{_TABLE}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def sketch_svg(
    strokes: Sequence[Stroke],
    dots: Sequence[Dot] = (),
    *,
    fit: Sequence[shapely.Geometry] = (),
) -> str:
    """Lines and outlines as SVG, north up, in an equirectangular view true to scale at the middle.

    The view fits ``fit`` (all strokes by default); the rest runs out of it. Gives nothing where there is nothing to
    draw.

    Args:
        strokes: lines and outlines.
        dots: points with names.
        fit: what the view must hold.
    """
    shapes = [shape for shape in fit or [stroke.shape for stroke in strokes] if not shape.is_empty]
    bounds = [shape.bounds for shape in shapes] + [(dot.lon, dot.lat, dot.lon, dot.lat) for dot in dots]
    if not bounds:
        return ""
    west, south = (min(b[i] for b in bounds) for i in (0, 1))
    east, north = (max(b[i] for b in bounds) for i in (2, 3))
    squeeze = math.cos(math.radians((south + north) / 2))
    scale = (WIDTH_PX - 2 * _MARGIN_PX) / max((east - west) * squeeze, (north - south) * 0.8, 1e-6)
    height_px = round((north - south) * scale + 2 * _MARGIN_PX)

    def place(xy: Floats) -> Floats:
        return np.column_stack(
            [(xy[:, 0] - west) * squeeze * scale + _MARGIN_PX, (north - xy[:, 1]) * scale + _MARGIN_PX]
        )

    drawn = [_stroke(stroke, place) for stroke in strokes if not stroke.shape.is_empty]
    for dot in dots:
        x, y = place(np.array([[dot.lon, dot.lat]]))[0]
        side, shift = ("end", -6) if x > WIDTH_PX / 2 else ("start", 6)
        drawn.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/><text x="{x + shift:.1f}" y="{y - 6:.1f}" '
            f'text-anchor="{side}" paint-order="stroke" stroke="{_PAPER}" stroke-width="3">{_plain(dot.name)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{WIDTH_PX}" height="{height_px}" '
        f'viewBox="0 0 {WIDTH_PX} {height_px}" style="background:{_GROUND};max-width:100%" font-size="12" '
        f'font-family="sans-serif">{"".join(drawn)}</svg>'
    )


def _stroke(stroke: Stroke, place: Callable[[Floats], Floats]) -> str:
    flat = shapely.simplify(shapely.transform(stroke.shape, place), _TOLERANCE_PX)
    lines = shapely.get_parts(shapely.boundary(flat) if flat.geom_type.endswith("Polygon") else flat)
    path = " ".join(
        "M" + " ".join(f"{x:.1f},{y:.1f}" for x, y in shapely.get_coordinates(line).tolist()) for line in lines
    )
    dash = ' stroke-dasharray="5 3"' if stroke.dashed else ""
    text = (
        f'<path d="{path}" fill="none" stroke="{_plain(stroke.colour)}" stroke-width="{stroke.width_px:g}"{dash}>'
        f"<title>{_plain(stroke.title)}</title></path>"
    )
    if stroke.letter:
        x, y = shapely.get_coordinates(shapely.line_interpolate_point(lines[len(lines) // 2], 0.5, normalized=True))[0]
        text += (
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" font-weight="bold" paint-order="stroke" '
            f'stroke="{_PAPER}" stroke-width="3" fill="{_plain(stroke.colour)}">{_plain(stroke.letter)}</text>'
        )
    return text


def _plain(value: object) -> Markup:
    return escape(" ".join(str(value).split()))


def _text(value: object) -> str:
    return f"<bdi>{_plain(value)}</bdi>"
