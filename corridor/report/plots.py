"""What a comparison shows of itself: plots on matplotlib axes, a table and a sketch, and a map to explore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import folium
import numpy as np
import shapely
from folium.raster_layers import ImageOverlay

from corridor.errors import ExtraError, OutputError
from corridor.report.charts import NO_MATPLOTLIB
from corridor.report.i18n import clean_text, read_messages, render_table
from corridor.report.map.ground import build_relief
from corridor.report.tables import assign_marks, metric_cells, metric_columns, plain_table
from corridor.schema.candidate import Candidate
from corridor.schema.results import Results
from corridor.schema.vocabulary import StructureKind
from corridor.svg_repr import Stroke, sketch_svg, table_html
from corridor.theme import colour
from corridor.webmap import add_lines, blank_map, fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_MARGIN = 0.05


def choose_candidates(results: Results, wanted: Sequence[str] | None) -> list[Candidate]:
    """Candidates by id in the order asked for; all of them if nothing is asked.

    Raises:
        OutputError: there is none of an id; lists those that there are.
    """
    found = {candidate.candidate_id: candidate for candidate in results.candidates}
    unknown = [key for key in wanted or () if key not in found]
    if unknown:
        raise OutputError(f"no candidate '{unknown[0]}'; there are: {', '.join(found)}")
    return list(found.values()) if wanted is None else [found[key] for key in wanted]


def main_lines(candidates: Sequence[Candidate]) -> list[shapely.Geometry]:
    """Lines that a view should fit: comparators may run far out of it, unless there is nothing else."""
    through = [candidate.geometry for candidate in candidates if not candidate.comparator]
    return through or [candidate.geometry for candidate in candidates]


def plot_routes(results: Results, ax: Axes | None = None, *, candidates: Sequence[str] | None = None) -> Axes:
    """Draw routes over the countries' borders, in degrees, true to scale at the middle; comparators may run out.

    Args:
        results: of a comparison.
        ax: where to draw; a new figure if left out.
        candidates: ids of those to draw; all by default.
    """
    chosen = choose_candidates(results, candidates)
    axes = ax if ax is not None else new_axes((9, 5))
    marks = assign_marks(results.candidates)
    west, south, east, north = shapely.total_bounds(main_lines(chosen))
    margin = _MARGIN * max(east - west, north - south)
    # Borders are cut to the view: drawn whole, they would stretch the axes over the continent.
    window = shapely.box(west - margin, south - margin, east + margin, north + margin)
    for shape in results.layers.countries.geometry:
        inside = shapely.intersection(shapely.boundary(shape), window)
        for line in shapely.get_parts(inside):
            xy = shapely.get_coordinates(line)
            axes.plot(xy[:, 0], xy[:, 1], color=colour("outline"), linewidth=0.8, zorder=1)
    for candidate in chosen:
        mark = marks[candidate.candidate_id]
        label: str | None = legend_label(mark.letter, clean_text(candidate.name))
        for route in candidate.routes:
            xy = shapely.get_coordinates(route.line)
            axes.plot(xy[:, 0], xy[:, 1], color=mark.colour, linewidth=1.8, label=label, zorder=2)
            label = None  # a package stands in the legend once
        middle = shapely.line_interpolate_point(candidate.routes[0].line, 0.5, normalized=True)
        axes.annotate(
            mark.letter,
            (middle.x, middle.y),
            color=mark.colour,
            weight="bold",
            ha="center",
            va="bottom",
            zorder=3,
            annotation_clip=True,
        )
    axes.set_xlim(west - margin, east + margin)
    axes.set_ylim(south - margin, north + margin)
    return label_map(axes, south, north)


def plot_profiles(results: Results, ax: Axes | None = None, *, candidates: Sequence[str] | None = None) -> Axes:
    """Draw the routes' heights against drawn chainage; tunnels are drawn thick.

    Args:
        results: of a comparison.
        ax: where to draw; a new figure if left out.
        candidates: ids of those to draw; all by default.
    """
    chosen = choose_candidates(results, candidates)
    axes = ax if ax is not None else new_axes((9, 4))
    marks = assign_marks(results.candidates)
    for candidate in chosen:
        profile = results.profiles.get(candidate.candidate_id)
        if profile is None:
            continue
        mark = marks[candidate.candidate_id]
        label = legend_label(mark.letter, clean_text(candidate.name))
        axes.plot(profile.chainage_km, profile.height_m, color=mark.colour, linewidth=1.2, label=label)
        for span in profile.spans:
            if span.kind == StructureKind.TUNNEL:
                # Tunnels are drawn over the profile, where the line itself runs and not where the ground is.
                ends = np.array([span.from_km, span.to_km])
                heights = np.interp(ends, profile.chainage_km, profile.height_m)
                axes.plot(ends, heights, color=mark.colour, linewidth=4, solid_capstyle="butt")
    return label_profiles(axes)


def label_map(axes: Axes, south: float, north: float) -> Axes:
    """Say what a map in degrees has on its axes and in its legend, and make it true to scale at the middle latitude.

    Args:
        axes: with the lines drawn and labelled.
        south: least latitude of what is shown, degrees.
        north: greatest latitude of it, degrees.

    Returns:
        The same axes.
    """
    axes.set_aspect(1 / np.cos(np.radians((south + north) / 2)))
    axes.set_xlabel("longitude, degrees east")
    axes.set_ylabel("latitude, degrees north")
    return _with_legend(axes)


def label_profiles(axes: Axes) -> Axes:
    """Say what profiles have on their axes and in their legend.

    Args:
        axes: with the profiles drawn and labelled.

    Returns:
        The same axes.
    """
    axes.set_xlabel("distance along the drawn line, km")
    axes.set_ylabel("height above sea level, m")
    return _with_legend(axes)


def _with_legend(axes: Axes) -> Axes:
    """The legend stands beside the plot: routes fill all of it."""
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return axes


def legend_label(letter: str, name: str) -> str:
    """What a legend calls a route; a dollar sign is no formula.

    Args:
        letter: of the route, or nothing.
        name: of the route, on one line and harmless.
    """
    return f"{letter}  {name}".strip().replace("$", r"\$")


def new_axes(size_inches: tuple[float, float]) -> Axes:
    """Axes of a figure of its own, which notebooks show.

    Args:
        size_inches: width and height.

    Raises:
        ExtraError: matplotlib isn't installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as fault:
        raise ExtraError(NO_MATPLOTLIB) from fault
    return pyplot.subplots(figsize=size_inches, layout="constrained")[1]


_SHOWN = ("length_km", "travel_time_h", "ascent_m", "cost_remaining_musd")


def describe(results: Results) -> str:
    """One line on a comparison."""
    regimes = len(results.regimes)
    under = f" under {regimes} regimes" if regimes else ""
    return f"<Comparison {results.study_id}: {len(results.candidates)} candidates{under}, as of {results.as_of}>"


def comparison_html(results: Results) -> str:
    """A row per candidate with its main figures, and a sketch of the lines; runs nothing, asks for nothing."""
    marks = assign_marks(results.candidates)
    shown = _shown(results)
    rows = [
        [marks[c.candidate_id].letter, c.name, c.modes, *(found.get(c.candidate_id, "") for found in shown.values())]
        for c in results.candidates
    ]
    title = f"{results.title} ({results.as_of})"
    strokes = [
        Stroke(
            c.geometry, marks[c.candidate_id].colour, c.name, dashed=c.comparator, letter=marks[c.candidate_id].letter
        )
        for c in reversed(results.candidates)
    ]
    return table_html(title, ["", "route", "", *shown], rows) + sketch_svg(strokes, fit=main_lines(results.candidates))


def _shown(results: Results) -> dict[str, dict[str, str]]:
    """The main figures as the page tells them: by their heading with the unit, by candidate, under its first rules."""
    table = plain_table(results.metrics).drop_duplicates("candidate_id")
    words = read_messages("en")
    found = {}
    for column in metric_columns(results):
        cells = metric_cells(results, column.metric, table) if column.metric in _SHOWN else None
        if cells is not None:
            heading = f"{words.get(column.key, column.label)}, {column.unit}"
            found[column.metric] = heading, {key: cell.text for (key, _), cell in cells.cells.items()}
    return dict(found[name] for name in _SHOWN if name in found)


def explore(
    results: Results,
    *,
    candidates: Sequence[str] | None = None,
    regime: str | None = None,
    m: folium.Map | None = None,
    tiles: str | None = None,
    tooltip: bool = True,
    popup: bool = False,
    style_kwds: Mapping[str, object] | None = None,
    width: str | int = "100%",
    height: str | int = "100%",
) -> folium.Map:
    """Candidates as lines to point at, over the relief or over tiles; see :meth:`Comparison.explore`."""
    chosen = choose_candidates(results, candidates)
    marks = assign_marks(results.candidates)
    map_ = m if m is not None else blank_map(width=width, height=height, tiles=tiles)
    if m is None and tiles is None:
        relief = build_relief(results.layers.heights_m, results.layers.grid)
        west, south, east, north = relief.bounds
        ImageOverlay(relief.uri, [[south, west], [north, east]], name="relief", alt="").add_to(map_)
    shown = _shown(results)
    for candidate in chosen:
        mark = marks[candidate.candidate_id]
        row = (candidate.geometry, mark.colour, _facts(shown, candidate, mark.letter))
        add_lines(map_, f"{mark.letter}  {candidate.name}", [row], tooltip=tooltip, popup=popup, style=style_kwds)
    if regime is not None:
        _add_events(map_, results, chosen, regime, tooltip=tooltip, popup=popup)
    if m is None:
        fit(map_, main_lines(chosen))
        folium.LayerControl(collapsed=True).add_to(map_)
    return map_


def _facts(shown: Mapping[str, Mapping[str, str]], candidate: Candidate, letter: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"route": f"{letter}  {candidate.name}", "family": f"{candidate.family}, {candidate.modes}"}
    return facts | {heading: found.get(candidate.candidate_id, "") for heading, found in shown.items()}


def _add_events(
    map_: folium.Map, results: Results, chosen: Sequence[Candidate], regime: str, *, tooltip: bool, popup: bool
) -> None:
    """What the routes meet under a regime: points and stretches, the deciding ones in red."""
    known = [r.regime_id for r in results.regimes]
    if regime not in known:
        raise OutputError(f"no regime '{regime}'; there are: {', '.join(known)}")
    events = results.events
    if events is None:
        return
    events = render_table(events)
    wanted = events[(events["regime_id"] == regime) & events["candidate_id"].isin([c.candidate_id for c in chosen])]
    columns = ["candidate_id", "kind", "separation", "road_name", "structure", "decisive"]
    rows = [
        (shape, colour("shut") if facts["decisive"] else colour("in_use"), facts)
        for shape, facts in zip(wanted.geometry, wanted[columns].to_dict("records"), strict=True)
    ]
    if rows:
        add_lines(map_, f"what they meet under {regime}", rows, tooltip=tooltip, popup=popup)
