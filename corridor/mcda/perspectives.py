"""Points of view: how much each group of criteria weighs to whom, and where those weights come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, ValidationError, field_validator

from corridor.errors import ScoringError
from corridor.mcda.ahp import comparison_matrix, weights_from_comparisons
from corridor.safe_toml import parse_toml
from corridor.schema.message import Message

GROUPS = ("distance", "terrain", "border_access", "north_south", "people")
"""The groups of criteria that studies share; a study may add its own."""


class Perspective(BaseModel):
    """A named set of weights.

    ``group_weights`` are shares per group of criteria. Inside a group the weight is shared equally, unless ``within``
    gives shares per criterion for that group. ``weights_from`` is the sentence that says where the numbers come
    from. ``attributed_to`` names the person or body whose view it is, empty where it is nobody's. ``notes`` say what a
    reader must know of the weights themselves.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    perspective_id: str
    label: str
    weights_from: str = Field(min_length=1)
    group_weights: Mapping[str, float] = Field(alias="groups", min_length=1)
    within: Mapping[str, Mapping[str, float]] = Field(default_factory=dict)
    source_id: str = ""
    attributed_to: str = ""
    notes: tuple[InstanceOf[Message], ...] = ()

    @field_validator("group_weights")
    @classmethod
    def _groups_weigh_something(cls, weights: Mapping[str, float]) -> Mapping[str, float]:
        return _checked(weights)

    @field_validator("within")
    @classmethod
    def _criteria_weigh_something(cls, within: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
        return {group: _checked(weights) for group, weights in within.items()}


def _checked(weights: Mapping[str, float]) -> Mapping[str, float]:
    for name, weight in weights.items():
        if not 0.0 <= weight < float("inf"):
            raise ValueError(f"the weight of '{name}' is {weight:g}: weights are finite and not negative")
    if sum(weights.values()) <= 0.0:
        raise ValueError("all weights are zero: at least one must be above zero")
    return weights


def build_perspective(perspective_id: str, fields: Mapping[str, Any], where: str = "study") -> Perspective:
    """Check one perspective as written in a TOML table (keys ``label``, ``weights_from``, ``groups``, ...).

    In place of ``groups`` it may hold ``comparisons``, rows such as ``["border_access", "distance", 3]``: how many
    times more important the first group is than the second, each pair once (AHP). The consistency ratio is noted.

    Args:
        perspective_id: Its name, as people type it.
        fields: The table's keys and values.
        where: What to name in an error: the file that it stands in.

    Raises:
        ScoringError: names ``where`` it was read, the perspective and every wrong field.
    """
    try:
        if "comparisons" in fields:
            fields = _from_comparisons(fields, f"{where}: perspective '{perspective_id}'")
        return Perspective(perspective_id=perspective_id, **fields)
    except (ValidationError, TypeError) as error:
        raise ScoringError(f"{where}: perspective '{perspective_id}': {_faults(error)}") from error


def _from_comparisons(fields: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Replace pairwise comparisons by the group weights that follow from them."""
    if "groups" in fields:
        raise ScoringError(f"{where}: has both groups and comparisons: keep one")
    pairs: dict[tuple[str, str], float] = {}
    for row in fields["comparisons"]:
        if not (isinstance(row, list | tuple) and len(row) == 3 and isinstance(row[2], int | float)):
            raise ScoringError(f"{where}: comparisons: '{row}' is not of the form [group, group, times]")
        if (row[0], row[1]) in pairs:
            raise ScoringError(f"{where}: comparisons: '{row[0]}' and '{row[1]}' are compared twice")
        pairs[(str(row[0]), str(row[1]))] = float(row[2])
    # In order of first mention, which is the order of the weights that come out.
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    try:
        found = weights_from_comparisons(names, comparison_matrix(names, pairs))
    except ScoringError as error:
        raise ScoringError(f"{where}: {error}") from error
    ratio = Message(
        "note.from_comparisons",
        {"label": str(fields.get("label", "")), "ratio": f"{found.consistency_ratio:.2f}"},
    )
    rest = {name: value for name, value in fields.items() if name != "comparisons"}
    return rest | {"groups": found.weights, "notes": (*found.notes, ratio)}


def load_perspectives(path: Path) -> dict[str, Perspective]:
    """Read a file of perspectives, one TOML table each.

    Args:
        path: A TOML file.

    Returns:
        Perspectives by name, in the order of the file.

    Raises:
        ScoringError: the file can't be read, isn't TOML, or has a wrong field.
    """
    tables = parse_toml(path, "a file of perspectives", ScoringError)
    wrong = [name for name, fields in tables.items() if not isinstance(fields, dict)]
    if wrong:
        raise ScoringError(f"{path}: '{wrong[0]}' must be a table such as [{wrong[0]}]")
    return {name: build_perspective(name, fields, str(path)) for name, fields in tables.items()}


def _faults(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return "'perspective_id' is the name of the table and must not be a field of it"
    lines = []
    for fault in error.errors():
        field = ".".join(str(part) for part in fault["loc"])
        lines.append(f"{field}: {fault['msg'].removeprefix('Value error, ')}")
    return "; ".join(lines)
