"""Columns of the metric table, and criteria: what a ranking looks at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import ConfigDict, Field, with_config

from corridor.schema.fields import Text
from corridor.schema.vocabulary import Direction

# --- What a ranking looks at ---

# strict: neither true nor "10" is a number
Anchor = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False, strict=True)]
Shape = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False, strict=True)]
Tolerance = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False, strict=True)]
Group = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
"""A group of criteria: one that studies share (:data:`corridor.mcda.perspectives.GROUPS`), or the study's own."""


@with_config(ConfigDict(extra="forbid", str_strip_whitespace=True))
@dataclass(frozen=True, slots=True)
class Criterion:
    """One scored property of an alternative.

    ``metric`` names the column of the metric table. ``best`` and ``worst`` are the stated anchors of the value
    function, in ``unit``: the value is 1 at ``best``, 0 at ``worst`` and follows ``shape`` between, clamped outside,
    so that adding or dropping an alternative moves nobody. ``shape`` 1 is linear; above 1 the first losses weigh less.
    ``tolerance`` is the difference, in ``unit``, below which two alternatives count as tied. ``factor`` names what the
    metric's interval hangs on (a unit price, a speed): criteria with the same factor move together in every draw;
    empty means that every alternative's interval is drawn by itself.
    """

    criterion_id: Annotated[str, Field(alias="id", pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    label: Text
    metric: Text
    unit: str
    direction: Direction
    group: Group
    best: Anchor
    worst: Anchor
    shape: Shape = 1.0
    tolerance: Tolerance = 0.0
    explanation: str = ""
    factor: str = ""


_HOLE = re.compile(r"\\\{(\w+)\\\}")
_ENDS = {"_low": "lower end of: ", "_high": "upper end of: "}
_ENDS_FORMULA = {"_low": "low ends of the inputs", "_high": "high ends of the inputs"}
_ENDS_ERROR = ", or what the error of heights and positions allows"
_OPEN_END = {"_low": "lesser", "_high": "greater"}
_OPEN_FORMULA = "the figure itself; where it is undetermined, the {} of what it is at best and at worst"
_TAKEN = {"_best": "with what isn't known at its best", "_worst": "with what isn't known at its worst"}
"""What an undetermined figure with a range of its own is at either end, with all else at its middle."""
_STATUS = "_status"


class Unit(StrEnum):
    """Units of columns, as the data dictionary writes them."""

    NONE = ""
    COUNT = "count"
    KM = "km"
    KM2 = "km2"
    M = "m"
    H = "h"
    MIN = "min"
    DEGREE = "degree"
    PERCENT = "%"
    MUSD = "million USD"
    USD_PER_LOAD = "USD/load"
    PEOPLE = "people"
    PERSON_HOURS_PER_DAY = "person-hours/day"
    PER_10KM = "count/10 km"


_SYMBOLS: dict[str, str] = {Unit.COUNT: "", Unit.PER_10KM: "", Unit.KM2: "km²", Unit.DEGREE: "°", Unit.MUSD: "M USD"}


class Kind(StrEnum):
    """What stands in a column; a ``STATUS`` says why the figures beside it are there or not."""

    NUMBER = "number"
    COUNT = "count"
    TEXT = "text"
    FLAG = "flag"
    STATUS = "status"


class Shown(StrEnum):
    """Where a column is shown: on the page and in files, or in files only."""

    PAGE = "page"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the metric table.

    Args:
        name: with its unit (``length_km``); ``{holes}`` stand for what the data put there
            (``crossings_at_grade_{class}``).
        unit: of the figures; a Unit, or what a study calls the unit of a criterion.
        meaning: one line for a reader.
        formula: how the figure is had, or where it comes from.
        kind: what stands in it.
        interval: whether ``<name>_low`` and ``<name>_high`` stand beside it.
        digits: decimals on the page; None: as many as its figures' size asks for.
        shown: where.
        label_key: message of its label; ``metric.<name>`` if empty.
        absent: what an instance of a name with holes stands for in a row that was measured and lacks it: a class of
            road that isn't met is crossed 0 times. None: nothing can be said.
        status: column that says why there is no figure; the registry fills it in.
    """

    name: str
    unit: Unit | str
    meaning: str
    formula: str
    kind: Kind = Kind.NUMBER
    interval: bool = False
    digits: int | None = None
    shown: Shown = Shown.PAGE
    label_key: str = ""
    absent: float | None = None
    status: str = ""

    def __hash__(self) -> int:
        """By name alone: caches go by all columns of a table at once, and names tell nearly all of them apart."""
        return hash(self.name)

    @property
    def key(self) -> str:
        """The message of its label."""
        return self.label_key or f"metric.{self.name}"

    @property
    def symbol(self) -> str:
        """The unit as it stands in a heading; nothing where the label of the column says it."""
        return _SYMBOLS.get(self.unit, str(self.unit))

    @property
    def is_pattern(self) -> bool:
        """Whether the name has holes."""
        return "{" in self.name

    @property
    def on_page(self) -> bool:
        """Whether the page's table has it: figures do, words and flags don't."""
        return self.shown is Shown.PAGE and self.kind in (Kind.NUMBER, Kind.COUNT)

    @property
    def words(self) -> str:
        """The name as words, for a column whose label has no message."""
        return self.name.replace("_", " ").strip().capitalize()

    def instance(self, name: str) -> Column | None:
        """The column under a full name, what fills its holes said in its meaning; None if the name isn't its own.

        >>> Column("in_{focus}_km", Unit.KM, "length inside", "sum").instance("in_alba_km").meaning
        'length inside (focus: alba)'

        Args:
            name: of a column of a table.

        Returns:
            The column with its holes filled, or None.
        """
        if not self.is_pattern:
            return self if name == self.name else None
        found = re.fullmatch(_HOLE.sub(r"(?P<\1>.+?)", re.escape(self.name)), name)
        if found is None:
            return None
        said = "".join(f" ({hole}: {text})" for hole, text in found.groupdict().items())
        return replace(self, name=name, meaning=self.meaning + said, label_key=self.key)

    def end(self, suffix: str) -> Column:
        """The column of an end of its interval, or of what it is taken as at best or worst.

        Args:
            suffix: ``_low`` or ``_high``, ``_best`` or ``_worst``.

        Returns:
            Its column.
        """
        if suffix in _TAKEN:
            return replace(
                self, name=self.name + suffix, meaning=f"{_TAKEN[suffix]}: {self.meaning}",
                formula="the figure with all else at its middle, the better of the two or not: a gate lowers what a "
                "route saves, and so what its closure costs; ranks go by the lesser and the greater of them",
                interval=False, shown=Shown.FILES,
            )  # fmt: skip
        formula = _ENDS_FORMULA[suffix] + _ENDS_ERROR if self.interval else _OPEN_FORMULA.format(_OPEN_END[suffix])
        return replace(
            self, name=self.name + suffix, meaning=_ENDS[suffix] + self.meaning, formula=formula, interval=False,
            shown=Shown.FILES,
        )  # fmt: skip


def with_before(column: Column, *, interval_before: bool = False) -> tuple[Column, Column]:
    """A column, and the one of the same figure with nothing done to the network: ``<name>_before``.

    Args:
        column: the figure under a regime.
        interval_before: whether the figure before has an interval too.

    Returns:
        The column itself, and that of the figure before.
    """
    before = replace(
        column, name=f"{column.name}_before", meaning=f"before, with nothing done: {column.meaning}",
        interval=interval_before, shown=Shown.FILES, label_key="",
    )  # fmt: skip
    return column, before


def find_column(name: str, columns: Iterable[Column]) -> Column | None:
    """The column of a name, also of an end of an interval; None if there is none.

    Exact names, with their ends, win over names with holes, and of those the one with most letters of its own.

    >>> known = (Column("length_km", Unit.KM, "length", "sum over parts", interval=True),)
    >>> find_column("length_km_low", known).meaning
    'lower end of: length'

    Args:
        name: of a column of a table.
        columns: where to look.

    Returns:
        The column, or None.
    """
    return _index(tuple(columns)).find(name)


@lru_cache(maxsize=64)
def _index(columns: tuple[Column, ...]) -> _Index:
    return _Index(columns)


class _Index:
    """Columns to be found by name; rows ask for the same few names over and over.

    Args:
        columns: any.
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        known = list(columns)
        self._plain = {column.name: column for column in known if not column.is_pattern}
        # of names with holes that with most letters of its own goes first
        self._patterns = sorted((c for c in known if c.is_pattern), key=lambda column: -len(column.name))
        self._found: dict[str, Column | None] = {}

    def find(self, name: str) -> Column | None:
        """The column of a name, also of an end of an interval.

        Args:
            name: of a column of a table.

        Returns:
            The column, or None.
        """
        if name not in self._found:
            self._found[name] = self._search(name, self._patterns)
        return self._found[name]

    def _search(self, name: str, patterns: Sequence[Column]) -> Column | None:
        # an end of a plain column goes before a name with holes, one of which could take "low" for what fills it
        for group in ((), patterns):
            found = self._plain.get(name) or next((own for c in group if (own := c.instance(name))), None)
            if found:
                return found
            for suffix in (*_ENDS, *_TAKEN):
                base = self._search(name.removesuffix(suffix), group) if name.endswith(suffix) else None
                # figures without an interval have ends where they are undetermined
                if base and base.kind in (Kind.NUMBER, Kind.COUNT):
                    return base.end(suffix)
        return None


def resolve_columns(names: Sequence[str], columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns of a table by its names, in its order, without ends, statuses of single figures and unknown names.

    Args:
        names: of the columns of a table.
        columns: those that are registered.

    Returns:
        A column for each name that is known.
    """
    return _resolve(tuple(names), tuple(columns))


@lru_cache(maxsize=64)
def _resolve(names: tuple[str, ...], known: tuple[Column, ...]) -> tuple[Column, ...]:
    exact = {column.name: column for column in known if not column.is_pattern}
    patterns = tuple(column for column in known if column.is_pattern)
    have = set(names)
    beside = {
        name
        for name in names
        for suffix in (*_ENDS, *_TAKEN, _STATUS)
        if name not in exact and name.endswith(suffix) and name.removesuffix(suffix) in have
    }
    found = (exact.get(name) or find_column(name, patterns) for name in names if name not in beside)
    return tuple(column for column in found if column is not None)


def ends_for_ranks(table: pd.DataFrame, metric: str) -> tuple[pd.Series, pd.Series]:
    """The lesser and the greater end that a metric is ranked with, NaN where it has none.

    A rank interval is about what is undetermined alone, so that an undetermined figure counts with all else at its
    middle where the table says what it then is.

    Args:
        table: of metrics.
        metric: a column of figures with ends beside it, or without.

    Returns:
        A column each.
    """
    nothing = pd.Series(float("nan"), index=table.index)
    low, high, best, worst = (
        pd.to_numeric(table[f"{metric}{end}"], errors="coerce") if f"{metric}{end}" in table.columns else nothing
        for end in (*_ENDS, *_TAKEN)
    )
    said = best.notna() & worst.notna()
    return low.where(~said, np.minimum(best, worst)), high.where(~said, np.maximum(best, worst))
