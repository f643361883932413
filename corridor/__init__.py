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
    from corridor.comparison import Comparison, build_network, compare
    from corridor.errors import CorridorError
    from corridor.network.graph import Network
    from corridor.report.i18n import render
    from corridor.schema.study import Study
    from corridor.sweeps.run import sweep

__version__ = "0.1.0"
__all__ = ["Comparison", "CorridorError", "Network", "Study", "build_network", "compare", "render", "sweep"]

_HOMES = {
    "Comparison": "corridor.comparison",
    "CorridorError": "corridor.errors",
    "Network": "corridor.network.graph",
    "Study": "corridor.schema.study",
    "build_network": "corridor.comparison",
    "compare": "corridor.comparison",
    "render": "corridor.report.i18n",
    "sweep": "corridor.sweeps.run",
}


def __getattr__(name: str) -> Any:
    """Load public names when they are first used, so that ``import corridor`` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'corridor' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
