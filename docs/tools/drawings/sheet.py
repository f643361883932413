"""What all pictures have in common: colours that colour-blind readers can tell apart, and files that don't change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#6b7280",
)  # fmt: skip
GROUND = "#cbb79a"
_LOOK = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": False,
    "legend.frameon": False,
    "svg.hashsalt": "corridor",
    "figure.facecolor": "white",
}


def sheet(width: float = 8.0, height: float = 3.4, **grid: Any) -> tuple[Figure, Any]:
    """A figure and its axes; ``grid`` as for ``Figure.subplots``."""
    with mpl.rc_context(_LOOK):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(**grid)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as SVG, the same bytes for the same picture."""
    with mpl.rc_context(_LOOK):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    path.write_text("\n".join(line.rstrip() for line in path.read_text("utf-8").splitlines()) + "\n", encoding="utf-8")
