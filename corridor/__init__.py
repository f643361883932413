"""Compare land routes across contested, mountainous ground.

>>> import corridor
>>> study = corridor.Study.bundled("syunik")
>>> study.destination.name
'Nakhchivan'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corridor.alignment.problem import load_standards
    from corridor.comparison import Comparison, build_network, compare
    from corridor.errors import CorridorError
    from corridor.files import bundled_data
    from corridor.io.fetch.fetch_inputs import fetch
    from corridor.io.fetch.wanted import FetchedInputs
    from corridor.network.graph import Network
    from corridor.pipeline.difference import Difference, diff
    from corridor.pipeline.new_line import NewLine, find_new_line
    from corridor.pipeline.saved_results import SavedResults, load_results
    from corridor.report import charts
    from corridor.report.i18n import render
    from corridor.schema.candidate import Candidate
    from corridor.schema.study import Study
    from corridor.sweeps.run import Sweep, sweep

__version__ = "0.1.0"
__all__ = [
    "Candidate", "Comparison", "CorridorError", "Difference", "FetchedInputs", "Network", "NewLine", "SavedResults",
    "Study", "Sweep", "build_network", "bundled_data", "charts", "compare", "diff", "fetch", "find_new_line",
    "load_results", "load_standards", "render", "sweep",
]  # fmt: skip

_HOMES = {
    "Candidate": "corridor.schema.candidate",
    "Comparison": "corridor.comparison",
    "CorridorError": "corridor.errors",
    "Difference": "corridor.pipeline.difference",
    "FetchedInputs": "corridor.io.fetch.wanted",
    "Network": "corridor.network.graph",
    "NewLine": "corridor.pipeline.new_line",
    "SavedResults": "corridor.pipeline.saved_results",
    "Study": "corridor.schema.study",
    "Sweep": "corridor.sweeps.run",
    "build_network": "corridor.comparison",
    "bundled_data": "corridor.files",
    "charts": "corridor.report",
    "compare": "corridor.comparison",
    "diff": "corridor.pipeline.difference",
    "fetch": "corridor.io.fetch.fetch_inputs",
    "find_new_line": "corridor.pipeline.new_line",
    "load_results": "corridor.pipeline.saved_results",
    "load_standards": "corridor.alignment.problem",
    "render": "corridor.report.i18n",
    "sweep": "corridor.sweeps.run",
}
_MODULES = frozenset(("charts",))
"""Public names that are modules."""


def __getattr__(name: str) -> Any:
    """Load public names when they are first used, so that ``import corridor`` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'corridor' has no attribute '{name}'")
    if name in _MODULES:
        return import_module(f"{_HOMES[name]}.{name}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
