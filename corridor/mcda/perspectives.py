"""Points of view, and from what they say about importance to one weight per criterion.

Weights are stated, or follow from pairwise comparisons by the analytic hierarchy process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, InstanceOf, ValidationError, field_validator

from corridor.errors import ScoringError
from corridor.files import parse_toml
from corridor.mcda.matrix import Panel
from corridor.plugins import nearest_name
from corridor.schema.column import Criterion
from corridor.schema.faults import fault_words
from corridor.schema.message import Listing, ListStyle, Message, listing

GROUPS = ("distance", "terrain", "border_access", "north_south", "people")
"""The groups of criteria that studies share; a study may add its own."""


Weight = Annotated[float, Field(strict=True)]
"""Neither true nor "1" is a number."""


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
    group_weights: Mapping[str, Weight] = Field(alias="groups", min_length=1)
    within: Mapping[str, Mapping[str, Weight]] = Field(default_factory=dict)
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
        ``equal``; with three groups or more also one that gives half of the weight to each and shares the rest equally.
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
    # Of one group or two, half of the weight on each is the equal weights again.
    for group in groups if len(groups) > 2 else ():
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
        lines.append(f"{field}: {fault_words(fault)}")
    return "; ".join(lines)


Floats = NDArray[np.float64]

ACCEPTED_RATIO = 0.1
"""The greatest consistency ratio that Saaty accepts."""
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


# --- From what somebody says about importance to one weight per criterion, summing to one ---

WeightsLike = Perspective | Mapping[str, float] | Sequence[float] | Floats


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """One weight per criterion, summing to one, and what had to be changed to get there."""

    values: Floats
    notes: tuple[Message, ...] = ()


def choose_weights(
    perspectives: Mapping[str, WeightsLike], perspective: str, weights: WeightsLike | None = None
) -> WeightsLike:
    """Weights that are given, else those of a perspective.

    Args:
        perspectives: Weights by name.
        perspective: Whose interest.
        weights: Instead of a perspective.

    Raises:
        ScoringError: nobody has that name; gives the nearest.
    """
    if weights is not None:
        return weights
    if perspective not in perspectives:
        near = nearest_name(perspective, perspectives)
        raise ScoringError(f"perspective '{perspective}' is unknown{near}; there are: {', '.join(perspectives)}")
    return perspectives[perspective]


def parse_weights(text: str) -> dict[str, float]:
    """Read ``distance=0.3,terrain=0.7``.

    Args:
        text: Names of criteria or groups with a number each, separated by commas.

    Raises:
        ScoringError: a part isn't ``name=number``, or a name comes twice.
    """
    weights: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not equals or not name:
            raise ScoringError(f"weights: '{part}' is not of the form name=number, for example distance=0.3")
        if name in weights:
            raise ScoringError(f"weights: '{name}' is given twice")
        try:
            weights[name] = float(number)
        except ValueError as error:
            raise ScoringError(f"weights: '{number}' for '{name}' is not a number") from error
    if not weights:
        raise ScoringError("weights: nothing is given; write for example distance=0.3,terrain=0.7")
    return weights


def normalise(weights: Mapping[str, float], what: str = "weights") -> tuple[dict[str, float], tuple[Message, ...]]:
    """Make weights sum to one; a note says so where they didn't.

    Args:
        weights: A number per name.
        what: What to call them in a note or an error.

    Returns:
        Weights that sum to one, and notes.

    Raises:
        ScoringError: a weight is negative or not finite, all are zero, or their sum is beyond what numbers hold.
    """
    for name, weight in weights.items():
        if not isinstance(weight, int | float | np.number) or not np.isfinite(weight):
            raise ScoringError(f"{what}: the weight of '{name}' is not a finite number")
        if weight < 0:
            raise ScoringError(f"{what}: the weight of '{name}' is {weight:g}: weights can't be negative")
    total = float(sum(weights.values()))
    if total <= 0:
        raise ScoringError(f"{what}: all weights are zero: at least one must be above zero")
    if not np.isfinite(total):
        raise ScoringError(f"{what}: the weights are too large to be added up: write shares, for example 0.3 and 0.7")
    # Within rounding of one: divided anyway this would give a note that means nothing.
    if abs(total - 1.0) <= 1e-9:
        return {name: float(weight) for name, weight in weights.items()}, ()
    scaled = {name: float(weight) / total for name, weight in weights.items()}
    return scaled, (Message("note.weights_scaled", {"what": what, "total": f"{total:g}"}),)


def resolve_weights(
    weights: WeightsLike, criteria: Sequence[Criterion], known: Sequence[Criterion] | None = None
) -> Weights:
    """Give every criterion its weight.

    Args:
        weights: A perspective; a mapping of groups *or* of criteria to weights; or one number per criterion of
            ``known``.
        criteria: Those that take part (a panel may have had to drop some).
        known: All criteria of the study: names of these are no mistake even where they take no part. A group
            without a criterion that takes part is dropped, and its weight goes to the others in proportion.

    Raises:
        ScoringError: an unknown name (with the nearest known one), a negative or not finite weight, all zero, or
            nothing left to weigh.
    """
    known = tuple(criteria) if known is None else tuple(known)
    if isinstance(weights, Perspective):
        found = _from_groups(weights.group_weights, criteria, known, weights.within, weights.label)
        return Weights(found.values, (*weights.notes, *found.notes))
    if not isinstance(weights, Mapping):
        weights = _by_position(weights, known)
    groups = {criterion.group for criterion in known}
    ids = {criterion.criterion_id for criterion in known}
    for name in weights:
        if name not in groups | ids:
            raise ScoringError(f"weights: '{name}' is no criterion and no group{nearest_name(name, groups | ids)}")
    if all(name in ids for name in weights):
        return _from_criteria(weights, criteria, known)
    if all(name in groups for name in weights):
        return _from_groups(weights, criteria, known, {}, "weights")
    raise ScoringError("weights: groups and single criteria are mixed: name either only groups or only criteria")


def panel_weights(panel: Panel, weights: WeightsLike) -> Weights:
    """Weights for the criteria that take part in a panel; see :func:`resolve_weights`.

    Args:
        panel: Alternatives that are ranked together.
        weights: As in :func:`resolve_weights`.
    """
    return resolve_weights(weights, panel.criteria, panel.study_criteria or panel.criteria)


def _by_position(weights: Sequence[float] | Floats, known: Sequence[Criterion]) -> dict[str, float]:
    numbers = np.asarray(weights, dtype=float)
    if numbers.shape != (len(known),):
        raise ScoringError(f"weights: {len(known)} criteria need {len(known)} weights, not shape {numbers.shape}")
    return {criterion.criterion_id: float(weight) for criterion, weight in zip(known, numbers, strict=True)}


def _from_criteria(weights: Mapping[str, float], criteria: Sequence[Criterion], known: Sequence[Criterion]) -> Weights:
    shares, notes = normalise(weights)
    silent = [criterion.criterion_id for criterion in known if criterion.criterion_id not in weights]
    if silent:
        notes += (Message("note.weights_silent", {"what": "weights", "names": _quoted(silent)}),)
    values = np.array([shares.get(criterion.criterion_id, 0.0) for criterion in criteria])
    return Weights(*_left_over(values, notes, "weights"))


def _from_groups(
    group_weights: Mapping[str, float],
    criteria: Sequence[Criterion],
    known: Sequence[Criterion],
    within: Mapping[str, Mapping[str, float]],
    what: str,
) -> Weights:
    shares, notes = normalise(group_weights, what)
    # present is what takes part here, expected what a perspective may name: a group may be empty in this panel or this
    # study.
    present = {criterion.group for criterion in criteria}
    expected = {criterion.group for criterion in known}.union(GROUPS)
    for group in group_weights:
        if group not in expected:
            raise ScoringError(f"{what}: no criterion belongs to a group '{group}'{nearest_name(group, expected)}")
    absent = [group for group, share in shares.items() if group not in present and share > 0]
    if absent:
        notes += (Message("note.group_absent", {"what": what, "names": _quoted(absent)}),)
    silent = sorted(present - set(shares))
    if silent:
        notes += (Message("note.weights_silent", {"what": what, "names": _quoted(silent)}),)
    values = np.zeros(len(criteria))
    for group in sorted(present & set(shares)):
        members = [column for column, criterion in enumerate(criteria) if criterion.group == group]
        inner, inner_notes = _inner_shares(group, [criteria[k] for k in members], known, within.get(group), what)
        values[members] = shares[group] * inner
        notes += inner_notes
    return Weights(*_left_over(values, notes, what))


def _inner_shares(
    group: str,
    members: Sequence[Criterion],
    known: Sequence[Criterion],
    stated: Mapping[str, float] | None,
    what: str,
) -> tuple[Floats, tuple[Message, ...]]:
    equal = np.full(len(members), 1.0 / len(members))
    if stated is None:
        return equal, ()
    ids = [criterion.criterion_id for criterion in known if criterion.group == group]
    for name in stated:
        if name not in ids:
            raise ScoringError(f"{what}: group '{group}' has no criterion '{name}'{nearest_name(name, ids)}")
    # Shares are renewed among those that take part; what isn't named inside a stated group weighs nothing.
    shares = np.array([float(stated.get(criterion.criterion_id, 0.0)) for criterion in members])
    if shares.sum() <= 0:
        return equal, (Message("note.group_shared", {"what": what, "group": group}),)
    return shares / shares.sum(), ()


def _left_over(values: Floats, notes: tuple[Message, ...], what: str) -> tuple[Floats, tuple[Message, ...]]:
    # Whatever had no criterion to go to is shared out among those that take part, in proportion.
    total = float(values.sum())
    if total <= 0:
        raise ScoringError(f"{what}: all the weight lies on criteria that take no part: nothing is left to rank by")
    return values / total, notes


def _quoted(names: Sequence[str]) -> Listing:
    return listing((f"'{name}'" for name in names), ListStyle.COMMA)
