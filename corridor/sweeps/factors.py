"""All factors that a sweep's file can name.

Figures with a documented range: prices, speeds, minutes of checks and delays, what long-distance loads pay.
And lists to choose from: regimes, baselines, what is open, draws of heights, design standards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from corridor.alignment.problem import load_standards
from corridor.flows.model import FlowModel
from corridor.flows.rows import FlowTables
from corridor.io.read.inputs import HeightDraw
from corridor.pipeline.graph import Run
from corridor.pipeline.steps import flows, impacts, inputs
from corridor.schema.catalogue import BorderDelay, BorderDelays, Crossing, Estimate
from corridor.schema.fields import Identifier
from corridor.schema.regime import CheckRule, CheckTime, Regime
from corridor.schema.study import ExistingCandidates
from corridor.schema.vocabulary import CrossingStatus, Mode, SectionStatus, WorkKind

# --- What every factor of a sweep can say: its values, which values of a comparison it replaces, and by what ---

Finite = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
DEFAULT_LEVELS = 3
Value = float | int | str


class BaseFactor(BaseModel, ABC):
    """One input that varies; ``kind`` tells which. Nothing here has state: a run and a value go in, values come out."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
    replaces: ClassVar[tuple[str, ...]]
    """Names of the values that it may replace."""
    idle: ClassVar[str] = "fits no row of the catalogue; take mode or work out, or correct them"
    """What is said where it changes nothing, although all that it names is known."""

    def meaning(self) -> dict[str, Any]:
        """What a value of this factor means: all fields but those that list values."""
        return self.model_dump(mode="json", exclude={"low", "high", "levels", "values", "draws"})

    @abstractmethod
    def choices(self) -> tuple[Value, ...] | None:
        """The values that it takes, or None where any number from low to high will do."""

    def grid(self) -> tuple[Value, ...]:
        """The values that a product takes."""
        return self.choices() or ()

    def named(self, run: Run) -> tuple[str, Iterable[str], Collection[str]]:
        """The field in which it names things of a study, what it names there, and all that there are."""
        del run
        return "", (), ()

    @abstractmethod
    def targets(self, run: Run) -> tuple[str, ...]:
        """What it changes, as text, where all that it names is known; empty where nothing fits."""

    @abstractmethod
    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        """The values of a comparison that it replaces at a value of its own, by their names in the graph.

        They are all of :attr:`replaces` or some of them; what is stale for it follows from the graph.
        """


class NumericFactor(BaseFactor):
    """A number from ``low`` to ``high``, or one of ``values``.

    ``position`` runs from the lowest figure that sources give (0) over the middle (0.5) to the highest (1);
    ``multiple`` is times the middle. ``levels`` is into how many values a product divides the range.
    """

    measure: Literal["position", "multiple"] = "position"
    low: Finite | None = None
    high: Finite | None = None
    levels: Annotated[int, Field(ge=2, le=1000)] | None = None
    values: Annotated[tuple[Finite, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _sound(self) -> NumericFactor:
        ends = self.ends
        if self.values is not None and (self.low, self.high, self.levels) != (None, None, None):
            raise ValueError("give values, or low, high and levels, not both")
        if self.values is not None and len(set(self.values)) < len(self.values):
            raise ValueError("a value stands twice")
        if self.values is None and self.measure == "multiple" and None in (self.low, self.high):
            raise ValueError("a multiple needs low and high, for instance 0.8 and 1.25")
        if self.values is None and not ends[0] < ends[1]:
            raise ValueError(f"low {ends[0]:g} must be below high {ends[1]:g}")
        # A position beyond the documented range would be an invention with a source's name on it.
        numbers = self.values or ends
        if self.measure == "position" and max(numbers) > 1:
            raise ValueError("positions lie between 0 (lowest figure) and 1 (highest); for more use measure 'multiple'")
        if self.measure == "multiple" and min(numbers) <= 0:
            raise ValueError("multiples must be above 0")
        return self

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest value."""
        return (0.0 if self.low is None else self.low, 1.0 if self.high is None else self.high)

    def choices(self) -> tuple[Value, ...] | None:
        return self.values

    def grid(self) -> tuple[Value, ...]:
        return self.values or tuple(float(v) for v in np.linspace(*self.ends, self.levels or DEFAULT_LEVELS))

    def at(self, span: Estimate, value: Value) -> Estimate:
        """A documented range at a value of this factor."""
        return value_at(span, float(value)) if self.measure == "position" else multiple_of(span, float(value))


class ListedFactor(BaseFactor):
    """One of a list of names."""

    values: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> ListedFactor:
        if len(set(self.values)) < len(self.values):
            raise ValueError("a value stands twice")
        return self

    def choices(self) -> tuple[Value, ...] | None:
        return self.values


def value_at(span: Estimate, position: float) -> Estimate:
    """The value at a position between low (0), middle (0.5) and high (1), straight between them, as an exact figure.

    >>> value_at(Estimate(1.0, 2.0, 4.0), 0.75).mid
    3.0
    """
    if position <= 0.5:
        value = span.low + (span.mid - span.low) * 2 * position
    else:
        value = span.mid + (span.high - span.mid) * (2 * position - 1)
    return Estimate.exact(value)


def multiple_of(span: Estimate, factor: float) -> Estimate:
    """The middle times a factor, as an exact figure."""
    return Estimate.exact(span.mid * factor)


class UnitCosts(NumericFactor):
    """Prices of construction, all together or those of one mode or kind of work."""

    replaces: ClassVar = ("unit_costs",)
    kind: Literal["unit-costs"]
    mode: Mode | None = None
    work: WorkKind | None = None

    def _fits(self, mode: str, work: str) -> bool:
        return self.mode in (None, mode) and self.work in (None, work)

    def targets(self, run: Run) -> tuple[str, ...]:
        rows = run[inputs.unit_costs]
        return tuple(f"price of {c.mode} {c.kind}" for c in rows if self._fits(c.mode, c.kind))

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        costs = tuple(
            replace(c, cost_musd_per_km=self.at(c.cost_musd_per_km, value)) if self._fits(c.mode, c.kind) else c
            for c in run[inputs.unit_costs]
        )
        return {"unit_costs": costs}


class Speeds(NumericFactor):
    """Speeds of trucks or trains by class; a multiple also moves documented design speeds."""

    replaces: ClassVar = ("speeds", "sections")
    kind: Literal["speeds"]
    mode: Mode | None = None

    def targets(self, run: Run) -> tuple[str, ...]:
        return tuple(f"speed of {s.mode} {s.road_class}" for s in run[inputs.speeds] if self.mode in (None, s.mode))

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        speeds = tuple(
            replace(s, speed_kmh=self.at(s.speed_kmh, value)) if self.mode in (None, s.mode) else s
            for s in run[inputs.speeds]
        )
        if self.measure != "multiple":
            return {"speeds": speeds}
        sections = {
            key: replace(s, design_speed_kmh=s.design_speed_kmh * float(value))
            if s.design_speed_kmh and self.mode in (None, s.mode)
            else s
            for key, s in run[inputs.sections].items()
        }
        return {"speeds": speeds, "sections": sections}


class CheckTimes(NumericFactor):
    """Minutes of checks that regimes state: in transit, at the border, or where roads meet the route (``gates``)."""

    replaces: ClassVar = ("regimes",)
    kind: Literal["check-times"]
    which: Literal["all", "transit", "border", "gates"] = "all"
    regimes: tuple[Identifier, ...] = ()

    idle: ClassVar = "changes nothing: the study has no impact table, so no regimes; take it out"

    def _chosen(self, run: Run) -> list[str]:
        return [key for key in run[impacts.regimes] if not self.regimes or key in self.regimes]

    def named(self, run: Run) -> tuple[str, Iterable[str], Collection[str]]:
        return "regimes", self.regimes, run[impacts.regimes]

    def targets(self, run: Run) -> tuple[str, ...]:
        checks = ("transit", "border", "gates") if self.which == "all" else (self.which,)
        return tuple(f"{check} checks under {key}" for key in self._chosen(run) for check in checks)

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        chosen, listed = self._chosen(run), run[impacts.regimes]
        return {"regimes": {key: self._timed(r, value) if key in chosen else r for key, r in listed.items()}}

    def _timed(self, regime: Regime, value: Value) -> Regime:
        def moved(check: CheckTime | None, name: str) -> CheckTime | None:
            if check is None or self.which not in ("all", name):
                return check
            return check.taking(self.at(check.minutes, value))

        def scaled(rule: CheckRule) -> CheckRule:
            if self.which not in ("all", rule.at):
                return rule
            if self.measure == "position":
                return rule.model_copy(update={"position": float(value)})
            # of a range times a factor the middle is taken, as of any other figure
            return rule.model_copy(update={"position": 0.5, "multiple": rule.multiple * float(value)})

        changed: dict[str, Any] = {
            "transit_check_min": moved(regime.transit_check_min, "transit"),
            "border_check_min": moved(regime.border_check_min, "border"),
            "checks": tuple(scaled(rule) for rule in regime.checks),
        }
        for name, rule in (("crossing", regime.crossing), ("same_line", regime.same_line)):
            if self.which in ("all", "gates") and rule.minutes is not None:
                changed[name] = rule.model_copy(update={"minutes": self.at(rule.minutes, value)})
        return regime.model_copy(update=changed)


class CrossingDelays(NumericFactor):
    """Documented delays at border crossings, all or those named."""

    replaces: ClassVar = ("crossings",)
    kind: Literal["crossing-delays"]
    crossings: tuple[Identifier, ...] = ()
    idle: ClassVar = "changes nothing: the rows named have no such figure; take it out"

    def named(self, run: Run) -> tuple[str, Iterable[str], Collection[str]]:
        return "crossings", self.crossings, run[inputs.crossings]

    def targets(self, run: Run) -> tuple[str, ...]:
        return tuple(
            f"delay at {key}"
            for key, crossing in run[inputs.crossings].items()
            if (crossing.delay_min or crossing.sides) and (not self.crossings or key in self.crossings)
        )

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        crossings = {
            key: self._delayed(c, value) if not self.crossings or key in self.crossings else c
            for key, c in run[inputs.crossings].items()
        }
        return {"crossings": crossings}

    def _delayed(self, crossing: Crossing, value: Value) -> Crossing:
        whole = self.at(crossing.delay_min, value) if crossing.delay_min else None
        sides = tuple(replace(side, hours=self.at(side.hours, value)) for side in crossing.sides)
        return replace(crossing, delay_min=whole, sides=sides)


Settable = Literal[CrossingStatus.OPEN, CrossingStatus.CLOSED, CrossingStatus.PLANNED]


class Regimes(ListedFactor):
    """Under which regime candidates are judged; without this factor, each task covers all of them."""

    replaces: ClassVar = ("regimes",)
    kind: Literal["regime"]

    def named(self, run: Run) -> tuple[str, Iterable[str], Collection[str]]:
        return "values", self.values, run[impacts.regimes]

    def targets(self, run: Run) -> tuple[str, ...]:
        return ("regime",)

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        return {"regimes": {str(value): run[impacts.regimes][str(value)]}}


class Baselines(ListedFactor):
    """The dated state of the network."""

    replaces: ClassVar = ("as_of",)
    kind: Literal["baseline"]

    def named(self, run: Run) -> tuple[str, Iterable[str], Collection[str]]:
        return "values", self.values, [baseline.id for baseline in run["study"].baselines]

    def targets(self, run: Run) -> tuple[str, ...]:
        return ("baseline",)

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        return {"as_of": run["study"].on_baseline(str(value)).chosen_baseline.as_of}


class CrossingsStatus(ListedFactor):
    """Whether border crossings are open; what is closed here isn't assumed open by any candidate."""

    replaces: ClassVar = ("crossings", "candidate_specs")
    kind: Literal["crossing-status"]
    crossings: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    values: Annotated[tuple[Settable, ...], Field(min_length=1)] = (CrossingStatus.OPEN, CrossingStatus.CLOSED)

    def named(self, run: Run) -> tuple[str, Iterable[str], Collection[str]]:
        return "crossings", self.crossings, run[inputs.crossings]

    def targets(self, run: Run) -> tuple[str, ...]:
        return tuple(f"status of {key}" for key in self.crossings)

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        old = run[inputs.crossings]
        status = CrossingStatus(str(value))
        # a date would decide otherwise
        changed = {key: replace(old[key], status=status, since="") for key in self.crossings}
        found: dict[str, Any] = {"crossings": {**old, **changed}}
        return found if value == CrossingStatus.OPEN else found | _assuming_less(run, self.crossings)


class SectionsStatus(ListedFactor):
    """Whether sections of the catalogue are open, planned and so on; as for crossings."""

    replaces: ClassVar = ("sections", "candidate_specs")
    kind: Literal["section-status"]
    sections: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    values: Annotated[tuple[SectionStatus, ...], Field(min_length=1)]

    def named(self, run: Run) -> tuple[str, Iterable[str], Collection[str]]:
        return "sections", self.sections, run[inputs.sections]

    def targets(self, run: Run) -> tuple[str, ...]:
        return tuple(f"status of {key}" for key in self.sections)

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        old = run[inputs.sections]
        fixed = {"status": SectionStatus(str(value)), "opened": "", "closed": ""}  # a date would decide otherwise
        changed = {key: replace(old[key], **fixed) for key in self.sections}  # type: ignore[arg-type]
        found: dict[str, Any] = {"sections": {**old, **changed}}
        return found if value == SectionStatus.OPEN else found | _assuming_less(run, self.sections)


class DemError(BaseFactor):
    """Draws of the elevation model's error, numbered from 1; all candidates of a task share the draw."""

    replaces: ClassVar = ("height_draw",)
    kind: Literal["dem-error"]
    draws: Annotated[int, Field(ge=1, le=100_000)]
    seed: Annotated[int, Field(ge=0)] = 0

    def choices(self) -> tuple[Value, ...] | None:
        return tuple(range(1, self.draws + 1))

    def targets(self, run: Run) -> tuple[str, ...]:
        return ("heights",)

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        return {"height_draw": HeightDraw(int(np.random.SeedSequence([self.seed, int(value)]).generate_state(1)[0]))}


_FLOW_PARAMETERS = {
    "value-of-time": ("vehicle_usd_per_h", "cargo_pct_per_day"),
    "reliability": ("reliability_ratio", "delay_variation"),
    "theta": ("theta_per_usd",),
}


class LongDistance(NumericFactor):
    """What long-distance loads pay and how they choose: declared ranges of the long-distance tables.

    ``which`` is the value of an hour, the price of unreliable delays, how strongly loads choose the cheaper way
    (``theta``), hours at borders, or prices a kilometre. Hours that regimes state are those of ``check-times``.
    """

    replaces: ClassVar = ("flow_model",)
    kind: Literal["long-distance"]
    which: Literal["value-of-time", "reliability", "theta", "border-hours", "running-cost"]
    idle: ClassVar = "changes nothing: the study names no long-distance tables; take it out"

    def targets(self, run: Run) -> tuple[str, ...]:
        return (f"{self.which} of long-distance loads",) if run[flows.flow_model] is not None else ()

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        model = run[flows.flow_model]
        if model is None:
            return {}
        return {"flow_model": FlowModel(self._moved(model.tables, value), model.scenario_id)}

    def _moved(self, tables: FlowTables, value: Value) -> FlowTables:
        if self.which == "border-hours":
            return replace(tables, delays=BorderDelays(tuple(self._waiting(row, value) for row in tables.delays.rows)))
        if self.which == "running-cost":
            tariffs = {
                key: replace(row, price=self.at(row.price, value)) if row.kind == "running_cost" else row
                for key, row in tables.tariffs.items()
            }
            return replace(tables, tariffs=tariffs)
        moved = {name: self.at(tables.parameters[name], value) for name in _FLOW_PARAMETERS[self.which]}
        # A theta that is chosen isn't fitted: counts would bring each of its values back to their own.
        counted = () if self.which == "theta" else tables.screenlines
        return replace(tables, parameters={**tables.parameters, **moved}, screenlines=counted)

    def _waiting(self, row: BorderDelay, value: Value) -> BorderDelay:
        """A side with other mean hours, its deviation and percentile in proportion."""
        hours = self.at(row.hours, value)
        # A wait of no hours has no proportion to keep.
        part = hours.mid / row.hours.mid if row.hours.mid > 0 else 1.0
        spread = {name: each * part for name in ("sd_h", "p95_h") if (each := getattr(row, name)) is not None}
        return replace(row, hours=hours, **spread)


class DesignStandards(ListedFactor):
    """By which standard new lines are designed, all or those of the candidates named."""

    replaces: ClassVar = ("candidate_specs",)
    kind: Literal["design-standard"]
    candidates: tuple[Identifier, ...] = ()
    idle: ClassVar = "changes nothing: no candidate of the family new-build has that name and mode; take it out"

    def named(self, run: Run) -> tuple[str, Iterable[str], Collection[str]]:
        return "values", self.values, load_standards()

    def _chosen(self, run: Run) -> dict[str, str]:
        designed = {key: spec.standard for key, spec in run[inputs.new_build_specs].items()}
        return {key: own for key, own in designed.items() if not self.candidates or key in self.candidates}

    def targets(self, run: Run) -> tuple[str, ...]:
        chosen, standards = self._chosen(run), load_standards()
        if set(self.candidates) - set(chosen):
            return ()
        # A road standard can't design a railway: such a list fits nothing, which is told before the sweep begins.
        modes = {standards[name].mode for name in (*self.values, *chosen.values()) if name in standards}
        if len(modes) > 1:
            return ()
        return tuple(f"standard of {key}" for key in chosen)

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        chosen = self._chosen(run)
        candidates = tuple(
            spec.model_copy(update={"standard": value}) if spec.id in chosen else spec
            for spec in run[inputs.candidate_specs]
        )
        return {"candidate_specs": candidates}


def _assuming_less(run: Run, keys: Iterable[str]) -> dict[str, Any]:
    """The candidates with nothing of ``keys`` assumed open."""
    # A candidate that assumes a crossing open would pass it whatever status the sweep gives it.
    gone = set(keys)
    candidates = tuple(
        spec.model_copy(update={"assume_open": tuple(key for key in spec.assume_open if key not in gone)})
        if isinstance(spec, ExistingCandidates)
        else spec
        for spec in run[inputs.candidate_specs]
    )
    return {"candidate_specs": candidates}


Factor = Annotated[
    UnitCosts
    | Speeds
    | CheckTimes
    | CrossingDelays
    | Regimes
    | Baselines
    | CrossingsStatus
    | SectionsStatus
    | DemError
    | LongDistance
    | DesignStandards,
    Field(discriminator="kind"),
]
