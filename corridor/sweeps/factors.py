"""What a sweep can vary. Each factor says which rows it changes, how, and which steps must be repeated for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from corridor.model.regime import CheckTime, Regime
from corridor.model.section import Range
from corridor.study import ExistingCandidates, Identifier
from corridor.sweeps.case import Case, Stage, Value, multiple_of, value_at
from corridor.terrain.uncertainty import draw_errors

Finite = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Status = Literal["open", "closed", "planned"]
SectionStatus = Literal["open", "construction", "disused", "abandoned", "planned", "closed"]
DEFAULT_LEVELS = 3


class _Factor(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    def meaning(self) -> dict[str, Any]:
        """What a value of this factor means: all fields but those that list values."""
        return self.model_dump(mode="json", exclude={"low", "high", "levels", "values", "draws"})

    def choices(self) -> tuple[Value, ...] | None:
        """The values that it takes, or None where any number from low to high will do."""
        raise NotImplementedError

    def grid(self) -> tuple[Value, ...]:
        """The values that a product takes."""
        return self.choices() or ()

    def targets(self, case: Case) -> tuple[str, ...]:
        """What it changes, as text; empty where nothing fits."""
        raise NotImplementedError

    def apply(self, case: Case, value: Value) -> Case:
        """The case with this factor at a value."""
        raise NotImplementedError

    def touches(self, case: Case) -> frozenset[Stage]:
        """Steps that are to be repeated when its value changes."""
        raise NotImplementedError


class _Numeric(_Factor):
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
    def _sound(self) -> _Numeric:
        ends = self.ends
        if self.values is not None and (self.low, self.high, self.levels) != (None, None, None):
            raise ValueError("give values, or low, high and levels, not both")
        if self.values is not None and len(set(self.values)) < len(self.values):
            raise ValueError("a value stands twice")
        if self.values is None and self.measure == "multiple" and None in (self.low, self.high):
            raise ValueError("a multiple needs low and high, for instance 0.8 and 1.25")
        if self.values is None and not ends[0] < ends[1]:
            raise ValueError(f"low {ends[0]:g} must be below high {ends[1]:g}")
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

    def at(self, span: Range, value: Value) -> Range:
        """A documented range at a value of this factor."""
        return value_at(span, float(value)) if self.measure == "position" else multiple_of(span, float(value))


class UnitCosts(_Numeric):
    """Prices of construction, all together or those of one mode or kind of work."""

    kind: Literal["unit-costs"]
    mode: Literal["road", "rail"] | None = None
    work: Literal["surface", "bridge", "tunnel", "upgrade"] | None = None

    def _fits(self, mode: str, work: str) -> bool:
        return self.mode in (None, mode) and self.work in (None, work)

    def targets(self, case: Case) -> tuple[str, ...]:
        rows = case.inputs.catalogue.unit_costs
        return tuple(f"price of {c.mode} {c.kind}" for c in rows if self._fits(c.mode, c.kind))

    def apply(self, case: Case, value: Value) -> Case:
        costs = tuple(
            replace(c, cost_musd_per_km=self.at(c.cost_musd_per_km, value)) if self._fits(c.mode, c.kind) else c
            for c in case.inputs.catalogue.unit_costs
        )
        return case.with_catalogue(lambda catalogue: replace(catalogue, unit_costs=costs))

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.PRICES,))


class Speeds(_Numeric):
    """Speeds of trucks or trains by class; a multiple also moves documented design speeds."""

    kind: Literal["speeds"]
    mode: Literal["road", "rail"] | None = None

    def targets(self, case: Case) -> tuple[str, ...]:
        return tuple(
            f"speed of {s.mode} {s.klass}" for s in case.inputs.catalogue.speeds if self.mode in (None, s.mode)
        )

    def apply(self, case: Case, value: Value) -> Case:
        catalogue = case.inputs.catalogue
        speeds = tuple(
            replace(s, speed_kmh=self.at(s.speed_kmh, value)) if self.mode in (None, s.mode) else s
            for s in catalogue.speeds
        )
        sections = catalogue.sections
        if self.measure == "multiple":
            sections = {
                key: replace(s, design_speed_kmh=s.design_speed_kmh * float(value))
                if s.design_speed_kmh and self.mode in (None, s.mode)
                else s
                for key, s in sections.items()
            }
        return case.with_catalogue(lambda old: replace(old, speeds=speeds, sections=sections))

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.NETWORK,))


class CheckTimes(_Numeric):
    """Minutes of checks that regimes state: in transit, at the border, or where roads meet the route (``gates``)."""

    kind: Literal["check-times"]
    which: Literal["all", "transit", "border", "gates"] = "all"
    regimes: tuple[Identifier, ...] = ()

    def _chosen(self, case: Case) -> list[str]:
        return [key for key in case.regimes if not self.regimes or key in self.regimes]

    def targets(self, case: Case) -> tuple[str, ...]:
        if set(self.regimes) - set(case.regimes):
            return ()
        checks = ("transit", "border", "gates") if self.which == "all" else (self.which,)
        return tuple(f"{check} checks under {key}" for key in self._chosen(case) for check in checks)

    def apply(self, case: Case, value: Value) -> Case:
        chosen = self._chosen(case)
        return replace(case, regimes={k: self._timed(r, value) if k in chosen else r for k, r in case.regimes.items()})

    def _timed(self, regime: Regime, value: Value) -> Regime:
        def moved(check: CheckTime, name: str) -> CheckTime:
            return replace(check, minutes=self.at(check.minutes, value)) if self.which in ("all", name) else check

        crossing, same_line = regime.crossing, regime.same_line
        if self.which in ("all", "gates"):
            if crossing.minutes is not None:
                crossing = replace(crossing, minutes=self.at(crossing.minutes, value))
            if same_line.minutes is not None:
                same_line = replace(same_line, minutes=self.at(same_line.minutes, value))
        return replace(
            regime,
            crossing=crossing,
            same_line=same_line,
            transit_check_min=moved(regime.transit_check_min, "transit"),
            border_check_min=moved(regime.border_check_min, "border"),
        )

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.REGIMES,))


class CrossingDelays(_Numeric):
    """Documented delays at border crossings, all or those named."""

    kind: Literal["crossing-delays"]
    crossings: tuple[Identifier, ...] = ()

    def targets(self, case: Case) -> tuple[str, ...]:
        known = case.inputs.catalogue.crossings
        if set(self.crossings) - set(known):
            return ()
        return tuple(
            f"delay at {key}"
            for key, crossing in known.items()
            if crossing.delay_min and (not self.crossings or key in self.crossings)
        )

    def apply(self, case: Case, value: Value) -> Case:
        crossings = {
            key: replace(c, delay_min=self.at(c.delay_min, value))
            if c.delay_min and (not self.crossings or key in self.crossings)
            else c
            for key, c in case.inputs.catalogue.crossings.items()
        }
        return case.with_catalogue(lambda catalogue: replace(catalogue, crossings=crossings))

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.NETWORK,))


class _Listed(_Factor):
    """One of a list of names."""

    values: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _distinct(self) -> _Listed:
        if len(set(self.values)) < len(self.values):
            raise ValueError("a value stands twice")
        return self

    def choices(self) -> tuple[Value, ...] | None:
        return self.values


class Regimes(_Listed):
    """Under which regime candidates are judged; without this factor, each task covers all of them."""

    kind: Literal["regime"]

    def targets(self, case: Case) -> tuple[str, ...]:
        return ("regime",) if set(self.values) <= set(case.regimes) else ()

    def apply(self, case: Case, value: Value) -> Case:
        return replace(case, regimes={str(value): case.regimes[str(value)]})

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.REGIMES,))


class Baselines(_Listed):
    """The dated state of the network."""

    kind: Literal["baseline"]

    def targets(self, case: Case) -> tuple[str, ...]:
        return ("baseline",) if set(self.values) <= {b.id for b in case.study.baselines} else ()

    def apply(self, case: Case, value: Value) -> Case:
        return replace(case, study=case.study.on_baseline(str(value)))

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.LAYOUT,))


class CrossingStatus(_Listed):
    """Whether border crossings are open; what is closed here isn't assumed open by any candidate."""

    kind: Literal["crossing-status"]
    crossings: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    values: Annotated[tuple[Status, ...], Field(min_length=1)] = ("open", "closed")

    def targets(self, case: Case) -> tuple[str, ...]:
        known = set(self.crossings) <= set(case.inputs.catalogue.crossings)
        return tuple(f"status of {key}" for key in self.crossings) if known else ()

    def apply(self, case: Case, value: Value) -> Case:
        old = case.inputs.catalogue.crossings
        crossings = old | {key: replace(old[key], status=str(value)) for key in self.crossings}
        changed = case.with_catalogue(lambda catalogue: replace(catalogue, crossings=crossings))
        return changed if value == "open" else _assuming_less(changed, self.crossings)

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.NETWORK,))


class SectionsStatus(_Listed):
    """Whether sections of the catalogue are open, planned and so on; as for crossings."""

    kind: Literal["section-status"]
    sections: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    values: Annotated[tuple[SectionStatus, ...], Field(min_length=1)]

    def targets(self, case: Case) -> tuple[str, ...]:
        known = set(self.sections) <= set(case.inputs.catalogue.sections)
        return tuple(f"status of {key}" for key in self.sections) if known else ()

    def apply(self, case: Case, value: Value) -> Case:
        old = case.inputs.catalogue.sections
        fixed = {"status": value, "opened": "", "closed": ""}  # a date would decide otherwise
        sections = old | {key: replace(old[key], **fixed) for key in self.sections}  # type: ignore[arg-type]
        changed = case.with_catalogue(lambda catalogue: replace(catalogue, sections=sections))
        return changed if value == "open" else _assuming_less(changed, self.sections)

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.LAYOUT,))


class DemError(_Factor):
    """Draws of the elevation model's error, numbered from 1; all candidates of a task share the draw."""

    kind: Literal["dem-error"]
    draws: Annotated[int, Field(ge=1, le=100_000)]
    seed: Annotated[int, Field(ge=0)] = 0

    def choices(self) -> tuple[Value, ...] | None:
        return tuple(range(1, self.draws + 1))

    def targets(self, case: Case) -> tuple[str, ...]:
        return ("heights",)

    def apply(self, case: Case, value: Value) -> Case:
        dem = case.inputs.dem
        seed = int(np.random.SeedSequence([self.seed, int(value)]).generate_state(1)[0])
        field = next(iter(draw_errors(dem, 1, seed)))
        rows, cols = dem.grid.shape
        lon, lat = dem.grid.centres(*np.meshgrid(np.arange(float(rows)), np.arange(float(cols)), indexing="ij"))
        heights = (dem.heights_m + field.sample(lon, lat)).astype(np.float32)
        return replace(case, inputs=replace(case.inputs, dem=dem.with_heights(heights)))

    def touches(self, case: Case) -> frozenset[Stage]:
        slowed = case.study.grade_effect and case.inputs.dem.carries_grades
        return frozenset((Stage.TERRAIN, Stage.NETWORK) if slowed else (Stage.TERRAIN,))


Factor = Annotated[
    UnitCosts | Speeds | CheckTimes | CrossingDelays | Regimes | Baselines | CrossingStatus | SectionsStatus | DemError,
    Field(discriminator="kind"),
]


def _assuming_less(case: Case, keys: Iterable[str]) -> Case:
    """The case with nothing of ``keys`` assumed open."""
    gone = set(keys)
    candidates = tuple(
        spec.model_copy(update={"assume_open": tuple(key for key in spec.assume_open if key not in gone)})
        if isinstance(spec, ExistingCandidates)
        else spec
        for spec in case.study.candidates
    )
    return replace(case, study=case.study.model_copy(update={"candidates": candidates}))
