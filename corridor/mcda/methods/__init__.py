"""Ranking methods of multi-criteria decision analysis: one file and one class each, known by their file's name.

A new method is one new module here that holds a class derived from :class:`~corridor.mcda.method.Method` (or
``LinearMethod``) under the decorator :func:`~corridor.mcda.method.register`. Nothing else has to be told: the
command line's choices, scores, contributions, notes, robustness, agreement and the table in the documentation follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corridor.errors import ScoringError
from corridor.plugins import Registry

if TYPE_CHECKING:
    from corridor.mcda.method import Method

DEFAULT_METHOD = "weighted-sum"

# Kept free of numpy: the command line asks for the ids before it knows whether anything will be computed.
REGISTRY: Registry[Method] = Registry(
    __name__,
    "method",
    {
        "id": str,
        "label": str,
        "reference": str,
        "score_range": tuple,
        "higher_is_better": bool,
        "linear_in_weights": bool,
        "compares_alternatives": bool,
        "notes": tuple,
    },
    ScoringError,
    first=DEFAULT_METHOD,
)


def method_ids() -> tuple[str, ...]:
    """Ids of all ranking methods, the weighted sum first.

    Returns:
        Ids, that of the default method first.
    """
    return REGISTRY.ids()


def get_method(method_id: str) -> Method:
    """The ranking method with an id.

    Args:
        method_id: Such as ``topsis``; :func:`method_ids` lists them.

    Raises:
        ScoringError: nobody has that id (gives the nearest), or the method is only half written.
    """
    return REGISTRY.get(method_id)


def all_methods() -> tuple[Method, ...]:
    """Every ranking method, in the order of :func:`method_ids`."""
    return REGISTRY.all()
