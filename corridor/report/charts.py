"""Charts of a ranking: contributions, rank acceptability, parallel coordinates, Pareto front.

Every chart draws on the axes that it is given, so that notebooks can put several side by side; ``chart_svg`` wraps one
as text for a page. Colours are those of Okabe and Ito (2008), which colour-blind readers tell apart, and every series
also differs by marker, dash or hatch. Needs matplotlib.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from corridor.errors import ExtraError, OutputError
from corridor.report.i18n import clean_text
from corridor.schema.column import Criterion
from corridor.theme import colour, sequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAME, GRID = colour("frame"), colour("grid")
OKABE_ITO = sequence("categories")
LINE_COLOURS = sequence("category_lines")
"""The same without yellow, which is too pale for a thin line on white."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
NO_MATPLOTLIB = "charts need matplotlib: install it with pip install 'corridor[charts]' (or pip install matplotlib)"
_HATCHES = ("", "///", "...", "xxx")
_DASHES = ("-", "--", ":", "-.")
_POINTS_PER_PX = 72 / 96
_LONGEST_NAME = 64
_LINE = 31


def _text(value: object, width: int = _LINE) -> str:
    """Make outside text safe to draw: no control characters, no formulas, not too long, broken into lines."""
    clean = clean_text(value)
    short = clean if len(clean) <= _LONGEST_NAME else clean[: _LONGEST_NAME - 1].rstrip() + "…"
    return "\n".join(textwrap.wrap(short, width)).replace("$", r"\$")


def _new_axes(width_px: float, height_px: float) -> Axes:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ExtraError(NO_MATPLOTLIB) from error
    figure = Figure(figsize=(width_px / 96, height_px / 96), dpi=96, layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def _bars_px(names: Sequence[str], legend: Sequence[str], columns: int) -> float:
    """Height of a bar chart whose names and legend need that much room."""
    return 80 + sum(max(34, 14 * (name.count("\n") + 1) + 8) for name in names) + _legend_px(legend, columns)


def _legend_px(texts: Sequence[str], columns: int) -> float:
    """Height of a legend; a row is as tall as its tallest text."""
    rows = -(-len(texts) // columns) if texts else 0
    lines = max((text.count("\n") + 1 for text in texts), default=1)
    return rows * (14 * lines + 7) + 12


def _bare(ax: Axes) -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.tick_params(labelsize=9)


def contribution_bars(ranking: pd.DataFrame, labels: Mapping[str, str], ax: Axes | None = None) -> Axes:
    """Stack what each criterion adds to the score of each alternative, best at the top.

    Args:
        ranking: Rows to draw, with ``name``, ``rank``, ``score`` and ``contribution:<criterion_id>`` columns; rows
            without a rank are left out. With ``ranks`` and ``rank_best`` these stand beside the names.
        labels: Criterion id -> what to call it in the legend.
        ax: Where to draw; a new figure 600 px wide if left out.

    Returns:
        The axes.
    """
    # Ranks in words say what undetermined metrics leave open.
    words, place = ("ranks", "rank_best") if "ranks" in ranking.columns else ("rank", "rank")
    ranked = ranking[ranking[place].notna()].sort_values(place, kind="stable")
    who = [f"{rank}  {_text(name)}" for rank, name in zip(ranked[words], ranked["name"], strict=True)]
    if ax is None:
        ax = _new_axes(600, _bars_px(who, [_text(label) for label in labels.values()], 3))
    # Gains are stacked to the right and losses to the left, each from where the last one of its kind ended.
    rows = np.arange(len(ranked))
    right, left = np.zeros(len(ranked)), np.zeros(len(ranked))
    for position, (criterion_id, label) in enumerate(labels.items()):
        column = f"contribution:{criterion_id}"
        width = ranked[column].fillna(0.0).to_numpy(dtype=float) if column in ranked.columns else np.zeros(len(rows))
        ax.barh(
            rows,
            width,
            left=np.where(width >= 0, right, left),
            height=0.68,
            color=OKABE_ITO[position % len(OKABE_ITO)],
            hatch=_HATCHES[position // len(OKABE_ITO) % len(_HATCHES)],
            edgecolor="white",
            linewidth=0.6,
            label=_text(label),
        )
        right, left = right + np.maximum(width, 0.0), left + np.minimum(width, 0.0)
    for row, end, total in zip(rows, right, ranked["score"].to_numpy(dtype=float), strict=True):
        ax.annotate(
            "" if np.isnan(total) else f"{total:.2f}",
            (end, row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    ax.set_yticks(rows, who)
    ax.invert_yaxis()
    ax.margins(x=0.12)
    if left.min(initial=0.0) < 0:
        ax.axvline(0.0, color="black", linewidth=0.8)
    else:
        ax.set_xlim(left=0.0)
    ax.set_xlabel("Score, by criterion", fontsize=9)
    _bare(ax)
    _legend_below(ax, 3)
    return ax


def acceptability_bars(
    acceptability: pd.DataFrame, names: Mapping[str, str] | None = None, ax: Axes | None = None
) -> Axes:
    """Stack the share of all weights that gives each alternative each rank; most often first at the top.

    Args:
        acceptability: A row per candidate id, a column per rank, shares between 0 and 1.
        names: Candidate id -> name.
        ax: Where to draw; a new figure 600 px wide if left out.

    Returns:
        The axes.
    """
    from matplotlib import colormaps

    table = acceptability.sort_values(list(acceptability.columns), ascending=False, kind="stable")
    who = [_text((names or {}).get(str(key), key)) for key in table.index]
    if ax is None:
        ax = _new_axes(600, _bars_px(who, [_text(rank) for rank in table.columns], 6))
    shades = colormaps["cividis"](np.linspace(0.05, 0.95, max(table.shape[1], 2)))
    rows, left = np.arange(len(table)), np.zeros(len(table))
    for column, rank in enumerate(table.columns):
        width = table[rank].to_numpy(dtype=float)
        ax.barh(
            rows,
            width,
            left=left,
            height=0.68,
            color=shades[column],
            edgecolor="white",
            linewidth=0.6,
            label=_text(rank),
        )
        for row in np.flatnonzero(width >= 0.08):
            # Letters stay readable on dark and light shades alike.
            ink = "white" if shades[column][:3].sum() < 1.5 else "black"
            middle = left[row] + width[row] / 2
            ax.text(middle, float(row), f"{100 * width[row]:.0f}", ha="center", va="center", color=ink, fontsize=8.5)
        left = left + width
    ax.set_yticks(rows, who)
    ax.invert_yaxis()
    ax.set_xlim(0.0, max(1.0, float(left.max(initial=1.0))))
    ax.set_xticks(np.linspace(0, 1, 6), [f"{share:.0%}" for share in np.linspace(0, 1, 6)])
    ax.set_xlabel("Share of all drawn weights", fontsize=9)
    _bare(ax)
    _legend_below(ax, 6)
    return ax


def parallel_coordinates(
    values: pd.DataFrame,
    names: Mapping[str, str],
    ends: Mapping[str, tuple[str, str]] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each alternative as a line over the criteria, best at the top.

    Args:
        values: A row per candidate id and a column per criterion (its label), values between 0 and 1.
        names: Candidate id -> name.
        ends: Column -> texts for worst and best end, such as ("600 km", "250 km").
        ax: Where to draw; a new figure 600 px wide if left out.

    Returns:
        The axes.
    """
    who = [_text(names.get(str(key), key)) for key in values.index]
    if ax is None:
        ax = _new_axes(600, 340 + _legend_px(who, 2))
    places = np.arange(values.shape[1])
    for style, row in enumerate(values.to_numpy(dtype=float)):
        ax.plot(
            places,
            row,
            color=LINE_COLOURS[style % len(LINE_COLOURS)],
            linestyle=_DASHES[style // len(LINE_COLOURS) % len(_DASHES)],
            marker=MARKERS[style % len(MARKERS)],
            markersize=7,
            markeredgecolor="white",
            markeredgewidth=0.5,
            linewidth=1.8,
            label=who[style],
            clip_on=False,
        )
    for place, column in zip(places, values.columns, strict=True):
        ax.axvline(float(place), color=FRAME, linewidth=0.8, zorder=0)
        worst, best = (ends or {}).get(str(column), ("", ""))
        ax.annotate(_text(best), (place, 1), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8)
        ax.annotate(
            _text(worst), (place, 0), xytext=(0, -7), textcoords="offset points", ha="center", va="top", fontsize=8
        )
    ax.set_ylim(0.0, 1.0)
    ax.set_yticks([0, 1], ["worst", "best"])
    ax.set_xticks(places, [_text(column, 12) for column in values.columns])
    ax.tick_params(axis="x", length=0, pad=20)
    _bare(ax)
    ax.spines["bottom"].set_visible(False)
    _legend_below(ax, 2)
    return ax


def pareto_plot(
    points: pd.DataFrame,
    x: str,
    y: str,
    *,
    labels: tuple[str, str],
    smaller_is_better: tuple[bool, bool],
    ax: Axes | None = None,
) -> Axes:
    """Scatter two metrics; alternatives that nobody beats on both are filled and joined by the front.

    Args:
        points: Rows with ``name`` and the columns ``x`` and ``y``; rows without both are left out.
        x: Column across.
        y: Column up.
        labels: What to write along the axes, with units.
        smaller_is_better: For x and for y.
        ax: Where to draw; a new figure 600 px wide if left out.

    Returns:
        The axes.
    """
    known = points.dropna(subset=[x, y])
    if ax is None:
        ax = _new_axes(600, 360 + _legend_px([_text(name) for name in known["name"]], 2))
    across, up = known[x].to_numpy(dtype=float), known[y].to_numpy(dtype=float)
    # Turned so that less is better on both: then dominance is one comparison.
    cost = np.column_stack([across if smaller_is_better[0] else -across, up if smaller_is_better[1] else -up])
    better = (cost[:, None] <= cost[None]).all(axis=2) & (cost[:, None] < cost[None]).any(axis=2)
    front = np.asarray(~better.any(axis=0))
    # The front is drawn as steps, as between two alternatives there is none that anybody could choose.
    order = np.flatnonzero(front)[np.lexsort((cost[front, 1], cost[front, 0]))]
    ax.step(across[order], up[order], where="post", color=FRAME, linewidth=1.2, linestyle="--", zorder=1)
    for style, (place, name) in enumerate(zip(range(len(known)), known["name"], strict=True)):
        colour = LINE_COLOURS[style % len(LINE_COLOURS)]
        ax.plot(
            across[place],
            up[place],
            linestyle="none",
            marker=MARKERS[style % len(MARKERS)],
            markersize=11 if front[place] else 9,
            markerfacecolor=colour if front[place] else "white",
            markeredgecolor=colour,
            markeredgewidth=1.8,
            label=_text(name),
            zorder=2,
        )
    ax.margins(0.12)
    arrows = ["← better" if smaller else "better →" for smaller in smaller_is_better]
    ax.set_xlabel(f"{_text(labels[0])}   {arrows[0]}", fontsize=9)
    ax.set_ylabel(f"{_text(labels[1])}   {arrows[1]}", fontsize=9)
    ax.grid(color=GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    _bare(ax)
    _legend_below(ax, 2)
    return ax


def _legend_below(ax: Axes, columns: int) -> None:
    handles, texts = ax.get_legend_handles_labels()
    figure = ax.get_figure()
    if not handles or figure is None:
        return
    if len(figure.axes) == 1:
        figure.legend(handles, texts, loc="outside lower center", ncols=columns, fontsize=9, frameon=False)
    else:
        ax.legend(
            handles, texts, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=columns, fontsize=8, frameon=False
        )


def chart_svg(ax: Axes, title: str, chart_id: str) -> str:
    """Turn a chart into SVG text that can stand in an HTML page.

    The same chart gives the same text on every run. Letters stay letters, so that they can be searched and read out;
    ids carry ``chart_id``, so that several charts can stand in one page, and styles don't reach out of the chart.

    Args:
        ax: A chart from this module.
        title: What a screen reader says of it.
        chart_id: Letters, digits and hyphens; unique in the page.

    Returns:
        The SVG, to stand in a page.

    Raises:
        OutputError: an id that can't be used.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", chart_id):
        raise OutputError(f"chart id '{chart_id}': use letters, digits and hyphens, a letter first")
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    figure = ax.get_figure()
    if not isinstance(figure, Figure):
        raise OutputError(f"chart '{chart_id}': the axes belong to no figure")
    out = io.StringIO()
    with rc_context({"svg.hashsalt": "corridor", "svg.fonttype": "none"}):
        # The layout moves a little with every pass: settle it once, so that a chart always gives the same text.
        if figure.get_layout_engine() is not None:
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        metadata = {"Date": None, "Creator": None, "Title": clean_text(title)}
        figure.savefig(out, format="svg", metadata=metadata)
    # Ids and styles get the chart's own id, so that charts of one page never take each other's.
    drawn = out.getvalue()
    return re.sub(r"<[^>]*>", lambda tag: _rename(tag.group(), chart_id), drawn[drawn.index("<svg") :]).replace(
        "*{", f"#{chart_id} *{{", 1
    )


def _rename(tag: str, chart_id: str) -> str:
    """Put the chart's id before every id of one tag; the outermost tag gets the id itself and its size in px."""
    tag = re.sub(r'\bid="', f'id="{chart_id}-', tag)
    tag = re.sub(r"url\(#", f"url(#{chart_id}-", tag)
    tag = re.sub(r'href="#', f'href="#{chart_id}-', tag)
    if not tag.startswith("<svg"):
        return tag
    # Matplotlib writes points; a page scales pixels down to the width that it has.
    size = [float(number) / _POINTS_PER_PX for number in re.findall(r'(?:width|height)="([\d.]+)pt"', tag)]
    tag = re.sub(r' (?:width|height)="[\d.]+pt"', "", tag)
    frame = f'<svg id="{chart_id}" role="img" width="{size[0]:.0f}" height="{size[1]:.0f}"'
    return tag.replace("<svg", f'{frame} style="max-width:100%;height:auto"', 1)


def write_png(ax: Axes, path: Path, dpi: int = 144) -> None:
    """Save a chart as a picture, for reports that can't hold SVG.

    Args:
        ax: a chart from this module.
        path: of the file.
        dpi: dots per inch.

    Raises:
        OutputError: the file can't be written.
    """
    from matplotlib.figure import Figure

    figure = ax.get_figure()
    if not isinstance(figure, Figure):
        raise OutputError(f"{path}: the axes belong to no figure")
    try:
        figure.savefig(path, format="png", dpi=dpi, metadata={"Software": None})
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error}") from error


def criterion_ends(criteria: Sequence[Criterion]) -> dict[str, tuple[str, str]]:
    """What stands at the worst and best end of each criterion's axis in :func:`parallel_coordinates`, by label.

    Args:
        criteria: in the order of the columns.

    Returns:
        A pair of labels per criterion.
    """
    return {c.label: (f"{c.worst:,g} {c.unit}".strip(), f"{c.best:,g} {c.unit}".strip()) for c in criteria}


def value_frame(candidate_ids: Sequence[str], labels: Sequence[str], values: np.ndarray) -> pd.DataFrame:
    """Table of values for :func:`parallel_coordinates` from an array ``(alternatives, criteria)``.

    Args:
        candidate_ids: of the rows.
        labels: of the columns.
        values: shape (alternatives, criteria), between 0 and 1.

    Returns:
        The values as a table.
    """
    return pd.DataFrame(values, index=list(candidate_ids), columns=list(labels))
