"""Points of view: how much each group of criteria weighs to whom, and where those weights come from.

Weights are stated, or follow from pairwise comparisons by the analytic hierarchy process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, InstanceOf, ValidationError, field_validator

from corridor.errors import ScoringError
from corridor.plugins import nearest_name
from corridor.safe_toml import parse_toml
from corridor.schema.criterion import Criterion
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

    @property
    def heaviest_groups(self) -> tuple[str, ...]:
        """The groups that weigh most."""
        most = max(self.group_weights.values())
        return tuple(group for group, weight in self.group_weights.items() if weight >= most)

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


def general_perspectives(criteria: Sequence[Criterion], labels: Mapping[str, str]) -> dict[str, Perspective]:
    """Points of view that follow from a study's own groups of criteria: equal weights, and one for each group.

    Args:
        criteria: what is scored.
        labels: of groups, where the study gives them.

    Returns:
        ``equal``; with several groups also one that gives half of the weight to each and shares the rest equally.
    """
    groups = list(dict.fromkeys(criterion.group for criterion in criteria))
    found = {
        "equal": Perspective(
            perspective_id="equal",
            label="Equal weights",
            weights_from="Declared: every group of criteria weighs the same.",
            groups=dict.fromkeys(groups, 1 / len(groups)),
        )
    }
    for group in groups if len(groups) > 1 else ():
        others = dict.fromkeys(groups, 0.5 / (len(groups) - 1))
        name = group.replace("_", "-")
        found[name] = Perspective(
            perspective_id=name,
            label=labels.get(group, group.replace("_", " ").capitalize()),
            weights_from="Declared: half of the weight on this group, the other half shared equally by the others.",
            groups=others | {group: 0.5},
        )
    return found


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


Floats = NDArray[np.float64]

ACCEPTED_RATIO = 0.1
RANDOM_INDEX = (0.0, 0.0, 0.0, 0.52, 0.89, 1.11, 1.25, 1.35, 1.40, 1.45, 1.49, 1.51, 1.54, 1.56, 1.57, 1.58)
"""Mean consistency index of random matrices by their size (Saaty 2008)."""


@dataclass(frozen=True, slots=True, eq=False)
class PairwiseWeights:
    """Weights that follow from pairwise comparisons and how well these agree with each other.

    ``lambda_max`` is the largest eigenvalue: the number of things compared if the comparisons never contradict.
    ``consistency_ratio`` above 0.1 means that they contradict more than is usually accepted; a note then says which
    comparison fits worst.
    """

    weights: dict[str, float]
    lambda_max: float
    consistency_index: float
    consistency_ratio: float
    notes: tuple[Message, ...]

    @property
    def consistent(self) -> bool:
        """Whether the ratio is within what Saaty accepts."""
        return self.consistency_ratio <= ACCEPTED_RATIO


def comparison_matrix(names: Sequence[str], comparisons: Mapping[tuple[str, str], float]) -> Floats:
    """Fill a matrix from single comparisons: (a, b) -> how many times more important a is than b.

    Args:
        names: What is compared.
        comparisons: For each pair, once and in either order, how many times more important the first is.

    Returns:
        ``(n, n)``, reciprocal: the entry (j, i) is one over (i, j).

    Raises:
        ScoringError: an unknown name, a pair compared twice or not at all, or a number that is not above zero.
    """
    place = {name: index for index, name in enumerate(names)}
    # NaN marks what nobody compared yet; a thing is as important as itself.
    matrix = np.where(np.eye(len(names), dtype=bool), 1.0, np.nan)
    for (first, second), times in comparisons.items():
        for name in (first, second):
            if name not in place:
                raise ScoringError(f"pairwise comparison: '{name}' is not compared here{nearest_name(name, names)}")
        if not 0 < times < float("inf"):
            raise ScoringError(f"pairwise comparison: '{first}' to '{second}' is {times:g}: it must be above 0")
        i, j = place[first], place[second]
        if i == j or not np.isnan(matrix[i, j]):
            raise ScoringError(f"pairwise comparison: '{first}' and '{second}' are compared twice")
        matrix[i, j], matrix[j, i] = times, 1.0 / times
    missing = np.argwhere(np.isnan(matrix))
    if len(missing):
        raise ScoringError(f"pairwise comparison: '{names[missing[0][0]]}' and '{names[missing[0][1]]}' are missing")
    return matrix


def weights_from_comparisons(names: Sequence[str], matrix: Floats) -> PairwiseWeights:
    """Weights as the principal eigenvector of a comparison matrix (Saaty 1977, doi:10.1016/0022-2496(77)90033-5).

    Args:
        names: What is compared: groups or criteria.
        matrix: ``(n, n)``; entry (i, j) says how many times more important i is than j; (j, i) is its reciprocal.

    Returns:
        Weights that sum to 1, with Saaty's consistency ratio against the random indices of 2008.

    Raises:
        ScoringError: a matrix that is not square, positive and reciprocal, or of more than 15.

    Example:
        A twice as important as B: weights 2/3 and 1/3, consistency ratio 0.
    """
    size = len(names)
    table = np.asarray(matrix, dtype=float)
    if table.shape != (size, size) or not 1 <= size < len(RANDOM_INDEX):
        raise ScoringError(f"pairwise comparison: {size} names need a {size} x {size} matrix, of at most 15")
    if not (np.isfinite(table).all() and (table > 0).all()):
        raise ScoringError("pairwise comparison: all entries must be above zero")
    wrong = np.argwhere(np.abs(table * table.T - 1.0) > 0.01)
    if len(wrong):
        first, second = (names[index] for index in wrong[0])
        raise ScoringError(f"pairwise comparison: '{first}' to '{second}' is not the reciprocal of the reverse")
    # A positive matrix has one largest eigenvalue, real, whose eigenvector has one sign (Perron and Frobenius); the
    # imaginary parts are rounding.
    values, vectors = np.linalg.eig(table)
    principal = int(np.argmax(values.real))
    vector = np.abs(vectors[:, principal].real)
    weights = vector / vector.sum()
    lambda_max = float(values[principal].real)
    # lambda_max equals the size for comparisons that never contradict, and only exceeds it; below is rounding.
    index = max((lambda_max - size) / (size - 1), 0.0) if size > 1 else 0.0
    ratio = index / RANDOM_INDEX[size] if RANDOM_INDEX[size] > 0 else 0.0
    notes = () if ratio <= ACCEPTED_RATIO else (_worst_fit(names, table, weights, ratio),)
    return PairwiseWeights(dict(zip(names, weights.tolist(), strict=True)), lambda_max, index, ratio, notes)


def _worst_fit(names: Sequence[str], table: Floats, weights: Floats, ratio: float) -> Message:
    """Name the comparison that is furthest from the ratio of the weights."""
    implied = weights[:, None] / weights[None, :]
    # In logarithms "three times more" and "three times less" are equally far off.
    misfit = np.abs(np.log(table / implied))
    i, j = divmod(int(np.argmax(misfit)), len(names))
    return Message(
        "note.comparisons_contradict",
        {
            "ratio": f"{ratio:.2f}",
            "accepted": f"{ACCEPTED_RATIO:g}",
            "first": names[i],
            "second": names[j],
            "given": f"{table[i, j]:.3g}",
            "implied": f"{implied[i, j]:.3g}",
        },
    )
