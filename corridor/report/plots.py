"""Routes and their profiles drawn with matplotlib, on axes that are given or new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import shapely

from corridor.errors import ExtraError, OutputError
from corridor.report.charts import NO_MATPLOTLIB
from corridor.report.escape import clean_text
from corridor.report.marks import assign_marks
from corridor.schema.candidate import Candidate
from corridor.schema.results import Results
from corridor.schema.vocabulary import StructureKind
from corridor.theme import colour

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


def main_lines(candidates: Sequence[Candidate]) -> list[shapely.LineString]:
    """Lines that a view should fit: comparators may run far out of it, unless there is nothing else."""
    through = [candidate.line for candidate in candidates if not candidate.comparator]
    return through or [candidate.line for candidate in candidates]


def plot_routes(results: Results, ax: Axes | None = None, *, candidates: Sequence[str] | None = None) -> Axes:
    """Draw routes over the countries' borders, in degrees, true to scale at the middle; comparators may run out."""
    chosen = choose_candidates(results, candidates)
    axes = ax if ax is not None else _new_axes((9, 5))
    marks = assign_marks(results.candidates)
    west, south, east, north = shapely.total_bounds(main_lines(chosen))
    margin = _MARGIN * max(east - west, north - south)
    window = shapely.box(west - margin, south - margin, east + margin, north + margin)
    for shape in results.layers.countries.geometry:
        inside = shapely.intersection(shapely.boundary(shape), window)
        for line in shapely.get_parts(inside):
            xy = shapely.get_coordinates(line)
            axes.plot(xy[:, 0], xy[:, 1], color=colour("outline"), linewidth=0.8, zorder=1)
    for candidate in chosen:
        mark = marks[candidate.candidate_id]
        xy = shapely.get_coordinates(candidate.line)
        axes.plot(xy[:, 0], xy[:, 1], color=mark.colour, linewidth=1.8, label=_label(mark.letter, candidate), zorder=2)
        middle = shapely.line_interpolate_point(candidate.line, 0.5, normalized=True)
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
    axes.set_aspect(1 / np.cos(np.radians((south + north) / 2)))
    axes.set_xlabel("longitude, degrees east")
    axes.set_ylabel("latitude, degrees north")
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return axes


def plot_profiles(results: Results, ax: Axes | None = None, *, candidates: Sequence[str] | None = None) -> Axes:
    """Draw the routes' heights against drawn chainage; tunnels are drawn thick."""
    chosen = choose_candidates(results, candidates)
    axes = ax if ax is not None else _new_axes((9, 4))
    marks = assign_marks(results.candidates)
    for candidate in chosen:
        profile = results.profiles.get(candidate.candidate_id)
        if profile is None:
            continue
        mark = marks[candidate.candidate_id]
        label = _label(mark.letter, candidate)
        axes.plot(profile.chainage_km, profile.height_m, color=mark.colour, linewidth=1.2, label=label)
        for span in profile.spans:
            if span.kind == StructureKind.TUNNEL:
                ends = np.array([span.from_km, span.to_km])
                heights = np.interp(ends, profile.chainage_km, profile.height_m)
                axes.plot(ends, heights, color=mark.colour, linewidth=4, solid_capstyle="butt")
    axes.set_xlabel("distance along the drawn line, km")
    axes.set_ylabel("height above sea level, m")
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return axes


def _label(letter: str, candidate: Candidate) -> str:
    return f"{letter}  {clean_text(candidate.name)}".replace("$", r"\$")


def _new_axes(size_inches: tuple[float, float]) -> Axes:
    """Axes of a figure of its own, which notebooks show.

    Raises:
        ExtraError: matplotlib isn't installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as fault:
        raise ExtraError(NO_MATPLOTLIB) from fault
    return pyplot.subplots(figsize=size_inches, layout="constrained")[1]
