"""Pictures of values, ranks and how firm they are."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from corridor.comparison import Comparison, compare
from corridor.mcda.matrix import scale
from corridor.mcda.methods.promethee_ii import preference_degree
from corridor.schema.column import Criterion
from corridor.schema.study import Study
from docs.tools.drawings.sheet import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY, sheet

_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY, "#000000", "#8c564b", "#bcbd22")


@cache
def _comparison() -> Comparison:
    return compare(Study.bundled("syunik"))


def ranked_regime() -> str:
    """The rules that the study opens with, which allow transit: under others nothing is ranked."""
    return Study.bundled("syunik").report.opening_regime or ""


def draw_value_functions() -> Figure:
    """From a metric to a value, for three shapes."""
    hours = np.linspace(0, 45, 181)
    figure, axes = sheet(7, 3.2)
    for shape, colour in ((0.5, ORANGE), (1.0, BLUE), (2.0, GREEN)):
        one = Criterion("trip_time", "Trip time", "trip_time_h", "h", "min", "distance", best=2, worst=40, shape=shape)
        axes.plot(hours, scale(hours[:, None], [one])[:, 0], color=colour, linewidth=2, label=f"shape {shape:g}")
    for at, word in ((2, "best: 1"), (40, "worst: 0")):
        axes.axvline(at, color=GREY, linestyle=":", linewidth=1)
        axes.annotate(word, (at, 1.04), ha="center", color=GREY)
    axes.set(xlabel="trip time, h", ylabel="value", ylim=(-0.03, 1.12))
    axes.legend(loc="lower left")
    return figure


def draw_preference() -> Figure:
    """How much PROMETHEE II prefers one of two routes by the difference of their values."""
    difference = np.linspace(0, 0.5, 251)
    figure, axes = sheet(7, 2.8)
    axes.plot(difference, preference_degree(difference, "linear", 0.03, 0.25), color=BLUE, linewidth=2)
    for at, word in ((0.03, "tolerance: no preference"), (0.25, "a quarter of the scale: full preference")):
        axes.axvline(at, color=GREY, linestyle=":", linewidth=1)
        axes.annotate(word, (at + 0.005, 0.06 if at < 0.1 else 0.85), color=GREY)
    axes.set(xlabel="difference in value", ylabel="degree of preference")
    return figure


def draw_acceptability() -> Figure:
    """In how many of the draws each through route comes first, second and so on, at both ends of what isn't known."""
    regime = ranked_regime()
    reviews = [r for r in _comparison().robustness() if (r.panel.regime_id, r.panel.kind) == (regime, "through")]
    first = reviews[0].robustness
    order = np.argsort(-first.acceptability @ np.arange(len(first.names), 0, -1))
    figure, both = sheet(8, 3.6, ncols=len(reviews), sharey=True, squeeze=False)
    for axes, review in zip(both[0], reviews, strict=True):
        _stack(axes, review.robustness.acceptability[order])
        axes.set_title(f"all that isn't known at {review.end}" if review.end else regime, fontsize=10)
    both[0, 0].set_yticks(np.arange(len(order)), [first.candidate_ids[i] for i in order])
    both[0, 0].invert_yaxis()
    said = f"share of {first.draws:,} draws with each rank ({regime}; any weights, metrics in their ranges)"
    figure.supxlabel(said, fontsize=10)
    return figure


def _stack(axes: Axes, shares: NDArray[np.float64]) -> None:
    """Bars of the shares of ranks, shape (routes, ranks), the first rank darkest."""
    left = np.zeros(len(shares))
    for rank, share in enumerate(np.minimum(shares, 1).T):
        shade = 0.15 + 0.8 * rank / (len(shares) - 1)
        axes.barh(np.arange(len(shares)), share, left=left, color=(shade, shade, 0.6 + 0.4 * shade), edgecolor="white")
        left += share
        for row in np.flatnonzero(share > 0.12):
            colour = "white" if shade < 0.5 else "black"
            axes.text(
                left[row] - share[row] / 2, row, f"{rank + 1}", ha="center", va="center", color=colour, fontsize=8
            )


def draw_flips() -> Figure:
    """Scores of the routes as the weight of one group goes from nothing to all, the rest in equal parts."""
    comparison, regime = _comparison(), ranked_regime()
    share = np.linspace(0, 1, 41)
    groups = list(dict.fromkeys(c.group for c in comparison.study.criteria))
    rows: dict[str, list[tuple[float, float]]] = {}
    for weight in share:
        others = {name: (1 - weight) / (len(groups) - 1) for name in groups if name != "terrain"}
        table = comparison.rank(weights={"terrain": float(weight)} | others)
        here = table[(table["regime_id"] == regime) & (table["panel"] == "through")]
        for candidate, low, high in zip(here["candidate_id"], here["score_low"], here["score_high"], strict=True):
            rows.setdefault(candidate, []).append((low, high))
    figure, axes = sheet(8, 3.6)
    for colour, (candidate, scores) in zip(_COLOURS, rows.items(), strict=True):
        low, high = np.array(scores).T
        axes.plot(share, high, color=colour, linewidth=1.8, label=candidate)
        if (high > low).any():  # what isn't known of a route leaves its score between two lines
            axes.plot(share, low, color=colour, linewidth=1)
            axes.fill_between(share, low, high, color=colour, alpha=0.12)
    axes.set(xlabel="weight of terrain and cost, the other groups sharing the rest", ylabel="score", xlim=(0, 1))
    axes.set_title(f"{regime}; an area is what isn't known", fontsize=10, loc="left")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    return figure


DRAWINGS = {
    "value-functions": draw_value_functions,
    "preference": draw_preference,
    "acceptability": draw_acceptability,
    "flips": draw_flips,
}
